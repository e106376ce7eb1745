"""Flux's own kustomize-controller delivers the output: in order, again after a change, and nothing that is not needed.

Opt-in: `make cluster-test` (docs/testing.md). The source is a stand-in: it serves a folder as source-controller would.
Charts are not installed: their HelmReleases are said to be ready.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.apiserver import Cluster, Tree, until
from tests.compiled import EXAMPLE, FLUX, IN_CLUSTER, compiled
from tests.delivered import follow, image, jobs, named, names, prepare, written
from tests.standins import NOW, StandIns

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

SITE: Tree = {**IN_CLUSTER, **FLUX}
PHASES = ["10-platform", "20-config", "30-migrate", "40-bootstrap", "50-app", "60-routes"]
FLUX_API = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a word."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@dataclass(frozen=True)
class Flux:
    """A cluster with kustomize-controller, and the repository that it reads."""

    cluster: Cluster
    standins: StandIns
    url: str
    served: Path

    def push(self, site: str, files: Mapping[str, str]) -> str:
        """Make files the newest commit of a site's repository; return its revision."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for path, text in files.items():
                entry = tarfile.TarInfo(f"out/{site}/{path}")
                entry.size = len(text.encode())
                tar.addfile(entry, io.BytesIO(text.encode()))
        digest = hashlib.sha256(archive.getvalue()).hexdigest()
        (self.served / f"{digest}.tar.gz").write_bytes(archive.getvalue())
        revision = f"main@sha1:{digest[:40]}"
        artifact = {
            "path": f"{digest}.tar.gz",
            "url": f"{self.url}/{digest}.tar.gz",
            "revision": revision,
            "digest": f"sha256:{digest}",
            "size": len(archive.getvalue()),
            "lastUpdateTime": NOW,
        }
        ready = {"type": "Ready", "status": "True", "reason": "Succeeded", "message": "", "lastTransitionTime": NOW}
        path = f"/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/{site}-git/status"
        status = {"observedGeneration": 1, "artifact": artifact, "conditions": [ready]}
        self.cluster.call("PATCH", path, {"status": status})
        return revision

    def state(self, site: str, phase: str) -> tuple[str, str, str]:
        """Return a Kustomization's readiness, its reason, and the revision that was last applied."""
        tree = self.cluster.call("GET", f"{FLUX_API}/{site}-{phase}")
        status = tree.get("status", {})
        ready = next((c for c in status.get("conditions", ()) if c["type"] == "Ready"), {"status": "", "reason": ""})
        return ready["status"], ready["reason"], status.get("lastAppliedRevision", "")

    def reaches(self, site: str, revision: str, phases: list[str] | None = None) -> None:
        """Wait until every phase is delivered at a revision."""
        for phase in phases or [*PHASES, "hubs"]:
            wanted = ("True", "ReconciliationSucceeded", revision)
            until(partial(self._is, site, phase, wanted), f"{site}-{phase} at {revision}", partial(self._why, site))

    def _is(self, site: str, phase: str, wanted: tuple[str, str, str]) -> bool:
        names = {tree["metadata"]["name"] for tree in self.cluster.call("GET", FLUX_API)["items"]}
        return f"{site}-{phase}" in names and self.state(site, phase) == wanted

    def waits(self, site: str, phase: str) -> None:
        """Wait until a phase says that it waits for the one before."""
        until(lambda: self.state(site, phase)[1] == "DependencyNotReady", f"{phase} waits", partial(self._why, site))

    def _why(self, site: str) -> str:
        return "\n".join(
            f"{tree['metadata']['name']}: {tree.get('status')}"
            for tree in self.cluster.call("GET", FLUX_API)["items"]
            if tree["metadata"]["name"].startswith(site)
        ) + self.cluster.log("kustomize-controller")


