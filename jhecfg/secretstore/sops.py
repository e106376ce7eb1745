"""sops: encrypt a Secret's values to age recipients, as `sops` does, so that it and Flux can decrypt them.

The form is that of getsops/sops 3.13 (sops.go, aes/cipher.go, stores/stores.go). Values are base64 in `data`, which
holds any text. The MAC covers what is encrypted and nothing else, so that the output may add labels.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Mapping, Sequence
from datetime import datetime

from jhecfg.artifact import Tree
from jhecfg.sealed.forms import ENCRYPTED_REGEX
from jhecfg.secretstore import age

VERSION = "3.13.3"
"""The sops whose form this is; older ones, from 3.9 on, read it too."""

_KEY, _IV, _TAG = 32, 32, 16  # bytes
# What the MAC of encrypted values starts from, so that it is never the MAC of all values (sops.go).
_MAC_START = bytes.fromhex("8a3fd2ad54ce66527b1034f3d147be0b0b975b3bf44f72c6fdadec8176f27d69")


def encrypted_secret(
    namespace: str, name: str, values: Mapping[str, str], recipients: Sequence[str], now: datetime
) -> Tree:
    """Return a Secret whose values the recipients can decrypt; other bytes at each call. `now` is in UTC.

    Raises ValueError for an empty value, which sops would leave as it is, and for a recipient that is none.
    """
    if not all(values.values()):
        raise ValueError("a value is empty")
    key, when = os.urandom(_KEY), now.strftime("%Y-%m-%dT%H:%M:%SZ")
    texts = {item: base64.b64encode(text.encode()).decode("ascii") for item, text in values.items()}
    mac = hashlib.sha512(_MAC_START + "".join(texts.values()).encode()).hexdigest().upper()
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": "Opaque",
        "data": {item: _encrypted(text, key, f"data:{item}:") for item, text in texts.items()},
        "sops": {
            "age": [
                {"recipient": recipient, "enc": age.armored(age.encrypt(key, [recipient]))} for recipient in recipients
            ],
            "lastmodified": when,
            "mac": _encrypted(mac, key, when),
            "encrypted_regex": ENCRYPTED_REGEX,
            "mac_only_encrypted": True,
            "version": VERSION,
        },
    }


def _encrypted(text: str, key: bytes, place: str) -> str:
    """Encrypt one text; `place` is authenticated with it, so that values cannot change places."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    iv = os.urandom(_IV)
    sealed = AESGCM(key).encrypt(iv, text.encode(), place.encode())
    data, tag = (base64.b64encode(part).decode("ascii") for part in (sealed[:-_TAG], sealed[-_TAG:]))
    return f"ENC[AES256_GCM,data:{data},iv:{base64.b64encode(iv).decode('ascii')},tag:{tag},type:str]"
