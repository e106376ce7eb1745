"""Values as a plan shows them: short, on one line, and never one that could be a secret."""

from __future__ import annotations

import json
from typing import Any

from jhecfg import leaks
from jhecfg.diagnostics import Loc
from jhecfg.plan.trees import MISSING

LONGEST = 100
"""Characters of a value that are shown; a longer one is cut, with its size said."""
HIDDEN = "(not shown)"


def shown(value: Any, at: Loc = ()) -> str:
    """Return a value for people. `at` is its place: below a key that names a secret nothing is shown."""
    if value is MISSING:
        return "absent"
    if _secret(value, at):
        return HIDDEN
    if isinstance(value, dict | list) and value:
        return _structure(value)
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    lines = text.count("\n")
    if lines > 1:
        return f"text of {lines} lines"
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


def arrow(was: Any, becomes: Any, at: Loc = ()) -> str:
    """Return `old → new`, or only the side that is there."""
    if was is MISSING:
        return f"added: {shown(becomes, at)}"
    if becomes is MISSING:
        return f"removed: {shown(was, at)}"
    return f"{shown(was, at)} → {shown(becomes, at)}"


def dotted(name: Loc) -> str:
    """Write a place with names: `hubs[research].access`."""
    text = ""
    for part in name:
        plain = isinstance(part, str) and part.replace("_", "").replace("-", "").isalnum() and part.isascii()
        text += (f".{part}" if text else part) if plain and isinstance(part, str) else f"[{part}]"
    return text or "the spec"


def _structure(value: dict[str, Any] | list[Any]) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    if any(_secret(each, (key,)) for key, each in _flat(value)):
        return HIDDEN
    if len(text) <= LONGEST:
        return text.replace('"', "")
    what = "keys" if isinstance(value, dict) else "items"
    return f"{len(value)} {what}"


def _flat(value: Any, key: str = "") -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        return [pair for name, each in value.items() for pair in _flat(each, str(name))]
    if isinstance(value, list):
        return [pair for each in value for pair in _flat(each, key)]
    return [(key, value)]


def _secret(value: Any, at: Loc) -> bool:
    if not isinstance(value, str):
        return False
    return leaks.secret_shape(value) is not None or any(isinstance(p, str) and leaks.secret_key(p) for p in at[-1:])
