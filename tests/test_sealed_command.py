"""jhecfg secrets seal: from a store to files for git and back, what is left alone, and what is never said."""

from __future__ import annotations

import json
import os
import stat
import subprocess
from base64 import b64decode
from pathlib import Path

import pytest
import yaml

from jhecfg.reader import read
from jhecfg.secretstore.store import Values, save
from jhecfg.talk import Exit
from jhecfg.tree.folder import Folder
from tests.sealed_site import FLUX, SEALED_SECRETS, SMTP, SOPS, Place
from tests.test_sealed_secrets import PRIVATE
from tests.test_sops import run_sops
from tests.tools import optional
from tests.unsealing import AGE, rsa_key, sops_decrypt, unseal

pytestmark = pytest.mark.slow


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return the folder of a site whose spec says sops, with a full store."""
    where = Place(tmp_path)
    where.write(SOPS)
    where.fill()
    return where


def opened(place: Place, backend: str) -> dict[str, dict[str, str]]:
    """Decrypt every sealed file, by its name."""
    found = {}
    for name, data in place.sealed().items():
        tree = read(data, name).tree
        if backend == "sops":
            found[name] = sops_decrypt(AGE, tree)
        else:
            meta, values = tree["metadata"], tree["spec"]["encryptedData"]
            found[name] = {k: unseal(rsa_key(), v, meta["namespace"], meta["name"]) for k, v in values.items()}
    return found


def by_file(values: Values) -> dict[str, dict[str, str]]:
    """Return what a store holds by the name of the sealed file."""
    return {f"{namespace}.{name}.yaml": dict(items) for (namespace, name), items in values.items()}


@pytest.mark.parametrize("spec", [SOPS, SEALED_SECRETS], ids=["sops", "sealed-secrets"])
def test_two_commands_bring_the_store_into_the_output(spec: dict[str, object], tmp_path: Path) -> None:
    """`seal` writes every Secret encrypted, `build` copies them, and both find nothing to do when run again."""
    place = Place(tmp_path)
    place.write(spec)
    values = place.fill()
    place.certify()
    assert place.run("build", "--strict") == Exit.SPEC
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
    assert opened(place, spec["secrets"]["backend"]) == by_file(values)  # type: ignore[index]
    assert place.run("build", "--strict") == Exit.OK
    before = place.sealed()
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
    assert place.run("check", "--strict") == Exit.OK
    assert place.sealed() == before


def test_the_real_sops_decrypts_the_output(place: Place) -> None:
    """The labels that `build` adds leave the MAC right: sops opens the copy in out/, and the object has both."""
    values = place.fill()
    place.run("secrets", "seal", "specs/lab.yaml")
    place.run("build")
    done = run_sops("decrypt", str(place.root / "out/lab/manifests/20-config/secret-jhe-jhe-exchange.yaml"))
    assert done.returncode == 0, done.stderr
    tree = yaml.safe_load(done.stdout)
    assert {key: b64decode(data).decode() for key, data in tree["data"].items()} == values["jhe", "jhe-exchange"]
    assert tree["metadata"]["labels"]["app.kubernetes.io/instance"] == "lab"
    assert "sops" not in tree


def test_the_real_controllers_code_opens_the_output(place: Place) -> None:
    """`kubeseal --recovery-unseal` opens the SealedSecret in out/, and the Secret has the site's labels."""
    kubeseal = optional("kubeseal")
    place.write(SEALED_SECRETS)
    place.certify()
    values = place.fill()
    place.run("secrets", "seal", "specs/lab.yaml")
    place.run("build")
    private = place.root / "private.pem"
    private.write_bytes(PRIVATE)
    path = place.root / "out/lab/manifests/20-config/sealedsecret-jhe-jhe-exchange.yaml"
    words = [kubeseal, "--recovery-unseal", "--recovery-private-key", str(private), "-o", "json"]
    done = subprocess.run(words, input=path.read_bytes(), capture_output=True, check=True)
    tree = json.loads(done.stdout)
    assert {key: b64decode(data).decode() for key, data in tree["data"].items()} == values["jhe", "jhe-exchange"]
    assert (tree["metadata"]["name"], tree["metadata"]["namespace"]) == ("jhe-exchange", "jhe")
    assert tree["metadata"]["labels"]["app.kubernetes.io/instance"] == "lab"


