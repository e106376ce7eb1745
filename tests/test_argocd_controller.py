"""Argo CD's own application controller and repository server deliver the output, from a git repository, in waves.

Opt-in: `make cluster-test` (docs/testing.md). Charts are not fetched: the hub's Application finds no chart, and nothing
else waits for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.apiserver import Cluster, Tree, until
from tests.compiled import ARGOCD, EXAMPLE, REPO, compiled
from tests.delivered import follow, image, jobs, named, names, prepare, written
from tests.hub_harness import free_port
from tests.standins import StandIns
from tests.tools import need

pytestmark = [pytest.mark.slow, pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

SITE: Tree = {
    **ARGOCD,
    "platform": "existing",
    "cluster": None,
    "database__rds": None,
    "hubs__0__deploy": "cluster",
    "hubs__0__storage": {"storageClass": "gp3"},
}
APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
GIT = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")


@dataclass(frozen=True)
class Argo:
    """A cluster with Argo CD, and the repository that it reads."""

    cluster: Cluster
    standins: StandIns
    repository: Path

    def git(self, *arguments: str) -> str:
        """Run git in the repository."""
        command = [need("git"), *GIT, *arguments]
        return subprocess.run(command, cwd=self.repository, capture_output=True, text=True, check=True).stdout.strip()

    def commit(self, site: str, files: Mapping[str, str]) -> str:
        """Make files the newest commit of a site's folder, and tell Argo CD, as a webhook would; return its hash."""
        shutil.rmtree(self.repository / "out" / site, ignore_errors=True)
        written(self.repository / "out" / site, dict(files))
        self.git("add", "--all")
        self.git("commit", "--allow-empty", "--message=change")
        refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "hard"}}}
        for name in names(self.cluster, "applications.argoproj.io", "argocd"):
            if name.startswith(f"{site}-"):
                self.cluster.call("PATCH", f"{APPLICATIONS}/{name}", refresh)
        return self.git("rev-parse", "HEAD")

    def application(self, name: str) -> Tree:
        """Return an Application, or nothing."""
        found = [tree for tree in self.cluster.call("GET", APPLICATIONS)["items"] if tree["metadata"]["name"] == name]
        return found[0] if found else {}

    def reaches(self, site: str, commit: str, parts: tuple[str, ...] = ("exchange", "routes")) -> None:
        """Wait until the site's Applications are synced with a commit, and healthy."""
        for part in parts:
            name = f"{site}-{part}"
            self.until(site, partial(self._is, name, commit), f"{name} at {commit}")

    def until(self, site: str, condition: Callable[[], bool], what: str) -> None:
        """Wait until a condition holds, or say how the site's Applications are."""
        until(condition, what, partial(self._why, site), patience=180)

    def _is(self, name: str, commit: str) -> bool:
        status = self.application(name).get("status", {})
        sync, operation = status.get("sync", {}), status.get("operationState", {})
        return (
            (sync.get("status"), sync.get("revision"), status.get("health", {}).get("status"))
            == ("Synced", commit, "Healthy")
        ) and operation.get("phase") == "Succeeded"

    def _why(self, site: str) -> str:
        lines = []
        for tree in self.cluster.call("GET", APPLICATIONS)["items"]:
            if tree["metadata"]["name"].startswith(site):
                status = tree.get("status", {})
                operation = status.get("operationState", {})
                bad = [r for r in status.get("resources", ()) if r.get("health", {}).get("status") != "Healthy"]
                lines.append(
                    f"{tree['metadata']['name']}: {status.get('sync', {}).get('status')} {status.get('health')}"
                    f" {operation.get('phase')} {operation.get('message')} {status.get('conditions')} {bad}"
                )
        return "\n".join(lines)


@pytest.fixture(scope="module")
def argo(cluster: Cluster, standins: StandIns, tmp_path_factory: pytest.TempPathFactory) -> Argo:
    """Run Argo CD with an empty repository."""
    redis, port = f"127.0.0.1:{free_port()}", str(free_port())
    argo = Argo(cluster, standins, tmp_path_factory.mktemp("repository"))
    argo.git("init")
    settings = {"metadata": {"name": "argocd-cm", "labels": {"app.kubernetes.io/part-of": "argocd"}}}
    secret = {"metadata": {**settings["metadata"], "name": "argocd-secret"}, "stringData": {"server.secretkey": "test"}}
    cluster.call("POST", "/api/v1/namespaces/argocd/configmaps", settings)
    cluster.call("POST", "/api/v1/namespaces/argocd/secrets", secret)
    verifier = cluster.root / "git-verify-wrapper.sh"  # of Argo CD's image: says who signed a commit; here nobody does
    verifier.write_text("#!/bin/sh\n")
    verifier.chmod(0o755)
    path = os.pathsep.join([str(cluster.root), cluster.environment["PATH"]])
    cluster.start("argocd", "redis", redis)
    cluster.start(
        "argocd", "repo-server", "--address=127.0.0.1", f"--port={port}", "--metrics-address=127.0.0.1",
        f"--metrics-port={free_port()}", "--disable-tls", "--client-ca-path=", f"--redis={redis}", "--revision-cache-expiration=1s",
        extra={"PATH": path, "ARGOCD_GPG_ENABLED": "false", "TMPDIR": str(tmp_path_factory.mktemp("checkouts"))},
    )  # fmt: skip
    cluster.start(
        "argocd", "application-controller", "--namespace=argocd", f"--kubeconfig={cluster.kubeconfig}",
        f"--repo-server=127.0.0.1:{port}", "--repo-server-plaintext", f"--redis={redis}",
        "--app-resync=3", "--app-resync-jitter=0", f"--metrics-port={free_port()}",
        extra={"ARGOCD_FAKE_IN_CLUSTER": "true"},
    )  # fmt: skip
    return argo


