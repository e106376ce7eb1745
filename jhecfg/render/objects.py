"""The few helpers that every object shares: metadata, labels, pod security, digests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from jhecfg.artifact import Tree
from jhecfg.site import Image, SecretKey, Site

MANAGER = "jhecfg"
DIGEST_ANNOTATION = "jhecfg/digest"


def selector(site: Site, component: str) -> dict[str, str]:
    """Return the labels that pick a component's pods; they never change, since selectors are immutable."""
    return {"app.kubernetes.io/name": component, "app.kubernetes.io/instance": site.name}


def labels(site: Site, component: str) -> dict[str, str]:
    """Return the recommended labels (kubernetes.io/docs/concepts/overview/working-with-objects/common-labels)."""
    return {
        **selector(site, component),
        "app.kubernetes.io/part-of": "jupyterhealth-exchange",
        "app.kubernetes.io/managed-by": MANAGER,
    }


def metadata(
    site: Site,
    name: str,
    component: str,
    *,
    namespace: str | None = None,
    extra_labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Tree:
    """Return an object's metadata; without `namespace` the object is cluster-wide."""
    return {
        "name": name,
        **({"namespace": namespace} if namespace is not None else {}),
        "labels": {**labels(site, component), **(extra_labels or {})},
        **({"annotations": dict(annotations)} if annotations else {}),
    }


def secret_env(name: str, ref: SecretKey) -> Tree:
    """Return an environment variable whose value comes from a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": ref.name, "key": ref.key}}}


def env(name: str, value: str) -> Tree:
    """Return an environment variable; `$(` is escaped, since Kubernetes would expand it."""
    return {"name": name, "value": value.replace("$(", "$$(")}


def apart(match_labels: Mapping[str, str]) -> Tree:
    """Return the wish that the pods with these labels run on different nodes; with one node they still run."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": dict(match_labels)},
    }


def pull(image: Image) -> Tree:
    """Return a container's image and pull policy."""
    return {"image": image.reference, "imagePullPolicy": image.pull_policy}


def resources(requests: Mapping[str, str] | None = None, limits: Mapping[str, str] | None = None) -> Tree:
    """Return what a container asks for and may not exceed, with its node's disk.

    It writes to `/tmp`, an emptyDir of 256 MiB at most, and its log, of which the kubelet keeps 50 MiB (Kubernetes' own
    default) to 250 MiB (AKS). Beyond the limit it is evicted, instead of its neighbours.
    """
    return {
        "requests": {**(requests or {}), "ephemeral-storage": "64Mi"},
        "limits": {**(limits or {}), "ephemeral-storage": "1Gi"},
    }


def digest(*parts: Any) -> str:
    """Return ten hexadecimal digits of the parts' content: the same content, the same name."""
    return hashlib.sha256(_canonical([*parts]).encode()).hexdigest()[:10]


def _canonical(part: Any) -> str:
    """Return the one way to write plain data as JSON. Texts by their names are remembered: some are whole scripts."""
    if type(part) is list:
        return f"[{','.join(map(_canonical, part))}]"
    if type(part) is dict and all(type(value) is str for value in part.values()):
        return f"{{{','.join(f'{_quoted(name)}:{_quoted(part[name])}' for name in sorted(part))}}}"
    return json.dumps(part, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@lru_cache(maxsize=256)
def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def pod_security(uid: int = 10001) -> Tree:
    """Return a pod's security context for the `restricted` Pod Security Standard."""
    return {
        "runAsNonRoot": True,
        "runAsUser": uid,
        "runAsGroup": uid,
        "fsGroup": uid,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def container_security() -> Tree:
    """Return a container's security context for the `restricted` Pod Security Standard."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
