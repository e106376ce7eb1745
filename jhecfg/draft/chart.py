"""from_chart(): values of the official chart (jupyterhealth/helm-charts, jhe/values.yaml @ 2233738 and 04cd3ea)."""

from __future__ import annotations

from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.draft.environment import SECRETS, environment, host_in, kept
from jhecfg.draft.images import exchange_image
from jhecfg.draft.reading import Reading

_MARKS = frozenset({"db", "env", "migrate", "httpRoute", "workers", "openWearables", "_secret_env"})
"""Keys by which values of this chart are known; two of them are enough."""

_DATABASE = ("host", "port", "name", "user")
_REASONS: dict[Loc, str] = {
    ("service",): "the edge is the spec's `ingress`; the Service of the Exchange is inside the cluster only",
    ("ingress",): "the spec's `ingress` says it in another way",
    ("httpRoute",): "the spec's `ingress` says it in another way",
    ("migrate",): "migrating is a Job of its own, always",
    ("pdb",): "follows from the number of replicas",
    ("livenessProbe",): "probes are jhecfg's, with the right Host",
    ("readinessProbe",): "probes are jhecfg's, with the right Host",
    ("deploymentStrategy",): "follows from the release: whether old pods survive the new schema",
    ("nameOverride",): "names are jhecfg's",
    ("fullnameOverride",): "names are jhecfg's",
    ("_secret_env",): "`jhecfg secrets init` makes these once; the chart makes new ones in each render",
    ("debug",): "Django's debug pages have no place in a site",
}


def is_chart(tree: dict[str, Any]) -> bool:
    """Tell whether these are values of the chart, by themselves or below the name of a subchart."""
    return _base(tree) is not None


def _base(tree: dict[str, Any]) -> Loc | None:
    for base, values in (((), tree), (("jhe",), tree.get("jhe"))):
        if isinstance(values, dict) and "apiVersion" not in values:
            database = values.get("db")
            if len(_MARKS & values.keys()) >= 2 or (isinstance(database, dict) and "host" in database):
                return base
    return None


def from_chart(reading: Reading) -> None:
    """Carry what a spec says too; the rest has its reasons."""
    base = _base(reading.tree) or ()
    for loc, why in _REASONS.items():
        reading.explain((*base, *loc), why)
    exchange_image(reading, (*base, "image"))
    reading.secret((*base, "db", "password"), kept(SECRETS["DB_PASSWORD"]))
    for key in _DATABASE:
        reading.carry((*base, "db", key), ("database", key))
    variables = reading.get(*base, "env")
    environment(reading, {name: (*base, "env", name) for name in variables} if isinstance(variables, dict) else {})
    for key in ("replicas", "workers"):
        reading.carry((*base, key), ("exchange", key))
    reading.carry((*base, "imagePullPolicy"), ("image", "pullPolicy"))
    resources(reading, (*base, "resources"))
    _domain(reading, base)
    poll = (*base, "openWearables", "poll", "schedule")
    if reading.draft.get("exchange", "wearables") is not None:
        reading.carry(poll, ("exchange", "wearables", "schedule"))


def resources(reading: Reading, loc: Loc) -> None:
    """Carry what the Exchange's container asks for and may use; a cpu of 1 is text in a spec."""
    for group in ("requests", "limits"):
        for kind in ("cpu", "memory"):
            value = reading.get(*loc, group, kind)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            reading.carry((*loc, group, kind), ("exchange", "resources", group, kind), str(value) if number else None)


def _domain(reading: Reading, base: Loc) -> None:
    for loc in (("httpRoute", "hostnames", 0), ("ingress", "hosts", 0, "host"), ("ingress", "hosts", 0)):
        host = host_in(reading.get(*base, *loc))
        if host is not None:
            reading.carry((*base, *loc), ("domain",), host)
