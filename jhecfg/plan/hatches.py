"""Hatches: what came, went or changed past the compiler: patches, a hub's own values, the Exchange's own variables."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Loc
from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.plan.trees import MISSING, key_of
from jhecfg.plan.values import arrow, dotted


def hatches(pair: Pair) -> Iterator[Effect]:
    """Yield every change of the spec that lies in an escape hatch: jhecfg checks it, and guarantees less of it."""
    for change in pair.spec:
        hatch = _hatch(change.name)
        if hatch is not None:
            name, rest = hatch
            yield Effect("hatch", Severity.ATTENTION, name, _words(change, rest), (change,))


def _hatch(name: Loc) -> tuple[str, Loc] | None:
    """Return what an escape hatch is called, and the place inside it; None for what is none."""
    if name[0] == "patches":
        return "patches", name[1:]
    if name[:2] == ("exchange", "env"):
        return "exchange.env", name[2:]
    if name[0] == "hubs" and len(name) > 2 and name[2] == "values":
        return f"hubs[{name[1]}].values", name[3:]
    return None


def _words(change: SpecChange, rest: Loc) -> str:
    if isinstance(change.was, list) or isinstance(change.becomes, list):
        verb, value = ("came", change.becomes) if change.was is MISSING else ("went", change.was)
        targets = [key_of(item) for item in value if isinstance(value, list)] if isinstance(value, list) else []
        if any(targets) and MISSING in (change.was, change.becomes):
            return f"{verb}: patches of {', '.join(str(target) for target in targets)}"
    place = f"{dotted(rest)}: " if rest else ""
    verb = "came" if change.was is MISSING else "went" if change.becomes is MISSING else "changed"
    return (
        f"{verb}:"
        f" {place}{arrow(change.was, change.becomes, change.name).removeprefix('added: ').removeprefix('removed: ')}"
    )
