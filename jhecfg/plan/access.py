"""Access: who may enter a hub, administer it or manage an organization who could not before, and who no longer can."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.render.hubs import REFRESH_SECONDS
from jhecfg.render.picture import entry
from jhecfg.render.steps import words
from jhecfg.site import Hub, Organization, Site

FEW = 8
"""So many people or organizations are named."""


def access(pair: Pair) -> Iterator[Effect]:
    """Yield how the circle of those who may enter changes: hubs, hub administrators, managers, self-registration."""
    olds = {hub.name: hub for hub in pair.old.hubs}
    for hub in pair.new.hubs:
        old = olds.get(hub.name)
        if old is None:
            yield _opened(pair, hub)
        else:
            yield from _entry(pair, old, hub)
            yield from _admins(pair, old, hub)
    for name in olds.keys() - {hub.name for hub in pair.new.hubs}:
        yield Effect(
            "access", Severity.DISRUPTIVE, f"hub {name}", "nobody enters any more", pair.any_of(("hubs", name))
        )
    yield from _managers(pair)
    yield from _registration(pair)


# --- who may enter ----------------------------------------------------------------------------------------------------


def _opened(pair: Pair, hub: Hub) -> Effect:
    admins = words(_some(_admin_names(pair.new, hub)))
    return Effect(
        "access",
        Severity.DISRUPTIVE if hub.access.mode == "anyone" else Severity.ATTENTION,
        f"hub {hub.name}",
        f"opens at {hub.url} for {entry(pair.new, hub)}" + (f"; {admins} administer it" if admins else ""),
        pair.any_of(("hubs", hub.name)),
    )


def _entry(pair: Pair, old: Hub, new: Hub) -> Iterator[Effect]:
    before, after = _allowed(pair.old, old), _allowed(pair.new, new)
    if before == after:
        return
    because = pair.any_of(("hubs", new.name, "access"), *_orgs_behind(pair, old, new))
    if old.access.mode != new.access.mode:
        yield _mode(pair, old, new, because)
        return
    gained = {key: name for key, name in after.items() if key not in before}
    lost = {key: name for key, name in before.items() if key not in after}
    if gained:
        text = f"wider: {words(_some(gained.values()))} may enter now"
        yield Effect("access", Severity.ATTENTION, f"hub {new.name}", text, because)
    if lost:
        text = f"narrower: {words(_some(lost.values()))} may no longer enter{_unless(new)}; {_ends(new)}"
        yield Effect("access", Severity.DISRUPTIVE, f"hub {new.name}", text, because)


def _mode(pair: Pair, old: Hub, new: Hub, because: tuple[SpecChange, ...]) -> Effect:
    wider, narrower = new.access.mode == "anyone", old.access.mode == "anyone"
    how = "wider" if wider else "narrower" if narrower else "another circle"
    return Effect(
        "access",
        Severity.DISRUPTIVE,
        f"hub {new.name}",
        f"{how}: {entry(pair.new, new)} may enter, where it was {entry(pair.old, old)}"
        + ("" if wider else f"; {_ends(new)}"),
        because,
    )


def _allowed(site: Site, hub: Hub) -> dict[str, str]:
    """Return whom a hub's rule names, by what JupyterHub compares, with what people call it."""
    names = {org.id: org.name for org in site.orgs}
    groups = {
        str(number): f"direct members of {names.get(number, number)} ({number})" for number in hub.access.group_ids
    }
    people = {user: user for user in hub.access.users}
    return {"anyone": "every practitioner"} if hub.access.mode == "anyone" else {**groups, **people}


def _orgs_behind(pair: Pair, old: Hub, new: Hub) -> Iterator[tuple[str | int, ...]]:
    """Yield the places of the organizations whose ids a hub's rule has or had: they may be what differs."""
    for site, hub in ((pair.old, old), (pair.new, new)):
        yield from (("orgs", org.name, "id") for org in site.orgs if org.id in hub.access.group_ids)


def _unless(hub: Hub) -> str:
    return ", unless another of its organizations lets them in" if len(hub.access.group_ids) > 0 else ""


def _ends(hub: Hub) -> str:
    """Say when those who lose access are out: hub_login.py asks again at every refresh."""
    who = "once its owner has installed the new values, " if hub.external else ""
    return (
        f"{who}those who are inside are asked again within {REFRESH_SECONDS // 60} minutes of their next"
        " request and then sent out"
    )


# --- administrators and managers --------------------------------------------------------------------------------------


def _admins(pair: Pair, old: Hub, new: Hub) -> Iterator[Effect]:
    before, after = _admin_names(pair.old, old), _admin_names(pair.new, new)
    gained, lost = [a for a in after if a not in before], [a for a in before if a not in after]
    because = pair.any_of(("hubs", new.name, "admins"))
    if gained:
        text = f"wider: {words(_some(gained))} may administer it now: see all users, and stop their servers"
        yield Effect("access", Severity.ATTENTION, f"hub {new.name}", text, because)
    if lost:
        text = f"narrower: {words(_some(lost))} may no longer administer it{_remembered(new)}"
        yield Effect("access", Severity.ATTENTION, f"hub {new.name}", text, because)


def _remembered(hub: Hub) -> str:
    """Say when the role ends: with groups every login and refresh decides anew, without them nothing takes it away."""
    if hub.admin_group_ids:
        return ", from their next login or refresh on"
    return ", and yet stay administrators in the hub's database until another one takes that away on its admin page"


def _admin_names(site: Site, hub: Hub) -> list[str]:
    names = {org.id: org.name for org in site.orgs}
    return [*(f"members of {names.get(n, n)} ({n})" for n in hub.admin_group_ids), *hub.admin_users]


def _managers(pair: Pair) -> Iterator[Effect]:
    old = {org.id: org for org in pair.old.orgs}
    for org in pair.new.orgs:
        before = old[org.id].managers if org.id in old else ()
        gained, lost = sorted(set(org.managers) - set(before)), sorted(set(before) - set(org.managers))
        if gained:
            yield _managed(
                pair, org, f"wider: managed by {words(_some(gained))}, once signed up with a verified address"
            )
        if lost:
            text = f"no longer in the spec: {words(_some(lost))}; a manager stays one until somebody changes that"
            yield _managed(pair, org, text)


def _managed(pair: Pair, org: Organization, text: str) -> Effect:
    because = pair.any_of(("orgs", org.name))
    return Effect("access", Severity.ATTENTION, f"organization {org.name}", text, because)


def _registration(pair: Pair) -> Iterator[Effect]:
    """Yield what becomes of self-registration: whose code counts, and what new practitioners join by themselves."""
    old, new = pair.old.exchange.invite_code, pair.new.exchange.invite_code
    if old != new:
        text = f"the code is that of the Secret {new.name} ({new.key}) instead of {old.name} ({old.key})"
        yield Effect("access", Severity.ATTENTION, "self-registration", text, pair.any_of(("exchange", "inviteCode")))
    before, after = _default_orgs(pair.old), _default_orgs(pair.new)
    if after and before != after:
        text = f"every new practitioner joins {after} at once, and may enter the hubs of these organizations"
        because = pair.any_of(("exchange", "settings", "auth.default_orgs"))
        yield Effect("access", Severity.DISRUPTIVE, "self-registration", text, because)


def _default_orgs(site: Site) -> str:
    return next((str(row.value) for row in site.exchange.settings if row.key == "auth.default_orgs"), "")


def _some(items: Iterable[str]) -> list[str]:
    every = list(items)
    more = len(every) - FEW
    return [*every[:FEW], *([f"{more} more"] if more > 0 else [])]
