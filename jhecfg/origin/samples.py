"""sample(): a small value that a field of the spec accepts, for what a spec does not have."""

from __future__ import annotations

import re
from typing import Any

from jhecfg.origin.fields import Field

SAMPLES: tuple[str, ...] = (
    "example", "Example", "EXAMPLE", "e", "example.org", "somebody@example.net", "https://example.org/x",
    "ghcr.io/example/x", "7", "512Mi", "1G", "us-west-2", "us-west-2c", "1.35", "17.9", "4.4.1",
    "m7i.xlarge", "db.m7g.large",
    "arn:aws:kms:us-west-2:111122223333:key/x", "vpc-0123456789abcdef0", "subnet-0123456789abcdef0",
    "sg-0123456789abcdef0", "203.0.113.0/24", "https://git.example.org/x.git", "age1" + "q" * 58, "*/7 * * * *",
    "sha256:" + "a" * 64, "/opt/example", "v1.20.0-eksbuild.1",
)  # fmt: skip
"""Texts such that every pattern of the model fits one of them."""


def sample(field: Field) -> Any:
    """Return a value that is not the default: of a section, what must be in it (or one key); of a list, an item."""
    if field.choices:
        return next((each for each in field.choices if each != field.default), field.choices[0])
    if field.kind == "object":
        return _section(field)
    if field.kind == "array":
        item = field.below(0)
        return [_other(sample(item), number) for number in range(max(1, field.node.get("minItems", 1)))] if item else []
    if field.kind == "boolean":
        return not field.default
    if field.kind in ("integer", "number"):
        return _number(field)
    return text_for(field)


def _section(field: Field) -> Any:
    if set(field.names) == {"orgs", "users", "anyone"}:  # exactly one of them must be there
        return {"users": ["somebody@example.net"]}
    if field.names:
        below = {name: each for name in field.names if (each := field.below(name)) is not None}
        needed = [name for name, each in below.items() if each.required] or list(below)[:1]
        return {name: sample(below[name]) for name in needed}
    key = next((text for text in SAMPLES if field.below(text) is not None), "example")
    below_key = field.below(key)
    return {key: sample(below_key) if below_key is not None else "example"}


def text_for(field: Field) -> str:
    """Return a text of the form that a field wants, and that is not its default."""
    pattern = field.node.get("pattern", "")
    return next((text for text in SAMPLES if re.search(pattern, text) and text != field.default), "example")


def _number(field: Field) -> int:
    start = field.default if field.default is not None else field.node.get("minimum", 0)
    return int(start) + 1


def _other(value: Any, number: int) -> Any:
    """Return the value for the first item, and another of its form for each further one."""
    return f"{value[:-1]}{number}" if number and isinstance(value, str) else value
