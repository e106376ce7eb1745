"""Sealed: a file beside a spec is wholly encrypted, or is refused without a word of what is in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from jhecfg.diagnostics import SpecError
from jhecfg.reader import read
from jhecfg.sealed import LIMITS, Backend, read_sealed
from tests.fuzz.claims import good_diagnostics, lines_of, texts
from tests.fuzz.target import Target, claim
from tests.unsealing import VECTORS

FILE = "jhe.jhe-smtp.yaml"
NAME = f"secrets/lab/{FILE}"
BACKENDS: tuple[Backend, ...] = ("sops", "sealed-secrets")
_WORD = re.compile(r"[A-Za-z0-9+/]{10,}")


def judge(data: bytes) -> None:
    """Read a file as either backend's."""
    for backend in BACKENDS:
        try:
            sealed = read_sealed(data, FILE, NAME, backend)
        except SpecError as error:
            good_diagnostics(error.diagnostics, {NAME: lines_of(data)})
            words = values_in(data)
            told = [d.code for d in error.diagnostics for text in texts(d) if words & {*_WORD.findall(text)}]
            claim(not told, f"a value is told by {told}")
        else:
            claim(sealed.values, "a sealed file holds nothing")
            claim(all("canary" not in text for _, text in sealed.values), "a value is not encrypted")


def values_in(data: bytes) -> set[str]:
    """Return the long words of a file's values that are no words of its keys, nor of ours."""
    try:
        document = read(data, NAME, LIMITS)
    except SpecError:
        return set()
    keys = {word for loc in document.keys for word in _WORD.findall(str(loc[-1]))}
    return {word for text in leaves(document.tree) for word in _WORD.findall(text)} - keys - OURS


OURS = {"Secret", "SealedSecret", "bitnami", "com/v1alpha1", "sealed", "encrypted", "secrets", "stringData"} | {
    *_WORD.findall("unsealed-secret sealed-form encrypted_regex lastmodified mac_only_encrypted creationTimestamp annotations"),
    *("apiVersion", "namespace", "recipients", "recipient", "encryptedData", "readable", "cluster"),
}  # fmt: skip


def leaves(tree: Any) -> Iterator[str]:
    """Yield every text in a tree."""
    if isinstance(tree, dict | list):
        for value in tree.values() if isinstance(tree, dict) else tree:
            yield from leaves(value)
    elif isinstance(tree, str):
        yield tree


def seeds() -> Iterator[bytes]:
    """Yield what the real programs write, and files of which a part is in the clear."""
    from tests.test_sealed_files import EXPOSED

    yield VECTORS["sops"].encode()
    yield VECTORS["kubeseal"].encode()
    yield from (text.encode() for text in EXPOSED.values())
    yield yaml.safe_dump({"kind": "Secret", "stringData": {"password": "canary-in-the-clear"}}).encode()


TARGET = Target("sealed", judge, seeds, ("jhecfg.sealed",), longest=6000)
