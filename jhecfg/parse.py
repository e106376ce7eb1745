"""parse(): Source → SiteSpec; every error of the model said in the spec's words, at its line."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from jhecfg import leaks
from jhecfg.diagnostics import Diagnostic, Loc, SpecError, did_you_mean, in_order, nearest
from jhecfg.marks import AFTER_COLON, CRAMPED
from jhecfg.source import Source
from jhecfg.spec import PATTERNS, SiteSpec

CODES: dict[str, str] = {
    "not-a-spec": "The file is YAML, but not the spec of a site: Helm values, a manifest or something from `out/`.\n\n"
    "*Instead:* name a file of `specs/`. A spec begins with `apiVersion: jhecfg/v1` and has a `site`.",
    "unknown-field": "The spec has a key that does not exist at this place.\n\n"
    "*Why:* a key that is silently ignored is a mistake nobody notices.\n\n"
    "*Instead:* correct the spelling; `jhecfg schema` and the editor list what exists.",
    "missing-field": "A required key is missing.\n\n*Instead:* add it; the message says what it means.",
    "wrong-type": "A value is of another type than the field.\n\n"
    "*Why:* nothing is converted silently; 1.30 without quotes is the number 1.3.\n\n"
    "*Instead:* put text in quotes, or take the quotes off a number.",
    "invalid-value": "A value has the right type but not a form the field accepts.\n\n"
    "*Instead:* write what the message says was expected.",
}
"""What this stage can find, and its documentation."""

_PRINTABLE_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")

# pydantic's error types (docs: errors/validation_errors) and what the field wanted, in YAML's words.
_WANTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "tuple_type": "a list",
    "list_type": "a list",
}


def parse(source: Source) -> SiteSpec:
    """Check the tree of a source against the model. Raises SpecError with every mistake, in order."""
    if "site" not in source.tree and not str(source.tree.get("apiVersion", "")).startswith("jhecfg/"):
        raise SpecError((_not_a_spec(source),))
    try:
        return SiteSpec.model_validate(source.tree)
    except ValidationError as error:
        # Only types, places and bounds are taken from pydantic: its texts can hold input values.
        details = error.errors(include_input=False, include_url=False)
        found = tuple(_diagnostic(source, dict(detail)) for detail in _one_cause_one_error(source, details))
    raise SpecError(in_order(found))


def _not_a_spec(source: Source) -> Diagnostic:
    kind = source.tree.get("kind")
    what = f"a {kind} object" if isinstance(kind, str) and re.fullmatch("[A-Z][A-Za-z]{2,40}", kind) else ""
    return Diagnostic(
        code="not-a-spec",
        message="this file is not the spec of a site",
        span=source.span(()),
        found=what,
        expected="`apiVersion: jhecfg/v1` and a `site`",
        hint="name a file of specs/; to write one, start from examples/01-exchange.yaml",
    )


def _one_cause_one_error(source: Source, details: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Leave out what only follows from another error.

    A missing field whose misspelt name is reported as unknown in the same place; a list that is too short without the
    items that are wrong, which pydantic does not count.
    """
    meant = {
        (*detail["loc"][:-1], nearest(str(detail["loc"][-1]), _field_names(_model_at(detail["loc"][:-1]))))
        for detail in details
        if detail["type"] == "extra_forbidden"
    }
    for detail in details:
        follows = detail["type"] == "missing" and detail["loc"] in meant
        if not follows and not _is_long_enough(source, detail):
            yield detail


def _is_long_enough(source: Source, detail: Mapping[str, Any]) -> bool:
    """Say of a list that is said to be too short whether it has as many items as it needs, some of them wrong."""
    return detail["type"] == "too_short" and bool(
        len(value_at(source.tree, detail["loc"])) >= detail["ctx"]["min_length"]
    )


def _diagnostic(source: Source, detail: dict[str, Any]) -> Diagnostic:
    kind, loc, bounds = str(detail["type"]), tuple(detail["loc"]), dict(detail.get("ctx", {}))
    if kind == "extra_forbidden":
        return _unknown_field(source, loc)
    if kind == "missing":
        return _missing_field(source, loc)
    if loc and loc[-1] == "[key]":
        return _bad_key(source, loc[:-1], bounds)
    if kind in _WANTED:
        return _wrong_type(source, loc, _WANTED[kind])
    return Diagnostic(
        code="invalid-value",
        message=f"'{dotted(loc)}' cannot have this value",
        span=source.span(loc),
        found=_shown(source, loc),
        expected=_expected(kind, bounds),
        hint=_nearest_literal(source, loc, kind, bounds),
    )


