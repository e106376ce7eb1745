"""Folder: reach files below one folder without ever following a symbolic link on the way.

The folder itself is the user's word and may be a link. Below it, each component is opened relative to the one above
with O_NOFOLLOW, so a link put there, even between a check and its use, makes the operation fail, not stray.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from jhecfg.diagnostics import ToolError

Kind = Literal["file", "folder", "link", "other"]

# Windows has neither: there each component is looked at before use instead, which is weaker against a race.
DIR_FDS = os.open in os.supports_dir_fd and os.scandir in os.supports_fd
_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | _CLOEXEC
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NOFOLLOW
# O_NONBLOCK, so that a FIFO in the place of a file cannot make us wait for its writer.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NOFOLLOW
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW

_LINK = (errno.ELOOP, errno.EMLINK)
"""What O_NOFOLLOW says of a link; EMLINK is FreeBSD's."""

_KEPT = 16
"""Folders kept open at a time; macOS allows a process 256 files, and a site may have hundreds of folders."""


class NotPlain(OSError):
    """Something that is not a regular file lies where a file is expected."""


class Folder:
    """One folder and what lies below it; paths are relative to it, with `/`. Operations raise OSError."""

    __slots__ = ("_open", "base")

    def __init__(self, base: str) -> None:
        """Take the folder as the user named it; it need not exist yet. See `opened`."""
        self.base = base
        self._open: dict[str, int] = {}

    def close(self) -> None:
        """Close every descriptor; the next operation opens what it needs again."""
        self._forget("")

    def shown(self, path: str) -> str:
        """Return the path as the user would type it."""
        return os.path.join(self.base, path).replace(os.sep, "/")

    def kind(self, path: str) -> Kind | None:
        """Return what lies at a path, a link being a link; None where there is nothing."""
        try:
            at, name = self._at(path)
            return _kind_of(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)
        except (FileNotFoundError, NotADirectoryError):
            return None

    def entries(self, folder: str) -> list[tuple[str, Kind]]:
        """List a folder: names in order, each with its kind; nothing where there is no folder."""
        try:
            with os.scandir(self._reach(folder) if DIR_FDS else self._walk(folder)) as found:
                return sorted((entry.name, _entry_kind(entry)) for entry in found)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def read(self, path: str) -> bytes | None:
        """Read a regular file; None where there is nothing. Raises NotPlain for anything else."""
        try:
            at, name = self._at(path)
            fd = os.open(name, _READ, dir_fd=at)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            if error.errno in (*_LINK, errno.ENXIO):  # a link, a socket
                raise NotPlain(error.errno, "not a regular file", path) from None
            raise
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise NotPlain(errno.EINVAL, "not a regular file", path)
            return _read_all(fd, found.st_size)
        finally:
            os.close(fd)

    def create(self, path: str, data: bytes, *, sync: bool) -> None:
        """Write a new file, mode 0644 less the umask, and missing folders above it.

        With `sync` return only when the disk has it.
        """
        at, name = self._at(path, make=True)
        fd = os.open(name, _CREATE, 0o644, dir_fd=at)
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(fd, rest) :]
            if sync:
                os.fsync(fd)
        finally:
            os.close(fd)

    def open(self, path: str) -> int:
        """Open a file for reading and writing, made if it is missing; the caller closes the descriptor."""
        at, name = self._at(path)
        return os.open(name, os.O_RDWR | os.O_CREAT | _NOFOLLOW, 0o644, dir_fd=at)

    def replace(self, source: str, target: str) -> None:
        """Put one file in the place of another in one step; missing folders above the target are made."""
        to, name = self._at(target, make=True)
        at, staged = self._at(source)
        if sys.platform == "win32":
            _replace_patiently(staged, name)
        else:
            os.replace(staged, name, src_dir_fd=at, dst_dir_fd=to)

    def move(self, source: str, target: str) -> None:
        """Put a folder where nothing is, in one step. What was open of it is not taken for what is at its old place."""
        self._forget(source)
        self.replace(source, target)

    def unlink(self, path: str) -> None:
        """Remove a file; it is no error if it is gone already."""
        with suppress(FileNotFoundError):
            at, name = self._at(path)
            os.unlink(name, dir_fd=at)

    def mkdir(self, folder: str) -> None:
        """Make a folder and those above it, where missing."""
        if DIR_FDS:
            self._reach(folder, make=True)
        else:
            self._walk(folder, make=True)

    def rmdir(self, folder: str) -> bool:
        """Remove a folder if it is there and empty, else do nothing; say whether it was removed."""
        self._forget(folder)
        try:
            at, name = self._at(folder)
            os.rmdir(name, dir_fd=at)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOENT, errno.ENOTDIR, errno.EBUSY):
                raise
            return False
        return True

    def writable(self, folder: str) -> bool:
        """Say whether files can be put into a folder; a folder that is missing counts as the one above it."""
        try:
            place = (".", self._reach(folder)) if DIR_FDS else (self._walk(folder), None)
        except (FileNotFoundError, NotADirectoryError):
            return self.writable(folder.rpartition("/")[0]) if folder else True
        return os.access(place[0], os.W_OK | os.X_OK, dir_fd=place[1])

    def _at(self, path: str, *, make: bool = False) -> tuple[int | None, str]:
        """Return what the `os` functions take: an open folder and a name in it (or, on Windows, a whole path)."""
        folder, _, name = path.rpartition("/")
        if DIR_FDS:
            return self._reach(folder, make=make), name
        return None, os.path.join(self._walk(folder, make=make), name)

    def _reach(self, folder: str, *, make: bool = False) -> int:
        """Return an open descriptor of a folder. It stays open until `_KEPT` others were used since."""
        fd = self._open.pop(folder, None)
        if fd is None:
            fd = self._enter(folder, make=make)
        self._open[folder] = fd
        if len(self._open) > _KEPT:
            os.close(self._open.pop(next(iter(self._open))))
        return fd

    def _enter(self, folder: str, *, make: bool) -> int:
        if not folder:
            if make:
                os.makedirs(self.base, exist_ok=True)
            return os.open(self.base, _FOLDER & ~getattr(os, "O_NOFOLLOW", 0))
        above, _, name = folder.rpartition("/")
        at = self._reach(above, make=make)
        try:
            return _enter(name, at)
        except FileNotFoundError:
            if not make:
                raise
        _mkdir(name, at)
        return _enter(name, at)

    def _walk(self, folder: str, *, make: bool = False) -> str:
        """Without folder descriptors: return the whole path after a look at each component of it."""
        place = self.base
        if make:
            os.makedirs(place, exist_ok=True)
        for name in folder.split("/") if folder else ():
            place = os.path.join(place, name)
            if make:
                _mkdir(place, None)
            if not stat.S_ISDIR(os.lstat(place).st_mode) or _is_junction(place):
                raise NotADirectoryError(errno.ENOTDIR, "not a folder", place)
        return place

    def _forget(self, folder: str) -> None:
        """Close the descriptors of a folder and of those below it."""
        for known in [k for k in self._open if not folder or k == folder or k.startswith(folder + "/")]:
            os.close(self._open.pop(known))


