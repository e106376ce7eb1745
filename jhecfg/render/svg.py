"""Shapes: the few that a drawing is made of, as SVG text in which nothing of a spec is markup."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jhecfg.render.steps import one_line

LINE = 18
"""Height of a line of text, in the drawing's own units (pixels at full size)."""
PAD = 12
_LETTER = 7.4  # about the width of a letter of 12 units; text is broken by it, a little early rather than late
_BOLD = 8.2  # and of a title's, of 13
_NOT_XML = re.compile("[^\\t\\n\\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

# Colours are said twice, for light and for dark surroundings. Text keeps a contrast of 4.5 or more on its card.
STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; fill: #1f2328; }
.title { font-weight: 600; }
.small { fill: #59636e; font-size: 12px; }
.page { fill: #ffffff; }
.group { fill: #f6f8fa; stroke: #afb8c1; stroke-dasharray: 4 3; }
.inner { fill: #eef2f6; stroke: #afb8c1; stroke-dasharray: 4 3; }
.card { fill: #ffffff; stroke: #59636e; }
.main { fill: #ddf4ff; stroke: #0969da; }
.hub { fill: #fff1e5; stroke: #bc4c00; }
.store { fill: #dafbe1; stroke: #1a7f37; }
.wire { fill: none; stroke: #59636e; stroke-width: 1.5; }
.login { fill: none; stroke: #bc4c00; stroke-width: 1.5; stroke-dasharray: 5 4; }
.head { fill: #59636e; }
.loginhead { fill: #bc4c00; }
@media (prefers-color-scheme: dark) {
text { fill: #f0f6fc; }
.small { fill: #b7bfc8; }
.page { fill: #0d1117; }
.group { fill: #151b23; stroke: #656c76; }
.inner { fill: #1c232d; stroke: #656c76; }
.card { fill: #212830; stroke: #9198a1; }
.main { fill: #0c2d4d; stroke: #4493f8; }
.hub { fill: #3d2008; stroke: #f0883e; }
.store { fill: #0f2f1a; stroke: #3fb950; }
.wire { stroke: #9198a1; }
.login { stroke: #f0883e; }
.head { fill: #9198a1; }
.loginhead { fill: #f0883e; }
}
"""


class Box(NamedTuple):
    """A rectangle: its left upper corner, width and height."""

    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """The x of its right side."""
        return self.x + self.width

    @property
    def bottom(self) -> float:
        """The y of its lower side."""
        return self.y + self.height

    @property
    def middle(self) -> float:
        """The y of its middle."""
        return self.y + self.height / 2

    @property
    def centre(self) -> float:
        """The x of its middle."""
        return self.x + self.width / 2


def around(boxes: Iterable[Box], pad: float, head: float = 0) -> Box:
    """Return the smallest box around others, with so much room, and more above."""
    every = list(boxes)
    left, top = min(each.x for each in every) - pad, min(each.y for each in every) - pad - head
    right, bottom = max(each.right for each in every) + pad, max(each.bottom for each in every) + pad
    return Box(left, top, right - left, bottom - top)


def xml(text: str) -> str:
    """Return a text on one line, with nothing in it that XML reads or refuses."""
    # Not xml.sax.saxutils, which imports half of the network to do the same.
    escaped = html.escape(_NOT_XML.sub("\ufffd", one_line(text)), quote=False)
    return escaped.replace('"', "&quot;").replace("'", "&apos;")


def fitted(text: str, width: float, most: int, *, bold: bool = False) -> list[str]:
    """Break a text into at most so many lines that fit a width; what is left over becomes an ellipsis."""
    lines, rest = list[str](), one_line(text)
    room = int(width / (_BOLD if bold else _LETTER))
    while rest and len(lines) < most:
        end = _end(rest, room)
        lines.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    if rest:
        lines[-1] = lines[-1][: max(1, _fits(lines[-1], room - 1))].rstrip() + "…"
    return lines


def _end(text: str, room: int) -> int:
    """Return how much of a text fits, up to where it may be broken: behind a space, or else behind a mark in a name."""
    most = _fits(text, room)
    if most == len(text):
        return most
    for breaks in (" ", ".,/@-"):
        end = max(text.rfind(each, 0, most) for each in breaks) + 1
        if end > most / 3:
            return end
    return max(1, most)


def _fits(text: str, room: int) -> int:
    """Return how many characters of a text fit into so many columns."""
    for index, character in enumerate(text):
        room -= 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if room < 0:
            return index
    return len(text)


def height_of(rows: Sequence[str]) -> float:
    """Return how high a card with so many lines is."""
    return len(rows) * LINE + 2 * PAD - 4


def card(box: Box, kind: str, rows: Sequence[str], tip: str, titles: int = 1) -> Iterator[str]:
    """Yield a card: its first rows are its title; `tip` is what a pointer shows, the whole of its text."""
    yield f"<g><title>{xml(tip)}</title>"
    yield rect(box, kind, 8)
    for number, row in enumerate(rows):
        style = "title" if number < titles else "small"
        yield text(box.centre, box.y + PAD + LINE * number + 11, row, style, "middle")
    yield "</g>"


def rect(box: Box, kind: str, radius: int) -> str:
    """Return a rectangle with round corners."""
    x, y, width, height = map(number, box)
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="{radius}"/>'


def text(x: float, y: float, words: str, kind: str, anchor: str = "start") -> str:
    """Return one line of text."""
    return f'<text class="{kind}" x="{number(x)}" y="{number(y)}" text-anchor="{anchor}">{xml(words)}</text>'


def wire(points: Sequence[tuple[float, float]], kind: str = "wire", *, head: bool = True) -> Iterator[str]:
    """Yield a line through points, one after the other to the side or up and down, with an arrow's head at its end."""
    steps = " L".join(f"{number(x)} {number(y)}" for x, y in points)
    yield f'<path class="{kind}" d="M{steps}"/>'
    if head:
        (x0, y0), (x, y) = points[-2:]
        dx, dy = _sign(x - x0), _sign(y - y0)
        back, side = (x - 9 * dx, y - 9 * dy), (4.5 * dy, 4.5 * dx)
        corners = ((x, y), (back[0] + side[0], back[1] + side[1]), (back[0] - side[0], back[1] - side[1]))
        path = " ".join(f"{number(a)},{number(b)}" for a, b in corners)
        yield f'<polygon class="{"loginhead" if kind == "login" else "head"}" points="{path}"/>'


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def number(value: float) -> str:
    """Write a number without needless digits."""
    return f"{value:.1f}".removesuffix(".0")
