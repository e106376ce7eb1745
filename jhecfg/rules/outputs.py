"""Outputs: a site's artifacts, with what many rules ask of them picked out once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Loc

Objects = Sequence[tuple[str, Tree]]
"""(artifact path, object) pairs."""

Need = tuple[Loc, str, str]
"""Something in the same namespace that an object needs: where it says so, the kind, the name."""

_TEMPLATES: dict[str, Loc] = {
    "Deployment": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


def namespace_of(tree: Tree) -> str:
    """Return the namespace that an object lies in; nothing for one that lies in none."""
    return str(tree["metadata"].get("namespace", ""))


class Pods(NamedTuple):
    """The pods of a workload: its file and its object, where the template stands in it, and the template."""

    path: str
    workload: Tree
    loc: Loc
    template: Tree

    @property
    def namespace(self) -> str:
        """Where they run."""
        return namespace_of(self.workload)

    @property
    def spec(self) -> Tree:
        """What they are to be."""
        spec: Tree = self.template["spec"]
        return spec

    @property
    def labels(self) -> Mapping[str, str]:
        """What a selector finds them by."""
        labels: Mapping[str, str] = self.template.get("metadata", {}).get("labels", {})
        return labels

    def containers(self) -> Iterator[tuple[Loc, Tree]]:
        """Yield the containers, those that come first included: where each is in the object, and the container."""
        for field in ("initContainers", "containers"):
            for index, container in enumerate(self.spec.get(field) or ()):
                if isinstance(container, dict):
                    yield (*self.loc, "spec", field, index), container


class Outputs(tuple[Artifact, ...]):
    """A site's artifacts in their order.

    `secrets` are the references to Secrets, once a rule asked for them (`rules.secrets.references`).
    """

    secrets: tuple[Any, ...] | None = None

    @classmethod
    def of(cls, artifacts: Sequence[Artifact]) -> Outputs:
        """Return these artifacts as outputs, which they may be already."""
        return artifacts if isinstance(artifacts, Outputs) else cls(artifacts)

    @cached_property
    def objects(self) -> list[tuple[str, Tree]]:
        """The Kubernetes objects: what reaches the API server.

        That is without eksctl's cluster and the kustomization.yaml files, which have no metadata.
        """
        pairs = ((artifact.path, artifact.manifest) for artifact in self)
        served = ((path, tree) for path, tree in pairs if path.startswith(("manifests/", "gitops/")))
        return [(path, tree) for path, tree in served if tree is not None and isinstance(tree.get("metadata"), dict)]

    @cached_property
    def delivery(self) -> tuple[Artifact, ...]:
        """What Argo CD or Flux is told."""
        return tuple(artifact for artifact in self if artifact.path.startswith("gitops/"))

    @cached_property
    def pods(self) -> tuple[Pods, ...]:
        """The pods of every workload."""
        return tuple(pods for path, tree in self.objects for pods in _pods(path, tree))

    @cached_property
    def services(self) -> Mapping[tuple[str, str], Tree]:
        """The Services, by namespace and name."""
        served = (tree for _, tree in self.objects if tree["kind"] == "Service")
        return {(namespace_of(tree), str(tree["metadata"]["name"])): tree for tree in served}

    @cached_property
    def needs(self) -> Mapping[str, tuple[Need, ...]]:
        """What the object of each file needs in its own namespace; nothing of one that needs nothing."""
        found = {pods.path: tuple(_of_pods(pods)) for pods in self.pods}
        routes = {path: tuple(_of_route(tree)) for path, tree in self.objects if tree["kind"] in _ROUTES}
        return found | routes


def _pods(path: str, tree: Tree) -> Iterator[Pods]:
    loc = _TEMPLATES.get(str(tree["kind"]))
    template: Any = tree
    for part in loc or ():
        template = template.get(part) if isinstance(template, dict) else None
    if loc and isinstance(template, dict) and isinstance(template.get("spec"), dict):
        yield Pods(path, tree, loc, template)


_ROUTES = ("HTTPRoute", "Ingress")


def backends(route: Tree) -> Iterator[tuple[Loc, Tree]]:
    """Yield what a route leads to, each with its place; nothing of an object that is no route."""
    if route["kind"] not in _ROUTES:
        return
    for r, rule in enumerate((route.get("spec") or {}).get("rules") or ()):
        for b, backend in enumerate(rule.get("backendRefs") or ()):
            yield ("spec", "rules", r, "backendRefs", b), backend
        for p, path in enumerate((rule.get("http") or {}).get("paths") or ()):
            if "service" in path["backend"]:
                yield ("spec", "rules", r, "http", "paths", p, "backend", "service"), path["backend"]["service"]


def _of_route(route: Tree) -> Iterator[Need]:
    for loc, backend in backends(route):
        yield (*loc, "name"), "Service", str(backend.get("name"))
    for r, rule in enumerate((route.get("spec") or {}).get("rules") or ()):
        for f, used in enumerate(rule.get("filters") or ()):
            if used.get("type") == "ExtensionRef":
                reference, where = used["extensionRef"], ("spec", "rules", r, "filters", f, "extensionRef", "name")
                yield where, str(reference["kind"]), str(reference["name"])


def _of_pods(pods: Pods) -> Iterator[Need]:
    loc, spec = pods.loc, pods.spec
    if "serviceAccountName" in spec:
        yield (*loc, "spec", "serviceAccountName"), "ServiceAccount", str(spec["serviceAccountName"])
    for index, pull in enumerate(spec.get("imagePullSecrets") or ()):
        yield (*loc, "spec", "imagePullSecrets", index, "name"), "Secret", str(pull["name"])
    for index, volume in enumerate(spec.get("volumes") or ()):
        if "configMap" in volume:
            yield (*loc, "spec", "volumes", index, "configMap", "name"), "ConfigMap", str(volume["configMap"]["name"])
        if "secret" in volume:
            where = (*loc, "spec", "volumes", index, "secret", "secretName")
            yield where, "Secret", str(volume["secret"]["secretName"])
    for place, container in pods.containers():
        yield from _of_container(place, container)


def _of_container(loc: Loc, container: Tree) -> Iterator[Need]:
    for index, source in enumerate(container.get("envFrom") or ()):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if field in source:
                yield (*loc, "envFrom", index, field, "name"), kind, str(source[field]["name"])
    for index, variable in enumerate(container.get("env") or ()):
        source = variable.get("valueFrom") or {}
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if field in source:
                yield (*loc, "env", index, "valueFrom", field, "name"), kind, str(source[field]["name"])
