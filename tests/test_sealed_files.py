"""Sealed files as inputs: what is taken, what is refused without a word of it, what the cache knows, what comes out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from jhecfg.__main__ import _say
from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Finding, Severity, SpecError
from jhecfg.emit import dump
from jhecfg.pipeline import Build, compile_source
from jhecfg.plain import understood
from jhecfg.reader import read
from jhecfg.rules import sealed as rules
from jhecfg.rules.manifests import secret_in_output
from jhecfg.sealed import SealedFile
from jhecfg.sealed import folder as folders
from jhecfg.site import Site
from jhecfg.source import Source, load
from jhecfg.talk import Exit
from jhecfg.unchanged import recalled, unchanged
from tests.sealed_site import ARGOCD, FLUX, SEALED_SECRETS, SMTP, SOPS, Place
from tests.unsealing import AGE, VECTORS

CANARY = "hunter2-the-canary"


def answered(*argv: str) -> int | None:
    """Say what the cache alone makes of a command line."""
    words = understood(argv)
    assert words is not None
    return unchanged(words, recalled(words), _say)


IGNORED = "  # jhecfg: ignore[secret-not-sealed] the others come later"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return a folder, made the working one, with a spec that says sops and a sealed file made by the real sops."""
    monkeypatch.chdir(tmp_path)
    where = Place(tmp_path)
    where.write(SOPS)
    put(where, VECTORS["sops"])
    return where


def put(place: Place, text: str, path: str = SMTP) -> None:
    """Write a sealed file."""
    (place.root / path).parent.mkdir(parents=True, exist_ok=True)
    (place.root / path).write_text(text)


def source(place: Place) -> Source:
    """Read the spec and what is beside it."""
    return load(place.root / "specs/lab.yaml", name="specs/lab.yaml")


def built(place: Place) -> Build:
    """Compile the spec."""
    return compile_source(source(place), "builtin")


def codes(place: Place) -> list[str]:
    """Return the codes of all that is said about the spec."""
    try:
        return sorted({diagnostic.code for diagnostic in built(place).diagnostics})
    except SpecError as error:
        return sorted({diagnostic.code for diagnostic in error.diagnostics})


# --- what is taken ----------------------------------------------------------------------------------------------------


def test_files_of_the_real_programs_are_taken(place: Place) -> None:
    """What sops and kubeseal wrote compiles, with a warning for the Secrets that are not there yet."""
    assert codes(place) == ["secret-not-sealed"]
    place.write(SEALED_SECRETS)
    put(place, VECTORS["kubeseal"])
    assert codes(place) == ["secret-not-sealed"]


def test_the_folder_is_found_from_the_spec_also_when_its_base_names_it(place: Place) -> None:
    """`secrets.folder` is a path from the spec's own folder, wherever it is written."""
    put(place, VECTORS["sops"], "specs/kept/here/jhe.jhe-smtp.yaml")
    (place.root / "specs/base").mkdir()
    base = {"secrets": {**SOPS["secrets"], "folder": "kept/here"}}
    (place.root / "specs/base/common.yaml").write_text(yaml.safe_dump(base))
    place.write({"extends": "base/common.yaml"})
    found = source(place)
    assert [each.file for each in found.sealed] == ["jhe.jhe-smtp.yaml"]
    assert {"kept/here", "kept/here/jhe.jhe-smtp.yaml"} <= found.digests.keys()


def test_other_backends_read_no_files(place: Place) -> None:
    """With another backend the folder may hold anything."""
    put(place, f"kind: Secret\ndata: {{a: {CANARY}}}\n")
    place.write(FLUX)
    assert source(place).sealed == ()


def test_hidden_files_and_others_are_no_sealed_files(place: Place) -> None:
    """The certificate, an editor's copy and a README may lie beside the sealed files."""
    for name in ("certificate.pem", "README.md", ".jhe.jhe-smtp.yaml.new", "jhe.jhe-smtp.yaml~"):
        put(place, CANARY, f"specs/secrets/lab/{name}")
    assert [each.file for each in source(place).sealed] == ["jhe.jhe-smtp.yaml"]


