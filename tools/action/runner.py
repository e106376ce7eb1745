"""Runner: how a step talks to GitHub Actions: annotations, outputs, the job's summary, the event. And `jhecfg` itself.

Source: docs.github.com, "Workflow commands for GitHub Actions" and "Events that trigger workflows".
"""

from __future__ import annotations

import json
import os
import re
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from secrets import token_hex
from typing import Any, NamedTuple

SUMMARY = 1_000_000
"""Bytes of a step's summary; GitHub refuses all of it above 1,048,576."""


class Said(NamedTuple):
    """What a jhecfg command answered."""

    code: int
    out: str
    err: str


def jhecfg(*words: str) -> Said:
    """Run a jhecfg command of this checkout, in the working directory."""
    from jhecfg.cli import run

    with redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = run(list(words))
    return Said(int(code), out.getvalue(), err.getvalue())


def words(name: str) -> list[str]:
    """Return the lines of an input that is a list."""
    return [line.strip() for line in given(name).splitlines() if line.strip()]


def given(name: str) -> str:
    """Return what a step was given in its environment; "" for nothing."""
    return os.environ.get(name, "")


def event() -> dict[str, Any]:
    """Return the event that started the workflow; empty where there is none."""
    path = given("GITHUB_EVENT_PATH")
    loaded = json.loads(Path(path).read_text(encoding="utf-8")) if path and Path(path).exists() else {}
    return loaded if isinstance(loaded, dict) else {}


def log(text: str) -> None:
    """Print text in which nothing is obeyed: a diff has lines of a spec, and a line may look like a command."""
    if text.strip():
        token = token_hex(16)
        print(f"::stop-commands::{token}\n{text.rstrip()}\n::{token}::", flush=True)


def annotate(level: str, text: str) -> None:
    """Print an annotation of the job: notice, warning or error."""
    escaped = text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::{level} title=jhecfg::{escaped}", flush=True)


def output(name: str, value: str) -> None:
    """Set an output of the step; a value is one line."""
    _append("GITHUB_OUTPUT", f"{name}={' '.join(value.split())}\n")


def summarize(text: str) -> None:
    """Add Markdown to the job's summary; what is too long for it is cut, which is said."""
    data = text.encode()
    if len(data) > SUMMARY:
        text = data[:SUMMARY].decode(errors="ignore") + "\n\nThe rest is too long for a summary.\n"
    _append("GITHUB_STEP_SUMMARY", text + "\n")


def fenced(text: str) -> str:
    """Return text as a block of Markdown that nothing in it can end."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text.rstrip()}\n{fence}\n"


def _append(name: str, text: str) -> None:
    with open(os.environ[name], "a", encoding="utf-8") as file:
        file.write(text)
