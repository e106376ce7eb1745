"""References: every name that an output says of another object, and whether there is such a thing. Knows no rule's code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any, NamedTuple

from jhecfg.pipeline import Build

Tree = dict[str, Any]

# What charts and clusters bring: the namespaces that they make, the classes that they know, what a spec may lean on.
CHART_NAMESPACES = {
    "argocd", "cert-manager", "default", "envoy-gateway-system", "external-dns", "external-secrets", "flux-system",
    "ingress-nginx", "kube-system",
}  # fmt: skip
BROUGHT_CLASSES = {"eg", "nginx", "shared"}
BROUGHT_ISSUERS = {"university-ca"}
CHART_SERVICES = {("proxy-public", 80), ("proxy-public", "http")}
"""What the hub's chart makes in the hub's namespace, for routes: its proxy."""


class Wanted(NamedTuple):
    """A reference: the file that makes it, the kind of what is meant, its namespace, its name, and a key or port."""

    path: str
    kind: str
    namespace: str
    name: str
    part: object = None


SOLVER = "acme.cert-manager.io/http01-solver=true"
"""The pods that cert-manager starts to prove a domain."""


def dangling(build: Build) -> list[Wanted]:
    """Return the references of a build's outputs that lead nowhere."""
    objects = [(a.path, a.tree) for a in build.artifacts if isinstance(a.tree, dict) and "kind" in a.tree]
    there = _there(build, [tree for _, tree in objects])
    folders = {str(above) for path in build.files for above in PurePosixPath(path).parents} | set(build.files)
    wanted = [each for path, tree in objects for each in _wanted(path, tree)]
    lost = [each for each in wanted if each.kind != "path" and each[1:] not in there]
    return lost + [each for each in wanted if each.kind == "path" and each.name not in folders]


def _there(build: Build, objects: list[Tree]) -> set[tuple[str, str, str, object]]:
    """Return what exists: kind, namespace, name, and None or each key and port."""
    site = build.site
    found: set[tuple[str, str, str, object]] = set()

    def add(kind: str, namespace: str, name: str, *parts: object) -> None:
        found.update((kind, namespace, name, part) for part in (None, *parts))

    for tree in objects:
        kind, meta = tree["kind"], tree.get("metadata", {"name": ""})  # kustomize's own files have no name
        namespace = meta.get("namespace", "")
        add(kind, namespace, meta["name"], *_parts(tree))
        add("pods", namespace, SOLVER)
        for label in _pod_labels(tree):
            add("pods", namespace, _shown(label))
        if kind == "Certificate":
            add("Secret", namespace, tree["spec"]["secretName"])
        if kind == "ExternalSecret":
            add("Secret", namespace, meta["name"], *(item["secretKey"] for item in tree["spec"]["data"]))
    for need in site.secrets:
        if site.external_secrets is None or not need.owned:
            add("Secret", need.namespace, need.name, *(item.key for item in need.items))
    for name in CHART_NAMESPACES:
        add("Namespace", "", name)
    for name in BROUGHT_CLASSES:
        add("GatewayClass", "", name)
        add("IngressClass", "", name)
    for name in BROUGHT_ISSUERS:
        add("ClusterIssuer", "", name)
    for hub in site.hubs:
        for name, port in CHART_SERVICES:
            add("Service", hub.namespace, str(name), port)
    return found


def _parts(tree: Tree) -> list[object]:
    spec = tree.get("spec", {})
    if tree["kind"] in ("ConfigMap", "Secret"):
        return list(tree.get("data", {}))
    if tree["kind"] == "Service":
        return [part for port in spec["ports"] for part in (port["port"], port.get("name"))]
    if tree["kind"] == "Gateway":
        return [listener["name"] for listener in spec["listeners"]]
    return []


def _pod_labels(tree: Tree) -> Iterator[dict[str, str]]:
    """Yield every set of labels that selects pods of an object: all of its subsets of one or two will do."""
    template = pod_template(tree)
    labels = (template or {}).get("metadata", {}).get("labels", {})
    for key, value in labels.items():
        yield {key: value}
        yield from ({key: value, other: labels[other]} for other in labels if other > key)


def _shown(labels: dict[str, str]) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def pod_template(tree: Tree) -> Tree | None:
    """Return the pod template of an object that has one."""
    spec = tree.get("spec", {})
    if tree.get("kind") == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    if tree.get("kind") not in ("Deployment", "Job", "CronJob"):
        return None
    template: Tree = spec["template"]
    return template


