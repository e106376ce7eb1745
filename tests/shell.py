"""Commands in the shell blocks of pages: their words, and whether each option of them exists."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

from typer.main import get_command

from jhecfg.cli import app


def blocks(page: str, language: str) -> list[str]:
    """Return the fenced blocks of a language, as a Markdown reader finds them."""
    found, lines = [], iter(page.split("\n"))
    for line in lines:
        opening = re.fullmatch(r"(`{3,})(\w+)", line)
        if opening:
            body: list[str] = []
            for inner in lines:
                if inner.strip("`") == "" and len(inner) >= len(opening[1]):
                    break
                body.append(inner)
            else:
                raise AssertionError("a block never ends")
            if opening[2] == language:
                found.append("\n".join(body))
    return found


def commands(page: str) -> Iterator[list[str]]:
    """Yield the words of each simple command of the shell blocks; here-documents are left out."""
    for body in blocks(page, "bash"):
        body = re.sub(r"<<'(SQL|END)'\n.*?\n\1\n", "\n", body, flags=re.DOTALL)
        body = body.replace("\\\n", " ").replace('"$(', "\n").replace("$(", "\n").replace("<(", "\n")
        for line in body.split("\n"):
            lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&")
            lexer.whitespace_split = True
            lexer.commenters = ""
            words: list[str] = []
            try:
                tokens = list(lexer)
            except ValueError:  # what is left of a substitution's closing quote
                tokens = line.replace('"', " ").replace("'", " ").split()
            for token in [*tokens, ";"]:
                if token.strip("|;&"):
                    words.append(token.rstrip(")"))
                else:
                    yield words
                    words = []


# The long options that the page uses, of tools that tests do not run (helm 3.18, eksctl 0.230, aws 2, curl, ssh-keygen).
KNOWN = {
    "helm get": "namespace output",
    "helm uninstall": "namespace",
    "helm upgrade": "install repo version namespace create-namespace values wait timeout",
    "helm version": "short",
    "eksctl create": "config-file",
    "eksctl delete": "config-file wait",
    "aws eks": "region name query",
    "aws cloudformation": "region stack-name template-file capabilities query output",
    "aws secretsmanager": "region name secret-id secret-string query output",
    "aws rds": "region db-instance-identifier db-snapshot-identifier source-db-instance-identifier output query "
    "target-db-instance-identifier restore-time db-subnet-group-name vpc-security-group-ids db-parameter-group-name "
    "no-publicly-accessible deletion-protection no-deletion-protection apply-immediately multi-az",
}


def unknown_options(words: list[str], kubectl: str) -> set[str]:
    """Return what of a command does not exist: options that kubectl's help, the lists above or we do not know."""
    if words[:1] == ["jhecfg"]:
        return unknown_words(words[1:])
    if words and words[0] in ("helm", "eksctl", "aws"):
        known = KNOWN.get(" ".join(words[:2]), "").split()
        return {word.split("=")[0][2:] for word in words if word.startswith("--")} - set(known)
    if words and words[0] == "kubectl":
        mine = words[: words.index("--")] if "--" in words else words
        used = {word.split("=")[0] for word in mine if word.startswith("--")}
        return used - options_of(kubectl, _subcommand(mine))
    return set()


def _subcommand(words: list[str]) -> tuple[str, ...]:
    plain = [word for index, word in enumerate(words[1:], 1) if words[index - 1] != "--namespace"]
    names = [word for word in plain if not word.startswith("-")]
    deep = {
        "create": ("secret", "configmap"),
        "rollout": ("status", "restart"),
        "config": ("current-context",),
        "auth": ("can-i",),
    }
    pair = names[:2] if names[0] in deep and names[1:2] and names[1] in deep[names[0]] else names[:1]
    return (*pair, names[2]) if pair[-1] == "secret" else tuple(pair)


@cache
def options_of(kubectl: str, subcommand: tuple[str, ...]) -> frozenset[str]:
    """Return the long options of a kubectl command, from its help."""
    texts = [
        subprocess.run([kubectl, *args], capture_output=True, text=True, check=True).stdout
        for args in ([*subcommand, "--help"], ["options"])
    ]
    return frozenset(re.findall(r"(--[a-z][a-z-]+)", "\n".join(texts)))


def unknown_words(words: list[str]) -> set[str]:
    """Return what of one of our own command lines does not exist: the command, or options."""
    command = _command_line()
    while words and re.fullmatch(r"[a-z]+", words[0]) and hasattr(command, "commands"):
        if words[0] not in command.commands:
            return {words[0]}
        command, words = command.commands[words[0]], words[1:]
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return {word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)} - known


@cache
def _command_line() -> Any:
    return get_command(app)
