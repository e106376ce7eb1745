"""Turn: one build of a site at a time, by a lock that dies with its process."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from jhecfg.diagnostics import ToolError
from jhecfg.tree.folder import Folder, trouble

TIMEOUT = 10.0
"""Seconds to wait for another build of the same site before giving up."""

_PAUSE = 0.02


@contextmanager
def turn(folder: Folder, path: str) -> Iterator[None]:
    """Hold the lock on the file `path` (made if missing, never removed); raises ToolError after TIMEOUT seconds.

    The system frees the lock when the process ends, however it ends, so there is no stale lock to clean up.
    """
    with trouble("lock", folder.shown(path)):
        fd = _wait(folder, path)
    try:
        yield
    finally:
        os.close(fd)


def _wait(folder: Folder, path: str) -> int:
    end = time.monotonic() + TIMEOUT
    while True:
        fd = folder.open(path)
        try:
            if _try(fd) and _is_current(folder, path, fd):
                return fd
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
        if time.monotonic() >= end:
            raise ToolError(f"another jhecfg has held {folder.shown(path)} for {TIMEOUT:g} seconds; try again later")
        time.sleep(_PAUSE)


def _try(fd: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES, errno.EDEADLK):
            return False
        raise
    return True


def _is_current(folder: Folder, path: str, fd: int) -> bool:
    """Say whether the locked file is still the one at `path`: `git clean -x` may have removed it while we waited."""
    again = folder.open(path)
    try:
        return os.path.samestat(os.fstat(fd), os.fstat(again))
    finally:
        os.close(again)
