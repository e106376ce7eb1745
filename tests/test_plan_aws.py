"""The plan's AWS half: which eksctl and aws commands a change takes, in order, and what eksctl would ignore."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jhecfg.pipeline import Build, compile_source
from jhecfg.plan import Effect, Severity, plan
from jhecfg.plan.rds import PROPERTIES, REPLACING
from jhecfg.source import load
from tests.aws_site import GOOD, core, user
from tests.compiled import changed
from tests.tools import need

AUTO = {"cluster__mode": "auto-mode", "cluster__nodeGroups": None}
KEY = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def built(folder: Path, changes: dict[str, Any]) -> Build:
    """Compile the good AWS site with changes by path, `__` for a dot; None drops a key."""
    file = folder / f"site-{len(list(folder.iterdir()))}.yaml"
    file.write_text(json.dumps(changed(GOOD, changes)))
    return compile_source(load(file), "none")


@pytest.fixture
def effects(tmp_path: Path) -> Any:
    """Return a function: changes before and after, to the effects that are about AWS."""

    def between(before: dict[str, Any], after: dict[str, Any]) -> list[Effect]:
        kinds = ("cluster", "replace", "database", "access")
        return [e for e in plan(built(tmp_path, before), built(tmp_path, after)).effects if e.kind in kinds]

    return between


def commands(effects: list[Effect], when: str) -> list[str]:
    """Return the commands of one time, each on one line."""
    return [re.sub(r" \\\n +", " ", line) for e in effects if e.when == when for line in e.commands]


def about(effects: list[Effect], subject: str) -> Effect:
    """Return the one effect on a subject."""
    (found,) = (effect for effect in effects if effect.subject == subject)
    return found


def test_an_upgrade_goes_control_plane_then_add_ons_then_nodes(effects: Any) -> None:
    """EKS wants that order; each add-on without a version of its own is brought along, since eksctl would keep it."""
    found = effects({"cluster__version": "1.35"}, {"cluster__addonVersions": {"coredns": "v1.12.4-eksbuild.1"}})
    lines = commands([about(found, "cluster jhe-example")], "before")
    assert lines[0] == "eksctl upgrade cluster --config-file cluster/cluster.yml --approve"
    kinds = [" ".join(line.split()[1:3]) for line in lines]
    assert kinds == sorted(kinds, key=["upgrade cluster", "update addon", "upgrade nodegroup"].index)
    assert "--name=vpc-cni" in " ".join(lines)
    assert "--name=coredns" not in " ".join(lines)
    assert next(line for line in lines if "nodegroup" in line).endswith("--name=core-a --kubernetes-version=1.36")


@pytest.mark.parametrize(("was", "becomes", "said"), [("1.34", "1.36", "build, deliver and check 1.35 before"), ("1.36", "1.35", "does not bring")])  # fmt: skip
def test_a_version_that_eks_does_not_go_to_has_no_command(effects: Any, was: str, becomes: str, said: str) -> None:
    """One minor version at a time, and never back."""
    effect = about(effects({"cluster__version": was}, {"cluster__version": becomes}), "cluster jhe-example")
    assert said in effect.text
    assert not effect.commands


@pytest.mark.parametrize(
    "change",
    [{"instanceType": "r7i.2xlarge"}, {"volumeGiB": 200}, {"labels": {"team": "a"}}, {"zones": ["us-east-2b"]}],
    ids=lambda change: next(iter(change)),
)
def test_what_eksctl_ignores_in_a_group_is_said_with_the_way_out(effects: Any, change: dict[str, Any]) -> None:
    """The same group with another disk, type, zone or label: no command, but the next generation."""
    effect = about(effects({}, {"cluster__nodeGroups": [core(), user(**change)]}), "node group user-a")
    assert f"eksctl ignores {next(iter(change))}" in effect.text
    assert "`generation`" in effect.text
    assert not effect.commands


def test_a_new_generation_is_made_before_the_old_one_is_drained(effects: Any) -> None:
    """Servers find a new node before theirs goes; the command that drains comes after the delivery."""
    found = effects({}, {"cluster__nodeGroups": [core(), user(instanceType="r7i.2xlarge", generation="b")]})
    assert commands(found, "before") == ["eksctl create nodegroup --config-file cluster/cluster.yml --include=user-b"]
    assert commands(found, "after") == [
        "eksctl delete nodegroup --cluster=jhe-example --region=us-east-2 --name=user-a --wait"
    ]
    assert about(found, "node group user-a").severity is Severity.DISRUPTIVE


def test_scaling_sends_only_what_differs_and_never_the_autoscalers_count(effects: Any) -> None:
    """A desired size would end users' servers; `eksctl scale` always sends one."""
    groups = [core(scaling={"min": 3, "max": 4}), user(scaling={"min": 0, "max": 5})]
    lines = commands(effects({}, {"cluster__nodeGroups": groups}), "before")
    assert [line.rpartition(" ")[2] for line in lines] == ["--scaling-config=minSize=3", "--scaling-config=maxSize=5"]


