"""Report: diagnostics printed for people (text), programs (json), GitHub annotations and code scanning (sarif).

Everything here takes finished `Diagnostic`s and gives back text; nothing here reads a file or decides anything.
Whatever a diagnostic holds (a hostile spec may have put it there), what comes out has no control character, no
terminal escape and no CI workflow command of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

from jhecfg.diagnostics import Diagnostic, in_order
from jhecfg.report.streams import prepare_streams, put, wants_colour
from jhecfg.report.words import inert, summary

__all__ = ["Format", "inert", "prepare_streams", "put", "render", "summary", "wants_colour"]

Format = Literal["text", "json", "github", "sarif"]


def render(
    diagnostics: Sequence[Diagnostic],
    format: Format,
    *,
    colour: bool = False,
    root: Path | None = None,
    docs: Mapping[str, str] | None = None,
    limit: int = 50,
) -> str:
    """Return the diagnostics in one format, in order, each said once, ending in a line feed (or "" for none).

    `colour` matters to text alone. `root` is the repository: json, github and sarif name files relative to it, text
    names them as they were given, so that an editor opens them. `docs` says what each code means (its first line is
    the summary); sarif carries it. `limit` caps text and github, errors before warnings, and the rest is counted; 0
    shows all. json and sarif are always complete, and a document even where there is nothing to say.
    """
    found = in_order(diagnostics)
    if format == "json":
        from jhecfg.report import json

        return json.document(found, root)
    if format == "sarif":
        from jhecfg.report import sarif

        return sarif.document(found, root, docs or {})
    if format == "github":
        from jhecfg.report import github

        return github.commands(found, root, limit)
    from jhecfg.report import text

    return text.frames(found, colour, limit)
