"""Write: bring a site's folder to what was compiled, so that a kill at any moment loses nothing.

A site that is not there yet is staged as the folder that it will be, and moved: it appears whole or not at all.

In one that is there, the order is the guarantee. Staging comes first, so a full disk is met before anything changes.
The journal comes next: from then on every file may have its old or its new bytes, and the next build, of the same spec
or another, knows both as ours. Then stale files go, files are replaced one by one, the lock last; the journal goes.

What is synced to disk, and why so little: a kill needs no sync at all, the kernel has the bytes. After a power loss
a file may be empty or NUL; such a file is nobody's work and is simply written again. Only the journal and the lock,
which say what is ours, are synced, and only where the build replaces something: a fresh tree has nothing to lose. File
systems keep renames in order, so the journal is there before any file that it speaks of is replaced.
Git is the durable store, and it does not sync a working tree either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from jhecfg.diagnostics import Refused, ToolError
from jhecfg.tree.compare import STATE, Comparison, Survey, is_new, journal_path, staging_path, survey, turn_path
from jhecfg.tree.folder import Folder, opened, said, trouble
from jhecfg.tree.lock import LOCK, journal_text, owned
from jhecfg.tree.turn import turn

ATTRIBUTES = ".gitattributes"
_ATTRIBUTES_TEXT = b"# jhecfg compares bytes, so git must not change line ends here.\n* -text\n"
_IGNORE_TEXT = b"*\n"


def write(out: Path, site: str, files: Mapping[str, bytes], *, force: bool = False) -> Comparison:
    """Make `out/<site>/` hold exactly these files (`jhecfg.lock` among them), strangers aside.

    Files that have their bytes already keep their inode and times. Without any files, all of ours is removed. With
    `force`, hand-edited and foreign files in the way are overwritten, and strangers still are not.

    Returns what differed before. Raises Refused, naming every obstacle, and ToolError (disk, permission, another
    build at work for ten seconds). A refusal writes nothing; after a ToolError the next build finishes or repairs.
    """
    with opened(str(out)) as folder:
        if settled := _without_a_turn(folder, site, files, force=force):
            return settled
        with trouble("write", folder.shown(STATE)):
            folder.mkdir(STATE)
        with turn(folder, turn_path(site)):
            folder.close()  # another build may have made folders anew while we waited
            now = survey(folder, site, files)
            _refuse(now.comparison, force=force)
            if now.new:
                _put_whole(folder, site, files)
            else:
                _carry_out(folder, site, files, now)
            return now.comparison


def _without_a_turn(folder: Folder, site: str, files: Mapping[str, bytes], *, force: bool) -> Comparison | None:
    """Do what needs no writing: find that nothing is to do, or refuse.

    Another build may be at work, so that files seem edited whose journal came after our look. Its sign is the file
    that it locks; where that exists, nothing is believed but a clean tree.
    """
    try:
        if files and is_new(folder, site, files):
            return None
        before = survey(folder, site, files)
    except ToolError:
        if _others_write(folder, site):
            return None
        raise
    if _settled(folder, files, before):
        return before.comparison
    if not _others_write(folder, site):
        _refuse(before.comparison, force=force)
    return None


def _others_write(folder: Folder, site: str) -> bool:
    """Say whether there is a sign of another build; where none can be seen, writing will say why."""
    try:
        return folder.kind(turn_path(site)) == "file"
    except OSError:
        return False


def _refuse(comparison: Comparison, *, force: bool) -> None:
    obstacles = comparison.immovable if force else comparison.obstacles
    if obstacles:
        raise Refused(obstacles)


def _settled(folder: Folder, files: Mapping[str, bytes], before: Survey) -> bool:
    """Say whether there is nothing at all to do; then a build does not even take the lock."""
    done = before.comparison.clean and not before.leftovers
    return done and (not files or folder.kind(ATTRIBUTES) is not None)


@contextmanager
def _cleared(folder: Folder, site: str) -> Iterator[None]:
    """Clear what was staged, where it does not come to its place."""
    try:
        yield
    except BaseException:
        with suppress(ToolError):  # the first error is the one to say
            _clear_staging(folder, site)
        raise


def _put_whole(folder: Folder, site: str, files: Mapping[str, bytes]) -> None:
    """Put a site that is not there yet in one step."""
    whole = _whole_path(site)
    with _cleared(folder, site):
        _settle(folder, site)
        _stage(folder, site, {path: f"{whole}/{path}" for path in files}, files, durable=False)
        with trouble("write", folder.shown(site)):
            folder.move(whole, site)
    with trouble("clear", folder.shown(staging_path(site))):
        folder.rmdir(staging_path(site))


def _carry_out(folder: Folder, site: str, files: Mapping[str, bytes], now: Survey) -> None:
    changes = now.comparison.changes
    puts = [change.path for change in changes if change.new is not None]
    removes = [change.path for change in changes if change.new is None]
    puts.sort(key=lambda path: path == LOCK)  # stable: path order, the lock last
    _check_permissions(folder, site, (*puts, *removes))
    durable = any(change.old is not None for change in changes)
    staged = {path: _staged_path(site, number) for number, path in enumerate(puts, start=1)}
    _clear_staging(folder, site)
    with _cleared(folder, site):
        _settle(folder, site)
        _stage(folder, site, staged, files, durable=durable)
        if changes:
            _write_journal(folder, site, journal_text(now.claims | owned(files)), durable=durable)
            _remove(folder, site, removes, now.prune, whole=not files)
            _put(folder, site, staged)
        _finish(folder, site)


def _check_permissions(folder: Folder, site: str, paths: tuple[str, ...]) -> None:
    """Raise ToolError before anything changed if a folder could not be written to."""
    places = {f"{site}/{path}".rpartition("/")[0] for path in paths}
    denied = [folder.shown(place) for place in sorted(places) if not folder.writable(place)]
    if denied:
        raise ToolError("cannot write in these folders (permission denied): " + ", ".join(denied))


def _clear_staging(folder: Folder, site: str) -> None:
    """Remove staged files, and what a killed build left of them; files that are not ours stay."""
    staging = staging_path(site)
    with trouble("clear", folder.shown(staging)):
        if folder.kind(staging) is None:
            return
        for name, kind in folder.entries(staging):
            if kind == "file" and name.endswith(".new") and name[:-4].isdecimal():
                folder.unlink(f"{staging}/{name}")
        _clear_whole(folder, _whole_path(site))
        folder.rmdir(staging)


def _clear_whole(folder: Folder, place: str) -> None:
    """Remove a folder that was staged, with its files. Links and the like are not ours, and stay."""
    for name, kind in folder.entries(place):
        if kind == "folder":
            _clear_whole(folder, f"{place}/{name}")
        elif kind == "file":
            folder.unlink(f"{place}/{name}")
    folder.rmdir(place)


def _settle(folder: Folder, site: str) -> None:
    """Write, once, the two small files for git: one that keeps it from our bytes, one that hides working files."""
    for path, text in ((f"{STATE}/.gitignore", _IGNORE_TEXT), (ATTRIBUTES, _ATTRIBUTES_TEXT)):
        if folder.kind(path) is None:
            with trouble("write", folder.shown(path)):
                _deliver(folder, site, path, text, sync=False)


def _stage(folder: Folder, site: str, staged: Mapping[str, str], files: Mapping[str, bytes], *, durable: bool) -> None:
    """Write the new bytes beside the tree, on the same file system; `staged` says where, by path."""
    with trouble("write", folder.shown(staging_path(site))):
        folder.mkdir(staging_path(site))
    path = ""
    try:
        for path, place in staged.items():
            folder.create(place, files[path], sync=durable and path == LOCK)
    except OSError as error:
        raise said("write", folder.shown(f"{site}/{path}"), error) from error


def _write_journal(folder: Folder, site: str, text: bytes, *, durable: bool) -> None:
    path = journal_path(site)
    with trouble("write", folder.shown(path)):
        _deliver(folder, site, path, text, sync=durable)


def _remove(folder: Folder, site: str, paths: list[str], prune: tuple[str, ...], *, whole: bool) -> None:
    """Remove stale files, then folders that this leaves empty. First of all, since a file may become a folder."""
    for path in paths:
        with trouble("remove", folder.shown(f"{site}/{path}")):
            folder.unlink(f"{site}/{path}")
    for place in (*(f"{site}/{path}" for path in prune), *([site] if whole else [])):
        with trouble("remove", folder.shown(place)):
            folder.rmdir(place)


def _put(folder: Folder, site: str, staged: Mapping[str, str]) -> None:
    path = ""
    try:
        for path, place in staged.items():
            folder.replace(place, f"{site}/{path}")
    except OSError as error:
        raise said("write", folder.shown(f"{site}/{path}"), error) from error


def _finish(folder: Folder, site: str) -> None:
    with trouble("remove", folder.shown(journal_path(site))):
        folder.unlink(journal_path(site))
    with trouble("clear", folder.shown(staging_path(site))):
        folder.rmdir(staging_path(site))


def _deliver(folder: Folder, site: str, path: str, text: bytes, *, sync: bool) -> None:
    """Write one working file whole: never half of it is seen."""
    folder.mkdir(staging_path(site))
    folder.create(_staged_path(site, 0), text, sync=sync)
    folder.replace(_staged_path(site, 0), path)


def _whole_path(site: str) -> str:
    """Return where a site that is not there yet is staged."""
    return f"{staging_path(site)}/whole"


def _staged_path(site: str, number: int) -> str:
    return f"{staging_path(site)}/{number}.new"
