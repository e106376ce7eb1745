"""Cluster: which eksctl and aws commands an edit of cluster.yml takes, what they do, and what eksctl would ignore.

Nothing syncs this file. What each command reads of it: eksctl 0.230, pkg/ctl and userdocs/src/usage at that release.
"""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.addons import FILE, listed_addons
from jhecfg.plan.model import Effect, Pair, Severity, When
from jhecfg.plan.shell import named
from jhecfg.plan.values import arrow
from jhecfg.render.steps import command, quote, words
from jhecfg.site import Cluster


def cluster(pair: Pair) -> Iterator[Effect]:
    """Yield what differs between two clusters, their groups of nodes and their add-ons aside."""
    old, new = pair.old.cluster, pair.new.cluster
    if old is None and new is None:
        return
    if old is None or new is None or (old.name, old.region) != (new.name, new.region):
        yield from _another(pair, old, new)
        return
    yield from _version(pair, old, new)
    yield from _fixed(pair, old, new)
    yield from _auto_mode(pair, old, new)
    yield from _endpoints(pair, old, new)
    yield from _logging(pair, old, new)
    yield from _encryption(pair, old, new)


def _another(pair: Pair, old: Cluster | None, new: Cluster | None) -> Iterator[Effect]:
    because = pair.any_of(("cluster",))
    if new is not None:
        yield Effect(
            "cluster",
            Severity.ATTENTION,
            f"cluster {new.name}",
            f"is made in {new.region}, empty: about 20 minutes. RUNBOOK.md has what follows, from the kubeconfig to the"
            " first login",
            because,
            commands=(f"eksctl create cluster {FILE}",),
        )
    if old is not None:
        yield Effect(
            "cluster",
            Severity.DATA,
            f"cluster {old.name}",
            "stays as it is, with what runs in it and every disk of its users: nothing moves, and nothing deletes it."
            " It costs money until somebody removes it, with the RUNBOOK.md of the old output",
            because,
        )


def _version(pair: Pair, old: Cluster, new: Cluster) -> Iterator[Effect]:
    if old.version == new.version:
        return
    because = pair.any_of(("cluster", "version"))
    was, becomes = _minor(old.version), _minor(new.version)
    said = f"Kubernetes {arrow(old.version, new.version)}: "
    if becomes < was:
        text = "EKS does not bring a control plane back to an older version; the spec and the cluster would differ"
        yield Effect("cluster", Severity.OUTAGE, f"cluster {new.name}", said + text, because)
        return
    if becomes > was + 1:
        steps = words(f"1.{minor}" for minor in range(was + 1, becomes))
        text = f"EKS goes one minor version at a time; build, deliver and check {steps} before"
        yield Effect("cluster", Severity.DISRUPTIVE, f"cluster {new.name}", said + text, because)
        return
    yield Effect(
        "cluster",
        Severity.DISRUPTIVE,
        f"cluster {new.name}",
        said + "the API answers on, and does not come back to the old version. Then every node is replaced, one at a"
        " time in each group: pods move, users' servers end, and each hub is away for about a minute",
        because,
        commands=tuple(_upgrade(pair, old, new)),
    )


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def _upgrade(pair: Pair, old: Cluster, new: Cluster) -> Iterator[str]:
    """Yield the commands of an upgrade in EKS's order: control plane, add-ons, nodes."""
    yield f"eksctl upgrade cluster {FILE} --approve"
    pinned = dict(new.addon_versions)
    # Without a version in the file `eksctl update addon` keeps the one that is there, made for the old Kubernetes.
    for addon in listed_addons(pair.new):
        if addon not in pinned:
            yield command("eksctl update addon", *named(new), f"--name={quote(addon)} --version=latest --wait")
    if not new.auto_mode:
        there = {group.full_name for group in old.node_groups}
        for group in (g for g in new.node_groups if g.full_name in there):
            words_ = (f"--name={quote(group.full_name)}", f"--kubernetes-version={quote(new.version)}")
            yield command("eksctl upgrade nodegroup", *named(new), *words_)


