"""No block of a page stands there unverified: it is run, or read by a test, or says why not."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhecfg.diagnostics import Severity
from jhecfg.pipeline import compile_source
from jhecfg.sealed.forms import ENCRYPTED_REGEX
from jhecfg.source import load
from tests.shell import commands, unknown_options, unknown_words
from tests.tools import ROOT, find, need
from tools import make_docs
from tools.page_blocks import Block, blocks, is_run, like, refreshed

PAGES = make_docs.pages()
SHELL = ("bash", "shell")


def text_of(name: str) -> str:
    """Return a page."""
    return (ROOT / name).read_text(encoding="utf-8")


def marked(*marks: str) -> list[Any]:
    """Return every block with one of these marks, as parameters of a test."""
    found = [(name, block) for name in PAGES for block in blocks(text_of(name)) if block.mark in marks]
    return [pytest.param(block, id=f"{name}:{block.line}") for name, block in found]


def scripts() -> Iterator[Any]:
    """Yield every shell text of the pages that is not run: blocks, and the steps of workflows."""
    for name in PAGES:
        for block in blocks(text_of(name)):
            if block.language in SHELL and not is_run(block):
                yield pytest.param(block.body, id=f"{name}:{block.line}")
            if block.mark == "steps":
                for index, step in enumerate(steps(yaml.safe_load(block.body))):
                    yield pytest.param(step, id=f"{name}:{block.line}:{index}")


def steps(tree: Any) -> Iterator[str]:
    """Yield the shell texts of a workflow, or of steps of one: `run` of GitHub Actions, `script` of GitLab."""
    if isinstance(tree, list):
        for item in tree:
            yield from steps(item)
    elif isinstance(tree, dict):
        for key, value in tree.items():
            if key == "run":
                yield value
            elif key == "script":
                yield from value
            else:
                yield from steps(value)


@pytest.mark.parametrize("name", PAGES)
def test_no_block_stands_unverified(name: str) -> None:
    """Each block is run, is a shell text that is checked, or has a comment that tools/page_blocks.py describes."""
    page = text_of(name)
    known = blocks(page)
    silent = [
        f"{name}:{block.line}: ```{block.language}: put one of the comments of tools/page_blocks.py above it"
        for block in known
        if not (is_run(block) or block.language in SHELL or block.mark in ("spec", "steps", "checked", "shown"))
    ]
    assert silent == []
    assert [f"{name}: {block.words}" for block in known if block.mark == "shown" and len(block.words.split()) < 4] == []
    # Whatever begins like a block is one of those: none is indented, or fenced otherwise.
    assert len(re.findall(r"^\s*(?:```|~~~)", page, re.MULTILINE)) == 2 * len(known)


@pytest.mark.parametrize("script", [*scripts()])
def test_a_shell_text_parses_and_its_commands_exist(script: str) -> None:
    """`bash -n` takes it; each command and option of jhecfg in it exists, and those of kubectl, helm, aws and eksctl."""
    done = subprocess.run([need("bash"), "-n"], input=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    plain = re.sub(r"\$\{\{.*?\}\}", "x", re.sub(r"(?m)(^|\s)#.*$", "", script))
    for words in commands(f"```bash\n{plain}\n```\n"):
        if words[:1] == ["kubectl"] and find("kubectl") is None:
            need("kubectl")
        assert unknown_options(words, find("kubectl") or "") == set(), words
        if words[:1] == ["make"]:
            assert re.search(rf"^{words[1]}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE), words


@pytest.mark.parametrize("name", PAGES)
def test_commands_in_prose_exist(name: str) -> None:
    """`jhecfg …` in a sentence names a command, and options, that there are."""
    prose = re.sub(r"^```.*?^```$", "", text_of(name), flags=re.MULTILINE | re.DOTALL)
    for code in re.findall(r"`(jhecfg [^`\n]+)`", prose):
        assert unknown_words(code.split()[1:]) == set(), code


def test_the_commands_of_a_workflow_are_found() -> None:
    """Wherever they stand in it."""
    assert [*steps({"jobs": {"x": {"steps": [{"uses": "y"}, {"run": "a"}]}}, "y": {"script": ["b", "c"]}})] == [
        "a",
        "b",
        "c",
    ]


def test_what_does_not_exist_is_found() -> None:
    """The check of commands knows a wrong command, a wrong option, and a right one of each depth."""
    assert unknown_words(["biuld"]) == {"biuld"}
    assert unknown_words(["secrets", "seal", "x", "--al"]) == {"--al"}
    assert unknown_words(["secrets", "apply", "SPEC", "--context=y", "-q"]) == set()


@pytest.mark.parametrize("block", marked("spec"))
def test_a_fragment_of_a_spec_compiles(block: Block, tmp_path: Path) -> None:
    """Laid over the spec that its comment names, it has no error; what is not laid over anything is a whole spec."""
    base, fragment = ROOT / block.words, block.body
    if "apiVersion:" not in fragment:
        (tmp_path / "base.yaml").write_bytes(base.read_bytes())
        fragment = f"apiVersion: jhecfg/v1\nextends: base.yaml\n{fragment}"
    (tmp_path / "spec.yaml").write_text(fragment, encoding="utf-8")
    said = compile_source(load(tmp_path / "spec.yaml", name="spec.yaml"), "builtin").diagnostics
    assert [each for each in said if each.severity is Severity.ERROR] == []


@pytest.mark.parametrize("block", marked("checked"))
def test_the_test_that_reads_a_block_exists(block: Block) -> None:
    """`checked: tests/test_x.py::test_y` names a test."""
    path, _, test = block.words.partition("::")
    assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8")


def test_hooks_of_pages_are_those_of_the_repository() -> None:
    """What a page puts into .pre-commit-config.yaml is in .pre-commit-hooks.yaml."""
    there = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    named = {found for name in PAGES for found in re.findall(r"^ +- id: (\S+)$", text_of(name), re.MULTILINE)}
    assert named == there


def test_the_rules_for_sops_are_those_that_files_are_held_to() -> None:
    """A file that sops writes by the rules of docs/secrets.md is one that jhecfg takes."""
    (rules,) = (
        yaml.safe_load(block.body) for block in blocks(text_of("docs/secrets.md")) if ".sops.yaml" in block.body
    )
    (rule,) = rules["creation_rules"]
    assert rule.pop("age").startswith("age1")
    assert rule == {"encrypted_regex": ENCRYPTED_REGEX, "mac_only_encrypted": True}


# --- the machinery itself ---------------------------------------------------------------------------------------------


def test_a_session_that_prints_something_else_is_written_anew() -> None:
    """What a command prints stands below it; a gap stays where it was, and what is around it is renewed."""
    page = "```console\n$ printf 'a\\nb\\nc\\nd\\ne\\n' | cat\nold\n…\nd\n…\n```\n"
    assert refreshed(page) == page.replace("old", "a")
    assert like(["…", "x", "y"], ["1", "2", "3"], "c") == ["…", "2", "3"]
    with pytest.raises(AssertionError, match="'gone', after a gap, is no line"):
        like(["a", "…", "gone", "…"], ["a", "b"], "c")


def test_a_session_remembers_where_it_is() -> None:
    """A folder that a command enters is where the next one runs, also in the next block."""
    page = "```console\n$ mkdir deep && cd deep\n```\n\n```console\n$ cd .. && ls\ndeep\n```\n"
    assert refreshed(page) == page


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("```console\n$ cat nothing\n```\n", "exit code 1"),
        ("<!-- exits: 1 -->\n```console\n$ ls\n```\n", "exit code 0"),
        ("```console\n$ pwd\n```\n", "shows a path of the machine"),
        ("```console\nls\n```\n", "begins with a command"),
        ("```console\n$ ls\n```\n\n<!-- do: cat nothing -->\n", "exit code 1"),
    ],
)
def test_what_a_page_cannot_show_is_refused(page: str, why: str) -> None:
    """A command that fails unannounced, a path of this machine, a session without a command."""
    with pytest.raises(AssertionError, match=why):
        refreshed(page)