def test_the_last_group_of_a_purpose_is_an_outage(effects: Any) -> None:
    """Users' servers would find no node."""
    effect = about(effects({}, {"cluster__nodeGroups": [core()]}), "node group user-a")
    assert effect.severity is Severity.OUTAGE


def test_auto_mode_takes_over_before_nodes_and_add_ons_go(effects: Any) -> None:
    """First EKS's own nodes, then the drained groups, then what ran on them."""
    found = effects({}, AUTO)
    assert commands(found, "before")[0] == "eksctl update auto-mode-config --config-file cluster/cluster.yml"
    later = [" ".join(line.split()[1:3]) for line in commands(found, "after") if line.startswith("eksctl")]
    assert later.index("delete nodegroup") < later.index("delete addon")
    assert about(found, "cluster.mode").severity is Severity.DISRUPTIVE


def test_leaving_auto_mode_makes_add_ons_then_nodes_then_switches(effects: Any) -> None:
    """A group without the network add-on never becomes ready; without a group nothing runs."""
    found = effects(AUTO, {})
    lines = [" ".join(line.split()[1:3]) for line in commands(found, "before") if line.startswith("eksctl")]
    assert lines.index("create addon") < lines.index("create nodegroup")
    assert commands(found, "after") == ["eksctl update auto-mode-config --config-file cluster/cluster.yml"]


@pytest.mark.parametrize(
    ("change", "subject", "command"),
    [
        ({"cluster__access": {"publicCidrs": ["203.0.113.7/32"]}}, "cluster.access", "eksctl utils update-cluster-vpc-config --config-file cluster/cluster.yml --approve"),
        ({"cluster__logging": {"types": ["api"]}}, "cluster.logging", "eksctl utils update-cluster-logging --config-file cluster/cluster.yml --approve"),
        ({"cluster__logging": {"types": []}}, "cluster.logging", "eksctl utils update-cluster-logging --cluster=jhe-example --region=us-east-2 --disable-types=all --approve"),
        ({"cluster__kmsKeyArn": KEY}, "cluster.kmsKeyArn", "eksctl utils enable-secrets-encryption --config-file cluster/cluster.yml"),
        ({"cluster__addonVersions": {"vpc-cni": "v1.20.1-eksbuild.1"}}, "add-ons", "eksctl update addon --config-file cluster/cluster.yml"),
        ({"cluster__addons": ["metrics-server"]}, "eks-node-monitoring-agent", "eksctl delete addon --cluster=jhe-example --region=us-east-2 --name=eks-node-monitoring-agent"),
        ({"ingress__dns": "external-dns"}, "AWS identity of external-dns", "eksctl create podidentityassociation --config-file cluster/cluster.yml"),
    ],
)  # fmt: skip
def test_each_change_of_a_cluster_has_its_command(
    effects: Any, change: dict[str, Any], subject: str, command: str
) -> None:
    """What can change in place does, by exactly one command."""
    assert commands([about(effects({}, change), subject)], "before") + commands(
        [about(effects({}, change), subject)], "after"
    ) == [command]


