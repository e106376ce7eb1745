"""What tests share: `--update` rewrites goldens; the base spec, read once."""

from __future__ import annotations

from pathlib import Path

import pytest

from jhecfg.source import Source, load

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update`, for goldens: rewrite them, then read the diff."""
    parser.addoption("--update", action="store_true", help="rewrite the golden files, to be read with `git diff`")


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def base() -> Source:
    """Return tests/base.yaml, read: a middling site with most features."""
    return load(TESTS / "base.yaml", name="base.yaml")
