"""Restarts: which pods are replaced, how, and who notices. Read off the pod templates and the hubs' values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.artifact import Tree
from jhecfg.parse import value_at
from jhecfg.pipeline import Build
from jhecfg.plan.model import Effect, Leaf, ObjectChange, Pair, Severity
from jhecfg.plan.templates import TEMPLATE, below_container, tags
from jhecfg.plan.values import arrow, dotted
from jhecfg.render.objects import DIGEST_ANNOTATION
from jhecfg.render.steps import words
from jhecfg.site import Hub

START = 16
"""Seconds from the start of a pod of the Exchange to its first answer, on a quarter of a core (measured)."""
CONFIG = "manifests/20-config/configmap-exchange.yaml"
CA = "manifests/20-config/configmap-database-ca.yaml"


def restarts(pair: Pair) -> Iterator[Effect]:
    """Yield what happens to every Deployment that differs, and to the pods of every hub whose values differ."""
    for change in pair.objects:
        if change.kind == "Deployment" and change.verb == "changed":
            yield from _deployment(pair, change)
    olds = {hub.name: hub for hub in pair.old.cluster_hubs}
    for hub in pair.new.cluster_hubs:
        if hub.name in olds and olds[hub.name].namespace == hub.namespace:
            yield from _hub(pair, olds[hub.name], hub)


def tree_of(build: Build, path: str) -> Tree:
    """Return an output of a build as data; an empty one where there is none."""
    found = next((a.tree for a in build.artifacts if a.path == path), None)
    return found if isinstance(found, dict) else {}


# --- Deployments ------------------------------------------------------------------------------------------------------


def _deployment(pair: Pair, change: ObjectChange) -> Iterator[Effect]:
    tree = tree_of(pair.after, change.path)
    inside = [leaf for leaf in change.leaves if leaf.pointer[:2] == TEMPLATE]
    replicas = next((leaf for leaf in change.leaves if leaf.pointer == ("spec", "replicas")), None)
    remade = any(leaf.pointer[:2] == ("spec", "selector") for leaf in change.leaves)  # immutable.py says what to do
    if inside and not remade:
        yield _restart(pair, change, tree, inside)
    if replicas is not None:
        yield _scaled(pair, change, replicas)


def _restart(pair: Pair, change: ObjectChange, tree: Tree, inside: list[Leaf]) -> Effect:
    pods = int(tree["spec"]["replicas"])
    counted = "the pod is replaced, the" if pods == 1 else f"{pods} pods are replaced one at a time, each"
    gap = gap_of(tree)
    how = gap or f"{counted} new one before the old, which has {_drain(tree)} to finish"
    why = words(dict.fromkeys(_causes(pair, inside)))
    aside = "; sessions of AI clients live in the old pod and begin anew" if change.name == "mcp" else ""
    return Effect(
        "outage" if gap else "restart",
        Severity.OUTAGE if gap else Severity.DISRUPTIVE if aside else Severity.SAFE,
        f"deployment/{change.name}",
        f"{how}{aside}. Why: {why}",
        pair.shaped(change.path, *TEMPLATE),
    )


def gap_of(tree: Tree) -> str:
    """Say why nobody serves while a Deployment is replaced; "" where somebody always does."""
    strategy = value_at(tree, ("spec", "strategy")) or {}
    if strategy.get("type") == "Recreate":
        return f"the old pods end before the new ones start: nothing serves for {_minutes(tree)}"
    unavailable = value_at(strategy, ("rollingUpdate", "maxUnavailable"))
    return "every pod may end before a new one is ready" if unavailable == tree["spec"]["replicas"] else ""


def _minutes(tree: Tree) -> str:
    """Say how long a replacement takes: until the old pod is gone, and the new one has started."""
    minutes = max(1, round((_grace(tree) + START) / 60))
    return f"about {minutes} minutes" if minutes > 1 else "about a minute"


def _drain(tree: Tree) -> str:
    """Say how requests in flight fare, from the pod's own grace period."""
    return f"{_grace(tree)} seconds"


