"""Batch: some sites one after the other, with their files held at once, so that one run of kubeconform serves them.

No site stands in the way of another. What is wrong with one, a bug of jhecfg included, is what became of that one.
"""

from __future__ import annotations

from collections.abc import Sequence

from jhecfg.diagnostics import Diagnostic, Refused, SpecError, ToolError, in_order
from jhecfg.outcome import Options, Outcome, broken
from jhecfg.pipeline import Build, compile_source, finding_of, located
from jhecfg.source import Source
from jhecfg.tree import Change, Comparison, compare, write


def run_batch(sources: Sequence[Source], options: Options) -> list[Outcome]:
    """Compile some sources, and write or compare their outputs. Raises nothing that a source could be to blame for."""
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
    except Exception as error:
        return Outcome(spec=source.name, bug=broken(error))


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
        digests={} if diagnostics else build.digests,
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
    except Exception as error:
        return outcome._replace(bug=broken(error))
    return outcome._replace(comparison=comparison)


def _told(written: Comparison) -> Comparison:
    """Return what is told of files that are written; not their bytes: a fleet would hold, and send, all of them."""
    told = tuple(Change(path=each.path, kind=each.kind, old=None, new=None) for each in written.changes)
    return written._replace(changes=told)
