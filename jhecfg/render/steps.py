"""The few shapes that a page of steps is made of: a step, a block of shell, text and code that cannot break out."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from functools import lru_cache

__all__ = ["bash", "block", "code", "command", "identifier", "one_line", "quote", "step", "table", "text", "words"]

# What is markup anywhere in a line, and what is only at its start: a heading, a quote, a list.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~$&])")
_AT_START = re.compile(r"^([-+#=:]|[0-9]+(?=[.)]))")
_TICKS = re.compile(r"`+")
_SPACE = re.compile(r"\s+")
# Controls, zero-width and bidirectional formatting: a reader would see another text than the one that is there.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")

quote = lru_cache(maxsize=4096)(shlex.quote)
"""Quote a word for the shell; remembered, since a page says the same words again and again."""


def step(title: str, *parts: str) -> str:
    """Return a step with its box to tick. Parts stand at the margin, so that they can be copied from the file too."""
    return "\n\n".join((f"- [ ] {title}", *parts))


def bash(*lines: str) -> str:
    """Return a block of shell. Values in it went through `quote`; no line of it can end the block."""
    return block("bash", "\n".join(lines))


def block(language: str, body: str) -> str:
    """Return a fenced block whose fence is longer than any run of backticks in it."""
    fence = "`" * max(3, _longest_ticks(body) + 1)
    return f"{fence}{language}\n{body}\n{fence}"


def command(*words: str) -> str:
    """Return one shell command from words that are quoted already, one long option a line where it gets long."""
    line = " ".join(words)
    if len(line) <= 110:
        return line
    return " \\\n  ".join(_by_option(words))


def _by_option(words: Iterable[str]) -> list[str]:
    lines: list[str] = []
    for word in words:
        if lines and not word.startswith("-"):
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def one_line(value: str) -> str:
    """Return a value on one line, with a mark in the place of every character that cannot be seen."""
    return _HIDDEN.sub("\ufffd", _SPACE.sub(" ", value)).strip()


@lru_cache(maxsize=4096)
def code(value: str) -> str:
    """Return a value as inline code, whatever it holds."""
    value = one_line(value)
    ticks = "`" * (_longest_ticks(value) + 1)
    pad = " " if value.startswith("`") or value.endswith("`") or not value else ""
    return f"{ticks}{pad}{value}{pad}{ticks}"


@lru_cache(maxsize=4096)
def text(value: str) -> str:
    """Return a value as Markdown text on one line: whatever could be markup or HTML is escaped."""
    line = _SPECIAL.sub(r"\\\1", one_line(value))
    return _AT_START.sub(_escaped_start, line)


def _escaped_start(match: re.Match[str]) -> str:
    # A number cannot be escaped itself; as an entity it is a digit all the same, and no list.
    return f"&#{ord(match[0][0])};{match[0][1:]}" if match[0][0].isdigit() else f"\\{match[0]}"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table; a bar in a cell would end it, and is escaped where it is not yet."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(cell: str) -> str:
    return re.sub(r"(?<!\\)\|", r"\\|", cell) if "|" in cell else cell


def words(items: Iterable[str]) -> str:
    """Return `a, b and c`."""
    every = list(items)
    return " and ".join([", ".join(every[:-1]), every[-1]]) if len(every) > 1 else "".join(every)


def identifier(name: str) -> str:
    """Return a name as an SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def _longest_ticks(value: str) -> int:
    return max(map(len, _TICKS.findall(value))) if "`" in value else 0