# --- what is refused --------------------------------------------------------------------------------------------------

GOOD = {"sops": yaml.safe_load(VECTORS["sops"]), "sealed-secrets": yaml.safe_load(VECTORS["kubeseal"])}
PLAIN = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "jhe-smtp", "namespace": "jhe"}}
LOOKALIKE = "ENC[AES256_GCM,data:aHVudGVyMi10aGUtY2FuYXJ5,iv:" + "A" * 43 + "=,tag:" + "A" * 22 + "==,type:str]"
LAST = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"data": {"password": CANARY}})}


def changed(backend: str, *path: str, value: object) -> str:
    """Return the good file of a backend with another value somewhere."""
    tree = json.loads(json.dumps(GOOD[backend]))
    inner = tree
    for step in path[:-1]:
        inner = inner.setdefault(step, {})
    inner[path[-1]] = value
    return yaml.safe_dump(tree, sort_keys=False, width=10_000)


EXPOSED = {
    "a plain Secret": yaml.safe_dump({**PLAIN, "data": {"password": CANARY}}),
    "its stringData": yaml.safe_dump({**PLAIN, "stringData": {"password": CANARY}}),
    "a Secret with an empty sops": yaml.safe_dump({**PLAIN, "sops": {}, "stringData": {"password": CANARY}}),
    "a list of Secrets": yaml.safe_dump({"kind": "List", "items": [{**PLAIN, "stringData": {"password": CANARY}}]}),
    "two documents": f"{VECTORS['sops']}---\nkind: Secret\nstringData: {{password: {CANARY}}}\n",
    "a key twice": f"kind: Secret\nstringData:\n  password: {CANARY}\n  password: {CANARY}\n",
    "broken YAML": f"kind: Secret\nstringData:\n  password: {CANARY}\n nothing\n",
    "a tab": f"kind: Secret\nstringData:\n\tpassword: {CANARY}\n",
    "a control character": f"kind: Secret\nstringData: {{password: {CANARY}\x01}}\n",
    "only a text": CANARY,
    "a list": f"- {CANARY}\n",
    "a comment": f"{VECTORS['sops']}# password: {CANARY}\n",
    "a clear value": changed("sops", "data", "password", value=CANARY),
    "a clear value beside it": changed("sops", "stringData", "password", value=CANARY),
    "a value only dressed up": changed("sops", "data", "password", value=LOOKALIKE),
    "an unsealed value": changed("sealed-secrets", "spec", "encryptedData", "password", value=CANARY),
    "a template with values": changed("sealed-secrets", "spec", "template", "data", value={"password": CANARY}),
    "a template's stringData": changed("sealed-secrets", "spec", "template", "stringData", value={"password": CANARY}),
    "a text for a template": changed("sealed-secrets", "spec", "template", value=CANARY),
    "a list for a template": changed("sealed-secrets", "spec", "template", value=[CANARY]),
    "what kubectl applied last": changed("sealed-secrets", "spec", "template", "metadata", "annotations", value=LAST),
    "an annotation": changed("sops", "metadata", "annotations", value=LAST),
    "an unknown field": changed("sops", "password", value=CANARY),
    "another kind of key": changed("sops", "sops", "pgp", value=[{"enc": CANARY}]),
    "a recipient's note": changed("sops", "sops", "age", value=[{"recipient": "age1", "enc": CANARY}]),
    "a type": changed("sops", "type", value=CANARY),
    "a name": changed("sops", "metadata", "name", value=CANARY),
}


@pytest.mark.parametrize("backend", [SOPS, SEALED_SECRETS], ids=["sops", "sealed-secrets"])
@pytest.mark.parametrize("text", EXPOSED.values(), ids=EXPOSED)
@pytest.mark.parametrize("style", ["text", *(pytest.param(each, marks=pytest.mark.slow) for each in ("json", "sarif"))])
def test_what_is_not_encrypted_is_refused_without_a_word_of_it(
    style: str, text: str, backend: dict[str, object], place: Place, capfd: pytest.CaptureFixture[str]
) -> None:
    """Wherever a readable value stands in a sealed file, nothing is built, and nothing that is said holds it."""
    place.write(backend)
    put(place, text)
    assert place.run("build", "--format", style) == Exit.SPEC
    said = capfd.readouterr()
    assert SMTP in said.out + said.err
    assert CANARY not in said.out + said.err
    assert not (place.root / "out").exists()


