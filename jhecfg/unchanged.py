"""unchanged(): `build` and `check` with nothing new, answered from the cache before anything heavy is imported.

No YAML, no pydantic, no typer: only hashes. Whatever this does not understand, or finds changed, is left to the
command line proper.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection

from jhecfg import __version__

COMMANDS = ("build", "check")
OUT = "out"
LOCK = "jhecfg.lock"  # as in tree.lock, which is slow to import


def unchanged(argv: list[str]) -> int | None:
    """Return 0 after saying that nothing changed (or the version), or None when the command line has to run."""
    if argv == ["--version"]:
        sys.stdout.write(f"jhecfg {__version__}\n")
        return 0
    if not is_plain(argv):
        return None
    from jhecfg.cache import recall

    hits = [recall(spec, OUT, cache_options(OUT, "auto")) for spec in argv[1:] or _discover()]
    sites = [hit for hit in hits if hit is not None and hit.site]
    names = {hit.site for hit in sites}
    if not hits or None in hits or len(names) < len(sites):  # two specs of one site: an error
        return None
    text = "".join(said(hit.site, hit.files) for hit in sites)
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        from jhecfg.report import put  # not before: it is slow to import

        put(sys.stdout, text)
    sys.stderr.write("".join(f"{forgotten(OUT, name)}\n" for name in (orphans(OUT, names) if len(argv) == 1 else ())))
    return 0


def is_plain(argv: list[str]) -> bool:
    """Say whether the words are `build` or `check` and paths, without any option."""
    return bool(argv) and argv[0] in COMMANDS and not any(word.startswith("-") for word in argv[1:])


def cache_options(out: str, validator: str) -> str:
    """Return what else a remembered result depends on, as the cache's key wants it."""
    return f"{os.path.abspath(out)} {validator}"


def said(site: str, files: int) -> str:
    """Say that a site is as it would be built."""
    return f"{site}: {files} files, nothing to do\n"


def orphans(out: str, sites: Collection[str]) -> list[str]:
    """Return the folders of `out` that jhecfg wrote and that belong to none of the sites."""
    try:
        names = sorted(os.listdir(out))
    except OSError:
        return []
    return [name for name in names if name not in sites and _is_label(name) and os.path.isfile(f"{out}/{name}/{LOCK}")]


def _is_label(name: str) -> bool:
    """Say whether a site may be called so: nothing else in `out` is of jhecfg, whatever its name tells a terminal."""
    return name.isascii() and name.replace("-", "").isalnum()


def forgotten(out: str, site: str) -> str:
    """Say that a folder is left of a spec that was renamed or deleted."""
    return f"{out}/{site}: no spec has this site; delete the folder once nothing of the site runs"


def _discover() -> list[str]:
    try:
        names = sorted(os.listdir("specs"))
    except OSError:
        return []
    return [f"specs/{name}" for name in names if name.endswith((".yaml", ".yml")) and not name.startswith(".")]
