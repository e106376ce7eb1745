"""The peers: tools that render the same job from inputs of their own kind, where they are installed.

Each is asked for one site first, and what it wrote is compared with the job's documents, as data: a tool that does
something else is not measured. `make bench-peers` installs them (`requirements/`), as an opt-in.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cases
import inputs
import yaml
from job import OBJECTS, expected, values
from measure import Row, best, documents

ROOT = Path(__file__).parent.parent
BENCH = ROOT / ".tools" / "bench"
INSTALL = "make bench-peers"


class Peer(NamedTuple):
    """A tool: its name, its program, how its inputs are written, how it is called, and what comes out.

    `names` are the documents that it can make; `note` says how it works.
    """

    name: str
    program: str
    prepare: Callable[[Path, int], None]
    command: Callable[[str], list[str]]
    names: tuple[str, ...]
    note: str


def find(program: str) -> str | None:
    """Return the path of a program: of `make bench-peers`, of the development environment, or on PATH."""
    places = (BENCH / "bin" / program, BENCH / "kapitan" / "bin" / program, ROOT / ".venv" / "bin" / program)
    return next((str(place) for place in places if place.exists()), None) or shutil.which(program)


# --- how each is asked ------------------------------------------------------------------------------------------------


def _helm(folder: Path, count: int) -> None:
    inputs.fleet(folder, count)
    inputs.chart(folder)


def _each(command: str) -> list[str]:
    """Return a shell that runs a command for each site, as CI would: the tool knows one at a time."""
    return ["sh", "-c", f'for site in sites/*; do name=$(basename "$site" .yaml); {command} || exit 1; done']


def _overlays(folder: Path, count: int) -> None:
    inputs.fleet(folder, count)
    inputs.overlays(folder, count)
    (folder / "out").mkdir()


_WRITE = """
import json, os
def write(site, name, tree):
    os.makedirs(f"out/{site}", exist_ok=True)
    with open(f"out/{site}/{name}", "w") as file:
        json.dump(tree, file, indent=1)
"""
_JSONNET = f"""{_WRITE}
import _gojsonnet
for site, trees in json.loads(_gojsonnet.evaluate_file("fleet.jsonnet")).items():
    for name, tree in trees.items():
        write(site, name, tree)
"""
_CDK8S = """
import json
import cdk8s
trees = json.load(open("fleet.json"))
app = cdk8s.App(outdir="out", yaml_output_type=cdk8s.YamlOutputType.FILE_PER_RESOURCE)
for site, documents in trees.items():
    chart = cdk8s.Chart(app, site, disable_resource_name_hashes=True)
    for name, tree in documents.items():
        metadata = cdk8s.ApiObjectMetadata(
            name=tree["metadata"]["name"],
            namespace=tree["metadata"].get("namespace"),
            labels=tree["metadata"].get("labels"),
        )
        thing = cdk8s.ApiObject(chart, name, api_version=tree["apiVersion"], kind=tree["kind"], metadata=metadata)
        for key in tree.keys() - {"apiVersion", "kind", "metadata"}:
            thing.add_json_patch(cdk8s.JsonPatch.add("/" + key, tree[key]))
