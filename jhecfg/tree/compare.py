"""Compare: what differs between a site's folder and what was compiled, and what is in the way. Reads only."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from jhecfg.diagnostics import ToolError
from jhecfg.tree import names
from jhecfg.tree.folder import Folder, Kind, opened, trouble
from jhecfg.tree.lock import LOCK, Owned, digest, is_blank, read_journal, read_lock

STATE = ".jhecfg"
"""The folder in `out/` for working files: `<site>.lock`, `<site>.journal`, and `<site>/` where files are staged."""

Obstacle = tuple[str, str]
"""A path as the user would type it, and why a build stops there."""

ChangeKind = Literal["added", "missing", "changed", "removed", "edited", "foreign"]


class Change(NamedTuple):
    """One file that differs. `path` is relative to the site's folder; `old` is on disk, `new` was compiled.

    added: not there yet. missing: ours, and somebody deleted it. changed, removed: its bytes are still ours.
    edited: we wrote the file, but not these bytes. foreign: we never wrote it. The last two are obstacles.
    """

    path: str
    kind: ChangeKind
    old: bytes | None
    new: bytes | None


class Comparison(NamedTuple):
    """A site's folder against what was compiled, in path order.

    `obstacles` are what a build refuses to overwrite; those of them in `immovable` stay refused under `--force`.
    `strangers` are files (or folders, with a `/` at the end) that nobody listed and nothing needs to move.
    """

    root: Path
    changes: tuple[Change, ...]
    unchanged: int
    obstacles: tuple[Obstacle, ...] = ()
    immovable: tuple[Obstacle, ...] = ()
    strangers: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether the folder is exactly what was compiled, strangers aside."""
        return not self.changes and not self.obstacles


class Survey(NamedTuple):
    """A comparison, and what only a build needs: whose bytes may go, folders to empty, leftovers of a dead build.

    `new` says that there is something to write, and nothing of the site is there.
    """

    comparison: Comparison
    claims: Owned = Owned()
    prune: tuple[str, ...] = ()
    leftovers: bool = False
    new: bool = False


class _Seen:
    """What lies in the folder. `walls` are known paths that are neither file nor folder, with the reason."""

    __slots__ = ("files", "folders", "strangers", "walls")

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.folders: set[str] = set()
        self.walls: dict[str, str] = {}
        self.strangers: list[str] = []


def compare(out: Path, site: str, files: Mapping[str, bytes]) -> Comparison:
    """Compare `out/<site>/` with the compiled files (`jhecfg.lock` among them). Writes nothing, takes no lock.

    Raises ToolError where something cannot be read, or where a path in `files` could not be written everywhere.
    While a build of the same site runs, the result may show its half-way state.
    """
    with opened(str(out)) as folder:
        return survey(folder, site, files).comparison


def survey(folder: Folder, site: str, files: Mapping[str, bytes]) -> Survey:
    """Compare, inside an open output folder; see `compare`."""
    _check(folder, site, files)
    with trouble("read", folder.shown(site)):
        found = _places(folder, site)
        if walls := _walls(folder, found):
            return _walled(folder, site, walls)
        if _is_empty(found):  # the first build of a site, as a fleet's thousand can be: there is nothing to look at
            return _judge(folder, site, files, Owned(), Owned(), _Seen(), leftovers=False)._replace(new=bool(files))
        lock = read_lock(folder.read(f"{site}/{LOCK}") if folder.kind(f"{site}/{LOCK}") == "file" else None)
        journal = read_journal(folder.read(journal_path(site)))
        seen = _look(folder, site, files, lock | journal)
        leftovers = folder.kind(journal_path(site)) is not None or folder.kind(staging_path(site)) is not None
    return _judge(folder, site, files, lock, journal, seen, leftovers=leftovers)


def is_new(folder: Folder, site: str, files: Mapping[str, bytes]) -> bool:
    """Say whether nothing of the site is there, and nothing is in its way; raises what `survey` would."""
    _check(folder, site, files)
    with trouble("read", folder.shown(site)):
        found = _places(folder, site)
    return _is_empty(found) and not _walls(folder, found)


