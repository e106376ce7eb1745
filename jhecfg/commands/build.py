"""build, check and diff: compile the specs, and write or compare their outputs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from jhecfg.cache import remember
from jhecfg.diagnostics import Misused, ToolError, did_you_mean
from jhecfg.fleet import Fleet, Mode, Options, Outcome, muster, run
from jhecfg.pipeline import Validator, documentation
from jhecfg.report import wants_colour
from jhecfg.source import Source, discover
from jhecfg.talk import Exit, Talk
from jhecfg.tell import headline, in_the_way, result, unwritten
from jhecfg.unchanged import LOCK, OUT, cache_options, forgotten, orphans

SPECS = Path("specs")
FEW = 10
"""So many changed sites are listed file by file; of more, each gets a line."""


def build(
    specs: Sequence[Path] | None,
    talk: Talk,
    out: Path,
    jobs: int,
    *,
    force: bool,
    strict: bool,
    validator: str,
    watch: bool,
    exit_code: bool,
) -> int:
    """Compile, judge and write; with `watch` again and again, until an interrupt. `exit_code`: 3 if files changed."""

    def once(named: Sequence[Path] | None) -> int:
        return _each(named, talk, out, jobs, "build", validator=validator, force=force, strict=strict, fail=exit_code)

    return _again_and_again(once, specs, talk) if watch else once(specs)


def plainly(argv: Sequence[str]) -> int:
    """Run `build` or `check` without options (`is_plain`), as the command line would with its defaults.

    Most builds are called so, and typer's imports and parsers would be a seventh of their time.
    """
    specs, out = [Path(word) for word in argv[1:]], Path(OUT)
    talk = Talk("text", quiet=False, colour=wants_colour(sys.stderr, os.environ))
    if argv[0] == "build":
        return build(specs, talk, out, 1, force=False, strict=False, validator="auto", watch=False, exit_code=False)
    return check(specs, talk, out, 1, strict=False, validator="auto", watch=False)


def check(
    specs: Sequence[Path] | None,
    talk: Talk,
    out: Path,
    jobs: int,
    *,
    strict: bool,
    validator: str,
    watch: bool,
) -> int:
    """Compile, judge and compare; exit 3 with the list and the diff when the output is not what would be written."""

    def once(named: Sequence[Path] | None) -> int:
        return _each(named, talk, out, jobs, "compare", validator=validator, strict=strict, fail=True)

    return _again_and_again(once, specs, talk) if watch else once(specs)


def _again_and_again(once: Callable[[Sequence[Path] | None], int], specs: Sequence[Path] | None, talk: Talk) -> int:
    """Run a command whenever a spec changes. Returns at once where there is nothing to watch."""
    from jhecfg.watch import watch

    try:
        _named(specs)
    except (ToolError, Misused):
        return once(specs)  # which says why
    return watch(once, specs or None, SPECS, talk.say)


def diff(specs: Sequence[Path] | None, talk: Talk, out: Path, jobs: int, *, exit_code: bool, validator: str) -> int:
    """Print the unified diff that `build` would make."""
    return _each(specs, talk, out, jobs, "compare", validator=validator, fail=exit_code, only_diff=True)


def _each(
    specs: Sequence[Path] | None,
    talk: Talk,
    out: Path,
    jobs: int,
    mode: Mode,
    *,
    validator: str,
    force: bool = False,
    strict: bool = False,
    fail: bool = False,
    only_diff: bool = False,
) -> int:
    try:
        _refuse_inside_a_site(out)
        fleet = muster(_named(specs), explicit=bool(specs))
        judge, binary = _judge(validator, talk)
    except ToolError as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.ENVIRONMENT
    except Misused as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.USAGE
    if not fleet.sources and not fleet.broken:
        talk.complain(f"jhecfg: there is no spec in {SPECS}/; name one, as in `jhecfg build site.yaml`")
        return Exit.USAGE
    options = Options(out=out, mode=mode, validator=judge, kubeconform=binary, force=force, strict=strict)
    outcomes = [*run(fleet.sources, options, jobs, _Progress(talk, len(fleet.sources))), *fleet.broken]
    _remember(fleet, outcomes, options)
    _tell(talk, outcomes, options, only_diff=only_diff)
    if not specs and all(outcome.site for outcome in outcomes):
        for name in orphans(str(out), {outcome.site for outcome in outcomes}):
            talk.say(forgotten(str(out), name))
    code = _code(outcomes, strict=strict, fail=fail)
    if code == Exit.OUT_OF_DATE and mode == "compare":
        _tell_stale(talk, outcomes, options)
    if code == Exit.OK and mode == "build" and talk.on_terminal:
        _tell_next(talk, outcomes, options)
    return code


def _named(specs: Sequence[Path] | None) -> list[Path]:
    """Return the specs that are meant: those named, or all of specs/. Raises ToolError, and Misused for no file."""
    if specs and Path("-") in specs:
        raise Misused("standard input is not read; a spec is a file, as in `jhecfg build site.yaml`")
    if specs or SPECS.is_dir():
        return list(specs or discover(SPECS))
    above = next((folder for folder in Path.cwd().parents if (folder / SPECS).is_dir()), None)
    where = f"run jhecfg in {above}, or " if above else ""
    raise Misused(f"there is no folder {SPECS}/ here; {where}name a spec, as in `jhecfg build site.yaml`")


def _refuse_inside_a_site(out: Path) -> None:
    """Raise Misused where outputs would go into a site's own folder: whoever reads its runbook there calls `build`."""
    place = Path(os.path.abspath(out))
    site = next((folder for folder in (place, *place.parents) if (folder / LOCK).is_file()), None)
    if site is not None:
        better = os.path.relpath(site.parent)
        raise Misused(f"{out}/ lies inside the outputs of a site, {site.name}; give --out {better}")


