"""Json: diagnostics for programs, as one versioned object.

    {"version": 1,
     "diagnostics": [{"code", "severity", "message", "file", "line", "column", "end_column", "label", "found",
                      "expected", "hint", "related": [{"file", "line", "column", "end_column", "label"}]}],
     "summary": {"errors", "warnings", "files"}}

Every key is always there. `severity` is "error" or "warning"; `file`, `line`, `column` and `end_column` are null where
a diagnostic has no place; the other texts are "" where there is nothing to say. Lines and columns count from 1, in
Unicode code points; `end_column` is the one after the last. No line of the input is repeated. New keys may come; a
change to these raises `version`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from jhecfg.diagnostics import Diagnostic, Severity, Span
from jhecfg.report.words import files_of, inert, relative, well_formed

VERSION = 1


def document(diagnostics: Sequence[Diagnostic], root: Path | None) -> str:
    """Return the object as indented ASCII JSON, ending in a line feed."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    whole = {
        "version": VERSION,
        "diagnostics": [one(diagnostic, root) for diagnostic in diagnostics],
        "summary": {
            "errors": severities.count(Severity.ERROR),
            "warnings": severities.count(Severity.WARNING),
            "files": len(files_of(diagnostics)),
        },
    }
    return inert(json.dumps(whole, indent=2)) + "\n"


def one(diagnostic: Diagnostic, root: Path | None) -> dict[str, object]:
    """Return one diagnostic as a plain object."""
    return {
        "code": well_formed(diagnostic.code),
        "severity": diagnostic.severity.value,
        "message": well_formed(diagnostic.message),
        **place(diagnostic.span, root),
        "label": well_formed(diagnostic.label),
        "found": well_formed(diagnostic.found),
        "expected": well_formed(diagnostic.expected),
        "hint": well_formed(diagnostic.hint),
        "related": [place(span, root) | {"label": well_formed(label)} for span, label in diagnostic.related],
    }


def place(span: Span | None, root: Path | None) -> dict[str, object]:
    """Return where a span is; all null without one."""
    if span is None:
        return {"file": None, "line": None, "column": None, "end_column": None}
    file = well_formed(relative(span.file, root))
    return {"file": file, "line": span.line, "column": span.column, "end_column": span.end}
