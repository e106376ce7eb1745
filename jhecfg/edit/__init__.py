"""Edits of a spec's text: values are set, added and taken away, and not one other byte of it changes.

The reader knows where every key and value stands, so a change is a splice: comments, quotes, line ends and order stay
as a person left them. Whatever the splice was, its result is read again, and must be exactly the tree that was meant:
what an alias, a block or a comment in an odd place would make of it is refused, not written.

Comments: one behind a value stays with its line. What is added stands below the comments that belong to the entry
above it: those that follow it without an empty line and are indented deeper. An entry that is taken away takes these
along, and what stands between its lines; a comment above it stays.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jhecfg.diagnostics import Loc, ToolError
from jhecfg.edit.changes import REMOVED, Removed, changes
from jhecfg.edit.files import replace
from jhecfg.edit.splice import CannotEdit, Edit, same
from jhecfg.reader import read
from jhecfg.scalars import Plain

__all__ = ["REMOVED", "CannotEdit", "Removed", "edited", "rewritten", "save"]


def edited(data: bytes, name: str, wanted: Mapping[Loc, Plain | Removed]) -> bytes:
    """Return the bytes of a spec after some changes: a value set, a key or item added, or one taken away.

    A place is a path of keys, and of indices of items that exist, or of the one behind the last; what is missing on
    the way is made. `name` is how messages call the file. Raises `SpecError` if it cannot be read, and `CannotEdit`.
    Whether the result is a good spec, and holds no secret, is for `source.load` and the compiler to say, before
    anybody writes it.
    """
    for loc, value in wanted.items():
        data = Edit(data, name, loc).run(value)
    return data


def rewritten(data: bytes, name: str, wanted: dict[str, Any]) -> bytes:
    """Return the bytes of a spec after the fewest changes that make it mean another tree. Raises as `edited` does."""
    for loc, value in changes(read(data, name).tree, wanted):
        data = Edit(data, name, loc).run(value)
    if not same(read(data, name).tree, wanted):
        raise CannotEdit((), 1, "the changes do not make what was meant")
    return data


def save(path: Path, before: bytes, after: bytes) -> None:
    """Put new bytes in the place of a file's, in one step: whoever reads it finds the old ones or the new ones.

    Keeps the file's mode; of a symbolic link it is the file behind it that changes. Raises `ToolError` where the file
    no longer holds `before`, or cannot be written.
    """
    try:
        done = replace(Path(os.path.realpath(path)), before, after)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise ToolError(f"cannot write {path.as_posix()}: {why}") from None
    if not done:
        raise ToolError(f"{path.as_posix()}: somebody else changed it meanwhile; nothing was written")
