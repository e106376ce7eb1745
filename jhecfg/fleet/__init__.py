"""Fleet: many sites in one call: compile each, write or compare, in one process or several."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence

from jhecfg.fleet.batch import run_batch, second_opinions
from jhecfg.outcome import Options, Outcome
from jhecfg.source import Source

__all__ = ["run", "second_opinions"]

BATCH = 20
"""Sites whose files are held at once."""

_TIDY = 10 * BATCH
"""Sites between two collections: the command line switches collection off, and memory stays flat by these."""


def run(sources: Sequence[Source], options: Options, jobs: int, done: Callable[[int], None]) -> list[Outcome]:
    """Compile the sources and write or compare their outputs, in their order. `done` hears how many are ready."""
    jobs = min(jobs, len(sources) or 1)
    if jobs > 1:
        from jhecfg.fleet.workers import spread

        size = max(1, min(BATCH, len(sources) // (4 * jobs)))  # so that the last batches end at about the same time
        return spread(sources, size, options, jobs, done)
    outcomes = list[Outcome]()
    for start in range(0, len(sources), BATCH):
        outcomes += run_batch(sources[start : start + BATCH], options)
        done(len(outcomes))
        if len(outcomes) % _TIDY == 0:
            # What outlives one collection (imports, sources, outcomes) stays to the end: no need to look at it again.
            gc.collect()
            gc.freeze()
    return outcomes
