"""SiteSpec: everything a person may write about a site, version 1."""

from typing import Literal

from pydantic import Field

from jhecfg.spec.base import PATTERNS, Domain, Email, Label, RelativePath, ShortLabel, Spec, items
from jhecfg.spec.exchange import AdminSpec, DatabaseSpec, ExchangeSpec, ImageSpec, OrgSpec
from jhecfg.spec.hub import HubSpec
from jhecfg.spec.platform import ClusterSpec, GitopsSpec, IngressSpec, PatchSpec, SecretsSpec

__all__ = ["PATTERNS", "SiteSpec"]


class SiteSpec(Spec):
    """A JupyterHealth Exchange site. Everything that jhecfg renders follows from it."""

    api_version: Literal["jhecfg/v1"] = Field(description="Version of this format.")
    extends: RelativePath | None = Field(default=None, description="Base spec: maps merge, named things merge by name.")
    site: ShortLabel = Field(description="Name of the site: its folder in out/ and its delivery objects.")
    environment: Literal["production", "staging", "demo"] = Field(
        default="production", description="production refuses what is unsafe; demo allows it."
    )
    domain: Domain = Field(description="Host name people type to reach the Exchange.")
    contact: Email = Field(description="Who answers for the site: ACME account, first superuser unless `admin` says.")
    namespace: Label = Field(default="jhe", description="Namespace of the Exchange.")
    image: ImageSpec = Field(description="Image of the Exchange; its tag picks the release.")
    exchange: ExchangeSpec = Field(default=ExchangeSpec(), description="The Exchange itself.")
    admin: AdminSpec | None = Field(default=None, description="First superuser [contact].")
    database: DatabaseSpec = Field(description="PostgreSQL database.")
    orgs: tuple[OrgSpec, ...] = items("JHE organizations that hubs and other parts refer to.", most=5000)
    hubs: tuple[HubSpec, ...] = items("JupyterHubs whose users log in through the Exchange.", most=500)
    ingress: IngressSpec = Field(default=IngressSpec(), description="The edge: TLS, routes, DNS.")
    secrets: SecretsSpec = Field(default=SecretsSpec(), description="How the site keeps its secrets.")
    cluster: ClusterSpec | None = Field(default=None, description="EKS cluster; absent means one that exists.")
    platform: Literal["own", "existing"] = Field(
        default="own",
        description="own: the site brings the charts that a cluster shares; existing: another site or team does.",
    )
    gitops: GitopsSpec = Field(default=GitopsSpec(), description="What syncs the output into the cluster.")
    patches: tuple[PatchSpec, ...] = items("Changes to output objects, as a last escape hatch.", most=200)
    rerun: Label | None = Field(
        default=None, description="Any new word makes the migrate and bootstrap Jobs run again."
    )