def _wanted(path: str, tree: Tree) -> Iterator[Wanted]:
    kind, namespace = tree["kind"], tree["metadata"].get("namespace", "") if "metadata" in tree else ""
    if namespace:
        yield Wanted(path, "Namespace", "", namespace)
    template = pod_template(tree)
    if template is not None:
        yield from _of_pod(path, namespace, template["spec"])
        labels = tree["spec"].get("selector", {}).get("matchLabels", {})
        if labels:
            yield Wanted(path, "pods", namespace, _shown(labels))
    find = _FINDERS.get(kind)
    if find is not None:
        yield from find(path, namespace, tree)


def _of_pod(path: str, namespace: str, pod: Tree) -> Iterator[Wanted]:
    if "serviceAccountName" in pod:
        yield Wanted(path, "ServiceAccount", namespace, pod["serviceAccountName"])
    for secret in pod.get("imagePullSecrets", ()):
        yield Wanted(path, "Secret", namespace, secret["name"])
    volumes = {volume["name"] for volume in pod.get("volumes", ())}
    for volume in pod.get("volumes", ()):
        for source, kind, key in (("configMap", "ConfigMap", "name"), ("secret", "Secret", "secretName")):
            if source in volume:
                yield Wanted(path, kind, namespace, volume[source][key])
                for item in volume[source].get("items", ()):
                    yield Wanted(path, kind, namespace, volume[source][key], item["key"])
        if "persistentVolumeClaim" in volume:
            yield Wanted(path, "PersistentVolumeClaim", namespace, volume["persistentVolumeClaim"]["claimName"])
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        for mount in container.get("volumeMounts", ()):
            if mount["name"] not in volumes:
                yield Wanted(path, "volume", namespace, mount["name"])
        for source in container.get("envFrom", ()):
            for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
                if field in source:
                    yield Wanted(path, kind, namespace, source[field]["name"])
        for entry in container.get("env", ()):
            for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
                if field in entry.get("valueFrom", {}):
                    ref = entry["valueFrom"][field]
                    yield Wanted(path, kind, namespace, ref["name"], ref["key"])
        ports = {port.get("name") for port in container.get("ports", ())} | {
            port["containerPort"] for port in container.get("ports", ())
        }
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            port = container.get(probe, {}).get("httpGet", {}).get("port")
            if port is not None and port not in ports:
                yield Wanted(path, "containerPort", namespace, str(port))


