"""A real kube-apiserver takes the output: phase by phase, again, and after every change, with its own controllers at work.

Opt-in: `make cluster-test` (docs/testing.md). Without the programs each test here is skipped by name.
"""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from jhecfg.emit import dump
from jhecfg.pipeline import compile_source
from jhecfg.source import load
from tests.apiserver import Cluster, Tree, until
from tests.compiled import ARGOCD, EXAMPLE, FLUX, IN_CLUSTER, MCP, NGINX, REAL_SITES, compiled
from tests.conftest import TESTS
from tests.delivered import apply, flags, follow, jobs, key, live, manifests, named, prepare, settled, wanted, written
from tests.standins import StandIns

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

EXTERNAL: Tree = {"secrets": {"backend": "external-secrets", "region": "us-east-2"}}
WEARABLES: Tree = {"exchange__wearables": {"apiUrl": "https://ow.example.org"}}
EVERYTHING: Tree = {**IN_CLUSTER, **MCP, **WEARABLES}
# Name → a change of specs/jhe-example.yaml. Each gets its own site name and namespace: they share a cluster.
VARIANTS: dict[str, Tree] = {
    "everything": EVERYTHING,
    "from-a-store": {**EVERYTHING, **EXTERNAL},
    "behind-nginx": {**EVERYTHING, **NGINX},
    "at-a-gateway": {
        **EVERYTHING,
        "exchange__smokeTest": True,
        "ingress": {"gateway": {"name": "x", "namespace": "edge"}},
    },
    "by-argocd": {**EVERYTHING, **ARGOCD},
    "by-flux": {**EVERYTHING, **EXTERNAL, **FLUX},
}


def output(folder: Path, name: str) -> Path:
    """Compile a real site or a variant, and write its output."""
    result = compiled(site=name) if name in REAL_SITES else compiled(named(name, VARIANTS[name]))
    assert result.files, result.diagnostics
    return written(folder, result.files)


# --- accepted ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*REAL_SITES, "everything", "from-a-store", "behind-nginx", "at-a-gateway"])
def test_the_runbook_brings_a_site_up_changes_nothing_again_and_takes_it_away(
    name: str, cluster: Cluster, standins: StandIns, tmp_path: Path
) -> None:
    """Its own commands, as written: Jobs complete, Deployments roll out, a repetition writes no object; in the end none is left."""
    folder = output(tmp_path, name)
    prepare(cluster, folder)
    follow(cluster, folder, "Deliver")
    before = live(cluster, folder)
    assert before.keys() == wanted(folder)
    assert settled(cluster, folder)
    follow(cluster, folder, "Deliver")
    after = live(cluster, folder)
    versions = [{name: tree["metadata"]["resourceVersion"] for name, tree in all_.items()} for all_ in (before, after)]
    assert versions[0] == versions[1]
    assert cluster.kubectl("diff", "--server-side", *flags(manifests(folder))) == ""
    follow(cluster, folder, "Remove the site")
    assert live(cluster, folder) == {}


@pytest.mark.parametrize("name", ["by-argocd", "by-flux"])
def test_the_objects_of_an_engine_are_accepted(name: str, cluster: Cluster, tmp_path: Path) -> None:
    """The definitions of Argo CD and Flux themselves take the delivery objects, and the cluster takes what they deliver."""
    folder = output(tmp_path, name)
    apply(cluster, folder)
    assert live(cluster, folder).keys() == wanted(folder)
    delivery = [file for file in sorted((folder / "gitops").rglob("*.yaml")) if file.name != "kustomization.yaml"]
    assert len(delivery) > 5
    cluster.kubectl("apply", "--server-side", "--dry-run=server", *flags(delivery))


def test_a_field_that_does_not_exist_is_refused(cluster: Cluster) -> None:
    """The judge is strict: the same command refuses a misspelled field."""
    tree = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x", "namespace": "default"}, "dtaa": {}}
    with pytest.raises(AssertionError, match=r"dtaa"):
        cluster.kubectl("apply", "--server-side", "--filename=-", stdin=dump(tree))


def test_a_route_that_gateway_api_forbids_is_refused(cluster: Cluster) -> None:
    """The rules of the Gateway API's definitions are at work: a filter without its body is refused."""
    rule = {"filters": [{"type": "RequestRedirect"}]}
    tree = {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": "x", "namespace": "default"},
        "spec": {"rules": [rule]},
    }
    with pytest.raises(AssertionError, match=r"requestRedirect must be specified"):
        cluster.kubectl("apply", "--server-side", "--filename=-", stdin=dump(tree))


