"""Phases: the order in which the objects of `manifests/` come up, said to the delivery engine on the objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.site import Site

# Argo CD waits for a wave's health before the next one; the folders of manifests/ are the phases (facts/gitops.md 1.1).
WAVES: dict[str, int] = {
    "10-platform": -40,
    "20-config": -20,
    "30-migrate": -10,
    "35-demo-data": -8,
    "40-bootstrap": -5,
    "50-app": 0,
    "60-routes": 10,
    "70-smoke-test": 20,
}
NAMESPACE_WAVE = -50
ROUTES = "60-routes"


def phase(path: str) -> str | None:
    """Return the phase folder of an artifact's path, or None outside `manifests/`."""
    parts = path.split("/")
    return parts[1] if parts[0] == "manifests" and len(parts) > 2 else None


def phased(site: Site, artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
    """Add the engine's ordering to every object of a phase; without an engine nothing is added."""
    for artifact in artifacts:
        name, tree = phase(artifact.path), artifact.manifest
        if name is None or tree is None or site.gitops.engine == "none":
            yield artifact
        else:
            yield artifact._replace(tree=_annotated(tree, _annotations(site, name, tree)))


def _annotations(site: Site, name: str, tree: Tree) -> dict[str, str]:
    is_namespace = tree["kind"] == "Namespace"
    if site.gitops.engine == "argocd":
        wave = NAMESPACE_WAVE if is_namespace else WAVES[name]
        # Not `confirm`: a sync that waits for somebody's word holds back every other change.
        keep = {"argocd.argoproj.io/sync-options": "Prune=false,Delete=false"} if is_namespace else {}
        return {"argocd.argoproj.io/sync-wave": str(wave), **keep}
    keep = {"kustomize.toolkit.fluxcd.io/prune": "disabled"} if is_namespace else {}
    # Somebody may switch Flux's postBuild on; nothing of ours is ever to be substituted.
    return {"kustomize.toolkit.fluxcd.io/substitute": "disabled", **keep}


def _annotated(tree: Tree, extra: dict[str, str]) -> Tree:
    if not extra:
        return tree
    metadata = tree["metadata"]
    annotations = {**metadata.get("annotations", {}), **extra}
    return {**tree, "metadata": {**metadata, "annotations": annotations}}
