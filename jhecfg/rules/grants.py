"""Rules about references into another namespace: what the other side has not granted is as if it were not there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, Loc
from jhecfg.rules.outputs import backends, namespace_of
from jhecfg.site import Site

_GATEWAY = "gateway.networking.k8s.io"
_FLUX = (
    ("spec", "sourceRef"),
    ("spec", "chartRef"),
    ("spec", "chart", "spec", "sourceRef"),
)


class _Reference(NamedTuple):
    """A reference: where it stands, from what, to what (group, kind, namespace, name)."""

    loc: Loc
    source: tuple[str, str, str]
    target: tuple[str, str, str, str]


def reference_not_granted(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object refers to one in another namespace, which has not allowed it.

    *Why:* a Gateway takes routes only from the namespaces that its listener allows, and a Service or a Secret of
    another namespace needs a ReferenceGrant there. Flux refuses other namespaces where tenants are kept apart. The
    object is accepted, and does nothing.

    *Instead:* take back the patch that changed the namespace, or the listener's `allowedRoutes`.
    """
    trees = [(a.path, a.manifest) for a in artifacts if a.manifest and isinstance(a.manifest.get("metadata"), dict)]
    gateways = {_identity(tree): tree for _, tree in trees if tree["kind"] == "Gateway"}
    labels = {str(tree["metadata"]["name"]): _labels(tree) for _, tree in trees if tree["kind"] == "Namespace"}
    shared = None if site.edge.own_gateway else (site.edge.namespace, site.edge.gateway)
    for path, namespace, loc, parent in _parents(site, artifacts):
        problem = _refused(gateways, labels, namespace, parent)
        if problem and shared != (parent.get("namespace"), parent.get("name")):  # the listeners of others are unknown
            yield Finding(artifact=path, loc=loc, message=problem)
    grants = [tree for _, tree in trees if tree["kind"] == "ReferenceGrant"]
    for path, tree in trees:
        for reference in _across(tree):
            if not any(_grants(grant, reference) for grant in grants):
                _, kind, namespace, name = reference.target
                message = f"namespace '{namespace}' does not grant {kind} '{name}' to '{reference.source[2]}'"
                yield Finding(artifact=path, loc=reference.loc, message=message)


def _identity(tree: Tree) -> tuple[str, str]:
    return namespace_of(tree), str(tree["metadata"]["name"])


def _labels(tree: Tree) -> dict[str, Any]:
    return tree["metadata"].get("labels") or {}


# --- routes and Gateways ----------------------------------------------------------------------------------------------


def _parents(site: Site, artifacts: Sequence[Artifact]) -> Iterator[tuple[str, str, Loc, Tree]]:
    """Yield (file, namespace of the route, place, reference to a Gateway), of our routes and of the hubs' charts."""
    for artifact in artifacts:
        tree = artifact.manifest
        if tree is not None and tree["kind"] == "HTTPRoute":
            for index, parent in enumerate(tree["spec"].get("parentRefs") or ()):
                yield artifact.path, _identity(tree)[0], ("spec", "parentRefs", index), parent
    for hub in site.cluster_hubs:
        path = f"hubs/{hub.name}/values.yaml"
        values: Any = next((a.tree for a in artifacts if a.path == path), {})
        route = values.get("httpRoute") or {}
        if route.get("enabled") and isinstance(route.get("gateway"), dict):
            yield path, hub.namespace, ("httpRoute", "gateway"), route["gateway"]


def _refused(
    gateways: dict[tuple[str, str], Tree], labels: dict[str, dict[str, Any]], namespace: str, parent: Tree
) -> str:
    """Say why a Gateway does not take a route of this namespace, or nothing if it does."""
    if parent.get("kind", "Gateway") != "Gateway":
        return ""
    where, name = str(parent.get("namespace", namespace)), str(parent.get("name"))
    gateway = gateways.get((where, name))
    if gateway is None:
        return f"there is no Gateway '{name}' in '{where}'"
    section = parent.get("sectionName")
    listeners = [each for each in gateway["spec"].get("listeners") or () if section in (None, each.get("name"))]
    if not listeners:
        return f"Gateway '{name}' has no " + ("listeners" if section is None else f"listener '{section}'")
    if not any(_admits(listener, where, namespace, labels.get(namespace, {})) for listener in listeners):
        return f"Gateway '{name}' takes no routes from namespace '{namespace}' there"
    return ""


