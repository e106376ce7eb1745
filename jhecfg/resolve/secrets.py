"""Secrets: every one that the site needs, by namespace, name and key, its readers, its changes; never a value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from jhecfg.diagnostics import Finding, Loc, did_you_mean
from jhecfg.releases import Release
from jhecfg.resolve.problems import Problems
from jhecfg.site import Database, Exchange, Hub, Remote, Rotation, SecretForm, SecretItem, SecretKey, SecretNeed
from jhecfg.spec import SiteSpec
from jhecfg.spec.base import SecretRefSpec

OWN = frozenset({"jhe-exchange", "jhe-database", "jhe-bootstrap", "jhe-smtp", "jhe-mcp", "jhe-wearables"})
"""The Secrets of the Exchange that are the site's own; what the spec names otherwise is made by its owner."""

HUB_SECRET = "hub-secrets"  # noqa: S105 - the name of a Secret

WHOLE = "*"
"""In the place of a key: a Secret that is read whole, as a volume or to log in to a registry."""


class _Entry(NamedTuple):
    """A value, before it is put to its Secret."""

    ref: SecretKey
    item: SecretItem


def secret_key_of(ref: SecretRefSpec | None, name: str, key: str) -> SecretKey:
    """Return the spec's own reference, or else the site's."""
    return SecretKey(name=ref.name, key=ref.key) if ref else SecretKey(name=name, key=key)


def secrets_of(
    spec: SiteSpec, release: Release, ex: Exchange, db: Database, hubs: tuple[Hub, ...], problems: Problems
) -> tuple[SecretNeed, ...]:
    """List every Secret the site needs, by namespace and name, each key once."""
    entries = [*_exchange(ex, db), *_optional(release, ex)]
    own = _needs(spec.namespace, _kept_elsewhere(spec, entries, problems), OWN)
    return (*own, *(need for hub in hubs if not hub.external for need in _hub_secrets(hub)))


def _needs(namespace: str, entries: list[_Entry], own: frozenset[str]) -> tuple[SecretNeed, ...]:
    names = dict.fromkeys(entry.ref.name for entry in entries)
    return tuple(
        SecretNeed(
            namespace=namespace,
            name=name,
            owned=name in own,
            items=tuple(entry.item for entry in entries if entry.ref.name == name),
        )
        for name in names
    )


def _kept_elsewhere(spec: SiteSpec, entries: list[_Entry], problems: Problems) -> list[_Entry]:
    """Note at the entries where AWS holds their values; an entry of `secrets.remote` that is none of them is said."""
    remote = {SecretKey(name=each.secret, key=each.key): each for each in spec.secrets.remote}
    own = [entry.ref for entry in entries if entry.ref.name in OWN]
    for index, each in enumerate(spec.secrets.remote):
        if SecretKey(name=each.secret, key=each.key) not in own:
            hint = did_you_mean(f"{each.secret}/{each.key}", [f"{ref.name}/{ref.key}" for ref in own])
            message = f"the Exchange has no secret of its own called '{each.secret}/{each.key}'"
            problems.add("unknown-secret", Finding(loc=("secrets", "remote", index), message=message, hint=hint))
    return [
        entry._replace(item=entry.item._replace(remote=Remote(found.name, found.property))) if found else entry
        for entry in entries
        for found in [remote.get(entry.ref)]
    ]


def _entry(ref: SecretKey, purpose: str, form: SecretForm, consumers: tuple[str, ...], rotation: Rotation) -> _Entry:
    return _Entry(ref, SecretItem(key=ref.key, purpose=purpose, form=form, consumers=consumers, rotation=rotation))


# --- the Exchange -----------------------------------------------------------------------------------------------------

_APP = ("deployment/exchange",)
_BOOTSTRAP = ("job/bootstrap",)
_MCP = ("deployment/mcp",)


def _readers(ex: Exchange) -> tuple[str, ...]:
    """Return the pods that have the Exchange's whole environment."""
    return (*_APP, "job/migrate", *_BOOTSTRAP, *(["cronjob/ow-poll"] if ex.wearables else []))


