"""argocd(): projects and Applications, from the one that an administrator applies down to each chart.

Fields and behaviour: argo-cd 3.5 (docs/user-guide/{directory,multiple_sources,sync-options,sync-waves}.md,
docs/operator-manual/project.yaml). The root Application reads `gitops/argocd/`, not what is below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.objects import metadata
from jhecfg.render.units import Unit, hub_units, place, platform_units, site_named, values_of
from jhecfg.site import Site

FOLDER = "gitops/argocd"
BOOTSTRAP = f"{FOLDER}/bootstrap"
NAMESPACE = "argocd"
SERVER = "https://kubernetes.default.svc"

# Argo CD gives Applications no health of their own unless argocd-cm says so: then a wave waits for the one before,
# else each Application that comes too early is tried again.
PROJECT_WAVE = -200
PLATFORM_WAVE = -100
EXCHANGE_WAVE = 0
HUB_WAVE = 10

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
# What comes and goes with the spec: Argo CD may only remove what its project still allows.
_OPTIONAL_KINDS = (
    ("", "ConfigMap"),
    ("", "Service"),
    ("apps", "Deployment"),
    ("batch", "CronJob"),
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


def argocd(site: Site, objects: Sequence[Artifact]) -> Iterator[Artifact]:
    """Render the projects, the Applications and the root that holds them."""
    platform, hubs = platform_units(site), hub_units(site)
    yield Artifact(f"{BOOTSTRAP}/appproject-delivery.yaml", delivery_project(site))
    yield Artifact(f"{BOOTSTRAP}/application-root.yaml", root(site), note=_root_note())
    if platform:
        yield Artifact(f"{FOLDER}/appproject-platform.yaml", platform_project(site, platform))
    yield Artifact(f"{FOLDER}/appproject-exchange.yaml", exchange_project(site, objects))
    if hubs:
        yield Artifact(f"{FOLDER}/appproject-hubs.yaml", hubs_project(site, hubs))
    for unit in platform:
        wave = PLATFORM_WAVE + 10 * place(unit.chart)
        yield Artifact(f"{FOLDER}/application-{unit.release}.yaml", platform_application(site, unit, objects, wave))
    yield Artifact(f"{FOLDER}/application-exchange.yaml", exchange_application(site))
    for unit in hubs:
        yield Artifact(f"{FOLDER}/application-hub-{unit.release}.yaml", hub_application(site, unit))


def _root_note() -> tuple[str, ...]:
    return (
        "Applied once by an administrator of Argo CD, with the project beside it. Then Argo CD reads the folder",
        "above from git: projects first, then the platform's charts one after another, the Exchange, the hubs.",
    )


# --- projects ---------------------------------------------------------------------------------------------------------


def delivery_project(site: Site) -> Tree:
    """Return the project of the root: it makes Applications and projects, and nothing else."""
    return _project(
        site,
        "delivery",
        "the root Application: makes the site's projects and Applications",
        sources=[site.gitops.repo],
        namespaces=[NAMESPACE],
        cluster_kinds=[],
        namespaced=_kinds((("argoproj.io", "AppProject"), ("argoproj.io", "Application"))),
    )


def platform_project(site: Site, units: Sequence[Unit]) -> Tree:
    """Return the project of the charts that the cluster shares; they make definitions, cluster roles and webhooks."""
    # cert-manager and others elect their leader in kube-system.
    namespaces = sorted({"kube-system", *(unit.namespace for unit in units)})
    return _project(
        site,
        "platform",
        "the charts that the cluster shares",
        sources=_sources(site, units),
        namespaces=namespaces,
        cluster_kinds=_kinds(_PLATFORM_KINDS),
        namespaced=None,
    )


def exchange_project(site: Site, objects: Iterable[Artifact]) -> Tree:
    """Return the project of the site's own objects: exactly their namespaces and kinds, cluster-wide ones by name."""
    trees = [a.manifest for a in objects if a.manifest is not None and a.path.startswith("manifests/")]
    inside = [tree for tree in trees if "namespace" in tree["metadata"]]
    outside = {
        (*_group_kind(tree), str(tree["metadata"]["name"])) for tree in trees if "namespace" not in tree["metadata"]
    }
    return _project(
        site,
        "exchange",
        "the site's own objects",
        sources=[site.gitops.repo],
        namespaces=sorted({site.namespace, *(str(tree["metadata"]["namespace"]) for tree in inside)}),
        cluster_kinds=[{"group": group, "kind": kind, "name": name} for group, kind, name in sorted(outside)],
        namespaced=_kinds(sorted({*_OPTIONAL_KINDS, *(_group_kind(tree) for tree in inside)})),
    )


def hubs_project(site: Site, units: Sequence[Unit]) -> Tree:
    """Return the project of the hubs: their namespaces, and what the chart is made of."""
    return _project(
        site,
        "hubs",
        "the site's JupyterHubs",
        sources=_sources(site, units),
        namespaces=sorted({unit.namespace for unit in units}),
        cluster_kinds=_kinds(_HUB_CLUSTER_KINDS),
        namespaced=_kinds(_HUB_KINDS),
    )


