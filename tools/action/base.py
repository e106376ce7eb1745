"""Base: the git revision that a change is compared with."""

from __future__ import annotations

import subprocess
from typing import Any

from tools.action.runner import given

DEPTH = "give actions/checkout `fetch-depth: 0`"


class Missing(Exception):
    """The revision is not in this clone; the text says what to do. `grave` where the plan was surely wanted."""

    def __init__(self, text: str, *, grave: bool) -> None:
        super().__init__(text)
        self.grave = grave


def base(event: dict[str, Any]) -> str:
    """Return the revision to compare with: `from`, else what a pull request merges into, or what a push replaces.

    "" where there is nothing to compare with, as for a schedule or the first push of a branch. Raises Missing.
    """
    if given("JHECFG_FROM"):
        if not commit(given("JHECFG_FROM")):
            raise Missing(f"there is no revision '{given('JHECFG_FROM')}' in this clone: {DEPTH}", grave=True)
        return given("JHECFG_FROM")
    if "pull_request" in event:
        return of_pull_request(event["pull_request"])
    before = event.get("before") or event.get("merge_group", {}).get("base_sha") or ""
    if not before.strip("0"):
        return ""
    if not commit(before):
        raise Missing(f"what was there before, {before[:12]}, is not in this clone: {DEPTH}", grave=False)
    return str(before)


def of_pull_request(pull: dict[str, Any]) -> str:
    """Return what a pull request merges into.

    GitHub checks out a commit that merges the request into its base, so that its first parent is the base as it is
    now. In a checkout of the branch itself it is where the branch began.
    """
    head, target = pull["head"]["sha"], pull["base"]["sha"]
    parents = parents_of("HEAD")
    if len(parents) == 2 and parents[1] == head:
        if not commit(parents[0]):
            raise Missing(
                "the commit that this pull request merges into is not in this clone:"
                " give actions/checkout `fetch-depth: 2`",
                grave=True,
            )
        return parents[0]
    found = git("merge-base", target, "HEAD") if commit(target) else ""
    if not found:
        raise Missing(f"where this branch began is not in this clone: {DEPTH}", grave=True)
    return found


def commit(revision: str) -> str:
    """Return a revision's hash, or "" where this clone has none."""
    return git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")


def parents_of(revision: str) -> list[str]:
    """Return the parents that a commit names, whether this clone has them or not."""
    head = git("cat-file", "commit", revision).partition("\n\n")[0]
    return [line.split()[1] for line in head.splitlines() if line.startswith("parent ")]


def git(*words: str) -> str:
    """Return what git prints, or "" where it fails."""
    done = subprocess.run(["git", *words], capture_output=True, check=False)
    return done.stdout.decode(errors="replace").strip() if done.returncode == 0 else ""
