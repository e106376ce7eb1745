"""Draft: a spec in the making: a tree that grows value by value, and notes about what could not come along."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

from jhecfg.diagnostics import Loc
from jhecfg.parse import value_at

MOST_NOTES = 200
"""So many are worth reading; the rest is counted."""


class Note(NamedTuple):
    """Something of a file that the draft does not hold: where it is, by line and key, and why. Never a value."""

    file: str
    line: int
    key: str
    why: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.key}: {self.why}"


class Draft:
    """What is known of a spec so far.

    `answers` are those that were given, by the question's name; `remarks` are sentences for single places of the tree;
    `noted` is what could not come along from files, `unsaid` counts what is more than anybody reads, and `carried` what
    did come.
    """

    def __init__(self) -> None:
        """Begin with nothing but the version of the format."""
        self.tree: dict[str, Any] = {"apiVersion": "jhecfg/v1"}
        self.answers: dict[str, str] = {}
        self.remarks: dict[Loc, str] = {}
        self.noted: list[Note] = []
        self.unsaid = 0
        self.carried = 0

    def get(self, *loc: str | int) -> Any:
        """Return the value at a place, or None."""
        return value_at(self.tree, loc)

    def put(self, loc: Loc, value: Any) -> None:
        """Set a value; mappings and list items on the way that are missing are made."""
        here: Any = self.tree
        for step, following in pairwise(loc):
            here = _child(here, step, [] if isinstance(following, int) else {})
        if isinstance(here, list):
            here.append(value) if loc[-1] == len(here) else here.__setitem__(int(loc[-1]), value)
        else:
            here[loc[-1]] = value

    def note(self, note: Note) -> None:
        """Remember what could not come along."""
        if len(self.noted) < MOST_NOTES:
            self.noted.append(note)
        else:
            self.unsaid += 1

    @property
    def notes(self) -> list[Note]:
        """What could not come along, in the order of the files' lines."""
        return sorted(self.noted, key=lambda note: (note.file, note.line))


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
