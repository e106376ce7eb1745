"""Drafts: what `jhecfg init` reads: manifests and values of charts become a spec's text that can be read, or notes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jhecfg.diagnostics import SpecError
from jhecfg.draft import Draft
from jhecfg.draft.page import page
from jhecfg.draft.reading import Reading
from jhecfg.draft.take import _KINDS as KINDS
from jhecfg.draft.take import NotKnown, parts
from jhecfg.exposed import secrets_in
from jhecfg.leaks import secret_shape
from jhecfg.pipeline import compile_source
from jhecfg.reader import read
from jhecfg.source import load
from tests.fuzz.claims import good_diagnostics, lines_of
from tests.fuzz.spec import CANARY, NOWHERE
from tests.fuzz.target import Target, claim
from tests.tools import ROOT

NAME = "fuzz.yaml"


def judge(data: bytes) -> None:
    """Draft a spec from a file."""
    draft = Draft()
    try:
        for part in parts(data, NAME):
            reading = Reading(part.document, part.line, draft)
            for known, take in KINDS:
                if known(reading.tree):
                    take(reading)
            reading.rest()
    except SpecError as error:
        good_diagnostics(error.diagnostics, {NAME: lines_of(data)})
        return
    except NotKnown as error:
        claim(str(error), "a refusal says nothing")
        return
    for note in draft.notes:
        claim(1 <= note.line <= len(lines_of(data)), "a note about a line that is not there")
        claim(secret_shape(str(note)) is None, "a note tells a secret")
    text = page(draft).encode()
    document = read(text, NAME)
    claim(plain(document.tree) == plain(draft.tree), "the page says something else than the draft")
    claim(not secrets_in(document), "a secret came along")
    claim(CANARY.encode() not in text or data.count(CANARY.encode()) > 1, "the canary came along")
    try:
        compile_source(load(NOWHERE, name=NAME, text=text), "builtin")
    except SpecError as error:
        good_diagnostics(error.diagnostics, {NAME: lines_of(text)})


def plain(tree: Any) -> str:
    """Write a tree so that value and type count, and the order of keys does not."""
    return json.dumps(tree, sort_keys=True)


def seeds() -> Iterator[bytes]:
    """Yield files that people have, and outputs of jhecfg."""
    for path in sorted(ROOT.glob("tests/init/*.in.yaml")):
        yield path.read_bytes()
    for path in sorted(ROOT.glob("out/jhe-example/manifests/*/*.yaml")) + sorted(ROOT.glob("out/*/hubs/*/values.yaml")):
        if path.stat().st_size < 8000:
            yield path.read_bytes()


TARGET = Target("drafts", judge, seeds, ("jhecfg.draft",), longest=8192)
