"""Small models of Argo CD, Flux and kubectl: they apply a site's output to a cluster that is a dictionary.

What they do, and in which order, is read from the rendered objects alone: waves, projects, dependsOn, prune, finalizers.
The rules of the game are those of gitops-engine (pkg/sync/sync_context.go), argo-cd 3.5 (controller) and
kustomize-controller 1.9, as far as order and removal go. A Job runs when it is made, and a change of its template is
refused, as by an API server.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.render import render
from jhecfg.render.finish import finished
from jhecfg.rules import gitops as read
from jhecfg.rules.order import WAVE
from jhecfg.rules.outputs import Outputs
from jhecfg.site import Site

Key = tuple[str, str, str]
OPTIONS = "argocd.argoproj.io/sync-options"
WORKLOADS = ("Deployment", "Job", "CronJob")
_DELIVERY = (
    "Application",
    "AppProject",
    "Kustomization",
    "HelmRelease",
    "HelmRepository",
    "OCIRepository",
    "GitRepository",
)


class Stuck(Exception):
    """Delivery goes no further: a Job failed, something is missing, or a template cannot change."""


class Live(NamedTuple):
    """An object in the cluster, and who brought it."""

    tree: Tree
    owner: str


def output(site: Site) -> tuple[Artifact, ...]:
    """Render a site as it is written."""
    return tuple(finished(render(site)))


def key_of(tree: Tree) -> Key:
    """Return what an object is known by."""
    return str(tree["kind"]), str(tree["metadata"].get("namespace", "")), str(tree["metadata"]["name"])


class Cluster:
    """What is there; and what happened since the last look: `+Kind/name` made or changed, `-Kind/name` removed."""

    def __init__(self) -> None:
        """Begin with an empty cluster."""
        self.live: dict[Key, Live] = {}
        self.events: list[str] = []
        self.failing: str = ""

    def apply(self, tree: Tree, owner: str) -> None:
        """Make or change an object, as server-side apply does."""
        key = key_of(tree)
        before = self.live.get(key)
        if before is not None and before.tree == tree:
            return
        self._needs(tree)
        if before is not None and key[0] == "Job" and before.tree["spec"]["template"] != tree["spec"]["template"]:
            raise Stuck(f"the template of {key} cannot change")
        self.live[key] = Live(tree, owner)
        self.events.append(f"+{key[0]}/{key[2]}")

    def _needs(self, tree: Tree) -> None:
        namespace = key_of(tree)[1] or ("" if tree.get("makes") else tree.get("at", ""))
        if namespace and ("Namespace", "", namespace) not in self.live and not self._made_by_a_chart(namespace):
            raise Stuck(f"{key_of(tree)} has no namespace yet")
        if tree["kind"] in WORKLOADS:
            for _, kind, name in Outputs([Artifact("manifests/workload.yaml", tree)]).needs["manifests/workload.yaml"]:
                if kind in ("ConfigMap", "ServiceAccount") and (kind, namespace, name) not in self.live:
                    raise Stuck(f"{key_of(tree)} waits for {kind} {name}")

    def _made_by_a_chart(self, namespace: str) -> bool:
        own = ("argocd", "flux-system", "kube-system")
        return namespace in own or any(
            live.tree.get("makes") and live.tree["at"] == namespace for live in self.live.values()
        )

    def remove(self, key: Key) -> None:
        """Remove an object."""
        del self.live[key]
        self.events.append(f"-{key[0]}/{key[2]}")

    def healthy(self, trees: Iterable[Tree]) -> None:
        """Wait until objects are healthy; a failed Job never is."""
        for tree in trees:
            if self.failing and tree["kind"] == "Job" and key_of(tree)[2].startswith(self.failing):
                raise Stuck(f"Job {key_of(tree)[2]} failed")

    def owned(self, owner: str) -> list[Key]:
        """Return what an Application or Kustomization brought."""
        return [key for key, live in self.live.items() if live.owner == owner]

    def since(self) -> list[str]:
        """Return what happened since the last time, delivery's own objects left out."""
        events = [event for event in self.events if event[1:].split("/")[0] not in _DELIVERY]
        self.events = []
        return events


