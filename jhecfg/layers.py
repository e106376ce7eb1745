"""Layers: a spec laid over the base it extends, and where every part of the result came from.

- Mappings merge, key by key; `null` removes the base's key.
- Lists of named things merge by `name`: the base's items first, in the base's order, changed in place; then new ones.
- Every other list, and every scalar, replaces the base's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.reader import Document

NAMED: frozenset[Loc] = frozenset({("orgs",), ("hubs",), ("cluster", "nodeGroups")})
"""The lists that merge by `name`."""

Places = Mapping[Loc, tuple[int, Loc]]
"""For every part of a merged tree: the number of its document, and where it is in there."""


def laid_over(documents: Sequence[Document]) -> tuple[dict[str, Any], Places]:
    """Merge documents, the leaf first and each one's base after it, into one tree without `extends`.

    Returns the tree and its places. A mapping that several documents write stands where the one nearest the leaf does.
    """
    last = len(documents) - 1
    tree: dict[str, Any] = {}
    places: dict[Loc, tuple[int, Loc]] = {}
    for number in range(last, -1, -1):
        document = documents[number]
        over = {key: value for key, value in document.tree.items() if key != "extends"}
        layer = {loc: (number, loc) for loc in document.values}
        if number == last:
            tree, places = over, layer
        else:
            merge = _Merge(places, layer)
            tree, places = merge.mappings(tree, over, (), (), ()), merge.out
    return tree, places


class _Merge:
    """One layer laid over what is below: builds the new tree, and `out`, the places of its parts."""

    def __init__(self, below: Places, above: Places) -> None:
        self.below = below
        self.above = above
        self.out: dict[Loc, tuple[int, Loc]] = {}

    def mappings(self, base: dict[str, Any], over: dict[str, Any], at: Loc, low: Loc, high: Loc) -> dict[str, Any]:
        """Merge two mappings, which are at `low` below and at `high` above, to stand at `at`."""
        self.out[at] = self.above[high]
        merged: dict[str, Any] = {}
        for key in {**base, **over}:
            here, down, up = (*at, key), (*low, key), (*high, key)
            if key not in over:
                merged[key] = self._taken(base[key], here, down, self.below)
            elif over[key] is not None or key not in base:
                merged[key] = self._either(base.get(key), over[key], here, down, up)
        return merged

    def _either(self, base: Any, over: Any, at: Loc, low: Loc, high: Loc) -> Any:
        if isinstance(base, dict) and isinstance(over, dict):
            return self.mappings(base, over, at, low, high)
        if at in NAMED and isinstance(base, list) and isinstance(over, list):
            return self._named(base, over, at, low, high)
        return self._taken(over, at, high, self.above)

    def _named(self, base: list[Any], over: list[Any], at: Loc, low: Loc, high: Loc) -> list[Any]:
        self.out[at] = self.above[high]
        waiting: dict[str | None, int] = {}
        for index, item in enumerate(over):
            if (name := _name(item)) is not None:
                waiting.setdefault(name, index)  # a second one of that name stays, for the spec's own rules to refuse
        used: set[int] = set()
        merged: list[Any] = []
        for index, item in enumerate(base):
            here, down = (*at, index), (*low, index)
            position = waiting.pop(_name(item), None)
            if position is None:
                merged.append(self._taken(item, here, down, self.below))
            else:
                used.add(position)
                merged.append(self.mappings(item, over[position], here, down, (*high, position)))
        for index, item in enumerate(over):
            if index not in used:
                merged.append(self._taken(item, (*at, len(merged)), (*high, index), self.above))
        return merged

    def _taken(self, value: Any, at: Loc, there: Loc, places: Places) -> Any:
        """Take a value from one side whole, with its places."""
        self.out[at] = places[there]
        children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, child in children:
            self._taken(child, (*at, step), (*there, step), places)
        return value


def _name(item: object) -> str | None:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else None
