"""resolve(): the defaults that depend on something, names that become things, and everything wrong said at once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jhecfg.parse import parse
from jhecfg.releases import Release
from jhecfg.resolve import Resolution, resolve
from jhecfg.site import Site
from tests.strategies import source_of
from tests.test_goldens import golden
from tests.unsealing import AGE

Tree = dict[str, Any]
SMALL: Tree = {
    "apiVersion": "jhecfg/v1",
    "site": "lab",
    "domain": "jhe.example.org",
    "contact": "ops@example.org",
    "image": {"tag": "v0.0.13"},
    "database": {"host": "db.abc123.us-east-2.rds.amazonaws.com"},
}
LAB: Tree = {"name": "Example Lab", "id": 20001, "type": "laboratory"}
HUB: Tree = {
    "name": "hub",
    "domain": "Hub".lower() + ".example.org",
    "deploy": "external",
    "access": {"orgs": ["Example Lab"]},
}


def resolved(**parts: object) -> Resolution:
    """Resolve the small spec with further parts."""
    return resolve(parse(source_of(SMALL | parts)))


def site(**parts: object) -> Site:
    """Resolve a spec in which nothing is wrong."""
    resolution = resolved(**parts)
    assert resolution.problems == ()
    return resolution.site


def codes(resolution: Resolution) -> list[str]:
    """Return what is wrong, by code."""
    return [code for code, _ in resolution.problems]


def test_the_smallest_spec_has_nothing_left_to_decide() -> None:
    """Addresses, names, amounts and secrets follow from seven lines."""
    it = site()
    assert (it.exchange.url, it.exchange.admin_email) == ("https://jhe.example.org", "ops@example.org")
    assert (it.namespace, it.environment, it.database.ssl_mode) == ("jhe", "production", "verify-full")
    assert (it.edge.issuer, it.edge.class_name) == ("lab-letsencrypt", "lab")
    assert it.cluster is None
    assert [need.name for need in it.secrets] == ["jhe-exchange", "jhe-database", "jhe-bootstrap"]


def test_memory_follows_the_workers() -> None:
    """Each gunicorn worker needs its share, unless the spec says how much."""
    assert site(exchange={"workers": 4}).exchange.resources.limits.memory == "1024Mi"
    own = {"workers": 4, "resources": {"limits": {"memory": "2Gi"}}}
    assert site(exchange=own).exchange.resources.limits.memory == "2Gi"


def test_the_ca_follows_the_region_of_the_host() -> None:
    """A database in RDS is verified with the certificates of its region."""
    east, west = (
        site(database={"host": f"db.abc123.{region}.rds.amazonaws.com"}).database.ca
        for region in ("us-east-2", "us-west-2")
    )
    assert east is not None
    assert west is not None
    assert east.pem.startswith("-----BEGIN CERTIFICATE-----")
    assert east.pem != west.pem


def test_other_ssl_modes_bring_no_certificates() -> None:
    """What does not verify needs none, and asks for none."""
    assert site(database={"host": "postgres.example.org", "sslMode": "require"}).database.ca is None


def test_a_secret_of_the_specs_own_takes_the_place_of_the_sites() -> None:
    """`passwordFrom` is what the pods refer to, and such a Secret is not the site's to make."""
    it = site(database=SMALL["database"] | {"passwordFrom": {"name": "rds", "key": "pw"}})
    assert (it.database.password.name, it.database.password.key) == ("rds", "pw")
    need = next(need for need in it.secrets if need.name == "rds")
    assert not need.owned