def _grace(tree: Tree) -> int:
    """Return the seconds that a pod has to end; 30 is Kubernetes' own."""
    return int(value_at(tree, (*TEMPLATE, "spec", "terminationGracePeriodSeconds")) or 30)


def _causes(pair: Pair, leaves: list[Leaf]) -> Iterator[str]:
    """Yield what about a pod template differs, in words."""
    for leaf in leaves:
        if leaf.pointer[-1] == DIGEST_ANNOTATION:
            yield from _config_causes(pair)
        elif leaf.pointer[-1] == "image":
            yield f"image {arrow(*tags(leaf))}"
        else:
            yield dotted(below_container(leaf.pointer))


def _config_causes(pair: Pair) -> Iterator[str]:
    config = pair.change(CONFIG)
    names = [str(leaf.pointer[-1]) for leaf in config.leaves if leaf.pointer[0] == "data"] if config else []
    if names:
        yield f"environment ({', '.join(names)})"
    if pair.change(CA) is not None:
        yield "the database's CA certificates"


def _scaled(pair: Pair, change: ObjectChange, leaf: Leaf) -> Effect:
    alone = leaf.becomes == 1
    return Effect(
        "restart",
        Severity.ATTENTION if alone else Severity.SAFE,
        f"deployment/{change.name}",
        f"runs {leaf.becomes} pods instead of {leaf.was}"
        if not alone
        else f"runs one pod instead of {leaf.was}: while its node drains or fails nobody is served",
        pair.shaped(change.path, *leaf.pointer),
    )


# --- hubs -------------------------------------------------------------------------------------------------------------


def _hub(pair: Pair, old: Hub, hub: Hub) -> Iterator[Effect]:
    """Yield what another chart or other values do to a hub's pods.

    Zero to JupyterHub 4.4.0: the hub's Deployment carries a checksum of all values and of the chart's version, the
    proxy's only its own; both are of the type Recreate (templates/{hub,proxy}/deployment.yaml, values.yaml).
    """
    path = f"hubs/{hub.name}/values.yaml"
    change = pair.change(path)
    leaves = change.leaves if change is not None else ()
    chart = old.chart.version != hub.chart.version
    if not leaves and not chart:
        return
    because = pair.shaped(path) if leaves else pair.any_of(("hubs", hub.name, "chartVersion"))
    version = f"chart {old.chart.version} → {hub.chart.version}"
    tops = {leaf.pointer[0] for leaf in leaves}
    why = words([*([version] if chart else []), *_last_words(leaves)])
    yield Effect(
        "restart",
        Severity.DISRUPTIVE,
        f"hub {hub.name}",
        "the hub's pod is stopped before the new one starts: until then nobody can log in or start a server;"
        f" servers that run stay reachable. Why: {why}",
        because,
    )
    if chart or "proxy" in tops:
        yield Effect(
            "outage",
            Severity.OUTAGE,
            f"hub {hub.name}",
            "the proxy's pod is replaced too: every open notebook loses its connection until the new one runs and knows"
            " its routes; the servers behind it run on",
            because,
        )
    yield from _servers(pair, hub, path)


def _last_words(leaves: Sequence[Leaf], most: int = 4) -> list[str]:
    """Return the last words of some places, and how many more there are."""
    named = list(dict.fromkeys(dotted(leaf.pointer[-2:]) for leaf in leaves))
    return [*named[:most], *([f"{len(named) - most} more"] if len(named) > most else [])]


def _servers(pair: Pair, hub: Hub, path: str) -> Iterator[Effect]:
    change = pair.change(path)
    leaves = [leaf for leaf in change.leaves if leaf.pointer[0] == "singleuser"] if change is not None else []
    if leaves:
        named = "; ".join(
            f"{dotted(leaf.pointer[1:])} {arrow(leaf.was, leaf.becomes, leaf.pointer)}" for leaf in leaves
        )
        yield Effect(
            "hub",
            Severity.SAFE,
            f"hub {hub.name}",
            f"servers that start from now on get it, those that run keep what they have: {named}",
            pair.shaped(path, "singleuser"),
        )
