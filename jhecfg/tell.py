"""What became of a spec, in words: files changed, what is in the way, the diff."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.fleet import Options, Outcome
from jhecfg.tree import Comparison, unified_diff
from jhecfg.unchanged import said

MARKS = {"added": "A", "changed": "M", "removed": "D", "edited": "M", "missing": "A", "foreign": "M"}


def in_the_way(outcome: Outcome, options: Options) -> Iterator[str]:
    """Yield what kept a spec from being built, other than its own errors: a line each."""
    if outcome.trouble:
        yield f"{outcome.site or outcome.spec}: {outcome.trouble}"
    obstacles = outcome.refused or (outcome.comparison.obstacles if outcome.comparison else ())
    for path, reason in obstacles:
        yield f"{path}: {reason}"
    if outcome.refused:
        yield f"{outcome.site}: refused, nothing was written; move these files away, or use --force"


def result(outcome: Outcome, options: Options, *, only_diff: bool, in_detail: bool) -> str:
    """Return what was written or would be: a headline, the files where there are few sites, the diff of a check."""
    comparison = outcome.comparison
    if comparison is None:
        return ""
    text = "" if only_diff else _headline(outcome.site, comparison, options)
    if not only_diff and in_detail:
        text += "".join(f"  {MARKS[change.kind]} {comparison.root}/{change.path}\n" for change in comparison.changes)
        text += "".join(f"  ? {comparison.root}/{path} is not jhecfg's\n" for path in comparison.strangers)
    if options.mode == "compare":
        text += "".join(f"{line}\n" for line in unified_diff(comparison))
    return text


def _headline(site: str, comparison: Comparison, options: Options) -> str:
    if comparison.clean:
        return said(site, comparison.unchanged)
    kinds = [MARKS[change.kind] for change in comparison.changes]
    words = (("M", "changed"), ("A", "added"), ("D", "removed"))
    counts = ", ".join(f"{kinds.count(mark)} {word}" for mark, word in words if mark in kinds)
    would = "" if options.mode == "build" else "would be "
    return f"{site}: {would}{counts or 'refused'}; {comparison.unchanged} files as they were\n"
