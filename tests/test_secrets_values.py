"""Values: what is made is what its consumer takes; what a person brings is judged, and never repeated."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Misused
from jhecfg.render import render
from jhecfg.rules.secrets import dangling_secret, unused_secret
from jhecfg.secretstore import make as making
from jhecfg.secretstore.check import LONGEST, problem_of, problems
from jhecfg.secretstore.make import make, makeable
from jhecfg.secretstore.names import Named, owned
from jhecfg.secretstore.rotation import finished, rotated
from jhecfg.secretstore.run import redacted
from jhecfg.site import SecretForm
from tests.aws_site import HUB
from tests.aws_site import make as site_of

pytestmark = pytest.mark.slow

MADE: tuple[SecretForm, ...] = ("url-safe", "code", "hex", "hex-list", "rsa")
FORMS: tuple[SecretForm, ...] = (*MADE, "given")
PLAIN = serialization.NoEncryption()
PKCS8, PKCS1 = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL


def pem(
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    form: serialization.PrivateFormat = PKCS8,
    encryption: serialization.KeySerializationEncryption = PLAIN,
) -> str:
    """Return a key's PEM."""
    return key.private_bytes(serialization.Encoding.PEM, form, encryption).decode()


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    """Return an RSA key of the least size that will do."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


# --- made -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", MADE)
def test_what_is_made_will_do_and_is_another_each_time(form: SecretForm) -> None:
    """Each form that can be made passes the judgement of what people bring."""
    one, two = make(form), make(form)
    assert one != two
    assert problem_of(form, one) == problem_of(form, two) == ""
    assert makeable(form)


def test_the_forms_are_those_of_their_consumers() -> None:
    """RSA 4096 as PKCS8 with real line ends; 64 hexadecimal digits; letters that nobody mistakes."""
    text = make("rsa")
    assert text.startswith("-----BEGIN PRIVATE KEY-----\n")
    assert text.endswith("\n-----END PRIVATE KEY-----\n")
    loaded = serialization.load_pem_private_key(text.encode(), None)
    assert isinstance(loaded, rsa.RSAPrivateKey)
    assert loaded.key_size == making.RSA_BITS == 4096
    assert len(bytes.fromhex(make("hex"))) == len(bytes.fromhex(make("hex-list"))) == 32
    assert set(make("code")) <= set(string.ascii_lowercase + string.digits + "-") - set("01ilou")
    assert not makeable("given")
    with pytest.raises(ValueError, match="cannot be made"):
        make("given")


# --- brought ----------------------------------------------------------------------------------------------------------


def test_every_pem_that_the_exchange_reads_will_do(key: rsa.RSAPrivateKey) -> None:
    """The forms that a real JHE signed tokens with: PKCS8, PKCS1, CRLF, indented, folded, quoted (facts/jhe.md 8)."""
    text = pem(key)
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    forms = [text, pem(key, PKCS1), text.strip(), text.replace("\n", "\r\n"), indented, f'"{text}"']
    assert [problem_of("rsa", form) for form in forms] == [""] * len(forms)


def test_every_pem_that_breaks_the_exchange_is_refused(key: rsa.RSAPrivateKey) -> None:
    """Those that a real JHE answered 500 with, and what is too weak to sign."""
    text = pem(key)
    wrong = {
        text.replace("\n", "\\n"): "two characters \\n",
        base64.b64encode(text.encode()).decode(): "is not a PEM",
        "...": "is not a PEM",
        pem(key, encryption=serialization.BestAvailableEncryption(b"x")): "is encrypted",
        pem(ec.generate_private_key(ec.SECP256R1())): "is not an RSA key",
        pem(rsa.generate_private_key(public_exponent=65537, key_size=1024)): "fewer than 2048 bits",
        text[:300] + "\n-----END PRIVATE KEY-----\n": "can be read",
        "": "is empty",
    }
    for value, said in wrong.items():
        problem = problem_of("rsa", value)
        assert said in problem
        assert len(value) < 10 or value.strip() not in problem


@pytest.mark.parametrize(
    ("form", "value", "said"),
    [
        ("hex", "a" * 64, ""),
        ("hex", "A" * 64, ""),
        ("hex", "a" * 63, "64 hexadecimal"),
        ("hex", "a" * 66, "64 hexadecimal"),
        ("hex", "g" * 64, "64 hexadecimal"),
        ("hex", f"{'a' * 64}\n", "line end"),
        ("hex-list", f"{'a' * 64};{'b' * 64}", ""),
        ("hex-list", f"{'a' * 64};{'A' * 64}", "twice"),
        ("hex-list", f"{'a' * 64};", "64 hexadecimal"),
        ("hex-list", f"{'a' * 64}; {'b' * 64}", "64 hexadecimal"),
        ("url-safe", "y" * 31, "shorter than 32"),
        ("url-safe", "é" * 40, "ASCII"),
        ("url-safe", "a b" * 20, "blanks"),
        ("code", "jhe", "shorter than 12"),
        ("given", "hunter2", ""),
        ("given", "pässwörd", ""),
        ("given", " hunter2", "blank"),
        ("given", "hunter2\n", "line end"),
        ("given", "a\0b", "NUL"),
        ("given", "a\tb", "control"),
        ("given", "\ud800", "UTF-8"),
        ("given", "x" * (LONGEST + 1), "longer"),
        ("given", "changeme", "placeholder"),
        ("given", "<password>", "placeholder"),
        ("given", "${SMTP_PASSWORD}", "placeholder"),
        ("code", "set-in-hub.existingSecret", "placeholder"),
    ],
)
def test_a_value_is_judged_by_its_form(form: SecretForm, value: str, said: str) -> None:
    """What its consumer would refuse, or everybody knows, is refused; the words say why."""
    problem = problem_of(form, value)
    assert (said in problem) if said else problem == ""


@settings(max_examples=200, deadline=None)
@given(form=st.sampled_from(FORMS), value=st.text(min_size=8, max_size=300))
def test_no_judgement_repeats_the_value(form: SecretForm, value: str) -> None:
    """Whatever it is, what is said of it does not hold it; and what will do has one line without blanks around it."""
    problem = problem_of(form, value)
    assert value not in problem
    if not problem and form != "rsa":
        assert value == value.strip()
        assert not set(value) & set("\0\r\n")


def test_a_secret_larger_than_kubernetes_takes_is_said() -> None:
    """A mebibyte is the limit of all values together."""
    site = site_of()
    place = next(owned(site)).place
    values = {place: {str(number): "x" * LONGEST for number in range(11)}}
    assert [what for _, _, what in problems(site, values)] == ["the Secret's values are larger than 1 MiB together"]


# --- the inventory ----------------------------------------------------------------------------------------------------


def test_a_service_and_a_database_of_a_hub_have_their_keys() -> None:
    """What the chart looks up because of the spec's own values is on the list, and so is what they name."""
    env = {"X": {"valueFrom": {"secretKeyRef": {"name": "theirs", "key": "token"}}}}
    own = {"Y": {"valueFrom": {"secretKeyRef": {"name": "hub-secrets", "key": "mine"}}}}
    values = {
        "hub": {"services": {"shed": {"admin": False}}, "db": {"type": "postgres"}, "extraEnv": env},
        "singleuser": {"extraEnv": own},
    }
    site = site_of(hubs=[{**HUB, "values": values}])
    listed = {(n.name, n.owned): [i.key for i in n.items] for n in site.secrets if n.namespace == "hub"}
    assert listed[("hub-secrets", True)] == [
        "hub.config.JupyterHub.cookie_secret",
        "hub.config.CryptKeeper.keys",
        "hub.config.ConfigurableHTTPProxy.auth_token",
        "hub.services.shed.apiToken",
        "hub.db.password",
        "mine",
    ]
    assert listed[("theirs", False)] == ["token"]