@pytest.mark.parametrize(
    ("key", "value"),
    [("zones", ["us-east-2a", "us-east-2b", "us-east-2c"]), ("nat", "single"), ("vpcCidr", "10.20.0.0/16")],
)
def test_the_network_of_a_cluster_is_said_to_be_ignored(effects: Any, key: str, value: object) -> None:
    """Subnets and NAT gateways are made once; eksctl says nothing about it."""
    effect = about(effects({}, {f"cluster__{key}": value}), f"cluster.{key}")
    assert "ignores" in effect.text
    assert not effect.commands


def test_another_region_is_another_cluster_and_leaves_the_old_one(effects: Any) -> None:
    """Nothing moves: the users' disks stay where they are."""
    found = effects({}, {"cluster__region": "us-west-2", "cluster__zones": ["us-west-2a", "us-west-2b"]})
    assert "eksctl create cluster --config-file cluster/cluster.yml" in commands(found, "before")
    assert max(effect.severity for effect in found) is Severity.DATA


# --- RDS --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("was", "becomes", "key", "severity"),
    [
        ({}, {"instanceClass": "db.m7g.xlarge"}, "rds.instanceClass", Severity.OUTAGE),
        ({}, {"storageGiB": 500}, "rds.storageGiB", Severity.ATTENTION),
        ({"storageGiB": 500}, {}, "rds.storageGiB", Severity.ATTENTION),
        ({}, {"multiAz": False}, "rds.multiAz", Severity.ATTENTION),
        ({}, {"masterUser": "other"}, "rds.masterUser", Severity.DATA),
    ],
)
def test_each_property_of_the_instance_says_what_it_does(
    effects: Any, was: dict[str, Any], becomes: dict[str, Any], key: str, severity: Severity
) -> None:
    """In place, with an outage, or another, empty database; a smaller disk is refused by RDS."""
    effect = about(effects({"database__rds": was}, {"database__rds": becomes}), f"database.{key}")
    assert effect.severity is severity
    if was:
        assert "makes no disk smaller" in effect.text


def test_an_instance_does_not_move_to_another_network(effects: Any) -> None:
    """Another VPC is as much another network as other subnets are; the data would stay behind."""
    network = {"region": "us-east-2", "id": "vpc-0123456789abcdef0", "allowFrom": ["sg-0123456789abcdef0"],
               "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}  # fmt: skip
    there, other = (
        {"cluster": None, "database__rds": {"vpc": each}}
        for each in (network, {**network, "id": "vpc-0123456789abcdef1"})
    )
    assert about(effects(there, other), "database network").severity is Severity.DATA


def test_the_change_set_is_shown_before_it_is_made(effects: Any) -> None:
    """The first command changes nothing; the second does."""
    found = effects({}, {"database__rds": {"instanceClass": "db.m7g.xlarge"}})
    first, second = (shlex.split(line) for line in commands([about(found, "stack jhe-example-database")], "before"))
    assert first == [*second, "--no-execute-changeset"]


@pytest.mark.slow
def test_what_replaces_the_instance_is_what_cloudformation_says() -> None:
    """Against the registry's schema that cfn-lint carries: create-only properties replace, no other is said to."""
    python = Path(need("cfn-lint")).resolve().parent / "python"
    script = (
        "import json; from cfnlint.schema import PROVIDER_SCHEMA_MANAGER as schemas\n"
        "schema = schemas.get_resource_schema('us-east-2', 'AWS::RDS::DBInstance').schema\n"
        "print(json.dumps([name.rpartition('/')[2] for name in schema['createOnlyProperties']]))"
    )
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    create_only = set(json.loads(done.stdout))
    assert set(REPLACING) <= create_only
    assert not set(PROPERTIES) & create_only
