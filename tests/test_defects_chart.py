"""Defects C1 … C11 (the official Helm chart) and H1 … H9 (the hub examples), and what a compiled site has instead."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest
from ruamel.yaml import YAML

from tests.compiled import IN_CLUSTER, MCP, REAL_SITES, Compiled, Tree, compiled, keys, leaves, refused, source_file
from tests.tools import ROOT


@pytest.fixture(params=REAL_SITES)
def real(request: pytest.FixtureRequest) -> Compiled:
    """Each site of specs/, compiled."""
    return compiled(site=request.param)


PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


def authenticator(site: Compiled) -> Tree:
    """Return how the hub logs in."""
    config: Tree = site.hub["hub"]["config"]["GenericOAuthenticator"]
    return config


# --- the chart --------------------------------------------------------------------------------------------------------


def test_c1_probes_ask_for_a_host_that_is_allowed(real: Compiled) -> None:
    """Every probe of the Exchange sends a Host header that ALLOWED_HOSTS has."""
    headers = [header for probe in PROBES for header in real.app[probe]["httpGet"]["httpHeaders"]]
    assert {header["name"] for header in headers} == {"Host"}
    assert {header["value"] for header in headers} <= set(real.config["ALLOWED_HOSTS"].split(","))


def test_c2_routes_lead_somewhere() -> None:
    """Each HTTPRoute names a listener that the Gateway has, and a numeric port that its Service has."""
    site = compiled(MCP)
    gateway = site.one("Gateway")
    listeners = {listener["name"] for listener in gateway["spec"]["listeners"]}
    ports = {o["metadata"]["name"]: {port["port"] for port in o["spec"]["ports"]} for o in site.objects("Service")}
    routes = site.objects("HTTPRoute")
    assert len(routes) == 3
    for route in routes:
        for parent in route["spec"]["parentRefs"]:
            assert (parent["name"], parent["sectionName"] in listeners) == (gateway["metadata"]["name"], True)
        for backend in (b for rule in route["spec"]["rules"] for b in rule.get("backendRefs", ())):
            assert backend["port"] in ports[backend["name"]]


@pytest.mark.slow
def test_c3_nothing_is_random() -> None:
    """Two builds in two processes, with two hash seeds, give the same bytes; no Secret with data is rendered."""
    script = (
        "import hashlib,sys; from tests.compiled import compiled;"
        "print([hashlib.sha256(f'{p}{t}'.encode()).hexdigest() for p, t in compiled().files.items()])"
    )
    runs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }
    assert len(runs) == 1
    assert compiled().objects("Secret", "") == []


def test_c4_nothing_missing_becomes_text(real: Compiled) -> None:
    """A site without a database host is refused; no variable is the text of an absent value."""
    refused("missing-field", database__host=None)
    values = [
        *real.config.values(),
        *(v["value"] for _, c in real.containers() for v in c.get("env", ()) if "value" in v),
    ]
    assert all(isinstance(value, str) for value in values)
    assert {"<nil>", "None", "null", ""}.isdisjoint(values)


def test_c5_no_key_stands_twice(real: Compiled) -> None:
    """A YAML 1.2 reader that refuses duplicate keys reads every output."""
    reader = YAML(typ="safe", pure=True)
    reader.allow_duplicate_keys = False
    for path in real.yaml_paths:
        assert reader.load(io.StringIO(real.files[path])), path


def test_c6_one_job_migrates(real: Compiled) -> None:
    """Migration runs in one Job, one pod at a time, with limited retries; no init container does it."""
    job = real.one("Job", "migrate")["spec"]
    assert (job.get("completions", 1), job.get("parallelism", 1)) == (1, 1)
    assert job["backoffLimit"] <= 6
    migrating = [name for name, container in real.containers() if "migrate" in container.get("command", ())]
    assert migrating == [real.one("Job", "migrate")["metadata"]["name"]]


def test_c7_key_address_and_title_are_there(real: Compiled) -> None:
    """The OIDC key is a Secret's, the address follows the domain, the title is a setting in the database."""
    variables = {variable["name"]: variable for variable in real.app["env"]}
    assert variables["OIDC_RSA_PRIVATE_KEY"]["valueFrom"]["secretKeyRef"]["key"] == "oidc-rsa-private-key"
    assert real.config["SITE_URL"] == "https://" + real.config["ALLOWED_HOSTS"].split(",")[0]
    assert "site.ui.title" in [setting["key"] for setting in real.bootstrap()["settings"]]


def test_c8_the_exchange_is_behind_the_edge(real: Compiled) -> None:
    """No Service that we render is a load balancer; TLS is in front of the only one there is."""
    assert {service["spec"]["type"] for service in real.objects("Service")} == {"ClusterIP"}
    ports = {(listener["port"], listener["protocol"]) for listener in real.one("Gateway")["spec"]["listeners"]}
    assert ports == {(80, "HTTP"), (443, "HTTPS")}


def test_c9_probes_have_time_and_pods_have_bounds(real: Compiled) -> None:
    """There is a startup probe, every probe waits five seconds or more, requests and limits are set."""
    assert all(real.app[probe]["timeoutSeconds"] >= 5 for probe in PROBES)
    assert real.app["resources"]["requests"].keys() == {"cpu", "memory", "ephemeral-storage"}
    assert {"memory", "ephemeral-storage"} <= real.app["resources"]["limits"].keys()
    assert real.app["securityContext"]["readOnlyRootFilesystem"] is True