def _selected(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    labels = tree["spec"]["selector"]
    yield Wanted(path, "pods", namespace, _shown(labels.get("matchLabels", labels)))


def _policy(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    """A NetworkPolicy's pods are ours, and so are the peers in its own namespace."""
    spec = tree["spec"]
    labels = spec["podSelector"].get("matchLabels", {})
    if labels:
        yield Wanted(path, "pods", namespace, _shown(labels))
    peers = [
        peer
        for rule in (*spec.get("ingress", ()), *spec.get("egress", ()))
        for peer in (*rule.get("from", ()), *rule.get("to", ()))
    ]
    for peer in peers:
        space = peer.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
        if space is not None:
            yield Wanted(path, "Namespace", "", space)
        elif "podSelector" in peer and "namespaceSelector" not in peer and peer["podSelector"].get("matchLabels"):
            yield Wanted(path, "pods", namespace, _shown(peer["podSelector"]["matchLabels"]))


def _targets(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    for ref in tree["spec"]["targetRefs"]:
        yield Wanted(path, ref["kind"], namespace, ref["name"])


def _certificate(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    ref = tree["spec"]["issuerRef"]
    yield Wanted(path, ref["kind"], "" if ref["kind"] == "ClusterIssuer" else namespace, ref["name"])


def _issuer(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    for solver in tree["spec"].get("acme", {}).get("solvers", ()):
        for ref in solver["http01"].get("gatewayHTTPRoute", {}).get("parentRefs", ()):
            yield Wanted(path, "Gateway", ref["namespace"], ref["name"], ref.get("sectionName"))
        if "ingress" in solver["http01"]:
            yield Wanted(path, "IngressClass", "", solver["http01"]["ingress"]["ingressClassName"])


def _gateway(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    spec = tree["spec"]
    yield Wanted(path, "GatewayClass", "", spec["gatewayClassName"])
    if "infrastructure" in spec:
        ref = spec["infrastructure"]["parametersRef"]
        yield Wanted(path, ref["kind"], namespace, ref["name"])
    for listener in spec["listeners"]:
        for ref in listener.get("tls", {}).get("certificateRefs", ()):
            yield Wanted(path, "Secret", namespace, ref["name"])
        labels = listener["allowedRoutes"]["namespaces"].get("selector", {}).get("matchLabels", {})
        if labels:
            yield Wanted(path, "Namespace", "", labels["kubernetes.io/metadata.name"])


def _route(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    for ref in tree["spec"]["parentRefs"]:
        yield Wanted(path, "Gateway", ref.get("namespace", namespace), ref["name"], ref.get("sectionName"))
    for rule in tree["spec"]["rules"]:
        for ref in rule.get("backendRefs", ()):
            yield Wanted(path, "Service", ref.get("namespace", namespace), ref["name"], ref["port"])
        for each in rule.get("filters", ()):
            if "extensionRef" in each:
                yield Wanted(path, each["extensionRef"]["kind"], namespace, each["extensionRef"]["name"])


def _ingress(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    spec = tree["spec"]
    yield Wanted(path, "IngressClass", "", spec["ingressClassName"])
    for rule in spec["rules"]:
        for each in rule["http"]["paths"]:
            service = each["backend"]["service"]
            port = service["port"]
            yield Wanted(path, "Service", namespace, service["name"], port.get("number", port.get("name")))
    annotations = tree["metadata"].get("annotations", {})
    issuer = annotations.get("cert-manager.io/cluster-issuer")
    if issuer is not None:
        yield Wanted(path, "ClusterIssuer", "", issuer)


def _external_secret(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    ref = tree["spec"]["secretStoreRef"]
    yield Wanted(path, ref["kind"], "" if ref["kind"] == "ClusterSecretStore" else namespace, ref["name"])


def _application(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    spec = tree["spec"]
    yield Wanted(path, "AppProject", namespace, spec["project"])
    destination = spec["destination"].get("namespace")
    if destination:
        yield Wanted(path, "Namespace", "", destination)
    for source in (*spec.get("sources", ()), *([spec["source"]] if "source" in spec else ())):
        yield from (Wanted(path, "path", "", _inside(place)) for place in _places(source))


def _places(source: Tree) -> Iterator[str]:
    if source.get("path"):
        yield source["path"]
    for place in source.get("helm", {}).get("valueFiles", ()):
        yield place.removeprefix("$values/")


def _inside(place: str) -> str:
    """Return a path of the repository as one in the site's folder: without `out/<site>/`."""
    return "/".join(place.removeprefix("./").split("/")[2:]) or "."


def _delivery(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    """Flux's Kustomizations, and kustomize's own, which have no spec."""
    if "spec" not in tree:
        folder = PurePosixPath(path).parent
        yield from (Wanted(path, "path", "", str(folder / each)) for each in tree["resources"])
        return
    spec = tree["spec"]
    yield Wanted(path, "path", "", _inside(spec["path"]))
    yield Wanted(
        path, spec["sourceRef"]["kind"], spec["sourceRef"].get("namespace", namespace), spec["sourceRef"]["name"]
    )
    yield from (
        Wanted(path, "Kustomization", each.get("namespace", namespace), each["name"])
        for each in spec.get("dependsOn", ())
    )


def _helm_release(path: str, namespace: str, tree: Tree) -> Iterator[Wanted]:
    spec = tree["spec"]
    yield from (
        Wanted(path, "HelmRelease", each.get("namespace", namespace), each["name"])
        for each in spec.get("dependsOn", ())
    )
    ref = spec["chartRef"] if "chartRef" in spec else spec["chart"]["spec"]["sourceRef"]
    yield Wanted(path, ref["kind"], ref.get("namespace", namespace), ref["name"])


_FINDERS = {
    "Service": _selected, "PodDisruptionBudget": _selected, "NetworkPolicy": _policy, "BackendTrafficPolicy": _targets,
    "ClientTrafficPolicy": _targets, "Certificate": _certificate, "ClusterIssuer": _issuer, "Gateway": _gateway,
    "HTTPRoute": _route, "Ingress": _ingress, "ExternalSecret": _external_secret, "Application": _application,
    "Kustomization": _delivery, "HelmRelease": _helm_release,
}  # fmt: skip
KNOWN_KINDS = {
    *_FINDERS, "AppProject", "ConfigMap", "CronJob", "Deployment", "EnvoyProxy", "GatewayClass", "GitRepository",
    "HTTPRouteFilter", "HelmRepository", "IngressClass", "Job", "Namespace", "OCIRepository", "Secret", "SecretStore",
    "ServiceAccount", "StorageClass", "ClusterConfig", "ApplicationSet", "PersistentVolumeClaim", "SecurityPolicy",
}  # fmt: skip
"""Kinds whose references are followed, or that have none; a new kind must be thought about."""
