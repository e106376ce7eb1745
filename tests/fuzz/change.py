"""Change: `jhecfg set` writes exactly what was meant and keeps every other byte, or leaves the file as it was."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import tempfile
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

from jhecfg.commands.set import change as set_command
from jhecfg.diagnostics import Loc, SpecError
from jhecfg.edit import REMOVED, CannotEdit, edited
from jhecfg.edit.writing import inline
from jhecfg.pipeline import compile_source
from jhecfg.reader import Document, read
from jhecfg.source import load
from jhecfg.talk import Exit, Talk
from tests.fuzz.choices import Choices
from tests.fuzz.reader import cut, same
from tests.fuzz.seeds import spec_files, suite
from tests.fuzz.spec import ODD, at, names, places, values
from tests.fuzz.target import Target, claim
from tests.hostile_strings import HOSTILE

NAME = "fuzz.yaml"
GONE = {"gone": True}
"""How a case writes that a place is to be taken away."""


def judge(case: bytes) -> None:
    """Judge a case: a spec's text with changes of places, or with the words of the command."""
    try:
        read_case = json.loads(case)
        text, changes, words = read_case["spec"].encode(), read_case.get("changes", []), read_case.get("words", [])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return  # libFuzzer changed what was a case
    if words:
        command(text, [*map(str, words)])
        return
    for loc, value in changes:
        text = step(text, tuple(loc), value)


def step(text: bytes, loc: Loc, value: Any) -> bytes:
    """Make one change, judge it, and return the text after it."""
    try:
        before = read(text, NAME)
    except SpecError:
        return text
    wanted = REMOVED if value == GONE else value
    try:
        after = edited(text, NAME, {loc: wanted})
    except CannotEdit as refusal:
        claim(1 <= refusal.line <= len(before.lines) + 1, "a refusal at a line that is not there")
        return text
    tree = expected(before.tree, loc, value)
    claim(same(read(after, NAME).tree, tree), "the result is another tree than was meant")
    kept(before, text, after, loc, value)
    return after


def expected(tree: dict[str, Any], loc: Loc, value: Any) -> Any:
    """Return what a change should make of a tree, worked out in the plainest way."""
    tree = copy.deepcopy(tree)
    here: Any = tree
    for step_, below in pairwise(loc):
        inside = here.get(step_) if isinstance(here, dict) else here[step_] if step_ < len(here) else None
        if inside is None:
            inside = [] if isinstance(below, int) else {}
            here.append(inside) if isinstance(here, list) and step_ == len(here) else here.__setitem__(step_, inside)
        here = inside
    if value == GONE:
        del here[loc[-1]]
    elif isinstance(here, list) and loc[-1] == len(here):
        here.append(value)
    else:
        here[loc[-1]] = value
    return tree


def kept(before: Document, text: bytes, after: bytes, loc: Loc, value: Any) -> None:
    """Claim that one stretch of the text changed, where it had to, and that there and back is the same text."""
    old, new = text.decode(), after.decode()
    head = common(old, new)
    tail = common(old[head:][::-1], new[head:][::-1])
    gone = old[head : len(old) - tail]
    there = loc in before.values
    if value == GONE or old == new:
        return
    if not there and all(loc[:n] in before.values and at(before.tree, loc[:n]) is not None for n in range(len(loc))):
        claim(not gone.strip(), f"something new took {len(gone)} characters away")
        claim(edited(after, NAME, {loc: REMOVED}) == text, "added and taken away is another text")
    elif there and not isinstance(at(before.tree, loc), dict | list):
        mark = before.values[loc]
        first = old.split("\n")[mark.line - 1][: mark.column - 1]
        claim(new.split("\n")[mark.line - 1].startswith(first), "something before the value changed")
        claim(old.split("\n")[: mark.line - 1] == new.split("\n")[: mark.line - 1], "a line above changed")
        below = len(old.split("\n")) - mark.end_line
        claim(old.split("\n")[-below:] == new.split("\n")[-below:] or not below, "a line below changed")
        back(before, text, after, loc)


def common(one: str, other: str) -> int:
    """Return how many characters two texts begin with alike."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((index for index, (a, b) in pairs if a != b), min(len(one), len(other)))


def back(before: Document, text: bytes, after: bytes, loc: Loc) -> None:
    """Claim that a value as the editor writes it comes back byte for byte."""
    value, written = at(before.tree, loc), cut(before, before.values[loc])
    quotes = written[:1] if written[:1] in ("'", '"') else ""
    again = cut(now := read(after, NAME), now.values[loc])
    if written != inline(value, quotes=quotes, flow=True) or (again[:1] if again[:1] in ("'", '"') else "") != quotes:
        return  # a person's own way to write it, or one that the other value could not wear
    claim(edited(after, NAME, {loc: value}) == text, "set there and back is another text")


# --- the command ------------------------------------------------------------------------------------------------------


def command(text: bytes, words: list[str]) -> None:
    """Run the command on a file of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "specs" / "a.yaml"
        path.parent.mkdir()
        path.write_bytes(text)
        changes = [word for word in words if not word.startswith("-")]
        deletions = [word[1:] for word in words if word.startswith("-")]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            code = set_command(path, changes, deletions, Talk("text", quiet=False, colour=False), dry_run=False)
        claim(code in tuple(Exit) and code != Exit.BUG, f"exit code {code}")
        claim([*path.parent.iterdir()] == [path], "another file was left behind")
        if code != Exit.OK:
            claim(path.read_bytes() == text, "the file was changed, and the command refused")
        elif path.read_bytes() != text:
            claim(not compile_source(load(path), "builtin").failed, "what was written does not compile")


