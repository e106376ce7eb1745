"""from_object(): Kubernetes objects of an Exchange, written by hand or printed by `kubectl get -o yaml`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.draft.chart import resources
from jhecfg.draft.environment import SECRETS, environment, host_in, is_of_exchange, kept
from jhecfg.draft.images import exchange_image
from jhecfg.draft.reading import Reading

MOST_OBJECTS = 200
"""Objects of one list; those beyond are not looked at, and noted."""

_OWN = "jhecfg writes its own"
_NOT_OURS = "is not the Exchange's"


def is_object(tree: dict[str, Any]) -> bool:
    """Tell whether this is an object, or a list of them, and no spec."""
    return isinstance(tree.get("kind"), str) and isinstance(tree.get("apiVersion"), str)


def from_object(reading: Reading) -> None:
    """Carry what a spec says too, of an object or of each in a list; the rest has its reasons."""
    items = reading.get("items")
    if reading.get("kind") == "List" and isinstance(items, list):
        reading.settle(("apiVersion",), ("kind",), ("metadata",))
        for index in range(min(len(items), MOST_OBJECTS)):
            _object(reading, ("items", index))
    else:
        _object(reading, ())


def _object(reading: Reading, base: Loc) -> None:
    kind = reading.get(*base, "kind")
    known = _KINDS.get(kind) if isinstance(kind, str) else None
    reading.explain(base, _OWN if known else f"{_OWN} where a site needs one")
    if known:
        known(reading, base)
    for key in ("apiVersion", "kind", "metadata", "status"):  # what it is called, what the API server adds
        reading.settle((*base, key))


def _namespace(reading: Reading, base: Loc) -> None:
    reading.carry((*base, "metadata", "name"), ("namespace",))


def _config_map(reading: Reading, base: Loc) -> None:
    data = reading.get(*base, "data")
    if not isinstance(data, dict) or not is_of_exchange(data):
        reading.explain(base, _NOT_OURS)
    else:
        environment(reading, {name: (*base, "data", name) for name in data})


def _secret(reading: Reading, base: Loc) -> None:
    for group in ("data", "stringData"):
        data = reading.get(*base, group)
        for name in data if isinstance(data, dict) else ():
            if name in SECRETS:
                reading.secret((*base, group, name), kept(SECRETS[name]))
            else:
                reading.secret((*base, group, name))


def _deployment(reading: Reading, base: Loc) -> None:
    """Carry the Exchange's container; of several it is the one whose image says so."""
    pod = (*base, "spec", "template", "spec")
    containers = reading.get(*pod, "containers")
    found = [
        index
        for index in range(len(containers) if isinstance(containers, list) else 0)
        if "exchange" in str(reading.get(*pod, "containers", index, "image")).rpartition("/")[2]
        and "-mcp" not in str(reading.get(*pod, "containers", index, "image"))
    ]
    if not found:
        reading.explain(base, _NOT_OURS)
        return
    container = (*pod, "containers", found[0])
    reading.settle((*base, "spec", "selector"), (*base, "spec", "template", "metadata"), (*container, "name"))
    reading.carry((*base, "spec", "replicas"), ("exchange", "replicas"))
    exchange_image(reading, (*container, "image"))
    resources(reading, (*container, "resources"))
    _container_environment(reading, container)


def _container_environment(reading: Reading, container: Loc) -> None:
    listed = reading.get(*container, "env")
    variables: dict[str, Loc] = {}
    for index, variable in enumerate(listed if isinstance(listed, list) else ()):
        if isinstance(variable, dict) and isinstance(variable.get("name"), str) and "value" in variable:
            variables[variable["name"]] = (*container, "env", index, "value")
            reading.settle((*container, "env", index, "name"))
    environment(reading, variables)
    reading.explain((*container, "envFrom"), "give its ConfigMap to --from, too")


def _ingress(reading: Reading, base: Loc) -> None:
    _host(reading, (*base, "spec", "rules", 0, "host"))
    tls = (*base, "spec", "tls", 0, "hosts", 0)
    if host_in(reading.get(*tls)) == reading.draft.get("domain"):
        reading.settle(tls)
    reading.explain(base, "the spec's `ingress` says it in another way")


def _route(reading: Reading, base: Loc) -> None:
    _host(reading, (*base, "spec", "hostnames", 0))
    reading.explain(base, "the spec's `ingress` says it in another way")


def _host(reading: Reading, loc: Loc) -> None:
    value = reading.get(*loc)
    reading.carry(loc, ("domain",), host_in(value) or value)


def _issuer(reading: Reading, base: Loc) -> None:
    reading.carry((*base, "spec", "acme", "email"), ("contact",))
    reading.explain(base, "jhecfg writes its own; `ingress.issuer` names one that exists")


def _cluster(reading: Reading, base: Loc) -> None:
    reading.settle((*base, "metadata"))
    reading.explain(base, "a cluster that exists stays as it is; `cluster` in a spec describes a new one (docs/aws.md)")


_KINDS: dict[str, Callable[[Reading, Loc], None]] = {
    "Namespace": _namespace,
    "ConfigMap": _config_map,
    "Secret": _secret,
    "Deployment": _deployment,
    "Ingress": _ingress,
    "HTTPRoute": _route,
    "ClusterIssuer": _issuer,
    "Issuer": _issuer,
    "ClusterConfig": _cluster,
}
