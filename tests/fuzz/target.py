"""Target: one thing to fuzz; and the bounds that every input must stay in."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterable
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
    """Judge a case within its bounds. Raises Finding where it took too long, or too much memory.

    An input that never ends is libFuzzer's to stop (run.py), or the test's that runs it.
    """
    start, peak = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    judge(case)
    claim(time.process_time() - start < seconds, f"one input took more than {seconds:g} seconds of CPU")
    raised = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak
    claim(raised < MEMORY, f"one input took more than {MEMORY >> 10} MiB of memory")
