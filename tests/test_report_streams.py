"""Which streams get colour, and that none fails on a character."""

from __future__ import annotations

import io
import shlex
import subprocess
import sys

import pytest

from jhecfg import report

FULL = "jhecfg: the output cannot be written: no space left on device\n"


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


@pytest.mark.slow
@pytest.mark.parametrize(("where", "code", "said"), [(">&-", 0, ""), ("2>&-", 0, ""), ("> /dev/full", 5, FULL)])
@pytest.mark.parametrize("words", ["explain unknown-org", "--version"])
def test_a_stream_that_takes_nothing_is_no_bug(words: str, where: str, code: int, said: str) -> None:
    """A closed one is silent, as with other programs; a full disk is said, and is the machine's fault."""
    command = f"{shlex.quote(sys.executable)} -m jhecfg {words} {where}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (code, said)
