"""The reader refuses whatever can be read in two ways, at its place, and reads the rest as every other reader does."""

from __future__ import annotations

import hashlib
import io
import math
import sys
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from yaml._yaml import get_version
from yaml.error import MarkedYAMLError, YAMLError

from jhecfg import composer as composer_module
from jhecfg.diagnostics import SpecError, ToolError
from jhecfg.reader import CODES, Document, Limits, Mark, read

TOO_DEEP = "1:33" if get_version() < (0, 2, 6) else "1:1001"
"""Where brackets without end are noticed: newer libyaml looks ahead, and has a limit of its own."""

# name, bytes, code of the first diagnostic, its place
HOSTILE: tuple[tuple[str, bytes, str, str], ...] = (
    # nothing, or the wrong thing
    ("no bytes", b"", "yaml-empty", "1:1"),
    ("only a line feed", b"\n", "yaml-empty", "1:1"),
    ("only a comment", b"# hello\n", "yaml-empty", "1:1"),
    ("only a start marker", b"---\n", "yaml-empty", "1:4"),
    ("only null", b"~\n", "yaml-empty", "1:1"),
    ("a list", b"- a\n", "yaml-not-a-mapping", "1:1"),
    ("a flow list", b"[a, b]\n", "yaml-not-a-mapping", "1:1"),
    ("text", b"hello\n", "yaml-not-a-mapping", "1:1"),
    ("a quoted string", b"'hello'", "yaml-not-a-mapping", "1:1"),
    ("a number", b"42\n", "yaml-not-a-mapping", "1:1"),
    ("a PNG", b"\x89PNG\r\n\x1a\n", "yaml-not-utf8", "1:1"),
    ("a gzip", b"\x1f\x8b\x08\x00", "yaml-not-utf8", "1:2"),
    ("TOML", b"[site]\nname = 'x'\n", "yaml-syntax", "2:1"),
    ("a shell script", b"#!/bin/sh\nset -e\n", "yaml-not-a-mapping", "2:1"),
    ("HTML", b"<html>\n<body a='b'>\n", "yaml-multiline-plain", "1:1"),
    # bytes
    ("UTF-16 LE", "a: b\n".encode("utf-16"), "yaml-not-utf8", "1:1"),
    ("UTF-16 BE", b"\xfe\xff\0a\0:\0 \0b", "yaml-not-utf8", "1:1"),
    ("UTF-32", "a: b\n".encode("utf-32"), "yaml-not-utf8", "1:1"),
    ("Latin-1", b"a: b\nname: caf\xe9\n", "yaml-not-utf8", "2:10"),
    ("a lone continuation byte", b"a: \x80\n", "yaml-not-utf8", "1:4"),
    ("an overlong encoding", b"a: \xc0\xaf\n", "yaml-not-utf8", "1:4"),
    ("an encoded surrogate", b"a: \xed\xa0\x80\n", "yaml-not-utf8", "1:4"),
    ("beyond Unicode", b"a: \xf4\x90\x80\x80\n", "yaml-not-utf8", "1:4"),
    ("a cut character", b"a: \xe2\x82", "yaml-not-utf8", "1:4"),
    ("a bad byte after wide characters", "é: 日本\nx: ".encode() + b"\xff", "yaml-not-utf8", "2:4"),
    # characters
    ("NUL", b"a: b\0c\n", "yaml-forbidden-character", "1:5"),
    ("NUL below an empty line", b"\n\0\n", "yaml-forbidden-character", "2:1"),
    ("bell before CRLF", b"a: \x07\r\n", "yaml-forbidden-character", "1:4"),
    ("bell", b"a: \x07\n", "yaml-forbidden-character", "1:4"),
    ("escape", b"a: \x1b[31m\n", "yaml-forbidden-character", "1:4"),
    ("delete", b"a: \x7f\n", "yaml-forbidden-character", "1:4"),
    ("a C1 control", "a: \x9b\n".encode(), "yaml-forbidden-character", "1:4"),
    ("next line", "a: b\x85c: d\n".encode(), "yaml-forbidden-character", "1:5"),
    ("line separator", "a: b\u2028c: d\n".encode(), "yaml-forbidden-character", "1:5"),
    ("paragraph separator", "a: b\u2029c: d\n".encode(), "yaml-forbidden-character", "1:5"),
    ("a byte order mark inside", "a: b\n\ufeffc: d\n".encode(), "yaml-forbidden-character", "2:1"),
    ("two byte order marks", "\ufeff\ufeffa: b\n".encode(), "yaml-forbidden-character", "1:1"),
    ("a non-character", "a: \uffff\n".encode(), "yaml-forbidden-character", "1:4"),
    ("right-to-left override", "a: x\u202ey\n".encode(), "yaml-forbidden-character", "1:5"),
    ("isolate in a comment", "a: b # \u2066x\n".encode(), "yaml-forbidden-character", "1:8"),
    ("right-to-left mark", "a: x\u200f\n".encode(), "yaml-forbidden-character", "1:5"),
    ("a lone carriage return", b"a: b\rc: d\n", "yaml-forbidden-character", "1:5"),
    ("vertical tab", b"a: b\x0bc\n", "yaml-forbidden-character", "1:5"),
    ("form feed", b"a: b\n\x0c\nc: d\n", "yaml-forbidden-character", "2:1"),
    ("an escaped NUL", b'a: "x\\0y"\n', "yaml-forbidden-character", "1:4"),
    ("an escaped bell", b'a: "\\a"\n', "yaml-forbidden-character", "1:4"),
    ("an escaped next line", b'a: "\\N"\n', "yaml-forbidden-character", "1:4"),
    ("an escaped line separator", b'a: "\\L"\n', "yaml-forbidden-character", "1:4"),
    ("an escaped carriage return", b'a: "\\r"\n', "yaml-forbidden-character", "1:4"),
    ("an escaped override in a key", b'"\\u202e": a\n', "yaml-forbidden-character", "1:1"),
    # limits
    ("more than 1 MiB", b"a: b\n" * 209_716, "yaml-too-large", "1:1"),
    ("100,000 open brackets", b"[" * 100_000, "yaml-too-deep", TOO_DEEP),
    ("1,000,000 open brackets", b"[" * 1_000_000, "yaml-too-deep", TOO_DEEP),
    ("100,000 dashes", b"- " * 100_000, "yaml-too-deep", "1:65"),
    ("100,000 open mappings", b"{a: " * 100_000, "yaml-too-deep", "1:129"),
    ("100,000 open mappings, glued", b"{a:" * 100_000, "yaml-syntax", "1:3"),
    ("100,000 question marks", b"? " * 100_000, "yaml-key-not-text", "1:3"),
    ("100,000 open lists in mappings", b"a: " + b"[{b: " * 100_000, "yaml-too-deep", "1:80"),
    ("100,000 open quoted keys", b'{"a": ' * 100_000, "yaml-too-deep", "1:193"),
    (
        "a block 33 deep",
        b"".join(b" " * i + b"a:\n" for i in range(33)) + b" " * 33 + b"b: c\n",
        "yaml-too-deep",
        "33:33",
    ),
    ("51,000 values", b"a: [" + b"x," * 51_000 + b"]\n", "yaml-too-many-values", "1:99999"),
    ("51,000 comments", b"a: b\n" + b"#\n" * 51_000, "yaml-too-many-values", "50002:1"),
    ("a value of 65,537", b"a: " + b"x" * 65_537 + b"\n", "yaml-long-scalar", "1:4"),
    ("a literal of 1 MB", b"a: |\n" + b" x\n" * 300_000, "yaml-long-scalar", "1:4"),
    ("a key of 257", b"k" * 257 + b": a\n", "yaml-long-scalar", "1:1"),
    ("a key of 1,100", b"k" * 1_100 + b": a\n", "yaml-syntax", "1:1101"),
    (
        "an alias bomb",
        b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (c, c, b",".join([b"*%c" % (c - 1)] * 9)) for c in range(98, 107)),
        "yaml-too-many-values",
        "5:23",
    ),
    (
        "a long text used 10,000 times",
        b'a: &a "' + b"x" * 60_000 + b'"\nb: [' + b"*a," * 9_999 + b"*a]\n",
        "yaml-too-large",
        "2:53",
    ),
    (
        "aliases that deepen",
        b"a: &a {b: {c: {d: {e: {f: {g: {h: x}}}}}}}\nb: &b [[[[[[[*a]]]]]]]\n"
        b"c: &c [[[[[[[*b]]]]]]]\nd: &d [[[[[[[*c]]]]]]]\ne: [[[[[*d]]]]]\n",
        "yaml-too-deep",
        "5:9",
    ),
    (
        "a merge-key bomb",
        b"a: &a {x: z}\n" + b"".join(b"b%d: &b%d {<<: [*a, *a]}\n" % (i, i) for i in range(9)),
        "yaml-merge-key",
        "2:10",
    ),
    # values that readers disagree about
    *(
        (f"unquoted {text}", f"k: {text}\n".encode(), "yaml-ambiguous-scalar", "1:4")
        for text in (
            "yes",
            "No",
            "ON",
            "off",
            "y",
            "N",
            "0644",
            "08",
            "-012",
            "0o14",
            "-0x1F",
            "0b101",
            "1_000",
            "0x_f",
            "1e3",
            "1E5",
            "+.5",
            "1.",
            "1.5e3",
            "1_0.5",
            "12:30",
            "12:30:45",
            "1:2.5",
            "2026-01-31",
            "2026-1-2",
            "2026-02-30",
            "2026-01-31T10:00:00Z",
            "2026-01-31 10:00:00",
            "=",
            "<<",
        )
    ),
    ("a sexagesimal of 60 kB", b"a: 1" + b":59" * 20_000, "yaml-ambiguous-scalar", "1:4"),
    ("a dash in brackets", b"a: [-, -]\n", "yaml-ambiguous-scalar", "1:5"),
    ("an ambiguous item", b"a:\n- ok\n- no\n", "yaml-ambiguous-scalar", "3:3"),
    ("an ambiguous key", b"a: b\non: c\n", "yaml-ambiguous-scalar", "2:1"),
    ("19 digits", b"a: 1234567890123456789\n", "yaml-number", "1:4"),
    ("60,000 digits", b"a: " + b"9" * 60_000, "yaml-number", "1:4"),
    ("a float with 19 digits", b"a: 1.123456789012345678\n", "yaml-number", "1:4"),
    ("infinity", b"a: .inf\n", "yaml-number", "1:4"),
    ("minus infinity", b"a: -.Inf\n", "yaml-number", "1:4"),
    ("not a number", b"a: .nan\n", "yaml-number", "1:4"),
    ("too large a float", b"a: 1.0e+999\n", "yaml-number", "1:4"),
    # keys
    ("a key twice", b"a: b\nc: d\na: e\n", "duplicate-key", "3:1"),
    ("a key twice in flow", b"a: {b: c, b: d}\n", "duplicate-key", "1:11"),
    ("a key twice, quoted once", b"a: b\n'a': c\n", "duplicate-key", "2:1"),
    ("a key twice, escaped once", b'a: b\n"\\x61": c\n', "duplicate-key", "2:1"),
    ("a key twice that is not shown", "é: b\né: c\n".encode(), "duplicate-key", "2:1"),
    ("an empty key twice", b"'': b\n'': c\n", "duplicate-key", "2:1"),
    ("a number as key", b"1: a\n", "yaml-key-not-text", "1:1"),
    ("true as key", b"a: {true: b}\n", "yaml-key-not-text", "1:5"),
    ("null as key", b"a: b\n~: c\n", "yaml-key-not-text", "2:1"),
    ("no key", b": a\n", "yaml-syntax", "1:1"),
    ("a float as key", b"1.5: a\n", "yaml-key-not-text", "1:1"),
    ("a list as key", b"[a]: b\n", "yaml-key-not-text", "1:1"),
    ("a mapping as key", b"{a: b}: c\n", "yaml-key-not-text", "1:1"),
    ("a template", b"a: {{ x }}\n", "yaml-key-not-text", "1:5"),
    ("an alias as key", b"a: &x b\n*x : c\n", "yaml-key-not-text", "2:1"),
    ("an explicit key", b"? a\n: b\n", "yaml-complex-key", "1:1"),
    ("an explicit key below an empty line", b"\n? a\n: b\n", "yaml-complex-key", "2:1"),
    ("an explicit key in flow", b"a: {? b: c}\n", "yaml-complex-key", "1:5"),
    ("a glued question mark in flow", b"a: { ?foo: bar}\n", "yaml-complex-key", "1:6"),
    # features nobody needs
    ("a merge key", b"a: &a {b: c}\nd:\n  <<: *a\n", "yaml-merge-key", "3:3"),
    ("a text tag", b"a: !!str 1\n", "yaml-tag", "1:4"),
    ("a vault tag", b"a: !vault x\n", "yaml-tag", "1:4"),
    ("a Python tag", b"a: !!python/object/apply:os.system [ls]\n", "yaml-tag", "1:4"),
    ("a bad int tag", b"a: !!int abc\n", "yaml-tag", "1:4"),
    ("a tag on a mapping", b"a: !!map {b: c}\n", "yaml-tag", "1:4"),
    ("a tag on a key", b"!!str a: b\n", "yaml-tag", "1:1"),
    ("a tag on the root", b"!!map\na: b\n", "yaml-tag", "1:1"),
    ("a bare tag", b"a: ! b\n", "yaml-tag", "1:4"),
    ("a tag before an anchor", b"a: !x &y b\n", "yaml-tag", "1:4"),
    ("a tag behind an anchor", b"a: &y !x {b: c}\n", "yaml-tag", "1:7"),
    ("a tag with a question mark", b"a: !x?y b\n", "yaml-tag", "1:4"),
    ("an undefined tag handle", b"a: !x!y b\n", "yaml-syntax", "1:4"),
    ("a version", b"%YAML 1.2\n---\na: b\n", "yaml-directive", "1:1"),
    ("a wrong version", b"%YAML 9.9\n---\na: b\n", "yaml-syntax", "1:1"),
    ("a tag handle", b"%TAG ! tag:x,2000:\n---\na: b\n", "yaml-directive", "1:1"),
    ("a tag handle with a question mark", b"%TAG ! tag:x?y:\n---\na: b\n", "yaml-directive", "1:1"),
    ("two documents", b"a: b\n---\nc: d\n", "yaml-many-documents", "2:1"),
    ("an empty second document", b"a: b\n---\n", "yaml-many-documents", "2:1"),
    ("an alias of nothing", b"a: *x\n", "yaml-alias", "1:4"),
    ("an alias before its anchor", b"a: *x\nb: &x c\n", "yaml-alias", "1:4"),
    ("an alias inside its anchor", b"a: &x [*x]\n", "yaml-alias", "1:8"),
    ("an anchor twice", b"a: &x b\nc: &x d\n", "yaml-alias", "2:7"),
    ("an anchor twice, of a mapping", b"a: &x b\nc: &x {d: e}\n", "yaml-alias", "2:7"),
    ("a long anchor twice", b"a: &" + b"x" * 41 + b" b\nc: &" + b"x" * 41 + b" d\n", "yaml-alias", "2:47"),
    ("a long alias of nothing", b"a: *" + b"x" * 41 + b"\n", "yaml-alias", "1:4"),
    ("an anchor glued to text", b"a: &x?b\n", "yaml-alias", "1:4"),
    ("an alias glued to text", b"a: &x b\nc: [*x?]\n", "yaml-alias", "2:5"),
    ("an anchor on a key", b"&x a: b\n", "yaml-alias", "1:1"),
    # layout
    ("text over two lines", b"a: one\n  two\n", "yaml-multiline-plain", "1:4"),
    ("a dash without a space", b"a:\n -x\n -y\n", "yaml-multiline-plain", "2:2"),
    ("a dash without a space further down", b"a: b\nc:\n -x\n -y\n", "yaml-multiline-plain", "3:2"),
    ("an item without a space, then a key", b"a:\n  -x\n  c: d\n", "yaml-multiline-plain", "2:3"),
    ("a key without a space, then a key", b"a: b:x\n  c: d\n", "yaml-multiline-plain", "1:4"),
    ("a list indented too far", b"a: b\n  - c\n", "yaml-multiline-plain", "1:4"),
    ("a key over two lines in flow", b"{a\n b: c}\n", "yaml-multiline-plain", "1:2"),
    ("a tab as indent", b"a:\n\tb: c\n", "yaml-tab", "2:1"),
    ("a tab and a space as indent", b"a:\n\t b: c\n", "yaml-tab", "2:1"),
    ("a tab in a line that is wrong elsewhere", b"a: 'x'\t'y' z\n", "yaml-syntax", "1:8"),
    ("a tab after a colon", b"a:\tb\n", "yaml-tab", "1:3"),
    ("a tab in text", b"a: b\tc\n", "yaml-tab", "1:5"),
    ("two tabs in text", b"a: b\tc\td\n", "yaml-tab", "1:5"),
    ("a tab before a comment", b"a: b\t# c\n", "yaml-tab", "1:5"),
    ("a tab at the end", b"a: b\t\n", "yaml-tab", "1:5"),
    ("a tab after a dash", b"a:\n-\tb\n", "yaml-tab", "2:2"),
    ("a tab in flow", b"a: [b,\tc]\n", "yaml-tab", "1:7"),
    ("a tab on an empty line", b"a: b\n\t\nc: d\n", "yaml-tab", "2:1"),
    ("a megabyte of tabs", b"a: b\n" + b"\t\n" * 500_000, "yaml-tab", "2:1"),
    # syntax
    ("an open quote", b"a: 'b\nc: d\n", "yaml-syntax", "1:4"),
    ("an open double quote", b'a: "b\n', "yaml-syntax", "1:4"),
    ("half a megabyte of quotes", b"a: '" + b"''" * 250_000, "yaml-syntax", "1:4"),
    ("an open bracket", b"a: [b\n", "yaml-syntax", "1:4"),
    ("an open brace", b"a: {b: c,\nd: e\n", "yaml-syntax", "1:4"),
    ("a closing bracket", b"a: b]\nc: ]\n", "yaml-syntax", "2:4"),
    ("text after a quote", b"a: 'x' y\n", "yaml-syntax", "1:8"),
    ("two colons", b"a: b: c\n", "yaml-syntax", "1:5"),
    ("uneven indent", b"a:\n    b: c\n  d: e\n", "yaml-syntax", "3:3"),
    ("no colon", b"a: b\nc\nd: e\n", "yaml-syntax", "2:1"),
    ("no colon, but spaces", b"a: b\nc   \nd: e\n", "yaml-syntax", "2:1"),
    ("no space after a colon, indented", b"a:\n  b: c\n  d:x\n  e: f\n", "yaml-syntax", "3:3"),
    ("no space after a colon", b"a: b\nc:x\nd: e\n", "yaml-syntax", "2:1"),
    ("a key indented too far", b"a: b\n  c: d\n", "yaml-multiline-plain", "2:3"),
    ("typographic quotes", "a: \u201cb\u201d\n".encode(), "yaml-typographic-quotes", "1:4"),
    ("a list beside a mapping", b"a: b\n- c\n", "yaml-syntax", "2:1"),
    ("a list on the key's line", b"a: - b\n", "yaml-syntax", "1:4"),
    ("an at sign", b"a: @b\n", "yaml-syntax", "1:4"),
    ("a backtick", b"a: `b`\n", "yaml-syntax", "1:4"),
    ("a percent sign", b"a: %b\n", "yaml-syntax", "1:4"),
    ("a wrong escape", b'a: "C:\\new\\q"\n', "yaml-syntax", "1:11"),
    ("an escaped surrogate", b'a: "\\ud800"\n', "yaml-syntax", "1:7"),
    ("an escape beyond Unicode", b'a: "\\U00110000"\n', "yaml-syntax", "1:7"),
    ("a git conflict", b"<<<<<<< HEAD\na: b\n=======\na: c\n>>>>>>> x\n", "yaml-syntax", "1:1"),
    ("a git conflict further down", b"a: b\nc: d\n<<<<<<< HEAD\ne: f\n", "yaml-syntax", "3:1"),
    ("the middle of a git conflict", b"a: b\n=======\nc: d\n", "yaml-syntax", "2:1"),
    ("the end of a git conflict", b"a: b\n>>>>>>> theirs\n", "yaml-syntax", "2:1"),
    ("a mistake well above a git conflict", b"a: 'x' y\nb: c\n<<<<<<< HEAD\n", "yaml-syntax", "1:8"),
    ("a comma in nothing", b"a: [,]\n", "yaml-syntax", "1:5"),
    ("a bad literal header", b"a: |x\n  b\n", "yaml-syntax", "1:5"),
    ("a document end, then more", b"a: b\n...\nc: d\n", "yaml-syntax", "3:1"),
)


