"""gitops(): what Argo CD or Flux needs to bring the output up in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.artifact import Artifact
from jhecfg.site import Site


def gitops(site: Site, objects: Sequence[Artifact]) -> Iterator[Artifact]:
    """Render the delivery objects of the site's engine; nothing without one."""
    yield from ()
