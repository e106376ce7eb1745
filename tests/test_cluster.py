"""cluster/cluster.yml: what eksctl reads, key by key; instance facts against upstream's table where it is at hand."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg.instances import find_instance, instances
from jhecfg.render.cluster import cluster, partition
from jhecfg.rules.schema import schema_violations
from jhecfg.site import Site
from tests.aws_site import core, groups, make, user

SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


def config(site: Site) -> dict[str, Any]:
    """Render the one ClusterConfig of a site."""
    (artifact,) = cluster(site)
    assert artifact.path == "cluster/cluster.yml"
    assert isinstance(artifact.tree, dict)
    return artifact.tree


def shared(name: str) -> Path:
    """Return a file of upstream data, or skip by name where the folder is absent."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"../shared/data/{name} is absent")
    return path


@cache
def eksctl_schema() -> jsonschema_rs.Validator:
    """Compile eksctl's schema; its definitions' names hold '|', which is no URI."""
    text = shared("eksctl-0.230.schema.json").read_text()
    for name in json.loads(text)["definitions"]:
        text = text.replace(f'"{name}"', f'"{name.replace("|", "_")}"')
        text = text.replace(f'"#/definitions/{name}"', f'"#/definitions/{name.replace("|", "_")}"')
    return jsonschema_rs.validator_for(json.loads(text))


def addon_names(tree: dict[str, Any]) -> list[str]:
    """Return the names of the add-ons, in order."""
    return [addon["name"] for addon in tree.get("addons", [])]


def accounts(tree: dict[str, Any]) -> list[str]:
    """Return the service accounts that get an identity outside add-ons."""
    return [entry["serviceAccountName"] for entry in tree["iam"].get("podIdentityAssociations", [])]


def test_a_site_in_an_existing_cluster_renders_no_cluster_file() -> None:
    """Without `cluster` there is nothing for eksctl to make."""
    assert list(cluster(make(cluster=None, database__rds=None, hubs=[]))) == []


def test_version_is_text_and_support_is_standard() -> None:
    """`1.30` unquoted would be the number 1.3, and EXTENDED support would be paid for silently."""
    tree = config(make(cluster__version="1.35"))
    assert tree["metadata"]["version"] == "1.35"
    assert tree["upgradePolicy"] == {"supportType": "STANDARD"}


@pytest.mark.parametrize(("mode", "enabled"), [("managed-nodes", False), ("auto-mode", True)])
def test_auto_mode_is_always_said(mode: str, enabled: bool) -> None:
    """Eksctl announces that a coming release changes its default, so the file never relies on one."""
    assert config(make(cluster__mode=mode, cluster__nodeGroups=None))["autoModeConfig"] == {"enabled": enabled}


def test_auto_mode_has_no_nodes_and_no_add_ons_that_eks_runs_itself() -> None:
    """Eksctl refuses node groups, vpc-cni, coredns and kube-proxy beside Auto Mode."""
    tree = config(make(cluster__mode="auto-mode", cluster__nodeGroups=None))
    assert "managedNodeGroups" not in tree
    assert addon_names(tree) == ["metrics-server"]
    assert accounts(tree) == []


def test_every_add_on_is_listed_and_eksctl_adds_none() -> None:
    """What the file lists is what the cluster gets."""
    tree = config(make())
    assert tree["addonsConfig"] == {"disableDefaultAddons": True}
    assert addon_names(tree) == [
        "vpc-cni",
        "coredns",
        "kube-proxy",
        "eks-pod-identity-agent",
        "aws-ebs-csi-driver",
        "metrics-server",
        "eks-node-monitoring-agent",
    ]


def test_network_policies_are_enforced() -> None:
    """The VPC CNI ignores NetworkPolicies unless this text, which holds YAML, says otherwise."""
    (cni,) = (addon for addon in config(make())["addons"] if addon["name"] == "vpc-cni")
    assert cni["configurationValues"] == 'enableNetworkPolicy: "true"\n'


def test_no_add_on_floats() -> None:
    """`latest` would mean another version on every update, so no add-on has it."""
    assert all(addon.get("version") != "latest" for addon in config(make())["addons"])


def test_the_disk_driver_uses_the_policy_that_aws_asks_for() -> None:
    """Its ARN has no service-role/ in it, unlike the policy that it replaces."""
    (driver,) = (addon for addon in config(make())["addons"] if addon["name"] == "aws-ebs-csi-driver")
    (identity,) = driver["podIdentityAssociations"]
    assert identity["serviceAccountName"] == "ebs-csi-controller-sa"
    assert identity["permissionPolicyARNs"] == ["arn:aws:iam::aws:policy/AmazonEBSCSIDriverPolicyV2"]


