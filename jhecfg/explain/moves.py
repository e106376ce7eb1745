"""Moves: which places of which outputs move when a leaf of the spec is nudged, and the other way round."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import Any, NamedTuple

from jhecfg.artifact import Tree
from jhecfg.diagnostics import Loc
from jhecfg.origin import is_hatch
from jhecfg.origin.fields import absent
from jhecfg.origin.outputs import Files, experiments
from jhecfg.parse import leaves, value_at
from jhecfg.plan.trees import MISSING, differences, key_of
from jhecfg.source import Source

WORK = 40_000
"""Outputs rendered for one answer, at most: some four seconds. A larger site is looked at in part, and that is said."""


class Place(NamedTuple):
    """A place in an output: a file, a place in its tree, or (of text, from 1) one of its lines.

    `line` counts in the file where that is text, and else in the text that stands at `pointer`; 0 is all of it.
    """

    path: str
    pointer: Loc = ()
    line: int = 0


class Shapers(NamedTuple):
    """What shapes a place: keys that are written, keys that could be, and those without which there is no such file.

    `complete` says whether every key was tried.
    """

    written: tuple[Loc, ...]
    unwritten: tuple[Loc, ...]
    needed: tuple[Loc, ...]
    complete: bool


class Moved(NamedTuple):
    """What moves in an output: places in its tree, or, where it is text, so many lines.

    `how` is empty, or says that the file as a whole is concerned: `renamed`, `gone`, or `new` (it is not there now).
    """

    path: str
    pointers: tuple[Loc, ...] = ()
    lines: int = 0
    how: str = ""


# --- from the output to the spec --------------------------------------------------------------------------------------


def shapers_of(source: Source, before: Files, place: Place) -> Shapers:
    """Return what shapes a place of an output. `before` are the outputs as they are, by path."""
    found: dict[bool, list[Loc]] = {True: [], False: []}
    needed, work = list[Loc](), 0
    for loc, written in _candidates(source, place.path):
        if work > WORK:
            return Shapers(tuple(found[True]), tuple(found[False]), tuple(needed), complete=False)
        for files, cost, _ in experiments(source.tree, loc, before, source.sealed):
            work += cost
            after = twin(place.path, before, files)
            if after is None:
                needed += [loc] if written and loc not in needed else []
            elif _touched(before[place.path], after[1], place) and loc not in found[written]:
                found[written].append(loc)
    ordered = sorted(found[True], key=list(dict(leaves(source.tree))).index)
    return Shapers(tuple(ordered), tuple(found[False]), tuple(needed), complete=True)


def _candidates(source: Source, path: str) -> Iterator[tuple[Loc, bool]]:
    """Yield each leaf of the spec, and each that could be there, the likeliest first.

    These are those of the file's own hub; the other hubs and the organizations, of which there may be many, come last.
    """
    hubs = [str(hub.get("name")) for hub in source.tree.get("hubs", ())]
    own = next((index for index, name in enumerate(hubs) if f"/{name}/" in f"/{path}"), None)

    def likely(loc: Loc) -> tuple[bool, bool, bool]:
        mine = loc[:2] == ("hubs", own)
        return not mine, loc[0] in ("hubs", "orgs"), not is_hatch(loc)

    yield from ((loc, True) for loc in sorted((loc for loc, _ in leaves(source.tree)), key=likely))
    yield from ((loc, False) for loc in sorted(absent(source.tree), key=likely))


def twin(path: str, before: Files, after: Files) -> tuple[str, Tree | str] | None:
    """Return what became of an output, with its path: a renamed one has the same number in the order of the build."""
    if path in after:
        return path, after[path]
    if len(before) != len(after):
        return None
    other = list(after)[list(before).index(path)]
    return None if other in before else (other, after[other])


def _touched(before: Tree | str, after: Tree | str, place: Place) -> bool:
    if isinstance(before, str) or isinstance(after, str):
        return _text_touched(before, after, place.line)
    there = _followed(before, after, place.pointer)
    one, other = value_at(before, place.pointer), value_at(after, there)
    if one == other and _same_way(before, place.pointer, after, there):
        return False
    if place.line and isinstance(one, str) and isinstance(other, str):
        return _text_touched(one, other, place.line)
    if place.pointer and isinstance(place.pointer[-1], int) and not isinstance(one, dict | list):
        others = value_at(after, there[:-1])  # an item of a list is still there, at another place of it
        return not isinstance(others, list) or one not in others
    return True


def _followed(before: Tree, after: Tree, pointer: Loc) -> Loc:
    """Return where a place is in the other tree: an item of a list is found by its name, where it has one still."""
    at: Loc = ()
    for number, part in enumerate(pointer, 1):
        items, name = value_at(after, at), key_of(value_at(before, pointer[:number]))
        if isinstance(part, int) and name is not None and isinstance(items, list):
            renamed = len(items) == len(value_at(before, pointer[: number - 1]))  # else it is gone
            part = next((n for n, item in enumerate(items) if key_of(item) == name), part if renamed else len(items))
        at = (*at, part)
    return at


def _same_way(before: Tree, pointer: Loc, after: Tree, there: Loc) -> bool:
    """Say whether a place is there on both sides, or on neither."""
    return all(_there(before, pointer[:n]) == _there(after, there[:n]) for n in range(1, len(pointer) + 1))


def _there(tree: Tree, pointer: Loc) -> bool:
    above, last = value_at(tree, pointer[:-1]), pointer[-1]
    if isinstance(above, list):
        return isinstance(last, int) and last < len(above)
    return isinstance(above, dict) and last in above


def _text_touched(before: object, after: object, line: int) -> bool:
    if not isinstance(before, str) or not isinstance(after, str) or not line:
        return before != after
    return line in changed_lines(before, after)


def changed_lines(before: str, after: str) -> set[int]:
    """Return the numbers, from 1, of the lines of a text that another one does not have at that place."""
    old, new = before.split("\n"), after.split("\n")
    first = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    last = 0
    while last < min(len(old), len(new)) - first and old[-1 - last] == new[-1 - last]:
        last += 1
    matcher = SequenceMatcher(None, old[first : len(old) - last], new[first : len(new) - last], autojunk=False)
    spans = (range(a, b) for tag, a, b, _, _ in matcher.get_opcodes() if tag != "equal")
    return {first + number + 1 for span in spans for number in span}


# --- from the spec to the outputs -------------------------------------------------------------------------------------


def moved_by(source: Source, before: Files, locs: Iterable[Loc]) -> tuple[tuple[Moved, ...], bool]:
    """Return what moves when each of these leaves is nudged, in the order of the build, and whether all were tried."""
    found: dict[str, Moved] = {}
    work, complete = 0, True
    for loc in locs:
        if work > WORK:
            complete = False
            break
        for files, cost, _ in experiments(source.tree, loc, before, source.sealed):
            work += cost
            for each in _moves(before, files):
                found[each.path] = _both(found[each.path], each) if each.path in found else each
    order = {path: number for number, path in enumerate(before)}
    return tuple(sorted(found.values(), key=lambda each: order.get(each.path, len(order)))), complete


def _both(one: Moved, other: Moved) -> Moved:
    pointers = tuple(dict.fromkeys((*one.pointers, *other.pointers)))
    return Moved(one.path, pointers, max(one.lines, other.lines), one.how or other.how)


def _moves(before: Files, after: Files) -> Iterator[Moved]:
    known = set[str]()
    for path, tree in before.items():
        there = twin(path, before, after)
        if there is None:
            yield Moved(path, how="gone")
            continue
        known.add(there[0])
        if tree != there[1] or path != there[0]:
            yield _moved(path, tree, there[1])._replace(how="" if path == there[0] else "renamed")
    yield from (Moved(path, how="new") for path in after if path not in known)


def _moved(path: str, before: Tree | str, after: Tree | str) -> Moved:
    if isinstance(before, str) or isinstance(after, str):
        lines = len(changed_lines(before, after)) if isinstance(before, str) and isinstance(after, str) else 0
        return Moved(path, lines=max(lines, before != after))
    found = (_old_place(before, each.old_at, each.new_at, each.old, each.new) for each in differences(before, after))
    return Moved(path, tuple(dict.fromkeys(pointer for pointers in found for pointer in pointers)))


def _old_place(before: Tree, old_at: Loc | None, new_at: Loc | None, old: Any, new: Any) -> Iterator[Loc]:
    """Yield where a difference is in the output as it is; of what is new, the nearest thing around it."""
    if old_at is not None:
        plain = isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and new is not MISSING
        if plain:
            yield from ((*old_at, n) for n, (a, b) in enumerate(zip(old, new, strict=True)) if a != b)
        else:
            yield old_at
        return
    pointer = (new_at or ())[:-1]
    while pointer and not _there(before, pointer):
        pointer = pointer[:-1]
    yield pointer
