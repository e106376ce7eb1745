"""Document: answers for programs, as one versioned object.

    {"version": 1, "kind": "code", "codes": [{"code", "text"}]}
    {"version": 1, "kind": "key", "key": KEY}
    {"version": 1, "kind": "output", "file", "line", "pointer", "site", "written": [PLACE], "unwritten": [KEY],
     "needed": [PLACE], "complete"}
    {"version": 1, "kind": "spec",
     "sites": [{"site", "file", "line", "keys": [{"path", "key": KEY, "written": [PLACE]}], "overruled": [path],
                "moves": [{"path", "how", "lines", "places": [{"pointer", "line"}]}], "complete"}]}

A KEY is `name`, `value`, `required`, `default`, `choices`, `meaning` and `fields`; null below free-form data. A PLACE
is `path`, `file`, `line` and `column`. Every key is always there. New keys may come; a change to these
raises `version`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from jhecfg.diagnostics import Span
from jhecfg.explain.answers import Because, FileMoves, FromOutput, FromSpec
from jhecfg.explain.keys import Key


def codes_document(docs: Mapping[str, str]) -> str:
    """Return codes with their documentation as JSON."""
    return _document("code", {"codes": [{"code": code, "text": text} for code, text in docs.items()]})


def key_document(key: Key) -> str:
    """Return what a key means as JSON."""
    return _document("key", {"key": _key(key)})


def output_document(answer: FromOutput) -> str:
    """Return what shapes a place of an output as JSON."""
    return _document(
        "output",
        {
            "file": answer.file,
            "line": answer.span.line if answer.span else None,
            "pointer": answer.pointer,
            "site": answer.site,
            "written": [_because(each) for each in answer.written],
            "unwritten": [_key(each) for each in answer.unwritten],
            "needed": [_because(each) for each in answer.needed],
            "complete": answer.complete,
        },
    )


def spec_document(answers: Sequence[FromSpec]) -> str:
    """Return what a line of a spec does, in every site that it is part of, as JSON."""
    return _document("spec", {"sites": [_spec(answer) for answer in answers]})


def _document(kind: str, content: dict[str, Any]) -> str:
    return json.dumps({"version": 1, "kind": kind, **content}, indent=2) + "\n"


def _spec(answer: FromSpec) -> dict[str, Any]:
    keys = [
        {"path": path, "key": _key(key) if key else None, "written": [_place(path, span) for span in spans]}
        for path, key, spans in answer.keys
    ]
    return {
        "site": answer.site,
        "file": answer.file,
        "line": answer.span.line,
        "keys": keys,
        "overruled": list(answer.overruled),
        "moves": [_moves(each) for each in answer.moves],
        "complete": answer.complete,
    }


def _moves(moves: FileMoves) -> dict[str, Any]:
    places = [{"pointer": pointer, "line": line} for pointer, line in moves.places]
    return {"path": moves.path, "how": moves.how, "lines": moves.lines, "places": places}


def _key(key: Key) -> dict[str, Any]:
    fields = [{"name": name, "meaning": meaning} for name, meaning in key.fields]
    return {**key._asdict(), "choices": list(key.choices), "fields": fields}


def _because(because: Because) -> dict[str, Any]:
    return _place(because.key, because.span)


def _place(path: str, span: Span) -> dict[str, Any]:
    return {"path": path, "file": span.file, "line": span.line, "column": span.column}