@pytest.mark.parametrize(
    ("backend", "path", "value"),
    [
        ("sops", ("sops", "mac"), ""),
        ("sops", ("sops", "mac_only_encrypted"), False),
        ("sops", ("sops", "encrypted_regex"), "^data$"),
        ("sops", ("sops", "age"), []),
        ("sops", ("sops", "lastmodified"), "yesterday"),
        ("sops", ("apiVersion",), "v2"),
        ("sops", ("kind",), "ConfigMap"),
        ("sops", ("metadata", "namespace"), "hub"),
        ("sealed-secrets", ("apiVersion",), "bitnami.com/v1"),
        ("sealed-secrets", ("metadata", "name"), "jhe-exchange"),
        ("sealed-secrets", ("metadata", "annotations"), {"sealedsecrets.bitnami.com/cluster-wide": "true"}),
        (
            "sealed-secrets",
            ("spec", "template", "metadata", "annotations"),
            {"sealedsecrets.bitnami.com/namespace-wide": "true"},
        ),
        ("sealed-secrets", ("spec", "template", "type"), "kubernetes.io/tls"),
        ("sealed-secrets", ("spec", "encryptedData"), {}),
        ("sealed-secrets", ("spec", "template", "immutable"), True),
    ],
)
def test_a_file_of_another_form_is_refused(backend: str, path: tuple[str, ...], value: object, place: Place) -> None:
    """Another scope, object, type or reader than the site's is an error, at its line."""
    place.write(SOPS if backend == "sops" else SEALED_SECRETS)
    put(place, changed(backend, *path, value=value))
    with pytest.raises(SpecError) as caught:
        source(place)
    assert {d.code for d in caught.value.diagnostics} == {"sealed-form"}
    assert all(d.span is not None and d.span.file == SMTP for d in caught.value.diagnostics)


def out_by_link(place: Place) -> None:
    """Let a sealed file be a link out of the repository."""
    elsewhere = place.root.parent / f"{place.root.name}.yaml"
    elsewhere.write_text(VECTORS["sops"])
    os.unlink(place.root / SMTP)
    (place.root / SMTP).symlink_to(elsewhere)


def folder_by_link(place: Place) -> None:
    """Let the folder itself be a link out of the repository."""
    elsewhere = place.root.parent / f"{place.root.name}.sealed"
    (place.root / "specs/secrets/lab").rename(elsewhere)
    (place.root / "specs/secrets/lab").symlink_to(elsewhere)


def pipe(place: Place) -> None:
    """Put a pipe in the place of a file."""
    os.unlink(place.root / SMTP)
    os.mkfifo(place.root / SMTP)


def a_file(place: Place) -> None:
    """Put a file in the place of the folder."""
    os.unlink(place.root / SMTP)
    (place.root / "specs/secrets/lab").rmdir()
    (place.root / "specs/secrets/lab").write_text("")


def refused(place: Place) -> str:
    """Say why the folder is refused, which is said where the spec has its secrets; without sealed files it is read."""
    with pytest.raises(SpecError) as error:
        source(place)
    assert load(place.root / "specs/lab.yaml", sealed=False).sealed == ()
    (found,) = error.value.diagnostics
    assert found.span is not None
    assert (found.code, found.span.file) == ("sealed-folder", "specs/lab.yaml")
    assert found.span.text == (
        "  folder: kept" if "  folder:" in (place.root / "specs/lab.yaml").read_text() else "secrets:"
    )
    return f"{found.message}; {found.hint}"


