"""The words of a plan: what differs in the spec, what differs in the outputs, and what that does."""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import Any, Literal, NamedTuple

from jhecfg.diagnostics import Loc, Span
from jhecfg.pipeline import Build
from jhecfg.site import Site

Kind = Literal[
    "outage", "restart", "job", "replace", "login", "access", "secret", "database", "edge", "cluster", "hub",
    "hatch", "delivery", "rollback", "note",
]  # fmt: skip
When = Literal["before", "during", "after"]
Verb = Literal["added", "changed", "removed", "replaced"]


class Severity(IntEnum):
    """How much an effect asks of people; the greatest of a plan is what its headline says."""

    SAFE = 0
    """Nobody notices."""
    ATTENTION = 1
    """Somebody has to do or to know something; the service goes on."""
    DISRUPTIVE = 2
    """Some people are interrupted, or lose or gain something that they notice."""
    OUTAGE = 3
    """A service is not there, or fails, for a while or until somebody acts."""
    DATA = 4
    """What people have stored is lost, left behind or out of reach."""


class SpecChange(NamedTuple):
    """A part of the spec that differs: the smallest one that is there, is not there, or has another value.

    `name` is its place with the names of list items instead of their numbers. `old` and `new` are its places in the
    two trees, None where it is not there. `span` is where it is written: in the new spec, or, if it is gone, in the
    old one.
    """

    name: Loc
    old: Loc | None
    new: Loc | None
    was: Any
    becomes: Any
    span: Span


def once(changes: Iterable[SpecChange]) -> tuple[SpecChange, ...]:
    """Return changes, each once, in their order."""
    return tuple({change.name: change for change in changes}.values())


class Leaf(NamedTuple):
    """A value of an output that differs. `pointer` has the names of list items instead of their numbers.

    `was` and `becomes` are MISSING (in trees.py) where the value is not there. `because` are the changes that shape it.
    """

    pointer: Loc
    was: Any
    becomes: Any
    because: tuple[SpecChange, ...] = ()


class ObjectChange(NamedTuple):
    """An output that differs. `kind`, `name` and `namespace` are those of a Kubernetes object, "" for other files."""

    path: str
    verb: Verb
    kind: str
    name: str
    namespace: str
    leaves: tuple[Leaf, ...] = ()
    because: tuple[SpecChange, ...] = ()

    @property
    def is_object(self) -> bool:
        """Whether this is an object of a cluster, and not values, a page or a list of files."""
        return bool(self.kind)

    @property
    def title(self) -> str:
        """What people call it: `Deployment jhe/exchange`, or the file's path."""
        return f"{self.kind} {self.namespace}/{self.name}".replace(" /", " ") if self.is_object else self.path


class Effect(NamedTuple):
    """What a change does, derived from the two sites, with the commands that a person runs because of it.

    `text` is one sentence or two without a full stop at the end. `commands` are exact shell, in order, for the folder
    `out/<site>/` of the new output; `when` says whether they run before the change is delivered, deliver it, or come
    after it. `because` are the changes of the spec behind it, never empty in a plan.
    """

    kind: Kind
    severity: Severity
    subject: str
    text: str
    because: tuple[SpecChange, ...]
    commands: tuple[str, ...] = ()
    when: When = "before"


class Pair(NamedTuple):
    """A site before and after a change, and what differs: all that an effect is derived from."""

    before: Build
    after: Build
    spec: tuple[SpecChange, ...]
    objects: tuple[ObjectChange, ...]

    @property
    def old(self) -> Site:
        """The site as it was."""
        return self.before.site

    @property
    def new(self) -> Site:
        """The site as it becomes."""
        return self.after.site

    def written(self, *name: str | int) -> tuple[SpecChange, ...]:
        """Return the changes of the spec at, below or around a place, such as `("hubs", "research", "access")`."""
        return tuple(c for c in self.spec if all(a == b for a, b in zip(c.name, name, strict=False)))

    def any_of(self, *names: Loc) -> tuple[SpecChange, ...]:
        """Return the changes at, below or around several places; every change, where none of them was written."""
        return once(change for name in names for change in self.written(*name)) or self.spec

    def change(self, path: str) -> ObjectChange | None:
        """Return what differs in the output at a path, or None."""
        return next((change for change in self.objects if change.path == path), None)

    def shaped(self, path: str, *pointer: str | int) -> tuple[SpecChange, ...]:
        """Return the changes of the spec that shape a part of an output; every change, where that is not known."""
        change = self.change(path)
        leaves = change.leaves if change is not None else ()
        near = [leaf for leaf in leaves if all(a == b for a, b in zip(leaf.pointer, pointer, strict=False))]
        found = once(why for leaf in near for why in leaf.because)
        return found or (change.because if change is not None else ()) or self.spec


class Plan(NamedTuple):
    """What a change of one site means. `effects` are in the order in which their commands run.

    `verb` is `same` where no output differs. `notes` are about the comparison itself, not about the change.
    """

    site: str
    spec: str
    verb: Literal["added", "changed", "removed", "same", "unknown"]
    changes: tuple[SpecChange, ...] = ()
    objects: tuple[ObjectChange, ...] = ()
    effects: tuple[Effect, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def severity(self) -> Severity:
        """The greatest severity of any effect."""
        return max((effect.severity for effect in self.effects), default=Severity.SAFE)
