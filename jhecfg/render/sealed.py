"""sealed(): the encrypted Secrets of 20-config, copied from the files beside the spec."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.objects import labels, metadata
from jhecfg.sealed import SealedFile
from jhecfg.site import Site

FOLDER = "manifests/20-config"


def sealed(site: Site) -> Iterator[Artifact]:
    """Render every Secret of the site that has a sealed file."""
    own = {(need.namespace, need.name) for need in site.secrets if need.owned}
    for file in site.sealing.files if site.sealing else ():
        if (file.namespace, file.name) in own:
            yield _sops(site, file) if file.envelope else _sealed_secret(site, file)


def _sealed_secret(site: Site, file: SealedFile) -> Artifact:
    return Artifact(
        f"{FOLDER}/sealedsecret-{file.namespace}-{file.name}.yaml",
        {
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": metadata(site, file.name, "secrets", namespace=file.namespace),
            "spec": {
                "encryptedData": dict(file.values),
                # Without a name here: the scope is strict, so the Secret has the SealedSecret's own.
                "template": {"metadata": {"labels": labels(site, "secrets")}, "type": "Opaque"},
            },
        },
    )


def is_for_sops(artifact: Artifact) -> bool:
    """Say whether a file has to be decrypted with sops before Kubernetes may see it."""
    return artifact.path.startswith(f"{FOLDER}/secret-")


def _sops(site: Site, file: SealedFile) -> Artifact:
    tree: Tree = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata(site, file.name, "secrets", namespace=file.namespace),
        "type": "Opaque",
        # In the file's order, which the MAC covers; it does not cover what is clear (`mac_only_encrypted`).
        file.field: dict(file.values),
        # Without the lists of other kinds of keys, which older versions of sops write empty.
        "sops": {field: value for field, value in file.envelope.items() if value},
    }
    return Artifact(f"{FOLDER}/secret-{file.namespace}-{file.name}.yaml", tree)
