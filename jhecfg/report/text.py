"""Text: diagnostics as frames for people: the line itself, a caret under the fault, what to do.

The first line of a frame stands alone (`file:line:column: error[code]: message`): editors link it and grep finds it.
Frames are ASCII, so that a pipe, an old terminal and a screen reader get the same thing.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from jhecfg.diagnostics import Diagnostic, Span
from jhecfg.report.words import clean, clean_file, clean_lines, glyphs, notes, within

WIDTH = 100
"""Columns of a source line that are shown; a longer one is clipped around its span."""

TAB = "    "

STYLES = {"error": "1;31", "warning": "1;33", "message": "1", "frame": "34", "related": "36"}
"""What each part of a frame looks like (ECMA-48 SGR parameters). Colour repeats what the words say, it never adds."""

Paint = Callable[[str, str], str]


class Mark(NamedTuple):
    """One underlined place; the primary one has carets in the colour of its severity."""

    span: Span
    label: str
    style: str = "related"

    @property
    def line(self) -> str:
        """The characters that underline the place."""
        return "-" if self.style == "related" else "^"


class View(NamedTuple):
    """A source line as shown: its text, and where on the screen its span begins and how wide it is."""

    text: str
    offset: int
    width: int


def frames(diagnostics: Sequence[Diagnostic], colour: bool, limit: int) -> str:
    """Return every diagnostic as a frame, with an empty line between two."""
    shown, more = within(diagnostics, limit)
    paint = coloured if colour else plain
    blocks = ["\n".join(frame(diagnostic, paint)) for diagnostic in shown]
    return "\n\n".join([*blocks, more] if more else blocks) + "\n" if blocks else ""


def plain(style: str, text: str) -> str:
    """Return the text as it is."""
    return text


def coloured(style: str, text: str) -> str:
    """Return the text in its style's colour."""
    return f"\x1b[{STYLES[style]}m{text}\x1b[0m" if text else ""


def frame(diagnostic: Diagnostic, paint: Paint) -> Iterator[str]:
    """Yield the lines of one diagnostic."""
    yield headline(diagnostic, paint)
    marks = marks_of(diagnostic)
    margin = " " * max((len(str(mark.span.line)) for mark in marks), default=1)
    files = by_file(marks)
    for n, (file, group) in enumerate(files):
        if n or diagnostic.span is None:
            first = group[0].span
            yield f"{margin}{paint('frame', ':::')} {clean_file(file)}:{first.line}:{first.column}"
        yield margin + paint("frame", " |")
        yield from excerpt(group, margin, paint)
        if n + 1 < len(files) or notes(diagnostic):
            yield margin + paint("frame", " |")
    for name, text in notes(diagnostic):
        yield from note(name, text, margin, paint)


def headline(diagnostic: Diagnostic, paint: Paint) -> str:
    """Return the first line, which says everything on its own."""
    span = diagnostic.span
    where = f"{clean_file(span.file)}:{span.line}:{span.column}: " if span else ""
    what = paint(diagnostic.severity, f"{diagnostic.severity}[{clean(diagnostic.code)}]")
    return f"{where}{what}: {paint('message', clean(diagnostic.message))}".rstrip()


def marks_of(diagnostic: Diagnostic) -> tuple[Mark, ...]:
    """Return all places of a diagnostic, the primary one first."""
    span = diagnostic.span
    primary = (Mark(span=span, label=diagnostic.label, style=diagnostic.severity),) if span else ()
    return (*primary, *(Mark(span=span, label=label) for span, label in diagnostic.related))


def by_file(marks: tuple[Mark, ...]) -> list[tuple[str, list[Mark]]]:
    """Group marks by file, files in order of first mention, lines in order, the primary mark first on its line."""
    files: dict[str, list[Mark]] = {}
    for mark in marks:
        files.setdefault(mark.span.file, []).append(mark)
    for group in files.values():
        group.sort(key=lambda mark: (mark.span.line, mark.style == "related", mark.span.column))
    return list(files.items())


def excerpt(marks: Sequence[Mark], margin: str, paint: Paint) -> Iterator[str]:
    """Yield the marked lines of one file, `...` where lines between them are left out."""
    before: int | None = None
    for line, group in groupby(marks, key=lambda mark: mark.span.line):
        if before is not None and line > before + 1:
            yield paint("frame", "...")
        yield from underlined(line, tuple(group), margin, paint)
        before = line


def underlined(line: int, marks: tuple[Mark, ...], margin: str, paint: Paint) -> Iterator[str]:
    """Yield one source line with its underlines below (once more, where clipping shows another part of it)."""
    number = f"{line:>{len(margin)}}"
    shown: str | None = None
    for mark in marks:
        seen = view(mark.span)
        if seen.text != shown:
            yield paint("frame", f"{number} |") + f" {seen.text}".rstrip()
            shown = seen.text
        under = paint(mark.style, f"{mark.line * seen.width} {clean(mark.label)}".rstrip())
        yield margin + paint("frame", " |") + " " * (seen.offset + 1) + under


def note(name: str, text: str, margin: str, paint: Paint) -> Iterator[str]:
    """Yield one `= name: text`, further lines aligned below."""
    first, *rest = clean_lines(text)
    yield f"{margin} {paint('frame', '=')} {paint('message', name + ':')} {first}".rstrip()
    indent = margin + " " * (len(name) + 5)
    for line in rest:
        # A line must not begin with `::`, which GitHub reads as a command.
        yield (indent + ("\\u003a" + line.lstrip()[1:] if line.lstrip().startswith("::") else line)).rstrip()


def view(span: Span) -> View:
    """Return the line of a span as shown: made safe, tabs expanded, clipped to WIDTH columns around the span."""
    text = span.text
    first = min(max(span.column - 1, 0), len(text))
    last = min(max(span.end - 1, first), len(text))
    # Cut before measuring: the line of a hostile file may be the whole file.
    low, high = max(0, first - WIDTH), min(len(text), min(last, first + WIDTH) + WIDTH)
    cells = [TAB if glyph == r"\u0009" else glyph for glyph in glyphs(text[low:high])]
    widths = [wide(cell) for cell in cells]
    first, last = first - low, min(last, high) - low
    left, right = window(widths, first, last)
    head = "..." if low + left else ""
    tail = "..." if low + right < len(text) else ""
    return View(
        head + "".join(cells[left:right]) + tail,
        len(head) + sum(widths[left:first]),
        max(1, sum(widths[first : min(last, right)])),
    )


def window(widths: Sequence[int], first: int, last: int) -> tuple[int, int]:
    """Return the part (left, right) of a line to show: the span, then as much around it as WIDTH allows."""
    right = first + fitting(widths[first:last], WIDTH)
    before, after = widths[:first][::-1], widths[right:]
    room = WIDTH - sum(widths[first:right])
    left = fitting(before, room // 2)
    more = fitting(after, room - sum(before[:left]))
    left = fitting(before, room - sum(after[:more]))
    return first - left, right + more


def fitting(widths: Sequence[int], room: int) -> int:
    """Return how many leading cells fit into `room` columns."""
    for n, width in enumerate(widths):
        room -= width
        if room < 0:
            return n
    return len(widths)


def wide(cell: str) -> int:
    """Return the columns that a shown character takes on a terminal: 0 combining, 2 East Asian wide, else 1 each."""
    if cell.isascii():
        return len(cell)
    # Hangul vowels and finals join the syllable before them.
    if unicodedata.category(cell) in ("Mn", "Me") or "\u1161" <= cell <= "\u11ff" or "\ud7b0" <= cell <= "\ud7ff":
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1
