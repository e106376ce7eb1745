"""The runbook for whoever judges the output with other programs: what they find, and why it stays."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.judges import WORDS
from jhecfg.render.steps import code, table
from jhecfg.site import Site


def judged(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say where the reasons are for what linters and scanners find in this folder."""
    yield (
        "checkov, kube-linter and kube-score find nothing here: what they would find and is meant has its reason on the"
        " object itself, in its annotations (in the template of the database: its `Metadata`). Other judges have no such"
        " place. What they may find, and why it stays:"
    )
    yield table(
        ("judge", "finding", "why it stays"),
        ((word.judge, code(word.check), word.reason) for word in WORDS),
    )
