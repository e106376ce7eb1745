"""Printer: whatever a diagnostic holds, each format is well formed, shows no control, and its carets stand right."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from jhecfg.diagnostics import Diagnostic, Severity, Span
from jhecfg.report import render
from tests.fuzz.choices import Choices
from tests.fuzz.target import Target, claim
from tests.hostile_strings import HOSTILE, UNENCODABLE
from tests.sarif import VALIDATOR

FIELDS = ("code", "message", "label", "found", "expected", "hint")
COLOUR = re.compile(r"\x1b\[(?:0|1|1;31|1;33|34|36)m")
PROPERTY = re.compile(r"(file|line|col|endColumn|title)=([^:,\r\n]*)")
ORDERS = (
    "\x1b[2J",
    "\x1b]0;x\x07",
    "\r\n",
    "::error::x",
    "::add-mask::x",
    "##[add-mask]x",
    "##vso[task]x",
    "%0A",
    "](",
)
PIECES = (
    *ORDERS,
    *HOSTILE,
    *UNENCODABLE,
    "中",
    "e\u0301",
    "\t",
    "ﾊﾝ",
    "한",
    "\u1100\u1161",
    "👩\u200d👧",
    "\u20e3",
    "a",
)


def judge(case: bytes) -> None:
    """Print some diagnostics in every format."""
    try:
        found = [diagnostic(each) for each in json.loads(case)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # libFuzzer changed what was a case
    text = render(found, "text")
    inert(text)
    uncoloured = COLOUR.sub("", render(found, "text", colour=True)).split("\n")
    claim([line.rstrip() for line in uncoloured] == text.split("\n"), "colour adds more than colour")
    for line in text.split("\n"):
        claim(not re.match(r"\s*::\s*[a-zA-Z-]+[^:]*::", line), "a line is a command of GitHub's")
        claim(not re.search(r"##[a-zA-Z]*\[", line), "a line holds a command of a runner")
    for each in found:
        carets(each)
    github(render(found, "github"), set(found))
    as_json(render(found, "json"), found)
    claim(VALIDATOR.is_valid(json.loads(render(found, "sarif"))), "the log is no SARIF")
    inert(render(found, "sarif"))


def inert(text: str) -> None:
    """Claim that a text has nothing in it that a terminal obeys or hides."""
    for character in text:
        hidden = not character.isprintable() or unicodedata.category(character) in ("Cc", "Cf", "Cs")
        claim(character == "\n" or not hidden, f"U+{ord(character):04X} is printed")


def carets(found: Diagnostic) -> None:
    """Claim that the carets of a diagnostic without other places stand under what its span is, and nothing else."""
    span = found.span
    if span is None or found.related or len(span.text) > 24 or not 1 <= span.column <= len(span.text):
        return
    lines = render([found._replace(label="", hint="", found="", expected="")], "text").split("\n")
    shown, under = lines[2].partition("| ")[2], lines[3].partition("| ")[2]
    claim(set(under) <= {" ", "^"} and "^" in under, "there are no carets")
    first, width = len(under) - len(under.lstrip()), under.count("^")
    before = span.text[: span.column - 1]
    inside = span.text[span.column - 1 : max(span.end, span.column + 1) - 1]
    if shown.startswith("..."):
        return
    claim(first == columns(made_safe(before, span.text)), "the carets do not begin under the span")
    wide = columns(made_safe(inside, span.text[span.column - 1 :])) if span.end > span.column else 0
    claim(width == max(1, wide), "the carets are not as wide")


def made_safe(piece: str, line: str) -> str:
    """Return a piece of a line with what is escaped as dots of that width."""
    parts = []
    for index, character in enumerate(piece):
        order = re.match(r"##[a-zA-Z]*\[", line[index:])
        if character == "\t":
            parts.append("." * 4)
        elif order or not character.isprintable() or character in HIDDEN:
            parts.append("." * (6 if ord(character) < 0x10000 else 10))
        else:
            parts.append(character)
    return "".join(parts)


HIDDEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0") | frozenset(
    chr(n) for first, last in ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF)) for n in range(first, last + 1)
)
JOINING = re.compile("[\u1161-\u11ff\ud7b0-\ud7ff]")


def columns(text: str) -> int:
    """Return how wide a terminal shows a text."""
    return sum(
        0
        if unicodedata.category(c) in ("Mn", "Me") or JOINING.match(c)
        else 2
        if unicodedata.east_asian_width(c) in "WF"
        else 1
        for c in text
    )


def github(text: str, found: set[Diagnostic]) -> None:
    """Claim that each line is one command, which the runner's own way to read it gives back in full."""
    lines = text.split("\n")[:-1]
    claim(len(lines) == len(found), "a diagnostic is more or less than a line")
    inert(text)
    for line in lines:
        match = re.fullmatch(r"::(error|warning) ([^:]*?)::(.*)", line)
        claim(match, "a line is no command")
        listed = match[2].split(",") if match else []
        claim(all(PROPERTY.fullmatch(each) for each in listed), "a property is no property")
        claim(len({each.partition("=")[0] for each in listed}) == len(listed), "a property stands twice")
        claim(match and match[3].strip(), "an annotation says nothing")


