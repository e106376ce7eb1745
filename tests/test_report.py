"""What people see of a diagnostic, character by character."""

from __future__ import annotations

import json
import re
from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg import report
from jhecfg.diagnostics import Diagnostic, Severity, Span
from jhecfg.report.text import WIDTH, view
from jhecfg.report.words import LONGEST

ERROR, WARNING = Severity.ERROR, Severity.WARNING

LINE = "    domian: hub.example.org"
DOMIAN = Span("specs/demo.yaml", 8, 5, 11, LINE)
UNKNOWN = Diagnostic(
    code="unknown-field",
    message="a hub has no field 'domian'",
    span=DOMIAN,
    label="not a field of a hub",
    hint="did you mean 'domain'?",
)


def spot(text: str, part: str, *, line: int = 1, file: str = "a.yaml") -> Span:
    """Return the span of `part` in a line `text`."""
    column = text.index(part) + 1
    return Span(file, line, column, column + len(part), text)


def shown(*diagnostics: Diagnostic, limit: int = 50) -> str:
    """Return diagnostics as text."""
    return report.render(diagnostics, "text", limit=limit)


def framed(text: str) -> str:
    """Return an inline golden without its indentation and its first line feed."""
    return dedent(text).removeprefix("\n")


# Text


def test_a_frame_says_where_what_and_what_to_do() -> None:
    """The first line stands alone; below are the line, a caret under the fault and the way out."""
    assert shown(UNKNOWN) == framed("""
        specs/demo.yaml:8:5: error[unknown-field]: a hub has no field 'domian'
          |
        8 |     domian: hub.example.org
          |     ^^^^^^ not a field of a hub
          |
          = help: did you mean 'domain'?
        """)


def test_a_frame_without_notes_ends_under_its_caret() -> None:
    """Nothing is printed for what a diagnostic does not say."""
    bare = Diagnostic(code="moving-tag", message="the tag moves", span=spot("tag: main", "main"), severity=WARNING)
    assert shown(bare) == framed("""
        a.yaml:1:6: warning[moving-tag]: the tag moves
          |
        1 | tag: main
          |      ^^^^
        """)


def test_a_diagnostic_without_a_place_is_its_message_and_its_notes() -> None:
    """No frame is made up, and a hint of several lines keeps its shape."""
    nowhere = Diagnostic(
        code="no-specs",
        message="there is no spec to build",
        found="an empty folder",
        expected="specs/*.yaml",
        hint="write one:\n  jhecfg init\n::error::forged",
    )
    assert shown(nowhere) == framed(r"""
        error[no-specs]: there is no spec to build
          = found: an empty folder
          = expected: specs/*.yaml
          = help: write one:
                    jhecfg init
                  \u003a:error::forged
        """)


def test_related_places_stand_in_the_same_frame_in_line_order() -> None:
    """Lines of the same file share a gutter, and left-out lines are dots."""
    wrong = Diagnostic(
        code="unknown-org",
        message="hub 'research' names organization 'bidss', which is not in orgs",
        span=spot("    access: {orgs: [bidss]}", "bidss", line=17),
        label="no organization has this name",
        related=((spot("  - {name: bids, id: 20013}", "bids", line=9), "organizations are declared here"),),
        hint="did you mean 'bids'?",
    )
    assert shown(wrong) == framed("""
        a.yaml:17:21: error[unknown-org]: hub 'research' names organization 'bidss', which is not in orgs
           |
         9 |   - {name: bids, id: 20013}
           |            ---- organizations are declared here
        ...
        17 |     access: {orgs: [bidss]}
           |                     ^^^^^ no organization has this name
           |
           = help: did you mean 'bids'?
        """)


def test_places_on_one_or_adjacent_lines_need_no_dots() -> None:
    """A line is printed once for all of its marks, the primary one first."""
    text = "{name: a, name: b}"
    twice = Diagnostic(
        code="duplicate-key",
        message="'name' is written twice",
        span=Span("a.yaml", 4, 11, 15, text),
        label="and again here",
        related=tuple(
            (Span("a.yaml", *at), label)
            for at, label in (((4, 2, 6, text), "here"), ((5, 1, 2, "x"), ""), ((7, 1, 2, "y"), ""))
        ),
    )
    assert shown(twice) == framed("""
        a.yaml:4:11: error[duplicate-key]: 'name' is written twice
          |
        4 | {name: a, name: b}
          |           ^^^^ and again here
          |  ---- here
        5 | x
          | -
        ...
        7 | y
          | -
        """)


