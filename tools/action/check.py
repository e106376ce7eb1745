"""Check: `jhecfg check`, its annotations, and what to do; the step never fails, the last one of action.yml does."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jhecfg import __version__
from tools.action.runner import fenced, given, jhecfg, log, output, summarize, words

SHOWN = 20_000
"""Characters of what `check` says that stand in the summary; the log has all."""


def main() -> int:
    """Run the check; its exit code is the output `exit-code`."""
    strict = ["--strict"] if given("JHECFG_STRICT") != "false" else []
    said = jhecfg("check", *words("JHECFG_SPECS"), "--out", given("JHECFG_OUT"), "--format", "github", *strict)
    print(said.out, end="", flush=True)
    log(said.err)
    output("exit-code", str(said.code))
    summarize(f"## jhecfg check\n\n{verdict(said.code)}\n")
    text = "\n".join([*listed(said.out), said.err.rstrip()]).strip("\n") if said.code else ""
    if text:
        summarize(fenced(text if len(text) <= SHOWN else f"{text[:SHOWN]}\n… the job's log has the rest"))
    return 0


def listed(annotations: str) -> Iterator[str]:
    """Yield what the annotations say, a line each, since GitHub shows ten of a step; the summary has all."""
    for level, properties, text in re.findall(r"^::(\w+) (.*?)::(.*)$", annotations, re.MULTILINE):
        of = {name: undone(value) for name, _, value in (each.partition("=") for each in properties.split(","))}
        place = ":".join(of[name] for name in ("file", "line", "col") if name in of)
        yield f"{place}{': ' if place else ''}{level}[{of['title']}]: {undone(text).partition(chr(10))[0]}"


def undone(text: str) -> str:
    """Undo the escapes of a command."""
    for escape, character in (("%3A", ":"), ("%2C", ","), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(escape, character)
    return text


def verdict(code: int) -> str:
    """Say what an exit code of `check` means, and what to do; Markdown."""
    if code == 0:
        return "✅ The specs are in order, and the outputs are what they say."
    if code == 1:
        return "❌ The specs are at fault: the annotations say where, and what to write instead."
    if code == 3:
        return (
            f"❌ The outputs are not what the specs say: run `jhecfg build` with jhecfg {__version__}, and commit what"
            " it changes. Edits by hand belong in the spec."
        )
    return f"❌ `jhecfg check` could not finish (exit code {code}): the job's log says why."
