"""nudges(): the spec with one leaf changed, in every way worth trying, the nearest first.

A reference goes to other names of the spec, a name takes what refers to it along, a choice to every other choice, and
what is absent gets a value that is not its default.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from jhecfg.diagnostics import Loc
from jhecfg.origin.fields import Field, field_at
from jhecfg.origin.samples import sample, text_for
from jhecfg.parse import leaves, value_at

Edits = Mapping[Loc, Any]

_GONE: Final = object()
"""The value of what an edit takes away."""

_ORG = ("orgs", "[]", "name")
_REFERENCES = {
    ("orgs", "[]", "parent"): _ORG,
    ("hubs", "[]", "access", "orgs", "[]"): _ORG,
    ("hubs", "[]", "admins", "orgs", "[]"): _ORG,
}
"""What names something else in the spec, and what it names."""


def nudges(tree: dict[str, Any], loc: Loc) -> Iterator[dict[str, Any]]:
    """Yield copies of a spec's tree with another value at a place, which need not be there. Not all are valid specs."""
    for edits in _edits(tree, loc):
        yield _with(tree, edits)


def has_choices(loc: Loc) -> bool:
    """Say whether a place has a list of values that it may have: each of them may do something else."""
    field = field_at(loc)
    return field is not None and len(field.choices) > 1


def _edits(tree: dict[str, Any], loc: Loc) -> Iterator[Edits]:
    field, value = field_at(loc), value_at(tree, loc)
    if field is not None:
        if value is None:
            value = field.default
        yield from ({loc: each} for each in field.choices if each != value)
    if isinstance(value, bool):
        yield {loc: not value}
    elif isinstance(value, int | float):
        yield from ({loc: each} for each in (value + 1, value - 1, value * 2))
    elif isinstance(value, str):
        yield from _texts(tree, loc, value, field)
    if field is not None and value is None:
        yield from _references(tree, loc)
    if field is not None and not field.choices:
        yield {loc: sample(field)}
    yield {loc: _GONE}


def _references(tree: dict[str, Any], loc: Loc) -> Iterator[Edits]:
    """Yield what an absent reference, or list of references, could name."""
    names = _REFERENCES.get(_form(loc)), _REFERENCES.get((*_form(loc), "[]"))
    for place, text in leaves(tree):
        if _form(place) in names:
            yield {loc: text if names[0] else [text]}


def _texts(tree: dict[str, Any], loc: Loc, value: str, field: Field | None) -> Iterator[Edits]:
    every = [(place, text) for place, text in leaves(tree) if isinstance(text, str)]
    taken = {text for _, text in every}
    names = _REFERENCES.get(_form(loc))
    yield from ({loc: text} for place, text in every if _form(place) == names and text != value)
    others = [text for text in dict.fromkeys(_variants(value)) if text not in taken]
    referring = [place for place, text in every if _REFERENCES.get(_form(place)) == _form(loc) and text == value]
    yield from (dict.fromkeys((loc, *referring), text) for text in others)
    if field is not None and field.node.get("pattern"):
        yield {loc: text_for(field)}
    yield from ({loc: text} for place, text in every if place[-1] == loc[-1] and text != value)


def _variants(value: str) -> Iterator[str]:
    """Yield other texts of a like form: another number, a letter more, another last letter."""
    for match in reversed([*re.finditer("[0-9]+", value)][-4:]):
        yield f"{value[: match.start()]}{int(match[0]) + 1:0{len(match[0])}}{value[match.end() :]}"
    yield from (value + "1", value + "x", "x" + value, _next(value))


def _next(text: str) -> str:
    """Return a text with another last character: `us-east-2a` becomes `us-east-2b`."""
    last = text[-1:]
    return text[:-1] + {"9": "0", "z": "a", "f": "0"}.get(last, chr(ord(last) + 1)) if last else "x"


def _form(loc: Loc) -> tuple[str, ...]:
    return tuple("[]" if isinstance(part, int) else part for part in loc)


def _with(tree: dict[str, Any], edits: Edits) -> dict[str, Any]:
    """Return the tree with some places changed. Only what is on the way is copied, so that no alias changes too."""
    for loc, value in edits.items():
        tree = _set(tree, loc, value)
    return tree


def _set(node: Any, loc: Loc, value: Any) -> Any:
    if not loc:
        return value
    part = loc[0]
    copy: Any = list(node) if isinstance(node, list) else dict(node or {})
    below = copy[part] if isinstance(part, int) or part in copy else None
    if len(loc) == 1 and value is _GONE:
        copy.pop(part, *(() if isinstance(copy, list) else (None,)))
    else:
        copy[part] = _set(below, loc[1:], value)
    return copy
