"""Secrets: which values must be there before the change, which are no longer read, and who brings them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import NamedTuple

from jhecfg.diagnostics import Loc
from jhecfg.plan.delivery import paused
from jhecfg.plan.model import Effect, Pair, Severity, SpecChange, once
from jhecfg.plan.shell import delete, kubectl
from jhecfg.render.steps import quote, words
from jhecfg.render.units import platform_units
from jhecfg.site import ExternalSecrets, SecretItem, SecretNeed, Site

MANY = 2
"""So many Secrets are described one by one."""
OWNERS = {"external-secrets": "ExternalSecret", "sealed-secrets": "SealedSecret"}
"""The backends whose objects own the Secrets that they make: Kubernetes deletes both together."""
CONTROLLERS = {"external-secrets": "external-secrets", "sealed-secrets": "sealed-secrets-controller"}
"""The Deployments of their controllers."""
_Place = tuple[str, str]


class _Missing(NamedTuple):
    """A Secret that needs values which it did not need before. `there` says whether the Secret itself was needed."""

    need: SecretNeed
    items: tuple[SecretItem, ...]
    there: bool


def secrets(pair: Pair) -> Iterator[Effect]:
    """Yield what must be made, what is left over, and what another backend means."""
    wanted, unread = list(_missing(pair.old, pair.new)), list(_unread(pair.old, pair.new))
    if len(wanted) > MANY:
        yield _all_wanted(pair, wanted)
    else:
        yield from (_wanted(pair, missing) for missing in wanted)
    if unread:
        yield _left(pair, unread)
    yield from _registry(pair)
    if pair.old.secrets_backend != pair.new.secrets_backend:
        yield _backend(pair)
    elif pair.old.external_secrets != pair.new.external_secrets:
        yield _source(pair)


def _registry(pair: Pair) -> Iterator[Effect]:
    new = [name for name in pair.new.image.pull_secrets if name not in pair.old.image.pull_secrets]
    if new:
        where = pair.new.namespace
        text = f"{words(new)} must be in {where} before pods start, or the image is not pulled: a docker configuration"
        commands = tuple(kubectl(where, "get secret", quote(name)) for name in new)
        yield Effect("secret", Severity.ATTENTION, "registry", text, pair.any_of(("image", "pullSecrets")), commands)


def _by_place(site: Site) -> dict[_Place, SecretNeed]:
    return {(need.namespace, need.name): need for need in site.secrets}


def _missing(old: Site, new: Site) -> Iterator[_Missing]:
    before = _by_place(old)
    for place, need in _by_place(new).items():
        there = before.get(place)
        known = {item.key for item in there.items} if there is not None else set()
        items = tuple(item for item in need.items if item.key not in known)
        if items:
            yield _Missing(need, items, there is not None)


def _unread(old: Site, new: Site) -> Iterator[SecretNeed]:
    after = _by_place(new)
    return (need for place, need in _by_place(old).items() if place not in after and need.owned)


WRITTEN: dict[str, tuple[Loc, ...]] = {
    "jhe-bootstrap": (("admin",), ("exchange", "inviteCode")),
    "jhe-database": (("database", "passwordFrom"),),
    "jhe-mcp": (("exchange", "mcp"),),
    "jhe-smtp": (("exchange", "smtp"),),
    "jhe-wearables": (("exchange", "wearables"),),
}
"""Where in the spec the site's own Secrets come from."""
BROUGHT: tuple[Loc, ...] = (("exchange", "inviteCode"), ("exchange", "smtp"), ("database", "passwordFrom"))


def _reasons(pair: Pair, need: SecretNeed) -> tuple[SpecChange, ...]:
    """Return the changes behind a Secret: those of the hub in its namespace, or else those of the Exchange."""
    hubs = [hub.name for site in (pair.old, pair.new) for hub in site.cluster_hubs if hub.namespace == need.namespace]
    if need.namespace not in (pair.old.namespace, pair.new.namespace) and hubs:
        return pair.any_of(*(("hubs", name) for name in hubs))
    return pair.any_of(*WRITTEN.get(need.name, BROUGHT), ("namespace",))


def _wanted(pair: Pair, missing: _Missing) -> Effect:
    need = missing.need
    keys = words(f"{item.key} ({item.purpose})" for item in missing.items)
    return Effect(
        "secret",
        Severity.ATTENTION,
        f"Secret {need.namespace}/{need.name}",
        f"needs {'more: ' if missing.there else ''}{keys}; without it pods and Jobs wait. {_how(pair, need)}",
        _reasons(pair, need),
        _checked(need) if not need.owned else _made(pair),
    )


def _all_wanted(pair: Pair, wanted: list[_Missing]) -> Effect:
    names = words(
        f"{need.namespace}/{need.name} ({', '.join(item.key for item in items)})" for need, items, _ in wanted
    )
    text = f"must be there first: {names}; without them pods and Jobs wait. {_how(pair, wanted[0].need, 'them')}"
    because = once(why for missing in wanted for why in _reasons(pair, missing.need))
    return Effect("secret", Severity.ATTENTION, f"{len(wanted)} Secrets", text, because, _made(pair))


def _how(pair: Pair, need: SecretNeed, it: str = "it") -> str:
    if not need.owned:
        return "Its owner makes it"
    if pair.new.external_secrets is not None:
        return (
            f"The commands make {it} and put {it} into AWS Secrets Manager, below {pair.new.external_secrets.prefix}/"
        )
    if pair.new.secrets_backend in ("sealed-secrets", "sops"):
        return f"The commands make {it} and encrypt {it}, to be committed with this"
    return f"The commands make {it} and put {it} into the cluster"


