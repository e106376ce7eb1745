"""20-config, the network policies: nothing enters or leaves the site's namespace but what each component needs."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.config import FOLDER
from jhecfg.render.objects import metadata
from jhecfg.site import Site


def network(site: Site) -> Iterator[Artifact]:
    """Render the network policies of the site's namespace: nothing, then what each component needs."""
    yield _policy(site, "default-deny", {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]})
    yield _policy(
        site,
        "exchange",
        {
            "podSelector": {"matchLabels": {"jhecfg/database": "client"}},
            "policyTypes": ["Egress"],
            "egress": [DNS, _to_anywhere(site.database.port), *_extra_egress(site)],
        },
    )
    yield _policy(
        site,
        "exchange-ingress",
        {
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "exchange"}},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": _callers(site), "ports": [{"protocol": "TCP", "port": 8000}]}],
        },
    )
    if site.exchange.mcp:
        yield _policy(site, "mcp", _mcp_policy(site))
    if site.exchange.smoke_test:
        yield _policy(site, "smoke-test", _smoke_test_policy())
    if site.edge.controller == "ingress-nginx" and site.edge.issuer:
        yield _policy(site, "acme-solver", _solver_policy(site))


def _policy(site: Site, name: str, spec: Tree) -> Artifact:
    return Artifact(
        f"{FOLDER}/networkpolicy-{name}.yaml",
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": metadata(site, name, "network", namespace=site.namespace),
            "spec": spec,
        },
    )


# CoreDNS's pods; and the cluster's DNS address where no pod is behind it: EKS Auto Mode and NodeLocal DNSCache answer
# on the node itself (Zero to JupyterHub's policies have the same ranges).
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.20.10/32")

DNS: Tree = {
    "to": [
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}},
        *({"ipBlock": {"cidr": cidr}} for cidr in _PRIVATE),
    ],
    "ports": [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}],
}


def _to_anywhere(port: int) -> Tree:
    # The instance metadata service hands out the node's credentials: never reachable from a pod.
    block = {"cidr": "0.0.0.0/0", "except": ["169.254.169.254/32"]}
    return {"to": [{"ipBlock": block}], "ports": [{"protocol": "TCP", "port": port}]}


def _extra_egress(site: Site) -> list[Tree]:
    """Return egress to identity providers and, where the spec has them, the mail and Open Wearables servers."""
    ports = {443, *([site.exchange.smtp.port] if site.exchange.smtp else [])} - {site.database.port}
    if site.exchange.wearables:
        ports.add(_port(site.exchange.wearables.api_url))
    return [_to_anywhere(port) for port in sorted(ports)]


def _port(url: str) -> int:
    scheme, _, rest = url.partition("://")
    host = rest.split("/", 1)[0]
    return int(host.rsplit(":", 1)[1]) if ":" in host else 443 if scheme == "https" else 80


def _edge(site: Site) -> list[Tree]:
    """Return the peers that requests come from: the edge's namespace, or, when it is not ours, any."""
    if site.edge.controller == "none" or not site.edge.own_class:
        return [{"namespaceSelector": {}}]
    return [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": site.edge.namespace}}}]


def _callers(site: Site) -> list[Tree]:
    mcp = [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "mcp"}}}] if site.exchange.mcp else []
    smoke_test = (
        [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "smoke-test"}}}] if site.exchange.smoke_test else []
    )
    return [*_edge(site), *mcp, *smoke_test]


def _mcp_policy(site: Site) -> Tree:
    return {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "mcp"}},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": _edge(site), "ports": [{"protocol": "TCP", "port": 8401}]}],
        "egress": [DNS, _to_exchange()],
    }


def _smoke_test_policy() -> Tree:
    """Return what its pod may reach besides the database, which it has like every client of it."""
    return {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "smoke-test"}},
        "policyTypes": ["Egress"],
        "egress": [_to_exchange()],
    }


def _to_exchange() -> Tree:
    return {
        "to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/name": "exchange"}}}],
        "ports": [{"protocol": "TCP", "port": 8000}],
    }


def _solver_policy(site: Site) -> Tree:
    # cert-manager's HTTP-01 solver pods run beside the Ingress and listen on 8089.
    return {
        "podSelector": {"matchLabels": {"acme.cert-manager.io/http01-solver": "true"}},
        "policyTypes": ["Ingress"],
        "ingress": [{"from": _edge(site), "ports": [{"protocol": "TCP", "port": 8089}]}],
    }