@pytest.fixture(scope="module")
def flux(cluster: Cluster, standins: StandIns, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flux]:
    """Run kustomize-controller, and serve what it reads."""
    served = tmp_path_factory.mktemp("artifacts")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(served)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    cluster.start(
        "kustomize-controller", "--metrics-addr=0", "--health-addr=0", "--requeue-dependency=1s",
        "--enable-leader-election=false", "--concurrent=8",
        extra={"RUNTIME_NAMESPACE": "flux-system"},
    )  # fmt: skip
    yield Flux(cluster, standins, f"http://127.0.0.1:{server.server_port}", served)
    server.shutdown()
    server.server_close()


def files_of(site: str, changes: Tree | None = None) -> dict[str, str]:
    """Compile the site of these tests under a name of its own."""
    result = compiled({**named(site, SITE), **(changes or {})})
    assert result.files, result.diagnostics
    return result.files


def handed_over(flux: Flux, site: str, folder: Path) -> str:
    """Do what the runbook says, and push the first commit; return its revision."""
    files = files_of(site)
    written(folder, files)
    prepare(flux.cluster, folder)
    follow(flux.cluster, folder, "Deliver")
    return flux.push(site, files)


def test_a_site_comes_up_phase_by_phase(flux: Flux, tmp_path: Path) -> None:
    """From one hand-over: nothing of a phase is there before the one before it is done, Jobs and pods included."""
    site, space = "flux-first", "flux-first-jhe"
    try:
        flux.standins.held |= {"migrate", "bootstrap", "exchange"}
        revision = handed_over(flux, site, tmp_path)
        flux.reaches(site, revision, ["site", "charts", "10-platform", "20-config", "hubs"])
        for job, phase, after in (("migrate", "30-migrate", "40-bootstrap"), ("bootstrap", "40-bootstrap", "50-app")):
            flux.waits(site, after)
            assert {name.rpartition("-")[0] for name in jobs(flux.cluster, space)} <= {"migrate", job}
            assert names(flux.cluster, "deployments", space) == set()
            flux.standins.held.discard(job)
            flux.reaches(site, revision, [phase])
        flux.waits(site, "60-routes")
        assert names(flux.cluster, "httproutes", space) == set()
        flux.standins.held.clear()
        flux.reaches(site, revision)
        assert names(flux.cluster, "httproutes", space) != set()
    finally:
        flux.standins.held.clear()


