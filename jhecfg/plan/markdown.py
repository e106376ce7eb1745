"""Markdown: plans as a bot posts them on a pull request; nothing of a spec is markup, mentions anybody or links."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jhecfg.plan.model import Effect, Plan, Severity
from jhecfg.plan.text import STEPS, commands_of, gravest_first, headline, where
from jhecfg.plan.values import arrow, dotted
from jhecfg.render.steps import bash, code, table
from jhecfg.render.steps import text as escaped

MARKER = "<!-- jhecfg plan -->"
"""The first line, by which a bot finds its own comment again."""
MOST = 60_000
"""Characters of a comment, with room for a bot's own words; GitHub takes 65,536."""
ICONS = {
    Severity.DATA: "🛑 data",
    Severity.OUTAGE: "🔴 outage",
    Severity.DISRUPTIVE: "🟠 disruptive",
    Severity.ATTENTION: "🟡 attention",
    Severity.SAFE: "🟢 safe",
}
_MORE = "And {} more sites change: run `jhecfg plan`."

# GitHub looks for `@name` and `#1` in what Markdown has become, where an entity is the character itself: what helps is
# that no name follows. A `#` of an entity that `escaped` made is none of them.
_SIGNS = re.compile(r"@|(?<!(?<!\\)&)#")


def markdown(plans: Sequence[Plan], most: int = MOST) -> str:
    """Return the plans as one page of at most so many characters (0: however many).

    Sites that change come whole, the gravest first; of those that do not fit, the headline; the others in one line.
    """
    moved = sorted((plan for plan in plans if plan.verb != "same"), key=lambda plan: -plan.severity)
    still = [plan for plan in plans if plan.verb == "same"]
    tail = f"No output changes: {', '.join(code(plan.site) for plan in still)}." if still else ""
    if most and len(tail) > most // 4:
        tail = f"No output changes in {len(still)} sites."
    whole = ["\n\n".join(_site(plan)) for plan in moved]
    if most:
        whole = _fitting(whole, moved, most - sum(len(part) + 4 for part in (MARKER, _MORE, tail)))
    return "\n\n".join([MARKER, *whole, *([tail] if tail else [])]) + "\n"


def _fitting(whole: Sequence[str], plans: Sequence[Plan], room: int) -> list[str]:
    """Return what fits into so many characters: whole sites, then headlines, then how many more there are."""
    short = [_short(plan) for plan in plans]
    lengths = [len(text) + 2 for text in short]
    left, kept = room - sum(lengths), 0
    while kept < len(whole) and left >= len(whole[kept]) + 2 - lengths[kept]:
        left -= len(whole[kept]) + 2 - lengths[kept]
        kept += 1
    parts = [*whole[:kept], *short[kept:]]
    while left < 0 and parts:
        left += len(parts.pop()) + 2
    gone = len(plans) - len(parts)
    return [*parts, _MORE.format(gone)] if gone else parts


def _short(plan: Plan) -> str:
    return f"### {_plain(headline(plan))}\n\nThis plan is too long for this page: run `jhecfg plan`."


def _site(plan: Plan) -> Iterator[str]:
    yield f"### {_plain(headline(plan))}"
    yield from (f"> {_plain(note)}" for note in plan.notes)
    forward = [effect for effect in plan.effects if effect.kind != "rollback"]
    if forward:
        yield table(("", "what", "why"), (_row(effect) for effect in gravest_first(forward)))
    for when, title in STEPS:
        lines = commands_of([effect for effect in forward if effect.when == when])
        if lines:
            yield f"**Commands {title}**, in {code(f'out/{plan.site}/')}:"
            yield bash(*lines)
    yield from _back([effect for effect in plan.effects if effect.kind == "rollback"])
    yield from _details(plan)


def _row(effect: Effect) -> tuple[str, str, str]:
    places = dict.fromkeys(code(where(change)) for change in effect.because[:3])
    return ICONS[effect.severity], f"**{_plain(effect.subject)}** {_plain(effect.text)}", " ".join(places)


def _back(effects: Sequence[Effect]) -> Iterator[str]:
    if effects:
        yield "**To go back**"
        yield "\n".join(f"- {_plain(effect.subject)}: {_plain(effect.text)}" for effect in effects)
    lines = commands_of(effects)
    if lines:
        yield bash(*lines)


def _details(plan: Plan) -> Iterator[str]:
    if plan.changes and plan.changes[0].name:
        rows = ((code(dotted(c.name)), code(arrow(c.was, c.becomes, c.name)), code(where(c))) for c in plan.changes)
        yield "<details><summary>Spec</summary>"
        yield table(("key", "change", "line"), rows)
        yield "</details>"
    if plan.objects:
        yield f"<details><summary>Outputs ({len(plan.objects)})</summary>"
        yield "\n".join(f"- {change.verb}: {code(change.path)}" for change in plan.objects)
        yield "</details>"


def _plain(value: str) -> str:
    """Return text that is no markup, mentions nobody and links nowhere: GitHub acts on `@name`, `#1` and addresses."""
    safe = _SIGNS.sub(r"\g<0>&#8203;", escaped(value))
    return safe.replace("://", "&#58;//").replace("www.", "www&#46;")
