"""Crash safety of the output tree: a fault at every step, then another build."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from jhecfg.tree import compare
from tests.tree_driver import NOTHING, SITE, generation, tree

ROOT = Path(__file__).parent.parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="faults are injected in a forked child"),
]


def drive(*args: str) -> subprocess.Popen[str]:
    """Start the driver."""
    command = [sys.executable, "-m", "tests.tree_driver", *args]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def faults(folder: Path, fault: str, before: int, after: int, then: int, *again: int) -> list[dict[str, str]]:
    """Return the driver's report, one row for each point where the build was broken."""
    process = drive("break", str(folder), fault, *map(str, (before, after, then, *again)))
    printed, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    report: list[dict[str, str]] = json.loads(printed)
    return report


@pytest.mark.parametrize(
    ("before", "then"),
    [(1, 2), (1, 3), (1, 1), (0, 3)],
    ids=["same-spec", "changed-spec", "back-to-the-old", "fresh-changed"],
)
def test_after_a_kill_at_any_step_the_next_build_is_right(tmp_path: Path, before: int, then: int) -> None:
    """SIGKILL at each step leaves whole files, old or new, and strangers; the next build, of any spec, ends right."""
    report = faults(tmp_path, "kill", before, 2, then)
    assert len(report) > 50
    assert [row for row in report if row["then"] != "right"] == []
    states = Counter(row["state"] for row in report)
    assert set(states) == {"old", "mix", "new"}


@pytest.mark.parametrize("then", [2, 3], ids=["same-spec", "changed-spec"])
@pytest.mark.parametrize("fault", ["kill", "full", "denied", "interrupt"])
def test_a_new_site_appears_whole_or_not_at_all(tmp_path: Path, fault: str, then: int) -> None:
    """Whatever stops its first build at whatever step, there is nothing, or all of it; the next build ends right."""
    report = faults(tmp_path, fault, NOTHING, 2, then)
    assert len(report) > 30
    assert [row for row in report if row["then"] != "right"] == []
    assert {row["state"] for row in report} == {"old", "new"}


def test_after_three_kills_in_a_row_the_next_build_is_right(tmp_path: Path) -> None:
    """Builds of three specs, each killed, leave only what the fourth knows to be ours."""
    report = faults(tmp_path, "kill", 1, 2, 5, 3, 4)
    assert len(report) > 50
    assert [row for row in report if row["then"] != "right"] == []


@pytest.mark.parametrize("fault", ["full", "denied", "interrupt"])
def test_after_an_error_at_any_step_the_next_build_is_right(tmp_path: Path, fault: str) -> None:
    """A full disk, a denied permission or Ctrl-C at each step is reported, tears nothing, and is repaired."""
    report = faults(tmp_path, fault, 1, 2, 3)
    assert len(report) > 50
    assert [row for row in report if row["then"] != "right"] == []
    assert {row["state"] for row in report} == {"old", "mix", "new"}


def test_a_full_disk_is_met_before_anything_changes(tmp_path: Path) -> None:
    """As long as new bytes are being written, every error leaves the old tree."""
    report = faults(tmp_path, "full", 1, 2, 2)
    assert {row["state"] for row in report if row["step"] in ("half write", "before create", "before fsync")} == {"old"}


def test_two_builders_take_turns(tmp_path: Path) -> None:
    """Two processes that build different specs of one site end with one of them, whole, and neither fails."""
    builders = [drive("race", str(tmp_path), str(number), "15") for number in (1, 2)]
    errors = [builder.communicate(timeout=120)[1] for builder in builders]
    assert errors == ["", ""]
    last = [generation(number) for number in (1, 2, 3, 4)]
    assert tree(tmp_path / "out") in last
    assert any(compare(tmp_path / "out", SITE, files).clean for files in last)