def test_a_related_place_in_another_file_is_named() -> None:
    """A frame may span the spec and the base that it extends."""
    clash = Diagnostic(
        code="wrong-type",
        message="a map cannot replace a list",
        span=spot("hubs: {}", "{}", line=3, file="specs/a.yaml"),
        related=((spot("hubs: []", "[]", line=12, file="specs/base.yaml"), "a list here"),),
        expected="a list",
    )
    assert shown(clash) == framed("""
        specs/a.yaml:3:7: error[wrong-type]: a map cannot replace a list
           |
         3 | hubs: {}
           |       ^^
           |
          ::: specs/base.yaml:12:7
           |
        12 | hubs: []
           |       -- a list here
           |
           = expected: a list
        """)


def test_a_diagnostic_with_only_related_places_shows_them() -> None:
    """Where no place is the main one, each is named."""
    either = Diagnostic(code="clash", message="two sites are named 'a'", related=((spot("site: a", "a"), "one"),))
    assert shown(either) == framed("""
        error[clash]: two sites are named 'a'
         ::: a.yaml:1:7
          |
        1 | site: a
          |       - one
        """)


def test_diagnostics_are_sorted_said_once_and_kept_apart() -> None:
    """The order in which rules ran, and a rule that ran twice, cannot be seen."""
    second = Diagnostic(code="b", message="later", span=spot("x: 1", "1", line=2))
    first = Diagnostic(code="a", message="sooner", span=spot("x: 1", "1", line=1))
    text = shown(second, first, second)
    assert text == shown(first) + "\n" + shown(second)
    assert text.count("\n\n") == 1


def test_a_caret_stands_under_wide_and_combining_text() -> None:
    """East Asian characters take two columns and accents none, before the span and inside it."""
    text = "名前: e\u0301te\u0301 # 한글"
    assert shown(Diagnostic(code="c", message="m", span=spot(text, "e\u0301te\u0301"))) == framed("""
        a.yaml:1:5: error[c]: m
          |
        1 | 名前: e\u0301te\u0301 # 한글
          |       ^^^
        """)
    assert view(spot(text, "한글")).width == 4


def test_a_tab_is_four_columns() -> None:
    """A caret stands right behind a tab whatever the terminal's tab stops are."""
    assert "1 |     a: b\n  |        ^\n" in shown(Diagnostic(code="c", message="m", span=spot("\ta: b", "b")))


def test_what_cannot_be_seen_is_shown_as_an_escape() -> None:
    """Bidi, zero-width, no-break and terminal controls are visible, and the caret counts what is shown."""
    text = "a\u200b: \u202e\x1b[31mx\u00a0\u3164"
    assert shown(Diagnostic(code="c", message=f"bad {text}", span=spot(text, "x"))) == framed(r"""
        a.yaml:1:11: error[c]: bad a\u200b: \u202e\u001b[31mx\u00a0\u3164
          |
        1 | a\u200b: \u202e\u001b[31mx\u00a0\u3164
          |                          ^
        """)


def test_a_span_at_the_end_of_a_line_still_has_a_caret() -> None:
    """What is missing is pointed at where it should have been."""
    assert "1 | a:\n  |   ^ a value\n" in shown(
        Diagnostic(code="c", message="m", label="a value", span=Span("a.yaml", 1, 3, 3, "a:"))
    )


def test_a_long_line_is_clipped_around_its_span() -> None:
    """A line shows about a hundred columns, its span among them, and dots where it goes on."""
    text = "a" * 5_000 + "HERE" + "b" * 5_000
    seen = view(spot(text, "HERE"))
    assert seen.text == "..." + "a" * 48 + "HERE" + "b" * 48 + "..."
    assert seen.text[seen.offset : seen.offset + seen.width] == "HERE"
    assert view(Span("a", 1, 1, 9_000, text)).width == WIDTH


def test_a_line_of_a_hundred_columns_is_whole() -> None:
    """Nothing is clipped that fits, wherever the span is."""
    text = "x" * WIDTH
    assert {view(Span("a", 1, column, column + 1, text)).text for column in range(1, WIDTH + 1)} == {text}


def test_two_spans_far_apart_on_a_long_line_are_both_shown() -> None:
    """A clipped line is repeated where another part of it matters."""
    text = "FIRST" + "-" * 500 + "LAST"
    both = shown(Diagnostic(code="c", message="m", span=spot(text, "LAST"), related=((spot(text, "FIRST"), "one"),)))
    assert re.search(r"-LAST\n  \| +\^{4}\n1 \| FIRST-+\.\.\.\n  \| ----- one\n$", both)


