"""Changed: a spec with new bytes: whether all that is made of it can still be built, and the diff."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from difflib import unified_diff
from pathlib import Path

from jhecfg.diagnostics import Diagnostic, Severity, SpecError, ToolError, in_order
from jhecfg.pipeline import compile_source
from jhecfg.source import discover, load


def checked(spec: Path, after: bytes) -> tuple[Diagnostic, ...]:
    """Compile a spec as it would be, or, if others extend it, those; return the warnings.

    Others are looked for beside it and in specs/. Raises `SpecError` with all errors; its lines are the new ones.
    """
    said = list[Diagnostic]()
    extending = list(_extending(spec))
    source = load(spec, text=after)
    instead = {os.path.realpath(spec): after}
    for path in ([spec] if "site" in source.tree or not extending else []) + extending:
        try:
            site = source if path == spec else load(path, instead=instead)
            said += compile_source(site, "builtin").diagnostics
        except SpecError as error:
            said += error.diagnostics
    if any(diagnostic.severity is Severity.ERROR for diagnostic in said):
        raise SpecError(in_order(said))
    return in_order(said)


def _extending(spec: Path) -> Iterator[Path]:
    """Yield the specs that extend one, over any number of others."""
    real = os.path.realpath(spec)
    for path in _beside(spec):
        try:
            bases = list(load(path, name=path.as_posix(), sealed=False).digests)[1:]
        except (SpecError, ToolError):  # it cannot be built as it is: not for this change
            continue
        if real in (os.path.realpath(path.parent / base) for base in bases):
            yield path


def _beside(spec: Path) -> Sequence[Path]:
    """Return the other specs of the spec's folder and of specs/."""
    found = {os.path.realpath(spec): spec}
    for folder in (spec.parent, Path("specs")):
        if os.path.isdir(folder):
            for path in discover(folder):
                found.setdefault(os.path.realpath(path), path)
    return list(found.values())[1:]


def diff(name: str, before: bytes, after: bytes) -> str:
    """Return the unified diff of a spec."""
    old, new = before.decode().splitlines(), after.decode().splitlines()
    return "".join(f"{line}\n" for line in unified_diff(old, new, name, name, lineterm=""))
