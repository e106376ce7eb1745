"""Workers: batches of sites in several processes, of which any may die.

Each worker has a pipe, gets one batch at a time, and answers with what became of it. One that dies (killed, out of
memory, a crash in a library) has taken only its batch with it: a new worker does that batch again, site by site, and
the site at which a worker dies once more is the one that is to blame. Outcomes come back in the order of the sources.
"""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import connection, get_all_start_methods, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, NoReturn

from jhecfg.fleet.batch import run_batch
from jhecfg.outcome import Options, Outcome
from jhecfg.source import Source

PATIENCE = 5.0
"""Seconds that a worker has for its own end, before it is killed."""

_TIDY = 100
"""Sites that a worker does between two collections."""


class _Task(NamedTuple):
    """Which of the sources to do; `again` after a worker died of them."""

    start: int
    stop: int
    again: bool = False


class _Worker:
    """A process with its end of the pipe, and the task that it has."""

    def __init__(self, sources: Sequence[Source], options: Options) -> None:
        """Start a process. A forked one has the imports and the sources already; elsewhere it reads them again."""
        context: Any = get_context("fork" if "fork" in get_all_start_methods() else "spawn")  # its stub lacks Process
        self.pipe, theirs = context.Pipe()
        self.process: BaseProcess = context.Process(
            target=_work, args=(theirs, self.pipe, sources, options), daemon=True
        )
        self.process.start()
        theirs.close()
        self.task: _Task | None = None

    def give(self, task: _Task) -> None:
        """Send a task; a worker that is dead already is noticed when its answer is waited for."""
        self.task = task
        try:
            self.pipe.send((task.start, task.stop))
        except OSError:
            return

    def answer(self) -> list[Outcome] | None:
        """Return what became of its task; None of a worker that died."""
        try:
            outcomes: list[Outcome] = self.pipe.recv()
        except (EOFError, OSError):
            return None
        return outcomes


def spread(
    sources: Sequence[Source], size: int, options: Options, jobs: int, done: Callable[[int], None]
) -> list[Outcome]:
    """Do the sources in so many processes, in batches; return the outcomes. `done` hears how many sites are ready."""
    todo = [_Task(start, min(start + size, len(sources))) for start in range(0, len(sources), size)]
    found: dict[int, Outcome] = {}
    gc.freeze()  # what the workers share with us stays shared: no collection writes into it
    workers = [_Worker(sources, options) for _ in range(min(jobs, len(todo)))]
    try:
        for worker in workers:
            worker.give(todo.pop(0))
        while waiting := [worker for worker in workers if worker.task is not None]:
            for worker in _ready(waiting):
                task, outcomes = worker.task, worker.answer()
                worker.task = None
                if outcomes is None and task is not None:
                    todo[:0] = _again(worker, task)
                    outcomes = [_end_of(worker, sources[task.start])] if task.again else []
                    workers[workers.index(worker)] = worker = _Worker(sources, options)
                found.update(enumerate(outcomes or (), task.start if task else 0))
                done(len(found))
                if todo:
                    worker.give(todo.pop(0))
    except BaseException:
        for worker in workers:
            _interrupt(worker.process)
        raise
    finally:
        _end(workers)
    return [found[place] for place in range(len(sources))]


def _ready(workers: Sequence[_Worker]) -> Iterator[_Worker]:
    """Wait until a worker answers or dies; yield those that did."""
    pipes: list[Any] = connection.wait([worker.pipe for worker in workers])
    return (worker for worker in workers if worker.pipe in pipes)


def _again(dead: _Worker, task: _Task) -> list[_Task]:
    """Return what is to be done once more after a worker died: its sites one by one, unless it was at that already."""
    _end([dead])
    return [] if task.again else [_Task(at, at + 1, again=True) for at in range(task.start, task.stop)]


def _end_of(dead: _Worker, source: Source) -> Outcome:
    """Say of which site a worker died."""
    code = dead.process.exitcode or 0
    by = signal.Signals(-code).name if -code in set(signal.Signals) else f"exit code {code}"
    trouble = f"{source.name}: the process that worked at it ended twice ({by}); is there enough memory?"
    return Outcome(spec=source.name, trouble=trouble)


def _interrupt(process: BaseProcess) -> None:
    """Interrupt a worker as Ctrl-C would: it leaves nothing staged."""
    if process.is_alive() and process.pid is not None:
        os.kill(process.pid, signal.SIGINT) if os.name == "posix" else process.terminate()


def _end(workers: Sequence[_Worker]) -> None:
    """Let workers go. All pipes first: a worker holds copies of those that were opened before its own."""
    for worker in workers:
        worker.pipe.close()
    for worker in workers:
        worker.process.join(PATIENCE)
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()


# --- in the worker ----------------------------------------------------------------------------------------------------


def _work(pipe: Connection, theirs: Connection, sources: Sequence[Source], options: Options) -> None:
    """Do one task after the other, until the pipe ends."""
    try:
        signal.signal(signal.SIGINT, _interrupted)
        theirs.close()  # a forked copy of the other end: while it is open, the pipe does not end with its owner
        gc.disable()  # as in `__main__`
        done = 0
        while True:
            start, stop = pipe.recv()
            pipe.send(run_batch(sources[start:stop], options))
            done += stop - start
            if done >= _TIDY:
                gc.collect()
                gc.freeze()
                done = 0
    except (EOFError, OSError, KeyboardInterrupt):
        os._exit(0)  # nothing of the parent's is ours to clean up


def _interrupted(number: int, frame: object) -> NoReturn:
    """Stop, once: Ctrl-C reaches every process of a terminal, and then the parent interrupts its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt
