"""resolve(): SiteSpec → Site. The only home of derived defaults; names become things, the tag becomes a release."""

from __future__ import annotations

from typing import NamedTuple

from jhecfg.diagnostics import Finding
from jhecfg.releases import EKS_VERSIONS, NEWEST_KUBERNETES
from jhecfg.resolve.database import database_of
from jhecfg.resolve.exchange import exchange_of, image_of, release_of
from jhecfg.resolve.hubs import hub_of
from jhecfg.resolve.orgs import OrgIds, orgs_of
from jhecfg.resolve.platform import (
    charts_of,
    cluster_of,
    edge_of,
    external_secrets_of,
    gitops_of,
    patches_of,
)
from jhecfg.resolve.problems import CODES, Problems
from jhecfg.resolve.sealing import sealing_of
from jhecfg.resolve.secrets import secrets_of
from jhecfg.sealed import SealedFile
from jhecfg.site import Site
from jhecfg.spec import SiteSpec

__all__ = ["CODES", "Resolution", "resolve"]


class Resolution(NamedTuple):
    """A site, and what was wrong on the way, as (code, finding). With an error it is only good for further rules."""

    site: Site
    problems: tuple[tuple[str, Finding], ...]


def resolve(spec: SiteSpec, sealed: tuple[SealedFile, ...] = ()) -> Resolution:
    """Decide everything that the spec leaves open; `sealed` are the encrypted files beside it. Pure; raises nothing."""
    problems = Problems()
    release = release_of(spec, problems)
    ids = OrgIds(spec.orgs, problems)
    orgs = orgs_of(spec.orgs, ids, problems)
    cluster = cluster_of(spec, problems)
    edge = edge_of(spec)
    exchange = exchange_of(spec, release, problems)
    database = database_of(spec, problems)
    hubs = tuple(hub_of(spec, index, hub, ids, problems) for index, hub in enumerate(spec.hubs))
    external_secrets = external_secrets_of(spec, problems)
    site = Site(
        name=spec.site,
        environment=spec.environment,
        domain=spec.domain,
        contact=spec.contact,
        namespace=spec.namespace,
        release=release,
        image=image_of(spec),
        exchange=exchange,
        database=database,
        orgs=orgs,
        hubs=hubs,
        edge=edge,
        secrets=secrets_of(spec, release, exchange, database, hubs, problems),
        secrets_backend=spec.secrets.backend,
        external_secrets=external_secrets,
        sealing=sealing_of(spec, sealed, problems),
        cluster=cluster,
        kubernetes=_judged_by(cluster.version) if cluster else NEWEST_KUBERNETES,
        charts=tuple(charts_of(spec, edge, cluster)),
        gitops=gitops_of(spec, problems),
        patches=tuple(patches_of(spec)),
        rerun=spec.rerun or "",
    )
    return Resolution(site=site, problems=tuple(problems.found))


def _judged_by(version: str) -> str:
    """Return the nearest Kubernetes version that jhecfg has schemas for; a rule says what is wrong with others."""
    if version in EKS_VERSIONS:
        return version
    oldest = next(iter(EKS_VERSIONS))
    return oldest if int(version.split(".")[1]) < int(oldest.split(".")[1]) else NEWEST_KUBERNETES
