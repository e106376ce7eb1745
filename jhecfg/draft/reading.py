"""Reading: one document that a draft is made from: what came along, what did not, and nothing forgotten.

Everything in a document ends in one of four ways: it is carried into the draft, noted with a reason, settled (jhecfg
writes the like itself, and that was said), or noted at the end as not carried. No note holds a value.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.draft import Draft, Note
from jhecfg.draft.judge import problem_of
from jhecfg.leaks import secret_key, secret_shape
from jhecfg.marks import shown
from jhecfg.parse import dotted, leaves, value_at
from jhecfg.reader import Document

NOT_CARRIED = "is not carried over"
MOST_CARRIED = 500
"""Values of all files; each is judged by the spec's own rules, which takes its time."""

_EMPTY: tuple[Any, ...] = (None, "", {}, [])


class Reading:
    """A document, and what has become of its parts. `line` is added to the lines of its marks."""

    def __init__(self, document: Document, line: int, draft: Draft) -> None:
        """Begin with nothing read."""
        self.document = document
        self.line = line
        self.draft = draft
        self.tree = document.tree
        self._reasons: dict[Loc, str] = {}
        self._done: set[Loc] = set()
        self._ways: set[Loc] = set()  # what is above something done, or above a reason: it is noted part by part

    def get(self, *loc: str | int) -> Any:
        """Return the value at a place, or None."""
        return value_at(self.tree, loc) if loc in self.document.values else None

    def settle(self, *locs: Loc) -> None:
        """Count places as dealt with, where they exist."""
        for loc in locs:
            if loc in self.document.values:
                self._done.add(loc)
                self._ways.update(loc[:length] for length in range(len(loc)))

    def explain(self, loc: Loc, why: str) -> None:
        """Say why what is left below a place at the end does not come along."""
        if loc in self.document.values:
            self._reasons[loc] = why
            self._ways.update(loc[:length] for length in range(len(loc)))

    def carry(self, loc: Loc, to: Loc, value: Any = None) -> bool:
        """Bring the value of a place, or the one made of it, into the draft; or note why it cannot come. Say which."""
        value = self.get(*loc) if value is None else value
        self.settle(loc)
        if value in _EMPTY:
            return False
        self.draft.carried += 1
        if self.draft.carried > MOST_CARRIED:
            self.note(loc, f"is one of more than {MOST_CARRIED} values; a spec of this size is written by hand")
            return False
        there = self.draft.get(*to)
        if there is not None:
            if there != value:
                self.note(loc, f"says otherwise than {dotted(to)} in the draft, which came first")
            return bool(there == value)
        problem = problem_of(to, value)
        if problem:
            self.note(loc, f"cannot become {dotted(to)}: {problem}")
            return False
        self.draft.put(to, value)
        return True

    def note(self, loc: Loc, why: str) -> None:
        """Say why a place is not carried over, unless there is nothing at it; it is dealt with now."""
        self.settle(loc)
        if self.get(*loc) not in _EMPTY:
            self.remark(loc, why)

    def remark(self, loc: Loc, why: str) -> None:
        """Note something about a place that is carried all the same. A key that may not be shown is not."""
        mark = self.document.keys.get(loc) or self.document.values.get(loc) or self.document.values[()]
        path = tuple(step if isinstance(step, int) or shown(step) else "(a key)" for step in loc)
        self.draft.note(Note(self.document.name, mark.line + self.line, dotted(path), why))

    def rest(self, within: Loc = ()) -> None:
        """Note all that is left, each part once, as high up as it is whole; secrets each on their own."""
        for loc in list(self._left(within)):
            self._secrets(loc)
            if loc in self._ways:  # a secret was in it: say the others part by part
                self.rest(loc)
            elif loc not in self._done:
                self.note(loc, self._reason(loc))

    def _reason(self, loc: Loc) -> str:
        above = (loc[:length] for length in range(len(loc), -1, -1))
        return next((self._reasons[place] for place in above if place in self._reasons), NOT_CARRIED)

    def _left(self, loc: Loc) -> Iterator[Loc]:
        value = self.get(*loc)
        if loc in self._done or value in _EMPTY:
            return
        if loc and loc not in self._ways:
            yield loc
            return
        steps: Any = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
        for step in steps:
            yield from self._left((*loc, step))

    def _secrets(self, loc: Loc) -> None:
        value = self.get(*loc)
        tree = value if isinstance(value, dict | list) else {}
        found = [(*loc, *inner) for inner, _ in leaves(tree)] if tree else [loc]
        for place in found:
            if place not in self._done and self.is_secret(place):
                self.secret(place)

    def is_secret(self, loc: Loc) -> bool:
        """Tell whether a leaf holds a secret, by its name or its shape."""
        value = self.get(*loc)
        if value in _EMPTY or isinstance(value, bool):
            return False
        name = next((step for step in reversed(loc) if isinstance(step, str)), "")
        if name == "value":  # {name: DB_PASSWORD, value: …}
            name = str(self.get(*loc[:-1], "name"))
        return secret_key(name) or (isinstance(value, str) and secret_shape(value) is not None)

    def secret(self, loc: Loc, instead: str = "it belongs into a Secret, which its reader names") -> None:
        """Note a secret: it stays out of the draft; `instead` is where it should live."""
        self.note(loc, f"is a secret, and stays out of a spec; {instead}")
