"""Login: what ends sessions, breaks logins or moves an address that people and other systems have kept."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.site import Hub


def login(pair: Pair) -> Iterator[Effect]:
    """Yield what a new address or client does: of the Exchange, of its MCP server, of each hub."""
    if pair.old.domain != pair.new.domain:
        yield from _exchange(pair)
    yield from _mcp(pair)
    olds = {hub.name: hub for hub in pair.old.hubs}
    for hub in pair.new.hubs:
        if hub.name in olds:
            yield from _hub(pair, olds[hub.name], hub)


def _exchange(pair: Pair) -> Iterator[Effect]:
    old, new = pair.old.exchange.url, pair.new.exchange.url
    because = pair.any_of(("domain",))
    yield Effect(
        "login",
        Severity.OUTAGE,
        "Exchange",
        f"moves from {old} to {new}: everybody signs in again, since cookies belong to the old name; tokens change"
        f" their issuer to {new}/o, so apps and hubs that know the old one fail until they know the new; links in"
        " mails that were sent and in bookmarks lead to the old name, which the site no longer answers",
        because,
    )
    away = [hub for hub in pair.new.hubs if hub.external and hub.name in {h.name for h in pair.old.hubs}]
    for hub in away:
        yield _hand_over(pair, hub, "its users cannot log in until its owner has installed the new values", because)


def _mcp(pair: Pair) -> Iterator[Effect]:
    old, new = pair.old.exchange.mcp, pair.new.exchange.mcp
    if old and new and old.domain != new.domain:
        yield Effect(
            "login",
            Severity.DISRUPTIVE,
            "MCP server",
            f"moves from {old.url} to {new.url}: every AI client must be given the new address, and its user"
            " signs in again",
            pair.any_of(("exchange", "mcp", "domain")),
        )
    elif old and not new:
        yield Effect(
            "login",
            Severity.DISRUPTIVE,
            "MCP server",
            f"{old.url} is gone: AI clients no longer get in",
            pair.any_of(("exchange", "mcp")),
        )


def _hub(pair: Pair, old: Hub, new: Hub) -> Iterator[Effect]:
    because = pair.any_of(("hubs", new.name, "domain"), ("hubs", new.name, "clientId"))
    if old.domain != new.domain:
        yield Effect(
            "login",
            Severity.DISRUPTIVE,
            f"hub {new.name}",
            f"moves from {old.url} to {new.url}: everybody logs in again; its callback becomes"
            f" {new.callback_url}, which"
            " the Exchange accepts once the bootstrap Job has run" + _elsewhere(new),
            because,
        )
    if old.client_id != new.client_id:
        yield Effect(
            "login",
            Severity.DISRUPTIVE,
            f"hub {new.name}",
            f"becomes another OAuth client, {old.client_id} → {new.client_id}: between the bootstrap Job and the"
            " hub's new values logins fail, and so do refreshes of those who are inside; afterwards they log in once"
            " more",
            because,
        )
    moved = old.domain != new.domain or old.client_id != new.client_id
    if new.external and moved:
        yield _hand_over(pair, new, "logins fail until its owner has installed them", because)


def _elsewhere(hub: Hub) -> str:
    return (
        f". Its SMART redirect {hub.smart.redirect_uri} must be registered at the EHR" if hub.smart is not None else ""
    )


def _hand_over(pair: Pair, hub: Hub, why: str, because: tuple[SpecChange, ...]) -> Effect:
    return Effect(
        "login",
        Severity.OUTAGE,
        f"hub {hub.name}",
        f"runs elsewhere: send hubs/{hub.name}/ to its owner, to be installed at the moment of the change; {why}",
        because,
        when="during",
    )
