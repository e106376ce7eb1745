"""The rules over AWS: a bad example of each, and the good spec that none of them minds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg.diagnostics import Finding, Severity
from jhecfg.instances import find_instance
from jhecfg.releases import EKS_VERSIONS
from jhecfg.rules.cluster import RULES
from jhecfg.rules.cluster.capacity import allocatable_gib, memory_gib, planned_pods
from jhecfg.site import Site
from tests.aws_site import HUB, core, groups, make, user

BY_NAME = {rule.__name__: rule for rule in RULES}


def found(site: Site, rule: str) -> list[Finding]:
    """Run one rule over a site."""
    return list(BY_NAME[rule](site))


def names(site: Site) -> set[str]:
    """Return the names of the rules that find something."""
    return {name for name, rule in BY_NAME.items() if list(rule(site))}


def rds(**changes: Any) -> dict[str, Any]:
    """Change the database's own part."""
    return {"database__rds": changes}


KMS = "arn:aws:kms:us-west-2:111122223333:key/00000000-0000-0000-0000-000000000000"
BIG_HUB = {**HUB, "resources": {"memory": {"guarantee": "64G", "limit": "64G"}}}
SUBNET = "subnet-0123456789abcdef0"
VPC = {
    "region": "us-east-2",
    "id": "vpc-0123456789abcdef0",
    "subnets": [SUBNET, "subnet-0123456789abcdef1"],
    "allowFrom": ["sg-0123456789abcdef0"],
}
TAINT = {"key": "hub.jupyter.org/dedicated", "value": "x", "effect": "NoSchedule"}

