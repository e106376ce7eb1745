"""Edge: what moves the address behind the names, which names come and go, and whose certificates they have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.diagnostics import Loc
from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.render.runbook_open import address_command
from jhecfg.render.steps import words
from jhecfg.site import LETSENCRYPT, Edge

INGRESS = ("ingress",)
BALANCERS = {
    "in-tree": "Kubernetes itself",
    "aws-load-balancer-controller": "the AWS Load Balancer Controller",
    "auto-mode": "EKS Auto Mode",
}


def edge(pair: Pair) -> Iterator[Effect]:
    """Yield what another controller, load balancer, issuer or name means for those who come in."""
    old, new = pair.old.edge, pair.new.edge
    moved = _moved(old, new)
    if moved:
        yield _another_address(pair, moved)
    elif old.proxy_protocol != new.proxy_protocol:
        yield _proxy_protocol(pair)
    yield from _names(pair, every=bool(moved))
    yield from _issuer(pair)
    if old.max_body_size != new.max_body_size:
        text = f"the largest upload is {new.max_body_size} instead of {old.max_body_size}; larger ones get 413"
        yield Effect("edge", Severity.SAFE, "uploads", text, pair.any_of(("ingress", "maxBodySize")))


def _moved(old: Edge, new: Edge) -> str:
    """Say what makes another load balancer, with another address; "" where it stays."""
    if old.controller != new.controller:
        return f"{old.controller} → {new.controller}"
    if new.controller != "none" and old.load_balancer != new.load_balancer:
        return f"the load balancer is made by {BALANCERS[new.load_balancer]} instead of {BALANCERS[old.load_balancer]}"
    if new.controller == "envoy-gateway" and (old.namespace, old.gateway) != (new.namespace, new.gateway):
        return f"Gateway {old.namespace}/{old.gateway} → {new.namespace}/{new.gateway}"
    if (old.class_name, old.namespace) != (new.class_name, new.namespace):
        return f"class {old.class_name} → {new.class_name}"
    return ""


def _another_address(pair: Pair, what: str) -> Effect:
    commands = (address_command(pair.new),) if pair.new.edge.controller != "none" else ()
    anew = ", and certificates are made anew" if pair.new.edge.issuer is not None else ""
    then = (
        "bring the new edge up, move DNS, and only then remove the old one"
        if pair.new.gitops.engine == "none" or pair.old.edge.controller == "none" or pair.old.name != pair.new.name
        else "what leads through the old one goes when this is delivered"
    )
    return Effect(
        "outage",
        Severity.OUTAGE,
        "edge",
        f"{what}: this is another address. Every name leads to the old one until DNS is changed and its caches have"
        f" forgotten it{anew}; {then}",
        pair.any_of(INGRESS, ("cluster",)),
        commands,
        "after",
    )


def _proxy_protocol(pair: Pair) -> Effect:
    on = pair.new.edge.proxy_protocol
    return Effect(
        "outage",
        Severity.OUTAGE,
        "edge",
        f"proxy protocol goes {'on' if on else 'off'} at the load balancer and behind it, not at the same moment: until"
        " both agree every connection is refused",
        pair.any_of(("ingress", "proxyProtocol")),
    )


def _names(pair: Pair, *, every: bool) -> Iterator[Effect]:
    old, new = ({host for host, _ in site.hosts} for site in (pair.old, pair.new))
    come = sorted(new if every else new - old)
    gone = sorted(old - new)
    if pair.new.edge.controller == "none":
        if old != new:
            text = (
                f"your own edge serves {words(sorted(new - old)) or 'no new name'}, and no longer"
                f" {words(gone) or 'any less'}"
            )
            yield Effect("edge", Severity.ATTENTION, "DNS", text, _reasons(pair, old ^ new))
        return
    if come:
        yield _records(pair, come)
    if gone:
        who = "external-dns removes none (upsert-only)" if pair.new.edge.external_dns else "a person removes them"
        text = (
            f"the records of {words(gone)} stay: {who}; they are best gone, since they lead to an edge that answers 404"
        )
        yield Effect("edge", Severity.ATTENTION, "DNS", text, _reasons(pair, gone), when="after")


def _records(pair: Pair, hosts: list[str]) -> Effect:
    if pair.new.edge.external_dns:
        text = f"external-dns writes the records of {words(hosts)} within minutes; certificates follow"
        return Effect("edge", Severity.SAFE, "DNS", text, _reasons(pair, hosts), when="after")
    follow = "; certificates follow it" if pair.new.edge.issuer is not None else ""
    text = f"write a CNAME for {words(hosts)} to the load balancer's name, which a command below prints{follow}"
    return Effect("edge", Severity.ATTENTION, "DNS", text, _reasons(pair, hosts), (address_command(pair.new),), "after")


def _reasons(pair: Pair, hosts: Iterable[str]) -> tuple[SpecChange, ...]:
    """Return the changes behind names that come or go."""
    names: list[Loc] = [INGRESS, ("site",)]
    for site in (pair.old, pair.new):
        names += [("domain",)] if site.domain in hosts else []
        names += [("exchange", "mcp")] if site.exchange.mcp and site.exchange.mcp.domain in hosts else []
        names += [("hubs", hub.name) for hub in site.hubs if hub.domain in hosts]
    return pair.any_of(*names)


def _issuer(pair: Pair) -> Iterator[Effect]:
    old, new = pair.old.edge, pair.new.edge
    if old.issuer == new.issuer and old.acme_server == new.acme_server:
        return
    if not new.own_gateway:
        severity, text = (
            Severity.ATTENTION,
            "the owners of the Gateway bring certificates for each name, and renew them",
        )
    elif new.issuer is None:
        severity, text = (
            Severity.ATTENTION,
            "nobody renews certificates any more: bring one for each name before they end",
        )
    elif new.acme_server == LETSENCRYPT["letsencrypt-staging"]:
        severity, text = Severity.OUTAGE, "certificates come from a test authority that no browser and no hub believes"
    else:
        severity, text = Severity.SAFE, "certificates are made anew; the old ones serve until then"
    what = f"{old.issuer or 'none'} → {new.issuer or 'none'}: {text}"
    yield Effect("edge", severity, "certificates", what, pair.any_of(("ingress", "issuer"), ("site",)))
