"""Fields: what the model says about a place of the spec: its schema, and whether it must be there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from jhecfg.diagnostics import Loc
from jhecfg.jsonschema import Schema, spec_schema

_schema = cache(spec_schema)


class Field(NamedTuple):
    """A field of the spec: its part of the JSON Schema, what a whole spec must have in it, whether it must be there.

    `nullable` is a section that may be absent as a whole: nothing in it has a default then.
    """

    node: Schema
    whole: Schema
    required: bool
    nullable: bool

    @property
    def kind(self) -> str:
        """`object`, `array`, `string`, `integer`, `number` or `boolean`; "" for free-form data."""
        kind = self.node.get("type", "")
        return str(kind[0] if isinstance(kind, list) else kind)

    @property
    def choices(self) -> tuple[Any, ...]:
        """The values that it may have, where they are listed."""
        return tuple(each for each in self.node.get("enum", ()) if each is not None)

    @property
    def default(self) -> Any:
        """What it is where it is not written; None where that is nothing, or follows from something else."""
        return self.node.get("default")

    @property
    def names(self) -> tuple[str, ...]:
        """The fields below it."""
        return tuple(self.node.get("properties", ()))

    def below(self, part: str | int) -> Field | None:
        """Return the field below this one, an item for a number; None if there is none."""
        if isinstance(part, int):
            return _field(self.node["items"], self.whole.get("items", {})) if "items" in self.node else None
        if part in self.names:
            node, whole = self.node["properties"][part], self.whole.get("properties", {}).get(part, {})
            required = part in (*self.node.get("required", ()), *self.whole.get("required", ()))
            return _field(node, whole, required=required)
        for pattern, node in self.node.get("patternProperties", {}).items():
            if re.search(pattern, part):
                return _field(node, {})
        free = self.node == {} or self.node.get("additionalProperties") is True
        return _field({}, {}) if free else None


def _field(node: Schema, whole: Schema, *, required: bool = False) -> Field:
    nullable = isinstance(node.get("type"), list) and "type" not in whole
    return Field(node, whole, required, nullable and not required)


def root() -> Field:
    """Return the whole spec as a field."""
    return Field(_schema(), _schema()["then"], required=True, nullable=False)


def field_at(loc: Loc) -> Field | None:
    """Return the field at a place, whatever number an item has; None where the model knows none."""
    field: Field | None = root()
    for part in loc:
        field = field.below(part) if field is not None else None
    return field


def every_field(field: Field | None = None, prefix: Loc = ()) -> Iterator[tuple[Loc, Field]]:
    """Yield every field of the model with its place, items of lists at 0, sections before what is in them."""
    here = field or root()
    for name in here.names:
        own = here.below(name)
        if own is not None:
            yield (*prefix, name), own
            yield from every_field(own, (*prefix, name))
    item = here.below(0)
    if item is not None:
        yield from every_field(item, (*prefix, 0)) if item.names else ()


def absent(tree: Any, field: Field | None = None, prefix: Loc = ()) -> Iterator[Loc]:
    """Yield the place of every field that a spec could have and has not: of what is not there, only its top."""
    here = field or root()
    for name in here.names:
        own, loc = here.below(name), (*prefix, name)
        value = tree.get(name) if isinstance(tree, dict) else None
        if own is None or loc in (("apiVersion",), ("extends",)):
            continue
        if value is None and (not own.names or own.nullable):
            yield loc
        elif own.names:
            yield from absent(value, own, loc)
        elif isinstance(value, list) and (item := own.below(0)) is not None:
            for index, each in enumerate(value):
                yield from absent(each, item, (*loc, index))
