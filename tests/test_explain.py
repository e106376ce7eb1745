"""explain: where a line of the output comes from, what a line of a spec does, what keys and codes mean."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jhecfg.cli import run
from jhecfg.diagnostics import Loc
from jhecfg.explain.keys import every_name, form, key_named
from jhecfg.explain.moves import Place, changed_lines, moved_by, shapers_of
from jhecfg.origin.fields import absent, every_field
from jhecfg.origin.outputs import Files, experiments, outputs_of
from jhecfg.parse import leaves
from jhecfg.pipeline import documentation
from jhecfg.source import Source, load
from tests.compiled import changed
from tests.tools import ROOT

pytestmark = pytest.mark.slow

Said = Callable[..., tuple[int, str, str]]
Tree = dict[str, Any]
DEPLOYMENT = "out/jhe-example/manifests/50-app/deployment-exchange.yaml"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """Return a call of the command line in the repository: its exit code, and what it printed."""
    monkeypatch.chdir(ROOT)

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["explain", *words])
        return code, *capsys.readouterr()

    return call


def line_of(path: str, text: str) -> int:
    """Return the number of the first line of a file of the repository that holds a text."""
    lines = (ROOT / path).read_text(encoding="utf-8").split("\n")
    return next(number for number, line in enumerate(lines, 1) if text in line)


def files_of(tree: Tree) -> Files:
    """Return what a spec's tree renders to."""
    outputs = outputs_of(tree)
    assert outputs is not None
    return outputs.files


# --- a line of the output ---------------------------------------------------------------------------------------------


def test_a_line_of_an_output_leads_to_the_line_of_the_spec(said: Said) -> None:
    """The place in the output, the line of the spec as diagnostics show it, and keys that could be written."""
    number = line_of(DEPLOYMENT, "image: ghcr.io")
    code, out, err = said(f"{DEPLOYMENT}:{number}")
    tag = line_of("specs/jhe-example.yaml", "tag: v0.0.13")
    assert (code, err) == (0, "")
    assert out.startswith(f"{DEPLOYMENT}:{number}: spec.template.spec.containers[exchange].image\n")
    assert f"\nspecs/jhe-example.yaml:{tag}:8: image.tag shapes it\n" in out
    assert f"\n{tag} |   tag: v0.0.13\n   |        ^^^^^^^\n" in out
    assert "image.repository [ghcr.io/jupyterhealth/jupyterhealth-exchange]: Image repository" in out


def test_what_jhecfg_itself_says_has_no_line(said: Said) -> None:
    """A constant of the release is not blamed on anybody's spec."""
    code, out, _ = said(f"{DEPLOYMENT}:{line_of(DEPLOYMENT, 'path: /health')}")
    assert code == 0
    assert "no line of the spec shapes this: jhecfg itself does" in out
    assert "specs/" not in out


def test_a_default_names_the_key_that_would_change_it(said: Said) -> None:
    """Nobody wrote `replicas`; the answer is where to write it."""
    out = said(f"{DEPLOYMENT}:{line_of(DEPLOYMENT, 'replicas: 2')}")[1]
    assert "exchange.replicas [2]: Number of Exchange pods." in out


def test_each_line_of_a_text_in_an_object_has_its_own_origin(said: Said) -> None:
    """In the JSON that a ConfigMap holds, the line of an organization's id is that of the spec's."""
    path = "out/jhe-example/manifests/40-bootstrap/configmap-bootstrap.yaml"
    answers = [
        json.loads(said(f"{path}:{line_of(path, text)}", "--format", "json")[1]) for text in ("20002,", '"id": 20001')
    ]
    assert [[each["path"] for each in answer["written"]] for answer in answers] == [
        ["orgs[Example Hub Admins].id"],
        ["orgs[Example Lab].id"],
    ]


def test_a_line_of_the_runbook_has_its_origin(said: Said) -> None:
    """A page is text: its lines are compared."""
    path = "out/jhe-example/RUNBOOK.md"
    answer = json.loads(said(f"{path}:{line_of(path, '| hub `hub`')}", "--format", "json")[1])
    assert "hubs[hub].domain" in [each["path"] for each in answer["written"]]


