"""Restarts: the pods of the Exchange change when what they work with changes, and not otherwise."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from jhecfg.pipeline import compile_source
from tests.strategies import Tree, source_of, specs

pytestmark = pytest.mark.slow

quick = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)

NOT_THE_PODS = ("title", "replicas", "settings", "inviteCode")
"""What `exchange` says about rows of the database or the number of pods: nothing that a running pod works with."""


def objects(tree: Tree) -> dict[str, Tree]:
    """Compile a spec; return its manifests by path."""
    build = compile_source(source_of(tree), "builtin")
    assert not build.failed, build.diagnostics
    return {a.path: a.tree for a in build.artifacts if a.path.startswith("manifests/") and isinstance(a.tree, dict)}


def template(found: dict[str, Tree], name: str = "exchange") -> Any:
    """Return the pod template of a Deployment; new pods come when it changes, and only then."""
    return found[f"manifests/50-app/deployment-{name}.yaml"]["spec"]["template"]


def worked_with(found: dict[str, Tree]) -> list[Any]:
    """Return the data of the ConfigMaps that the Exchange's pods use; Kubernetes restarts nothing when they change."""
    paths = ("manifests/20-config/configmap-exchange.yaml", "manifests/20-config/configmap-database-ca.yaml")
    return [found[path]["data"] for path in paths if path in found]


@quick
@given(specs(), specs())
def test_pods_are_marked_with_what_they_work_with_and_with_nothing_else(one: Tree, other: Tree) -> None:
    """The digest on the pods is another one exactly when a ConfigMap of theirs is."""
    found = [objects(tree) for tree in (one, other)]
    marks = [template(each)["metadata"]["annotations"]["jhecfg/digest"] for each in found]
    assert (marks[0] == marks[1]) == (worked_with(found[0]) == worked_with(found[1]))


@quick
@given(specs(), specs())
def test_what_pods_do_not_work_with_restarts_none(one: Tree, other: Tree) -> None:
    """Hubs, organizations, the edge, delivery, the cluster's nodes, the database's rows, a rerun of the Jobs."""
    kept = ("site", "namespace", "domain", "image", "database", "exchange", "environment")
    mixed = copy.deepcopy({key: one[key] for key in kept if key in one})
    mixed |= {key: value for key, value in other.items() if key not in kept}
    theirs = {key: value for key, value in other["exchange"].items() if key in NOT_THE_PODS}
    mixed["exchange"] = {k: v for k, v in mixed["exchange"].items() if k not in NOT_THE_PODS} | theirs
    before, after = objects(one), objects(mixed)
    assert template(before) == template(after)
    if "mcp" in one["exchange"]:
        assert template(before, "mcp") == template(after, "mcp")


BASE: Tree = {
    "apiVersion": "jhecfg/v1",
    "site": "lab",
    "domain": "jhe.example.org",
    "contact": "ops@example.org",
    "image": {"tag": "v0.0.13"},
    "exchange": {"smtp": {"host": "smtp.example.org", "user": "jhe@example.org"}},
    "database": {"host": "db.abc123.us-east-2.rds.amazonaws.com"},
}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("image", "tag"), "v0.0.12"),
        (("domain",), "exchange.example.org"),
        (("exchange", "logLevel"), "DEBUG"),
        (("exchange", "timeZone"), "Europe/Zurich"),
        (("exchange", "workers"), 3),
        (("exchange", "env"), {"X_FRAME_OPTIONS": "DENY"}),
        (("exchange", "resources"), {"limits": {"memory": "1Gi"}}),
        (("exchange", "smtp", "passwordFrom"), {"name": "mail", "key": "password"}),
        (("exchange", "mcp"), {"domain": "mcp.example.org"}),
        (("database", "name"), "exchange"),
        (("database", "passwordFrom"), {"name": "database-2", "key": "password"}),
        (("database", "host"), "db.abc123.eu-west-1.rds.amazonaws.com"),
    ],
    ids=lambda value: ".".join(value) if isinstance(value, tuple) else "",
)
def test_what_pods_work_with_restarts_them(where: tuple[str, ...], value: object) -> None:
    """Configuration, references to Secrets, certificates, the image: a running pod would not see them."""
    changed = copy.deepcopy(BASE)
    target = changed
    for key in where[:-1]:
        target = target[key]
    target[where[-1]] = value
    assert template(objects(BASE)) != template(objects(changed))
