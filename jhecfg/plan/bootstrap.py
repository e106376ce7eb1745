"""Bootstrap: what the bootstrap Job does in the Exchange because of a change, and what it leaves as it is.

It makes and corrects, and never deletes (render/files/bootstrap.py): what goes out of the spec stays in the database.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.plan.values import shown
from jhecfg.releases import MANAGED_SETTINGS
from jhecfg.render.bootstrap import bootstrap_data
from jhecfg.render.steps import words
from jhecfg.site import Organization

Named = dict[str, dict[str, Any]]


def bootstrap(pair: Pair) -> Iterator[Effect]:
    """Yield what comes, changes and stays behind: the superuser, OAuth applications, organizations and settings."""
    yield from _admin(pair)
    yield from _applications(pair)
    yield from _organizations(pair)
    yield from _settings(pair)


def _admin(pair: Pair) -> Iterator[Effect]:
    old, new = pair.old.exchange.admin_email, pair.new.exchange.admin_email
    if old.lower() != new.lower():
        yield Effect(
            "access",
            Severity.ATTENTION,
            "superuser",
            f"{new} becomes a superuser; {old} stays one until somebody takes that away in the Exchange"
            f" ({pair.new.exchange.url}/admin/)",
            pair.any_of(("admin",), ("contact",)),
        )


def _applications(pair: Pair) -> Iterator[Effect]:
    old, new = ({a["clientId"]: a for a in bootstrap_data(site)["applications"]} for site in (pair.old, pair.new))
    names = {app["name"] for app in new.values()}
    gone = [client for client, app in old.items() if client not in new and app["name"] not in names]
    if gone:
        yield Effect(
            "login",
            Severity.ATTENTION,
            "OAuth applications",
            f"{_list(gone)} stays registered and still logs people in: delete it in the Exchange"
            f" ({pair.new.exchange.url}/admin/oauth2_provider/application/)",
            _clients(pair, gone),
            when="after",
        )


def _clients(pair: Pair, clients: list[str]) -> tuple[SpecChange, ...]:
    hubs = [("hubs", hub.name) for hub in pair.old.hubs if hub.client_id in clients]
    return pair.any_of(*hubs, ("exchange", "mcp"), ("site",))


def _organizations(pair: Pair) -> Iterator[Effect]:
    old, new = ({org.id: org for org in site.orgs} for site in (pair.old, pair.new))
    by_name = {org.name: org for org in pair.new.orgs}
    for number, org in old.items():
        other = by_name.get(org.name)
        if number not in new and other is not None:
            yield _other_id(pair, org, other)
        elif number not in new:
            yield _left(pair, org)
        elif _facts(org) != _facts(new[number]):
            yield _differs(pair, org, new[number])
    made = [f"{org.name} ({org.id})" for org in pair.new.orgs if org.id not in old and org.name not in _names(pair)]
    if made:
        yield Effect(
            "job", Severity.SAFE, "organizations", f"the bootstrap Job makes {_list(made)}", pair.any_of(("orgs",))
        )


def _names(pair: Pair) -> set[str]:
    return {org.name for org in pair.old.orgs}


def _other_id(pair: Pair, old: Organization, new: Organization) -> Effect:
    return Effect(
        "access",
        Severity.DATA,
        f"organization {old.name}",
        f"an id cannot change: the bootstrap Job makes a second organization {new.id} of this name, empty; members,"
        f" studies and patients' data stay with {old.id}, and hubs that ask for {new.id} let none of its members in",
        pair.any_of(("orgs", old.name, "id")),
    )


def _left(pair: Pair, org: Organization) -> Effect:
    return Effect(
        "note",
        Severity.ATTENTION,
        f"organization {org.name}",
        f"goes out of the spec and stays in the Exchange as {org.id}, with its members, studies and data; whoever may"
        " delete it there does that by hand",
        pair.any_of(("orgs", org.name)),
    )


def _facts(org: Organization) -> tuple[str, str, int]:
    return org.name, org.type, org.parent_id


def _differs(pair: Pair, old: Organization, new: Organization) -> Effect:
    what = [
        f"{name} {a} → {b}"
        for name, a, b in zip(("name", "type", "parent"), _facts(old), _facts(new), strict=True)
        if a != b
    ]
    return Effect(
        "note",
        Severity.SAFE if new.manage else Severity.ATTENTION,
        f"organization {new.name}",
        f"{words(what)}: "
        + (
            "the bootstrap Job writes it into the Exchange"
            if new.manage
            else "the Exchange keeps what it has, and the Job says that it differs; `manage: true` writes it there"
        ),
        pair.any_of(("orgs", new.name), ("orgs", old.name)),
    )


def _settings(pair: Pair) -> Iterator[Effect]:
    old, new = ({s["key"]: s for s in bootstrap_data(site)["settings"]} for site in (pair.old, pair.new))
    for key, row in new.items():
        if key not in old or old[key] != row:
            value = shown(row["value"], (key,)) if "value" in row else "a secret"
            text = f"{_was(old.get(key), key)}{value}; pods read it within a minute, without a restart"
            yield Effect("note", Severity.SAFE, f"setting {key}", text, _setting_changes(pair, key))
    for key in old.keys() - new.keys():
        if key in pair.new.release.settings:
            text = "goes out of the spec and stays in the Exchange as it is: write the value that it shall have"
            yield Effect("note", Severity.ATTENTION, f"setting {key}", text, _setting_changes(pair, key))


def _was(row: dict[str, Any] | None, key: str) -> str:
    return f"{shown(row['value'], (key,))} → " if row is not None and "value" in row else "becomes "


def _setting_changes(pair: Pair, key: str) -> tuple[SpecChange, ...]:
    field = tuple(MANAGED_SETTINGS[key].split(".")) if key in MANAGED_SETTINGS else ("exchange", "settings", key)
    return pair.written(*field) or pair.shaped("manifests/40-bootstrap/configmap-bootstrap.yaml")


def _list(items: list[str], most: int = 5) -> str:
    more = len(items) - most
    return words([*items[:most], *([f"{more} more"] if more > 0 else [])])
