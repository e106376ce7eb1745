"""The list of mutants that need not be killed: what it says is still there, and why."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from tests.tools import ROOT

KINDS = {
    "equivalent": "nobody can tell the difference",
    "speed": "the result is the same, later or sooner",
    "system": "runs on another system only, or says what this one never does",
    "net": "a second line behind one that has a test",
    "words": "of an error that only developers see",
}
ENTRIES = tomllib.loads((ROOT / "tests/mutation/survivors.toml").read_text(encoding="utf-8"))["survivor"]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry["function"])
def test_an_explained_survivor_is_still_in_the_code(entry: dict[str, Any]) -> None:
    """Its function exists, its line stands there, and it has a kind and a reason."""
    *modules, last = entry["function"].removeprefix("jhecfg.").split(".")
    while not (path := ROOT / "jhecfg" / "/".join(modules)).with_suffix(".py").exists() and not path.is_dir():
        modules.pop()
    file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
    text = "\n".join(line.strip() for line in file.read_text(encoding="utf-8").splitlines())
    assert f"def {last}(" in text
    assert entry.get("was", "") in text
    assert entry["kind"] in KINDS
    assert len(entry["why"]) > 10
    assert entry.keys() <= {"function", "was", "now", "kind", "why"}
