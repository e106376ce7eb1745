"""Streams: whether a stream gets colour; standard streams that fail neither on a character nor on a closed pipe."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import TextIO

from jhecfg.diagnostics import ToolError


def wants_colour(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Decide once whether `stream` gets colour.

    NO_COLOR wins over FORCE_COLOR, and an empty variable counts as absent (no-color.org, force-color.org);
    FORCE_COLOR=0 means no, as in Node. Otherwise a terminal gets colour unless it calls itself dumb.
    """
    if environ.get("NO_COLOR"):
        return False
    forced = environ.get("FORCE_COLOR")
    if forced:
        return forced not in ("0", "false")
    if environ.get("TERM") == "dumb" or (os.name == "nt" and not {"WT_SESSION", "TERM", "ANSICON"} & environ.keys()):
        return False
    return stream.isatty()


def put(stream: TextIO, text: str) -> None:
    """Write text at once. A reader that has gone away (`| head`) misses the rest, and the exit code stays the true one.

    What is left goes nowhere: Python would fail on it once more as it exits (docs: library/signal, SIGPIPE).
    Raises ToolError where it cannot be written otherwise, as on a full disk.
    """
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        if not isinstance(error, BrokenPipeError):
            raise ToolError(
                f"the output cannot be written: {(error.strerror or type(error).__name__).lower()}"
            ) from None


def prepare_streams() -> None:
    """Let stdout and stderr show what their encoding cannot as an escape, where Python would raise; closed, nothing."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # `>&-`
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - until the process ends
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # pytest and some hosts put other objects there
            stream.reconfigure(errors="backslashreplace")
