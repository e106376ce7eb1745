"""Places: from a line of an output or a spec to what stands there, and from a place in an output to its line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Loc, Span
from jhecfg.explain.moves import Place
from jhecfg.layers import NAMED
from jhecfg.parse import leaves, value_at
from jhecfg.plan.trees import key_of
from jhecfg.reader import Document, Limits, read
from jhecfg.source import Source

_WIDE = Limits(bytes=64 << 20, depth=128, nodes=10_000_000, scalar=8 << 20, key=2000)
"""Our own text: it may be larger than what a person may write."""


class Output(NamedTuple):
    """One output as it would be written: its lines, and, unless it is text, where everything in it stands."""

    artifact: Artifact
    lines: tuple[str, ...]
    document: Document | None

    def span(self, line: int, name: str) -> Span:
        """Return a whole line as a span of the file with this name."""
        text = self.lines[line - 1]
        first = len(text) - len(text.lstrip()) + 1
        return Span(name, line, first, max(len(text) + 1, first + 1), text)

    def place(self, line: int) -> Place:
        """Return what stands on a line: the deepest place that begins there, or the text that goes on there."""
        if self.document is None:
            return Place(self.artifact.path, line=line)
        pointer = max(_on_line(self.document, line), key=len, default=())
        mark = self.document.values[pointer]
        inside = line - mark.line if isinstance(value_at(self.artifact.tree, pointer), str) else 0
        return Place(self.artifact.path, pointer, inside)

    def line_of(self, pointer: Loc) -> int:
        """Return the line of a place in its tree, or of the nearest thing around it; 0 where it is text."""
        if self.document is None:
            return 0
        while pointer and pointer not in self.document.values:
            pointer = pointer[:-1]
        return (self.document.keys.get(pointer) or self.document.values[pointer]).line


def output(artifact: Artifact, data: bytes) -> Output:
    """Return an output with its lines; `data` are its bytes as they would be written."""
    document = read(data, artifact.path, _WIDE) if not isinstance(artifact.tree, str) else None
    return Output(artifact, tuple(data.decode().removesuffix("\n").split("\n")), document)


def _on_line(document: Document, line: int) -> Iterator[Loc]:
    """Yield what begins on a line, or is a text that goes on there."""
    for loc, mark in document.values.items():
        start = document.keys.get(loc, mark).line
        text = isinstance(value_at(document.tree, loc), str)
        # The mark of a block of text ends at the start of the line after it.
        last = mark.end_line - (mark.end_column == 1) if text else start
        if loc and start <= line <= max(start, last):
            yield loc


_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def written_place(tree: Any, loc: Loc) -> str:
    """Write a place as people do, items of lists by their names: `spec.containers[exchange].env[SITE_URL].value`."""
    text = ""
    for part, name in zip(loc, named(tree, loc), strict=True):
        plain = isinstance(part, str) and _PLAIN.fullmatch(part)
        text += f".{part}" if plain else f"[{name}]"
    return text.removeprefix(".")


def named(tree: Any, loc: Loc) -> Loc:
    """Return a place with the names of list items, where they have some, instead of their numbers."""
    items = (value_at(tree, loc[:number]) for number in range(1, len(loc) + 1))
    return tuple(
        (key_of(item) or part) if isinstance(part, int) else part for part, item in zip(loc, items, strict=True)
    )


# --- specs ------------------------------------------------------------------------------------------------------------


class Written(NamedTuple):
    """What a line of a spec holds, in the tree that all layers make: its topmost places, and all leaves below them.

    `overruled` are places of this line that another layer says otherwise.
    """

    tops: tuple[Loc, ...]
    leaves: tuple[Loc, ...]
    overruled: tuple[Loc, ...]


def document_of(source: Source, path: str) -> int | None:
    """Return the number of the document of a spec that a file is, or None."""
    real = os.path.realpath(path)
    folder = os.path.realpath(source.path.parent)
    files = [os.path.realpath(os.path.join(folder, file)) for file in list(source.digests)[: len(source.documents)]]
    return files.index(real) if real in files else None


def written_on(source: Source, number: int, line: int, column: int) -> Written:
    """Return what a line of a spec's document holds; `column` picks one of several, 0 takes all."""
    document = source.documents[number]
    there = [loc for loc in _on_line(document, line) if loc in document.keys or not _holds(document.tree, loc)]
    if column:
        before = [loc for loc in there if _start(document, loc) <= column]
        there = [max(before or there[:1], key=lambda loc: (_start(document, loc), len(loc)))] if there else []
    tops = [loc for loc in dict.fromkeys(there) if not any(loc[:n] in there for n in range(1, len(loc)))]
    merged = {at: loc for loc, (n, at) in source.places.items() if n == number}
    locs = [merged[at] for at in tops if at in merged]
    below = [loc for loc, _ in leaves(source.tree) if any(loc[: len(top)] == top for top in locs)]
    own = [loc for loc in below if source.places[loc][0] == number] or below
    return Written(tuple(locs), tuple(own), tuple(at for at in tops if at not in merged and at != ("extends",)))


def _holds(tree: Any, loc: Loc) -> bool:
    value = value_at(tree, loc)
    return isinstance(value, dict | list) and bool(value)


def _start(document: Document, loc: Loc) -> int:
    return document.keys.get(loc, document.values[loc]).column


def chain(source: Source, loc: Loc) -> tuple[Span, ...]:
    """Return where a place is written in the spec and its bases, the one that counts first."""
    return tuple(
        document.span(document.keys.get(at, document.values[at]))
        for document in source.documents
        if (at := _in_layer(document.tree, named(source.tree, loc), loc)) in document.values and at
    )


def _in_layer(tree: Any, names: Loc, loc: Loc) -> Loc:
    """Return a place of the whole in one of its layers, where items of named lists have other numbers (-1: none)."""
    at: Loc = ()
    for part, name in zip(loc, names, strict=True):
        items = value_at(tree, at)
        if at in NAMED and isinstance(items, list):
            part = next((n for n, item in enumerate(items) if key_of(item) == name), -1)
        at = (*at, part)
    return at
