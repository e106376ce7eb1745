"""offers(): what a draft leaves out and a person may want: defaults to be changed, and examples that fit the draft."""

from __future__ import annotations

from typing import Any

from jhecfg.draft import Draft
from jhecfg.jsonschema import Schema, spec_schema

# Keys whose default is worth seeing.
_DEFAULTS = (
    ("environment",),
    ("namespace",),
    ("image", "repository"),
    ("exchange", "title"),
    ("exchange", "replicas"),
    ("exchange", "workers"),
    ("exchange", "logLevel"),
    ("exchange", "timeZone"),
    ("exchange", "smokeTest"),
    ("database", "port"),
    ("database", "name"),
    ("database", "user"),
    ("database", "sslMode"),
    ("ingress", "controller"),
    ("ingress", "issuer"),
    ("ingress", "maxBodySize"),
    ("ingress", "dns"),
    ("secrets", "backend"),
    ("platform",),
    ("gitops", "engine"),
)


def offers(draft: Draft) -> dict[str, Any]:
    """Return a tree of what the draft could say beyond what it says; each part of it would be right in this draft."""
    offered: dict[str, Any] = {}
    schema = spec_schema()
    for loc in _DEFAULTS:
        here = offered
        for step in loc[:-1]:
            here = here.setdefault(step, {})
        here[loc[-1]] = _default(schema, loc)
    offered["exchange"] |= _exchange(draft)
    offered["admin"] = {"email": draft.get("contact") or "ops@example.org"}
    offered["database"] |= _database(draft)
    offered |= _hubs(draft)
    if draft.get("gitops", "engine") in ("argocd", "flux"):
        offered["gitops"] |= {name: _default(schema, ("gitops", name)) for name in ("revision", "path")}
    offered["cluster"] = _cluster(draft, schema)
    return offered


def _default(schema: Schema, loc: tuple[str, ...]) -> Any:
    for step in loc:
        schema = schema["properties"][step]
    return schema["default"]


def _exchange(draft: Draft) -> dict[str, Any]:
    domain = draft.get("domain") or "jhe.example.org"
    return {
        "smtp": {"host": "smtp.example.org", "user": "jhe@example.org"},
        "mcp": {"domain": f"mcp.{domain}"},
    }


def _database(draft: Draft) -> dict[str, Any]:
    if draft.get("database", "rds") is None:
        return {}
    rds = spec_schema()["properties"]["database"]["properties"]["rds"]
    names = ("instanceClass", "engineVersion", "storageGiB", "maxStorageGiB", "multiAz", "backupDays")
    return {"rds": {name: rds["properties"][name]["default"] for name in names}}


def _hubs(draft: Draft) -> dict[str, Any]:
    if draft.get("hubs") is None:
        domain = f"hub.{draft.get('domain') or 'example.org'}"
        org = {"name": "Hub users", "id": 20001, "type": "other"}
        hub = {"name": "hub", "domain": domain, "deploy": "external", "access": {"orgs": ["Hub users"]}}
        return {"orgs": [org], "hubs": [hub]}
    org = draft.get("orgs", 0, "name")
    more: dict[str, Any] = {
        "image": {"repository": "quay.io/jupyterhealth/singleuser-premvp", "tag": "2026-01-31"},
        "resources": {"memory": {"guarantee": "1G", "limit": "2G"}, "cpu": {"guarantee": 0.1, "limit": 2.0}},
        "storage": {"capacityGiB": 10},
        "env": {"TEAM": "research"},
    }
    return {"hubs": [{**more, **({"admins": {"orgs": [org]}} if org else {})}]}


def _cluster(draft: Draft, schema: Schema) -> dict[str, Any]:
    if draft.get("cluster") is None:
        return {"region": "us-east-2", "access": {"publicCidrs": ["203.0.113.0/24"]}}
    names = ("version", "mode", "vpcCidr", "nat")
    return {
        **{name: _default(schema, ("cluster", name)) for name in names},
        "access": {"publicCidrs": ["203.0.113.0/24"]},
    }