def _admits(listener: Tree, own: str, namespace: str, labels: dict[str, Any]) -> bool:
    allowed = (listener.get("allowedRoutes") or {}).get("namespaces") or {}
    kind = allowed.get("from", "Same")
    if kind == "Selector":
        return _selects(allowed.get("selector") or {}, {**labels, "kubernetes.io/metadata.name": namespace})
    return bool(kind == "All" or (kind == "Same" and namespace == own))


def _selects(selector: Tree, labels: dict[str, Any]) -> bool:
    wanted = (selector.get("matchLabels") or {}).items()
    terms = selector.get("matchExpressions") or ()
    return all(labels.get(key) == value for key, value in wanted) and all(_meets(term, labels) for term in terms)


def _meets(term: Tree, labels: dict[str, Any]) -> bool:
    value, values = labels.get(term["key"]), term.get("values") or ()
    return {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }.get(term["operator"], False)


# --- Services, Secrets, sources ---------------------------------------------------------------------------------------


def _across(tree: Tree) -> Iterator[_Reference]:
    """Yield the references of an object into another namespace."""
    namespace, kind = _identity(tree)[0], str(tree["kind"])
    group = str(tree["apiVersion"]).rpartition("/")[0]
    for loc, used, default in _references(tree):
        other = str(used.get("namespace") or namespace)
        if other != namespace:
            target = (str(used.get("group", "")), str(used.get("kind", default)), other, str(used.get("name")))
            yield _Reference((*loc, "namespace"), (group, kind, namespace), target)


def _references(tree: Tree) -> Iterator[tuple[Loc, Tree, str]]:
    """Yield what may refer into another namespace: the place, the reference, the kind that it means if it says none."""
    yield from ((loc, backend, "Service") for loc, backend in backends(tree))
    if tree["kind"] == "Gateway":
        yield from _certificates(tree)
    elif str(tree["apiVersion"]).partition("/")[0].endswith(".toolkit.fluxcd.io"):
        yield from _flux_sources(tree)


def _certificates(gateway: Tree) -> Iterator[tuple[Loc, Tree, str]]:
    for index, listener in enumerate(gateway["spec"].get("listeners") or ()):
        for c, used in enumerate((listener.get("tls") or {}).get("certificateRefs") or ()):
            yield ("spec", "listeners", index, "tls", "certificateRefs", c), used, "Secret"


def _flux_sources(tree: Tree) -> Iterator[tuple[Loc, Tree, str]]:
    for loc in _FLUX:
        found: Any = tree
        for key in loc:
            found = found.get(key) or {}
        if found:
            yield loc, found, "source"
    for index, other in enumerate(tree["spec"].get("dependsOn") or ()):
        yield ("spec", "dependsOn", index), other, str(tree["kind"])


def _grants(grant: Tree, reference: _Reference) -> bool:
    """Say whether a ReferenceGrant allows a reference; Flux knows none."""
    (group, kind, namespace), (to_group, to_kind, to_namespace, name) = reference.source, reference.target
    spec = grant["spec"]
    return (
        group == _GATEWAY
        and _identity(grant)[0] == to_namespace
        and {"group": group, "kind": kind, "namespace": namespace} in (spec.get("from") or ())
        and any(
            (each.get("group", ""), each.get("kind")) == (to_group, to_kind) and each.get("name", name) == name
            for each in spec.get("to") or ()
        )
    )


RULES = (reference_not_granted,)
"""All of them, in the order in which they are said."""