def refusal(data: bytes, **limits: int) -> SpecError:
    """Read bytes that must be refused."""
    with pytest.raises(SpecError) as caught:
        read(data, "x.yaml", Limits(**limits))
    return caught.value


@pytest.mark.parametrize(("data", "code", "place"), [c[1:] for c in HOSTILE], ids=[c[0] for c in HOSTILE])
def test_hostile_bytes_are_refused_at_their_place(data: bytes, code: str, place: str) -> None:
    """Every hostile document ends in a SpecError whose first diagnostic has this code and stands here."""
    first = refusal(data).diagnostics[0]
    assert (first.code, str(first.span)) == (code, f"x.yaml:{place}")


def test_there_are_many_hostile_documents() -> None:
    """The table above has at least 120 cases, each with a name of its own, and every code is among them."""
    assert len({case[0] for case in HOSTILE}) == len(HOSTILE) >= 120
    assert {case[2] for case in HOSTILE} | {"yaml-more"} == set(CODES)


# --- what is said ----------------------------------------------------------------------------------------------------


def said(data: bytes, **limits: int) -> list[tuple[str, str, str, str]]:
    """What a refusal says: place, code, message, hint."""
    found = refusal(data, **limits).diagnostics
    return [(str(d.span), d.code, d.message, d.hint) for d in found]


