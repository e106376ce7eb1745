"""60-routes: the edge of this site: gateway or ingresses, certificates, what is blocked. Late: it waits for DNS."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.edge import BLOCKED, FOLDER, HSTS, load_balancer
from jhecfg.render.ingresses import ingresses
from jhecfg.render.objects import apart, metadata
from jhecfg.site import Hub, Site

# Envoy ends an answer after 15 seconds, whole or not (gateway.envoyproxy.io, HTTP timeouts): too soon for a large one
# of the Exchange, whose workers have half a minute each, and for the streams of hubs and of the MCP server.
ANSWER = "60s"
STREAM = "1h"
GATEWAY_API = "gateway.networking.k8s.io/v1"
ENVOY_API = "gateway.envoyproxy.io/v1alpha1"


def routes(site: Site) -> Iterator[Artifact]:
    """Render the edge for the controller at hand; nothing for `none`."""
    if site.edge.controller == "envoy-gateway":
        yield from _envoy(site)
    elif site.edge.controller == "ingress-nginx":
        yield from ingresses(site)


def _envoy(site: Site) -> Iterator[Artifact]:
    if site.edge.own_gateway:
        yield from _own_gateway(site)
    else:
        for hub in site.cluster_hubs:
            yield Artifact(f"{FOLDER}/backendtrafficpolicy-hub-{hub.name}.yaml", hub_timeout(site, hub))
    yield Artifact(f"{FOLDER}/httproutefilter-not-found.yaml", not_found(site))
    yield Artifact(f"{FOLDER}/backendtrafficpolicy-exchange.yaml", body_limit(site))
    yield Artifact(f"{FOLDER}/httproute-exchange.yaml", http_route(site, "exchange", site.domain, ANSWER, blocked=True))
    mcp = site.exchange.mcp
    if mcp:
        yield Artifact(f"{FOLDER}/httproute-mcp.yaml", http_route(site, "mcp", mcp.domain, STREAM))


def _own_gateway(site: Site) -> Iterator[Artifact]:
    yield Artifact(f"{FOLDER}/envoyproxy.yaml", envoy_proxy(site))
    yield Artifact(f"{FOLDER}/gateway.yaml", gateway(site))
    yield Artifact(f"{FOLDER}/clienttrafficpolicy.yaml", client_traffic_policy(site))
    if site.edge.issuer is not None:
        for host, secret in site.hosts:
            yield Artifact(f"{FOLDER}/certificate-{secret}.yaml", certificate(site, host, secret))
    yield Artifact(f"{FOLDER}/httproute-https-redirect.yaml", redirect(site))
    yield Artifact(f"{FOLDER}/backendtrafficpolicy.yaml", gateway_timeout(site))


def envoy_proxy(site: Site) -> Tree:
    """Return how Envoy runs for this Gateway: two pods behind one network load balancer."""
    service: Tree = {"type": "LoadBalancer", "externalTrafficPolicy": "Local", **load_balancer(site)}
    owner = "gateway.envoyproxy.io/owning-gateway"  # the labels that Envoy Gateway 1.9 gives a Gateway's pods
    pods = {f"{owner}-name": site.edge.gateway, f"{owner}-namespace": site.edge.namespace}
    return {
        "apiVersion": ENVOY_API,
        "kind": "EnvoyProxy",
        "metadata": metadata(site, site.edge.gateway, "edge", namespace=site.edge.namespace),
        "spec": {
            "provider": {
                "type": "Kubernetes",
                "kubernetes": {
                    # A node with both of them would take the whole edge with it: externalTrafficPolicy is Local.
                    "envoyDeployment": {"replicas": 2, "pod": {"topologySpreadConstraints": [apart(pods)]}},
                    "envoyPDB": {"maxUnavailable": 1},
                    "envoyService": service,
                },
            }
        },
    }


def gateway(site: Site) -> Tree:
    """Return the Gateway: port 80 for redirects and ACME, one HTTPS listener for each host name."""
    names = ["exchange", *(["mcp"] if site.exchange.mcp else []), *(hub.name for hub in site.cluster_hubs)]
    spaces = [
        site.namespace,
        *([site.namespace] if site.exchange.mcp else []),
        *(hub.namespace for hub in site.cluster_hubs),
    ]
    listeners = [
        _listener(site.edge.parent(name)["sectionName"], host, secret, space)
        for name, (host, secret), space in zip(names, site.hosts, spaces, strict=True)
    ]
    http = {
        "name": "http",
        "protocol": "HTTP",
        "port": 80,
        "allowedRoutes": {"namespaces": {"from": "Same"}},
    }
    return {
        "apiVersion": GATEWAY_API,
        "kind": "Gateway",
        "metadata": metadata(site, site.edge.gateway, "edge", namespace=site.edge.namespace),
        "spec": {
            "gatewayClassName": site.edge.class_name,
            "infrastructure": {
                "parametersRef": {
                    "group": "gateway.envoyproxy.io",
                    "kind": "EnvoyProxy",
                    "name": site.edge.gateway,
                }
            },
            "listeners": [http, *listeners],
        },
    }


def _listener(name: str, host: str, secret: str, namespace: str) -> Tree:
    return {
        "name": name,
        "protocol": "HTTPS",
        "port": 443,
        "hostname": host,
        "allowedRoutes": {
            "namespaces": {
                "from": "Selector",
                "selector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
            }
        },
        "tls": {"mode": "Terminate", "certificateRefs": [{"kind": "Secret", "name": secret}]},
    }


def client_traffic_policy(site: Site) -> Tree:
    """Return what the edge asks of clients: TLS 1.2, no forwarded host of their own making, HTTPS from now on.

    `clientIPDetection` stays unset: with it Envoy would believe a client's own X-Forwarded-Proto.
    """
    return {
        "apiVersion": ENVOY_API,
        "kind": "ClientTrafficPolicy",
        "metadata": metadata(site, site.edge.gateway, "edge", namespace=site.edge.namespace),
        "spec": {
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "Gateway", "name": site.edge.gateway}],
            **({"proxyProtocol": {}} if site.edge.proxy_protocol else {}),
            "tls": {"minVersion": "1.2"},
            # JHE believes X-Forwarded-Host (USE_X_FORWARDED_HOST), and Envoy passes it on.
            "headers": {
                "earlyRequestHeaders": {"remove": ["X-Forwarded-Host"]},
                # Here and not on a route: it covers the hubs' own routes and direct responses too.
                "lateResponseHeaders": {"set": [{"name": "Strict-Transport-Security", "value": HSTS}]},
            },
        },
    }


def certificate(site: Site, host: str, secret: str) -> Tree:
    """Return the Certificate of one host name; its Secret lives beside the Gateway."""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "Certificate",
        "metadata": metadata(site, secret, "edge", namespace=site.edge.namespace),
        "spec": {
            "secretName": secret,
            "dnsNames": [host],
            "issuerRef": {"group": "cert-manager.io", "kind": "ClusterIssuer", "name": site.edge.issuer},
            "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Always"},
        },
    }


def redirect(site: Site) -> Tree:
    """Return the route that sends plain HTTP to HTTPS; ACME's own, more exact route comes before it."""
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": metadata(site, f"{site.name}-https-redirect", "edge", namespace=site.edge.namespace),
        "spec": {
            "parentRefs": [{"name": site.edge.gateway, "sectionName": "http"}],
            "rules": [
                {"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https", "statusCode": 301}}]}
            ],
        },
    }


