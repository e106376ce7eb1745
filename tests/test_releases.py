"""Releases: which facts an image tag picks, and that the tables agree with one another."""

from __future__ import annotations

from itertools import pairwise

import pytest

from jhecfg.releases import (
    CHARTS,
    EKS_VERSIONS,
    GONE,
    GONE_SETTINGS,
    MANAGED_ENV,
    MANAGED_SETTINGS,
    NEWEST_KUBERNETES,
    OLDEST,
    RELEASES,
    TooOld,
    find_release,
    is_moving_tag,
    upgrade,
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


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("v0.0.9", "/health"),
        ("v0.0.9.dev3-gabcdef1", "/health"),
        ("v0.0.8", "DEBUG"),
        ("v0.0.7", "SECRET_KEY"),
        ("0.0.1", "SECRET_KEY"),
    ],
)
def test_what_is_older_than_the_oldest_is_refused_with_the_reason(tag: str, why: str) -> None:
    """Releases with a public SECRET_KEY or without /health are not supported, builds of them neither."""
    with pytest.raises(TooOld) as refused:
        find_release(tag)
    assert why in refused.value.why


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


def test_what_is_gone_is_read_by_no_release_since() -> None:
    """A name is gone from a release on: no later one reads it, and of the supported ones the one before did."""
    versions = [release.version for release in RELEASES]
    for name, gone in (*GONE.items(), *GONE_SETTINGS.items()):
        first = versions.index(gone.since) if gone.since in versions else 0
        assert [r.version for r in RELEASES[first:] if name in r.env | r.settings.keys()] == []
        assert first == 0 or name in RELEASES[first - 1].env | RELEASES[first - 1].settings.keys()


def test_what_took_the_place_of_a_name_is_there() -> None:
    """A setting that a hint names is one that some release reads."""
    hints = [gone.instead for gone in (*GONE.values(), *GONE_SETTINGS.values())]
    named = {hint.split('"')[1] for hint in hints if hint.startswith("exchange.settings")}
    assert named <= {key for release in RELEASES for key in release.settings}


def test_names_leave_the_releases_only_by_being_gone() -> None:
    """Who goes on from one release to the next hears of every name that no longer does anything."""
    for before, after in pairwise(RELEASES):
        assert before.env - after.env <= GONE.keys()
        assert before.settings.keys() - after.settings.keys() <= GONE_SETTINGS.keys()


def test_features_stay_once_they_are_there() -> None:
    """`run v0.0.12 or later` is true: no later release lacks what an earlier one has."""
    for before, after in pairwise(RELEASES):
        assert before.features <= after.features


def test_what_has_an_mcp_server_has_its_image_and_its_names() -> None:
    """Three facts that say the same."""
    for release in RELEASES:
        assert ("mcp" in release.features) == ("-mcp" in release.images) == bool(release.mcp_env)
        assert set(release.images.values()) == {("amd64", "arm64")}


# --- from one release to another --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("tag", "breaks", "outage", "deletes"),
    [("v0.0.11", False, False, False), ("v0.0.12", True, True, True), ("v0.0.13", True, False, False)],
)
def test_a_step_says_what_it_does_to_the_old_pods_and_to_the_data(
    tag: str, breaks: bool, outage: bool, deletes: bool
) -> None:
    """As it was run: v0.0.12 stops everything and drops columns, v0.0.13 stops one kind of write, v0.0.11 nothing."""
    new = find_release(tag)
    step = upgrade(RELEASES[RELEASES.index(new) - 1], new)
    assert step.steps == (new,)
    assert (bool(step.breaks), step.outage, bool(step.deletes)) == (breaks, outage, deletes)


def test_a_leap_adds_up_its_steps() -> None:
    """Over three releases, every migration from the first schema to the last, and every warning on the way."""
    leap = upgrade(find_release("v0.0.10"), find_release("v0.0.13"))
    assert [step.version for step in leap.steps] == ["v0.0.11", "v0.0.12", "v0.0.13"]
    assert leap.migrations["core"] == ("0019_add_settings_to_practitioner", "0040_fhirauxresource_ref_indexed")
    assert leap.back["core"] == "0019_add_settings_to_practitioner"
    assert leap.outage
    assert len(leap.breaks) == 2


def test_back_is_the_same_way_read_backwards() -> None:
    """The older app meets the newer schema going back, too; an app that is new goes back to nothing."""
    there, back = (upgrade(RELEASES[a], RELEASES[b]) for a, b in ((-2, -1), (-1, -2)))
    assert (there.backwards, back.backwards) == (False, True)
    assert there._replace(old=back.old, new=back.new, backwards=True) == back
    assert back.back["socialaccount"] == "zero"


def test_no_step_lies_between_a_release_and_itself() -> None:
    """Nor between builds that nobody knows: both have the newest facts."""
    for old, new in (("v0.0.13", "0.0.13"), ("v0.0.99", "main")):
        step = upgrade(find_release(old), find_release(new))
        assert (step.steps, step.migrations, step.outage, step.backwards) == ((), {}, False, False)


def test_migrations_only_move_on() -> None:
    """No release has an older schema than the one before, so `back` names the migration to return to."""
    for before, after in pairwise(RELEASES):
        assert before.migrations.keys() <= after.migrations.keys()
        assert all(name <= after.migrations[app] for app, name in before.migrations.items())


# --- charts -----------------------------------------------------------------------------------------------------------


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
