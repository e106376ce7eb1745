"""Completion: what a shell offers for the word at the cursor. Tab must be quick: nothing heavy is imported.

`jhecfg __complete WORD…` gets the words behind `jhecfg`, the last of them being typed, and prints a line that says how
to take the others, then one for each candidate: the word, a tab, and what it means.

    words     a space follows
    open      none does: the word goes on
    files     as for files: quoted, with a slash behind a folder

Whatever goes wrong there are no candidates: a shell is no place for messages.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from jhecfg.completion.table import COMMANDS, Command, Option

ASK = "__complete"


class Offer(NamedTuple):
    """Candidates, as (word, meaning), and how the shell takes them."""

    how: str
    candidates: tuple[tuple[str, str], ...]


NOTHING = Offer("words", ())


def respond(words: Sequence[str]) -> int:
    """Print what is offered for the last word."""
    try:
        how, candidates = offer(list(words) or [""])
    except Exception:  # a spec that is no YAML, a folder that cannot be read: there is nothing to offer
        how, candidates = NOTHING
    if candidates:
        sys.stdout.write("\n".join([how, *(_line(word, meaning) for word, meaning in candidates), ""]))
    return 0


def _line(word: str, meaning: str) -> str:
    return f"{word}\t{' '.join(meaning.split())}" if meaning else word


def offer(words: list[str]) -> Offer:
    """Return what is offered for the last of the words, which are those behind `jhecfg`."""
    *before, typed = words
    name, rest = _command(before)
    command = COMMANDS[name]
    behind, given = _read(rest, command.options)
    if behind is not None:
        return _value(behind.kind, typed, given)
    if typed.startswith("-") and "--" not in rest:
        return _option(command, typed)
    below = _below(name)
    if below and given:  # a word that is no command
        return NOTHING
    if below:
        return Offer("words", tuple((word, meaning) for word, meaning in below if word.startswith(typed)))
    if not command.arguments:
        return NOTHING
    return _value(command.arguments[min(len(given), len(command.arguments) - 1)], typed, given)


def _command(words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the command that the words name, and the words behind its name."""
    name, count = "", 0
    for word in words:
        longer = f"{name} {word}".strip()
        if longer not in COMMANDS:
            break
        name, count = longer, count + 1
    return name, list(words[count:])


def _below(name: str) -> list[tuple[str, str]]:
    """Return the commands of a group, each with what it does."""
    start = f"{name} ".lstrip()
    found = [word for word in COMMANDS if word.startswith(start) and word]
    return [(word.removeprefix(start), COMMANDS[word].help) for word in found if " " not in word.removeprefix(start)]


def _read(words: Sequence[str], options: Iterable[Option]) -> tuple[Option | None, list[str]]:
    """Return the option whose value comes next, if one does, and the arguments so far."""
    known = {word: option for option in options for word in option.words}
    awaited, arguments, only_arguments = None, list[str](), False
    for word in words:
        if awaited is not None:
            awaited = None
        elif only_arguments or not word.startswith("-") or word == "-":
            arguments.append(word)
        elif word == "--":
            only_arguments = True
        elif word in known and known[word].kind:
            awaited = known[word]
    return awaited, arguments


def _option(command: Command, typed: str) -> Offer:
    """Return options, or the values of `--option=…`."""
    name, equals, value = typed.partition("=")
    if equals:
        kind = next((each.kind for each in command.options if name in each.words), "")
        how, candidates = _value(kind, value, ()) if kind else NOTHING
        return Offer(how, tuple((f"{name}={word}", meaning) for word, meaning in candidates))
    long = [(each.words[0], each.help) for each in command.options]
    short = [(word, each.help) for each in command.options for word in each.words if word == typed != "-"]
    return Offer("words", tuple(each for each in [*long, *short] if each[0].startswith(typed)))


def _value(kind: str, typed: str, given: Sequence[str]) -> Offer:
    """Return what a value of some kind can be, after the arguments that are given."""
    if kind in ("change", "key") and given:
        from jhecfg.completion.keys import changes

        how = "open" if kind == "change" and "=" not in typed else "words"
        return Offer(how, tuple(changes(given[0], typed, whole=kind == "key")))
    if kind == "what":
        from jhecfg.completion.keys import explained

        return Offer("words", tuple(explained(typed))) if "/" not in typed else Offer("files", tuple(_files(typed)))
    if kind == "revision":
        return Offer("words", tuple((name, "") for name in _revisions() if name.startswith(typed)))
    if kind == "spec":
        return Offer("files", tuple(_specs(typed)))
    if kind in ("file", "folder"):
        return Offer("files", tuple(_files(typed, folders=kind == "folder")))
    return Offer("words", tuple((word, "") for word in kind.split("|") if "|" in kind and word.startswith(typed)))


def _specs(typed: str) -> Iterator[tuple[str, str]]:
    """Yield specs, and folders where there may be some; at once those of specs/, where specs usually are."""
    yield from _files(typed, ending=(".yaml", ".yml"))
    if not typed and os.path.isdir("specs"):
        yield from (each for each in _files("specs/", ending=(".yaml", ".yml")) if not each[0].endswith("/"))


def _files(typed: str, *, ending: tuple[str, ...] = (), folders: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the files and folders that begin so, as they would be typed; hidden ones where a dot is."""
    head, start = os.path.split(typed)
    head = f"{head}/" if head and not head.endswith("/") else head
    with os.scandir(os.path.expanduser(head) or ".") as entries:
        for entry in sorted(entries, key=lambda each: each.name):
            if not entry.name.startswith(start) or (entry.name[0] == "." and not start.startswith(".")):
                continue
            if entry.is_dir():
                yield f"{head}{entry.name}/", ""
            elif not folders and entry.name.endswith(ending or ("",)):
                yield f"{head}{entry.name}", ""


def _revisions() -> list[str]:
    """Return the branches and tags of the repository."""
    import subprocess

    command = ["git", "for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2, check=False)  # noqa: S603 - constant words
    return ["HEAD", *done.stdout.split()]