def not_found(site: Site) -> Tree:
    """Return the filter that answers 404 for what is blocked at the edge."""
    return {
        "apiVersion": ENVOY_API,
        "kind": "HTTPRouteFilter",
        "metadata": metadata(site, "not-found", "edge", namespace=site.namespace),
        "spec": {
            "directResponse": {
                "statusCode": 404,
                "contentType": "text/plain",
                "body": {"type": "Inline", "inline": "not found"},
            }
        },
    }


def gateway_timeout(site: Site) -> Tree:
    """Return how long an answer may take on every route that says nothing itself: those that the hubs' charts make."""
    return _stream_timeout(metadata(site, site.edge.gateway, "edge", namespace=site.edge.namespace), "Gateway")


def hub_timeout(site: Site, hub: Hub) -> Tree:
    """Return the same for one hub at a Gateway of others: its chart's route, `jupyterhub`, cannot say it itself."""
    return _stream_timeout(metadata(site, "jupyterhub", "edge", namespace=hub.namespace), "HTTPRoute")


def _stream_timeout(meta: Tree, kind: str) -> Tree:
    """Return the policy of the Gateway or route of its own name."""
    return {
        "apiVersion": ENVOY_API,
        "kind": "BackendTrafficPolicy",
        "metadata": meta,
        "spec": {
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": kind, "name": meta["name"]}],
            "timeout": {"http": {"requestTimeout": STREAM}},
        },
    }


