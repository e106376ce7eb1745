"""Argo CD's Applications: the root, the platform's charts, the site's own objects, its routes, the hubs."""

from __future__ import annotations

from collections.abc import Sequence

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.argocd.common import COMPARED, FINALIZER, FOLDER, NAMESPACE, SERVER, site_metadata, sync_policy
from jhecfg.render.phases import ROUTES
from jhecfg.render.units import Unit, place, site_named, values_of
from jhecfg.site import Site

PLATFORM_WAVE = -100
EXCHANGE_WAVE = 0
# The last wave is not waited for: what waits for DNS here holds nothing back.
LAST_WAVE = 10


def root(site: Site) -> Tree:
    """Return the Application of the Applications.

    Not PruneLast: what the spec drops goes first, last wave first, whether or not the rest is well. So a removed hub
    goes, and then its project, while the Exchange may be waiting for something (gitops-engine, sync_context.go).
    """
    source = _git(site, {"path": f"{site.gitops.path}/{FOLDER}"})
    return _application(site, "root", "delivery", 0, NAMESPACE, {"source": source}, prune_last=False)


def exchange_application(site: Site) -> Tree:
    """Return the Application of the site's own objects, whose waves are the phases of `manifests/`, but the routes.

    Those are healthy when DNS leads here. With them a sync that has something to prune would wait for that, and
    Argo CD starts no other while one is running: an upgrade would wait for somebody's DNS record.
    """
    directory = {"recurse": True, "exclude": f"{ROUTES}/*"}
    source = _git(site, {"path": f"{site.gitops.path}/manifests", "directory": directory})
    return _application(site, "exchange", "exchange", EXCHANGE_WAVE, site.namespace, {"source": source})


def routes_application(site: Site) -> Tree:
    """Return the Application of the last phase: the edge, its routes and certificates."""
    source = _git(site, {"path": f"{site.gitops.path}/manifests/{ROUTES}"})
    return _application(site, "routes", "exchange", LAST_WAVE, site.namespace, {"source": source}, prune_last=False)


def platform_application(site: Site, unit: Unit, objects: Sequence[Artifact]) -> Tree:
    """Return the Application of a platform chart. Without it what the chart made stays: others may use it."""
    options = ["CreateNamespace=true"] if unit.own_namespace else []
    body = {"sources": _chart_sources(site, unit)}
    random = unit.chart.name == "aws-load-balancer-controller" and not values_of(unit, objects).get("enableCertManager")
    tree = _application(
        site,
        unit.release,
        "platform",
        PLATFORM_WAVE + 10 * place(unit.chart),
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
    part = f"hub-{unit.release}"
    tree = _application(site, part, part, LAST_WAVE, unit.namespace, {"sources": _chart_sources(site, unit)})
    tree["metadata"]["finalizers"] = [FINALIZER]
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
    site: Site,
    part: str,
    project: str,
    wave: int,
    namespace: str,
    body: Tree,
    options: Sequence[str] = (),
    *,
    prune_last: bool = True,
) -> Tree:
    last = ["PruneLast=true"] if prune_last else []
    meta = site_metadata(site, part, wave)
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {**meta, "annotations": {**meta["annotations"], **COMPARED}},
        "spec": {
            "project": site_named(site, project),
            "destination": {"server": SERVER, "namespace": namespace},
            **body,
            "syncPolicy": sync_policy([*options, "ServerSideApply=true", *last, "FailOnSharedResource=true"]),
        },
    }
