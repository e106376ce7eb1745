"""Answers: what is said about a line of an output, or of a spec; `text` and `document` write them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from jhecfg.diagnostics import Loc, Span
from jhecfg.explain.keys import Key, key_at
from jhecfg.explain.moves import Moved, Place, moved_by, shapers_of
from jhecfg.explain.places import Output, Written, chain, document_of, output, written_on, written_place
from jhecfg.origin.outputs import Files
from jhecfg.pipeline import Build


class Because(NamedTuple):
    """A key that is written in a spec, and where."""

    key: str
    span: Span


class FromOutput(NamedTuple):
    """What shapes a line of an output; without `span` it is the whole file.

    `written` are lines of the spec; `unwritten` keys that could be there and would count; without `needed` there would
    be no such file. With `complete` every key of the spec was tried.
    """

    file: str
    span: Span | None
    pointer: str
    site: str
    written: tuple[Because, ...]
    unwritten: tuple[Key, ...]
    needed: tuple[Because, ...]
    complete: bool


class FileMoves(NamedTuple):
    """What moves in a file of the output: places with their lines, or so many lines of text."""

    path: str
    how: str
    places: tuple[tuple[str, int], ...]
    lines: int


class FromSpec(NamedTuple):
    """What a line of a spec does in a site.

    `keys` are the topmost ones on the line, each with where it is written, the place that counts first; `overruled` are
    keys of the line that another layer says otherwise. `tried` is how many values were nudged.
    """

    file: str
    span: Span
    site: str
    keys: tuple[tuple[str, Key | None, tuple[Span, ...]], ...]
    overruled: tuple[str, ...]
    moves: tuple[FileMoves, ...]
    tried: int
    complete: bool


def from_output(build: Build, path: str, line: int, shown: str) -> FromOutput | None:
    """Say what shapes a line of an output, 0 for the whole file. Returns None where it has fewer lines.

    `path` is the output's, below the site's folder; `shown` is how people named the file.
    """
    page = _output(build, path)
    if line > len(page.lines):
        return None
    place = page.place(line) if line else Place(path)
    found = shapers_of(build.source, _files(build), place)
    return FromOutput(
        file=shown,
        span=page.span(line, shown) if line else None,
        pointer=written_place(page.artifact.tree, place.pointer) if place.pointer else "",
        site=build.site.name,
        written=_because(build, found.written),
        unwritten=_unwritten(found.unwritten),
        needed=_because(build, found.needed),
        complete=found.complete,
    )


def from_spec(build: Build, path: Path, line: int, column: int) -> FromSpec | None:
    """Say what a line of a spec, or of one of its bases, does. Returns None where no key stands on it."""
    source = build.source
    number = document_of(source, str(path))
    if number is None or not 0 < line <= len(source.documents[number].lines):
        return None
    document, there = source.documents[number], written_on(source, number, line, column)
    if not there.tops and not there.overruled:
        return None
    moves, complete = moved_by(source, _files(build), there.leaves)
    at = there.overruled[0] if there.overruled else source.places[there.tops[0]][1]
    return FromSpec(
        file=document.name,
        span=document.span(document.keys.get(at, document.values[at])),
        site=build.site.name,
        keys=tuple(_keys(build, there)),
        overruled=tuple(written_place(document.tree, at) for at in there.overruled),
        moves=tuple(_file_moves(build, each) for each in moves),
        tried=len(there.leaves),
        complete=complete,
    )


def _files(build: Build) -> Files:
    return {artifact.path: artifact.tree for artifact in build.artifacts}


def _output(build: Build, path: str) -> Output:
    artifact = next(each for each in build.artifacts if each.path == path)
    return output(artifact, build.files[path])


def _because(build: Build, locs: tuple[Loc, ...]) -> tuple[Because, ...]:
    source = build.source
    return tuple(Because(written_place(source.tree, loc), source.span(loc)) for loc in locs)


def _unwritten(locs: tuple[Loc, ...]) -> tuple[Key, ...]:
    keys = {key.name: key for loc in locs if (key := key_at(loc)) is not None}
    return tuple(keys.values())


def _keys(build: Build, there: Written) -> Iterator[tuple[str, Key | None, tuple[Span, ...]]]:
    for loc in there.tops:
        yield written_place(build.source.tree, loc), key_at(loc), chain(build.source, loc)


def _file_moves(build: Build, moved: Moved) -> FileMoves:
    if not moved.pointers:
        return FileMoves(moved.path, moved.how, (), moved.lines)
    page = _output(build, moved.path)
    tree = page.artifact.tree
    places = sorted((page.line_of(at), written_place(tree, at) if at else "") for at in moved.pointers)
    return FileMoves(moved.path, moved.how, tuple((name, line) for line, name in places), 0)