def test_all_recoverable_problems_come_at_once_and_in_order() -> None:
    """Duplicate keys, ambiguous values, tags, merge keys, odd keys and tabs are reported together, by line."""
    data = b"a: no\nb: !x c\na: d\n1: e\nf: &f {g: h}\ni: {<<: *f}\nj:\tk\nl: 0644\n"
    assert [(str(d.span), d.code) for d in refusal(data).diagnostics] == [
        ("x.yaml:1:4", "yaml-ambiguous-scalar"),
        ("x.yaml:2:4", "yaml-tag"),
        ("x.yaml:3:1", "duplicate-key"),
        ("x.yaml:4:1", "yaml-key-not-text"),
        ("x.yaml:6:5", "yaml-merge-key"),
        ("x.yaml:8:4", "yaml-ambiguous-scalar"),
    ]


def test_a_syntax_error_comes_after_what_was_found_before_it() -> None:
    """What was collected before the place where reading stops is not lost."""
    assert [d.code for d in refusal(b"a: no\nb: [c\n").diagnostics] == ["yaml-ambiguous-scalar", "yaml-syntax"]


def test_a_second_mapping_of_one_name_is_one_mistake() -> None:
    """Its keys are its own: only the key that stands twice is said, and in it what stands twice there."""
    again = "the key 'b' is already in this mapping"
    found = refusal(b"a: {b: 1, c: {d: 2}}\na: {b: 3, c: {d: 4}}\n").diagnostics
    assert [(d.code, str(d.span)) for d in found] == [("duplicate-key", "x.yaml:2:1")]
    found = refusal(b"a: {b: 1}\na: {b: 2, b: 3}\n").diagnostics
    assert [(str(d.span), str(d.related[0][0])) for d in found] == [
        ("x.yaml:2:1", "x.yaml:1:1"),
        ("x.yaml:2:11", "x.yaml:2:5"),
    ]
    assert found[1].message == again