def test_parents_come_before_children() -> None:
    """Whatever the spec's order, the bootstrap Job can create the organizations one after the other."""
    names = ["c", "b", "a"]
    orgs = [{"name": n, "id": 3 - i, "type": "team"} for i, n in enumerate(names)]
    orgs[0]["parent"], orgs[1]["parent"] = "b", "a"
    it = site(orgs=orgs)
    assert [org.name for org in it.orgs] == ["a", "b", "c"]
    assert [org.parent_id for org in it.orgs] == [0, 1, 2]
    children: list[Tree] = [{"name": n, "id": i, "type": "team", "parent": "a"} for i, n in enumerate("bc", 2)]
    it = site(orgs=[*children, {"name": "a", "id": 1, "type": "team"}])
    assert [org.name for org in it.orgs] == ["a", "b", "c"]


@pytest.mark.parametrize("ring", [["a"], ["a", "b"], ["a", "b", "c"]], ids=len)
def test_a_ring_of_parents_is_said_once(ring: list[str]) -> None:
    """Organizations that are each other's parents are one mistake, not one each."""
    orgs = [
        {"name": name, "id": number, "type": "team", "parent": ring[number % len(ring)]}
        for number, name in enumerate(ring, 1)
    ]
    assert codes(resolved(orgs=orgs)) == ["org-cycle"]


def test_access_is_by_id_sorted_and_once() -> None:
    """The order in which a spec lists organizations or people shapes nothing."""
    other = {"name": "Other Lab", "id": 10001, "type": "laboratory"}
    hub = HUB | {"access": {"orgs": ["Example Lab", "Other Lab", "Example Lab"]}}
    assert site(orgs=[LAB, other], hubs=[hub]).hubs[0].access.group_ids == (10001, 20001)
    people = HUB | {"access": {"users": ["Grace@example.org", "ada@example.org"]}}
    assert site(hubs=[people]).hubs[0].access.users == ("ada@example.org", "grace@example.org")


def test_a_hub_has_its_addresses_from_its_domain() -> None:
    """Client id and callback follow from the host name; a client id that exists is kept."""
    hub = site(orgs=[LAB], hubs=[HUB]).hubs[0]
    assert hub.client_id == "jupyterhub-hub.example.org"
    assert hub.callback_url == "https://hub.example.org/hub/oauth_callback"
    assert site(orgs=[LAB], hubs=[HUB | {"clientId": "mine"}]).hubs[0].client_id == "mine"


def test_a_client_id_fits_its_column() -> None:
    """JHE keeps a hundred characters of it; a domain may have more."""
    domain = ".".join(["a" * 60, "b" * 60, "example.org"])
    hub = site(orgs=[LAB], hubs=[HUB | {"domain": domain}]).hubs[0]
    assert hub.client_id == f"jupyterhub-{domain}"[:100]
    mcp = site(exchange={"mcp": {"domain": domain}}).exchange.mcp
    assert mcp is not None
    assert mcp.client_id == f"jhe-mcp-{domain}"[:100]


def test_settings_are_those_that_the_release_reads() -> None:
    """What jhecfg offers is filtered by the release; what a spec adds is checked against it."""
    old, new = ({s.key for s in site(image={"tag": tag}).exchange.settings} for tag in ("v0.0.10", "v0.0.13"))
    assert "module.ow" not in old
    assert "module.ow" in new


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("auth.sso.saml2", 1, True),
        ("auth.sso.saml2", "1", False),
        ("auth.sso.saml2", True, False),
        ("auth.sso.idp_metadata_url", "example.org", True),
        ("auth.sso.idp_metadata_url", ["example.org"], False),
        ("auth.sso.idp_metadata_url", None, False),
        ("auth.patient_access_clients", {"a": [1]}, True),
    ],
)
def test_a_setting_has_the_type_of_the_release(key: str, value: object, right: bool) -> None:
    """JHE reads a row by its type, so the spec must write that type."""
    assert codes(resolved(exchange={"settings": {key: value}})) == ([] if right else ["setting-type"])