def test_only_what_changed_is_written(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A new value, another key for it, a file lost or touched: that file alone is another; `--all` changes all."""
    place.run("secrets", "seal", "specs/lab.yaml")
    first = place.sealed()
    place.fill(smtp="another")
    place.run("secrets", "seal", "specs/lab.yaml")
    second = place.sealed()
    assert {name for name in first if first[name] != second[name]} == {"jhe.jhe-smtp.yaml"}
    (place.root / SMTP).write_bytes(first["jhe.jhe-smtp.yaml"])
    os.unlink(place.root / "specs/secrets/lab/jhe.jhe-database.yaml")
    capsys.readouterr()
    place.run("secrets", "seal", "specs/lab.yaml")
    assert capsys.readouterr().out == (
        "specs/secrets/lab: 2 written, 2 as they were\n  sealed   jhe.jhe-database.yaml\n  sealed   jhe.jhe-smtp.yaml\n"
    )
    third = place.sealed()
    place.run("secrets", "seal", "--all", "specs/lab.yaml")
    assert all(place.sealed()[name] != data for name, data in third.items())


def test_other_readers_get_other_files(place: Place) -> None:
    """With another recipient, or another certificate, everything is encrypted anew."""
    place.run("secrets", "seal", "specs/lab.yaml")
    sops = place.sealed()
    place.write({"secrets": {**SOPS["secrets"], "recipients": [AGE.recipient, "age1" + "q" * 58]}})
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.SPEC  # the second one is none
    place.write(SEALED_SECRETS)
    for days in (100, 200):
        place.certify(days=days)
        assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
        assert not set(sops.values()) & set(place.sealed().values())
        sops = place.sealed()


def test_what_is_missing_is_named_and_the_rest_is_sealed(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A Secret that the store holds in part is left out, its keys are named, and so is the command that makes them."""
    values = {name: dict(items) for name, items in place.fill().items()}
    del values["jhe", "jhe-bootstrap"]["invite-code"], values["jhe", "jhe-smtp"]
    save(place.root / ".secrets/lab.yaml", values)
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.ENVIRONMENT
    said = capsys.readouterr()
    assert "  missing  jhe/jhe-bootstrap/invite-code\n  missing  jhe/jhe-smtp/password\n" in said.out
    assert said.err == "jhecfg: 2 missing; jhecfg secrets init specs/lab.yaml makes them\n"
    assert sorted(place.sealed()) == ["jhe.jhe-database.yaml", "jhe.jhe-exchange.yaml"]


def test_no_command_says_a_value(place: Place, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever is said, and whatever is written for git, holds no value; and the notes beside the store hold none."""
    values = [text for items in place.fill().values() for text in items.values()]
    place.run("secrets", "seal", "specs/lab.yaml")
    place.run("build", "--format", "json")
    said = capfd.readouterr()
    written = [p.read_text() for p in place.root.rglob("*") if p.is_file() and p != place.root / ".secrets/lab.yaml"]
    everything = "\n".join([said.out, said.err, *written])
    assert "jhe.jhe-smtp.yaml" in everything
    for text in values:
        assert text not in everything
        assert json.dumps(text)[1:-1] not in everything


def test_the_notes_are_as_private_as_the_store(place: Place) -> None:
    """What tells whether a value changed lies beside the values, and only its owner may read it."""
    place.run("secrets", "seal", "specs/lab.yaml")
    notes = place.root / ".secrets/lab.sealed.yaml"
    assert stat.S_IMODE(notes.stat().st_mode) == 0o600
    assert (place.root / ".secrets/.gitignore").read_text() == "*\n"


def test_without_notes_all_is_sealed_anew(place: Place) -> None:
    """On another machine, with the same store, the files come anew: nobody can see whether they are right."""
    place.run("secrets", "seal", "specs/lab.yaml")
    before = place.sealed()
    os.unlink(place.root / ".secrets/lab.sealed.yaml")
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
    assert all(place.sealed()[name] != data for name, data in before.items())


@pytest.mark.parametrize("step", ["create", "replace"])
def test_an_interrupted_run_leaves_whole_files(place: Place, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies at any file leaves each as it was or as it will be, and the next one completes them."""
    place.run("secrets", "seal", "specs/lab.yaml")
    before = place.sealed()
    works, calls = getattr(Folder, step), [0]

    def dies(self: Folder, *words: object, **options: object) -> object:
        calls[0] += 1
        if calls[0] == 2:
            raise KeyboardInterrupt
        return works(self, *words, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, step, dies)
        assert place.run("secrets", "seal", "--all", "specs/lab.yaml") == Exit.INTERRUPTED
    after = place.sealed()
    assert sum(after[name] != data for name, data in before.items()) == 1
    assert opened(place, "sops") == by_file(place.fill())
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
    assert place.run("build", "--strict") == Exit.OK


def test_a_link_in_the_place_of_a_file_is_not_followed(place: Place) -> None:
    """A sealed file that is a link is replaced; what it led to is as it was."""
    outside = place.root / "outside.txt"
    outside.write_text("mine")
    (place.root / SMTP).parent.mkdir(parents=True)
    (place.root / SMTP).symlink_to(outside)
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
    assert outside.read_text() == "mine"
    assert not (place.root / SMTP).is_symlink()


def test_a_folder_that_cannot_be_written_is_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """A file in the place of the folder stops it, with exit 5 and without a value."""
    (place.root / "specs/secrets").write_text("")
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.ENVIRONMENT
    assert capsys.readouterr().err.startswith("jhecfg: ")


@pytest.mark.parametrize(
    ("pem", "said"),
    [
        (
            None,
            "there is no certificate; the cluster's controller gives it: mkdir -p specs/secrets/lab && kubectl get --raw",
        ),
        (b"", "it is not a PEM certificate"),
    ],
    ids=["absent", "empty"],
)
def test_without_a_certificate_nothing_is_sealed(
    pem: bytes | None, said: str, place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """A certificate that is not there, or is none, is named with its path, and what to do."""
    place.write(SEALED_SECRETS)
    path = place.root / "specs/secrets/lab/certificate.pem"
    path.parent.mkdir(parents=True)
    if pem is not None:
        path.write_bytes(pem)
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.ENVIRONMENT
    assert capsys.readouterr().err.startswith(f"jhecfg: specs/secrets/lab/certificate.pem: {said}")
    assert place.sealed() == {}


def test_a_certificate_about_to_expire_is_said(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """Thirty days before its end there is a warning, and the values are sealed."""
    place.write(SEALED_SECRETS)
    place.certify(days=20)
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
    assert "warning: specs/secrets/lab/certificate.pem: expires on " in capsys.readouterr().err


def test_a_backend_without_files_has_nothing_to_seal(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """With Secrets made by hand there is nothing to seal, and that is said."""
    place.write(FLUX)
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.USAGE
    assert "secrets.backend is existing" in capsys.readouterr().err


def test_a_broken_sealed_file_is_mended_by_sealing(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    """`seal` reads no sealed file, so it can replace one that `build` refuses; one too many is named."""
    place.run("secrets", "seal", "specs/lab.yaml")
    (place.root / SMTP).write_text("kind: Secret\n")
    (place.root / "specs/secrets/lab/jhe.old.yaml").write_text("")
    assert place.run("build") == Exit.SPEC
    capsys.readouterr()
    assert place.run("secrets", "seal", "specs/lab.yaml") == Exit.OK
    assert "warning: specs/secrets/lab/jhe.old.yaml: the site has no such Secret of its own" in capsys.readouterr().err
    os.unlink(place.root / "specs/secrets/lab/jhe.old.yaml")
    assert place.run("build", "--strict") == Exit.OK
