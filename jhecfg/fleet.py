"""Fleet: many specs in one call. Which files are sites, compile each, write or compare, in one process or several."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import repeat
from pathlib import Path
from typing import Literal, NamedTuple

from jhecfg.diagnostics import Diagnostic, Refused, SpecError, ToolError, in_order
from jhecfg.pipeline import Build, Validator, compile_source, finding_of, located
from jhecfg.source import Source, load
from jhecfg.tree import Comparison, compare, digest, write

Mode = Literal["build", "compare"]
BATCH = 20
"""Sites whose files are held at once, so that one run of kubeconform serves them all."""


class Options(NamedTuple):
    """How a fleet is compiled. `kubeconform` is the path of the binary, or None where it does not run."""

    out: Path
    mode: Mode
    validator: Validator
    kubeconform: str | None
    force: bool = False
    strict: bool = False


class Outcome(NamedTuple):
    """What became of one spec. `comparison` is None when nothing was written or compared."""

    spec: str
    site: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    comparison: Comparison | None = None
    refused: tuple[tuple[str, str], ...] = ()
    trouble: str = ""
    objects_checked: int = 0
    digests: Mapping[str, str] = {}

    @property
    def stale(self) -> bool:
        """Whether the output was, or is, not what the spec says."""
        return self.comparison is not None and not self.comparison.clean

    @property
    def failed(self) -> bool:
        """Whether an error in the spec stood in the way."""
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


class Fleet(NamedTuple):
    """The specs of one call: sites to compile, bases that only others extend, and files that could not be read."""

    sources: tuple[Source, ...]
    bases: tuple[Source, ...]
    broken: tuple[Outcome, ...]


def muster(paths: Sequence[Path], *, explicit: bool) -> Fleet:
    """Read every spec, each file once. One without `site` that another extends is a base, unless named explicitly."""
    sources, broken = list[Source](), list[Outcome]()
    once = {path.resolve(): path for path in reversed(paths)}
    for path in reversed(once.values()):
        try:
            sources.append(load(path, name=path.as_posix()))
        except SpecError as error:
            broken.append(Outcome(spec=path.as_posix(), diagnostics=error.diagnostics))
        except ToolError as error:
            broken.append(Outcome(spec=path.as_posix(), trouble=str(error)))
    extended = {_resolved(source, base) for source in sources for base in list(source.digests)[1:]}
    bases = [s for s in sources if not explicit and "site" not in s.tree and s.path.resolve() in extended]
    names = {base.name for base in bases}
    sites, twice = _without_twins([source for source in sources if source.name not in names])
    return Fleet(sources=tuple(sites), bases=tuple(bases), broken=(*broken, *twice))


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


def run(sources: Sequence[Source], options: Options, jobs: int, done: Callable[[int], None]) -> list[Outcome]:
    """Compile the sources and write or compare their outputs, in their order. `done` hears how many are ready."""
    jobs = min(jobs, len(sources) or 1)
    if jobs == 1:
        outcomes = list[Outcome]()
        for batch in _batches(sources):
            outcomes += _run_batch(batch, options)
            done(len(outcomes))
            if len(outcomes) % (10 * BATCH) == 0:
                # The command line switches collection off; a large fleet keeps its memory flat by this. What outlives
                # one collection (imports, sources, outcomes) stays to the end, and need not be looked at in the next.
                gc.collect()
                gc.freeze()
        return outcomes
    return _run_parallel(sources, options, jobs, done)


def _batches(sources: Sequence[Source]) -> Iterator[Sequence[Source]]:
    for start in range(0, len(sources), BATCH):
        yield sources[start : start + BATCH]


def _run_parallel(sources: Sequence[Source], options: Options, jobs: int, done: Callable[[int], None]) -> list[Outcome]:
    """Share the batches among processes. Raises ToolError if one of them was killed; the next build finishes."""
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_all_start_methods, get_context

    # Forked workers have the imports and the sources already; where there is no fork they read everything again.
    context = get_context("fork" if "fork" in get_all_start_methods() else "spawn")
    outcomes = list[Outcome]()
    try:
        with ProcessPoolExecutor(jobs, mp_context=context) as pool:
            for batch in pool.map(_run_batch, _batches(sources), repeat(options)):
                outcomes += batch
                done(len(outcomes))
    except BrokenProcessPool:
        raise ToolError(
            "one of the processes was killed, as the system does when memory runs out; run it again, with fewer --jobs"
        ) from None
    return outcomes


def _run_batch(sources: Sequence[Source], options: Options) -> list[Outcome]:
    compiled = [_compiled(source, options) for source in sources]
    builds = [each for each in compiled if isinstance(each, Build)]
    try:
        second = second_opinions(builds, options.kubeconform) if options.kubeconform else {}
    except ToolError as error:
        return [Outcome(spec=source.name, trouble=f"{source.name}: {error}") for source in sources]
    return [
        _finished(each, second.get(each.site.name, ()), options) if isinstance(each, Build) else each
        for each in compiled
    ]


def _compiled(source: Source, options: Options) -> Build | Outcome:
    try:
        return compile_source(source, options.validator)
    except SpecError as error:
        return Outcome(spec=source.name, diagnostics=error.diagnostics)


def second_opinions(builds: Sequence[Build], binary: str) -> dict[str, tuple[Diagnostic, ...]]:
    """Run kubeconform once for each Kubernetes version; return what it found, by site. Raises ToolError."""
    from jhecfg.rules.kubeconform import kubeconform_violations

    found: dict[str, tuple[Diagnostic, ...]] = {}
    for version in sorted({build.site.kubernetes for build in builds}):
        group = {build.site.name: build for build in builds if build.site.kubernetes == version and not build.failed}
        files = {
            f"{name}/{artifact.path}": build.files[artifact.path]
            for name, build in group.items()
            for artifact in build.artifacts
            if artifact.manifest is not None
        }
        for violation in kubeconform_violations(files, version, binary) if files else ():
            name, _, path = violation.path.partition("/")
            build = group[name]
            finding = finding_of(violation._replace(path=path))
            said = located(build.source, build.artifacts, [("kubeconform", finding)])
            found[name] = (*found.get(name, ()), *said)
    return found


def _finished(build: Build, more: tuple[Diagnostic, ...], options: Options) -> Outcome:
    diagnostics = in_order([*build.diagnostics, *more])
    outcome = Outcome(
        spec=build.source.name,
        site=build.site.name,
        diagnostics=diagnostics,
        objects_checked=build.objects_checked,
        digests={} if diagnostics else {path: digest(data) for path, data in build.files.items()},
    )
    if outcome.failed or (options.strict and diagnostics):
        return outcome
    try:
        name, files = build.site.name, build.files
        if options.mode == "compare":
            return outcome._replace(comparison=compare(options.out, name, files))
        comparison = _told(write(options.out, name, files, force=options.force))
    except Refused as refused:
        return outcome._replace(refused=refused.paths)
    except ToolError as error:
        return outcome._replace(trouble=str(error))
    return outcome._replace(comparison=comparison)


def _told(written: Comparison) -> Comparison:
    """Return what is told of files that are written; not their bytes: a fleet would hold, and send, all of them."""
    return written._replace(changes=tuple(change._replace(old=None, new=None) for change in written.changes))