def test_a_folder_that_is_named_is_refused_at_its_name(place: Place) -> None:
    """The line of `secrets.folder`, where the spec has one."""
    place.write({"secrets": {**SOPS["secrets"], "folder": "kept"}})
    (place.root / "specs/kept").write_text("")
    assert refused(place) == "the folder of sealed files cannot be read: not a directory; name a folder"


OUTSIDE = "the sealed files lie outside the repository; keep them beside the spec"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (out_by_link, OUTSIDE),
        (folder_by_link, OUTSIDE),
        (pipe, "jhe.jhe-smtp.yaml cannot be read: is not a regular file; let it be a regular file that you may read"),
        (a_file, "the folder of sealed files cannot be read: not a directory; name a folder"),
    ],
    ids=lambda spoil: getattr(spoil, "__name__", ""),
)
def test_only_regular_files_of_the_repository_are_read(spoil: Callable[[Place], None], said: str, place: Place) -> None:
    """A link that leads out, a pipe and a file for a folder are refused, without waiting."""
    (place.root / ".git").mkdir()
    spoil(place)
    assert refused(place) == said


def test_the_folder_is_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too many files, or too much in them, are refused before they are read."""
    put(place, VECTORS["sops"], "specs/secrets/lab/jhe.jhe-database.yaml")
    monkeypatch.setattr(folders, "FILES", 1)
    assert refused(place) == "there are more than 1 sealed files; delete what is not used"
    monkeypatch.setattr(folders, "FILES", 9)
    monkeypatch.setattr(folders, "BYTES", len(VECTORS["sops"]) + 1)
    assert refused(place) == "the sealed files are larger than 0 MiB together; delete what is not used"


# --- what the cache knows ---------------------------------------------------------------------------------------------


def new_file(place: Place) -> None:
    """Add a file to the folder."""
    put(place, VECTORS["sops"], "specs/secrets/lab/jhe.stray.yaml")


def touched(place: Place) -> None:
    """Change a file."""
    put(place, VECTORS["sops"].replace("3.13.3", "3.13.4"))


def lost(place: Place) -> None:
    """Take a file away."""
    os.unlink(place.root / SMTP)


@pytest.fixture
def cached(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Return the folder of a site with a cache of its own, whose warning has an exception: it is remembered."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(place.root / "cache"))
    monkeypatch.delenv("JHECFG_NO_CACHE", raising=False)
    spec = place.root / "specs/lab.yaml"
    spec.write_text(spec.read_text().replace("backend: sops", f"backend: sops{IGNORED}"))
    return place


@pytest.mark.parametrize("change", [new_file, touched, lost], ids=lambda change: change.__name__)
def test_a_change_among_the_sealed_files_is_noticed_without_compiling(
    change: Callable[[Place], None], cached: Place
) -> None:
    """The fast path answers while nothing changed, and leaves a file added, changed or lost to the compiler."""
    assert cached.run("build", "--strict") == Exit.OK
    assert answered("build") == 0
    change(cached)
    assert answered("build") is None


def test_a_folder_that_appears_later_is_noticed(cached: Place) -> None:
    """A site that was built before there was any sealed file is built again once there is one."""
    lost(cached)
    (cached.root / "specs/secrets/lab").rmdir()
    assert cached.run("build", "--strict") == Exit.OK
    assert answered("build") == 0
    put(cached, VECTORS["sops"])
    assert answered("build") is None


def test_the_lock_knows_the_sealed_files(place: Place) -> None:
    """The spec's digest in the lock is another one when a sealed file is."""
    before = built(place).files["jhecfg.lock"].splitlines()[:4]
    touched(place)
    assert built(place).files["jhecfg.lock"].splitlines()[:4] != before


# --- what comes out ---------------------------------------------------------------------------------------------------

CONFIG = "manifests/20-config"


