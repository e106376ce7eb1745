"""The rules over AWS: a bad example of each, and the good spec that none of them minds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Finding, Severity
from jhecfg.instances import find_instance
from jhecfg.releases import EKS_VERSIONS
from jhecfg.rules.cluster import RULES, versions
from jhecfg.rules.cluster.capacity import allocatable_gib, memory_gib, planned_pods
from jhecfg.rules.cluster.rds import CREATABLE, DEFAULT_VERSION
from jhecfg.rules.cluster.references import cloudformation_reference
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
GATEWAY = {"name": "shared", "namespace": "edge"}
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
        make(ingress__gateway=GATEWAY, ingress__controller="none"),
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

MIXED = {"instanceType": None, "instanceTypes": ["m7i-flex.large", "t2.micro"]}
LARGE_CORE = core(instanceType="r7i.4xlarge")
KMS_HERE = "arn:aws:kms:us-east-2:111122223333"


def hub_of(memory: str) -> dict[str, Any]:
    """Return the hub with servers of a size."""
    return {**HUB, "resources": {"memory": {"guarantee": memory, "limit": memory}}}


# Rule, what is wrong, what the finding says of it beside the words of the golden in tests/bad: its other ways.
DETAILS: tuple[tuple[str, Site, dict[str, Any]], ...] = (
    ("small_core_node", groups(core(**MIXED), user()), {"loc": ("cluster", "nodeGroups", 0, "instanceTypes", 1)}),
    ("small_core_node", groups(core(instanceType="r6g.medium"), user()), {"found": "r6g.medium: 8 pods, 8 GiB"}),
    ("small_core_node", groups(core(instanceType="c5.large"), user()), {"found": "c5.large: 29 pods, 4 GiB"}),
    (
        "node_without_room",
        groups(core(), user(**MIXED)),
        {"loc": ("cluster", "nodeGroups", 1, "instanceTypes", 1), "found": "4 pods - 5 daemons = -1"},
    ),
    (
        "node_without_room",
        groups(core(), user(instanceType="t2.micro"), cluster__addons=[]),
        {
            "label": "aws-node, kube-proxy, ebs-csi-node, eks-pod-identity-agent",
            "found": "4 pods - 4 daemons = 0",
        },
    ),
    (
        "node_without_room",
        groups(core(), user(instanceType="t2.micro"), cluster__addons=["aws-efs-csi-driver"]),
        {"label": "aws-node, kube-proxy, ebs-csi-node, eks-pod-identity-agent, aws-efs-csi-driver"},
    ),
    (
        "node_without_room",
        groups(core(), user(instanceType="t2.micro"), cluster__addons=["amazon-cloudwatch-observability"]),
        {"found": "4 pods - 6 daemons = -2"},
    ),
    (
        "too_few_pods",
        groups(core(**MIXED), core(name="more", instanceType="t2.small"), user()),
        {
            "loc": ("cluster", "nodeGroups", 0, "instanceTypes", 0),
            "found": "2 x (4 - 5 daemons) + 2 x (11 - 5 daemons) = 10",
        },
    ),
    (
        "too_few_pods",
        groups(core(instanceType="t2.micro"), user()),
        {"message": "the core groups have room for 0 pods, and the site has 25"},
    ),
    (
        "server_does_not_fit",
        groups(LARGE_CORE, user(instanceType="m7i-flex.large"), hubs=[hub_of("7519M")]),
        {"expected": "m7i-flex.large: 7.3 GiB, fewer than 2 CPUs"},
    ),
    (
        "server_does_not_fit",
        groups(core(), user(instanceType=None, instanceTypes=["m7i.4xlarge", "r7i.large"]), hubs=[BIG_HUB]),
        {"expected": "m7i.4xlarge: 61.1 GiB, fewer than 16 CPUs"},
    ),
    (
        "server_does_not_fit",
        groups(core(), user(instanceType=None, instanceTypes=["r7i.xlarge", "m7i.2xlarge"]), hubs=[BIG_HUB]),
        {"expected": "m7i.2xlarge: 31.0 GiB, fewer than 8 CPUs"},
    ),
    (
        "server_does_not_fit",
        groups(
            core(),
            user(instanceType="m7i-flex.large"),
            hubs=[{**HUB, "resources": {"cpu": {"guarantee": 2, "limit": 2}}}],
        ),
        {"found": "1 GiB and 2 CPUs guaranteed"},
    ),
    (
        "invalid_public_range",
        make(cluster__access={"publicCidrs": ["300.1.1.0/24"]}),
        {"message": "'300.1.1.0/24' is not an IPv4 range"},
    ),
    (
        "invalid_network",
        make(cluster__vpcCidr="127.0.0.0/16"),
        {"message": "'127.0.0.0/16' is the loopback range, which never leaves a machine"},
    ),
    (
        "invalid_network",
        make(cluster__vpcCidr="10.0.0.0/15"),
        {"message": "'10.0.0.0/15' is too large or too small"},
    ),
    (
        "invalid_network",
        make(cluster__vpcCidr="10.0.0.0/25"),
        {"message": "'10.0.0.0/25' is too large or too small"},
    ),
    (
        "invalid_network",
        make(cluster__vpcCidr="10.0.0.1/24"),
        {"message": "'10.0.0.1/24' has bits set beyond its prefix"},
    ),
    (
        "open_api",
        make(cluster__access={"publicCidrs": ["203.0.113.0/24", "0.0.0.0/0"]}),
        {"loc": ("cluster", "access", "publicCidrs"), "found": "203.0.113.0/24, 0.0.0.0/0"},
    ),
    (
        "load_balancer_mode",
        make(ingress__loadBalancer="auto-mode"),
        {"expected": "aws-load-balancer-controller, or in-tree"},
    ),
    (
        "load_balancer_mode",
        make(ingress__loadBalancer="in-tree", cluster__mode="auto-mode", cluster__nodeGroups=None),
        {"message": "load balancer 'in-tree' does not fit a cluster in Auto Mode", "expected": "auto-mode"},
    ),
    ("auto_mode_node_groups", make(cluster__mode="auto-mode"), {"key": True}),
    (
        "foreign_kms_key",
        make(cluster__kmsKeyArn=f"{KMS_HERE}:alias/jhe"),
        {"expected": "arn:aws:kms:us-east-2:<account>:key/<id>"},
    ),
    (
        "duplicate_taint",
        groups(core(taints=[TAINT, TAINT]), user()),
        {"loc": ("cluster", "nodeGroups", 0, "taints", 1)},
    ),
    (
        "missing_instance_type",
        groups(core(instanceType=None), user()),
        {"hint": "set instanceType, for example m7i-flex.large"},
    ),
    (
        "missing_instance_type",
        groups(core(), user(instanceType=None)),
        {"hint": "set instanceType, for example r7i.xlarge"},
    ),
    (
        "missing_node_group",
        groups(user(), hubs=[]),
        {"message": "no node group with purpose core: the Exchange and the add-ons have no node"},
    ),
    (
        "missing_node_group",
        groups(core()),
        {"message": "no node group with purpose user: users' servers have no nodes"},
    ),
    (
        "reserved_node_label",
        groups(core(labels={"hub.jupyter.org/node-purpose": "core"}), user()),
        {"hint": "set purpose"},
    ),
    (
        "too_few_core_nodes",
        groups(core(scaling={"min": 0, "max": 2}), user(), environment="staging"),
        {"severity": Severity.ERROR},
    ),
    (
        "too_few_core_nodes",
        groups(core(scaling={"min": 1, "max": 2}), user(scaling={"min": 3, "max": 4})),
        {"severity": Severity.WARNING, "message": "the core groups may shrink to 1 node(s)"},
    ),
    (
        "unknown_instance_type",
        groups(core(), user(instanceType=None, instanceTypes=["r7i.xlarge", "r7i.xlrage"])),
        {"loc": ("cluster", "nodeGroups", 1, "instanceTypes", 1)},
    ),
    # Of its own family, even where another's type is more like it.
    (
        "unknown_instance_type",
        groups(core(), user(instanceType="c5.16xlarge")),
        {"hint": "did you mean 'c5.18xlarge'?"},
    ),
    ("unknown_instance_type", groups(core(), user(instanceType="r7.xlarge")), {"hint": "did you mean 'r7i.xlarge'?"}),
    (
        "unknown_instance_type",
        groups(core(), user(instanceType="zz9.foo")),
        {"hint": "check it at aws.amazon.com/ec2/instance-types"},
    ),
    (
        "rds_engine_version",
        make(**rds(engineVersion="13.4")),
        {
            "message": "PostgreSQL 13.4 can no longer be created in RDS",
            "expected": "14 to 18",
            "hint": f'use "{DEFAULT_VERSION}"',
            "severity": Severity.ERROR,
        },
    ),
    ("rds_engine_version", make(**rds(engineVersion="13.1")), {"severity": Severity.ERROR}),
    (
        "rds_engine_version",
        make(**rds(engineVersion="19.1")),
        {
            "message": "PostgreSQL 19.1 is unknown to this jhecfg",
            "expected": "14 to 18",
            "hint": f'use "{DEFAULT_VERSION}"',
            "severity": Severity.WARNING,
        },
    ),
    (
        "rds_engine_version",
        make(**rds(engineVersion="17.12")),
        {
            "message": "PostgreSQL 17.12 is unknown to this jhecfg",
            "expected": "17.5 to 17.11",
            "hint": 'use "17.11"',
            "severity": Severity.WARNING,
        },
    ),
    (
        "rds_engine_version",
        make(**rds(engineVersion="18.0")),
        {
            "message": "PostgreSQL 18.0 can no longer be created in RDS",
            "expected": "18.1 to 18.6",
            "hint": 'use "18.6"',
            "severity": Severity.ERROR,
        },
    ),
    (
        "unused_addon_version",
        make(
            cluster__mode="auto-mode",
            cluster__nodeGroups=None,
            cluster__addons=[],
            cluster__addonVersions={"coredns": "v1.20.0-eksbuild.1"},
        ),
        {"hint": "drop it"},
    ),
    ("rds_host", make(database__host="db.example.org"), {"found": "a name outside rds.amazonaws.com"}),
    ("rds_host", make(database__host="db.abc.us-west-2.rds.amazonaws.com"), {"found": "us-west-2"}),
    ("rds_name", make(database__name="pg_jhe"), {"loc": ("database", "name")}),
    ("rds_name", make(database__user="rdsjhe"), {"loc": ("database", "user")}),
    ("rds_name", make(database__user="_jhe"), {"loc": ("database", "user")}),
    ("rds_needs_cluster", make(cluster=None, hubs=[]), {"key": True}),
    (
        "unknown_region",
        make(cluster=None, hubs=[], **rds(vpc={**VPC, "region": "us-eats-2"})),
        {"loc": ("database", "rds", "vpc", "region"), "hint": "did you mean 'us-east-2'?"},
    ),
    ("too_few_zones", make(cluster__zones=["us-east-2a", "us-east-2a"]), {"found": "us-east-2a, us-east-2a"}),
    (
        "user_group_zones",
        groups(core(), user(zones=["us-east-2b", "us-east-2a"])),
        {"found": "us-east-2b, us-east-2a", "hint": "set zones to [us-east-2b]"},
    ),
    (
        "zone_outside_region",
        groups(core(), user(zones=["us-east-2a", "us-west-2b"])),
        {"loc": ("cluster", "nodeGroups", 1, "zones", 1)},
    ),
)

# Rule, what is right though it is near to what is wrong.
QUIET: tuple[tuple[str, Site], ...] = (
    ("small_core_node", groups(core(), user(instanceType="t3.medium"))),
    ("too_few_pods", groups(core(instanceType=None), user())),
    ("too_few_pods", groups(core(instanceType=None, instanceTypes=["t2.micro", "zz9.foo"]), user())),
    # 4 x (11 - 5 daemons) = 24 pods, and the site has as many.
    (
        "too_few_pods",
        groups(core(instanceType="t2.small", scaling={"min": 4, "max": 4}), user(), exchange__replicas=1),
    ),
    ("server_does_not_fit", groups(core(), user(instanceType="m7i-flex.large"), hubs=[hub_of("7518M")])),
    ("invalid_network", make(cluster__vpcCidr="10.0.0.0/16")),
    ("invalid_network", make(cluster__vpcCidr="10.0.0.0/24")),
    ("load_balancer_mode", make(ingress__loadBalancer="auto-mode", ingress__controller="none")),
    (
        "proxy_protocol_targets",
        make(ingress__loadBalancer="in-tree", ingress__proxyProtocol=True, ingress__controller="none"),
    ),
    ("foreign_kms_key", make(cluster__kmsKeyArn=f"{KMS_HERE}:key/00000000-0000-0000-0000-000000000000")),
    (
        "proxy_protocol_targets",
        make(ingress={"gateway": GATEWAY, "loadBalancer": "in-tree", "proxyProtocol": True}),
    ),
    ("chart_kubernetes", make(cluster__version="1.33")),
    ("node_group_scaling", groups(core(scaling={"min": 2, "desired": 2, "max": 2}), user())),
    ("few_spot_types", groups(core(spot=True), user())),
    ("few_spot_types", groups(core(), user(spot=True, instanceType=None))),
    ("spot_core", groups(core(), user(spot=True))),
    ("duplicate_taint", groups(core(taints=[TAINT]), user())),
    ("tainted_core", groups(core(taints=[TAINT]), core(name="more"), user())),
    ("tainted_core", groups(core(taints=[{**TAINT, "effect": "PreferNoSchedule"}]), user())),
    ("too_few_core_nodes", groups(core(scaling={"min": 1, "max": 2}), user(), environment="staging")),
    ("rds_few_backups", make(**rds(backupDays=7))),
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


@pytest.mark.parametrize(("rule", "site", "said"), DETAILS, ids=[f"{row[0]}-{i}" for i, row in enumerate(DETAILS)])
def test_a_finding_says_what_is_so_there(rule: str, site: Site, said: dict[str, Any]) -> None:
    """Place, words and severity follow the value that is wrong, and how it is wrong."""
    (finding,) = found(site, rule)
    assert {name: getattr(finding, name) for name in said} == said


@pytest.mark.parametrize(("rule", "site"), QUIET, ids=[f"{row[0]}-{i}" for i, row in enumerate(QUIET)])
def test_what_is_just_right_is_not_minded(rule: str, site: Site) -> None:
    """The last value that is still right, and what is another rule's matter."""
    assert found(site, rule) == []


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


