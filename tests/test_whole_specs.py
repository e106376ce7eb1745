"""Specs with any field in them: the strategy reaches every field and choice, and what it draws always compiles."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, seed, settings

from jhecfg.diagnostics import Loc
from jhecfg.origin.fields import every_field
from jhecfg.pipeline import Build, compile_source
from jhecfg.tree import compare, write
from tests.whole_specs import Tree, Whole, wholes

pytestmark = pytest.mark.xdist_group("whole specs")

few = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), database=None)

NOT_DRAWN: dict[Loc, str] = {
    ("extends",): "stands in a file, not in the tree that files make; `layered` draws it",
}
"""Fields that no tree has, and why."""


def no_errors(whole: Whole) -> Build:
    """Compile a spec; it must be without an error."""
    build = compile_source(whole.source(), "builtin")
    assert [(d.code, d.message, str(d.span)) for d in build.diagnostics if d.severity == "error"] == []
    return build


@pytest.mark.slow
@few
@given(wholes())
def test_whatever_is_drawn_compiles_and_its_outputs_are_what_was_meant(
    tmp_path_factory: pytest.TempPathFactory, whole: Whole
) -> None:
    """No error; every YAML output reads as its tree; and after the write there is nothing left to do."""
    build, out = no_errors(whole), tmp_path_factory.mktemp("out")
    for artifact in build.artifacts:
        if isinstance(artifact.tree, dict):
            assert yaml.load(build.files[artifact.path], yaml.CSafeLoader) == artifact.tree
    write(out, build.site.name, build.files)
    assert compare(out, build.site.name, build.files).clean


@pytest.mark.slow
@few
@given(wholes().filter(lambda whole: len(whole.layers) > 1))
def test_a_spec_upon_bases_is_the_spec_that_they_make(whole: Whole) -> None:
    """However a spec is spread over files that extend one another, not one byte of the output differs."""
    assert no_errors(whole).files == no_errors(Whole(whole.tree, (whole.tree,))).files


@pytest.mark.slow
@settings(few, max_examples=1, phases=[Phase.generate])
@seed(7)
@given(wholes(hubs=200, orgs=2_000))
def test_a_site_may_have_two_hundred_hubs_and_two_thousand_organizations(whole: Whole) -> None:
    """The largest site that is promised; half of it takes half the work, counted in calls, not in seconds."""
    half = whole.tree | {"hubs": whole.tree["hubs"][:100], "orgs": whole.tree["orgs"][:1_000]}
    half["hubs"] = [hub for hub in half["hubs"] if {*_orgs_of(hub)} <= {org["name"] for org in half["orgs"]}]
    share = len(half["hubs"]) / 200
    assert calls(Whole(half, (half,))) >= 0.8 * share * calls(Whole(whole.tree, (whole.tree,)))


def _orgs_of(hub: Tree) -> Iterator[str]:
    yield from hub["access"].get("orgs", ())
    yield from hub.get("admins", {}).get("orgs", ())


def calls(whole: Whole) -> int:
    """Count the calls of functions that a compile makes."""
    count = 0

    def seen(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event == "call"

    sys.setprofile(seen)
    try:
        no_errors(whole)
    finally:
        sys.setprofile(None)
    return count


# --- what is reached --------------------------------------------------------------------------------------------------


ROUNDS = 12
"""Each draws fifty specs; what none of them reaches is not drawn in practice."""


@cache
def drawn() -> tuple[Whole, ...]:
    """Return some hundred specs, always the same: as many as it takes to reach every field and choice, if any do."""
    found: list[Whole] = []
    for number in range(ROUNDS):

        @settings(few, max_examples=50, phases=[Phase.generate])
        @seed(number)
        @given(wholes())
        def draw(whole: Whole) -> None:
            found.append(whole)

        draw()
        if fields_missing(found) == {*NOT_DRAWN} and not list(choices_missing(found)):
            break
    return tuple(found)


def fields_missing(found: Iterable[Whole]) -> set[Loc]:
    """Return the fields of the model that no spec has."""
    reached = {loc for whole in found for loc, _ in fields_of(whole.tree)}
    return {loc for loc, _ in every_field()} - reached


def choices_missing(found: Iterable[Whole]) -> Iterator[tuple[Loc, list[Any]]]:
    """Yield the fields of which no spec has some listed value; of a long list three are enough."""
    reached = {(loc, str(value)) for whole in found for loc, value in fields_of(whole.tree)}
    lists = [(loc, field.choices) for loc, field in every_field()]
    lists += [((*loc, 0), item.choices) for loc, field in every_field() if (item := field.below(0))]
    for loc, choices in lists:
        missing = [choice for choice in choices if (loc, str(choice)) not in reached]
        if len(missing) > (len(choices) - 3 if len(choices) > 8 else 0):
            yield loc, missing


def fields_of(value: Any, loc: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    """Yield every place of a tree with its value, items of lists at 0."""
    yield loc, value
    if isinstance(value, dict):
        for key, below in value.items():
            yield from fields_of(below, (*loc, key))
    elif isinstance(value, list):
        for below in value:
            yield from fields_of(below, (*loc, 0))


@pytest.mark.slow
def test_every_field_of_the_model_is_drawn() -> None:
    """Whoever adds a field to the model is reminded here to let it be drawn, or to say why not."""
    assert fields_missing(drawn()) == {*NOT_DRAWN}


@pytest.mark.slow
def test_every_choice_of_the_model_is_drawn() -> None:
    """Each listed value of each field; of a long list (organizations' types, days of logs), some."""
    assert list(choices_missing(drawn())) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "what",
    {
        "no hub": lambda tree, layers: not tree["hubs"],
        "one hub": lambda tree, layers: len(tree["hubs"]) == 1,
        "many hubs": lambda tree, layers: len(tree["hubs"]) > 3,
        "no organization": lambda tree, layers: not tree["orgs"],
        "an organization below another": lambda tree, layers: any("parent" in org for org in tree["orgs"]),
        "a name in another script": lambda tree, layers: any(not org["name"].isascii() for org in tree["orgs"]),
        "the longest name": lambda tree, layers: any(len(org["name"]) == 200 for org in tree["orgs"]),
        "one base": lambda tree, layers: len(layers) == 2,
        "a base of a base": lambda tree, layers: len(layers) == 3,
        "an organization in two files": lambda tree, layers: sum("orgs" in layer for layer in layers) > 1,
        "sops and flux": lambda tree, layers: tree["secrets"].get("backend") == "sops" and tree["gitops"],
        "auto mode": lambda tree, layers: tree.get("cluster", {}).get("mode") == "auto-mode",
        "a described database": lambda tree, layers: "rds" in tree["database"],
    }.items(),
    ids=lambda each: each[0],
)
def test_shapes_that_matter_are_drawn(what: tuple[str, Any]) -> None:
    """Empty, single and many; long and foreign names; spread over files; each at least five times in some hundred."""
    assert sum(bool(what[1](whole.tree, whole.layers)) for whole in drawn()) >= 5