def test_flux_gets_the_secret_and_the_key_to_it(place: Place) -> None:
    """With Flux the encrypted Secret is among the manifests, and the phase's Kustomization decrypts it."""
    place.write(SOPS, FLUX)
    files = built(place).files
    assert "secret-jhe-jhe-smtp.yaml" in files[f"{CONFIG}/kustomization.yaml"].decode()
    spec = yaml.safe_load(files["gitops/flux/kustomization-20-config.yaml"])["spec"]
    assert spec["decryption"] == {"provider": "sops", "secretRef": {"name": "lab-sops"}}
    assert "create secret generic lab-sops" in files["RUNBOOK.md"].decode()
    assert "--from-file=age.agekey=" in files["RUNBOOK.md"].decode()
    others = [path for path in files if path.startswith("gitops/flux/kustomization-") and "20-config" not in path]
    assert all(b"decryption" not in files[path] for path in others)


def test_kubectl_never_applies_what_is_encrypted(place: Place) -> None:
    """Without an engine the phase's kustomization.yaml leaves the file out, and the runbook decrypts it on the way."""
    files = built(place).files
    assert "secret-" not in files[f"{CONFIG}/kustomization.yaml"].decode()
    line = f"sops decrypt {CONFIG}/secret-jhe-jhe-smtp.yaml | kubectl apply --server-side --filename -\n"
    assert line in files["RUNBOOK.md"].decode()


def test_the_values_come_out_as_they_went_in(place: Place) -> None:
    """What sops wrote is in the output to the letter, in its order, with the site's labels beside it."""
    tree = yaml.safe_load(built(place).files[f"{CONFIG}/secret-jhe-jhe-smtp.yaml"])
    assert list(tree["data"].items()) == list(GOOD["sops"]["data"].items())
    assert tree["sops"] == GOOD["sops"]["sops"]
    assert tree["metadata"]["labels"]["app.kubernetes.io/instance"] == "lab"


@pytest.mark.parametrize("engine", [{}, ARGOCD, FLUX], ids=["none", "argocd", "flux"])
def test_a_sealed_secret_comes_before_what_needs_it(engine: dict[str, object], place: Place) -> None:
    """Every engine brings the SealedSecret with the configuration, after its controller, and waits until it is open."""
    place.write(SEALED_SECRETS, engine)
    put(place, VECTORS["kubeseal"])
    build = built(place)
    assert [d.code for d in build.diagnostics] == ["secret-not-sealed"]
    tree = yaml.safe_load(build.files[f"{CONFIG}/sealedsecret-jhe-jhe-smtp.yaml"])
    assert tree["spec"]["encryptedData"] == GOOD["sealed-secrets"]["spec"]["encryptedData"]
    annotations = tree["metadata"].get("annotations", {})
    if engine is ARGOCD:
        controller = yaml.safe_load(build.files["gitops/argocd/application-sealed-secrets.yaml"])
        waves = [a["argocd.argoproj.io/sync-wave"] for a in (controller["metadata"]["annotations"], annotations)]
        assert waves == ["-30", "-20"]
    elif engine is FLUX:
        phase = yaml.safe_load(build.files["gitops/flux/kustomization-20-config.yaml"])
        assert [check["kind"] for check in phase["spec"]["healthCheckExprs"]] == ["SealedSecret"]
        assert "gitops/flux/charts/helmrelease-sealed-secrets.yaml" in build.files
    else:
        assert "--for=condition=Synced" in build.files["RUNBOOK.md"].decode()
    assert b"sealed-secrets-controller" in build.files["helm/sealed-secrets.values.yaml"]


def test_a_shared_platform_brings_no_controller(place: Place) -> None:
    """With `platform: existing` the cluster has the controller, and the site only its SealedSecrets."""
    place.write(SEALED_SECRETS, {"platform": "existing"})
    put(place, VECTORS["kubeseal"])
    assert "helm/sealed-secrets.values.yaml" not in built(place).files


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tree: tree["data"].update(other=CANARY),
        lambda tree: tree.update(stringData={"other": CANARY}),
        lambda tree: tree["sops"].pop("mac"),
        lambda tree: tree["sops"].update(age=[]),
        lambda tree: tree.pop("sops"),
        lambda tree: tree.update(data={}),
    ],
    ids=["clear value", "stringData", "no MAC", "no recipient", "no sops", "no values"],
)
def test_the_leak_gate_takes_no_secret_but_one_that_is_wholly_encrypted(
    spoil: Callable[[dict[str, object]], object], place: Place
) -> None:
    """Whatever brings a Secret into the output: unless sops encrypted all of it, it is an error."""
    site, tree = built(place).site, json.loads(json.dumps(GOOD["sops"]))
    good = Artifact(f"{CONFIG}/secret-x.yaml", json.loads(json.dumps(tree)))
    assert list(secret_in_output(site, (good,))) == []
    spoil(tree)
    (finding,) = secret_in_output(site, (Artifact(f"{CONFIG}/secret-x.yaml", tree),))
    assert CANARY not in repr(finding)