def test_a_chart_is_shown_where_the_spec_asks_for_it() -> None:
    """Each chart once, hubs' too, at the choice that brings it, or at the cluster."""
    hub = {**HUB, "name": "second", "domain": "second.example.org"}
    wanted: dict[str, tuple[str | int, ...]] = {
        "aws-load-balancer-controller": ("cluster",),
        "cluster-autoscaler": ("cluster",),
        "gateway-helm": ("ingress", "controller"),
        "ingress-nginx": ("ingress", "controller"),
        "cert-manager": ("ingress", "issuer"),
        "external-dns": ("ingress", "dns"),
        "external-secrets": ("secrets", "backend"),
        "sealed-secrets": ("secrets", "backend"),
        "jupyterhub": ("hubs", 0, "chartVersion"),
    }
    shown: dict[str, tuple[str | int, ...]] = {}
    for backend, controller in (("external-secrets", "envoy-gateway"), ("sealed-secrets", "ingress-nginx")):
        ingress = {"controller": controller, "dns": "external-dns"}
        site = make(hubs=[HUB, hub], ingress=ingress, secrets={"backend": backend})
        old = tuple(chart._replace(kubernetes=("1.20", "1.21")) for chart in site.charts)
        hubs = tuple(each._replace(chart=each.chart._replace(kubernetes=("1.20", "1.21"))) for each in site.hubs)
        for finding in found(site._replace(charts=old, hubs=hubs), "chart_kubernetes"):
            ((place, words),) = finding.related
            assert words == "needs this chart"
            assert shown.setdefault(finding.message.split()[1], place) == place
    assert shown == wanted


