"""Templates: how a difference inside a pod template is said."""

from __future__ import annotations

from jhecfg.diagnostics import Loc
from jhecfg.plan.model import Leaf

TEMPLATE = ("spec", "template")


def tags(leaf: Leaf) -> tuple[str, str]:
    """Return both images, without the repository where it is the same."""
    old, new = str(leaf.was), str(leaf.becomes)
    same = old.partition(":")[0] == new.partition(":")[0]
    return (old.partition(":")[2], new.partition(":")[2]) if same else (old, new)


def below_container(pointer: Loc) -> Loc:
    """Return the part of a pointer that people know: what stands below the container, or else below the pod."""
    inner = pointer[len(TEMPLATE) :]
    return inner[3:] if inner[:2] == ("spec", "containers") and len(inner) > 3 else inner[1:] or inner
