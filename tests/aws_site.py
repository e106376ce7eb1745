"""A site on AWS for tests: one spec that every rule accepts, and a way to change it."""

from __future__ import annotations

from typing import Any

from jhecfg.resolve import resolve
from jhecfg.site import Site
from jhecfg.spec import SiteSpec
from tests.compiled import changed

CORE = {"name": "core", "purpose": "core", "instanceType": "m7i-flex.large", "scaling": {"min": 2, "max": 4}}
USER = {"name": "user", "purpose": "user", "instanceType": "r7i.xlarge", "scaling": {"min": 0, "max": 10}}
HUB = {"name": "hub", "domain": "hub.example.org", "access": {"orgs": ["Example Lab"]}}
GOOD: dict[str, Any] = {
    "apiVersion": "jhecfg/v1",
    "site": "jhe-example",
    "domain": "jhe.example.org",
    "contact": "ops@example.org",
    "image": {"tag": "v0.0.13"},
    "database": {
        "host": "database-1.abc123.us-east-2.rds.amazonaws.com",
        "caConfigMap": "rds-ca",
        "rds": {},
    },
    "orgs": [{"name": "Example Lab", "id": 20001, "type": "laboratory"}],
    "hubs": [HUB],
    "cluster": {
        "region": "us-east-2",
        "zones": ["us-east-2a", "us-east-2b"],
        "access": {"publicCidrs": ["203.0.113.0/24"]},
        "nodeGroups": [CORE, USER],
    },
    "ingress": {},
    "secrets": {},
}


def make(**changes: object) -> Site:
    """Resolve the good spec with changes by path, `__` for a dot; None drops a key: `make(cluster__version="1.30")`."""
    return resolve(SiteSpec.model_validate(changed(GOOD, changes))).site


def core(**changes: object) -> dict[str, Any]:
    """Return the core group with changes."""
    return {**CORE, **changes}


def user(**changes: object) -> dict[str, Any]:
    """Return the user group with changes."""
    return {**USER, **changes}


def groups(*nodes: dict[str, Any], **changes: object) -> Site:
    """Resolve the good spec with these node groups."""
    return make(cluster__nodeGroups=list(nodes), **changes)