def _check(folder: Folder, site: str, files: Mapping[str, bytes]) -> None:
    names.check(site, files)
    if files and LOCK not in files:
        raise ToolError(f"the files of {site} lack their {LOCK}")
    if not os.path.isdir(folder.base) and os.path.exists(folder.base):
        raise ToolError(f"cannot write into {folder.base}: it is not a folder")


def journal_path(site: str) -> str:
    """Return the place of a site's journal in the output folder."""
    return f"{STATE}/{site}.journal"


def staging_path(site: str) -> str:
    """Return the folder where a site's files are staged."""
    return f"{STATE}/{site}"


def turn_path(site: str) -> str:
    """Return the file that a build of a site holds locked."""
    return f"{STATE}/{site}.lock"


_WANTED: tuple[Kind, ...] = ("folder", "folder", "folder", "file", "file")
"""What may lie at a site's own places; see `_places`."""


def _places(folder: Folder, site: str) -> dict[str, Kind | None]:
    """Return what lies at the site's folder, and at those for working files."""
    paths = (site, STATE, staging_path(site), turn_path(site), journal_path(site))
    return {path: folder.kind(path) for path in paths}


def _is_empty(found: Mapping[str, Kind | None]) -> bool:
    site, _, staging, _, journal = found.values()
    return site is None and staging is None and journal is None


def _walls(folder: Folder, found: Mapping[str, Kind | None]) -> tuple[Obstacle, ...]:
    """Return what makes the place itself unusable: a link or a file where our own folders and files belong."""
    return tuple(
        (folder.shown(path), _instead(kind, wanted))
        for (path, kind), wanted in zip(found.items(), _WANTED, strict=True)
        if kind is not None and kind != wanted
    )


def _instead(found: Kind, wanted: Kind) -> str:
    name = {"link": "symbolic link", "other": "device, pipe or socket"}.get(found, found)
    return f"is a {name}, where a {wanted} is needed"


def _walled(folder: Folder, site: str, walls: tuple[Obstacle, ...]) -> Survey:
    root = Path(folder.base, site)
    comparison = Comparison(root=root, changes=(), unchanged=0, obstacles=walls, immovable=walls)
    return Survey(comparison=comparison)


def _look(folder: Folder, site: str, files: Mapping[str, bytes], claims: Owned) -> _Seen:
    """Look at every path that is wanted or was ours. Folders that hold neither are named, not entered."""
    ways = {above for path in files for above in names.parents(path)}
    ours = {above for path in claims.hashes for above in names.parents(path)}
    known = ways | ours | files.keys() | claims.hashes.keys()
    seen = _Seen()

    def visit(place: str) -> None:
        for name, kind in _spelled(folder, site, place, known):
            path = place + name
            if kind == "folder" and (path in ways or path in ours or path in files):
                seen.folders.add(path)
                visit(path + "/")
            elif path not in ways and path not in files and (path not in claims.hashes or kind == "folder"):
                seen.strangers.append(_printable(path) + ("/" if kind == "folder" else ""))
            elif kind == "file":
                seen.files[path] = _content(folder, f"{site}/{path}")
            else:
                seen.walls[path] = _instead(kind, "folder" if path in ways else "file")

    visit("")
    return seen


def _spelled(folder: Folder, site: str, place: str, known: Collection[str]) -> list[tuple[str, Kind]]:
    """List a folder; what differs from a known path in case alone has that path's spelling, if it is the same file.

    So it is where case does not count, as on macOS and Windows: there somebody's `Runbook.md` would be overwritten.
    """
    found = folder.entries(f"{site}/{place}".rstrip("/"))
    if all(place + name in known for name, _ in found):
        return found
    there, spelling = {name for name, _ in found}, {path.lower(): path for path in known}
    return [(_spelling(folder, site, place, name, there, spelling), kind) for name, kind in found]


