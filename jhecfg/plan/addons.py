"""Add-ons: what EKS installs, and the AWS identities of what charts install; eksctl deletes neither by itself."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Tree
from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.plan.shell import named
from jhecfg.plan.values import arrow
from jhecfg.render.cluster import config
from jhecfg.render.steps import command, quote, words
from jhecfg.site import Cluster, Site

FILE = "--config-file cluster/cluster.yml"
Account = tuple[str, str]
"""Namespace and name of a service account."""


def addons(pair: Pair) -> Iterator[Effect]:
    """Yield what is new or moves: before the nodes that it works on."""
    old, new = kept(pair)
    if old is None or new is None:
        return
    yield from _identities(pair)
    was, becomes = listed_addons(pair.old), listed_addons(pair.new)
    added = [addon for addon in becomes if addon not in was]
    if added:
        text = "is installed" if len(added) == 1 else "are installed"
        yield _effect(words(added), text, _because(pair), f"eksctl create addon {FILE}")
    pinned, before = dict(new.addon_versions), dict(old.addon_versions)
    moved = [name for name in becomes if name in was and pinned.get(name) != before.get(name)]
    if moved:
        text = words(f"{n} {arrow(before.get(n, 'as it is'), pinned.get(n, 'as it is'))}" for n in moved)
        yield _effect("add-ons", text, _because(pair), f"eksctl update addon {FILE}")


def addons_gone(pair: Pair) -> Iterator[Effect]:
    """Yield what is no longer listed: after the nodes that it works on are gone."""
    old, new = kept(pair)
    if old is None or new is None:
        return
    gone = [addon for addon in listed_addons(pair.old) if addon not in listed_addons(pair.new)]
    if gone:
        lines = [command("eksctl delete addon", *named(new), f"--name={quote(name)}") for name in gone]
        text = "would stay: eksctl deletes nothing that the file no longer lists"
        yield _effect(words(gone), text, _because(pair), *lines)._replace(when="after")
    accounts = [account for account in _associations(pair.old) if account not in _associations(pair.new)]
    if accounts:
        lines = [_dissociate(new, *account) for account in accounts]
        text = "is no longer needed; as long as it is there, whoever runs under that name keeps its rights"
        yield _effect(_identity_of(accounts), text, _shaped(pair), *lines)._replace(when="after")


def kept(pair: Pair) -> tuple[Cluster | None, Cluster | None]:
    """Return the cluster before and after; nothing where it is not the same one."""
    old, new = pair.old.cluster, pair.new.cluster
    same = old is not None and new is not None and (old.name, old.region) == (new.name, new.region)
    return (old, new) if same else (None, None)


def listed_addons(site: Site) -> tuple[str, ...]:
    """Return the names of the add-ons that cluster.yml lists."""
    return tuple(str(addon["name"]) for addon in _written(site).get("addons", []))


def _written(site: Site) -> Tree:
    return config(site, site.cluster) if site.cluster is not None else {}


def _effect(subject: str, text: str, because: tuple[SpecChange, ...], *lines: str) -> Effect:
    return Effect("cluster", Severity.ATTENTION, subject, text, because, lines)


def _because(pair: Pair) -> tuple[SpecChange, ...]:
    return pair.any_of(("cluster", "addons"), ("cluster", "addonVersions"), ("cluster", "mode"))


def _shaped(pair: Pair) -> tuple[SpecChange, ...]:
    return pair.shaped("cluster/cluster.yml", "iam")


def _identities(pair: Pair) -> Iterator[Effect]:
    old, new = _associations(pair.old), _associations(pair.new)
    made = [account for account in new if account not in old]
    changed = [account for account in new if account in old and old[account] != new[account]]
    if made:
        text = "is new: without it every call to AWS is refused"
        if len(made) < len(new):  # eksctl 0.230, pkg/actions/podidentityassociation: all of the file, each on its own
            text += ". The command goes through the whole file: `already exists`, for the others, is as it should be"
        yield _effect(_identity_of(made), text, _shaped(pair), f"eksctl create podidentityassociation {FILE}")
    if changed:
        text = "may do something else than before"
        yield _effect(_identity_of(changed), text, _shaped(pair), f"eksctl update podidentityassociation {FILE}")


def _associations(site: Site) -> dict[Account, object]:
    listed = _written(site)["iam"].get("podIdentityAssociations", [])
    return {(each["namespace"], each["serviceAccountName"]): each for each in listed}


def _identity_of(accounts: list[Account]) -> str:
    return f"AWS identity of {words(name for _, name in accounts)}"


def _dissociate(cluster: Cluster, namespace: str, name: str) -> str:
    service = (f"--namespace={quote(namespace)}", f"--service-account-name={quote(name)}")
    return command("eksctl delete podidentityassociation", *named(cluster), *service)
