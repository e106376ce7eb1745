"""Rules about order: what comes before what it needs, waves that cross, Jobs that would run again by themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, Loc
from jhecfg.rules.outputs import Outputs, namespace_of
from jhecfg.site import Site

WAVE = "argocd.argoproj.io/sync-wave"
NAMESPACES = "the namespaces"
_WHOLE = re.compile(r"-?[0-9]{1,9}")


class _Placed(NamedTuple):
    """An object of `manifests/`: its file, its phase (namespaces are one of their own), and its place in the order."""

    path: str
    tree: Tree
    phase: str
    rank: int


def _placed(site: Site, artifacts: Sequence[Artifact]) -> list[_Placed]:
    """Return the objects of the phases, each with its wave for Argo CD, or else with its phase's place."""
    folders = sorted({a.path.split("/")[1] for a in artifacts if a.path.startswith("manifests/")})
    found = []
    for artifact in artifacts:
        tree = artifact.manifest
        if artifact.path.startswith("manifests/") and tree is not None and isinstance(tree.get("metadata"), dict):
            folder = artifact.path.split("/")[1]
            phase = NAMESPACES if tree["kind"] == "Namespace" else folder
            place = folders.index(folder) * 2 + (phase != NAMESPACES)
            found.append(_Placed(artifact.path, tree, phase, _wave(tree) if _by_wave(site) else place))
    return found


def _by_wave(site: Site) -> bool:
    return site.gitops.engine == "argocd"


def _annotations(tree: Tree) -> Tree:
    found: Tree = tree["metadata"].get("annotations") or {}
    return found


def _wave(tree: Tree) -> int:
    """Return the wave as Argo CD reads it: what is none, or no whole number, is 0."""
    text = str(_annotations(tree).get(WAVE))
    return int(text) if _WHOLE.fullmatch(text) else 0


def comes_too_early(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object comes before something that it needs: its namespace, or what its pods refer to.

    *Why:* a Job before its ConfigMap waits for it, and the phase of the ConfigMap waits for the Job: neither comes.

    *Instead:* take back the patch that changed the order; the namespace is first, configuration before Jobs, Jobs
    before the application, routes last.
    """
    placed, needed = _placed(site, artifacts), Outputs.of(artifacts).needs
    ranks = {_identity(each.tree): each.rank for each in placed}
    for path, tree, _, rank in placed:
        namespace = namespace_of(tree)
        needs = [("Namespace", "", namespace)]
        for _, kind, name in needed.get(path, ()):  # a Secret comes by itself, encrypted, or by what brings it
            kinds = ("Secret", "ExternalSecret", "SealedSecret") if kind == "Secret" else (kind,)
            needs += [(each, namespace, name) for each in kinds]
        for need in needs:
            if ranks.get(need, rank) > rank:
                loc = ("metadata", "annotations", WAVE) if WAVE in _annotations(tree) else ("metadata", "name")
                message = f"comes before {need[0]} '{need[2]}', which it needs"
                yield Finding(artifact=path, loc=loc, message=message)


def _identity(tree: Tree) -> tuple[str, str, str]:
    return str(tree["kind"]), namespace_of(tree), str(tree["metadata"]["name"])


def out_of_order(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object's wave is not between those of the phases before and after its own.

    *Why:* Argo CD goes by waves, not by folders. New pods before the migrate Job work on a schema that is not theirs.

    *Instead:* take back the patch that changed the wave.
    """
    if not _by_wave(site):
        return
    placed = _placed(site, artifacts)
    waves: dict[str, list[int]] = {}
    for each in placed:
        waves.setdefault(each.phase, []).append(each.rank)
    usual = {phase: _most_common(waves[phase]) for phase in sorted(waves, key=_in_order)}
    after = dict(pairwise(usual))
    before = {late: early for early, late in after.items()}
    for path, _, phase, rank in placed:
        for wrong, other, word in (
            (phase in before and rank <= usual[before[phase]], before.get(phase), "after"),
            (phase in after and rank >= usual[after[phase]], after.get(phase), "before"),
        ):
            if wrong:
                message = f"with wave {rank} it does not come {word} {other}"
                yield Finding(artifact=path, loc=("metadata", "annotations", WAVE), message=message)


def _most_common(waves: list[int]) -> int:
    return max(dict.fromkeys(waves), key=waves.count)


def _in_order(phase: str) -> str:
    return "" if phase == NAMESPACES else phase


# --- Jobs -------------------------------------------------------------------------------------------------------------

_HOOKS = ("argocd.argoproj.io/hook", "helm.sh/hook")
_FORCE = "kustomize.toolkit.fluxcd.io/force"
_OPTIONS = "argocd.argoproj.io/sync-options"


def job_runs_again(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A Job would run again by itself, several times at once, or not at all.

    *Why:* a finished Job that Kubernetes removes is missing, so the engine makes it again, for ever. A hook runs at
    every sync; with force or replace a Job is removed while it works. Two migrations at once break each other.

    *Instead:* take back the patch; a Job runs when what it runs has changed, and `rerun` in the spec asks for one more.
    """
    for artifact in artifacts:
        tree = artifact.manifest
        if tree is None or not isinstance(tree.get("metadata"), dict) or not isinstance(tree.get("spec"), dict):
            continue
        wrong = _job(tree) if tree["kind"] == "Job" else _engine(tree)
        for loc, message in wrong:
            yield Finding(artifact=artifact.path, loc=loc, message=message)


def _job(tree: Tree) -> Iterator[tuple[Loc, str]]:
    spec, annotations = tree["spec"], _annotations(tree)
    if "ttlSecondsAfterFinished" in spec:
        yield ("spec", "ttlSecondsAfterFinished"), "the engine would make the Job again each time that it has gone"
    for field in ("parallelism", "completions"):
        if spec.get(field, 1) != 1:
            yield ("spec", field), "the Job runs once, in one pod"
    if spec.get("suspend"):
        yield ("spec", "suspend"), "the phases after it would wait for a Job that does not start"
    for key in _HOOKS:
        if key in annotations:
            yield ("metadata", "annotations", key), "as a hook the Job would run at every sync"
    options = str(annotations.get(_OPTIONS))
    if "Force=true" in options or "Replace=true" in options:
        yield ("metadata", "annotations", _OPTIONS), "the Job would be replaced at every sync"
    if str(annotations.get(_FORCE)).lower() in ("enabled", "true"):
        yield ("metadata", "annotations", _FORCE), "the Job would be replaced while it works"


def _engine(tree: Tree) -> Iterator[tuple[Loc, str]]:
    """Yield what makes a whole Application or Kustomization replace its objects."""
    spec = tree["spec"]
    if tree["kind"] == "Kustomization" and spec.get("force"):
        yield ("spec", "force"), "Jobs of this phase would be replaced while they work"
    options: Any = (spec.get("syncPolicy") or {}).get("syncOptions") if tree["kind"] == "Application" else None
    for index, option in enumerate(options or ()):
        if option in ("Force=true", "Replace=true"):
            yield ("spec", "syncPolicy", "syncOptions", index), "Jobs would be replaced at every sync"


RULES = (comes_too_early, out_of_order, job_runs_again)
"""All of them, in the order in which they are said."""