def test_an_exponent_hides_no_digits() -> None:
    """What is accepted can be written out, as outputs are, and read again."""
    assert read(b"a: 1.0e+15\nb: 2.5e-3\n", "x").tree == {"a": 1e15, "b": 0.0025}
    for text in (b"a: 1.0e+17\n", b"a: 1.0E+99\n", b"a: 1.0e-20\n"):
        (found,) = refusal(text).diagnostics
        assert (found.code, found.message) == (
            "yaml-number",
            "this number has more than 18 digits without its exponent",
        )


def test_one_cause_is_said_once() -> None:
    """A line without a colon makes libyaml complain twice; a person hears of it once, as of a git conflict."""
    assert [d.code for d in refusal(b"a\nb: c\n").diagnostics] == ["yaml-multiline-plain"]
    assert [d.code for d in refusal(b"<<<<<<< HEAD\na: b\n").diagnostics] == ["yaml-syntax"]


def test_twenty_problems_are_shown_and_the_rest_counted() -> None:
    """The 21st diagnostic says how many more there are and where they begin; a hopeless file is not read to its end."""
    found = refusal(b"".join(b"k%d: no\n" % i for i in range(30))).diagnostics
    assert len(found) == 21
    assert (found[-1].code, found[-1].message, str(found[-1].span)) == (
        "yaml-more",
        "and 10 more problems in this file",
        "x.yaml:21:6",
    )
    assert refusal(b"a: b\n" * 100_000).diagnostics[-1].message == "and at least 500 more problems in this file"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"mode: 0644\n", (
            "x.yaml:1:7", "yaml-ambiguous-scalar", "'0644' means different things to different YAML readers",
            'put quotes around it: "0644", or write it as a plain decimal number')),
        (b"on: no\n", (
            "x.yaml:1:1", "yaml-ambiguous-scalar", "'on' means different things to different YAML readers",
            'write true or false, or put quotes around it: "on"')),
        (b"a: {{ x }}\n", (
            "x.yaml:1:5", "yaml-key-not-text", "a key must be text, not a list or a mapping",
            "is this an unquoted {{ template }}? put quotes around it")),
        (b"a: b: c\n", (
            "x.yaml:1:5", "yaml-syntax", "mapping values are not allowed in this context",
            "put quotes around text that holds `: `, or check how this line is indented")),
        (b"a: 'b\n", ("x.yaml:1:4", "yaml-syntax", "this quote is never closed", "")),
    ],
)  # fmt: skip
def test_messages_say_what_to_write_instead(data: bytes, expected: tuple[str, str, str, str]) -> None:
    """What the user reads, whole."""
    assert said(data)[0] == expected


