"""Lock: the texts that say which bytes are ours: `jhecfg.lock`, checked in, and the journal of an unfinished build."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from jhecfg.tree import names

LOCK = "jhecfg.lock"
"""The file in `out/<site>/` that lists what jhecfg owns there, by path and SHA-256."""

_FORMAT = 1
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Owned(NamedTuple):
    """Which bytes at which paths are ours: path to one or more SHA-256 in hex.

    `problem` says why the text could not be believed; then nothing is owned. `newer` says that a later jhecfg wrote
    it, so that its claims exist but cannot be read.
    """

    hashes: Mapping[str, frozenset[str]] = {}
    problem: str = ""
    newer: bool = False

    def __or__(self, other: Owned) -> Owned:
        """Join two claims: any hash of either will do."""
        joined = dict(self.hashes)
        for path, digests in other.hashes.items():
            joined[path] = joined.get(path, frozenset()) | digests
        return Owned(hashes=joined)


def digest(data: bytes) -> str:
    """Return the SHA-256 of some bytes, in hex."""
    return sha256(data).hexdigest()


def owned(files: Mapping[str, bytes]) -> Owned:
    """Claim these bytes at these paths."""
    return Owned(hashes={path: frozenset((digest(data),)) for path, data in files.items()})


def lock_text(spec_digest: str, digests: Mapping[str, str]) -> bytes:
    """Return `jhecfg.lock` for a site's files by their digests: one line each, sorted, so that git merges it well.

    It depends on the spec and the files alone: no time, version, host, or path outside the site.
    """
    listed = {path: digests[path] for path in sorted(digests)}
    return _text({"format": _FORMAT, "spec": spec_digest, "files": listed})


def journal_text(claims: Owned) -> bytes:
    """Return the journal of a build: every hash that a file may have until the build is finished."""
    listed = {path: sorted(claims.hashes[path]) for path in sorted(claims.hashes)}
    return _text({"format": _FORMAT, "files": listed})


def read_lock(data: bytes | None) -> Owned:
    """Read `jhecfg.lock`. Its own bytes are ours too, where it can be believed."""
    claims = _read(data)
    if data is None or claims.problem:
        return claims
    return claims | owned({LOCK: data})


def read_journal(data: bytes | None) -> Owned:
    """Read the journal of a build that was not finished."""
    return _read(data)


def is_blank(data: bytes) -> bool:
    """Say whether a file holds nothing, or NUL bytes alone: what a power loss leaves of a file, and nobody's work."""
    return not data.strip(b"\0")


def _text(tree: Mapping[str, object]) -> bytes:
    """Write JSON as `json.dumps(tree, indent=2)` would, line by line: its own writer with indents is slow."""
    lines = []
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            inner = ",\n".join(f"    {_quoted(name)}: {_value(each)}" for name, each in value.items())
            lines.append(f"  {json.dumps(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {json.dumps(key)}: {_value(value)}")
    return ("{\n" + ",\n".join(lines) + "\n}\n").encode("ascii")


_quoted = lru_cache(maxsize=1024)(json.dumps)  # a fleet's sites have the same paths


def _value(value: object) -> str:
    if isinstance(value, str) and value.isalnum() and value.isascii():  # a digest
        return f'"{value}"'
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(f"      {_value(each)}" for each in value) + "\n    ]"
    return json.dumps(value)


def _read(data: bytes | None) -> Owned:
    if data is None or is_blank(data):
        return Owned()
    if b"<<<<<<< " in data:
        return Owned(problem="holds git's conflict markers")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError):
        return Owned(problem="is damaged: it is not JSON")
    version = tree.get("format") if isinstance(tree, dict) else None
    if type(version) is not int or version < 1:
        return Owned(problem="is damaged: it has no format number")
    if version > _FORMAT:
        return Owned(problem=f"was made by a newer jhecfg (format {version}, this one reads {_FORMAT})", newer=True)
    return _claims(tree.get("files"))


def _claims(listed: object) -> Owned:
    """Judge each line before any is believed: the file may come from a stranger's pull request."""
    if not isinstance(listed, dict):
        return Owned(problem="is damaged: it lists no files")
    hashes: dict[str, frozenset[str]] = {}
    for path, value in listed.items():
        if reason := names.problem(path):
            return Owned(problem=f"was tampered with: it lists {path!a:.80}, which {reason}")
        digests = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str) and _DIGEST.fullmatch(one) for one in digests):
            return Owned(problem=f"is damaged: its line for {path} holds no SHA-256")
        hashes[path] = frozenset(digests)
    return Owned(hashes=hashes)
