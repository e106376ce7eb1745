"""Rules about references to Secrets: each leads to a value of the inventory, and each value has a reader."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, Loc, Severity
from jhecfg.resolve.secrets import whole_secrets
from jhecfg.rules.outputs import Outputs, Pods, namespace_of
from jhecfg.site import Site


class Reference(NamedTuple):
    """Where an output refers to a Secret. Without `key` it is the whole of it."""

    artifact: str
    loc: Loc
    namespace: str
    name: str
    key: str | None = None
    optional: bool = False


def rotating_password(site: Site) -> Iterator[Finding]:
    """A password that RDS manages is what the Exchange logs in with.

    *Why:* RDS changes it every week, and pods read it once, when they start: every request fails until a restart.

    *Instead:* give the application a database user of its own, whose password changes when you say so.
    """
    for each in site.secrets:
        for item in each.items:
            if item.remote and re.search(r"(^|:)rds!", item.remote.name):
                yield Finding(
                    loc=("secrets", "remote"),
                    message=f"RDS changes '{item.remote.name}' every week, and the Exchange reads it once",
                    hint="give the application a database user of its own, with a password that jhecfg makes",
                    severity=Severity.WARNING,
                )


def dangling_secret(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An output refers to a Secret, or to a key of one, that is not among the site's secrets.

    *Why:* `jhecfg secrets` would not make it, and the pod would wait for it for ever.

    *Instead:* correct the name or the key; `jhecfg secrets list` has them all.
    """
    keys = {(need.namespace, need.name): {item.key for item in need.items} for need in site.secrets}
    whole = {(site.namespace, name) for name in site.image.pull_secrets}
    served = {name for _, name in site.hosts}  # made by cert-manager, or as the runbook's “Certificates” says
    for ref in references(site, artifacts):
        held = keys.get((ref.namespace, ref.name))
        known = held is not None or (ref.namespace, ref.name) in whole or (ref.key is None and ref.name in served)
        if ref.optional or (known and (ref.key is None or held is None or ref.key in held)):
            continue
        what = f"key '{ref.key}' of Secret '{ref.name}'" if known else f"Secret '{ref.name}'"
        yield Finding(
            artifact=ref.artifact, loc=ref.loc, message=f"{what} in namespace '{ref.namespace}' is not the site's"
        )