def test_a_second_key_points_at_the_first() -> None:
    """A duplicate key shows both places."""
    (found,) = refusal(b"a: b\nc: d\na: e\n").diagnostics
    assert [(str(span), label) for span, label in found.related] == [("x.yaml:1:1", "first used here")]
    assert found.message == "the key 'a' is already in this mapping"


SECRET = "hunter2xyzzy"


@pytest.mark.parametrize(
    "text",
    [
        "password: 0123456\n",
        "password: {SECRET}\npassword: {SECRET}\n",
        "password: !x {SECRET}\n",
        "password: {SECRET}\n  {SECRET}\n",
        "a: b: postgres://u:{SECRET}@h/d\n",
        "token: '{SECRET}\n",
        "token: [{SECRET}\n",
        "api_key: |\n  {SECRET}\n {SECRET}: x: y\n",
        "postgres://u:{SECRET}@h: a\npostgres://u:{SECRET}@h: b\n",
        "{{password: {SECRET}, password: x}}\n",
        "env: [{{name: DB_PASSWORD, value: {SECRET}}}, no]\n",
        "password: {SECRET}\t\n",
        'password: "{SECRET}\\0"\n',
        "key: |\n  -----BEGIN PRIVATE KEY-----\n  {SECRET}\n -----END PRIVATE KEY-----: no: x\n",
    ],
)
def test_no_refusal_repeats_a_secret(text: str) -> None:
    """Whatever is wrong on a line that holds a secret, neither message, hint, label nor the shown line has it."""
    found = refusal(text.replace("{SECRET}", SECRET).replace("{{", "{").replace("}}", "}").encode())
    assert SECRET not in repr(found.diagnostics) + str(found) + repr(found)
    assert "0123456" not in repr(found.diagnostics)


