"""Sides: which spec before belongs to which after, and the plan of each two, whatever can still be compiled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from jhecfg.diagnostics import Diagnostic, Severity, SpecError
from jhecfg.pipeline import Build, compile_source
from jhecfg.plan import plan
from jhecfg.plan.model import Plan
from jhecfg.plan.reasons import spec_changes
from jhecfg.render.steps import words
from jhecfg.source import Source
from jhecfg.tree import LOCK, digest
from jhecfg.tree.lock import is_blank, read_lock

FEW = 3


class Side(NamedTuple):
    """A spec as it was read. Without `source` it could not be, and `diagnostics` say why."""

    spec: str
    source: Source | None
    diagnostics: tuple[Diagnostic, ...] = ()

    @property
    def site(self) -> str:
        """The site that the spec names, "" where it names none."""
        return str(self.source.tree.get("site", "")) if self.source is not None else ""


class Two(NamedTuple):
    """A spec before and after; None where it is not there."""

    before: Side | None
    after: Side | None


class Outcome(NamedTuple):
    """The plan of two sides, or, where the spec that is to be cannot be compiled, what is wrong with it."""

    plan: Plan | None
    diagnostics: tuple[Diagnostic, ...] = ()


def matched(before: Sequence[Side], after: Sequence[Side]) -> list[Two]:
    """Pair specs by the site that they name, wherever their files are; then, what is left, by their files."""
    olds, pairs = list(before), list[Two]()
    for alike in (_same_site, _same_file):
        for new in after:
            old = next((side for side in olds if alike(side, new)), None)
            if old is not None and all(two.after is not new for two in pairs):
                olds.remove(old)
                pairs.append(Two(old, new))
    found = {id(two.after): two for two in pairs}
    return [*(found.get(id(new), Two(None, new)) for new in after), *(Two(old, None) for old in olds)]


def _same_site(one: Side, other: Side) -> bool:
    return one.site != "" and one.site == other.site


def _same_file(one: Side, other: Side) -> bool:
    return one.spec == other.spec


def outcome_of(two: Two, revision: str, lock: bytes | None) -> Outcome:
    """Plan one site. `revision` is how people call the older side; `lock` is its jhecfg.lock, if it has one."""
    after, wrong = _compiled(two.after)
    if two.after is not None and (after is None or after.failed):
        return Outcome(None, wrong)
    if two.before is None:
        return Outcome(plan(None, after))
    before, troubles = _compiled(two.before)
    if before is None:
        return Outcome(_uncompared(two, revision, troubles))
    notes = [note for note in (_no_longer_valid(before, revision), jhecfg_itself(before, lock, revision)) if note]
    return Outcome(plan(before, after)._replace(notes=tuple(notes)))


def _compiled(side: Side | None) -> tuple[Build | None, tuple[Diagnostic, ...]]:
    if side is None or side.source is None:
        return None, side.diagnostics if side is not None else ()
    try:
        build = compile_source(side.source, "builtin")
    except SpecError as error:
        return None, error.diagnostics
    return build, build.diagnostics


def _uncompared(two: Two, revision: str, troubles: tuple[Diagnostic, ...]) -> Plan:
    """Return what can be said where this release cannot compile the older spec: what was written differently."""
    codes = words(dict.fromkeys(f"{d.code} at {d.span}" if d.span else d.code for d in troubles[:FEW]))
    note = (
        f"the spec at {revision} does not compile with this release of jhecfg ({codes}): what the change does cannot be"
        " derived; plan it with the release that built it"
    )
    side = two.after or two.before
    assert side is not None  # one of the two sides is there
    old, new = (each.source if each is not None else None for each in two)
    changes = spec_changes(old, new) if old is not None and new is not None else ()
    return Plan(site=side.site or side.spec, spec=side.spec, verb="unknown", changes=changes, notes=(note,))


def _no_longer_valid(before: Build, revision: str) -> str:
    codes = dict.fromkeys(d.code for d in before.diagnostics if d.severity is Severity.ERROR)
    if not codes:
        return ""
    return (
        f"the spec at {revision} breaks rules of this release of jhecfg ({', '.join(codes)}); it is compared"
        " all the same"
    )


def jhecfg_itself(before: Build, lock: bytes | None, revision: str) -> str:
    """Say what this release of jhecfg writes otherwise than is checked in at the revision, from the same spec."""
    there = read_lock(lock)
    if lock is None or is_blank(lock) or there.problem:
        return ""
    if _spec_of(lock) != _spec_of(before.files[LOCK]):
        return f"out/{before.site.name} at {revision} was not built from its spec: what runs may be neither of the two"
    ours = {path: digest(data) for path, data in before.files.items() if path != LOCK}
    theirs = {path: hashes for path, hashes in there.hashes.items() if path != LOCK}
    differ = [p for p in sorted({*ours, *theirs}) if ours.get(p) not in theirs.get(p, frozenset()) or p not in ours]
    if not differ:
        return ""
    more = f" and {len(differ) - FEW} more" if len(differ) > FEW else ""
    count = f"{len(differ)} file{'s' * (len(differ) > 1)}"
    return (
        f"this release of jhecfg itself changes {count} of {revision}: {', '.join(differ[:FEW])}{more};"
        f" the plan leaves them out, and `git diff {revision} -- out/{before.site.name}` after `jhecfg build`"
        " shows them"
    )


def _spec_of(lock: bytes) -> object:
    tree = json.loads(lock)
    return tree.get("spec") if isinstance(tree, dict) else None
