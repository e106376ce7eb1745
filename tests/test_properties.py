"""Properties of the whole compiler, over specs of every shape (tests/strategies.py)."""

from __future__ import annotations

import copy
import io
import json
import random
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhecfg.diagnostics import SpecError
from jhecfg.pipeline import Build, compile_source
from jhecfg.source import Source, load
from jhecfg.tree import LOCK, compare, write
from tests.strategies import Tree, plain_text, source_of, specs

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent
quick = settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)


def outputs(tree: Tree) -> dict[str, bytes]:
    """Compile a spec that has no error; return its files but for the lock."""
    return {path: data for path, data in built(tree).files.items() if path != LOCK}


def built(tree: Tree) -> Build:
    """Compile a spec that has no error."""
    build = compile_source(source_of(tree), "builtin")
    assert [d for d in build.diagnostics if d.severity == "error"] == []
    return build


# --- the same spec, the same bytes ------------------------------------------------------------------------------------


@quick
@given(specs())
def test_every_shape_compiles_without_an_error_and_twice_to_the_same_bytes(tree: Tree) -> None:
    """A spec without a mistake has outputs that every schema and rule accepts, and always the same ones."""
    assert built(tree).files == built(copy.deepcopy(tree)).files


@quick
@given(specs(), st.randoms(use_true_random=False))
def test_the_order_of_keys_changes_nothing(tree: Tree, chance: random.Random) -> None:
    """Not one byte, not even of the lock, depends on the order in which a mapping's keys are written."""
    assert built(shuffled(tree, chance)).files == built(tree).files


def shuffled(value: Any, chance: random.Random) -> Any:
    """Return a tree with the keys of every mapping in another order."""
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    return [shuffled(item, chance) for item in value] if isinstance(value, list) else value


def test_comments_and_line_ends_and_quotes_change_nothing() -> None:
    """What a spec says counts, not how it is laid out."""
    text = (TESTS / "base.yaml").read_bytes()
    plain = load(TESTS / "base.yaml")
    written = [
        text.replace(b"\n", b"\r\n"),
        text.replace(b"\n", b" # said\n"),
        b"\n\n" + text.rstrip(b"\n"),
        b"\xef\xbb\xbf" + text,
        json.dumps(plain.tree).encode(),
    ]
    expected = compile_source(plain).files
    for other in written:
        assert compile_source(load(TESTS / "base.yaml", text=other)).files == expected


# --- building, checking -----------------------------------------------------------------------------------------------


@settings(quick, max_examples=8)
@given(specs())
def test_what_was_built_checks_clean_and_is_not_written_twice(
    tmp_path_factory: pytest.TempPathFactory, tree: Tree
) -> None:
    """After a build there is nothing to do: no difference, and a second build touches no file."""
    out, build = tmp_path_factory.mktemp("out"), built(tree)
    write(out, build.site.name, build.files)
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert compare(out, build.site.name, build.files).clean
    assert write(out, build.site.name, build.files).clean
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == stamps


@quick
@given(specs())
def test_what_is_written_reads_as_what_was_meant(tree: Tree) -> None:
    """PyYAML with libyaml reads every YAML output as the tree that was rendered."""
    build = built(tree)
    for artifact in build.artifacts:
        if isinstance(artifact.tree, dict):
            text = build.files[artifact.path]
            assert yaml.load(io.BytesIO(text), yaml.CSafeLoader) == artifact.tree


# --- parts that do not touch one another ------------------------------------------------------------------------------

SHARED = (
    "RUNBOOK.md",
    "manifests/40-bootstrap/",
    "manifests/60-routes/gateway.yaml",
    "manifests/60-routes/httproute-https",
    "manifests/70-smoke-test/",
)
KINDS = ("kustomization.yaml", "gitops/", "helm/", "manifests/20-config/networkpolicy-", "manifests/10-platform/")


@quick
@given(specs().filter(lambda tree: tree["hubs"]))
def test_a_hub_less_touches_its_own_files_and_those_that_list_hubs(tree: Tree) -> None:
    """Without one hub, no file of another hub and nothing of the Exchange's own pods changes."""
    less = {**tree, "hubs": tree["hubs"][1:]}
    own = tree["hubs"][0]["name"]
    for path in changed(outputs(tree), outputs(less)):
        assert path.startswith((*SHARED, *KINDS)) or path.endswith(KINDS[0]) or own in path, path
        assert not path.startswith("manifests/50-app/deployment"), path


