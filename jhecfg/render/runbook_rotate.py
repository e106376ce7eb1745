"""The runbook's page of secrets that change: what each change does, and the commands for where it lives."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.runbook_prepare import SPEC, spec_bash
from jhecfg.render.runbook_secrets import full_name
from jhecfg.render.steps import bash, code, command, quote, step, table, text
from jhecfg.site import SecretItem, SecretNeed, Site


def rotate(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say what changing each secret does, and how."""
    owned = [need for need in site.secrets if need.own_items]
    if not owned:
        return
    yield table(("name", "what a new value does", "what to do then"), _effects(owned))
    need, item = owned[0], owned[0].own_items[0]
    name = quote(full_name(need, item))
    yield step(
        f"Make the new value; here it is {code(full_name(need, item))}, and every other goes by its name in the table. The"
        " command says again what people notice, and what to do next.",
        spec_bash(site, f"jhecfg secrets rotate {SPEC} {name}"),
    )
    yield step("Put it in the place of the old one; all else stays.", spec_bash(site, *_replace(site, need, name)))
    yield step(
        "Do what the table says, and go through “Check”. To run the bootstrap Job again, write a new word into the spec's"
        " `rerun`, and deliver.",
        bash(*(restart(need.namespace, each) for each in item.rotation.restarts)),
    )


def restart(namespace: str, workload: str) -> str:
    """Return the command that restarts a Deployment."""
    return f"kubectl --namespace {quote(namespace)} rollout restart {workload}"


def _replace(site: Site, need: SecretNeed, name: str) -> Iterator[str]:
    if site.secrets_backend in ("sealed-secrets", "sops"):
        yield f"jhecfg secrets seal {SPEC}  # then run `jhecfg build`, commit both, and deliver"
        return
    yield f"jhecfg secrets apply --replace {SPEC} {name}"
    if site.external_secrets is not None:
        yield refresh(need)


def refresh(need: SecretNeed) -> str:
    """Return the command that lets External Secrets look now, and not within the hour."""
    return command(
        "kubectl --namespace",
        quote(need.namespace),
        "annotate externalsecret",
        quote(need.name),
        "--overwrite",
        'force-sync="$(date +%s)"',
    )


def _effects(owned: list[SecretNeed]) -> Iterator[tuple[str, str, str]]:
    for need in owned:
        for item in need.own_items:
            yield code(full_name(need, item)), text(item.rotation.effect), "; ".join(_then(need, item)) or "nothing"


def _then(need: SecretNeed, item: SecretItem) -> Iterator[str]:
    rotation = item.rotation
    yield from map(text, rotation.steps)
    if rotation.reruns:
        yield "run the bootstrap Job again"
    if rotation.restarts:
        yield "restart " + " and ".join(f"{code(each)} in {code(need.namespace)}" for each in rotation.restarts)
