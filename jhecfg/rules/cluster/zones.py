"""Rules over availability zones: of the cluster, of its node groups, of the disks in them."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Finding, Loc, Severity, did_you_mean
from jhecfg.rules.cluster.nodes import groups
from jhecfg.site import Site


def zone_outside_region(site: Site) -> Iterator[Finding]:
    """An availability zone belongs to another region than the cluster.

    *Why:* CloudFormation finds out only after minutes, and leaves a half-made stack.

    *Instead:* name zones of `cluster.region`, for example us-east-2a for us-east-2.
    """
    cluster = site.cluster
    if cluster is None:
        return
    places: list[tuple[Loc, str]] = [(("cluster", "zones", i), zone) for i, zone in enumerate(cluster.zones)]
    for group in cluster.node_groups:
        own = ((i, zone) for i, zone in enumerate(group.zones) if zone not in cluster.zones)
        places += [((*group.loc, "zones", i), zone) for i, zone in own]
    for loc, zone in places:
        if zone[:-1] != cluster.region:
            yield Finding(
                loc=loc,
                message=f"zone '{zone}' is not in region {cluster.region}",
                expected=f"a zone such as {cluster.region}a",
                hint="name a zone of the cluster's region",
                related=((("cluster", "region"), "the region"),),
            )


def too_few_zones(site: Site) -> Iterator[Finding]:
    """`cluster.zones` names one zone only.

    *Why:* EKS wants its subnets in at least two, and so does RDS.

    *Instead:* name two or three; node groups may still stay in one.
    """
    cluster = site.cluster
    if cluster is not None and len(set(cluster.zones)) == 1:
        yield Finding(
            loc=("cluster", "zones"),
            message="a cluster needs two availability zones or more",
            found=", ".join(cluster.zones),
            hint="add another zone of the region",
        )


def unknown_group_zone(site: Site) -> Iterator[Finding]:
    """A node group stays in a zone that the cluster does not have.

    *Why:* the cluster has subnets in its own zones only: those of `cluster.zones`, or the region's a and b.

    *Instead:* choose one of the cluster's zones, or add it to `cluster.zones`.
    """
    cluster = site.cluster
    if cluster is None or cluster.auto_mode:
        return
    for group in cluster.node_groups:
        for index, zone in enumerate(group.zones):
            if zone not in cluster.zones:
                yield Finding(
                    loc=(*group.loc, "zones", index),
                    message=f"node group '{group.name}' is to run in {zone}, which is not one of the cluster's zones",
                    found=zone,
                    expected=", ".join(cluster.zones),
                    hint=did_you_mean(zone, cluster.zones),
                )


def user_group_zones(site: Site) -> Iterator[Finding]:
    """A user group spans zones while users' disks are zonal.

    *Why:* an EBS volume lives in one zone. The autoscaler cannot ask a group for a node in *that* zone, so a user whose
    disk is elsewhere waits for ever.

    *Instead:* one zone for each user group, all of them the same; or a StorageClass on EFS.
    """
    cluster = site.cluster
    if cluster is None or not any(hub.storage_class == cluster.storage_class for hub in site.cluster_hubs):
        return
    for group in groups(site, "user"):
        if len(group.zones) != 1:
            yield Finding(
                loc=(*group.loc, "zones"),
                message=f"user group '{group.name}' spans zones, and its users' disks do not",
                found=", ".join(group.zones),
                expected="one zone",
                hint=f"set zones to [{group.zones[0]}]",
            )


def core_group_zones(site: Site) -> Iterator[Finding]:
    """A core group has fewer nodes than zones while hubs keep a disk.

    *Why:* a hub's database is an EBS volume in one zone. Where that zone has no core node, the hub does not start.

    *Instead:* as many nodes as zones, or fewer zones.
    """
    if not site.cluster_hubs:
        return
    for group in groups(site, "core"):
        if len(group.zones) > max(group.min, 1):
            yield Finding(
                loc=(*group.loc, "zones"),
                message=f"core group '{group.name}' has {group.min} node(s) in {len(group.zones)} zones",
                label="a hub's disk lives in one of them",
                hint=f"raise scaling.min to {len(group.zones)}, or name fewer zones",
                severity=Severity.WARNING,
            )