def _project(
    site: Site,
    part: str,
    description: str,
    *,
    sources: list[str],
    namespaces: list[str],
    cluster_kinds: list[Tree],
    namespaced: list[Tree] | None,
) -> Tree:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "AppProject",
        "metadata": _metadata(site, part, PROJECT_WAVE),
        "spec": {
            "description": f"{site.name}: {description}",
            "sourceRepos": sources,
            "destinations": [{"server": SERVER, "namespace": namespace} for namespace in namespaces],
            # Empty means none for the cluster's kinds; an empty list of namespaced kinds would mean all.
            "clusterResourceWhitelist": cluster_kinds,
            **({"namespaceResourceWhitelist": namespaced} if namespaced else {}),
        },
    }


def _metadata(site: Site, part: str, wave: int) -> Tree:
    annotations = {"argocd.argoproj.io/sync-wave": str(wave)}
    return metadata(site, site_named(site, part), "delivery", namespace=NAMESPACE, annotations=annotations)


def _sources(site: Site, units: Iterable[Unit]) -> list[str]:
    return list(dict.fromkeys([site.gitops.repo, *(unit.registry for unit in units)]))


def _kinds(pairs: Iterable[tuple[str, str]]) -> list[Tree]:
    return [{"group": group, "kind": kind} for group, kind in pairs]


def _group_kind(tree: Tree) -> tuple[str, str]:
    return str(tree["apiVersion"]).rpartition("/")[0], str(tree["kind"])


# --- Applications -----------------------------------------------------------------------------------------------------


def root(site: Site) -> Tree:
    """Return the Application of the Applications."""
    source = _git(site, {"path": f"{site.gitops.path}/{FOLDER}", "directory": {"recurse": False}})
    return _application(site, "root", "delivery", 0, NAMESPACE, {"source": source})


def exchange_application(site: Site) -> Tree:
    """Return the Application of the site's own objects, whose waves are the phases of `manifests/`."""
    source = _git(site, {"path": f"{site.gitops.path}/manifests", "directory": {"recurse": True}})
    return _application(site, "exchange", "exchange", EXCHANGE_WAVE, site.namespace, {"source": source})


def platform_application(site: Site, unit: Unit, objects: Sequence[Artifact], wave: int) -> Tree:
    """Return the Application of a platform chart."""
    options = ["CreateNamespace=true"] if unit.own_namespace else []
    body = {"sources": _chart_sources(site, unit)}
    random = unit.chart.name == "aws-load-balancer-controller" and not values_of(unit, objects).get("enableCertManager")
    tree = _application(
        site,
        unit.release,
        "platform",
        wave,
        unit.namespace,
        body,
        [*options, *(["RespectIgnoreDifferences=true"] if random else [])],
    )
    if random:
        tree["spec"]["ignoreDifferences"] = _webhook_certificate(unit)
    return tree


def _webhook_certificate(unit: Unit) -> list[Tree]:
    """Return what the chart draws anew at each rendering, when cert-manager does not bring it (3.5, _helpers.tpl)."""
    ca = {"jqPathExpressions": [".webhooks[]?.clientConfig.caBundle"]}
    group = "admissionregistration.k8s.io"
    return [
        {"kind": "Secret", "name": "aws-load-balancer-tls", "namespace": unit.namespace, "jsonPointers": ["/data"]},
        {"group": group, "kind": "MutatingWebhookConfiguration", "name": "aws-load-balancer-webhook", **ca},
        {"group": group, "kind": "ValidatingWebhookConfiguration", "name": "aws-load-balancer-webhook", **ca},
    ]


def hub_application(site: Site, unit: Unit) -> Tree:
    """Return the Application of a hub. Removing the hub from the spec removes what the chart made; homes stay."""
    body = {"sources": _chart_sources(site, unit)}
    tree = _application(site, f"hub-{unit.release}", "hubs", HUB_WAVE, unit.namespace, body)
    tree["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    return tree


def _chart_sources(site: Site, unit: Unit) -> list[Tree]:
    """Return the chart, with its values file out of this repository."""
    values = f"$values/{site.gitops.path}/{unit.values_path}"
    return [
        {
            "repoURL": unit.registry,
            "chart": unit.chart.name,
            "targetRevision": unit.chart.version,
            "helm": {"releaseName": unit.release, "valueFiles": [values]},
        },
        # No path here: with one, this source would bring manifests of its own.
        _git(site, {"ref": "values"}),
    ]


def _git(site: Site, rest: Tree) -> Tree:
    return {"repoURL": site.gitops.repo, "targetRevision": site.gitops.revision, **rest}


def _application(
    site: Site, part: str, project: str, wave: int, namespace: str, body: Tree, options: Sequence[str] = ()
) -> Tree:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": _metadata(site, part, wave),
        "spec": {
            "project": site_named(site, project),
            "destination": {"server": SERVER, "namespace": namespace},
            **body,
            "syncPolicy": {
                "automated": {"prune": True, "selfHeal": True},
                "syncOptions": [*options, "ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"],
                # About three quarters of an hour: time for a definition, a webhook or a namespace to appear. A retry
                # takes the newest commit, so that a mended one is not kept waiting by a broken one.
                "retry": {
                    "limit": 10,
                    "refresh": True,
                    "backoff": {"duration": "30s", "factor": 2, "maxDuration": "5m0s"},
                },
            },
        },
    }
