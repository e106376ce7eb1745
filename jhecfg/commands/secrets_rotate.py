"""secrets rotate: a new value in the store, the old one beside it where that helps, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from jhecfg.commands.secrets import Place, next_command, on, value_of, with_values
from jhecfg.diagnostics import Misused
from jhecfg.render.runbook_rotate import refresh, restart
from jhecfg.render.steps import one_line
from jhecfg.secretstore.bring import Wishes, asked, brought, can_ask
from jhecfg.secretstore.make import makeable
from jhecfg.secretstore.names import Named, one
from jhecfg.secretstore.rotation import finished, rotated
from jhecfg.secretstore.store import load, locked, save
from jhecfg.talk import Exit, Talk


def rotate(spec: Path, talk: Talk, store: Path | None, name: str, wishes: Wishes, *, finish: bool) -> int:
    """Put a new value into the store, or drop the old one that stood beside it; say what to do then."""
    return on(spec, store, talk, lambda place: _rotate(place, talk, name, wishes, finish=finish))


def _rotate(place: Place, talk: Talk, name: str, wishes: Wishes, *, finish: bool) -> int:
    named = one(place.site, name)
    have = brought(place.site, wishes)
    if have.keys() - {named}:
        raise Misused(f"this changes {named} alone; bring no other value")
    if not finish and not have and not makeable(named.item.form):
        have = dict(asked([named])) if wishes.ask and can_ask() else {}
        if not have:
            raise Misused(f"only you know {named}; bring it, as in --from-file {named}=FILE")
    with locked(place.store):
        values = load(place.store)
        old = value_of(values, named)
        new = finished(named, old) if finish else rotated(named, old, have.get(named))
        save(place.store, with_values(values, {named: new}))
    talk.result(f"{place.store}: {named} {'holds the new value alone' if finish else 'has a new value'}\n")
    talk.result("".join(f"{line}\n" for line in _afterwards(place, named, finish=finish)))
    return Exit.OK


def _afterwards(place: Place, named: Named, *, finish: bool) -> Iterable[str]:
    """Yield what people notice, and what is to be done, in order."""
    rotation = named.item.rotation
    yield "people notice: " + ("nothing" if finish else one_line(rotation.effect))
    yield "then:"
    if next_command(place.site) == "seal":
        yield f"  {place.command('seal')}  # then `jhecfg build`, commit, and let it be delivered"
    else:
        yield f"  {place.command('apply', '--replace', str(named))}"
        if place.site.external_secrets is not None:
            yield f"  {refresh(named.need)}"
    yield from (f"  # {one_line(each)}" for each in (() if finish else rotation.steps))
    if rotation.reruns:
        yield "  # write a new word into the spec's `rerun`, `jhecfg build`, and deliver: the bootstrap Job brings it"
    yield from (f"  {restart(named.need.namespace, each)}" for each in rotation.restarts)