def test_everything_wrong_is_said_at_once() -> None:
    """Resolving goes on after a problem, and returns a site for further rules."""
    resolution = resolved(
        image={"tag": "v0.0.11"},
        exchange={"env": {"NO_SUCH": "x"}, "mcp": {"domain": "mcp.example.org"}},
        orgs=[LAB],
        hubs=[HUB | {"access": {"orgs": ["Exmaple Lab"]}, "deploy": "cluster"}],
        gitops={"engine": "flux"},
        secrets={"backend": "external-secrets"},
    )
    assert set(codes(resolution)) == {
        "unknown-env", "release-lacks", "unknown-org", "storage-class", "gitops-repo", "secrets-region",
    }  # fmt: skip
    assert resolution.site.hubs[0].access.group_ids == ()


@pytest.mark.parametrize(("version", "judged"), [("1.20", "1.31"), ("1.34", "1.34"), ("1.99", "1.36")])
def test_outputs_are_judged_by_the_nearest_kubernetes(version: str, judged: str) -> None:
    """A version without schemas is a rule's finding, and does not stop the judging."""
    assert resolved(cluster={"region": "us-east-2", "version": version}).site.kubernetes == judged


# --- all that is decided ----------------------------------------------------------------------------------------------

DECIDED = Path(__file__).parent / "data" / "resolve"
TEAM: Tree = {"name": "Team", "id": 20002, "type": "team", "parent": "Example Lab", "managers": ["m@example.org"]}
OWN: Tree = {"name": "own", "key": "pw"}
MCP: Tree = {"domain": "mcp.example.net"}
DIGEST = "sha256:" + "0123456789abcdef" * 4
FROM: Tree = {"valueFrom": {"secretKeyRef": {"name": "theirs", "key": "a"}}}

