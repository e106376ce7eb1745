"""The pipeline, readable aloud: source → spec → site → artifacts → findings → diagnostics, and the files to write."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Literal, NamedTuple

from jhecfg import parse as parsing
from jhecfg import patch as patching
from jhecfg import resolve as resolving
from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Diagnostic, Finding, Loc, Severity, Span, SpecError, did_you_mean, in_order
from jhecfg.emit import NotPlain, dump
from jhecfg.parse import parse
from jhecfg.patch import patched
from jhecfg.render import render
from jhecfg.render.jobs import content_named
from jhecfg.resolve import resolve
from jhecfg.rules import SITE_RULES, WITHOUT_EXCEPTION, code_of, judge_artifacts, judge_site, rule_docs
from jhecfg.rules.manifests import secret_in_output
from jhecfg.rules.schema import Violation, schema_violations
from jhecfg.site import Site
from jhecfg.source import Ignore, Source
from jhecfg.tree import LOCK, lock_text

Validator = Literal["auto", "builtin", "kubeconform", "none"]

CODES: dict[str, str] = {
    "schema": "An output object does not fit its schema.\n\n"
    "*Why:* the API server (or eksctl, or the chart) would refuse it, or ignore what it does not know.\n\n"
    "*Instead:* correct the line of the spec that shapes it; this is most often an escape hatch.",
    "kubeconform": "kubeconform refuses an output object that the built-in schemas accept.\n\n"
    "*Instead:* correct the line of the spec that shapes it, and tell us: the two should agree.",
    "unwritable-value": "An escape hatch brings a value that cannot be written so that every reader reads the same.\n\n"
    "*Why:* integers beyond 2^53 lose digits in Kubernetes' own reader; keys and nesting have limits too.\n\n"
    "*Instead:* write a number as text, in quotes, where the consumer takes text.",
    "unused-ignore": "A `# jhecfg: ignore[…]` comment ignores nothing.\n\n"
    "*Why:* an exception that is no longer needed hides the next mistake on its line.\n\n*Instead:* delete it.",
    "ignore-without-reason": "A `# jhecfg: ignore[…]` comment does not say why.\n\n"
    "*Instead:* write the reason behind the bracket.",
    "not-ignorable": "A `# jhecfg: ignore[…]` comment names something that cannot be ignored.\n\n"
    "*Why:* only rules of advice and safety can have exceptions; a spec that does not resolve cannot be built.",
    "duplicate-site": "Two specs have the same `site`.\n\n*Why:* both would write the same folder of `out/`.\n\n"
    "*Instead:* give each its own name.",
}
"""What this stage can find, and its documentation."""


class Build(NamedTuple):
    """What a spec compiles to, and everything there is to say about it. `files` includes the lock."""

    source: Source
    site: Site
    artifacts: tuple[Artifact, ...]
    files: Mapping[str, bytes]
    diagnostics: tuple[Diagnostic, ...]
    objects_checked: int

    @property
    def failed(self) -> bool:
        """Whether an error stands in the way of writing."""
        return any(diagnostic.severity is Severity.ERROR for diagnostic in self.diagnostics)


def compile_source(source: Source, validator: Validator = "auto") -> Build:
    """Turn one spec into files and everything there is to say about them. Raises SpecError if it is no SiteSpec."""
    spec = parse(source)
    resolution = resolve(spec)
    site = resolution.site
    rendered, patch_problems = patched(site, render(site))
    artifacts = tuple(content_named(rendered))
    files, unwritable = emit_files(source, site, artifacts)
    about_site = [*resolution.problems, *judge_site(site), *patch_problems, *unwritable]
    said = tuple(located(source, artifacts, about_site))
    diagnostics = excepted(source, said)
    if not any(diagnostic.severity is Severity.ERROR for diagnostic in diagnostics):
        # One cause, one error: what a wrong site renders to is wrong too, and nobody need read that.
        about_output = located(source, artifacts, _judged(site, artifacts, validator))
        diagnostics = excepted(source, (*said, *about_output))
    return Build(
        source=source,
        site=site,
        artifacts=artifacts,
        files=files,
        diagnostics=diagnostics,
        objects_checked=0 if validator == "none" else sum(a.manifest is not None for a in artifacts),
    )


def emit_files(
    source: Source, site: Site, artifacts: Iterable[Artifact]
) -> tuple[dict[str, bytes], list[tuple[str, Finding]]]:
    """Return the bytes of every file, by path, and what cannot be written, as (code, finding).

    The bytes depend on the spec's meaning and this release of jhecfg alone.
    """
    files, unwritable = dict[str, bytes](), list[tuple[str, Finding]]()
    for artifact in artifacts:
        try:
            files[artifact.path] = _bytes(site, artifact)
        except NotPlain as error:
            finding = Finding(artifact=artifact.path, loc=error.loc, message=error.problem)
            unwritable.append(("unwritable-value", finding))
    files[LOCK] = lock_text(spec_digest(source), files)
    return files, unwritable


def spec_digest(source: Source) -> str:
    """Return the SHA-256 of what the spec says: comments, order of keys and layout do not count."""
    text = json.dumps(source.tree, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _bytes(site: Site, artifact: Artifact) -> bytes:
    if isinstance(artifact.tree, str):
        return artifact.tree.encode()
    header = (f"Generated by jhecfg for site {site.name}. Do not edit: change its spec, then run `jhecfg build`.",)
    return dump(artifact.tree, (*header, *artifact.note)).encode()


def _judged(site: Site, artifacts: Sequence[Artifact], validator: Validator) -> Iterator[tuple[str, Finding]]:
    """Judge the outputs by the schemas and, where every object has the right shape, by the rules."""
    violations = tuple(_schema_findings(artifacts, site, validator))
    if violations:
        yield from violations
    elif validator == "none":  # the other rules take every object to have the right shape
        yield from (("secret-in-output", finding) for finding in secret_in_output(site, artifacts))
    else:
        yield from judge_artifacts(site, artifacts)


def _schema_findings(artifacts: Sequence[Artifact], site: Site, validator: Validator) -> Iterator[tuple[str, Finding]]:
    if validator != "none":
        for violation in schema_violations(artifacts, site.kubernetes):
            yield "schema", finding_of(violation)


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


# --- from symbols to places -------------------------------------------------------------------------------------------


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
    origin = origin_of(source.tree, finding.artifact, finding.loc)
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


# --- exceptions -------------------------------------------------------------------------------------------------------

# A warning of another stage, and the rules over the site that are about safety or advice; nothing else.
_IGNORABLE = frozenset({"unknown-release", *(code_of(rule) for rule in SITE_RULES if rule not in WITHOUT_EXCEPTION)})


def excepted(source: Source, diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Take out what a `# jhecfg: ignore[code] reason` comment on its line excepts; say which comments are wrong."""
    kept, used, ignores = list[Diagnostic](), set[tuple[Ignore, str]](), source.ignores
    for diagnostic in diagnostics:
        code, span = diagnostic.code, diagnostic.span
        meant = [i for i in ignores if code in _IGNORABLE and i.reason and span is not None and i.covers(span, code)]
        used.update((ignore, code) for ignore in meant)
        if not meant:
            kept.append(diagnostic)
    wrong = (
        _wrong_ignore(ignore, code, (ignore, code) in used) for ignore in ignores for code in ignore.codes or ("",)
    )
    return in_order([*kept, *(diagnostic for diagnostic in wrong if diagnostic is not None)])


def _wrong_ignore(ignore: Ignore, code: str, used: bool) -> Diagnostic | None:
    """Say what is wrong with one code of an exception, if anything is."""
    if not ignore.reason:
        problem = ("ignore-without-reason", "this exception has no reason", "write the reason behind the bracket")
    elif code not in documentation():
        problem = ("not-ignorable", f"there is no code '{code}'", did_you_mean(code, _IGNORABLE))
    elif code not in _IGNORABLE:
        problem = ("not-ignorable", f"'{code}' cannot have an exception", "delete the comment, and mend the line")
    elif not used:
        problem = ("unused-ignore", f"there is no '{code}' to ignore here", "delete the comment")
    else:
        return None
    name, message, hint = problem
    return Diagnostic(code=name, severity=Severity.WARNING, span=ignore.span, message=message, hint=hint)


@cache
def documentation() -> dict[str, str]:
    """Return the documentation of every code that jhecfg can print."""
    from jhecfg import reader, source

    tables: tuple[Mapping[str, Any], ...] = (
        reader.CODES,
        source.SPEC_CODES,
        parsing.CODES,
        resolving.CODES,
        patching.CODES,
        CODES,
        rule_docs(),
    )
    return {code: str(text) for table in tables for code, text in table.items()}
