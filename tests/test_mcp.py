"""The MCP server and the polling of wearables: what each needs of the others is the same thing on both sides."""

from __future__ import annotations

from typing import Any

import pytest

from tests.compiled import MCP, NGINX, Compiled, compiled

WEARABLES: dict[str, Any] = {"exchange__wearables": {"apiUrl": "https://ow.example.org"}}
HOST = "mcp.jhe.example.org"
INSIDE = "exchange.jhe.svc.cluster.local"


@pytest.fixture(scope="module")
def site() -> Compiled:
    """Return a site with an MCP server."""
    return compiled(MCP)


def variables(container: dict[str, Any]) -> dict[str, Any]:
    """Return a container's variables: a value, or the Secret's name and key."""
    return {
        each["name"]: each["value"]
        if "value" in each
        else (each["valueFrom"]["secretKeyRef"]["name"], each["valueFrom"]["secretKeyRef"]["key"])
        for each in container["env"]
    }


def server(site: Compiled) -> dict[str, Any]:
    """Return the MCP server's container."""
    container: dict[str, Any] = site.one("Deployment", "mcp")["spec"]["template"]["spec"]["containers"][0]
    return container


def bootstrap_job(site: Compiled) -> dict[str, Any]:
    """Return the bootstrap Job's container."""
    container: dict[str, Any] = site.one("Job", "bootstrap-")["spec"]["template"]["spec"]["containers"][0]
    return container


def test_jhe_knows_the_client_that_the_server_is(site: Compiled) -> None:
    """Client id, secret and callback are the same in the OAuth application and in the server's environment."""
    (application,) = [a for a in site.bootstrap()["applications"] if a["clientType"] == "confidential"]
    env = variables(server(site))
    assert application["clientId"] == env["JHE_CLIENT_ID"]
    assert application["redirectUris"] == [f"{env['MCP_RESOURCE_URL']}/oauth/callback"]
    assert variables(bootstrap_job(site))[application["secretEnv"]] == env["JHE_CLIENT_SECRET"]
    assert env["MCP_BROKER_KEY"] != env["JHE_CLIENT_SECRET"]


def test_browsers_log_in_at_the_public_address(site: Compiled) -> None:
    """The server itself asks the Exchange inside the cluster, by a name that Django and the network let through."""
    env = variables(server(site))
    assert env["JHE_AUTHORIZE_ENDPOINT"] == "https://jhe.example.org/o/authorize/"
    assert env["JHE_BASE_URL"] == f"http://{INSIDE}"
    assert INSIDE in site.config["ALLOWED_HOSTS"].split(",")
    assert env["MCP_RESOURCE_URL"] == f"https://{HOST}"
    assert env["MCP_REQUIRE_AUDIENCE"] == "true"
    callers = site.one("NetworkPolicy", "exchange-ingress")["spec"]["ingress"][0]["from"]
    assert {"podSelector": {"matchLabels": {"app.kubernetes.io/name": "mcp"}}} in callers


@pytest.mark.parametrize("edge", [{}, NGINX], ids=["envoy", "nginx"])
def test_the_server_has_its_own_host(edge: dict[str, Any]) -> None:
    """A route of its own leads to its Service and no further, with a certificate for its name."""
    one = compiled({**MCP, **edge})
    assert one.one("Service", "mcp")["spec"]["ports"][0]["targetPort"] == "http"
    if edge:
        (rule,) = one.one("Ingress", "mcp")["spec"]["rules"]
        assert (rule["host"], rule["http"]["paths"][0]["backend"]["service"]["name"]) == (HOST, "mcp")
        assert one.one("Ingress", "mcp")["spec"]["tls"][0]["hosts"] == [HOST]
        return
    route = one.one("HTTPRoute", "mcp")["spec"]
    assert route["hostnames"] == [HOST]
    assert [ref["name"] for rule in route["rules"] for ref in rule["backendRefs"]] == ["mcp"]
    listeners = {each["name"]: each for each in one.one("Gateway")["spec"]["listeners"]}
    secret = listeners[route["parentRefs"][0]["sectionName"]]["tls"]["certificateRefs"][0]["name"]
    assert one.one("Certificate", secret)["spec"]["dnsNames"] == [HOST]


def test_there_is_one_server(site: Compiled) -> None:
    """Its sessions live in one process; a budget for one pod would hold every drain of its node."""
    assert site.one("Deployment", "mcp")["spec"]["replicas"] == 1
    budgets = [budget["metadata"]["name"] for budget in site.objects("PodDisruptionBudget")]
    assert "mcp" not in budgets


@pytest.mark.parametrize("tag", ["v0.0.13", "main"])
def test_polling_knows_its_server_and_its_key(tag: str) -> None:
    """Up to v0.0.13 both are variables; later they are settings, the key's value from the Secret all the same."""
    one = compiled({**WEARABLES, "image__tag": tag, "environment": "demo"})
    settings = {setting["key"]: setting for setting in one.bootstrap()["settings"]}
    assert settings["module.ow"]["value"] is True
    poll = one.one("CronJob", "ow-poll")["spec"]
    container = poll["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
    key = ("jhe-wearables", "api-key")
    if tag == "main":
        assert settings["ow.api_url"]["value"] == "https://ow.example.org"
        assert variables(bootstrap_job(one))[settings["ow.api_key"]["valueEnv"]] == key
        assert "OW_API_KEY" not in variables(container)
    else:
        assert one.config["OW_API_URL"] == "https://ow.example.org"
        assert variables(container)["OW_API_KEY"] == key
        assert not {"ow.api_url", "ow.api_key"} & settings.keys()
    # JHE holds a lock while it polls: a second run beside it would only fail.
    assert poll["concurrencyPolicy"] == "Forbid"
