"""Document: plans for programs, as one versioned object.

    {"version": 1,
     "sites": [{"site", "spec", "verb", "severity", "headline", "notes": [...],
                "effects": [{"kind", "severity", "subject", "text", "when", "commands": [...], "because": [place]}],
                "spec_changes": [{"path", "was", "becomes", ...place}],
                "outputs": [{"path", "verb", "kind", "name", "namespace", "because": [place],
                             "leaves": [{"path", "was", "becomes", "because": [place]}]}]}]}

`severity` is the greatest of its effects, or `unknown` where they cannot be derived. A place is `file`, `line`,
`column` and `gone` (the line is in the old spec). Values are texts as people see them, null where there is none. Every
key is always there. New keys may come; a change to these raises `version`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.plan.model import Effect, ObjectChange, Plan, SpecChange
from jhecfg.plan.text import headline
from jhecfg.plan.trees import MISSING
from jhecfg.plan.values import dotted, shown
from jhecfg.report.words import well_formed


def document(plans: Sequence[Plan]) -> str:
    """Return the plans as JSON."""
    return json.dumps({"version": 1, "sites": [_plan(plan) for plan in plans]}, indent=2) + "\n"


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "site": plan.site,
        "spec": plan.spec,
        "verb": plan.verb,
        "severity": "unknown" if plan.verb == "unknown" else plan.severity.name.lower(),
        "headline": well_formed(headline(plan)),
        "notes": list(plan.notes),
        "effects": [_effect(effect) for effect in plan.effects],
        "spec_changes": [_spec(change) for change in plan.changes],
        "outputs": [_object(change) for change in plan.objects],
    }


def _effect(effect: Effect) -> dict[str, Any]:
    return {
        "kind": effect.kind,
        "severity": effect.severity.name.lower(),
        "subject": well_formed(effect.subject),
        "text": well_formed(effect.text),
        "when": effect.when,
        "commands": [well_formed(command) for command in effect.commands],
        "because": [_place(change) for change in effect.because],
    }


def _spec(change: SpecChange) -> dict[str, Any]:
    return {
        "path": well_formed(dotted(change.name)),
        "was": _value(change.was, change.name),
        "becomes": _value(change.becomes, change.name),
        **_place(change),
    }


def _place(change: SpecChange) -> dict[str, Any]:
    span = change.span
    return {"file": span.file, "line": span.line, "column": span.column, "gone": change.new is None}


def _object(change: ObjectChange) -> dict[str, Any]:
    return {
        "path": change.path,
        "verb": change.verb,
        "kind": change.kind,
        "name": change.name,
        "namespace": change.namespace,
        "because": [_place(why) for why in change.because],
        "leaves": [
            {
                "path": well_formed(dotted(leaf.pointer)),
                "was": _value(leaf.was, leaf.pointer),
                "becomes": _value(leaf.becomes, leaf.pointer),
                "because": [_place(why) for why in leaf.because],
            }
            for leaf in change.leaves
        ],
    }


def _value(value: Any, at: Loc) -> str | None:
    return None if value is MISSING else well_formed(shown(value, at))
