"""age: encrypt a few bytes to X25519 public keys (C2SP age v1), as `age` and sops do.

A file is a header, with the file's key wrapped for each recipient and a MAC, and a payload in chunks. What is
encrypted here, the data key of a sops file, fits one chunk.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Sequence

from jhecfg import bech32

_CHUNK = 64 << 10
_KEY = 16  # bytes of a file's key
_NONCE = 16  # bytes before the payload
_ONE_CHUNK = bytes(11) + b"\x01"  # the counter of the first chunk, and that it is the last


def encrypt(data: bytes, recipients: Sequence[str]) -> bytes:
    """Return data that the owner of any of the recipients (`age1…`) can decrypt; other bytes at each call.

    Raises ValueError for a recipient that is none, and for data larger than a chunk.
    """
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    if len(data) > _CHUNK or not recipients:
        raise ValueError("one chunk of data, to one recipient at least")
    key, nonce = os.urandom(_KEY), os.urandom(_NONCE)
    stanzas = b"".join(_stanza(key, recipient) for recipient in recipients)
    header = b"age-encryption.org/v1\n" + stanzas + b"---"
    mac = _base64(_hmac(_derived(key, b"", b"header"), header))
    payload = ChaCha20Poly1305(_derived(key, nonce, b"payload")).encrypt(_ONE_CHUNK, data, None)
    return header + b" " + mac + b"\n" + nonce + payload


def armored(data: bytes) -> str:
    """Return an age file as text, as sops keeps it in YAML."""
    text = base64.b64encode(data).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join(("-----BEGIN AGE ENCRYPTED FILE-----", *lines, "-----END AGE ENCRYPTED FILE-----", ""))


def _stanza(key: bytes, recipient: str) -> bytes:
    """Wrap the file's key for one recipient."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    theirs = bech32.decode(recipient, "age")
    if theirs is None or len(theirs) != 32:
        raise ValueError("not an age public key")
    once = X25519PrivateKey.generate()
    share = once.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    shared = once.exchange(X25519PublicKey.from_public_bytes(theirs))  # refuses a key of low order
    wrapping = _derived(shared, share + theirs, b"age-encryption.org/v1/X25519")
    body = ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None)
    return b"-> X25519 " + _base64(share) + b"\n" + _base64(body) + b"\n"


def _derived(secret: bytes, salt: bytes, info: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(secret)


def _hmac(key: bytes, data: bytes) -> bytes:
    import hmac

    return hmac.digest(key, data, "sha256")


def _base64(data: bytes) -> bytes:
    return base64.b64encode(data).rstrip(b"=")
