"""finished(): what is done to the objects after the spec's patches, since it follows from what they are then."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.artifact import Artifact
from jhecfg.render.jobs import content_named
from jhecfg.render.judges import excused


def finished(artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
    """Name the Jobs by their content, and put the reasons for what judges find on the objects."""
    return excused(content_named(artifacts))
