"""Draft: a spec in the making: a tree that grows value by value, and notes about what could not come along."""

from __future__ import annotations

from typing import Any, NamedTuple

from jhecfg.diagnostics import Loc
from jhecfg.parse import value_at

MOST_NOTES = 200
"""So many are worth reading; the rest is counted."""


class Note(NamedTuple):
    """Something of a file that the draft does not hold: where it is (file:line key), and why. Never a value."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


class Draft:
    """What is known of a spec so far. `remarks` are sentences for single places of it, `notes` what it lacks."""

    def __init__(self) -> None:
        """Begin with nothing but the version of the format."""
        self.tree: dict[str, Any] = {"apiVersion": "jhecfg/v1"}
        self.remarks: dict[Loc, str] = {}
        self.notes: list[Note] = []
        self.unsaid = 0

    def get(self, *loc: str | int) -> Any:
        """Return the value at a place, or None."""
        return value_at(self.tree, loc)

    def put(self, loc: Loc, value: Any) -> None:
        """Set a value; mappings and list items on the way that are missing are made."""
        here: Any = self.tree
        for step, following in zip(loc, loc[1:], strict=False):
            here = _child(here, step, [] if isinstance(following, int) else {})
        if isinstance(here, list):
            here.append(value) if loc[-1] == len(here) else here.__setitem__(int(loc[-1]), value)
        else:
            here[loc[-1]] = value

    def note(self, where: str, why: str) -> None:
        """Remember what could not come along."""
        if len(self.notes) < MOST_NOTES:
            self.notes.append(Note(where, why))
        else:
            self.unsaid += 1


def nested(loc: Loc, value: Any) -> Any:
    """Return a tree that holds one value, at a place."""
    for step in reversed(loc):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def _child(here: Any, step: str | int, empty: Any) -> Any:
    if isinstance(here, list):
        if step == len(here):
            here.append(empty)
        return here[int(step)]
    return here.setdefault(step, empty)
