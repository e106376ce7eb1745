"""Rules: the tuples, their documentation, and the nets that no spec reaches: violations planted in the outputs."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jhecfg.artifact import Artifact
from jhecfg.pipeline import compile_source, documentation
from jhecfg.rules import (
    ARTIFACT_RULES,
    SITE_RULES,
    WITHOUT_EXCEPTION,
    ArtifactRule,
    SiteRule,
    code_of,
    judge_artifacts,
    judge_site,
    rule_docs,
)
from jhecfg.site import Site
from jhecfg.source import Source, load
from tests.tools import ROOT

Tree = dict[str, Any]


@pytest.fixture(scope="module")
def built(base: Source) -> tuple[Site, tuple[Artifact, ...]]:
    """Return the base site and its outputs, which break no rule."""
    build = compile_source(base, "none")
    return build.site, build.artifacts


@pytest.mark.parametrize("rule", [*SITE_RULES, *ARTIFACT_RULES], ids=code_of)
def test_a_rule_says_what_is_wrong_and_what_to_do(rule: SiteRule | ArtifactRule) -> None:
    """Its docstring is its documentation: a sentence, and what to do instead."""
    text = rule_docs()[code_of(rule)]
    assert re.match(r"[A-Z`].*\.$", text.splitlines()[0])
    assert "*Instead:*" in text


def test_codes_are_unique_and_stable_in_form() -> None:
    """One code, one meaning: lower case, digits and dashes, and no two tables share one."""
    codes = [*map(code_of, SITE_RULES), *map(code_of, ARTIFACT_RULES)]
    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", code) for code in documentation())


def test_the_base_site_breaks_no_rule(built: tuple[Site, tuple[Artifact, ...]]) -> None:
    """The rules are silent about what is right."""
    site, artifacts = built
    assert [*judge_site(site), *judge_artifacts(site, artifacts)] == []


def deployment(artifacts: tuple[Artifact, ...]) -> Artifact:
    """Return the Exchange's Deployment, free to be changed."""
    return copy.deepcopy(next(a for a in artifacts if a.path.endswith("deployment-exchange.yaml")))


def moved(tree: Tree) -> None:
    """Put the object into a namespace that nobody makes."""
    tree["metadata"]["namespace"] = "nowhere"


def long_named(tree: Tree) -> None:
    """Give it a name of 254 characters."""
    tree["metadata"]["name"] = "x" * 254


def long_labelled(tree: Tree) -> None:
    """Give it a label of 64 characters."""
    tree["metadata"]["labels"]["example.org/x"] = "x" * 64


def with_a_secret(tree: Tree) -> None:
    """Put a password in an annotation."""
    tree["metadata"]["annotations"]["example.org/x"] = "postgres://jhe:correct-horse-battery@db.example.org/jhe"


def container_of(tree: Tree) -> Tree:
    """Return its container."""
    container: Tree = tree["spec"]["template"]["spec"]["containers"][0]
    return container


def expanding(tree: Tree) -> None:
    """Add a variable that Kubernetes would expand."""
    container_of(tree)["env"].append({"name": "X", "value": "$(DB_PASSWORD)"})


def escaping(tree: Tree) -> None:
    """Add one whose expansion is escaped."""
    container_of(tree)["env"].append({"name": "X", "value": "$$(DB_PASSWORD)"})


def root(tree: Tree) -> None:
    """Let it run as root."""
    container_of(tree)["securityContext"]["runAsUser"] = 0


def host_path(tree: Tree) -> None:
    """Mount the folder of the node."""
    tree["spec"]["template"]["spec"]["volumes"].append({"name": "host", "hostPath": {"path": "/"}})


def host_network(tree: Tree) -> None:
    """Use the node's network."""
    tree["spec"]["template"]["spec"]["hostNetwork"] = True


def lost_config(tree: Tree) -> None:
    """Refer to a ConfigMap that nothing brings."""
    container_of(tree)["envFrom"][0]["configMapRef"]["name"] = "lost"


def lost_account(tree: Tree) -> None:
    """Refer to a ServiceAccount that nothing brings."""
    tree["spec"]["template"]["spec"]["serviceAccountName"] = "lost"


def lost_port(tree: Tree) -> None:
    """Probe a port that is not there."""
    container_of(tree)["livenessProbe"]["httpGet"]["port"] = "web"


@pytest.mark.parametrize(
    ("change", "codes"),
    [
        (moved, ["dangling-reference", "dangling-secret", "not-allowed-by-project", "unknown-namespace"]),
        (long_named, ["long-name"]),
        (long_labelled, ["long-name"]),
        (with_a_secret, ["secret-in-output"]),
        (expanding, ["expandable-text"]),
        (escaping, []),
        (root, ["pod-security"]),
        (host_path, ["pod-security"]),
        (host_network, ["pod-security"]),
        (lost_config, ["dangling-reference"]),
        (lost_account, ["dangling-reference"]),
        (lost_port, ["unknown-port"]),
    ],
)
def test_a_planted_violation_is_found(
    change: Callable[[Tree], None], codes: list[str], built: tuple[Site, tuple[Artifact, ...]]
) -> None:
    """A change of the Deployment is found by the rule that is there for it, in its file."""
    site, artifacts = built
    planted = deployment(artifacts)
    assert isinstance(planted.tree, dict)
    change(planted.tree)
    others = tuple(a for a in artifacts if a.path != planted.path)
    found = [(code, finding) for code, finding in judge_artifacts(site, (*others, planted))]
    own = {code for code, finding in found if finding.artifact == planted.path}
    assert sorted(own) == codes


def test_an_object_that_is_there_twice_is_found(built: tuple[Site, tuple[Artifact, ...]]) -> None:
    """Two files with one object are an error in the second."""
    site, artifacts = built
    twin = Artifact("manifests/50-app/twin.yaml", deployment(artifacts).tree)
    codes = {(code, finding.artifact) for code, finding in judge_artifacts(site, (*artifacts, twin))}
    assert ("duplicate-object", twin.path) in codes


def test_a_secret_with_its_values_is_found(built: tuple[Site, tuple[Artifact, ...]]) -> None:
    """Even an empty Secret among the manifests is refused: values belong elsewhere."""
    site, artifacts = built
    tree = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x", "namespace": site.namespace}, "data": {}}
    found = judge_artifacts(site, (*artifacts, Artifact("manifests/20-config/secret-x.yaml", tree)))
    assert ("secret-in-output", "manifests/20-config/secret-x.yaml") in {(c, f.artifact) for c, f in found}


def test_what_does_not_work_at_all_can_have_no_exception() -> None:
    """Two hubs of one name stay an error, whatever a comment says."""
    for rule in WITHOUT_EXCEPTION:
        assert rule in SITE_RULES
    text = (ROOT / "tests" / "bad" / "duplicate-name.yaml").read_text(encoding="utf-8")
    spec = "\n".join(
        f"{line} # jhecfg: ignore[duplicate-name] both are wanted" if "name: hub" in line else line
        for line in text.splitlines()
    )
    build = compile_source(load(Path("spec.yaml"), text=(spec + "\n").encode()), "builtin")
    assert build.failed
    assert {"duplicate-name", "not-ignorable"} <= {diagnostic.code for diagnostic in build.diagnostics}
