"""Talk: how a command speaks, and the codes it exits with."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from pathlib import Path

from jhecfg.diagnostics import Diagnostic, ToolError
from jhecfg.outcome import broken
from jhecfg.report import Format, inert, prepare_streams, put, render, summary


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
        """Print a result, in which nothing is a command to a terminal or a CI runner: names of files may be one."""
        put(sys.stdout, inert(text))

    def secret(self, text: str) -> None:
        """Print a result for a program, which takes it as it is."""
        put(sys.stdout, text)

    def annotate(self, file: str, text: str) -> None:
        """Say something about a whole file in annotations, which is a command: nothing in it is one of its own."""
        from jhecfg.report import github

        put(sys.stdout, github.about(file, text, root(self.style)))

    def say(self, text: str) -> None:
        """Tell a person something, unless they asked for quiet."""
        if not self.quiet:
            put(sys.stderr, inert(text) + "\n")

    def complain(self, text: str) -> None:
        """Tell a person what is in the way."""
        put(sys.stderr, inert(text) + "\n")

    def diagnostics(self, listed: Sequence[Diagnostic], docs: Mapping[str, str], tail: str) -> None:
        """Print diagnostics: for people on stderr, for programs on stdout."""
        text = render(listed, self.style, colour=self.colour, root=root(self.style), docs=docs)
        put(sys.stderr if self.style == "text" else sys.stdout, text)
        if listed and self.style == "text":
            self.complain(("\n" if text else "") + summary(listed, tail))


def root(style: Format) -> Path:
    """Return what files are named from: the working directory; in a job of GitHub Actions the checkout around it.

    There it matters where jhecfg runs in a folder of the repository: annotations and code scanning count from its top.
    """
    here, workspace = Path.cwd(), os.environ.get("GITHUB_WORKSPACE", "")
    if style in ("github", "sarif") and workspace and here.is_relative_to(os.path.realpath(workspace)):
        return Path(os.path.realpath(workspace))
    return here


def guarded(command: Callable[[], int]) -> int:
    """Run a command line and return its exit code; a bug is said without input values."""
    prepare_streams()
    try:
        return command()
    except SystemExit as exit_:
        return int(exit_.code or 0)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except ToolError as error:
        put(sys.stderr, inert(f"jhecfg: {error}\n"))
        return Exit.ENVIRONMENT
    except Exception as error:
        if _is_nowhere(error):
            put(sys.stderr, "jhecfg: the folder that this runs in is gone; change to one that is there\n")
            return Exit.ENVIRONMENT
        return _bug(error)


def _is_nowhere(error: Exception) -> bool:
    """Say whether the cause is a working directory that somebody removed meanwhile."""
    if isinstance(error, FileNotFoundError):
        try:
            Path.cwd()
        except FileNotFoundError:
            return True
    return False


def _bug(error: Exception) -> int:
    sys.stderr.write(broken(error) + "\n")
    return Exit.BUG
