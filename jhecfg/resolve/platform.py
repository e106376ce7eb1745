"""The platform: edge, charts, cluster, secrets store, delivery, patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from jhecfg.diagnostics import Finding
from jhecfg.releases import CHARTS, Chart
from jhecfg.resolve.problems import Problems
from jhecfg.site import LETSENCRYPT, Cluster, Edge, ExternalSecrets, Gitops, NodeGroup, Patch
from jhecfg.spec import SiteSpec
from jhecfg.spec.platform import ClusterSpec, NodeGroupSpec, ScalingSpec


def edge_of(spec: SiteSpec, cluster: Cluster | None) -> Edge:
    """Resolve the edge."""
    ingress = spec.ingress
    envoy = ingress.controller == "envoy-gateway"
    own_class = ingress.class_name is None
    own_issuer = ingress.issuer in LETSENCRYPT
    issuer = None if ingress.issuer == "none" else f"{spec.site}-{ingress.issuer}" if own_issuer else ingress.issuer
    return Edge(
        controller=ingress.controller,
        namespace="envoy-gateway-system" if envoy else "ingress-nginx",
        gateway=spec.site,
        class_name=ingress.class_name or (spec.site if envoy else "nginx"),
        own_class=own_class,
        issuer=issuer if ingress.controller != "none" else None,
        acme_server=LETSENCRYPT[ingress.issuer] if own_issuer and ingress.controller != "none" else None,
        acme_email=spec.contact,
        load_balancer=ingress.load_balancer or _load_balancer(spec.cluster),
        proxy_protocol=ingress.proxy_protocol,
        max_body_size=ingress.max_body_size,
        external_dns=ingress.dns == "external-dns",
        dns_zones=ingress.dns_zones or _dns_zones(spec),
    )


def _load_balancer(cluster: ClusterSpec | None) -> Literal["in-tree", "aws-load-balancer-controller", "auto-mode"]:
    if cluster is None:
        return "in-tree"
    if cluster.mode == "auto-mode":
        return "auto-mode"
    return cluster.load_balancer or "aws-load-balancer-controller"


def _dns_zones(spec: SiteSpec) -> tuple[str, ...]:
    """Guess the zones: each domain without its first label."""
    domains = [spec.domain, *(hub.domain for hub in spec.hubs if hub.deploy == "cluster")]
    if spec.exchange.mcp:
        domains.append(spec.exchange.mcp.domain)
    parents = (domain.split(".", 1)[1] for domain in domains)
    return tuple(sorted({parent for parent in parents if "." in parent}))


def charts_of(spec: SiteSpec, edge: Edge, cluster: Cluster | None) -> Iterator[Chart]:
    """Yield the platform charts that the site brings: one release of each is all that a cluster can hold."""
    if spec.platform == "existing":
        return
    if edge.load_balancer == "aws-load-balancer-controller" and spec.cluster is not None:
        yield CHARTS["aws-load-balancer-controller"]
    if edge.own_class and edge.controller == "envoy-gateway":
        yield CHARTS["gateway-helm"]
    if edge.own_class and edge.controller == "ingress-nginx":
        yield CHARTS["ingress-nginx"]
    if edge.acme_server is not None:
        yield CHARTS["cert-manager"]
    if cluster is not None and cluster.autoscaled:
        yield CHARTS["cluster-autoscaler"]
    if spec.secrets.backend == "external-secrets":
        yield CHARTS["external-secrets"]
    if edge.external_dns:
        yield CHARTS["external-dns"]


def cluster_of(spec: SiteSpec) -> Cluster | None:
    """Resolve the EKS cluster, if the spec describes one."""
    cluster = spec.cluster
    if cluster is None:
        return None
    auto_mode = cluster.mode == "auto-mode"
    zones = cluster.zones or (f"{cluster.region}a", f"{cluster.region}b")
    return Cluster(
        name=cluster.name or spec.site,
        region=cluster.region,
        version=cluster.version,
        auto_mode=auto_mode,
        zones=() if auto_mode and not cluster.zones else zones,
        nat=cluster.nat,
        node_groups=() if auto_mode and not cluster.node_groups else _node_groups(cluster, zones),
        public_cidrs=cluster.access.public_cidrs,
        public=cluster.access.public,
        private=cluster.access.private,
        log_types=cluster.logging.types,
        log_retention_days=cluster.logging.retention_days,
        kms_key_arn=cluster.kms_key_arn,
        addons=cluster.addons,
        addon_versions=tuple(sorted(cluster.addon_versions.items())),
        storage_class="gp3",
    )


# m7i-flex.large: 2 vCPU, 8 GiB, 29 pods; r7i.xlarge: 4 vCPU, 32 GiB, 58 pods (awslabs/amazon-eks-ami eni-max-pods.txt).
_DEFAULT_GROUPS = (
    NodeGroupSpec(name="core", purpose="core", instanceType="m7i-flex.large", scaling=ScalingSpec(min=2, max=4)),
    NodeGroupSpec(name="user", purpose="user", instanceType="r7i.xlarge", scaling=ScalingSpec(min=0, max=10)),
)


def _node_groups(cluster: ClusterSpec, zones: tuple[str, ...]) -> tuple[NodeGroup, ...]:
    groups = cluster.node_groups or _DEFAULT_GROUPS
    return tuple(_node_group(zones, index, group) for index, group in enumerate(groups))


def _node_group(zones: tuple[str, ...], index: int, group: NodeGroupSpec) -> NodeGroup:
    # A user's disk lives in one zone, so the nodes that mount it must too (facts/aws.md 3).
    first = zones[:1]
    scaling = group.scaling
    return NodeGroup(
        loc=("cluster", "nodeGroups", index),
        name=group.name,
        full_name=f"{group.name}-{group.generation}",
        purpose=group.purpose,
        instance_types=group.instance_types or ((group.instance_type,) if group.instance_type else ()),
        spot=group.spot,
        min=scaling.min,
        desired=scaling.min if scaling.desired is None else scaling.desired,
        max=scaling.max,
        volume_gib=group.volume_gib,
        zones=group.zones or (first if group.purpose == "user" else zones[:2]),
        labels=tuple(sorted(group.labels.items())),
        taints=tuple((t.key, t.value, t.effect) for t in group.taints),
    )


def external_secrets_of(spec: SiteSpec, problems: Problems) -> ExternalSecrets | None:
    """Resolve where External Secrets reads from, if it is the backend."""
    backend = spec.secrets.backend
    if backend in ("sealed-secrets", "sops"):
        problems.add(
            "backend-unavailable",
            Finding(
                loc=("secrets", "backend"),
                message=f"this release of jhecfg does not write {backend} objects",
                hint="use existing and apply the Secrets yourself, or external-secrets",
            ),
        )
    if backend != "external-secrets":
        return None
    region = spec.secrets.region or (spec.cluster.region if spec.cluster else None)
    if region is None:
        problems.add(
            "secrets-region",
            Finding(
                loc=("secrets", "region"),
                message="external-secrets needs the region of AWS Secrets Manager",
                hint="set secrets.region",
            ),
        )
    return ExternalSecrets(region=region or "us-east-1", prefix=spec.secrets.prefix or f"jhe/{spec.site}")


def gitops_of(spec: SiteSpec, problems: Problems) -> Gitops:
    """Resolve what syncs the output."""
    gitops = spec.gitops
    if gitops.engine != "none" and gitops.repo is None:
        problems.add(
            "gitops-repo",
            Finding(
                loc=("gitops", "repo"),
                message=f"{gitops.engine} needs the address of the repository that holds the output",
                hint="set gitops.repo",
            ),
        )
    return Gitops(
        engine=gitops.engine,
        repo=gitops.repo or "",
        revision=gitops.revision,
        path=f"{gitops.path}/{spec.site}",
    )


def patches_of(spec: SiteSpec) -> Iterator[Patch]:
    """Yield the patches, each with its place."""
    for index, patch in enumerate(spec.patches):
        target = patch.target
        yield Patch(
            loc=("patches", index),
            kind=target.kind,
            name=target.name,
            namespace=target.namespace,
            patch=patch.patch,
        )