def test_a_huge_value_in_a_message_is_cut() -> None:
    """A message stays readable whatever was found."""
    assert len(shown(Diagnostic(code="c", message="x" * 1_000_000))) < LONGEST + 100


@pytest.mark.parametrize("text", ["##[add-mask]hunter", "a ##[stop-commands]x", "##vso[task.setvariable]x", "###[x]"])
def test_a_shown_line_gives_no_order_to_a_ci_runner(text: str) -> None:
    """`##[command]` is obeyed anywhere in a log, so it is never printed."""
    said = Diagnostic(code="c", message=text, span=Span("a.yaml", 1, 1, 2, text), label=text, hint=text)
    for format in ("text", "github"):
        assert not re.search(r"##[a-z]*\[", report.render([said], format))


def test_a_file_cannot_pass_for_a_command() -> None:
    """A file named `::add-mask::` begins the line of its own diagnostic without becoming a command."""
    odd = spot("a: b", "b", file="::add-mask::x")
    assert shown(Diagnostic(code="c", message="m", span=odd)).startswith(r"\u003a:add-mask\u003a:x:1:4: error")


def test_colour_adds_nothing_but_colour() -> None:
    """Without its escapes, a coloured frame is the plain one."""
    coloured = report.render([UNKNOWN], "text", colour=True)
    assert "\x1b[1;31merror[unknown-field]\x1b[0m" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == shown(UNKNOWN)


def test_a_limit_hides_warnings_before_errors_and_counts_them() -> None:
    """What stops the build is shown first, in the order of the file."""
    many = [
        Diagnostic(code="c", message="m", severity=severity, span=Span("a.yaml", line, 1, 2, "x"))
        for line, severity in enumerate([WARNING, ERROR, WARNING, ERROR, WARNING], start=1)
    ]
    text = shown(*many, limit=3)
    assert re.findall(r"^a\.yaml:(\d)", text, re.MULTILINE) == ["1", "2", "4"]
    assert text.endswith("\n\nand 2 more (2 warnings)\n")
    assert "more" not in shown(*many, limit=0)
    assert "::notice title=jhecfg::and 2 more (2 warnings)\n" in report.render(many, "github", limit=3)
    assert len(json.loads(report.render(many, "json", limit=3))["diagnostics"]) == 5


def test_nothing_to_say_is_nothing_for_people_and_a_document_for_programs() -> None:
    """A clean build prints no line; a consumer of json or sarif still gets its object."""
    assert report.render([], "text") == report.render([], "github") == ""
    assert json.loads(report.render([], "json"))["summary"] == {"errors": 0, "warnings": 0, "files": 0}
    assert json.loads(report.render([], "sarif"))["runs"][0]["results"] == []


def test_the_summary_counts_and_names_what_it_can() -> None:
    """One file is named, several are counted, and the tail says what happened to the output."""
    other = Diagnostic(code="c", message="m", span=spot("x", "x", file="b.yaml"), severity=WARNING)
    nowhere = Diagnostic(code="d", message="m")
    assert (
        report.summary([UNKNOWN, nowhere], "nothing was written") == "2 errors in specs/demo.yaml; nothing was written"
    )
    assert report.summary([UNKNOWN, other, other]) == "1 error, 2 warnings in 2 files"
    assert report.summary([nowhere]) == "1 error"
    assert report.summary([], "41 files are up to date") == "no problems; 41 files are up to date"


# Any line and span


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300), st.data())
def test_carets_stand_under_the_very_text(line: str, data: st.DataObject) -> None:
    """For any ASCII line and span, the underlined part of what is shown is the part of the line."""
    first = data.draw(st.integers(0, len(line)))
    last = data.draw(st.integers(first, len(line)))
    if "##" in line:
        line = line.replace("#", ".")
    seen = view(Span("a", 1, first + 1, last + 1, line))
    assert seen.text[seen.offset : seen.offset + seen.width].ljust(1)[: last - first] == line[first:last][:WIDTH]
    assert seen.width == max(1, min(WIDTH, last - first))


WIDE = {"a": 1, "é": 1, "名": 2, "한": 2, "\u0301": 0, "😀": 2, "\t": 4, "\u200b": 6}


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from([*WIDE]), max_size=12), st.data())
def test_carets_count_columns_and_not_characters(line: str, data: st.DataObject) -> None:
    """Before and under the span, every character counts what a terminal gives it."""
    first = data.draw(st.integers(0, len(line)))
    last = data.draw(st.integers(first, len(line)))
    seen = view(Span("a", 1, first + 1, last + 1, line))
    assert seen.offset == sum(WIDE[c] for c in line[:first])
    assert seen.width == max(1, sum(WIDE[c] for c in line[first:last]))
