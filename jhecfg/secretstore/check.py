"""Check: whether a value that a person brings will do where it is used; what is said never holds a part of it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jhecfg.secretstore.store import Values
from jhecfg.site import SecretForm, SecretItem, SecretNeed, Site

LONGEST = 100_000
"""Bytes of a value: it is a variable of a process, and Linux takes 128 KiB for one (execve(2), MAX_ARG_STRLEN)."""

SECRET_LIMIT = 1 << 20
"""Bytes of all values of a Secret (kubernetes.io/docs/concepts/configuration/secret)."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HEX = re.compile(r"[0-9a-fA-F]{64}")
# What stands in examples, and what is public because it stood in source code (facts/jhe.md 5).
_PLACEHOLDER = re.compile(
    r"(?i)\W*(change.?(me|it)|replace.?(me|this)?|to.?do|x{3,}|secret|password|example|placeholder|topsecret|Jhe1234!|"
    r"set-in-hub\.existingSecret|your.{0,40}|sof-ehr-launch-dev-secret)\W*|<[^>]*>|\.{3}|\$?\{.*\}"
)
_LEAST: dict[SecretForm, int] = {"url-safe": 32, "code": 12}  # characters

LOOKS: dict[SecretForm, str] = {
    "url-safe": "32 characters or more of ASCII, without blanks",
    "code": "12 characters or more",
    "hex": "64 hexadecimal digits",
    "hex-list": "64 hexadecimal digits",
    "rsa": "a private key in a PEM file, RSA of 2048 bits or more, without a passphrase",
    "given": "as its server knows it",
}
"""How a value of each form must look, for a person who makes it."""


def problem_of(form: SecretForm, value: str) -> str:
    """Say what is wrong with a value of this form, in a few words that do not hold it; nothing if it will do."""
    found = _any(value)
    if found:
        return found
    return _rsa(value) if form == "rsa" else _line(form, value)


def problems(site: Site, values: Values) -> Iterator[tuple[SecretNeed, SecretItem, str]]:
    """Yield what is wrong with the values of a site's own Secrets; what is missing is not wrong."""
    for need in site.secrets:
        held = values.get((need.namespace, need.name), {})
        for item in need.own_items:
            found = problem_of(item.form, held[item.key]) if item.key in held else ""
            if found:
                yield need, item, found
        if need.own_items and sum(len(text.encode(errors="replace")) for text in held.values()) > SECRET_LIMIT:
            yield need, need.own_items[0], "the Secret's values are larger than 1 MiB together"


def _any(value: str) -> str:
    if not value.strip():
        return "is empty"
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        return "is not UTF-8 text"
    if size > LONGEST:
        return f"is longer than {LONGEST:,} bytes"
    return "holds a NUL" if "\0" in value else ""


def _line(form: SecretForm, value: str) -> str:
    """Judge a value of one line."""
    if "\n" in value or "\r" in value:
        return "holds a line end"
    if value != value.strip():
        return "begins or ends with a blank"
    if _CONTROL.search(value):
        return "holds a control character"
    if _PLACEHOLDER.fullmatch(value):
        return "is a placeholder, and known to everybody"
    if form == "hex":
        return "" if _HEX.fullmatch(value) else "must be 64 hexadecimal digits (32 bytes)"
    if form == "hex-list":
        return _hex_list(value)
    least = _LEAST.get(form, 0)
    if len(value) < least:
        return f"is shorter than {least} characters"
    if form == "url-safe" and not (value.isascii() and value.isprintable() and " " not in value):
        return "must be ASCII without blanks"
    return ""


def _hex_list(value: str) -> str:
    keys = value.split(";")
    if not all(_HEX.fullmatch(key) for key in keys):
        return "must be 64 hexadecimal digits (32 bytes), or several of them with `;` between, the newest first"
    return "holds a key twice" if len({key.lower() for key in keys}) < len(keys) else ""


def _rsa(value: str) -> str:
    """Judge an RSA key as JHE does: it reads the PEM with `cryptography` (facts/jhe.md 8, a table of forms, run)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    if "-----BEGIN" not in value:
        return "is not a PEM: bring the file that begins with -----BEGIN PRIVATE KEY-----, not its base64"
    if "\\n" in value:
        return "has the two characters \\n where its lines should end; bring the PEM file itself"
    try:
        key = load_pem_private_key(value.encode(), password=None)
    except TypeError:
        return "is encrypted; bring it without a passphrase"
    except (ValueError, UnsupportedAlgorithm):
        return "is not a private key that can be read"
    if not isinstance(key, RSAPrivateKey):
        return "is not an RSA key"
    return "" if key.key_size >= 2048 else "has fewer than 2048 bits"