SITES: dict[str, Tree] = {
    "smallest": {},
    "everything": {
        "image": {"tag": "v0.0.12", "digest": DIGEST, "pullPolicy": "Always", "pullSecrets": ["r"]},
        "admin": {"email": "root@example.org"},
        "exchange": {
            "workers": 3, "env": {"X_FRAME_OPTIONS": "DENY", "EMAIL_USE_TLS": "1"}, "settings": {"auth.sso.saml2": 1},
            "smtp": {"host": "smtp.example.org", "user": "jhe"}, "mcp": MCP, "wearables": {"apiUrl": "https://ow.example.org"},
            "resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2"}},
        },
        "database": SMALL["database"] | {"rds": {}},
        "orgs": [TEAM, LAB],
        "hubs": [
            HUB | {
                "deploy": "cluster", "admins": {"orgs": ["Team"], "users": ["B@example.org", "a@example.org"]},
                "env": {"B": "2", "A": "1"}, "image": {"repository": "quay.io/x/y", "tag": "1", "digest": DIGEST}, "smart": {"clientId": "smart"},
                "values": {
                    "hub": {
                        "services": {"quota": {"url": "http://q"}, "known": {"apiToken": None}, "odd": None},
                        "db": {"type": "postgres"},
                        "extraEnv": {"X": FROM, "Y": {"valueFrom": {"secretKeyRef": {"name": "hub-secrets", "key": "mine"}}}},
                    },
                    "imagePullSecrets": ["pulls", {"name": "pulls-too"}, {"name": 7}, 7],
                    "singleuser": {"image": {"pullSecrets": ["pulls-three"]}, "storage": {"extraVolumes": [
                        {"secret": {"secretName": "volume"}}, {"projected": {"sources": [{"secret": {"name": "part"}}]}},
                        {"env": [{"valueFrom": {"secretKeyRef": {"name": "listed", "key": "a"}}}]},
                        {"envFrom": [{"secretRef": {"name": "whole"}}]},
                    ]}},
                },
            },
            HUB | {"name": "b", "namespace": "space", "domain": "b.deep.example.com", "clientId": "mine", "deploy": "cluster",
                   "access": {"anyone": True}, "storage": {"storageClass": "own"}, "values": {"hub": {"db": {"type": "mysql"}}}},
            HUB | {"name": "away", "domain": "away.example.edu", "access": {"users": ["Z@example.org"]}},
        ],
        "ingress": {"dns": "external-dns"},
        "secrets": {
            "backend": "external-secrets",
            "remote": [{"secret": "jhe-database", "key": "password", "name": "rds", "property": "password"}],
        },
        "cluster": {
            "region": "us-east-2", "addonVersions": {"vpc-cni": "v1.20.0-eksbuild.1", "coredns": "v1.12.0-eksbuild.1"},
            "nodeGroups": [
                {"name": "core", "purpose": "core", "instanceType": "m7i.large", "scaling": {"min": 2, "max": 3}},
                {"name": "users", "purpose": "user", "instanceTypes": ["a1.large", "b1.large"], "spot": True,
                 "scaling": {"min": 0, "desired": 1, "max": 3}, "labels": {"b": "2", "a": "1"},
                 "taints": [{"key": "k", "effect": "NoSchedule"}]},
                {"name": "wide", "purpose": "user", "instanceType": "m7i.large", "scaling": {"min": 0, "max": 3},
                 "zones": ["us-east-2c"]},
            ],
        },
        "gitops": {"engine": "argocd", "repo": "https://git.example.org/x.git", "fleet": "all"},
        "patches": [{"target": {"kind": "Deployment", "name": "exchange", "namespace": "jhe"}, "patch": {"a": 1}}],
        "rerun": "again",
    },
    "behind-nginx": {
        "environment": "staging",
        "exchange": {
            "smtp": {"host": "smtp.example.org", "user": "jhe", "port": 25, "passwordFrom": OWN}, "mcp": MCP,
            "inviteCode": {"name": "own", "key": "code"}, "wearables": {"apiUrl": "https://ow.example.org"},
            "resources": {"requests": {"memory": "1Gi"}},
        },
        "image": {"tag": "main"},
        "database": {"host": "db.example.org", "sslMode": "verify-ca", "caConfigMap": "ca", "passwordFrom": OWN, "user": "u"},
        "hubs": [HUB | {"domain": "hub.localhost", "access": {"users": ["a@example.org"]}}],
        "ingress": {"controller": "ingress-nginx", "issuer": "letsencrypt-staging"},
        "secrets": {"backend": "sealed-secrets", "certificate": "elsewhere.pem"},
        "cluster": {"region": "us-west-2", "version": "1.31", "kmsKeyArn": "arn:aws:kms:us-west-2:111122223333:key/a", "nodeGroups": [
            {"name": "core", "purpose": "core", "scaling": {"min": 2, "max": 3}}]},
        "gitops": {"engine": "flux", "repo": "ssh://git@git.example.org/x.git"},
    },
    "at-a-gateway": {
        "database": {"host": "db.example.org", "sslMode": "require", "rds": {
            "vpc": {"id": "vpc-0123456789abcdef0", "region": "eu-west-1", "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
                    "allowFrom": ["sg-0123456789abcdef0"]}}},
        "ingress": {"gateway": {"name": "shared", "namespace": "edge"}},
        "platform": "existing",
        "secrets": {"backend": "sops", "recipients": [AGE.recipient], "folder": "kept"},
        "cluster": {"name": "c", "region": "eu-west-1", "mode": "auto-mode", "zones": ["eu-west-1a", "eu-west-1b", "eu-west-1c"]},
        "gitops": {"engine": "argocd", "repo": "https://git.example.org/x.git", "secretName": "opens"},
    },
    "auto-mode": {
        "ingress": {"issuer": "corporate", "className": "own", "loadBalancer": "in-tree", "dnsZones": ["example.org"]},
        "secrets": {"backend": "external-secrets", "store": "theirs", "prefix": "p", "region": "eu-north-1"},
        "cluster": {"region": "eu-west-1", "mode": "auto-mode"},
    },
    "wrong": {
        "image": {"tag": "v0.0.11"},
        "ingress": {"controller": "none"},
        "exchange": {
            "demoData": "rich",
            "env": {"SITE_URL": "x", "DJANGO_DEBUG": "1", "X_FRAME_OPTION": "DENY", "ZZZ": "1"},
            "settings": {"site.url": "x", "module.ow": True, "auth.sso.saml2": "1", "auth.sso.sam12": 1, "zzz": None},
            "mcp": MCP, "wearables": {"apiUrl": "https://ow.example.org"},
        },
        "database": {"host": "db.example.org"},
        "orgs": [LAB, {"name": "A", "id": 1, "type": "team", "parent": "B"}, {"name": "B", "id": 2, "type": "team", "parent": "A"},
                 {"name": "C", "id": 3, "type": "team", "parent": "Exampel Lab"}],
        "hubs": [
            HUB | {"deploy": "cluster", "access": {"orgs": ["20001"], "anyone": True}},
            HUB | {"name": "b", "domain": "b.example.org", "access": {}, "admins": {"orgs": ["Nobody at all", "Example Lab"]}},
        ],
        "secrets": {"backend": "external-secrets", "folder": "x", "recipients": [AGE.recipient], "remote": [
            {"secret": "jhe-database", "key": "passwort", "name": "rds"}, {"secret": "zzz", "key": "q", "name": "rds"}]},
        "gitops": {"engine": "flux", "fleet": "all"},
    },
    "wrong-too": {
        "image": {"tag": "0.0.99"},
        "orgs": [],
        "hubs": [HUB],
        "secrets": {"backend": "sops"},
        "cluster": {"region": "us-east-2", "nodeGroups": [
            {"name": "core", "purpose": "core", "instanceType": "m7i.large", "instanceTypes": ["m7i.large"],
             "scaling": {"min": 2, "max": 3}}], "zones": ["us-east-2a", "us-east-2b", "us-east-2c"]},
    },
    "old-release": {"image": {"tag": "v0.0.9"}, "ingress": {"issuer": "none"},
                    "exchange": {"demoData": "rich"}, "secrets": {"backend": "sops", "recipients": [AGE.recipient, "age1" + "q" * 58]}},
}  # fmt: skip
"""Specs whose resolved sites are written down, some with all that resolving finds wrong."""