def unused_secret(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A secret of the site is referred to by no output.

    *Why:* whoever makes, keeps and rotates it would do so for nothing, and what should read it does without.

    *Instead:* take back the patch that removes the reference.
    """
    found = references(site, artifacts)
    whole = {(ref.namespace, ref.name) for ref in found if ref.key is None}
    used = {(ref.namespace, ref.name, ref.key) for ref in found}
    for need in site.secrets:
        for item in need.items:
            if (need.namespace, need.name) not in whole and (need.namespace, need.name, item.key) not in used:
                yield Finding(
                    loc=("patches",), message=f"nothing reads '{item.key}' of Secret '{need.namespace}/{need.name}'"
                )


def references(site: Site, artifacts: Sequence[Artifact]) -> tuple[Reference, ...]:
    """Return every reference to a Secret that pods, edge and hubs need; not those that a controller makes itself."""
    outputs = Outputs.of(artifacts)
    if outputs.secrets is None:
        outputs.secrets = tuple(_references(site, outputs))
    return outputs.secrets


def _references(site: Site, outputs: Outputs) -> Iterator[Reference]:
    for pods in outputs.pods:
        for loc, name, key, optional in _of_pods(pods):
            yield Reference(pods.path, loc, pods.namespace, name, key, optional)
    for path, tree in outputs.objects:
        for place, name in (*_of_account(tree), *_of_edge(tree)):
            yield Reference(path, place, namespace_of(tree), name)
    spaces = {f"hubs/{hub.name}/values.yaml": hub.namespace for hub in site.cluster_hubs}
    for artifact in outputs:
        if artifact.path in spaces and isinstance(artifact.tree, dict):
            for place, name, key, optional in _of_hub(artifact.tree):
                yield Reference(artifact.path, place, spaces[artifact.path], name, key, optional)


_Found = tuple[Loc, str, str | None, bool]


def _of_pods(pods: Pods) -> Iterator[_Found]:
    for index, pull in enumerate(pods.spec.get("imagePullSecrets") or ()):
        yield (*pods.loc, "spec", "imagePullSecrets", index, "name"), str(pull["name"]), None, False
    for index, volume in enumerate(pods.spec.get("volumes") or ()):
        yield from _of_volume((*pods.loc, "spec", "volumes", index), volume)
    for place, container in pods.containers():
        for index, source in enumerate(container.get("envFrom") or ()):
            if "secretRef" in source:
                ref = source["secretRef"]
                yield (*place, "envFrom", index, "secretRef", "name"), str(ref["name"]), None, bool(ref.get("optional"))
        for index, variable in enumerate(container.get("env") or ()):
            ref = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if ref:
                at: Loc = (*place, "env", index, "valueFrom", "secretKeyRef")
                yield at, str(ref["name"]), str(ref["key"]), bool(ref.get("optional"))


def _of_volume(loc: Loc, volume: Tree) -> Iterator[_Found]:
    """Yield the Secret of a volume, or those of its sources: whole, or the keys that become files."""
    found = [((*loc, "secret"), "secretName", volume.get("secret"))]
    for index, source in enumerate((volume.get("projected") or {}).get("sources") or ()):
        found.append(((*loc, "projected", "sources", index, "secret"), "name", source.get("secret")))
    found.append(((*loc, "csi", "nodePublishSecretRef"), "name", (volume.get("csi") or {}).get("nodePublishSecretRef")))
    for place, field, source in found:
        if source:
            name, optional = str(source[field]), bool(source.get("optional"))
            for index, item in enumerate(source.get("items") or ()):
                yield (*place, "items", index, "key"), name, str(item["key"]), optional
            if not source.get("items"):
                yield (*place, field), name, None, optional


def _of_account(tree: Tree) -> Iterator[tuple[Loc, str]]:
    """Yield the Secrets that a ServiceAccount gives its pods."""
    if tree["kind"] == "ServiceAccount":
        for field in ("imagePullSecrets", "secrets"):
            for index, each in enumerate(tree.get(field) or ()):
                yield (field, index, "name"), str(each["name"])


def _of_edge(tree: Tree) -> Iterator[tuple[Loc, str]]:
    spec = tree.get("spec") or {}
    if tree["kind"] == "Gateway":
        for index, listener in enumerate(spec.get("listeners") or ()):
            for number, ref in enumerate((listener.get("tls") or {}).get("certificateRefs") or ()):
                yield ("spec", "listeners", index, "tls", "certificateRefs", number, "name"), str(ref["name"])
    if tree["kind"] == "Ingress":
        for index, entry in enumerate(spec.get("tls") or ()):
            yield ("spec", "tls", index, "secretName"), str(entry["secretName"])


# --- hubs: the chart's own way ----------------------------------------------------------------------------------------

# What zero-to-jupyterhub 4.4.0 looks up in hub.existingSecret by itself, for every hub.
_CHART_KEYS = ("hub.config.JupyterHub.cookie_secret", "hub.config.CryptKeeper.keys")


def _of_hub(values: Tree) -> Iterator[_Found]:
    for loc, ref in _key_refs(values):
        yield loc, str(ref["name"]), str(ref["key"]), bool(ref.get("optional"))
    for loc, name in whole_secrets(values):
        yield loc, name, None, False
    hub = values.get("hub") or {}
    existing = hub.get("existingSecret")
    if existing:
        for key in (*_CHART_KEYS, *_service_keys(hub.get("services")), *_database_keys(hub.get("db"))):
            yield ("hub", "existingSecret"), str(existing), key, False


def _service_keys(services: Any) -> Iterator[str]:
    """Yield a key for each service whose token only the Secret can hold: one in the values would be in git."""
    for name in services if isinstance(services, dict) else ():
        yield f"hub.services.{name}.apiToken"


def _database_keys(db: Any) -> Iterator[str]:
    if isinstance(db, dict) and db.get("type") in ("mysql", "postgres"):
        yield "hub.db.password"


def _key_refs(tree: Any, loc: Loc = ()) -> Iterator[tuple[Loc, Tree]]:
    """Yield every `secretKeyRef` of the values, wherever the chart would put it."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if not isinstance(value, (dict, list)):
            continue
        if key == "secretKeyRef" and isinstance(value, dict) and {"name", "key"} <= value.keys():
            yield (*loc, key), value
        else:
            yield from _key_refs(value, (*loc, key))
