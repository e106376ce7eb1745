"""Programs: the other programs that jhecfg starts, found where a repository cannot put one."""

from __future__ import annotations

import os
import shutil


def program(name: str) -> str | None:
    """Return the absolute path of a program on PATH, or None.

    Entries of PATH that are empty or relative mean the working directory, which is that of whoever wrote the files in
    it: a `git` or `kubeconform` that comes with a repository is not started.
    """
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(name, path=folder) if os.path.isabs(folder) else None
        if found is not None and os.path.isabs(found):  # Windows looks into the working directory first
            return found
    return None
