"""Which streams get colour, and that none fails on a character."""

from __future__ import annotations

import io
import sys

import pytest

from jhecfg import report


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


@pytest.mark.parametrize(
    ("environ", "terminal", "pipe"),
    [
        ({"TERM": "xterm"}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False, False),
        ({"TERM": "xterm", "NO_COLOR": ""}, True, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ({"TERM": "xterm", "FORCE_COLOR": "0"}, False, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(environ: dict[str, str], terminal: bool, pipe: bool) -> None:
    """NO_COLOR, FORCE_COLOR and TERM=dumb are obeyed, in that order."""
    assert report.wants_colour(Terminal(), environ) is terminal
    assert report.wants_colour(io.StringIO(), environ) is pipe


def test_an_ascii_stream_takes_any_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the locale cannot show becomes an escape, where Python would raise."""
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    report.prepare_streams()
    stream.write("é\udc80")
    stream.flush()
    assert stream.buffer.getvalue() == rb"\xe9\udc80"
