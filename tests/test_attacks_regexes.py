"""Attacks on regular expressions: none of the package's takes more than linear time, whatever text it meets."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from jhecfg import leaks, scalars
from jhecfg.schemas import _HERE as SCHEMAS
from jhecfg.spec.base import PATTERNS
from tests.regexes import Engine, Found, attacks, found, judge
from tests.tools import ROOT

pytestmark = pytest.mark.slow

LINEAR = 2.5
"""How many times the steps of twice the text may be; twice, and a little for what is counted once."""

# Where the pattern of a call is in a variable: what it holds.
KNOWN = {
    "jhecfg/leaks.py:pattern": tuple(pattern for _, pattern, _ in leaks._SHAPES),
    "jhecfg/scalars.py:pattern": (),  # `_ONE_SIDED`, below
    "jhecfg/origin/fields.py:pattern": (),  # the spec's own schema, below
    "jhecfg/origin/samples.py:pattern": (),
}
# Tried at one place alone, where the source does not show it.
ONCE = {
    r"[0-9]+\.[0-9]+\.[0-9]+": "sealed/forms.py: `form.fullmatch`",
    **{pattern.pattern: "scalars.py: `pattern.fullmatch`" for pattern, _, _ in scalars._ONE_SIDED},
}


@cache
def every() -> tuple[Found, ...]:
    """Return every regular expression, each once: of the source, of the spec's types, and of the schemas."""
    written = [*found(KNOWN), *(Found("scalars", pattern.pattern, 0, True) for pattern, _, _ in scalars._ONE_SIDED)]
    written += [Found("spec/base.py", pattern, 0, False) for pattern in PATTERNS]
    for path in (*SCHEMAS.glob("*.json"), ROOT / "docs/jhecfg.schema.json"):
        written += [Found(path.name, pattern, 0, False) for pattern in _patterns(json.loads(path.read_bytes()))]
    unique = {(each.pattern, each.flags, each.anchored or each.pattern in ONCE): each for each in written}
    return tuple(each._replace(anchored=once) for (_, _, once), each in unique.items())


def _patterns(node: Any) -> Iterator[str]:
    """Yield the patterns of a JSON schema, of values and of keys."""
    if isinstance(node, dict):
        if isinstance(node.get("pattern"), str):
            yield node["pattern"]
        yield from node["patternProperties"] if isinstance(node.get("patternProperties"), dict) else ()
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _patterns(child)


@pytest.fixture(autouse=True)
def _deep(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the counting engine recurse as deep as a text is long."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(100_000)
    yield
    sys.setrecursionlimit(before)


@pytest.mark.slow
def test_every_regular_expression_takes_linear_time() -> None:
    """Found in the source, not listed: a new one is judged, and one that is made of a variable must say of what."""
    assert len(every()) > 150
    slow = []
    for each in every():
        verdict = judge(each.pattern, each.flags, anchored=each.anchored)
        if verdict.growth > LINEAR:
            slow.append(f"{each.where}: {each.pattern!r} × {verdict.growth:.1f} for {verdict.attack!r}")
    assert slow == []


@pytest.mark.slow
def test_the_engine_counts_what_python_does() -> None:
    """The counting engine finds what `re` finds, for every pattern and every tenth attack on it."""
    for each in every():
        engine = Engine(each.pattern, each.flags, 200_000)
        real = re.compile(each.pattern, each.flags)
        for prefix, pump, suffix in attacks(each.pattern, each.flags)[::10]:
            text = prefix + pump * 5 + suffix
            spans = [match.span() for match in real.finditer(text)]
            if each.anchored:
                spans = [match.span()] if (match := real.match(text)) else []
            assert engine.spans(text, anchored=each.anchored) == spans, (each.pattern, text)


@pytest.mark.parametrize(
    "pattern",
    [r"(a+)+$", r"^(a+)+$", r"(a|a)*b", r"(a|ab)*c", r"a*a*b", r"\s+$", r".*foo", r"(.*)x(.*)y", r"(?<!x)a+b",
     r"eyJ[A-Za-z]+\.", r'"(?:[^"\\]|\\.)*"', r"x(?=.*y)", r"(?:a?){20,}b", r"<!--.*?-->"],
)  # fmt: skip
def test_a_slow_pattern_is_found(pattern: str) -> None:
    """The generator of attacks finds what makes known slow patterns slow: exponential, cubic and quadratic ones."""
    assert judge(pattern, 0, anchored=False).growth > LINEAR


@pytest.mark.parametrize(
    ("pattern", "anchored"),
    [(r"[a-z]+", False), (r"a{0,40}b", False), (r"^(a+)\Z", False), (r"#[^\n]*|[\t?]", False), (r"a++b", True),
     (r"(?>a+b|c)d", True), (r"(?:[a-z]+-)+x", True)],
)  # fmt: skip
def test_a_fast_pattern_is_not(pattern: str, anchored: bool) -> None:
    """Bounded repetitions are linear, and others too where a text is tried at one place alone."""
    assert judge(pattern, 0, anchored=anchored).growth <= LINEAR


def test_the_schemas_patterns_need_no_backtracking() -> None:
    """jsonschema-rs and pydantic match in linear time what has no look-around and no back reference."""
    for each in every():
        if each.where == "spec/base.py" or each.where.endswith(".json"):
            assert not re.search(r"\(\?[=!<]|\\[1-9]", each.pattern), each
