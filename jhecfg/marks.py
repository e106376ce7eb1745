"""Marks: where a piece of a YAML text stands, how much of it is allowed, and the problems found while it is read."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple, NoReturn

from jhecfg.diagnostics import Diagnostic, Span, SpecError
from jhecfg.leaks import mask_lines, secret_shape

SHOWN = 20  # problems of one document that are worth reading at once
HOPELESS = 500  # so many more, and the rest of the file is not looked at

FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # controls, NEL among them, but not tab and line feed
    "\u2028\u2029\ufeff\ufdd0-\ufdef\ufffe\uffff"  # line separators, byte order mark, non-characters
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"  # what makes text look other than it is (CVE-2021-42574)
    "|\r(?!\n)"
)
"""A character that no text may hold, neither raw nor escaped."""


CRAMPED = re.compile(r"""[A-Za-z][A-Za-z0-9_-]*:(?!//)[^ \t\n]""")
"""A key without the space behind its colon. `https://` is none."""

CRAMPED_ITEM = re.compile(r"""[ ]*-[A-Za-z]""")
"""An item of a list without the space behind its dash."""

AFTER_COLON = "put a space behind the `:`"
AFTER_DASH = "put a space behind the `-`"


class Mark(NamedTuple):
    """A stretch of text. Lines and columns count from 1, in characters; the end is the place after the last one."""

    # A tuple, not a dataclass, for speed: every key and value has one.

    line: int
    column: int
    end_line: int
    end_column: int


def within(line: int, column: int, end: int) -> Mark:
    """Return the mark of a piece of one line."""
    return Mark(line, column, line, end)


def letter(line: int, column: int) -> Mark:
    """Return the mark of one character."""
    return within(line, column, column + 1)


START = letter(1, 1)
"""Where a file begins: the place of what has no other."""


class Comment(NamedTuple):
    """A real comment (a `#` inside a value is none): where it starts, from 1, and its text from the `#` on."""

    # A tuple, because a file may be a megabyte of nothing else.

    line: int
    column: int
    text: str

    @property
    def mark(self) -> Mark:
        """Where it stands."""
        return within(self.line, self.column, self.column + len(self.text))


class Limits(NamedTuple):
    """How much a document may hold.

    Bytes of the file, levels of nesting, values (aliases counted as often as they are used), characters of a value and
    of a key, digits of a number.
    """

    bytes: int = 1 << 20
    depth: int = 32
    nodes: int = 50_000
    scalar: int = 64 << 10
    key: int = 256
    digits: int = 18


LIMITS = Limits()

_HARMLESS = re.compile(r"[A-Za-z0-9_.:/+=~<>-][A-Za-z0-9_.:/+=~<> -]{0,39}")


def shown(text: str) -> str | None:
    """Return the text in quotes if it may stand in a message (short, plain, no secret), else None."""
    if _HARMLESS.fullmatch(text) and secret_shape(text) is None:
        return f"'{text}'"
    return None


def span_in(name: str, masked: tuple[str, ...], mark: Mark) -> Span:
    """Return the first line of a mark as a span, at least one character wide. Never raises.

    `masked` are the lines of the file as they may be shown (`leaks.mask_lines`).
    """
    line = min(max(mark.line, 1), max(len(masked), 1))
    text = masked[line - 1] if masked else ""
    column = mark.column if line == mark.line else len(text) + 1
    end = mark.end_column if mark.end_line == mark.line else len(text) + 1
    return Span(name, line, column, max(end, column + 1), text)


class Stop(Exception):
    """Reading cannot go on; the diagnostic says why."""

    def __init__(self, diagnostic: Diagnostic) -> None:
        """Take the last diagnostic."""
        super().__init__(diagnostic.code)
        self.diagnostic = diagnostic


class Page:
    """One text that is being read, and the problems found in it: the first of them, and how many more."""

    def __init__(self, name: str, text: str) -> None:
        """Take the name that messages use, and text that ends in a line feed (or is empty)."""
        self.name = name
        self.text = text
        self.lines = tuple(text.split("\n")[:-1])
        self.found: list[Diagnostic] = []
        self._more = 0
        self._next: Span | None = None
        self._masked: tuple[str, ...] | None = None
        self._starts: list[int] = []  # the index of the start of each line, once somebody asks

    def at(self, index: int) -> tuple[int, int]:
        """Return line and column of the character at an index."""
        if not self._starts:
            starts = [0]
            for text in self.lines:
                starts.append(starts[-1] + len(text) + 1)
            self._starts = starts
        line = bisect_right(self._starts, index)
        return line, index - self._starts[line - 1] + 1

    def span(self, mark: Mark) -> Span:
        """Turn a mark into a span of this text."""
        if self._masked is None:
            self._masked = mask_lines(self.lines)
        return span_in(self.name, self._masked, mark)

    def say(
        self,
        code: str,
        message: str,
        mark: Mark,
        label: str = "",
        *,
        hint: str = "",
        related: tuple[tuple[Mark, str], ...] = (),
    ) -> Diagnostic:
        """Make a diagnostic at a mark."""
        others = tuple((self.span(place), why) for place, why in related)
        return Diagnostic(code=code, message=message, span=self.span(mark), label=label, hint=hint, related=others)

    def add(
        self,
        code: str,
        message: str,
        mark: Mark,
        label: str = "",
        *,
        hint: str = "",
        related: tuple[tuple[Mark, str], ...] = (),
    ) -> None:
        """Collect a problem; the reading goes on, until there are so many that the file is hopeless."""
        if len(self.found) < SHOWN:
            self.found.append(self.say(code, message, mark, label, hint=hint, related=related))
            return
        self._more += 1
        self._next = self._next or self.span(mark)
        if self._more >= HOPELESS:
            self.throw()

    def tab(self, line: int, column: int) -> None:
        """Collect the problem that a tab stands where only spaces may."""
        self.add("yaml-tab", "a tab stands outside quotes", letter(line, column), hint="use spaces")

    def stop(self, code: str, message: str, mark: Mark, *, hint: str = "") -> NoReturn:
        """End the reading here."""
        raise Stop(self.say(code, message, mark, hint=hint))

    def throw(self, *last: Diagnostic) -> NoReturn:
        """Raise everything collected, in order, and then `last`."""
        found = sorted(self.found, key=Diagnostic.sort_key)
        if self._more:
            least = "at least " if self._more >= HOPELESS else ""
            message = f"and {least}{self._more} more problems in this file"
            found.append(Diagnostic(code="yaml-more", message=message, span=self._next))
        raise SpecError((*found, *last)) from None
