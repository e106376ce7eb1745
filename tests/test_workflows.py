"""Workflows: those of this repository and those that the documentation shows are right and safe, by their own linters."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.tools import ROOT, need

pytestmark = pytest.mark.slow

SHOWN = re.findall(
    r"^```yaml\n(# \.github/workflows/[\w.-]+\n.*?)^```", (ROOT / "docs" / "ci.md").read_text(), re.M | re.S
)


@pytest.fixture
def workflows(tmp_path: Path) -> list[Path]:
    """Every workflow: the files of .github/, and the blocks of docs/ci.md that begin with the name of one."""
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        (folder / path.name).write_text(path.read_text())
    for number, text in enumerate(SHOWN):  # with a commit for COMMIT, as the page says
        (folder / f"shown-{number}.yml").write_text(text.replace("@COMMIT", f"@{'c0ffee' * 6}c0ff"))
    (tmp_path / "action.yml").write_text((ROOT / "action.yml").read_text())
    return sorted(folder.iterdir())


def test_the_documentation_shows_whole_workflows() -> None:
    """There is something to judge."""
    assert len(SHOWN) == 3


def test_actionlint_finds_nothing(workflows: list[Path], tmp_path: Path) -> None:
    """Syntax, expressions, inputs and permissions of every workflow."""
    done = subprocess.run(
        [need("actionlint"), "-no-color", "-pyflakes=", *map(str, workflows)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_zizmor_finds_nothing(workflows: list[Path], tmp_path: Path) -> None:
    """Injection, permissions, pins, credentials: of action.yml and of every workflow, without the network."""
    done = subprocess.run(
        [
            need("zizmor"),
            "--offline",
            "--no-progress",
            "--color=never",
            "--format=plain",
            "action.yml",
            *map(str, workflows),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "No findings to report" in done.stdout
