"""Reasons: what differs in the spec, and which of it shapes an output. Measured: take one change back, render again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from jhecfg.artifact import Tree
from jhecfg.diagnostics import Loc, Severity
from jhecfg.parse import value_at
from jhecfg.patch import patched
from jhecfg.pipeline import Build
from jhecfg.plan.model import Leaf, ObjectChange, SpecChange, once
from jhecfg.plan.trees import MISSING, Difference, differences
from jhecfg.render import render
from jhecfg.render.finish import finished
from jhecfg.resolve import resolve
from jhecfg.source import Source
from jhecfg.spec import SiteSpec

MOST = 20_000
"""Outputs rendered to find reasons, at most: where there would be more, changes are taken back in larger parts."""

Outputs = Mapping[str, Tree | str]


def spec_changes(before: Source, after: Source) -> tuple[SpecChange, ...]:
    """Return what differs between two specs, bases included, in the order of the old and then the new."""
    return tuple(_change(before, after, found) for found in differences(before.tree, after.tree))


def _change(before: Source, after: Source, found: Difference) -> SpecChange:
    span = before.span(found.old_at or (), key=True) if found.new_at is None else after.span(found.new_at)
    return SpecChange(found.name, found.old_at, found.new_at, found.old, found.new, span)


def reasoned(
    before: Build, after: Build, changes: Sequence[SpecChange], objects: Sequence[ObjectChange]
) -> tuple[ObjectChange, ...]:
    """Return the objects with the changes of the spec that shape them, and each of their leaves."""
    moved = list[tuple[SpecChange, Mapping[str, set[Loc]]]]()
    for part in _parts(changes, len(after.artifacts)):
        touched = _touched(before, after, part)
        moved += ((change, touched) for change in part)
    return tuple(_with_reasons(each, moved) for each in objects)


def _parts(changes: Sequence[SpecChange], outputs: int) -> list[tuple[SpecChange, ...]]:
    """Return the changes one by one, or, where that would render too often, those of each key together."""
    if len(changes) * outputs <= MOST:
        return [(change,) for change in changes]
    together: dict[Any, tuple[SpecChange, ...]] = {}
    for change in changes:
        together[change.name[0]] = (*together.get(change.name[0], ()), change)
    return list(together.values())


def _touched(before: Build, after: Build, part: Sequence[SpecChange]) -> Mapping[str, set[Loc]]:
    """Return which places of which outputs a part of the change moves, wherever it is possible alone.

    First it is taken back from what becomes. What others need (an organization that a hub names) cannot be: then it
    is made alone to what was. A part that is possible neither way moves nothing that is known.
    """
    for build, forwards in ((after, False), (before, True)):
        outputs = _outputs(_with(build.source.tree, part, forwards=forwards))
        if outputs is not None:
            return dict(_moved({a.path: a.tree for a in build.artifacts}, outputs))
    return {}


def _moved(there: Outputs, outputs: Outputs) -> Iterator[tuple[str, set[Loc]]]:
    for path in {**there, **outputs}:
        one, other = there.get(path, MISSING), outputs.get(path, MISSING)
        if one != other:
            yield path, {found.name for found in differences(one, other)}


def _outputs(tree: Tree) -> Outputs | None:
    """Return the outputs of a spec's tree by path, or None when it is no valid spec."""
    try:
        resolution = resolve(SiteSpec.model_validate(tree))
    except ValidationError:
        return None
    if any(finding.severity is Severity.ERROR for _, finding in resolution.problems):
        return None
    artifacts, problems = patched(resolution.site, render(resolution.site))
    return None if problems else {a.path: a.tree for a in finished(artifacts)}


def _with(tree: Tree, part: Sequence[SpecChange], *, forwards: bool) -> Tree:
    """Return a copy of a tree with some changes made, or (of the new tree) taken back."""
    copy = deepcopy(tree)
    # From the end, so that what is taken out of a list moves nothing that is still to be done.
    for change in sorted(part, key=lambda c: [str(p).zfill(6) for p in c.old or c.new or ()], reverse=True):
        at, other, value = (
            (change.old, change.new, change.becomes) if forwards else (change.new, change.old, change.was)
        )
        if at is None:
            _insert(copy, other or (), change.name, value)
        elif value is MISSING:
            del value_at(copy, at[:-1])[at[-1]]
        else:
            value_at(copy, at[:-1])[at[-1]] = _ordered(value_at(copy, at), value)
    return copy


def _ordered(items: Any, value: Any) -> Any:
    """Return a value; where it is an order of named items, the items in that order."""
    named = isinstance(items, list) and items and all(isinstance(item, dict) for item in items)
    if not named or not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        return value
    return sorted(items, key=lambda item: value.index(item["name"]) if item.get("name") in value else len(value))


def _insert(tree: Tree, at: Loc, name: Loc, value: Any) -> None:
    """Put a value where it is on the other side; its parents are there, since it is the smallest part that differs."""
    place: Any = tree
    for part, called in zip(at[:-1], name[:-1], strict=True):
        if isinstance(place, list) and isinstance(called, str):
            place = next(item for item in place if item.get("name") == called)
        else:
            place = place[part]
    if isinstance(place, list) and isinstance(at[-1], int):
        place.insert(at[-1], deepcopy(value))
    else:
        place[at[-1]] = deepcopy(value)


def _with_reasons(change: ObjectChange, moved: Sequence[tuple[SpecChange, Mapping[str, set[Loc]]]]) -> ObjectChange:
    here = [(why, places[change.path]) for why, places in moved if change.path in places]
    leaves = tuple(leaf._replace(because=_shaping(leaf, here)) for leaf in change.leaves)
    because = once(why for why, _ in here) or once(why for why, _ in moved)
    return change._replace(leaves=leaves, because=because)


def _shaping(leaf: Leaf, here: Sequence[tuple[SpecChange, set[Loc]]]) -> tuple[SpecChange, ...]:
    return tuple(
        why
        for why, places in here
        if any(all(a == b for a, b in zip(leaf.pointer, place, strict=False)) for place in places)
    )
