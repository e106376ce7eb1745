"""Words: what the arguments of `jhecfg set` ask for: keys and values, by the spec's own model.

A key is written as `jhecfg plan` prints it: `image.tag`, `hubs[hub].domain`, `exchange.settings[auth.sso.saml2]`. In
brackets (or behind a dot) stands the name of a list's item, its number, or a key with other characters than letters,
digits, `_` and `-`.

A value is YAML, read as the field's type: text is taken as it is written, whatever it looks like.
"""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Sequence
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel

from jhecfg.diagnostics import Loc, Misused, did_you_mean
from jhecfg.edit import REMOVED, Removed
from jhecfg.emit import NotPlain, dump, scalar
from jhecfg.exposed import secrets_in
from jhecfg.leaks import mask_line
from jhecfg.marks import shown
from jhecfg.plan.values import dotted
from jhecfg.reader import Document, read
from jhecfg.report.words import well_formed
from jhecfg.scalars import Plain
from jhecfg.spec import SiteSpec

PLACE: Final = "the command line"
"""How messages call where the words come from."""

_PART = re.compile(r"\.?([A-Za-z0-9_/-]+)|\[([^\[\]]+)\]")


class Word(NamedTuple):
    """One change that is asked for. `more` adds to a list instead of replacing it."""

    steps: tuple[str, ...]
    value: Plain | Removed
    more: bool = False

    @property
    def name(self) -> str:
        """The key, as messages show it."""
        return mask_line(dotted(self.steps))


class Secret(Exception):
    """A value is a secret: the text says which key and what kind, not the value."""


def assignment(text: str) -> Word:
    """Read `KEY=VALUE` or `KEY+=VALUE`. Raises `Misused`, `SpecError` for a value that is no YAML, and `Secret`."""
    steps, rest = _key(text)
    more = rest.startswith("+=")
    if not steps or not (more or rest.startswith("=")):
        raise Misused(f"{shown(text) or 'a change'} must be KEY=VALUE, as in image.tag=v0.0.13")
    if well_formed(name := "".join(steps)) != name:  # bytes that are no text are halves of characters here
        raise Misused("a key is not UTF-8 text")
    written = rest[2:] if more else rest[1:]
    wanted = model_at(steps)
    if more and not is_list(wanted):
        raise Misused(f"{mask_line(dotted(steps))} is no list: write `=` instead of `+=`")
    if more and not written.startswith("["):
        value: Plain = [_value(steps, written, _item(wanted))]
    else:
        value = _value(steps, written, wanted)
    word = Word(steps, value, more)
    _refuse_secrets(word)
    return word


def deletion(text: str) -> Word:
    """Read a key that is to be taken away. Raises `Misused`."""
    steps, rest = _key(text)
    if not steps or rest:
        raise Misused(f"{shown(text) or 'what is to be deleted'} must be a KEY, as in hubs[old]")
    model_at(steps)
    return Word(steps, REMOVED)


def _key(text: str) -> tuple[tuple[str, ...], str]:
    """Split a text into the steps of the key that it begins with, and the rest."""
    steps, index = list[str](), 0
    while match := _PART.match(text, index):
        if bool(steps) < (text[index] in ".["):  # a key begins with a name
            break
        steps.append(match[1] or match[2])
        index = match.end()
    return tuple(steps), text[index:]


# --- what the model says about a key ----------------------------------------------------------------------------------


def model_at(steps: Sequence[str]) -> Any:
    """Return the type of the field that a key names; `Any` below free-form data. Raises `Misused` if there is none."""
    here: Any = SiteSpec
    for index, step in enumerate(steps):
        below = next((found for kind in _kinds(here) if (found := _below(kind, step)) is not None), None)
        if below is None:
            owner = mask_line(dotted(tuple(steps[:index]))) if index else "a spec"
            names = [str(field.alias) for kind in _kinds(here) for field in _fields(kind)]
            hint = did_you_mean(step, names)
            raise Misused(f"{owner} has no key {shown(step) or 'of this name'}{f'; {hint}' if hint else ''}")
        here = below
    return here