def body_limit(site: Site) -> Tree:
    """Return the limit of a request's body at the Exchange and the MCP server; hubs stream, and have none."""
    names = ["exchange", *(["mcp"] if site.exchange.mcp else [])]
    return {
        "apiVersion": ENVOY_API,
        "kind": "BackendTrafficPolicy",
        "metadata": metadata(site, "exchange", "edge", namespace=site.namespace),
        "spec": {
            "targetRefs": [{"group": "gateway.networking.k8s.io", "kind": "HTTPRoute", "name": name} for name in names],
            "requestBuffer": {"limit": site.edge.max_body_size},
        },
    }


def any_spelling(path: str) -> str:
    """Return a pattern of a path, and of all below it, however a client writes it.

    Envoy compares a path as it came, whereas JHE's server decodes it first: `/o/%61pplications` is the same page to it.
    """
    letters = (f"(?:{char}|%{_hex(char)})" if char != "/" else "(?:/|%2[Ff])+" for char in path)
    return "".join(letters) + ".*"


def _hex(char: str) -> str:
    """Return a character's code as a pattern: its letters may be large or small."""
    return "".join(f"[{digit.upper()}{digit}]" if digit.isalpha() else digit for digit in f"{ord(char):02x}")


def http_route(site: Site, name: str, host: str, timeout: str, *, blocked: bool = False) -> Tree:
    """Return the route from a host name to a Service of the site's namespace."""
    reference = {"group": "gateway.envoyproxy.io", "kind": "HTTPRouteFilter", "name": "not-found"}
    block = {
        # A pattern comes before every prefix (internal/gatewayapi/sort.go of Envoy Gateway).
        "matches": [{"path": {"type": "RegularExpression", "value": any_spelling(BLOCKED)}}],
        "filters": [{"type": "ExtensionRef", "extensionRef": reference}],
    }
    serve = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        **({} if site.edge.own_gateway else {"filters": _guarded()}),
        "backendRefs": [{"name": name, "port": 80}],
        "timeouts": {"request": timeout},
    }
    return {
        "apiVersion": GATEWAY_API,
        "kind": "HTTPRoute",
        "metadata": metadata(site, name, "edge", namespace=site.namespace),
        "spec": {
            "parentRefs": [site.edge.parent(name)],
            "hostnames": [host],
            "rules": [*([block] if blocked else []), serve],
        },
    }


def _guarded() -> list[Tree]:
    """Return, for a route at a Gateway of others, what `client_traffic_policy` sees to at our own."""
    return [
        {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["X-Forwarded-Host"]}},
        {
            "type": "ResponseHeaderModifier",
            "responseHeaderModifier": {"set": [{"name": "Strict-Transport-Security", "value": HSTS}]},
        },
    ]
