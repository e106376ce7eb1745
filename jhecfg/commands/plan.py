"""plan: what the change between two versions of the specs means."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from jhecfg.diagnostics import Diagnostic, Misused, SpecError, ToolError
from jhecfg.muster import muster, shard_asked
from jhecfg.plan.document import document
from jhecfg.plan.markdown import markdown
from jhecfg.plan.model import Plan
from jhecfg.plan.revision import Revision, UnknownRevision
from jhecfg.plan.sides import Outcome, Side, matched, outcome_of
from jhecfg.plan.text import text
from jhecfg.source import Source, discover, load
from jhecfg.talk import Exit, Talk
from jhecfg.tree import LOCK

PlanFormat = Literal["text", "json", "markdown"]
SPECS = Path("specs")


def plan(
    specs: Sequence[Path] | None,
    talk: Talk,
    out: Path,
    *,
    rev: str,
    against: Path | None,
    style: PlanFormat,
    limit: int,
    exit_code: bool,
    shard: str = "",
) -> int:
    """Say what changes between a git revision, or another file, and the specs of the working tree."""
    try:
        index, count = shard_asked(shard)
        outcomes = list(_against(specs, against) if against is not None else _since(specs, rev, out, index, count))
    except (UnknownRevision, Misused) as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.USAGE
    except ToolError as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.ENVIRONMENT
    return _tell(outcomes, talk, style, limit, exit_code=exit_code)


# --- the two sides ----------------------------------------------------------------------------------------------------


def _against(specs: Sequence[Path] | None, older: Path) -> Iterator[Outcome]:
    """Compare one spec with one other file: whatever their names, they are the same site before and after."""
    if specs is None or len(specs) != 1:
        raise Misused("--against compares one spec with one file: `jhecfg plan NEW.yaml --against OLD.yaml`")
    before, after = _read(older), _read(specs[0])
    yield outcome_of(matched([before._replace(spec=after.spec)], [after])[0], older.as_posix(), None)


def _read(path: Path) -> Side:
    """Read a spec of the working tree. Raises ToolError if there is none."""
    try:
        return Side(path.as_posix(), load(path, name=path.as_posix()))
    except SpecError as error:
        return Side(path.as_posix(), None, error.diagnostics)


def _since(specs: Sequence[Path] | None, rev: str, out: Path, index: int, count: int) -> Iterator[Outcome]:
    """Compare with a revision; of all pairs of a site before and after, those of one part."""
    with Revision(rev) as revision:
        after = _now(specs)
        for two in matched(_then(revision, specs, after), after)[index - 1 :: count]:
            lock = None
            if two.before is not None and two.before.site:
                lock = revision.bytes_at(revision.inside(out / two.before.site / LOCK))
            yield outcome_of(two, rev, lock)


def _now(specs: Sequence[Path] | None) -> list[Side]:
    """Return the specs of the working tree: those named that are there, or all of specs/, without bases."""
    if specs:
        return [_read(path) for path in specs if not _is_gone(path)]
    if not os.path.isdir(SPECS):
        return []
    fleet = muster(discover(SPECS), explicit=False)
    if trouble := next((outcome.trouble for outcome in fleet.broken if outcome.trouble), ""):
        raise ToolError(trouble)
    read = [Side(source.name, source) for source in fleet.sources]
    return [*read, *(Side(outcome.spec, None, outcome.diagnostics) for outcome in fleet.broken)]


def _is_gone(path: Path) -> bool:
    """Say whether nothing is there. What cannot be looked at is there: reading it says what is wrong."""
    try:
        path.stat()
    except OSError as error:
        return isinstance(error, FileNotFoundError | NotADirectoryError)
    return False


def _then(revision: Revision, specs: Sequence[Path] | None, now: Sequence[Side]) -> list[Side]:
    """Return the specs of the revision that these belong to: the same files, or, of one that moved, the same site."""
    if not specs:
        return list(_sites(revision, revision.specs(revision.inside(SPECS))))
    named = [revision.inside(path) for path in specs]
    missing = [path for path in specs if _is_gone(path) and not revision.has(revision.inside(path))]
    if missing:
        raise Misused(f"there is no {missing[0].as_posix()}, neither here nor at {revision.name}")
    there = [path for path in named if revision.has(path)]
    moved = {side.site for path, side in zip(named, now, strict=False) if path not in there} - {""}
    folders = {posixpath.dirname(path) for path in named}
    others = [path for folder in sorted(folders) for path in revision.specs(folder) if path not in there]
    found = [side for side in _sites(revision, others) if side.site in moved] if moved else []
    return [*(_at(revision, path) for path in there), *found]


def _sites(revision: Revision, paths: Sequence[str]) -> Iterator[Side]:
    """Yield the specs at these paths, without those that have no site and that another one extends."""
    sides = {path: _at(revision, path) for path in paths}
    bases = {base for side in sides.values() if side.source is not None for base in _bases(side.source)}
    for side in sides.values():
        if side.site or side.source is None or side.spec not in bases:
            yield side


def _bases(source: Source) -> set[str]:
    return {document.name for document in source.documents[1:]}


def _at(revision: Revision, path: str) -> Side:
    shown = revision.shown(path)
    try:
        return Side(shown, revision.load(path))
    except SpecError as error:
        return Side(shown, None, error.diagnostics)


# --- what is said -----------------------------------------------------------------------------------------------------


def _tell(outcomes: Sequence[Outcome], talk: Talk, style: PlanFormat, limit: int, *, exit_code: bool) -> int:
    plans = [outcome.plan for outcome in outcomes if outcome.plan is not None]
    wrong = [outcome for outcome in outcomes if outcome.plan is None]
    found = [diagnostic for outcome in wrong for diagnostic in outcome.diagnostics]
    talk.result(_written(plans, style, limit))
    if wrong:
        talk.diagnostics(_errors(found), {}, "not planned")
        return Exit.SPEC
    if not outcomes:
        talk.complain(
            f"jhecfg: there is no spec in {SPECS}/, neither here nor before; name one, as in `jhecfg plan site.yaml`"
        )
        return Exit.USAGE
    return Exit.OUT_OF_DATE if exit_code and any(each.verb != "same" for each in plans) else Exit.OK


def _errors(found: Sequence[Diagnostic]) -> list[Diagnostic]:
    return [diagnostic for diagnostic in found if diagnostic.severity == "error"]


def _written(plans: Sequence[Plan], style: PlanFormat, limit: int) -> str:
    if style == "json":
        return document(plans)
    if style == "markdown":
        return markdown(plans, limit)
    return "\n".join(text(each) for each in plans)
