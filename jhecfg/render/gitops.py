"""gitops(): what Argo CD or Flux needs to bring the output up in order; and, without them, `kubectl apply -k`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.artifact import Artifact
from jhecfg.render.argocd import argocd
from jhecfg.render.flux import flux
from jhecfg.render.kustomize import kustomization
from jhecfg.render.phases import phase
from jhecfg.render.sealed import is_for_sops
from jhecfg.site import Site


def gitops(site: Site, objects: Sequence[Artifact]) -> Iterator[Artifact]:
    """Render the delivery objects of the site's engine, derived from the objects to deliver.

    Without an engine, and with Flux, each phase also gets a kustomization.yaml. With Argo CD it may not: a directory
    source fails on one (argo-cd docs/user-guide/directory.md).
    """
    if site.gitops.engine == "argocd":
        yield from argocd(site, objects)
        return
    # kubectl would apply what sops encrypted as it is; Flux decrypts it.
    yield from phase_kustomizations([a for a in objects if site.gitops.engine == "flux" or not is_for_sops(a)])
    if site.gitops.engine == "flux":
        yield from flux(site, objects)


def phase_kustomizations(objects: Sequence[Artifact]) -> Iterator[Artifact]:
    """Yield one kustomization.yaml for each phase, with its files in the order of rendering."""
    for name, paths in phases_of(objects).items():
        yield kustomization(f"manifests/{name}", paths)


def phases_of(objects: Sequence[Artifact]) -> dict[str, list[str]]:
    """Return the files of each phase that has any, phases in order."""
    found: dict[str, list[str]] = {}
    for artifact in objects:
        name = phase(artifact.path)
        if name is not None and artifact.manifest is not None:
            found.setdefault(name, []).append(artifact.path)
    return dict(sorted(found.items()))
