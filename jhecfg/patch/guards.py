"""What a patch may not change without a word: the places of the output that hold what the compiler guarantees. Data.

A guard is a path below an object; `*` stands for any key or item. Whatever lies at the path or below it is guarded.
What no exception can be taken from is not here: rules over the patched output refuse it (pod-security, out-of-order,
job-runs-again, not-allowed-by-project …).
"""

from __future__ import annotations

from typing import NamedTuple

from jhecfg.diagnostics import Loc


class Guard(NamedTuple):
    """A guarded place, and what to do instead."""

    path: Loc
    hint: str


_KEEP = "leave it as it is"
_SITE = "set image, exchange or hubs in the spec"
_DELIVERY = "set gitops in the spec"
_EDGE = "set ingress, domain or hubs in the spec"


def _guards(hint: str, *paths: str) -> tuple[Guard, ...]:
    """Return guards from paths with `/` between keys; `//` is a `/` in a key."""
    split = (path.replace("//", "\0").split("/") for path in paths)
    return tuple(Guard(tuple(key.replace("\0", "/") for key in keys), hint) for keys in split)


def _workload(template: str) -> tuple[Guard, ...]:
    pod = f"{template}/spec"
    return (
        # Services, budgets and network policies choose pods by them.
        *_guards(_KEEP, f"{template}/metadata/labels/app.kubernetes.io//*", f"{template}/metadata/labels/jhecfg//*"),
        *_guards(_KEEP, f"{pod}/serviceAccountName", f"{pod}/automountServiceAccountToken"),
        *_guards(_KEEP, f"{pod}/volumes/bootstrap", f"{pod}/volumes/database-ca"),
        *_container(f"{pod}/containers/*"),
        *_container(f"{pod}/initContainers/*"),
    )


def _container(path: str) -> tuple[Guard, ...]:
    return (
        *_guards(_SITE, f"{path}/image", f"{path}/command", f"{path}/args"),
        *_guards("set exchange.env in the spec", f"{path}/env", f"{path}/envFrom"),
        *_guards(_KEEP, f"{path}/volumeMounts", f"{path}/lifecycle", f"{path}/securityContext/readOnlyRootFilesystem"),
    )


EVERY: tuple[Guard, ...] = (
    *_guards(_KEEP, "metadata/labels/app.kubernetes.io//*", "metadata/finalizers", "metadata/ownerReferences"),
    *_guards(
        _DELIVERY,
        "metadata/annotations/argocd.argoproj.io//*",
        "metadata/annotations/kustomize.toolkit.fluxcd.io//*",
        "metadata/annotations/helm.toolkit.fluxcd.io//*",
    ),
)
"""Of every object."""

OF_KIND: dict[str, tuple[Guard, ...]] = {
    "Application": _guards(_DELIVERY, "spec"),
    "ApplicationSet": _guards(_DELIVERY, "spec"),
    "AppProject": _guards(_DELIVERY, "spec"),
    "Certificate": _guards(_EDGE, "spec"),
    "ClientTrafficPolicy": _guards(_EDGE, "spec"),
    "ClusterConfig": _guards(
        "set cluster in the spec",
        *("accessConfig", "addons", "cloudWatch", "iam", "secretsEncryption", "vpc"),
        *(
            f"managedNodeGroups/*/{key}"
            for key in ("disableIMDSv1", "iam", "privateNetworking", "ssh", "volumeEncrypted")
        ),
    ),
    "ClusterIssuer": _guards("set ingress.issuer in the spec", "spec"),
    "ConfigMap": _guards("set exchange or database in the spec", "data", "binaryData"),
    "CronJob": _workload("spec/jobTemplate/spec/template"),
    "Deployment": _workload("spec/template"),
    "ExternalSecret": _guards("set secrets in the spec", "spec"),
    "Gateway": _guards(_EDGE, "spec/listeners"),
    "GitRepository": _guards(_DELIVERY, "spec/url", "spec/ref", "spec/secretRef", "spec/verify", "spec/suspend"),
    "HTTPRoute": _guards(_EDGE, "spec"),
    "HTTPRouteFilter": _guards(_EDGE, "spec"),
    "HelmRelease": _guards(
        "set hubs[].values in the spec",
        *("spec/chart", "spec/chartRef", "spec/postRenderers", "spec/releaseName", "spec/serviceAccountName"),
        *("spec/storageNamespace", "spec/suspend", "spec/targetNamespace", "spec/values", "spec/valuesFrom"),
    ),
    "HelmRepository": _guards(_DELIVERY, "spec/url", "spec/insecure"),
    "Ingress": _guards(_EDGE, "spec", "metadata/annotations/nginx.ingress.kubernetes.io//*"),
    "Job": _workload("spec/template"),
    "Kustomization": _guards(
        _DELIVERY,
        *("spec/commonMetadata", "spec/components", "spec/decryption", "spec/deletionPolicy", "spec/dependsOn"),
        *("spec/images", "spec/namePrefix", "spec/nameSuffix", "spec/patches", "spec/path", "spec/postBuild"),
        *("spec/prune", "spec/serviceAccountName", "spec/sourceRef", "spec/suspend", "spec/targetNamespace"),
        *("spec/wait", "spec/healthChecks", "spec/kubeConfig"),
    ),
    "Namespace": _guards(_KEEP, "metadata/labels/pod-security.kubernetes.io//*"),
    "NetworkPolicy": _guards(_KEEP, "spec"),
    "OCIRepository": _guards(_DELIVERY, "spec/url", "spec/ref", "spec/insecure", "spec/verify"),
    "ReferenceGrant": _guards(_KEEP, "spec"),
    "SealedSecret": _guards("seal the new value, and take the new file", "spec"),
    "SecretStore": _guards("set secrets in the spec", "spec"),
    "Service": _guards(_KEEP, "spec/type", "spec/selector", "spec/externalIPs", "spec/loadBalancerClass"),
    "ServiceAccount": _guards(_KEEP, "automountServiceAccountToken"),
    "StorageClass": _guards(_KEEP, "parameters/encrypted", "parameters/kmsKeyId"),
}
"""Of the objects of a kind."""
