"""Start-up, counted: what each command must not import, and how many modules it may. Times vary, counts do not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.tools import ROOT

pytestmark = pytest.mark.slow

SPEC = """\
apiVersion: jhecfg/v1
site: lab
environment: staging
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""

# What costs more than a millisecond or two to import, and is not needed for everything.
HEAVY = frozenset(
    [
        "typer",
        "rich",
        "pydantic",
        "yaml",
        "jsonschema_rs",
        "jsonpatch",
        "cryptography",
        "ruamel",
        "asyncio",
        "email",
        "http",
        "urllib.request",
        "ssl",
        "multiprocessing",
        "concurrent.futures",
        "threading",
        "subprocess",
        "tempfile",
        "shutil",
        "importlib.metadata",
        "typing",
        "re",
        "json",
        "pathlib",
        "inspect",
        "dataclasses",
        "difflib",
        "random",
        "logging",
        "unittest",
    ]
)
LIGHT = "typing re json pathlib"
PYDANTIC = f"{LIGHT} pydantic inspect dataclasses threading importlib.metadata email shutil tempfile random"
TYPER = f"{PYDANTIC} typer subprocess difflib"  # typer 0.29 imports pydantic whenever a command has arguments
COMPILER = f"{PYDANTIC} yaml jsonschema_rs"


class Case(NamedTuple):
    """A command line, what of HEAVY it may import, and how many modules of ours at most and of others about."""

    words: str
    may: str
    ours: int
    others: int


UNCACHED = {
    "version": Case("--version", "", 3, 0),
    "build": Case("build", COMPILER, 142, 75),
    "build with options": Case("build -q --out out2 --validator builtin", COMPILER, 142, 75),
    "build in two processes": Case("build -q --jobs 2", f"{COMPILER} multiprocessing subprocess", 143, 75),
    "check": Case("check", COMPILER, 142, 75),
    "diff": Case("diff", COMPILER, 142, 75),
    "a file that is no YAML": Case("check bad.txt", f"{LIGHT} yaml", 36, 20),
    "plan": Case("plan --against specs/lab.yaml specs/lab.yaml", f"{TYPER} yaml jsonschema_rs", 181, 107),
    "explain a code": Case("explain moving-tag", TYPER, 190, 82),
    "explain a line": Case("explain specs/lab.yaml:2", f"{TYPER} yaml", 190, 103),
    "set": Case("set specs/lab.yaml image.tag=v0.0.12", f"{TYPER} yaml jsonschema_rs", 180, 107),
    "help of init": Case("init --help", TYPER, 23, 83),
    "schema": Case("schema", TYPER, 43, 83),
    "graph": Case("graph specs/lab.yaml", f"{TYPER} yaml", 147, 102),
    "secrets list": Case("secrets list specs/lab.yaml", f"{TYPER} yaml", 152, 102),
    "help": Case("--help", f"{LIGHT} typer inspect dataclasses threading shutil subprocess difflib", 23, 31),
}
CACHED = {
    "build": Case("build", "", 6, 0),
    "build with options": Case("build -q --jobs 2", "", 6, 0),
    "check": Case("check", "", 6, 0),
    "diff": Case("diff", "", 6, 0),
    "check for a program": Case("check --format json", LIGHT, 38, 0),
}

RUN = """
import sys
before = set(sys.modules)
from jhecfg.__main__ import _run
_run(sys.argv[2:])
loaded = sorted(set(sys.modules) - before)
import json
with open(sys.argv[1], "w") as file:
    json.dump(loaded, file)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two sites, built, and the cache that knows it."""
    folder = tmp_path_factory.mktemp("imports")
    (folder / "specs").mkdir()
    for name in ("lab", "test"):
        (folder / "specs" / f"{name}.yaml").write_text(SPEC.replace("lab", name))
    (folder / "bad.txt").write_text("a: [")
    loaded(folder, "build -q")
    return folder


def loaded(folder: Path, words: str, **more: str) -> frozenset[str]:
    """Return what a command line imports, beyond what Python itself does at start."""
    environment = {"XDG_CACHE_HOME": str(folder / "cache"), "PATH": os.defpath, **more}
    command = [sys.executable, "-I", "-c", RUN, str(folder / "modules.json"), *words.split()]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True, timeout=120)
    return frozenset(json.loads((folder / "modules.json").read_text()))


def cases() -> Iterator[tuple[str, Case, dict[str, str]]]:
    """Yield every command line with its name and what its environment has."""
    yield from ((f"{name}, nothing changed", case, {}) for name, case in CACHED.items())
    yield from ((name, case, {"JHECFG_NO_CACHE": "1"}) for name, case in UNCACHED.items())


@pytest.mark.parametrize(("case", "more"), [each[1:] for each in cases()], ids=[each[0] for each in cases()])
def test_a_command_imports_what_it_needs(case: Case, more: dict[str, str], folder: Path) -> None:
    """Nothing heavy that is not in the table, and no more modules than it says: raise a number with a reason."""
    modules = loaded(folder, case.words, **more)
    tops = [name.partition(".")[0] for name in modules]
    assert sorted(HEAVY & modules - set(case.may.split())) == []
    assert sum(top == "jhecfg" for top in tops) <= case.ours
    others = sum(top != "jhecfg" and top not in sys.stdlib_module_names for top in tops)
    assert others <= case.others * 1.1  # the next release of a library may have a module more


IMPORT_ALL = """
import pkgutil, sys, jhecfg
names = [m.name for m in pkgutil.walk_packages(jhecfg.__path__, "jhecfg.") if "render.files" not in m.name]
import pydantic, typer, yaml, jsonschema_rs, jsonpatch, cryptography, subprocess, multiprocessing, importlib.metadata
import yaml._yaml
seen = []
def hook(event, arguments):
    if event == "open" and isinstance(arguments[0], str):
        seen.append(arguments[0])
    if event in ("subprocess.Popen", "os.fork", "os.system", "socket.connect", "os.mkdir", "os.remove"):
        seen.append(event)
sys.addaudithook(hook)
for name in names:
    if not name.endswith("__main__"):
        __import__(name)
python = (".py", ".pyc", ".so", ".pyd", ".pth")
print([each for each in seen if not each.endswith(python) and "dist-info" not in each])
"""


def test_importing_every_module_does_no_work() -> None:
    """No file of data is read, no process started, nothing made: all that is for whoever calls."""
    command = [sys.executable, "-c", IMPORT_ALL]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout == "[]\n"