def test_a_file_without_a_line_lists_all_that_shapes_it(said: Said) -> None:
    """Every value of the spec, with its place."""
    out = said("out/jhe-example/manifests/20-config/configmap-exchange.yaml")[1]
    assert re.findall(r"^  specs/jhe-example.yaml:\d+:\d+: (\S+)$", out, re.MULTILINE) == [
        "site", "domain", "exchange.smtp.host", "exchange.smtp.user", "database.host",
    ]  # fmt: skip


def test_a_value_of_a_base_is_shown_where_it_is_written(said: Said) -> None:
    """The origin is in the file that holds the line."""
    path = "out/berkeley-demo/manifests/50-app/deployment-exchange.yaml"
    answer = json.loads(said(f"{path}:{line_of(path, 'image: ghcr.io')}", "--format", "json")[1])
    (tag,) = [each for each in answer["written"] if each["path"] == "image.tag"]
    assert (tag["file"], tag["line"]) == (
        "specs/berkeley-base.yaml",
        line_of("specs/berkeley-base.yaml", "tag: 0.0.15"),
    )


def test_a_reference_and_what_it_names_are_both_origins(base: Source) -> None:
    """A hub lets in an organization by its id: both the line of the hub and that of the id say which."""
    before = files_of(base.tree)
    place = Place("hubs/hub/values.yaml", ("hub", "config", "GenericOAuthenticator", "allowed_groups", 0))
    found = shapers_of(base, before, place)
    assert {("orgs", 0, "id"), ("hubs", 0, "access", "orgs", 0)} <= set(found.written)
    assert ("orgs", 0, "name") not in found.written
    assert found.complete


def test_a_file_that_is_not_what_would_be_built_is_said(said: Said, tmp_path: Path) -> None:
    """Lines are then those of what would be built."""
    code, out, err = said("elsewhere/jhe-example/RUNBOOK.md:1", "--out", "elsewhere")
    assert code == 0
    assert out.startswith("elsewhere/jhe-example/RUNBOOK.md:1\n")
    assert "is not what would be built" in err


def test_the_spec_of_a_site_may_be_named(said: Said, tmp_path: Path) -> None:
    """Where there is no specs/, the spec stands behind WHAT."""
    code, out, _ = said("out/jhe-example/RUNBOOK.md:1", "specs/jhe-example.yaml")
    assert (code, "site shapes it" in out) == (0, True)