@pytest.mark.parametrize("version", ["1.31", "1.37"])
def test_a_chart_says_the_nearest_version_that_it_supports(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Helm refuses what is older, which is an error; what is newer may work."""
    monkeypatch.setattr(versions, "EKS_VERSIONS", {**EKS_VERSIONS, "1.37": "2028-01-01"})
    findings, old = found(make(cluster__version=version), "chart_kubernetes"), version == "1.31"
    assert {finding.message.split()[1] for finding in findings} >= {"gateway-helm", "cert-manager"}
    for finding in findings:
        assert finding.found == version
        assert finding.hint == f'use "{finding.expected.split(" to ")[0 if old else 1]}"'
        assert finding.severity is (Severity.ERROR if old else Severity.WARNING)


def test_a_version_is_supported_on_its_last_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day that the table names is the last one, not the first one after."""
    site = make(cluster__version="1.34")
    monkeypatch.setattr(versions, "EKS_VERSIONS_ON", EKS_VERSIONS["1.34"])
    assert found(site, "kubernetes_support_ended") == []
    monkeypatch.setattr(versions, "EKS_VERSIONS_ON", EKS_VERSIONS["1.35"])
    (finding,) = found(site, "kubernetes_support_ended")
    assert finding.expected == "one of 1.35, 1.36"


def test_every_pod_of_a_full_site_is_counted() -> None:
    """Add-ons, each chart, the engine, MCP, hubs and jobs; what a site does not have counts nothing."""
    site = make(
        exchange__mcp={"domain": "mcp.example.org"},
        ingress={"dns": "external-dns"},
        secrets={"backend": "sealed-secrets"},
        gitops={"engine": "flux", "repo": "https://git.example.org/sites.git"},
    )
    assert dict(planned_pods(site)) == {
        "coredns": 2,
        "ebs-csi-controller": 2,
        "metrics-server": 2,
        "aws-load-balancer-controller": 2,
        "gateway-helm": 4,
        "cert-manager": 4,
        "cluster-autoscaler": 1,
        "sealed-secrets": 1,
        "external-dns": 1,
        "flux": 4,
        "exchange": 2,
        "mcp": 1,
        "hubs": 4,
        "jobs": 2,
    }
    counts = dict(planned_pods(make(cluster__addons=[], hubs=[])))
    assert {name for name, count in counts.items() if not count} == {"metrics-server", "none", "mcp", "hubs"}
    assert dict(planned_pods(make(cluster=None, hubs=[], database__rds=None)))["metrics-server"] == 0


@pytest.mark.parametrize(
    ("label", "ours"),
    [
        ("plain", True),
        ("kubernetes.io", True),  # no prefix at all
        ("example.org/x", True),
        ("notkubernetes.io/x", True),
        ("kubernetes.io/arch", True),
        ("kubelet.kubernetes.io/x", True),
        ("node.kubernetes.io/x", True),
        ("a.node.kubernetes.io/x", True),
        ("kubernetes.io/x", False),
        ("a.kubernetes.io/x", False),
        ("k8s.io/x", False),
        ("a.k8s.io/x", False),
        ("eks.amazonaws.com/nodegroup", False),
    ],
)
def test_labels_that_the_kubelet_may_not_set(label: str, ours: bool) -> None:
    """Reserved are three zones and what is below them, but for the kubelet's own labels and prefixes."""
    assert (found(groups(core(labels={label: "x"}), user()), "reserved_node_label") == []) is ours


@pytest.mark.parametrize("version", [f"{major}.{minor}" for major, pair in CREATABLE.items() for minor in pair])
def test_the_oldest_and_the_newest_minor_version_can_be_created(version: str) -> None:
    """Both ends of the table are in it."""
    assert found(make(**rds(engineVersion=version)), "rds_engine_version") == []


def test_a_reference_of_cloudformation_is_looked_for_in_every_file_of_the_cluster() -> None:
    """In values and in keys, wherever the file stands; what kubectl or Helm reads is not CloudFormation's."""
    text = "{{resolve:ssm:x}}"
    artifacts = [
        Artifact(path="manifests/a.yaml", tree={"a": text}),
        Artifact(path="cluster/README.md", tree=text),
        Artifact(path="cluster/cluster.yml", tree={"a": {"b": f"x{text}"}}),
        Artifact(path="cluster/rds.cfn.yaml", tree={"c": {text: "d"}}),
    ]
    assert [(each.artifact, each.loc) for each in cloudformation_reference(make(), artifacts)] == [
        ("cluster/cluster.yml", ("a", "b")),
        ("cluster/rds.cfn.yaml", ("c", text)),
    ]


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
