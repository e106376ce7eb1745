"""Blocks of Markdown pages that are output: run again, and written as they should be.

A ```console block is a session: each line that begins with `$ ` is run, what stands below it is what it prints. A line
of `…` stands for lines left out: what is above it keeps its number of lines, what is below it is found by its first
line (the last part: counted from the end). All of a page runs in one fresh folder, in order, each page by itself.

A comment on the line above a fenced block says what else the block is, or what is done without showing it:

    <!-- exits: 1 -->                                  the last command of the session exits so; all others with 0
    <!-- answers: jhe.example.org | | yes -->          the session's command asks on a terminal, and is answered so
    <!-- file: site.yaml -->                           the block is written into that file
    <!-- run: jhecfg check -q site.yaml -->            the block is what the command prints
    <!-- run: jhecfg plan site.yaml (until LINE) -->   the block is what it prints before that line
    <!-- tree: out/jhe-example -->                     the block is the files of a folder
    <!-- set: site.yaml "v0.0.12" "v0.0.13" -->        replaces text in that file (no block follows)
    <!-- do: jhecfg build -q site.yaml -->             runs a command that must succeed (no block follows)
    <!-- copy: site.yaml before.yaml -->               copies a file or folder, of here or the repository (no block)

Blocks that are not run are held against something else, by tests/test_page_blocks.py:

    <!-- spec: examples/02-one-hub.yaml -->            the block, laid over that spec, compiles without an error
    <!-- steps: GitHub Actions -->                     each command of this workflow is checked as a shell block is
    <!-- checked: tests/test_api.py::test_x -->        that test reads the block
    <!-- shown: REASON -->                             nothing checks it, for this reason

Blocks in `bash` or `shell` need no comment: they parse, and each command and option of jhecfg in them exists.
"""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
GAP = "…"
"""A line of a session that stands for lines left out."""

_PART = re.compile(
    r"^<!-- (?P<quiet>set|copy|do): (?P<what>.+?) -->\n"
    r"|^(?:<!-- (?P<mark>\w+): (?P<words>.+?) -->\n)?(?P<fence>`{3,})(?P<language>\w*)\n(?P<body>.*?)^(?P=fence)\n",
    re.MULTILINE | re.DOTALL,
)
PROGRAMS = (
    "bash",
    "cat",
    "cp",
    "cut",
    "diff",
    "git",
    "grep",
    "head",
    "ls",
    "mkdir",
    "mv",
    "rm",
    "sed",
    "sort",
    "tail",
    "wc",
)
"""All that a page may run, beside jhecfg: no kubeconform is found, here and elsewhere alike."""


class Block(NamedTuple):
    """A fenced block of a page: its mark and the mark's words (or empty), its language, its text, its line."""

    mark: str
    words: str
    language: str
    body: str
    line: int


def blocks(page: str) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    return [
        Block(found["mark"] or "", found["words"] or "", found["language"], found["body"], _line(page, found))
        for found in _PART.finditer(page)
        if found["fence"]
    ]


def _line(page: str, found: re.Match[str]) -> int:
    return page.count("\n", 0, found.start("fence")) + 1


def is_run(block: Block) -> bool:
    """Say whether a block is made by running something."""
    return block.language == "console" or block.mark in ("file", "run", "tree")


def refreshed(page: str) -> str:
    """Return a page with its blocks as they should be; AssertionError where a command ends otherwise than said."""
    if not any(is_run(block) for block in blocks(page)):
        return page
    with tempfile.TemporaryDirectory(prefix="page-") as folder:
        stage = Stage(Path(folder).resolve())
        return _PART.sub(lambda found: _part(found, stage), page)


def _part(found: re.Match[str], stage: Stage) -> str:
    if found["quiet"]:
        _quietly(found["quiet"], found["what"], stage)
        return found[0]
    mark, words, body = found["mark"], found["words"], found["body"]
    if mark == "file":
        (stage.at / words).parent.mkdir(parents=True, exist_ok=True)
        (stage.at / words).write_text(body, encoding="utf-8")
    elif mark == "run":
        body = _until(words, stage)
    elif mark == "tree":
        body = tree(words, stage.at)
    elif found["language"] == "console":
        body = _session(body, mark or "", words or "", stage)
    start, end = found.span("body")
    text = body.strip("\n") + "\n"
    return found[0][: start - found.start()] + text + found[0][end - found.start() :]


def _quietly(what: str, words: str, stage: Stage) -> None:
    if what == "do":
        stage.run(words, 0)
    elif what == "copy":
        source, target = words.split()
        found = next(path for path in (stage.at / source, ROOT / source) if path.exists())
        (stage.at / target).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if found.is_dir() else shutil.copyfile)(found, stage.at / target)
    else:
        name, old, new = re.fullmatch(r'(\S+) "(.*)" "(.*)"', words).groups()  # type: ignore[union-attr] # a typo here fails loudly
        text = (stage.at / name).read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {name}"
        (stage.at / name).write_text(text.replace(old, new), encoding="utf-8")


def _until(words: str, stage: Stage) -> str:
    line, _, until = words.removesuffix(")").partition(" (until ")
    text = stage.run(line, None)
    before, found, _ = text.partition(f"\n{until}") if until else (text, True, "")
    assert found, f"{until!r} is no line of what {line} prints"
    return before


# --- sessions ---------------------------------------------------------------------------------------------------------


