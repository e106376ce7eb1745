"""Whole commands under faults: a part of `make faults` that takes seconds, and always the same one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults import trace
from tests.tools import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not trace.POSSIBLE, reason="faults are injected by ptrace: Linux on x86-64"),
]


def faults(work: Path, only: str, *words: str) -> list[dict[str, object]]:
    """Run a part of `make faults` in a process without threads, which may fork; return its cases."""
    command = [sys.executable, "-m", "tests.faults", "--only", only, "--jobs", "1", "--json", *words]
    done = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=300)
    cases: list[dict[str, object]] = json.loads(done.stdout or "[]")
    assert done.returncode in (0, 1), done.stderr
    return cases


def wrong(cases: list[dict[str, object]]) -> list[object]:
    """Return what went wrong, and where."""
    return [(case["fault"], case["at"], case["step"], case["wrong"]) for case in cases if case["wrong"]]


@pytest.mark.parametrize(
    ("scene", "every", "states"),
    [
        ("step by step: build, changed", 61, {"old", "mix", "new"}),
        ("step by step: set", 7, {"old", "new"}),
        ("step by step: init", 17, {"old", "mix", "new"}),
        ("step by step: secrets rotate", 23, {"old", "mix", "new"}),
    ],
    ids=lambda value: value.removeprefix("step by step: ") if isinstance(value, str) else "",
)
def test_a_command_that_is_broken_at_a_system_call_loses_nothing(
    tmp_path: Path, scene: str, every: int, states: set[str]
) -> None:
    """SIGKILL, half a write, a full or broken disk, signals: whole files, old or new; the next run completes."""
    cases = faults(tmp_path, scene, "--every", str(every))
    assert wrong(cases) == []
    assert {case["state"] for case in cases} <= states
    assert len({case["fault"] for case in cases}) >= 2


@pytest.mark.parametrize(
    ("part", "share"),
    [
        ("in the way", 0.008),
        ("lock and journal", 0.04),
        ("sets at once", 0.03),
        ("mounts", 1),
        ("full disk", 0.02),
    ],
)
def test_what_a_machine_brings_loses_nothing(tmp_path: Path, part: str, share: float) -> None:
    """Things in the way, full disks, mounts, signals, others at work: foreign files stay, the next build completes."""
    assert wrong(faults(tmp_path, part, "--share", str(share))) == []


KILLED = """
import os, signal, sys
from jhecfg import cli
from jhecfg.fleet import workers
def die(*batch):
    os.kill(os.getpid(), signal.SIGKILL)
workers.run_batch = die
sys.exit(cli.run(["build", "--jobs", "2", "one.yaml", "two.yaml"]))
"""


def test_a_process_that_the_system_kills_is_said(tmp_path: Path) -> None:
    """Out of memory, the kernel kills processes: exit 5 with the sites that they died of, twice each, and no bug."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(
            (ROOT / "tests/base.yaml").read_text().replace("site: base", f"site: {name}")
        )
    command = [sys.executable, "-c", KILLED]
    done = subprocess.run(command, cwd=tmp_path, text=True, capture_output=True, check=False, timeout=120)
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr == (
        "one.yaml: the process that worked at it ended twice (SIGKILL); is there enough memory?\n"
        "two.yaml: the process that worked at it ended twice (SIGKILL); is there enough memory?\n"
    )
