"""Scalars: what an unquoted YAML value means, and whether every reader agrees.

Kubernetes reads YAML 1.1 with Go's extensions, Python tools read 1.1, editors and new tools read 1.2. An unquoted value
has a meaning here only if 1.1 and 1.2 give it the same one; the rest (`no`, `0644`, `1e3`, `12:30`, `2026-01-31`) is
refused, and two quotes make it clear. Sources: https://yaml.org/type/ (1.1), https://yaml.org/spec/1.2.2/#103-core-schema.
The tests compare with PyYAML and ruamel.yaml; where those or go-yaml go beyond the specifications (`y`, `-0o7`, `1.`),
the value is refused too.
"""

from __future__ import annotations

import re
from typing import Any

Scalar = str | int | float | bool | None
Plain = dict[str, Any] | list[Any] | Scalar


_SOME = "text to some"  # where those who read YAML 1.1 differ among themselves


class Unclear(ValueError):
    """An unquoted value that two readers read as two things. Holds the two readings in words, never the value."""

    def __init__(self, old: str, new: str) -> None:
        """Take what YAML 1.1 and what YAML 1.2 make of it."""
        some = old == _SOME
        super().__init__(f"{old} readers, {new} to others" if some else f"{old} in YAML 1.1, {new} in YAML 1.2")
        self.old = old


class BadNumber(ValueError):
    """A number that is clear but cannot be kept: too long, infinite, or not a number. Holds the reason in words."""


# Anything else cannot begin a value that some reader takes for other than text.
_FIRST = frozenset("+-.0123456789~=<yYnNtTfFoO")

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL = frozenset(("true", "True", "TRUE", "false", "False", "FALSE"))
_OLD_BOOL = frozenset(f(word) for word in ("yes", "no", "on", "off", "y", "n") for f in (str, str.title, str.upper))
_OLD_OTHER = {"=": "a default marker", "<<": "a merge key"}
_DASH = "-"  # in `[-, -]`: libyaml, and so all of Kubernetes, takes it for text, YAML 1.2 and editors for a list's

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"(?:[-+]?[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][-+][0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

# What only one of the two takes for something: the pattern, YAML 1.1's reading, YAML 1.2's.
_ONE_SIDED: tuple[tuple[re.Pattern[str], str, str], ...] = tuple(
    (re.compile(pattern), old, new)
    for pattern, old, new in (
        (r"[-+]?0[0-7]+", "a number in base 8", "a number in base 10"),
        (r"[-+]?0[0-9]+", "text", "a number"),
        (r"[-+]?0b[01_]+", "a number in base 2", "text"),
        (r"[-+]?0[0-7_]+", "a number in base 8", "text"),
        (r"[-+]?0x[0-9a-fA-F_]+", "a number in base 16", "text"),
        (r"[-+]?0o[0-7_]+", "text", "a number in base 8"),
        (r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", "a number in base 60", "text"),
        (
            r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?"
            r"(?:[ \t]*(?:Z|[-+][0-9]{1,2}(?::?[0-9]{2})?))?)?",
            "a date",
            "text",
        ),
        (r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", _SOME, "a number"),
        (r"[-+]?(?:[0-9][0-9_]*\.[0-9_]*|[0-9][0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?", "a number", "text"),
        # ruamel takes out every `_` first, and so reads `-_0` and `._0` as numbers.
        (r"(?=[^_]*_)[-+]?[0-9_.]*[0-9][0-9_.]*(?:[eE][-+]?[0-9_]+)?", _SOME, "a number"),
    )
)


def plain(text: str, digits: int) -> Scalar:
    """Return the value of an unquoted scalar.

    `digits` is the most digits a number may have. Raises `Unclear` or `BadNumber`; neither says the text.
    """
    if text and text[0] not in _FIRST:
        return text
    if text in _NULL:
        return None
    if text in _BOOL:
        return text[0] in "tT"
    if text in _OLD_BOOL:
        raise Unclear("true or false", "text")
    if text in _OLD_OTHER:
        raise Unclear(_OLD_OTHER[text], "text")
    if text == _DASH:
        raise Unclear(_SOME, "the start of an item")
    return _number(text, digits) if text[0] in "+-.0123456789" else text


def _number(text: str, digits: int) -> Scalar:
    if _INT.fullmatch(text):
        _short(text, digits)
        return int(text, 16) if text[:2] == "0x" else int(text)
    if _FLOAT.fullmatch(text):
        _short(text, digits)
        number = _finite(float(text))
        if "e" in text or "E" in text:
            _writable(number, digits)
        return number
    if _NOT_FINITE.fullmatch(text):
        raise BadNumber("is infinite or not a number")
    for pattern, old, new in _ONE_SIDED:
        if pattern.fullmatch(text):
            raise Unclear(old, new)
    return text


def _short(text: str, digits: int) -> None:
    if sum(c not in "+-.xeE" for c in text) > digits:
        raise BadNumber(f"has more than {digits} digits")


def _writable(number: float, digits: int) -> None:
    """Refuse what would be too long without its exponent, as outputs are written."""
    from decimal import Decimal  # here: exponents are rare, and every start would pay for the import

    plainly = f"{Decimal(repr(number)):f}"
    if sum(c.isdigit() for c in plainly) + ("." not in plainly) > digits:
        raise BadNumber(f"has more than {digits} digits without its exponent")


def _finite(number: float) -> float:
    if number in (float("inf"), float("-inf")):
        raise BadNumber("is too large")
    return number
