"""Defects J1 … J18: the source document's application template and text, and what a compiled site has instead."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import urlsplit

import pytest

from jhecfg.releases import find_release
from tests.compiled import (
    ARGOCD,
    FLUX,
    IN_CLUSTER,
    REAL_SITES,
    Compiled,
    Tree,
    compiled,
    leaves,
    refused,
    source_file,
)

SECRET_NAMES = {"DB_PASSWORD", "SECRET_KEY", "OIDC_RSA_PRIVATE_KEY", "REGISTRATION_INVITE_CODE", "SMTP_PASSWORD"}
TITLE = "Another Exchange"


@pytest.fixture(params=REAL_SITES)
def real(request: pytest.FixtureRequest) -> Compiled:
    """Each site of specs/, compiled."""
    return compiled(site=request.param)


def variables(container: Tree) -> dict[str, Tree]:
    """Return a container's own variables by name."""
    return {variable["name"]: variable for variable in container["env"]}


def exchange_containers(site: Compiled) -> list[Tree]:
    """Return every container that runs the Exchange's own code with its database."""
    return [container for _, container in site.containers() if "DB_PASSWORD" in variables(container)]


def test_j1_secrets_are_references(real: Compiled) -> None:
    """No ConfigMap holds a secret; database password, OIDC key and Django key come from Secrets."""
    in_maps = {key for each in real.objects("ConfigMap") for key in each["data"]}
    assert in_maps & SECRET_NAMES == set()
    for name in ("DB_PASSWORD", "SECRET_KEY", "OIDC_RSA_PRIVATE_KEY"):
        assert set(variables(real.app)[name]["valueFrom"]) == {"secretKeyRef"}


def test_j2_the_site_address_has_a_scheme(real: Compiled) -> None:
    """SITE_URL is https and a host, without a path; a domain with a scheme is refused in the spec."""
    address = urlsplit(real.config["SITE_URL"])
    assert (address.scheme, address.netloc, address.path) == ("https", real.config["ALLOWED_HOSTS"].split(",")[0], "")
    refused("invalid-value", domain="https://jhe.example.org")


def test_j3_the_django_key_is_everywhere(real: Compiled) -> None:
    """Deployment, both Jobs and the CronJob have SECRET_KEY from one Secret; the runbook says how to make it."""
    sources = [
        variables(container)["SECRET_KEY"]["valueFrom"]["secretKeyRef"] for container in exchange_containers(real)
    ]
    assert len(sources) >= 3
    assert all(source == {"name": "jhe-exchange", "key": "secret-key"} for source in sources)
    assert "secret-key" in real.files["RUNBOOK.md"]


def test_j4_nothing_is_set_that_the_release_ignores(real: Compiled) -> None:
    """Every variable is read by the release or by libpq; invite code and title are settings in the database."""
    tag = real.app["image"].rpartition(":")[2]
    names = {*real.config, *variables(real.app)}
    other = {name for name in names if not name.startswith("PG") and name != "HOME"}
    assert other <= find_release(tag).env
    settings = {setting["key"]: setting for setting in real.bootstrap()["settings"]}
    assert settings["site.registration_invite_code"].keys() == {"key", "type", "valueEnv"}
    assert settings["site.ui.title"]["value"]
    assert {"REGISTRATION_INVITE_CODE", "SITE_TITLE"}.isdisjoint(names)


def test_j5_one_image_everywhere(real: Compiled) -> None:
    """Deployment, Jobs and CronJob run one image reference; releases that are unsafe are refused."""
    assert len({container["image"] for container in exchange_containers(real)}) == 1
    refused("unsupported-release", image__tag="v0.0.3")


def test_j6_no_client_id_is_copied_by_hand(real: Compiled) -> None:
    """The bootstrap Job registers "JHE Admin UI", first and once; no variable carries a client id."""
    names = [application["name"] for application in real.bootstrap()["applications"]]
    assert (names[0], names.count("JHE Admin UI")) == ("JHE Admin UI", 1)
    assert not any("OIDC_CLIENT_ID" in text for text in real.files.values())


