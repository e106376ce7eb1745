"""page(): a draft as a person wants to find it: each key with its meaning, and what else there is, commented out.

Meanings and defaults are the models'. `# ` begins words; a `#` without a space stands before a line of the spec that is
left out: take it away, and the line counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.draft import Draft
from jhecfg.draft.offers import offers
from jhecfg.emit import scalar
from jhecfg.jsonschema import Schema, spec_schema
from jhecfg.render.steps import one_line

SCHEMA = "jhecfg.schema.json"
"""The file beside a spec that the modeline names: `jhecfg schema` prints it."""

_HEAD = f"""\
# yaml-language-server: $schema={SCHEMA}
# Written by `jhecfg init`; yours from now on. A line behind a `#` without a space is left out: it shows a default or an
# example, and counts once the `#` is gone."""
_WIDTH = 110


def page(draft: Draft) -> str:
    """Return the text of the spec."""
    lines = [_HEAD, *_top(draft), *_notes(draft)]
    return "\n".join(lines) + "\n"


def _top(draft: Draft) -> Iterator[str]:
    schema, offered = spec_schema(), offers(draft)
    apart = False
    for key, node in schema["properties"].items():
        if key not in draft.tree and key not in offered:
            continue
        section = "properties" in node or "items" in node
        if section or apart:
            yield ""
        apart = section
        if section:
            yield f"# {node['description']}"
        yield from _Writer(draft).entry(key, node, (), draft.tree, offered, words=not section)


def _notes(draft: Draft) -> Iterator[str]:
    if draft.notes:
        yield "\n# What the files said that this spec does not, and why:"
    for note in draft.notes:
        yield f"# - {one_line(str(note._replace(file=note.file.rpartition('/')[2])))}"
    if draft.unsaid:
        yield f"# - and {draft.unsaid} more"


class _Writer:
    """Writes one key of the spec and all below it, as lines that begin at the margin."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft

    def entry(
        self, key: str, node: Schema, above: Loc, tree: dict[str, Any], offered: dict[str, Any], *, words: bool
    ) -> Iterator[str]:
        """Yield the lines of one key of a mapping: from the tree, or else left out, from what is offered."""
        loc = (*above, key)
        meaning = str(node.get("description", "")) if words else ""
        if key in tree:
            if loc in self.draft.remarks:
                yield f"# {self.draft.remarks[loc]}"
            yield from self._said(key, node, loc, tree[key], offered.get(key), meaning)
        else:
            yield from map(_left_out, self._said(key, node, loc, offered[key], None, meaning))

    def _said(self, key: str, node: Schema, loc: Loc, value: Any, offered: Any, meaning: str) -> Iterator[str]:
        """Yield `key: value`, with its meaning behind it, or above it where the line would be too long."""
        inside = isinstance(value, dict | list) and bool(value)
        line = f"{scalar(key)}:" if inside else f"{scalar(key)}: {_leaf(value)}"
        if meaning and len(line) + len(meaning) + 2 * len(loc) < _WIDTH:
            line = f"{line} # {meaning}"
        elif meaning:
            yield f"# {meaning}"
        yield line
        if inside and isinstance(value, list):
            yield from _indented(self._items(node.get("items", {}), loc, value, offered or []))
        elif inside:
            yield from _indented(self._mapping(node, loc, value, offered or {}, words=True))

    def _mapping(
        self, node: Schema, loc: Loc, tree: dict[str, Any], offered: dict[str, Any], *, words: bool
    ) -> Iterator[str]:
        known: Schema = node.get("properties", {})
        keys = [key for key in known if key in tree or key in offered]
        for key in [*keys, *(key for key in tree if key not in known)]:
            yield from self.entry(key, known.get(key, {}), loc, tree, offered, words=words)

    def _items(self, node: Schema, loc: Loc, items: list[Any], offered: list[Any]) -> Iterator[str]:
        for index, item in enumerate(items):
            if not isinstance(item, dict):
                yield f"- {_leaf(item)}"
                continue
            more = offered[index] if index < len(offered) else {}
            first = True
            for line in self._mapping(node, (*loc, index), item, more, words=index == 0):
                counts = first and not line.startswith("#")
                yield f"- {line}" if counts else f"  {line}"
                first = first and not counts


def _leaf(value: Any) -> str:
    return "{}" if value == {} else "[]" if value == [] else scalar(value)


def _left_out(line: str) -> str:
    """Put a `#` before a line of the spec, where it begins; a line of words has one."""
    text = line.lstrip(" ")
    return line if text.startswith("#") else f"{' ' * (len(line) - len(text))}#{text}"


def _indented(lines: Iterator[str]) -> Iterator[str]:
    yield from (f"  {line}" for line in lines)
