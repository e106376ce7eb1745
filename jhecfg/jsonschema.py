"""spec_schema(): the JSON Schema of the spec, for editors: tooltips, defaults, enumerations, and errors in words.

Draft-07, which yaml-language-server (VS Code, Neovim, Helix and others) reads best. Nothing is behind a `$ref`: beside
one, draft-07 ignores descriptions and defaults.

A file is *whole* when it has a `site` and extends nothing: then everything required must be there. A base, and a spec
that extends one, may each leave out what the other has, and may write `null` to take away what is below.

`markdownDescription`, `enumDescriptions`, `patternErrorMessage`, `errorMessage` and `defaultSnippets` are keywords of
editors (VS Code's JSON service and yaml-language-server); a validator ignores them.
"""

from __future__ import annotations

import json
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.emit import scalar
from jhecfg.layers import NAMED
from jhecfg.releases import RELEASES
from jhecfg.spec import PATTERNS, SiteSpec
from jhecfg.spec.choices import CHOICES

Schema = dict[str, Any]

_WHOLE: Schema = {"required": ["site"], "not": {"required": ["extends"]}}
NEWEST = [each.version for each in RELEASES if each.version.startswith("v")][-1]
_HUB = {"name": "${1:hub}", "domain": "${2:hub.example.org}", "access": {"orgs": ["${3:Example Lab}"]}}
_ORG = {"name": "${1:Example Lab}", "id": "^${2:20001}", "type": "${3:laboratory}"}
_SNIPPETS: dict[Loc, tuple[str, Any]] = {
    (): (
        "a new site",
        {
            "apiVersion": "jhecfg/v1",
            "site": "${1:jhe}",
            "domain": "${2:jhe.example.org}",
            "contact": "${3:ops@example.org}",
            "image": {"tag": f"${{4:{NEWEST}}}"},
            "database": {"host": "${5:database.example.org}"},
        },
    ),
    ("image",): ("a release", {"tag": f"${{1:{NEWEST}}}"}),
    ("database",): ("a server", {"host": "${1:database.example.org}"}),
    ("orgs",): ("an organization", [_ORG]),
    ("orgs", 0): ("an organization", _ORG),
    ("hubs",): ("a hub", [_HUB]),
    ("hubs", 0): ("a hub", _HUB),
}
"""What an editor offers to write where a section begins: what must be there, and not what has a default."""
_ONE_OF: dict[Loc, tuple[str, ...]] = {("hubs", 0, "access"): ("orgs", "users", "anyone")}
"""Keys that exclude each other."""
_SAYS_WHAT_IT_IS: Schema = {"anyOf": [{"required": ["apiVersion"]}, {"required": ["extends"]}]}


def spec_schema() -> Schema:
    """Return the schema, in the spec's words and keys; what pydantic adds for itself is not in it."""
    raw = SiteSpec.model_json_schema(by_alias=True)
    site = _plain(raw, raw["$defs"])
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **_layer(site, ()),
        "if": _WHOLE,
        "then": _whole(site, ()),
        "else": _SAYS_WHAT_IT_IS,
    }


def spec_schema_text() -> str:
    """Return the schema as JSON text."""
    return json.dumps(spec_schema(), indent=2, ensure_ascii=False) + "\n"


# --- from pydantic's schema to a plain one: no references, no unions; `nullable` says "or nothing" --------------------


def _plain(node: Schema, definitions: dict[str, Schema]) -> Schema:
    inner = node["anyOf"][0] if "anyOf" in node else node
    definition = definitions[inner["$ref"].rpartition("/")[2]] if "$ref" in inner else {}
    plain = {**definition, **inner, **node}
    for key in ("$ref", "$defs", "anyOf", "title", "default", "minItems"):
        plain.pop(key, None)
    return plain | _words(node) | _bounds(inner) | _children(plain, definitions) | _nullable(node)


def _words(node: Schema) -> Schema:
    """Say the default, where there is one to say, and what a pattern asks for."""
    inner = node["anyOf"][0] if "anyOf" in node else node
    words: Schema = {}
    if inner.get("pattern") in PATTERNS:
        words["patternErrorMessage"] = f"expected {PATTERNS[inner['pattern']]}"  # a keyword of editors
    if not isinstance(node.get("default"), dict) and node.get("default") not in (None, []):
        words["default"] = node["default"]
        if "description" in node:  # an editor shows a default nowhere else
            words["markdownDescription"] = f"{node['description']}\n\nDefault: `{_said(node['default'])}`"
    return words


def _said(default: Any) -> str:
    if isinstance(default, list):
        return ", ".join(map(scalar, default))
    return scalar(default)


