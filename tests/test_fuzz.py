"""Every fuzz target judges its seeds and all that was ever found, and takes some hundred inputs from the fuzzer.

The long run is `make fuzz`; tests/fuzz/run.py says how a finding becomes a case here.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fuzz.run import FOUND, NAMES, cases, site_packages
from tests.fuzz.target import Finding, Target, bounded
from tests.tools import ROOT

pytestmark = pytest.mark.slow

SHORT = {
    "reader": 400,
    "spec": 60,
    "change": 120,
    "printer": 300,
    "sealed": 200,
    "records": 400,
    "words": 300,
    "drafts": 40,
}
"""How many inputs the fuzzer tries of each in `make test`: a second or two."""


def target(name: str) -> Target:
    """Return a target."""
    found: Target = importlib.import_module(f"tests.fuzz.{name}").TARGET
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_is_judged_well(name: str) -> None:
    """What people write, what they get wrong, and what other readers are tested with."""
    seeds = [*target(name).seeds()]
    assert seeds
    for case in seeds:
        bounded(target(name).judge, case)


@pytest.mark.parametrize(
    "path", [path for name in NAMES for path in cases(name)], ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_what_was_found_once_is_found_no_more(path: Path) -> None:
    """A case is kept with the change that mended it."""
    bounded(target(path.parent.name).judge, path.read_bytes())


@pytest.mark.parametrize("name", NAMES)
def test_the_fuzzer_finds_nothing_in_a_moment(name: str) -> None:
    """Some hundred inputs, the same ones every time."""
    if not site_packages():
        message = "atheris is absent: run `make tools`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    command = [sys.executable, "-m", "tests.fuzz.run", name, "--runs", str(SHORT[name])]
    before = {*(FOUND / name).glob("*")}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300, errors="replace")
    for new in {*(FOUND / name).glob("*")} - before:  # what a test finds is said, and kept by `make fuzz`
        new.unlink()
    assert f"FIGURES {name}: {SHORT[name]} inputs" in done.stdout, done.stdout[-500:] + done.stderr[-2000:]
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_finding_is_noticed() -> None:
    """The bounds are real: an input that takes its time or its memory is a finding."""

    def slow(case: bytes) -> None:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass

    def large(case: bytes) -> None:
        kept = b"x" * (400 << 20)
        del kept

    for judge in (slow, large):
        with pytest.raises(Finding):
            bounded(judge, b"", seconds=0.1)