@pytest.mark.parametrize("replicas", [1, 2, 3])
def test_c10_nodes_can_be_drained(replicas: int) -> None:
    """A disruption budget lets one pod go, and there is none for a single pod."""
    budgets = [
        budget["spec"]
        for budget in compiled({"exchange__replicas": replicas}).objects("PodDisruptionBudget")
        if budget["metadata"]["name"] == "exchange"
    ]
    assert [budget.get("maxUnavailable") for budget in budgets] == ([1] if replicas > 1 else [])


def test_c11_the_bootstrap_job_registers_everything(real: Compiled) -> None:
    """Its data has the superuser, applications, organizations and settings; its script is the same for every site."""
    data = real.bootstrap()
    assert data["admin"]["email"]
    assert all(data[part] for part in ("applications", "organizations", "settings"))
    assert real.one("ConfigMap", "bootstrap")["data"]["bootstrap.py"] == source_file("bootstrap.py")
    assert "Organization(id=0" in source_file("bootstrap.py")


# --- the hub examples -------------------------------------------------------------------------------------------------


def test_h1_code_is_where_the_chart_takes_it(real: Compiled) -> None:
    """`extraConfig` is a key of `hub`; `hub.config` has class names only."""
    assert set(real.hub["hub"]["extraConfig"]) == {"10-jhe-login.py", "20-jhe-token.py", "30-jhe-secrets.py"}
    assert [name for name in real.hub["hub"]["config"] if not name[0].isupper()] == []
    refused("hub-values-misplaced", hubs__0__values={"hub": {"config": {"extraConfig": {"a": "pass"}}}})


def test_h2_the_three_addresses_are_exact(real: Compiled) -> None:
    """Authorize, token and user data are where the Exchange serves them."""
    base, config = real.config["SITE_URL"], authenticator(real)
    assert config["authorize_url"] == f"{base}/o/authorize/"
    assert config["token_url"] == f"{base}/o/token/"
    assert config["userdata_url"] == f"{base}/api/v1/users/profile"


def test_h3_sessions_last_a_day(real: Compiled) -> None:
    """The cookie's age is JupyterHub's setting, and not under the authenticator."""
    assert real.hub["hub"]["config"]["JupyterHub"]["cookie_max_age_days"] == 1
    assert "cookie_max_age_days" not in authenticator(real)


def test_h4_no_class_hides_below_another(real: Compiled) -> None:
    """The authenticator is at the top of `hub.config`; a spec that nests a class is refused."""
    nested = [key for section in real.hub["hub"]["config"].values() for key in section if key[0].isupper()]
    assert nested == []
    values = {"hub": {"config": {"JupyterHub": {"GenericOAuthenticator": {"allow_all": True}}}}}
    refused("hub-values-misplaced", hubs__0__values=values)


def test_h5_the_callback_is_the_registered_one(real: Compiled) -> None:
    """The callback address is https and equal to the one that the bootstrap Job registers."""
    config = authenticator(real)
    redirects = {a["clientId"]: a["redirectUris"] for a in real.bootstrap()["applications"]}
    assert redirects[config["client_id"]] == [config["oauth_callback_url"]]
    assert config["oauth_callback_url"].startswith("https://")
    assert config["oauth_callback_url"].endswith("/hub/oauth_callback")


@pytest.mark.parametrize(
    ("access", "key"),
    [
        ({"orgs": ["Example Lab"]}, "allowed_groups"),
        ({"users": ["a@example.org"]}, "allowed_users"),
        ({"anyone": True}, "allow_all"),
    ],
)
def test_h6_there_is_one_access_rule(access: Tree, key: str) -> None:
    """One rule lets people in, never two; a spec with two is refused."""
    config = authenticator(compiled({"environment": "demo", "hubs__0__access": access}))
    assert {"allowed_groups", "allowed_users", "allow_all"} & config.keys() == {key}
    refused("access-mode", hubs__0__access={"orgs": ["Example Lab"], "users": ["a@example.org"]})


def test_h7_code_is_constant_and_addresses_are_data(real: Compiled) -> None:
    """The hub's Python is a constant of jhecfg; where the Exchange is comes from data beside it."""
    code = real.hub["hub"]["extraConfig"]
    assert code["10-jhe-login.py"] == source_file("hub_login.py")
    assert code["20-jhe-token.py"] == source_file("hub_token.py")
    address = real.config["SITE_URL"] + "/api/v1/users/organizations"
    assert real.hub["hub"]["config"]["JheAuthenticator"] == {"organizations_url": address}


def test_h8_placeholders_do_not_deploy() -> None:
    """An organization id that is no number, and a client id with a template in it, are errors with a place."""
    assert refused("wrong-type", orgs__0__id="2XXXX").span is not None
    assert refused("invalid-value", hubs__0__clientId="${{ saved from JHE }}").span is not None


def test_h9_administrators_are_an_organization() -> None:
    """Hub administrators are members of an organization; e-mail addresses instead get a warning."""
    config = authenticator(compiled())
    assert config["admin_groups"] == ["20002"]
    assert "admin_users" not in config
    assert "unverified-email" in compiled({"hubs__0__admins": {"users": ["a@example.org"]}}).codes("warning")


def test_hub_in_the_cluster_logs_in_the_same_way() -> None:
    """A hub in the cluster has the same login as one elsewhere, and nothing secret in its values."""
    inside, outside = compiled(IN_CLUSTER), compiled()
    assert authenticator(inside) == authenticator(outside)
    assert not any("PRIVATE KEY" in text for text in leaves(inside.hub))
    assert "client_secret" not in set(keys(inside.hub))
