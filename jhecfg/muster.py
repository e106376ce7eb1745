"""Muster: which files of a call are sites, which are bases that others extend, and which cannot be read.

Nothing here needs the compiler: a file that is no YAML is refused before pydantic is imported. What the cache vouches
for is not even read as YAML; yet whatever is asked across sites (is a name used twice, is a base extended) is asked
of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from jhecfg.cache import Hit
from jhecfg.diagnostics import Diagnostic, Misused, SpecError, ToolError
from jhecfg.outcome import Outcome
from jhecfg.plain import shard_of
from jhecfg.source import Source, load

Recall = Callable[[Path], Hit | None]


class Fleet(NamedTuple):
    """The specs of one call: sites to compile, bases that only others extend, sites as they were, broken files.

    `order` has the names of all specs but bases, as they were given; `names` those of all sites.
    """

    sources: tuple[Source, ...]
    bases: tuple[Source, ...]
    broken: tuple[Outcome, ...]
    same: tuple[tuple[str, Hit], ...] = ()
    order: tuple[str, ...] = ()
    names: frozenset[str] = frozenset()

    def shard(self, index: int, count: int) -> Fleet:
        """Return the specs of the `index`th (from 1) of `count` machines: dealt like cards, so that each has its share.

        All were read, whichever machine asks: each finds the same bases, and the same names that are used twice.
        """
        mine = set(self.order[index - 1 :: count])
        return self._replace(
            sources=tuple(source for source in self.sources if source.name in mine),
            broken=tuple(outcome for outcome in self.broken if outcome.spec in mine),
            same=tuple((name, hit) for name, hit in self.same if name in mine),
            order=tuple(name for name in self.order if name in mine),
        )


def muster(paths: Sequence[Path], *, explicit: bool, recall: Recall | None = None) -> Fleet:
    """Read every spec, each file once. One without `site` that another extends is a base, unless named explicitly.

    `recall` may vouch for a spec: that compiling it again would find its output exactly as it is.
    """
    once = {path.resolve(): path for path in reversed(paths)}
    distinct = list(reversed(once.values()))
    hits = {path: hit for path in distinct if recall is not None and (hit := recall(path)) is not None}
    sources, broken = list[Source](), list[Outcome]()
    for path in distinct:
        if path not in hits:
            _read(path, sources, broken)
    extended = _extended(sources, hits)
    if not _agree(hits, sources, set() if explicit else extended):
        return muster(paths, explicit=explicit)
    bases = [s for s in sources if not explicit and "site" not in s.tree and s.path.resolve() in extended]
    apart = {base.name for base in bases} | {path.as_posix() for path, hit in hits.items() if not hit.site}
    sites, twice = _without_twins([source for source in sources if source.name not in apart])
    same = tuple((path.as_posix(), hit) for path, hit in hits.items() if hit.site)
    return Fleet(
        sources=tuple(sites),
        bases=tuple(bases),
        broken=(*broken, *twice),
        same=same,
        order=tuple(name for path in distinct if (name := path.as_posix()) not in apart),
        names=frozenset((*map(_site, sites), *(hit.site for _, hit in same))),
    )


def shard_asked(text: str) -> tuple[int, int]:
    """Return which part of the sites is meant, and of how many: the whole, where nothing is said. Raises Misused."""
    shard = shard_of(text) if text else (1, 1)
    if shard is None:
        raise Misused(f"--shard takes a part and their number, as in `--shard 2/4`, not '{text[:40]}'")
    return shard


def _read(path: Path, sources: list[Source], broken: list[Outcome]) -> None:
    try:
        sources.append(load(path, name=path.as_posix()))
    except SpecError as error:
        broken.append(Outcome(spec=path.as_posix(), diagnostics=error.diagnostics))
    except ToolError as error:
        broken.append(Outcome(spec=path.as_posix(), trouble=str(error)))


def _extended(sources: Sequence[Source], hits: dict[Path, Hit]) -> set[Path]:
    """Return the files that another spec extends."""
    read = {_resolved(source, base) for source in sources for base in list(source.digests)[1:]}
    return read | {Path(base).resolve() for hit in hits.values() for base in hit.sources[1:]}


def _agree(hits: dict[Path, Hit], sources: Sequence[Source], extended: set[Path]) -> bool:
    """Say whether what the cache vouches for, spec by spec, holds for all of them together.

    It does not where another spec has the same site now, or where nothing extends any more what was a base.
    """
    names = [hit.site for hit in hits.values() if hit.site]
    if len(set(names)) < len(names) or not set(names).isdisjoint(map(_site, sources)):
        return False
    return all(path.resolve() in extended for path, hit in hits.items() if not hit.site)


def _site(source: Source) -> str:
    return str(source.tree.get("site", ""))


def _resolved(source: Source, base: str) -> Path:
    return (source.path.parent / base).resolve()


def _without_twins(sources: Sequence[Source]) -> tuple[list[Source], list[Outcome]]:
    """Take out specs whose site another one has already: both would write the same folder."""
    first, sites, twice = dict[str, Source](), list[Source](), list[Outcome]()
    for source in sources:
        name = source.tree.get("site")
        if not isinstance(name, str) or name not in first:
            sites.append(source)
            first.setdefault(str(name), source)
            continue
        diagnostic = Diagnostic(
            code="duplicate-site",
            message=f"two specs are the site '{name}'",
            span=source.span(("site",)),
            hint="give each its own name",
            related=((first[name].span(("site",)), "first used here"),),
        )
        twice.append(Outcome(spec=source.name, diagnostics=(diagnostic,)))
    return sites, twice
