"""Diagnostics: where something is (Loc, Span), what is wrong with it (Finding, Diagnostic), and how a failure travels.

A `Loc` is symbolic ("the domain of the first hub"); a `Span` is a place in a file. Rules speak in Locs; only
`source.py` turns a Loc into a Span. Printing lives in `report.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

Loc = tuple[str | int, ...]
"""A place in a tree by keys and indices, for example `("hubs", 0, "domain")`; `()` is the whole tree."""


class Severity(StrEnum):
    """How bad a diagnostic is: an error stops the build, a warning stops it only under `--strict`."""

    ERROR = "error"
    WARNING = "warning"


class Span(NamedTuple):
    """A place in a file, with the line's own text inside, so that it can be shown without the file.

    Lines and columns count from 1, in characters. `end` is the column after the last one, on the same line.
    """

    file: str
    line: int
    column: int
    end: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


class Finding(NamedTuple):
    """What a rule yields: symbolic, without a file.

    `loc` is a place in the spec (or, where `artifact` is set, in that output's tree). `key` asks for the key instead
    of its value to be underlined. `related` are other places worth showing, each with a few words.
    """

    loc: Loc
    message: str
    label: str = ""
    found: str = ""
    expected: str = ""
    hint: str = ""
    key: bool = False
    artifact: str = ""
    severity: Severity = Severity.ERROR
    related: tuple[tuple[Loc, str], ...] = ()


class Diagnostic(NamedTuple):
    """What a person reads: concrete, with a file and a line.

    `message` is lower case, in the spec's words, without a full stop. `label` goes under the caret. `hint` is an
    imperative. `related` are further places (a first definition, the output line that is wrong), each with a label.
    """

    code: str
    message: str
    span: Span | None = None
    severity: Severity = Severity.ERROR
    label: str = ""
    found: str = ""
    expected: str = ""
    hint: str = ""
    related: tuple[tuple[Span, str], ...] = ()

    def sort_key(self) -> tuple[str, int, int, str, str]:
        """A total order: file, line, column, code, message."""
        where = self.span
        if where is None:
            return ("", 0, 0, self.code, self.message)
        return (where.file, where.line, where.column, self.code, self.message)


def in_order(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Sort diagnostics by place, each said once."""
    return tuple(sorted(dict.fromkeys(diagnostics), key=Diagnostic.sort_key))


class SpecError(Exception):
    """The input is at fault (exit 1). Carries every diagnostic found so far, in order; never an input value."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...] = ()) -> None:
        """Take what was found."""
        super().__init__("; ".join(diagnostic.code for diagnostic in diagnostics))
        self.diagnostics = diagnostics


class ToolError(Exception):
    """The environment is at fault (exit 5): a tool is missing or broken, a disk is full, a permission is lacking."""


class Misused(Exception):
    """The words of a command are at fault (exit 2). A kind of its own: another error's text may hold a value."""


class Refused(Exception):
    """Writing would lose something that is not ours (exit 4): a hand-edited or foreign file is in the way."""

    def __init__(self, paths: tuple[tuple[str, str], ...]) -> None:
        """Take (path, reason) pairs, all offenders at once."""
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in paths))
        self.paths = paths


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate most like `word` if it is close enough to be a slip of the finger, else None."""
    from difflib import get_close_matches

    options = sorted(set(candidates))
    folded = {option.lower(): option for option in reversed(options)}
    if word.lower() in folded:
        return folded[word.lower()]
    starting = [option for option in folded if len(word) > 2 and option.startswith(word.lower())]
    if len(starting) == 1:
        return folded[starting[0]]
    close = get_close_matches(word.lower(), list(folded), n=1, cutoff=0.6)
    return folded[close[0]] if close else None


def did_you_mean(word: str, candidates: Iterable[str]) -> str:
    """Say `did you mean 'x'?`, or list the choices when they are few, or nothing."""
    options = tuple(dict.fromkeys(candidates))
    best = nearest(word, options)
    if best is not None:
        return f"did you mean '{best}'?"
    if 0 < len(options) <= 9:  # Miller's law, as ytt does it
        return "choose one of: " + ", ".join(options)
    return ""
