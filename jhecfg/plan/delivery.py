"""Delivery: how the change reaches the cluster, what the engine prunes, and how a site changes hands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.pipeline import Build
from jhecfg.plan.jobs import job_changes
from jhecfg.plan.model import Effect, ObjectChange, Pair, Severity, SpecChange
from jhecfg.plan.shell import delete, kubectl
from jhecfg.plan.values import arrow
from jhecfg.render.phases import phase
from jhecfg.render.runbook_deliver import helm_command, waits
from jhecfg.render.steps import quote, words
from jhecfg.render.units import Unit, hub_units, platform_units, site_named
from jhecfg.site import Site

ENGINES = {"argocd": "Argo CD", "flux": "Flux", "none": "kubectl"}
KUSTOMIZATIONS = "kustomizations.kustomize.toolkit.fluxcd.io"
RELEASES = "helmreleases.helm.toolkit.fluxcd.io"
ROOT = "gitops/argocd/bootstrap/"
FLEET = "gitops/argocd/fleet/"
BY_HAND = (ROOT, FLEET)
"""What no engine reads: an administrator applies it."""


def delivery(pair: Pair) -> Iterator[Effect]:
    """Yield how the change gets in: by commands, by a merge, or after one engine has let go for another."""
    if pair.old.gitops.engine != pair.new.gitops.engine:
        yield from _handover(pair)
    elif _place(pair.old) != _place(pair.new):
        yield _moved(pair)
    elif pair.new.gitops.engine == "none":
        yield _by_hand(pair)
    else:
        yield _merged(pair)
    if pair.new.gitops.engine == "none":
        yield from _leftovers(pair)
    if pair.old.gitops.fleet != pair.new.gitops.fleet:
        yield _fleet(pair)


def _place(site: Site) -> dict[str, str]:
    """Return where an engine reads a site."""
    return {"repo": site.gitops.repo, "revision": site.gitops.revision, "path": site.gitops.path}


def _gitops(pair: Pair) -> tuple[SpecChange, ...]:
    return pair.any_of(("gitops",))


# --- nobody but kubectl -----------------------------------------------------------------------------------------------


def _by_hand(pair: Pair) -> Effect:
    phases = _phases(pair)
    commands = (*_charts(pair), *(line for name in phases for line in _apply(pair, name)), *_hubs(pair))
    parts = [*(["charts"] if _changed_units(pair, platform_units(pair.new)) else []), *phases]
    parts += [f"hub {unit.release}" for unit in _changed_units(pair, hub_units(pair.new))]
    text = f"by hand, in this order: {', '.join(parts)}" if parts else "no object of the cluster changes"
    return Effect("delivery", Severity.SAFE, "delivery", text, pair.spec, commands, "during")


def _phases(pair: Pair) -> list[str]:
    """Return the phases in which an object comes or changes, in order."""
    found = {phase(change.path) for change in pair.objects if change.is_object and change.verb != "removed"}
    return sorted(name for name in found if name is not None)


def _apply(pair: Pair, name: str) -> Iterator[str]:
    files = frozenset(artifact.path for artifact in pair.after.artifacts)
    for change in job_changes(pair):
        if phase(change.path) == name:  # one that ran under this name before, and is kept, would not run again
            yield delete("job", change.name, change.namespace)
    yield f"kubectl apply --server-side --kustomize manifests/{name}"
    yield from (line for line in waits(pair.new, name, files) if line)


def _changed_units(pair: Pair, units: tuple[Unit, ...]) -> list[Unit]:
    """Return the Helm releases whose values or version differ."""
    old = {unit.release: unit for unit in (*platform_units(pair.old), *hub_units(pair.old))}
    return [unit for unit in units if pair.change(unit.values_path) is not None or old.get(unit.release) != unit]


def _charts(pair: Pair) -> tuple[str, ...]:
    return tuple(helm_command(unit) for unit in _changed_units(pair, platform_units(pair.new)))


def _hubs(pair: Pair) -> tuple[str, ...]:
    return tuple(helm_command(unit) for unit in _changed_units(pair, hub_units(pair.new)))


def _leftovers(pair: Pair) -> Iterator[Effect]:
    """Yield what kubectl leaves behind: it applies, and removes nothing. Namespaces hold data: they are not here."""
    gone = [
        c for c in pair.objects if c.verb == "removed" and c.kind != "Namespace" and c.path.startswith("manifests/")
    ]
    jobs = [c for c in job_changes(pair) if c.verb == "replaced"]
    commands = [delete(c.kind, c.name, c.namespace) for c in gone]
    commands += [delete("job", _old_name(pair, c.path), c.namespace) for c in jobs]
    if commands:
        yield Effect(
            "delivery",
            Severity.ATTENTION if gone else Severity.SAFE,
            "leftovers",
            f"kubectl removes nothing by itself: {words(_kinds([*gone, *jobs]))} of before"
            f" {'stay' if len(commands) > 1 else 'stays'} until deleted",
            pair.spec,
            tuple(commands),
            "after",
        )


def _kinds(changes: Sequence[ObjectChange]) -> list[str]:
    kinds = [change.kind for change in changes]
    return [f"{kinds.count(kind)} {kind if kinds.count(kind) == 1 else _plural(kind)}" for kind in dict.fromkeys(kinds)]


def _plural(kind: str) -> str:
    return f"{kind[:-1]}ies" if kind.endswith("y") else f"{kind}es" if kind.endswith("ss") else f"{kind}s"


def _old_name(pair: Pair, path: str) -> str:
    tree = next(artifact.manifest for artifact in pair.before.artifacts if artifact.path == path)
    return str(tree["metadata"]["name"]) if tree is not None else ""


# --- engines ----------------------------------------------------------------------------------------------------------


def _merged(pair: Pair) -> Effect:
    engine = ENGINES[pair.new.gitops.engine]
    phases = _phases(pair)
    values = {unit.values_path for unit in hub_units(pair.new)}
    inside = [c for c in pair.objects if (c.is_object and not c.path.startswith(BY_HAND)) or c.path in values]
    if not inside:
        return Effect(
            "delivery", Severity.SAFE, "delivery", f"{engine} has nothing to do: no object changes", pair.spec
        )
    order = f", in this order: {', '.join(phases)}" if phases else ""
    gone = [c for c in inside if c.verb in ("removed", "replaced") and c.kind != "Namespace"]  # phases.py keeps those
    pruned = f"; it prunes {words(_kinds(gone))} of before" if gone else ""
    text = f"{engine} brings it in once it is merged into {pair.new.gitops.revision}{order}{pruned}"
    return Effect(
        "delivery", Severity.SAFE, "delivery", text, pair.spec, (*_bootstrap(pair), *_watch(pair.new)), "during"
    )


def _bootstrap(pair: Pair) -> tuple[str, ...]:
    """Return what applies the objects that no engine reads: the two that hand the site over to Argo CD."""
    return tuple(
        f"kubectl apply --server-side --filename {quote(change.path)}"
        for change in pair.objects
        if change.path.startswith(ROOT) and change.verb != "removed"
    )


def _watch(site: Site) -> tuple[str, ...]:
    if site.gitops.engine == "argocd":
        return (kubectl("argocd", "get applications", _own(site)),)
    return (kubectl("flux-system", f"get {KUSTOMIZATIONS},{RELEASES}", _own(site)),)


def _moved(pair: Pair) -> Effect:
    new, there = pair.new.gitops, _place(pair.old)
    what = [f"{name} {arrow(there[name], value)}" for name, value in _place(pair.new).items() if there[name] != value]
    engine = ENGINES[new.engine]
    read = (
        "nothing but the root Application tells Argo CD: it is applied by hand, once the new place holds everything"
        if new.engine == "argocd"
        else "Flux reads it from its old place once more, and then follows to the new one"
    )
    return Effect(
        "delivery",
        Severity.DISRUPTIVE,
        engine,
        f"{', '.join(what)}: {read}. {engine} prunes what it does not find there: the whole of out/ must be in the new"
        " place first, and the old one stays until every part is healthy",
        _gitops(pair),
        (*_bootstrap(pair), *_watch(pair.new)),
        "during",
    )


def _fleet(pair: Pair) -> Effect:
    old, new = pair.old.gitops.fleet, pair.new.gitops.fleet
    files = [c.path for c in pair.objects if c.path.startswith(FLEET) and c.is_object and c.verb != "removed"]
    text = (
        f"the site joins the fleet {new}, whose ApplicationSet makes its root from now on; the two objects are the"
        " same in every site of the fleet, and are applied once"
        if new
        else f"the site leaves the fleet {old}, which deletes nothing: its root stays, and nobody makes it again"
    )
    commands = tuple(f"kubectl apply --server-side --filename {quote(path)}" for path in files)
    return Effect("delivery", Severity.ATTENTION, "fleet", text, _gitops(pair), commands, "during")


def _handover(pair: Pair) -> Iterator[Effect]:
    old, new = ENGINES[pair.old.gitops.engine], ENGINES[pair.new.gitops.engine]
    let_go = released(pair.before)
    if let_go:
        fleet = pair.old.gitops.fleet
        again = f"; the ApplicationSet {fleet} makes the root again until this is merged: merge first" if fleet else ""
        yield Effect(
            "delivery",
            Severity.DISRUPTIVE,
            f"{old} → {new}",
            f"{old} lets go first, without pruning anything; else it fights {new} over every object, or prunes what it"
            f" no longer finds{again}",
            _gitops(pair),
            let_go,
            "during" if fleet else "before",
        )
    text = f"{new} then takes over what runs: objects and Helm releases keep their names"
    yield Effect("delivery", Severity.ATTENTION, f"{old} → {new}", text, _gitops(pair), _hand_over(pair), "during")


def _hand_over(pair: Pair) -> tuple[str, ...]:
    """Return what hands the site to the new engine."""
    if pair.new.gitops.engine == "flux":
        files = ("gitrepository", "kustomization-site")
        return tuple(f"kubectl apply --server-side --filename gitops/flux/{name}.yaml" for name in files)
    return _bootstrap(pair)


def paused(build: Build, *, only: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the commands after which the engine leaves a site as it is, outermost first; `only` names the parts."""
    site = build.site
    if site.gitops.engine == "argocd":
        off = """--type=merge --patch='{"spec":{"syncPolicy":{"automated":null}}}'"""
        return tuple(
            kubectl("argocd", "patch application", quote(n), off) for n in _applications(build) if _is(site, n, only)
        )
    if site.gitops.engine == "flux":
        return _suspended(site, "true")
    return ()


