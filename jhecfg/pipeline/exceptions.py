"""Deliberate exceptions: which diagnostics a `# jhecfg: ignore[code] reason` comment takes out."""

from __future__ import annotations

from collections.abc import Iterable

from jhecfg.diagnostics import Diagnostic, Severity, did_you_mean, in_order
from jhecfg.pipeline.codes import documentation
from jhecfg.rules import SITE_RULES, WITHOUT_EXCEPTION, code_of
from jhecfg.source import Ignore, Source

# Two of other stages, and the rules over the site that are about safety or advice; nothing else.
_IGNORABLE = frozenset(
    {"unknown-release", "patch-override", *(code_of(rule) for rule in SITE_RULES if rule not in WITHOUT_EXCEPTION)}
)


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
