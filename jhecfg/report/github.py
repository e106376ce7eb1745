"""Github: diagnostics as workflow commands, which GitHub Actions shows beside the lines of a pull request.

The escapes are those the runner undoes: actions/runner, src/Runner.Common/ActionCommand.cs. GitHub shows the first
ten errors and ten warnings of a step as annotations; the log has all lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jhecfg.diagnostics import Diagnostic, Span
from jhecfg.report.words import clean, relative, sentences, within


def commands(diagnostics: Sequence[Diagnostic], root: Path | None, limit: int) -> str:
    """Return one line per diagnostic, each ending in a line feed."""
    shown, more = within(diagnostics, limit)
    lines = [command(diagnostic, root) for diagnostic in shown]
    if more:
        lines.append(f"::notice title=jhecfg::{data(more)}")
    return "".join(line + "\n" for line in lines)


def command(diagnostic: Diagnostic, root: Path | None) -> str:
    """Return one `::error file=…,line=…,col=…,endColumn=…,title=code::message`."""
    properties = {**place(diagnostic.span, root), "title": clean(diagnostic.code)}
    listed = ",".join(f"{name}={property_value(value)}" for name, value in properties.items())
    said = [*sentences(diagnostic), *(seen(span, label, root) for span, label in diagnostic.related)]
    return f"::{diagnostic.severity} {listed}::{data(chr(10).join(said))}"


def about(file: str, said: str, root: Path | None) -> str:
    """Return an error about a whole file, which is no diagnostic: it has no code and no line."""
    return f"::error file={property_value(clean(relative(file, root)))},title=jhecfg::{data(clean(said))}\n"


def place(span: Span | None, root: Path | None) -> dict[str, str]:
    """Return the properties that say where; none without a span."""
    if span is None:
        return {}
    file = clean(relative(span.file, root))
    return {"file": file, "line": str(span.line), "col": str(span.column), "endColumn": str(span.end)}


def seen(span: Span, label: str, root: Path | None) -> str:
    """Say a related place, for which an annotation has no room of its own."""
    return f"see {clean(relative(span.file, root))}:{span.line}:{span.column}" + (f": {clean(label)}" if label else "")


def data(text: str) -> str:
    """Escape the text of a command; `%` first."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def property_value(text: str) -> str:
    """Escape a property of a command, where `:` and `,` also mean something."""
    return data(text).replace(":", "%3A").replace(",", "%2C")
