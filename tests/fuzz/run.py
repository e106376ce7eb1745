"""Run: fuzz one target, or all of them, and say what was done.

    python -m tests.fuzz.run reader --runs 500              from the seeds alone: the same run every time
    python -m tests.fuzz.run all --seconds 300 --corpus .fuzz    what `make fuzz` does: the corpus is kept in between

What is found is written as a case into tests/fuzz/found/<target>/, one for each place where it was noticed, and the
run goes on: mend it and commit both. A crash or a hang of the process itself leaves libFuzzer's bytes there;
`--case FILE` turns them into a case. Exit code 1 if anything was found.

Runs in the project's own environment; atheris comes from .tools/fuzz (`make tools`).
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import os
import re
import resource
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parent.parent.parent
FOUND = Path(__file__).parent / "found"
NAMES = ("reader", "spec", "change", "printer", "sealed", "records", "words", "drafts")
MOST = 20
"""So many findings, and a run ends."""

SPARSE = 8
"""A short run begins with one seed in so many; all of them are judged by tests of their own."""

LIMITS = ("-timeout=120", "-rss_limit_mb=2048", "-verbosity=0", "-report_slow_units=1000", "-handle_term=0")


def site_packages() -> str:
    """Return the folder that holds atheris, or nothing."""
    return next(map(str, (ROOT / ".tools" / "fuzz").glob("lib/python*/site-packages")), "")


def main(words: Sequence[str]) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Fuzz one target, or all.")
    parser.add_argument("target", choices=(*NAMES, "all"))
    parser.add_argument("--runs", type=int, default=0, help="inputs to try; the same ones every time")
    parser.add_argument("--seconds", type=int, default=180, help="CPU seconds to try, for each target")
    parser.add_argument("--corpus", type=Path, help="folder that keeps inputs between runs")
    parser.add_argument("--case", type=Path, help="turn libFuzzer's bytes into a case, and judge it")
    asked = parser.parse_args(words)
    if asked.target == "all":
        return max(one_process(name, words) for name in NAMES)
    sys.path.append(site_packages())
    if asked.case:
        from_bytes(asked.target, asked.case)
        return 0
    fuzz(asked.target, asked.runs, asked.seconds, asked.corpus)
    return 0


def one_process(name: str, words: Sequence[str]) -> int:
    """Fuzz one target in a process of its own, and print its figures."""
    command = [sys.executable, "-m", "tests.fuzz.run", name, *(word for word in words if word != "all")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, errors="replace")
    log = done.stdout + done.stderr
    for line in re.findall(r"^(?:FOUND|FIGURES) .*$", log, re.MULTILINE):
        print(line, flush=True)
    if done.returncode not in (0, 1):
        print(f"{name} ended with {done.returncode}\n{log[-4000:]}", flush=True)
    return 1 if done.returncode else 0


def fuzz(name: str, runs: int, seconds: int, corpus: Path | None) -> None:
    """Fuzz one target until so many inputs or CPU seconds are used up; the process ends with it."""
    import atheris  # type: ignore[import-not-found, unused-ignore] - in an environment of its own

    followed = [] if runs else modules(name)  # a short run is over before its modules would be prepared
    with atheris.instrument_imports(include=followed or ["nothing"], enable_loader_override=False):
        target = importlib.import_module(f"tests.fuzz.{name}").TARGET
        target.judge(next(iter(target.seeds())))  # imports what is imported late
    folders = folders_of(name, target, corpus, one_in=SPARSE if runs else 1)
    findings = Findings(name, target, runs, seconds, folders[0])
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    options = [*LIMITS, "-seed=1", f"-max_len={target.longest}", f"-artifact_prefix={FOUND / name}/"]
    atheris.Setup([sys.argv[0], *options, *map(str, folders)], findings.take)
    atheris.Fuzz()


def modules(name: str) -> list[str]:
    """Return the modules whose branches are followed; read from the target's text, for an import comes too late."""
    text = Path(__file__).with_name(f"{name}.py").read_text(encoding="utf-8").rpartition("\nTARGET =")[2]
    return re.findall(r'"(jhecfg[.\w]*)"', text)


