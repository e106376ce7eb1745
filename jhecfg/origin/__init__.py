"""origin_of(): which line of the spec shapes a place in an output. Measured, not annotated: nudge a leaf, render again.

No renderer knows about it. First order only: of `max(a, b)` it sees the larger. `explain/` asks the same of every leaf.
"""

from __future__ import annotations

from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.origin.outputs import Files, experiments, outputs_of
from jhecfg.parse import leaves
from jhecfg.sealed import SealedFile

WORK = 60_000
"""Outputs rendered, at most: an answer for an error message, not a map of a large site."""

_ABSENT = object()


def origin_of(tree: dict[str, Any], path: str, pointer: Loc, sealed: tuple[SealedFile, ...] = ()) -> Loc | None:
    """Return the place in the spec's tree that shapes a place in the output at `path`, or None.

    `sealed` are the encrypted files beside the spec.

    Escape hatches are tried first: what they bring is what most often breaks an output.
    """
    now = outputs_of(tree, sealed)
    if now is None:
        return None
    before, work = _at(now.files, path, pointer), 0
    named: Loc | None = None  # the answer if no other is found: without this leaf there is no such file, or no site
    for loc, _ in sorted(leaves(tree), key=lambda leaf: (not is_hatch(leaf[0]), -len(leaf[0]))):
        for experiment in experiments(tree, loc, now.files, sealed):
            work += experiment.work
            after = _at(experiment.files, path, pointer)
            if after != before and after is not _ABSENT and experiment.sound:
                return loc
            if after != before:
                named = named or loc
        if work > WORK:
            break
    return named


def is_hatch(loc: Loc) -> bool:
    """Say whether a place of the spec is in an escape hatch."""
    return loc[0] == "patches" or "values" in loc or "env" in loc or "settings" in loc


def _at(files: Files, path: str, pointer: Loc) -> Any:
    """Return the value at a place in the output, or at the nearest thing around it that is there."""
    value: Any = files.get(path, _ABSENT)
    for part in pointer:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
    return value
