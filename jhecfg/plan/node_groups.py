"""Node groups: what is made, drained, scaled, and what eksctl would ignore in a group that exists.

A group changes in place only in its sizes and its update policy; all else takes a new `generation`, which is another
group (EKS API, UpdateNodegroupConfig; eksctl 0.230, pkg/ctl/cmdutils, NewUpdateNodegroupLoader).
"""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.addons import FILE, kept
from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.plan.shell import named
from jhecfg.plan.values import arrow
from jhecfg.render.steps import command, quote, words
from jhecfg.site import Cluster, NodeGroup

_IN_PLACE = ("loc", "min", "desired", "max")


def node_groups(pair: Pair) -> Iterator[Effect]:
    """Yield what becomes of each group, new ones first: what runs on an old one needs somewhere to go."""
    old, new = kept(pair)
    if old is None or new is None:
        return
    was, becomes = _groups(old), _groups(new)
    for name in becomes.keys() - was.keys() and [n for n in becomes if n not in was]:
        yield _made(pair, becomes[name], was)
    for name, group in becomes.items():
        if name in was and group._replace(loc=()) != was[name]._replace(loc=()):
            yield from _changed(pair, new, was[name], group)
    for name in (n for n in was if n not in becomes):
        yield _gone(pair, new, was[name], becomes)


def _groups(cluster: Cluster) -> dict[str, NodeGroup]:
    return {} if cluster.auto_mode else {group.full_name: group for group in cluster.node_groups}


def _because(pair: Pair, group: NodeGroup) -> tuple[SpecChange, ...]:
    return pair.written("cluster", "nodeGroups", group.name) or pair.any_of(("cluster", "nodeGroups"), ("cluster",))


def _made(pair: Pair, group: NodeGroup, was: dict[str, NodeGroup]) -> Effect:
    replaces = next((old for old in was.values() if old.name == group.name), None)
    text = f"is made: {group.min} to {group.max} nodes of {words(group.instance_types)}"
    if replaces is not None:
        text += f", in the place of {replaces.full_name}"
    lines = (f"eksctl create nodegroup {FILE} --include={quote(group.full_name)}",)
    return Effect("cluster", Severity.ATTENTION, _subject(group), text, _because(pair, group), lines)


def _subject(group: NodeGroup) -> str:
    return f"node group {group.full_name}"


def _gone(pair: Pair, cluster: Cluster, group: NodeGroup, becomes: dict[str, NodeGroup]) -> Effect:
    who = _who_moves(group)
    left = [other for other in becomes.values() if other.purpose == group.purpose]
    nowhere = "" if left or cluster.auto_mode else f". No {group.purpose} group is left: those pods find no node"
    return Effect(
        "replace",
        Severity.OUTAGE if nowhere else Severity.DISRUPTIVE,
        _subject(group),
        f"would stay: eksctl deletes nothing that the file no longer lists. The command drains it: {who}{nowhere}",
        _because(pair, group),
        (command("eksctl delete nodegroup", *named(cluster), f"--name={quote(group.full_name)}", "--wait"),),
        "after",
    )


def _who_moves(group: NodeGroup) -> str:
    if group.purpose == "user":
        return "the servers that users have on it end, their files stay"
    return "the Exchange and the hubs move, and each hub is away for about a minute"


def _changed(pair: Pair, cluster: Cluster, was: NodeGroup, becomes: NodeGroup) -> Iterator[Effect]:
    ignored = [f for f in NodeGroup._fields if f not in _IN_PLACE and getattr(was, f) != getattr(becomes, f)]
    if ignored:
        yield Effect(
            "cluster",
            Severity.ATTENTION,
            _subject(becomes),
            f"eksctl ignores {words(_KEYS.get(field, field) for field in ignored)} of a group that exists, without a"
            " word. Give it the next letter as its `generation`: that is another group, and this one is drained",
            _because(pair, becomes),
        )
    if (was.min, was.max, was.desired) != (becomes.min, becomes.max, becomes.desired):
        yield _scaled(pair, cluster, was, becomes)


_KEYS = {"instance_types": "instanceType", "volume_gib": "volumeGiB"}


def _scaled(pair: Pair, cluster: Cluster, was: NodeGroup, becomes: NodeGroup) -> Effect:
    """Say what other sizes do.

    `eksctl scale nodegroup` always sends `desiredCapacity` as well: it would throw away the count that the autoscaler
    has chosen, and the nodes above it are stopped without a drain. So the API is called with what differs alone.
    """
    sizes = {"minSize": (was.min, becomes.min), "maxSize": (was.max, becomes.max)}
    if not cluster.autoscaled:
        sizes["desiredSize"] = (was.desired, becomes.desired)
    moved = {key: pair_ for key, pair_ in sizes.items() if pair_[0] != pair_[1]}
    text = ", ".join(f"{key} {arrow(*pair_)}" for key, pair_ in moved.items())
    fewer = [key for key, (old, new) in moved.items() if key != "minSize" and new < old]
    if not moved:
        text = "desired counts when the group is made; the autoscaler has chosen since, so nothing is to be run"
    elif fewer:
        text += ": where more nodes run, they are stopped without a drain, or EKS refuses; drain them before"
    size = quote(",".join(f"{key}={new}" for key, (_, new) in moved.items()))
    where = (f"--region={quote(cluster.region)}", f"--cluster-name={quote(cluster.name)}")
    line = command(
        "aws eks update-nodegroup-config",
        *where,
        f"--nodegroup-name={quote(becomes.full_name)}",
        f"--scaling-config={size}",
    )
    severity = Severity.DISRUPTIVE if fewer else Severity.SAFE
    return Effect("cluster", severity, _subject(becomes), text, _because(pair, becomes), (line,) if moved else ())
