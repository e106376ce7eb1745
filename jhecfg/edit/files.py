"""Files: a spec's file is put into the place of another one, or made, in one step.

After a kill at any moment there is the old file, or the new one whole; the next run takes away what else was left.
"""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NO_LINKS = (errno.EPERM, errno.EACCES, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What a file system that has no hard links says of one."""


def replace(path: Path, before: bytes, after: bytes) -> bool:
    """Put new bytes in the place of a file's, and keep its mode; False where it is not `before`. Raises OSError."""
    with _alone(path.parent) as alone:
        if path.read_bytes() != before:
            return False
        with _staged(path, after, alone=alone) as fresh:
            os.chmod(fresh, path.stat().st_mode & 0o7777)
            os.replace(fresh, path)
    return True


def create(path: Path, data: bytes) -> None:
    """Make a file, with the folders above it. Raises FileExistsError if anything is there, and OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with _alone(path.parent) as alone, _staged(path, data, alone=alone) as fresh:
        try:
            os.link(fresh, path)  # a rename would replace what somebody else made meanwhile
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            _create_in_place(path, data)  # which refuses, too, where something is there


def clear(path: Path) -> None:
    """Take away what a killed `create` of this file left: a second name of it, which is sure to be ours."""
    fresh = _fresh(path)
    with suppress(OSError):
        if os.path.samestat(os.lstat(fresh), os.lstat(path)):
            os.unlink(fresh)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Keep other runs of jhecfg from writing into a folder; say whether that can be done here.

    Windows and some network file systems do not lock folders.
    """
    try:
        import fcntl

        at = os.open(folder, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
    except (ImportError, OSError):
        yield False
        return
    try:
        try:
            fcntl.flock(at, fcntl.LOCK_EX)
        except OSError:
            yield False
        else:
            yield True
    finally:
        os.close(at)


@contextmanager
def _staged(path: Path, data: bytes, *, alone: bool) -> Iterator[Path]:
    """Give a file beside `path` that holds the data, on disk; it is gone at the end, unless it was moved.

    Its name is always the same where nobody else can be using it, so that the next run removes what a kill leaves.
    """
    fresh, handle = _opened(path, alone=alone)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        yield fresh
    finally:
        with suppress(FileNotFoundError):
            os.unlink(fresh)


def _opened(path: Path, *, alone: bool) -> tuple[Path, int]:
    fresh = _fresh(path)
    if not alone:
        fresh = fresh.with_name(f"{fresh.name}.{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        os.unlink(fresh)
    return fresh, os.open(fresh, _CREATE, 0o666)


def _fresh(path: Path) -> Path:
    return path.with_name(f".{path.name}.new")


def _create_in_place(path: Path, data: bytes) -> None:
    handle = os.open(path, _CREATE, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise
