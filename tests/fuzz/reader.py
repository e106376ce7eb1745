"""Reader: any bytes are read as every other reader reads them, or refused in place."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from typing import Any

import yaml
from ruamel.yaml import YAML

from jhecfg.composer import Composer
from jhecfg.diagnostics import Loc, SpecError
from jhecfg.emit import NotPlain, dump
from jhecfg.exposed import secrets_in
from jhecfg.marks import LIMITS, Mark, Page
from jhecfg.reader import Document, read
from jhecfg.scalars import Plain
from tests.fuzz.claims import good_diagnostics, lines_of
from tests.fuzz.seeds import written_specs
from tests.fuzz.target import Target, claim

NAME = "fuzz.yaml"
SMALL = 1_000  # characters of a text whose every place is looked at


def judge(data: bytes) -> None:
    """Read some bytes."""
    try:
        document = read(data, NAME)
    except SpecError as error:
        good_diagnostics(error.diagnostics, {NAME: lines_of(data)})
        return
    said = secrets_in(document)
    if said:
        good_diagnostics(said, {NAME: lines_of(data)})
    claim(list(document.lines) == (lines_of(data) if data else []), "the lines are not those of the file")
    in_places(document)
    as_others_read(document)
    comes_back(document)


def in_places(document: Document) -> None:
    """Claim that every mark lies in the text, and, where the text is small, that what stands there is the value."""
    for mark in (*document.keys.values(), *document.values.values()):
        claim(inside(document, mark), f"a mark outside the text: {tuple(mark)}")
    for comment in document.comments:
        claim(document.lines[comment.line - 1][comment.column - 1 :] == comment.text, "a comment that is not there")
        claim(comment.text.startswith("#"), "a comment that is none")
    if len(document.text) <= SMALL:
        for loc, mark in document.values.items():
            value_stands_there(document, loc, mark)
        for loc, mark in document.keys.items():
            if cut(document, mark)[:1] != "*":  # what an alias brings stands at the alias
                claim(understood(f"{cut(document, mark)}: 0") == {loc[-1]: 0}, "a key that is not there")


def inside(document: Document, mark: Mark) -> bool:
    """Say whether a mark begins and ends in the text, in this order."""
    if not (1 <= mark.line <= mark.end_line <= len(document.lines) + 1):
        return False
    start, end = (mark.line, mark.column), (mark.end_line, mark.end_column)
    widths = [*map(len, document.lines), 0]
    return start <= end and 1 <= mark.column <= widths[mark.line - 1] + 1 and mark.end_column <= widths[end[0] - 1] + 1


def cut(document: Document, mark: Mark) -> str:
    """Return the text of a mark."""
    lines = [*document.lines, ""][mark.line - 1 : mark.end_line]
    lines[-1] = lines[-1][: mark.end_column - 1]
    lines[0] = lines[0][mark.column - 1 :]
    return "\n".join(lines)


def value_stands_there(document: Document, loc: Loc, mark: Mark) -> None:
    """Claim that the text of a mark, read alone, is the value; but for what anchors and aliases bring."""
    text, value = cut(document, mark), at(document.tree, loc)
    if not text or set("&*|>") & set(text):  # what an alias brings, and blocks, whose end is not a mark's
        return
    if isinstance(value, dict | list) and text[0] not in "{[":
        text = " " * (mark.column - 1) + text  # a block's lines are indented alike
    claim(same(understood(text), value), "a value that is not what its place says")


def understood(text: str) -> Plain:
    """Read a piece of a text, whatever it is, with the composer alone."""
    page = Page(NAME, text + "\n")
    composer = Composer(page, LIMITS)
    composer.run()
    return composer.root


def at(tree: Any, loc: Loc) -> Any:
    """Return the value at a place."""
    for step in loc:
        tree = tree[step]
    return tree


def as_others_read(document: Document) -> None:
    """Claim that PyYAML (YAML 1.1) and ruamel.yaml (1.2) read the same, if they take the text at all."""
    for name, tree in others(document.text):
        claim(same(document.tree, tree), f"{name} reads it as something else")


def others(text: str) -> Iterator[tuple[str, Any]]:
    """Yield what two other readers make of a text."""
    ruamel = YAML(typ="safe", pure=True)
    ruamel.version = (1, 2)
    for name, load in (("PyYAML", yaml.safe_load), ("ruamel.yaml", ruamel.load)):
        try:
            yield name, load(io.StringIO(text))
        except Exception:  # they raise ValueError, KeyError, IndexError and more: they refuse it
            continue


def same(left: Any, right: Any) -> bool:
    """Equal in value and in type, all the way down (1 == 1.0 == True in Python, not here)."""
    if isinstance(left, dict):
        return isinstance(right, dict) and list(left) == list(right) and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and (left == right or (isinstance(left, float) and math.isclose(left, right)))


def comes_back(document: Document) -> None:
    """Claim that what the emitter makes of the tree is read as the same tree, unless aliases made it too large."""
    try:
        text = dump(document.tree)
    except NotPlain:
        return
    try:
        again = read(text.encode(), NAME)
    except SpecError as error:
        codes = {diagnostic.code for diagnostic in error.diagnostics}
        claim(codes == {"yaml-too-large"}, f"the emitter's own text is refused: {sorted(codes)}")
        return
    claim(same(again.tree, document.tree), "the emitter's text is read as something else")


TARGET = Target(
    "reader",
    judge,
    written_specs,
    ("jhecfg.reader", "jhecfg.composer", "jhecfg.scalars", "jhecfg.marks", "jhecfg.leaks"),
)