def test_j7_every_application_has_its_own_redirect(real: Compiled) -> None:
    """One application for each host, with exactly its callback; nothing over http, nothing on localhost."""
    redirects = [application["redirectUris"] for application in real.bootstrap()["applications"]]
    assert redirects[0] == [real.config["SITE_URL"] + "/auth/callback"]
    assert real.hub["hub"]["config"]["GenericOAuthenticator"]["oauth_callback_url"] in [
        uri for uris in redirects for uri in uris
    ]
    hosts = [urlsplit(uris[0]).netloc for uris in redirects]
    assert all(len(uris) == 1 and uris[0].startswith("https://") for uris in redirects)
    assert len(set(hosts)) == len(hosts)


def test_j8_a_hub_is_a_public_client(real: Compiled) -> None:
    """A hub's application is public, and its values hold no client secret."""
    config = real.hub["hub"]["config"]["GenericOAuthenticator"]
    own = [each for each in real.bootstrap()["applications"] if each["clientId"] == config["client_id"]]
    assert [each["clientType"] for each in own] == ["public"]
    assert "client_secret" not in real.files["hubs/hub/values.yaml"]


def test_j9_no_static_pkce_pair(real: Compiled) -> None:
    """No output has a PKCE verifier, and no hub switches PKCE off."""
    assert not any("PATIENT_AUTHORIZATION_CODE" in text for text in real.files.values())
    assert real.hub["hub"]["config"]["GenericOAuthenticator"].get("enable_pkce", True) is True


def test_j10_hubs_log_in_at_the_right_address(real: Compiled) -> None:
    """The authorize address is /o/authorize/; code stands beside `hub.config`, which has nothing but classes."""
    address = real.hub["hub"]["config"]["GenericOAuthenticator"]["authorize_url"]
    assert address == real.config["SITE_URL"] + "/o/authorize/"
    assert all(name[0].isupper() for name in real.hub["hub"]["config"])
    assert "extraConfig" in real.hub["hub"]


def test_j11_organization_ids_are_fixed(real: Compiled) -> None:
    """Hub groups are ids of organizations that the bootstrap Job makes; it moves the sequence past them."""
    made = {str(organization["id"]) for organization in real.bootstrap()["organizations"]}
    assert set(real.hub["hub"]["config"]["GenericOAuthenticator"]["allowed_groups"]) <= made
    assert "SELECT setval(" in real.one("ConfigMap", "bootstrap")["data"]["bootstrap.py"]


def test_j12_a_new_image_makes_a_new_migrate_job() -> None:
    """The migrate Job's name follows its pod template: another tag another Job, another title the same one."""
    names = {
        key: compiled(changes).one("Job", "migrate")["metadata"]["name"]
        for key, changes in {"now": {}, "tag": {"image__tag": "v0.0.12"}, "title": {"exchange__title": TITLE}}.items()
    }
    assert names["now"] != names["tag"]
    assert names["now"] == names["title"]
    assert re.fullmatch(r"migrate-[0-9a-f]{10}", names["now"])


def test_j13_the_outage_of_an_upgrade_is_said() -> None:
    """Releases whose schema the running app cannot read are known, and the runbook's upgrade says what users see."""
    assert find_release("v0.0.12").breaks_older
    assert not find_release("v0.0.11").breaks_older
    upgrade = section(compiled(), "Upgrade")
    assert find_release("v0.0.13").breaks in upgrade


