"""secrets list: every secret of a site, for people, for programs, and as commands for those who make them by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from shlex import quote
from typing import Literal

from jhecfg.commands.secrets import Place, on
from jhecfg.diagnostics import Misused
from jhecfg.render.steps import one_line
from jhecfg.secretstore.check import LOOKS
from jhecfg.secretstore.make import makeable
from jhecfg.secretstore.names import Named
from jhecfg.site import SecretItem, SecretNeed, Site
from jhecfg.talk import Exit, Talk

Style = Literal["text", "json", "kubectl"]


def inventory(spec: Path, talk: Talk, style: Style) -> int:
    """Print which secrets a site has, and never a value."""

    def command(place: Place) -> int:
        write = {"text": _text, "json": _json, "kubectl": _kubectl}[style]
        talk.result(write(place.site))
        return Exit.OK

    return on(spec, None, talk, command)


def _text(site: Site) -> str:
    lines: list[str] = []
    for need in site.secrets:
        for item in need.items:
            made = _maker(Named(need, item)) if item in need.own_items else _elsewhere(item)
            lines += [
                f"{need.namespace}/{need.name}/{item.key}",
                f"  what     {one_line(item.purpose)}",
                f"  made by  {made}",
                f"  read by  {', '.join(item.consumers)}",
                f"  changed  {one_line(item.rotation.effect)}",
            ]
    return "\n".join(lines) + "\n"


def _elsewhere(item: SecretItem) -> str:
    return f"others, in AWS Secrets Manager: {item.remote.name}" if item.remote else "you, elsewhere"


def _maker(named: Named) -> str:
    return f"`jhecfg secrets init` ({named.item.form})" if makeable(named.item.form) else "you, when `init` asks"


def _json(site: Site) -> str:
    listed = [
        {
            "namespace": need.namespace,
            "secret": need.name,
            "key": item.key,
            "owned": item in need.own_items,
            "remote": item.remote.name if item.remote else None,
            "purpose": item.purpose,
            "form": item.form,
            "consumers": list(item.consumers),
            "rotation": {
                "effect": item.rotation.effect,
                "steps": list(item.rotation.steps),
                "restarts": list(item.rotation.restarts),
                "reruns": item.rotation.reruns,
                "overlap": item.rotation.overlap,
            },
        }
        for need in site.secrets
        for item in need.items
    ]
    return json.dumps({"site": site.name, "backend": site.secrets_backend, "secrets": listed}, indent=2) + "\n"


# --- as commands ------------------------------------------------------------------------------------------------------

_BY_HAND = (
    "# Each file lies where its value's name says, and holds the value and nothing else; no line end, but a PEM's own.",
    "# Keep the files out of git. `jhecfg secrets init` and `jhecfg secrets apply` do all this without them.",
)


def _kubectl(site: Site) -> str:
    """Return the commands that make the Secrets from files. Names go through `quote`; there is no value to be seen."""
    if site.secrets_backend != "existing":
        raise Misused(
            f"the spec's secrets.backend is {site.secrets_backend}; only for `existing` does kubectl make them"
        )
    made = [need for need in site.secrets if need.owned]
    theirs = [f"# {one_line(f'{n.namespace}/{n.name}')}: whoever owns it makes it" for n in site.secrets if not n.owned]
    spaces = [f"kubectl create namespace {quote(space)}" for space in dict.fromkeys(need.namespace for need in made)]
    first = ["# Where they are missing:", *spaces]
    blocks = [_BY_HAND, first, *(list(_create(need)) for need in made), theirs]
    return "\n".join("".join(f"{line}\n" for line in block) for block in blocks if block)


def _create(need: SecretNeed) -> Iterator[str]:
    for item in need.items:
        yield f"# {one_line(f'{item.key}: {item.purpose}; {LOOKS[item.form]}')}"
    files = [f"  {quote(f'--from-file={item.key}={need.namespace}/{need.name}/{item.key}')}" for item in need.items]
    yield " \\\n".join(
        (f"kubectl --namespace {quote(need.namespace)} create secret generic {quote(need.name)}", *files)
    )
