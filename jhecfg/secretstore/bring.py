"""Bring: values that a person has: from a file, an environment variable, or typed where nobody sees them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from jhecfg.diagnostics import Misused, ToolError
from jhecfg.secretstore.check import LONGEST, problem_of
from jhecfg.secretstore.names import Named, one
from jhecfg.site import Site

TRIES = 3


class Wishes(NamedTuple):
    """Where a person says that values are: `NAME=PATH`, `NAME=VARIABLE`, and whether they may be asked."""

    from_file: tuple[str, ...] = ()
    from_env: tuple[str, ...] = ()
    ask: bool = True


def brought(site: Site, wishes: Wishes) -> dict[Named, str]:
    """Read and judge the values that are in files and variables.

    Raises Misused for a name that is not clear and a value that will not do, ToolError for what cannot be read.
    """
    found: dict[Named, str] = {}
    for option, words, read in (("--from-file", wishes.from_file, _file), ("--from-env", wishes.from_env, _variable)):
        for word in words:
            name, equals, place = word.partition("=")
            if not equals or not place:
                raise Misused(f"{option} takes NAME=PLACE, as in {option} jhe-smtp/password=…")
            named = one(site, name)
            if named in found:
                raise Misused(f"{named} is brought twice")
            found[named] = _judged(named, read(place, f"{option} {named}"))
    return found


def _judged(named: Named, value: str) -> str:
    value = value if named.item.form == "rsa" else _without_last_line_end(value)
    problem = problem_of(named.item.form, value)
    if problem:
        raise Misused(f"what you bring for {named} {problem}")
    return value


def _without_last_line_end(value: str) -> str:
    """Editors and `echo` end a file with a line end that is no part of a password."""
    return value.removesuffix("\n").removesuffix("\r")


# A place is not repeated: with `NAME=$VARIABLE` for `NAME=VARIABLE` it would be the secret itself.


def _file(path: str, option: str) -> str:
    """Read a file, or a pipe: `<(pass show smtp)` is one. Some editors begin a file with a mark of its encoding."""
    try:
        with open(path, "rb") as file:
            data = file.read(LONGEST + 3)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "is no path"
        raise ToolError(f"{option}: the file cannot be read: {(why or type(error).__name__).lower()}") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Misused(f"{option}: the file is not UTF-8 text") from None


def _variable(name: str, option: str) -> str:
    value = os.environ.get(name)
    if value is None:
        raise ToolError(f"{option}: there is no such variable; it takes the name of one, not what it holds")
    return value


def can_ask() -> bool:
    """Whether a person sits at a terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def asked(missing: Iterable[Named]) -> Mapping[Named, str]:
    """Ask for values without showing them; an empty answer leaves one out."""
    answers = {named: _ask(named) for named in missing}
    return {named: answer for named, answer in answers.items() if answer}


def _ask(named: Named) -> str:
    for _ in range(TRIES):
        answer = _typed(f"{named}, {named.item.purpose} (nothing: later): ")
        problem = problem_of(named.item.form, answer) if answer else ""
        if not problem:
            return answer
        sys.stderr.write(f"  it {problem}; once more\n")
    return ""


def _typed(prompt: str) -> str:
    """Read a line without echo. Raises ToolError where the terminal would show it."""
    import getpass
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("error", getpass.GetPassWarning)
        try:
            return getpass.getpass(prompt, stream=sys.stderr)
        except getpass.GetPassWarning:
            raise ToolError("this terminal would show what you type; use --from-file or --from-env") from None
        except EOFError:
            sys.stderr.write("\n")
            return ""
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            raise