def _unknown_field(source: Source, loc: Loc) -> Diagnostic:
    key, model = str(loc[-1]), _model_at(loc[:-1])
    name = f"'{key}'" if _PRINTABLE_KEY.fullmatch(key) else "by that name"
    return Diagnostic(
        code="unknown-field",
        message=f"{_owner(loc[:-1], model)} has no field {name}",
        span=source.span(loc, key=True),
        hint=_unseen(key) or _unindented(source, loc) or _belongs(key, model) or did_you_mean(key, _field_names(model)),
    )


def _unseen(key: str) -> str:
    """Say which character of a key looks like a space or like nothing, if one does."""
    odd = next((c for c in key if not c.isprintable()), "")
    return f"write ordinary spaces: U+{ord(odd):04X} is here" if odd else ""


def _unindented(source: Source, loc: Loc) -> str:
    """Say that a key belongs to an empty one before it: `image:` and then `tag:` without indentation."""
    siblings = list(value_at(source.tree, loc[:-1]) or ())
    for before in reversed(siblings[: siblings.index(loc[-1])] if loc[-1] in siblings else ()):
        above = (*loc[:-1], before)
        if str(loc[-1]) in _field_names(_model_at(above)):
            return f"indent it: it belongs to '{before}'" if value_at(source.tree, above) is None else ""
    return ""


def _belongs(key: str, model: type[BaseModel] | None) -> str:
    """Say where a field belongs that exists below the model, or else at one or two other places of the spec."""
    for start in (model, SiteSpec):
        places = [f"'{dotted(loc)}'" for loc in _field_locs(start) if loc[-1] == key]
        if start and 0 < len(places) <= 2:
            return f"move it to {' or '.join(places)}"
    return ""


def _field_locs(model: type[BaseModel] | None, prefix: Loc = ()) -> Iterator[Loc]:
    """Yield the place of every field below a model, items of lists as `[]`."""
    for field in _fields(model):
        own = (*prefix, str(field.alias))
        yield own
        for below in _models_in(field.annotation):
            yield from _field_locs(below, own)


def _missing_field(source: Source, loc: Loc) -> Diagnostic:
    model, name = _model_at(loc[:-1]), str(loc[-1])
    return Diagnostic(
        code="missing-field",
        message=f"{_owner(loc[:-1], model)} needs '{name}'",
        span=source.span(loc[:-1], key=True),
        expected=_lower(_description(model, name)),
        hint=f"add `{name}:` here",
    )


def _bad_key(source: Source, loc: Loc, bounds: dict[str, Any]) -> Diagnostic:
    return Diagnostic(
        code="invalid-value",
        message=f"'{dotted(loc[:-1])}' cannot have this key",
        span=source.span(loc, key=True),
        expected=PATTERNS.get(str(bounds.get("pattern", "")), ""),
    )


def _wrong_type(source: Source, loc: Loc, wanted: str) -> Diagnostic:
    value, span = value_at(source.tree, loc), source.span(loc)
    raw = span.text[span.column - 1 : span.end - 1]
    return Diagnostic(
        code="wrong-type",
        message=f"'{dotted(loc)}' must be {wanted}",
        span=span,
        found=_kind_of(value),
        hint=_retyped(loc, value, wanted, raw),
    )


def _retyped(loc: Loc, value: object, wanted: str, raw: str) -> str:
    """Say how to write a value of the type that is wanted."""
    if isinstance(value, str) and wanted == "a mapping" and CRAMPED.match(value):
        return AFTER_COLON
    if value is None and wanted == "a mapping":
        return "indent the lines below that belong to it, or delete the key"
    if value is None:
        return "write a value behind the key, or delete the key"
    if wanted == "text" and isinstance(value, int | float):
        return f'put quotes around it: "{raw}"'
    if wanted in ("a whole number", "a number") and isinstance(value, str) and re.fullmatch(r"-?[0-9.]{1,18}", value):
        return f"take the quotes off: {value}"
    if wanted == "a list":
        fields = "- name: ..." if "name" in _field_names(_model_at(loc)) else "- "
        return f"write it as a list, each item behind '{fields}'"
    if wanted == "a mapping" and (names := _field_names(_model_at(loc))):
        return f"write its fields below it: {', '.join(names)}"
    return ""


