"""Words: what is typed behind a command: codes, keys and places to explain, keys and values to set.

A case's first line says which; the rest is what was typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from jhecfg.commands.explain import _answer as explained
from jhecfg.commands.set_words import PLACE, Secret, assignment, deletion
from jhecfg.diagnostics import Misused, SpecError, ToolError, nearest
from jhecfg.explain.keys import every_name, key_named
from jhecfg.pipeline import documentation
from jhecfg.releases.exchange import TooOld, find_release
from jhecfg.talk import Talk
from tests.fuzz.claims import good_diagnostics, spans
from tests.fuzz.target import Target, claim
from tests.hostile_strings import HOSTILE

OUT = Path("/nonexistent-folder-of-jhecfg/out")
SPECS = (Path("/nonexistent-folder-of-jhecfg/specs/a.yaml"),)


def judge(case: bytes) -> None:
    """Take some words."""
    kind, _, data = case.decode("utf-8", "surrogateescape").partition("\n")
    taken = TAKEN.get(kind)
    if taken is not None and "\0" not in data:  # no command line holds a NUL
        taken(data)


def explain(text: str) -> None:
    """Ask what something means."""
    try:
        answer = explained(text, SPECS, Talk("text", quiet=True, colour=False), OUT, "text")
    except (Misused, SpecError, ToolError):
        return
    claim(answer.endswith("\n"), "an answer without an end")
    claim(text in ("all", *documentation()) or key_named(text) is not None, "an answer to nothing")


def change(text: str) -> None:
    """Ask for a change."""
    try:
        word = assignment(text)
    except (Misused, Secret):
        return
    except SpecError as error:
        lines = [""] * 999
        for span in (span for diagnostic in error.diagnostics for span in spans(diagnostic)):
            lines[span.line - 1] = span.text  # what was read is a line made of key and value
        good_diagnostics(error.diagnostics, {PLACE: lines})
        return
    claim(word.steps and text.startswith(word.steps[0]), "a change of another key")


def gone(text: str) -> None:
    """Ask for a key to be taken away."""
    try:
        deletion(text)
    except Misused:
        return


def tag(text: str) -> None:
    """Look for the release of an image's tag."""
    try:
        find_release(text)
    except TooOld:
        return


def near(text: str) -> None:
    """Look for what was meant."""
    found = nearest(text, every_name())
    claim(found is None or found in {*every_name()}, "what is meant does not exist")


TAKEN: Mapping[str, Callable[[str], None]] = {
    "explain": explain,
    "set": change,
    "delete": gone,
    "tag": tag,
    "near": near,
}


def seeds() -> Iterator[bytes]:
    """Yield words that are good, and text that is not."""
    for what in ("all", "duplicate-key", "image.tag", "hubs[0].domain", "specs/a.yaml:3:1", "out/lab/RUNBOOK.md:2"):
        yield f"explain\n{what}".encode()
    for what in ("image.tag=v0.0.13", "orgs+={name: A, id: 1, type: team}", "hubs[hub].env.A='b'", "hubs=[]"):
        yield f"set\n{what}".encode()
    yield from (f"set\nexchange.title={text}".encode() for text in HOSTILE[:40])
    yield b"delete\nexchange.settings[auth.sso.saml2]"
    yield from (f"tag\n{text}".encode() for text in ("v0.0.13", "0.0.13.dev4-gabcdef1", "main", "1a2b3c4"))
    yield b"near\nimgae.tag"


TARGET = Target("words", judge, seeds, ("jhecfg.explain", "jhecfg.commands"), ending=".txt", longest=512)