def test_the_namespaces_refuse_a_pod_that_could_be_root(cluster: Cluster, tmp_path: Path) -> None:
    """Pod Security `restricted` is enforced where our pods, and the hubs', run."""
    folder = output(tmp_path, "everything")
    spaces = [file for file in manifests(folder) if file.name.startswith("namespace")]
    cluster.kubectl("apply", "--server-side", *flags(spaces))
    assert len(spaces) == 2
    for file in spaces:
        space = yaml.safe_load(file.read_text())["metadata"]["name"]
        until(lambda space=space: has_account(cluster, space), "the namespace has its account")
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "root", "namespace": space},
            "spec": {"containers": [{"name": "root", "image": "root"}]},
        }
        with pytest.raises(AssertionError, match=r"violates PodSecurity"):
            cluster.kubectl("apply", "--server-side", "--filename=-", stdin=dump(pod))


def has_account(cluster: Cluster, namespace: str) -> bool:
    """Whether pods can be made in a namespace: its default account exists."""
    return bool(cluster.objects("serviceaccount", "default", "--namespace", namespace))


# --- changed ----------------------------------------------------------------------------------------------------------

NEW_ORG: Tree = {"name": "New Lab", "id": 20003, "type": "laboratory"}
# A change of a site that runs → the Jobs that are new after it.
CHANGES: dict[str, tuple[Tree, set[str]]] = {
    "image": ({"image__tag": "v0.0.12"}, {"migrate", "bootstrap"}),
    "organization": ({"orgs": [*EXAMPLE["orgs"], NEW_ORG]}, {"bootstrap"}),
    "rerun": ({"rerun": "2026-11"}, {"migrate", "bootstrap"}),
    "replicas": ({"exchange__replicas": 3}, set()),
    "title": ({"exchange__title": "Another"}, {"bootstrap"}),
    "smtp": ({"exchange__smtp__host": "mail.example.org"}, set()),
    "resources": ({"exchange__resources": {"requests": {"cpu": "1"}}}, set()),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_change_brings_exactly_the_jobs_it_needs(
    change: str, cluster: Cluster, standins: StandIns, tmp_path: Path
) -> None:
    """The page's section “Deliver”, gone through again, makes new Jobs only where there is work; “Upgrade” removes the old."""
    changes, expected = CHANGES[change]
    base = {"gitops": None}
    before = written(tmp_path / "a", compiled(named(f"change-{change}", base)).files)
    after = written(tmp_path / "b", compiled(named(f"change-{change}", {**base, **changes})).files)
    prepare(cluster, before)
    follow(cluster, before, "Deliver")
    space = f"change-{change}-jhe"
    old = jobs(cluster, space)
    follow(cluster, after, "Deliver")
    new = jobs(cluster, space)
    assert {name.rpartition("-")[0] for name in new.keys() - old.keys()} == expected
    assert old.items() <= new.items()
    assert settled(cluster, after)
    follow(cluster, after, "Upgrade")
    assert {f"Job/{space}/{name}" for name in jobs(cluster, space)} == {
        k for k in wanted(after) if k.startswith("Job/")
    }


@pytest.fixture(scope="module")
def base_site(cluster: Cluster, standins: StandIns, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output of tests/base.yaml, which is in the cluster."""
    folder = written(tmp_path_factory.mktemp("base"), built(TESTS / "base.yaml"))
    apply(cluster, folder)
    return folder


def built(path: Path) -> dict[str, str]:
    """Compile a spec of the tests, in a namespace of its own."""
    tree = {"namespace": "base-jhe", **load(path).tree}
    tree.pop("extends", None)
    source = load(TESTS / "base.yaml", text=dump(tree).encode())
    return {name: data.decode() for name, data in compile_source(source, "builtin").files.items()}


# What Kubernetes lets nobody change in place: the delta, and the refusal.
IMMUTABLE = {"cluster.mode": "StorageClass .* provisioner: .* field is immutable"}  # it is another cluster, too


@pytest.mark.parametrize("delta", sorted((TESTS / "deltas").glob("*.yaml")), ids=lambda path: path.stem)
def test_a_change_of_any_field_is_taken_by_a_site_that_runs(
    delta: Path, cluster: Cluster, base_site: Path, tmp_path: Path
) -> None:
    """Every delta applies over the base site: no immutable field changes, no rule of the cluster is broken."""
    folder = written(tmp_path, built(delta))
    old = {key(yaml.safe_load(file.read_text())): file.read_text() for file in manifests(base_site)}
    new = [file for file in manifests(folder) if old.get(key(yaml.safe_load(file.read_text()))) != file.read_text()]
    spaces = [file for file in new if file.name.startswith("namespace")]
    if spaces:  # objects cannot be tried in a namespace that is not there
        cluster.kubectl("apply", "--server-side", *flags(spaces))
    refusal = IMMUTABLE.get(delta.stem)
    with pytest.raises(AssertionError, match=refusal) if refusal else nullcontext():
        if new:
            cluster.kubectl("apply", "--server-side", "--dry-run=server", *flags(new))
