"""RENDERERS and render(): Site → artifacts. The tuple is the registration and the order of the build."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from jhecfg.artifact import Artifact
from jhecfg.render.app import app
from jhecfg.render.bootstrap import bootstrap
from jhecfg.render.charts import charts
from jhecfg.render.cluster import cluster
from jhecfg.render.config import config, secrets
from jhecfg.render.demo_data import demo_data
from jhecfg.render.gitops import gitops
from jhecfg.render.hubs import hubs
from jhecfg.render.jobs import migrate
from jhecfg.render.network import network
from jhecfg.render.phases import phased
from jhecfg.render.platform import platform
from jhecfg.render.rds import rds
from jhecfg.render.routes import routes
from jhecfg.render.runbook import runbook
from jhecfg.render.sealed import sealed
from jhecfg.render.smoke_test import smoke_test
from jhecfg.site import Site

Renderer = Callable[[Site], Iterable[Artifact]]

RENDERERS: tuple[Renderer, ...] = (
    cluster,
    rds,
    charts,
    platform,
    config,
    network,
    secrets,
    sealed,
    migrate,
    demo_data,
    bootstrap,
    app,
    routes,
    smoke_test,
    hubs,
)


def render(site: Site) -> tuple[Artifact, ...]:
    """Render every output of a site: the objects, then what delivers them, then the page that a person reads."""
    objects = tuple(artifact for renderer in RENDERERS for artifact in renderer(site))
    delivery = tuple(gitops(site, objects))
    return (*phased(site, objects), *delivery, *runbook(site, (*objects, *delivery)))