# --- what is read ----------------------------------------------------------------------------------------------------

SPEC = """\
# a site
apiVersion: jhecfg/v1
site: jhe-example   # DNS label
domain: 'jhe.example.org'
image: {tag: v0.0.13, digest: ""}
replicas: 2
ratio: 0.5
mask: 0x1F
secure: true
nothing:
also: ~
orgs:
  - {name: "Example \\u00e9", id: 20001}
  - name: Übung   # umlaut
    id: 20002
notes: |
  one # no comment
    two

folded: >-
  a
  b
hubs:
- &hub
  name: hub
  access: &access
    orgs: [Example, "x # y"]
- *hub
more: *access
"""


def test_a_document_is_read_as_it_is_meant() -> None:
    """Types, text blocks, quotes, flow and aliases come out as plain dicts, lists and scalars."""
    access = {"orgs": ["Example", "x # y"]}
    assert read(SPEC.encode(), "x.yaml").tree == {
        "apiVersion": "jhecfg/v1",
        "site": "jhe-example",
        "domain": "jhe.example.org",
        "image": {"tag": "v0.0.13", "digest": ""},
        "replicas": 2,
        "ratio": 0.5,
        "mask": 31,
        "secure": True,
        "nothing": None,
        "also": None,
        "orgs": [{"name": "Example é", "id": 20001}, {"name": "Übung", "id": 20002}],
        "notes": "one # no comment\n  two\n",
        "folded": "a b",
        "hubs": [{"name": "hub", "access": access}, {"name": "hub", "access": access}],
        "more": access,
    }


def test_a_number_stays_a_number() -> None:
    """1.30 is the float 1.3 to every reader, so it is one here; its text is still found through its mark."""
    document = read(b"version: 1.30\n", "x.yaml")
    assert document.tree == {"version": 1.3}
    assert source_of(document, document.values["version",]) == "1.30"


def source_of(document: Document, mark: Mark) -> str:
    """The text between the ends of a mark."""
    lines = document.lines[mark.line - 1 : mark.end_line]
    if len(lines) == 1:
        return lines[0][mark.column - 1 : mark.end_column - 1]
    return "\n".join([lines[0][mark.column - 1 :], *lines[1:-1], lines[-1][: mark.end_column - 1]])


