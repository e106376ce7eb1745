"""Exposed: the secrets that are written in a document, by the name they stand under or by their shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jhecfg.diagnostics import Diagnostic, Loc
from jhecfg.leaks import secret_key, secret_shape
from jhecfg.marks import SHOWN, Mark, shown
from jhecfg.reader import Document

_OBJECT_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_INSTEAD = (
    "delete it, and replace it where it is used, for git keeps it for ever; "
    "a spec only names Secrets: `jhecfg secrets init SPEC` makes them"
)


def secrets_in(document: Document) -> list[Diagnostic]:
    """Find what is secret in a document; no diagnostic holds a part of it."""
    found = [(mark, what) for mark, what in _secret_places(document)]
    said = [_secret(document, mark, what) for mark, what in found[:SHOWN]]
    if len(found) > SHOWN:
        said.append(_secret(document, *found[SHOWN], more=f"and {len(found) - SHOWN} more secrets in this file"))
    return said


def _secret(document: Document, mark: Mark, what: str, more: str = "") -> Diagnostic:
    span = document.span(mark)
    text = (
        span.text[: span.column - 1] + "*" * len(span.text[span.column - 1 : span.end - 1]) + span.text[span.end - 1 :]
    )
    return Diagnostic(
        code="secret-in-spec",
        message=more or "a secret is written in the spec",
        span=span._replace(text=text),
        label=f"{what}; not shown",
        hint=_INSTEAD,
    )


def _secret_places(document: Document) -> Iterator[tuple[Mark, str]]:
    for loc, parent, value in _leaves(document.tree):
        what = _what(loc, parent, value)
        if what:
            yield document.values[loc], what
    for loc, mark in document.keys.items():
        shape = secret_shape(str(loc[-1]))
        if shape:
            yield mark, shape
    for comment in document.comments:
        shape = secret_shape(comment.text)
        if shape:
            yield comment.mark, shape


def _what(loc: Loc, parent: object, value: object) -> str | None:
    """Say what kind of secret a scalar is, or None."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    shape = secret_shape(value) if isinstance(value, str) else None
    if shape:
        return shape
    name = next((step for step in reversed(loc) if isinstance(step, str)), "")
    if name == "value" and isinstance(parent, dict):  # {name: DB_PASSWORD, value: …}, as Kubernetes writes variables
        name = str(parent.get("name", ""))
    if secret_key(name) or (name == "secret" and not _OBJECT_NAME.fullmatch(str(value))):
        return f"a value under {shown(name) or 'this key'}"
    return None


def _leaves(tree: dict[str, Any]) -> Iterator[tuple[Loc, object, object]]:
    """Yield every scalar: where it is, what it is in, and itself."""
    waiting: list[tuple[Loc, Any]] = [((), tree)]
    while waiting:
        loc, parent = waiting.pop()
        for step, value in parent.items() if isinstance(parent, dict) else enumerate(parent):
            if isinstance(value, dict | list):
                waiting.append(((*loc, step), value))
            else:
                yield (*loc, step), parent, value
