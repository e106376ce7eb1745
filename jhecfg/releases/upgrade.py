"""Upgrade: what lies between two releases, in the database and for the people who use the site meanwhile."""

from __future__ import annotations

from typing import NamedTuple

from jhecfg.releases.exchange import RELEASES, Release


class Upgrade(NamedTuple):
    """What lies between two releases, read from the earlier to the later or, with `backwards`, the other way.

    The facts are those of the pair, whichever way it is travelled; where they are words, one phrase a step, as in
    `Release`. `breaks` is what the earlier app does wrong on the later schema, which it meets between the migrate Job
    and the new pods, and again when a site goes back; `outage`: it is so much that it serves nobody.

    `steps`: the later releases that are entered (or left), oldest first; empty between one release and itself.
    `migrations`: by Django app, the last migration before (`zero`: the app is new) and after; only apps that move.
    `back`: the arguments of `manage.py migrate APP TARGET`, run with the later image, that restore the earlier schema.
    """

    old: Release
    new: Release
    backwards: bool
    steps: tuple[Release, ...]
    outage: bool
    breaks: tuple[str, ...]
    deletes: tuple[str, ...]
    stops: tuple[str, ...]
    migrations: dict[str, tuple[str, str]]
    back: dict[str, str]
    loses: tuple[str, ...]
    sticks: tuple[str, ...]


def upgrade(old: Release, new: Release) -> Upgrade:
    """Say what lies between two releases. An unknown release is treated as the newest, whose facts it carries."""
    first, last = _place(old), _place(new)
    earlier, later = sorted((old, new), key=_place)
    steps = RELEASES[min(first, last) + 1 : max(first, last) + 1]
    migrations = {
        app: (earlier.migrations.get(app, "zero"), name)
        for app, name in later.migrations.items()
        if earlier.migrations.get(app) != name
    }
    return Upgrade(
        old=old,
        new=new,
        backwards=first > last,
        steps=steps,
        outage=any(step.breaks_older for step in steps),
        breaks=tuple(step.breaks for step in steps if step.breaks),
        deletes=tuple(step.deletes for step in steps if step.deletes),
        stops=tuple(step.stops for step in steps if step.stops),
        migrations=migrations,
        back={app: before for app, (before, _) in migrations.items()},
        loses=tuple(step.loses for step in steps if step.loses),
        sticks=tuple(step.sticks for step in steps if step.sticks),
    )


def _place(release: Release) -> int:
    return [known.version for known in RELEASES].index(release.version)
