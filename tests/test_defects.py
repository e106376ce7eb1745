"""docs/defects.md and the tests of its rows agree: each row has its test, each test its row, each path exists."""

from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

from jhecfg.pipeline import documentation
from tests import test_defects_application, test_defects_aws, test_defects_chart
from tests.compiled import compiled
from tests.tools import ROOT

PAGE = (ROOT / "docs" / "defects.md").read_text()
ROWS = re.findall(r"^\| ([JCHA]\d+) \| (.+) \| (.+) \| `(test_\w+)` \|$", PAGE, re.MULTILINE)
MODULES: tuple[ModuleType, ...] = (test_defects_application, test_defects_chart, test_defects_aws)
IDS = [*(f"J{n}" for n in range(1, 19)), *(f"C{n}" for n in range(1, 12)), *(f"H{n}" for n in range(1, 10))]
IDS += [f"A{n}" for n in range(1, 29)]


def row_tests() -> dict[str, object]:
    """Return the test of each row: its name begins with the row's id."""
    functions = [pair for module in MODULES for pair in inspect.getmembers(module, inspect.isfunction)]
    return {name: function for name, function in functions if re.match(r"test_[jcha]\d+_", name)}


def test_the_page_has_every_defect_once() -> None:
    """All 66 rows are there, in order, and no other."""
    assert [row[0] for row in ROWS] == IDS
    assert PAGE.count("\n| ") == len(IDS) + 2 * 4


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_row_names_its_test(row: tuple[str, str, str, str]) -> None:
    """The test of a row exists, begins with the row's id, and is expected to fail where the row is open."""
    number, _, instead, name = row
    function = row_tests()[name]
    marks = {mark.name for mark in getattr(function, "pytestmark", ())}
    assert name.startswith(f"test_{number.lower()}_")
    assert ("xfail" in marks) == instead.startswith("*Open, issue ")


def test_each_test_has_its_row() -> None:
    """No test is about a defect that the page does not list; a row may have more tests than the one it names."""
    assert {name.split("_")[1].upper() for name in row_tests()} == set(IDS)


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_each_path_and_code_exists(row: tuple[str, str, str, str]) -> None:
    """Every path that a row names is an output or a folder of outputs, every code in brackets can be printed."""
    files = compiled().files
    paths = re.findall(r"`((?:RUNBOOK\.md|(?:cluster|helm|manifests|hubs|gitops)/[\w./-]+))`", row[2])
    assert [path for path in paths if not any(file == path or file.startswith(f"{path}/") for file in files)] == []
    codes = [code for bracket in re.findall(r"\[([^\]]*)\]", row[2]) for code in re.findall(r"`([a-z-]+)`", bracket)]
    assert [code for code in codes if code not in documentation()] == []