def test_identities_are_those_of_what_the_site_installs() -> None:
    """A site gets the AWS permissions of its own components, no others."""
    assert accounts(config(make())) == ["aws-load-balancer-controller", "cluster-autoscaler"]
    assert accounts(config(make(ingress__loadBalancer="in-tree"))) == ["cluster-autoscaler"]
    everything = config(make(ingress__dns="external-dns", secrets__backend="external-secrets"))
    assert accounts(everything) == [
        "aws-load-balancer-controller",
        "external-dns",
        "external-secrets",
        "cluster-autoscaler",
    ]


def test_external_secrets_reads_below_the_prefix_and_nothing_else() -> None:
    """The policy names the site's own prefix in its own region and partition."""
    tree = config(make(secrets__backend="external-secrets", secrets__prefix="lab/jhe", secrets__region="us-gov-west-1"))
    (reader,) = (e for e in tree["iam"]["podIdentityAssociations"] if e["serviceAccountName"] == "external-secrets")
    (statement,) = reader["permissionPolicy"]["Statement"]
    assert statement["Resource"] == ["arn:aws-us-gov:secretsmanager:us-gov-west-1:*:secret:lab/jhe/*"]
    assert statement["Action"] == ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]


def test_a_core_group_is_labelled_and_a_user_group_is_also_tainted() -> None:
    """Everything may run on core nodes; only users' servers tolerate the taint of user nodes."""
    first, second = config(make())["managedNodeGroups"]
    assert first["labels"] == {"hub.jupyter.org/node-purpose": "core"}
    assert "taints" not in first
    assert second["labels"] == {"hub.jupyter.org/node-purpose": "user"}
    assert second["taints"] == [{"key": "hub.jupyter.org/dedicated", "value": "user", "effect": "NoSchedule"}]


def test_a_new_generation_is_a_new_group() -> None:
    """What cannot change in place changes by replacement, and the name says which one it is."""
    first, second = config(groups(core(generation="b"), user()))["managedNodeGroups"]
    assert (first["name"], second["name"]) == ("core-b", "user-a")


def test_spot_lists_its_types_and_on_demand_names_one() -> None:
    """Eksctl wants `instanceTypes` with `spot`, and takes `instanceType` otherwise."""
    types = ["r7i.xlarge", "r6i.xlarge", "r6a.xlarge"]
    first, second = config(groups(core(), user(instanceType=None, instanceTypes=types, spot=True)))["managedNodeGroups"]
    assert first["instanceType"] == "m7i-flex.large"
    assert (second["spot"], second["instanceTypes"]) == (True, types)
    assert "instanceType" not in second


def test_empty_groups_carry_their_labels_on_the_scaling_group() -> None:
    """The autoscaler cannot ask an empty group's nodes, because there are none."""
    first, second = config(make())["managedNodeGroups"]
    assert "propagateASGTags" not in first
    assert second["propagateASGTags"] is True


def test_nodes_repair_themselves_only_with_the_agent_that_sees() -> None:
    """Node repair needs the monitoring agent, so one follows the other."""
    assert all(g["nodeRepairConfig"] == {"enabled": True} for g in config(make())["managedNodeGroups"])
    without = config(make(cluster__addons=["metrics-server"]))
    assert all("nodeRepairConfig" not in g for g in without["managedNodeGroups"])


def test_optional_parts_are_absent_unless_asked_for() -> None:
    """No empty keys: what the spec leaves out, the file leaves out."""
    tree = config(make(cluster__access=None, cluster__logging={"types": []}))
    assert not {"cloudWatch", "secretsEncryption"} & tree.keys()
    assert "publicAccessCIDRs" not in tree["vpc"]


def test_a_key_of_ones_own_is_a_choice() -> None:
    """EKS encrypts Secrets by itself; a key of one's own cannot be taken back."""
    arn = "arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000000"
    assert config(make(cluster__kmsKeyArn=arn))["secretsEncryption"] == {"keyARN": arn}


@pytest.mark.parametrize(
    ("region", "name"), [("us-east-2", "aws"), ("us-gov-west-1", "aws-us-gov"), ("cn-north-1", "aws-cn")]
)
def test_arns_are_of_the_regions_partition(region: str, name: str) -> None:
    """An ARN of another partition names nothing."""
    assert partition(region) == name


def test_header_says_the_command() -> None:
    """A reader of the file knows what to do with it."""
    (artifact,) = cluster(make())
    assert "eksctl create cluster -f cluster/cluster.yml" in artifact.note[0]


NAMES = st.sampled_from(["core", "user", "gpu", "big"])
TYPES = st.sampled_from(sorted(instances()))