def _exchange(ex: Exchange, db: Database) -> Iterator[_Entry]:
    """Yield what every Exchange has. What a new value does was run on real releases (facts/jhe.md 7, 8)."""
    readers = _readers(ex)
    yield _entry(
        ex.secret_key,
        "Django SECRET_KEY: signs sessions",
        "url-safe",
        readers,
        Rotation(
            effect="everybody signs in to the Exchange again; links in mails that were sent before end",
            restarts=_APP,
        ),
    )
    yield _entry(
        ex.oidc_key,
        "RSA key that signs the Exchange's ID tokens",
        "rsa",
        readers,
        Rotation(
            effect="ID tokens signed before no longer verify (they live ten hours); sessions and hub logins stay",
            restarts=_APP,
        ),
    )
    # With an RDS instance of our own the application's user is ours too, and so is its password.
    yield _entry(db.password, f"password of the database user {db.user}", _form(db), readers, _database(db))
    yield _entry(
        ex.admin_password,
        f"password of the first superuser, {ex.admin_email}",
        "code",
        _BOOTSTRAP,
        Rotation(
            effect="nothing by itself: it is read once, when the superuser is made",
            steps=(f"set it there too: manage.py changepassword {ex.admin_email}, in a pod of the Exchange",),
        ),
    )
    yield _entry(
        ex.invite_code,
        "code that self-registration asks for",
        "code",
        _BOOTSTRAP,
        Rotation(effect="the old code ends a minute after the bootstrap Job has run; accounts stay", reruns=True),
    )


def _form(db: Database) -> SecretForm:
    return "url-safe" if db.rds else "given"


def _database(db: Database) -> Rotation:
    tell = "the step of “Secrets” that makes its user" if db.rds else f"ALTER ROLE {db.user} PASSWORD …"
    return Rotation(
        effect="the Exchange answers errors from the moment the database has the new one until its pods are restarted",
        steps=(f"once the Secret has it, and right before the restart, tell the database: {tell}",),
        restarts=_APP,
    )


def _optional(release: Release, ex: Exchange) -> Iterator[_Entry]:
    if ex.smtp:
        yield _entry(
            ex.smtp.password,
            f"password of {ex.smtp.user} at {ex.smtp.host}",
            "given",
            _readers(ex),
            Rotation(
                effect="mail fails until the mail server and the pods have the same one",
                steps=("set it at the mail server right before the restart",),
                restarts=_APP,
            ),
        )
    if ex.mcp:
        yield _entry(
            ex.mcp.client_secret,
            "OAuth client secret of the MCP server",
            "url-safe",
            (*_MCP, *_BOOTSTRAP),
            Rotation(
                effect="AI clients fail between the bootstrap Job and the restart, then go on",
                restarts=_MCP,
                reruns=True,
            ),
        )
        yield _entry(
            ex.mcp.broker_key,
            "key that seals the MCP server's tokens",
            "url-safe",
            _MCP,
            Rotation(effect="users of AI clients sign in again", restarts=_MCP),
        )
    if ex.wearables:
        by_job = "wearables-settings" in release.features
        yield _entry(
            ex.wearables.api_key,
            "API key of the Open Wearables server",
            "given",
            _BOOTSTRAP if by_job else _readers(ex),
            Rotation(
                effect="polling fails until Open Wearables has it too",
                restarts=() if by_job else _APP,
                reruns=by_job,
            ),
        )


# --- hubs -------------------------------------------------------------------------------------------------------------

_HUB = ("deployment/hub",)
_BOTH = ("deployment/proxy", "deployment/hub")


def _hub_secrets(hub: Hub) -> Iterator[SecretNeed]:
    """Yield the hub's own Secret, and those that its values name."""
    whole = (SecretKey(name, WHOLE) for _, name in whole_secrets(hub.values) if name != HUB_SECRET)
    named = dict.fromkeys((*_named(hub.values), *whole))
    fixed = {item.key: item for item in (*_hub_items(), *_asked_for(hub.values))}
    own = {ref.key: _foreign(ref.key) for ref in named if ref.name == HUB_SECRET} | fixed
    items = tuple(own[key] for key in dict.fromkeys((*fixed, *own)))
    yield SecretNeed(namespace=hub.namespace, name=HUB_SECRET, items=items)
    for name in dict.fromkeys(ref.name for ref in named if ref.name != HUB_SECRET):
        theirs = tuple(_foreign(ref.key) for ref in named if ref.name == name)
        yield SecretNeed(namespace=hub.namespace, name=name, items=theirs, owned=False)


