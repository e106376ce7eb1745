"""Experiments: what a spec's tree renders to, and what it renders to when one leaf of it is nudged."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from pydantic import ValidationError

from jhecfg.artifact import Tree
from jhecfg.diagnostics import Loc, Severity
from jhecfg.origin.nudge import has_choices, nudges
from jhecfg.patch import patched
from jhecfg.render import render
from jhecfg.render.finish import finished
from jhecfg.resolve import resolve
from jhecfg.sealed import SealedFile
from jhecfg.spec import SiteSpec

TRIES = 16
"""Other values that are tried for one leaf, at most."""

Files = Mapping[str, Tree | str]


class Outputs(NamedTuple):
    """The trees of the outputs, by path. They are `sound` where nothing was wrong on the way."""

    files: Files
    sound: bool


def outputs_of(tree: dict[str, Any], sealed: tuple[SealedFile, ...] = ()) -> Outputs | None:
    """Return what a spec's tree renders to, or None when it is no valid spec. `sealed` are the files beside it."""
    try:
        resolution = resolve(SiteSpec.model_validate(tree), sealed)
    except ValidationError:
        return None
    artifacts, problems = patched(resolution.site, render(resolution.site))
    wrong = any(finding.severity is Severity.ERROR for _, finding in resolution.problems)
    return Outputs({a.path: a.tree for a in finished(artifacts)}, not wrong and not problems)


class Experiment(NamedTuple):
    """What the spec renders to with a place of it nudged. `work` outputs were rendered to find it."""

    files: Files
    work: int
    sound: bool


def experiments(
    tree: dict[str, Any], loc: Loc, before: Files, sealed: tuple[SealedFile, ...] = ()
) -> Iterator[Experiment]:
    """Nudge a place of a spec. `before` is what it renders to as it is.

    It is one experiment, the nearest that is sound and moves something; of a choice, one for each other value. Where
    none is sound, it is the nearest that is valid: an organization that nothing else can stand for still is one.
    """
    unsound: Files | None = None
    work, found = 0, False
    for other in islice(nudges(tree, loc), TRIES):
        after = outputs_of(other, sealed)
        if after is None:
            continue
        work += len(after.files)
        if after.files == before:
            continue
        if after.sound:
            yield Experiment(after.files, work, sound=True)
            work, found = 0, True
            if not has_choices(loc):
                return
        elif unsound is None:
            unsound = after.files
    if not found:
        yield Experiment(before if unsound is None else unsound, work, sound=unsound is None)
