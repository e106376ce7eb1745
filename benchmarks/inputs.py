"""The inputs of each peer, generated from the one description: the same documents, in the way of each tool."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from job import DOCUMENTS, OBJECTS, TOKEN, values

Loc = tuple[str | int, ...]


def dumped(tree: Any) -> str:
    """Write YAML."""
    return str(yaml.safe_dump(tree, sort_keys=False, width=1000))


def numbers(count: int) -> range:
    """Return the numbers of so many sites."""
    return range(1, count + 1)


def fleet(folder: Path, count: int) -> None:
    """Write what is said of each site, as a values file."""
    (folder / "sites").mkdir(parents=True)
    for number in numbers(count):
        said = values(number)
        (folder / "sites" / f"{said['name']}.yaml").write_text(dumped(said))


# --- helm -------------------------------------------------------------------------------------------------------------


def chart(folder: Path) -> None:
    """Write a chart with a template for each document: its text, with the chart's values in it."""
    (folder / "chart" / "templates").mkdir(parents=True)
    (folder / "chart" / "Chart.yaml").write_text("apiVersion: v2\nname: site\nversion: 0.1.0\n")
    for name, tree in DOCUMENTS.items():
        text = TOKEN.sub(r"{{ .Values.\1 }}", dumped(tree))
        text = re.sub(r"'([^'\n]*\{\{[^'\n]*)'", r'"\1"', text)  # what a value is put into is in double quotes
        (folder / "chart" / "templates" / name).write_text(text)


# --- kustomize --------------------------------------------------------------------------------------------------------


def overlays(folder: Path, count: int) -> None:
    """Write a base, and for each site an overlay that replaces what differs."""
    base = folder / "base"
    base.mkdir(parents=True)
    for name in OBJECTS:
        (base / name).write_text(dumped(DOCUMENTS[name]))
    (base / "kustomization.yaml").write_text(dumped({"resources": list(OBJECTS)}))
    for number in numbers(count):
        said = values(number)
        overlay = folder / "overlays" / said["name"]
        overlay.mkdir(parents=True)
        patches = [_patch(DOCUMENTS[name], said) for name in OBJECTS]
        (overlay / "kustomization.yaml").write_text(dumped({"resources": ["../../base"], "patches": patches}))


def _patch(tree: Any, said: dict[str, str]) -> Any:
    changes = [
        {"op": "replace", "path": _pointer(loc), "value": TOKEN.sub(lambda match: said[match[1]], text)}
        for loc, text in _tokens(tree)
    ]
    return {"target": {"kind": tree["kind"], "name": tree["metadata"]["name"]}, "patch": json.dumps(changes)}


def _pointer(loc: Loc) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in loc)


def _tokens(tree: Any, loc: Loc = ()) -> list[tuple[Loc, str]]:
    """Return every text of a tree that differs between sites, and where it is."""
    if isinstance(tree, str):
        return [(loc, tree)] if TOKEN.search(tree) else []
    entries = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [found for key, value in entries for found in _tokens(value, (*loc, key))]


# --- jsonnet ----------------------------------------------------------------------------------------------------------


def jsonnet(tree: Any, site: str = "site") -> str:
    """Write a tree as jsonnet, what differs being taken from a variable."""
    if isinstance(tree, str):
        pieces = TOKEN.split(tree)  # text, name, text, name, text
        parts = [f"{site}.{each}" if at % 2 else json.dumps(each) for at, each in enumerate(pieces) if each]
        return " + ".join(parts) or '""'
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {jsonnet(value, site)}" for key, value in tree.items()) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(jsonnet(each, site) for each in tree) + "]"
    return json.dumps(tree)


def jsonnet_fleet(folder: Path, count: int) -> None:
    """Write the function of a site, and a file that calls it for each site."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "site.libsonnet").write_text(f"function(site) {jsonnet(DOCUMENTS)}\n")
    calls = ",\n".join(f"{json.dumps(values(n)['name'])}: make({json.dumps(values(n))})" for n in numbers(count))
    (folder / "fleet.jsonnet").write_text(f"local make = import 'site.libsonnet';\n{{{calls}}}\n")


# --- kapitan ----------------------------------------------------------------------------------------------------------

_KADET = """\
import json
from pathlib import Path
from kapitan.inputs.kadet import BaseObj, inventory

TREES = json.loads(Path(__file__).with_name("documents.json").read_text())


def filled(tree, said):
    if isinstance(tree, str):
        for key, value in said.items():
            tree = tree.replace(f"@{key}@", value)
        return tree
    if isinstance(tree, dict):
        return {key: filled(value, said) for key, value in tree.items()}
    return [filled(value, said) for value in tree] if isinstance(tree, list) else tree


def main():
    said = dict(inventory().parameters.site)
    output = BaseObj()
    for name, tree in TREES.items():
        output.root[name.removesuffix(".yaml")] = filled(tree, said)
    return output
"""


def kapitan(folder: Path, count: int, kind: str) -> None:
    """Write an inventory with a target for each site; `kind` is jsonnet or kadet."""
    (folder / "inventory" / "targets").mkdir(parents=True)
    (folder / "inventory" / "classes").mkdir()
    (folder / "components").mkdir()
    if kind == "kadet":
        (folder / "components" / "site").mkdir()
        (folder / "components" / "site" / "__init__.py").write_text(_KADET)
        (folder / "components" / "site" / "documents.json").write_text(json.dumps(DOCUMENTS))
        path = "components/site"
    else:
        trees = {name.removesuffix(".yaml"): tree for name, tree in DOCUMENTS.items()}
        head = "local kap = import 'lib/kapitan.libjsonnet';\nlocal site = kap.inventory().parameters.site;\n"
        (folder / "components" / "site.jsonnet").write_text(f"{head}{jsonnet(trees)}\n")
        path = "components/site.jsonnet"
    compiled = [{"output_path": ".", "input_type": kind, "input_paths": [path], "output_type": "yaml"}]
    (folder / "inventory" / "classes" / "common.yml").write_text(
        dumped({"parameters": {"kapitan": {"compile": compiled}}})
    )
    for number in numbers(count):
        said = values(number)
        target = {"classes": ["common"], "parameters": {"kapitan": {"vars": {"target": said["name"]}}, "site": said}}
        (folder / "inventory" / "targets" / f"{said['name']}.yml").write_text(dumped(target))
