"""Rules about JHE's demonstration data: where they may be loaded, and whose organization ids they take."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Finding
from jhecfg.site import Site

# What `manage.py seed` makes (core/management/commands/seed.py; identical in v0.0.10 … main, run): its sequence starts
# at 20001, and only ROOT has an id of its own.
DEMO_ORGANIZATIONS: dict[int, str] = {
    20001: "Planetary Research Institute",
    20002: "Saturn School of Data Science",
    20003: "Lifespan Lab",
    20004: "Neptune Health System",
    20005: "Department of Medicine",
    20006: "Cardiology Division",
    20007: "Neptunian Pulse Lab",
    20008: "Cosmic Cardio Lab",
}


def demo_data_outside_demo(site: Site) -> Iterator[Finding]:
    """JHE's demonstration data would be loaded into a site that is no demo.

    *Why:* they bring a superuser and ten users whose one password is published in JHE's source, and on newer releases
    an application with a published client secret; and `seed --flush-db`, which people reach for when it fails, empties
    the whole database.

    *Instead:* leave `exchange.demoData` out, or set `environment: demo`.
    """
    if site.exchange.demo_data != "none" and site.environment != "demo":
        yield Finding(
            loc=("exchange", "demoData"),
            message=f"demonstration data have no place in {site.environment}",
            label="a superuser with a published password",
            expected="environment: demo",
            hint="leave it out, or make this site a demo",
            related=((("environment",), "the environment"),),
        )


def demo_organization(site: Site) -> Iterator[Finding]:
    """An organization has the id of another one of JHE's demonstration data.

    *Why:* the data are loaded first and take the ids 20001 to 20008, so the bootstrap Job would refuse this one: its
    hub would let in the members of a stranger.

    *Instead:* choose another id; or take the organization of the data over, by its name.
    """
    if site.exchange.demo_data == "none":
        return
    for org in site.orgs:
        taken = DEMO_ORGANIZATIONS.get(org.id, org.name)
        if org.name != taken:
            yield Finding(
                loc=(*org.loc, "id"),
                message=f"the id {org.id} belongs to '{taken}' of the demonstration data",
                hint=f"choose an id above {max(DEMO_ORGANIZATIONS)}, or name the organization '{taken}'",
                related=((("exchange", "demoData"), "loads them"),),
            )
