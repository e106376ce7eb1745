"""patched(): the last escape hatch: JSON merge patches (RFC 7396) and JSON 6902 patches on named output objects."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, did_you_mean
from jhecfg.patch.guarded import guarded
from jhecfg.site import Patch, Site

CODES: dict[str, str] = {
    "patch-matches-nothing": "A patch names an object that the output does not hold.\n\n"
    "*Why:* a patch that is silently dropped is a change that nobody makes (kustomize#4380).\n\n"
    "*Instead:* correct kind, name or namespace; the message lists what is near.",
    "patch-fails": "A patch cannot be applied to its object.\n\n"
    "*Why:* its path does not exist, its test fails, or it is neither a mapping nor a list of operations.\n\n"
    "*Instead:* read the object in `out/`, and correct the patch.",
    "patch-override": "A patch changes what the compiler guarantees: who may enter, what is reachable, what runs, where"
    " secrets come from, how the site is delivered.\n\n"
    "*Why:* patches are applied last, so one line of them would undo it without a word. An auditor reads the spec.\n\n"
    "*Instead:* use the spec's own keys (the hint names them). An exception that you mean is a comment on the line of"
    " `patch:`: `# jhecfg: ignore[patch-override] reason`.",
}
"""What this stage can find, and its documentation."""


def patched(site: Site, artifacts: Sequence[Artifact]) -> tuple[tuple[Artifact, ...], list[tuple[str, Finding]]]:
    """Apply the site's patches in order. Returns the artifacts, and what was wrong as (code, finding)."""
    result, problems = list(artifacts), list[tuple[str, Finding]]()
    for patch in site.patches:
        places = [index for index, artifact in enumerate(result) if _is_target(patch, artifact)]
        if not places:
            problems.append(("patch-matches-nothing", _no_target(patch, result)))
        for index in places:
            before = result[index]
            try:
                result[index] = before._replace(tree=_apply(patch.patch, before.tree))
            except PatchFailed as failed:
                problems.append(("patch-fails", Finding(loc=(*patch.loc, "patch"), message=str(failed))))
            problems.extend(("patch-override", finding) for finding in guarded(patch, before.tree, result[index].tree))
    return tuple(result), problems


class PatchFailed(ValueError):
    """A patch does not fit its object; the text says why, without values."""


def _is_target(patch: Patch, artifact: Artifact) -> bool:
    tree = artifact.manifest
    metadata = tree.get("metadata", {}) if tree is not None else {}
    if tree is None or tree["kind"] != patch.kind or metadata.get("name") != patch.name:
        return False
    return patch.namespace is None or metadata.get("namespace") == patch.namespace


def _no_target(patch: Patch, artifacts: Sequence[Artifact]) -> Finding:
    trees = [artifact.manifest for artifact in artifacts]
    same = [tree.get("metadata", {}) for tree in trees if tree is not None and tree["kind"] == patch.kind]
    names = [str(metadata["name"]) for metadata in same if "name" in metadata]
    kinds = {str(tree["kind"]) for tree in trees if tree is not None}
    hint = did_you_mean(patch.name, names) if names else did_you_mean(patch.kind, sorted(kinds))
    return Finding(
        loc=(*patch.loc, "target"),
        message=f"the output holds no {patch.kind} '{patch.name}'"
        + (f" in '{patch.namespace}'" if patch.namespace else ""),
        hint=hint,
    )


def _apply(patch: Any, tree: Tree | str) -> Tree:
    assert isinstance(tree, dict)  # only manifests are targets
    result = merge(tree, patch) if isinstance(patch, dict) else _operations(patch, tree)
    if not isinstance(result, dict) or _identity(result) != _identity(tree):
        raise PatchFailed("the patch changes which object this is: apiVersion, kind, name or namespace")
    return result


def _identity(tree: Tree) -> tuple[Any, ...]:
    metadata = tree.get("metadata")
    name = (metadata.get("name"), metadata.get("namespace")) if isinstance(metadata, dict) else ()
    return (tree.get("apiVersion"), tree.get("kind"), *name)


def merge(tree: Any, patch: Any) -> Any:
    """Apply a JSON merge patch: mappings merge, null removes, everything else replaces. Changes neither argument."""
    if not isinstance(patch, dict):
        return deepcopy(patch)
    result = dict(tree) if isinstance(tree, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merge(result.get(key), value)
    return result


def _operations(patch: Any, tree: Tree) -> Any:
    if not isinstance(patch, list):
        raise PatchFailed("a patch is a mapping, or a list of JSON 6902 operations")
    import jsonpatch

    result: Any = tree
    for number, operation in enumerate(patch, start=1):
        try:
            result = jsonpatch.apply_patch(result, [operation])
        except (jsonpatch.JsonPatchException, jsonpatch.JsonPointerException, KeyError, TypeError, ValueError):
            # The library's texts can hold values of the object: only which operation it was is told.
            raise PatchFailed(f"operation {number}{_called(operation)} does not fit the object") from None
    return result


def _called(operation: Any) -> str:
    """Name an operation, `replace /spec/replicas`, if it has the form of one."""
    if not isinstance(operation, dict):
        return ""
    name, path = operation.get("op"), operation.get("path")
    return f" ({name} {path})" if isinstance(name, str) and isinstance(path, str) and len(name + path) < 200 else ""