def as_json(text: str, found: list[Diagnostic]) -> None:
    """Claim that a program reads each diagnostic as it was."""
    claim(text.isascii(), "the document is not ASCII")
    document = json.loads(text)
    wanted = sorted(tuple(well(getattr(each, name)) for name in FIELDS) for each in set(found))
    got = sorted(tuple(each[name] for name in FIELDS) for each in document["diagnostics"])
    claim(got == wanted, "the document says something else")
    counts = document["summary"]
    claim(counts["errors"] + counts["warnings"] == len(document["diagnostics"]), "the summary counts others")


def well(text: str) -> str:
    """Return a text without halves of characters."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def diagnostic(tree: Any) -> Diagnostic:
    """Read a diagnostic of a case."""
    related = tuple((span_of(each["span"]), str(each["label"])) for each in tree.get("related", []))
    texts = {name: str(tree.get(name, "")) for name in FIELDS}
    severity = Severity.ERROR if tree.get("severity", "error") == "error" else Severity.WARNING
    where = span_of(tree["span"]) if tree.get("span") else None
    return Diagnostic(span=where, severity=severity, related=related, **texts)


def span_of(tree: Any) -> Span:
    """Read a place of a case."""
    file, line, column, end, text = tree
    return Span(str(file), int(line), int(column), int(end), str(text))


# --- drawing ----------------------------------------------------------------------------------------------------------


def draw(data: bytes) -> bytes:
    """Choose one to three diagnostics."""
    choices = Choices(data)
    return json.dumps([drawn(choices) for _ in range(1 + choices.number(3))]).encode()


def drawn(choices: Choices) -> dict[str, Any]:
    """Choose one diagnostic."""
    tree: dict[str, Any] = {name: text(choices) for name in FIELDS if not choices.odds(3)}
    tree["severity"] = choices.one(("error", "warning"))
    if not choices.odds(6):
        tree["span"] = place(choices)
    tree["related"] = [{"span": place(choices), "label": text(choices)} for _ in range(choices.number(3))]
    return tree


def place(choices: Choices) -> list[Any]:
    """Choose a place: mostly inside its line, sometimes not."""
    line = text(choices).replace("\n", " ").replace("\r", " ") * (1 + choices.number(8) ** 3 // 40)
    first = choices.number(len(line) + 1 if len(line) < 60_000 else 60_000) + 1
    last = first + 1 + choices.number(30)
    if choices.odds(8):
        first, last = choices.number(300), choices.number(300)
    file = choices.one(("a.yaml", "specs/a.yaml", "<stdin>", "/a/b.yaml", text(choices)))
    return [file, choices.one((1, 2, 9, 10, 99_999, choices.number(300))), first, last, line]


def text(choices: Choices) -> str:
    """Choose a text of pieces."""
    if choices.odds(4):
        return choices.text(40)
    return "".join(choices.one(PIECES) for _ in range(choices.number(6)))


def seeds() -> Iterator[bytes]:
    """Yield two diagnostics as jhecfg prints them."""
    yield json.dumps(
        [
            {"code": "unknown-field", "message": "a hub has no field 'x'", "span": ["a.yaml", 3, 3, 4, "  x: 1"]},
            {"code": "duplicate-key", "message": "twice", "span": ["a.yaml", 9, 1, 3, "中é: 1"], "hint": "a\nb"}
            | {"related": [{"span": ["b.yaml", 1, 1, 2, "x"], "label": "first"}]},
        ]
    ).encode()


TARGET = Target("printer", judge, seeds, ("jhecfg.report",), draw, ending=".json", longest=1024)
