"""Database: another server, database, user or protection; data do not move by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.delivery import paused, resumed
from jhecfg.plan.model import Effect, Pair, Severity
from jhecfg.plan.shell import PRIVATE, connection, kubectl
from jhecfg.plan.values import arrow
from jhecfg.render.steps import command, quote
from jhecfg.site import Database

_SAFER = ("disable", "prefer", "require", "verify-ca", "verify-full")


def database(pair: Pair) -> Iterator[Effect]:
    """Yield what another address, user or TLS mode of the database means."""
    old, new = pair.old.database, pair.new.database
    if _address(old) != _address(new):
        yield _moved(pair, old, new)
        yield from _resumed(pair)
    if old.user != new.user:
        yield _user(pair, old, new)
    if old.ssl_mode != new.ssl_mode:
        yield _protection(pair, old, new)
    if old.password != new.password:
        yield _password(pair, old, new)
    if new.ca is not None and not new.ca.pem and (old.ca is None or old.ca.config_map != new.ca.config_map):
        yield _certificates(pair, new.ca.config_map)


def _address(db: Database) -> tuple[str, int, str]:
    return db.host, db.port, db.name


def _moved(pair: Pair, old: Database, new: Database) -> Effect:
    what = [
        f"{n} {arrow(a, b)}"
        for n, a, b in zip(("host", "port", "name"), _address(old), _address(new), strict=True)
        if a != b
    ]
    return Effect(
        "database",
        Severity.DATA,
        "database",
        f"{', '.join(what)}: data do not move by themselves. Unless this is the same database under another name, the"
        " Jobs make an empty Exchange in the new one, and what is written into the old one meanwhile stays there: stop"
        " the Exchange, copy, compare, and deliver then",
        pair.any_of(("database", "host"), ("database", "port"), ("database", "name")),
        commands=_copy(pair, old, new),
    )


def _resumed(pair: Pair) -> Iterator[Effect]:
    commands = (*resumed(pair.after), *_polling(pair, "false"))
    if commands:
        text = "once the copy is right and this is merged, delivery goes on"
        because = pair.any_of(("database", "host"), ("database", "port"), ("database", "name"))
        yield Effect("delivery", Severity.ATTENTION, "delivery", text, because, commands, "during")


def _copy(pair: Pair, old: Database, new: Database) -> tuple[str, ...]:
    """Return the commands of the copy; an engine would start the Exchange again, so it is stopped before."""
    namespace = quote(pair.old.namespace)
    return (
        *paused(pair.before, only=("root", "exchange")),
        f"kubectl --namespace {namespace} scale deployment/exchange --replicas=0",
        *_polling(pair, "true"),
        *PRIVATE,
        command("pg_dump --format=custom --no-owner --no-acl", *connection(old), '--file="$work"/exchange.dump'),
        command("pg_restore --no-owner --no-acl --exit-on-error", *connection(new), '"$work"/exchange.dump'),
    )


def _polling(pair: Pair, suspended: str) -> tuple[str, ...]:
    """Return what stops polling, which writes too, or lets it go on: nothing else would."""
    patch = f"""patch cronjob/ow-poll --type=merge --patch='{{"spec":{{"suspend":{suspended}}}}}'"""
    there = pair.old.exchange.wearables and pair.new.exchange.wearables
    return (f"kubectl --namespace {quote(pair.old.namespace)} {patch}",) if there else ()


def _user(pair: Pair, old: Database, new: Database) -> Effect:
    return Effect(
        "database",
        Severity.OUTAGE,
        "database user",
        f"{old.user} → {new.user}: the new one must exist, have the password of the Secret {new.password.name}, and own"
        f" every table, or the migrate Job and the pages fail: as {old.user}'s administrator, before the change",
        pair.any_of(("database", "user")),
        commands=(
            command(
                "psql", f"--host={quote(new.host)}", f"--port={new.port}", f"--dbname={quote(new.name)}",
                f"--command={quote(f'REASSIGN OWNED BY {old.user} TO {new.user}')}",
            ),
        ),
    )  # fmt: skip


def _protection(pair: Pair, old: Database, new: Database) -> Effect:
    weaker = _SAFER.index(new.ssl_mode) < _SAFER.index(old.ssl_mode)
    text = (
        "weaker: whoever stands between the Exchange and its database may read or be taken for it"
        if weaker and new.ssl_mode not in ("verify-full", "verify-ca")
        else "weaker: a server of another name with a certificate of the same CA is believed"
        if weaker
        else "stricter: connections fail where the server does not offer it"
    )
    severity = Severity.DISRUPTIVE if weaker else Severity.ATTENTION
    because = pair.any_of(("database", "sslMode"))
    return Effect("database", severity, "database TLS", f"{old.ssl_mode} → {new.ssl_mode}, {text}", because)


def _certificates(pair: Pair, name: str) -> Effect:
    return Effect(
        "database",
        Severity.ATTENTION,
        "database TLS",
        f"the ConfigMap {name} must be there before pods start, with the server's CA certificates under the key ca.pem",
        pair.any_of(("database", "caConfigMap"), ("database", "host"), ("database", "sslMode")),
        (kubectl(pair.new.namespace, "get configmap", quote(name)),),
    )


def _password(pair: Pair, old: Database, new: Database) -> Effect:
    return Effect(
        "database",
        Severity.ATTENTION,
        "database password",
        f"is read from {new.password.name} ({new.password.key}) instead of {old.password.name} ({old.password.key}):"
        " it must be there, with the password that the database has, before the pods start",
        pair.any_of(("database", "passwordFrom")),
    )
