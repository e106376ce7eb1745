"""explain: what a code means."""

from __future__ import annotations

from jhecfg.compile import documentation
from jhecfg.diagnostics import did_you_mean
from jhecfg.talk import Exit, Talk


def explain(code: str, talk: Talk) -> int:
    """Print the documentation of a code, or of all."""
    docs = documentation()
    codes = sorted(docs) if code == "all" else [code]
    if code != "all" and code not in docs:
        hint = did_you_mean(code, docs) or "`jhecfg explain all` lists them"
        talk.complain(f"jhecfg: there is no code '{code}'; {hint}")
        return Exit.USAGE
    talk.result("\n".join(f"{each}\n{'-' * len(each)}\n{_wrapped(docs[each])}\n" for each in codes))
    return Exit.OK


def _wrapped(text: str) -> str:
    """Break long lines between words, for a terminal; leave short ones and examples."""
    from textwrap import fill

    lines = text.strip().split("\n")
    return "\n".join(
        line if line[:1] == " " else fill(line, 88, break_long_words=False, break_on_hyphens=False) for line in lines
    )
