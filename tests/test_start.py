"""The start of the command: words without options take a shorter way, which leads to the same place."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from jhecfg import cli
from jhecfg.commands import build as commands
from jhecfg.unchanged import is_plain
from tests.tools import ROOT

pytestmark = pytest.mark.slow

GOOD = """\
apiVersion: jhecfg/v1
site: lab
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""
SPECS = {"good": GOOD, "wrong": GOOD.replace("v0.0.13", "v0.0.1"), "no YAML": "site: [", "absent": None}


def said(folder: Path, *words: str) -> tuple[int, str, str, dict[str, bytes]]:
    """Run jhecfg as a process in a new folder with one spec; return exit code, stdout, stderr and what lies in out/."""
    environment = {**os.environ, "JHECFG_NO_CACHE": "1", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "jhecfg", *words]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("out/*/*") if path.is_file()
    }
    return done.returncode, done.stdout, done.stderr, files


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize("text", SPECS.values(), ids=SPECS)
def test_a_command_without_options_does_what_it_does_with_its_defaults(
    tmp_path: Path, command: str, text: str | None
) -> None:
    """Exit code, words and files are those of the command line proper, to which an option leads."""
    results = []
    for name, words in (("short", (command,)), ("proper", (command, "--format", "text"))):
        (tmp_path / name / "specs").mkdir(parents=True)
        if text is not None:
            (tmp_path / name / "specs" / "lab.yaml").write_text(text)
        results.append(said(tmp_path / name, *words))
    assert results[0] == results[1]


@pytest.mark.parametrize("command", ["build", "check"])
def test_the_shorter_way_has_the_defaults_of_the_command_line(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each argument that it passes is the default that `cli/` declares."""
    passed: dict[str, object] = {}
    proper = inspect.signature(getattr(commands, command))

    def noted(*args: object, **named: object) -> int:
        passed.update(proper.bind(*args, **named).arguments)
        return 0

    monkeypatch.setattr(commands, command, noted)
    assert commands.plainly([command]) == 0
    declared = next(c.callback for c in cli.app.registered_commands if c.callback and c.callback.__name__ == command)
    defaults = {name: each.default for name, each in inspect.signature(declared).parameters.items()}
    talk, specs = passed.pop("talk"), passed.pop("specs")
    assert (specs or None) == defaults.pop("specs")
    assert (getattr(talk, "style", None), getattr(talk, "quiet", None)) == (
        defaults.pop("style"),
        defaults.pop("quiet"),
    )
    assert passed == defaults


def test_only_words_without_options_are_plain() -> None:
    """An option, another command, or nothing at all is for the command line proper."""
    assert is_plain(["build"])
    assert is_plain(["check", "a.yaml", "b.yaml"])
    assert not any(map(is_plain, ([], ["diff"], ["--version"], ["build", "-q"], ["check", "a.yaml", "--out", "x"])))


def test_an_installed_jhecfg_has_every_library_that_it_imports() -> None:
    """Also those that a function imports when it needs them: the tests' own environment has more than a user's."""
    named = {"yaml": "PyYAML", "jsonschema_rs": "jsonschema-rs"}
    declared = {
        re.split("[<>=]", line)[0]
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    }
    imported: set[str] = set()
    for path in (ROOT / "jhecfg").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())) if "render/files" not in path.as_posix() else ():
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            imported |= {name.partition(".")[0] for name in names}
    assert {named.get(name, name) for name in imported - sys.stdlib_module_names - {"jhecfg"}} == declared
