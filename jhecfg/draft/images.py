"""The Exchange's image, as others write it: `repository:tag`, with a release that jhecfg knows or not."""

from __future__ import annotations

from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.draft.judge import problem_of
from jhecfg.draft.reading import Reading
from jhecfg.releases import TooOld, find_release, is_moving_tag
from jhecfg.spec.exchange import ImageSpec

REPOSITORY = str(ImageSpec.model_fields["repository"].default)


def split(image: str) -> tuple[str, str, str]:
    """Return repository, tag and digest of an image; what is not there is empty."""
    name, _, digest = image.partition("@")
    repository, colon, tag = name.rpartition(":")
    return (repository, tag, digest) if colon and "/" not in tag else (name, "", digest)


def exchange_image(reading: Reading, loc: Loc) -> None:
    """Carry the image of the Exchange, if it is a release that can be run; else say why the newest stands instead."""
    image: Any = reading.get(*loc)
    if not isinstance(image, str) or not image:
        return
    repository, tag, digest = split(image)
    why = _unfit(repository, tag)
    if why:
        reading.note(loc, f"{why}: another release stands in the draft, so its first build is an upgrade")
        return
    if repository != REPOSITORY:
        reading.carry(loc, ("image", "repository"), repository)
    if digest and not problem_of(("image", "digest"), digest):
        reading.carry(loc, ("image", "digest"), digest)
    reading.carry(loc, ("image", "tag"), tag)


def _unfit(repository: str, tag: str) -> str:
    if problem_of(("image", "tag"), tag) or problem_of(("image", "repository"), repository):
        return "is no image with a tag that a spec could name"
    if is_moving_tag(tag):
        return "its tag can come to mean another image"
    try:
        known = find_release(tag).known or repository == REPOSITORY
    except TooOld as error:
        return error.why
    return "" if known else "its tag is none of a release of JHE"
