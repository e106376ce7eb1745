"""Writing: plain values as text, on one line or in lines of their own, as the file around them is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from jhecfg.emit import scalar


class Style(NamedTuple):
    """How a file is written, in spaces: to a mapping below its key, to a list's dash, from there to its item."""

    step: int = 2
    dash: int = 2
    gap: int = 1


def inline(value: Any, *, quotes: str = "", flow: bool = True) -> str:
    """Write a value on one line. Text wears `quotes`, if they will do; in a flow a comma needs some."""
    if isinstance(value, dict):
        return "{" + ", ".join(pair(key, item, quotes) for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item, quotes=quotes) for item in value) + "]"
    text = scalar(value)
    if not isinstance(value, str) or text[0] == quotes:
        return text
    bare = text == value
    if quotes == "'" and "'" not in value and (bare or text == f'"{value}"'):
        return f"'{value}'"
    return f'"{value}"' if bare and (quotes == '"' or (flow and "," in value)) else text


def pair(key: str, value: Any, quotes: str) -> str:
    """Write `key: value` for braces."""
    return f"{inline(key, quotes=quotes)}: {inline(value, quotes=quotes)}"


def entry(key: str, value: Any, pad: str, style: Style) -> Iterator[str]:
    """Yield the lines of a key and its value: mappings and lists of mappings get lines, the rest stays on one."""
    if isinstance(value, dict) and value:
        yield f"{pad}{scalar(key)}:"
        for inner, below in value.items():
            yield from entry(inner, below, pad + " " * style.step, style)
    elif isinstance(value, list) and any(isinstance(each, dict) and each for each in value):
        yield f"{pad}{scalar(key)}:"
        for each in value:
            yield from item(each, pad + " " * style.dash, style)
    else:
        yield f"{pad}{scalar(key)}: {inline(value, flow=isinstance(value, dict | list))}"


def item(value: Any, pad: str, style: Style) -> Iterator[str]:
    """Yield the lines of a list's item."""
    lead = f"{pad}-{' ' * style.gap}"
    if not isinstance(value, dict) or not value:
        yield lead + inline(value, flow=isinstance(value, dict | list))
        return
    deeper = " " * len(lead)
    lines = [line for key, each in value.items() for line in entry(key, each, deeper, style)]
    yield lead + lines[0][len(lead) :]
    yield from lines[1:]
