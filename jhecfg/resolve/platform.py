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


def edge_of(spec: SiteSpec) -> Edge:
    """Resolve the edge."""
    ingress = spec.ingress
    envoy = ingress.controller == "envoy-gateway"
    shared = ingress.gateway
    own_class = ingress.class_name is None and shared is None
    own_issuer = ingress.issuer in LETSENCRYPT
    certified = ingress.controller != "none" and shared is None
    issuer = None if ingress.issuer == "none" else f"{spec.site}-{ingress.issuer}" if own_issuer else ingress.issuer
    return Edge(
        controller=ingress.controller,
        namespace=shared.namespace if shared else "envoy-gateway-system" if envoy else "ingress-nginx",
        gateway=shared.name if shared else spec.site,
        listener=shared.listener if shared else None,
        class_name=ingress.class_name or (spec.site if envoy else "nginx"),
        own_class=own_class,
        issuer=issuer if certified else None,
        acme_server=LETSENCRYPT[ingress.issuer] if own_issuer and certified else None,
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
    if spec.secrets.backend == "external-secrets" and spec.secrets.store is None:
        yield CHARTS["external-secrets"]
    if spec.secrets.backend == "sealed-secrets":
        yield CHARTS["sealed-secrets"]
    if edge.external_dns:
        yield CHARTS["external-dns"]


def cluster_of(spec: SiteSpec, problems: Problems) -> Cluster | None:
    """Resolve the EKS cluster, if the spec describes one."""
    cluster = spec.cluster
    if cluster is None:
        return None
    _check_types(cluster, problems)
    auto_mode = cluster.mode == "auto-mode"
    zones = cluster.zones or (f"{cluster.region}a", f"{cluster.region}b")
    return Cluster(
        name=cluster.name or spec.site,
        region=cluster.region,
        version=cluster.version,
        auto_mode=auto_mode,
        zones=() if auto_mode and not cluster.zones else zones,
        vpc_cidr=cluster.vpc_cidr,
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


def _check_types(cluster: ClusterSpec, problems: Problems) -> None:
    for index, group in enumerate(cluster.node_groups):
        if group.instance_type and group.instance_types:
            loc = ("cluster", "nodeGroups", index)
            problems.add(
                "instance-type-twice",
                Finding(
                    loc=(*loc, "instanceType"),
                    key=True,
                    message=f"node group '{group.name}' has both instanceType and instanceTypes",
                    hint="keep instanceTypes for spot or for several types, else instanceType",
                    related=(((*loc, "instanceTypes"), "and here"),),
                ),
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
    if spec.secrets.backend != "external-secrets":
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
    prefix = spec.secrets.prefix or f"jhe/{spec.site}"
    return ExternalSecrets(region=region or "us-east-1", prefix=prefix, store=spec.secrets.store)


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
    if gitops.fleet is not None and gitops.engine != "argocd":
        problems.add(
            "gitops-fleet",
            Finding(
                loc=("gitops", "fleet"),
                message=f"a fleet is an ApplicationSet of Argo CD, and the engine is {gitops.engine}",
                hint="leave gitops.fleet out, or set gitops.engine to argocd",
            ),
        )
    open_to_all = (gitops.repo or "").startswith("https://")
    return Gitops(
        engine=gitops.engine,
        repo=gitops.repo or "",
        revision=gitops.revision,
        path=f"{gitops.path}/{spec.site}",
        secret_name=gitops.secret_name or (None if open_to_all else f"{spec.site}-git"),
        fleet=gitops.fleet,
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
