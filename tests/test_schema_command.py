"""`jhecfg schema`: the JSON Schema of the spec accepts what jhecfg accepts, and refuses what an editor can see."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pydantic import BaseModel

from jhecfg.cli import run
from jhecfg.emit import dump
from jhecfg.jsonschema import spec_schema
from jhecfg.parse import parse
from jhecfg.reader import read
from jhecfg.source import load
from jhecfg.spec import SiteSpec
from jhecfg.spec.choices import CHOICES
from tests.aws_site import GOOD
from tests.tools import ROOT

SCHEMA = spec_schema()
VALIDATOR = jsonschema_rs.Draft7Validator(SCHEMA)
SPECS = sorted([*ROOT.glob("specs/*.y*ml"), *ROOT.glob("examples/**/*.y*ml")])


def problems(tree: object) -> list[str]:
    """Return where the schema finds fault, as JSON pointers with the keyword."""
    return sorted({f"{'/'.join(map(str, e.instance_path))} {e.kind.name}" for e in VALIDATOR.iter_errors(tree)})


def changed(**changes: object) -> dict[str, Any]:
    """Return a good whole spec with changes by path, `__` for a dot; None takes a key away."""
    tree = copy.deepcopy(GOOD)
    for path, value in changes.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("__")]
        target: Any = tree
        for part in parents:
            target = target[part]
        if value is None:
            del target[last]
        else:
            target[last] = value
    return tree


def nodes(schema: dict[str, Any], at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property of the schema with its place."""
    for name, each in schema.get("properties", {}).items():
        yield f"{at}.{name}", each
        yield from nodes(each, f"{at}.{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{at}[]")


def test_the_command_prints_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output is one JSON document, the schema, and nothing else is said."""
    code = run(["schema"])
    printed = capsys.readouterr()
    assert (code, printed.err) == (0, "")
    assert json.loads(printed.out) == SCHEMA


def test_it_is_a_valid_draft_07_schema() -> None:
    """The schema is one by the rules of the draft that it names, without references to go wrong."""
    assert SCHEMA["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema_rs.meta.validate(SCHEMA)
    assert "$ref" not in json.dumps(SCHEMA)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_it_accepts_every_spec_of_the_repository(path: Any) -> None:
    """Each file as it is written, and what it makes together with its bases, is valid."""
    assert problems(read(path.read_bytes(), path.name).tree) == []
    assert problems(load(path).tree) == []


def test_every_key_says_what_it_means() -> None:
    """Every property has a description, a sentence for a person: the editor's tooltip."""
    found = dict(nodes(SCHEMA))
    assert len(found) > 150
    assert [at for at, each in found.items() if not each.get("description", "").endswith(".")] == []


def test_its_keys_are_those_of_the_models() -> None:
    """The schema has every field of the models, in camelCase, and no other."""

    def fields(model: type[BaseModel], at: str) -> Iterator[str]:
        schema = model.model_json_schema(by_alias=True)
        definitions = schema.get("$defs", {})

        def walk(node: dict[str, Any], at: str) -> Iterator[str]:
            if "$ref" in node:
                yield from walk(definitions[node["$ref"].rpartition("/")[2]], at)
            for option in node.get("anyOf", ()):
                yield from walk(option, at)
            if "items" in node:
                yield from walk(node["items"], f"{at}[]")
            for name, each in node.get("properties", {}).items():
                yield f"{at}.{name}"
                yield from walk(each, f"{at}.{name}")

        yield from walk(schema, at)

    assert sorted(at for at, _ in nodes(SCHEMA)) == sorted(fields(SiteSpec, ""))


def test_there_is_no_noise_in_it() -> None:
    """No machine-made titles, no Python names, no defaults of whole sections."""
    titled = [at for at, each in nodes(SCHEMA) if "title" in each]
    sections = [at for at, each in nodes(SCHEMA) if isinstance(each.get("default"), dict)]
    snakes = [at for at, _ in nodes(SCHEMA) if "_" in at]
    assert (titled, sections, snakes) == ([], [], [])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"domian": "jhe.example.org"}, [" additionalProperties"]),
        ({"hubs__0__domian": "hub.example.org"}, ["hubs/0 additionalProperties"]),
        ({"domain": "https://jhe.example.org"}, ["domain pattern"]),
        ({"contact": None}, [" required"]),
        ({"database__host": None}, ["database required"]),
        ({"hubs__0__access": None}, ["hubs/0 required"]),
        ({"orgs__0__type": "lab"}, ["orgs/0/type enum"]),
        ({"orgs__0__id": "2XXXX"}, ["orgs/0/id type"]),
        ({"image__tag": 1.0}, ["image/tag type"]),
        ({"cluster__version": 1.36}, ["cluster/version type"]),
        ({"apiVersion": "jhecfg/v2"}, ["apiVersion const"]),
        ({"cluster__nodeGroups__0__scaling__max": 0}, ["cluster/nodeGroups/0/scaling/max minimum"]),
        ({"hubs__0__env": {"lower": "x"}}, ["hubs/0/env additionalProperties"]),
        ({"exchange": {"logLevel": "DEBUG", "env": {"OW_S3_REGION": 1}}}, ["exchange/env/OW_S3_REGION type"]),
    ],
)
def test_it_refuses_what_a_person_gets_wrong(changes: dict[str, object], expected: list[str]) -> None:
    """Typos, missing keys, wrong types, wrong forms and unknown words are errors, each at its place."""
    assert problems(GOOD) == []
    assert problems(changed(**changes)) == expected