def test_a_secret_that_a_hub_reads_whole_is_on_the_list() -> None:
    """A volume and the login of a registry have no key to be named, and each is somebody's to make."""
    volumes = [{"name": "a", "secret": {"secretName": "mounted"}}]
    sources = [{"secret": {"name": "projected"}}, {"configMap": {"name": "no-secret"}}]
    values = {
        "imagePullSecrets": ["registry"],
        "hub": {"extraVolumes": volumes},
        "singleuser": {"storage": {"extraVolumes": [{"name": "b", "projected": {"sources": sources}}]}},
    }
    site = site_of(hubs=[{**HUB, "values": values}])
    theirs = {need.name: [item.key for item in need.items] for need in site.secrets if not need.owned}
    assert theirs == {"registry": ["*"], "mounted": ["*"], "projected": ["*"]}
    artifacts = render(site)
    assert [*dangling_secret(site, artifacts), *unused_secret(site, artifacts)] == []


MISSING = {"name": "missing"}
POD: dict[str, dict[str, Any]] = {
    "a volume": {"volumes": [{"name": "a", "secret": {"secretName": "missing"}}]},
    "a file of a volume": {
        "volumes": [{"name": "a", "secret": {"secretName": "jhe-exchange", "items": [{"key": "missing", "path": "a"}]}}]
    },
    "a projected volume": {"volumes": [{"name": "a", "projected": {"sources": [{"secret": MISSING}]}}]},
    "a driver's volume": {"volumes": [{"name": "a", "csi": {"driver": "d", "nodePublishSecretRef": MISSING}}]},
    "a whole environment": {"containers": [{"name": "a", "envFrom": [{"secretRef": MISSING}]}]},
    "an init container": {
        "initContainers": [
            {"name": "a", "env": [{"name": "A", "valueFrom": {"secretKeyRef": {**MISSING, "key": "a"}}}]}
        ]
    },
    "a registry": {"imagePullSecrets": [MISSING]},
}


