"""Immutable: fields that a cluster refuses to change in place, and names that make another site of this one."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Loc
from jhecfg.plan.model import Effect, Leaf, ObjectChange, Pair, Severity
from jhecfg.plan.shell import delete
from jhecfg.plan.values import dotted

# Fields that the API server refuses to change (kubernetes.io API reference; for a StorageClass pkg/apis/storage
# validation); a Job's template is not here, since its name changes with it.
FIELDS: dict[str, tuple[Loc, ...]] = {
    "Deployment": (("spec", "selector"),),
    "Service": (("spec", "clusterIP"), ("spec", "loadBalancerClass")),
    "StorageClass": (("provisioner",), ("parameters",), ("reclaimPolicy",), ("volumeBindingMode",)),
}
DOES: dict[str, str] = {
    "Deployment": "deleting it stops its pods until the new ones are ready",
    "StorageClass": "deleting it touches no disk that exists; new disks come from the new one",
    "Service": "deleting it cuts its address until the new one is there",
}


def immutable(pair: Pair) -> Iterator[Effect]:
    """Yield every refused change with what to do, and what a new name or namespace of the site means."""
    if pair.old.name != pair.new.name:
        yield _renamed(pair)
    if pair.old.namespace != pair.new.namespace:
        yield _other_namespace(pair)
    for change in pair.objects:
        if change.verb == "changed":
            leaves = [leaf for leaf in change.leaves if _is_fixed(change, leaf)]
            if leaves:
                yield _refused(pair, change, leaves)


def _is_fixed(change: ObjectChange, leaf: Leaf) -> bool:
    return any(leaf.pointer[: len(field)] == field for field in FIELDS.get(change.kind, ()))


def _refused(pair: Pair, change: ObjectChange, leaves: list[Leaf]) -> Effect:
    return Effect(
        "replace",
        Severity.ATTENTION if change.kind == "StorageClass" else Severity.OUTAGE,
        change.title,
        f"{', '.join(dotted(leaf.pointer) for leaf in leaves)} cannot change in place: the API server refuses it."
        f" Delete the object right before the change is delivered: {DOES[change.kind]}",
        pair.shaped(change.path, *leaves[0].pointer),
        (delete(change.kind, change.name, change.namespace),),
    )


def _renamed(pair: Pair) -> Effect:
    old, new = pair.old.name, pair.new.name
    return Effect(
        "replace",
        Severity.OUTAGE,
        "site",
        f"{old} → {new} is another site to every tool: folder out/{new}, OAuth client, delivery objects and the"
        f" selectors of the Deployments, which cannot change in place. out/{old} stays until somebody deletes it, and"
        " what delivers it goes on delivering it: two sites then want the same objects. A site keeps its name; its"
        " title and its domain are what people see",
        pair.any_of(("site",)),
    )


def _other_namespace(pair: Pair) -> Effect:
    old, new = pair.old.namespace, pair.new.namespace
    return Effect(
        "replace",
        Severity.DISRUPTIVE,
        "namespace",
        f"{old} → {new}: objects do not move. A second Exchange comes up in {new}, on the same database, before what"
        f" is in {old} is removed; it needs every Secret there first, with the values that {old} has, or everybody"
        f" signs in again. The namespace {old} itself stays until somebody deletes it",
        pair.any_of(("namespace",)),
    )
