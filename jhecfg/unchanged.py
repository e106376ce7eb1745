"""unchanged(): a call with nothing new, answered from the cache before anything heavy is imported.

No YAML, no pydantic, no typer: only hashes. Whatever this does not understand, or finds changed, is left to the
command proper, which is given what was found, so that nothing is hashed twice.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Mapping

from jhecfg.cache import Hit, recall
from jhecfg.plain import Words, shard_of

LOCK = "jhecfg.lock"  # as in tree.lock, which is slow to import


def recalled(words: Words) -> dict[str, Hit | None]:
    """Return what the cache knows of each spec of a command line: nothing, for one that has changed."""
    specs = words.specs or _discover()
    try:
        options = cache_options(str(words.values["out"]), str(words.values["validator"]))
    except OSError:  # the working directory is gone: the command itself says so
        return dict.fromkeys(specs)
    return {spec: recall(spec, str(words.values["out"]), options) for spec in specs}


def unchanged(words: Words, found: Mapping[str, Hit | None], say: Callable[[str], int]) -> int | None:
    """Say that nothing changed, and return `say`'s exit code; None when the command has to run."""
    values, hits = words.values, {spec: hit for spec, hit in found.items() if hit is not None}
    plain = values["style"] == "text" and values["validator"] in ("auto", "builtin") and not values.get("watch")
    if not plain or not hits or len(hits) < len(found) or not _agree(words, hits):
        return None
    shard = shard_of(str(values["shard"])) if values["shard"] else (1, 1)
    sites = [hit for hit in hits.values() if hit.site]
    mine = sites[shard[0] - 1 :: shard[1]] if shard else []
    if not mine:  # nothing here, or no shard: what there is to say is the command's
        return None
    if values.get("quiet") or words.command == "diff":
        return 0
    code = say("".join(said(hit.site, hit.files) for hit in mine))
    out, names = str(values["out"]), {hit.site for hit in sites}
    left = orphans(out, names) if not words.specs and shard == (1, 1) else ()
    if sys.stderr is not None:  # `2>&-`
        sys.stderr.write("".join(f"{forgotten(out, name)}\n" for name in left))
    return code


def _agree(words: Words, hits: Mapping[str, Hit]) -> bool:
    """Say whether what holds spec by spec holds for all: no site's name is used twice, every base is still one."""
    sites = [hit.site for hit in hits.values() if hit.site]
    without = [hit.sources[0] for hit in hits.values() if not hit.site]
    extended = {os.path.realpath(base) for hit in hits.values() for base in hit.sources[1:]}
    bases = not without or (not words.specs and all(os.path.realpath(base) in extended for base in without))
    return bases and len(set(sites)) == len(sites)


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
