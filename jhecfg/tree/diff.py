"""Diff: a comparison as the unified diff that a build would make; `git apply` accepts it."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.leaks import mask_lines
from jhecfg.tree.compare import Change, Comparison

_BY_HAND = ("edited", "foreign")


def unified_diff(comparison: Comparison) -> Iterator[str]:
    """Yield the lines of a unified diff, without their newline, in path order.

    A file that is added or removed stands against /dev/null. Bytes that are not UTF-8 text are only said to differ.
    What somebody else wrote there is shown with its secrets masked: a diff is read in logs and reviews.
    """
    for change in comparison.changes:
        yield from _one(change, (comparison.root / change.path).as_posix().lstrip("/"))


def _one(change: Change, path: str) -> Iterator[str]:
    before = "/dev/null" if change.old is None else f"a/{path}"
    after = "/dev/null" if change.new is None else f"b/{path}"
    old, new = _lines(change.old), _lines(change.new)
    if old and change.kind in _BY_HAND:
        old = _masked(old, new or [])
    if old is None or new is None:
        yield f"Binary files {before} and {after} differ"
    elif old and new:
        yield from _changed(old, new, before, after)
    else:
        yield from _whole(old, new, before, after)


def _changed(old: list[str], new: list[str], before: str, after: str) -> Iterator[str]:
    from difflib import unified_diff as compare_lines

    for line in compare_lines(old, new, before, after, lineterm=""):
        yield from line.split("\n")


def _masked(old: list[str], new: list[str]) -> list[str]:
    """Mask the lines that are not ours."""
    ours = set(new)
    return [line if line in ours else shown for line, shown in zip(old, mask_lines(tuple(old)), strict=True)]


def _whole(old: list[str], new: list[str], before: str, after: str) -> Iterator[str]:
    """One side is empty: no need to search for what they share."""
    yield from (f"--- {before}", f"+++ {after}")
    lines, sign = (new, "+") if new else (old, "-")
    if not lines:
        return
    span = "1" if len(lines) == 1 else f"1,{len(lines)}"
    yield f"@@ -0,0 +{span} @@" if new else f"@@ -{span} +0,0 @@"
    for line in lines:
        yield from (sign + line).split("\n")


def _lines(data: bytes | None) -> list[str] | None:
    r"""Split at line feeds alone, as git does; a last line without one carries git's note. None: not text."""
    if not data:
        return []
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    if text.endswith("\n"):
        return text[:-1].split("\n")
    *whole, last = text.split("\n")
    return [*whole, last + "\n\\ No newline at end of file"]
