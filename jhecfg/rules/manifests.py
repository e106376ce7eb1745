"""Rules about the rendered objects: duplicates, references, selectors, ports, Pod Security, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jhecfg import leaks
from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, Loc
from jhecfg.rules.outputs import Outputs, Pods, backends, namespace_of
from jhecfg.site import Site


def _identity(tree: Tree) -> tuple[str, str, str, str]:
    group = str(tree["apiVersion"]).rpartition("/")[0]
    return group, str(tree["kind"]), namespace_of(tree), str(tree["metadata"]["name"])


def duplicate_object(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """Two files hold the same object.

    *Why:* whichever is applied last wins, and a GitOps controller applies them for ever in turn.

    *Instead:* give them different names; this is most often a patch that renames.
    """
    first: dict[tuple[str, str, str, str], str] = {}
    for path, tree in Outputs.of(artifacts).objects:
        identity = _identity(tree)
        if identity in first:
            yield Finding(
                artifact=path,
                loc=("metadata", "name"),
                message=f"{identity[1]} '{identity[3]}' is also in {first[identity]}",
            )
        first.setdefault(identity, path)


def dangling_reference(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object refers to a ConfigMap, ServiceAccount or Service that nothing brings.

    *Why:* the pod would wait for it for ever.

    *Instead:* correct the name.
    """
    outputs = Outputs.of(artifacts)
    known = _known(site, outputs)
    for path, tree in outputs.objects:
        namespace = namespace_of(tree)
        for loc, kind, name in outputs.needs.get(path, ()):
            if kind != "Secret" and (kind, namespace, name) not in known:  # dangling-secret knows their keys too
                yield Finding(artifact=path, loc=loc, message=f"{kind} '{name}' is not in namespace '{namespace}'")


def _known(site: Site, outputs: Outputs) -> set[tuple[str, str, str]]:
    made = {_identity(tree)[1:] for _, tree in outputs.objects}
    ca = {("ConfigMap", site.namespace, site.database.ca.config_map)} if site.database.ca else set()
    return made | ca


