"""Hubs: one that goes, moves to another namespace or out of the cluster, and what becomes of its users' disks."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.delivery import ENGINES, paused, resumed
from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.plan.shell import PRIVATE, delete, keep_disks, kubectl
from jhecfg.render.steps import quote
from jhecfg.site import Hub


def hubs(pair: Pair) -> Iterator[Effect]:
    """Yield what becomes of each hub that is not where it was, of changed disks, and of hubs that run elsewhere."""
    news = {hub.name: hub for hub in pair.new.hubs}
    for old in pair.old.cluster_hubs:
        new = news.get(old.name)
        if new is None or new.external or new.namespace != old.namespace:
            yield _leaves(pair, old, new)
        else:
            yield from _disks(pair, old, new)
            yield from _chart(pair, old, new)
    yield from _uninstalled(pair)
    for new in pair.new.hubs:
        if new.external and pair.change(f"hubs/{new.name}/values.yaml") is not None:
            yield _elsewhere(pair, new)


def _leaves(pair: Pair, old: Hub, new: Hub | None) -> Effect:
    because = (
        pair.any_of(("hubs", old.name))
        if new is None
        else pair.any_of(("hubs", old.name, "namespace"), ("hubs", old.name, "deploy"))
    )
    return Effect(
        "hub",
        Severity.DATA,
        f"hub {old.name}",
        f"{_what(pair, old, new)}. Its pods, its routes and its own database (users, groups, tokens) go with the"
        f" release; the users' homes are disks in namespace {old.namespace}, and go with that namespace for good:"
        f" {_fate(pair, old)}. The commands make the disks outlive it",
        because,
        (kubectl(old.namespace, "get persistentvolumeclaims"), keep_disks(old.namespace)),
    )


def _what(pair: Pair, old: Hub, new: Hub | None) -> str:
    if new is None:
        twin = next((h for h in pair.new.cluster_hubs if h.domain == old.domain and h.name != old.name), None)
        return f"becomes {twin.name}, which is another release with empty homes" if twin else "is removed"
    if new.external:
        return "moves out of this cluster; homes do not move with it"
    return f"moves from namespace {old.namespace} to {new.namespace}, where homes are empty"


def _fate(pair: Pair, old: Hub) -> str:
    """Say what becomes of a namespace that is no longer in the output, from what its object told the engine."""
    if old.namespace in {pair.new.namespace, *(hub.namespace for hub in pair.new.cluster_hubs)}:
        return "it stays, since others live in it"
    engine, marks = ENGINES[pair.new.gitops.engine], _annotations(pair, old.namespace)
    if pair.new.gitops.engine == "none" or any("Prune=false" in m or m == "disabled" for m in marks):
        return f"{engine} leaves the namespace alone, until somebody deletes it"
    return f"{engine} deletes the namespace, and them with it"


def _annotations(pair: Pair, namespace: str) -> list[str]:
    trees = (artifact.manifest for artifact in pair.before.artifacts)
    spaces = [t for t in trees if t is not None and t["kind"] == "Namespace" and t["metadata"]["name"] == namespace]
    return [str(value) for tree in spaces for value in tree["metadata"].get("annotations", {}).values()]


def _uninstalled(pair: Pair) -> Iterator[Effect]:
    """Yield the commands that take a hub away where no engine does."""
    news = {hub.name: hub for hub in pair.new.cluster_hubs}
    for old in pair.old.cluster_hubs:
        new = news.get(old.name)
        if pair.new.gitops.engine == "none" and (new is None or new.namespace != old.namespace):
            yield Effect(
                "hub",
                Severity.ATTENTION,
                f"hub {old.name}",
                "runs on until its release is uninstalled; its namespace, with the homes, stays",
                pair.any_of(("hubs", old.name)),
                (f"helm uninstall {quote(old.name)} --namespace {quote(old.namespace)}",),
                "after",
            )


def _disks(pair: Pair, old: Hub, new: Hub) -> Iterator[Effect]:
    because = pair.any_of(("hubs", new.name, "storage"), ("cluster",))
    if old.capacity_gib != new.capacity_gib:
        less = new.capacity_gib < old.capacity_gib
        yield Effect(
            "hub",
            Severity.ATTENTION,
            f"hub {new.name}",
            f"homes of {new.capacity_gib} GiB are for new users; those that exist keep {old.capacity_gib} GiB"
            + ("" if less else ": a person makes them larger, disk by disk"),
            because,
            () if less else (_grow(new),),
            "after",
        )
    if old.storage_class != new.storage_class:
        yield _other_class(pair, old, new, because)
        if resumed(pair.after):
            text = "once this is merged, delivery goes on"
            yield Effect(
                "delivery", Severity.ATTENTION, f"hub {new.name}", text, because, resumed(pair.after), "during"
            )


def _other_class(pair: Pair, old: Hub, new: Hub, because: tuple[SpecChange, ...]) -> Effect:
    return Effect(
        "replace",
        Severity.DATA,
        f"hub {new.name}",
        f"a disk's StorageClass cannot change: homes that exist stay in {old.storage_class}, new users get"
        f" {new.storage_class}. The hub's own disk cannot either, and its release fails until that claim is"
        " deleted, and with it the hub's database: its users, groups and tokens; people log in again, and their servers"
        " are forgotten",
        because,
        (
            *_database_copy(new),
            *paused(pair.before, only=("root", f"hub-{new.name}")),
            kubectl(new.namespace, "scale deployment/hub --replicas=0"),
            delete("persistentvolumeclaim", "hub-db-dir", new.namespace),
        ),
    )


def _grow(hub: Hub) -> str:
    patch = f"""--type=merge --patch='{{"spec":{{"resources":{{"requests":{{"storage":"{hub.capacity_gib}Gi"}}}}}}}}'"""
    selector = "--selector=component=singleuser-storage --output=name"
    claims = f"kubectl --namespace {quote(hub.namespace)} get persistentvolumeclaims {selector}"
    return f'for claim in $({claims}); do\n  kubectl --namespace {quote(hub.namespace)} patch "$claim" {patch}\ndone'


def _chart(pair: Pair, old: Hub, new: Hub) -> Iterator[Effect]:
    before, after = _number(old.chart.version), _number(new.chart.version)
    because = pair.any_of(("hubs", new.name, "chartVersion"))
    if after < before:
        yield Effect(
            "hub",
            Severity.OUTAGE,
            f"hub {new.name}",
            f"chart {old.chart.version} → {new.chart.version} goes back, and the hub's database does not: an older"
            " JupyterHub refuses to start on the schema of a newer one, if they differ. Keep a copy of the file first",
            because,
            _database_copy(new),
        )
    elif after > before:
        yield Effect(
            "hub",
            Severity.ATTENTION,
            f"hub {new.name}",
            f"chart {old.chart.version} → {new.chart.version}: the hub upgrades its own database at its start, and an"
            " older JupyterHub may not read it afterwards: keep a copy of the file first",
            because,
            _database_copy(new),
        )


def _database_copy(hub: Hub) -> tuple[str, ...]:
    read = kubectl(hub.namespace, "exec deployment/hub -- cat /srv/jupyterhub/jupyterhub.sqlite")
    return (*PRIVATE, f'{read} > "$work"/{quote(hub.name)}.sqlite')


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("-")[0].split(".") if part.isdigit())


def _elsewhere(pair: Pair, hub: Hub) -> Effect:
    return Effect(
        "hub",
        Severity.ATTENTION,
        f"hub {hub.name}",
        f"runs elsewhere and gets none of this by itself: send hubs/{hub.name}/ to its owner, who installs it",
        pair.shaped(f"hubs/{hub.name}/values.yaml"),
        when="during",
    )