def release(name: str, namespace: str, content: Any, *, makes: bool) -> Tree:
    """Return what stands for all that a chart makes; `makes` is whether its namespace is made with it."""
    return {"kind": "Release", "metadata": {"name": name}, "at": namespace, "makes": makes, "content": content}


def _annotation(tree: Tree, name: str) -> str:
    return str((tree["metadata"].get("annotations") or {}).get(name, ""))


# --- Argo CD ----------------------------------------------------------------------------------------------------------


class ArgoCd:
    """Argo CD, handed the bootstrap folder of a site, and told that Applications have a health."""

    def __init__(self, cluster: Cluster) -> None:
        """Watch a cluster."""
        self.cluster = cluster

    def deliver(self, site: Site) -> None:
        """Take in what a site's folder in git holds now."""
        self.site, self.artifacts = site, output(site)
        root = self._file("gitops/argocd/bootstrap/application-root.yaml")
        self.cluster.apply(self._file("gitops/argocd/bootstrap/appproject-delivery.yaml"), "a person")
        self.cluster.apply(root, "a person")
        self._sync(root)

    def _file(self, path: str) -> Tree:
        return next(a.tree for a in self.artifacts if a.path == path and isinstance(a.tree, dict))

    def _targets(self, application: Tree) -> list[Tree]:
        found: list[Tree] = []
        for _, source in read.sources_of(application):
            if "chart" in source:
                (file,) = source["helm"]["valueFiles"]
                values = self._file(file.removeprefix(f"$values/{self.site.gitops.path}/"))
                namespace = application["spec"]["destination"]["namespace"]
                makes = "CreateNamespace=true" in application["spec"]["syncPolicy"]["syncOptions"]
                content = [source["targetRevision"], values]
                found.append(release(source["helm"]["releaseName"], namespace, content, makes=makes))
            else:
                files = read.read_by_directory(self.site, source, self.artifacts)
                found += [file.manifest for file in files if file.manifest]
        return found

    def _permitted(self, application: Tree, tree: Tree) -> bool:
        project = self.cluster.live.get(("AppProject", "argocd", application["spec"]["project"]))
        if project is None:
            raise Stuck(f"project {application['spec']['project']} is gone before its Application")
        if tree["kind"] == "Release":
            return any(entry["namespace"] == tree["at"] for entry in project.tree["spec"]["destinations"])
        return read.is_allowed(tree, project.tree["spec"])

    def _sync(self, application: Tree) -> None:
        name = str(application["metadata"]["name"])
        targets = self._targets(application)
        for tree in targets:
            if not self._permitted(application, tree):
                raise Stuck(f"{key_of(tree)} is not permitted in {application['spec']['project']}")
        keep = {key_of(tree) for tree in targets}
        gone = [live.tree for key, live in self.cluster.live.items() if live.owner == name and key not in keep]
        gone = [t for t in gone if self._permitted(application, t) and "Prune=false" not in _annotation(t, OPTIONS)]
        last = "PruneLast=true" in application["spec"]["syncPolicy"]["syncOptions"]
        for pruned, applied in _waves(targets, gone, last=last):
            for tree in pruned:
                self._prune(tree)
            for tree in applied:
                self.cluster.apply(tree, name)
            self.cluster.healthy(applied)
            for tree in applied:
                if tree["kind"] == "Application":
                    self._sync(tree)

    def _prune(self, tree: Tree) -> None:
        if tree["kind"] == "Application" and tree["metadata"].get("finalizers"):
            for key in self.cluster.owned(str(tree["metadata"]["name"])):
                if self._permitted(tree, self.cluster.live[key].tree):
                    self.cluster.remove(key)
        self.cluster.remove(key_of(tree))


def _waves(targets: list[Tree], gone: list[Tree], *, last: bool) -> Iterator[tuple[list[Tree], list[Tree]]]:
    """Yield what each wave prunes, and what it applies: what goes, goes the other way round, or at the end."""
    applied = {wave: [t for t in targets if _wave(t) == wave] for wave in sorted({_wave(t) for t in targets})}
    waves = sorted({_wave(tree) for tree in gone})
    turned = dict(zip(waves, reversed(waves), strict=True))
    end = max([0, *applied, *waves]) + 1
    pruned: dict[int, list[Tree]] = {}
    for tree in gone:
        pruned.setdefault(end if last else turned[_wave(tree)], []).append(tree)
    for wave in sorted({*applied, *pruned}):
        yield pruned.get(wave, []), applied.get(wave, [])


