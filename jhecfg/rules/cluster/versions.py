"""Rules over the region, the Kubernetes version, and the charts that must work with it."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Finding, Loc, Severity, did_you_mean
from jhecfg.releases import EKS_VERSIONS, EKS_VERSIONS_ON, NEWEST_KUBERNETES, Chart
from jhecfg.site import Site

# docs.aws.amazon.com/general/latest/gr/eks.html, 2026-11.
REGIONS = (
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "cn-north-1", "cn-northwest-1", "eu-central-1",
    "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1",
    "me-central-1", "me-south-1", "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-gov-east-1",
    "us-gov-west-1", "us-west-1", "us-west-2",
)  # fmt: skip

# Regions without EKS's metrics-server add-on (eksctl 0.230, pkg/apis/eksctl.io/v1alpha5/known_addons.go).
NO_METRICS_SERVER = ("cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1")

_VERSION: Loc = ("cluster", "version")


def unknown_region(site: Site) -> Iterator[Finding]:
    """The region of the cluster, or of the database's network, is not one that this jhecfg knows.

    *Why:* eksctl and aws check a region only when they run, with credentials.

    *Instead:* correct the name; if the region is new, say so on the line: `# jhecfg: ignore[unknown-region] …`.
    """
    rds = site.database.rds
    for loc, region in (
        (("cluster", "region"), site.cluster.region if site.cluster else None),
        (("database", "rds", "vpc", "region"), rds.region if rds and rds.vpc else None),
    ):
        if region is not None and region not in REGIONS:
            yield Finding(
                loc=loc,
                message=f"'{region}' is not an AWS region that this jhecfg knows",
                hint=did_you_mean(region, REGIONS),
                severity=Severity.WARNING,
            )


def unsupported_kubernetes(site: Site) -> Iterator[Finding]:
    """EKS no longer creates clusters of this Kubernetes version.

    *Why:* after its extended support a version is gone, and `eksctl create cluster` fails.

    *Instead:* use the newest version that the site's charts support.
    """
    cluster = site.cluster
    if cluster is not None and _number(cluster.version) < min(map(_number, EKS_VERSIONS)):
        yield Finding(
            loc=_VERSION,
            message=f"EKS no longer supports Kubernetes {cluster.version}",
            label="eksctl create cluster would fail",
            expected=f"one of {', '.join(EKS_VERSIONS)}",
            hint=f'use "{NEWEST_KUBERNETES}"',
        )


def unknown_kubernetes(site: Site) -> Iterator[Finding]:
    """The Kubernetes version is newer than any that this jhecfg knows.

    *Why:* nobody has checked its outputs and the pinned charts against it.

    *Instead:* use the newest known version, or update jhecfg.
    """
    cluster = site.cluster
    if cluster is not None and _number(cluster.version) > max(map(_number, EKS_VERSIONS)):
        yield Finding(
            loc=_VERSION,
            message=f"Kubernetes {cluster.version} is unknown to this jhecfg",
            expected=f"one of {', '.join(EKS_VERSIONS)}",
            hint=f'use "{NEWEST_KUBERNETES}", or update jhecfg',
            severity=Severity.WARNING,
        )


def kubernetes_support_ended(site: Site) -> Iterator[Finding]:
    """The standard support of this Kubernetes version has ended.

    *Why:* the cluster has `upgradePolicy: STANDARD`, so EKS upgrades it by itself, on a day of its choosing; extended
    support costs six times as much.

    *Instead:* move on one minor version at a time, with `eksctl upgrade cluster`.
    """
    cluster = site.cluster
    ends = EKS_VERSIONS.get(cluster.version) if cluster is not None else None
    if cluster is not None and ends is not None and ends < EKS_VERSIONS_ON:
        yield Finding(
            loc=_VERSION,
            message=f"standard support of Kubernetes {cluster.version} ended on {ends}",
            label="EKS upgrades such a cluster by itself",
            expected=f"one of {', '.join(v for v, day in EKS_VERSIONS.items() if day >= EKS_VERSIONS_ON)}",
            hint=f'use "{NEWEST_KUBERNETES}"',
            severity=Severity.WARNING,
        )


def chart_kubernetes(site: Site) -> Iterator[Finding]:
    """A chart of the site does not support the cluster's Kubernetes version.

    *Why:* below a chart's `kubeVersion` Helm refuses to install it; above the newest version that its makers test it
    may break. ingress-nginx is retired and will never support more than 1.35.

    *Instead:* choose a version that every chart supports, or another controller.
    """
    cluster = site.cluster
    if cluster is None or cluster.version not in EKS_VERSIONS:
        return  # one cause, one error: the version itself is refused or warned of
    for chart, loc in _charts(site):
        oldest, newest = chart.kubernetes
        below = _number(cluster.version) < _number(oldest)
        if below or _number(cluster.version) > _number(newest):
            yield Finding(
                loc=_VERSION,
                message=f"chart {chart.name} {chart.version} does not support Kubernetes {cluster.version}",
                found=cluster.version,
                expected=f"{oldest} to {newest}",
                hint=f'use "{oldest if below else newest}"'
                + (", or ingress.controller: envoy-gateway" if chart.name == "ingress-nginx" else ""),
                severity=Severity.ERROR if below else Severity.WARNING,
                related=((loc, "needs this chart"),),
            )


def unavailable_addon(site: Site) -> Iterator[Finding]:
    """An EKS add-on does not exist in the cluster's region.

    *Why:* `eksctl create cluster` stops at it, with the cluster half made.

    *Instead:* leave it out of `cluster.addons`, and install its Helm chart.
    """
    cluster = site.cluster
    if cluster is not None and cluster.region in NO_METRICS_SERVER and "metrics-server" in cluster.addons:
        yield Finding(
            loc=("cluster", "addons"),
            message=f"EKS has no add-on metrics-server in {cluster.region}",
            hint="leave it out of cluster.addons, for example [eks-node-monitoring-agent]",
        )


def unused_addon_version(site: Site) -> Iterator[Finding]:
    """`cluster.addonVersions` pins an add-on that the cluster does not get.

    *Why:* the pin would have no effect, and nobody would notice.

    *Instead:* correct the name, or add it to `cluster.addons`; Auto Mode brings most add-ons itself.
    """
    cluster = site.cluster
    for name, _ in cluster.addon_versions if cluster is not None else ():
        if cluster is not None and name not in cluster.every_addon:
            yield Finding(
                loc=("cluster", "addonVersions", name),
                key=True,
                message=f"the cluster has no add-on '{name}' whose version could be pinned",
                hint=did_you_mean(name, cluster.every_addon) or "drop it",
            )


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")
    return int(major), int(minor)


def _charts(site: Site) -> Iterator[tuple[Chart, Loc]]:
    """Yield each chart once, with the place in the spec that asks for it."""
    seen: set[tuple[str, str]] = set()
    wanted: list[tuple[Chart, Loc]] = [(chart, _wants(chart)) for chart in site.charts]
    wanted += [(hub.chart, (*hub.loc, "chartVersion")) for hub in site.cluster_hubs]
    for chart, loc in wanted:
        if (chart.name, chart.version) not in seen:
            seen.add((chart.name, chart.version))
            yield chart, loc


def _wants(chart: Chart) -> Loc:
    places: dict[str, Loc] = {
        "ingress-nginx": ("ingress", "controller"),
        "gateway-helm": ("ingress", "controller"),
        "cert-manager": ("ingress", "issuer"),
        "external-secrets": ("secrets", "backend"),
        "sealed-secrets": ("secrets", "backend"),
        "external-dns": ("ingress", "dns"),
    }
    return places.get(chart.name, ("cluster",))
