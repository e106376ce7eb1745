"""Jobs: which of them run because of a change, read off their names, which are digests of their specs."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.model import Effect, Leaf, ObjectChange, Pair, Severity
from jhecfg.plan.templates import below_container, tags
from jhecfg.plan.trees import MISSING
from jhecfg.plan.values import arrow, dotted
from jhecfg.render.objects import DIGEST_ANNOTATION
from jhecfg.render.steps import words

WHAT = {
    "migrate": "brings the database to the schema of the release; where it is there already it finds nothing to do",
    "demo-data": "loads JHE's demonstration data, and does nothing where they are",
    "bootstrap": "makes or corrects what the spec asks for in the Exchange, and deletes nothing",
    "smoke-test": "looks whether the Exchange works, and only reads",
}


def jobs(pair: Pair) -> Iterator[Effect]:
    """Yield every Job whose name differs: it is a new one, and runs once; and what demonstration data mean."""
    yield from _demo_data(pair)
    for change in job_changes(pair):
        part = part_of(change)
        yield Effect(
            "job",
            Severity.SAFE,
            f"job/{part}",
            f"runs once as {change.name}: it {WHAT.get(part, 'is new')}. Why: {_why(pair, change)}",
            pair.shaped(change.path, "spec"),
        )


def job_changes(pair: Pair) -> tuple[ObjectChange, ...]:
    """Return the Jobs that run, in the order of their phases."""
    return tuple(change for change in pair.objects if change.kind == "Job" and change.verb in ("added", "replaced"))


def part_of(change: ObjectChange) -> str:
    """Return a Job's name without its digest."""
    return change.name.rpartition("-")[0]


def _why(pair: Pair, change: ObjectChange) -> str:
    """Say what about it differs; the digest stands for data that the spec's own lines name."""
    leaves = [leaf for leaf in change.leaves if leaf.pointer[:1] == ("spec",)]
    named = [leaf for leaf in leaves if leaf.pointer[-1] != DIGEST_ANNOTATION]
    said = [_cause(leaf) for leaf in named]
    if len(named) < len(leaves):
        said += [dotted(why.name) for leaf in leaves if leaf not in named for why in leaf.because]
    return words(dict.fromkeys(said)) or "it was not there"


def _cause(leaf: Leaf) -> str:
    if leaf.pointer[-1] == "image":
        return f"image {arrow(*tags(leaf))}"
    place = dotted(below_container(leaf.pointer))
    if MISSING in (leaf.was, leaf.becomes):
        return f"{place} {'added' if leaf.was is MISSING else 'removed'}"
    return f"{place} {arrow(leaf.was, leaf.becomes, leaf.pointer)}"


def _demo_data(pair: Pair) -> Iterator[Effect]:
    """Yield what demonstration data that come or stay mean: the passwords of their users are published."""
    old, new = pair.old.exchange.demo_data, pair.new.exchange.demo_data
    if (old == "none") == (new == "none"):
        return
    if old == "none":
        text = (
            "come with a superuser and other users whose password everybody knows. They go into an empty database"
            " alone: one that is in use is refused, and no later phase comes"
        )
    else:
        text = "stay in the database, with a superuser and other users whose password everybody knows"
        if pair.new.environment != "demo":
            text += (
                "; until each has another one, or is deactivated, the bootstrap Job refuses, and no later phase comes"
            )
    yield Effect("access", Severity.ATTENTION, "demonstration data", text, pair.any_of(("exchange", "demoData")))
