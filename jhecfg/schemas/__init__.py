"""Schemas: closed JSON Schemas of every kind that jhecfg emits, offline, for both judges.

Three sources, one result. `core.json` is derived from Kubernetes' own OpenAPI (tools/derive_schemas.py) and says for
each definition since which version it holds; `custom/*.json` are our own closed schemas of custom resources, one file
per apiVersion; `common.json` holds names, labels and metadata for all of them. A definition's name occurs in one file
only. `schema_for` puts one kind together as a self-contained document; `write_folder` writes them all under the file
names that kubeconform asks for.

Dialect: JSON Schema 2020-12, of which both jsonschema-rs and kubeconform understand the keywords used here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REF = "#/$defs/"
_HERE = Path(__file__).parent  # importlib.resources would cost 10 ms more at start


@cache
def _read(name: str) -> Schema:
    """Parse one of our data files; done once in a process, and never changed by anyone."""
    data: Schema = json.loads((_HERE / name).read_bytes())
    return data


def kubernetes_versions() -> tuple[str, ...]:
    """Return the Kubernetes minor versions with schemas, oldest first, for example `("1.31", …, "1.37")`."""
    return tuple(_read("core.json")["versions"])


@cache
def _customs() -> Mapping[str, str]:
    """Map each custom apiVersion to its file: `apps.example/v1` is `custom/apps.example-v1.json`."""
    names = sorted(path.name for path in (_HERE / "custom").glob("*.json"))
    return {name.removesuffix(".json").replace("-v", "/v", 1): f"custom/{name}" for name in names}


def kinds() -> tuple[tuple[str, str], ...]:
    """Return every (apiVersion, kind) that has a schema, sorted."""
    core = ((api, kind) for api, entries in _read("core.json")["kinds"].items() for kind in entries)
    custom = ((api, kind) for api, name in _customs().items() for kind in _read(name)["kinds"])
    return tuple(sorted((*core, *custom)))


def schema_for(kubernetes: str, api_version: str, kind: str) -> Schema | None:
    """Return the self-contained schema of one kind in one Kubernetes version ("1.36"), or None for an unknown kind.

    Raises ValueError for a Kubernetes version without schemas. The result is shared: do not change it.
    """
    _known(kubernetes)
    found = _entry(kubernetes, api_version, kind)
    if found is None:
        return None
    entry, own = found
    root = _root(api_version, kind, entry)
    definitions: Schema = {}
    _gather(definitions, root, own, kubernetes)
    return {"$schema": DIALECT, **root, "$defs": definitions}


def schemas_for(kubernetes: str, wanted: Iterable[tuple[str, str]]) -> tuple[dict[tuple[str, str], Schema], Schema]:
    """Return the schemas of several kinds, those that exist, and the definitions that they share, each once."""
    _known(kubernetes)
    roots: dict[tuple[str, str], Schema] = {}
    definitions: Schema = {}
    for api_version, kind in wanted:
        found = _entry(kubernetes, api_version, kind)
        if found is not None:
            entry, own = found
            roots[api_version, kind] = _root(api_version, kind, entry)
            _gather(definitions, roots[api_version, kind], own, kubernetes)
    return roots, definitions


def file_name(api_version: str, kind: str) -> str:
    """Return the name under which kubeconform looks for a kind: `deployment-apps-v1.json`, `service-v1.json`."""
    group, _, version = api_version.rpartition("/")
    first = group.partition(".")[0]
    return "-".join(part for part in (kind.lower(), first, version) if part) + ".json"


def write_folder(folder: Path, kubernetes: str) -> int:
    """Write the schema of every kind into a folder for `kubeconform -schema-location`; return how many."""
    _known(kubernetes)
    for api_version, kind in kinds():
        text = json.dumps(schema_for(kubernetes, api_version, kind), separators=(",", ":"))
        (folder / file_name(api_version, kind)).write_text(text, encoding="utf-8", newline="\n")
    return len(kinds())


def _known(kubernetes: str) -> None:
    if kubernetes not in kubernetes_versions():
        raise ValueError(f"no schemas for Kubernetes {kubernetes}; there are: {', '.join(kubernetes_versions())}")


def _entry(kubernetes: str, api_version: str, kind: str) -> tuple[Schema, Schema] | None:
    """Return a kind's entry (scope, name form, properties) and the definitions of its own file."""
    core = _read("core.json")["kinds"].get(api_version, {}).get(kind)
    if core is not None:
        body = _in_force(core["since"], kubernetes)
        return None if body is None else ({**core, **body}, {})
    name = _customs().get(api_version)
    data = _read(name) if name else {"kinds": {}}
    entry = data["kinds"].get(kind)
    return None if entry is None else (entry, data.get("$defs", {}))


def _root(api_version: str, kind: str, entry: Schema) -> Schema:
    """Close an object: apiVersion and kind as constants, strict metadata, the kind's own properties, nothing else."""
    properties = {
        "apiVersion": {"const": api_version},
        "kind": {"const": kind},
        **_metadata(entry),
        **entry["properties"],
    }
    required = dict.fromkeys(("apiVersion", "kind", *_metadata(entry), *entry.get("required", ())))
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def _metadata(entry: Schema) -> Schema:
    """Make ObjectMeta strict: a cluster-scoped object has no namespace, and a name has its kind's form.

    A kind of scope "None" is a tool's own file that only looks like an object; it has no metadata.
    """
    if entry["scope"] == "None":
        return {}
    shared = _read("common.json")["$defs"][entry["scope"] + "Meta"]
    return {"metadata": {**shared, "properties": {"name": {"$ref": _REF + entry["name"]}, **shared["properties"]}}}


def _in_force(since: Mapping[str, Schema | None], kubernetes: str) -> Schema | None:
    """Pick what holds in a version: the newest entry that is not newer than it."""
    versions = kubernetes_versions()
    past = versions[: versions.index(kubernetes) + 1]
    return next((since[version] for version in reversed(past) if version in since), None)


def _gather(gathered: Schema, root: Schema, own: Schema, kubernetes: str) -> None:
    """Gather every definition that a schema reaches, looked up in its own file, then common, then core."""
    pool = _read("core.json")["$defs"]
    common = _read("common.json")["$defs"]
    todo = list(_references(root))
    while todo:
        name = todo.pop()
        if name in gathered:
            continue
        found = own.get(name) or common.get(name) or _in_force(pool[name], kubernetes)
        gathered[name] = found
        todo.extend(_references(found))


def _references(node: object) -> Iterator[str]:
    """Find the names of the definitions that a schema refers to directly."""
    if isinstance(node, dict):
        ref = node.get("$ref")
        if isinstance(ref, str):
            yield ref[len(_REF) :]
        for value in node.values():
            if isinstance(value, (dict, list)):
                yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
