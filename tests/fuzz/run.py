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
import json
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent.parent
FOUND = Path(__file__).parent / "found"
NAMES = ("reader", "spec", "change", "printer", "sealed", "records", "words", "drafts")
MOST = 20
"""So many findings, and a run ends."""

SPARSE = 8
"""A short run begins with one seed in so many; all of them are judged by tests of their own."""

LIMITS = ("-timeout=60", "-rss_limit_mb=2048", "-print_final_stats=1", "-close_fd_mask=0")


def site_packages() -> str:
    """Return the folder that holds atheris, or nothing."""
    return next(map(str, (ROOT / ".tools" / "fuzz").glob("lib/python*/site-packages")), "")


def main(words: Sequence[str]) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(description="Fuzz one target, or all.")
    parser.add_argument("target", choices=(*NAMES, "all"))
    parser.add_argument("--runs", type=int, default=0, help="inputs to try; the same ones every time")
    parser.add_argument("--seconds", type=int, default=0, help="how long to try, for each target")
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
    start = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz.run", name, *(word for word in words if word != "all")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, errors="replace")
    log = done.stdout + done.stderr
    stats = {key: int(value) for key, value in re.findall(r"^stat::(\w+):\s+(\d+)", log, re.MULTILINE)}
    seconds = time.monotonic() - start
    corpus = next(iter(re.findall(r"corp: (\d+)/", log)[::-1]), "0")
    found = re.findall(r"^FOUND (.*)$", log, re.MULTILINE)
    executions = stats.get("number_of_executed_units", 0)
    print(f"{name:8}  {executions:>9,} executions  {seconds:>6.0f} s  {executions / seconds:>6.0f}/s", end="  ")
    print(f"corpus {corpus:>5}  peak {stats.get('peak_rss_mb', 0)} MiB  findings {len(found)}", flush=True)
    print("".join(f"  {line}\n" for line in found), end="", flush=True)
    if done.returncode and not found:
        print(log[-4000:], flush=True)
    return 1 if found or done.returncode else 0


def fuzz(name: str, runs: int, seconds: int, corpus: Path | None) -> None:
    """Fuzz one target; libFuzzer ends the process."""
    import atheris  # type: ignore[import-not-found, unused-ignore] - in an environment of its own

    with atheris.instrument_imports(include=modules(name, every=not runs), enable_loader_override=False):
        target = importlib.import_module(f"tests.fuzz.{name}").TARGET
        target.judge(next(iter(target.seeds())))  # imports what is imported late
    findings = Findings(name, target)
    folders = [str(folder) for folder in folders_of(name, target, corpus, one_in=SPARSE if runs else 1)]
    (FOUND / name).mkdir(parents=True, exist_ok=True)
    bounds = [f"-runs={runs}"] if runs else [f"-max_total_time={seconds or 180}"]
    options = [*LIMITS, *bounds, "-seed=1", f"-max_len={target.longest}", f"-artifact_prefix={FOUND / name}/"]
    atheris.Setup([sys.argv[0], *options, *folders], findings.take)
    atheris.Fuzz()


def modules(name: str, *, every: bool) -> list[str]:
    """Return the modules whose branches are followed: all, or those that a target names, which is read from its text."""
    if every:
        return ["jhecfg"]
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
    return sorted(path for path in (FOUND / name).glob("*") if not path.name.startswith(("crash-", "timeout-", "oom-")))


class Findings:
    """What a run found: each kind once, by where it was noticed."""

    def __init__(self, name: str, target: Any) -> None:
        """Begin with none."""
        self.name = name
        self.target = target
        self.known: set[str] = set()

    def take(self, data: bytes) -> None:
        """Judge one input of the fuzzer's."""
        from tests.fuzz.target import bounded

        case = b""
        try:
            case = self.target.case(data)
            bounded(self.target.judge, case)
        except Exception as error:
            self.keep(case, error)

    def keep(self, case: bytes, error: Exception) -> None:
        """Write a case, unless one like it was found in this run."""
        where = " < ".join(f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)[:-5:-1])
        kind = f"{type(error).__name__}: {str(error)[:120] if isinstance(error, AssertionError) else ''} at {where}"
        if kind in self.known:
            return
        self.known.add(kind)
        path = FOUND / self.name / f"{hashlib.sha256(case).hexdigest()[:12]}{self.target.ending}"
        path.write_bytes(case)
        print(f"FOUND {path.relative_to(ROOT)}: {kind}", file=sys.stderr, flush=True)
        if len(self.known) >= MOST:
            raise error


def from_bytes(name: str, path: Path) -> None:
    """Turn libFuzzer's bytes into a case beside them, and judge it."""
    target = importlib.import_module(f"tests.fuzz.{name}").TARGET
    case = target.case(path.read_bytes())
    path.with_name(f"{hashlib.sha256(case).hexdigest()[:12]}{target.ending}").write_bytes(case)
    target.judge(case)


if __name__ == "__main__":
    os.environ.setdefault("JHECFG_NO_CACHE", "1")
    sys.exit(main(sys.argv[1:]))
