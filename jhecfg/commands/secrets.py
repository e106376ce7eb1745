"""secrets init and show: a site's secret values, from nothing to complete; and what the other commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from jhecfg.diagnostics import Misused, Severity, SpecError, ToolError, in_order
from jhecfg.parse import parse
from jhecfg.pipeline import located
from jhecfg.render.steps import one_line
from jhecfg.resolve import resolve
from jhecfg.secretstore.bring import Wishes, asked, brought, can_ask
from jhecfg.secretstore.check import problems
from jhecfg.secretstore.make import make, makeable
from jhecfg.secretstore.names import Named, one, owned
from jhecfg.secretstore.store import Values, load, locked, save, store_path
from jhecfg.site import Site
from jhecfg.source import load as load_spec
from jhecfg.talk import Exit, Talk


class Place(NamedTuple):
    """What every command starts from: the site, the spec's path as it was typed, and the store."""

    site: Site
    spec: Path
    store: Path

    def command(self, name: str, *words: str) -> str:
        """Return a further command about this site, to be shown."""
        from shlex import join

        store = [] if self.store == store_path(self.spec, self.site.name) else ["--store", str(self.store)]
        return join(["jhecfg", "secrets", name, *store, str(self.spec), *words])


def on(spec: Path, store: Path | None, talk: Talk, command: Callable[[Place], int]) -> int:
    """Run a command about the secrets of a spec's site; say what is wrong with the spec, the words or the machine."""
    _leave_no_core()
    try:
        site = site_of(spec, talk)
        if site is None:
            return Exit.SPEC
        return command(Place(site, spec, store or store_path(spec, site.name)))
    except ToolError as error:
        talk.complain(f"jhecfg: {one_line(str(error))}")
        return Exit.ENVIRONMENT
    except Misused as error:
        talk.complain(f"jhecfg: {one_line(str(error))}")
        return Exit.USAGE


def _leave_no_core() -> None:
    """Let the system keep no memory of this process on disk, should it crash: there are secrets in it."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))


def site_of(spec: Path, talk: Talk) -> Site | None:
    """Resolve a spec; where it does not resolve say why, and return None. Raises ToolError where it cannot be read.

    No rule judges it: what a build would refuse has its secrets all the same.
    """
    try:
        source = load_spec(spec, sealed=False)
        resolution = resolve(parse(source))
    except SpecError as error:
        talk.diagnostics(error.diagnostics, {}, "")
        return None
    errors = [each for each in resolution.problems if each[1].severity is Severity.ERROR]
    if errors:
        talk.diagnostics(in_order(located(source, (), errors)), {}, "")
        return None
    return resolution.site


# --- init -------------------------------------------------------------------------------------------------------------


def init(spec: Path, talk: Talk, store: Path | None, wishes: Wishes) -> int:
    """Make what the store lacks; never change what it has. Exit 5 where something is missing still."""
    return on(spec, store, talk, lambda place: _init(place, talk, wishes))


def _init(place: Place, talk: Talk, wishes: Wishes) -> int:
    have = brought(place.site, wishes)
    with locked(place.store):
        values = load(place.store)
        refuse_bad(place, values)
        taken = next((named for named in have if value_of(values, named) is not None), None)
        if taken is not None:
            raise Misused(f"{taken} is in {place.store} already; {place.command('rotate', str(taken))} changes it")
        lacking = _missing(place.site, values, have)
        new = {named: make(named.item.form) for named in lacking if makeable(named.item.form)}
        values = with_values(values, {**have, **new})
        if have or new:
            save(place.store, values)
        lacking = _missing(place.site, values, ())
        typed = asked(lacking) if lacking and wishes.ask and can_ask() else {}
        values = with_values(values, typed)
        if typed:
            save(place.store, values)
    _tell_init(place, talk, {"made": new, "brought": {**have, **typed}, "missing": _missing(place.site, values, ())})
    return Exit.ENVIRONMENT if _missing(place.site, values, ()) else Exit.OK


def _missing(site: Site, values: Values, besides: Iterable[Named]) -> list[Named]:
    return [named for named in owned(site) if value_of(values, named) is None and named not in set(besides)]


def value_of(values: Values, named: Named) -> str | None:
    """Return what the store holds for a value, if anything."""
    return values.get(named.place, {}).get(named.item.key)


def with_values(values: Values, new: Mapping[Named, str]) -> Values:
    """Return the store's values with some new ones; the order of what is there stays."""
    result = {place: dict(items) for place, items in values.items()}
    for named, text in new.items():
        result.setdefault(named.place, {})[named.item.key] = text
    return result


def refuse_bad(place: Place, values: Values) -> None:
    """Raise Misused for a value in the store that will not do where it is used."""
    found = [f"{Named(need, item)} {problem}" for need, item, problem in problems(place.site, values)]
    if found:
        raise Misused(f"{place.store}: {'; '.join(found)}")


def _tell_init(place: Place, talk: Talk, became: Mapping[str, Iterable[Named]]) -> None:
    lines = [f"  {word:8} {named}\n" for word, some in became.items() for named in some]
    count = len(list(owned(place.site)))
    lacking = list(became["missing"])
    talk.result(f"{place.store}: {count - len(lacking)} of {count} secrets\n" + "".join(lines))
    if lacking:
        option = f"--from-file {lacking[0]}=FILE"
        talk.complain(f"jhecfg: {len(lacking)} missing; run it in a terminal, or bring them, as in {option}")
        return
    talk.say(f"next: {place.command(next_command(place.site))}")


def next_command(site: Site) -> str:
    """Return the command that brings the store's values to where the site's backend keeps them."""
    return "seal" if site.secrets_backend in ("sealed-secrets", "sops") else "apply"


# --- show -------------------------------------------------------------------------------------------------------------


def show(spec: Path, talk: Talk, store: Path | None, name: str) -> int:
    """Print one value, to a program or a file and never to a terminal."""

    def command(place: Place) -> int:
        named = one(place.site, name)
        value = value_of(load(place.store), named)
        if value is None:
            raise ToolError(f"{named} is not in {place.store}; run {place.command('init')}")
        refuse_terminal(f"a person reads it in {place.store}")
        talk.secret(value)
        return Exit.OK

    return on(spec, store, talk, command)


def refuse_terminal(instead: str) -> None:
    """Raise Misused where a secret would be seen on a screen, and stay in its history."""
    if sys.stdout.isatty():
        raise Misused(f"this would show secrets on the terminal; send it to a program, as in `… | …`; {instead}")
