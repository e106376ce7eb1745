"""The edge does what JHE does not: HTTPS, HSTS, no registration of OAuth applications, no forged headers, no huge body."""

from __future__ import annotations

import re
from typing import Any

import pytest

from jhecfg.render.edge import BLOCKED
from jhecfg.render.routes import any_spelling
from tests.compiled import IN_CLUSTER, MCP, NGINX, Compiled, compiled

FOLDER = "manifests/60-routes/"

# What JHE v0.0.13 on gunicorn took for the page, or led to it (run, with a session, past any edge) …
SPELLINGS = (
    "/o/applications",
    "/o/applications/",
    "/o/applications/register/",
    "/o/applications/1/update/",
    "/o/%61pplications/register/",
    "/%6f/applications/register/",
    "/%6F/%61%70%70%6C%69%63%61%74%69%6F%6E%73/register/",
    "/%6f/%61%70%70%6c%69%63%61%74%69%6f%6e%73/",
    "/o%2Fapplications%2Fregister%2F",
    "/o%2fapplications/register/",
)
# … and what it answered 404 to; double slashes are merged, and dots resolved, before Envoy compares.
OTHERS = (
    "/o/authorize/",
    "/o/token/",
    "/o/.well-known/jwks.json",
    "/o/application",
    "/api/v1/users/profile",
    "/O/Applications/register/",
    "/o/%2561pplications/register/",
    "/x/o/applications/",
)


@pytest.fixture(scope="module")
def envoy() -> Compiled:
    """Return a site behind Envoy Gateway, with an MCP server."""
    return compiled(MCP)


@pytest.fixture(scope="module")
def nginx() -> Compiled:
    """Return the same site behind ingress-nginx."""
    return compiled({**MCP, **NGINX})


def rules(site: Compiled, name: str) -> list[dict[str, Any]]:
    """Return the rules of a route."""
    found: list[dict[str, Any]] = site.tree(f"{FOLDER}httproute-{name}.yaml")["spec"]["rules"]
    return found


def annotation(site: Compiled, name: str, key: str) -> str | None:
    """Return one of ingress-nginx's annotations on an Ingress."""
    annotations: dict[str, str] = site.tree(f"{FOLDER}ingress-{name}.yaml")["metadata"].get("annotations", {})
    return annotations.get(f"nginx.ingress.kubernetes.io/{key}")


@pytest.mark.parametrize("path", SPELLINGS)
def test_every_spelling_that_jhe_understands_is_blocked(path: str) -> None:
    """Envoy compares a path as the client wrote it, JHE's server decodes it first."""
    assert re.fullmatch(any_spelling(BLOCKED), path)


@pytest.mark.parametrize("path", OTHERS)
def test_nothing_else_is_blocked(path: str) -> None:
    """Logins need what lies beside it."""
    assert not re.fullmatch(any_spelling(BLOCKED), path)


def test_envoy_answers_not_found_before_it_asks_jhe(envoy: Compiled) -> None:
    """The pattern is the block's only match, and the block leads nowhere but to the filter that answers."""
    block, serve = rules(envoy, "exchange")
    assert block["matches"] == [{"path": {"type": "RegularExpression", "value": any_spelling(BLOCKED)}}]
    assert "backendRefs" not in block
    assert [each["extensionRef"]["name"] for each in block["filters"]] == ["not-found"]
    assert envoy.one("HTTPRouteFilter", "not-found")["spec"]["directResponse"]["statusCode"] == 404
    assert serve["matches"] == [{"path": {"type": "PathPrefix", "value": "/"}}]


def test_nginx_denies_everybody(nginx: Compiled) -> None:
    """A prefix is enough: nginx decodes, merges slashes and resolves dots before it compares (run on nginx 1.22)."""
    blocked = nginx.tree(f"{FOLDER}ingress-exchange-blocked.yaml")["spec"]["rules"]
    assert [(rule["host"], path["path"], path["pathType"]) for rule in blocked for path in rule["http"]["paths"]] == [
        ("jhe.example.org", BLOCKED, "Prefix")
    ]
    assert annotation(nginx, "exchange-blocked", "denylist-source-range") == "0.0.0.0/0,::/0"


def test_plain_http_is_only_redirected(envoy: Compiled, nginx: Compiled) -> None:
    """Nothing is served without TLS, and browsers are told to keep to it."""
    (redirect,) = rules(envoy, "https-redirect")
    assert redirect["filters"] == [
        {"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}
    ]
    routes = envoy.objects("HTTPRoute", FOLDER)
    plain = [each for each in routes if each["spec"]["parentRefs"][0]["sectionName"] == "http"]
    assert [each["metadata"]["name"].endswith("https-redirect") for each in plain] == [True]
    headers = envoy.one("ClientTrafficPolicy")["spec"]["headers"]
    assert headers["lateResponseHeaders"]["set"][0]["name"] == "Strict-Transport-Security"
    for name in ("exchange", "exchange-blocked", "mcp"):
        assert annotation(nginx, name, "force-ssl-redirect") == "true"
    # ingress-nginx sends Strict-Transport-Security unless its configuration says otherwise.
    assert nginx.tree("helm/ingress-nginx.values.yaml")["controller"]["config"].get("hsts", "true") == "true"


def test_a_body_has_a_limit(envoy: Compiled, nginx: Compiled) -> None:
    """At the Exchange and at the MCP server; hubs stream, and have none."""
    policy = envoy.one("BackendTrafficPolicy", "exchange")["spec"]
    assert policy["requestBuffer"] == {"limit": "16Mi"}
    assert [ref["name"] for ref in policy["targetRefs"]] == ["exchange", "mcp"]
    assert [annotation(nginx, name, "proxy-body-size") for name in ("exchange", "mcp")] == ["16m", "16m"]


def test_streams_outlive_envoys_fifteen_seconds(envoy: Compiled) -> None:
    """Hubs and the MCP server stream; the routes that a hub's chart makes get their time from the Gateway."""
    (stream,) = (
        each["spec"]
        for each in envoy.objects("BackendTrafficPolicy", FOLDER)
        if each["spec"]["targetRefs"][0]["kind"] == "Gateway"
    )
    assert stream["timeout"] == {"http": {"requestTimeout": "1h"}}
    assert stream["targetRefs"][0]["name"] == envoy.one("Gateway")["metadata"]["name"]
    assert rules(envoy, "mcp")[-1]["timeouts"] == {"request": "1h"}
    assert rules(envoy, "exchange")[-1]["timeouts"] == {"request": "60s"}


def test_at_a_gateway_of_others_each_hub_has_its_own_time() -> None:
    """No policy of ours touches their Gateway; one in each hub's namespace names the route that the hub's chart makes."""
    site = compiled({**MCP, **IN_CLUSTER, "ingress": {"gateway": {"name": "shared", "namespace": "edge"}}})
    policy = site.tree(f"{FOLDER}backendtrafficpolicy-hub-hub.yaml")
    assert policy["metadata"]["namespace"] == "hub"
    assert policy["spec"]["targetRefs"] == [
        {"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": "jupyterhub"}
    ]
    assert policy["spec"]["timeout"] == {"http": {"requestTimeout": "1h"}}
    refs = [ref["kind"] for each in site.objects("BackendTrafficPolicy") for ref in each["spec"]["targetRefs"]]
    assert "Gateway" not in refs
    assert all(each.get("metadata", {}).get("namespace") != "edge" for each in site.objects())
