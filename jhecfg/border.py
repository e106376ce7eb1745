"""Border: which files belong to a repository, so that nothing in it can make jhecfg read, and show, what does not.

Who opens a pull request writes specs, and links among them; the log of a run shows lines of what cannot be read as a
spec. So a file is read only where it lies, links followed, in the git work tree, and not among git's own files there,
which may hold a token.
"""

from __future__ import annotations

import os
from pathlib import Path


def work_tree(folder: Path) -> Path | None:
    """Return the git work tree that a folder is in, or None."""
    for place in (folder, *folder.parents):
        if os.path.exists(place / ".git"):  # unlike Path.exists it cannot raise
            return place
    return None


def is_outside(real: Path, top: Path) -> bool:
    """Say whether a path, all links followed, lies outside a work tree or among git's own files."""
    return not real.is_relative_to(top) or ".git" in map(str.lower, real.relative_to(top).parts)


def leads_out(path: Path) -> bool:
    """Say whether a file named in a repository leads, by a link, to one that is not of the repository.

    Without git that is what the file's own link leads to, outside the folder above.
    """
    here = Path(os.path.abspath(path))
    real = Path(os.path.realpath(here))
    if real == here and ".git" not in map(str.lower, here.parts):
        return False
    top = work_tree(here.parent)
    border = top if top is not None else Path(os.path.realpath(here.parent)).parent
    return is_outside(real, Path(os.path.realpath(border)))
