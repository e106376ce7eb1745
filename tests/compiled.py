"""Sites for tests: specs/jhe-example.yaml and variants of it, compiled; their outputs as plain data."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from jhecfg.diagnostics import Diagnostic, SpecError
from jhecfg.emit import dump
from jhecfg.pipeline import compile_source
from jhecfg.source import load
from tests.tools import ROOT

Tree = dict[str, Any]
PATH = ROOT / "specs" / "jhe-example.yaml"
EXAMPLE: Tree = load(PATH).tree
REAL_SITES = ("jhe-example", "berkeley-demo", "berkeley-staging")

USERS = {"name": "users", "purpose": "user", "instanceType": "r7i.xlarge", "scaling": {"min": 0, "max": 4}}
# Changes of the example, to be combined: a hub in the cluster, each engine, the other edge, the MCP server.
IN_CLUSTER: Tree = {"hubs__0__deploy": "cluster", "cluster__nodeGroups": [*EXAMPLE["cluster"]["nodeGroups"], USERS]}
REPO = "https://git.example.org/sites.git"
ARGOCD: Tree = {"gitops": {"engine": "argocd", "repo": REPO}}
FLUX: Tree = {"gitops": {"engine": "flux", "repo": REPO}}
NGINX: Tree = {"ingress": {"controller": "ingress-nginx"}, "cluster__version": "1.35"}
MCP: Tree = {"exchange__mcp": {"domain": "mcp.jhe.example.org"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Compiled:
    """A compiled site: its files by path, and what was said about its spec."""

    files: dict[str, str]
    diagnostics: tuple[Diagnostic, ...]

    def tree(self, path: str) -> Any:
        """Return a YAML output as data."""
        return yaml.load(self.files[path], yaml.CSafeLoader)

    @property
    def yaml_paths(self) -> list[str]:
        """Return the paths of all YAML outputs."""
        return [path for path in self.files if path.endswith((".yaml", ".yml"))]

    def objects(self, kind: str = "", under: str = "manifests/") -> list[Tree]:
        """Return the Kubernetes objects of a kind (of all, without one) below a folder."""
        trees = [self.tree(path) for path in self.yaml_paths if path.startswith(under)]
        return [tree for tree in trees if "kind" in tree and kind in ("", tree["kind"])]

    def one(self, kind: str, name: str = "") -> Tree:
        """Return the only object of a kind, or the one whose name starts as given."""
        found = [tree for tree in self.objects(kind) if tree["metadata"]["name"].startswith(name)]
        assert len(found) == 1, [tree["metadata"]["name"] for tree in found]
        return found[0]

    def pods(self) -> dict[str, Tree]:
        """Return the pod spec of every Deployment, Job and CronJob, by the object's name."""
        pods = {
            o["metadata"]["name"]: o["spec"]["template"]["spec"] for k in ("Deployment", "Job") for o in self.objects(k)
        }
        jobs = {
            o["metadata"]["name"]: o["spec"]["jobTemplate"]["spec"]["template"]["spec"] for o in self.objects("CronJob")
        }
        return {**pods, **jobs}

    def containers(self) -> Iterator[tuple[str, Tree]]:
        """Yield every container, with the name of what it belongs to."""
        for name, pod in self.pods().items():
            for container in (*pod.get("initContainers", ()), *pod["containers"]):
                yield name, container

    def bootstrap(self) -> Tree:
        """Return the data of the bootstrap Job."""
        document: Tree = json.loads(self.one("ConfigMap", "bootstrap")["data"]["bootstrap.json"])
        return document

    @property
    def app(self) -> Tree:
        """Return the container of the Exchange."""
        container: Tree = self.one("Deployment", "exchange")["spec"]["template"]["spec"]["containers"][0]
        return container

    @property
    def config(self) -> dict[str, str]:
        """Return the data of the Exchange's ConfigMap."""
        data: dict[str, str] = self.one("ConfigMap", "exchange")["data"]
        return data

    @property
    def hub(self) -> Tree:
        """Return the chart values of the hub named `hub`."""
        values: Tree = self.tree("hubs/hub/values.yaml")
        return values

    def codes(self, severity: str = "error") -> set[str]:
        """Return the codes of what was said about the spec."""
        return {diagnostic.code for diagnostic in self.diagnostics if diagnostic.severity.value == severity}


def compiled(changes: Tree | None = None, site: str = "jhe-example") -> Compiled:
    """Compile a site of specs/ with changes by path, `__` for a dot: `compiled({"image__tag": "v0.0.12"})`.

    Without changes it is the file itself. What is refused has no files, and the diagnostics say why.
    """
    return _compiled(json.dumps(changes or {}), site)


@cache
def _compiled(changes: str, site: str) -> Compiled:
    path = PATH.with_name(f"{site}.yaml")
    asked = json.loads(changes)
    text = path.read_bytes() if not asked else dump(changed(load(path).tree, asked)).encode()
    try:
        build = compile_source(load(path, name=path.name, text=text), "builtin")
    except SpecError as error:
        return Compiled(files={}, diagnostics=error.diagnostics)
    files = {name: data.decode() for name, data in build.files.items()}
    return Compiled(files={} if build.failed else files, diagnostics=build.diagnostics)


def changed(tree: Tree, changes: Tree) -> Tree:
    """Return a copy of a spec with changes by path; None takes a key away."""
    tree = copy.deepcopy(tree)
    for path, value in changes.items():
        *parents, last = [int(part) if part.isdigit() else part for part in path.split("__")]
        target: Any = tree
        for part in parents:
            target = target[part] if isinstance(part, int) else target.setdefault(part, {})
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    return tree


def refused(code: str, **changes: Any) -> Diagnostic:
    """Compile the example with changes, and return the error of that code; it has a place in the file."""
    result = compiled(changes)
    found = [d for d in result.diagnostics if d.code == code and d.severity.value == "error"]
    assert found, f"no error {code} among {sorted(d.code for d in result.diagnostics)}"
    assert result.files == {}
    assert found[0].span is not None
    assert found[0].span.line > 0
    return found[0]


def leaves(tree: object) -> Iterator[str]:
    """Yield every text in a plain tree."""
    if isinstance(tree, dict):
        for value in tree.values():
            yield from leaves(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from leaves(value)
    elif isinstance(tree, str):
        yield tree


def keys(tree: object) -> Iterator[str]:
    """Yield every key in a plain tree."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from keys(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from keys(value)


def source_file(name: str) -> str:
    """Return a constant that outputs carry, from render/files/."""
    return (Path(ROOT) / "jhecfg" / "render" / "files" / name).read_text()
