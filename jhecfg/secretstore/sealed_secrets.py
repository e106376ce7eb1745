"""Sealed Secrets: encrypt values, offline, so that only the cluster's controller can read them.

The algorithm is that of bitnami-labs/sealed-secrets 0.36 (pkg/crypto/crypto.go, HybridEncrypt): a fresh key for each
value, AES-256-GCM with it, and RSA-OAEP around it with the label `namespace/name`. That label is the strict scope: the
controller opens the value under this name, in this namespace, and nowhere else.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from jhecfg.artifact import Tree

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

SOON = timedelta(days=30)
"""So long before a certificate expires, a warning is in place."""

_SKEW = timedelta(days=1)  # a controller that was made a moment ago may have another clock
_NONCE = bytes(12)  # every key is used once, so the nonce need not differ
_KEY = 32  # bytes
_SMALLEST = 2048  # bits


class Certificate(NamedTuple):
    """A controller's certificate: the key to encrypt to, its SHA-256 in hexadecimal digits, when it ends (UTC)."""

    key: RSAPublicKey
    fingerprint: str
    not_after: datetime

    def expires_soon(self, now: datetime) -> bool:
        """Say whether the certificate is about to expire; `now` is aware of its zone."""
        return now > self.not_after - SOON


def certificate_of(pem: bytes, now: datetime) -> Certificate:
    """Read the first certificate of a PEM, as `kubeseal` does; `now` is aware of its zone.

    Raises ValueError, with a reason in words, for what is no certificate, not an RSA one, or not valid at `now`.
    """
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.x509 import load_pem_x509_certificates

    if b"PRIVATE KEY" in pem:
        raise ValueError("it holds a private key; keep only the certificate, and make the controller a new key")
    try:
        found = load_pem_x509_certificates(pem)[0]
        key = found.public_key()
    except Exception:  # the library raises half a dozen kinds, and quotes the file in some
        raise ValueError("it is not a PEM certificate") from None
    if not isinstance(key, RSAPublicKey) or key.key_size < _SMALLEST:
        raise ValueError(f"its key is not an RSA key of {_SMALLEST} bits or more, as the controller's is")
    certificate = Certificate(key, found.fingerprint(SHA256()).hex(), found.not_valid_after_utc)
    if now > certificate.not_after:
        raise ValueError(f"it expired on {certificate.not_after:%Y-%m-%d}; fetch the controller's newest")
    if now + _SKEW < found.not_valid_before_utc:
        raise ValueError(
            f"it is not valid before {found.not_valid_before_utc:%Y-%m-%d}; is this machine's clock right?"
        )
    return certificate


def sealed_secret(key: RSAPublicKey, namespace: str, name: str, values: Mapping[str, str]) -> Tree:
    """Return a SealedSecret of strict scope; other bytes at each call."""
    label = f"{namespace}/{name}".encode()
    return {
        "apiVersion": "bitnami.com/v1alpha1",
        "kind": "SealedSecret",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "encryptedData": {item: _sealed(key, text.encode(), label) for item, text in values.items()},
            "template": {"metadata": {"name": name, "namespace": namespace}, "type": "Opaque"},
        },
    }


def _sealed(key: RSAPublicKey, value: bytes, label: bytes) -> str:
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, OAEP
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256

    once = os.urandom(_KEY)
    wrapped = key.encrypt(once, OAEP(mgf=MGF1(SHA256()), algorithm=SHA256(), label=label))
    raw = len(wrapped).to_bytes(2, "big") + wrapped + AESGCM(once).encrypt(_NONCE, value, None)
    return base64.b64encode(raw).decode("ascii")
