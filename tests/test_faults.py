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
        ("step by step: build, changed", 29, {"old", "mix", "new"}),
        ("step by step: build --force", 97, {"old", "mix", "new"}),
        ("step by step: set", 5, {"old", "new"}),
        ("step by step: init", 13, {"old", "mix", "new"}),
        ("step by step: import rds", 13, {"old", "new"}),
        ("step by step: secrets rotate", 17, {"old", "new"}),
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
    assert len({case["fault"] for case in cases}) >= 3


@pytest.mark.parametrize(
    ("part", "share"),
    [
        ("in the way", 0.02),
        ("streams", 0.3),
        ("lock and journal", 0.06),
        ("killed at random", 0.02),
        ("builders at once", 0.03),
        ("sets at once", 0.05),
        ("folders swapped for links", 0.05),
        ("mounts", 1),
        ("full disk", 0.03),
    ],
)
def test_what_a_machine_brings_loses_nothing(tmp_path: Path, part: str, share: float) -> None:
    """Things in the way, full disks, mounts, signals, others at work: foreign files stay, the next build completes."""
    assert wrong(faults(tmp_path, part, "--share", str(share))) == []