def _kinds(annotation: Any) -> tuple[Any, ...]:
    """Return the alternatives of a type, without None."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _kinds(typing.get_args(annotation)[0])
    if origin in (typing.Union, types.UnionType):
        return tuple(kind for each in typing.get_args(annotation) for kind in _kinds(each))
    return () if annotation is type(None) else (annotation,)


def _below(kind: Any, step: str) -> Any:
    """Return the type of what stands below a type under a key or name, or None."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind is Any:
        return Any
    if origin in (tuple, dict):
        return arguments[0] if origin is tuple else arguments[1]
    return next((field.annotation for field in _fields(kind) if field.alias == step), None)


def _fields(kind: Any) -> Sequence[Any]:
    is_model = isinstance(kind, type) and typing.get_origin(kind) is None and issubclass(kind, BaseModel)
    return tuple(kind.model_fields.values()) if is_model else ()


def is_list(annotation: Any) -> bool:
    """Say whether a field takes a list."""
    return any(typing.get_origin(kind) is tuple for kind in _kinds(annotation))


def _item(annotation: Any) -> Any:
    return next(typing.get_args(kind)[0] for kind in _kinds(annotation) if typing.get_origin(kind) is tuple)


def has_name(annotation: Any) -> bool:
    """Say whether a type has a field `name`, by which lists find their items."""
    return any(field.alias == "name" for kind in _kinds(annotation) for field in _fields(kind))


def _is_text(annotation: Any) -> bool:
    """Say whether a field takes text and nothing else."""
    return all(
        kind is str
        or (typing.get_origin(kind) is Literal and all(isinstance(each, str) for each in typing.get_args(kind)))
        for kind in _kinds(annotation)
    )


# --- values -----------------------------------------------------------------------------------------------------------


def _value(steps: Sequence[str], text: str, wanted: Any) -> Plain:
    """Read a value as the type of its field."""
    if text.strip() == "null":
        return None
    if _is_text(wanted) and text[:1] not in ("'", '"'):
        return text
    document = read(f"{scalar(steps[-1])}: {text}\n".encode("utf-8", "surrogateescape"), PLACE)
    if list(document.tree) != [steps[-1]]:
        raise Misused(f"the value of {mask_line(dotted(tuple(steps)))} must be one value")
    return _typed(document, (steps[-1],), document.tree[steps[-1]], wanted)


def _typed(document: Document, loc: Loc, value: Any, wanted: Any) -> Plain:
    """Return a value with the text fields in it as they were written: 1.36 is no number there."""
    if isinstance(value, dict):
        return {key: _typed(document, (*loc, key), each, _part(wanted, key)) for key, each in value.items()}
    if isinstance(value, list):
        return [_typed(document, (*loc, i), each, _part(wanted, str(i))) for i, each in enumerate(value)]
    if value is None or isinstance(value, str) or not _is_text(wanted):
        leaf: Plain = value
        return leaf
    mark = document.values[loc]
    return document.lines[mark.line - 1][mark.column - 1 : mark.end_column - 1]


def _part(wanted: Any, step: str) -> Any:
    """Return the type of a part of a value; `Any` for what the model does not know, and the compiler will say."""
    return next((found for kind in _kinds(wanted) if (found := _below(kind, step)) is not None), Any)


def _refuse_secrets(word: Word) -> None:
    """Raise `Secret` for a value that looks like one; what is on a command line was seen by others already."""
    try:
        document = read(dump({word.steps[-1]: word.value}).encode(), PLACE)
    except NotPlain as problem:
        raise Misused(f"{word.name}: {problem.problem}") from None
    for found in secrets_in(document):
        raise Secret(f"{word.name}: {found.label.removesuffix('; not shown')} is a secret")
