"""Rules about the rendered objects: duplicates, references, selectors, ports, Pod Security, secrets."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from jhecfg import leaks
from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, Loc
from jhecfg.site import Site

Objects = Sequence[tuple[str, Tree]]
"""(artifact path, object) pairs."""


class Outputs(tuple[Artifact, ...]):
    """A site's artifacts, with what many rules ask for picked out once: Kubernetes objects, and those of delivery.

    `secrets` are the references to Secrets, once a rule asked for them (`rules.secrets.references`).
    """

    objects: list[tuple[str, Tree]]
    delivery: tuple[Artifact, ...]
    secrets: tuple[Any, ...] | None

    def __new__(cls, artifacts: Iterable[Artifact]) -> Outputs:
        """Take the artifacts in their order."""
        self = super().__new__(cls, artifacts)
        self.objects = objects_of(tuple(self))
        self.delivery = delivery_of(tuple(self))
        self.secrets = None
        return self


def objects_of(artifacts: Sequence[Artifact]) -> list[tuple[str, Tree]]:
    """Return the Kubernetes objects among the artifacts: what reaches the API server.

    That is without eksctl's cluster and the kustomization.yaml files, which have no metadata.
    """
    if isinstance(artifacts, Outputs):
        return artifacts.objects
    pairs = ((artifact.path, artifact.manifest) for artifact in artifacts)
    served = ((path, tree) for path, tree in pairs if path.startswith(("manifests/", "gitops/")))
    return [(path, tree) for path, tree in served if tree is not None and isinstance(tree.get("metadata"), dict)]


def delivery_of(artifacts: Sequence[Artifact]) -> tuple[Artifact, ...]:
    """Return what Argo CD or Flux is told."""
    if isinstance(artifacts, Outputs):
        return artifacts.delivery
    return tuple(artifact for artifact in artifacts if artifact.path.startswith("gitops/"))


def _identity(tree: Tree) -> tuple[str, str, str, str]:
    group = str(tree["apiVersion"]).rpartition("/")[0]
    metadata = tree.get("metadata", {})
    return group, str(tree["kind"]), str(metadata.get("namespace", "")), str(metadata.get("name", ""))


def pods_of(tree: Tree) -> Iterator[tuple[Loc, Tree]]:
    """Yield the pod templates of a workload: where they are, and the template."""
    paths: dict[str, Loc] = {
        "Deployment": ("spec", "template"),
        "Job": ("spec", "template"),
        "CronJob": ("spec", "jobTemplate", "spec", "template"),
    }
    loc = paths.get(str(tree["kind"]))
    if loc is None:
        return
    template: Any = tree
    for part in loc:
        template = template.get(part, {}) if isinstance(template, dict) else {}
    if isinstance(template, dict) and isinstance(template.get("spec"), dict):
        yield loc, template


def containers_of(template: Tree) -> Iterator[tuple[Loc, Tree]]:
    """Yield the containers of a pod template, those that come first included: where they are, and the container."""
    for field in ("initContainers", "containers"):
        for index, container in enumerate(template["spec"].get(field) or ()):
            if isinstance(container, dict):
                yield ("spec", field, index), container


def duplicate_object(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """Two files hold the same object.

    *Why:* whichever is applied last wins, and a GitOps controller applies them for ever in turn.

    *Instead:* give them different names; this is most often a patch that renames.
    """
    first: dict[tuple[str, str, str, str], str] = {}
    for path, tree in objects_of(artifacts):
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
    known = _known(site, artifacts)
    for path, tree in objects_of(artifacts):
        namespace = str(tree.get("metadata", {}).get("namespace", ""))
        for loc, kind, name in references(tree):
            if kind != "Secret" and (kind, namespace, name) not in known:  # dangling-secret knows their keys too
                yield Finding(artifact=path, loc=loc, message=f"{kind} '{name}' is not in namespace '{namespace}'")


def _known(site: Site, artifacts: Sequence[Artifact]) -> set[tuple[str, str, str]]:
    made = {
        (kind, namespace, name) for _, tree in objects_of(artifacts) for _, kind, namespace, name in [_identity(tree)]
    }
    ca = {("ConfigMap", site.namespace, site.database.ca.config_map)} if site.database.ca else set()
    return made | ca


def references(tree: Tree) -> Iterator[tuple[Loc, str, str]]:
    """Yield (place, kind, name) of everything in the same namespace that an object needs."""
    for loc, template in pods_of(tree):
        yield from _pod_references(loc, template)
    spec = tree.get("spec") or {}
    if tree["kind"] == "HTTPRoute":
        for r, rule in enumerate(spec.get("rules") or ()):
            for b, backend in enumerate(rule.get("backendRefs") or ()):
                yield ("spec", "rules", r, "backendRefs", b, "name"), "Service", str(backend.get("name"))
            for f, used in enumerate(rule.get("filters") or ()):
                if used.get("type") == "ExtensionRef":
                    reference, where = used["extensionRef"], ("spec", "rules", r, "filters", f, "extensionRef", "name")
                    yield where, str(reference["kind"]), str(reference["name"])
    if tree["kind"] == "Ingress":
        for r, rule in enumerate(spec.get("rules") or ()):
            for p, path in enumerate(rule["http"]["paths"]):
                service = ("spec", "rules", r, "http", "paths", p, "backend", "service", "name")
                yield service, "Service", str(path["backend"]["service"]["name"])


def _pod_references(loc: Loc, template: Tree) -> Iterator[tuple[Loc, str, str]]:
    spec = template["spec"]
    if "serviceAccountName" in spec:
        yield (*loc, "spec", "serviceAccountName"), "ServiceAccount", str(spec["serviceAccountName"])
    for index, pull in enumerate(spec.get("imagePullSecrets") or ()):
        yield (*loc, "spec", "imagePullSecrets", index, "name"), "Secret", str(pull["name"])
    for index, volume in enumerate(spec.get("volumes") or ()):
        if "configMap" in volume:
            yield (*loc, "spec", "volumes", index, "configMap", "name"), "ConfigMap", str(volume["configMap"]["name"])
        if "secret" in volume:
            yield (
                (*loc, "spec", "volumes", index, "secret", "secretName"),
                "Secret",
                str(volume["secret"]["secretName"]),
            )
    for place, container in containers_of(template):
        yield from _container_references((*loc, *place), container)


def _container_references(loc: Loc, container: Tree) -> Iterator[tuple[Loc, str, str]]:
    for index, source in enumerate(container.get("envFrom") or ()):
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if field in source:
                yield (*loc, "envFrom", index, field, "name"), kind, str(source[field]["name"])
    for index, variable in enumerate(container.get("env") or ()):
        source = variable.get("valueFrom") or {}
        for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
            if field in source:
                yield (*loc, "env", index, "valueFrom", field, "name"), kind, str(source[field]["name"])


def selector_selects_nothing(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A Service, PodDisruptionBudget or NetworkPolicy selects no pod of the site.

    *Why:* it would do nothing: a Service without pods answers 503, a policy without pods protects nobody.

    *Instead:* make the selector match the pods' labels; this is most often a patch of one of the two.
    """
    objects = objects_of(artifacts)
    pods = list(_pod_labels(objects))
    for path, tree in objects:
        for loc, selector in _selectors(tree):
            namespace = str(tree["metadata"].get("namespace", ""))
            if not any(space == namespace and selector.items() <= labels.items() for space, labels in pods):
                yield Finding(artifact=path, loc=loc, message=f"{tree['kind']} selects no pod of the site")


