"""What the reader says of every hostile document, whole, and where it finds every part of a good one."""

from __future__ import annotations

from pathlib import Path

import pytest

from jhecfg.diagnostics import Diagnostic
from jhecfg.reader import Document, Limits, read
from tests.test_goldens import golden
from tests.test_reader import HOSTILE, SPEC, refusal, source_of

WORDS = Path(__file__).parent / "data" / "reader" / "hostile.txt"
PLACES = Path(__file__).parent / "data" / "reader" / "places.txt"
OF_LIBYAML = ("100,000 open brackets", "1,000,000 open brackets")
"""Which limit these meet first depends on libyaml's release; test_reader has their code and place."""


def told(found: Diagnostic) -> str:
    """Write a diagnostic in a few short lines: place to the end, code, message; what stands under it; hint; relations."""
    span = found.span
    assert span is not None
    text = f"{span.line}:{span.column}-{span.end} {found.code}: {found.message}\n"
    text += f"    | {span.text[:60]}\n" if span.text else ""
    text += f"    label: {found.label}\n" if found.label else ""
    text += f"    hint: {found.hint}\n" if found.hint else ""
    return text + "".join(f"    {s.line}:{s.column}-{s.end} {why}\n" for s, why in found.related)


CASES = {name: data for name, data, *_ in HOSTILE if name not in OF_LIBYAML}


def section(name: str) -> str:
    """Write down what is said of one hostile document: its first three problems."""
    return f"# {name}\n" + "".join(told(found) for found in refusal(CASES[name]).diagnostics[:3])


@pytest.fixture(scope="module")
def sections(update: bool) -> list[str]:
    """Return the golden file, document by document."""
    text = "\n".join(map(section, CASES)) if update else ""
    return golden(WORDS, text, update=update).split("\n\n")


def test_every_hostile_document_has_its_words(sections: list[str]) -> None:
    """The file holds one paragraph for each, in their order."""
    assert [each.partition("\n")[0] for each in sections] == [f"# {name}" for name in CASES]


@pytest.mark.parametrize("name", CASES)
def test_a_refusal_is_said_in_these_words(name: str, sections: list[str]) -> None:
    """All that a person reads: each problem from end to end, its label and hint, and the other places it names."""
    assert section(name).rstrip("\n") in [each.rstrip("\n") for each in sections]


EXTRA = """\
top: &top   # an anchor with a comment

  # and another
  - [a, 'b', "c", {d: e}]
  - &item
    f: |2-
       g

      h
    i: >+
      j

k: [*item, *top]
"l": {}
m: []
o: &n 'o'
s: *item
"": *item
p:
- q: r
  s:
  - t
-   - u
    - v
"""


def listed(document: Document) -> str:
    """Write down every key and value with the text between the ends of its mark."""
    lines = []
    for kind, marks in (("key", document.keys), ("value", document.values)):
        for loc, mark in marks.items():
            place = f"{mark.line}:{mark.column}-{mark.end_line}:{mark.end_column}"
            lines.append(f"{kind} {'.'.join(map(str, loc)) or '(root)'} {place} {source_of(document, mark)!r}\n")
    return "".join(lines) + "".join(f"comment {each}\n" for each in document.comments)


def test_every_part_of_a_document_stands_here(update: bool) -> None:
    """Anchors, blocks, flow, quotes, empty values, aliases: each key and value from end to end, and each comment."""
    text = "".join(listed(read(each.encode(), "x.yaml")) + "\n" for each in (SPEC, EXTRA))
    assert text == golden(PLACES, text, update=update)


@pytest.mark.parametrize(
    ("limit", "data", "code", "message"),
    [
        ("bytes", b"a: bcd\n", "yaml-too-large", "the file is larger than 6 bytes"),
        ("depth", b"a: {b: [c]}\n", "yaml-too-deep", "values are nested more than 2 levels deep"),
        ("depth", b"a: &x {b: c}\nd: [*x]\n", "yaml-too-deep", "values are nested more than 2 levels deep"),
        ("nodes", b"a: [b, c]\n", "yaml-too-many-values",
         "there are more than 4 values, aliases counted as often as they are used"),
        ("nodes", b"a: &x b\nc: [*x]\n", "yaml-too-many-values",
         "there are more than 5 values, aliases counted as often as they are used"),
        ("nodes", b"a: b\nc: {}\n", "yaml-too-many-values",
         "there are more than 4 values, aliases counted as often as they are used"),
        ("nodes", b"a: b #1\n#2\n#3\n#4\n", "yaml-too-many-values", "there are more than 3 comments"),
        ("scalar", b"a: 'bcd'\n", "yaml-long-scalar", "a value is longer than 2 characters"),
        ("scalar", b"a: |\n  b\n", "yaml-long-scalar", "a value is longer than 1 characters"),
        ("key", b"abc: d\n", "yaml-long-scalar", "a key is longer than 2 characters"),
        ("digits", b"a: 123\n", "yaml-number", "this number has more than 2 digits"),
        ("digits", b"a: -12.3e+1\n", "yaml-number", "this number has more than 3 digits"),
    ],
)  # fmt: skip
def test_a_limit_is_the_last_that_is_allowed(limit: str, data: bytes, code: str, message: str) -> None:
    """A document is read at its limit, and refused one below, with the limit in the message."""
    last = int(next(word for word in message.split() if word.isdecimal()))
    assert read(data, "x.yaml", Limits(**{limit: last + 1})).tree
    (found,) = refusal(data, **{limit: last}).diagnostics
    assert (found.code, found.message) == (code, message)
    assert found.span is not None


def test_aliases_are_charged_for_the_text_they_bring() -> None:
    """Characters count as often as they are used, and the limit of the file holds for the sum."""
    data = b"a: &x {bc: [def, ghij]}\n"
    one = len("bc" + "def" + "ghij")
    uses = b"k: [" + b",".join([b"*x"] * 40) + b"]\n"
    size = len("a" + "k") + 41 * one
    assert len(data + uses) < size
    assert len(read(data + uses, "x.yaml", Limits(bytes=size)).tree["k"]) == 40
    (found,) = refusal(data + uses, bytes=size - 1).diagnostics
    assert (found.code, found.message) == ("yaml-too-large", f"aliases expand to more than {size - 1} characters")
