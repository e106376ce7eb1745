"""Keys: what the model says about a key of the spec: what it may be, what it is by default, what it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from jhecfg.diagnostics import Loc
from jhecfg.origin.fields import Field, every_field, field_at
from jhecfg.spec import PATTERNS

_PART = re.compile(r"([A-Za-z][A-Za-z0-9_-]*)|\[([^\[\]]*)\]|\.")
_SCALARS = {"integer": "a whole number", "number": "a number", "boolean": "true or false", "string": "text"}


class Key(NamedTuple):
    """What a key means. `default` is as YAML would have it, "" where there is none; `fields` are (name, meaning)."""

    name: str
    value: str
    required: bool
    default: str
    choices: tuple[str, ...]
    meaning: str
    fields: tuple[tuple[str, str], ...]


def key_named(name: str) -> Key | None:
    """Return what a key means, by its name as people write it: `image.tag`, `hubs.domain`, `hubs[0].domain`."""
    loc = _loc(name)
    return key_at(loc) if loc else None


def key_at(loc: Loc) -> Key | None:
    """Return what the key at a place means, or None below free-form data."""
    field = field_at(loc)
    if field is None:
        return None
    item = field.below(0) if field.kind == "array" else None
    section = item if item is not None and item.names else field
    below = tuple((name, _meaning(each)) for name in section.names if (each := section.below(name)) is not None)
    choices = tuple(scalar(each) for each in field.choices)
    return Key(form(loc), value_words(field), field.required, _default(field), choices, _meaning(field), below)


def form(loc: Loc) -> str:
    """Write a place as a key: items of lists as `[]`."""
    return "".join("[]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")


def every_name() -> Iterator[str]:
    """Yield every key of the model, without `[]`, as people would type it."""
    yield from dict.fromkeys(form(loc).replace("[]", "") for loc, _ in every_field())


def _loc(name: str) -> Loc | None:
    """Read a key: a list's item may be given by any word in brackets, or left out."""
    loc, done = list[str | int](), 0
    for match in _PART.finditer(name):
        if match.start() != done:
            return None
        done = match.end()
        loc += _step(tuple(loc), match[1], match[2])
    known = done == len(name) and bool(loc) and field_at(tuple(loc)) is not None
    return tuple(loc) if known else None


def _step(loc: Loc, word: str | None, bracketed: str | None) -> Loc:
    field = field_at(loc)
    is_list = field is not None and field.kind == "array"
    if bracketed is not None:
        return (0,) if is_list else (bracketed,)
    return () if word is None else (0, word) if is_list else (word,)


def value_words(field: Field) -> str:
    """Say what a value may be."""
    if field.kind == "array":
        item = field.below(0)
        return f"a list of {_plural(item)}" if item is not None else "a list"
    if field.kind == "object":
        return "a section" if field.names else "a mapping"
    if field.choices:
        return "one of " + ", ".join(scalar(each) for each in field.choices) if len(field.choices) > 1 else "a constant"
    pattern = str(field.node.get("pattern", ""))
    return PATTERNS.get(pattern) or _SCALARS.get(field.kind, "anything") + _range(field)


def _plural(item: Field) -> str:
    return "sections" if item.names else f"values, each {value_words(item)}"


def _range(field: Field) -> str:
    low, high = field.node.get("minimum"), field.node.get("maximum")
    if "exclusiveMinimum" in field.node:
        return f", more than {field.node['exclusiveMinimum']}, at most {high}"
    return f", {low} to {high}" if low is not None and high is not None else ""


def _default(field: Field) -> str:
    default = field.default
    return ", ".join(scalar(each) for each in default) if isinstance(default, list) else scalar(default)


def scalar(value: Any) -> str:
    """Write a value as YAML would have it; "" for none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _meaning(field: Field) -> str:
    return str(field.node.get("description", ""))
