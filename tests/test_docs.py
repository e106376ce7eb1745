"""The documentation: what is output is what the tool prints today, and what is written by hand names what exists."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from jhecfg.cli import app
from jhecfg.pipeline import documentation
from tests.tools import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
COMMANDS = [str(command.callback.__name__) for command in app.registered_commands if command.callback]
GROUPS = [str(group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance]


def make_docs() -> ModuleType:
    """Import the script that writes the generated pages."""
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "tools" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    """Every generated file, made now; commands in README.md are run."""
    documents: dict[str, str] = make_docs().documents()
    return documents


@pytest.mark.parametrize("name", ["README.md", "docs/spec.md", "docs/rules.md", "docs/jhecfg.schema.json"])
def test_generated_text_is_what_would_be_generated(made: dict[str, str], name: str) -> None:
    """Spec, rules, schema and the README's blocks show what jhecfg says today; tools/make_docs.py writes them."""
    assert sorted(made) == ["README.md", "docs/jhecfg.schema.json", "docs/rules.md", "docs/spec.md"]
    assert (ROOT / name).read_text(encoding="utf-8") == made[name]


def test_every_code_is_documented(made: dict[str, str]) -> None:
    """docs/rules.md has a heading for each code that can be printed, once."""
    headings = re.findall(r"^### (\S+)$", made["docs/rules.md"], re.MULTILINE)
    assert sorted(headings) == sorted(documentation())


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_of_commands_is_in_the_readme(group: str) -> None:
    """The README names every group."""
    assert f"`jhecfg {group}" in (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    """The README names every command, and every command has help."""
    assert f"`jhecfg {command}" in (ROOT / "README.md").read_text(encoding="utf-8")
    callback = next(c.callback for c in app.registered_commands if c.callback and c.callback.__name__ == command)
    assert callback.__doc__


def test_no_command_is_named_that_does_not_exist() -> None:
    """What the README and the guides show as a command is one."""
    for page in (ROOT / "README.md", ROOT / "docs" / "using.md", ROOT / "docs" / "outputs.md"):
        named = set(re.findall(r"`jhecfg ([a-z]+)", page.read_text(encoding="utf-8")))
        assert named <= {*COMMANDS, *GROUPS}, page.name


def test_the_readme_is_short_and_has_the_test_command() -> None:
    """It can be read in one sitting; `.ci/run` finds the command that it runs."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert text.count("\n") <= 150
    assert re.findall(r"^<!-- test command: `(.*)` -->$", text, re.MULTILINE) == ["make test"]
    assert text.index("<!-- speed -->") < text.index("<!-- /speed -->")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each relative link is a file or a folder of the repository; each anchor a heading of the page that it names."""
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path) if path else page
        assert there.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", there.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}, (
                target
            )


def test_decisions_are_numbered_and_short() -> None:
    """Decision records count from 0001 without a gap, each says its number and fits half a page or little more."""
    records = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [path.name[:4] for path in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    for path in records:
        text = path.read_text(encoding="utf-8")
        assert text.startswith(f"# {path.name[:4]}: ")
        assert text.count("\n") <= 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_name_files_that_exist(page: Path) -> None:
    """Paths of the package, tests, tools and specs in prose are files; a rename must reach the documentation."""
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"`((?:jhecfg|tests|tools|specs)/[\w./-]+)`", text) if page.name != "rules.md" else []
    missing = [path for path in named if not (ROOT / path).exists() and not path.startswith(("specs/x", "jhecfg/v1"))]
    assert missing == []


def test_the_layers_of_the_page_are_those_that_are_checked() -> None:
    """docs/architecture.md shows the rows that import-linter enforces."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (contract,) = config["tool"]["importlinter"]["contracts"]
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    assert "```text\n" + "\n".join(contract["layers"]) + "\n```" in page