def _spelling(
    folder: Folder, site: str, place: str, name: str, there: Collection[str], spelling: Mapping[str, str]
) -> str:
    other = spelling.get((place + name).lower(), place + name)[len(place) :]
    return name if other in there or folder.kind(f"{site}/{place}{other}") is None else other


def _printable(name: str) -> str:
    """Escape a stranger's name where it is not plain text: it may hold terminal escapes."""
    return name if name.isprintable() else name.encode("unicode_escape", "backslashreplace").decode("ascii")


def _content(folder: Folder, path: str) -> bytes:
    try:
        return folder.read(path) or b""
    except OSError:
        with trouble("read", folder.shown(path)):
            raise


def _judge(
    folder: Folder,
    site: str,
    files: Mapping[str, bytes],
    lock: Owned,
    journal: Owned,
    seen: _Seen,
    *,
    leftovers: bool,
) -> Survey:
    claims = lock | journal
    paths = sorted(files.keys() | claims.hashes.keys() | seen.files.keys())
    pairs = [(path, seen.files.get(path), files.get(path)) for path in paths]
    changes = tuple(
        Change(path=path, kind=_kind(path, old, new, lock, claims), old=old, new=new)
        for path, old, new in pairs
        if old != new and path not in seen.walls
    )
    immovable = sorted(
        [
            *((folder.shown(f"{site}/{path}"), reason) for path, reason in seen.walls.items()),
            *((folder.shown(f"{site}/{path}"), reason) for path, reason in _occupied(files, seen)),
            *_unreadable(folder, site, lock, journal, newer=True),
        ]
    )
    movable = [*_unreadable(folder, site, lock, journal, newer=False), *_not_ours(folder, site, changes, lock)]
    comparison = Comparison(
        root=Path(folder.base, site),
        changes=changes,
        unchanged=sum(old is not None and old == new for _, old, new in pairs),
        obstacles=tuple(sorted([*immovable, *movable])),
        immovable=tuple(immovable),
        strangers=tuple(sorted(seen.strangers)),
    )
    ways = {above for path in files for above in names.parents(path)}
    prune = tuple(sorted(seen.folders - ways, key=lambda path: (-path.count("/"), path)))
    return Survey(comparison=comparison, claims=claims, prune=prune, leftovers=leftovers)


def _kind(path: str, old: bytes | None, new: bytes | None, lock: Owned, claims: Owned) -> ChangeKind:
    ours = claims.hashes.get(path, frozenset())
    if old is None:
        return "missing" if path in lock.hashes else "added"
    if is_blank(old) or digest(old) in ours:
        return "removed" if new is None else "changed"
    return "edited" if ours else "foreign"


def _occupied(files: Mapping[str, bytes], seen: _Seen) -> Iterator[Obstacle]:
    """Yield wanted files in whose place a folder with strangers lies."""
    for path in files.keys() & seen.folders:
        if any(stranger.startswith(path + "/") for stranger in seen.strangers):
            yield path, "is a folder that holds files of others, where a file is needed"


def _unreadable(folder: Folder, site: str, lock: Owned, journal: Owned, *, newer: bool) -> Iterator[Obstacle]:
    for path, claims in ((f"{site}/{LOCK}", lock), (journal_path(site), journal)):
        if claims.problem and claims.newer == newer:
            yield folder.shown(path), claims.problem


def _not_ours(folder: Folder, site: str, changes: tuple[Change, ...], lock: Owned) -> Iterator[Obstacle]:
    """Yield files that a build would overwrite or remove although their bytes are not ours.

    Where the lock cannot be read nothing is known to be ours; then the lock alone is said, not every file.
    """
    if lock.problem:
        return
    for change in changes:
        if change.kind == "edited":
            yield folder.shown(f"{site}/{change.path}"), "was edited by hand"
        elif change.kind == "foreign":
            yield folder.shown(f"{site}/{change.path}"), "was not written by jhecfg"