@pytest.mark.parametrize("spec", POD.values(), ids=POD)
def test_no_pod_refers_to_a_secret_that_is_not_on_the_list(spec: dict[str, Any]) -> None:
    """Wherever a pod can name one: the whole of it, or a key."""
    template = {"spec": {"containers": [], **spec}}
    metadata = {"name": "a", "namespace": "jhe"}
    tree = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {"template": template}}
    found = list(dangling_secret(site_of(), [Artifact("manifests/a.yaml", tree)]))
    assert ["'missing'" in finding.message for finding in found] == [True]


@pytest.mark.parametrize("field", ["secrets", "imagePullSecrets"])
def test_no_account_refers_to_a_secret_that_is_not_on_the_list(field: str) -> None:
    """What a ServiceAccount names is its pods'."""
    tree = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": "a", "namespace": "jhe"},
        field: [MISSING],
    }
    assert len(list(dangling_secret(site_of(), [Artifact("manifests/a.yaml", tree)]))) == 1


# --- rotation ---------------------------------------------------------------------------------------------------------


def named(key: str) -> Named:
    """Return a value of a site with a hub, by its key."""
    return next(each for each in owned(site_of()) if each.item.key == key)


def test_keys_of_the_hub_stay_beside_the_new_one_until_they_are_dropped() -> None:
    """`new;old`, then `new`; a second rotation before that would lose the oldest, and is refused."""
    crypt, old = named("hub.config.CryptKeeper.keys"), "a" * 64
    both = rotated(crypt, old, None)
    new, _, kept = both.partition(";")
    assert kept == old
    assert new != old
    assert problem_of("hex-list", both) == ""
    with pytest.raises(Misused, match="drop it first"):
        rotated(crypt, both, None)
    assert finished(crypt, both) == new
    for nothing in (new, None):
        with pytest.raises(Misused, match="holds no old value"):
            finished(crypt, nothing)
    with pytest.raises(Misused, match="not in the store"):
        rotated(crypt, None, None)


def test_every_other_value_is_replaced_at_once() -> None:
    """Nothing else can stay beside the new one: JHE and JupyterHub read one value."""
    for each in owned(site_of()):
        if not each.item.rotation.overlap:
            brought = "hunter2-hunter2" if each.item.form == "given" else None
            assert rotated(each, "old", brought) not in ("old", "")
            with pytest.raises(Misused, match="holds no old value"):
                finished(each, "old")


# --- what programs say ------------------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(secret=st.text(st.characters(exclude_categories=["Cs"]), min_size=6, max_size=60), around=st.text(max_size=20))
def test_what_a_program_says_is_told_without_the_secret(secret: str, around: str) -> None:
    """As it is, or in the base64 of a Secret: neither is left."""
    encoded = base64.b64encode(secret.encode()).decode()
    told = redacted(f"{around}{secret}{around} {encoded}", [secret])
    assert secret not in told.replace("***", "")
    assert encoded not in told


QUOTED: dict[str, Callable[[str], str]] = {
    "JSON": json.dumps,
    "JSON with its own letters": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON of Go": lambda text: json.dumps(text, ensure_ascii=False).replace("&", "\\u0026").replace("<", "\\u003c"),
    "Python": repr,
    "a document in JSON": lambda text: json.dumps(json.dumps({"password": text})),
    "a document in Python": lambda text: repr(json.dumps({"password": text, "other": "it's"})),
}


@pytest.mark.parametrize("quote", QUOTED.values(), ids=QUOTED)
@pytest.mark.parametrize("between", ["&", "<", "'", '"', "\\", "\\\"'&", "\u00e9", "\n"])
def test_what_a_program_quotes_is_told_without_the_secret(between: str, quote: Callable[[str], str]) -> None:
    """JSON of Go is what kubectl writes, Python what aws does; a document that holds the secret may be quoted once more."""
    secret = f"hunter{between}canary"
    told = redacted(f"invalid value: {quote(secret)}, in line 1", [secret])
    assert "hunter" not in told
    assert "canary" not in told
    assert told.startswith("invalid value: ")
    assert told.endswith(", in line 1")
