"""sops and age: what we encrypt the recipients open, and sops itself; Bech32; and what is no encrypted file."""

from __future__ import annotations

import os
import subprocess
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg import bech32
from jhecfg.emit import dump
from jhecfg.sealed import read_sealed
from jhecfg.secretstore import age
from jhecfg.secretstore.sops import encrypted_secret
from tests.test_sealed_secrets import keys, texts
from tests.tools import need
from tests.unsealing import AGE, VECTORS, age_decrypt, age_key, sops_decrypt

NOW = datetime(2026, 11, 24, tzinfo=UTC)
OTHER = age_key(b"\x42" * 32)
FILE = "jhe.jhe-smtp.yaml"


# --- Bech32 -----------------------------------------------------------------------------------------------------------


def test_bech32_is_that_of_the_standard() -> None:
    """BIP 173's own example of a long text, and the recipient that age-keygen shows for the vectors' key."""
    words = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw"
    assert bech32.encode(bech32.decode(words, "abcdef") or b"", "abcdef") == words
    assert AGE.recipient == "age13aqvttdk3ujkyjh9kg2w5an6dmy5mq5a84a4uxk3hfhnugfc9p0sy5p2wh"


@given(st.binary(max_size=64), st.integers(0, 200), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_letter_is_noticed(data: bytes, place: int, letter: str) -> None:
    """What was encoded is decoded, and with another letter anywhere it is not."""
    text = bech32.encode(data, "age")
    assert bech32.decode(text, "age") == data
    at = 4 + place % (len(text) - 4)
    if text[at] != letter:
        assert bech32.decode(text[:at] + letter + text[at + 1 :], "age") is None


@pytest.mark.parametrize("text", ["", "1", "age1", "age1qqq", "bge1qqqqqqqq", "age1bbbbbbbbb", "AGE1" + "Q" * 58])
def test_what_is_no_bech32_is_nothing(text: str) -> None:
    """No text makes it fail."""
    assert bech32.decode(text, "age") is None


# --- age --------------------------------------------------------------------------------------------------------------


def test_what_age_encrypted_is_opened_by_the_tests_own_age() -> None:
    """The decryptor of these tests opens a file of the real age."""
    assert age_decrypt(AGE, VECTORS["age"]) == b"thirty-two bytes of a data key!!"


@given(st.binary(max_size=500))
@settings(max_examples=30, deadline=None)
def test_every_recipient_opens_it(data: bytes) -> None:
    """Each of several recipients gets the data back."""
    text = age.armored(age.encrypt(data, [OTHER.recipient, AGE.recipient]))
    assert age_decrypt(AGE, text) == age_decrypt(OTHER, text) == data


@pytest.mark.parametrize("recipient", ["", "age1qqq", AGE.identity, bech32.encode(b"short", "age")])
def test_nothing_is_encrypted_to_what_is_no_recipient(recipient: str) -> None:
    """A recipient that is none, a secret key among them, is refused, and not repeated."""
    with pytest.raises(ValueError, match="not an age public key"):
        age.encrypt(b"x", [recipient])


def test_a_key_that_makes_every_secret_the_same_is_refused() -> None:
    """The zero point, with which everybody knows the shared secret, is no recipient (RFC 7748, 6.1)."""
    with pytest.raises(ValueError, match="shared key"):
        age.encrypt(b"x", [bech32.encode(bytes(32), "age")])


# --- sops -------------------------------------------------------------------------------------------------------------


def test_what_sops_encrypted_is_opened_by_the_tests_own_sops() -> None:
    """The decryptor of these tests opens a file of the real sops, MAC and all, and jhecfg takes the file as it is."""
    file = read_sealed(VECTORS["sops"].encode(), FILE, FILE, "sops")
    assert sops_decrypt(AGE, file.document.tree) == {"password": VECTORS["text"]}


@given(st.dictionaries(keys, texts, min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_any_text_under_any_key_comes_back(values: dict[str, str]) -> None:
    """Whatever a Secret may hold is decrypted as it was, with its MAC; and the file is what we take."""
    tree = encrypted_secret("jhe", "jhe-smtp", values, [OTHER.recipient, AGE.recipient], NOW)
    file = read_sealed(dump(tree).encode(), FILE, FILE, "sops")
    assert sops_decrypt(AGE, file.document.tree) == sops_decrypt(OTHER, file.document.tree) == values


def test_a_mebibyte_comes_back() -> None:
    """The largest Secret that Kubernetes takes is encrypted, and read again."""
    text = "ü" * (1 << 19)
    tree = encrypted_secret("jhe", "jhe-smtp", {"password": text}, [AGE.recipient], NOW)
    file = read_sealed(dump(tree).encode(), FILE, FILE, "sops")
    assert sops_decrypt(AGE, file.document.tree) == {"password": text}


def test_an_empty_value_is_refused() -> None:
    """Sops leaves an empty value as it is, so there may be none."""
    with pytest.raises(ValueError, match="a value is empty"):
        encrypted_secret("jhe", "jhe-smtp", {"a": "x", "b": ""}, [AGE.recipient], NOW)


def run_sops(*words: str, **variables: str) -> subprocess.CompletedProcess[bytes]:
    """Run the real sops with a key of ours."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nowhere", "SOPS_AGE_KEY": AGE.identity, **variables}
    return subprocess.run([need("sops"), *words], capture_output=True, check=False, env=environment)


def test_the_real_sops_decrypts_it(tmp_path: Path) -> None:
    """`sops decrypt` opens our file, checks the MAC, and leaves a Secret that kubectl takes."""
    path = tmp_path / FILE
    values = {"password": VECTORS["text"], "b.c_d-E": "\0\n", "long": "ü" * 5000}
    path.write_text(dump(encrypted_secret("jhe", "jhe-smtp", values, [OTHER.recipient, AGE.recipient], NOW)))
    done = run_sops("decrypt", str(path))
    assert done.returncode == 0, done.stderr
    tree = yaml.safe_load(done.stdout)
    assert {key: b64decode(data).decode() for key, data in tree.pop("data").items()} == values
    metadata = {"name": "jhe-smtp", "namespace": "jhe"}
    assert tree == {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}


def test_the_real_sops_edits_it(tmp_path: Path) -> None:
    """What `sops set` changes in our file is still a file that we take, and decrypt."""
    path = tmp_path / FILE
    path.write_text(dump(encrypted_secret("jhe", "jhe-smtp", {"a": "1", "b": "2"}, [AGE.recipient], NOW)))
    done = run_sops("set", str(path), '["data"]["b"]', '"bmV3"')
    assert done.returncode == 0, done.stderr
    file = read_sealed(path.read_bytes(), FILE, FILE, "sops")
    assert sops_decrypt(AGE, file.document.tree) == {"a": "1", "b": "new"}


def test_the_real_sops_notices_a_change(tmp_path: Path) -> None:
    """A value put in the place of another is refused, and so are a value left out and another person's key."""
    path = tmp_path / FILE
    tree = encrypted_secret("jhe", "jhe-smtp", {"a": "1", "b": "2"}, [AGE.recipient], NOW)
    swapped = {**tree, "data": {"a": tree["data"]["b"], "b": tree["data"]["a"]}}
    for wrong in (swapped, {**tree, "data": {"a": tree["data"]["a"]}}):
        path.write_text(dump(wrong))
        assert run_sops("decrypt", str(path)).returncode != 0
    path.write_text(dump(tree))
    assert run_sops("decrypt", str(path), SOPS_AGE_KEY=OTHER.identity).returncode != 0
