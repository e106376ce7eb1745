"""Outside tools that tests drive: found here, or the test is skipped by name (and fails under CI)."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DEFINITIONS = ROOT / ".tools" / "definitions"
"""The CustomResourceDefinitions that `make cluster-tools` copies."""
PLACES = (
    ROOT / ".tools" / "bin",
    ROOT / ".tools" / "cfnlint" / "bin",
    ROOT / ".tools" / "judges" / "bin",
    ROOT / ".tools" / "checkov" / "bin",
    ROOT / ".tools" / "sops" / "bin",
    ROOT / ".tools" / "site" / "bin",
    ROOT / ".tools" / "zizmor" / "bin",
    ROOT / ".tools" / "precommit" / "bin",
    ROOT / ".tools" / "bench" / "bin",
    ROOT / ".venv" / "bin",
    ROOT / "tests" / "js" / "node_modules" / ".bin",
)


def find(name: str) -> str | None:
    """Return the path of a tool that `make tools` installs, or of the one on PATH, or None."""
    path = os.pathsep.join([*(str(place) for place in PLACES), os.environ.get("PATH", "")])
    return shutil.which(name, path=path)


def need(name: str) -> str:
    """Return the path of a tool; without it skip the test by name, or fail it where CI=true."""
    found = find(name)
    if found is not None:
        return found
    message = f"{name} is absent: run `make tools`"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def optional(name: str, target: str = "cluster-tools") -> str:
    """Return the path of a tool that only an opt-in of the Makefile installs; without it skip the test, also in CI."""
    found = find(name)
    if found is None:
        pytest.skip(f"{name} is absent: run `make {target}`, an opt-in that installs and compiles for many minutes")
    return found
