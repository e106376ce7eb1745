"""set: some values of a spec change, nothing else of it does, and it can still be built."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from jhecfg.commands.changed import checked, diff
from jhecfg.commands.set_draft import Draft
from jhecfg.commands.set_words import Secret, Word, assignment, deletion
from jhecfg.diagnostics import Diagnostic, Misused, SpecError, ToolError
from jhecfg.edit import CannotEdit, rewritten, save
from jhecfg.plan.trees import Difference, differences
from jhecfg.plan.values import arrow, dotted, shown
from jhecfg.source import Source, bytes_of, load
from jhecfg.talk import Exit, Talk

SEEN = (
    "nothing was written. What stands on a command line is in the shell's history, and was in the list of processes: "
    "replace it where it is used. A spec only names Secrets: `jhecfg secrets init` makes them"
)
"""What is said of a secret value, which is not shown."""


class _Changed(NamedTuple):
    """A spec before and after: its bytes and what they mean."""

    before: bytes
    after: bytes
    old: Source
    new: Source
    warnings: tuple[Diagnostic, ...] = ()


def change(spec: Path, changes: Sequence[str], deletions: Sequence[str], talk: Talk, *, dry_run: bool) -> int:
    """Set and delete keys of a spec, all of them or none."""
    name, doubts = spec.as_posix(), list[str]()
    try:
        words = _words(changes, deletions)
        changed = _changed(spec, words, doubts)
        if not dry_run and changed.after != changed.before:
            save(spec, changed.before, changed.after)
    except SpecError as error:
        talk.diagnostics(error.diagnostics, {}, "nothing was written; lines are those that the spec would have")
        for doubt in doubts:
            talk.complain(f"jhecfg: {doubt}")
        return Exit.SPEC
    except Secret as secret:
        talk.complain(f"jhecfg: {secret}; {SEEN}")
        return Exit.SPEC
    except Misused as error:
        talk.complain(f"jhecfg: {error}; nothing was written")
        return Exit.USAGE
    except CannotEdit as error:
        talk.complain(f"{name}:{error.line}: {error}; nothing was written")
        return Exit.REFUSED
    except ToolError as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.ENVIRONMENT
    _tell(talk, name, changed, words, dry_run=dry_run)
    return Exit.OK


def _changed(spec: Path, words: Sequence[Word], doubts: list[str]) -> _Changed:
    """Return the spec as it would be, which can be built; `doubts` takes what may have been meant otherwise."""
    name = spec.as_posix()
    before = bytes_of(spec, name)
    old = load(spec, text=before, sealed=False)
    draft = Draft(copy.deepcopy(old.documents[0].tree), old.tree)
    for word in words:
        draft.apply(word)
    doubts += draft.doubts
    after = rewritten(before, name, draft.tree)
    if after == before:
        return _Changed(before, after, old, old)
    warnings = checked(spec, after)
    return _Changed(before, after, old, load(spec, text=after, sealed=False), warnings)


def _tell(talk: Talk, name: str, changed: _Changed, words: Sequence[Word], *, dry_run: bool) -> None:
    if changed.after == changed.before:
        talk.say(f"{name}: says that already; nothing was written")
        return
    if changed.warnings:
        talk.diagnostics(changed.warnings, {}, "")
    if dry_run:
        talk.result(diff(name, changed.before, changed.after))
        talk.say(f"{name}: nothing was written")
        return
    if not talk.quiet:
        talk.result("".join(f"{line}\n" for line in _said(changed.old, changed.new, words)))
    talk.say(f"{name}: written; {_next(changed.new, name)}")


def _words(changes: Sequence[str], deletions: Sequence[str]) -> list[Word]:
    if not changes and not deletions:
        raise Misused("name what is to change, as in `jhecfg set site.yaml image.tag=v0.0.13`")
    return [*map(deletion, deletions), *map(assignment, changes)]


def _said(before: Source, now: Source, words: Sequence[Word]) -> Iterator[str]:
    """Yield a line for each difference between what the spec said, with its bases, and says now."""
    found = list(differences(before.tree, now.tree))
    for difference in found:
        line = f"{dotted(difference.name)}: {arrow(difference.old, difference.new, difference.name)}"
        yield line + _stays(before, now, difference)
    if not found:
        yield from (f"{word.name}: as its base has it" for word in words)


def _stays(before: Source, now: Source, difference: Difference) -> str:
    """Say which value of a base is overridden here, and stays what it is there."""
    was, becomes = before.places.get(difference.old_at or ()), now.places.get(difference.new_at or ())
    if was is None or becomes is None or not was[0] or becomes[0]:
        return ""
    return f" ({shown(difference.old, difference.name)} stays in {before.documents[was[0]].name})"


def _next(now: Source, name: str) -> str:
    """Say what to run next: of a base, for all that extend it."""
    spec = f" {shlex.quote(name)}" if "site" in now.tree else ""
    return f"`jhecfg plan{spec}` says what it means, `jhecfg build{spec}` makes it"