def _bounds(node: Schema) -> Schema:
    """Keep the bounds that say something, and the one that pydantic's schema forgets: no other keys."""
    bounds: Schema = {"minItems": node["minItems"]} if node.get("minItems") else {}
    return bounds | ({"additionalProperties": False} if "patternProperties" in node else {})


def _children(node: Schema, definitions: dict[str, Schema]) -> Schema:
    children: Schema = {}
    for group in ("properties", "patternProperties"):
        if group in node:
            children[group] = {name: _plain(each, definitions) for name, each in node[group].items()}
    if "items" in node:
        children["items"] = _plain(node["items"], definitions)
    return children


def _nullable(node: Schema) -> Schema:
    return {"nullable": True} if "anyOf" in node else {}


# --- what any file may hold -------------------------------------------------------------------------------------------


def _layer(node: Schema, loc: Loc) -> Schema:
    """Return what a node may be in a file that is laid over another: nothing is required but the names of things."""
    layer = _bare(node) | _offered(loc)
    for name, each in node.get("properties", {}).items():
        field = _layer(each, (*loc, name))
        field = _or_null(field) if _may_go(node, name) else field
        layer["properties"][name] = field | _meanings(field, (*loc, name))
    if loc in NAMED:
        layer["items"] = {**_layer(node["items"], (*loc, 0)), "required": ["name"]}
    if loc in _ONE_OF:
        layer["allOf"] = _excluding(_ONE_OF[loc])
    return layer


def _offered(loc: Loc) -> Schema:
    """Return what an editor offers to write at a place."""
    if loc not in _SNIPPETS:
        return {}
    label, body = _SNIPPETS[loc]
    return {"defaultSnippets": [{"label": label, "body": body}]}


def _meanings(field: Schema, loc: Loc) -> Schema:
    """Return what the words mean that a field may be, in their order."""
    words = CHOICES.get(".".join(part for part in loc if isinstance(part, str)))
    if words is None:
        return {}
    return {"enumDescriptions": [words[each] if each else "Takes away what the base says." for each in field["enum"]]}


def _excluding(names: tuple[str, ...]) -> list[Schema]:
    """Return that of these keys one alone may say something, which `null` does not; the later ones are marked."""
    wrong = {"enum": [None], "errorMessage": f"exactly one of {', '.join(names)}"}
    return [
        {
            "if": {"required": [name], "properties": {name: {"not": {"type": "null"}}}},
            "then": {"properties": dict.fromkeys(names[at + 1 :], wrong)},
        }
        for at, name in enumerate(names[:-1])
    ]


def _may_go(node: Schema, name: str) -> bool:
    """Say whether `null` may take a field away. What has a default need not go: the default can be written."""
    field = node["properties"][name]
    whole = field.get("type") in ("object", "array") and name not in node.get("required", ())
    return whole or bool(field.get("nullable"))


def _bare(node: Schema) -> Schema:
    """Return a node as it is written in the schema. What is in a list stays exact: layers replace lists whole."""
    bare = {key: value for key, value in node.items() if key not in ("required", "nullable")}
    if "properties" in node:
        bare["properties"] = {}
    if "patternProperties" in node:
        bare["patternProperties"] = {key: _exact(each) for key, each in node["patternProperties"].items()}
    if "items" in node:
        bare["items"] = _exact(node["items"])
    return bare


def _exact(node: Schema) -> Schema:
    """Return a node that nothing is laid over: all that is required must be there."""
    exact = _bare(node) | ({"required": node["required"]} if "required" in node else {})
    for name, each in node.get("properties", {}).items():
        exact["properties"][name] = _or_null(_exact(each)) if each.get("nullable") else _exact(each)
    return exact


def _or_null(node: Schema) -> Schema:
    """Let a node be `null` too: it takes away what the base says."""
    if "const" in node:
        node = {**{key: value for key, value in node.items() if key != "const"}, "enum": [node["const"]]}
    if "enum" in node:
        node = {**node, "enum": [*node["enum"], None]}
    return {**node, "type": [node["type"], "null"]} if "type" in node else node


# --- what a whole file must hold --------------------------------------------------------------------------------------


def _whole(node: Schema, loc: Loc) -> Schema:
    """Return what _layer left open: required keys, and sections that may not be `null` when no base lies below."""
    whole: Schema = {"required": node["required"]} if "required" in node else {}
    fields: dict[str, Schema] = {}
    for name, each in node.get("properties", {}).items():
        field = _whole(each, (*loc, name))
        if _may_go(node, name) and not each.get("nullable"):
            field["type"] = each["type"]
        if field:
            fields[name] = field
    if loc in NAMED:
        whole["items"] = _whole(node["items"], (*loc, 0))
    if loc in _ONE_OF:
        whole["minProperties"] = 1
    return whole | ({"properties": fields} if fields else {})
