"""Markdown: plans as a bot posts them on a pull request; nothing of a spec is markup, mentions anybody or links."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.plan.model import Effect, Plan, Severity
from jhecfg.plan.text import STEPS, commands_of, gravest_first, headline, where
from jhecfg.plan.values import arrow, dotted
from jhecfg.render.steps import bash, code, table
from jhecfg.render.steps import text as escaped

MARKER = "<!-- jhecfg plan -->"
"""The first line, by which a bot finds its own comment again."""
MOST = 60_000
"""Characters of a comment; GitHub takes 65,536."""
ICONS = {
    Severity.DATA: "🛑 data",
    Severity.OUTAGE: "🔴 outage",
    Severity.DISRUPTIVE: "🟠 disruptive",
    Severity.ATTENTION: "🟡 attention",
    Severity.SAFE: "🟢 safe",
}


_SIGNS = str.maketrans({"@": "&#64;", "#": "&#35;"})


def markdown(plans: Sequence[Plan]) -> str:
    """Return the plans as one page. Sites that change come whole, the gravest first; the others in one line."""
    moved = sorted((plan for plan in plans if plan.verb != "same"), key=lambda plan: -plan.severity)
    still = [plan for plan in plans if plan.verb == "same"]
    parts = [MARKER, *("\n\n".join(_site(plan)) for plan in moved)]
    if still:
        parts.append(f"No output changes: {', '.join(code(plan.site) for plan in still)}.")
    page = "\n\n".join(parts) + "\n"
    return page if len(page) <= MOST else "\n\n".join([MARKER, *map(_short, moved)]) + "\n"


def _short(plan: Plan) -> str:
    return f"### {_plain(headline(plan))}\n\nThis plan is too long for a comment: run `jhecfg plan`."


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
    safe = escaped(value).translate(_SIGNS)
    return safe.replace("://", "&#58;//").replace("www.", "www&#46;")
