"""changes(): what has to be set, added and taken away so that one tree becomes another."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from jhecfg.diagnostics import Loc
from jhecfg.scalars import Plain


class Removed:
    """Stands for the value of a key or item that is to be taken away."""


REMOVED: Final = Removed()


def changes(old: Any, new: Any, at: Loc = ()) -> Iterator[tuple[Loc, Plain | Removed]]:
    """Yield the fewest changes, in an order in which each place exists when its turn comes.

    Items of lists are matched by their names, or by what they are. One that has no match is the one at its place
    under another name, if most of it is as it was. Other new items come last; where that is not their order, items
    are matched by place.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in new.items():
            if key in old:
                yield from changes(old[key], value, (*at, key))
            else:
                yield (*at, key), value
        yield from (((*at, key), REMOVED) for key in reversed(old) if key not in new)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, at)
    elif type(old) is not type(new) or old != new:
        yield at, new


def _items(old: list[Any], new: list[Any], at: Loc) -> Iterator[tuple[Loc, Plain | Removed]]:
    pairs = _pairs(old, new)
    for index, place in pairs.items():
        yield from changes(old[index], new[place], (*at, index))
    added = [value for place, value in enumerate(new) if place not in pairs.values()]
    yield from (((*at, len(old) + count), value) for count, value in enumerate(added))
    yield from (((*at, index), REMOVED) for index in reversed(range(len(old))) if index not in pairs)


def _pairs(old: list[Any], new: list[Any]) -> dict[int, int]:
    """Return where each item that stays is in the new list; in order, and before all that is new."""
    names, others = [_called(item) for item in old], [_called(item) for item in new]
    pairs = {index: others.index(name) for index, name in enumerate(names) if name in others}
    for index, (one, other) in enumerate(zip(old, new, strict=False)):
        if index not in pairs and index not in pairs.values() and _alike(one, other):
            pairs[index] = index
    pairs = dict(sorted(pairs.items()))
    if list(pairs.values()) == list(range(len(pairs))):
        return pairs
    return {index: index for index in range(min(len(old), len(new)))}


def _called(item: Any) -> str:
    """Return the name of an item, or all of it, as text."""
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else json.dumps(item, sort_keys=True)


def _alike(one: Any, other: Any) -> bool:
    """Say whether one item is rather another with changes than another one."""
    if not isinstance(one, dict) or not isinstance(other, dict):
        return not isinstance(one, dict | list) and not isinstance(other, dict | list)
    kept = sum(key in other and bool(other[key] == value) for key, value in one.items())
    return kept * 2 >= len(one)
