"""Spec: whatever a spec says, it becomes a build or is refused in place, and no secret in it is told."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jhecfg.diagnostics import Loc, SpecError, ToolError
from jhecfg.emit import NotPlain, dump
from jhecfg.origin.fields import every_field
from jhecfg.pipeline import Build, compile_source
from jhecfg.source import load
from tests.fuzz.choices import Choices
from tests.fuzz.claims import good_diagnostics, lines_of, texts
from tests.fuzz.seeds import spec_files, whole_specs
from tests.fuzz.target import Target, claim
from tests.hostile_strings import HOSTILE

NAME = "fuzz.yaml"
NOWHERE = Path("/nonexistent-folder-of-jhecfg/specs/fuzz.yaml")
"""Specs are read from memory; what they extend, and their sealed files, are not there."""

CANARY = "canary-5f2a-hunter2"
"""A value that stands under the name of a secret, and must not be told."""

SECRETS = (
    "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "postgresql://jhe:" + CANARY + "@db.example.org/jhe",
    "-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n",
    "AKIAIOSFODNN7EXAMPLE",
)
SECRET_NAMES = ("password", "OW_API_KEY", "clientSecret", "SECRET_KEY", "token")
ODD = (
    *(None, True, False, 0, 1, -1, 2, 65536, 10**17, 1.5, 0.0, "", " ", "a", "null", "0", "-", ".", "a.b", "A", "é"),
    *([], {}, [[]], [{}], {"": None}, {"a": 1}, [None], ["a", "a"], {"name": "a"}, [{"name": "a"}, {"name": "a"}]),
    *("x" * 64, "x" * 254, "a" * 5000, "10.0.0.0/8", "203.0.113.0/33", "v0.0.1", "main", "1.30", "us-east-2"),
)


def judge(data: bytes) -> None:
    """Compile a spec."""
    files = {NAME: lines_of(data)}
    try:
        build = compile_source(load(NOWHERE, name=NAME, text=data), "builtin")
    except SpecError as error:
        good_diagnostics(error.diagnostics, files)
        _untold(data, error.diagnostics)
        return
    except ToolError:  # a symlink loop, a name too long for the system: said so
        return
    if build.diagnostics:
        outputs = {path: text.decode().split("\n") for path, text in build.files.items()}
        good_diagnostics(build.diagnostics, files | outputs)
        _untold(data, build.diagnostics)
    if not build.failed:
        good_files(build)


def _untold(data: bytes, diagnostics: Any) -> None:
    """Claim that no diagnostic tells the canary where it stands under the name of a secret alone."""
    if data.count(CANARY.encode()) == data.count(b"password: " + CANARY.encode()):
        told = [d.code for d in diagnostics for text in texts(d) if CANARY in text]
        claim(not told, f"a secret is told by {told}")


def good_files(build: Build) -> None:
    """Claim that the outputs have no secret in them, and are what was rendered."""
    for path, data in build.files.items():
        claim(CANARY.encode() not in data or not build.diagnostics, f"a secret is in {path}")
        claim(data.endswith(b"\n") and b"\r" not in data, f"{path} is no text")


# --- drawing ----------------------------------------------------------------------------------------------------------


@cache
def names() -> tuple[str, ...]:
    """Return the name of every field, and some that are none."""
    known = dict.fromkeys(str(loc[-1]) for loc, _ in every_field())
    return (*known, *SECRET_NAMES, "unknown", "Name", "name ", "x-y", "é", "0", "", "__class__", "a.b")


@cache
def values() -> tuple[Any, ...]:
    """Return values to put anywhere: those of all specs, odd ones, hostile text, choices of the model."""
    found: dict[str, Any] = {}
    for tree in whole_specs():
        for loc in places(tree):
            value = at(tree, loc)
            found[json.dumps(value)] = value
    choices = [choice for _, field in every_field() for choice in field.choices]
    return (*found.values(), *ODD, *choices, *HOSTILE, *SECRETS, CANARY)


def places(tree: Any, prefix: Loc = ()) -> Iterator[Loc]:
    """Yield every place of a tree but its root."""
    for step, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*prefix, step)
        if isinstance(value, dict | list):
            yield from places(value, (*prefix, step))


def at(tree: Any, loc: Loc) -> Any:
    """Return the value at a place."""
    for step in loc:
        tree = tree[step]
    return tree


def draw(data: bytes) -> bytes:
    """Take a good spec and change it in some places, in its meaning; write it as YAML or as JSON."""
    choices = Choices(data)
    tree: Any = copy.deepcopy(choices.one(whole_specs()))
    as_json = choices.odds(4)
    for _ in range(1 + choices.number(6)):
        change(choices, tree)
    if not as_json:
        try:
            return dump(tree).encode()
        except NotPlain:
            pass
    return json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")


def change(choices: Choices, tree: Any) -> None:
    """Change one place of a tree."""
    loc = choices.one([*places(tree)] or [("site",)])
    above, last = at(tree, loc[:-1]), loc[-1]
    kind = choices.number(8)
    if kind == 0 and last in (above if isinstance(above, dict) else range(len(above))):
        del above[last]
    elif kind == 1 and isinstance(above, dict):
        above[choices.one(names())] = above.pop(last, None)
    elif kind == 2 and isinstance(above, dict):
        above[choices.one(names())] = copy.deepcopy(choices.one(values()))
    elif kind == 3 and isinstance(above, list):
        above.insert(choices.number(len(above) + 1), copy.deepcopy(choices.one((*above, *values()))))
    elif kind == 4:
        above[last] = copy.deepcopy(at(tree, choices.one([*places(tree)])))
    elif kind == 5:
        other = choices.one(whole_specs())
        key = choices.one([*other])
        tree[key] = copy.deepcopy(other[key])
    elif kind == 6:
        above[last] = choices.text(20)
    else:
        above[last] = copy.deepcopy(choices.one(values()))


def seeds() -> Iterator[bytes]:
    """Yield every good spec as it is written, and with a secret in it."""
    for path in spec_files():
        yield path.read_bytes()
        yield path.read_bytes() + f"password: {CANARY}\n".encode()


TARGET = Target("spec", judge, seeds, ("jhecfg.parse", "jhecfg.resolve", "jhecfg.patch"), draw, longest=16384)