@pytest.mark.parametrize("name", SITES)
def test_all_that_a_spec_leaves_open_is_decided_like_this(name: str, update: bool) -> None:
    """Every field of the site, each Secret with its readers and its rotation, and what is wrong, to the word."""
    text = "".join(f"{line}\n" for line in decided(resolved(**SITES[name])))
    assert text == golden(DECIDED / f"{name}.txt", text, update=update)


def decided(resolution: Resolution) -> Iterator[str]:
    """Write down a site, a line for each value, then each problem with all that it says."""
    yield from lines_of("", resolution.site)
    for code, finding in resolution.problems:
        yield ""
        yield f"{code} at {'.'.join(map(str, finding.loc))}"
        yield from (line for line in lines_of("", finding) if not line.startswith("loc"))


def lines_of(at: str, value: Any) -> Iterator[str]:
    """Write down a value under its dotted place, without what stands as it does by default.

    Of a release and of certificates only which they are.
    """
    if isinstance(value, Release):
        value = value.version if value.known else f"as {value.version} of {value.date}"
    if isinstance(value, str) and value.startswith("-----BEGIN"):
        value = f"{value.count('BEGIN')} certificates"
    fields = value
    if hasattr(value, "_asdict"):
        usual = value._field_defaults
        fields = {key: each for key, each in value._asdict().items() if key not in usual or each != usual[key]}
    if isinstance(fields, dict) and fields:
        for key, below in fields.items():
            yield from lines_of(f"{at}.{key}".lstrip("."), below)
    elif isinstance(fields, tuple) and any(isinstance(each, tuple) for each in fields):
        for index, below in enumerate(fields):
            yield from lines_of(f"{at}.{index}", below)
    else:
        yield f"{at}: {fields!r}"