@contextmanager
def opened(base: str) -> Iterator[Folder]:
    """Give a Folder, and close what it opened at the end."""
    folder = Folder(base)
    try:
        yield folder
    finally:
        folder.close()


@contextmanager
def trouble(verb: str, path: str) -> Iterator[None]:
    """Turn an OSError into a ToolError that says what could not be done, where, and why."""
    try:
        yield
    except OSError as error:
        raise said(verb, path, error) from error


def said(verb: str, path: str, error: OSError) -> ToolError:
    """Say what could not be done, where, and why."""
    why = error.strerror or type(error).__name__
    return ToolError(f"cannot {verb} {path}: {why[:1].lower()}{why[1:]}")


def _enter(name: str, at: int) -> int:
    try:
        return os.open(name, _FOLDER, dir_fd=at)
    except OSError as error:
        if error.errno in _LINK:  # macOS and FreeBSD; Linux says ENOTDIR
            raise NotADirectoryError(errno.ENOTDIR, "not a folder", name) from None
        raise


def _is_junction(place: str) -> bool:
    if sys.version_info >= (3, 12):
        return os.path.isjunction(place)
    return False


def _mkdir(name: str, at: int | None) -> None:
    with suppress(FileExistsError):  # another build made it; or it is a file, and the open that follows says so
        os.mkdir(name, 0o755, dir_fd=at)


def _read_all(fd: int, size: int) -> bytes:
    data = os.read(fd, size + 1)
    if len(data) == size:
        return data
    parts = [data]  # it grew, or the system gives less at a time
    while part := os.read(fd, 1 << 20):
        parts.append(part)
    return b"".join(parts)


def _kind_of(mode: int) -> Kind:
    if stat.S_ISREG(mode):
        return "file"
    if stat.S_ISDIR(mode):
        return "folder"
    return "link" if stat.S_ISLNK(mode) else "other"


def _entry_kind(entry: os.DirEntry[str]) -> Kind:
    if entry.is_symlink():
        return "link"
    if entry.is_file(follow_symlinks=False):
        return "file"
    return "folder" if entry.is_dir(follow_symlinks=False) else "other"


def _replace_patiently(source: str, target: str) -> None:
    """Replace, and wait up to ten seconds while a virus scanner holds the target: Windows says "denied" then."""
    import time

    end = time.monotonic() + 10
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
