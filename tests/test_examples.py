"""The examples compile without a warning, and their README shows each step as it is."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

import pytest

from jhecfg.pipeline import compile_source
from jhecfg.source import load
from tests.tools import ROOT

FOLDER = ROOT / "examples"
EXAMPLES = sorted(FOLDER.glob("*.yaml"))
README = FOLDER / "README.md"


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_compiles_without_a_word(path: Path) -> None:
    """What people copy has no error and no warning."""
    assert compile_source(load(path, name=path.name), "builtin").diagnostics == ()


def test_the_smallest_example_is_small() -> None:
    """A useful site takes a dozen lines."""
    assert len(EXAMPLES[0].read_text(encoding="utf-8").splitlines()) <= 12


def test_the_readme_shows_each_step_as_a_difference(update: bool) -> None:
    """The first example is shown whole, each other as what it changes in the one before; all are there, in order."""
    text = README.read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [path.name for path in EXAMPLES]
    if update:
        README.write_text(with_steps(text), encoding="utf-8", newline="\n")
    assert README.read_text(encoding="utf-8") == with_steps(text)


def with_steps(text: str) -> str:
    """Return the README with the blocks that the examples make."""
    for before, path in zip([None, *EXAMPLES], EXAMPLES, strict=False):
        block = step(before, path)
        found = re.search(
            rf"^## {re.escape(path.name)}$.*?^```(?:yaml|diff)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE
        )
        assert found is not None
        text = text[: found.start(1)] + block + text[found.end(1) :]
    return text


def step(before: Path | None, path: Path) -> str:
    """Return an example, or its difference from the one before it, without the header."""
    new = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if before is None:
        return "".join(new)
    old = before.read_text(encoding="utf-8").splitlines(keepends=True)
    lines = list(difflib.unified_diff(old, new, n=1))[2:]
    return "".join(re.sub(r"^@@.*@@$", "@@", line) for line in lines)