def _kind_of(value: object) -> str:
    words: tuple[tuple[type | tuple[type, ...], str], ...] = (
        (bool, "true or false"),
        ((int, float), "a number"),
        (str, "text"),
        (list, "a list"),
        (dict, "a mapping"),
    )
    return next((word for kind, word in words if isinstance(value, kind)), "nothing")


def _expected(kind: str, bounds: dict[str, Any]) -> str:
    """Say what a value must be, from pydantic's error type and its bounds."""
    if kind == "string_pattern_mismatch":
        return PATTERNS.get(str(bounds["pattern"]), "another form")
    if kind == "literal_error":
        options = re.findall(r"'([^']*)'", str(bounds["expected"]))
        return f"one of {', '.join(options)}" if len(options) > 1 else str(bounds["expected"]).strip("'").lower()
    words = {
        "greater_than_equal": "{ge} or more",
        "greater_than": "more than {gt}",
        "less_than_equal": "{le} or less",
        "less_than": "less than {lt}",
        "string_too_short": "characters: {min_length} or more",
        "string_too_long": "characters: {max_length} or fewer",
        "too_short": "entries: {min_length} or more",
        "too_long": "entries: {max_length} or fewer",
        "finite_number": "a finite number",
    }
    return words.get(kind, "another value").format(**bounds)


def _nearest_literal(source: Source, loc: Loc, kind: str, bounds: dict[str, Any]) -> str:
    value = value_at(source.tree, loc)
    if kind != "literal_error" or not isinstance(value, str):
        return ""
    hint = did_you_mean(value, re.findall(r"'([^']*)'", str(bounds["expected"])))
    return hint if hint.startswith("did you mean") else ""


def _shown(source: Source, loc: Loc) -> str:
    """Show a value that is short and cannot be a secret."""
    value = value_at(source.tree, loc)
    if value is None or isinstance(value, dict | list):
        return _kind_of(value)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    secret = any(isinstance(part, str) and leaks.secret_key(part) for part in loc) or leaks.secret_shape(text)
    return "" if secret or len(text) > 80 else text if isinstance(value, int | float) else f"'{text}'"


def value_at(tree: Any, loc: Loc) -> Any:
    """Return the value at a place of a plain tree, or None."""
    for part in loc:
        try:
            tree = tree[part]
        except (KeyError, IndexError, TypeError):
            return None
    return tree


def dotted(loc: Loc) -> str:
    """Write a place as people do: `hubs[0].domain`."""
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the spec"


# --- what the model says about a place --------------------------------------------------------------------------------

_OWNERS = {
    "SiteSpec": "a site",
    "HubSpec": "a hub",
    "OrgSpec": "an organization",
    "DatabaseSpec": "the database",
    "ClusterSpec": "the cluster",
    "NodeGroupSpec": "a node group",
    "ExchangeSpec": "the exchange",
    "ImageSpec": "the image",
    "PatchSpec": "a patch",
}


def _owner(loc: Loc, model: type[BaseModel] | None) -> str:
    known = _OWNERS.get(model.__name__) if model else None
    return known or f"'{dotted(loc)}'"


def _model_at(loc: Loc) -> type[BaseModel] | None:
    """Follow a place through the models; None below free-form data."""
    model: type[BaseModel] | None = SiteSpec
    for part in loc:
        if isinstance(part, int):
            continue
        annotation = next((f.annotation for f in _fields(model) if f.alias == part), None)
        model = next(_models_in(annotation), None)
    return model


def _fields(model: type[BaseModel] | None) -> Iterator[Any]:
    yield from model.model_fields.values() if model else ()


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and typing.get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)


def _field_names(model: type[BaseModel] | None) -> list[str]:
    return [str(field.alias) for field in _fields(model)]


def _description(model: type[BaseModel] | None, alias: str) -> str:
    return next((str(f.description) for f in _fields(model) if f.alias == alias), "").rstrip(".")


def _lower(text: str) -> str:
    """Begin a description in lower case, unless it begins with an abbreviation or a name."""
    word = text.partition(" ")[0]
    return text if any(c.isupper() for c in word[1:]) else text[:1].lower() + text[1:]


def leaves(tree: Mapping[str, Any] | list[Any], prefix: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    """Yield every scalar of a plain tree with its place, in order."""
    entries = tree.items() if isinstance(tree, Mapping) else enumerate(tree)
    for key, value in entries:
        if isinstance(value, dict | list) and value:
            yield from leaves(value, (*prefix, key))
        else:
            yield (*prefix, key), value
