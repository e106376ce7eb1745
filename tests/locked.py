"""The lock of files that no spec compiles to."""

from __future__ import annotations

from collections.abc import Mapping

from jhecfg.tree import LOCK, digest, lock_text

ZERO = "0" * 64


def with_lock(files: Mapping[str, bytes], spec: str = ZERO) -> dict[str, bytes]:
    """Return the files and the lock of them, in the place of one that was there."""
    rest = {path: data for path, data in files.items() if path != LOCK}
    return {**rest, LOCK: lock_text(spec, {path: digest(data) for path, data in rest.items()})}