@pytest.mark.parametrize(
    ("loc", "expected"),
    [
        (("site",), "jhe-example"),
        (("domain",), "'jhe.example.org'"),
        (("image",), '{tag: v0.0.13, digest: ""}'),
        (("image", "digest"), '""'),
        (("nothing",), ""),
        (("orgs", 0, "name"), '"Example \\u00e9"'),
        (("orgs", 1), "name: Übung   # umlaut\n    id: 20002"),
        (("notes",), "|\n  one # no comment\n    two"),
        (("folded",), ">-\n  a\n  b"),
        (("hubs", 0), 'name: hub\n  access: &access\n    orgs: [Example, "x # y"]'),
        (("hubs", 0, "access"), 'orgs: [Example, "x # y"]'),
        (("hubs", 1), "*hub"),
        (("hubs", 1, "access", "orgs", 1), "*hub"),
        (("more", "orgs"), "*access"),
    ],
)
def test_a_value_stands_where_its_text_is(loc: tuple[str | int, ...], expected: str) -> None:
    """The text between the ends of a value's mark is the value as written, or the alias that brings it."""
    document = read(SPEC.encode(), "x.yaml")
    assert source_of(document, document.values[loc]) == expected


def test_a_key_stands_where_its_text_is() -> None:
    """The text between the ends of a key's mark is the key, and every key has one."""
    document = read(SPEC.encode(), "x.yaml")
    own = {loc: mark for loc, mark in document.keys.items() if loc[0] != "more" and loc[:2] != ("hubs", 1)}
    assert all(source_of(document, mark) == loc[-1] for loc, mark in own.items())
    assert set(document.keys) == {loc for loc in document.values if loc and isinstance(loc[-1], str)}


def test_comments_are_those_outside_values() -> None:
    """A `#` in quotes, in a literal block or inside a word is no comment; one after a block's header is."""
    data = b"# one\na: b # two\nc: 'x # y'\nd: |  # three\n  # text\n#four\ne: f#g\nh: [i, # five\n  j]\n"
    comments = read(data, "x.yaml").comments
    assert [(c.line, c.column, c.text) for c in comments] == [
        (1, 1, "# one"), (2, 6, "# two"), (4, 7, "# three"), (6, 1, "#four"), (8, 8, "# five"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "data",
    [b"a: b\nc: d\n", b"a: b\nc: d", b"\xef\xbb\xbfa: b\r\nc: d\r\n", b"a: b\r\nc: d", b"---\na: b\nc: d\n...\n"],
)
def test_line_ends_and_marks_of_the_file_do_not_matter(data: bytes) -> None:
    """A byte order mark, CRLF, a missing last line feed and document markers change nothing but the digest."""
    document = read(data, "x.yaml")
    assert document.tree == {"a": "b", "c": "d"}
    assert [line for line in document.lines if line[:1].isalpha()] == ["a: b", "c: d"]
    assert document.text == "".join(f"{line}\n" for line in document.lines)


def test_a_block_at_the_end_keeps_its_line_feed() -> None:
    """Readers differ on a literal block whose last line feed is missing; it is put there first."""
    assert read(b"a: |\n  b", "x.yaml").tree == read(b"a: |\n  b\n", "x.yaml").tree == {"a": "b\n"}


def test_the_digest_is_of_the_bytes_as_they_were() -> None:
    """Two files that read alike but differ in bytes have two digests."""
    assert read(b"a: b", "x").digest != read(b"a: b\n", "x").digest
    assert read(b"a: b", "x").digest == hashlib.sha256(b"a: b").hexdigest()


def test_limits_are_what_they_say() -> None:
    """At the limit a document is read, one beyond it is refused."""
    assert read(b"a: {b: [c]}\n", "x", Limits(depth=3)).tree == {"a": {"b": ["c"]}}
    assert refusal(b"a: {b: [c]}\n", depth=2).diagnostics[0].code == "yaml-too-deep"
    assert read(b"a: [b, c]\n", "x", Limits(nodes=5)).tree == {"a": ["b", "c"]}
    assert refusal(b"a: [b, c]\n", nodes=4).diagnostics[0].code == "yaml-too-many-values"
    assert read(b"a: 'bcd'\n", "x", Limits(scalar=3)).tree == {"a": "bcd"}
    assert refusal(b"a: 'bcd'\n", scalar=2).diagnostics[0].code == "yaml-long-scalar"
    assert read(b"a: 123\n", "x", Limits(digits=3)).tree == {"a": 123}
    assert refusal(b"a: 123\n", digits=2).diagnostics[0].code == "yaml-number"
    assert read(b"a: &x [b, c]\nd: *x\n", "x", Limits(nodes=9)).tree["d"] == ["b", "c"]
    assert refusal(b"a: &x [b, c]\nd: *x\n", nodes=8).diagnostics[0].code == "yaml-too-many-values"


def test_every_use_of_an_anchor_is_a_tree_of_its_own() -> None:
    """To change one use of an alias leaves the others as they were."""
    tree = read(b"a: &x [b]\nc: *x\nd: *x\n", "x").tree
    tree["c"].append("new")
    assert tree == {"a": ["b"], "c": ["b", "new"], "d": ["b"]}


def test_without_libyaml_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A PyYAML without libyaml is the machine's fault, and the message says how to mend it."""
    monkeypatch.setitem(sys.modules, "yaml._yaml", None)
    with pytest.raises(ToolError) as error:
        composer_module._parser("a: b\n")
    assert str(error.value) == (
        "PyYAML was built without libyaml: install its wheel with "
        "`pip install --force-reinstall --only-binary :all: PyYAML`"
    )


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (YAMLError("what"), "yaml-syntax", "this is not YAML"),
        (ValueError("what"), "yaml-syntax", "this is not YAML"),
        (MarkedYAMLError(), "yaml-syntax", "this is not YAML"),
        (MarkedYAMLError(problem="exceeded maximum nesting depth"), "yaml-too-deep", "values are nested too deep"),
    ],
    ids=["an error", "a value", "no place", "too deep"],
)
def test_a_complaint_without_a_place_is_said_of_the_start(
    monkeypatch: pytest.MonkeyPatch, error: Exception, code: str, message: str
) -> None:
    """Libyaml's releases differ in what they raise, and when; whatever comes, the refusal has a code and a place."""

    class Parser:
        def get_event(self) -> None:
            raise error

    monkeypatch.setattr(composer_module, "_parser", lambda text: Parser())
    (found,) = refusal(b"a: b\n").diagnostics
    assert found.span is not None
    assert (found.code, found.message, str(found.span), found.span.end) == (code, message, "x.yaml:1:1", 2)
    assert (found.label, found.hint, found.related) == ("", "", ())


