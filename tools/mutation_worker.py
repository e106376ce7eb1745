"""A pytest plugin that tries mutants instead of running tests: `tools/mutation.py` starts it, in its copy.

All tests are collected once, by a process that runs none of them. A first round of forks runs each test under
coverage, to know which tests reach which line. Then every mutant gets a fork of its own, switched on by mutmut's
trampolines, and the tests that reach its line, the likely ones first, until one fails. What mutmut's own runner does
costs a pytest session for each mutant, and starts it with caches that the unchanged code filled.
"""

from __future__ import annotations

import functools
import gc
import importlib
import json
import os
import pkgutil
import resource
import shutil
import signal
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from mutmut.mutation.trampoline import set_mutant_under_test

EXAMPLES = 25
"""At most so many examples of each property, always the same ones."""
MEMORY = 6 << 30
"""Bytes that a fork may use."""
WAITS = 40
"""How many times as long as it may compute a test may take on the clock."""


def pytest_configure(config: pytest.Config) -> None:
    """Make properties repeatable, before any of them is read."""
    quiet = list(hypothesis.HealthCheck)
    hypothesis.settings.register_profile(
        "mutation", derandomize=True, database=None, deadline=None, suppress_health_check=quiet
    )
    hypothesis.settings.load_profile("mutation")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out slow tests, but for those that the task names; cut properties short."""
    named = tuple(json.loads(Path(os.environ["MUTATION_TASK"]).read_text(encoding="utf-8"))["slow"])
    items[:] = [item for item in items if not item.get_closest_marker("slow") or item.nodeid.startswith(named)]
    for item in items:
        test = getattr(item, "obj", None)
        used = getattr(test, "_hypothesis_internal_use_settings", None)
        if used is not None and used.max_examples > EXAMPLES:
            test._hypothesis_internal_use_settings = hypothesis.settings(used, max_examples=EXAMPLES)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Try the mutants that the task file lists; write what became of each."""
    if session.testsfailed:
        raise session.Interrupted(f"{session.testsfailed} errors during collection")
    task = json.loads(Path(os.environ["MUTATION_TASK"]).read_text(encoding="utf-8"))
    _import_everything()
    os.environ["MUTANT_UNDER_TEST"] = ""
    work = Work(session, task)
    if not work.remembered():
        work.survey()
    gc.freeze()  # forks share what is here as long as nobody touches it
    gc.disable()
    work.try_all()
    return True


def _import_everything() -> None:
    """Import what the package imports late, so that no fork has to."""
    import jhecfg

    for module in pkgutil.walk_packages(jhecfg.__path__, "jhecfg."):
        if "render.files" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)


class Fork:
    """One fork: its process and its own temporary folder."""

    def __init__(self, key: str) -> None:
        self.key = key
        self.folder = Path(tempfile.mkdtemp(prefix="mutant-"))
        self.pid = os.fork()

    def told(self) -> str:
        """Return what the process left, and remove its folder."""
        place = self.folder / "told"
        text = place.read_text(encoding="utf-8") if place.exists() else ""
        shutil.rmtree(self.folder, ignore_errors=True)
        return text


