"""Argo CD's projects: what each part of a site may take from where, and bring to which namespaces.

Argo CD leaves alone what its project does not allow, also when it would prune it, or when the Application goes
(argo-cd 3.5, controller/state.go and appcontroller.go, `IsLiveResourcePermitted`). So a project allows what a change
of the spec may have to remove, and each hub has one of its own, which goes after the hub.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.argocd.common import NAMESPACE, SERVER, site_metadata
from jhecfg.render.units import Unit
from jhecfg.site import LETSENCRYPT, Site

WAVE = -200

# What the charts of the platform are made of, outside namespaces (gateway-helm 1.9, cert-manager 1.21,
# ingress-nginx 4.15, external-secrets 2.9, external-dns 1.21, aws-load-balancer-controller 3.5).
_PLATFORM_KINDS = (
    ("", "Namespace"),
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicy"),
    ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding"),
    ("admissionregistration.k8s.io", "ValidatingWebhookConfiguration"),
    ("apiextensions.k8s.io", "CustomResourceDefinition"),
    ("elbv2.k8s.aws", "IngressClassParams"),
    ("networking.k8s.io", "IngressClass"),
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
)
# All that a spec can ask for in the site's namespaces; never a Secret with its values, a role, or a pod by itself.
_SITE_KINDS = (
    ("", "ConfigMap"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "Deployment"),
    ("batch", "CronJob"),
    ("batch", "Job"),
    ("bitnami.com", "SealedSecret"),
    ("cert-manager.io", "Certificate"),
    ("external-secrets.io", "ExternalSecret"),
    ("external-secrets.io", "SecretStore"),
    ("gateway.envoyproxy.io", "BackendTrafficPolicy"),
    ("gateway.envoyproxy.io", "ClientTrafficPolicy"),
    ("gateway.envoyproxy.io", "EnvoyProxy"),
    ("gateway.envoyproxy.io", "HTTPRouteFilter"),
    ("gateway.networking.k8s.io", "Gateway"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
)
# What Zero to JupyterHub 4.4.0 is made of (jupyterhub/templates); its user scheduler has cluster roles.
_HUB_CLUSTER_KINDS = (
    ("rbac.authorization.k8s.io", "ClusterRole"),
    ("rbac.authorization.k8s.io", "ClusterRoleBinding"),
    ("scheduling.k8s.io", "PriorityClass"),
)
_HUB_KINDS = (
    ("", "ConfigMap"),
    ("", "PersistentVolumeClaim"),
    ("", "Secret"),
    ("", "Service"),
    ("", "ServiceAccount"),
    ("apps", "DaemonSet"),
    ("apps", "Deployment"),
    ("apps", "StatefulSet"),
    ("batch", "Job"),
    ("gateway.networking.k8s.io", "HTTPRoute"),
    ("networking.k8s.io", "Ingress"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("policy", "PodDisruptionBudget"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)


def delivery_project(site: Site) -> Tree:
    """Return the project of the root: it makes Applications and projects, and nothing else."""
    description = f"{site.name}: the root Application, which makes projects and Applications"
    return delivery_only(site_metadata(site, "delivery", WAVE), description, site.gitops.repo)


def delivery_only(meta: Tree, description: str, repo: str) -> Tree:
    """Return a project that makes Applications and projects in Argo CD's namespace, from one repository."""
    return project(
        meta,
        description,
        sources=[repo],
        namespaces=[NAMESPACE],
        cluster_kinds=[],
        namespaced=_kinds((("argoproj.io", "AppProject"), ("argoproj.io", "Application"))),
    )


def platform_project(site: Site, units: Sequence[Unit]) -> Tree:
    """Return the project of the charts that the cluster shares; they make definitions, cluster roles and webhooks."""
    return project(
        site_metadata(site, "platform", WAVE),
        f"{site.name}: the charts that the cluster shares",
        sources=_sources(site, units),
        # cert-manager and others elect their leader in kube-system.
        namespaces=sorted({"kube-system", *(unit.namespace for unit in units)}),
        cluster_kinds=_kinds(_PLATFORM_KINDS),
        namespaced=None,
    )


def exchange_project(site: Site, objects: Iterable[Artifact]) -> Tree:
    """Return the project of the site's own objects: their namespaces and kinds, cluster-wide ones by name."""
    trees = [a.manifest for a in objects if a.manifest is not None and a.path.startswith("manifests/")]
    inside = [tree for tree in trees if "namespace" in tree["metadata"]]
    outside = {(*_group_kind(tree), str(tree["metadata"]["name"])) for tree in trees if tree not in inside}
    return project(
        site_metadata(site, "exchange", WAVE),
        f"{site.name}: the site's own objects",
        sources=[site.gitops.repo],
        namespaces=sorted({site.namespace, *(str(tree["metadata"]["namespace"]) for tree in inside)}),
        cluster_kinds=[
            {"group": group, "kind": kind, "name": name} for group, kind, name in sorted({*_removable(site), *outside})
        ],
        namespaced=_kinds(sorted({*_SITE_KINDS, *(_group_kind(tree) for tree in inside)})),
    )


def _removable(site: Site) -> Iterable[tuple[str, str, str]]:
    """Yield what only this site has outside namespaces, and no longer wants when its edge changes."""
    yield "gateway.networking.k8s.io", "GatewayClass", site.name
    for server in LETSENCRYPT:
        yield "cert-manager.io", "ClusterIssuer", f"{site.name}-{server}"


def hub_project(site: Site, unit: Unit) -> Tree:
    """Return the project of a hub: its namespace, and what the chart is made of.

    Its wave is the first, so it is pruned in the last one, when the hub's Application has gone.
    """
    return project(
        site_metadata(site, f"hub-{unit.release}", WAVE),
        f"{site.name}: JupyterHub '{unit.release}'",
        sources=_sources(site, [unit]),
        namespaces=[unit.namespace],
        cluster_kinds=_kinds(_HUB_CLUSTER_KINDS),
        namespaced=_kinds(_HUB_KINDS),
    )


def project(
    meta: Tree,
    description: str,
    *,
    sources: list[str],
    namespaces: list[str],
    cluster_kinds: list[Tree],
    namespaced: list[Tree] | None,
) -> Tree:
    """Return a project of this cluster."""
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": meta,
        "spec": {
            "description": description,
            "sourceRepos": sources,
            "destinations": [{"server": SERVER, "namespace": namespace} for namespace in namespaces],
            # Empty means none for the cluster's kinds; an empty list of namespaced kinds would mean all.
            "clusterResourceWhitelist": cluster_kinds,
            **({"namespaceResourceWhitelist": namespaced} if namespaced else {}),
        },
    }


def _sources(site: Site, units: Iterable[Unit]) -> list[str]:
    return list(dict.fromkeys([site.gitops.repo, *(unit.registry for unit in units)]))


def _kinds(pairs: Iterable[tuple[str, str]]) -> list[Tree]:
    return [{"group": group, "kind": kind} for group, kind in pairs]


def _group_kind(tree: Tree) -> tuple[str, str]:
    return str(tree["apiVersion"]).rpartition("/")[0], str(tree["kind"])
