"""Units of delivery: the Helm releases of a site, in the order in which they may be installed, each with its values."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from typing import NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.releases import Chart
from jhecfg.render.charts import release_name
from jhecfg.render.objects import digest
from jhecfg.site import Site

_LONGEST = 63
_OCI = "oci://"

# Each chart after the ones before it: cert-manager looks for Gateway API once, when it starts; the AWS Load Balancer
# Controller may ask cert-manager for its certificate, and while it comes up its webhook refuses new Services
# (kubernetes-sigs/aws-load-balancer-controller, webhooks/core/service_mutator.go); external-dns watches routes.
_ORDER = (
    "gateway-helm",
    "cert-manager",
    "aws-load-balancer-controller",
    "cluster-autoscaler",
    "ingress-nginx",
    "external-secrets",
    "external-dns",
    "sealed-secrets",
)


class Unit(NamedTuple):
    """A Helm release: its name, chart and namespace, and the values file of the output that belongs to it."""

    release: str
    chart: Chart
    namespace: str
    values_path: str
    own_namespace: bool
    """The chart's namespace is made with the release; a hub's comes with the site's own objects."""

    @property
    def is_oci(self) -> bool:
        """Whether the chart lives in an image registry."""
        return self.chart.repository.startswith(_OCI)

    @property
    def registry(self) -> str:
        """The chart's repository as Argo CD writes it: an address without a scheme is a registry."""
        return self.chart.repository.removeprefix(_OCI)


def platform_units(site: Site) -> tuple[Unit, ...]:
    """Return the releases of the platform's charts, in the order of installation."""
    return tuple(
        Unit(
            release=release_name(chart),
            chart=chart,
            namespace=chart.namespace,
            values_path=f"helm/{release_name(chart)}.values.yaml",
            own_namespace=chart.namespace != "kube-system",
        )
        for chart in sorted(site.charts, key=place)
    )


def place(chart: Chart) -> int:
    """Return a chart's place in the order; it is the same whichever charts a site has."""
    return _ORDER.index(chart.name)


def hub_units(site: Site) -> tuple[Unit, ...]:
    """Return the releases of the hubs that run in this cluster."""
    return tuple(
        Unit(
            release=hub.name,
            chart=hub.chart,
            namespace=hub.namespace,
            values_path=f"hubs/{hub.name}/values.yaml",
            own_namespace=False,
        )
        for hub in site.cluster_hubs
    )


def values_of(unit: Unit, objects: Iterable[Artifact]) -> Tree:
    """Return a copy of the unit's values as the output holds them."""
    for artifact in objects:
        if artifact.path == unit.values_path and isinstance(artifact.tree, dict):
            return deepcopy(artifact.tree)
    return {}


def site_named(site: Site, part: str) -> str:
    """Return a name that carries the site's, so that two sites share a cluster; it fits a label's 63 characters."""
    name = f"{site.name}-{part}"
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 11].rstrip('-')}-{digest(name)}"
