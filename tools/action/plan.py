"""Plan: `jhecfg plan` against the base, as a file, in the job's summary, and short enough for a comment."""

from __future__ import annotations

import json
from pathlib import Path

from tools.action.base import Missing, base
from tools.action.runner import SUMMARY, Said, annotate, event, given, jhecfg, log, output, summarize, words

COMMENT = 60_000
"""Characters of the plan in a comment; GitHub takes 65,536, and the rest is for our own words."""
SEVERITIES = ("data", "outage", "disruptive", "attention", "safe")


def main() -> int:
    """Plan, and set the outputs; fail where a plan that is wanted cannot be made."""
    try:
        revision = base(event())
    except Missing as missing:
        annotate("error" if missing.grave else "warning", f"no plan: {missing}")
        summarize(f"No plan: {missing}.\n")
        return 2 if missing.grave else 0
    if not revision:
        annotate("notice", "no plan: nothing to compare with; the input `from` can name a revision")
        return 0
    done = planned(revision, "--format", "json")
    log(done.err)
    if done.code not in (0, 1):  # 1: a spec is at fault, which `check` has said; the others are planned
        annotate("error", f"`jhecfg plan` could not finish (exit code {done.code})")
        return done.code
    sites = [site for site in json.loads(done.out)["sites"] if site["verb"] != "same"]
    severities = {site["severity"] for site in sites} | {"safe"}
    whole = page(revision, 0)
    path = Path(given("RUNNER_TEMP"), "jhecfg-plan.md")
    short = path.with_name("jhecfg-plan-comment.md")
    path.write_text(whole, encoding="utf-8")
    short.write_text(whole if len(whole) <= COMMENT else page(revision, COMMENT), encoding="utf-8")
    summarize(f"## jhecfg plan\n\nCompared with {revision[:12]}.\n")
    summarize(whole if len(whole.encode()) < SUMMARY - 1_000 else page(revision, SUMMARY // 5))
    output("plan", str(path))
    output("comment", str(short))
    output("compared", revision[:12])
    output("changed-sites", json.dumps([site["site"] for site in sites]))
    output("severity", next(each for each in SEVERITIES if each in severities))
    return 0


def page(revision: str, limit: int) -> str:
    """Return the plan as Markdown, of at most so many characters; 0 is no limit."""
    return planned(revision, "--format", "markdown", "--limit", str(limit)).out


def planned(revision: str, *more: str) -> Said:
    """Run `jhecfg plan` for the specs that are meant."""
    return jhecfg("plan", *words("JHECFG_SPECS"), "--out", given("JHECFG_OUT"), "--from", revision, *more)
