"""Objects: which outputs come, go and change, and where in them."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact
from jhecfg.pipeline import Build
from jhecfg.plan.model import Leaf, ObjectChange, Verb
from jhecfg.plan.trees import differences

_FILES_ONLY = ("kustomize.config.k8s.io/", "eksctl.io/")
"""What has a kind and is no object of a cluster: a list of files, eksctl's own file."""


def object_changes(before: Build | None, after: Build | None) -> tuple[ObjectChange, ...]:
    """Return what differs between two outputs, in the order of the build; the lock is left out."""
    return tuple(_changes(before, after))


def _changes(before: Build | None, after: Build | None) -> Iterator[ObjectChange]:
    old, new = _by_path(before), _by_path(after)
    for path in {**new, **old}:
        one, other = old.get(path), new.get(path)
        if one is None and other is not None:
            yield _whole("added", other)
        elif other is None and one is not None:
            yield _whole("removed", one)
        elif before is not None and after is not None and before.files.get(path) != after.files.get(path):
            yield _changed(old[path], new[path])


def _by_path(build: Build | None) -> dict[str, Artifact]:
    return {artifact.path: artifact for artifact in build.artifacts} if build is not None else {}


def _whole(verb: Verb, artifact: Artifact) -> ObjectChange:
    return ObjectChange(artifact.path, verb, *identity(artifact))


def _changed(old: Artifact, new: Artifact) -> ObjectChange:
    verb: Verb = "changed" if identity(old) == identity(new) else "replaced"
    leaves = tuple(Leaf(found.name, found.old, found.new) for found in differences(old.tree, new.tree))
    return ObjectChange(new.path, verb, *identity(new), leaves=leaves)


def identity(artifact: Artifact) -> tuple[str, str, str]:
    """Return kind, name and namespace of an object of a cluster; three empty texts for any other file."""
    tree = artifact.manifest
    if tree is None or str(tree["apiVersion"]).startswith(_FILES_ONLY):
        return "", "", ""
    metadata = tree["metadata"]
    return str(tree["kind"]), str(metadata["name"]), str(metadata.get("namespace", ""))
