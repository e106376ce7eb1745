"""Text: a plan for a person in a hurry: the headline, then what it does by severity, what to run, how to go back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import wrap

from jhecfg.plan.model import Effect, ObjectChange, Plan, Severity, SpecChange, When
from jhecfg.plan.values import arrow, dotted
from jhecfg.render.steps import words
from jhecfg.report.words import clean

WIDTH = 110
FEW = 12
"""So many lines of an object, and so many objects of one kind, are shown."""
STEPS: tuple[tuple[When, str], ...] = (
    ("before", "before it is delivered"),
    ("during", "to deliver it"),
    ("after", "afterwards"),
)
MARKS = {"added": "+", "changed": "~", "removed": "-", "replaced": "±"}


def text(plan: Plan) -> str:
    """Return a plan as text; whatever a spec holds, no line of it commands a terminal or a log."""
    return "\n".join(clean_line(line) for line in _lines(plan)) + "\n"


def clean_line(line: str) -> str:
    """Return a line made safe, its indentation kept."""
    body = line.lstrip(" ")
    return " " * (len(line) - len(body)) + clean(body)


def _lines(plan: Plan) -> Iterator[str]:
    yield headline(plan)
    for note in plan.notes:
        yield from _wrapped(f"note: {note}", "  ")
    if plan.verb == "same":
        return
    forward = [effect for effect in plan.effects if effect.kind != "rollback"]
    for severity, alike in groupby(gravest_first(forward), lambda effect: effect.severity):
        yield from _effects(severity.name.lower(), list(alike))
    yield from _commands(plan.site, forward)
    back = [effect for effect in plan.effects if effect.kind == "rollback"]
    yield from _back(back)
    yield from _spec(plan.changes)
    if plan.verb == "added":
        yield from ("", f"  {len(plan.objects)} outputs, all of them new")
    else:
        yield from _objects(plan.objects)


def headline(plan: Plan) -> str:
    """Return one line: the site, what changes, what runs and restarts, and how bad it gets."""
    if plan.verb == "same":
        said = "the spec differs and no output does" if plan.changes else "nothing changes"
        return f"{plan.site}: {said}"
    if plan.verb in ("added", "removed", "unknown"):
        verb = {"added": "is new", "removed": "is removed", "unknown": "cannot be compared"}[plan.verb]
        return f"{plan.site}: {verb}{'' if plan.verb == 'unknown' else _worst(plan)}"
    return f"{plan.site}: {', '.join([*_counts(plan.objects), *_running(plan)]) or 'no object changes'}{_worst(plan)}"


def _counts(objects: Sequence[ObjectChange]) -> Iterator[str]:
    """Yield how many objects change, come and go; a Job that runs is counted on its own."""
    counted = [change for change in objects if change.is_object and change.kind != "Job"]
    numbers = {
        verb: sum(change.verb == verb for change in counted) for verb in ("changed", "replaced", "added", "removed")
    }
    noun = "object" if next((number for number in numbers.values() if number), 0) == 1 else "objects"
    for verb, number in numbers.items():
        if number:
            said = ("changes" if number == 1 else "change") if verb == "changed" else verb
            yield f"{number} {noun} {said}".replace("  ", " ")
            noun = ""
    other = sum(not change.is_object for change in objects)
    if not counted and other:
        yield f"{other} file{'s' * (other > 1)} change{'s' * (other == 1)}"


def _running(plan: Plan) -> Iterator[str]:
    jobs = [
        effect.subject.removeprefix("job/") for effect in plan.effects if effect.kind == "job" and "/" in effect.subject
    ]
    if jobs:
        yield f"{words(jobs)} run{'s' * (len(jobs) == 1)}"
    moved = [e for e in plan.effects if e.kind == "restart" or (e.kind == "outage" and "/" in e.subject)]
    restarted = dict.fromkeys(effect.subject.removeprefix("deployment/") for effect in moved)
    if restarted:
        yield f"{words(restarted)} restart{'s' * (len(restarted) == 1)}"


def _worst(plan: Plan) -> str:
    return {
        Severity.SAFE: "; nobody notices",
        Severity.ATTENTION: "; the service goes on",
        Severity.DISRUPTIVE: "; some people are interrupted",
        Severity.OUTAGE: "; WITH AN OUTAGE",
        Severity.DATA: "; DATA AT STAKE",
    }[plan.severity]


def _effects(title: str, effects: Sequence[Effect]) -> Iterator[str]:
    if effects and title:
        yield ""
        yield f"  {title}"
    for effect in effects:
        yield from _wrapped(f"{effect.subject}: {effect.text}{_because(effect.because)}", "    ")


def _back(effects: Sequence[Effect]) -> Iterator[str]:
    for number, effect in enumerate(effects):
        yield from _effects("" if number else "to go back", [effect])
        yield from (f"      {line}" for command in effect.commands for line in command.split("\n"))


def _because(because: Sequence[SpecChange]) -> str:
    places = list(dict.fromkeys(where(change) for change in because))
    more = f" and {len(places) - 3} more" if len(places) > 3 else ""
    return f"  [{', '.join(places[:3])}{more}]" if places else ""


def where(change: SpecChange) -> str:
    """Return the file and line of a change; `was` before what is gone."""
    gone = "was " if change.new is None else ""
    return f"{gone}{change.span.file}:{change.span.line}"


def _wrapped(line: str, indent: str) -> Iterator[str]:
    yield from wrap(
        line,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _commands(site: str, effects: Sequence[Effect]) -> Iterator[str]:
    """Yield what is to be run, in order; comments say what for."""
    told = [(when, title, [e for e in effects if e.when == when and e.commands]) for when, title in STEPS]
    if not any(found for _, _, found in told):
        return
    yield ""
    yield f"  commands, in out/{site}/"
    for _, title, found in told:
        if found:
            yield f"    # {title}"
        yield from (f"    {line}" for command in commands_of(found) for line in command.split("\n"))


def gravest_first(effects: Iterable[Effect]) -> list[Effect]:
    """Return effects as people read them; equally grave ones as they came."""
    return sorted(effects, key=lambda effect: -effect.severity)


def commands_of(effects: Sequence[Effect]) -> tuple[str, ...]:
    """Return the commands of several effects in order, each once."""
    return tuple(dict.fromkeys(command for effect in effects for command in effect.commands))


def _spec(changes: Sequence[SpecChange]) -> Iterator[str]:
    if changes and changes[0].name:
        yield ""
        yield "  spec"
    for change in changes[:FEW] if changes and changes[0].name else ():
        yield from _wrapped(
            f"{where(change)} {dotted(change.name)}: {arrow(change.was, change.becomes, change.name)}", "    "
        )
    if len(changes) > FEW:
        yield f"    and {len(changes) - FEW} more"


def _objects(objects: Sequence[ObjectChange]) -> Iterator[str]:
    if objects:
        yield ""
        yield "  outputs"
    for change in objects:
        yield f"    {MARKS[change.verb]} {change.path}" + (f"  {change.title}" if change.is_object else "")
        for leaf in change.leaves[:FEW]:
            if leaf.pointer:
                yield from _wrapped(
                    f"{dotted(leaf.pointer)}: {arrow(leaf.was, leaf.becomes, leaf.pointer)}", "        "
                )
        if len(change.leaves) > FEW:
            yield f"        and {len(change.leaves) - FEW} more"