# Rule, what is wrong, where it is shown, what it says.
BAD: tuple[tuple[str, Site, tuple[str | int, ...], str], ...] = (
    ("unknown_region", make(cluster__region="us-eats-2"), ("cluster", "region"), "not an AWS region"),
    (
        "unsupported_kubernetes",
        make(cluster__version="1.30"),
        ("cluster", "version"),
        "no longer supports Kubernetes 1.30",
    ),
    ("unknown_kubernetes", make(cluster__version="1.99"), ("cluster", "version"), "unknown to this jhecfg"),
    ("kubernetes_support_ended", make(cluster__version="1.33"), ("cluster", "version"), "ended on 2026-07-29"),
    (
        "chart_kubernetes",
        make(ingress__controller="ingress-nginx"),
        ("cluster", "version"),
        "chart ingress-nginx 4.15.1 does not support Kubernetes 1.36",
    ),
    (
        "unavailable_addon",
        make(cluster__region="us-gov-west-1"),
        ("cluster", "addons"),
        "no add-on metrics-server in us-gov-west-1",
    ),
    (
        "zone_outside_region",
        make(cluster__zones=["us-east-2a", "us-west-2b"]),
        ("cluster", "zones", 1),
        "zone 'us-west-2b' is not in region us-east-2",
    ),
    ("too_few_zones", make(cluster__zones=["us-east-2a"]), ("cluster", "zones"), "two availability zones or more"),
    (
        "unknown_group_zone",
        groups(core(), user(zones=["us-east-2c"])),
        ("cluster", "nodeGroups", 1, "zones", 0),
        "us-east-2c, which is not one of the cluster's zones",
    ),
    (
        "user_group_zones",
        groups(core(), user(zones=["us-east-2a", "us-east-2b"])),
        ("cluster", "nodeGroups", 1, "zones"),
        "spans zones",
    ),
    (
        "core_group_zones",
        groups(core(scaling={"min": 1, "max": 2}), user()),
        ("cluster", "nodeGroups", 0, "zones"),
        "1 node(s) in 2 zones",
    ),
    (
        "unreachable_api",
        make(cluster__access={"public": False, "private": False}),
        ("cluster", "access", "private"),
        "neither a public nor a private endpoint",
    ),
    ("open_api", make(cluster__access=None), ("cluster", "access"), "open to the world"),
    (
        "invalid_public_range",
        make(cluster__access={"publicCidrs": ["203.0.113.7/24"]}),
        ("cluster", "access", "publicCidrs", 0),
        "bits set beyond its prefix",
    ),
    ("single_nat", make(cluster__nat="single"), ("cluster", "nat"), "one NAT gateway"),
    ("foreign_kms_key", make(cluster__kmsKeyArn=KMS), ("cluster", "kmsKeyArn"), "in the cluster's region"),
    ("no_audit_log", make(cluster__logging={"types": ["api"]}), ("cluster", "logging", "types"), "audit log is off"),
    ("auto_mode_node_groups", make(cluster__mode="auto-mode"), ("cluster", "nodeGroups"), "no node groups of yours"),
    (
        "load_balancer_mode",
        make(ingress__loadBalancer="auto-mode"),
        ("ingress", "loadBalancer"),
        "does not fit a cluster without Auto Mode",
    ),
    (
        "proxy_protocol_targets",
        make(ingress__loadBalancer="in-tree", ingress__proxyProtocol=True),
        ("ingress", "proxyProtocol"),
        "sends to nodes",
    ),
    (
        "duplicate_node_group",
        groups(core(), user(), user()),
        ("cluster", "nodeGroups", 2, "name"),
        "'user-a' is defined twice",
    ),
    (
        "node_group_scaling",
        groups(core(), user(scaling={"min": 3, "desired": 2, "max": 5})),
        ("cluster", "nodeGroups", 1, "scaling"),
        "cannot have this size",
    ),
    (
        "missing_instance_type",
        groups(core(instanceType=None), user()),
        ("cluster", "nodeGroups", 0),
        "names no instance type",
    ),
    (
        "unknown_instance_type",
        groups(core(), user(instanceType="r7i.xlrage")),
        ("cluster", "nodeGroups", 1, "instanceType"),
        "'r7i.xlrage' is unknown",
    ),
    (
        "unlike_instance_types",
        groups(core(), user(instanceType=None, instanceTypes=["r7i.xlarge", "r7g.xlarge"])),
        ("cluster", "nodeGroups", 1, "instanceTypes", 1),
        "'r7g.xlarge' is not of the size of 'r7i.xlarge'",
    ),
    ("spot_core", groups(core(spot=True), user()), ("cluster", "nodeGroups", 0, "spot"), "spot capacity"),
    (
        "few_spot_types",
        groups(core(), user(spot=True)),
        ("cluster", "nodeGroups", 1, "instanceTypes", 0),
        "depends on 1 instance type(s)",
    ),
    ("missing_node_group", groups(user()), ("cluster", "nodeGroups"), "purpose core"),
    ("missing_node_group", groups(core()), ("cluster", "nodeGroups"), "purpose user"),
    (
        "too_few_core_nodes",
        groups(core(scaling={"min": 0, "max": 2}), user()),
        ("cluster", "nodeGroups", 0, "scaling", "min"),
        "may shrink to 0 node(s)",
    ),
    (
        "reserved_node_label",
        groups(core(labels={"node-role.kubernetes.io/core": "x"}), user()),
        ("cluster", "nodeGroups", 0, "labels", "node-role.kubernetes.io/core"),
        "not yours to set",
    ),
    (
        "duplicate_taint",
        groups(core(), user(taints=[TAINT])),
        ("cluster", "nodeGroups", 1, "taints", 0),
        "twice",
    ),
    (
        "tainted_core",
        groups(core(taints=[TAINT]), user()),
        ("cluster", "nodeGroups", 0, "taints"),
        "every core group is tainted",
    ),
    (
        "small_core_node",
        groups(core(instanceType="t3.medium"), user()),
        ("cluster", "nodeGroups", 0, "instanceType"),
        "too small",
    ),
    (
        "node_without_room",
        groups(core(), user(instanceType="t2.micro")),
        ("cluster", "nodeGroups", 1, "instanceType"),
        "'t2.micro' has no room",
    ),
    (
        "too_few_pods",
        groups(core(instanceType="t2.small"), user()),
        ("cluster", "nodeGroups", 0, "instanceType"),
        "room for 12 pods",
    ),
    ("server_does_not_fit", make(hubs=[BIG_HUB]), ("hubs", 0, "resources"), "fits on no node"),
    (
        "invalid_network",
        make(cluster__vpcCidr="203.0.113.0/24"),
        ("cluster", "vpcCidr"),
        "'203.0.113.0/24' is not a private range",
    ),
    (
        "rds_other_region",
        make(database__rds={"vpc": {**VPC, "region": "us-west-2"}}),
        ("database", "rds", "vpc", "region"),
        "the database's network is in us-west-2, and the cluster in us-east-2",
    ),
    (
        "rds_subnet_twice",
        make(database__rds={"vpc": {**VPC, "subnets": [SUBNET, SUBNET]}}),
        ("database", "rds", "vpc", "subnets", 1),
        f"'{SUBNET}' is named twice",
    ),
    (
        "shared_gateway",
        make(ingress__gateway={"name": "shared", "namespace": "edge"}, ingress__controller="none"),
        ("ingress", "controller"),
        "has no place beside a Gateway that exists",
    ),
    (
        "unused_addon_version",
        make(cluster__addonVersions={"vpc-cin": "v1.20.0-eksbuild.1"}),
        ("cluster", "addonVersions", "vpc-cin"),
        "no add-on 'vpc-cin'",
    ),
    ("rds_needs_cluster", make(cluster=None, hubs=[]), ("database", "rds"), "needs a network"),
    (
        "rds_engine_version",
        make(**rds(engineVersion="17.4")),
        ("database", "rds", "engineVersion"),
        "no longer be created",
    ),
    (
        "rds_instance_class",
        make(**rds(instanceClass="db.t2.small")),
        ("database", "rds", "instanceClass"),
        "db.t2.small",
    ),
    ("rds_storage", make(**rds(maxStorageGiB=109)), ("database", "rds", "maxStorageGiB"), "no room to grow"),
    ("rds_name", make(**rds(masterUser="admin")), ("database", "rds", "masterUser"), "'admin' is not a name"),
    ("application_is_master", make(**rds(masterUser="jhe")), ("database", "user"), "the RDS master user"),
    ("rds_host", make(database__host="db.example.org"), ("database", "host"), "not an RDS endpoint"),
    ("rds_single_zone", make(**rds(multiAz=False)), ("database", "rds", "multiAz"), "no standby"),
    (
        "rds_deletion_protection",
        make(**rds(deletionProtection=False)),
        ("database", "rds", "deletionProtection"),
        "nothing keeps",
    ),
    ("rds_few_backups", make(**rds(backupDays=3)), ("database", "rds", "backupDays"), "3 day(s)"),
)


