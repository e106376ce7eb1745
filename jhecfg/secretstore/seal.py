"""Seal: bring the sealed files beside a spec to what the store holds, and leave alone what is right already.

Encrypting a value twice gives other bytes, so a file is written only where it is missing, was changed by somebody else,
or its Secret, its readers or the certificate changed since. Whether they did is noted beside the store, and as private:
nobody can tell from the file itself.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from jhecfg.artifact import Tree
from jhecfg.emit import dump
from jhecfg.secretstore.store import Values
from jhecfg.site import SecretNeed, Site
from jhecfg.tree.folder import Folder, opened, trouble

Encrypt = Callable[[str, str, Mapping[str, str]], Tree]
"""Namespace, name of the Secret, its values → the object that holds them encrypted."""

_HEADER = (
    "Written by `jhecfg secrets seal`: encrypted, so it belongs in git. `jhecfg build` copies it into the output.",
)


class Readers(NamedTuple):
    """For whom values are encrypted: how, and a text that is another one where the readers are others."""

    encrypt: Encrypt
    identity: str


class Sealed(NamedTuple):
    """What became of the files: names of those written, of those left, values that the store lacks, files too many."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    missing: tuple[str, ...]
    strays: tuple[str, ...]


def notes_path(store: Path) -> Path:
    """Return where it is noted what each sealed file was made from: beside the store."""
    return store.with_name(f"{store.stem}.sealed.yaml")


def seal(
    site: Site, values: Values, folder: Path, readers: Readers, notes: Values, *, every: bool
) -> tuple[Sealed, Values]:
    """Write what is missing or changed, or with `every` all; return what became of it, and the new notes.

    A Secret that the store holds in part is left as it is. Raises ToolError (disk, permission).
    """
    written, kept, missing = list[str](), list[str](), list[str]()
    noted = dict(notes)
    with opened(str(folder)) as place:
        for need in (need for need in site.secrets if need.owned):
            name = need.namespace, need.name
            lacking = list(_lacking(need, values))
            missing += lacking
            if lacking:
                continue
            held = {item.key: values[name][item.key] for item in need.items}
            file, made_from = _file_name(need), _made_from(readers, held)
            if not every and noted.get(name) == {"file": _digest_in(place, file), "from": made_from}:
                kept.append(file)
            else:
                data = _text(readers, need, held)
                _write(place, file, data)
                noted[name] = {"file": _digest(data), "from": made_from}
                written.append(file)
        strays = tuple(_strays(site, place))
    return Sealed(tuple(written), tuple(kept), tuple(missing), strays), noted


def _file_name(need: SecretNeed) -> str:
    return f"{need.namespace}.{need.name}.yaml"


def _lacking(need: SecretNeed, values: Values) -> Iterator[str]:
    held = values.get((need.namespace, need.name), {})
    return (f"{need.namespace}/{need.name}/{item.key}" for item in need.items if not held.get(item.key))


def _made_from(readers: Readers, held: Mapping[str, str]) -> str:
    return _digest(json.dumps([readers.identity, list(held.items())]).encode())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _digest_in(place: Folder, file: str) -> str:
    """Return the digest of a file, and nothing where there is none, or something else lies there."""
    with trouble("read", place.shown(file)):
        data = place.read(file) if place.kind(file) == "file" else None
    return "" if data is None else _digest(data)


def _text(readers: Readers, need: SecretNeed, held: Mapping[str, str]) -> bytes:
    return dump(readers.encrypt(need.namespace, need.name, held), _HEADER).encode()


def _write(place: Folder, file: str, data: bytes) -> None:
    """Put a file there whole: after a kill it is the old one or the new one."""
    fresh = f".{file}.new"
    with trouble("write", place.shown(file)):
        place.mkdir("")
        place.unlink(fresh)  # of a run that was killed
        place.create(fresh, data, sync=True)
        place.replace(fresh, file)


def _strays(site: Site, place: Folder) -> Iterator[str]:
    own = {_file_name(need) for need in site.secrets if need.owned}
    with trouble("read", place.shown("")):
        names = [name for name, kind in place.entries("") if kind == "file"]
    yield from (name for name in names if name.endswith((".yaml", ".yml")) and name[0] != "." and name not in own)
