"""What a cluster of tests lacks: nodes that run pods, and the controllers of cert-manager, Envoy Gateway and others.

They are told apart from the real thing by doing as little as it takes for waiting programs to go on: a pod starts only
if every ConfigMap and Secret that it names exists, as on a node; a custom resource is said to be ready.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError

from tests.apiserver import Cluster, Tree

NOW = "2026-01-01T00:00:00Z"
_GATEWAY = "/apis/gateway.networking.k8s.io/v1"
# API path of a kind → the conditions that its controller sets once all is well.
READY: dict[str, tuple[str, ...]] = {
    f"{_GATEWAY}/gatewayclasses": ("Accepted",),
    f"{_GATEWAY}/gateways": ("Accepted", "Programmed"),
    "/apis/cert-manager.io/v1/clusterissuers": ("Ready",),
    "/apis/cert-manager.io/v1/certificates": ("Ready",),
    "/apis/external-secrets.io/v1/secretstores": ("Ready",),
    "/apis/external-secrets.io/v1/externalsecrets": ("Ready",),
    "/apis/helm.toolkit.fluxcd.io/v2/helmreleases": ("Ready",),
    "/apis/source.toolkit.fluxcd.io/v1/helmrepositories": ("Ready",),
    "/apis/source.toolkit.fluxcd.io/v1/ocirepositories": ("Ready",),
}
# Gone, changed or being taken away since it was listed, or not served yet: the next round sees it.
PASSING = {403, 404, 409, 429}
ROUTES = f"{_GATEWAY}/httproutes"
_NAMED = {
    "configMapRef": ("configmaps", "name"),
    "configMapKeyRef": ("configmaps", "name"),
    "configMap": ("configmaps", "name"),
    "secretRef": ("secrets", "name"),
    "secretKeyRef": ("secrets", "name"),
    "secret": ("secrets", "secretName"),
}


class StandIns(threading.Thread):
    """Plays nodes and controllers until it is stopped; `held` and `failing` hold `app.kubernetes.io/name`s of pods."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(daemon=True)
        self.cluster = cluster
        self.held: set[str] = set()
        self.failing: set[str] = set()
        self.trouble: list[str] = []
        self._ended = threading.Event()

    def run(self) -> None:
        """Look at every object again and again."""
        while not self._ended.wait(0.25):
            try:
                self._round()
            except HTTPError as error:
                if error.code not in PASSING:
                    self.trouble.append(f"{error.url}: {error.read().decode()}")

    def stop(self) -> None:
        """Stop playing, and say what went wrong."""
        self._ended.set()
        self.join(30)
        assert self.trouble == [], "\n".join(self.trouble)

    def _round(self) -> None:
        for pod in self._list("/api/v1/pods"):
            self._run_pod(pod)
        for path, names in READY.items():
            for tree in self._list(path):
                if path.endswith("/externalsecrets"):
                    self._bring_secret(tree)
                self._make_ready(path, tree, {"conditions": conditions(tree, names)})
        for route in self._list(ROUTES):
            self._make_ready(ROUTES, route, {"parents": [accepted(route, ref) for ref in route["spec"]["parentRefs"]]})

    def _list(self, path: str) -> list[Tree]:
        items: list[Tree] = self.cluster.call("GET", path)["items"]
        return items

    def _run_pod(self, pod: Tree) -> None:
        meta, name = pod["metadata"], pod["metadata"]["labels"].get("app.kubernetes.io/name", "")
        waiting = pod["status"].get("phase") == "Pending" and "deletionTimestamp" not in meta
        if not waiting or name in self.held or self._missing(pod):
            return
        is_job = any(owner["kind"] == "Job" for owner in meta.get("ownerReferences", ()))
        phase = ("Failed" if name in self.failing else "Succeeded") if is_job else "Running"
        conditions = [] if is_job else [_condition(name) for name in ("PodScheduled", "Ready")]
        path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
        self.cluster.call("PATCH", path, {"status": {"phase": phase, "startTime": NOW, "conditions": conditions}})

    def _missing(self, pod: Tree) -> list[str]:
        space = f"/api/v1/namespaces/{pod['metadata']['namespace']}"
        have = {k: {o["metadata"]["name"] for o in self._list(f"{space}/{k}")} for k in ("configmaps", "secrets")}
        return [name for kind, name in references(pod["spec"]) if name not in have[kind]]

    def _make_ready(self, path: str, tree: Tree, status: Tree) -> None:
        meta, now = tree["metadata"], tree.get("status", {})
        if "fluxcd" in path:
            status["observedGeneration"] = meta["generation"]
        if {key: now.get(key) for key in status} != status:
            group, _, kind = path.rpartition("/")
            space = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
            self.cluster.call("PATCH", f"{group}{space}/{kind}/{meta['name']}/status", {"status": status})

    def _bring_secret(self, tree: Tree) -> None:
        space, name = tree["metadata"]["namespace"], tree["spec"]["target"]["name"]
        secrets = f"/api/v1/namespaces/{space}/secrets"
        if name not in {secret["metadata"]["name"] for secret in self._list(secrets)}:
            data = {entry["secretKey"]: "eA==" for entry in tree["spec"].get("data", ())}
            self.cluster.call("POST", secrets, {"metadata": {"name": name}, "data": data})


@contextmanager
def played(cluster: Cluster) -> Iterator[StandIns]:
    """Play nodes and controllers until the block ends."""
    standins = StandIns(cluster)
    standins.start()
    try:
        yield standins
    finally:
        standins.stop()


def references(tree: object) -> Iterator[tuple[str, str]]:
    """Yield every ConfigMap and Secret that a pod cannot start without: its API name and its own."""
    if isinstance(tree, list):
        for value in tree:
            yield from references(value)
    if isinstance(tree, dict):
        for key, value in tree.items():
            if key in _NAMED and isinstance(value, dict) and not value.get("optional"):
                kind, field = _NAMED[key]
                yield kind, value[field]
            yield from references(value)


def conditions(tree: Tree, names: tuple[str, ...]) -> list[Tree]:
    """Return an object's conditions as its controller sets them once all is well."""
    seen = {"reason": "Test", "message": "", "observedGeneration": tree["metadata"]["generation"]}
    return [{**_condition(name), **seen} for name in names]


def accepted(route: Tree, parent: Tree) -> Tree:
    """Return what a route's status says of one parent that takes it."""
    names = ("Accepted", "ResolvedRefs")
    whole = {"group": "gateway.networking.k8s.io", "kind": "Gateway", **parent}
    return {"parentRef": whole, "controllerName": "example.org/test", "conditions": conditions(route, names)}


def _condition(name: str) -> Tree:
    return {"type": name, "status": "True", "lastTransitionTime": NOW}
