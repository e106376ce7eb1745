"""Sealed Secrets: what we seal the controller opens, under that name alone; and certificates that will not do."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg.emit import dump
from jhecfg.sealed import read_sealed
from jhecfg.secretstore.sealed_secrets import certificate_of, sealed_secret
from tests.tools import optional
from tests.unsealing import VECTORS, rsa_key, unseal

NOW = datetime(2026, 11, 24, tzinfo=UTC)
KEY = rsa_key()
FILE = "jhe.jhe-smtp.yaml"

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)
keys = st.from_regex(r"[-._a-zA-Z0-9]{1,60}", fullmatch=True)


def certificate(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = KEY, start: datetime = NOW, days: int = 3650
) -> bytes:
    """Return a certificate as the controller makes it: nobody's, by itself, for ten years."""
    nobody = x509.Name([])
    builder = x509.CertificateBuilder().subject_name(nobody).issuer_name(nobody).public_key(key.public_key())
    builder = builder.serial_number(7).not_valid_before(start).not_valid_after(start + timedelta(days=days))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def test_what_kubeseal_sealed_is_opened_by_the_tests_own_controller() -> None:
    """The decryptor of these tests opens a file of the real kubeseal, and jhecfg takes the file as it is."""
    (key, sealed), *_ = read_sealed(VECTORS["kubeseal"].encode(), FILE, FILE, "sealed-secrets").values
    assert (key, unseal(KEY, sealed, "jhe", "jhe-smtp")) == ("password", VECTORS["text"])


@given(st.dictionaries(keys, texts, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_any_text_under_any_key_comes_back(values: dict[str, str]) -> None:
    """Whatever a Secret may hold (line breaks, NUL, any script) is opened as it was; and the file is what we take."""
    tree = sealed_secret(KEY.public_key(), "jhe", "jhe-smtp", values)
    file = read_sealed(dump(tree).encode(), FILE, FILE, "sealed-secrets")
    assert {key: unseal(KEY, sealed, "jhe", "jhe-smtp") for key, sealed in file.values} == values


def test_a_mebibyte_comes_back() -> None:
    """The largest Secret that Kubernetes takes is sealed, and read again."""
    text = "ü" * (1 << 19)
    tree = sealed_secret(KEY.public_key(), "jhe", "jhe-smtp", {"password": text})
    ((_, sealed),) = read_sealed(dump(tree).encode(), FILE, FILE, "sealed-secrets").values
    assert unseal(KEY, sealed, "jhe", "jhe-smtp") == text


def test_a_value_opens_nowhere_else() -> None:
    """The scope is strict: under another name, in another namespace or with another key it does not open."""
    tree = sealed_secret(KEY.public_key(), "jhe", "jhe-smtp", {"password": "x"})
    sealed = tree["spec"]["encryptedData"]["password"]
    for namespace, name in (("jhe", "other"), ("other", "jhe-smtp")):
        with pytest.raises(ValueError, match="failed"):
            unseal(KEY, sealed, namespace, name)
    raw = bytearray(base64.b64decode(sealed))
    raw[-1] ^= 1
    with pytest.raises(InvalidTag):
        unseal(KEY, base64.b64encode(raw).decode(), "jhe", "jhe-smtp")


def test_nothing_is_used_twice() -> None:
    """The same value sealed again is other bytes, from the first one of its key on."""
    one, two = (sealed_secret(KEY.public_key(), "a", "b", {"k": "x"})["spec"]["encryptedData"]["k"] for _ in "12")
    assert base64.b64decode(one)[2:258] != base64.b64decode(two)[2:258]


def test_a_certificate_is_known_by_its_key_and_its_end() -> None:
    """A certificate is good until its end, and said to be near it thirty days before."""
    found = certificate_of(certificate(days=100), NOW + timedelta(days=60))
    assert (found.key, found.not_after) == (KEY.public_key(), NOW + timedelta(days=100))
    assert not found.expires_soon(NOW + timedelta(days=60))
    assert found.expires_soon(NOW + timedelta(days=71))


SMALL = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CURVE = ec.generate_private_key(ec.SECP256R1())
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
)


@pytest.mark.parametrize(
    ("pem", "reason"),
    [
        (b"", "not a PEM certificate"),
        (b"Error from server (NotFound)", "not a PEM certificate"),
        (b"\xff\xfe\x00" * 100, "not a PEM certificate"),
        (certificate()[:-100], "not a PEM certificate"),
        (certificate(CURVE), "not an RSA key of 2048 bits"),
        (certificate(SMALL), "not an RSA key of 2048 bits"),
        (certificate(start=NOW - timedelta(days=20), days=10), "expired on 2026-11-14"),
        (certificate(start=NOW + timedelta(days=2)), "not valid before 2026-11-26"),
        (certificate() + PRIVATE, "holds a private key"),
    ],
    ids=["empty", "words", "bytes", "cut", "curve", "small", "expired", "early", "private"],
)
def test_what_is_no_good_certificate_is_refused(pem: bytes, reason: str) -> None:
    """Nothing is sealed to what the controller could not open, and the reason holds nothing of the file."""
    with pytest.raises(ValueError, match=reason) as caught:
        certificate_of(pem, NOW)
    assert len(str(caught.value)) < 120


def test_the_real_controllers_code_opens_it(tmp_path: Path) -> None:
    """`kubeseal --recovery-unseal`, which is the controller's own code, opens what we sealed."""
    kubeseal = optional("kubeseal")
    private = tmp_path / "private.pem"
    private.write_bytes(PRIVATE)
    values = {"password": VECTORS["text"], "b.c_d-E": "\0\n", "long": "ü" * 5000}
    text = dump(sealed_secret(certificate_of(certificate(), NOW).key, "jhe", "jhe-smtp", values))
    done = subprocess.run(
        [kubeseal, "--recovery-unseal", "--recovery-private-key", str(private), "-o", "json"],
        input=text.encode(),
        capture_output=True,
        check=True,
    )
    secret = json.loads(done.stdout)
    assert {key: base64.b64decode(data).decode() for key, data in secret["data"].items()} == values
    assert (secret["metadata"]["namespace"], secret["metadata"]["name"]) == ("jhe", "jhe-smtp")
