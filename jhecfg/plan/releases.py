"""Releases: what another image of the Exchange does to the database, and to those who use the site meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.model import Effect, Pair, Severity
from jhecfg.plan.shell import backup, manage
from jhecfg.releases import Upgrade, upgrade
from jhecfg.render.steps import quote, words

IMAGE = ("image",)


def releases(pair: Pair) -> Iterator[Effect]:
    """Yield what going from one release to another means; nothing where both images are of one release."""
    old, new = pair.old, pair.new
    if old.image.reference == new.image.reference:
        return
    yield from _unknown(pair)
    way = upgrade(old.release, new.release)
    if way.backwards:
        yield from _down(pair, way)
    elif way.steps:
        yield from _up(pair, way)


def _unknown(pair: Pair) -> Iterator[Effect]:
    unknown = [site.image.tag for site in (pair.old, pair.new) if not site.release.known]
    if unknown:
        yield Effect(
            "database",
            Severity.ATTENTION,
            "release",
            f"jhecfg does not know {words(dict.fromkeys(unknown))}: what is said of it are the facts of"
            f" {pair.new.release.version}, the newest it knows; which migrations its image brings, the migrate"
            " Job shows",
            pair.any_of(IMAGE),
        )


def _up(pair: Pair, way: Upgrade) -> Iterator[Effect]:
    because = pair.any_of(IMAGE)
    if way.migrations:
        yield Effect(
            "database",
            Severity.ATTENTION,
            "schema",
            f"the migrate Job moves the schema from {way.old.version} to {way.new.version}: {moves(way)};"
            " take a backup first",
            because,
            backup(pair.old),
        )
    if way.deletes:
        text = f"migrating deletes for good: {'; '.join(way.deletes)}. Copy first what you need of it"
        yield Effect("database", Severity.DATA, "data", text, because)
    if way.stops:
        text = f"the migrate Job fails at this, and must not find it: {'; '.join(way.stops)}"
        yield Effect("database", Severity.ATTENTION, "migrate", text, because)
    if way.breaks:
        yield Effect(
            "outage",
            Severity.OUTAGE if way.outage else Severity.DISRUPTIVE,
            "Exchange",
            f"from the start of the migrate Job until the new pods are ready, the pods of {pair.old.image.tag} serve"
            f" on a schema that they do not fit: {'; '.join(way.breaks)}",
            because,
        )


def _down(pair: Pair, way: Upgrade) -> Iterator[Effect]:
    because = pair.any_of(IMAGE)
    said = (
        f"; {pair.new.image.tag} on the schema of {pair.old.image.tag}: {'; '.join(way.breaks)}" if way.breaks else ""
    )
    if way.migrations:
        yield Effect(
            "database",
            Severity.DATA if way.loses else Severity.OUTAGE,
            "schema",
            "this goes back to an earlier release, and the schema does not go back by itself: the migrate Job of"
            f" {pair.new.image.tag} finds nothing to do{said}. Take a backup, then take the migrations back with the"
            f" pods of {pair.old.image.tag}, which fail from then on until the new ones are ready{_lost(way)}",
            because,
            commands=(*backup(pair.old), *taken_back(pair, way)),
        )
    if way.breaks:
        yield Effect(
            "outage",
            Severity.OUTAGE,
            "Exchange",
            f"from taking the migrations back until the pods of {pair.new.image.tag} are ready, the Exchange"
            " answers errors",
            because,
        )


def _lost(way: Upgrade) -> str:
    lost = f". Going back deletes for good: {'; '.join(way.loses)}" if way.loses else ""
    return lost + (f". It fails at this: {'; '.join(way.sticks)}" if way.sticks else "")


def moves(way: Upgrade) -> str:
    """Say which migrations lie between two releases."""
    return ", ".join(f"{app} {before[:4]} to {after}" for app, (before, after) in way.migrations.items())


def taken_back(pair: Pair, way: Upgrade) -> tuple[str, ...]:
    """Return the commands that take the migrations back, in pods that still run the later image."""
    later = pair.old if way.backwards else pair.new
    return tuple(manage(later, "migrate", quote(app), quote(target)) for app, target in way.back.items())
