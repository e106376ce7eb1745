"""kustomization(): kustomize's own file, a plain list of the manifests in a folder."""

from __future__ import annotations

from collections.abc import Iterable

from jhecfg.artifact import Artifact


def kustomization(folder: str, paths: Iterable[str]) -> Artifact:
    """Return the kustomization.yaml of a folder; `paths` are below it, and stay in their order."""
    return Artifact(
        f"{folder}/kustomization.yaml",
        {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [path.removeprefix(f"{folder}/") for path in paths],
        },
    )
