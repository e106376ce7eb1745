"""Violation: what a schema says against an object, in words that a person can act on."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from jhecfg.diagnostics import Loc, did_you_mean

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

Schema = dict[str, Any]

_WORDS = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "nothing (null)",
    "number": "a number",
    "object": "a map",
    "string": "a string",
}
_LONGEST = 60  # characters of a value that `found` quotes


class Violation(NamedTuple):
    """One thing that a schema forbids.

    `path` is the artifact's, `pointer` the place in its tree (for an unknown field the field itself, for a missing one
    the map that lacks it). `key` says that the key itself is wrong, not its value. `expected`, `found` and `hint` may
    be empty. No value of a Secret is ever in here.
    """

    path: str
    pointer: Loc
    message: str
    expected: str = ""
    found: str = ""
    hint: str = ""
    key: bool = False


def explain(error: ValidationError, root: Schema) -> Iterator[Violation]:
    """Turn an error of jsonschema-rs into violations, their `path` left empty.

    The first two steps of the error's path choose an object (schema.py), the rest is the pointer within it. `root` is
    the schema that the validator was made from: it knows which fields and values would have been right.
    """
    wording = _WORDINGS.get(error.kind.name, _other)
    yield from wording(error, _walk(root, error.schema_path[:-1]), root)


def name_of(pointer: Loc) -> str:
    """Name the place that a pointer ends in, quoted: `'image'`, `'env[2]'`, `'the object'` for the top."""
    start = max((at for at, key in enumerate(pointer) if isinstance(key, str)), default=None)
    if start is None:
        return "the object"
    return f"'{pointer[start]}{''.join(f'[{index}]' for index in pointer[start + 1 :])}'"


def _detail(error: ValidationError, name: str) -> Any:
    """Read what a kind of error knows; the stubs declare these attributes on the kinds' subclasses only."""
    return getattr(error.kind, name)


def _pointer(error: ValidationError) -> Loc:
    """Where the error is, within its object."""
    return tuple(error.instance_path[2:])


def _walk(node: Any, path: list[str | int]) -> Any:
    """Go down a schema."""
    for key in path:
        node = node[key]
    return node


def _type(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    types = [_WORDS[each] for each in _detail(error, "types")]
    yield _said(error, "is not of type " + _listed(_detail(error, "types")), expected=_listed(types))


def _enum(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    options = schema.get("enum") or [schema.get("const")]
    message = "is not one of " + ", ".join(map(str, options)) if len(options) > 1 else f"is not {options[0]}"
    hint = did_you_mean(str(error.instance), map(str, options))
    yield _said(error, message, expected=_listed(options), hint=hint if hint.startswith("did") else "")


def _pattern(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    expected = schema.get("description") or f"text that matches {_detail(error, 'pattern')}"
    yield _said(error, "does not have the right form", expected=expected)


def _key_form(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    """Tell of a key of a free map (a label's name, a ConfigMap's key) that has the wrong form."""
    inner = _detail(error, "error")
    expected = _walk(root, inner.schema_path[:-1]).get("description", "")
    key = str(inner.instance)
    yield Violation(
        "", (*_pointer(error), key), f"key '{_short(key)}' does not have the right form", expected, key=True
    )


def _unknown(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    known = list(schema["properties"])
    for key in _detail(error, "unexpected"):
        place = name_of(_pointer(error))
        yield Violation(
            "",
            (*_pointer(error), key),
            f"unknown field '{_short(key)}' in {place}",
            expected=", ".join(sorted(known)) if len(known) <= 9 else "",
            hint=did_you_mean(key, known),
            key=True,
        )


def _required(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    lacking = str(_detail(error, "property"))
    pointer = _pointer(error)
    yield Violation("", pointer, f"{name_of(pointer)} lacks the required field '{lacking}'", expected=lacking)


def _union(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    """Tell of fields of which one must be there, or only one may; a test keeps our schemas free of other choices.

    Something that is no map at all fits each of them; then the error of its type says it all.
    """
    if not isinstance(error.instance, dict):
        return
    fields = [f"'{field}'" for branch in schema[error.kind.name] for field in branch["required"]]
    several = not all(_detail(error, "context"))  # what fits has no errors
    needs = f"may hold only one of {', '.join(fields)}" if several else f"needs {_listed(fields)}"
    yield _said(error, needs, expected=_listed(fields))


def _not(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    fields = [f"'{field}'" for field in schema["not"]["required"]]
    yield _said(error, f"may not hold {' and '.join(fields)} together")


def _count(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    """Tell of too few or too many fields, items or characters."""
    least, most = (next((schema[k] for k in keys if k in schema), None) for keys in (_LEAST, _MOST))
    size = str(least) if least == most else " to ".join(str(n) for n in (least or 0, most) if n is not None)
    unit = _UNITS[error.kind.name]
    fields = schema.get("properties", {})
    choice = f" of {_listed(sorted(fields))}" if 0 < len(fields) <= 9 else ""
    more = "" if most is not None else " or more"
    value: Any = error.instance
    found = f"{len(value)} {unit}" if len(value) != 1 else f"1 {unit[:-1]}"
    where = _pointer(error)
    yield Violation("", where, f"{name_of(where)} has the wrong number of {unit}", f"{size}{more}{choice}", found)


def _range(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    low, high = schema.get("minimum"), schema.get("maximum")
    limits = f"{low} to {high}" if high is not None and low is not None else f"{low} or more"
    yield _said(error, "is out of range", expected=limits if low is not None else f"at most {high}")


def _other(error: ValidationError, schema: Schema, root: Schema) -> Iterator[Violation]:
    """Tell of a keyword without wording of its own; a test keeps our schemas free of such."""
    yield _said(error, f"is not valid ({error.kind.name})")


def _said(error: ValidationError, message: str, expected: str = "", hint: str = "") -> Violation:
    pointer = _pointer(error)
    return Violation("", pointer, f"{name_of(pointer)} {message}", expected, _shown(error.instance), hint)


def _shown(value: object) -> str:
    """Quote a scalar, up to a length; name a container's kind."""
    if isinstance(value, (dict, list)):
        return _WORDS["object" if isinstance(value, dict) else "array"]
    return _WORDS["null"] if value is None else _short(json.dumps(value, ensure_ascii=False))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _listed(values: list[Any]) -> str:
    """Join choices as a person says them: `Always, Never or OnFailure`."""
    texts = [str(value) for value in values]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " or " + texts[-1]


_UNITS = {
    "minItems": "items",
    "maxItems": "items",
    "minLength": "characters",
    "maxLength": "characters",
    "minProperties": "fields",
    "maxProperties": "fields",
}
_LEAST = ("minItems", "minLength", "minProperties")
_MOST = ("maxItems", "maxLength", "maxProperties")
_WORDINGS: dict[str, Callable[[ValidationError, Schema, Schema], Iterator[Violation]]] = {
    "type": _type,
    "enum": _enum,
    "const": _enum,
    "pattern": _pattern,
    "propertyNames": _key_form,
    "additionalProperties": _unknown,
    "required": _required,
    "anyOf": _union,
    "oneOf": _union,
    "not": _not,
    "minimum": _range,
    "maximum": _range,
    **dict.fromkeys(_UNITS, _count),
}
