"""origin_of(): the line of the spec that shapes a place in an output."""

from __future__ import annotations

import re

import pytest

from jhecfg.diagnostics import Loc
from jhecfg.origin import origin_of
from jhecfg.origin.fields import absent
from jhecfg.origin.nudge import nudges
from jhecfg.origin.outputs import outputs_of
from jhecfg.origin.samples import SAMPLES
from jhecfg.source import Source
from jhecfg.spec import PATTERNS

pytestmark = pytest.mark.slow

OWNER: Loc = ("metadata", "annotations", "example.org/owner")
CONFIG = "manifests/20-config/configmap-exchange.yaml"
OAUTH: Loc = ("hub", "config", "GenericOAuthenticator")
DEPLOYMENT = "manifests/50-app/deployment-exchange.yaml"
CONTAINER: Loc = ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    ("path", "pointer", "origin"),
    [
        (DEPLOYMENT, (*CONTAINER, "image"), ("image", "tag")),
        (DEPLOYMENT, OWNER, ("patches", 0, "patch", *OWNER)),
        (CONFIG, ("data", "DB_HOST"), ("database", "host")),
        (CONFIG, ("data", "X_FRAME_OPTIONS"), ("exchange", "env", "X_FRAME_OPTIONS")),
        ("cluster/cluster.yml", ("metadata", "region"), ("cluster", "region")),
        ("cluster/cluster.yml", ("managedNodeGroups", 1, "maxSize"), ("cluster", "nodeGroups", 1, "scaling", "max")),
        ("cluster/rds.cfn.yaml", ("Resources",), ("database", "rds", "instanceClass")),
        ("hubs/hub/values.yaml", (*OAUTH, "oauth_callback_url"), ("hubs", 0, "domain")),
        ("manifests/10-platform/clusterissuer.yaml", ("spec", "acme", "email"), ("contact",)),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)  # fmt: skip
def test_a_place_in_an_output_has_its_line_in_the_spec(base: Source, path: str, pointer: Loc, origin: Loc) -> None:
    """Nudging that leaf, and no other tried before it, changes that place."""
    assert origin_of(base.tree, path, pointer) == origin


@pytest.mark.parametrize("pointer", [("apiVersion",), (*CONTAINER, "securityContext", "allowPrivilegeEscalation")])
def test_what_jhecfg_itself_says_has_no_line(base: Source, pointer: Loc) -> None:
    """A constant of the release is not blamed on anybody's spec."""
    assert origin_of(base.tree, DEPLOYMENT, pointer) is None


def test_a_place_that_is_not_there_has_no_line_or_that_of_what_holds_it(base: Source) -> None:
    """An unknown file or pointer raises nothing."""
    assert origin_of(base.tree, "no/such/file.yaml", ("x",)) is None
    origin_of(base.tree, DEPLOYMENT, ("spec", "no", "such", "place", 7))


def test_the_spec_is_left_as_it_was(base: Source) -> None:
    """Nudging works on copies."""
    before = repr(base.tree)
    origin_of(base.tree, DEPLOYMENT, (*CONTAINER, "image"))
    assert repr(base.tree) == before


def test_every_pattern_of_the_model_has_a_sample() -> None:
    """What is absent can be nudged, whatever form it must have."""
    lacking = [words for pattern, words in PATTERNS.items() if not any(re.search(pattern, text) for text in SAMPLES)]
    assert lacking == []


def test_every_absent_field_has_a_value_that_the_model_accepts(base: Source) -> None:
    """The first nudge of each key that the spec could have is a spec, but for keys that exclude others."""
    for loc in absent(base.tree):
        valid = (outputs_of(tree) is not None for tree in nudges(base.tree, loc))
        assert any(valid), loc


def test_a_name_takes_along_what_refers_to_it(base: Source) -> None:
    """An organization with another name is the same one wherever the spec names it."""
    first = next(nudges(base.tree, ("orgs", 0, "name")))
    name = first["orgs"][0]["name"]
    assert name != base.tree["orgs"][0]["name"]
    assert first["orgs"][1]["parent"] == name
    assert first["hubs"][0]["access"]["orgs"] == [name]


def test_what_an_alias_brings_is_nudged_in_one_place_alone(base: Source) -> None:
    """Two hubs may be one object in memory; they are two places of the spec."""
    access = {"orgs": ["Example Lab"]}
    tree = {**base.tree, "hubs": [{**hub, "access": access} for hub in base.tree["hubs"]]}
    nudged = next(nudges(tree, ("hubs", 0, "access", "orgs", 0)))
    assert nudged["hubs"][0]["access"]["orgs"] != ["Example Lab"]
    assert nudged["hubs"][1]["access"]["orgs"] == ["Example Lab"]