@quick
@given(specs().filter(lambda tree: len(tree["hubs"]) > 1))
def test_the_order_of_hubs_changes_no_hub(tree: Tree) -> None:
    """A hub's files do not depend on where in the list it stands."""
    turned = {**tree, "hubs": tree["hubs"][::-1]}
    assert [path for path in changed(outputs(tree), outputs(turned)) if path.startswith("hubs/")] == []


@quick
@given(specs().filter(lambda tree: tree["hubs"]))
def test_renaming_a_hub_moves_its_folder(tree: Tree) -> None:
    """A hub's new name moves its own files and leaves every other hub's alone."""
    renamed = copy.deepcopy(tree)
    old, new = tree["hubs"][0]["name"], "renamed"
    renamed["hubs"][0]["name"] = new
    moved = {path for path in changed(outputs(tree), outputs(renamed)) if path.startswith("hubs/")}
    assert moved
    assert all(path.startswith((f"hubs/{old}/", f"hubs/{new}/")) for path in moved)


def test_renaming_the_site_moves_its_folder_and_keeps_no_old_name() -> None:
    """The site's old name is nowhere in the outputs of the renamed one."""
    tree = load(TESTS / "base.yaml").tree
    files = outputs({**tree, "site": "quite-another"})
    allowed = ("manifests/40-bootstrap/configmap-bootstrap.yaml",)  # Python code: `base` is a word there
    left = [path for path, data in files.items() if b"for site base" in data or b"name: base" in data]
    assert [path for path in left if path not in allowed] == []


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return the paths of files that differ, are new or are gone."""
    return [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]


# --- Jobs and code ----------------------------------------------------------------------------------------------------


@quick
@given(specs(), specs())
def test_a_job_has_a_new_name_exactly_when_its_spec_is_new(one: Tree, other: Tree) -> None:
    """A Job's template and failure policy cannot be changed in place; a Job that would do the same keeps its name."""
    for path in ("manifests/30-migrate/job-migrate.yaml", "manifests/40-bootstrap/job-bootstrap.yaml"):
        jobs = [object_at(built({**tree, "site": "same"}), path) for tree in (one, other)]
        same = jobs[0]["spec"] == jobs[1]["spec"]
        assert (jobs[0]["metadata"]["name"] == jobs[1]["metadata"]["name"]) == same


def object_at(build: Build, path: str) -> Tree:
    """Return the object in one file of a build."""
    return next(a.tree for a in build.artifacts if a.path == path and isinstance(a.tree, dict))


@cache
def code_of_the_release() -> dict[str, set[str]]:
    """Return the code in the base spec's outputs, by what it is."""
    return code_in(compile_source(load(TESTS / "base.yaml")))


def code_in(build: Build) -> dict[str, set[str]]:
    """Return every piece of code in the outputs: the bootstrap script, the hubs' Python, commands of pods."""
    found: dict[str, set[str]] = {"script": set(), "hub": set()}
    for artifact in build.artifacts:
        if isinstance(artifact.tree, dict) and artifact.path.endswith("configmap-bootstrap.yaml"):
            found["script"].add(artifact.tree["data"]["bootstrap.py"])
        if isinstance(artifact.tree, dict) and artifact.path.startswith("hubs/") and "hub" in artifact.tree:
            found["hub"].update(artifact.tree["hub"].get("extraConfig", {}).values())
    return found


@quick
@given(specs())
def test_code_in_the_output_is_a_constant_of_the_release(tree: Tree) -> None:
    """No spec shapes a line of the bootstrap script or of a hub's Python: values travel as data alone."""
    found, known = code_in(built(tree)), code_of_the_release()
    assert found["script"] == known["script"]
    assert found["hub"] <= known["hub"]


# --- hostile text -----------------------------------------------------------------------------------------------------

FREE: tuple[tuple[str | int, ...], ...] = (
    ("exchange", "title"),
    ("exchange", "env", "X_FRAME_OPTIONS"),
    ("exchange", "smtp", "user"),
    ("exchange", "settings", "auth.sso.idp_metadata_url"),
    ("orgs", 0, "name"),
    ("hubs", 0, "env", "STUDY"),
    ("hubs", 0, "values", "singleuser", "extraEnv", "STUDY_2"),
    ("hubs", 0, "values", "custom", "note"),
    ("patches", 0, "patch", "metadata", "annotations", "example.org/owner"),
)