def files_of(argo: Argo, site: str, changes: Tree | None = None) -> dict[str, str]:
    """Compile the site of these tests under a name of its own, for this repository."""
    result = compiled({**named(site, SITE), **(changes or {})})
    assert result.files, result.diagnostics
    return {path: text.replace(REPO, f"file://{argo.repository}") for path, text in result.files.items()}


def handed_over(argo: Argo, site: str, folder: Path) -> str:
    """Make the first commit, and do what the runbook says; return the commit."""
    files = files_of(argo, site)
    written(folder, files)
    prepare(argo.cluster, folder)
    commit = argo.commit(site, files)
    follow(argo.cluster, folder, "Deliver", without="--watch")
    return commit


def test_a_site_comes_up_wave_by_wave(argo: Argo, tmp_path: Path) -> None:
    """From one hand-over: nothing of a phase is there before the one before it is healthy, Jobs and pods included."""
    site, space = "argo-first", "argo-first-jhe"
    try:
        argo.standins.held |= {"migrate", "bootstrap", "exchange"}
        commit = handed_over(argo, site, tmp_path)
        for job in ("migrate", "bootstrap"):
            argo.until(site, lambda job=job: f"batch/Job/{job}" in waited_for(argo, site), f"{job} is waited for")
            assert {name.rpartition("-")[0] for name in jobs(argo.cluster, space)} <= {"migrate", job}
            assert names(argo.cluster, "deployments", space) == set()
            argo.standins.held.discard(job)
        argo.until(site, lambda: names(argo.cluster, "deployments", space) != set(), "the app is there")
        assert argo.application(f"{site}-routes") == {}
        argo.standins.held.clear()
        argo.reaches(site, commit)
        assert names(argo.cluster, "httproutes", space) != set()
    finally:
        argo.standins.held.clear()


def waited_for(argo: Argo, site: str) -> str:
    """Return what Argo CD says that a sync waits for: `waiting for healthy state of batch/Job/migrate-…`."""
    operation = argo.application(f"{site}-exchange").get("status", {}).get("operationState", {})
    return str(operation.get("message", ""))


NEW_ORG: Tree = {"name": "New Lab", "id": 20003, "type": "laboratory"}
# A change → the Jobs that are new after it, and those that are gone.
CHANGES: dict[str, tuple[Tree, set[str]]] = {
    "image": ({"image__tag": "v0.0.12"}, {"migrate", "bootstrap"}),
    "organization": ({"orgs": [*EXAMPLE["orgs"], NEW_ORG]}, {"bootstrap"}),
    "smtp": ({"exchange__smtp__host": "mail.example.org"}, set()),
}


@pytest.mark.parametrize("change", sorted(CHANGES))
def test_a_commit_runs_exactly_the_jobs_it_needs_and_removes_the_old_ones(
    change: str, argo: Argo, tmp_path: Path
) -> None:
    """New Jobs stand in the place of those before; all others are the very same objects."""
    changes, expected = CHANGES[change]
    site = f"argo-{change}"
    argo.reaches(site, handed_over(argo, site, tmp_path))
    before = jobs(argo.cluster, f"{site}-jhe")
    argo.reaches(site, argo.commit(site, files_of(argo, site, changes)))
    after = jobs(argo.cluster, f"{site}-jhe")
    assert {name.rpartition("-")[0] for name in after.keys() - before.keys()} == expected
    assert {name.rpartition("-")[0] for name in before.keys() - after.keys()} == expected
    assert len(after) == 2


def test_an_edit_by_hand_is_healed_and_runs_no_job(argo: Argo, tmp_path: Path) -> None:
    """Self-heal puts the Deployment back; the Jobs are the very same objects."""
    site, space = "argo-heal", "argo-heal-jhe"
    commit = handed_over(argo, site, tmp_path)
    argo.reaches(site, commit)
    before = jobs(argo.cluster, space)
    good = image(argo.cluster, space)
    argo.cluster.kubectl("set", "image", "deployment/exchange", "*=docker.io/library/other:1", "--namespace", space)
    argo.until(site, lambda: image(argo.cluster, space) == good, "the image is put back")
    argo.reaches(site, commit)
    assert jobs(argo.cluster, space) == before


def test_a_hub_that_leaves_the_spec_is_uninstalled_and_its_namespace_stays(argo: Argo, tmp_path: Path) -> None:
    """Its Application is pruned; the namespace, with the people's homes, is not, and the Exchange goes on to be synced."""
    site = "argo-hub"
    argo.reaches(site, handed_over(argo, site, tmp_path))
    application = f"{site}-hub-{site}-hub"
    assert argo.application(application) != {}
    commit = argo.commit(site, files_of(argo, site, {"hubs": []}))
    argo.until(site, lambda: argo.application(application) == {}, "the hub's Application is gone")
    argo.reaches(site, commit, ("routes",))
    [space] = argo.cluster.objects("namespaces", f"{site}-hub")
    assert space["status"]["phase"] == "Active"
    commit = argo.commit(site, files_of(argo, site, {"hubs": [], "exchange__replicas": 3}))
    argo.until(site, lambda: replicas(argo.cluster, f"{site}-jhe") == 3, "the next commit is synced")


def replicas(cluster: Cluster, namespace: str) -> int:
    """Return how many pods the Exchange's Deployment wants."""
    [tree] = cluster.objects("deployments", "exchange", "--namespace", namespace)
    found: int = tree["spec"]["replicas"]
    return found