def _pod_labels(objects: Objects) -> Iterator[tuple[str, Mapping[str, str]]]:
    for _, tree in objects:
        for _, template in pods_of(tree):
            yield str(tree["metadata"].get("namespace", "")), template.get("metadata", {}).get("labels", {})


# cert-manager makes these pods; they are not in the output.
_OTHERS = frozenset({"acme.cert-manager.io/http01-solver"})


def _selectors(tree: Tree) -> Iterator[tuple[Loc, Mapping[str, str]]]:
    spec = tree.get("spec") or {}
    places: dict[str, tuple[Loc, Any]] = {
        "Service": (("spec", "selector"), spec.get("selector")),
        "PodDisruptionBudget": (("spec", "selector"), (spec.get("selector") or {}).get("matchLabels")),
        "NetworkPolicy": (("spec", "podSelector"), (spec.get("podSelector") or {}).get("matchLabels")),
    }
    loc, selector = places.get(str(tree["kind"]), ((), None))
    if isinstance(selector, dict) and selector and not _OTHERS & selector.keys():
        yield loc, selector


def unknown_port(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A probe or a Service names a container port that does not exist.

    *Why:* the probe would fail for ever, the Service would have no endpoint.

    *Instead:* name one of the container's ports.
    """
    objects = objects_of(artifacts)
    for path, tree in objects:
        for loc, template in pods_of(tree):
            for place, container in containers_of(template):
                yield from _probe_ports(path, (*loc, *place), container)
        if tree["kind"] == "Service":
            yield from _service_ports(path, tree, objects)


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


def _service_ports(path: str, service: Tree, objects: Objects) -> Iterator[Finding]:
    spec = service.get("spec") or {}
    selector, namespace = spec.get("selector") or {}, service["metadata"].get("namespace")
    names: set[Any] = set()
    for _, tree in objects:
        for _, template in pods_of(tree):
            labels = template.get("metadata", {}).get("labels", {})
            if tree["metadata"].get("namespace") == namespace and selector.items() <= labels.items():
                for _, container in containers_of(template):
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


# Kinds of the output that live in no namespace.
_CLUSTER_WIDE = frozenset({"Namespace", "ClusterIssuer", "GatewayClass", "StorageClass", "IngressClass"})


def unknown_namespace(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object lies in a namespace that nothing makes, or in none.

    *Why:* the API server would refuse it, or put it into whichever namespace the person's context has.

    *Instead:* use the site's namespace, a hub's, or a platform chart's.
    """
    objects = objects_of(artifacts)
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
    for path, tree in objects_of(artifacts):
        if tree["metadata"].get("namespace") != site.namespace:
            continue
        for loc, template in pods_of(tree):
            for place, messages in _loosened(template):
                yield Finding(artifact=path, loc=(*loc, *place), message=", ".join(messages))


def _loosened(template: Tree) -> Iterator[tuple[Loc, list[str]]]:
    """Yield every place that is not `restricted`, with all that is wrong there."""
    spec = template["spec"]
    pod = spec.get("securityContext") or {}
    for field in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(field):
            yield ("spec", field), [f"{field} is not allowed"]
    for index, volume in enumerate(spec.get("volumes") or ()):
        if not _VOLUMES & volume.keys():
            yield ("spec", "volumes", index), ["this kind of volume is not allowed"]
    for place, container in containers_of(template):
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
    strings: set[str] = set()
    for artifact in artifacts:
        if artifact.path.startswith("manifests/") and _is_open_secret(artifact.manifest or {}):
            yield Finding(artifact=artifact.path, loc=(), message="a Secret with its values would be in the output")
        # A page by its lines, most of which the next site's page has too: no shape goes over the end of a line.
        _collect(artifact.tree.split("\n") if isinstance(artifact.tree, str) else artifact.tree, strings)
    if _are_clean(strings):
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


def _are_clean(strings: set[str]) -> bool:
    """Say whether no text has a secret's shape. The new ones are tried together: a try costs more than its text."""
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
    for path, tree in objects_of(artifacts):
        for loc, template in pods_of(tree):
            for place, container in containers_of(template):
                texts = [
                    ((*place, "env", i, "value"), v.get("value")) for i, v in enumerate(container.get("env") or ())
                ]
                for field in ("command", "args"):
                    texts += [((*place, field, i), text) for i, text in enumerate(container.get(field) or ())]
                for where, text in texts:
                    if isinstance(text, str) and _EXPANDS.search(text):
                        yield Finding(artifact=path, loc=(*loc, *where), message="Kubernetes would expand '$(' here",
                                      hint="write $$(")  # fmt: skip


def long_name(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object's name or a label is longer than Kubernetes takes.

    *Instead:* shorten the name of the site or the hub.
    """
    for path, tree in objects_of(artifacts):
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
