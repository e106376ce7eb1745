"""Rules over the API's doors, NAT, logs, keys, load balancers, Auto Mode."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Finding, Loc, Severity
from jhecfg.site import Site

_PRIVATE = "is a private range"
_ACCESS: Loc = ("cluster", "access")


def unreachable_api(site: Site) -> Iterator[Finding]:
    """Both endpoints of the Kubernetes API are off.

    *Why:* nothing could reach the API, not even the nodes; eksctl refuses it too.

    *Instead:* leave `cluster.access.private` on.
    """
    cluster = site.cluster
    if cluster is not None and not cluster.public and not cluster.private:
        yield Finding(
            loc=(*_ACCESS, "private"),
            message="the Kubernetes API has neither a public nor a private endpoint",
            hint="set cluster.access.private to true",
        )


def open_api(site: Site) -> Iterator[Finding]:
    """In production the whole internet may knock at the Kubernetes API.

    *Why:* authentication is then the only door, and any flaw in it is everybody's.

    *Instead:* list your networks in `cluster.access.publicCidrs`, or switch the public endpoint off.
    """
    cluster = site.cluster
    if cluster is None or site.environment != "production" or not cluster.public:
        return
    if not cluster.public_cidrs or any(cidr.endswith("/0") for cidr in cluster.public_cidrs):
        yield Finding(
            loc=(*_ACCESS, "publicCidrs") if cluster.public_cidrs else _ACCESS,
            message="the public endpoint of the Kubernetes API is open to the world",
            found=", ".join(cluster.public_cidrs) or "no cluster.access.publicCidrs",
            hint="list the networks that need it in cluster.access.publicCidrs, or set cluster.access.public to false",
            severity=Severity.WARNING,
        )


def invalid_public_range(site: Site) -> Iterator[Finding]:
    """A range in `cluster.access.publicCidrs` is not one that EKS takes.

    *Why:* EKS refuses ranges with bits beyond the prefix, and private ones, which no public endpoint ever sees.

    *Instead:* write the network's own address, for example 203.0.113.0/24; private networks use the private endpoint.
    """
    cluster = site.cluster
    for index, cidr in enumerate(cluster.public_cidrs if cluster is not None else ()):
        problem = _range_problem(cidr)
        if problem:
            yield Finding(
                loc=(*_ACCESS, "publicCidrs", index),
                message=f"'{cidr}' {problem}",
                expected="a public IPv4 network such as 203.0.113.0/24",
                hint="write the public address of your network",
            )


def invalid_network(site: Site) -> Iterator[Finding]:
    """`cluster.vpcCidr` is not a network that a cluster can live in.

    *Why:* eksctl takes /16 to /24; and addresses that are public elsewhere could not be reached from inside.

    *Instead:* a private range that nothing uses which the cluster must reach, for example 10.20.0.0/16.
    """
    cluster = site.cluster
    if cluster is None:
        return
    problem = _range_problem(cluster.vpc_cidr)
    prefix = int(cluster.vpc_cidr.rpartition("/")[2])
    if problem == _PRIVATE and cluster.vpc_cidr.startswith("127."):
        problem = "is the loopback range, which never leaves a machine"
    elif problem == _PRIVATE:
        problem = "" if 16 <= prefix <= 24 else "is too large or too small"
    elif not problem:
        problem = "is not a private range"
    if problem:
        yield Finding(
            loc=("cluster", "vpcCidr"),
            message=f"'{cluster.vpc_cidr}' {problem}",
            expected="a private IPv4 network of /16 to /24, such as 10.20.0.0/16",
            hint="choose a range that is free in your organization's network",
        )


def single_nat(site: Site) -> Iterator[Finding]:
    """In production all nodes share one NAT gateway.

    *Why:* when its zone fails, no node reaches ECR, AWS's APIs or the certificate authority.

    *Instead:* leave `cluster.nat` at highly-available.
    """
    cluster = site.cluster
    if cluster is not None and site.environment == "production" and cluster.nat == "single":
        yield Finding(
            loc=("cluster", "nat"),
            message="one NAT gateway serves every zone",
            label="a single point of failure",
            hint="use highly-available",
            severity=Severity.WARNING,
        )


def foreign_kms_key(site: Site) -> Iterator[Finding]:
    """`cluster.kmsKeyArn` is not a KMS key in the cluster's region.

    *Why:* EKS takes only a key of its own region, and the choice cannot be taken back.

    *Instead:* give the ARN of a key: arn:aws:kms:<region>:<account>:key/<id>.
    """
    cluster = site.cluster
    if cluster is None or cluster.kms_key_arn is None:
        return
    parts = cluster.kms_key_arn.split(":")
    if parts[2] != "kms" or parts[3] != cluster.region or not parts[5].startswith("key/"):
        yield Finding(
            loc=("cluster", "kmsKeyArn"),
            message="not the ARN of a KMS key in the cluster's region",
            expected=f"arn:aws:kms:{cluster.region}:<account>:key/<id>",
            hint="copy the key's ARN (not an alias) from the region of the cluster",
        )


def no_audit_log(site: Site) -> Iterator[Finding]:
    """In production the Kubernetes audit log is off.

    *Why:* for health data somebody will ask who read which Secret, and only this log knows.

    *Instead:* keep `audit` and `authenticator` in `cluster.logging.types`.
    """
    cluster = site.cluster
    if cluster is not None and site.environment == "production" and "audit" not in cluster.log_types:
        yield Finding(
            loc=("cluster", "logging", "types"),
            message="the Kubernetes audit log is off",
            hint="add audit to cluster.logging.types",
            severity=Severity.WARNING,
        )


def auto_mode_node_groups(site: Site) -> Iterator[Finding]:
    """A cluster in Auto Mode has node groups.

    *Why:* Auto Mode makes its own nodes, and eksctl refuses node groups when it creates such a cluster.

    *Instead:* drop `cluster.nodeGroups`, or use `mode: managed-nodes`.
    """
    cluster = site.cluster
    if cluster is not None and cluster.auto_mode and cluster.node_groups:
        yield Finding(
            loc=("cluster", "nodeGroups"),
            key=True,
            message="EKS Auto Mode has no node groups of yours",
            hint="drop cluster.nodeGroups, or use mode: managed-nodes",
            related=((("cluster", "mode"), "Auto Mode is chosen here"),),
        )


def load_balancer_mode(site: Site) -> Iterator[Finding]:
    """The load balancer of the edge is not the one that the cluster makes.

    *Why:* Auto Mode takes every Service of type LoadBalancer for itself, so annotations meant for another controller
    give an internal load balancer or none; and without Auto Mode nothing answers to its class.

    *Instead:* leave `ingress.loadBalancer` out: it follows `cluster.mode`.
    """
    cluster = site.cluster
    if cluster is None or site.edge.controller == "none":
        return
    if cluster.auto_mode != (site.edge.load_balancer == "auto-mode"):
        yield Finding(
            loc=("ingress", "loadBalancer"),
            message=f"load balancer '{site.edge.load_balancer}' does not fit a cluster "
            + ("in Auto Mode" if cluster.auto_mode else "without Auto Mode"),
            expected="auto-mode" if cluster.auto_mode else "aws-load-balancer-controller, or in-tree",
            hint="drop ingress.loadBalancer; it follows cluster.mode",
            related=((("cluster", "mode"), "the cluster's mode"),),
        )


def shared_gateway(site: Site) -> Iterator[Finding]:
    """`ingress.gateway` stands beside a choice that is not the site's at a Gateway of others.

    *Why:* only routes of the Gateway API join a Gateway, and whether it speaks proxy protocol is said once for all who
    share it. Either would be without effect, and nobody would notice.

    *Instead:* leave `ingress.controller` at envoy-gateway and `ingress.proxyProtocol` out, or drop `ingress.gateway`.
    """
    edge = site.edge
    if edge.own_gateway:
        return
    choices = (("controller", edge.controller != "envoy-gateway"), ("proxyProtocol", edge.proxy_protocol))
    for field, wrong in choices:
        if wrong:
            yield Finding(
                loc=("ingress", field),
                message=f"ingress.{field} has no place beside a Gateway that exists",
                hint=f"drop ingress.{field}, or ingress.gateway",
                related=((("ingress", "gateway"), "the Gateway"),),
            )


def proxy_protocol_targets(site: Site) -> Iterator[Finding]:
    """Proxy protocol is on, and the load balancer sends to nodes instead of pods.

    *Why:* with `externalTrafficPolicy: Local` the health checks of instance targets carry no proxy header, so every
    target is unhealthy and the site is down. The in-tree controller knows instance targets only.

    *Instead:* use the AWS Load Balancer Controller, or leave proxy protocol off: `Local` keeps client addresses too.
    """
    edge = site.edge
    at_own = edge.own_gateway and edge.controller != "none"
    if at_own and edge.proxy_protocol and edge.load_balancer == "in-tree":
        yield Finding(
            loc=("ingress", "proxyProtocol"),
            message="proxy protocol needs a load balancer that sends to pods, and the in-tree one sends to nodes",
            label="every health check would fail",
            hint="set ingress.loadBalancer to aws-load-balancer-controller, or drop proxyProtocol",
        )


def _range_problem(cidr: str) -> str:
    from ipaddress import IPv4Network

    try:
        network = IPv4Network(cidr)
    except ValueError as error:
        return "has bits set beyond its prefix" if "host bits" in str(error) else "is not an IPv4 range"
    private = (IPv4Network(name) for name in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8"))
    return _PRIVATE if any(network.subnet_of(other) for other in private) else ""