def test_the_good_spec_is_good() -> None:
    """No rule minds the spec that the bad ones are made of."""
    assert names(make()) == set()


def test_every_rule_has_a_bad_example() -> None:
    """A rule that nothing breaks is not tested."""
    assert {rule for rule, *_ in BAD} == BY_NAME.keys()


@pytest.mark.parametrize(("rule", "site", "loc", "words"), BAD, ids=[f"{row[0]}-{i}" for i, row in enumerate(BAD)])
def test_bad_example_is_found_where_it_is(rule: str, site: Site, loc: tuple[str | int, ...], words: str) -> None:
    """The rule speaks once, about the right place, in the right words, and says what to do."""
    (finding,) = found(site, rule)
    assert finding.loc == loc
    assert words in finding.message
    assert finding.hint


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_rule_is_documented(rule: Any) -> None:
    """The docstring is what `jhecfg explain` prints: a summary, perhaps why, and what to do instead."""
    text = rule.__doc__ or ""
    assert text.splitlines()[0].endswith(".")
    assert "*Instead:*" in text


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("mode", ["existing", "auto-mode"])
def test_rules_are_quiet_about_nodes_that_are_not_ours(rule: Any, mode: str) -> None:
    """An existing cluster and Auto Mode are choices, not mistakes."""
    existing: dict[str, Any] = {"cluster": None, "database__rds": None, "hubs": []}
    auto: dict[str, Any] = {"cluster__mode": "auto-mode", "cluster__nodeGroups": None}
    assert list(rule(make(**(existing if mode == "existing" else auto)))) == []


def test_a_staging_site_may_be_cheap() -> None:
    """Advice about outages is for production."""
    cheap = make(
        environment="staging",
        cluster__nat="single",
        cluster__access=None,
        cluster__logging={"types": []},
        **rds(multiAz=False, deletionProtection=False, backupDays=1),
    )
    assert names(cheap) == set()


def test_the_sum_of_pods_is_shown() -> None:
    """A t2.micro group is refused with the arithmetic, daemons and all."""
    (finding,) = found(groups(core(instanceType="t2.micro"), user()), "too_few_pods")
    assert finding.found == "2 x (4 - 5 daemons) = -2"
    assert finding.expected.startswith("coredns 2 + ebs-csi-controller 2 + metrics-server 2 + ")
    assert finding.expected.endswith(f" = {sum(count for _, count in planned_pods(make()))}")