def selector_selects_nothing(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A Service, PodDisruptionBudget or NetworkPolicy selects no pod of the site.

    *Why:* it would do nothing: a Service without pods answers 503, a policy without pods protects nobody.

    *Instead:* make the selector match the pods' labels; this is most often a patch of one of the two.
    """
    outputs = Outputs.of(artifacts)
    for path, tree in outputs.objects:
        for loc, selector in _selectors(tree):
            if not any(_selected(tree, selector, outputs)):
                yield Finding(artifact=path, loc=loc, message=f"{tree['kind']} selects no pod of the site")


def _selected(tree: Tree, selector: Mapping[str, str], outputs: Outputs) -> Iterator[Pods]:
    """Yield the pods that an object's selector finds, in its namespace."""
    namespace = namespace_of(tree)
    for pods in outputs.pods:
        if pods.namespace == namespace and selector.items() <= pods.labels.items():
            yield pods


# cert-manager makes these pods; they are not in the output.
_OTHERS = frozenset({"acme.cert-manager.io/http01-solver"})


_SELECTORS: dict[str, Loc] = {
    "Service": ("spec", "selector"),
    "PodDisruptionBudget": ("spec", "selector"),
    "NetworkPolicy": ("spec", "podSelector"),
}


def _selectors(tree: Tree) -> Iterator[tuple[Loc, Mapping[str, str]]]:
    loc = _SELECTORS.get(str(tree["kind"]))
    if loc is None:
        return
    selector = (tree.get("spec") or {}).get(loc[1])
    if tree["kind"] != "Service":
        selector = (selector or {}).get("matchLabels")
    if isinstance(selector, dict) and selector and not _OTHERS & selector.keys():
        yield loc, selector


def unknown_port(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A probe or a Service names a container port that does not exist, a route a Service's; or a Service has no port.

    *Why:* the probe would fail for ever, the Service would have no endpoint, the route would answer with an error. A
    Service without a port is refused by the API server (kubernetes pkg/apis/core/validation, ValidateService).

    *Instead:* name one of the container's ports, or one of the Service's.
    """
    outputs = Outputs.of(artifacts)
    for pods in outputs.pods:
        for place, container in pods.containers():
            yield from _probe_ports(pods.path, place, container)
    for path, tree in outputs.objects:
        if tree["kind"] == "Service":
            yield from _service_ports(path, tree, outputs)
        yield from _route_ports(path, tree, outputs)


def _probe_ports(path: str, loc: Loc, container: Tree) -> Iterator[Finding]:
    ports = container.get("ports") or ()
    names = {port.get("name") for port in ports} | {port.get("containerPort") for port in ports}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        for action in ("httpGet", "tcpSocket"):
            wanted = ((container.get(probe) or {}).get(action) or {}).get("port")
            if wanted is not None and wanted not in names:
                yield Finding(
                    artifact=path,
                    loc=(*loc, probe, action, "port"),
                    message=f"container '{container.get('name')}' has no port '{wanted}' to probe",
                )


def _service_ports(path: str, service: Tree, outputs: Outputs) -> Iterator[Finding]:
    spec = service.get("spec") or {}
    if not spec.get("ports") and spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName":
        yield Finding(artifact=path, loc=("spec",), message=f"Service '{service['metadata']['name']}' has no port")
    selector = spec.get("selector")
    names: set[Any] = set()
    for pods in _selected(service, selector, outputs) if selector else ():  # without one others say where it leads
        for _, container in pods.containers():
            ports = container.get("ports") or ()
            names |= {port.get("name") for port in ports} | {port.get("containerPort") for port in ports}
    for index, port in enumerate(spec.get("ports") or ()):
        target = port.get("targetPort", port.get("port"))
        if names and target not in names:
            yield Finding(
                artifact=path,
                loc=("spec", "ports", index, "targetPort"),
                message=f"no pod behind Service '{service['metadata']['name']}' has a port '{target}'",
            )


def _route_ports(path: str, route: Tree, outputs: Outputs) -> Iterator[Finding]:
    for loc, backend in backends(route):
        namespace, name = str(backend.get("namespace") or namespace_of(route)), str(backend["name"])
        service = outputs.services.get((namespace, name)) if backend.get("kind", "Service") == "Service" else None
        if service is None:  # dangling-reference says so, where it is not another's
            continue
        there = (service.get("spec") or {}).get("ports") or ()
        for place, port in _port_of(backend):
            if not any(port in (each["port"], each.get("name")) for each in there):
                message = f"Service '{name}' in namespace '{namespace}' has no port '{port}'"
                yield Finding(artifact=path, loc=(*loc, *place), message=message)


def _port_of(backend: Tree) -> Iterator[tuple[Loc, Any]]:
    """Yield the port that a route's backend names, if any: an Ingress says it by its number or by its name."""
    port = backend.get("port")
    if isinstance(port, dict):
        yield from ((("port", field), value) for field, value in port.items())
    elif port is not None:
        yield ("port",), port


# Kinds of the output that live in no namespace.
_CLUSTER_WIDE = frozenset({"Namespace", "ClusterIssuer", "GatewayClass", "StorageClass", "IngressClass"})


def unknown_namespace(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object lies in a namespace that nothing makes, or in none.

    *Why:* the API server would refuse it, or put it into whichever namespace the person's context has.

    *Instead:* use the site's namespace, a hub's, or a platform chart's.
    """
    objects = Outputs.of(artifacts).objects
    made = {str(tree["metadata"]["name"]) for _, tree in objects if tree["kind"] == "Namespace"}
    made |= {"kube-system", site.edge.namespace, "argocd", "flux-system", *(chart.namespace for chart in site.charts)}
    for path, tree in objects:
        namespace = (tree.get("metadata") or {}).get("namespace")
        if namespace is None and tree["kind"] not in _CLUSTER_WIDE and path.startswith("manifests/"):
            if not path.endswith("/kustomization.yaml"):
                yield Finding(artifact=path, loc=("metadata",), message=f"this {tree['kind']} has no namespace")
        elif namespace is not None and namespace not in made:
            yield Finding(
                artifact=path, loc=("metadata", "namespace"), message=f"nothing makes namespace '{namespace}'"
            )


_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
        "image",
    }
)


def pod_security(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A pod of the Exchange does not meet the `restricted` Pod Security Standard.

    *Why:* its namespace enforces that standard, so the API server would refuse the pod.
    https://kubernetes.io/docs/concepts/security/pod-security-standards/

    *Instead:* take back the patch that loosens it.
    """
    for pods in Outputs.of(artifacts).pods:
        if pods.namespace == site.namespace:
            for place, messages in _loosened(pods):
                yield Finding(artifact=pods.path, loc=place, message=", ".join(messages))


def _loosened(pods: Pods) -> Iterator[tuple[Loc, list[str]]]:
    """Yield every place that is not `restricted`, with all that is wrong there."""
    spec = pods.spec
    pod = spec.get("securityContext") or {}
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield (*pods.loc, "spec", field), [f"{field} is not allowed"]
    for index, volume in enumerate(spec.get("volumes") or ()):
        if not _VOLUMES & volume.keys():
            yield (*pods.loc, "spec", "volumes", index), ["this kind of volume is not allowed"]
    for place, container in pods.containers():
        context = container.get("securityContext") or {}
        merged = {**pod, **context}
        wanted = [
            (context.get("allowPrivilegeEscalation") is False, "allowPrivilegeEscalation must be false"),
            ((context.get("capabilities") or {}).get("drop") == ["ALL"], "capabilities must drop ALL"),
            (not (context.get("capabilities") or {}).get("add"), "capabilities may not add any"),
            (merged.get("runAsNonRoot") is True, "runAsNonRoot must be true"),
            (merged.get("runAsUser") != 0, "runAsUser may not be 0"),
            (
                (merged.get("seccompProfile") or {}).get("type") == "RuntimeDefault",
                "seccompProfile must be RuntimeDefault",
            ),
            (not context.get("privileged"), "privileged is not allowed"),
            (not any(port.get("hostPort") for port in container.get("ports") or ()), "hostPort is not allowed"),
        ]
        wrong = [message for right, message in wanted if not right]
        if wrong:
            yield (*place, "securityContext"), wrong


def secret_in_output(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An output would hold a secret.

    *Why:* the output is checked into git and read by everybody who reviews it.

    *Instead:* keep the value in a Secret, and refer to it by name and key.
    """
    for artifact in artifacts:
        if artifact.path.startswith("manifests/") and _is_open_secret(artifact.manifest or {}):
            yield Finding(artifact=artifact.path, loc=(), message="a Secret with its values would be in the output")
    if _are_clean(artifacts):
        return
    for artifact in artifacts:
        for loc, text in _texts(artifact.tree):
            shape = leaks.secret_shape(text)
            if shape:
                yield Finding(artifact=artifact.path, loc=loc, message=f"the output would hold {shape}")


def _is_open_secret(tree: Tree) -> bool:
    """Say whether an object is a Secret with a value that anybody can read."""
    if tree.get("kind") != "Secret":
        return False
    from jhecfg.sealed.forms import is_encrypted_secret  # not before: most sites have none

    return not is_encrypted_secret(tree)


_CLEAN: set[str] = set()
"""Texts without a secret: the same labels, kinds and scripts stand in every file of every site."""


def _are_clean(artifacts: Sequence[Artifact]) -> bool:
    """Say whether no text has a secret's shape. The new ones are tried together: a try costs more than its text."""
    strings: set[str] = set()
    for artifact in artifacts:
        # A page by its lines, most of which the next site's page has too: no shape goes over the end of a line.
        _collect(artifact.tree.split("\n") if isinstance(artifact.tree, str) else artifact.tree, strings)
    fresh = strings - _CLEAN
    if leaks.secret_shape("\n".join(fresh)):
        return False
    if len(_CLEAN) > 8192:
        _CLEAN.clear()
    _CLEAN.update(fresh)
    return True


def _collect(tree: Any, strings: set[str]) -> None:
    """Gather every text of a tree, without places: these are only needed when something is found."""
    todo, add = [tree], strings.add
    while todo:
        node = todo.pop()
        for value in node.values() if type(node) is dict else node:
            kind = type(value)
            if kind is str:
                add(value)
            elif kind is dict or kind is list:
                todo.append(value)


def _texts(tree: Any, loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    if isinstance(tree, str):
        yield loc, tree
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _texts(value, (*loc, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _texts(value, (*loc, index))


_EXPANDS = re.compile(r"(?<!\$)(?:\$\$)*\$\(")


def expandable_text(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A value of a variable, a command or an argument holds `$(`, which Kubernetes expands.

    *Why:* a value from the spec travels as data, and is never to be read as something else.

    *Instead:* write `$$(`.
    """
    for pods in Outputs.of(artifacts).pods:
        for place, container in pods.containers():
            texts = [((*place, "env", i, "value"), v.get("value")) for i, v in enumerate(container.get("env") or ())]
            for field in ("command", "args"):
                texts += [((*place, field, i), text) for i, text in enumerate(container.get(field) or ())]
            for loc, text in texts:
                if isinstance(text, str) and _EXPANDS.search(text):
                    message = "Kubernetes would expand '$(' here"
                    yield Finding(artifact=pods.path, loc=loc, message=message, hint="write $$(")


def long_name(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object's name or a label is longer than Kubernetes takes.

    *Instead:* shorten the name of the site or the hub.
    """
    for path, tree in Outputs.of(artifacts).objects:
        metadata = tree.get("metadata") or {}
        limit = 63 if tree["kind"] in ("Service", "Namespace", "Job", "CronJob") else 253
        if len(str(metadata.get("name", ""))) > limit:
            yield Finding(
                artifact=path, loc=("metadata", "name"), message=f"this name is longer than {limit} characters"
            )
        for key, value in (metadata.get("labels") or {}).items():
            if len(str(value)) > 63:
                yield Finding(
                    artifact=path, loc=("metadata", "labels", key), message="a label is at most 63 characters long"
                )