def test_recipients_and_keys_are_the_specs(place: Place) -> None:
    """Another list of readers, and a key too many or too few, are errors in the sealed file."""
    place.write({"secrets": {**SOPS["secrets"], "recipients": [AGE.recipient, OTHER]}})
    assert "sealed-recipients" in codes(place)
    place.write(SOPS)
    put(place, dump({**GOOD["sops"], "data": {"passwort": GOOD["sops"]["data"]["password"]}}))
    said = [d.message for d in built(place).diagnostics if d.code == "sealed-keys"]
    assert said == ["there is no key 'password' here", "nothing reads key 'passwort'"]


# --- what the rules say, on files written out -------------------------------------------------------------------------


def sealed(name: str, *keys: str, namespace: str = "jhe", to: tuple[str, ...] = (AGE.recipient,)) -> SealedFile:
    """Return a file that sops made for some recipients, with these keys."""
    values = tuple((key, "ENC[]") for key in keys)
    envelope = {"age": [{"recipient": each} for each in to]}
    file = f"{namespace}.{name}.yaml"
    return SealedFile(file, read(b"a: b\n", file), namespace, name, values, "stringData", envelope)


def with_files(site: Site, *files: SealedFile) -> Site:
    """Return a site with these sealed files."""
    assert site.sealing is not None
    return site._replace(sealing=site.sealing._replace(files=files))


def test_what_is_not_sealed_yet_is_said_together(place: Place) -> None:
    """By namespace and name, in the order of the inventory, with the folder that the files belong in; another's are not."""
    site = place.site
    theirs = site.secrets[0]._replace(name="theirs", owned=False)
    site = with_files(site._replace(secrets=(*site.secrets, theirs)), sealed("jhe-exchange"))
    (found,) = rules.secret_not_sealed(site)
    assert found == Finding(
        loc=("secrets", "backend"),
        message="not sealed yet: jhe/jhe-database, jhe/jhe-bootstrap, jhe/jhe-smtp",
        label="sealed files belong in secrets/lab/",
        hint="run `jhecfg secrets init SPEC`, then `jhecfg secrets seal SPEC`",
        severity=Severity.WARNING,
    )
    names = ("jhe-exchange", "jhe-database", "jhe-bootstrap", "jhe-smtp")
    assert list(rules.secret_not_sealed(with_files(site, *(sealed(name) for name in names)))) == []
    elsewhere = with_files(site, *(sealed(name, namespace="hub") for name in names))
    assert "jhe/jhe-exchange" in next(iter(rules.secret_not_sealed(elsewhere))).message


def test_a_file_that_is_no_secret_of_the_site_is_said_with_what_was_meant(place: Place) -> None:
    """A slip in its name is corrected, anything else is to be deleted; so is the file of a Secret that another makes."""
    site = place.site
    theirs = site.secrets[0]._replace(name="somebody-elses", owned=False)
    site = site._replace(secrets=(site.secrets[0], theirs))
    files = [sealed(name) for name in ("jhe-exchange", "jhe-exchnage", "somebody-elses")]
    assert list(rules.stray_sealed_file(with_files(site, *files))) == [
        Finding(loc=("sealed", f"jhe.{name}.yaml"), message=f"the site has no Secret of its own for the file jhe.{name}.yaml",
                hint="did you mean 'jhe.jhe-exchange.yaml'?" if near else "choose one of: jhe.jhe-exchange.yaml")
        for name, near in (("jhe-exchnage", True), ("somebody-elses", False))
    ]  # fmt: skip
    (alone,) = rules.stray_sealed_file(with_files(site._replace(secrets=()), files[0]))
    assert alone.hint == "delete it"


