"""Rules over room: whether the site's pods and the users' servers fit on the nodes."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Finding
from jhecfg.instances import Instance, find_instance
from jhecfg.rules.cluster.nodes import groups, type_loc
from jhecfg.site import NodeGroup, Site

CORE_PODS = 29
CORE_MEMORY_GIB = 8

# Pods of each chart, with the values that jhecfg renders for it; of Envoy Gateway with its proxies.
_CHART_PODS = {
    "aws-load-balancer-controller": 2,
    "gateway-helm": 4,
    "ingress-nginx": 2,
    "cert-manager": 4,
    "external-secrets": 4,
    "external-dns": 1,
    "cluster-autoscaler": 1,
}
_ENGINE_PODS = {"argocd": 7, "flux": 4, "none": 0}
_HUB_PODS = 4  # hub, proxy, two user schedulers


def small_core_node(site: Site) -> Iterator[Finding]:
    """The nodes of a core group are too small.

    *Why:* four or five pods of each node are daemons, and a site has about thirty more; the Exchange, a hub and the
    controllers together ask for more than 4 GiB.

    *Instead:* 29 pods and 8 GiB or more, for example m7i-flex.large.
    """
    for group in groups(site, "core"):
        for index, instance in enumerate(map(find_instance, group.instance_types)):
            if instance and (instance.max_pods < CORE_PODS or instance.memory_gib < CORE_MEMORY_GIB):
                yield Finding(
                    loc=type_loc(group, index),
                    message=f"core group '{group.name}' has nodes that are too small",
                    found=f"{instance.name}: {instance.max_pods} pods, {instance.memory_gib:g} GiB",
                    expected=f"{CORE_PODS} pods and {CORE_MEMORY_GIB} GiB, or more",
                    hint="use m7i-flex.large",
                )


def node_without_room(site: Site) -> Iterator[Finding]:
    """A node is full before anybody uses it.

    *Why:* a node holds as many pods as its network interfaces have addresses, and each node needs its daemons.

    *Instead:* a larger instance type; t2.micro holds 4 pods.
    """
    daemons = _daemons(site)
    for group in groups(site):
        for index, instance in enumerate(map(find_instance, group.instance_types)):
            if instance and instance.max_pods <= len(daemons):
                yield Finding(
                    loc=type_loc(group, index),
                    message=f"'{instance.name}' has no room for a pod of yours",
                    found=f"{instance.max_pods} pods - {len(daemons)} daemons = {instance.max_pods - len(daemons)}",
                    label=", ".join(daemons),
                    hint="use m7i-flex.large for core, r7i.xlarge for users",
                )


def too_few_pods(site: Site) -> Iterator[Finding]:
    """The core groups at their smallest do not hold the site's pods.

    *Why:* pods over a node's limit stay Pending, and the autoscaler that would help is one of them.

    *Instead:* larger instance types, or more nodes.
    """
    core = tuple(groups(site, "core"))
    terms = [(group.min, size) for group in core if (size := _least_pods(group)) is not None]
    if not core or len(terms) < len(core):
        return
    daemons = len(_daemons(site))
    room = sum(nodes * (size - daemons) for nodes, size in terms)
    planned = tuple((name, count) for name, count in planned_pods(site) if count)
    needed = sum(count for _, count in planned)
    if room < needed:
        yield Finding(
            loc=type_loc(core[0], 0),
            message=f"the core groups have room for {max(room, 0)} pods, and the site has {needed}",
            found=" + ".join(f"{nodes} x ({size} - {daemons} daemons)" for nodes, size in terms) + f" = {room}",
            expected=f"{' + '.join(f'{name} {count}' for name, count in planned)} = {needed}",
            hint="use a larger instanceType, or raise scaling.min",
        )


def planned_pods(site: Site) -> Iterator[tuple[str, int]]:
    """Yield (what, how many) for every pod of the site that needs a core node."""
    addons = site.cluster.addons if site.cluster is not None else ()
    yield "coredns", 2
    yield "ebs-csi-controller", 2
    yield "metrics-server", 2 if "metrics-server" in addons else 0
    for chart in site.charts:
        yield chart.name, _CHART_PODS.get(chart.name, 1)
    yield site.gitops.engine, _ENGINE_PODS[site.gitops.engine]
    yield "exchange", site.exchange.replicas
    yield "mcp", site.exchange.mcp.replicas if site.exchange.mcp else 0
    yield "hubs", _HUB_PODS * len(site.cluster_hubs)
    yield "jobs", 2  # a migrate or bootstrap Job, and one more Exchange pod during a rollout


def server_does_not_fit(site: Site) -> Iterator[Finding]:
    """No node of the user groups is large enough for a user's server.

    *Why:* the server stays Pending, the autoscaler sees that no group helps, and the login ends in a timeout.

    *Instead:* a smaller `memory.guarantee` or `cpu.guarantee`, or a larger instance type.
    """
    known = [find_instance(name) for group in groups(site, "user") for name in group.instance_types]
    nodes = [instance for instance in known if instance]
    if not nodes or len(nodes) < len(known):
        return
    largest = max(nodes, key=lambda node: (allocatable_gib(node), node.cpus))
    for hub in site.cluster_hubs:
        wants = memory_gib(hub.memory_guarantee)
        if not any(wants <= allocatable_gib(node) and hub.cpu_guarantee < node.cpus for node in nodes):
            yield Finding(
                loc=(*hub.loc, "resources"),
                message=f"a server of hub '{hub.name}' fits on no node of the user groups",
                found=f"{wants:g} GiB and {hub.cpu_guarantee:g} CPUs guaranteed",
                expected=f"{largest.name}: {allocatable_gib(largest):.1f} GiB, fewer than {largest.cpus} CPUs",
                hint="lower the guarantee, or use a larger instanceType",
            )


def allocatable_gib(instance: Instance) -> float:
    """Return the memory that pods may use, in GiB: 255 MiB + 11 MiB a pod are the kubelet's, 100 MiB its reserve.

    From awslabs/amazon-eks-ami (nodeadm, kubelet's kube-reserved); an upper bound, since the kernel takes some too.
    """
    return instance.memory_gib - (255 + 11 * instance.max_pods + 100) / 1024


def memory_gib(quantity: str) -> float:
    """Read a JupyterHub memory quantity (`512M`, `1.5G`; powers of 1024) in GiB."""
    return float(quantity[:-1]) * 1024.0 ** ("KMGT".index(quantity[-1]) - 2)


def _daemons(site: Site) -> tuple[str, ...]:
    """Return the pods that run on every node."""
    addons = site.cluster.addons if site.cluster is not None else ()
    optional = {"eks-node-monitoring-agent": 1, "aws-efs-csi-driver": 1, "amazon-cloudwatch-observability": 2}
    extra = (name for name, count in optional.items() if name in addons for _ in range(count))
    return ("aws-node", "kube-proxy", "ebs-csi-node", "eks-pod-identity-agent", *extra)


def _least_pods(group: NodeGroup) -> int | None:
    known = [find_instance(name) for name in group.instance_types]
    pods = [instance.max_pods for instance in known if instance]
    return min(pods) if pods and len(pods) == len(known) else None
