"""The start of the command: words without options take a shorter way, which leads to the same place."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhecfg import cli
from jhecfg.commands import build as commands
from jhecfg.plain import COMMANDS, understood
from jhecfg.talk import Talk
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


# --- one table of options, two readers --------------------------------------------------------------------------------


def declared(command: str) -> dict[str, Any]:
    """Return the parameters that typer has for a command, by their names."""
    group: Any = typer.main.get_command(cli.app)
    return {each.name or "": each for each in group.commands[command].params}


@pytest.mark.parametrize("command", COMMANDS)
def test_typer_declares_the_table(command: str) -> None:
    """Every option of a command, its flags, its default and its help: as the table has them, and no others."""
    params = declared(command)
    assert params.pop("specs").nargs == -1
    assert [*params] == [option.name for option in COMMANDS[command]]
    for option in COMMANDS[command]:
        param = params[option.name]
        assert tuple(param.opts) == option.flags
        assert str(param.default) == str(option.default), option.name
        assert (getattr(param, "help", ""), getattr(param, "is_flag", False)) == (
            option.help,
            isinstance(option.default, bool),
        )
        assert not option.choices or get_args(param.type_descriptor.annotation) == option.choices


def called(run: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return what a command line passes to the commands, and how it would speak."""
    passed: list[object] = []

    def noted(specs: object, talk: Talk, asked: object, found: object = None) -> int:
        passed.extend([specs, asked, talk.style, talk.quiet])
        return 0

    for name in COMMANDS:
        monkeypatch.setattr(commands, name, noted)
    run()
    return passed


WORDS = st.sampled_from(
    [
        *(flag for options in COMMANDS.values() for option in options for flag in option.flags),
        *(
            "a.yaml",
            "specs/b.yaml",
            "2",
            "1",
            "0",
            "65",
            "007",
            "text",
            "json",
            "yaml",
            "1/2",
            "x",
            "",
            "-",
            "--",
            "-qj2",
        ),
        *(
            "--jobs=2",
            "--jobs=",
            "--out=x",
            "-j=2",
            "-j2",
            "--quiet=1",
            "--format=json",
            "--form",
            "--help",
            "-h",
            "\u0662",
        ),
    ]
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(command=st.sampled_from([*COMMANDS]), words=st.lists(WORDS, max_size=6))
def test_what_is_understood_means_what_typer_makes_of_it(
    command: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quick reader reads a command line as typer does, or leaves it to typer."""
    read = understood([command, *words])
    if read is None:
        return
    with monkeypatch.context() as patch:
        quick = called(lambda: commands.plainly(read, {}), patch)
    with monkeypatch.context() as patch:
        proper = called(lambda: cli.run([command, *words]), patch)
    assert quick
    assert quick == proper


@pytest.mark.parametrize(
    "line",
    [
        "build",
        "check a.yaml b.yaml",
        "build -q -j 2 --out x a.yaml",
        "check --jobs=2 --format json --strict",
        "diff --exit-code --shard 1/2",
    ],
)
def test_what_is_plainly_right_is_understood(line: str) -> None:
    """Commands as people and CI write them do not need typer."""
    assert understood(line.split()) is not None


@pytest.mark.parametrize(
    "line",
    ["", "plan", "--version", "build --help", "build --job 2", "build -q -q", "build --jobs 0", "build -", "build --"],
)
def test_anything_else_is_left_to_typer(line: str) -> None:
    """Other commands, help, abbreviations, repetitions, and whatever is wrong."""
    assert understood(line.split()) is None


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
