"""Check: `jhecfg check`, its annotations, and what to do; the step never fails, the last one of action.yml does."""

from __future__ import annotations

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
    if said.code:
        text = said.err if len(said.err) <= SHOWN else f"{said.err[:SHOWN]}\n… the job's log has the rest"
        summarize(fenced(text))
    return 0


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