def test_a_large_site_is_looked_at_in_part_and_that_is_said(base: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work is bounded."""
    monkeypatch.setattr("jhecfg.explain.moves.WORK", 100)
    before = files_of(base.tree)
    found = shapers_of(base, before, Place("hubs/hub/values.yaml"))
    assert not found.complete
    assert {loc[:2] for loc in found.written} == {("hubs", 0)}  # the file's own hub comes first
    assert not moved_by(base, before, [loc for loc, _ in leaves(base.tree)])[1]


# --- a line of a spec -------------------------------------------------------------------------------------------------


def test_a_line_of_a_spec_leads_to_all_it_moves(said: Said) -> None:
    """What it may be and means, and the places in the outputs, with their lines."""
    number = line_of("specs/jhe-example.yaml", "tag: v0.0.13")
    code, out, _ = said(f"specs/jhe-example.yaml:{number}")
    image = line_of(DEPLOYMENT, "image: ghcr.io")
    assert code == 0
    assert "image.tag: an image tag such as v0.0.13, required\nJHE release to run" in out
    assert f"    {image}: spec.template.spec.containers[exchange].image\n" in out


def test_a_line_with_several_keys_can_be_asked_by_column(said: Said) -> None:
    """`- {name: …, id: …}` holds four; file:line:column is one of them."""
    text = "specs/jhe-example.yaml"
    number = line_of(text, "id: 20002")
    column = (ROOT / text).read_text().split("\n")[number - 1].index("20002") + 1
    every = json.loads(said(f"{text}:{number}", "--format", "json")[1])["sites"][0]
    one = json.loads(said(f"{text}:{number}:{column}", "--format", "json")[1])["sites"][0]
    assert [key["key"]["name"] for key in every["keys"]] == ["orgs[].name", "orgs[].id", "orgs[].type", "orgs[].parent"]
    assert [key["path"] for key in one["keys"]] == ["orgs[Example Hub Admins].id"]


def test_a_line_of_a_base_is_told_for_every_site(said: Said) -> None:
    """A base is part of the sites that extend it; who overrules it is said."""
    base = "specs/berkeley-base.yaml"
    sites = json.loads(said(f"{base}:{line_of(base, 'logLevel: DEBUG')}", "--format", "json")[1])["sites"]
    assert [site["site"] for site in sites] == ["berkeley-demo", "berkeley-staging"]
    assert all(site["moves"] for site in sites)


def test_the_layers_of_a_value_are_named_the_one_that_counts_first(said: Said) -> None:
    """A hub's name stands in the spec and in its base."""
    spec, base = "specs/berkeley-demo.yaml", "specs/berkeley-base.yaml"
    here, below = line_of(spec, "- name: hub"), line_of(base, "- name: hub")
    assert f"\n{spec}:{here} counts, over {base}:{below}\n" in said(f"{spec}:{here}")[1]


def test_a_value_that_another_layer_overrules_moves_nothing(
    work: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And that is said."""
    monkeypatch.chdir(work)
    code, out, _ = said_in(work, said, monkeypatch, "base.yaml:2", "lab.yaml")
    assert code == 0
    assert "contact has no effect here: another layer says otherwise" in out


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """Return a folder with a spec and its base, both of which say `contact`."""
    text = (ROOT / "examples" / "01-exchange.yaml").read_text()
    (tmp_path / "base.yaml").write_text("apiVersion: jhecfg/v1\ncontact: base@example.org\n")
    (tmp_path / "lab.yaml").write_text(
        text.replace("apiVersion: jhecfg/v1", "apiVersion: jhecfg/v1\nextends: base.yaml")
    )
    return tmp_path


def said_in(folder: Path, said: Said, monkeypatch: pytest.MonkeyPatch, *words: str) -> tuple[int, str, str]:
    """Call the command line in a folder."""
    monkeypatch.chdir(folder)
    return said(*words)


def test_a_renamed_file_keeps_its_places(base: Source) -> None:
    """A hub with another name has its files elsewhere: they are the same files."""
    moved, _ = moved_by(base, files_of(base.tree), [("hubs", 0, "name")])
    values = next(each for each in moved if each.path == "hubs/hub/values.yaml")
    assert values.how == "renamed"


# --- keys and codes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["hubs[].access.orgs", "hubs.access.orgs", "hubs[0].access.orgs", "hubs[research].access.orgs"]
)
def test_a_key_may_be_written_in_several_ways(name: str) -> None:
    """Whatever stands for the item of a list, it is the same key."""
    key = key_named(name)
    assert key is not None
    assert (key.name, key.meaning) == ("hubs[].access.orgs", "Members of any of these organizations (direct members).")


def test_every_key_of_the_model_is_explained() -> None:
    """Type and meaning, and no key is called like a code."""
    for name in every_name():
        key = key_named(name)
        assert key is not None, name
        assert key.value, name
        assert key.meaning, name
    assert not {*every_name()} & {*documentation(), "all"}


def test_a_key_tells_choices_default_and_fields(said: Said) -> None:
    """What it may be, what it is by default, and, of a section, what is in it."""
    assert said("ingress.controller")[1].startswith(
        "ingress.controller: one of envoy-gateway, ingress-nginx, none, by default envoy-gateway\n"
    )
    assert re.search(r"^  tag +JHE release to run", said("image")[1], re.MULTILINE)
    assert json.loads(said("image.tag", "--format", "json")[1])["key"]["required"] is True


def test_codes_are_explained_as_json_too(said: Said) -> None:
    """One code, or all of them."""
    (one,) = json.loads(said("moving-tag", "--format", "json")[1])["codes"]
    assert one["code"] == "moving-tag"
    every = json.loads(said("all", "--format", "json")[1])["codes"]
    assert {each["code"] for each in every} == set(documentation())


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        ("moving-tags", "did you mean 'moving-tag'?"),
        ("hubs.acess", "did you mean 'hubs.access'?"),
        ("jhe-exampel", "`jhecfg explain all` lists the codes"),
        ("out/jhe-exampel/RUNBOOK.md", "did you mean 'jhe-example'?"),
        ("out/jhe-example/RUNBOK.md", "did you mean 'RUNBOOK.md'?"),
        ("out/jhe-example", "name a file in it"),
        ("out/jhe-example/jhecfg.lock:3", "nothing in it has a line of its own"),
        ("out/jhe-example/RUNBOOK.md:99999", "has fewer lines"),
        ("specs/jhe-example.yaml:1", "the next is line 5"),
        ("specs/jhe-example.yaml:99999", "no key stands on line 99999"),
        ("specs/jhe-example.yaml", "say which line of it"),
        ("", "there is no code or key"),
        (":", "there is no code or key"),
        ("a[", "there is no code or key"),
    ],
)
def test_what_nothing_fits_is_answered_with_what_is_near(said: Said, what: str, hint: str) -> None:
    """Exit 2, nothing on stdout, and what may have been meant."""
    code, out, err = said(what)
    assert (code, out) == (2, "")
    assert hint in err


def test_a_spec_that_is_not_there_or_broken_has_its_own_exit_code(
    work: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 and a hint, or 1 and the diagnostics."""
    code, _, err = said("specs/jhe-exampel.yaml:3")
    assert (code, "did you mean 'specs/jhe-example.yaml'?" in err) == (5, True)
    (work / "lab.yaml").write_text("apiVersion: jhecfg/v1\nsite: lab\n")
    code, _, err = said_in(work, said, monkeypatch, "lab.yaml:2")
    assert (code, "error[missing-field]" in err) == (1, True)


def test_hostile_words_are_shown_and_never_obeyed(work: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A title with a workflow command in it stays text."""
    text = (work / "lab.yaml").read_text()
    (work / "lab.yaml").write_text(text + "exchange:\n  title: 'a ##[error]b \u202d'\n".replace("\u202d", ""))
    out = said_in(work, said, monkeypatch, f"lab.yaml:{text.count(os.linesep) + 2}")[1]
    assert "##[" not in out


# --- what lines differ ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "lines"),
    [
        ("a\nb\nc", "a\nx\nc", {2}),
        ("a\nb", "a\nb\nc", set()),
        ("a\nb\nc", "b\nc", {1}),
        ("a", "a", set()),
        ("", "a", {1}),
    ],
)
def test_changed_lines_are_those_that_are_not_there_afterwards(before: str, after: str, lines: set[int]) -> None:
    """What is only added is between lines, and none of them."""
    assert changed_lines(before, after) == lines


# --- two properties of every release ----------------------------------------------------------------------------------

REF = {"name": "own", "key": "value"}
AMOUNT = {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "2", "memory": "2Gi"}}
VPC = {
    "region": "us-east-2",
    "id": "vpc-0123456789abcdef0",
    "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "allowFrom": ["sg-0123456789abcdef0"],
}
AGE = "age1" + "q" * 58
REMOTE = {"secret": "jhe-database", "key": "password", "name": "rds!db-1", "property": "password"}
VARIANTS: tuple[Tree, ...] = (
    {},
    {
        "exchange__inviteCode": REF,
        "exchange__resources": AMOUNT,
        "ingress__gateway": {"name": "shared", "namespace": "gateways", "listener": "https"},
        "exchange__smtp__passwordFrom": REF,
        "exchange__mcp__resources": AMOUNT,
        "database__passwordFrom": REF,
        "admin": {"email": "admin@example.org"},
        "hubs__0__access": {"users": ["a@example.org"]},
        "hubs__1__access": {"anyone": True},
        "cluster__addonVersions": {"vpc-cni": "v1.20.0-eksbuild.1"},
        "cluster__nodeGroups__1__taints": [{"key": "a", "value": "b", "effect": "NoSchedule"}],
    },
    {"secrets__remote": [REMOTE], "ingress__dnsZones": ["example.org"]},
    {"cluster": None, "database__rds__vpc": VPC, "secrets": None, "hubs__0__storage": {"storageClass": "fast"}},
    {"secrets": {"backend": "sealed-secrets"}},
    {"secrets": {"backend": "sops", "recipients": [AGE, f"{AGE[:-1]}p"]}},
)
"""Changes of tests/base.yaml that together have what a spec can have."""

DEAD: dict[str, str] = {
    "apiVersion": "there is one",
    "extends": "it is gone once the layers are one tree",
    "exchange.mcp.replicas": "one pod is all that there may be",
    "secrets.recipients": "`jhecfg secrets seal` reads them; what it makes is an input of its own",
}
"""Fields that move no output, and why."""


def alive(tree: Tree, known: set[str]) -> Iterator[str]:
    """Yield the fields that move an output of a spec when they are nudged, written in it or not."""
    before = files_of(tree)
    for loc in [*(loc for loc, _ in leaves(tree)), *absent(tree)]:
        name = form(loc).removesuffix("[]")
        moves = (files != before for files, *_ in experiments(tree, loc, before))
        if name not in known and any(moves):
            yield name


def test_no_field_of_the_spec_is_dead(base: Source) -> None:
    """Every field of the model moves some output of some site; the few that do not are listed with the reason."""
    known: set[str] = set()
    for changes in VARIANTS:
        known |= set(alive(changed(base.tree, changes), known))
    scalars = [form(loc) for loc, field in every_field() if not field.names and not _has_fields(field.below(0))]
    free = ("exchange.settings", "exchange.env", "hubs[].env", "hubs[].values")
    dead = [name for name in scalars if not any(each == name or each.startswith(f"{name}.") for each in known)]
    assert {name for name in dead if name not in free} == set(DEAD)


def _has_fields(item: Any) -> bool:
    return item is not None and bool(item.names)


@pytest.mark.parametrize("name", ["jhe-example", "berkeley-demo", "berkeley-staging"])
def test_no_value_of_a_real_spec_is_dead(name: str) -> None:
    """Whatever stands in a spec does something."""
    source = load(ROOT / "specs" / f"{name}.yaml")
    before = files_of(source.tree)
    for loc, _ in leaves(source.tree):
        moves = [files != before for files, *_ in experiments(source.tree, loc, before)]
        assert any(moves) or loc == ("apiVersion",), loc


def test_no_hub_shapes_another(base: Source) -> None:
    """Nudging anything of one hub moves its own files, and what lists every hub, but nothing below another's folder."""
    third = {**base.tree["hubs"][0], "name": "third", "domain": "third.example.org"}
    tree = changed(base.tree, {"hubs": [*base.tree["hubs"], third]})
    before = files_of(tree)
    names = [hub["name"] for hub in tree["hubs"]]
    locs: list[Loc] = [loc for loc, _ in leaves(tree) if loc[0] == "hubs"]
    locs += [loc for loc in absent(tree) if loc[0] == "hubs" and len(loc) > 1]
    for loc in locs:
        others = {name for name in names if name != names[int(loc[1])]}
        for files, *_ in experiments(tree, loc, before):
            for path in before:
                folder = path.split("/")[1] if path.startswith("hubs/") else ""
                assert folder not in others or files.get(path) == before[path], f"{loc} shapes {path}"


def test_a_listed_hub_is_shaped_by_its_own_lines_alone(base: Source) -> None:
    """In a file that lists every hub, what one hub has there is never said to come from another one's keys."""
    third = {**base.tree["hubs"][0], "name": "third", "domain": "third.example.org"}
    source = base._replace(tree=changed(base.tree, {"hubs": [*base.tree["hubs"], third]}))
    before = files_of(source.tree)
    path = "manifests/60-routes/gateway.yaml"
    listeners: Any = before[path]["spec"]["listeners"]
    (number,) = (n for n, listener in enumerate(listeners) if listener["name"] == "https-third")
    hub = len(source.tree["hubs"]) - 1
    for key, own in (("port", set()), ("hostname", {("hubs", hub, "domain")})):
        shapers = shapers_of(source, before, Place(path, ("spec", "listeners", number, key)))
        assert {loc for loc in shapers.written if loc[0] == "hubs"} == own, key
