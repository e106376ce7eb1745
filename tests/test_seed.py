"""The demo-data Job: JHE's demonstration data, once, in an empty database, and beside the bootstrap Job."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jhecfg.render.bootstrap import bootstrap_data
from jhecfg.render.demo_data import demo_data
from jhecfg.render.jobs import REFUSED
from tests.bootstrap_harness import Cluster, Exchange, hashed, migrate, need_postgres, outcome, running_cluster
from tests.hub_harness import site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bootstrap")]

SCRIPT = "demo_data.py"
COUNT = "SELECT count(*) FROM core_jheuser"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """Run PostgreSQL, with a migrated database to copy from."""
    with running_cluster(need_postgres()) as running:
        running.sql("CREATE DATABASE empty")
        migrate(Exchange(cluster=running, database="empty", folder=Path()))
        yield running


@pytest.fixture
def exchange(cluster: Cluster, tmp_path: Path) -> Iterator[Exchange]:
    """Return an Exchange whose database is migrated and empty."""
    cluster.sql("CREATE DATABASE trial TEMPLATE empty")
    yield Exchange(cluster=cluster, database="trial", folder=tmp_path)
    cluster.sql("DROP DATABASE trial WITH (FORCE)")


def test_the_job_is_there_only_where_the_spec_asks_for_it() -> None:
    """It comes before the bootstrap Job, and says how much to load."""
    assert list(demo_data(site(environment="demo"))) == []
    _, job = demo_data(site(environment="demo", exchange={"demoData": "rich"}))
    assert job.path < "manifests/40-bootstrap"
    assert job.manifest is not None
    variables = job.manifest["spec"]["template"]["spec"]["containers"][0]["env"]
    assert {"name": "JHE_DEMO_DATA", "value": "rich"} in variables


@pytest.mark.parametrize(("much", "users"), [("basic", "1"), ("rich", "2")])
def test_the_data_are_loaded_once(much: str, users: str, exchange: Exchange) -> None:
    """A later run of the Job, under another name, finds them and does nothing."""
    first = outcome(exchange.start(SCRIPT, JHE_DEMO_DATA=much))
    assert first.code == 0, first.said
    assert first.lines("created")
    assert exchange.sql(COUNT) == [users]
    before = exchange.rows()
    again = outcome(exchange.start(SCRIPT, JHE_DEMO_DATA=much))
    assert (again.code, exchange.rows()) == (0, before)
    assert again.lines("unchanged")


def test_three_at_once_load_them_once(exchange: Exchange) -> None:
    """The lock is the bootstrap Job's own, so that neither meets half of what the other does."""
    outcomes = [outcome(run) for run in [exchange.start(SCRIPT, JHE_DEMO_DATA="basic") for _ in range(3)]]
    assert [each.code for each in outcomes] == [0, 0, 0]
    assert sorted(bool(each.lines("created")) for each in outcomes) == [False, False, True]


def test_they_are_not_loaded_again_over_what_people_made_of_them(exchange: Exchange) -> None:
    """Whoever renames the published superuser, or removes it, does not get it back."""
    assert outcome(exchange.start(SCRIPT, JHE_DEMO_DATA="basic")).code == 0
    exchange.sql("UPDATE core_jheuser SET email = 'ours@example.org'")
    before = exchange.rows()
    assert outcome(exchange.start(SCRIPT, JHE_DEMO_DATA="basic")).code == 0
    assert exchange.rows() == before


def test_data_that_somebody_loaded_by_hand_are_recognized(exchange: Exchange) -> None:
    """Without the row by which the Job remembers them, ROOT and the published superuser tell."""
    assert outcome(exchange.start(SCRIPT, JHE_DEMO_DATA="basic")).code == 0
    exchange.sql("DELETE FROM core_jhesetting WHERE key LIKE 'jhecfg.%'")
    assert outcome(exchange.start(SCRIPT, JHE_DEMO_DATA="basic")).lines("unchanged")


def test_a_database_in_use_is_refused(exchange: Exchange) -> None:
    """Real people are there: `seed` would put a superuser with a published password beside them."""
    assert exchange.bootstrap().code == 0
    before = exchange.rows()
    refused = outcome(exchange.start(SCRIPT, JHE_DEMO_DATA="basic"))
    assert refused.code == REFUSED
    assert refused.lines("refused") == ["demonstration data\tthe database is in use; they go into an empty one"]
    assert exchange.rows() == before


def test_no_published_client_secret_comes_with_them(exchange: Exchange) -> None:
    """The application for other programs gets a secret that nobody knows; its owner gives it another one."""
    assert outcome(exchange.start(SCRIPT, JHE_DEMO_DATA="basic")).code == 0
    published = hashed("sof-ehr-launch-dev-secret")
    same = f"SELECT client_secret = {published} FROM oauth2_provider_application WHERE client_id = 'sof-ehr-launch'"
    assert exchange.sql(same) == ["f"]


def test_bootstrap_copes_with_them(exchange: Exchange) -> None:
    """It takes over the UI's application and an organization of theirs, closes registration, and is done after once."""
    assert outcome(exchange.start(SCRIPT, JHE_DEMO_DATA="basic")).code == 0
    demo = site(
        environment="demo",
        orgs=[
            {"name": "Lifespan Lab", "id": 20003, "type": "laboratory"},
            {"name": "Own", "id": 20011, "type": "other"},
        ],
        hub={"access": {"orgs": ["Lifespan Lab"]}},
    )
    exchange.document.update(bootstrap_data(demo))
    first = exchange.bootstrap()
    assert first.code == 0, first.said
    assert first.lines("changed") == ["application\tJHE Admin UI", "setting\tsite.registration_invite_code"]
    assert [line.split("\t")[1] for line in first.lines("differs")] == ["admin@example.com"]
    assert {"organization\tROOT (0)", "organization\tLifespan Lab (20003)"} <= set(first.lines("unchanged"))
    before = exchange.rows()
    assert exchange.bootstrap().code == 0
    assert exchange.rows() == before