# --- drawing ----------------------------------------------------------------------------------------------------------


@cache
def spec_texts() -> tuple[str, ...]:
    """Return texts to change: the good specs, in block style, in CRLF, as JSON, and those of the YAML test suite."""
    texts = [path.read_bytes().decode() for path in spec_files()]
    texts += [text.replace("\n", "\r\n") for text in texts[-4:]]
    texts += [json.dumps(read(text.encode(), NAME).tree, indent=indent) for text in texts[:6] for indent in (None, 2)]
    readable = []
    for case in suite():
        with contextlib.suppress(SpecError):
            read(case["yaml"].encode(), NAME)
            readable.append(case["yaml"])
    return (*texts, *readable, *ODD_TEXTS)


ODD_TEXTS = (
    "a: 1\nb:\n  - x # one\n    # of x\n  # of none\n  - z\n\n# end\n",
    "a:\n- {b: 1, c: [1, 2]}\n-  d: 2\n   e: 3\n- \n- f:\n",
    "a: {}\nb: []\nc: {x: {}, w: []}\nd:\ne: ''\n",
    "a: |\n  text\n  more\n\nb: >-\n  folded\nc: 'it''s'\nd: \"x\\ty\"\n",
    "a: &x {b: 1}\nc: *x\nd: [*x, &y z, *y]\n\"e f\": 1\n'g': 2\n",
    "a: 1 # no end",
    "\ufeffa: 1\r\nb:\r\n    c: 2\r\n    d:\r\n        - 1\r\n",
    "{a: 1,\n b: [1,\n  2], # c\n d: {e: 1\n }\n}\n",
)


def draw(data: bytes) -> bytes:
    """Choose a text, and what is to change in it."""
    choices = Choices(data)
    text = choices.one(spec_texts())
    if choices.odds(8):
        good = choices.one(spec_texts()[: len(spec_files())])
        return json.dumps({"spec": good, "words": [word(choices, good) for _ in range(1 + choices.number(3))]}).encode()
    tree = read(text.encode(), NAME).tree
    changes = [one_change(choices, tree) for _ in range(1 + choices.number(3))]
    return json.dumps({"spec": text, "changes": changes}).encode()


def one_change(choices: Choices, tree: Any) -> tuple[Loc, Any]:
    """Choose a place of a tree, one beside it or one below it, and a value for it."""
    loc: Loc = choices.one([*places(tree)] or [("a",)])
    kind = choices.number(6)
    if kind == 1:
        loc = (*loc[:-1], choices.one(names())) if isinstance(loc[-1], str) else loc
    elif kind == 2:
        inside = at(tree, loc)
        loc = (*loc, len(inside) if isinstance(inside, list) else choices.one((*names(), *HOSTILE)))
    elif kind == 3:
        loc = (*loc, choices.one(names()), choices.one(names()))
    if choices.odds(4):
        return loc, GONE
    free = choices.text(12).encode("utf-8", "replace").decode()
    return loc, copy.deepcopy(choices.one((*ODD, *HOSTILE, free, free, *values()[:50])))


def word(choices: Choices, text: str) -> str:
    """Choose the words of one change, as a person types them."""
    loc = choices.one([*places(read(text.encode(), NAME).tree)])
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")
    key = choices.one((key, key, f"{key}.{choices.one(names())}", choices.one(names()), choices.text(12)))
    if choices.odds(5):
        return f"-{key}"
    value = choices.one((choices.one(HOSTILE), str(choices.one(values())), choices.text(12), "[]", "{}", "null", "1"))
    return f"{key}{choices.one(('=', '=', '=', '+='))}{value}"


def seeds() -> Iterator[bytes]:
    """Yield some changes of each kind."""
    text = (spec_files()[-1]).read_bytes().decode()
    yield json.dumps(
        {"spec": text, "changes": [[["domain"], "x.example.org"], [["hubs", 0, "env", "A"], "b"]]}
    ).encode()
    yield json.dumps({"spec": text, "words": ["image.tag=v0.0.13", "-exchange.smtp", "orgs[0].name=A"]}).encode()


TARGET = Target("change", judge, seeds, ("jhecfg.edit", "jhecfg.commands"), draw, ending=".json", longest=2048)
