"""build, check and diff: compile the specs, and write or compare their outputs."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from jhecfg.border import leads_out, work_tree
from jhecfg.cache import Hit, recall, remember
from jhecfg.diagnostics import Misused, ToolError, did_you_mean
from jhecfg.muster import Fleet, muster, shard_asked
from jhecfg.outcome import Mode, Options, Outcome
from jhecfg.plain import Words
from jhecfg.report import Format, wants_colour
from jhecfg.source import Source, discover
from jhecfg.talk import Exit, Talk
from jhecfg.tell import bugs, headline, in_the_way, result, unwritten
from jhecfg.unchanged import LOCK, cache_options, forgotten, orphans

if TYPE_CHECKING:
    from jhecfg.pipeline import Validator

SPECS = Path("specs")
VALIDATORS: tuple[Validator, ...] = ("auto", "builtin", "kubeconform", "none")
FEW = 10
"""So many changed sites are listed file by file; of more, each gets a line."""

Found = Mapping[str, Hit | None]
"""What the cache was found to know of some specs, by their names in the command line."""

UNASKED: Found = {}


class Asked(NamedTuple):
    """What is asked of a build, check or diff, whoever read the command line."""

    out: Path
    jobs: int = 1
    shard: str = ""
    validator: str = "auto"
    force: bool = False
    strict: bool = False
    watch: bool = False
    exit_code: bool = False


def plainly(words: Words, found: Found) -> int:
    """Run a command line that was understood without typer (`plain.understood`), as typer would have it run."""
    values = words.values
    style: Format = values["style"]  # type: ignore[assignment]  # one of its choices, or it was not understood
    quiet = words.command == "diff" or bool(values.get("quiet"))
    talk = Talk(style, quiet=quiet, colour=wants_colour(sys.stderr, os.environ))
    own = {name: value for name, value in values.items() if name not in ("style", "quiet")}
    asked = Asked(**{**own, "out": Path(str(own["out"]))})  # type: ignore[arg-type]  # as the table of options says
    commands = {"build": build, "check": check, "diff": diff}
    return commands[words.command]([Path(word) for word in words.specs] or None, talk, asked, found)


def build(specs: Sequence[Path] | None, talk: Talk, asked: Asked, found: Found = UNASKED) -> int:
    """Compile, judge and write; with `watch` again and again, until an interrupt. `exit_code`: 3 if files changed."""
    return _each(specs, talk, asked, "build", found)


def check(specs: Sequence[Path] | None, talk: Talk, asked: Asked, found: Found = UNASKED) -> int:
    """Compile, judge and compare; exit 3 with the list and the diff when the output is not what would be written."""
    return _each(specs, talk, asked._replace(exit_code=True), "compare", found)


def diff(specs: Sequence[Path] | None, talk: Talk, asked: Asked, found: Found = UNASKED) -> int:
    """Print the unified diff that `build` would make."""
    return _each(specs, talk, asked, "compare", found, only_diff=True)


def _each(
    specs: Sequence[Path] | None, talk: Talk, asked: Asked, mode: Mode, found: Found, *, only_diff: bool = False
) -> int:
    if not asked.watch:
        return _once(specs, talk, asked, mode, found, only_diff=only_diff)
    from jhecfg.watch import watch

    def again(named: Sequence[Path] | None) -> int:
        return _once(named, talk, asked, mode, {}, only_diff=only_diff)

    try:
        _named(specs)
    except (ToolError, Misused):
        return again(specs)  # which says why
    return watch(again, specs or None, SPECS, talk.say)


def _once(specs: Sequence[Path] | None, talk: Talk, asked: Asked, mode: Mode, found: Found, *, only_diff: bool) -> int:
    try:
        _refuse_inside_a_site(asked.out)
        _refuse_a_way_out(asked.out)
        shard = shard_asked(asked.shard)
        paths = _named(specs)
        options = Options(asked.out, mode, _judge(asked.validator), None, force=asked.force, strict=asked.strict)
        fleet = muster(paths, explicit=bool(specs), recall=_recall(options, found))
        mine = fleet.shard(*shard)
        if mine.sources:
            options = options._replace(kubeconform=_kubeconform(options.validator))
    except ToolError as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.ENVIRONMENT
    except Misused as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.USAGE
    if not fleet.order:
        talk.complain(f"jhecfg: there is no spec in {SPECS}/; name one, as in `jhecfg build site.yaml`")
        return Exit.USAGE
    if options.validator == "none":
        talk.complain("warning: no schema and no rule about objects is checked (--validator none)")
    if not mine.order:
        talk.say(f"there is no site in part {asked.shard}")
    outcomes = _outcomes(mine, options, asked.jobs, talk)
    _remember(mine, outcomes, options)
    _tell(talk, outcomes, options, only_diff=only_diff)
    whole = all(outcome.site for outcome in outcomes) and not fleet.broken
    if not specs and whole and shard[0] == 1:
        for name in orphans(str(asked.out), fleet.names):
            talk.say(forgotten(str(asked.out), name))
    code = _code(outcomes, strict=asked.strict, fail=asked.exit_code)
    if code == Exit.OUT_OF_DATE and mode == "compare":
        _tell_stale(talk, outcomes, options)
    if code == Exit.OK and mode == "build" and talk.on_terminal:
        _tell_next(talk, outcomes, options)
    return code


def _recall(options: Options, found: Found) -> Callable[[Path], Hit | None]:
    """Return how to ask what the cache knows of a spec; what was found already is not looked up again."""

    def ask(path: Path) -> Hit | None:
        name = path.as_posix()
        return found[name] if name in found else recall(path, options.out, _cache_options(options))

    return ask


def _outcomes(fleet: Fleet, options: Options, jobs: int, talk: Talk) -> list[Outcome]:
    """Compile what is to be compiled; return what became of every spec, in the order of the command line."""
    outcomes = [*fleet.broken, *(_as_it_was(name, hit, options) for name, hit in fleet.same)]
    if fleet.sources:
        from jhecfg.commands.progress import Progress
        from jhecfg.fleet import run  # not before: a file that is no YAML needs no compiler

        with Progress(talk, len(fleet.sources)) as progress:
            outcomes += run(fleet.sources, options, jobs, progress)
    place = {name: at for at, name in enumerate(fleet.order)}
    return sorted(outcomes, key=lambda outcome: place[outcome.spec])


def _as_it_was(name: str, hit: Hit, options: Options) -> Outcome:
    from jhecfg.tree import Comparison

    comparison = Comparison(root=options.out / hit.site, changes=(), unchanged=hit.files)
    return Outcome(spec=name, site=hit.site, comparison=comparison, same=True)


def _named(specs: Sequence[Path] | None) -> list[Path]:
    """Return the specs that are meant: those named, or all of specs/. Raises ToolError, and Misused for no file."""
    if specs and Path("-") in specs:
        raise Misused("standard input is not read; a spec is a file, as in `jhecfg build site.yaml`")
    if specs or os.path.isdir(SPECS):
        return list(specs or discover(SPECS))
    above = next((folder for folder in Path.cwd().parents if os.path.isdir(folder / SPECS)), None)
    where = f"run jhecfg in {above}, or " if above else ""
    raise Misused(f"there is no folder {SPECS}/ here; {where}name a spec, as in `jhecfg build site.yaml`")


def _refuse_inside_a_site(out: Path) -> None:
    """Raise Misused where outputs would go into a site's own folder: whoever reads its runbook there calls `build`."""
    place = Path(os.path.abspath(out))
    site = next((folder for folder in (place, *place.parents) if os.path.isfile(folder / LOCK)), None)
    if site is not None:
        better = os.path.relpath(site.parent)
        raise Misused(f"{out}/ lies inside the outputs of a site, {site.name}; give --out {better}")


