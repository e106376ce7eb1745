"""Target: one thing to fuzz; and the bounds that every input must stay in."""

from __future__ import annotations

import resource
import signal
import time
from collections.abc import Callable, Iterable
from types import FrameType
from typing import NamedTuple

SECONDS = 10.0
"""CPU seconds that one input may take, under the fuzzer's tracing, which costs some ten times what the input does."""

MEMORY = 256 << 10
"""KiB by which one input may raise the peak of memory."""


class Finding(AssertionError):
    """An input showed a defect; the text says which property does not hold."""


def claim(holds: object, what: str) -> None:
    """Raise a Finding unless the property holds."""
    if not holds:
        raise Finding(what)


class Target(NamedTuple):
    """One thing to fuzz.

    `draw` makes a case of the fuzzer's bytes, `judge` judges one and raises where a property does not hold; `seeds`
    are cases to start from; `modules` are those whose branches are followed, since to follow all of jhecfg's is slow.
    `ending` is what a case's file name ends in; `longest` is the most bytes of an input.
    """

    name: str
    judge: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    modules: tuple[str, ...]
    draw: Callable[[bytes], bytes] = bytes
    ending: str = ".yaml"
    longest: int = 4096

    def case(self, data: bytes) -> bytes:
        """Return the case that some bytes of the fuzzer are: what follows a `=` is one as it stands."""
        return data[1:] if data[:1] == b"=" else self.draw(data)


def bounded(judge: Callable[[bytes], None], case: bytes, seconds: float = SECONDS) -> None:
    """Judge a case within its bounds. Raises Finding where it takes too long, or too much memory."""
    handler = signal.signal(signal.SIGVTALRM, _too_long)
    signal.setitimer(
        signal.ITIMER_VIRTUAL, 2 * SECONDS
    )  # a loop of Python's ends here; one of C's at libFuzzer's limit
    start, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        judge(case)
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, handler)
    claim(time.process_time() - start < seconds, f"one input took more than {seconds:g} seconds of CPU")
    raised = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    claim(raised < MEMORY, f"one input took more than {MEMORY >> 10} MiB of memory")


def _too_long(signum: int, frame: FrameType | None) -> None:
    where = f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno}" if frame else "nowhere"
    raise Finding(f"one input does not end; it was in {where}")
