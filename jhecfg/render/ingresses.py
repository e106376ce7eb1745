"""60-routes for ingress-nginx: Ingresses, and what their annotations say."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.edge import BLOCKED, FOLDER
from jhecfg.render.objects import metadata
from jhecfg.site import Site

_NGINX = "nginx.ingress.kubernetes.io/"


def ingresses(site: Site) -> Iterator[Artifact]:
    """Render the Ingresses of the Exchange and the MCP server, and the one that blocks."""
    secrets = dict(site.hosts)
    yield Artifact(f"{FOLDER}/ingress-exchange.yaml", ingress(site, "exchange", site.domain, secrets[site.domain]))
    yield Artifact(f"{FOLDER}/ingress-exchange-blocked.yaml", ingress_blocked(site))
    mcp = site.exchange.mcp
    if mcp:
        yield Artifact(f"{FOLDER}/ingress-mcp.yaml", ingress(site, "mcp", mcp.domain, secrets[mcp.domain]))


def ingress(site: Site, name: str, host: str, secret: str) -> Tree:
    """Return the Ingress from a host name to a Service of the site's namespace."""
    issuer = {"cert-manager.io/cluster-issuer": site.edge.issuer} if site.edge.issuer else {}
    annotations = {
        **issuer,
        f"{_NGINX}force-ssl-redirect": "true",
        f"{_NGINX}proxy-body-size": _nginx_size(site.edge.max_body_size),
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(site, name, "edge", namespace=site.namespace, annotations=annotations),
        "spec": {
            "ingressClassName": site.edge.class_name,
            "tls": [{"hosts": [host], "secretName": secret}],
            "rules": [_ingress_rule(host, "/", name)],
        },
    }


def ingress_blocked(site: Site) -> Tree:
    """Return the Ingress that answers 403 for what is blocked at the edge: every address is on its deny list."""
    annotations = {
        f"{_NGINX}force-ssl-redirect": "true",
        f"{_NGINX}denylist-source-range": "0.0.0.0/0,::/0",
    }
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": metadata(site, "exchange-blocked", "edge", namespace=site.namespace, annotations=annotations),
        "spec": {
            "ingressClassName": site.edge.class_name,
            "rules": [_ingress_rule(site.domain, BLOCKED, "exchange")],
        },
    }


def _ingress_rule(host: str, path: str, service: str) -> Tree:
    backend = {"service": {"name": service, "port": {"name": "http"}}}
    return {"host": host, "http": {"paths": [{"path": path, "pathType": "Prefix", "backend": backend}]}}


def _nginx_size(quantity: str) -> str:
    """Turn a Kubernetes quantity (64Mi) into nginx's form (64m)."""
    return quantity[:-1].lower()
