"""runbook(): the page that a person reads to bring this site up and keep it running."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.artifact import Artifact
from jhecfg.site import Site


def runbook(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Artifact]:
    """Render RUNBOOK.md."""
    yield Artifact("RUNBOOK.md", f"# {site.name}\n")
