"""Progress: a line that counts sites, on a terminal, once there is something to wait for.

Drawn by hand: rich would cost 50 ms to import, and its live display runs in a thread, beside which nobody should fork.
"""

from __future__ import annotations

import os
import sys
import time
from types import TracebackType

from jhecfg.talk import Talk

PATIENCE = 0.5
"""Seconds of work without a word; who waits longer is told how long it will take."""

_PAUSE = 0.1
_BAR = 24
_CLEAR = "\r\x1b[K"


class Progress:
    """A bar on stderr for as long as its block runs: gone when it ends, never there where nobody watches."""

    def __init__(self, talk: Talk, total: int) -> None:
        """Decide whether somebody watches."""
        self.total = total
        self.watched = talk.on_terminal and not talk.quiet and os.environ.get("TERM", "dumb") != "dumb" and total > 1
        self.began = time.monotonic()
        self.next = self.began + PATIENCE
        self.drawn = False

    def __enter__(self) -> Progress:
        """Begin; nothing is drawn yet."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        """Take the bar away, whatever happened."""
        if self.drawn:
            sys.stderr.write(_CLEAR)
            sys.stderr.flush()

    def __call__(self, ready: int) -> None:
        """Hear how many sites are ready."""
        now = time.monotonic()
        if not self.watched or now < self.next:
            return
        self.next, self.drawn = now + _PAUSE, True
        sys.stderr.write(_CLEAR + bar(ready, self.total, now - self.began)[: _columns() - 1])
        sys.stderr.flush()


def bar(ready: int, total: int, seconds: float) -> str:
    """Return `[####----] 40/80 sites, 2 s left`."""
    done = _BAR * ready // total
    left = f", {seconds / ready * (total - ready):.0f} s left" if ready else ""
    return f"[{'#' * done}{'-' * (_BAR - done)}] {ready:,}/{total:,} sites{left}"


def _columns() -> int:
    try:
        return max(os.get_terminal_size(sys.stderr.fileno()).columns, 20)
    except (OSError, ValueError):
        return 80
