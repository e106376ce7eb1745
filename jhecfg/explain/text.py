"""Text: answers for people. The lines themselves are shown, as diagnostics show them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import fill

from jhecfg.diagnostics import Span
from jhecfg.explain.answers import Because, FileMoves, FromOutput, FromSpec
from jhecfg.explain.keys import Key
from jhecfg.report.text import Mark, excerpt, plain
from jhecfg.report.words import clean, clean_file

FRAMES = 6
"""So many lines of the spec are shown; where there are more, they are listed."""
LISTED = 40
FILES = 25
PLACES = 6
WIDTH = 100


def output_text(answer: FromOutput) -> str:
    """Write what shapes a line of an output, or a file."""
    where = f"{clean_file(answer.file)}:{answer.span.line}" if answer.span else clean_file(answer.file)
    parts = [f"{where}: {clean(answer.pointer)}" if answer.pointer else where]
    parts += _frame(answer.span, "related") if answer.span else ()
    parts += ["", *_shaped(answer)]
    if answer.unwritten:
        head = "not in the spec, and would shape it too:" if answer.written else "not in the spec, and would shape it:"
        parts += ["", head, *_listed([_brief(key) for key in answer.unwritten])]
    if answer.needed and not (answer.span and answer.written):
        parts += ["", "without these there would be no such file:", *_listed([_at(each) for each in answer.needed])]
    if not answer.complete:
        parts += ["", "the site is large: not every key was tried"]
    return "\n".join(parts) + "\n"


def _shaped(answer: FromOutput) -> Iterator[str]:
    if not answer.written and not answer.complete:
        yield "no line of the spec that was tried shapes this"
    elif not answer.written:
        yield "no line of the spec shapes this: jhecfg itself does (docs/outputs.md says what each file is for)"
    elif len(answer.written) > FRAMES or answer.span is None:
        yield f"shaped by {len(answer.written)} values of the spec:"
        yield from _listed([_at(each) for each in answer.written])
    else:
        for number, each in enumerate(answer.written):
            yield from ("",) if number else ()
            yield f"{_at(each)} shapes it"
            yield from _frame(each.span, "error")


def spec_text(answer: FromSpec) -> str:
    """Write what a line of a spec does."""
    names = [name for name, _, _ in answer.keys]
    parts = [f"{clean_file(answer.file)}:{answer.span.line}: {clean(', '.join(names or answer.overruled))}"]
    parts += _frame(answer.span, "error")
    for name, key, spans in answer.keys:
        parts += ["", *_meaning(name, key, alone=len(answer.keys) == 1), *_layers(spans)]
    for name in answer.overruled:
        parts += ["", f"{clean(name)} has no effect here: another layer says otherwise, or takes it away"]
    if answer.keys:
        parts += ["", *_moves(answer)]
    return "\n".join(parts) + "\n"


def _meaning(name: str, key: Key | None, *, alone: bool) -> Iterator[str]:
    if key is None:
        yield f"{clean(name)}: free-form"
    elif alone:
        yield from key_lines(key)
    else:
        yield f"{clean(name)}: {key.value}. {key.meaning}"


def _layers(spans: Sequence[Span]) -> Iterator[str]:
    if len(spans) > 1:
        first, *others = (f"{clean_file(span.file)}:{span.line}" for span in spans)
        yield f"{first} counts, over {', '.join(others)}"


def _moves(answer: FromSpec) -> Iterator[str]:
    files = answer.moves
    if not files:
        yield f"nothing in out/{answer.site}/ moves with it"
        return
    values = f" with these {answer.tried} values" if answer.tried > 1 else ""
    yield f"moves {len(files)} file{'s' * (len(files) != 1)} of out/{answer.site}/{values}:"
    for each in files[:FILES]:
        yield from _file(each)
    if len(files) > FILES:
        yield f"  and {len(files) - FILES} more files (--format json has all)"
    if not answer.complete:
        yield "the site is large: not every value was tried"


def _file(moves: FileMoves) -> Iterator[str]:
    how = {"renamed": " (has another path then)", "gone": " (is not there then)", "new": " (comes then)"}
    lines = f": {moves.lines} line{'s' * (moves.lines != 1)}" if moves.lines else ""
    yield f"  {clean(moves.path)}{how.get(moves.how, '')}{lines}"
    for name, line in moves.places[:PLACES]:
        yield f"    {line}: {clean(name) or 'the whole file'}"
    if len(moves.places) > PLACES:
        yield f"    and {len(moves.places) - PLACES} more places"


def key_text(key: Key) -> str:
    """Write what a key means."""
    return "\n".join([*key_lines(key), *_fields(key)]) + "\n"


def key_lines(key: Key) -> Iterator[str]:
    """Yield what a key is, in a line or two, and what it means."""
    default = f", by default {key.default}" if key.default else ""
    yield f"{key.name}: {key.value}{', required' if key.required else ''}{default}"
    if key.meaning:
        yield fill(key.meaning, WIDTH, break_long_words=False, break_on_hyphens=False)


def _fields(key: Key) -> Iterator[str]:
    if key.fields:
        yield ""
    width = max((len(name) for name, _ in key.fields), default=0)
    for name, meaning in key.fields:
        yield f"  {name:{width}}  {meaning}"


def _brief(key: Key) -> str:
    return f"{key.name}{f' [{key.default}]' if key.default else ''}: {key.meaning}"


def _at(because: Because) -> str:
    return f"{clean_file(because.span.file)}:{because.span.line}:{because.span.column}: {clean(because.key)}"


def _listed(items: Sequence[str]) -> Iterator[str]:
    yield from (f"  {item}" for item in items[:LISTED])
    if len(items) > LISTED:
        yield f"  and {len(items) - LISTED} more (--format json has all)"


def _frame(span: Span, style: str) -> Iterator[str]:
    margin = " " * len(str(span.line))
    yield f"{margin} |"
    yield from excerpt([Mark(span, "", style)], margin, plain)
