"""argocd(): projects and Applications, from the one that an administrator applies down to each chart.

Fields and behaviour: argo-cd 3.5 (docs/user-guide/{directory,multiple_sources,sync-options,sync-waves}.md,
docs/operator-manual/{health,project}, gitops-engine/pkg/sync). The root reads `gitops/argocd/`, not what is below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.artifact import Artifact
from jhecfg.render.argocd.applications import (
    exchange_application,
    hub_application,
    platform_application,
    root,
    routes_application,
)
from jhecfg.render.argocd.common import FOLDER
from jhecfg.render.argocd.fleet import fleet
from jhecfg.render.argocd.projects import delivery_project, exchange_project, hub_project, platform_project
from jhecfg.render.argocd.settings import settings
from jhecfg.render.phases import ROUTES, phase
from jhecfg.render.units import hub_units, platform_units
from jhecfg.site import Site

BOOTSTRAP = f"{FOLDER}/bootstrap"


def argocd(site: Site, objects: Sequence[Artifact]) -> Iterator[Artifact]:
    """Render the projects, the Applications and the root that holds them."""
    platform, hubs = platform_units(site), hub_units(site)
    yield settings()
    yield Artifact(f"{BOOTSTRAP}/appproject-delivery.yaml", delivery_project(site))
    yield Artifact(f"{BOOTSTRAP}/application-root.yaml", root(site), note=_root_note())
    yield from fleet(site)
    if platform:
        yield Artifact(f"{FOLDER}/appproject-platform.yaml", platform_project(site, platform))
    yield Artifact(f"{FOLDER}/appproject-exchange.yaml", exchange_project(site, objects))
    for unit in hubs:
        yield Artifact(f"{FOLDER}/appproject-hub-{unit.release}.yaml", hub_project(site, unit))
    for unit in platform:
        yield Artifact(f"{FOLDER}/application-{unit.release}.yaml", platform_application(site, unit, objects))
    yield Artifact(f"{FOLDER}/application-exchange.yaml", exchange_application(site))
    if any(phase(artifact.path) == ROUTES for artifact in objects):
        yield Artifact(f"{FOLDER}/application-routes.yaml", routes_application(site))
    for unit in hubs:
        yield Artifact(f"{FOLDER}/application-hub-{unit.release}.yaml", hub_application(site, unit))


def _root_note() -> tuple[str, ...]:
    return (
        "Applied once by an administrator of Argo CD, with the project beside it. Then Argo CD reads the folder",
        "above from git: projects, the platform's charts one after another, the Exchange, its routes and the hubs.",
    )
