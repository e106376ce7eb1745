"""Rollback: what going back takes, and what does not come back: the plan of the way back, from the same facts."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.delivery import ENGINES
from jhecfg.plan.jobs import job_changes, part_of
from jhecfg.plan.model import Effect, Pair, Severity
from jhecfg.plan.releases import moves, taken_back
from jhecfg.plan.shell import delete
from jhecfg.releases import upgrade
from jhecfg.render.bootstrap import bootstrap_data
from jhecfg.render.steps import words
from jhecfg.site import Site


def rollback(pair: Pair) -> Iterator[Effect]:
    """Yield how to return to what was: the schema, the commit, the Jobs; and what stays."""
    yield from _schema(pair)
    yield _revert(pair)
    stays = list(_stays(pair))
    if stays:
        text = f"going back does not undo: {'; '.join(stays)}"
        yield Effect("rollback", Severity.ATTENTION, "stays", text, pair.spec, when="after")


def _schema(pair: Pair) -> Iterator[Effect]:
    """Yield how the schema goes back after an upgrade; a downgrade has its own effect."""
    way = upgrade(pair.old.release, pair.new.release)
    if way.backwards or not way.migrations or pair.old.image.reference == pair.new.image.reference:
        return
    lost = f"; it deletes for good: {'; '.join(way.loses)}" if way.loses else ""
    needed = (
        f"{pair.old.image.tag} does not fit the new schema, so the migrations ({moves(way)}) go back first, while"
        f" the pods of {pair.new.image.tag} run{lost}"
        if way.breaks
        else f"{pair.old.image.tag} works on the new schema, so the migrations ({moves(way)}) may stay"
    )
    yield Effect(
        "rollback",
        Severity.DATA if way.loses and way.breaks else Severity.ATTENTION,
        "schema",
        needed,
        pair.any_of(("image",)),
        taken_back(pair, way) if way.breaks else (),
        "after",
    )


def _revert(pair: Pair) -> Effect:
    ran = job_changes(pair)
    engine = pair.new.gitops.engine
    commands: tuple[str, ...] = ()
    again = ""
    if ran:
        names = words(part_of(change) for change in ran)
        again = (
            f"; {names} then {'run again under their old names' if len(ran) > 1 else 'runs again under its old name'}"
        )
        if engine == "none":
            again += ", once the finished Jobs of that name are deleted"
            commands = tuple(delete("job", name, pair.old.namespace) for name in _old_jobs(pair))
    how = "deliver that by hand" if engine == "none" else f"let {ENGINES[engine]} deliver that"
    return Effect(
        "rollback",
        Severity.SAFE,
        "commit",
        f"revert the commit of the spec and its output, and {how}{again}",
        pair.spec,
        commands,
        "after",
    )


def _old_jobs(pair: Pair) -> Iterator[str]:
    changed = {change.path for change in job_changes(pair) if change.verb == "replaced"}
    for artifact in pair.before.artifacts:
        if artifact.path in changed and artifact.manifest is not None:
            yield str(artifact.manifest["metadata"]["name"])


def _stays(pair: Pair) -> Iterator[str]:
    """Yield what the bootstrap Job has written by then, and an older one leaves: it deletes nothing."""
    made = _rows(pair.new, "organizations", "id") - _rows(pair.old, "organizations", "id")
    yield from _named("organization", [org.name for org in pair.new.orgs if org.id in made])
    spaces = {hub.namespace for hub in pair.new.cluster_hubs}
    for hub in pair.old.cluster_hubs:
        if hub.namespace not in spaces:
            yield (
                f"the loss of hub {hub.name}'s own database; its homes are found again while namespace"
                f" {hub.namespace} is there"
            )
    if (pair.old.database.host, pair.old.database.name) != (pair.new.database.host, pair.new.database.name):
        yield "what was written into the new database"
    for noun, kind, key in (("OAuth application", "applications", "clientId"), ("setting", "settings", "key")):
        yield from _named(noun, sorted(map(str, _rows(pair.new, kind, key) - _rows(pair.old, kind, key))))
    if pair.old.exchange.admin_email.lower() != pair.new.exchange.admin_email.lower():
        yield f"the superuser {pair.new.exchange.admin_email}"


def _named(noun: str, names: list[str]) -> Iterator[str]:
    if names:
        yield f"the {noun}{'s' * (len(names) > 1)} {words(names)}"


def _rows(site: Site, kind: str, key: str) -> set[object]:
    return {row[key] for row in bootstrap_data(site)[kind]}
