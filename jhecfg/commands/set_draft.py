"""Draft: a spec's own tree while the changes of `jhecfg set` are laid upon it."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from jhecfg.commands.set_words import Word, has_name, is_list, model_at
from jhecfg.diagnostics import Misused, did_you_mean, nearest
from jhecfg.edit import REMOVED, Removed
from jhecfg.layers import NAMED
from jhecfg.leaks import mask_line
from jhecfg.marks import shown
from jhecfg.plan.trees import key_of
from jhecfg.plan.values import dotted


class Draft:
    """A spec's own tree while changes are laid upon it. `merged` is what it makes together with its bases."""

    def __init__(self, own: dict[str, Any], merged: dict[str, Any]) -> None:
        """Take both; `tree` will be changed."""
        self.tree = own
        self.merged = merged
        self.doubts: list[str] = []
        """Items that were made, and whose names are like those of others: what may have been meant."""

    def apply(self, word: Word) -> None:
        """Lay one change upon the tree. Raises `Misused`."""
        if isinstance(word.value, Removed):
            self._delete(word)
            return
        here, at = self._down(word.steps)
        old, value = _get(here, at), word.value
        if word.more:
            value = self._longer(word, old)
        elif isinstance(here, list) and isinstance(value, dict) and has_name(model_at(word.steps)):
            value = {"name": key_of(old) or word.steps[-1], **value}
        _put(here, at, value)

    def _longer(self, word: Word, old: Any) -> list[Any]:
        """Return a list with what is added to it; it begins as the base's, where it will replace that one."""
        start = _find(self.merged, word.steps) if old is None and word.steps not in NAMED else old
        items = start if isinstance(start, list) else []
        return [*items, *(each for each in typing.cast("list[Any]", word.value) if each not in items)]

    def _down(self, steps: tuple[str, ...]) -> tuple[Any, str | int]:
        """Walk to the mapping or list that holds the last step, and make what is missing on the way."""
        here: Any = self.tree
        for length in range(1, len(steps)):
            above = steps[:length]
            at = self._step(here, above)
            if _get(here, at) is None:
                _put(here, at, self._new(above, in_list=isinstance(here, list)))
            here = _get(here, at)
        return here, self._step(here, steps)

    def _new(self, steps: tuple[str, ...], *, in_list: bool) -> Any:
        wanted = model_at(steps)
        if is_list(wanted):
            self._keep_base(steps)
            return []
        return {"name": steps[-1]} if in_list and has_name(wanted) else {}

    def _keep_base(self, steps: tuple[str, ...]) -> None:
        """Refuse to write one item of a list of which the base has others: the new list would replace the base's."""
        if steps not in NAMED and _find(self.merged, steps):
            name = mask_line(dotted(steps))
            raise Misused(f"{name} comes from a base, as a whole: name the base, or set all of it with {name}=[…]")

    def _step(self, here: Any, steps: tuple[str, ...]) -> str | int:
        """Return the key or index of the last step; for a new item, the place behind the last."""
        if isinstance(here, list):
            found = _index(here, steps[-1])
            return self._behind(here, steps) if found is None else found
        if not isinstance(here, dict):
            raise Misused(f"{mask_line(dotted(steps[:-1]))} holds one value, and no {shown(steps[-1]) or 'key'}")
        return steps[-1]

    def _behind(self, items: list[Any], steps: tuple[str, ...]) -> int:
        """Return the place of a new item; one without a name must be told its number."""
        names = _names(items)
        if not has_name(model_at(steps)) and steps[-1] != str(len(items)):
            name, hint = mask_line(dotted(steps[:-1])), did_you_mean(steps[-1], names)
            raise Misused(f"{name} has no item {shown(steps[-1]) or 'of this name'}{f'; {hint}' if hint else ''}")
        near = nearest(steps[-1], names)
        if near is not None and _find(self.merged, steps) is None:
            self.doubts.append(f"{mask_line(dotted(steps))} is new: did you mean {dotted((*steps[:-1], near))}?")
        return len(items)

    def _delete(self, word: Word) -> None:
        above: Any = None
        here: Any = self.tree
        for index, step in enumerate(word.steps):
            at = _index(here, step) if isinstance(here, list) else step
            if at is None or _get(here, at, missing=REMOVED) is REMOVED:
                raise Misused(self._absent(word, here, index))
            above, here, last = here, here[at], at
        del above[last]
        if word.steps[:-1] in NAMED and not above:  # no item, or no list: for those it is the same
            self._delete(Word(word.steps[:-1], REMOVED))

    def _absent(self, word: Word, here: Any, index: int) -> str:
        """Say why there is nothing to delete."""
        if _find(self.merged, word.steps) is not None:
            without = "" if word.steps[:-1] in NAMED else f", or write {word.name}=null to do without it here"
            return f"{word.name} comes from a base: delete it there{without}"
        names = list(here) if isinstance(here, dict) else _names(here) if isinstance(here, list) else []
        hint = did_you_mean(word.steps[index], names)
        return f"{word.name} is not in this file{f'; {hint}' if hint else ''}"


def _names(items: list[Any]) -> list[str]:
    return [name for item in items if (name := item if isinstance(item, str) else key_of(item)) is not None]


def _index(items: list[Any], step: str) -> int | None:
    """Return where the item is that is called so, or is this text, or stands at this number."""
    found = next((i for i, item in enumerate(items) if step in (key_of(item), item)), None)
    number = int(step) if step.isascii() and step.isdigit() else len(items)
    return found if found is not None or number >= len(items) else number


def _find(tree: Any, steps: Sequence[str]) -> Any:
    """Return what a key names in a tree, or None."""
    for step in steps:
        at = _index(tree, step) if isinstance(tree, list) else step
        tree = None if at is None else _get(tree, at)
    return tree


def _get(here: Any, at: str | int, missing: Any = None) -> Any:
    if isinstance(here, dict):
        return here.get(at, missing)
    return here[at] if isinstance(here, list) and isinstance(at, int) and at < len(here) else missing


def _put(here: Any, at: str | int, value: Any) -> None:
    if isinstance(here, list) and at == len(here):
        here.append(value)
    else:
        here[at] = value
