"""Rules over each node group: name, size, instance types, labels, taints."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Finding, Loc, Severity, did_you_mean
from jhecfg.instances import Instance, find_instance, instances
from jhecfg.site import NodeGroup, Site

SPOT_TYPES = 3

_PURPOSE = "hub.jupyter.org/node-purpose"
_DEDICATED = "hub.jupyter.org/dedicated"

# The kubelet's own labels under reserved prefixes (k8s.io/kubelet/pkg/apis/well_known_labels.go): eksctl allows them.
_KUBELET_LABELS = frozenset({
    "kubernetes.io/arch", "kubernetes.io/os", "kubernetes.io/hostname", "node.kubernetes.io/instance-type",
    "topology.kubernetes.io/region", "topology.kubernetes.io/zone", "beta.kubernetes.io/arch",
    "beta.kubernetes.io/instance-type", "beta.kubernetes.io/os", "failure-domain.beta.kubernetes.io/region",
    "failure-domain.beta.kubernetes.io/zone",
})  # fmt: skip
_KUBELET_PREFIXES = ("kubelet.kubernetes.io", "node.kubernetes.io")


def groups(site: Site, purpose: str | None = None) -> Iterator[NodeGroup]:
    """Yield the managed node groups, of one purpose or all; none in Auto Mode or in a cluster that exists."""
    if site.cluster is not None and not site.cluster.auto_mode:
        yield from (group for group in site.cluster.node_groups if purpose in (None, group.purpose))


def type_loc(group: NodeGroup, index: int) -> Loc:
    """Point at the instance type: a single one is usually written as `instanceType`."""
    single = len(group.instance_types) == 1 and not group.spot
    return (*group.loc, "instanceType") if single else (*group.loc, "instanceTypes", index)


def duplicate_node_group(site: Site) -> Iterator[Finding]:
    """Two node groups have the same name and generation.

    *Why:* eksctl makes one CloudFormation stack for each name.

    *Instead:* rename one, or give it the next `generation`.
    """
    seen: dict[str, NodeGroup] = {}
    for group in groups(site):
        first = seen.setdefault(group.full_name, group)
        if first is not group:
            yield Finding(
                loc=(*group.loc, "name"),
                message=f"node group '{group.full_name}' is defined twice",
                hint="rename one of them",
                related=(((*first.loc, "name"), "first defined here"),),
            )


def node_group_scaling(site: Site) -> Iterator[Finding]:
    """A node group's `min`, `desired` and `max` are out of order.

    *Why:* eksctl refuses them, and CloudFormation later and less clearly.

    *Instead:* min ≤ desired ≤ max.
    """
    for group in groups(site):
        if not group.min <= group.desired <= group.max:
            yield Finding(
                loc=(*group.loc, "scaling"),
                message=f"node group '{group.name}' cannot have this size",
                found=f"min {group.min}, desired {group.desired}, max {group.max}",
                expected="min <= desired <= max",
                hint="put the three in order",
            )


def missing_instance_type(site: Site) -> Iterator[Finding]:
    """A node group names no instance type.

    *Why:* eksctl would choose m5.large, whatever the group is for.

    *Instead:* set `instanceType`, or `instanceTypes` for spot.
    """
    for group in groups(site):
        if not group.instance_types:
            yield Finding(
                loc=group.loc,
                message=f"node group '{group.name}' names no instance type",
                hint=f"set instanceType, for example {'m7i-flex.large' if group.purpose == 'core' else 'r7i.xlarge'}",
            )


def unknown_instance_type(site: Site) -> Iterator[Finding]:
    """An instance type is not one that this jhecfg knows, so nothing about it could be checked.

    *Why:* a misspelt type fails only when the group is created; an unknown one may hold too few pods.

    *Instead:* correct it; for a type that is right: `# jhecfg: ignore[unknown-instance-type] …`.
    """
    for group in groups(site):
        for index, name in enumerate(group.instance_types):
            if find_instance(name) is None:
                family = tuple(known for known in instances() if known.split(".")[0] == name.split(".")[0])
                yield Finding(
                    loc=type_loc(group, index),
                    message=f"instance type '{name}' is unknown to this jhecfg",
                    hint=did_you_mean(name, family or instances()) or "check it at aws.amazon.com/ec2/instance-types",
                    severity=Severity.WARNING,
                )


def unlike_instance_types(site: Site) -> Iterator[Finding]:
    """The instance types of a node group differ in size or architecture.

    *Why:* the autoscaler takes one of them for all, so it counts on room that the next node does not have; an image for
    amd64 does not start on arm64.

    *Instead:* types with the same CPUs, memory and architecture; another size is another group.
    """
    for group in groups(site):
        known = [(i, instance) for i, instance in enumerate(map(find_instance, group.instance_types)) if instance]
        for index, instance in known[1:]:
            first = known[0][1]
            if instance.shape != first.shape:
                yield Finding(
                    loc=type_loc(group, index),
                    message=f"'{instance.name}' is not of the size of '{first.name}'",
                    found=_shape(instance),
                    expected=_shape(first),
                    hint="use types of one size, or make a node group for the other size",
                )


def spot_core(site: Site) -> Iterator[Finding]:
    """A core group runs on spot capacity.

    *Why:* AWS takes spot nodes back within two minutes: hubs, the proxies and the Exchange would go with them.

    *Instead:* on-demand nodes for core; spot for users.
    """
    for group in groups(site, "core"):
        if group.spot:
            yield Finding(
                loc=(*group.loc, "spot"),
                message=f"core group '{group.name}' runs on spot capacity",
                hint="drop spot, or set purpose: user",
            )


def few_spot_types(site: Site) -> Iterator[Finding]:
    """A spot group names fewer than three instance types.

    *Why:* each type is one pool; when it is empty, nobody gets a server.

    *Instead:* three or more types of the same size.
    """
    for group in groups(site, "user"):
        if group.spot and 0 < len(group.instance_types) < SPOT_TYPES:
            yield Finding(
                loc=type_loc(group, 0),
                message=f"spot group '{group.name}' depends on {len(group.instance_types)} instance type(s)",
                expected=f"{SPOT_TYPES} or more of the same size",
                hint="list further instanceTypes, for example r7i.xlarge, r6i.xlarge, r6a.xlarge",
                severity=Severity.WARNING,
            )


def missing_node_group(site: Site) -> Iterator[Finding]:
    """The cluster lacks a core group, or hubs run in it without a user group.

    *Why:* user groups are tainted, so the Exchange and the add-ons need a core group; and users' servers beside the
    Exchange can take its memory.

    *Instead:* add a group of that purpose.
    """
    if nodes_unmanaged(site):
        return
    needed = ("core", "user") if site.cluster_hubs else ("core",)
    for purpose in needed:
        if not any(group.purpose == purpose for group in groups(site)):
            why = "the Exchange and the add-ons have no node" if purpose == "core" else "users' servers have no nodes"
            yield Finding(
                loc=("cluster", "nodeGroups"),
                message=f"no node group with purpose {purpose}: {why}",
                hint=f"add a node group with purpose: {purpose}",
            )


def too_few_core_nodes(site: Site) -> Iterator[Finding]:
    """A core group may shrink to nothing, or in production to a single node.

    *Why:* with one node every update of it is an outage, and with none the site stands still.

    *Instead:* `scaling.min` of 2.
    """
    core = tuple(groups(site, "core"))
    least = sum(group.min for group in core)
    if not core or least >= 2 or (least == 1 and site.environment != "production"):
        return
    yield Finding(
        loc=(*core[0].loc, "scaling", "min"),
        message=f"the core groups may shrink to {least} node(s)",
        expected="2 or more",
        hint="set scaling.min to 2",
        severity=Severity.WARNING if least else Severity.ERROR,
    )


def reserved_node_label(site: Site) -> Iterator[Finding]:
    """A node label has a reserved name.

    *Why:* the kubelet may not set labels under kubernetes.io or k8s.io except a few, and a node with another one does
    not join; `hub.jupyter.org/node-purpose` follows from `purpose`.

    *Instead:* a prefix of your own.
    """
    for group in groups(site):
        for label, _ in group.labels:
            if label == _PURPOSE or _is_reserved(label):
                yield Finding(
                    loc=(*group.loc, "labels", label),
                    key=True,
                    message=f"label '{label}' is not yours to set",
                    hint="set purpose" if label == _PURPOSE else "use a prefix of your own, such as example.org/",
                )


def duplicate_taint(site: Site) -> Iterator[Finding]:
    """A node group has the same taint twice.

    *Why:* EKS refuses two taints with one key and effect; user groups have hub.jupyter.org/dedicated already.

    *Instead:* keep one.
    """
    for group in groups(site):
        seen = {(_DEDICATED, "NoSchedule")} if group.purpose == "user" else set()
        for index, (key, _, effect) in enumerate(group.taints):
            if (key, effect) in seen:
                yield Finding(
                    loc=(*group.loc, "taints", index),
                    message=f"node group '{group.name}' has taint '{key}' with effect {effect} twice",
                    hint="drop this one",
                )
            seen.add((key, effect))


def tainted_core(site: Site) -> Iterator[Finding]:
    """Every core group is tainted.

    *Why:* the Exchange, coredns and the controllers tolerate no taint, so nothing of the site would start.

    *Instead:* leave one core group without taints.
    """
    core = tuple(groups(site, "core"))
    if core and all(any(effect != "PreferNoSchedule" for _, _, effect in group.taints) for group in core):
        yield Finding(
            loc=(*core[0].loc, "taints"),
            message="every core group is tainted, and nothing of the site tolerates that",
            hint="drop the taints of a core group",
        )


def nodes_unmanaged(site: Site) -> bool:
    """Say whether nodes are somebody else's matter: an existing cluster, or Auto Mode."""
    return site.cluster is None or site.cluster.auto_mode


def _shape(instance: Instance) -> str:
    return f"{instance.cpus} CPUs, {instance.memory_gib:g} GiB, {instance.architecture}"


def _is_reserved(label: str) -> bool:
    prefix = label.rpartition("/")[0]
    if label in _KUBELET_LABELS or prefix in _KUBELET_PREFIXES:
        return False
    if any(prefix.endswith(f".{allowed}") for allowed in _KUBELET_PREFIXES):
        return False
    return any(
        prefix == zone or prefix.endswith(f".{zone}") for zone in ("kubernetes.io", "k8s.io", "eks.amazonaws.com")
    )
