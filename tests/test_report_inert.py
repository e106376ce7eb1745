"""Whatever a diagnostic holds, its printed form is inert: no crash, no control, no command, no invalid log."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg import report
from jhecfg.diagnostics import Diagnostic, Severity, Span
from tests.sarif import VALIDATOR

NASTY = st.sampled_from(
    ["\x1b[2J", "\r\n", "::error::", "##[add-mask]x", "\u202e", "[bold]x[/]", "%0A", "](", "\x7f", "\ud800", "\udc80"]
)
STRINGS = st.text(max_size=8) | st.tuples(NASTY, st.text(max_size=3), NASTY).map("".join)
NUMBERS = st.integers(-3, 400)
SPANS = st.builds(Span, STRINGS, NUMBERS, NUMBERS, NUMBERS, STRINGS | STRINGS.map(lambda text: text * 40))
RELATED = st.lists(st.tuples(SPANS, STRINGS), max_size=2).map(tuple)
DIAGNOSTICS = st.lists(
    st.builds(
        Diagnostic,
        code=STRINGS,
        message=STRINGS,
        span=st.none() | SPANS,
        severity=st.sampled_from(Severity),
        label=STRINGS,
        found=STRINGS,
        expected=STRINGS,
        hint=STRINGS,
        related=RELATED,
    ),
    max_size=3,
)


def controls(text: str) -> Iterator[str]:
    """Yield what a terminal could obey or would not show."""
    return (c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


@settings(max_examples=50, deadline=None)
@given(DIAGNOSTICS)
def test_no_content_can_break_a_printer_or_reach_the_terminal(diagnostics: list[Diagnostic]) -> None:
    """Whatever a diagnostic holds, every format prints it, inert."""
    for format in ("text", "json", "github", "sarif"):
        text = report.render(diagnostics, format, root=Path("specs"), docs={"a": "x"})
        assert not [*controls(text)]
        assert text == "" or text.endswith("\n")
        text.encode()
    assert not [*controls(report.summary(diagnostics))]


@settings(max_examples=50, deadline=None)
@given(DIAGNOSTICS)
def test_every_github_line_is_one_command(diagnostics: list[Diagnostic]) -> None:
    """There are as many lines as diagnostics, and each is what the runner reads as an annotation."""
    lines = report.render(diagnostics, "github").splitlines()
    assert len(lines) == len(set(diagnostics))
    for line in lines:
        assert re.fullmatch(r"::(error|warning) [a-zA-Z]+=[^:,\r\n]*(,[a-zA-Z]+=[^:,\r\n]*)*::.+", line)
        assert "##[" not in line


@settings(max_examples=50, deadline=None)
@given(DIAGNOSTICS)
def test_no_text_line_is_a_github_command(diagnostics: list[Diagnostic]) -> None:
    """In a CI log, a frame is only ever a frame."""
    for line in report.render(diagnostics, "text").splitlines():
        assert "##[" not in line
        assert not re.match(r"\s*::[^:]*[a-z][^:]*::", line)


@settings(max_examples=50, deadline=None)
@given(DIAGNOSTICS)
def test_sarif_is_always_valid(diagnostics: list[Diagnostic]) -> None:
    """Every log is closed under the schema, with ends after starts and rules that exist."""
    log = json.loads(report.render(diagnostics, "sarif"))
    VALIDATOR.validate(log)
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    for result in log["runs"][0]["results"]:
        region = result["locations"][0]["physicalLocation"]["region"]
        assert region["startColumn"] <= region["endColumn"]
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
