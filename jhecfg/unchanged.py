"""unchanged(): `build` and `check` with nothing new, answered from the cache before anything heavy is imported.

No YAML, no pydantic, no typer: only hashes. Whatever this does not understand, or finds changed, is left to the
command line proper.
"""

from __future__ import annotations

import os
import sys

from jhecfg import __version__

COMMANDS = ("build", "check")
OUT = "out"


def unchanged(argv: list[str]) -> int | None:
    """Return 0 after saying that nothing changed (or the version), or None when the command line has to run."""
    if argv == ["--version"]:
        sys.stdout.write(f"jhecfg {__version__}\n")
        return 0
    if not argv or argv[0] not in COMMANDS or any(word.startswith("-") for word in argv[1:]):
        return None
    from jhecfg.cache import recall

    hits = [recall(spec, OUT, cache_options(OUT, "auto")) for spec in argv[1:] or _discover()]
    if not hits or None in hits:
        return None
    sys.stdout.write("".join(said(hit.site, hit.files) for hit in hits if hit is not None and hit.site))
    return 0


def cache_options(out: str, validator: str) -> str:
    """Return what else a remembered result depends on, as the cache's key wants it."""
    return f"{os.path.abspath(out)} {validator}"


def said(site: str, files: int) -> str:
    """Say that a site is as it would be built."""
    return f"{site}: {files} files, nothing to do\n"


def _discover() -> list[str]:
    try:
        names = sorted(os.listdir("specs"))
    except OSError:
        return []
    return [f"specs/{name}" for name in names if name.endswith((".yaml", ".yml")) and not name.startswith(".")]
