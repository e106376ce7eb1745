"""Code in `hubs[].values` (`hub.extraConfig`): what of it can be judged by reading, and what a person must answer for.

Lines that set a trait to a plain value (`c.Spawner.start_timeout = 300`) are the same as `hub.config`, and are judged
as that is. Whatever else Python can do may change anything, so it needs an exception with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from jhecfg.rules.hub_keys import AUTHENTICATORS, FREE_OF_LOGIN, GUARDED

if TYPE_CHECKING:
    import ast

_ANSWER = "set traits to plain values only, or say why: # jhecfg: ignore[hub-values-override] reason"


def overrides_in_code(extra_config: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield (name of the code, message, hint) for code that sets what is guarded, or that reading cannot judge."""
    for name, code in extra_config.items():
        if ("hub", "extraConfig", name) in GUARDED:  # which is said of the name
            continue
        traits = _traits(code) if isinstance(code, str) else ()
        if traits is None:
            yield name, f"'{name}' is code that may change whatever the compiler guarantees", _ANSWER
            continue
        for section, trait in traits:
            path = ("hub", "config", section, trait)
            hint = GUARDED.get(path) or GUARDED.get(path[:3]) or _of_login(section, trait)
            if hint:
                yield name, f"'{name}' sets '{section}.{trait}', which the compiler guarantees", hint


def _of_login(section: str, trait: str) -> str:
    unknown = section in AUTHENTICATORS and trait not in FREE_OF_LOGIN
    return "leave it out: how people log in is the compiler's" if unknown else ""


def _traits(code: str) -> list[tuple[str, str]] | None:
    """Return the (class, trait) that plain lines set, or None for code that does more than that."""
    import ast

    try:
        lines = ast.parse(code).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = [_set_by(line) for line in lines]
    return None if None in found else [trait for trait in found if trait is not None]


def _set_by(line: ast.stmt) -> tuple[str, str] | None:
    """Return what `c.Class.trait = value` sets, if the line is that and no more."""
    import ast

    if not isinstance(line, ast.Assign) or len(line.targets) != 1 or not _is_plain(line.value):
        return None
    target = line.targets[0]
    if not isinstance(target, ast.Attribute) or not isinstance(target.value, ast.Attribute):
        return None
    config = target.value.value
    return (target.value.attr, target.attr) if isinstance(config, ast.Name) and config.id == "c" else None


def _is_plain(value: ast.expr) -> bool:
    import ast

    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True
