"""The Python API as its users' type checkers see it: checked by `make lint`, and run by test_api.py."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, assert_type

import jhecfg


def looked_at(spec: str) -> list[str]:
    """Compile a spec, and look at everything that docs/api.md names."""
    try:
        build = jhecfg.compile(spec)
    except jhecfg.SpecError as error:
        return [told(each) for each in error.diagnostics]
    except jhecfg.ToolError as error:
        return [str(error)]
    assert_type(build, jhecfg.Build)
    assert_type(build.site.name, str)
    assert_type(build.objects_checked, int)
    files: Mapping[str, bytes] = build.files
    for artifact in build.artifacts:
        assert_type(artifact, jhecfg.Artifact)
        assert_type(artifact.path, str)
        manifest: Mapping[str, Any] | None = artifact.manifest
        assert manifest is None or manifest["kind"]
        assert artifact.tree is not None
    return [*map(told, build.diagnostics), *sorted(files)]


def told(diagnostic: jhecfg.Diagnostic) -> str:
    """Say a diagnostic."""
    assert_type(diagnostic.severity, jhecfg.Severity)
    span = diagnostic.span
    if span is not None:
        assert_type(span, jhecfg.Span)
        place: tuple[str, int, int, int, str] = (span.file, span.line, span.column, span.end, span.text)
        assert all(str(part) in str(span) for part in place[:3])
    for other, label in diagnostic.related:
        assert_type(other, jhecfg.Span)
        assert_type(label, str)
    words: list[str] = [diagnostic.label, diagnostic.found, diagnostic.expected, diagnostic.hint]
    return f"{span}: {diagnostic.severity} {diagnostic.code} {diagnostic.message} {' '.join(words)}"


def written(build: jhecfg.Build, out: Path) -> list[str]:
    """Compare a build with a folder, and write it."""
    comparison = jhecfg.compare(build, out)
    assert_type(comparison, jhecfg.Comparison)
    assert_type(comparison.clean, bool)
    assert_type(comparison.unchanged, int)
    if comparison.clean:
        return []
    try:
        done = jhecfg.write(build, str(out), force=False)
    except jhecfg.Refused as refused:
        return [f"{path}: {reason}" for path, reason in refused.paths]
    assert not done.obstacles
    assert not done.strangers
    return [told_change(each) for each in done.changes]


def told_change(change: jhecfg.Change) -> str:
    """Say a change."""
    old: bytes | None = change.old
    new: bytes | None = change.new
    return f"{change.kind} {change.path} {len(old or b'')} {len(new or b'')}"