def test_only_a_whole_file_must_have_everything() -> None:
    """A base needs no site, an overlay no domain; a named thing needs its name, a section may be taken away."""
    base = {"apiVersion": "jhecfg/v1", "hubs": [{"name": "hub", "deploy": "external"}]}
    overlay = {"extends": "base.yaml", "site": "a", "exchange": None, "hubs": [{"name": "hub", "smart": None}]}
    assert problems(base) == []
    assert problems(overlay) == []
    assert problems({**overlay, "hubs": [{"deploy": "external"}]}) == ["hubs/0 required"]
    assert problems({**overlay, "patches": [{"target": {"kind": "Service"}, "patch": {}}]}) == [
        "patches/0/target required"
    ]
    assert problems(changed(exchange=1) | {"exchange": None}) == ["exchange type"]


def test_who_may_log_in_is_said_once() -> None:
    """Exactly one of orgs, users and anyone; `null` takes away what a base says; an overlay may leave it to its base."""
    at = "hubs/0/access"
    assert problems(changed(hubs__0__access={"orgs": ["A"], "users": ["a@example.org"]})) == [f"{at}/users enum"]
    assert problems(changed(hubs__0__access={"users": ["a@example.org"], "anyone": True})) == [f"{at}/anyone enum"]
    assert problems(changed(hubs__0__access={})) == [f"{at} minProperties"]
    assert problems(changed(hubs__0__access={"orgs": None, "users": ["a@example.org"]})) == []
    overlay = {"extends": "base.yaml", "site": "a"}
    assert problems({**overlay, "hubs": [{"name": "hub", "access": {"orgs": None, "anyone": True}}]}) == []
    assert problems({**overlay, "hubs": [{"name": "hub", "access": {}}]}) == []


def test_words_that_a_key_may_be_are_explained() -> None:
    """Each of them has a sentence, in the order of the words; none is left of a word that is gone."""
    found = {at.replace("[]", "").removeprefix("."): each for at, each in nodes(SCHEMA) if "enumDescriptions" in each}
    assert found.keys() == CHOICES.keys()
    for at, each in found.items():
        assert [word for word in each["enum"] if word is not None] == list(CHOICES[at])
        assert len(each["enumDescriptions"]) == len(each["enum"])
        assert all(words.endswith(".") for words in each["enumDescriptions"])


def test_a_default_is_said_where_editors_show_it() -> None:
    """Pointed at, a key shows its meaning and then its default, as YAML has it."""
    found = dict(nodes(SCHEMA))
    assert found[".hubs[].deploy"]["markdownDescription"].endswith("\n\nDefault: `cluster`")
    assert "Default: `false`" in found[".exchange.smokeTest"]["markdownDescription"]
    assert [at for at, each in found.items() if ("default" in each) != ("markdownDescription" in each)] == []


def test_what_an_editor_offers_to_write_is_valid() -> None:
    """The snippet of a whole site is a spec that jhecfg takes, also with a hub and an organization."""
    written = {at: filled(each) for at, each in snippets(SCHEMA, "")}
    site = written[""]
    assert isinstance(parse(load(Path("lab.yaml"), text=dump(site).encode())), SiteSpec)
    more = {"orgs": written[".orgs"], "hubs": written[".hubs"], "image": written[".image"]}
    whole = {**site, **more, "database": written[".database"]}
    assert problems(whole) == []
    assert problems({**whole, "hubs": [written[".hubs[]"]], "orgs": [written[".orgs[]"]]}) == []
    assert len(written) == 7


def snippets(schema: dict[str, Any], at: str) -> Iterator[tuple[str, Any]]:
    """Yield what is offered at each place."""
    yield from ((at, each["body"]) for each in schema.get("defaultSnippets", ()))
    for name, each in schema.get("properties", {}).items():
        yield from snippets(each, f"{at}.{name}")
    if "items" in schema:
        yield from snippets(schema["items"], f"{at}[]")


def filled(body: Any) -> Any:
    """Return a snippet as somebody accepts it: `${1:word}` is the word, and behind `^` it is no text."""
    if isinstance(body, dict):
        return {key: filled(value) for key, value in body.items()}
    if isinstance(body, list):
        return [filled(value) for value in body]
    word = re.sub(r"\$\{\d+:(.*)\}", r"\1", body)
    return int(word[1:]) if word.startswith("^") else word


def test_the_models_agree_with_it() -> None:
    """What the schema accepts as whole parses; what an empty file lacks, both say."""
    parsed = parse(load(ROOT / "specs" / "jhe-example.yaml"))
    assert problems(load(ROOT / "specs" / "jhe-example.yaml").tree) == []
    assert parsed.site == "jhe-example"
    assert problems({}) == [" anyOf"]
