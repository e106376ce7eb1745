"""Keys: what can stand behind `jhecfg set SPEC` and `jhecfg explain`. It takes the model of the spec: half a second."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from jhecfg.diagnostics import SpecError
from jhecfg.emit import scalar
from jhecfg.jsonschema import Schema, spec_schema
from jhecfg.reader import read
from jhecfg.releases import RELEASES

_PLAIN = re.compile(r"[A-Za-z0-9_/-]+")
_STEP = re.compile(r"\.?([A-Za-z0-9_/-]+)|\[([^\[\]]+)\]")

Pair = tuple[str, str]


def changes(spec: str, typed: str, *, whole: bool) -> Iterator[Pair]:
    """Yield KEY=VALUE as far as it is clear: the next step of a key, or values behind its `=`.

    With `whole` a key alone is meant, as to delete it. Items of lists are those of the file.
    """
    tree = _tree(spec)
    key, equals, value = typed.partition("=")
    if equals and not whole:
        steps = _steps(key.removesuffix("+"))
        words = _known(steps, tree) or _values(_node(spec_schema(), steps), more=key.endswith("+"))
        yield from ((f"{key}={word}", "") for word in words if word.startswith(value))
        return
    head = typed[: max(typed.rfind("."), typed.rfind("]"), typed.rfind("[")) + 1]
    steps = _steps(head.rstrip("["))
    schema = _node(spec_schema(), steps)
    for word, meaning in _below(schema, _value(tree, steps), head, whole=whole):
        if word.startswith(typed):
            yield word, meaning


def explained(typed: str) -> Iterator[Pair]:
    """Yield codes and keys that `explain` knows."""
    from jhecfg.explain.keys import every_name, key_named
    from jhecfg.pipeline import documentation

    for code, text in documentation().items():
        if code.startswith(typed):
            yield code, text.strip().partition("\n")[0]
    for name in every_name():
        if name.startswith(typed):
            key = key_named(name)
            yield name, key.meaning if key else ""


def _tree(spec: str) -> Mapping[str, Any]:
    """Return a spec as it is written; what cannot be read holds nothing."""
    try:
        return read(Path(spec).read_bytes(), spec).tree
    except (OSError, SpecError):
        return {}


def _steps(key: str) -> list[str]:
    return [match[1] or match[2] for match in _STEP.finditer(key)]


def _node(schema: Schema, steps: Sequence[str]) -> Schema:
    """Return what the schema says of a key; nothing of one that it does not know."""
    for step in steps:
        if "items" in schema and "properties" not in schema:
            schema = schema["items"]
        else:
            schema = schema.get("properties", {}).get(step) or next(
                iter(schema.get("patternProperties", {}).values()), {}
            )
    return schema


def _value(tree: Any, steps: Sequence[str]) -> Any:
    """Return what the file holds at a key: lists by name or number."""
    for step in steps:
        if isinstance(tree, list):
            named = [each for each in tree if isinstance(each, dict) and each.get("name") == step]
            tree = named[0] if named else tree[int(step)] if step.isdigit() and int(step) < len(tree) else None
        else:
            tree = tree.get(step) if isinstance(tree, dict) else None
    return tree


def _below(schema: Schema, there: Any, head: str, *, whole: bool) -> Iterator[Pair]:
    """Yield the keys below one, as they go on: `=` behind a value, `.` behind a section or a list of named things."""
    if "properties" in schema:
        for name, each in schema["properties"].items():
            if not head.endswith("["):
                meaning = each.get("description", "")
                below = there.get(name) if isinstance(there, dict) else None
                yield from ((f"{head}{name}{end}", meaning) for end in _ends(each, below, whole=whole))
    elif isinstance(there, list):
        for each in there:
            name = str(each["name"]) if isinstance(each, dict) and "name" in each else ""
            if name:
                yield _named(head, name) + ("" if whole else "."), ""
                if whole:
                    yield _named(head, name) + ".", ""
    elif isinstance(there, dict):
        for name in there:
            yield _named(head, str(name)) + ("" if whole else "="), ""


def _named(head: str, name: str) -> str:
    """Return a key with the name of an item behind it: by a dot, which no shell acts on, where that can be."""
    if head.endswith("["):
        return f"{head}{name}]"
    return f"{head}{name}" if _PLAIN.fullmatch(name) else f"{head.removesuffix('.')}[{name}]"


def _ends(schema: Schema, there: Any, *, whole: bool) -> Iterator[str]:
    """Yield how a key goes on, with what the file holds there. To be deleted it must be there."""
    section = "properties" in schema or "patternProperties" in schema
    named = "name" in schema.get("items", {}).get("properties", {})
    if whole and there is None:
        return
    if whole:
        yield ""
    if named:
        names = [str(each["name"]) for each in there or () if isinstance(each, dict) and "name" in each]
        plain = [bool(_PLAIN.fullmatch(name)) for name in names]
        yield from ["."] if all(plain) or any(plain) else []
        yield from [] if all(plain) else ["["]
    elif section:
        yield "."
    elif not whole:
        yield "="
        yield from ["+="] if "items" in schema else []


def _known(steps: Sequence[str], tree: Mapping[str, Any]) -> list[str]:
    """Return the values that the model leaves open and jhecfg or the spec knows: releases, organizations."""
    if list(steps) == ["image", "tag"]:
        return [release.version for release in reversed(RELEASES)]
    if list(steps[-2:]) == ["access", "orgs"]:
        orgs = tree.get("orgs")
        return [str(each["name"]) for each in orgs if isinstance(each, dict)] if isinstance(orgs, list) else []
    return []


def _values(schema: Schema, *, more: bool) -> Iterator[str]:
    """Yield what a value can be, where that is few; behind `+=` what an item can be."""
    if more:
        schema = schema.get("items", {})
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "enum" in schema or "const" in schema:
        yield from (scalar(each) for each in schema.get("enum", [schema.get("const")]) if each is not None)
    elif "boolean" in kinds:
        yield from ("true", "false")
    elif "default" in schema and not isinstance(schema["default"], list):
        yield scalar(schema["default"])
