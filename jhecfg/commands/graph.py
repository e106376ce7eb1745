"""graph: the site drawn, as Mermaid or as SVG."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from jhecfg.diagnostics import Severity, SpecError, ToolError
from jhecfg.parse import parse
from jhecfg.pipeline import documentation, located
from jhecfg.render.drawing import drawing
from jhecfg.render.picture import picture
from jhecfg.resolve import resolve
from jhecfg.source import load
from jhecfg.talk import Exit, Talk


def graph(spec: Path, talk: Talk, style: Literal["mermaid", "svg"]) -> int:
    """Print the picture of a site; that of `mermaid` is the one of its runbook."""
    try:
        source = load(spec, name=spec.as_posix())
        resolution = resolve(parse(source), source.sealed)
    except SpecError as error:
        talk.diagnostics(error.diagnostics, documentation(), "not drawn")
        return Exit.SPEC
    except ToolError as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.ENVIRONMENT
    errors = [(code, finding) for code, finding in resolution.problems if finding.severity is Severity.ERROR]
    if errors:
        talk.diagnostics(tuple(located(source, (), errors)), documentation(), "not drawn")
        return Exit.SPEC
    talk.result(drawing(resolution.site) if style == "svg" else picture(resolution.site) + "\n")
    return Exit.OK
