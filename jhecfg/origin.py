"""origin_of(): which line of the spec shapes a place in an output. Measured, not annotated: nudge a leaf, render again.

No renderer knows about it. First order only: of `max(a, b)` it sees the larger. A reference is nudged to other names
of the spec, so that it still resolves.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from jhecfg.diagnostics import Loc
from jhecfg.parse import leaves, value_at
from jhecfg.patch import patched
from jhecfg.render import render
from jhecfg.resolve import resolve
from jhecfg.sealed import SealedFile
from jhecfg.spec import SiteSpec

WORK = 60_000
"""Leaves of the spec times renderings, at most: an answer for an error message, not a map of a large site."""

_ABSENT = object()


def origin_of(tree: dict[str, Any], path: str, pointer: Loc, sealed: tuple[SealedFile, ...] = ()) -> Loc | None:
    """Return the place in the spec's tree that shapes a place in the output at `path`, or None.

    `sealed` are the encrypted files beside the spec.

    Escape hatches are tried first: what they bring is what most often breaks an output.
    """
    before = _output(tree, path, pointer, sealed)
    named: Loc | None = None  # a leaf without which there is no such file: the answer if no other is found
    ordered = sorted(leaves(tree), key=lambda leaf: (not _is_hatch(leaf[0]), -len(leaf[0])))
    for loc, value in ordered[: max(10, WORK // len(ordered))]:
        for other in _nudges(tree, loc, value):
            after = _output(_with(tree, loc, other), path, pointer, sealed)
            if after is None:
                continue
            if after == (_ABSENT,) and before != after:
                named = named or loc
            elif after != before:
                return loc
            break
    return named


def _is_hatch(loc: Loc) -> bool:
    return loc[0] == "patches" or "values" in loc or "env" in loc or "settings" in loc


def _nudges(tree: dict[str, Any], loc: Loc, value: Any) -> Iterator[Any]:
    """Yield other values of the same kind, the nearest first."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield from (value + 1, value - 1)
    elif isinstance(value, str):
        yield from (value + "1", value + "x", "x" + value, _next(value))
        yield from (
            text for place, text in leaves(tree) if isinstance(text, str) and place[-1] == loc[-1] and text != value
        )
        yield from (
            text for place, text in leaves(tree) if place[-1] == "name" and isinstance(text, str) and text != value
        )


def _next(text: str) -> str:
    """Return a text of the same form: `us-east-2` becomes `us-east-3`, a digest another one."""
    last = text[-1:]
    return text[:-1] + {"9": "0", "z": "a", "f": "0"}.get(last, chr(ord(last) + 1)) if last else "x"


def _with(tree: dict[str, Any], loc: Loc, value: Any) -> dict[str, Any]:
    copy = deepcopy(tree)
    value_at(copy, loc[:-1])[loc[-1]] = value
    return copy


def _output(tree: dict[str, Any], path: str, pointer: Loc, sealed: tuple[SealedFile, ...]) -> Any:
    """Return (a wrapper of) the value at a place in the output, or None when the tree is no valid spec."""
    try:
        site = resolve(SiteSpec.model_validate(tree), sealed).site
    except ValidationError:
        return None
    artifacts, problems = patched(site, render(site))
    if problems:  # an operation that no longer fits shapes nothing
        return None
    found = next((artifact for artifact in artifacts if artifact.path == path), None)
    if found is None:
        return (_ABSENT,)
    value: Any = found.tree
    for part in pointer:
        if isinstance(value, dict) and part in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            break
    return (value,)
