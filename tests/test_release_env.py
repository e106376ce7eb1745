"""Every release's rendered environment and settings: nothing that it ignores, and all that it needs."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from jhecfg.releases import RELEASES, Release
from tests.compiled import Compiled, Tree, compiled, source_file

RELEASE_OF = {release.version: release for release in RELEASES}
EVERY_RELEASE = pytest.mark.parametrize("release", RELEASES, ids=list(RELEASE_OF))

NEEDED = {"SITE_URL", "ALLOWED_HOSTS", "DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD", "SECRET_KEY"}
NEEDED |= {"OIDC_RSA_PRIVATE_KEY", "SMTP_HOST", "SMTP_PORT", "SMTP_USER", "SMTP_PASSWORD", "TIME_ZONE"}
"""Without one of these a release does not start, loses its users, or leaves mails in its log (run on v0.0.10 … main)."""
OF_THE_IMAGE = {"HOME", "PGSSLMODE", "PGSSLROOTCERT", "PGCONNECT_TIMEOUT", "PYTHONPATH", "DJANGO_SETTINGS_MODULE"}
"""Read by Python, Django, gunicorn and libpq, whatever the release."""
PYTHON = {"string": str, "int": int, "bool": bool, "float": float, "json": object}


@cache
def site(version: str) -> Compiled:
    """Return a site on a release, with all that the release can do."""
    features = RELEASE_OF[version].features
    changes: Tree = {
        "image": {"tag": version} | ({"digest": f"sha256:{'0' * 64}"} if version == "main" else {}),
        "environment": "demo",
        "orgs__0__id": 30001,  # the demonstration data have the ids of the example
        "orgs__1__id": 30002,
        "exchange__smtp": {"host": "smtp.example.org", "user": "jhe@example.org"},
        "exchange__env": {"X_FRAME_OPTIONS": "DENY"},
        "exchange__settings": {"auth.sso.saml2": 0},
        "exchange__demoData": "rich" if "rich-demo" in features else "basic",
        "exchange__smokeTest": True,
    }
    if "mcp" in features:
        changes["exchange__mcp"] = {"domain": "mcp.jhe.example.org"}
    if "wearables" in features:
        changes["exchange__wearables"] = {"apiUrl": "https://ow.example.org"}
    result = compiled(changes)
    assert result.files, result.diagnostics
    return result


def names(result: Compiled, container: Tree) -> set[str]:
    """Return the names in a container's environment: its ConfigMaps', then its own."""
    maps = [source["configMapRef"]["name"] for source in container.get("envFrom", ())]
    return {key for name in maps for key in result.one("ConfigMap", name)["data"]} | {
        e["name"] for e in container["env"]
    }


def workloads(result: Compiled) -> dict[str, set[str]]:
    """Return the environment's names of everything that runs the Exchange's image, by container."""
    return {c["name"]: names(result, c) for _, c in result.containers() if "-mcp" not in c["image"].split(":")[0]}


@EVERY_RELEASE
def test_every_pod_of_the_exchange_gets_what_the_release_needs(release: Release) -> None:
    """The application, the Jobs and the polling share one environment, and it is complete."""
    found = workloads(site(release.version))
    assert {"exchange", "migrate", "bootstrap", "demo-data", "smoke-test"} <= found.keys()
    assert ("ow-poll" in found) == ("wearables" in release.features)
    wearables = {"OW_API_URL", "OW_API_KEY"} if "wearables" in release.features else set()
    needed = (NEEDED | wearables) & release.env
    assert release.env >= NEEDED
    assert {name: needed - env for name, env in found.items() if needed - env} == {}


@EVERY_RELEASE
def test_no_pod_of_the_exchange_gets_what_nobody_reads(release: Release) -> None:
    """A name is read by the release, by the image's software, or by the script of ours that the Job runs."""
    for name, env in workloads(site(release.version)).items():
        script = source_file(f"{name.replace('-', '_')}.py") if name in ("bootstrap", "demo-data", "smoke-test") else ""
        data = site(release.version).files.get("manifests/40-bootstrap/configmap-bootstrap.yaml", "")
        ours = {each for each in env if each.startswith("JHE_") and f'"{each}"' in script + data}
        assert env - release.env - OF_THE_IMAGE - ours == set(), name


@EVERY_RELEASE
def test_the_mcp_server_gets_what_it_reads_and_needs(release: Release) -> None:
    """It refuses to start without three names, and without its address it would be somebody else's."""
    containers = [c for _, c in site(release.version).containers() if "-mcp" in c["image"].split(":")[0]]
    assert len(containers) == ("mcp" in release.features)
    for container in containers:
        env = names(site(release.version), container) - {"HOME"}
        assert env <= release.mcp_env
        assert {"JHE_BASE_URL", "JHE_CLIENT_ID", "JHE_CLIENT_SECRET", "MCP_BROKER_KEY", "MCP_RESOURCE_URL"} <= env


@EVERY_RELEASE
def test_every_setting_is_one_that_the_release_reads_and_of_its_type(release: Release) -> None:
    """The bootstrap Job writes no row that has no effect, and none that JHE would fail to read."""
    rows: list[dict[str, Any]] = site(release.version).bootstrap()["settings"]
    assert {row["key"]: row["type"] for row in rows}.items() <= release.settings.items()
    assert len({row["key"] for row in rows}) == len(rows)
    assert [row["key"] for row in rows if "value" in row and not isinstance(row["value"], PYTHON[row["type"]])] == []


@EVERY_RELEASE
def test_the_settings_that_a_site_needs_are_there(release: Release) -> None:
    """Without an invite code anybody registers; without a title pages say None; polling wants its switch and address."""
    needed = {"site.url", "site.ui.title", "site.registration_invite_code", "auth.sso.saml2"}
    needed |= {"module.ow", "ow.api_url", "ow.api_key"} & release.settings.keys()
    assert needed <= {row["key"] for row in site(release.version).bootstrap()["settings"]}


@EVERY_RELEASE
def test_new_pods_take_over_one_by_one_unless_the_old_ones_do_harm(release: Release) -> None:
    """Where the pods of the release before fail on its schema, they end before the first new one starts."""
    result = site(release.version)
    strategy = result.one("Deployment", "exchange")["spec"]["strategy"]
    assert strategy["type"] == ("Recreate" if release.breaks_older else "RollingUpdate")
    assert ("All of them end before the first new one starts" in result.files["RUNBOOK.md"]) == release.breaks_older
    for words in (release.breaks, release.deletes, release.stops):
        assert words in result.files["RUNBOOK.md"]
