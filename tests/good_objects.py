"""Good objects of every kind, and small ways to spoil them: shared by the tests of both judges."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from jhecfg.artifact import Artifact

FILE = Path(__file__).parent / "data" / "good_objects.yaml"
KUBERNETES = "1.36"

Tree = dict[str, Any]


@cache
def _objects() -> tuple[Tree, ...]:
    return tuple(yaml.safe_load_all(FILE.read_text(encoding="utf-8")))


def good_objects() -> tuple[Tree, ...]:
    """Return fresh copies of one good object of every kind."""
    return copy.deepcopy(_objects())


def good(kind: str, api_version: str = "") -> Tree:
    """Return a fresh copy of the good object of one kind."""
    return next(o for o in good_objects() if o["kind"] == kind and o["apiVersion"].startswith(api_version))


def label(tree: Tree) -> str:
    """Name an object in a test id."""
    return f"{tree['apiVersion']} {tree['kind']}"


def artifact(tree: Tree) -> Artifact:
    """Wrap an object as an artifact with a path of its own."""
    return Artifact(f"manifests/{str(tree['kind']).lower()}.yaml", tree)


def places(node: object, here: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every map, list and scalar of a tree, the tree itself first."""
    yield here
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield from places(value, (*here, key))


def at(tree: Any, path: tuple[str | int, ...]) -> Any:
    """Return what is at a path."""
    for key in path:
        tree = tree[key]
    return tree


def mutants(tree: Tree) -> Iterator[tuple[str, Tree]]:
    """Yield (what was done, spoiled copy): each key misspelt, left out, and each value made another type, in turn."""
    for path in places(tree):
        if not path or not isinstance(path[-1], str):
            continue
        where = ".".join(map(str, path))
        for done, spoil in (("misspelt", _misspell), ("left out", _leave_out), ("another type", _other_type)):
            spoiled = copy.deepcopy(tree)
            spoil(at(spoiled, path[:-1]), path[-1])
            yield f"{where} {done}", spoiled


def _misspell(node: Tree, key: str) -> None:
    node[key + "x"] = node.pop(key)


def _leave_out(node: Tree, key: str) -> None:
    del node[key]


def _other_type(node: Tree, key: str) -> None:
    node[key] = 7 if isinstance(node[key], (str, bool, list, dict)) else [str(node[key])]