def test_j14_the_order_is_said_to_each_engine() -> None:
    """Migrate, bootstrap, application: by sync waves in Argo CD, `dependsOn` in Flux, the runbook without either."""
    with_argo = compiled(ARGOCD)
    waves = [
        wave(with_argo.one(*which)) for which in (("Job", "migrate"), ("Job", "bootstrap"), ("Deployment", "exchange"))
    ]
    assert waves == sorted(set(waves))
    steps = [each for each in compiled(FLUX).objects("Kustomization", "gitops/flux") if "spec" in each]
    chain = {each["spec"]["path"].rpartition("/")[2]: each for each in steps}
    names = {each["metadata"]["name"]: path for path, each in chain.items()}
    needs = {path: [names[n["name"]] for n in each["spec"].get("dependsOn", ())] for path, each in chain.items()}
    assert "40-bootstrap" in needs["50-app"]
    assert "30-migrate" in needs["40-bootstrap"]
    places = [compiled().files["RUNBOOK.md"].index(name) for name in ("30-migrate", "40-bootstrap", "50-app")]
    assert places == sorted(places)


def wave(tree: Tree) -> int:
    """Return an object's sync wave."""
    return int(tree["metadata"]["annotations"]["argocd.argoproj.io/sync-wave"])


def test_j15_no_demo_seed(real: Compiled) -> None:
    """The bootstrap script is jhecfg's own, from a ConfigMap; no command seeds demo users."""
    script = real.one("ConfigMap", "bootstrap")["data"]["bootstrap.py"]
    assert script == source_file("bootstrap.py")
    commands = [
        word
        for _, container in real.containers()
        for word in (*container.get("command", ()), *container.get("args", ()))
    ]
    assert [word for word in commands if "seed" in word] == []


def test_j16_pods_are_probed_bounded_and_restricted() -> None:
    """Every pod meets Pod Security `restricted` on a read-only root; the Exchange has all three probes."""
    site = compiled({"exchange__mcp": {"domain": "mcp.jhe.example.org"}})
    for name, pod in site.pods().items():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
    for name, container in site.containers():
        assert container["securityContext"]["allowPrivilegeEscalation"] is False, name
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}, name
        assert container["securityContext"]["readOnlyRootFilesystem"] is True, name
        assert {"requests", "limits"} <= container["resources"].keys(), name
        assert "/tmp" in [mount["mountPath"] for mount in container["volumeMounts"]], name
    paths = {probe: site.app[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert paths == {"startupProbe": "/health", "livenessProbe": "/health", "readinessProbe": "/"}
    assert site.config["HOME"] == "/tmp"


def test_j17_mail_goes_to_a_server() -> None:
    """With a mail server its port is never empty; a production site without one is warned."""
    assert compiled().config["SMTP_PORT"] == "587"
    without = compiled({"exchange__smtp": None})
    assert "mail-into-log" in without.codes("warning")
    assert "SMTP_HOST" not in without.config


@pytest.mark.parametrize("changes", [{}, IN_CLUSTER, ARGOCD, FLUX], ids=["external-hub", "hub", "argocd", "flux"])
def test_j18_the_runbook_names_files_that_exist(changes: Tree) -> None:
    """Every path in a command of RUNBOOK.md is a file or a folder of the output."""
    site = compiled(changes)
    named = set(re.findall(r"\b(?:cluster|helm|manifests|hubs|gitops)/[\w./-]+", "\n".join(commands(site))))
    assert len(named) >= 5
    folders = {parent.as_posix() for file in site.files for parent in PurePosixPath(file).parents}
    assert {path.rstrip("/.") for path in named} - site.files.keys() - folders == set()


def commands(site: Compiled) -> list[str]:
    """Return the shell blocks of the runbook."""
    return re.findall(r"^ *```(?:bash|sh)\n(.*?)^ *```", site.files["RUNBOOK.md"], re.DOTALL | re.MULTILINE)


def section(site: Compiled, title: str) -> str:
    """Return a section of the runbook."""
    parts = re.split(r"^## (?:\d+\. )?", site.files["RUNBOOK.md"], flags=re.MULTILINE)
    return next(part for part in parts if part.startswith(title))


def test_leaves_are_found() -> None:
    """The helper that reads outputs sees every text."""
    assert sorted(leaves({"a": ["x", {"b": "y"}], "c": 1})) == ["x", "y"]
