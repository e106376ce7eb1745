"""explain: what a code or a key means, what a line of a spec does, where a line of the output comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from jhecfg.diagnostics import Misused, SpecError, ToolError, did_you_mean, nearest
from jhecfg.explain.answers import FromOutput, FromSpec, from_output, from_spec
from jhecfg.explain.document import codes_document, key_document, output_document, spec_document
from jhecfg.explain.keys import every_name, key_named
from jhecfg.explain.places import document_of
from jhecfg.explain.text import key_text, output_text, spec_text
from jhecfg.muster import muster
from jhecfg.pipeline import Build, compile_source, documentation
from jhecfg.source import Source, discover, load
from jhecfg.talk import Exit, Talk
from jhecfg.tree import LOCK

SPECS = Path("specs")
Style = Literal["text", "json"]
_FILE = re.compile(r"(.+?)(?::([0-9]{1,9}))?(?::([0-9]{1,9}))?")


class Asked(NamedTuple):
    """A file, and the line and column that are asked about; 0 where none is."""

    path: Path
    line: int
    column: int


def explain(what: str, specs: Sequence[Path] | None, talk: Talk, out: Path, style: Style) -> int:
    """Explain a code, `all` codes, a key of the spec, or `file:line` of a spec or of an output."""
    try:
        talk.result(_answer(what, specs, talk, out, style))
    except Misused as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.USAGE
    except SpecError as error:
        talk.diagnostics(error.diagnostics, documentation(), "not explained")
        return Exit.SPEC
    except ToolError as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.ENVIRONMENT
    return Exit.OK


def _answer(what: str, specs: Sequence[Path] | None, talk: Talk, out: Path, style: Style) -> str:
    docs = documentation()
    if what == "all" or what in docs:
        chosen = {code: docs[code] for code in (sorted(docs) if what == "all" else [what])}
        return codes_document(chosen) if style == "json" else "\n".join(_code(*each) for each in chosen.items())
    key = key_named(what)
    if key is not None:
        return key_document(key) if style == "json" else key_text(key)
    asked = _asked(what)
    if asked is None:
        raise Misused(f"there is no code or key '{what}', and no such file{_meant(what, [*docs, *every_name()])}")
    inside = _inside(asked.path, out)
    if inside is not None:
        answer = _of_output(asked, inside, specs, talk)
        return output_document(answer) if style == "json" else output_text(answer)
    answers = list(_of_spec(asked, specs))
    return spec_document(answers) if style == "json" else "\n".join(spec_text(each) for each in answers)


def _code(code: str, doc: str) -> str:
    return f"{code}\n{'-' * len(code)}\n{_wrapped(doc)}\n"


def _wrapped(text: str) -> str:
    """Break long lines between words, for a terminal; leave short ones and examples."""
    from textwrap import fill

    lines = text.strip().split("\n")
    return "\n".join(
        line if line[:1] == " " else fill(line, 88, break_long_words=False, break_on_hyphens=False) for line in lines
    )


def _asked(what: str) -> Asked | None:
    """Read `file[:line[:column]]`: what has a folder or an ending, or is there."""
    match = _FILE.fullmatch(what)
    if match is None:
        return None
    path = Path(match[1])
    is_file = "/" in match[1] or path.suffix in (".yaml", ".yml", ".md", ".lock") or os.path.lexists(path)
    return Asked(path, int(match[2] or 0), int(match[3] or 0)) if is_file else None


def _meant(what: str, candidates: Sequence[str]) -> str:
    near = nearest(what, candidates)
    return f"; did you mean '{near}'?" if near else "; `jhecfg explain all` lists the codes, docs/spec.md the keys"


# --- a line of the output ---------------------------------------------------------------------------------------------


def _inside(path: Path, out: Path) -> tuple[str, str] | None:
    """Return the site whose output a file is, and its path in there; None for any other file."""
    here = Path(os.path.abspath(path))
    if here.is_relative_to(os.path.abspath(out)):
        site, *rest = (*here.relative_to(os.path.abspath(out)).parts, "")
        return site, "/".join(rest).strip("/")
    folder = next((each for each in here.parents if os.path.isfile(each / LOCK)), None)
    return (folder.name, here.relative_to(folder).as_posix()) if folder else None


def _holds(path: Path, data: bytes) -> bool:
    """Say whether a file is there, may be read, and has these bytes."""
    try:
        return path.read_bytes() == data
    except OSError:
        return False


def _of_output(asked: Asked, inside: tuple[str, str], specs: Sequence[Path] | None, talk: Talk) -> FromOutput:
    site, path = inside
    build = _build(_spec_of(site, specs))
    paths = [artifact.path for artifact in build.artifacts]
    if path == LOCK:
        raise Misused(f"{LOCK} holds the digests of the spec and of every file: nothing in it has a line of its own")
    if path not in paths:
        hint = did_you_mean(path, paths) if path else "name a file in it"
        raise Misused(f"site '{site}' has no output '{path}'" + (f"; {hint}" if hint else ""))
    if not _holds(asked.path, build.files[path]):
        talk.complain(
            f"{asked.path.as_posix()} is not what would be built: lines are those of what `jhecfg build` writes"
        )
    answer = from_output(build, path, asked.line, asked.path.as_posix())
    if answer is None:
        raise Misused(f"{asked.path.as_posix()} has fewer lines than {asked.line}")
    return answer


def _spec_of(site: str, specs: Sequence[Path] | None) -> Source:
    """Return the spec of a site, among those named or all of specs/."""
    fleet = muster(_paths(specs), explicit=bool(specs))
    for source in fleet.sources:
        if source.tree.get("site") == site:
            return source
    if fleet.broken:
        raise SpecError(tuple(each for outcome in fleet.broken for each in outcome.diagnostics))
    known = [str(source.tree.get("site", "")) for source in fleet.sources]
    where = "among these specs" if specs else f"in {SPECS}/"
    hint = did_you_mean(site, known) if known else "name its spec behind WHAT"
    raise Misused(f"there is no spec of site '{site}' {where}; {hint or 'name its spec behind WHAT'}")


def _paths(specs: Sequence[Path] | None) -> Sequence[Path]:
    return specs or (discover(SPECS) if os.path.isdir(SPECS) else ())


def _build(source: Source) -> Build:
    return compile_source(source, "none")


# --- a line of a spec -------------------------------------------------------------------------------------------------


def _of_spec(asked: Asked, specs: Sequence[Path] | None) -> Iterator[FromSpec]:
    shown = asked.path.as_posix()
    source = load(asked.path, name=shown)
    sources = [source] if "site" in source.tree else list(_extending(asked.path, specs))
    if not sources:
        raise Misused(f"{shown} has no site, and no spec extends it; name a spec that does behind WHAT")
    if not asked.line:
        raise Misused(f"say which line of it: `jhecfg explain {shown}:{_first_line(source)}`")
    answers = [from_spec(_build(each), asked.path, asked.line, asked.column) for each in sources]
    if None in answers:
        raise Misused(f"no key stands on line {asked.line} of {shown}{_near(source, asked.line)}")
    yield from (answer for answer in answers if answer is not None)


def _extending(path: Path, specs: Sequence[Path] | None) -> Iterator[Source]:
    """Yield the sites that a base is part of: of the specs named, of specs/, or beside it."""
    beside = () if specs else discover(path.parent)
    for source in muster([*_paths(specs), *beside], explicit=False).sources:
        if "site" in source.tree and document_of(source, str(path)) is not None:
            yield source


def _first_line(source: Source) -> int:
    return min(mark.line for mark in source.documents[0].keys.values())


def _near(source: Source, line: int) -> str:
    lines = sorted({mark.line for mark in source.documents[0].keys.values()})
    return f"; the next is line {next((each for each in lines if each > line), lines[-1])}" if lines else ""
