"""The documentation of every code that jhecfg can print, and the codes of the pipeline itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jhecfg import parse as parsing
from jhecfg import patch as patching
from jhecfg import resolve as resolving
from jhecfg.rules import rule_docs

CODES: dict[str, str] = {
    "schema": "An output object does not fit its schema.\n\n"
    "*Why:* the API server (or eksctl, or the chart) would refuse it, or ignore what it does not know.\n\n"
    "*Instead:* correct the line of the spec that shapes it; this is most often an escape hatch.",
    "kubeconform": "kubeconform refuses an output object that the built-in schemas accept.\n\n"
    "*Instead:* correct the line of the spec that shapes it, and tell us: the two should agree.",
    "unwritable-value": "An escape hatch brings a value that cannot be written so that every reader reads the same.\n\n"
    "*Why:* integers beyond 2^53 lose digits in Kubernetes' own reader; keys and nesting have limits too.\n\n"
    "*Instead:* write a number as text, in quotes, where the consumer takes text.",
    "unused-ignore": "A `# jhecfg: ignore[…]` comment ignores nothing.\n\n"
    "*Why:* an exception that is no longer needed hides the next mistake on its line.\n\n*Instead:* delete it.",
    "ignore-without-reason": "A `# jhecfg: ignore[…]` comment does not say why.\n\n"
    "*Instead:* write the reason behind the bracket.",
    "not-ignorable": "A `# jhecfg: ignore[…]` comment names something that cannot be ignored.\n\n"
    "*Why:* only rules of advice and safety can have exceptions; a spec that does not resolve cannot be built.",
    "duplicate-site": "Two specs have the same `site`.\n\n*Why:* both would write the same folder of `out/`.\n\n"
    "*Instead:* give each its own name.",
}
"""What this stage can find, and its documentation."""


@cache
def documentation() -> dict[str, str]:
    """Return the documentation of every code that jhecfg can print."""
    from jhecfg import reader, source

    tables: tuple[Mapping[str, Any], ...] = (
        reader.CODES,
        source.SPEC_CODES,
        parsing.CODES,
        resolving.CODES,
        patching.CODES,
        CODES,
        rule_docs(),
    )
    return {code: str(text) for table in tables for code, text in table.items()}
