"""Whole sites: one that is new, and one whose spec is gone."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.pipeline import Build
from jhecfg.plan.delivery import ENGINES, released
from jhecfg.plan.model import Effect, Plan, Severity, SpecChange
from jhecfg.plan.objects import object_changes
from jhecfg.plan.shell import keep_disks
from jhecfg.plan.trees import MISSING
from jhecfg.render.picture import entry
from jhecfg.render.steps import words
from jhecfg.site import Site


def added(after: Build) -> Plan:
    """Say what a new site takes; its own runbook has the commands."""
    site, source = after.site, after.source
    whole = SpecChange((), None, (), MISSING, source.tree, source.span(("site",)))
    objects = tuple(change._replace(because=(whole,)) for change in object_changes(None, after))
    effects = tuple(_effects(site, (whole,)))
    return Plan(site.name, source.name, "added", (whole,), objects, effects)


def _effects(site: Site, because: tuple[SpecChange, ...]) -> Iterator[Effect]:
    for hub in site.hubs:
        severity = Severity.DISRUPTIVE if hub.access.mode == "anyone" else Severity.ATTENTION
        text = f"opens at {hub.url} for {entry(site, hub)}"
        yield Effect("access", severity, f"hub {hub.name}", text, because)
    named = words(f"{need.namespace}/{need.name}" for need in site.secrets)
    yield Effect("secret", Severity.ATTENTION, "secrets", f"must be there first: {named}", because)
    yield Effect(
        "delivery",
        Severity.ATTENTION,
        "delivery",
        f"this is a new site: out/{site.name}/RUNBOOK.md has its commands, from the cluster to the first login",
        because,
        when="during",
    )


def removed(before: Build | None) -> Plan:
    """Say what becomes of a site whose spec is gone."""
    assert before is not None  # one of the two sides is there
    site, source = before.site, before.source
    whole = SpecChange((), (), None, source.tree, MISSING, source.span(("site",)))
    return Plan(site.name, source.name, "removed", (whole,), (), tuple(_gone(before, (whole,))))


def _gone(before: Build, because: tuple[SpecChange, ...]) -> Iterator[Effect]:
    site = before.site
    engine, folder = ENGINES[site.gitops.engine], f"out/{site.name}"
    delivered = (
        f" as long as it is there {engine} keeps the site as it is; once it is gone, what {engine} still reads fails"
        f" or is pruned, unless {engine} has let go first"
        if site.gitops.engine != "none"
        else " nothing changes in the cluster by itself"
    )
    yield Effect(
        "delivery",
        Severity.OUTAGE,
        "site",
        f"{folder} is no longer made, and stays in git until somebody deletes it:{delivered}. To end the site,"
        f" {folder}/RUNBOOK.md, Remove the site, has the order; the database is not touched before its last step",
        because,
        released(before),
    )
    spaces = tuple(dict.fromkeys(hub.namespace for hub in site.cluster_hubs))
    if spaces:
        text = (
            f"the homes of all users are disks in {words(spaces)}, and go with the namespace; the commands let"
            " them outlive it"
        )
        yield Effect("hub", Severity.DATA, "hubs", text, because, tuple(keep_disks(name) for name in spaces))
    for hub in site.hubs:
        text = f"once the site is gone, nobody can log in through {site.domain}"
        yield Effect("access", Severity.DISRUPTIVE, f"hub {hub.name}", text, because)
