"""differences(): where two plain trees differ, list items matched by their names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from jhecfg.diagnostics import Loc


class _Missing:
    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = _Missing()
"""The value of what is not there."""


class Difference(NamedTuple):
    """One place where two trees differ: by names of list items, and as it is in each; None where it is not there."""

    name: Loc
    old_at: Loc | None
    new_at: Loc | None
    old: Any
    new: Any


def differences(old: Any, new: Any) -> Iterator[Difference]:
    """Yield the smallest parts that differ: what is on one side only is one part, however large it is.

    Items of a list are matched by `name`, patches by their target; other lists of mappings by place where they are
    equally long, and any other list is one value. Named items in another order are a difference of the list.
    """
    yield from _between(old, new, (), (), ())


def _between(old: Any, new: Any, name: Loc, old_at: Loc, new_at: Loc) -> Iterator[Difference]:
    if old is new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in {**old, **new}:
            yield from _either(
                old.get(key, MISSING), new.get(key, MISSING), (*name, key), (*old_at, key), (*new_at, key)
            )
    elif isinstance(old, list) and isinstance(new, list):
        yield from _lists(old, new, name, old_at, new_at)
    elif type(old) is not type(new) or old != new:  # 1 is not true
        yield Difference(name, old_at, new_at, old, new)


def _either(old: Any, new: Any, name: Loc, old_at: Loc, new_at: Loc) -> Iterator[Difference]:
    if old is MISSING:
        yield Difference(name, None, new_at, MISSING, new)
    elif new is MISSING:
        yield Difference(name, old_at, None, old, MISSING)
    else:
        yield from _between(old, new, name, old_at, new_at)


def _lists(old: list[Any], new: list[Any], name: Loc, old_at: Loc, new_at: Loc) -> Iterator[Difference]:
    before, after = _by_key(old), _by_key(new)
    if before is not None and after is not None and (before or after):
        yield from _keyed(old, new, before, after, name, old_at, new_at)
    elif len(old) == len(new) and all(isinstance(item, dict) for item in (*old, *new)):
        for index, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _between(one, other, (*name, index), (*old_at, index), (*new_at, index))
    elif old != new:
        yield Difference(name, old_at, new_at, old, new)


def _keyed(
    old: list[Any],
    new: list[Any],
    before: dict[str, int],
    after: dict[str, int],
    name: Loc,
    old_at: Loc,
    new_at: Loc,
) -> Iterator[Difference]:
    for key in {**before, **after}:
        there, here = before.get(key), after.get(key)
        yield from _either(
            MISSING if there is None else old[there],
            MISSING if here is None else new[here],
            (*name, key),
            (*old_at, -1 if there is None else there),
            (*new_at, -1 if here is None else here),
        )
    common = [key for key in before if key in after]
    if common != [key for key in after if key in before]:
        yield Difference(name, old_at, new_at, list(before), list(after))


def _by_key(items: list[Any]) -> dict[str, int] | None:
    """Return where each item is by what it is called, or None where some have no name or share one."""
    keys = [key_of(item) for item in items]
    named = {key: index for index, key in enumerate(keys) if key is not None}
    return named if len(named) == len(items) else None


def key_of(item: Any) -> str | None:
    """Return what an item of a list is called: its name, or a patch's target."""
    if not isinstance(item, dict):
        return None
    target = item.get("target")
    if isinstance(target, dict) and isinstance(target.get("kind"), str) and isinstance(target.get("name"), str):
        return f"{target['kind']}/{target['name']}"
    name = item.get("name")
    return name if isinstance(name, str) else None
