"""Laid out: a tree as people write it, in block style or in brackets, and where each key and value came to stand.

Written apart from the code under test: positions are counted while writing, not read back.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

Loc = tuple[str | int, ...]
Place = tuple[int, int]
"""Line and column, from 1."""

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./-]*")
_WORDS = re.compile(r"(?i)y|n|yes|no|on|off|true|false|null|e[0-9.]+")


class Raw(str):
    """Text that is written as it is, and not as a value."""


class Style(NamedTuple):
    """How a text is laid out. `tab` is a place behind whose colon a tab stands, `twice` a key that is written twice."""

    flow: bool = False
    newline: str = "\n"
    comments: bool = False
    mark: bool = False
    step: int = 2
    tab: Loc | None = None
    twice: Loc | None = None


class Text(NamedTuple):
    """A text, and where the keys and values of its tree stand; a key that is written twice where it stands again."""

    data: bytes
    keys: Mapping[Loc, Place]
    values: Mapping[Loc, Place]


STYLES: Mapping[str, Style] = {
    "block": Style(),
    "block, commented, CRLF": Style(newline="\r\n", comments=True, mark=True, step=4),
    "brackets": Style(flow=True),
    "brackets, commented": Style(flow=True, comments=True, newline="\r\n"),
}


def laid_out(tree: Mapping[str, Any], style: Style) -> Text:
    """Write a tree."""
    pen = _Pen(style)
    if style.comments:
        pen.line("# A spec: of a site, with comments. ünïcode 研究")
        pen.line("")
    if style.flow:
        pen.flow(tree, ())
        pen.line("")
    else:
        pen.block(tree, (), 0)
    text = "".join(pen.parts)
    data = (b"\xef\xbb\xbf" if style.mark else b"") + text.encode("utf-8")
    return Text(data, pen.keys, pen.values)


class _Pen:
    """Writes, and counts lines and columns."""

    def __init__(self, style: Style) -> None:
        self.style = style
        self.parts: list[str] = []
        self.row = self.column = 1
        self.keys: dict[Loc, Place] = {}
        self.values: dict[Loc, Place] = {}

    @property
    def here(self) -> Place:
        return self.row, self.column

    def write(self, text: str) -> None:
        self.parts.append(text)
        self.column += len(text)

    def line(self, text: str) -> None:
        self.write(text + self.style.newline)
        self.row, self.column = self.row + 1, 1

    def end(self, loc: Loc) -> None:
        """End a line, some of them with a comment."""
        self.line(f"   # of {len(loc)}: 'x' \"y\" {{z}}" if self.style.comments and len(loc) % 2 else "")

    def key(self, key: str, loc: Loc) -> None:
        self.keys[loc] = self.here
        quoted = self.style.flow or not _PLAIN.fullmatch(key) or _WORDS.fullmatch(key)
        self.write(key if isinstance(key, Raw) else json.dumps(key, ensure_ascii=False) if quoted else key)
        self.write(":\t" if self.style.tab == loc else ": ")

    def block(self, tree: Mapping[str, Any], loc: Loc, pad: int, *, first: bool = False) -> None:
        for number, (key, value) in enumerate(_twice(tree, loc, self.style)):
            if not (first and number == 0):
                self.write(" " * pad)
            own = (*loc, key)
            self.key(key, own)
            self.inside(value, own, pad)

    def inside(self, value: Any, loc: Loc, pad: int) -> None:
        """Write what a key holds."""
        if isinstance(value, dict) and value:
            self.end(loc)
            self.values[loc] = (self.row, pad + self.style.step + 1)
            self.block(value, loc, pad + self.style.step)
        elif isinstance(value, list) and any(isinstance(each, dict | list) and each for each in value):
            self.end(loc)
            self.values[loc] = (self.row, pad + self.style.step + 1)
            self.items(value, loc, pad + self.style.step)
        else:
            self.flow(value, loc)
            self.end(loc)

    def items(self, value: list[Any], loc: Loc, pad: int) -> None:
        for number, each in enumerate(value):
            self.write(" " * pad + "- ")
            own = (*loc, number)
            self.values[own] = self.here
            if isinstance(each, dict) and each:
                self.block(each, own, pad + 2, first=True)
            else:
                self.flow(each, own)
                self.end(own)

    def flow(self, value: Any, loc: Loc) -> None:
        """Write a value in brackets, or a scalar."""
        self.values[loc] = self.here
        if isinstance(value, dict):
            self.write("{")
            for number, (key, below) in enumerate(_twice(value, loc, self.style)):
                self.comma(number, loc)
                self.key(key, (*loc, key))
                self.flow(below, (*loc, key))
            self.write("}")
        elif isinstance(value, list):
            self.write("[")
            for number, below in enumerate(value):
                self.comma(number, loc)
                self.flow(below, (*loc, number))
            self.write("]")
        else:
            self.write(value if isinstance(value, Raw) else json.dumps(value, ensure_ascii=False))

    def comma(self, number: int, loc: Loc) -> None:
        if number:
            self.write(", ")
        if self.style.flow and len(loc) < 2 and number % 3 == 1:
            self.end(loc)
            self.write("  ")


def _twice(tree: Mapping[str, Any], loc: Loc, style: Style) -> list[tuple[str, Any]]:
    """Return a mapping's keys and values, one of them twice."""
    again = [(key, value) for key, value in tree.items() if (*loc, key) == style.twice]
    return [*tree.items(), *again]
