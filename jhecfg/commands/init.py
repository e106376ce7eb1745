"""init: from a few answers, or from what people have, to a spec that compiles."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import join

from jhecfg.diagnostics import Diagnostic, Misused, Severity, SpecError, ToolError
from jhecfg.draft import Draft
from jhecfg.draft.ask import Given, answer
from jhecfg.draft.page import SCHEMA, page
from jhecfg.draft.take import NotKnown, taken
from jhecfg.edit.files import clear, create
from jhecfg.jsonschema import spec_schema_text
from jhecfg.pipeline import compile_source
from jhecfg.render.steps import one_line
from jhecfg.secretstore.bring import can_ask
from jhecfg.source import load
from jhecfg.talk import Exit, Talk

STDOUT = Path("-")


class Exists(Exception):
    """A file is there already, and stays as it is; the text names it."""


def init(file: Path | None, inputs: Sequence[Path], flags: Mapping[str, str], talk: Talk, *, ask: bool) -> int:
    """Write a spec to a new file; `-` prints it. Nothing that exists is changed."""
    try:
        return _init(file, inputs, flags, talk, ask=ask and can_ask())
    except SpecError as error:
        talk.diagnostics(error.diagnostics, {}, "nothing was written")
        return Exit.SPEC
    except NotKnown as error:
        talk.complain(f"jhecfg: {one_line(str(error))}; nothing was written")
        return Exit.SPEC
    except Misused as error:
        talk.complain(f"jhecfg: {one_line(str(error))}")
        return Exit.USAGE
    except Exists as error:
        talk.complain(f"{error}: is there already, and stays as it is; name another FILE")
        return Exit.REFUSED
    except ToolError as error:
        talk.complain(f"jhecfg: {one_line(str(error))}")
        return Exit.ENVIRONMENT
    except KeyboardInterrupt:  # before the file is made, which is the last thing that is done
        talk.complain("\nnothing was written")
        return Exit.INTERRUPTED


def _init(file: Path | None, inputs: Sequence[Path], flags: Mapping[str, str], talk: Talk, *, ask: bool) -> int:
    if file is not None and file != STDOUT:
        _refuse_if_there(file)
    draft = taken(inputs)
    for note in draft.notes:
        talk.say(f"note: {one_line(str(note))}")
    if draft.unsaid:
        talk.say(f"note: and {draft.unsaid} more")
    _fill(draft, file, flags, talk, ask=ask)
    path = file if file is not None and file != STDOUT else _default(str(draft.get("site")))
    text = page(draft)
    said = compile_source(load(path, text=text.encode()), "builtin").diagnostics
    if file == STDOUT:
        talk.result(text)
    else:
        schema = _with_schema(path.parent)  # first: where the spec is, all is done
        _write(path, text)
        talk.say(f"{path.as_posix()}: written{schema}")
    return _tell(draft, path, said, talk, written=file != STDOUT)


def _fill(draft: Draft, file: Path | None, flags: Mapping[str, str], talk: Talk, *, ask: bool) -> None:
    """Answer the questions. Raises Misused, with the names of those that have no answer."""

    def refusal(name: str, typed: str) -> str:
        there = name == "site" and file is None and os.path.lexists(_default(typed))
        return f"{_default(typed).as_posix()} is there already" if there else ""

    stem = {"site": file.stem} if file is not None and file != STDOUT else {}
    if ask:
        talk.say("Enter takes what stands in [brackets]; Ctrl-C ends it, and nothing is written.")
    missing = answer(draft, Given(flags, stem, _typed if ask else None, talk.complain, refusal))
    if missing:
        raise Misused(f"init needs {', '.join(f'--{name}' for name in missing)}, or a terminal to ask on")


def _default(site: str) -> Path:
    return Path("specs") / f"{site}.yaml"


def _typed(prompt: str) -> str:
    """Show a prompt on stderr, since stdout may be a file, and return the line that a person types."""
    sys.stderr.write(prompt)
    sys.stderr.flush()
    try:
        line = sys.stdin.readline()
    except UnicodeDecodeError:
        raise Misused("nothing was written: what was typed is not UTF-8 text") from None
    if not line:
        raise EOFError
    return line


# --- files ------------------------------------------------------------------------------------------------------------


def _refuse_if_there(path: Path) -> None:
    if os.path.lexists(path):
        for left in (path, path.with_name(SCHEMA)):
            clear(left)
        raise Exists(path.as_posix())


def _write(path: Path, text: str) -> None:
    """Write a new file; one that is there already stays as it is, whatever it is. Raises Exists and ToolError."""
    try:
        create(path, text.encode())
    except FileExistsError:
        raise Exists(path.as_posix()) from None
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise ToolError(f"cannot write {path.as_posix()}: {why}") from None


def _with_schema(folder: Path) -> str:
    """Put the schema beside the spec, unless a file is there already; say so."""
    path = folder / SCHEMA
    try:
        _write(path, spec_schema_text())
    except Exists:
        return ""
    return f", and {path.as_posix()} for editors"


# --- what comes next --------------------------------------------------------------------------------------------------


def _tell(draft: Draft, path: Path, said: Sequence[Diagnostic], talk: Talk, *, written: bool) -> int:
    """Say what is still wrong with the draft, or else what to do with it."""
    failed = any(diagnostic.severity is Severity.ERROR for diagnostic in said)
    talk.diagnostics(said, {}, "mend the spec, then run `jhecfg build`" if failed else "")
    if written and not failed:
        talk.say("\n".join(["next:", *(f"  {line}" for line in _next(draft, path))]))
    return Exit.SPEC if failed else Exit.OK


def _next(draft: Draft, path: Path) -> list[str]:
    """Return the commands of this case, in order."""

    def command(*words: str) -> str:
        return join(["jhecfg", *words, path.as_posix()])

    backend = draft.get("secrets", "backend")
    lines = [f"{command('secrets', 'init')}   # makes the site's secrets, in a file that git does not see"]
    if backend == "sops":  # sealing for a controller waits until there is one, as the runbook says
        lines.append(f"{command('secrets', 'seal')}   # encrypts them, beside the spec")
    lines.append(f"{command('build')}   # writes out/{draft.get('site')}/; commit it with the spec")
    lines.append(f"less out/{draft.get('site')}/RUNBOOK.md   # every command of this site, in order")
    if draft.get("database", "rds") is not None:
        lines.append(f"{command('import', 'rds')} -   # once the runbook's stack is there: its endpoint")
    return lines
