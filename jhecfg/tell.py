"""What became of a spec, in words: files changed, what is in the way, the diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.outcome import Options, Outcome
from jhecfg.tree import Comparison, unified_diff
from jhecfg.unchanged import said

FEW = 3
"""So many specs are named in one line."""

MARKS = {"added": "A", "changed": "M", "removed": "D", "edited": "M", "missing": "A", "foreign": "M"}


def in_the_way(outcome: Outcome, options: Options) -> Iterator[str]:
    """Yield what kept a spec from being built, other than its own errors: a line each."""
    if outcome.trouble:  # of a spec that could not be read it says which one
        yield f"{outcome.site}: {outcome.trouble}" if outcome.site else outcome.trouble
    obstacles = outcome.refused or (outcome.comparison.obstacles if outcome.comparison else ())
    fate = "" if outcome.refused or options.mode == "compare" else "; overwritten"
    for path, reason in obstacles:
        yield f"{path}: {reason}{fate}"
    if outcome.refused:
        force = "" if options.force else ", or use --force"
        yield f"{outcome.site}: nothing was written; move these files away (edits belong in the spec){force}"


def bugs(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Say where jhecfg broke, once for each place: a bug of a release shows in every site that meets it."""
    found: dict[str, list[str]] = {}
    for outcome in outcomes:
        if outcome.bug:
            found.setdefault(outcome.bug, []).append(outcome.spec)
    for bug, specs in found.items():
        many = f" and {len(specs) - FEW} more" if len(specs) > FEW else ""
        yield f"{', '.join(specs[:FEW])}{many}: not finished\n{bug}"


def unwritten(outcomes: Sequence[Outcome]) -> str:
    """Say of which specs nothing was written; with one spec there is no need to name it."""
    names = [outcome.spec for outcome in outcomes if outcome.comparison is None]
    if not names:
        return ""
    many = f"{', '.join(names[:FEW])}{f' and {len(names) - FEW} more' if len(names) > FEW else ''}: "
    return f"{many if len(outcomes) > 1 else ''}nothing was written"


def result(outcome: Outcome, options: Options, *, only_diff: bool, in_detail: bool) -> str:
    """Return what was written or would be: a headline, the files where there are few sites, the diff of a check."""
    comparison = outcome.comparison
    if comparison is None:
        return ""
    text = "" if only_diff else headline(outcome.site, comparison, options)
    if not only_diff and in_detail:
        text += "".join(f"  {MARKS[change.kind]} {comparison.root}/{change.path}\n" for change in comparison.changes)
        text += "".join(f"  ? {comparison.root}/{path} is not jhecfg's\n" for path in comparison.strangers)
    if options.mode == "compare":
        text += "".join(f"{line}\n" for line in unified_diff(comparison))
    return text


def headline(site: str, comparison: Comparison, options: Options) -> str:
    """Return one line that counts what changed or would change."""
    if comparison.clean:
        return said(site, comparison.unchanged)
    kinds = [MARKS[change.kind] for change in comparison.changes]
    words = (("M", "changed"), ("A", "added"), ("D", "removed"))
    counts = ", ".join(f"{kinds.count(mark)} {word}" for mark, word in words if mark in kinds)
    would = "" if options.mode == "build" else "would be "
    rest = f"; {comparison.unchanged} files as they were" if comparison.unchanged else ""
    return f"{site}: {would}{counts or 'refused'}{rest}\n"