class Work:
    """A session with all its tests, and the mutants to try."""

    def __init__(self, session: pytest.Session, task: dict[str, Any]) -> None:
        self.session = session
        self.task = task
        self.items = {item.nodeid: item for item in session.items}
        self.seconds: dict[str, float] = {}
        self.old: dict[str, float] = {}  # the tests of the last time, which new ones come before
        self.reached: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.killers: dict[str, list[str]] = defaultdict(list)
        self.out = Path(task["results"])
        self.failed = False
        session.config.pluginmanager.register(self, "mutation-work")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notice a failure."""
        self.failed = self.failed or report.failed

    # Which test reaches which line.

    def remembered(self) -> bool:
        """Take the survey of the last time, where neither the code nor the tests changed."""
        place = Path(self.task["survey"])
        known = json.loads(place.read_text(encoding="utf-8")) if place.exists() else {}
        self.old = known.get("seconds", {})
        if known.get("digest") != self.task["digest"]:
            return False
        self._learn(known)
        return True

    def survey(self) -> None:
        """Run every test once, unchanged, under coverage."""
        groups: list[list[str]] = [[] for _ in range(self.task["children"])]
        for number, key in enumerate(self.items):
            groups[number % len(groups)].append(key)
        forks = []
        for group in groups:
            fork = Fork("survey")
            if fork.pid == 0:
                self._leave(fork, functools.partial(self._survey, group, fork))
            forks.append(fork)
        for fork in forks:
            _, status = os.waitpid(fork.pid, 0)
            told = fork.told()
            if status or not told:
                print(f"\nthe unchanged code cannot be run: {told or status}", flush=True)
                raise self.session.Failed("no survey")
            self._learn(json.loads(told))
        lines = {file: {n: sorted(keys) for n, keys in by.items()} for file, by in self.reached.items()}
        told_ = {"digest": self.task["digest"], "seconds": self.seconds, "failing": [], "lines": lines}
        Path(self.task["survey"]).write_text(json.dumps(told_), encoding="utf-8")
        print(f"\n{len(self.seconds)} tests take {sum(self.seconds.values()):.0f} s, one after the other", flush=True)

    def _learn(self, told: dict[str, Any]) -> None:
        self.seconds |= told["seconds"]
        for key in told["failing"]:
            print(f"\nfails without any mutant, and is left out: {key}", flush=True)
        for file, lines in told["lines"].items():
            for line, keys in lines.items():
                self.reached[file][int(line)].update(keys)

    def _survey(self, keys: list[str], fork: Fork) -> int:
        import coverage

        files = self.task["files"]
        cover = coverage.Coverage(data_file=None, config_file=False, include=[str(Path(f).resolve()) for f in files])
        contexts = _Contexts(cover)
        self.session.config.pluginmanager.register(contexts)
        cover.start()
        seconds, failing = {}, []
        caches = _caches()
        for key in keys:
            for each in caches:  # so that each test shows all that it reaches
                each.cache_clear()
            contexts.enter(key)
            began = time.process_time()
            self._run(key, None)
            contexts.leave()
            if self.failed:  # of unchanged code: it can judge nothing, and is named
                failing.append(key)
            else:
                seconds[key] = time.process_time() - began
            self.failed = False
        cover.stop()
        users = self._users(keys)
        lines: dict[str, dict[int, list[str]]] = {}
        for file in files:
            by_line = cover.get_data().contexts_by_lineno(str(Path(file).resolve()))
            lines[file] = {
                line: sorted({key for context in found for key in users.get(context, []) if key in seconds})
                for line, found in by_line.items()
            }
        told = json.dumps({"seconds": seconds, "failing": failing, "lines": lines})
        (fork.folder / "told").write_text(told, encoding="utf-8")
        return 0

    def _users(self, keys: list[str]) -> dict[str, list[str]]:
        """Return the tests behind each context: a test itself, or all tests that use a fixture."""
        users: dict[str, list[str]] = defaultdict(list)
        for key in keys:
            users[key].append(key)
            for name, found in self.items[key]._fixtureinfo.name2fixturedefs.items():  # type: ignore[attr-defined]
                for each in found:
                    users[f"{name}@{each.baseid}"].append(key)
        return users

    # Mutants.

    def try_all(self) -> None:
        """Try every mutant; write a line of JSON about each when it is known."""
        waiting = iter(self.task["mutants"])
        running: dict[int, tuple[Fork, dict[str, Any], int]] = {}
        with self.out.open("a", encoding="utf-8") as out:
            while True:
                while len(running) < self.task["children"] and (mutant := next(waiting, None)) is not None:
                    keys = self._chosen(mutant)
                    if not keys:
                        self._note(out, mutant, "no tests", "", 0.0, 0)
                        continue
                    fork = self._started(mutant, keys)
                    running[fork.pid] = (fork, mutant, len(keys))
                if not running:
                    return
                pid, status, usage = os.wait3(0)
                if pid not in running:
                    continue
                fork, mutant, count = running.pop(pid)
                killer = fork.told()
                if killer:
                    known = self.killers[mutant["function"]]
                    self.killers[mutant["function"]] = [killer, *(k for k in known if k != killer)][:5]
                self._note(out, mutant, _outcome(status), killer, usage.ru_utime + usage.ru_stime, count)

    def _note(self, out: Any, mutant: dict[str, Any], status: str, killer: str, seconds: float, tests: int) -> None:
        line = {
            "name": mutant["name"],
            "status": status,
            "killer": killer,
            "tests": tests,
            "seconds": round(seconds, 2),
        }
        out.write(json.dumps(line) + "\n")
        out.flush()

    def _chosen(self, mutant: dict[str, Any]) -> list[str]:
        """Return the tests that reach a mutant's lines, those likely to notice first, within the budget."""
        lines = self.reached[mutant["file"]]
        keys = {key for line in mutant["lines"] for key in lines.get(line, ())}
        if not keys:
            keys = {key for line in range(*mutant["span"]) for key in lines.get(line, ())}
        word = mutant["function"].rpartition(".")[2].strip("_")
        words = (word.replace("_", "-"), word)
        module = f"test_{Path(mutant['file']).stem.rstrip('s')}"
        known = {key: place for place, key in enumerate(self.killers[mutant["function"]])}

        def rank(key: str) -> tuple[int, bool, bool, bool, float]:
            far = not any(w in key for w in words)
            return known.get(key, 9), key in self.old, module not in key, far, self.seconds[key]

        chosen, spent = [], 0.0
        for key in sorted(keys, key=rank):
            spent += self.seconds[key]
            if chosen and spent > self.task["budget"]:
                break
            chosen.append(key)
        return chosen

    def _started(self, mutant: dict[str, Any], keys: list[str]) -> Fork:
        fork = Fork(mutant["name"])
        if fork.pid == 0:
            self._leave(fork, functools.partial(self._try, mutant, keys, fork))
        return fork

    def _try(self, mutant: dict[str, Any], keys: list[str], fork: Fork) -> int:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        set_mutant_under_test(mutant["name"])
        for key, following in zip(keys, [*keys[1:], None], strict=True):
            limit = max(3.0, 20 * self.seconds[key])
            signal.setitimer(signal.ITIMER_PROF, limit)
            signal.setitimer(signal.ITIMER_REAL, WAITS * limit)  # for what waits; a machine that is busy must not count
            self._run(key, following)
            if self.failed:
                (fork.folder / "told").write_text(key, encoding="utf-8")
                return 1
        return 0

    def _run(self, key: str, following: str | None) -> None:
        item = self.items[key]
        after = self.items[following] if following else None
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=after)

    def _leave(self, fork: Fork, job: functools.partial[int]) -> None:
        """Do a job as a fork, which never comes back."""
        code = 1
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for stream in (1, 2):
                os.dup2(null, stream)
            (fork.folder / "tmp").mkdir()
            self.session.config._tmp_path_factory._basetemp = fork.folder / "tmp"  # type: ignore[attr-defined]
            code = job()
        except BaseException as error:
            (fork.folder / "told").write_text(repr(error), encoding="utf-8")
        finally:
            os._exit(code)


def _outcome(status: int) -> str:
    if os.WIFSIGNALED(status):
        timeouts = (signal.SIGPROF, signal.SIGALRM)
        return "timeout" if os.WTERMSIG(status) in timeouts else "killed"
    return "killed" if os.WEXITSTATUS(status) else "survived"


class _Contexts:
    """Tells coverage whose lines run: a test's, or a fixture's, which counts for each test that uses it."""

    def __init__(self, cover: Any) -> None:
        self.cover = cover
        self.stack: list[str] = []

    def enter(self, context: str) -> None:
        self.stack.append(context)
        self.cover.switch_context(context)

    def leave(self) -> None:
        self.stack.pop()
        self.cover.switch_context(self.stack[-1] if self.stack else "")

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        self.enter(f"{fixturedef.argname}@{fixturedef.baseid}")
        try:
            return (yield)
        finally:
            self.leave()


def _caches() -> list[Any]:
    """Return what remembers results, of our functions and of the tests'."""
    found = (each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper))
    return [each for each in found if each.__module__.partition(".")[0] in ("jhecfg", "tests")]
