"""Make: a new value of each form that can be made; the randomness is the operating system's."""

from __future__ import annotations

import secrets

from jhecfg.site import SecretForm

# Without 0, 1, i, l, o and u: what is read aloud or typed from paper arrives as it was meant.
_LETTERS = "23456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP = 4, 6
RSA_BITS = 4096


def makeable(form: SecretForm) -> bool:
    """Whether a value of this form can be made; the others are known to a person alone."""
    return form != "given"


def make(form: SecretForm) -> str:
    """Return a new value: 256 bits and more, for people to type 117, for RSA 4096. Raises ValueError for `given`."""
    if form == "url-safe":
        return secrets.token_urlsafe(48)
    if form == "code":
        return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    if form in ("hex", "hex-list"):
        return secrets.token_hex(32)
    if form == "rsa":
        return _rsa_pem()
    raise ValueError("a value of this form cannot be made")


def _rsa_pem() -> str:
    """Return a PKCS8 PEM with real line ends: every JHE release reads it (facts/jhe.md 8)."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode("ascii")