app.synth()
"""


def _cdk8s(folder: Path, count: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    trees = {values(n)["name"]: {name: expected(n)[name] for name in OBJECTS} for n in inputs.numbers(count)}
    (folder / "fleet.json").write_text(json.dumps(trees))


_ALL = tuple(expected(1))
PEERS = (
    Peer(
        "helm",
        "helm",
        _helm,
        lambda helm: _each(f'"{helm}" template site chart -f "$site" --output-dir "out/$name"'),
        _ALL,
        "a process a site",
    ),
    Peer(
        "kustomize",
        "kubectl",
        _overlays,
        lambda kubectl: _each(f'"{kubectl}" kustomize "overlays/$name" > "out/$name.yaml"'),
        OBJECTS,
        "a process a site, objects alone",
    ),
    Peer(
        "go-jsonnet",
        "python",
        inputs.jsonnet_fleet,
        lambda python: [python, "-c", _JSONNET],
        _ALL,
        "one evaluation, JSON out",
    ),
    Peer(
        "kapitan, jsonnet",
        "kapitan",
        lambda folder, count: inputs.kapitan(folder, count, "jsonnet"),
        lambda kapitan: [kapitan, "compile"],
        _ALL,
        "its default",
    ),
    Peer(
        "kapitan, kadet",
        "kapitan",
        lambda folder, count: inputs.kapitan(folder, count, "kadet"),
        lambda kapitan: [kapitan, "compile"],
        _ALL,
        "Python components",
    ),
    Peer(
        "cdk8s, Python",
        "python",
        _cdk8s,
        lambda python: [python, "-c", _CDK8S],
        OBJECTS,
        "objects alone, their trees precomputed",
    ),
)
_MODULES = {"go-jsonnet": ("kapitan", "_gojsonnet"), "cdk8s, Python": ("cdk8s", "cdk8s")}
"""Of a peer that is a library: its environment in .tools/bench, and its module."""


# --- the same job? ----------------------------------------------------------------------------------------------------


def made(folder: Path) -> list[Any]:
    """Return every document that a tool wrote for the first site."""
    name = values(1)["name"]
    places = [folder / "out" / name, folder / "compiled" / name, folder / "out" / f"{name}.yaml", folder / "out"]
    place = next(place for place in places if place.exists())
    paths = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file())
    return [tree for path in paths for tree in yaml.safe_load_all(path.read_text()) if tree is not None]


def differences(peer: Peer, folder: Path) -> list[str]:
    """Return which documents are not those of the job, whatever their files are called."""
    there = made(folder)
    wanted = {name: expected(1)[name] for name in peer.names}
    missing = [name for name, tree in wanted.items() if tree not in there]
    return missing + ([f"{len(there) - len(wanted)} more than the job has"] if len(there) > len(wanted) else [])


# --- measured ---------------------------------------------------------------------------------------------------------


def program_of(peer: Peer) -> str | None:
    """Return a peer's program, where it is installed."""
    if peer.name not in _MODULES:
        return find(peer.program)
    environment, module = _MODULES[peer.name]
    found = list((BENCH / environment / "lib").glob(f"python*/site-packages/{module}*"))
    python = BENCH / environment / "bin" / "python"
    return str(python) if found and python.exists() else None


def beside(jhecfg: str, work: Path, sites: int, repeat: int) -> Iterator[Row | str]:
    """Yield jhecfg's own rows, then those of the peers."""
    for count in (1, sites):
        folder = work / f"jhecfg-{count}"
        cases.fleet(folder, count)
        cost = best([jhecfg, "build", "-q"], folder, repeat if count == 1 else 1, fresh=folder / "out")
        total = documents(folder / "out")
        yield Row(f"**jhecfg**, {_sites(count)}", cost, total, f"validated; its own job: {total:,} files")
    yield from measured(work, (sites,), repeat)


def _sites(count: int) -> str:
    return "1 site" if count == 1 else f"{count:,} sites"


def measured(work: Path, counts: Sequence[int], repeat: int) -> Iterator[Row | str]:
    """Yield a row for each peer and number of sites, or a line that says why there is none."""
    for peer in PEERS:
        program = program_of(peer)
        if program is None:
            yield f"{peer.name} is not installed: `{INSTALL}`"
            continue
        for count in (1, *counts):
            folder = work / f"{peer.program}-{peer.name.replace(', ', '-')}-{count}"
            peer.prepare(folder, count)
            out = folder / ("compiled" if peer.program == "kapitan" else "out")
            cost = best(peer.command(program), folder, repeat if count == 1 else 1)
            wrong = differences(peer, folder) if cost.code == 0 else [f"exit code {cost.code}"]
            if wrong:
                yield f"{peer.name} does not do the job: {', '.join(wrong[:5])}"
                break
            written = count * len(peer.names)
            yield Row(f"{peer.name}, {_sites(count)}", cost, written, f"{peer.note}; {documents(out):,} files")
