"""drawing(): the site as an SVG picture: who comes in where, what runs where, what keeps the data and the secrets.

Five columns, from left to right: people and DNS; the edge; the hubs, those elsewhere below the cluster; the Exchange;
what it needs. Lines run between columns, so that none crosses a card. The layout is a function of the site alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from jhecfg.render.picture import (
    MOST_HUBS,
    PEOPLE,
    cluster_words,
    database_words,
    dns_words,
    edge_words,
    entry,
    exchange_words,
    hub_words,
    secrets_words,
)
from jhecfg.render.svg import LINE, PAD, STYLE, Box, around, card, fitted, height_of, number, rect, text, wire, xml
from jhecfg.site import Hub, Site

GAP = 16  # between cards of a column
ROOM = 28  # between a group's frame and what is in it
TOP = 30  # where a group has its name
_X = (24.0, 216.0, 420.0, 756.0, 1044.0)
_WIDTH = (140.0, 150.0, 260.0, 220.0, 190.0)


class Card(NamedTuple):
    """A card in the drawing: where it is, what it looks like, its rows, and all of its text."""

    box: Box
    kind: str
    rows: tuple[str, ...]
    tip: str
    titles: int

    def at(self, y: float) -> Card:
        """Return it at another height."""
        return self._replace(box=self.box._replace(y=y))


class Cards(NamedTuple):
    """Every card of a site, in its place."""

    people: Card
    dns: Card
    edge: Card
    inside: tuple[Card, ...]
    outside: tuple[Card, ...]
    mcp: Card | None
    exchange: Card
    database: Card
    secrets: Card


def drawing(site: Site) -> str:
    """Return an SVG document, readable on light and on dark ground; its description says the same in words."""
    cards = _cards(site)
    namespace = around([c.box for c in (cards.mcp, cards.exchange) if c is not None], PAD, TOP - 8)
    cluster = around([cards.edge.box, namespace, *(c.box for c in cards.inside)], ROOM - 8, TOP)
    shown = tuple(_each(cards))
    page = around([cluster, *(each.box for each in shown)], 24)
    body = (
        rect(page, "page", 0),
        *_group(cluster, "group", cluster_words(site)),
        *_group(namespace, "inner", "namespace " + site.namespace),
        *_wires(cards, cluster),
        *(line for each in shown for line in card(each.box, each.kind, each.rows, each.tip, each.titles)),
    )
    return "\n".join((*_head(site, page), *body, "</svg>")) + "\n"


def _each(cards: Cards) -> Iterator[Card]:
    yield from (cards.people, cards.dns, cards.edge, *cards.inside, *cards.outside)
    yield from (cards.mcp, cards.exchange) if cards.mcp is not None else (cards.exchange,)
    yield from (cards.database, cards.secrets)


def _head(site: Site, page: Box) -> Iterator[str]:
    x, y, width, height = map(number, page)
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{x} {y} {width} {height}" width="{width}" height="{height}"'
        ' role="img" aria-labelledby="title desc">'
    )
    yield f'<title id="title">{xml(f"Site {site.name}")}</title>'
    yield f'<desc id="desc">{xml(" ".join(_sentences(site)))}</desc>'
    yield f"<style>{STYLE}</style>"


def _sentences(site: Site) -> Iterator[str]:
    """Say the picture in words."""
    edge, _ = edge_words(site)
    yield f"People reach {site.domain} by DNS and {edge} in the {cluster_words(site)}."
    kind, host = database_words(site)
    yield f"The Exchange keeps its data in {kind} at {host}, over a connection with sslmode {site.database.ssl_mode}."
    yield f"Its secrets: {', '.join(secrets_words(site))}."
    if site.exchange.mcp:
        yield f"The MCP server is at {site.exchange.mcp.domain}."
    for hub in site.hubs[:MOST_HUBS]:
        where = "elsewhere" if hub.external else "in the cluster"
        yield f"JupyterHub {hub.name}, {where}, at {hub.domain}, logs in through the Exchange."
        yield f"Who may enter it: {entry(site, hub)}."
    if len(site.hubs) > MOST_HUBS:
        yield f"There are {len(site.hubs) - MOST_HUBS} more hubs."


# --- cards ------------------------------------------------------------------------------------------------------------


def _card(column: int, kind: str, words: Sequence[str]) -> Card:
    """Return a card at the top of its column; the first of its words are its title."""
    width = _WIDTH[column]
    title = fitted(words[0], width - 2 * PAD, 3, bold=True)
    rows = (*title, *(row for each in words[1:] for row in fitted(each, width - 2 * PAD, 4)))
    return Card(Box(_X[column], 0, width, height_of(rows)), kind, rows, ", ".join(words), len(title))


def _stacked(cards: Sequence[Card], y: float) -> tuple[Card, ...]:
    placed = list[Card]()
    for each in cards:
        placed.append(each.at(y))
        y += each.box.height + GAP
    return tuple(placed)


def _cards(site: Site) -> Cards:
    mcp = _card(3, "main", ("MCP server", site.exchange.mcp.domain)) if site.exchange.mcp else None
    exchange = _card(3, "main", exchange_words(site))
    edge = _card(1, "card", edge_words(site))
    # The lines from the edge to the Exchange run above the hubs: they are as high as the cards they lead to.
    row = max(exchange.box.height, edge.box.height)
    top = mcp.box.height + 2 * GAP if mcp else 0
    edge, exchange = edge.at(top + (row - edge.box.height) / 2), exchange.at(top + (row - exchange.box.height) / 2)
    shown = site.hubs[:MOST_HUBS]
    inside = [_hub(site, hub) for hub in shown if not hub.external]
    outside = [_hub(site, hub) for hub in shown if hub.external]
    more = len(site.hubs) - MOST_HUBS
    placed = _stacked(inside, top + row + 2 * GAP)
    below = max([top + row, *(each.box.bottom for each in placed)]) + ROOM + 2 * GAP
    rest = [_card(2, "hub", (f"and {more} more hubs",))] if more > 0 else []
    dns, people = _card(0, "card", dns_words(site)), _card(0, "card", PEOPLE)
    dns = dns.at(edge.box.middle - dns.box.height / 2)
    database, secrets = (
        _card(4, "store", (*database_words(site), f"sslmode {site.database.ssl_mode}")),
        _card(4, "store", secrets_words(site)),
    )
    database = database.at(exchange.box.middle - database.box.height / 2)
    return Cards(
        people=people.at(dns.box.y - people.box.height - 3 * GAP),
        dns=dns,
        edge=edge,
        inside=placed,
        outside=_stacked([*outside, *rest], below),
        mcp=mcp,
        exchange=exchange,
        database=database,
        secrets=secrets.at(database.box.bottom + 3 * GAP),
    )


def _hub(site: Site, hub: Hub) -> Card:
    return _card(2, "hub", (*hub_words(hub), "may enter: " + entry(site, hub)))


def _group(box: Box, kind: str, name: str) -> Iterator[str]:
    yield rect(box, kind, 10)
    (shown,) = fitted(name, box.width - 2 * PAD, 1)
    yield text(box.x + PAD, box.y + LINE + 2, shown, "small")


# --- lines ------------------------------------------------------------------------------------------------------------


def _wires(cards: Cards, cluster: Box) -> Iterator[str]:
    people, dns, edge, exchange = (card.box for card in (cards.people, cards.dns, cards.edge, cards.exchange))
    yield from wire([(people.centre, people.bottom), (dns.centre, dns.y)])
    yield from wire([(dns.right, dns.middle), (edge.x, edge.middle)])
    yield from wire([(edge.right, edge.middle), (exchange.x, edge.middle)])
    yield from wire([(exchange.right, cards.database.box.middle), (cards.database.box.x, cards.database.box.middle)])
    yield from _secrets(cards)
    if cards.mcp is not None:
        mcp, lane = cards.mcp.box, edge.right + 18
        yield from wire([(lane, edge.middle), (lane, mcp.middle), (mcp.x, mcp.middle)])
        yield from wire([(mcp.centre, mcp.bottom), (mcp.centre, exchange.y)])
    yield from _to_hubs(cards.inside, edge.right + 18, edge.middle)
    yield from _to_hubs([each for each in cards.outside if len(each.rows) > 1], dns.right + 16, dns.middle)
    yield from _logins(cards)


def _secrets(cards: Cards) -> Iterator[str]:
    box, lane = cards.secrets.box, cards.exchange.box.right - 40
    yield from wire([(box.x, box.middle), (lane, box.middle), (lane, cards.exchange.box.bottom)])


def _to_hubs(hubs: Sequence[Card], lane: float, start: float) -> Iterator[str]:
    if hubs:
        yield from wire([(lane, start), (lane, hubs[-1].box.middle)], head=False)
    for each in hubs:
        yield from wire([(lane, each.box.middle), (each.box.x, each.box.middle)])


def _logins(cards: Cards) -> Iterator[str]:
    """Yield the hubs' way to the Exchange: one line that all of them join."""
    hubs = [*cards.inside, *cards.outside]
    if not hubs:
        return
    box = cards.exchange.box
    lane = box.x + 50
    last = hubs[-1].box.middle
    yield from wire([(lane, last), (lane, box.bottom)], "login")
    for each in hubs:
        yield from wire([(each.box.right, each.box.middle), (lane, each.box.middle)], "login", head=False)
    yield text(lane + 8, hubs[0].box.middle + 4, "log in through", "small")