@st.composite
def node_groups(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Draw node groups as a person may write them."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    drawn = []
    for name in names:
        least = draw(st.integers(0, 5))
        drawn.append(
            {
                "name": name,
                "purpose": draw(st.sampled_from(["core", "user"])),
                "instanceTypes": draw(st.lists(TYPES, min_size=1, max_size=3, unique=True)),
                "spot": draw(st.booleans()),
                "scaling": {"min": least, "max": draw(st.integers(max(least, 1), 9))},
                "volumeGiB": draw(st.integers(20, 200)),
                "generation": draw(st.sampled_from("abz")),
            }
        )
    return drawn


def check_group(group: dict[str, Any]) -> None:
    """Assert what eksctl 0.230 demands of a managed group beyond its schema."""
    assert group["minSize"] <= group["desiredCapacity"] <= group["maxSize"]
    assert ("instanceType" in group) != ("instanceTypes" in group)
    assert group["updateConfig"]["maxUnavailable"] <= group["maxSize"]
    assert group["privateNetworking"] is True
    assert group["volumeEncrypted"] is True
    assert len(group["name"]) <= 63
    assert ("propagateASGTags" in group) == (group["minSize"] == 0)


@settings(max_examples=60, deadline=None)
@given(node_groups())
def test_any_node_groups_render_as_groups_that_eksctl_takes(nodes: list[dict[str, Any]]) -> None:
    """One managed group for each written one, in order, each within eksctl's own rules."""
    rendered = config(groups(*nodes))["managedNodeGroups"]
    assert [g["name"] for g in rendered] == [f"{n['name']}-{n['generation']}" for n in nodes]
    for group in rendered:
        check_group(group)


@settings(max_examples=40, deadline=None)
@given(node_groups(), st.booleans())
def test_output_is_valid_by_eksctls_own_schema(nodes: list[dict[str, Any]], everything: bool) -> None:
    """Eksctl 0.230 would parse every file that we write."""
    extra = {"ingress__dns": "external-dns", "secrets__backend": "external-secrets"} if everything else {}
    tree = config(groups(*nodes, **extra))
    assert [str(error) for error in eksctl_schema().iter_errors(tree)] == []


@settings(max_examples=40, deadline=None)
@given(node_groups(), st.booleans())
def test_output_is_valid_by_our_own_closed_schema(nodes: list[dict[str, Any]], everything: bool) -> None:
    """The schema that every build is judged by knows each key of the file, and no other."""
    extra = {"ingress__dns": "external-dns", "secrets__backend": "external-secrets"} if everything else {}
    (artifact,) = cluster(groups(*nodes, **extra))
    assert list(schema_violations([artifact], "1.36")) == []
    assert isinstance(artifact.tree, dict)
    artifact.tree["vpc"]["natGateway"] = "Single"
    assert list(schema_violations([artifact], "1.36")) != []


def test_auto_mode_output_is_valid_by_eksctls_own_schema() -> None:
    """The same for a cluster without nodes of its own."""
    tree = config(make(cluster__mode="auto-mode", cluster__nodeGroups=None))
    assert [str(error) for error in eksctl_schema().iter_errors(tree)] == []


def test_eksctls_own_schema_refuses_an_unknown_key() -> None:
    """The cross-check can fail: the schema is closed."""
    tree = config(make())
    tree["vpc"]["natGateway"] = "Single"
    assert not eksctl_schema().is_valid(tree)


def test_pods_per_node_agree_with_upstreams_table() -> None:
    """Every type that we list holds as many pods as AWS says."""
    lines = shared("eni-max-pods.txt").read_text().splitlines()
    table = dict(line.split() for line in lines if line.strip() and not line.startswith("#"))
    wrong = {n: (i.max_pods, table.get(n)) for n, i in instances().items() if str(i.max_pods) != table.get(n)}
    assert wrong == {}


@pytest.mark.parametrize(
    ("name", "facts"),
    [
        ("t2.micro", ("amd64", 1, 1.0, 4)),
        ("m7i-flex.large", ("amd64", 2, 8.0, 29)),
        ("r7i.xlarge", ("amd64", 4, 32.0, 58)),
        ("c7g.2xlarge", ("arm64", 8, 16.0, 58)),
        ("r8i-flex.large", ("amd64", 2, 16.0, 59)),
    ],
)
def test_instance_facts(name: str, facts: tuple[str, int, float, int]) -> None:
    """Architecture, CPUs, GiB and pods of types that people use here."""
    found = find_instance(name)
    assert found is not None
    assert (found.architecture, found.cpus, found.memory_gib, found.max_pods) == facts