def _session(body: str, mark: str, words: str, stage: Stage) -> str:
    """Run a session's commands; return it with what they print now."""
    steps, parts = list(_steps(body)), []
    for index, (command, shown) in enumerate(steps):
        last = index == len(steps) - 1
        if mark == "answers" and last:
            text = stage.ask(command.removeprefix("$ "), [word.strip() for word in words.split("|")])
        else:
            text = stage.run(command.removeprefix("$ "), int(words) if mark == "exits" and last else 0)
        parts += [command, *like(shown, text.strip("\n").split("\n") if text.strip("\n") else [], command)]
    return "\n".join(parts)


def _steps(body: str) -> Iterator[tuple[str, list[str]]]:
    """Yield each command of a session, with its continuation lines, and the lines that stand below it."""
    lines = body.strip("\n").split("\n")
    assert lines[0].startswith("$ "), f"a session begins with a command, not with {lines[0]!r}"
    while lines:
        command, shown = [lines.pop(0)], []
        while command[-1].endswith("\\"):
            command.append(lines.pop(0))
        while lines and not lines[0].startswith("$ "):
            shown.append(lines.pop(0))
        yield "\n".join(command), shown


def like(shown: Sequence[str], printed: Sequence[str], command: str) -> list[str]:
    """Return what a command printed, with the gaps of what is shown.

    Raises:
        AssertionError: The first line after a gap is not among the lines that were printed.
    """
    if GAP not in shown:
        return list(printed)
    kept: list[list[str]] = [[]]
    for line in shown:
        if line == GAP:
            kept.append([])
        else:
            kept[-1].append(line)
    result, at = list(printed[: len(kept[0])]), len(kept[0])
    for part in kept[1:-1]:
        assert part[0] in printed[at:], f"{part[0]!r}, after a gap, is no line of what {command!r} prints"
        at = printed.index(part[0], at)
        result += [GAP, *printed[at : at + len(part)]]
        at += len(part)
    end = len(kept[-1])
    return [*result, GAP, *(printed[-end:] if end else [])]


class Stage:
    """A fresh folder in which the commands of one page run, with programs that are the same everywhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = self.at = folder / "work"
        programs = folder / "bin"
        self.at.mkdir()
        programs.mkdir()
        (programs / "jhecfg").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m jhecfg "$@"\n', encoding="utf-8")
        (programs / "jhecfg").chmod(0o755)
        for name in PROGRAMS:
            found = shutil.which(name)
            if found:
                (programs / name).symlink_to(found)
        self.env = {
            "PATH": str(programs),
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "init.defaultBranch",
            "GIT_CONFIG_VALUE_0": "main",
            **{f"GIT_{who}_NAME": "Ada" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_EMAIL": "ada@example.org" for who in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{who}_DATE": "2026-01-05T09:00:00Z" for who in ("AUTHOR", "COMMITTER")},
        }
        if "SYSTEMROOT" in os.environ:
            self.env["SYSTEMROOT"] = os.environ["SYSTEMROOT"]

    def run(self, command: str, code: int | None) -> str:
        """Run a command, in the folder where the one before it ended; return what it prints.

        Raises:
            AssertionError: It exits otherwise than with `code` (None: with anything but 70), or shows a path of here.
        """
        place = self.folder.parent / "place"
        done = subprocess.run(
            ["/bin/bash", "-c", f'{command}\ncode=$?\npwd -P > "{place}"\nexit $code'],
            cwd=self.at, env=self.env, text=True, timeout=300, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
        self.at = Path(place.read_text(encoding="utf-8").strip())
        good = done.returncode != 70 if code is None else done.returncode == code
        assert good, f"{command}: exit code {done.returncode}\n{done.stdout}"
        return self._clean(done.stdout, command)

    def ask(self, command: str, answers: list[str]) -> str:
        """Run a command on a terminal of its own, and answer what it asks; return all that the terminal shows."""
        ours, theirs = pty.openpty()
        child = subprocess.Popen(
            ["/bin/bash", "-c", command], cwd=self.at, env=self.env, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        seen, left = b"", list(answers)
        while part := _read(ours):
            seen += part
            if part == SILENCE:
                os.killpg(child.pid, signal.SIGKILL)
            if left and seen.endswith(b": "):
                os.write(ours, left.pop(0).encode() + b"\n")
        os.close(ours)
        assert (child.wait(300), left) == (0, []), seen.decode()
        return self._clean(seen.decode().replace("\r", ""), command)

    def _clean(self, text: str, command: str) -> str:
        assert str(self.folder) not in text, f"{command} shows a path of the machine that runs it"
        return "\n".join(line.rstrip() for line in text.split("\n"))


SILENCE = b"\n(nothing more for two minutes: an answer is missing)\n"


def _read(terminal: int) -> bytes:
    """Return what a terminal shows next; nothing where the program behind it has ended, SILENCE where it waits."""
    if not select.select([terminal], [], [], 120)[0]:
        return SILENCE
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""


def tree(path: str, folder: Path) -> str:
    """Return the files below a folder, one line for each folder that holds any."""
    holds: dict[str, list[str]] = {}
    for file in sorted((folder / path).rglob("*")):
        if file.is_file():
            holds.setdefault(file.parent.relative_to(folder / path).as_posix(), []).append(file.name)
    lines = [f"{path}/"]
    for name, files in sorted(holds.items(), key=lambda each: (each[0] != ".", each[0])):
        label = "" if name == "." else f"{name}/"
        width = 24 if label else 0
        text = f"  {label:<{width}}" + "  ".join(files)
        lines += textwrap.wrap(
            text, 118, subsequent_indent=" " * (2 + width), break_long_words=False, break_on_hyphens=False
        )
    return "\n".join(lines)
