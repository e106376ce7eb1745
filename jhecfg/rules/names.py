"""Rules about names: what must be unique, what is reserved, what is too long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.diagnostics import Finding, Loc
from jhecfg.site import Site

Named = tuple[str, Loc]


def duplicate_name(site: Site) -> Iterator[Finding]:
    """Two hubs or two organizations have the same name.

    *Why:* names are how the rest of the spec refers to them, and a hub's name is its folder, release and namespace.

    *Instead:* give each its own name.
    """
    yield from _twice("two hubs are named", ((hub.name, (*hub.loc, "name")) for hub in site.hubs))
    yield from _twice("two organizations are named", ((org.name, (*org.loc, "name")) for org in site.orgs))


def duplicate_org_id(site: Site) -> Iterator[Finding]:
    """Two organizations have the same id.

    *Why:* hub access is decided by the id, so members of one would enter the other's hubs.

    *Instead:* give each its own id.
    """
    yield from _twice("two organizations have the id", ((str(org.id), (*org.loc, "id")) for org in site.orgs))


def duplicate_domain(site: Site) -> Iterator[Finding]:
    """Two parts of the site answer to the same host name.

    *Why:* only one of them would get the requests, and which one is chance.

    *Instead:* give each its own host name.
    """
    mcp = site.exchange.mcp
    domains: list[Named] = [
        (site.domain, ("domain",)),
        *([(mcp.domain, ("exchange", "mcp", "domain"))] if mcp else []),
        *((hub.domain, (*hub.loc, "domain")) for hub in site.hubs),
    ]
    yield from _twice("two parts of the site have the host name", domains)


def duplicate_client_id(site: Site) -> Iterator[Finding]:
    """Two applications have the same OAuth client id.

    *Why:* a client id is one application with one set of callback addresses.

    *Instead:* leave `clientId` out; it is derived from the hub's domain.
    """
    domains = {hub.domain: hub for hub in reversed(site.hubs)}  # the same host name is another rule's finding
    hubs = ((hub.client_id, (*hub.loc, "clientId")) for hub in domains.values())
    mcp = site.exchange.mcp
    own: list[Named] = [(mcp.client_id, ("exchange", "mcp"))] if mcp else []
    yield from _twice("two applications have the client id", (*own, *sorted(hubs, key=lambda named: named[1])))


def _twice(what: str, names: Iterable[Named]) -> Iterator[Finding]:
    first: dict[str, Loc] = {}
    for name, loc in names:
        if name in first:
            yield Finding(
                loc=loc,
                message=f"{what} '{name}'",
                label="used again here",
                hint="give each its own",
                related=((first[name], "first used here"),),
            )
        else:
            first[name] = loc


# Listener names of the Gateway are `https-exchange`, `https-mcp` and `https-<hub>`.
RESERVED_HUBS = frozenset({"exchange", "mcp"})


def reserved_hub_name(site: Site) -> Iterator[Finding]:
    """A hub is named like a part of the Exchange.

    *Why:* `exchange` and `mcp` name listeners and routes of the edge, so a hub of that name would take their place.

    *Instead:* choose another name.
    """
    for hub in site.hubs:
        if hub.name in RESERVED_HUBS:
            yield Finding(
                loc=(*hub.loc, "name"),
                message=f"'{hub.name}' is the name of a part of the Exchange",
                hint=f"choose another name, for example {hub.name}-hub",
            )


# Device names of Windows: a checkout there cannot hold a file or folder of that name.
WINDOWS = frozenset({"con", "prn", "aux", "nul", *(f"com{n}" for n in range(10)), *(f"lpt{n}" for n in range(10))})


def unportable_name(site: Site) -> Iterator[Finding]:
    """A name cannot be a file name everywhere.

    *Why:* the site's and hubs' names become folders; Windows reserves con, prn, aux, nul, com1 … lpt9.

    *Instead:* choose another name.
    """
    for name, loc in [(site.name, ("site",)), *((hub.name, (*hub.loc, "name")) for hub in site.hubs)]:
        if name in WINDOWS:
            yield Finding(loc=loc, message=f"'{name}' cannot be a folder on Windows", hint="choose another name")


def hub_namespace(site: Site) -> Iterator[Finding]:
    """A hub in this cluster shares its namespace with the Exchange or another hub.

    *Why:* the hub chart's objects have fixed names (`hub`, `proxy`), the Exchange's namespace denies what is not its
    own, and a namespace is what keeps users' servers away from the database's password.

    *Instead:* leave `namespace` out; it is the hub's name.
    """
    taken: dict[str, Loc] = {site.namespace: ("namespace",)}
    for hub in site.cluster_hubs:
        where: Loc = (*hub.loc, "namespace")
        if hub.namespace in taken:
            yield Finding(
                loc=where,
                message=f"namespace '{hub.namespace}' is taken",
                hint="give the hub a namespace of its own",
                related=((taken[hub.namespace], "taken here"),),
            )
        taken.setdefault(hub.namespace, where)


PLATFORM_NAMESPACES = frozenset(
    {
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
        "cert-manager",
        "envoy-gateway-system",
        "ingress-nginx",
    }
)


def platform_namespace(site: Site) -> Iterator[Finding]:
    """The Exchange or a hub is put into a namespace that belongs to the platform.

    *Why:* the site sets that namespace's Pod Security level and network policies, which would stop what lives there.

    *Instead:* use a namespace of the site's own.
    """
    spaces = [
        (site.namespace, ("namespace",)),
        *((hub.namespace, (*hub.loc, "namespace")) for hub in site.cluster_hubs),
    ]
    for name, loc in spaces:
        if name in PLATFORM_NAMESPACES:
            yield Finding(loc=loc, message=f"namespace '{name}' belongs to the platform", hint="use one of your own")


LISTENERS = 64
"""Gateway API's limit of listeners in one Gateway (spec.listeners, maxItems)."""


def too_many_hosts(site: Site) -> Iterator[Finding]:
    """The site serves more host names than one Gateway has listeners for.

    *Why:* each host name has an HTTPS listener with its own certificate, and a Gateway takes 64 listeners.

    *Instead:* put some of the hubs into a site of their own, or use `deploy: external`.
    """
    wanted = len(site.hosts) + 1
    if site.edge.controller == "envoy-gateway" and site.edge.own_gateway and wanted > LISTENERS:
        yield Finding(
            loc=("hubs",),
            key=True,
            message="one Gateway cannot serve so many host names",
            found=f"{wanted} listeners",
            expected=f"at most {LISTENERS}",
            hint="put some of the hubs into a site of their own",
        )


def long_client_id(site: Site) -> Iterator[Finding]:
    """A derived client id was cut at the 100 characters that JHE stores.

    *Why:* two long domains could be cut to the same id.

    *Instead:* set a short `clientId`.
    """
    for hub in site.hubs:
        if len(f"jupyterhub-{hub.domain}") > 100 and hub.client_id == f"jupyterhub-{hub.domain}"[:100]:
            yield Finding(loc=(*hub.loc, "domain"), message="the client id derived from this domain is too long",
                          hint="set a short clientId")  # fmt: skip
