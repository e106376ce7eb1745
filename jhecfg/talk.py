"""Talk: how a command speaks, and the codes it exits with."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from enum import IntEnum
from pathlib import Path

from jhecfg.diagnostics import Diagnostic
from jhecfg.report import Format, render, summary


class Exit(IntEnum):
    """Exit codes; the same for every command."""

    OK = 0
    SPEC = 1
    USAGE = 2
    OUT_OF_DATE = 3
    REFUSED = 4
    ENVIRONMENT = 5
    BUG = 70
    INTERRUPTED = 130


class Talk:
    """Where a command speaks: results on stdout, everything else on stderr."""

    def __init__(self, style: Format, *, quiet: bool, colour: bool) -> None:
        """Decide once how to speak."""
        self.style: Format = style
        self.quiet = quiet
        self.colour = colour

    @property
    def on_terminal(self) -> bool:
        """Whether a person watches stderr."""
        return sys.stderr.isatty()

    def result(self, text: str) -> None:
        """Print a result."""
        sys.stdout.write(text)

    def say(self, text: str) -> None:
        """Tell a person something, unless they asked for quiet."""
        if not self.quiet:
            sys.stderr.write(text + "\n")

    def complain(self, text: str) -> None:
        """Tell a person what is in the way."""
        sys.stderr.write(text + "\n")

    def diagnostics(self, listed: Sequence[Diagnostic], docs: Mapping[str, str], tail: str) -> None:
        """Print diagnostics: for people on stderr, for programs on stdout."""
        text = render(listed, self.style, colour=self.colour, root=Path.cwd(), docs=docs)
        (sys.stderr if self.style == "text" else sys.stdout).write(text)
        if listed and self.style == "text":
            self.complain(("\n" if text else "") + summary(listed, tail))
