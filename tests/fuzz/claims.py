"""Claims about diagnostics that hold for every target: the place is right, nothing secret is said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from jhecfg.diagnostics import Diagnostic, Span
from jhecfg.leaks import secret_shape
from jhecfg.pipeline import documentation
from jhecfg.report import render
from tests.fuzz.target import claim

Lines = Sequence[str]

WHOLE_FILE = ("yaml-too-large", "yaml-not-utf8")
"""Codes about bytes that are no lines of text yet: there the line may be shown in part."""


def lines_of(data: bytes) -> list[str]:
    """Return the lines of a file as jhecfg counts them."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\r\n", "\n")
    return (text if text.endswith("\n") or not text else text + "\n").split("\n")[:-1] or [""]


def good_diagnostics(found: Sequence[Diagnostic], files: Mapping[str, Lines]) -> None:
    """Claim that each diagnostic is documented, stands where it says, and tells no secret; and can be printed."""
    claim(found, "a refusal says nothing")
    for diagnostic in found:
        claim(diagnostic.code in documentation(), f"no documentation of {diagnostic.code}")
        claim(diagnostic.message, f"{diagnostic.code} has no message")
        for span in spans(diagnostic):
            in_place(span, files, whole=diagnostic.code not in WHOLE_FILE)
        for text in texts(diagnostic):
            claim(secret_shape(text) is None, f"{diagnostic.code} tells {secret_shape(text)}")
    for style in ("text", "json", "github", "sarif"):
        claim(render(found, style), f"nothing is printed as {style}")


def spans(diagnostic: Diagnostic) -> Iterator[Span]:
    """Yield every place of a diagnostic."""
    if diagnostic.span is not None:
        yield diagnostic.span
    yield from (span for span, _ in diagnostic.related)


def texts(diagnostic: Diagnostic) -> Iterator[str]:
    """Yield every text of a diagnostic, and the lines that it shows."""
    yield from (diagnostic.message, diagnostic.label, diagnostic.found, diagnostic.expected, diagnostic.hint)
    yield from (label for _, label in diagnostic.related)
    yield from (span.text for span in spans(diagnostic))


def in_place(span: Span, files: Mapping[str, Lines], *, whole: bool = True) -> None:
    """Claim that a span lies in its file, that its text is that line, and that it shows a piece of it."""
    claim(span.file in files, "a place lies in a file that was not read")
    lines = files[span.file]
    claim(1 <= span.line <= len(lines), f"line {span.line} of {len(lines)}")
    line = lines[span.line - 1]
    claim(1 <= span.column < span.end, f"column {span.column} to {span.end}")
    if whole:
        claim(span.column <= len(line) + 1, f"column {span.column} of a line of {len(line)}")
        claim(span.end <= max(len(line) + 1, span.column + 1), f"end {span.end} of a line of {len(line)}")
        claim(len(span.text) == len(line), "the text is not that line")
    shown = zip(span.text, line, strict=False)
    claim(all(one in (other, "*", "\ufffd") for one, other in shown), "the text is not that line")