# --- agreement with other readers ------------------------------------------------------------------------------------


def same(left: Any, right: Any) -> bool:
    """Equal in value and in type, all the way down (1 == 1.0 == True in Python, not here)."""
    if isinstance(left, dict):
        return isinstance(right, dict) and list(left) == list(right) and all(same(left[k], right[k]) for k in left)
    if isinstance(left, list):
        return isinstance(right, list) and len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and (left == right or (isinstance(left, float) and math.isclose(left, right)))


def others(text: str) -> list[Any]:
    """What PyYAML (YAML 1.1) and ruamel.yaml (YAML 1.2) read; a reader that refuses the text has no say."""
    ruamel = YAML(typ="safe", pure=True)
    ruamel.version = (1, 2)
    read_by = []
    for load in (yaml.safe_load, ruamel.load):
        try:
            read_by.append(load(io.StringIO(text)))
        except Exception:  # they raise ValueError, KeyError, IndexError and more
            continue
    return read_by


def read_or_none(data: bytes) -> Document | None:
    """Read; the only exception that may come is SpecError, and all it says has a place and a documented code."""
    try:
        return read(data, "x.yaml")
    except SpecError as error:
        found = error.diagnostics
    assert found
    assert all(d.span is not None and d.code in CODES for d in found)
    return None


def check(data: bytes) -> None:
    """Whatever is accepted is what the others read, and every scalar stands at its text."""
    document = read_or_none(data)
    if document is None:
        return
    for other in others(document.text):
        assert same(document.tree, other)
    for mark in (*document.values.values(), *document.keys.values()):
        assert 1 <= mark.line <= mark.end_line <= len(document.lines) + 1


PIECES = [
    *(
        "\n",
        " ",
        "  ",
        ": ",
        "- ",
        "[",
        "]",
        "{",
        "}",
        ",",
        "'",
        '"',
        "#",
        " #",
        "|",
        ">",
        "&a ",
        "*a",
        "!",
        "%",
        "@",
        "?",
    ),
    *(
        "\t",
        "no",
        "0o7",
        "1e3",
        "\\",
        "\\u00e9",
        "é",
        "\u0085",
        "<<",
        "~",
        "---\n",
        "...\n",
        "=",
        "1_0",
        "0x",
        ".5",
        "12:30",
    ),
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A valid spec with one to six cuts, copies and insertions."""
    text = SPEC
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 12, len(text))))
        text = text[:start] + draw(st.sampled_from([*PIECES, "", text[start:end] * 2])) + text[end:]
    return text.encode()


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(mutated())
@example(b"a: { ?foo: bar}\n")
@example(b"a: |\n  b")
def test_a_mutated_spec_is_refused_or_read_as_others_read_it(data: bytes) -> None:
    """No mutation raises anything but SpecError, and what is accepted both YAML 1.1 and 1.2 read alike."""
    check(data)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_refused_or_read(data: bytes) -> None:
    """No bytes raise anything but SpecError."""
    read_or_none(data)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789+-._:eExXobTZ aAfFnNyYtTsSuUlLiI~=<", min_size=1, max_size=10))
def test_unquoted_scalars_mean_the_same_to_all(text: str) -> None:
    """An unquoted value is refused, or it is what YAML 1.1 and 1.2 make of it."""
    check(f"k: {text}\n".encode())


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(min_size=1, max_size=8), st.recursive(
    st.text(max_size=12) | st.integers(-(10**9), 10**9) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3), max_leaves=8),
    min_size=1, max_size=4))  # fmt: skip
def test_what_another_emitter_writes_is_read_back_or_refused(tree: dict[str, Any]) -> None:
    """PyYAML's output comes back as the tree it was made of, unless some reader would take it for something else."""
    document = read_or_none(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode())
    assert document is None or same(document.tree, tree)
