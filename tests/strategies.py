"""Strategies: valid specs of every shape, as plain trees; nothing in them breaks a rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jhecfg.leaks import secret_shape
from jhecfg.marks import FORBIDDEN
from jhecfg.source import Source, load
from tests.hostile_strings import hostile_text

Tree = dict[str, Any]

ORG_NAMES = (
    "Example Lab",
    "Hub Admins",
    "Saint Example's Hospital",
    "R&D: Lab #2",
    "no",
    "12:30",
    "Université",
    "研究室",
)
HUB_NAMES = ("hub", "research", "teaching", "no", "y", "null", "hub-2", "a" * 30)
ORG_TYPES = ("laboratory", "team", "prov", "dept", "other")
TAGS = ("v0.0.10", "v0.0.11", "v0.0.12", "v0.0.13", "0.0.13")
CORE: Tree = {"name": "core", "purpose": "core", "instanceType": "m7i.2xlarge", "scaling": {"min": 2, "max": 6}}
USER: Tree = {"name": "user", "purpose": "user", "instanceType": "r7i.xlarge", "scaling": {"min": 0, "max": 10}}


def source_of(tree: Tree) -> Source:
    """Return a tree as a source, as if a file held it."""
    return load(Path("spec.yaml"), name="spec.yaml", text=json.dumps(tree, ensure_ascii=False).encode())


@st.composite
def specs(draw: st.DrawFn) -> Tree:
    """Draw a spec of any shape that compiles without an error."""
    tag = draw(st.sampled_from(TAGS))
    orgs: list[Tree] = draw(organizations())
    clustered: bool = draw(st.booleans())
    hubs = draw(hub_lists([org["name"] for org in orgs], clustered=clustered))
    tree: Tree = {
        "apiVersion": "jhecfg/v1",
        "site": draw(st.sampled_from(("jhe", "lab", "no", "on", "x" * 30))),
        "environment": draw(st.sampled_from(("production", "staging", "demo"))),
        "domain": "jhe.example.org",
        "contact": "ops@example.org",
        "image": {"tag": tag},
        "exchange": draw(exchanges(mcp=tag not in ("v0.0.10", "v0.0.11"))),
        "database": {"host": "db.abc123.us-east-2.rds.amazonaws.com"},
        **draw(st.fixed_dictionaries({}, optional={"namespace": st.just("exchange"), "rerun": st.just("again")})),
    }
    return tree | {"orgs": orgs, "hubs": hubs} | draw(platforms(clustered=clustered))


@st.composite
def organizations(draw: st.DrawFn) -> list[Tree]:
    """Draw up to four organizations; each may lie below one before it."""
    orgs: list[Tree] = []
    for name in draw(st.lists(st.sampled_from(ORG_NAMES), unique=True, max_size=4)):
        org: Tree = {"name": name, "id": 20001 + len(orgs), "type": draw(st.sampled_from(ORG_TYPES))}
        below: bool = draw(st.booleans())
        if orgs and below:
            org["parent"] = draw(st.sampled_from(orgs))["name"]
        orgs.append(org)
    return orgs


@st.composite
def hub_lists(draw: st.DrawFn, orgs: list[str], *, clustered: bool) -> list[Tree]:
    """Draw up to three hubs, for the organizations that there are."""
    names = draw(st.lists(st.sampled_from(HUB_NAMES), unique=True, max_size=3)) if orgs else []
    return [draw(hub_of(name, orgs, clustered=clustered)) for name in names]


@st.composite
def hub_of(draw: st.DrawFn, name: str, orgs: list[str], *, clustered: bool) -> Tree:
    """Draw one hub."""
    some = st.lists(st.sampled_from(orgs), min_size=1, max_size=2, unique=True)
    deploy = draw(st.sampled_from(("cluster", "external")))
    storage: Tree = {} if clustered or deploy == "external" else {"storage": {"storageClass": "gp3"}}
    return (
        {"name": name, "domain": f"{name}.hubs.example.org", "deploy": deploy, "access": {"orgs": draw(some)}}
        | storage
        | draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "admins": st.fixed_dictionaries({"orgs": some}),
                    "image": st.just({"tag": "2026.11.02"}),
                    "env": st.dictionaries(st.sampled_from(("STUDY", "NO", "N")), plain_text(), max_size=2),
                    "smart": st.sampled_from(({}, {"clientId": "ehr-client"})),
                    "clientId": st.just(f"client-{name}"),
                },
            )
        )
    )


def exchanges(*, mcp: bool) -> st.SearchStrategy[Tree]:
    """Draw the Exchange's part; `mcp` says whether the release has the MCP server and wearables."""
    optional: dict[str, st.SearchStrategy[Any]] = {
        "title": st.sampled_from(("Lab", "Université de l'Exemple", "12:30", "yes", "a: b # c", "'", '"', "…")),
        "replicas": st.integers(1, 3),
        "workers": st.integers(1, 4),
        "logLevel": st.sampled_from(("DEBUG", "ERROR")),
        "timeZone": st.sampled_from(("UTC", "Europe/Zurich", "America/Argentina/Buenos_Aires")),
        "settings": st.just({"auth.sso.saml2": 1}),
        "env": st.just({"X_FRAME_OPTIONS": "DENY"}),
        "smtp": st.just({"host": "smtp.example.org", "user": "jhe@example.org"}),
        "smokeTest": st.booleans(),
    }
    if mcp:
        optional["mcp"] = st.sampled_from(({"domain": "mcp.example.org"}, {"domain": "mcp.example.org", "replicas": 1}))
        optional["wearables"] = st.just({"apiUrl": "https://ow.example.org"})
    return st.fixed_dictionaries({}, optional=optional)


def platforms(*, clustered: bool) -> st.SearchStrategy[Tree]:
    """Draw edge, secrets, cluster and delivery."""
    cluster: Tree = {
        "region": "us-east-2",
        "zones": ["us-east-2a", "us-east-2b"],
        "version": "1.35",
        "access": {"publicCidrs": ["203.0.113.0/24"]},
        "nodeGroups": [CORE, USER],
    }
    auto = {**cluster, "mode": "auto-mode"}
    del auto["nodeGroups"]
    optional: dict[str, st.SearchStrategy[Any]] = {
        "ingress": st.fixed_dictionaries(
            {},
            optional={
                "controller": st.sampled_from(("envoy-gateway", "ingress-nginx", "none")),
                "issuer": st.sampled_from(("letsencrypt", "letsencrypt-staging", "none", "university-ca")),
                "className": st.just("shared"),
                "dns": st.just("external-dns"),
                "maxBodySize": st.just("64Mi"),
            },
        ),
        "secrets": st.just({"backend": "external-secrets", "region": "us-east-2"}),
        "gitops": st.sampled_from(
            [{"engine": e, "repo": "https://git.example.org/a/b.git"} for e in ("argocd", "flux")]
        ),
    }
    required = {"cluster": st.sampled_from((cluster, auto))} if clustered else {}
    return st.fixed_dictionaries(required, optional=optional)


def plain_text() -> st.SearchStrategy[str]:
    """Draw text that looks like something else to some reader, and is neither a secret nor forbidden in a file."""
    return hostile_text().filter(lambda text: not FORBIDDEN.search(text) and not secret_shape(text))
