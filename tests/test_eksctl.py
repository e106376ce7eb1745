"""eksctl itself on cluster/cluster.yml: what it says before it first calls AWS. Opt-in: it takes minutes to compile.

`make cluster-tools` builds tests/go/eksctl: the loader, defaults and checks of `eksctl create cluster`, without AWS.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from jhecfg.diagnostics import Severity
from jhecfg.emit import dump
from jhecfg.render.cluster import cluster
from jhecfg.rules.cluster import RULES
from jhecfg.site import Site
from tests.aws_site import core, groups, make, user
from tests.test_cluster import config, node_groups
from tests.tools import ROOT, optional

pytestmark = pytest.mark.slow
Check = Callable[[dict[str, Any]], str]


@pytest.fixture(scope="module")
def eksctl(tmp_path_factory: pytest.TempPathFactory) -> Check:
    """Return how to ask eksctl about a ClusterConfig: nothing, or why it refuses it."""
    program, path = optional("eksctl-check"), tmp_path_factory.mktemp("eksctl") / "cluster.yml"

    def run(tree: dict[str, Any]) -> str:
        path.write_text(dump(tree))
        done = subprocess.run([program, str(path)], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode in (0, 1), done.stderr
        return done.stdout.removeprefix(f"{path}: ")

    return run


def accepted(site: Site) -> bool:
    """Say whether none of our rules finds an error in a site."""
    return not any(finding.severity is Severity.ERROR for rule in RULES for finding in rule(site))


@pytest.mark.parametrize("path", sorted((ROOT / "out").glob("*/cluster/cluster.yml")), ids=lambda path: path.parts[-3])
def test_eksctl_takes_the_real_sites(path: Path) -> None:
    """The files as they lie in out/."""
    done = subprocess.run(
        [optional("eksctl-check"), str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    "site",
    [
        make(),
        make(cluster__mode="auto-mode", cluster__nodeGroups=None),
        make(ingress__dns="external-dns", secrets__backend="external-secrets"),
        make(cluster__access={"public": False}),
        make(cluster__logging={"types": []}),
        make(cluster__addons=["aws-efs-csi-driver", "amazon-cloudwatch-observability"]),
        make(cluster__kmsKeyArn="arn:aws:kms:us-east-2:111122223333:key/00000000-0000-0000-0000-000000000000"),
        make(cluster__addonVersions={"vpc-cni": "v1.20.0-eksbuild.1"}),
    ],
    ids=["plain", "auto-mode", "everything", "private", "no-logs", "addons", "own-key", "pinned"],
)
def test_eksctl_takes_every_kind_of_cluster(eksctl: Check, site: Site) -> None:
    """Each choice of the spec, alone."""
    assert eksctl(config(site)) == ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=node_groups())
def test_eksctl_takes_any_node_groups(eksctl: Check, nodes: list[dict[str, Any]]) -> None:
    """Whatever groups a person writes with sizes in order and names apart, eksctl has nothing to say about them."""
    assert eksctl(config(groups(*nodes))) == ""


@pytest.mark.parametrize(
    ("site", "words"),
    [
        (groups(core(scaling={"min": 4, "max": 3}), user()), "--nodes-max=3 and --nodes=4"),
        (groups(core(scaling={"min": 2, "desired": 9, "max": 3}), user()), "--nodes=9"),
        (groups(core(), core(), user()), "is not unique"),
        (groups(core(labels={"kubernetes.io/x": "y"}), user()), "kubernetes.io/x"),
        (make(cluster__access={"public": False, "private": False}), "one of public or private clusterEndpoints"),
        (make(cluster__zones=["us-east-2a"]), "only 1 zone(s) specified"),
    ],
    ids=["min-max", "desired", "twice", "label", "unreachable", "one-zone"],
)
def test_what_eksctl_refuses_our_rules_refuse_first(eksctl: Check, site: Site, words: str) -> None:
    """The checks that eksctl makes at run time are made at compile time, and this judge can say no."""
    assert not accepted(site)
    (artifact,) = cluster(site)
    assert isinstance(artifact.tree, dict)
    assert words in eksctl(artifact.tree)


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("unknown key", {"nodes": 3}),
        ("self-managed nodes in Auto Mode", {"autoModeConfig": {"enabled": True}}),
        ("support type", {"upgradePolicy": {"supportType": "FREE"}}),
        ("no agent for pod identities", {"addons": []}),
    ],
)
def test_eksctl_refuses_what_the_renderer_never_writes(eksctl: Check, part: str, change: dict[str, Any]) -> None:
    """What no spec can say wrongly, because the file always says it rightly."""
    assert eksctl({**config(make()), **change}) != "", part