@settings(quick, max_examples=60)
@given(st.sampled_from(FREE), plain_text())
def test_hostile_text_is_data_and_changes_no_shape(loc: tuple[str | int, ...], text: str) -> None:
    """Whatever a free text holds, it is refused at its place, or every output has the shape it had with plain text."""
    build, plain = with_text(loc, text), with_text(loc, "plain")
    assert plain is not None
    if build is not None:
        for artifact in build.artifacts:
            if isinstance(artifact.tree, dict):
                assert yaml.load(build.files[artifact.path], yaml.CSafeLoader) == artifact.tree
        assert shapes(build) == shapes(plain)


def with_text(loc: tuple[str | int, ...], text: str) -> Build | None:
    """Compile the base spec with a text at a place; None where an error there refuses it."""
    tree = copy.deepcopy(load(TESTS / "base.yaml").tree) | {"environment": "demo"}
    at: Any = tree
    for step in loc[:-1]:
        at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
    at[loc[-1]] = text
    if loc == ("orgs", 0, "name"):  # what refers to it, too
        tree["orgs"][1]["parent"] = text
        tree["hubs"][0]["access"]["orgs"] = tree["hubs"][1]["access"]["orgs"] = [text]
    try:
        build = compile_source(source_of(tree), "builtin")
    except SpecError:
        return None
    return None if build.failed else build


def shapes(build: Build) -> dict[str, Any]:
    """Return every output as it would be with all its text removed."""
    return {a.path: shape(a.tree) for a in build.artifacts if isinstance(a.tree, dict)}


def shape(value: Any) -> Any:
    """Return the keys, lengths and types of a tree."""
    if isinstance(value, dict):
        return {key: shape(below) for key, below in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value).__name__


# --- mistakes are found where they are --------------------------------------------------------------------------------

MISTAKES: tuple[tuple[tuple[str | int, ...], object, str], ...] = (
    (("domain",), "https://jhe.example.org", "invalid-value"),
    (("image", "tag"), "v0.0.1", "unsupported-release"),
    (("database", "port"), 0, "invalid-value"),
    (("database", "sslMode"), "disabled", "invalid-value"),
    (("exchange", "replicas"), "two", "wrong-type"),
    (("exchange", "unknown"), 1, "unknown-field"),
    (("exchange", "env"), {"NO_SUCH_NAME": "x"}, "unknown-env"),
    (("orgs", 0, "type"), "labratory", "invalid-value"),
    (("orgs", 0, "id"), 0, "invalid-value"),
    (("hubs", 0, "access", "orgs"), ["No Such Organization"], "unknown-org"),
    (("hubs", 0, "domain"), "jhe.example.org", "duplicate-domain"),
    (("hubs", 0, "deploy"), "elsewhere", "invalid-value"),
    (("ingress", "controller"), "nginx", "invalid-value"),
    (("gitops", "engine"), "argo", "invalid-value"),
)


@settings(quick, max_examples=40)
@given(specs().filter(lambda tree: tree["orgs"] and tree["hubs"]), st.sampled_from(MISTAKES))
def test_a_mistake_is_found_where_it_is(tree: Tree, mistake: tuple[tuple[str | int, ...], object, str]) -> None:
    """One mistake in a spec without any is said with its code, at its own place or inside it, and not once more."""
    loc, value, code = mistake
    broken = copy.deepcopy(tree)
    at: Any = broken
    for step in loc[:-1]:
        at = at.setdefault(step, {}) if isinstance(at, dict) else at[step]
    at[loc[-1]] = value
    source = source_of(broken)
    found = [d for d in said(source) if d.severity == "error"]
    assert [d.code for d in found] == [code]
    assert found[0].span is not None
    below = [place for place in source.places if place[: len(loc)] == loc]
    places = {source.span(place, key=key) for place in below for key in (False, True)}
    assert (found[0].span.line, found[0].span.column) in {(place.line, place.column) for place in places}


def said(source: Source) -> Iterator[Any]:
    """Yield what is said about a spec."""
    try:
        yield from compile_source(source, "none").diagnostics
    except SpecError as error:
        yield from error.diagnostics
