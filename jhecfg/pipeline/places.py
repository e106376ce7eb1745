"""From symbols to places: findings become diagnostics, with a line of the spec, and of the output."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Diagnostic, Finding, Loc, Span, SpecError
from jhecfg.emit import NotPlain, dump
from jhecfg.rules.schema import Violation
from jhecfg.source import Source


def finding_of(violation: Violation) -> Finding:
    """Turn a judge's violation into a finding about the output."""
    return Finding(
        artifact=violation.path,
        loc=violation.pointer,
        message=violation.message,
        found=violation.found,
        expected=violation.expected,
        hint=violation.hint,
        key=violation.key,
    )


def located(
    source: Source, artifacts: Sequence[Artifact], findings: Iterable[tuple[str, Finding]]
) -> Iterator[Diagnostic]:
    """Turn findings into diagnostics: the spec's line where there is one, the output's line beside it."""
    for code, finding in findings:
        if finding.artifact:
            yield _in_output(source, artifacts, code, finding)
        else:
            yield _diagnostic(code, finding, source.span(finding.loc, key=finding.key), _related(source, finding))


def _related(source: Source, finding: Finding) -> tuple[tuple[Span, str], ...]:
    written = ((loc, label) for loc, label in finding.related if loc in source.places)
    return tuple((source.span(loc, key=True), label) for loc, label in written)


def _diagnostic(code: str, finding: Finding, span: Span, related: tuple[tuple[Span, str], ...]) -> Diagnostic:
    return Diagnostic(
        code=code,
        message=finding.message,
        span=span,
        severity=finding.severity,
        label=finding.label,
        found=finding.found,
        expected=finding.expected,
        hint=finding.hint,
        related=related,
    )


def _in_output(source: Source, artifacts: Sequence[Artifact], code: str, finding: Finding) -> Diagnostic:
    from jhecfg.origin import origin_of  # renders again for every leaf: only when something is wrong

    artifact = next(a for a in artifacts if a.path == finding.artifact)
    line = _output_span(artifact, finding.loc)
    origin = origin_of(source.tree, finding.artifact, finding.loc, source.sealed)
    wrong_key = finding.key and origin is not None and finding.loc[-1] in origin
    if wrong_key and origin:
        origin = origin[: origin.index(finding.loc[-1]) + 1]
    label = finding.label if origin else "no line of the spec shapes this: jhecfg itself does"
    named = finding._replace(message=f"{finding.artifact}: {finding.message}", label=label)
    related = ((line, "in the output"),) if line else ()
    return _diagnostic(code, named, source.span(origin or (), key=wrong_key), related)


def _output_span(artifact: Artifact, pointer: Loc) -> Span | None:
    """Return the line of an output that is wrong, as it would be written; None where it cannot be."""
    from jhecfg.reader import Limits, read

    if isinstance(artifact.tree, str):
        return None
    try:
        # Our own text: it may be larger than what a person may write.
        wide = Limits(bytes=64 << 20, depth=128, nodes=10_000_000, scalar=8 << 20, key=2000)
        # As many lines of comment as the file has (`_bytes`), so that the line's number is the file's.
        document = read(dump(artifact.tree, ("", *artifact.note)).encode(), artifact.path, wide)
    except (NotPlain, SpecError):
        return None
    while pointer not in document.values and pointer:
        pointer = pointer[:-1]
    return document.span(document.keys.get(pointer) or document.values[pointer])