def _refuse_a_way_out(out: Path) -> None:
    """Raise Misused where a link leads outputs out of the repository: who opens a pull request can put one there."""
    if leads_out(out) and work_tree(Path(os.path.abspath(out)).parent) is not None:
        real = os.path.relpath(os.path.realpath(out))
        raise Misused(f"{out}/ is a link that leads out of the repository; if that is meant, give --out {real}")


def _judge(validator: str) -> Validator:
    """Return the validator that a word names. Raises Misused."""
    for known in VALIDATORS:
        if validator == known:
            return known
    raise Misused(f"there is no validator '{validator}'; {did_you_mean(validator, VALIDATORS)}")


def _kubeconform(validator: Validator) -> str | None:
    """Return the path of kubeconform, where it is to run. Raises ToolError."""
    if validator not in ("auto", "kubeconform"):
        return None
    from jhecfg.rules.kubeconform import find_kubeconform  # not before there is something to judge

    binary = find_kubeconform()
    if binary is None and validator == "kubeconform":
        raise ToolError(
            "kubeconform is not on PATH; install it with "
            "`go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0`, or use --validator builtin"
        )
    return binary


def _remember(fleet: Fleet, outcomes: Sequence[Outcome], options: Options) -> None:
    """Note what compiled without a word and is now on disk, so that the next call need not compile it again."""
    silent = {o.spec: o for o in outcomes if not o.diagnostics and o.comparison is not None and not o.same}
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
        talk.diagnostics(found, _docs(talk), unwritten(outcomes) if options.mode == "build" else "")
    for text in bugs(outcomes):
        talk.complain(text)
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
        same = sum(outcome.same for outcome in outcomes)
        rest = f"; {same} {'site' if same == 1 else 'sites'} as checked before" if same else ""
        talk.say(f"{checked} objects checked against the built-in schemas{second}{absent}{rest}")


def _docs(talk: Talk) -> Mapping[str, str]:
    """Return the documentation of every code, for the only format that carries it."""
    if talk.style != "sarif":
        return {}
    from jhecfg.pipeline import documentation

    return documentation()


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
    """Return the gravest outcome: a bug, environment, then the specs, then refusals, then drift."""
    if any(outcome.bug for outcome in outcomes):
        return Exit.BUG
    if any(outcome.trouble for outcome in outcomes):
        return Exit.ENVIRONMENT
    if any(outcome.failed or (strict and outcome.diagnostics) for outcome in outcomes):
        return Exit.SPEC
    if any(outcome.refused for outcome in outcomes):
        return Exit.REFUSED
    if fail and any(outcome.stale for outcome in outcomes):
        return Exit.OUT_OF_DATE
    return Exit.OK
