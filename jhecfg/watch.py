"""watch(): run a command again, for what is concerned, whenever a spec or something that it is made of changes.

Twice a second it looks at names, times and sizes; nothing is read until one of them moved, and then not before two
looks in a row agree, so that an editor can finish: some truncate and write, some rename.
"""

from __future__ import annotations

import gc
import os
import stat
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NoReturn

from jhecfg.diagnostics import ToolError
from jhecfg.listing import names_in
from jhecfg.muster import muster
from jhecfg.source import discover

SECONDS = 0.5
SETTLED = 0.1
"""Seconds without a further change, after which an editor is done."""

State = tuple[int, int, int] | str | None
"""Time, size and number of a file, or the names in a folder; None where there is none."""


def watch(
    run: Callable[[Sequence[Path] | None], object],
    specs: Sequence[Path] | None,
    folder: Path,
    say: Callable[[str], None],
    pause: Callable[[float], object] = time.sleep,
) -> NoReturn:
    """Run a command for specs (None: all in `folder`), and again for those whose files change. Ends by an interrupt.

    `run` takes the specs that are concerned, None for all; what it returns or says is its own matter. `say` tells what
    changed, and how to end.
    """
    gc.enable()  # the command line switches it off, for runs that end
    seen = _Seen(specs, folder)
    run(specs)
    say(f"watching {len(seen.states)} files and folders; Ctrl-C ends it")
    while True:
        pause(SECONDS)
        changed = seen.changed(pause)
        if changed:
            seen = _Seen(specs, folder, before=seen)
            say(f"\n{', '.join(os.path.relpath(path) for path in changed)} changed")
            run(seen.concerned(changed))


class _Seen:
    """What the specs were made of when they were last read, and how the files looked just before that."""

    def __init__(self, specs: Sequence[Path] | None, folder: Path, before: _Seen | None = None) -> None:
        """Look at all files, then find out which belong to which spec."""
        self.specs = specs
        self.folder = folder
        self.made_of = self._made_of(before)
        self.states = _looks({*self._roots(), *(path for paths in self.made_of.values() for path in paths)})

    def _roots(self) -> list[str]:
        """Return the specs themselves, and their folder, where new ones may come."""
        named = self.specs
        if named is None:
            try:
                named = discover(self.folder)
            except ToolError:
                named = ()
        return [*(os.path.abspath(path) for path in named), *([os.path.abspath(self.folder)] if not self.specs else [])]

    def _made_of(self, before: _Seen | None) -> dict[Path, set[str]]:
        """Return which files each spec is made of; of one that cannot be read, those that it was made of before."""
        paths = [Path(path) for path in self._roots() if path != os.path.abspath(self.folder)]
        fleet = muster([Path(os.path.relpath(path)) for path in paths], explicit=self.specs is not None)
        made = {
            source.path: {os.path.abspath(source.path.parent / name) for name in source.digests}
            for source in fleet.sources
        }
        self.whole = not fleet.broken
        for outcome in fleet.broken:
            path = Path(outcome.spec)
            beside = {os.path.abspath(path), os.path.abspath(path.parent)}
            made[path] = beside | (before.made_of.get(path, set()) if before else set())
        return made

    def changed(self, pause: Callable[[float], object]) -> list[str]:
        """Return what is not as it was, once it has settled; a folder only where nothing in it is named."""
        now = _looks(self.states)
        while now != self.states:
            pause(SETTLED)
            before, now = now, _looks(self.states)
            if now == before:
                break
        paths = sorted(path for path in self.states if now[path] != self.states[path])
        return [path for path in paths if not any(other.startswith(path + os.sep) for other in paths)]

    def concerned(self, changed: Sequence[str]) -> Sequence[Path] | None:
        """Return the specs that are made of something that changed; all, where it takes all to judge one."""
        found = [path for path, made in self.made_of.items() if not made.isdisjoint(changed)]
        return found if self.whole and found else self.specs


def _looks(paths: Iterable[str]) -> dict[str, State]:
    return {path: _look(path) for path in paths}


def _look(path: str) -> State:
    try:
        found = os.stat(path)
        if stat.S_ISDIR(found.st_mode):  # not its time: editors put files of their own beside
            return "/".join(name for name in names_in(path) if name[0] != "." and name[-1] != "~")
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