def resumed(build: Build) -> tuple[str, ...]:
    """Return the commands that take back `paused`."""
    site = build.site
    root = f"{ROOT}application-root.yaml"
    if site.gitops.engine == "argocd" and root in build.files:
        return (f"kubectl apply --server-side --force-conflicts --filename {root}",)
    return _suspended(site, "false") if site.gitops.engine == "flux" else ()


def _is(site: Site, name: str, parts: tuple[str, ...]) -> bool:
    return not parts or name in {site_named(site, part) for part in parts}


def _suspended(site: Site, value: str) -> tuple[str, ...]:
    """Return what suspends Flux's parts, or lets them go on; the site's own first, which brings the others back."""
    patch = f"""--type=merge --patch='{{"spec":{{"suspend":{value}}}}}'"""
    own = kubectl("flux-system", f"patch {KUSTOMIZATIONS}", quote(site_named(site, "site")), patch)
    every = f"kubectl --namespace flux-system get {KUSTOMIZATIONS},{RELEASES} {_own(site)} --output=name"
    return (own, f'for each in $({every}); do\n  kubectl --namespace flux-system patch "$each" {patch}\ndone')


def _own(site: Site) -> str:
    return f"--selector={quote(f'app.kubernetes.io/instance={site.name}')}"


def _applications(build: Build, *, finalized: bool = False) -> list[str]:
    """Return the names of a site's Applications, the root first; `finalized` those that take along what they made."""
    trees = [a.manifest for a in build.artifacts if a.manifest is not None and a.manifest["kind"] == "Application"]
    names = [str(t["metadata"]["name"]) for t in trees if not finalized or t["metadata"].get("finalizers")]
    return sorted(names, key=lambda name: name != site_named(build.site, "root"))


def released(build: Build) -> tuple[str, ...]:
    """Return the commands by which an engine lets go of a site and leaves everything running."""
    site = build.site
    if site.gitops.engine == "argocd":
        # An Application with a finalizer takes along what it made, and the root would bring the finalizer back.
        keep = """--type=merge --patch='{"metadata":{"finalizers":null}}'"""
        return (
            kubectl("argocd", "delete application", quote(site_named(site, "root"))),
            *(kubectl("argocd", "patch application", quote(n), keep) for n in _applications(build, finalized=True)),
            kubectl("argocd", "delete applications", _own(site)),
            kubectl("argocd", "delete appprojects", _own(site)),
        )
    if site.gitops.engine == "flux":
        # Suspended, neither prunes nor uninstalls when it goes.
        return (*_suspended(site, "true"), kubectl("flux-system", f"delete {KUSTOMIZATIONS},{RELEASES}", _own(site)))
    return ()