NEW_ORG: Tree = {"name": "New Lab", "id": 20003, "type": "laboratory"}
# A change → the Jobs that are new after it, and those that are gone.
CHANGES: dict[str, tuple[Tree, set[str]]] = {
    "image": ({"image__tag": "v0.0.12"}, {"migrate", "bootstrap"}),
    "organization": ({"orgs": [*EXAMPLE["orgs"], NEW_ORG]}, {"bootstrap"}),
    "rerun": ({"rerun": "2026-11"}, {"migrate", "bootstrap"}),
    "smtp": ({"exchange__smtp__host": "mail.example.org"}, set()),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_commit_runs_exactly_the_jobs_it_needs_and_removes_the_old_ones(
    change: str, flux: Flux, tmp_path: Path
) -> None:
    """New Jobs stand in the place of those before; all others are the very same objects."""
    changes, expected = CHANGES[change]
    site = f"flux-{change}"
    flux.reaches(site, handed_over(flux, site, tmp_path))
    before = jobs(flux.cluster, f"{site}-jhe")
    flux.reaches(site, flux.push(site, files_of(site, changes)))
    after = jobs(flux.cluster, f"{site}-jhe")
    assert {name.rpartition("-")[0] for name in after.keys() - before.keys()} == expected
    assert {name.rpartition("-")[0] for name in before.keys() - after.keys()} == expected
    assert len(after) == 2


def test_the_old_pods_stay_until_the_new_jobs_are_done(flux: Flux, tmp_path: Path) -> None:
    """An image change reaches the Deployment after the migrate and the bootstrap Job, not before."""
    site, space = "flux-order", "flux-order-jhe"
    flux.reaches(site, handed_over(flux, site, tmp_path))
    try:
        flux.standins.held.add("bootstrap")
        revision = flux.push(site, files_of(site, {"image__tag": "v0.0.12"}))
        flux.reaches(site, revision, ["30-migrate"])
        flux.waits(site, "50-app")
        assert image(flux.cluster, space).endswith(":v0.0.13")
    finally:
        flux.standins.held.clear()
    flux.reaches(site, revision)
    assert image(flux.cluster, space).endswith(":v0.0.12")


def test_a_failed_migration_stops_the_delivery_and_a_revert_mends_it(flux: Flux, tmp_path: Path) -> None:
    """Flux says that the phase failed; the pods before it go on; the commit before, pushed again, is delivered."""
    site, space = "flux-failure", "flux-failure-jhe"
    flux.reaches(site, handed_over(flux, site, tmp_path))
    quick = [{"target": {"kind": "Job", "name": "migrate"}, "patch": {"spec": {"backoffLimit": 0}}}]
    try:
        flux.standins.failing.add("migrate")
        flux.push(site, files_of(site, {"image__tag": "v0.0.12", "patches": quick}))
        until(lambda: flux.state(site, "30-migrate")[1] == "HealthCheckFailed", "the phase failed")
        flux.waits(site, "40-bootstrap")
        assert image(flux.cluster, space).endswith(":v0.0.13")
    finally:
        flux.standins.failing.clear()
    flux.reaches(site, flux.push(site, files_of(site)))
    assert len(jobs(flux.cluster, space)) == 2


def test_a_hub_that_leaves_the_spec_is_uninstalled_and_its_namespace_stays(flux: Flux, tmp_path: Path) -> None:
    """Its HelmRelease and certificate are pruned; the namespace, with the people's homes, is not."""
    site, hub = "flux-hub", "flux-hub-hub"
    flux.reaches(site, handed_over(flux, site, tmp_path))
    assert hub_objects(flux.cluster, hub) == {f"{site}-hub-{hub}", f"{site}-{hub}-tls"}
    flux.reaches(site, flux.push(site, files_of(site, {"hubs": []})), PHASES)
    until(lambda: hub_objects(flux.cluster, hub) == set(), "nothing of the hub is left")
    [space] = flux.cluster.objects("namespaces", hub)
    assert space["status"]["phase"] == "Active"


def hub_objects(cluster: Cluster, hub: str) -> set[str]:
    """Return the names of a hub's release and certificate."""
    found = names(cluster, "helmreleases", "flux-system") | names(cluster, "certificates", "envoy-gateway-system")
    return {name for name in found if hub in name}


def test_nothing_of_a_spec_is_substituted_even_where_somebody_asks_for_it(flux: Flux, tmp_path: Path) -> None:
    """With `postBuild` switched on by hand, a `${NAME}` of the spec still reaches the cluster as it was written."""
    site, user, path = "flux-dollar", "u${PRICE}${NONE:=x}", "manifests/20-config/configmap-exchange.yaml"
    flux.reaches(site, handed_over(flux, site, tmp_path))
    files = substituting(files_of(site, {"exchange__smtp__user": user}))
    flux.reaches(site, flux.push(site, files))
    assert user in config_of(flux, site)
    # The same without our annotation, to see that Flux would have.
    assert "substitute: disabled" in files[path]
    flux.reaches(site, flux.push(site, {**files, path: files[path].replace("substitute: disabled", "other: x")}))
    assert "unothingx" in config_of(flux, site)


def substituting(files: dict[str, str]) -> dict[str, str]:
    """Return an output whose configuration phase asks Flux to substitute variables."""
    path, line = "gitops/flux/kustomization-20-config.yaml", "  prune: true\n"
    assert line in files[path]
    return {**files, path: files[path].replace(line, f"{line}  postBuild: {{substitute: {{PRICE: nothing}}}}\n")}


def config_of(flux: Flux, site: str) -> list[str]:
    """Return the values of the Exchange's ConfigMap."""
    [config] = flux.cluster.objects("configmaps", "exchange", "--namespace", f"{site}-jhe")
    return list(config["data"].values())