def test_every_key_too_few_or_too_many_is_said(place: Place) -> None:
    """What is missing together, at the values; each that nothing reads at itself, in the order of the alphabet."""
    site = place.site
    right = sealed("jhe-exchange", "secret-key", "oidc-rsa-private-key")
    assert list(rules.sealed_keys(with_files(site, right))) == []
    wrong = sealed("jhe-exchange", "b", "a")
    place_of = ("sealed", "jhe.jhe-exchange.yaml", "stringData")
    assert list(rules.sealed_keys(with_files(site, wrong, sealed("stray", "a"), right))) == [
        Finding(loc=place_of, message="there are no keys 'oidc-rsa-private-key', 'secret-key' here", hint=rules.SEAL),
        Finding(loc=(*place_of, "a"), message="nothing reads key 'a'", hint=rules.SEAL),
        Finding(loc=(*place_of, "b"), message="nothing reads key 'b'", hint=rules.SEAL),
    ]


@pytest.mark.parametrize(
    ("held", "right"),
    [
        ((AGE.recipient, "age1other"), True),
        (("age1other", AGE.recipient), True),
        ((AGE.recipient,), False),
        ((AGE.recipient, "age1other", "age1left"), False),
        ((), False),
    ],
)
def test_a_file_is_for_the_recipients_of_the_spec_and_nobody_else(
    held: tuple[str, ...], right: bool, place: Place
) -> None:
    """Who was taken off the list may still read it, who was added may not; what kubeseal made is for the cluster."""
    site = place.site
    assert site.sealing is not None
    site = site._replace(sealing=site.sealing._replace(recipients=(AGE.recipient, "age1other")))
    file = sealed("jhe-exchange", to=held)
    assert list(rules.sealed_recipients(with_files(site, file))) == (
        []
        if right
        else [
            Finding(
                loc=("sealed", "jhe.jhe-exchange.yaml", "sops", "age"),
                message="it is encrypted to other recipients than those of the spec",
                hint="run `jhecfg secrets seal SPEC`",
                related=((("secrets", "recipients"), "the recipients of the spec"),),
            )
        ]
    )
    assert list(rules.sealed_recipients(with_files(site, file._replace(envelope={})))) == []
    assert len([*rules.sealed_recipients(with_files(site, file._replace(envelope={"mac": "x"})))]) == 1
    assert list(rules.sealed_recipients(with_files(site, file._replace(name="stray")))) == []


def test_argo_cd_does_not_get_what_sops_encrypted(place: Place) -> None:
    """It would apply the encrypted text; flux decrypts, and sealed secrets are decrypted in the cluster."""
    site = place.site
    for backend, engine in (("sops", "argocd"), ("sops", "flux"), ("sops", "none"), ("sealed-secrets", "argocd")):
        it = site._replace(secrets_backend=backend, gitops=site.gitops._replace(engine=engine))  # type: ignore[arg-type] # literals
        assert list(rules.sops_with_argocd(it)) == (
            [
                Finding(
                    loc=("secrets", "backend"),
                    message="Argo CD does not decrypt what sops encrypts",
                    hint="use sealed-secrets or external-secrets, or deliver with flux",
                    related=((("gitops", "engine"), "delivers them"),),
                )
            ]
            if (backend, engine) == ("sops", "argocd")
            else []
        )


def test_a_backend_without_files_has_no_sealed_files(place: Place) -> None:
    """None of the rules has anything to say."""
    site = place.site._replace(sealing=None)
    for rule in (rules.secret_not_sealed, rules.stray_sealed_file, rules.sealed_keys, rules.sealed_recipients):
        assert list(rule(site)) == []


OTHER = "age1qypqxpq9qcrsszg2pvxq6rs0zqg3yyc5z5tpwxqergd3c8g7rusqmwn7f2"