def _hub_items() -> Iterator[SecretItem]:
    # The keys are the chart's own (zero-to-jupyterhub 4.4.0, hub.existingSecret), exact to the letter.
    yield SecretItem(
        key="hub.config.JupyterHub.cookie_secret",
        purpose="signs the hub's cookies",
        form="hex",
        consumers=_HUB,
        rotation=Rotation(effect="everybody logs in to the hub again; their servers run on", restarts=_HUB),
    )
    yield SecretItem(
        key="hub.config.CryptKeeper.keys",
        purpose="encrypts users' tokens at rest",
        form="hex-list",
        consumers=_HUB,
        rotation=Rotation(
            effect="nothing while both keys are there; tokens are encrypted anew when their users come back",
            steps=("after a day, when everybody has logged in again, drop the old key with --finish",),
            restarts=_HUB,
            overlap=True,
        ),
    )
    yield SecretItem(
        key="hub.config.ConfigurableHTTPProxy.auth_token",
        purpose="lets the hub steer its proxy",
        form="hex",
        consumers=_BOTH,
        rotation=Rotation(
            effect="for about a minute the hub and the users' servers cannot be reached; the servers run on",
            restarts=_BOTH,
        ),
    )


def _asked_for(values: dict[str, Any]) -> Iterator[SecretItem]:
    """Yield the keys that the chart looks for because of what the spec's own values say."""
    hub = values.get("hub")
    services, db = (hub.get("services"), hub.get("db")) if isinstance(hub, dict) else (None, None)
    for name, service in services.items() if isinstance(services, dict) else ():
        if isinstance(service, dict) and "apiToken" not in service:
            yield SecretItem(
                key=f"hub.services.{name}.apiToken",
                purpose=f"lets the service {name} talk to the hub",
                form="hex",
                consumers=_HUB,
                rotation=Rotation(effect=f"the service {name} fails until it has the new one too", restarts=_HUB),
            )
    if isinstance(db, dict) and db.get("type") in ("mysql", "postgres"):
        yield SecretItem(
            key="hub.db.password",
            purpose="password of the hub's database user",
            form="given",
            consumers=_HUB,
            rotation=Rotation(effect="the hub fails until its database has it too", restarts=_HUB),
        )


def _foreign(key: str) -> SecretItem:
    return SecretItem(
        key=key,
        purpose="named in the spec's own hub values",
        form="given",
        consumers=("the hub's chart",),
        rotation=Rotation(effect="as its owner says", restarts=_HUB),
    )


def _named(tree: Any) -> Iterator[SecretKey]:
    """Yield every `secretKeyRef` of a tree."""
    if isinstance(tree, list):
        for each in tree:
            yield from _named(each)
    elif isinstance(tree, dict):
        ref = tree.get("secretKeyRef")
        if isinstance(ref, dict) and isinstance(ref.get("name"), str) and isinstance(ref.get("key"), str):
            yield SecretKey(name=ref["name"], key=ref["key"])
        for each in tree.values():
            yield from _named(each)


def whole_secrets(tree: dict[str, Any] | list[Any], loc: Loc = ()) -> Iterator[tuple[Loc, str]]:
    """Yield where a tree names a Secret without a key, and its name: volumes, `envFrom`, logins of registries."""
    for step, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        if step == "secretName" and isinstance(value, str):
            yield (*loc, step), value
        elif step in ("secret", "secretRef") and isinstance(value, dict) and isinstance(value.get("name"), str):
            yield (*loc, step, "name"), value["name"]
        elif step in ("imagePullSecrets", "pullSecrets") and isinstance(value, list):
            names = (each.get("name") if isinstance(each, dict) else each for each in value)
            yield from (((*loc, step, at), name) for at, name in enumerate(names) if isinstance(name, str))
        elif isinstance(value, (dict, list)):  # a tuple: `dict | list` would be made anew for each value
            yield from whole_secrets(value, (*loc, step))