def _made(pair: Pair) -> tuple[str, ...]:
    """Return the commands that make what is missing, and bring it to where the backend keeps it."""
    name = pair.after.source.name
    if name.startswith("../"):  # run from another folder than the one with specs/ and out/
        name = os.path.abspath(name)
    spec = quote(name if name.startswith("/") else f"../../{name}")
    put = "seal" if pair.new.secrets_backend in ("sealed-secrets", "sops") else "apply"
    return (f"jhecfg secrets init {spec}", f"jhecfg secrets {put} {spec}")


def _checked(need: SecretNeed) -> tuple[str, ...]:
    return (kubectl(need.namespace, "get secret", quote(need.name), _names_of_keys()),)


def _names_of_keys() -> str:
    """Return the option that prints the keys of a Secret, and no value."""
    return """--output=go-template='{{range $key, $value := .data}}{{$key}}{{"\\n"}}{{end}}'"""


def _left(pair: Pair, unread: list[SecretNeed]) -> Effect:
    names = words(f"{need.namespace}/{need.name}" for need in unread)
    owner = OWNERS.get(pair.old.secrets_backend)
    goes = f"Kubernetes deletes each with its {owner}" if owner else "Flux deletes each" if _pruned(pair) else ""
    return Effect(
        "secret",
        Severity.ATTENTION if goes else Severity.SAFE,
        "Secrets" if len(unread) > 1 else "Secret",
        f"no longer read: {names}; {goes or 'deleted by hand, if at all'}",
        once(why for need in unread for why in _reasons(pair, need)),
        () if goes else tuple(delete("secret", need.name, need.namespace) for need in unread),
        "after",
    )


def _backend(pair: Pair) -> Effect:
    old, new = pair.old.secrets_backend, pair.new.secrets_backend
    kept = [need for place, need in _by_place(pair.old).items() if place in _by_place(pair.new) and need.owned]
    because = pair.any_of(("secrets",))
    if old in OWNERS:
        return Effect(
            "secret",
            Severity.OUTAGE,
            "secrets",
            f"{old} → {new}: each {OWNERS[old]} owns its Secret, and Kubernetes deletes both together; pods that start"
            " afterwards wait for them. Stop its controller, take the ownership away, then deliver",
            because,
            (*_stopped(pair), *(_orphaned(need) for need in kept)),
        )
    source = pair.new.external_secrets
    where = f"AWS Secrets Manager, below {source.prefix}/" if source is not None else "their new place"
    brings = f"bring the values that the cluster has into {where}, before the change: whatever is there replaces them"
    pruned = _pruned(pair)
    return Effect(
        "secret",
        Severity.OUTAGE if pruned else Severity.DISRUPTIVE,
        "secrets",
        f"{old} → {new}: {brings}. Another value would log everybody out, or keep the Exchange from its database"
        + (". Flux deletes each Secret whose file goes, unless it is told to keep it" if pruned else ""),
        because,
        (
            *(_unpruned(need) for need in kept if pruned),
            *(_taken_over(need) for need in kept if new == "sealed-secrets"),
        ),
    )


def _pruned(pair: Pair) -> bool:
    """Whether a Secret goes when its file does: Flux applies what sops encrypted, and prunes."""
    return pair.old.secrets_backend == "sops" and pair.old.gitops.engine == "flux"


def _unpruned(need: SecretNeed) -> str:
    """Return what keeps a Secret when its file goes; Flux takes back what other field managers of kubectl write."""
    keep = "kustomize.toolkit.fluxcd.io/prune=disabled"
    return kubectl(need.namespace, "annotate secret", quote(need.name), keep, "--field-manager=flux-client-side-apply")


def _taken_over(need: SecretNeed) -> str:
    """Return what lets the controller of Sealed Secrets replace a Secret that it did not make (its README)."""
    return kubectl(need.namespace, "annotate secret", quote(need.name), "sealedsecrets.bitnami.com/managed=true")


def _stopped(pair: Pair) -> tuple[str, ...]:
    """Return what stops the controller of the old backend, where it is this site's."""
    backend = pair.old.secrets_backend
    unit = next((unit for unit in platform_units(pair.old) if unit.release == backend), None)
    if unit is None:
        return ()
    stop = kubectl(unit.namespace, f"scale deployment/{CONTROLLERS[backend]} --replicas=0")
    return (*paused(pair.before, only=("root", unit.release)), stop)


def _orphaned(need: SecretNeed) -> str:
    patch = """--type=json --patch='[{"op":"remove","path":"/metadata/ownerReferences"}]'"""
    return kubectl(need.namespace, "patch secret", quote(need.name), patch)


def _source(pair: Pair) -> Effect:
    old, new = pair.old.external_secrets, pair.new.external_secrets
    assert old is not None  # the backend is the same on both sides
    assert new is not None
    return Effect(
        "secret",
        Severity.DISRUPTIVE,
        "secrets",
        f"are read from {_read_from(new)} instead of {_read_from(old)}: every value must be"
        " there first, the same as now; where one is missing, its Secret keeps what it has and no phase goes on",
        pair.any_of(("secrets",), ("site",), ("cluster", "region")),
    )


def _read_from(source: ExternalSecrets) -> str:
    through = f" through ClusterSecretStore {source.store}" if source.store is not None else ""
    return f"{source.region} {source.prefix}/{through}"
