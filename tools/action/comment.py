"""Comment: the one comment with the plan on a pull request; made when there is something to say, and then kept true.

A comment is not worth a red build: where it cannot be written that is said, and the plan stands in the summary.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from jhecfg import __version__
from tools.action.api import Api, ApiError
from tools.action.check import verdict
from tools.action.runner import annotate, event, given

MARKER = "<!-- jhecfg plan -->"
"""The first line of a plan, as in jhecfg/plan/markdown.py."""
AUTHOR = "github-actions[bot]"
"""Whose comments are ours: what the job's own token writes as. Anybody may write the marker."""
LONGEST = 65_536


def main() -> int:
    """Make or update the comment of a pull request; say where there is none to write on."""
    pull = event().get("pull_request")
    if not pull:
        print("no pull request: no comment")
        return 0
    body = page(given("JHECFG_CHECKED"), given("JHECFG_PLAN"))
    api = Api(given("GITHUB_API_URL"), given("JHECFG_TOKEN"))
    try:
        print(written(api, int(pull["number"]), body))
    except ApiError as error:
        annotate("notice" if error.forbidden and is_foreign(pull) else "warning", f"no comment: {why(error, pull)}")
    return 0


def written(api: Api, number: int, body: str) -> str:
    """Write the comment, and say what was done. Raises ApiError."""
    issues = f"repos/{given('GITHUB_REPOSITORY')}/issues"
    found = next((each for each in api.pages(f"{issues}/{number}/comments") if is_ours(each)), None)
    if found is None and given("JHECFG_CHECKED") == "0" and given("JHECFG_CHANGED") in ("", "[]"):
        return "nothing changes: no comment"
    if found is None:
        return f"comment made: {api.send('POST', f'{issues}/{number}/comments', {'body': body})['html_url']}"
    if found["body"].replace("\r\n", "\n").rstrip() == body.rstrip():
        return f"comment is up to date: {found['html_url']}"
    answer = api.send("PATCH", f"{issues}/comments/{found['id']}", {"body": body})
    return f"comment updated: {answer['html_url']}"


def page(checked: str, plan: str) -> str:
    """Return the comment: its marker, the verdict, the plan, and where all of it stands."""
    run = f"{given('GITHUB_SERVER_URL')}/{given('GITHUB_REPOSITORY')}/actions/runs/{given('GITHUB_RUN_ID')}"
    text = Path(plan).read_text(encoding="utf-8").removeprefix(MARKER).strip() if plan else ""
    compared = f", compared with {given('JHECFG_COMPARED')}" if plan else ""
    head = f"{marker()}\n\n{verdict(int(checked))}\n\n"
    foot = f"\n\n<sub>jhecfg {__version__}{compared}; [the whole plan]({run}) is in the summary of its job.</sub>\n"
    return head + text[: LONGEST - len(head) - len(foot)] + foot


def marker() -> str:
    """Return the lines by which a comment is found again; each folder of sites in a repository has its own."""
    folder = given("JHECFG_IN").strip("/") or "."
    return MARKER if folder == "." else f"{MARKER}\n<!-- in {quote(folder)} -->"


def is_ours(comment: dict[str, Any]) -> bool:
    """Say whether a comment is the one to update."""
    lines = (comment.get("body") or "").replace("\r\n", "\n").split("\n\n")[0]
    return bool(lines == marker() and (comment.get("user") or {}).get("login") == AUTHOR)


def is_foreign(pull: dict[str, Any]) -> bool:
    """Say whether a pull request comes from a fork, or from Dependabot: their tokens may only read."""
    head = (pull["head"].get("repo") or {}).get("full_name")
    return head != given("GITHUB_REPOSITORY") or given("GITHUB_ACTOR") == "dependabot[bot]"


def why(error: ApiError, pull: dict[str, Any]) -> str:
    """Say why there is no comment, and what to do."""
    where = "the plan is in the summary of this job"
    if error.forbidden and is_foreign(pull):
        return f"this pull request comes from a fork or from Dependabot, whose token may only read; {where}"
    if error.forbidden:
        return f"the job needs `permissions: pull-requests: write` ({error}); {where}"
    return f"{error}; {where}"
