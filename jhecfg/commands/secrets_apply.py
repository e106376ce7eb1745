"""secrets apply: the store's values, sent to the cluster or to AWS Secrets Manager."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from shlex import join
from typing import NamedTuple

from jhecfg.commands.secrets import Place, next_command, on, refuse_bad, refuse_terminal, value_of
from jhecfg.diagnostics import Misused, ToolError
from jhecfg.emit import dump
from jhecfg.render.steps import one_line
from jhecfg.secretstore.names import Named, meant, owned
from jhecfg.secretstore.send import aws_words, context_of, manifest, to_aws, to_cluster
from jhecfg.secretstore.store import Values, load
from jhecfg.talk import Exit, Talk


class Sending(NamedTuple):
    """How values are sent: which, whether they take the place of others, and into which cluster."""

    names: Sequence[str] = ()
    replace: bool = False
    dry_run: bool = False
    context: str = ""


def apply(spec: Path, talk: Talk, store: Path | None, how: Sending) -> int:
    """Send the store's values to the cluster or to AWS Secrets Manager. What is there stays, but for --replace."""
    return on(spec, store, talk, lambda place: _apply(place, talk, how))


def _apply(place: Place, talk: Talk, how: Sending) -> int:
    if next_command(place.site) != "apply":
        raise Misused(f"the secrets of this site go into git, encrypted: {place.command('seal')}")
    if how.replace and not how.names:
        raise Misused("--replace takes the names of what it replaces, as `jhecfg secrets list` shows them")
    values = load(place.store)
    refuse_bad(place, values)
    wanted = list(dict.fromkeys(n for name in how.names for n in meant(place.site, name))) or list(owned(place.site))
    lacking = [named for named in wanted if value_of(values, named) is None]
    if lacking:
        raise ToolError(f"{place.store} lacks {', '.join(map(str, lacking))}; run {place.command('init')}")
    if how.dry_run:
        return _dry_run(place, talk, wanted, values)
    return _send(place, talk, wanted, values, how)


def _by_secret(wanted: Sequence[Named], values: Values) -> list[tuple[Named, dict[str, str]]]:
    """Return the values of each Secret, with one of its names."""
    grouped: dict[tuple[str, str], tuple[Named, dict[str, str]]] = {}
    for named in wanted:
        grouped.setdefault(named.place, (named, {}))[1][named.item.key] = values[named.place][named.item.key]
    return list(grouped.values())


def _dry_run(place: Place, talk: Talk, wanted: Sequence[Named], values: Values) -> int:
    source = place.site.external_secrets
    grouped = _by_secret(wanted, values)
    if source is not None:
        commands = (join(aws_words(named.need, source, create=True)) for named, _ in grouped)
        talk.result("".join(f"{command}\n" for command in commands))
        return Exit.OK
    refuse_terminal("without --dry-run nothing is shown")
    talk.secret("".join(f"---\n{dump(manifest(named.need, items))}" for named, items in grouped))
    return Exit.OK


def _send(place: Place, talk: Talk, wanted: Sequence[Named], values: Values, how: Sending) -> int:
    source = place.site.external_secrets
    if source is None:
        context = context_of(how.context)
        talk.say(f"into the cluster of kubectl's context {one_line(context)}")
    for named, items in _by_secret(wanted, values):
        if source is None:
            sent = to_cluster(named.need, items, context, replace=how.replace)
        else:
            sent = to_aws(named.need, items, source, replace=how.replace)
        for word, keys in (("made", sent.made), ("replaced", sent.replaced), ("is there", sent.kept)):
            talk.result("".join(f"  {word:8} {named.need.namespace}/{named.need.name}/{key}\n" for key in keys))
    return Exit.OK
