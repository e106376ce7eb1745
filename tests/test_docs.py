"""The documentation: what is output is what the tool prints today, and what is written by hand names what exists."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from jhecfg.cli import app
from jhecfg.pipeline import documentation
from tests.tools import ROOT
from tools import make_docs
from tools.page_blocks import blocks, is_run

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "examples" / "README.md"])
COMMANDS = [str(command.callback.__name__) for command in app.registered_commands if command.callback]
GROUPS = [str(group.typer_instance.info.name) for group in app.registered_groups if group.typer_instance]
RUN = [name for name in make_docs.pages() if any(map(is_run, blocks((ROOT / name).read_text(encoding="utf-8"))))]


@pytest.mark.parametrize("name", make_docs.MADE)
def test_a_page_of_reference_is_what_would_be_made(name: str) -> None:
    """Spec, rules, commands and schema show what jhecfg is today; tools/make_docs.py writes them."""
    assert (ROOT / name).read_text(encoding="utf-8") == make_docs.document(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", RUN)
def test_a_page_shows_what_its_commands_print(name: str) -> None:
    """Each session, file and output on a page is what a reader sees who follows it; tools/make_docs.py writes them."""
    assert (ROOT / name).read_text(encoding="utf-8") == make_docs.document(name)


def test_every_code_is_documented() -> None:
    """docs/rules.md has a heading for each code that can be printed, once, and its index each of them."""
    page = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
    assert sorted(re.findall(r"^### (\S+)$", page, re.MULTILINE)) == sorted(documentation())
    index = page[page.index("| topic | codes |") : page.index("\n## ")]
    assert sorted(re.findall(r"\[`(\S+)`\]", index)) == sorted(documentation())


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


def test_the_picture_of_the_pipeline_names_what_there_is() -> None:
    """Each file and folder in the picture of docs/architecture.md is one of the package."""
    picture = blocks((ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"))[0].body
    named = set(re.findall(r"[a-z]+(?:\.py|/)(?=[\s,)])", picture.replace("specs/x.yaml", "")))
    assert len(named) > 10
    assert [name for name in sorted(named) if not (ROOT / "jhecfg" / name).exists()] == []


def test_the_number_of_defects_is_the_one_that_pages_say() -> None:
    """docs/defects.md has as many rows as other pages say."""
    rows = re.findall(r"^\| [A-Z]+\d+ \|", (ROOT / "docs" / "defects.md").read_text(encoding="utf-8"), re.MULTILINE)
    said = [found for page in PAGES for found in re.findall(r"(\d+) places", page.read_text(encoding="utf-8"))]
    assert said
    assert set(said) == {str(len(rows))}
