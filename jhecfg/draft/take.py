"""taken(): a draft of what people have: Kubernetes objects, values of the JHE chart, values of Zero to JupyterHub."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jhecfg.diagnostics import Diagnostic, Span, SpecError
from jhecfg.draft import Draft
from jhecfg.draft.chart import from_chart, is_chart
from jhecfg.draft.hub import from_hub, is_hub
from jhecfg.draft.kubernetes import from_object, is_object
from jhecfg.draft.reading import Reading
from jhecfg.marks import LIMITS
from jhecfg.reader import Document, read
from jhecfg.source import bytes_of

MOST_DOCUMENTS = 200
"""Documents of one file; what a namespace of JHE holds is some twenty."""

_STARTS = re.compile(rb"^(?:---(?=[ \t\r\n]|\Z)|\.\.\.(?=[ \t\r\n]|\Z)[^\n]*\n?)", re.MULTILINE)
_SOMETHING = re.compile(rb"^(?!---[ \t]*(?:#.*)?\r?$|[ \t]*#|[ \t\r]*$).", re.MULTILINE)


class NotKnown(Exception):
    """A file holds nothing that a spec can be made of; the text says which."""


_KINDS = ((is_object, from_object), (is_chart, from_chart), (is_hub, from_hub))


class Part(NamedTuple):
    """One document of a file, and how many lines of the file come before it."""

    document: Document
    line: int


def taken(files: Sequence[Path]) -> Draft:
    """Read files and return a draft of them, the first that says something first.

    Raises SpecError for what is not readable YAML, ToolError for what cannot be read, NotKnown.
    """
    draft = Draft()
    readings = [Reading(part.document, part.line, draft) for file in files for part in _parts_of(file)]
    # What a file says of the Exchange itself comes before what a hub says of it.
    for known, take in _KINDS:
        for reading in readings:
            if known(reading.tree):
                take(reading)
    for reading in readings:
        if not any(known(reading.tree) for known, _ in _KINDS):
            name = f"{reading.document.name}:{reading.line + 1}"
            raise NotKnown(f"{name}: neither a Kubernetes object, nor values of the JHE chart or of Zero to JupyterHub")
        reading.rest()
    return draft


def _parts_of(file: Path) -> Iterator[Part]:
    name = "standard input" if str(file) == "-" else file.as_posix()
    data = sys.stdin.buffer.read(LIMITS.bytes + 1) if str(file) == "-" else bytes_of(file, name, anywhere=True)
    return parts(data, name)


def parts(data: bytes, name: str) -> Iterator[Part]:
    """Split a file where its documents begin, and read each by the reader's own rules and limits.

    YAML ends every document, and every quote and block in it, at a line that begins with `---`. Raises SpecError.
    """
    if len(data) > LIMITS.bytes or data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        read(data, name)  # refuses it, in its own words
    values = 0
    for number, (start, end) in enumerate(_stretches(data)):
        line = data.count(b"\n", 0, start)
        try:
            document = read(data[start:end], name)
        except SpecError as error:
            raise SpecError(tuple(_moved(found, line) for found in error.diagnostics)) from None
        values += len(document.values)
        if number >= MOST_DOCUMENTS or values > LIMITS.nodes:
            raise NotKnown(f"{name}: more than {MOST_DOCUMENTS} documents, or {LIMITS.nodes:,} values in all")
        yield Part(document, line)


def _stretches(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield where each document that holds something begins and ends."""
    start = 0
    for found in _STARTS.finditer(data):
        if _SOMETHING.search(data, start, found.start()):
            yield start, found.start()
        start = found.start() if found[0] == b"---" else found.end()
    if _SOMETHING.search(data, start):
        yield start, len(data)


def _moved(found: Diagnostic, line: int) -> Diagnostic:
    """Return a diagnostic of a part at its line of the whole file."""

    def moved(span: Span) -> Span:
        return span._replace(line=span.line + line)

    related = tuple((moved(span), why) for span, why in found.related)
    return found._replace(span=moved(found.span) if found.span else None, related=related)
