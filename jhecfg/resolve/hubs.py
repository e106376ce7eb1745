"""Hubs: who may enter, addresses, disks, chart."""

from __future__ import annotations

from typing import Literal

from jhecfg.diagnostics import Finding, Loc
from jhecfg.releases import CHARTS, Chart
from jhecfg.resolve.orgs import OrgIds
from jhecfg.resolve.problems import Problems
from jhecfg.site import Access, Hub, Image, Smart
from jhecfg.spec import SiteSpec
from jhecfg.spec.hub import AccessSpec, HubSpec


def _access(access: AccessSpec, loc: Loc, ids: OrgIds, problems: Problems) -> Access:
    modes: list[Literal["orgs", "users", "anyone"]] = [
        mode for mode in ("orgs", "users", "anyone") if getattr(access, mode) is not None
    ]
    if len(modes) != 1:
        problems.add(
            "access-mode",
            Finding(
                loc=loc,
                key=not modes,
                message="a hub's access is exactly one of orgs, users and anyone",
                found=", ".join(modes) or "none of them",
                hint="keep the one you mean; JupyterHub lets in whoever any of them allows"
                if modes
                else "name the organizations that may enter: access: {orgs: [...]}",
            ),
        )
    return Access(
        mode=modes[0] if modes else "orgs",
        group_ids=ids.find_all(access.orgs or (), (*loc, "orgs")),
        users=tuple(sorted({user.lower() for user in access.users or ()})),
    )


def hub_of(spec: SiteSpec, index: int, hub: HubSpec, ids: OrgIds, problems: Problems) -> Hub:
    """Resolve one hub."""
    loc: Loc = ("hubs", index)
    url = f"https://{hub.domain}"
    chart = CHARTS["jupyterhub"]
    namespace = hub.namespace or hub.name
    image = None
    if hub.image is not None:
        image = Image(repository=hub.image.repository, tag=hub.image.tag, digest=hub.image.digest)
    resources = hub.resources
    return Hub(
        loc=loc,
        name=hub.name,
        domain=hub.domain,
        url=url,
        namespace=namespace,
        external=hub.deploy == "external",
        client_id=hub.client_id or f"jupyterhub-{hub.domain}"[:100],
        callback_url=f"{url}/hub/oauth_callback",
        access=_access(hub.access, (*loc, "access"), ids, problems),
        admin_group_ids=ids.find_all(hub.admins.orgs, (*loc, "admins", "orgs")),
        admin_users=tuple(sorted({user.lower() for user in hub.admins.users})),
        image=image,
        memory_guarantee=resources.memory.guarantee,
        memory_limit=resources.memory.limit,
        cpu_guarantee=resources.cpu.guarantee,
        cpu_limit=resources.cpu.limit,
        capacity_gib=hub.storage.capacity_gib,
        storage_class=_storage_class(spec, hub, loc, problems),
        env=tuple(sorted(hub.env.items())),
        chart=Chart(
            name=chart.name,
            repository=chart.repository,
            version=hub.chart_version,
            namespace=namespace,
            kubernetes=chart.kubernetes,
        ),
        smart=_smart(hub),
        values=hub.values,
        tls_secret=f"{spec.site}-{hub.name}-tls",
    )


def _storage_class(spec: SiteSpec, hub: HubSpec, loc: Loc, problems: Problems) -> str | None:
    if hub.storage.storage_class is not None:
        return hub.storage.storage_class
    if hub.deploy == "external":
        return None
    if spec.cluster is None:
        problems.add(
            "storage-class",
            Finding(
                loc=(*loc, "storage"),
                key=True,
                message=f"hub '{hub.name}' needs a StorageClass, since the cluster is not described here",
                hint="set storage.storageClass to one of `kubectl get storageclass`",
            ),
        )
    return "gp3"


def _smart(hub: HubSpec) -> Smart | None:
    if hub.smart is None:
        return None
    return Smart(
        client_id=hub.smart.client_id,
        scopes=hub.smart.scopes,
        # The path that today's jupyter-smart-on-fhir answers behind a hub (0.2.1, run); the older ones are 404.
        redirect_uri=f"https://{hub.domain}/hub/user-redirect/smart-on-fhir/callback",
        config_file=hub.smart.config_file,
    )
