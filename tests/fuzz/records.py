"""Records: what jhecfg wrote itself, as a stranger may have changed it: the lock, the journal, the cache, the store.

A case's first line says which; the rest are its bytes.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path

from jhecfg import cache as cache_module
from jhecfg.commands.import_ import WrongStack, endpoint
from jhecfg.diagnostics import ToolError
from jhecfg.parse import parse
from jhecfg.resolve import resolve
from jhecfg.secretstore.store import load as load_store
from jhecfg.site import Site
from jhecfg.source import load
from jhecfg.tree import names
from jhecfg.tree.lock import LOCK, Owned, journal_text, owned, read_journal, read_lock
from tests.fuzz.target import Target, claim
from tests.locked import with_lock
from tests.tools import ROOT

DIGEST = re.compile("[0-9a-f]{64}")
CANARY = "canary5f2a"


def judge(case: bytes) -> None:
    """Read one record."""
    kind, _, data = case.partition(b"\n")
    reader = READERS.get(kind.decode("latin-1"))
    if reader is not None:
        reader(data)


def lock(data: bytes) -> None:
    """Read a lock, and what is made of it."""
    believed(read_lock(data))


def journal(data: bytes) -> None:
    """Read a journal; written again it says the same."""
    claims = read_journal(data)
    believed(claims)
    if not claims.problem:
        claim(read_journal(journal_text(claims)).hashes == claims.hashes, "a journal does not say what it said")


def believed(claims: Owned) -> None:
    """Claim that what is believed names safe paths and digests, and that a problem owns nothing."""
    claim(not (claims.problem and claims.hashes), "a record with a problem is believed")
    claim(claims.problem.isprintable() and len(claims.problem) < 400, "a problem that cannot be shown")
    for path, digests in claims.hashes.items():
        claim(not names.problem(path), "an unsafe path is believed")
        claim(all(DIGEST.fullmatch(each) for each in digests), "a digest that is none is believed")


def entry(data: bytes) -> None:
    """Read an entry of the cache."""
    try:
        cache_module._parse(data)
    except (ValueError, KeyError):
        return


def store(data: bytes) -> None:
    """Read a store of secret values; what is wrong with it tells no value."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lab.yaml"
        path.touch(mode=0o600)
        path.write_bytes(data)
        try:
            values = load_store(path)
        except ToolError as error:
            keyed = any(CANARY in part.partition(":")[0] for part in data.decode("utf-8", "replace").split("\n"))
            claim(CANARY not in str(error) or keyed, "the store's values are told")
            return
    claim(all(isinstance(text, str) for items in values.values() for text in items.values()), "a value is no text")


def stack(data: bytes) -> None:
    """Read a description of the database's stack."""
    try:
        host = endpoint(site(), data)
    except WrongStack as error:
        claim(str(error).isprintable(), "a problem that cannot be shown")
        return
    claim(host.lower().endswith(".rds.amazonaws.com") and host.isascii(), "a host name that is none of RDS's")


@cache
def site() -> Site:
    """Return the site of the base spec, which has a database of its own."""
    return resolve(parse(load(ROOT / "tests" / "base.yaml"))).site


READERS: Mapping[str, Callable[[bytes], None]] = {
    "lock": lock,
    "journal": journal,
    "cache": entry,
    "store": store,
    "stack": stack,
}


def seeds() -> Iterator[bytes]:
    """Yield one good record of each kind."""
    files = {"a/b.yaml": b"a: 1\n", "RUNBOOK.md": b"x"}
    yield b"lock\n" + with_lock(files)[LOCK]
    yield b"lock\n" + (ROOT / "out" / "jhe-example" / "jhecfg.lock").read_bytes()
    yield b"journal\n" + journal_text(owned(files) | owned({"a/b.yaml": b"a: 2\n"}))
    body = b"maker\nlab\nsource " + b"0" * 64 + b" /specs/lab.yaml\nfile " + b"1" * 64 + b" a/b.yaml"
    yield b"cache\njhecfg-cache 1\n" + cache_module._digest(body).encode() + b"\n" + body
    yield f"store\njhe:\n  jhe-smtp:\n    password: {CANARY}\n    key: |\n      {CANARY}\n".encode()
    from tests.test_import import stack as described

    yield b"stack\n" + json.dumps({"Stacks": [described("base-database")]}).encode()


TARGET = Target("records", judge, seeds, ("jhecfg.tree", "jhecfg.cache"), ending=".txt")
