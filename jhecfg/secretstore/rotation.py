"""Rotation: the new value of a secret, with the old one beside it where that spares people something."""

from __future__ import annotations

from jhecfg.diagnostics import Misused
from jhecfg.secretstore.make import make
from jhecfg.secretstore.names import Named

BETWEEN = ";"
"""JupyterHub's CryptKeeper encrypts with the first of its keys, and decrypts with any."""


def rotated(named: Named, old: str | None, brought: str | None) -> str:
    """Return what takes the old value's place. Raises Misused where it cannot be made, or not yet.

    `old` is what the store holds, `brought` what a person has for it.
    """
    fresh = brought if brought is not None else make(named.item.form)
    if not named.item.rotation.overlap:
        return fresh
    if old is None:
        raise Misused(f"{named} is not in the store, and the old value must stay beside the new one for a while")
    if BETWEEN in old:
        raise Misused(f"{named} still holds an older key; drop it first, with --finish")
    return fresh if fresh.split(BETWEEN)[1:] == [old] else f"{fresh}{BETWEEN}{old}"


def finished(named: Named, old: str | None) -> str:
    """Return the new value alone. Raises Misused where there is nothing to drop."""
    if not named.item.rotation.overlap or old is None or BETWEEN not in old:
        raise Misused(f"{named} holds no old value that could be dropped")
    return old.split(BETWEEN)[0]