def folders_of(name: str, target: Any, corpus: Path | None, one_in: int) -> list[Path]:
    """Write the seeds and what was found before, and return the folders that libFuzzer reads; it writes the first."""
    import tempfile

    kept = corpus.resolve() / name if corpus else Path(tempfile.mkdtemp(prefix="jhecfg-fuzz-"))
    seeds = Path(tempfile.mkdtemp(prefix="jhecfg-fuzz-seeds-"))
    kept.mkdir(parents=True, exist_ok=True)
    for case in (*[*target.seeds()][::one_in], *(path.read_bytes() for path in cases(name))):
        if len(case) < target.longest:
            (seeds / hashlib.sha256(case).hexdigest()[:16]).write_bytes(b"=" + case)
    if target.draw is not bytes:
        for number in range(64 // one_in):  # bytes to draw from
            stretch = b"".join(hashlib.sha256(b"%d/%d" % (number, i)).digest() for i in range(4))
            (seeds / f"drawn-{number:02}").write_bytes(stretch)
    return [kept, seeds]


def cases(name: str) -> list[Path]:
    """Return the cases that were found of a target, by name."""
    return sorted(
        path
        for path in (FOUND / name).glob("*")
        if not path.name.startswith(("crash-", "timeout-", "oom-", "slow-unit-"))
    )


class Findings:
    """What a run found: each kind once, by where it was noticed."""

    def __init__(self, name: str, target: Any, runs: int, seconds: int, corpus: Path) -> None:
        """Begin with none."""
        self.name = name
        self.target = target
        self.runs = runs
        self.seconds = seconds
        self.corpus = corpus
        self.start = time.process_time()
        self.done = 0
        self.known: set[str] = set()
        signal.signal(signal.SIGTERM, self.stop)

    def stop(self, signum: int, frame: FrameType | None) -> None:
        """End after this input."""
        self.runs = self.done

    def take(self, data: bytes) -> None:
        """Judge one input of the fuzzer's."""
        from tests.fuzz.target import bounded

        case, self.done = b"", self.done + 1
        try:
            case = self.target.case(data)
            bounded(self.target.judge, case)
        except Exception as error:
            self.keep(case, error)
        used = time.process_time() - self.start
        if 0 < self.runs <= self.done or (not self.runs and used > self.seconds) or len(self.known) >= MOST:
            self.end(used)

    def end(self, seconds: float) -> None:
        """Say what was done, and end the process, as libFuzzer does."""
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
        kept = len(list(self.corpus.iterdir()))
        figures = f"{self.done:,} inputs, {seconds:.0f} CPU seconds, {self.done / max(seconds, 0.01):,.0f} a second"
        print(f"FIGURES {self.name}: {figures}, corpus {kept:,}, peak {peak} MiB, found {len(self.known)}", flush=True)
        sys.stderr.flush()
        os._exit(1 if self.known else 0)

    def keep(self, case: bytes, error: Exception) -> None:
        """Write a case, unless one like it was found in this run."""
        where = " < ".join(
            f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[:-5:-1]
        )
        kind = f"{type(error).__name__}: {str(error)[:120] if isinstance(error, AssertionError) else ''} at {where}"
        if kind in self.known:
            return
        self.known.add(kind)
        path = FOUND / self.name / f"{hashlib.sha256(case).hexdigest()[:12]}{self.target.ending}"
        path.write_bytes(case)
        print(f"FOUND {path.relative_to(ROOT)}: {kind}", file=sys.stderr, flush=True)


def from_bytes(name: str, path: Path) -> None:
    """Turn libFuzzer's bytes into a case beside them, and judge it."""
    target = importlib.import_module(f"tests.fuzz.{name}").TARGET
    case = target.case(path.read_bytes())
    path.with_name(f"{hashlib.sha256(case).hexdigest()[:12]}{target.ending}").write_bytes(case)
    target.judge(case)


if __name__ == "__main__":
    os.environ.setdefault("JHECFG_NO_CACHE", "1")
    sys.exit(main(sys.argv[1:]))
