"""What tests share: `--update` rewrites goldens; the base spec, read once."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from jhecfg.source import Source, load
from tests.apiserver import Cluster, running_cluster
from tests.standins import StandIns, played
from tests.tools import optional

# A change is judged by the same drawn cases in every run of CI; whoever runs the tests by hand draws others each time.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")

# Ctrl-C is tested, and a shell that starts the tests in the background has it ignored, by them and all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).parent
ROOT = TESTS.parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--update`, for goldens: rewrite them, then read the diff."""
    parser.addoption("--update", action="store_true", help="rewrite the golden files, to be read with `git diff`")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stop where groups do not hold: what is costly to start would be started by every worker, and nobody would see it."""
    grouped = [item for item in items if item.get_closest_marker("xdist_group")]
    if getattr(config.option, "loadgroup", False) and not all("@" in item.nodeid for item in grouped):
        raise pytest.UsageError("this pytest-xdist does not keep groups together with this pytest: pin another")


@pytest.fixture(scope="session")
def update(request: pytest.FixtureRequest) -> bool:
    """Whether golden files are to be rewritten."""
    return bool(request.config.getoption("--update"))


@pytest.fixture(scope="session")
def base() -> Source:
    """Return tests/base.yaml, read: a middling site with most features."""
    return load(TESTS / "base.yaml", name="base.yaml")


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a running control plane (an opt-in); the tests of a session share it, and keep to names of their own."""
    for name in ("etcd", "kube-apiserver", "kube-controller-manager"):
        optional(name)
    with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest.fixture(scope="session")
def standins(cluster: Cluster) -> Iterator[StandIns]:
    """Play the nodes and the controllers that the control plane lacks."""
    with played(cluster) as playing:
        yield playing
