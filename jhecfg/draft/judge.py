"""Judge: whether a spec can hold a value at a place, asked of the spec and its rules: the words are theirs."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from jhecfg.diagnostics import Diagnostic, Loc, Severity, SpecError
from jhecfg.draft import Draft, nested
from jhecfg.emit import NotPlain, dump
from jhecfg.parse import parse
from jhecfg.releases import RELEASES
from jhecfg.resolve import resolve
from jhecfg.rules import judge_site
from jhecfg.source import load
from jhecfg.spec import SiteSpec

NEWEST = next(release.version for release in reversed(RELEASES) if release.version.startswith("v"))
"""The newest release of JHE that is known."""

# What stands where a draft says nothing yet, so that the rules can look at what it does say.
_STAND_IN: dict[str, Any] = {
    "site": "stand-in",
    "domain": "jhe.stand-in.example.org",
    "contact": "stand-in@example.org",
    "image": {"tag": NEWEST},
    "database": {"host": "stand-in.abc123.us-east-2.rds.amazonaws.com"},
}
_ORG: dict[str, Any] = {"name": "Stand-in", "id": 1, "type": "other"}
_HUB: dict[str, Any] = {
    "name": "stand-in",
    "domain": "hub.stand-in.example.org",
    "deploy": "external",
    "access": {"users": ["stand-in@example.org"]},
}

_LATER = frozenset({"database-ca"})
"""What a question further on mends."""


def problem_of(loc: Loc, value: Any) -> str:
    """Return why a spec cannot hold this value at this place, or nothing. What is said never shows the value."""
    try:
        _parsed({"apiVersion": "jhecfg/v1", "site": "x", **nested(loc, value)})
    except NotPlain as error:
        return error.problem
    except SpecError as error:
        return next((_words(found) for found in error.diagnostics if found.code != "missing-field"), "")
    return ""


def problem_in(draft: Draft, loc: Loc, value: Any) -> str:
    """Return why this draft cannot hold this value at this place, also for its other values, or nothing."""
    return problem_of(loc, value) or _broken_rule(draft, loc, value)


def _broken_rule(draft: Draft, loc: Loc, value: Any) -> str:
    trial = Draft()
    trial.tree = copy.deepcopy(draft.tree)
    trial.put(loc, value)
    try:
        resolution = resolve(_parsed(_completed(trial.tree)))
    except SpecError:
        return ""  # something else is wrong, and was said when it was answered
    for code, finding in [*resolution.problems, *judge_site(resolution.site)]:
        if finding.severity is Severity.ERROR and finding.loc == loc and code not in _LATER:
            return "; ".join(part for part in (finding.message, finding.hint) if part)
    return ""


def _completed(tree: dict[str, Any]) -> dict[str, Any]:
    """Return a draft's tree with a stand-in for all that a spec must have and this one lacks."""
    whole = _STAND_IN | tree
    for key in ("image", "database"):
        whole[key] = _STAND_IN[key] | whole[key]
    for key, stand_in in (("orgs", _ORG), ("hubs", _HUB)):
        whole[key] = [stand_in | item for item in tree.get(key, [])]
    return whole


def _parsed(tree: dict[str, Any]) -> SiteSpec:
    return parse(load(Path("draft.yaml"), text=dump(tree).encode(), sealed=False))


def _words(found: Diagnostic) -> str:
    """Leave out what a diagnostic shows of the value: `found`, and hints that quote it."""
    return f"it must be {found.expected}" if found.expected else found.message
