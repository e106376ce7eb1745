"""Releases: which facts an image tag picks, and that the tables agree with one another."""

from __future__ import annotations

from itertools import pairwise

import pytest

from jhecfg.releases import (
    CHARTS,
    EKS_VERSIONS,
    GONE,
    MANAGED_ENV,
    MANAGED_SETTINGS,
    NEWEST_KUBERNETES,
    OLDEST,
    RELEASES,
    TooOld,
    find_release,
    is_moving_tag,
)
from jhecfg.spec.base import PATTERNS


@pytest.mark.parametrize("release", [r.version for r in RELEASES[:-1]])
def test_a_release_is_found_with_and_without_its_v(release: str) -> None:
    """`v0.0.13` and `0.0.13` are the same release, and a known one."""
    assert find_release(release) == find_release(release.removeprefix("v"))
    assert find_release(release).known


@pytest.mark.parametrize(
    "tag", ["v0.0.99", "v1.0.0", "0.0.15.dev17-g39cc5f498", "39cc5f4", "39cc5f498" * 4 + "abcd", "latest", "my-build"]
)
def test_an_unknown_tag_gets_the_newest_facts_and_is_not_known(tag: str) -> None:
    """Nothing is guessed in silence: the facts are main's, and the release says that it is not known."""
    release = find_release(tag)
    assert not release.known
    assert (release.env, release.settings) == (RELEASES[-1].env, RELEASES[-1].settings)


def test_main_is_known() -> None:
    """The branch has facts of its own."""
    assert find_release("main") is RELEASES[-1]


@pytest.mark.parametrize("tag", ["v0.0.9", "0.0.1", "v0.0.9.dev3-gabcdef1"])
def test_what_is_older_than_the_oldest_is_refused(tag: str) -> None:
    """Releases with a public SECRET_KEY or without /health are not supported, builds of them neither."""
    with pytest.raises(TooOld):
        find_release(tag)


@pytest.mark.parametrize("tag", ["v0.0.13", "0.0.13", "0.0.15.dev17-g39cc5f498", "39cc5f4", "39cc5f498abc"])
def test_a_version_or_a_commit_does_not_move(tag: str) -> None:
    """Such a tag means one image for ever."""
    assert not is_moving_tag(tag)


@pytest.mark.parametrize("tag", ["main", "latest", "v0.0", "v1", "stable", "deadbee-dirty"])
def test_everything_else_may_move(tag: str) -> None:
    """Such a tag may be another image tomorrow."""
    assert is_moving_tag(tag)


def test_releases_are_in_order_and_main_is_the_last() -> None:
    """The tuple's order is the order of release, which upgrades and hints rely on."""
    assert [r.date for r in RELEASES] == sorted(r.date for r in RELEASES)
    assert (RELEASES[0].version, RELEASES[-1].version) == (OLDEST, "main")


def test_what_jhecfg_writes_is_read_by_some_release() -> None:
    """No managed variable or setting is a leftover: some supported release reads it."""
    env = frozenset[str]().union(*(r.env for r in RELEASES))
    settings = {key for r in RELEASES for key in r.settings}
    assert MANAGED_ENV.keys() <= env
    run_time = {key for key, instead in MANAGED_SETTINGS.items() if instead.startswith("nothing: ")}
    assert MANAGED_SETTINGS.keys() - run_time <= settings


def test_what_is_gone_is_not_read_by_the_newest_release() -> None:
    """A name that is said to be gone is not offered by main's facts."""
    assert not GONE.keys() & RELEASES[-1].env


def test_features_stay_once_they_are_there() -> None:
    """`run v0.0.12 or later` is true: no later release lacks what an earlier one has."""
    for before, after in pairwise(RELEASES):
        assert before.features <= after.features


def test_charts_support_the_newest_kubernetes() -> None:
    """The default cluster gets charts that work in it; the retired controller alone may not."""
    late = [chart.name for chart in CHARTS.values() if _minor(chart.kubernetes[1]) < _minor(NEWEST_KUBERNETES)]
    assert late == ["ingress-nginx"]
    assert list(EKS_VERSIONS)[-1] == NEWEST_KUBERNETES
    assert all(name == chart.name for name, chart in CHARTS.items())


def _minor(version: str) -> int:
    return int(version.split(".")[1])


def test_every_pattern_of_the_spec_is_said_in_words() -> None:
    """No diagnostic shows a regular expression to a person."""
    assert all(words and "^" not in words for words in PATTERNS.values())
