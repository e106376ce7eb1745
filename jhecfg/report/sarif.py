"""Sarif: diagnostics as SARIF 2.1.0, for code scanning and for the viewers of editors.

Source of the names and limits: OASIS "Static Analysis Results Interchange Format 2.1.0 plus errata 01"; sections below.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from jhecfg import __version__
from jhecfg.diagnostics import Diagnostic, Span
from jhecfg.report.words import clean, inert, relative, sentences, well_formed

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

Node = dict[str, object]


def document(diagnostics: Sequence[Diagnostic], root: Path | None, docs: Mapping[str, str]) -> str:
    """Return one SARIF log with one run, as indented ASCII JSON ending in a line feed.

    A diagnostic without a place becomes a notification of the run, not a result: code scanning refuses a whole
    upload for one result without a location.
    """
    codes = sorted({diagnostic.code for diagnostic in diagnostics})
    index = {code: n for n, code in enumerate(codes)}
    run = {
        "tool": {"driver": driver([rule(code, docs.get(code, "")) for code in codes])},
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    notification(diagnostic, index, root) for diagnostic in diagnostics if diagnostic.span is None
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",  # 3.14.27: what Span counts in
        "results": [result(diagnostic, diagnostic.span, index, root) for diagnostic in diagnostics if diagnostic.span],
    }
    return inert(json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2)) + "\n"


def driver(rules: list[Node]) -> Node:
    """Return who speaks, and the rules that the results refer to."""
    return {"name": "jhecfg", "version": __version__, "semanticVersion": __version__, "rules": rules}


def rule(code: str, doc: str) -> Node:
    """Return a code with its documentation, or with its own words where it has none."""
    doc = doc.strip()
    described: Node = {"id": clean(code), "shortDescription": {"text": code_words(code)}}
    if doc:
        described["shortDescription"] = {"text": well_formed(doc.splitlines()[0])}
        described["help"] = {"text": well_formed(doc), "markdown": well_formed(doc)}
    return described


def code_words(code: str) -> str:
    """Return a code as words; a description must not be empty."""
    return clean(code.replace("-", " ")) or "unnamed"


def result(diagnostic: Diagnostic, span: Span, index: Mapping[str, int], root: Path | None) -> Node:
    """Return a diagnostic that has a place."""
    found: Node = {
        "ruleId": clean(diagnostic.code),
        "ruleIndex": index[diagnostic.code],
        "level": diagnostic.severity.value,
        "message": message("\n".join(sentences(diagnostic))),
        "locations": [{"physicalLocation": place(span, root)}],
    }
    if diagnostic.related:
        found["relatedLocations"] = [
            related(n, span, label, root) for n, (span, label) in enumerate(diagnostic.related, start=1)
        ]
    return found


def notification(diagnostic: Diagnostic, index: Mapping[str, int], root: Path | None) -> Node:
    """Return a diagnostic that has no place; its related places, if any, are its locations."""
    said: Node = {
        "level": diagnostic.severity.value,
        "message": message("\n".join(sentences(diagnostic))),
        "associatedRule": {"id": clean(diagnostic.code), "index": index[diagnostic.code]},
    }
    if diagnostic.related:
        said["locations"] = [
            related(n, span, label, root) for n, (span, label) in enumerate(diagnostic.related, start=1)
        ]
    return said


def related(number: int, span: Span, label: str, root: Path | None) -> Node:
    """Return a further place, with its label where it has one (3.28)."""
    location: Node = {"id": number, "physicalLocation": place(span, root)}
    return location | {"message": message(clean(label))} if label else location


def message(text: str) -> Node:
    """Return a message in which nothing is a link: viewers follow `[text](target)` even in plain text (3.11.6).

    Braces stay single, though 3.11.5 wants them doubled: there are no `arguments` to fill in, and code scanning shows
    the text as it is.
    """
    return {"text": text.replace("](", "] (")}


def place(span: Span, root: Path | None) -> Node:
    """Return a file and a region, forced into what the schema allows."""
    column = max(1, span.column)
    region: Node = {"startLine": max(1, span.line), "startColumn": column, "endColumn": max(column, span.end)}
    excerpt = well_formed(span.text[column - 1 : max(column, span.end) - 1])
    if excerpt.strip():  # an empty snippet makes consumers refuse the file (kube-score#698)
        region["snippet"] = {"text": excerpt}
    return {"artifactLocation": artifact(relative(span.file, root)), "region": region}


def artifact(file: str) -> Node:
    """Return a file as a URI: relative to the repository (3.4.4), or `file:` where it is outside of it."""
    uri = quote(well_formed(file), safe="/~")
    return {"uri": f"file://{uri}"} if file.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