def _fixed(pair: Pair, old: Cluster, new: Cluster) -> Iterator[Effect]:
    """Yield what eksctl never changes in a cluster that exists, and does not say so."""
    fixed = (("vpcCidr", old.vpc_cidr, new.vpc_cidr), ("zones", old.zones, new.zones), ("nat", old.nat, new.nat))
    for key, was, becomes in fixed:
        if was != becomes:
            yield Effect(
                "cluster",
                Severity.ATTENTION,
                f"cluster.{key}",
                f"{arrow(_listed(was), _listed(becomes))}: eksctl ignores this for a cluster that exists, without a"
                " word: subnets, routes and NAT gateways are made once. Take it back, or make another cluster",
                pair.any_of(("cluster", key)),
            )


def _listed(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "eksctl's choice"


def _auto_mode(pair: Pair, old: Cluster, new: Cluster) -> Iterator[Effect]:
    if old.auto_mode == new.auto_mode:
        return
    because = pair.any_of(("cluster", "mode"))
    if new.auto_mode:
        text = (
            "EKS makes and removes the nodes from now on. The groups of nodes are drained after it, and the add-ons"
            " that Auto Mode brings itself are deleted last"
        )
    else:
        text = "EKS removes every node that it made: the groups of nodes must be there first, or nothing runs"
    when: When = "before" if new.auto_mode else "after"
    commands = (f"eksctl update auto-mode-config {FILE}",)
    yield Effect("cluster", Severity.DISRUPTIVE, "cluster.mode", text, because, commands, when)


def _endpoints(pair: Pair, old: Cluster, new: Cluster) -> Iterator[Effect]:
    def reach(one: Cluster) -> tuple[bool, bool, tuple[str, ...]]:
        return one.public, one.private, one.public_cidrs if one.public else ()

    if reach(old) == reach(new):
        return
    narrower = (old.public and not new.public) or (bool(new.public_cidrs) and new.public_cidrs != old.public_cidrs)
    text = f"the API is reached {arrow(_reach(old), _reach(new))}; nodes and users notice nothing"
    if narrower:
        text += ". Whoever is outside of it is shut out, so run the command from inside"
    severity = Severity.DISRUPTIVE if narrower else Severity.ATTENTION
    commands = (f"eksctl utils update-cluster-vpc-config {FILE} --approve",)
    yield Effect("access", severity, "cluster.access", text, pair.any_of(("cluster", "access")), commands)


def _reach(one: Cluster) -> str:
    public = f"from {', '.join(one.public_cidrs) or 'everywhere'}" if one.public else ""
    return " and ".join(filter(None, (public, "from its own network" if one.private else ""))) or "from nowhere"


def _logging(pair: Pair, old: Cluster, new: Cluster) -> Iterator[Effect]:
    if (old.log_types, old.log_retention_days) == (new.log_types, new.log_retention_days):
        return
    gone = [kind for kind in old.log_types if kind not in new.log_types]
    kept = f"{words(new.log_types) or 'no'} logs are kept for {new.log_retention_days} days"
    lost = f"; {words(gone)} are no longer, which an auditor may ask for" if gone else ""
    shorter = new.log_retention_days < old.log_retention_days
    lost += "; older ones are deleted at once" if shorter and new.log_types else ""
    off = command("eksctl utils update-cluster-logging", *named(new), "--disable-types=all --approve")
    on = f"eksctl utils update-cluster-logging {FILE} --approve"
    yield Effect(
        "cluster",
        Severity.ATTENTION,
        "cluster.logging",
        kept + lost,
        pair.any_of(("cluster", "logging")),
        commands=(on if new.log_types else off,),
    )


def _encryption(pair: Pair, old: Cluster, new: Cluster) -> Iterator[Effect]:
    if old.kms_key_arn == new.kms_key_arn:
        return
    because = pair.any_of(("cluster", "kmsKeyArn"))
    if old.kms_key_arn is None:
        text = (
            "Secrets are encrypted with the key, those that exist too; this cannot be undone, and the key not changed"
        )
        commands: tuple[str, ...] = (f"eksctl utils enable-secrets-encryption {FILE}",)
        yield Effect("cluster", Severity.ATTENTION, "cluster.kmsKeyArn", text, because, commands)
    else:
        text = "EKS neither changes nor drops the key of a cluster that exists; take this back, and keep the old key"
        yield Effect("cluster", Severity.OUTAGE, "cluster.kmsKeyArn", text, because)
