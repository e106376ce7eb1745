"""Write jhecfg/completion/table.py: the commands and options of the command line, for shells to complete.

    python tools/make_completion.py

A shell that completes a word must not wait until typer and the commands are imported. `make docs` writes it too.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import typer  # noqa: E402 - found through the line above, as is what follows

from jhecfg.cli import app  # noqa: E402
from jhecfg.draft import Draft  # noqa: E402
from jhecfg.draft.questions import QUESTIONS  # noqa: E402

TABLE = ROOT / "jhecfg" / "completion" / "table.py"
KINDS = {
    "SPEC": "spec", "FILE": "file", "[FILE]": "file", "DIR": "folder", "REV": "revision", "WHAT": "what",
    "KEY=VALUE": "change", "KEY": "key",
}  # fmt: skip
"""What a metavar stands for; all else is text that only its author knows."""
_HEAD = '''"""Table: the commands, their options and arguments. Written by tools/make_completion.py, from cli/."""
# ruff: noqa: E501 - the words are those of the commands' help

from __future__ import annotations

from typing import NamedTuple


class Option(NamedTuple):
    """An option: its words, what follows it ("" for nothing), and what it is for."""

    words: tuple[str, ...]
    kind: str
    help: str


class Command(NamedTuple):
    """A command, or a group of them: what it does, its options, and what its arguments are; the last may repeat."""

    help: str
    options: tuple[Option, ...]
    arguments: tuple[str, ...]


COMMANDS: dict[str, Command] = '''


def commands() -> dict[str, tuple[str, tuple[Any, ...], tuple[str, ...]]]:
    """Return every command by its words, "" for jhecfg itself."""
    return dict(_walk(typer.main.get_command(app), ()))


def _walk(command: Any, words: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, tuple[Any, ...], tuple[str, ...]]]]:
    options = [_option(each, words) for each in command.params if each.param_type_name == "option"]
    options.append((("--help", "-h"), "", "Show this message and exit."))
    arguments = tuple(_kind(each, words) for each in command.params if each.param_type_name == "argument")
    yield " ".join(words), ((command.help or "").strip().partition("\n")[0], tuple(options), arguments)
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, (*words, name))


def _option(option: Any, words: tuple[str, ...]) -> tuple[tuple[str, ...], str, str]:
    return tuple(option.opts), "" if option.is_flag else _kind(option, words), (option.help or "").strip()


def _kind(param: Any, words: tuple[str, ...]) -> str:
    """Return what a value is: one of a few, `a|b`, or a kind of thing, or "text"."""
    metavar = param.metavar or ""
    offered: Any = get_args(param.type_descriptor.annotation) if "Literal" in str(param.type_descriptor) else ()
    if not offered and words == ("init",):
        asked = {f"--{question.name}": question for question in QUESTIONS if question.options}
        question = next((asked[word] for word in param.opts if word in asked), None)
        offered = question.options(Draft()) if question and question.options else None
    if not offered and metavar.startswith("[") and "|" in metavar:
        offered = metavar.strip("[]").split("|")
    return "|".join(offered) if offered else KINDS.get(metavar, "text")


def text() -> str:
    """Return the module."""
    lines = [_HEAD + "{"]
    for name, (help_, options, arguments) in commands().items():
        lines += [f"    {name!r}: Command({help_!r}, ("]
        lines += [f"        Option({words!r}, {kind!r}, {said!r})," for words, kind, said in options]
        lines += [f"    ), {arguments!r}),"]
    return _formatted("\n".join([*lines, "}", ""]))


def _formatted(source: str) -> str:
    ruff = Path(sys.executable).with_name("ruff")
    command = [str(ruff), "format", "--config", str(ROOT / "pyproject.toml"), "--stdin-filename", str(TABLE), "-"]
    return subprocess.run(command, input=source, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    TABLE.write_text(text(), encoding="utf-8", newline="\n")
