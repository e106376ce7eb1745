"""Opening what was sealed, in the tests alone: sealed-secrets' controller, age and sops, as far as we use them.

Written apart from the code under test; the vectors of tests/data/sealing.json, made by the real programs, say that it is
right.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from jhecfg import bech32

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "sealing.json").read_text(encoding="utf-8"))


class AgeKey(NamedTuple):
    """An age key: its secret half in the form of age-keygen, and its recipient."""

    private: X25519PrivateKey
    identity: str
    recipient: str


def age_key(seed: bytes) -> AgeKey:
    """Return the key of 32 bytes."""
    private = X25519PrivateKey.from_private_bytes(seed)
    recipient = bech32.encode(private.public_key().public_bytes_raw(), "age")
    return AgeKey(private, bech32.encode(seed, "age-secret-key-").upper(), recipient)


AGE = age_key(bytes(range(32)))
"""The key of the vectors."""


def rsa_key() -> rsa.RSAPrivateKey:
    """Return the key of the vectors."""
    p, q = (int(VECTORS["rsa"][name], 16) for name in "pq")
    e, phi = 65537, (p - 1) * (q - 1)
    d = pow(e, -1, phi)
    public = rsa.RSAPublicNumbers(e, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, d % (p - 1), d % (q - 1), pow(q, -1, p), public).private_key()


def unseal(key: rsa.RSAPrivateKey, sealed: str, namespace: str, name: str) -> str:
    """Open a value as the controller does, for the Secret of this name in this namespace."""
    raw = base64.b64decode(sealed, validate=True)
    end = 2 + int.from_bytes(raw[:2], "big")
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), f"{namespace}/{name}".encode())
    return AESGCM(key.decrypt(raw[2:end], oaep)).decrypt(bytes(12), raw[end:], None).decode()


def age_decrypt(key: AgeKey, text: str) -> bytes:
    """Open an armored age file of one chunk with a key that is among its recipients."""
    raw = base64.b64decode("".join(text.split("\n")[1:-2]))
    header, _, rest = raw.partition(b"\n--- ")
    mac, _, payload = rest.partition(b"\n")
    file_key = next(filter(None, (_unwrapped(key, stanza) for stanza in header.split(b"\n-> ")[1:])))
    assert hmac.digest(_hkdf(file_key, b"", b"header"), header + b"\n---", "sha256") == _b64(mac)
    return ChaCha20Poly1305(_hkdf(file_key, payload[:16], b"payload")).decrypt(bytes(11) + b"\x01", payload[16:], None)


def _unwrapped(key: AgeKey, stanza: bytes) -> bytes | None:
    first, body = stanza.split(b"\n")
    share = _b64(first.removeprefix(b"X25519 "))
    theirs = key.private.public_key().public_bytes_raw()
    shared = key.private.exchange(X25519PublicKey.from_public_bytes(share))
    try:
        return ChaCha20Poly1305(_hkdf(shared, share + theirs, b"age-encryption.org/v1/X25519")).decrypt(
            bytes(12), _b64(body), None
        )
    except Exception:  # another recipient's
        return None


def _hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(hashes.SHA256(), 32, salt, info).derive(secret)


def _b64(data: bytes) -> bytes:
    return base64.b64decode(data + b"=" * (-len(data) % 4))


_ENC = re.compile(r"ENC\[AES256_GCM,data:(.*),iv:(.*),tag:(.*),type:str\]")
_ONLY_ENCRYPTED = bytes.fromhex("8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69")


def sops_decrypt(key: AgeKey, tree: dict[str, Any]) -> dict[str, str]:
    """Open the values of a Secret as sops does, and check its MAC."""
    meta = tree["sops"]
    entry = next(entry for entry in meta["age"] if entry["recipient"] == key.recipient)
    data_key = age_decrypt(key, entry["enc"])
    values = {item: _opened(data_key, text, f"data:{item}:") for item, text in tree["data"].items()}
    digest = hashlib.sha512(_ONLY_ENCRYPTED + "".join(values.values()).encode()).hexdigest().upper()
    assert _opened(data_key, meta["mac"], meta["lastmodified"]) == digest
    return {item: base64.b64decode(text).decode() for item, text in values.items()}


def _opened(key: bytes, text: str, place: str) -> str:
    match = _ENC.fullmatch(text)
    assert match is not None
    data, iv, tag = (base64.b64decode(part) for part in match.groups())
    return AESGCM(key).decrypt(iv, data + tag, place.encode()).decode()
