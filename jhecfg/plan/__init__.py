"""plan(): what the change from one compiled spec to another means for the people and the machines of a site.

Everything that is said is derived from the two sites, their outputs and the facts of releases/: an effect is what a
plain function yields for a `Pair`, and the tuple below is all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jhecfg.pipeline import Build
from jhecfg.plan.access import access
from jhecfg.plan.addons import addons, addons_gone
from jhecfg.plan.bootstrap import bootstrap
from jhecfg.plan.charts import charts
from jhecfg.plan.cluster import cluster
from jhecfg.plan.database import database
from jhecfg.plan.delivery import delivery
from jhecfg.plan.edge import edge
from jhecfg.plan.hatches import hatches
from jhecfg.plan.hubs import hubs
from jhecfg.plan.immutable import immutable
from jhecfg.plan.jobs import jobs
from jhecfg.plan.login import login
from jhecfg.plan.model import Effect, Pair, Plan, Severity
from jhecfg.plan.node_groups import node_groups
from jhecfg.plan.objects import object_changes
from jhecfg.plan.rds import rds
from jhecfg.plan.reasons import reasoned, spec_changes
from jhecfg.plan.releases import releases
from jhecfg.plan.restarts import restarts
from jhecfg.plan.rollback import rollback
from jhecfg.plan.secrets import secrets
from jhecfg.plan.whole import added, removed

__all__ = ["EFFECTS", "Effect", "Pair", "Plan", "Severity", "plan"]

EFFECTS: tuple[Callable[[Pair], Iterable[Effect]], ...] = (
    releases,
    database,
    cluster,
    addons,
    node_groups,
    addons_gone,
    rds,
    immutable,
    secrets,
    jobs,
    bootstrap,
    restarts,
    login,
    access,
    hubs,
    edge,
    charts,
    hatches,
    delivery,
    rollback,
)
"""Every effect there is. Their order is that of the commands; readers see the gravest first."""


def plan(before: Build | None, after: Build | None) -> Plan:
    """Say what a change means. Without `before` the site is new, without `after` it goes. Pure; raises nothing."""
    if before is None or after is None:
        return added(after) if after is not None else removed(before)
    pair = pair_of(before, after)
    if not pair.objects:
        return Plan(site=after.site.name, spec=after.source.name, verb="same", changes=pair.spec)
    return Plan(
        site=after.site.name,
        spec=after.source.name,
        verb="changed",
        changes=pair.spec,
        objects=pair.objects,
        effects=tuple(effect for effects in EFFECTS for effect in effects(pair)),
    )


def pair_of(before: Build, after: Build) -> Pair:
    """Return the two sites, with what differs and why."""
    changes = spec_changes(before.source, after.source)
    objects = reasoned(before, after, changes, object_changes(before, after))
    return Pair(before, after, changes, objects)