def _wave(tree: Tree) -> int:
    return int(_annotation(tree, WAVE) or 0)


# --- Flux -------------------------------------------------------------------------------------------------------------


class Flux:
    """Flux, handed a site's GitRepository and its own Kustomization."""

    def __init__(self, cluster: Cluster) -> None:
        """Watch a cluster."""
        self.cluster = cluster

    def deliver(self, site: Site) -> None:
        """Take in what a site's folder in git holds now."""
        self.site, self.artifacts = site, output(site)
        root = next(a.tree for a in self.artifacts if a.path == "gitops/flux/kustomization-site.yaml")
        assert isinstance(root, dict)
        self._reconcile(root)
        done: set[str] = {str(root["metadata"]["name"])}
        waiting = [live.tree for key, live in self.cluster.live.items() if key[0] == "Kustomization"]
        waiting = [tree for tree in waiting if tree["metadata"]["name"] not in done]
        while waiting:
            ready = [t for t in waiting if {other["name"] for other in t["spec"].get("dependsOn") or ()} <= done]
            if not ready:
                raise Stuck("Kustomizations wait for one another")
            for tree in ready:
                self._reconcile(tree)
                done.add(str(tree["metadata"]["name"]))
            waiting = [tree for tree in waiting if tree not in ready]

    def _reconcile(self, kustomization: Tree) -> None:
        name = str(kustomization["metadata"]["name"])
        read_files = read.read_by_kustomization(self.site, kustomization, self.artifacts)
        targets = [artifact.tree for artifact in read_files if isinstance(artifact.tree, dict)]
        targets += [_installed(tree["spec"]) for tree in targets if tree["kind"] == "HelmRelease"]
        for tree in sorted(targets, key=lambda tree: tree["kind"] != "Namespace"):  # as the controller stages them
            self.cluster.apply(tree, name)
        keep = {key_of(tree) for tree in targets}
        for key in self.cluster.owned(name):
            if key not in keep and kustomization["spec"]["prune"]:
                self._prune(key)
        if kustomization["spec"]["wait"]:
            self.cluster.healthy(targets)

    def _prune(self, key: Key) -> None:
        tree = self.cluster.live[key].tree
        if _annotation(tree, "kustomize.toolkit.fluxcd.io/prune") == "disabled":
            return
        if key[0] == "Kustomization":
            for below in self.cluster.owned(key[2]):
                self._prune(below)
        self.cluster.remove(key)


def _installed(spec: Tree) -> Tree:
    makes = bool(spec["install"].get("createNamespace"))
    return release(spec["releaseName"], spec["targetNamespace"], [spec.get("chart"), spec["values"]], makes=makes)


# --- kubectl ----------------------------------------------------------------------------------------------------------


class Kubectl:
    """A person with kubectl and helm who goes through the runbook's “Deliver”: nothing is pruned."""

    def __init__(self, cluster: Cluster) -> None:
        """Work on a cluster."""
        self.cluster = cluster

    def deliver(self, site: Site) -> None:
        """Install the charts, apply every phase in order, install the hubs."""
        artifacts = output(site)
        for chart in site.charts:
            self.cluster.apply(release(chart.name, chart.namespace, chart.version, makes=True), "helm")
        for phase in _phases(artifacts):
            trees = [a.tree for a in artifacts if a.path.startswith(f"manifests/{phase}/") and a.manifest]
            objects = [tree for tree in trees if isinstance(tree, dict) and "metadata" in tree]
            # kustomize puts namespaces first.
            for tree in sorted(objects, key=lambda tree: tree["kind"] != "Namespace"):
                self.cluster.apply(tree, "a person")
            self.cluster.healthy(objects)


def _phases(artifacts: Sequence[Artifact]) -> list[str]:
    return sorted({a.path.split("/")[1] for a in artifacts if a.path.startswith("manifests/")})
