"""picture(): the site as a Mermaid flowchart: who comes in where, what runs where, what keeps the data."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from jhecfg.render.steps import one_line
from jhecfg.site import Hub, Site

MOST_HUBS = 12
MOST_ORGS = 3

_PLAIN = re.compile(r"[A-Za-z0-9 .,:/@-]*").fullmatch
# Everything else is written as its number: Mermaid reads `#34;` as the character, never as its own syntax. Compiled
# where it is met first, since that takes 3 ms and most names are plain.
_NOT_PLAIN = r"[^A-Za-z0-9 .,:/@À-ɏͰ-Ͽ一-鿿-]"
_BACKENDS = {
    "existing": ("Secrets", "made in the cluster by hand"),
    "external-secrets": ("AWS Secrets Manager", "by External Secrets"),
    "sealed-secrets": ("Secrets", "encrypted in git by sealed-secrets"),
    "sops": ("Secrets", "encrypted in git by SOPS"),
}
_EDGES = {"envoy-gateway": "Envoy Gateway", "ingress-nginx": "ingress-nginx"}


def picture(site: Site) -> str:
    """Return the flowchart, with at most a dozen hubs drawn one by one."""
    return "\n".join(("flowchart LR", *(f"  {line}" for line in _lines(site))))


def label(*lines: str) -> str:
    """Return a label in quotes, one line below the other, in which nothing is markup."""
    return '"' + "<br/>".join(_escaped(one_line(line)) for line in lines) + '"'


def _escaped(line: str) -> str:
    return line if _PLAIN(line) else re.sub(_NOT_PLAIN, _number, line)


def _number(match: re.Match[str]) -> str:
    return f"#{ord(match[0])};"


def _lines(site: Site) -> Iterator[str]:
    yield f"people([{label(*PEOPLE)}])"
    yield f"dns[{label(*dns_words(site))}]"
    yield f"subgraph cluster[{label(cluster_words(site))}]"
    yield from (f"  {line}" for line in _inside(site))
    yield "end"
    yield f"database[({label(*database_words(site))})]"
    yield f"secrets[({label(*secrets_words(site))})]"
    yield "people --> dns --> edge"
    yield "edge --> exchange"
    yield f"exchange -->|{label('TLS: ' + site.database.ssl_mode)}| database"
    yield "secrets -.-> exchange"
    if site.exchange.mcp:
        yield "edge --> mcp --> exchange"
    yield from _hubs(site)


def _inside(site: Site) -> Iterator[str]:
    yield f"edge[{label(*edge_words(site))}]"
    yield f"subgraph namespace[{label('namespace ' + site.namespace)}]"
    yield f"  exchange[{label(*exchange_words(site))}]"
    if site.exchange.mcp:
        yield f"  mcp[{label('MCP server', site.exchange.mcp.domain)}]"
    yield "end"
    for index, hub in enumerate(site.hubs[:MOST_HUBS]):
        if not hub.external:
            yield f"{_node(index)}[{label(*hub_words(hub))}]"


def _node(index: int) -> str:
    return f"hub{index}"


def _hubs(site: Site) -> Iterator[str]:
    for index, hub in enumerate(site.hubs[:MOST_HUBS]):
        node = _node(index)
        if hub.external:
            yield f"{node}[{label(*hub_words(hub))}]"
            yield f"dns --> {node}"
        else:
            yield f"edge --> {node}"
        yield f"{node} -.->|{label('logs in through')}| exchange"
        yield f"who{index}([{label(entry(site, hub))}]) -->|{label('may enter')}| {node}"
    more = len(site.hubs) - MOST_HUBS
    if more > 0:
        yield f"more[{label(f'and {more} more hubs')}] -.-> exchange"


# --- what each thing is called, here and in drawing.py ----------------------------------------------------------------

PEOPLE = ("People and their browsers",)


def dns_words(site: Site) -> tuple[str, ...]:
    """Return what DNS is called."""
    return ("DNS, by external-dns",) if site.edge.external_dns else ("DNS",)


def cluster_words(site: Site) -> str:
    """Return what the cluster is called."""
    cluster = site.cluster
    return f"EKS cluster {cluster.name}, {cluster.region}" if cluster else "Kubernetes cluster"


def edge_words(site: Site) -> tuple[str, str]:
    """Return what terminates TLS, and what it does."""
    return _EDGES.get(site.edge.controller, "Your own edge"), "TLS, host names" if site.edge.issuer else "host names"


def exchange_words(site: Site) -> tuple[str, str]:
    """Return the Exchange with its release, and its address."""
    return "JupyterHealth Exchange " + site.image.tag, site.domain


def hub_words(hub: Hub) -> tuple[str, ...]:
    """Return a hub's name, its address and where it is."""
    name = "JupyterHub " + hub.name
    return (name + ", elsewhere", hub.domain) if hub.external else (name, hub.domain, "namespace " + hub.namespace)


def database_words(site: Site) -> tuple[str, str]:
    """Return what kind of database it is, and its address."""
    return "PostgreSQL on RDS" if site.database.rds else "PostgreSQL", site.database.host


def secrets_words(site: Site) -> tuple[str, str]:
    """Return where the site's secrets come from."""
    if site.external_secrets is not None:
        return "AWS Secrets Manager", "by External Secrets, " + site.external_secrets.region
    return _BACKENDS[site.secrets_backend]


def entry(site: Site, hub: Hub) -> str:
    """Say in plain words who may enter a hub."""
    if hub.access.mode == "anyone":
        return "every practitioner of the Exchange"
    if hub.access.mode == "users":
        return f"{len(hub.access.users)} named users" if len(hub.access.users) > 1 else "one named user"
    names = {org.id: org.name for org in site.orgs}
    return "direct members of " + _some(names.get(number, str(number)) for number in hub.access.group_ids)


def _some(names: Iterable[str]) -> str:
    every = list(names)
    more = len(every) - MOST_ORGS
    shown = ", ".join(every[:MOST_ORGS])
    return f"{shown} and {more} more organizations" if more > 0 else shown