def _judge(validator: str, talk: Talk) -> tuple[Validator, str | None]:
    """Return the validator and kubeconform's path; say which judge does not run. Raises ToolError, Misused."""
    from jhecfg.rules.kubeconform import find_kubeconform

    if validator == "builtin":
        return "builtin", None
    if validator == "none":
        talk.complain("warning: no schema and no rule about objects is checked (--validator none)")
        return "none", None
    if validator not in ("auto", "kubeconform"):
        hint = did_you_mean(validator, ["auto", "builtin", "kubeconform", "none"])
        raise Misused(f"there is no validator '{validator}'; {hint}")
    binary = find_kubeconform()
    if binary is None and validator == "kubeconform":
        raise ToolError(
            "kubeconform is not on PATH; install it with "
            "`go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0`, or use --validator builtin"
        )
    return ("auto" if validator == "auto" else "kubeconform"), binary


class _Progress:
    """A line that counts sites, on a terminal and when there are many."""

    def __init__(self, talk: Talk, total: int) -> None:
        self.total = total
        self.shown = talk.on_terminal and not talk.quiet and total > 40

    def __call__(self, ready: int) -> None:
        if self.shown:
            end = "\r" if ready < self.total else "\n"
            sys.stderr.write(f"{ready}/{self.total} sites{end}")


def _remember(fleet: Fleet, outcomes: Sequence[Outcome], options: Options) -> None:
    """Note what compiled without a word and is now on disk, so that the next call need not compile it again."""
    silent = {o.spec: o for o in outcomes if not o.diagnostics and o.comparison is not None}
    for source in fleet.sources:
        outcome = silent.get(source.name)
        if outcome is not None and (options.mode == "build" or not outcome.stale):
            remember(source.path, _paths(source), outcome.site, outcome.digests, _cache_options(options))
    for source in fleet.bases:
        remember(source.path, _paths(source), "", {}, _cache_options(options))


def _cache_options(options: Options) -> str:
    return cache_options(str(options.out), options.validator)


def _paths(source: Source) -> dict[str, str]:
    return {str(source.path.parent / name): digest for name, digest in source.digests.items()}


def _tell(talk: Talk, outcomes: Sequence[Outcome], options: Options, *, only_diff: bool) -> None:
    found = [diagnostic for outcome in outcomes for diagnostic in outcome.diagnostics]
    if found or talk.style != "text":
        docs = documentation() if talk.style == "sarif" else {}  # the only format that carries it
        talk.diagnostics(found, docs, unwritten(outcomes) if options.mode == "build" else "")
    for outcome in outcomes:
        for line in in_the_way(outcome, options):
            talk.complain(line)
    if only_diff or not talk.quiet:
        few = sum(outcome.stale for outcome in outcomes) <= FEW
        for outcome in outcomes:
            text = result(outcome, options, only_diff=only_diff, in_detail=few)
            if talk.style == "text":
                talk.result(text)
            elif text:  # a program reads stdout: it holds a document, and nothing else
                talk.say(text.rstrip("\n"))
    checked = sum(outcome.objects_checked for outcome in outcomes if outcome.comparison is not None)
    if checked and not only_diff:
        second = " and kubeconform" if options.kubeconform else ""
        absent = "; kubeconform is not on PATH" if options.validator == "auto" and not second else ""
        talk.say(f"{checked} objects checked against the built-in schemas{second}{absent}")


def _tell_stale(talk: Talk, outcomes: Sequence[Outcome], options: Options) -> None:
    """Say that the output is out of date; who asked for quiet, and who reads annotations, has not heard where."""
    for outcome in outcomes:
        if outcome.comparison is None or not outcome.stale:
            continue
        line = headline(outcome.site, outcome.comparison, options).rstrip("\n")
        if talk.style == "github":
            talk.annotate(outcome.spec, f"{line}; run `jhecfg build`, and commit what it changes in {options.out}/")
        if talk.quiet:
            talk.complain(line)
    talk.complain(f"{options.out}/ is not what the specs say: run `jhecfg build`, and commit what it changes")


def _tell_next(talk: Talk, outcomes: Sequence[Outcome], options: Options) -> None:
    """Say to a person what becomes of what was written; a log needs no advice."""
    written = [outcome.site for outcome in outcomes if outcome.stale]
    if written:
        where = f"{options.out}/{written[0]}" if len(written) == 1 else str(options.out)
        talk.say(f"next: `jhecfg plan` says what it means; read `git diff {where}`, and commit it with the spec")


def _code(outcomes: Sequence[Outcome], *, strict: bool, fail: bool) -> int:
    """Return the gravest outcome: environment, then the specs, then refusals, then drift."""
    if any(outcome.trouble for outcome in outcomes):
        return Exit.ENVIRONMENT
    if any(outcome.failed or (strict and outcome.diagnostics) for outcome in outcomes):
        return Exit.SPEC
    if any(outcome.refused for outcome in outcomes):
        return Exit.REFUSED
    if fail and any(outcome.stale for outcome in outcomes):
        return Exit.OUT_OF_DATE
    return Exit.OK
