"""guarded(): what a patch changed, against the places that the compiler guarantees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jhecfg.artifact import Tree
from jhecfg.diagnostics import Finding, Loc
from jhecfg.patch.guards import EVERY, OF_KIND, Guard
from jhecfg.site import Patch

# Whether its object comes too early is a rule's to say, which takes no exception.
_FREE = ("metadata", "annotations", "argocd.argoproj.io/sync-wave")
_SHOWN = 3


def guarded(patch: Patch, before: Tree | str, after: Tree | str) -> Iterator[Finding]:
    """Yield a finding if the patch changed a guarded place of its object."""
    guards = (*EVERY, *OF_KIND.get(patch.kind, ()))
    old, new = dict(_leaves(before)), dict(_leaves(after))
    found: dict[Loc, Guard] = {}
    for path in (*old, *(path for path in new if path not in old)):
        guard = next((guard for guard in guards if _lies_at(path, guard.path)), None)
        if guard is not None and path != _FREE and not _same(old, new, path):
            found.setdefault(path[: len(guard.path) + 1], guard)
    if found:
        places = [".".join(map(str, path)) for path in found]
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        yield Finding(
            loc=(*patch.loc, "patch"),
            key=True,
            message=f"the patch changes {', '.join(places[:_SHOWN])}{more} of {patch.kind} '{patch.name}',"
            " which the compiler guarantees",
            hint=f"{next(iter(found.values())).hint}, or say why: # jhecfg: ignore[patch-override] reason",
        )


def _same(old: dict[Loc, Any], new: dict[Loc, Any], path: Loc) -> bool:
    """Say whether both have the same at a path; to YAML, true is not 1."""
    return path in old and path in new and type(old[path]) is type(new[path]) and bool(old[path] == new[path])


def _leaves(tree: Any, path: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    """Yield every leaf by its path; items that have names by their names, so that a new one moves none."""
    items: Iterator[tuple[Any, Any]]
    if isinstance(tree, dict) and tree:
        items = iter(tree.items())
    elif isinstance(tree, list) and tree:
        names = [item.get("name") if isinstance(item, dict) else None for item in tree]
        named = all(isinstance(name, str) for name in names) and len(set(map(str, names))) == len(names)
        items = zip(names if named else range(len(tree)), tree, strict=True)
    else:
        yield path, tree
        return
    for key, value in items:
        yield from _leaves(value, (*path, key))


def _lies_at(path: Loc, pattern: Loc) -> bool:
    """Say whether a leaf lies at a guarded place, below it, or is what is left where that place was."""
    return all(_matches(key, wanted) for key, wanted in zip(path, pattern, strict=False))


def _matches(key: str | int, wanted: str | int) -> bool:
    text = str(wanted)
    return text == "*" or key == wanted or (text.endswith("/*") and str(key).startswith(text[:-1]))
