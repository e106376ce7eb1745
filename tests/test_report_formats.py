"""What programs and CI see of a diagnostic: json, GitHub annotations, SARIF."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import unquote

import pytest

from jhecfg import report
from jhecfg.diagnostics import Diagnostic, Severity, Span
from tests.sarif import VALIDATOR

WARNING = Severity.WARNING

LINE = "    domian: hub.example.org"
DOMIAN = Span("specs/demo.yaml", 8, 5, 11, LINE)
UNKNOWN = Diagnostic(
    code="unknown-field",
    message="a hub has no field 'domian'",
    span=DOMIAN,
    label="not a field of a hub",
    hint="did you mean 'domain'?",
)


# Json


def test_json_has_every_key_and_no_line_of_the_input() -> None:
    """The object is the documented one, and the spec's text is not in it."""
    related = Span("base.yaml", 2, 1, 5, "password: hunter2")
    said = Diagnostic(code="c", message="m", span=DOMIAN, label="l", found="f", hint="h", related=((related, "r"),))
    text = report.render([said, Diagnostic(code="w", message="n", severity=WARNING)], "json")
    place = {"file": "specs/demo.yaml", "line": 8, "column": 5, "end_column": 11}
    rest = {"label": "l", "found": "f", "expected": "", "hint": "h"}
    other = {"file": "base.yaml", "line": 2, "column": 1, "end_column": 5, "label": "r"}
    nowhere = {"file": None, "line": None, "column": None, "end_column": None}
    empty = {"label": "", "found": "", "expected": "", "hint": "", "related": []}
    assert json.loads(text) == {
        "version": 1,
        "diagnostics": [
            {"code": "w", "severity": "warning", "message": "n", **nowhere, **empty},
            {"code": "c", "severity": "error", "message": "m", **place, **rest, "related": [other]},
        ],
        "summary": {"errors": 1, "warnings": 1, "files": 1},
    }
    assert "hunter2" not in text


def test_programs_get_paths_relative_to_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a spec was named absolutely or from a subfolder, json, github and sarif name it from the root."""
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    for typed, expected in [
        ("a b.yaml", "sub/a b.yaml"),
        (str(tmp_path / "specs/a.yaml"), "specs/a.yaml"),
        ("/elsewhere/a.yaml", "/elsewhere/a.yaml"),
        ("<stdin>", "<stdin>"),
    ]:
        said = [Diagnostic(code="c", message="m", span=Span(typed, 1, 1, 2, "x"))]
        assert json.loads(report.render(said, "json", root=tmp_path))["diagnostics"][0]["file"] == expected
        assert f"file={expected}," in report.render(said, "github", root=tmp_path)
        uri = artifact(json.loads(report.render(said, "sarif", root=tmp_path)))["uri"]
        assert unquote(uri.removeprefix("file://")) == expected
        assert " " not in uri


# Github


def test_github_gets_one_escaped_command_per_diagnostic() -> None:
    """Percent, line feed, colon and comma arrive as they were; the runner undoes exactly these escapes."""
    said = Diagnostic(
        code="c",
        message="100% wrong, see: a\nb",
        span=Span("specs/a,b:%.yaml", 8, 5, 11, "x" * 20),
        label="here",
        hint="first\nsecond",
        related=((Span("base.yaml", 2, 3, 4, "yyyy"), "there"),),
    )
    assert report.render([said, Diagnostic(code="w", message="n", severity=WARNING)], "github") == (
        "::warning title=w::n\n"
        "::error file=specs/a%2Cb%3A%25.yaml,line=8,col=5,endColumn=11,title=c::"
        "100%25 wrong, see: a\\u000ab%0Ahere%0Ahelp: first%0A      second%0Asee base.yaml:2:3: there\n"
    )


# Sarif


def artifact(
    log: dict[str, list[dict[str, list[dict[str, list[dict[str, dict[str, dict[str, str]]]]]]]]],
) -> dict[str, str]:
    """Return where the only result of a log is."""
    return log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]


def test_sarif_says_rule_level_place_and_documentation() -> None:
    """Code scanning gets the rule's text, a relative location and the very words that are wrong."""
    log = json.loads(report.render([UNKNOWN], "sarif", docs={"unknown-field": "A key that no one reads.\n\nFix it."}))
    VALIDATOR.validate(log)
    run = log["runs"][0]
    assert run["tool"]["driver"]["rules"] == [
        {
            "id": "unknown-field",
            "shortDescription": {"text": "A key that no one reads."},
            "help": dict.fromkeys(("text", "markdown"), "A key that no one reads.\n\nFix it."),
        }
    ]
    message = "a hub has no field 'domian'\nnot a field of a hub\nhelp: did you mean 'domain'?"
    region = {"startLine": 8, "startColumn": 5, "endColumn": 11, "snippet": {"text": "domian"}}
    where = {"artifactLocation": {"uri": "specs/demo.yaml", "uriBaseId": "%SRCROOT%"}, "region": region}
    assert run["results"] == [
        {
            "ruleId": "unknown-field",
            "ruleIndex": 0,
            "level": "error",
            "message": {"text": message},
            "locations": [{"physicalLocation": where}],
        }
    ]


def test_sarif_has_no_result_without_a_place() -> None:
    """One result without a location makes code scanning refuse all; such a diagnostic is a notification."""
    log = json.loads(report.render([UNKNOWN, Diagnostic(code="a-tool", message="m", severity=WARNING)], "sarif"))
    VALIDATOR.validate(log)
    run = log["runs"][0]
    assert [found["ruleId"] for found in run["results"]] == ["unknown-field"]
    assert run["results"][0]["ruleIndex"] == 1
    assert run["invocations"][0]["toolExecutionNotifications"] == [
        {"level": "warning", "message": {"text": "m"}, "associatedRule": {"id": "a-tool", "index": 0}}
    ]
    assert run["tool"]["driver"]["rules"][0] == {"id": "a-tool", "shortDescription": {"text": "a tool"}}


@pytest.mark.parametrize("span", [Span("a", 1, 3, 3, "a:"), Span("a", 1, 1, 3, "    "), Span("a", 1, 9, 12, "")])
def test_sarif_has_no_empty_snippet(span: Span) -> None:
    """Where nothing is underlined there is no snippet, not an empty one."""
    log = json.loads(report.render([Diagnostic(code="c", message="m", span=span)], "sarif"))
    VALIDATOR.validate(log)
    assert "snippet" not in json.dumps(log)


def test_sarif_messages_hold_no_link() -> None:
    """A spec cannot put a link into a code scanning alert."""
    log = report.render([Diagnostic(code="c", message="[click](https://evil.example)", span=DOMIAN)], "sarif")
    assert "](" not in log
