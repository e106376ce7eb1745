"""Artifact: one output, one path, one plain tree."""

from __future__ import annotations

from typing import Any, NamedTuple

Tree = dict[str, Any]
"""A plain tree: dict, list, str, int, float, bool and None, nothing else. The emitter refuses anything else."""


class Artifact(NamedTuple):
    """One file of the output.

    `path` is relative to `out/<site>/`, with `/`. `tree` is a plain tree (emitted as YAML) or text (written as it is).
    `note` is said in a comment below the header, one line each.
    """

    path: str
    tree: Tree | str
    note: tuple[str, ...] = ()

    @property
    def manifest(self) -> Tree | None:
        """The Kubernetes object this artifact holds, or None when it is something else (Helm values, text)."""
        tree = self.tree
        if isinstance(tree, dict) and "apiVersion" in tree and "kind" in tree:
            return tree
        return None
