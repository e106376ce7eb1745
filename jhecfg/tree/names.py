"""Names: which paths an output may have, on every system that a checkout may land on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from jhecfg.diagnostics import ToolError

_PART = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._-]{0,127}")
_PATH_LENGTH = 512
_DEPTH = 16

# Device names in every Windows folder, with any extension; `con` and `aux` are valid DNS labels, so a hub may be
# called that. Source: learn.microsoft.com/windows/win32/fileio/naming-a-file.
_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{i}" for i in range(10)), *(f"lpt{i}" for i in range(10))],
)


# Both are asked three times a build, and a thousand sites share most of their names.
@lru_cache(maxsize=4096)
def problem(path: str) -> str:
    """Say what is wrong with a relative path that uses `/`, or `""` when it is safe to write everywhere.

    Safe means: it stays in its folder, is not git's own, and Windows and macOS can hold it.
    """
    if len(path) > _PATH_LENGTH or path.count("/") >= _DEPTH:
        return "is too long"
    for part in path.split("/"):
        if not _PART.fullmatch(part):
            return "has a part that is not a plain file name"
        if part.strip(".") == "":
            return "leads out of its folder"
        if part.endswith(".") or part.lower().partition(".")[0] in _RESERVED:
            return "is a reserved name on Windows"
        if part.lower() == ".git":
            return "belongs to git"
    return ""


@lru_cache(maxsize=4096)
def parents(path: str) -> tuple[str, ...]:
    """Return the folders above a path, nearest first: `a/b/c` gives `a/b`, `a`."""
    above = []
    while (path := path.rpartition("/")[0]) != "":
        above.append(path)
    return tuple(above)


def check(site: str, paths: Iterable[str]) -> None:
    """Raise ToolError unless all paths are safe and no two meet on a file system that ignores case.

    A wrong path here is a defect of a renderer, not of a spec: names in a spec are judged long before.
    """
    wrong = [f"{site!r} {problem(site) or 'is not one folder'}"] if problem(site) or "/" in site else []
    wrong += _wrong(frozenset(paths))
    if wrong:
        raise ToolError("cannot write these paths: " + "; ".join(dict.fromkeys(wrong)))


@lru_cache(maxsize=256)
def _wrong(files: frozenset[str]) -> tuple[str, ...]:
    """Say what is wrong with a set of paths; remembered, since the sites of a fleet have the same ones."""
    wrong: list[str] = []
    spelled: dict[str, str] = {}
    for path in sorted(files):
        if reason := problem(path):
            wrong.append(f"{path!r} {reason}")
            continue
        above = parents(path)
        wrong += [f"{folder!r} is both a file and a folder" for folder in above if folder in files]
        for name in (path, *above):
            if spelled.setdefault(name.lower(), name) != name:
                wrong.append(f"{name!r} and {spelled[name.lower()]!r} differ in case only")
    return tuple(wrong)