def test_source_documents_groups_are_refused() -> None:
    """Two t2.micro nodes and a t2.small, as the source document has them, cannot hold a site."""
    site = groups(core(instanceType="t2.micro", scaling={"min": 1, "max": 2}), user(instanceType="t2.small"))
    assert {"too_few_pods", "small_core_node", "node_without_room"} <= names(site)


def test_severity_separates_failure_from_advice() -> None:
    """What cannot work is an error, what works until a bad day is a warning."""
    assert found(make(cluster__version="1.30"), "unsupported_kubernetes")[0].severity is Severity.ERROR
    assert found(make(cluster__version="1.99"), "unknown_kubernetes")[0].severity is Severity.WARNING
    assert (
        found(groups(core(scaling={"min": 1, "max": 2}), user()), "too_few_core_nodes")[0].severity is Severity.WARNING
    )


def test_ingress_nginx_is_content_with_its_last_kubernetes() -> None:
    """The retired controller works up to 1.35, and the finding names both ways out."""
    assert found(make(ingress__controller="ingress-nginx", cluster__version="1.35"), "chart_kubernetes") == []
    (finding,) = found(make(ingress__controller="ingress-nginx"), "chart_kubernetes")
    assert finding.hint == 'use "1.35", or ingress.controller: envoy-gateway'


def test_zones_are_never_left_to_chance() -> None:
    """Left alone, eksctl picks zones at random, and the users' might not be among them: the region's first two are written."""
    site = make(cluster__zones=[])
    assert site.cluster is not None
    assert site.cluster.zones == ("us-east-2a", "us-east-2b")
    assert found(site, "unknown_group_zone") == []


def test_disks_on_a_shared_file_system_may_span_zones() -> None:
    """Only EBS volumes are zonal; homes of another StorageClass are not ours to judge."""
    hub = {**HUB, "storage": {"storageClass": "efs"}}
    site = groups(core(), user(zones=["us-east-2a", "us-east-2b"]), hubs=[hub])
    assert found(site, "user_group_zones") == []


@pytest.mark.parametrize("cidr", ["10.0.0.0/8", "192.168.4.0/24", "172.20.0.0/16", "300.1.1.0/24", "1.2.3.0/40"])
def test_ranges_that_eks_refuses(cidr: str) -> None:
    """Private and impossible ranges never reach AWS."""
    assert len(found(make(cluster__access={"publicCidrs": [cidr]}), "invalid_public_range")) == 1


@pytest.mark.parametrize("version", EKS_VERSIONS)
def test_every_listed_version_is_known(version: str) -> None:
    """A version in the table is neither unknown nor unsupported."""
    assert not {"unknown_kubernetes", "unsupported_kubernetes"} & names(make(cluster__version=version))


@pytest.mark.parametrize(
    ("text", "gib"), [("512M", 0.5), ("2G", 2.0), ("1.5G", 1.5), ("1T", 1024.0), ("1048576K", 1.0)]
)
def test_jupyterhub_memory_is_read_in_powers_of_1024(text: str, gib: float) -> None:
    """KubeSpawner's units are binary, whatever they look like."""
    assert memory_gib(text) == gib


def test_pods_never_get_all_of_a_nodes_memory() -> None:
    """The kubelet keeps 255 MiB + 11 MiB for each pod, and 100 MiB more."""
    node = find_instance("m7i-flex.large")
    assert node is not None
    assert allocatable_gib(node) == pytest.approx(8 - (255 + 11 * 29 + 100) / 1024)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 9), st.integers(0, 9), st.integers(1, 9))
def test_scaling_is_refused_exactly_where_it_is_out_of_order(least: int, desired: int, most: int) -> None:
    """Min ≤ desired ≤ max, and nothing else."""
    site = groups(core(), user(scaling={"min": least, "desired": desired, "max": most}))
    assert bool(found(site, "node_group_scaling")) == (not least <= desired <= most)


@settings(max_examples=40, deadline=None)
@given(st.integers(20, 5000), st.integers(22, 6000))
def test_storage_must_be_able_to_grow_by_a_tenth(size: int, largest: int) -> None:
    """RDS's own rule, exact at the boundary."""
    site = make(**rds(storageGiB=size, maxStorageGiB=largest))
    assert bool(found(site, "rds_storage")) == (largest * 10 < size * 11)
