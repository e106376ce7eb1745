"""The bootstrap Job: run on PostgreSQL as it will be run on JHE, again, beside itself, and over what people did."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import HealthCheck, given, settings

from jhecfg.render import render
from jhecfg.render.bootstrap import bootstrap_data, bootstrap_files, bootstrap_job
from jhecfg.render.jobs import REFUSED, script
from jhecfg.resolve import resolve
from jhecfg.site import Site
from jhecfg.spec import SiteSpec
from tests.bootstrap_harness import (
    API_KEY,
    CLIENT_SECRET,
    INVITE_CODE,
    PASSWORD,
    Cluster,
    Exchange,
    full_site,
    hashed,
    migrate,
    need_postgres,
    outcome,
    pem,
    running_cluster,
    variables_of,
)
from tests.hub_harness import SPEC, site
from tests.strategies import Tree, specs

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bootstrap")]

HUB_APP = "JupyterHub jupyterhub.example.org"
SHAPES = ("main", "v0.0.11")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run PostgreSQL, with databases to copy from: migrated ones of each shape, and one bootstrapped once."""
    with running_cluster(need_postgres()) as running:
        for shape in SHAPES:
            running.sql(f'CREATE DATABASE "{shape}"')
            migrate(Exchange(cluster=running, database=shape, folder=Path(), shape=shape))
        running.sql("CREATE DATABASE done TEMPLATE main")
        first = Exchange(cluster=running, database="done", folder=tmp_path_factory.mktemp("first")).bootstrap()
        assert first.code == 0, first.said
        yield running


@pytest.fixture
def copy(cluster: Cluster, tmp_path: Path) -> Iterator[Callable[[str], Exchange]]:
    """Return a function that makes an Exchange with a copy of one of the databases."""

    def make(database: str) -> Exchange:
        cluster.sql(f'CREATE DATABASE trial TEMPLATE "{database}"')
        shape = database if database in SHAPES else "main"
        return Exchange(cluster=cluster, database="trial", folder=tmp_path, shape=shape)

    yield make
    cluster.sql("DROP DATABASE trial WITH (FORCE)")


@pytest.fixture
def exchange(copy: Callable[[str], Exchange]) -> Exchange:
    """Return an Exchange as the newest release migrates it, empty."""
    return copy("main")


@pytest.fixture
def done(copy: Callable[[str], Exchange]) -> Exchange:
    """Return an Exchange that was bootstrapped once."""
    return copy("done")


def sign_up(exchange: Exchange, email: str, *, verified: bool) -> None:
    """Make an account as JHE's own sign-up does."""
    exchange.sql(
        "WITH u AS (INSERT INTO core_jheuser (password, email, email_is_verified, is_active, is_superuser)"
        f" VALUES ('', '{email}', {verified}, true, false) RETURNING id)"
        " INSERT INTO core_practitioner (jhe_user_id) SELECT id FROM u"
    )


def new_org(exchange: Exchange, name: str, *, number: int | None = None) -> str:
    """Make an organization as JHE's own page does, by its sequence unless a number is given; return its id."""
    number_sql = "DEFAULT" if number is None else str(number)
    statement = "INSERT INTO core_organization (id, name, type, part_of_id, last_updated) VALUES"
    return exchange.sql(f"{statement} ({number_sql}, '{name}', 'laboratory', 0, now()) RETURNING id")[0]


# --- without a database -----------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(specs())
def test_the_scripts_are_the_same_bytes_for_every_spec(tree: Tree) -> None:
    """Code in the output is a constant: whatever a spec holds, it reaches the documents alone."""
    one = resolve(SiteSpec.model_validate(tree)).site
    one = one._replace(exchange=one.exchange._replace(demo_data="basic", smoke_test=True))
    trees = [artifact.manifest for artifact in render(one)]
    files = {
        name: text
        for found in trees
        if found is not None and found["kind"] == "ConfigMap"
        for name, text in found["data"].items()
    }
    assert {name for name in files if name.endswith(".py")} == {"bootstrap.py", "demo_data.py", "smoke_test.py"}
    assert all(text == script(name) for name, text in files.items() if name.endswith(".py"))


def test_a_refusal_ends_the_job_and_another_failure_does_not() -> None:
    """The exit code is the same in the scripts and in the Job; a rule on exit codes wants pods that do not restart."""
    job = bootstrap_job(site(), bootstrap_files(site()))["spec"]
    rules = {rule["action"]: rule for rule in job["podFailurePolicy"]["rules"]}
    container = job["template"]["spec"]["containers"][0]["name"]
    assert rules["FailJob"]["onExitCodes"] == {"containerName": container, "operator": "In", "values": [REFUSED]}
    assert job["template"]["spec"]["restartPolicy"] == "Never"
    assert job["backoffLimit"] > 0
    for name in ("bootstrap.py", "demo_data.py"):
        assert re.findall(r"^REFUSED = (\d+)\b", script(name), re.MULTILINE) == [str(REFUSED)]


@pytest.mark.parametrize("make", [site, full_site])
def test_the_job_brings_every_secret_that_its_document_names(make: Callable[[], Site]) -> None:
    """Each variable that the document reads a secret from is one of the Job's, and comes from a Secret."""
    one = make()
    container = bootstrap_job(one, bootstrap_files(one))["spec"]["template"]["spec"]["containers"][0]
    secret = {variable["name"] for variable in container["env"] if "valueFrom" in variable}
    assert variables_of(bootstrap_data(one)) <= secret


# --- the first time, again, and beside itself -------------------------------------------------------------------------


@pytest.mark.parametrize("shape", SHAPES)
def test_the_first_run_makes_all_of_it_and_prints_no_secret(shape: str, copy: Callable[[str], Exchange]) -> None:
    """Superuser, applications, organizations with their ids, settings and reference data are there afterwards."""
    exchange = copy(shape)
    first = exchange.bootstrap()
    assert first.code == 0, first.said
    assert exchange.sql("SELECT email, is_superuser FROM core_jheuser") == ["ops@example.org|t"]
    assert exchange.sql("SELECT id, name, type, part_of_id FROM core_organization ORDER BY id") == [
        "0|ROOT|root|",
        "20001|Example Lab|laboratory|0",
        "20009|Staff|other|0",
    ]
    assert exchange.sql("SELECT name, client_type, redirect_uris FROM oauth2_provider_application ORDER BY id") == [
        "JHE Admin UI|public|https://jhe.example.org/auth/callback",
        f"{HUB_APP}|public|https://jupyterhub.example.org/hub/oauth_callback",
        "MCP mcp.example.org|confidential|https://mcp.example.org/oauth/callback",
    ]
    invite = "SELECT value_string FROM core_jhesetting WHERE key = 'site.registration_invite_code'"
    assert exchange.sql(invite) == [INVITE_CODE]
    assert exchange.sql("SELECT count(*) FROM core_codeableconcept") == ["2"]
    assert not [each for each in (PASSWORD, INVITE_CODE, CLIENT_SECRET, API_KEY, pem()) if each in first.said]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_second_run_writes_nothing(shape: str, copy: Callable[[str], Exchange]) -> None:
    """Not even a time of change moves, and every line says `unchanged`."""
    exchange = copy(shape)
    assert exchange.bootstrap().code == 0
    before = exchange.rows()
    again = exchange.bootstrap()
    assert again.code == 0
    assert not [again.lines(verb) for verb in ("created", "changed", "differs", "refused") if again.lines(verb)]
    assert again.lines("unchanged")
    assert exchange.rows() == before


def test_three_at_once_make_it_once(exchange: Exchange) -> None:
    """A lock in the database lets one create, and the others find everything as it should be."""
    outcomes = [outcome(run) for run in [exchange.start() for _ in range(3)]]
    assert [each.code for each in outcomes] == [0, 0, 0]
    assert sorted(bool(each.lines("created")) for each in outcomes) == [False, False, True]
    assert exchange.sql("SELECT count(*) FROM core_organization") == ["3"]


def test_nothing_that_the_spec_does_not_name_is_touched(done: Exchange) -> None:
    """It never deletes: what people made in JHE stays as it is, to the last byte, also when the spec forgets its own."""
    sign_up(done, "mary@example.org", verified=True)
    new_org(done, "Made in the UI")
    done.sql(
        "INSERT INTO core_jhesetting (key, value_type, value_string, last_updated)"
        " VALUES ('auth.default_orgs', 'string', '', now());"
        "\nINSERT INTO core_practitionerorganization (practitioner_id, organization_id, role)"
        " SELECT max(id), 20001, 'viewer' FROM core_practitioner"
    )
    for part in ("applications", "organizations", "settings"):
        done.document[part] = []
    before = done.rows()
    assert done.bootstrap().code == 0
    assert done.rows() == before


def test_an_upgrade_adds_what_the_newer_release_has(copy: Callable[[str], Exchange]) -> None:
    """Bootstrapped by an older release, migrated, bootstrapped again: new settings come, all else is as it was."""
    exchange = copy("v0.0.11")
    exchange.document.update(bootstrap_data(site(image={"tag": "v0.0.11"})))
    assert exchange.bootstrap().code == 0
    exchange.sql("ALTER TABLE core_jhesetting DROP COLUMN setting_id;\nALTER TABLE core_jhesetting ADD UNIQUE (key)")
    newer = Exchange(cluster=exchange.cluster, database=exchange.database, folder=exchange.folder)
    newer.document.update(bootstrap_data(site(image={"tag": "v0.0.13"})))
    upgraded = newer.bootstrap()
    assert upgraded.code == 0, upgraded.said
    assert upgraded.lines("created") == ["setting\tmodule.ow"]
    assert not [verb for verb in ("changed", "differs", "refused") if upgraded.lines(verb)]
    before = newer.rows()
    assert newer.bootstrap().code == 0
    assert newer.rows() == before


def test_a_database_that_is_not_there_is_said_in_a_line(exchange: Exchange) -> None:
    """It may come up any moment, so the exit code is one that the Job tries again."""
    early = exchange.bootstrap(DB_NAME="absent")
    assert early.code == 1
    assert early.lines("failed")[0].startswith("the database cannot be used now: ")
    assert "Traceback" not in early.said


# --- organizations ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("manage", [False, True])
def test_an_id_of_a_foreign_organization_is_refused(manage: bool, exchange: Exchange) -> None:
    """Its members would get into the hub: nothing is changed, and `manage` takes nothing over."""
    exchange.sql(
        "INSERT INTO core_organization (id, name, type, last_updated) VALUES (0, 'ROOT', 'root', now());"
        "\nINSERT INTO core_organization (id, name, type, part_of_id, last_updated)"
        " VALUES (20001, 'Foreign Clinic', 'laboratory', 0, now())"
    )
    exchange.document["organizations"][0]["manage"] = manage
    refused = exchange.refuses().lines("refused")
    assert refused[0].startswith("organization\tExample Lab (20001)\tthe id belongs to 'Foreign Clinic'")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("name = 'Renamed Lab'", "name is 'Renamed Lab' there"),
        ("type = 'team'", "type is 'team' there"),
        ("part_of_id = 20009", "parent is 20009 there"),
    ],
    ids=["renamed", "another-type", "moved"],
)
def test_an_organization_that_people_changed_is_said_and_left(change: str, said: str, done: Exchange) -> None:
    """What people changed in JHE stays, and does not stop the Job."""
    done.sql(f"UPDATE core_organization SET {change} WHERE id = 20001")
    before = done.rows()
    again = done.bootstrap()
    assert (again.code, done.rows()) == (0, before)
    assert again.lines("differs") == [f"organization\tExample Lab (20001)\t{said}"]


def test_a_managed_organization_is_put_back(done: Exchange) -> None:
    """With `manage: true` the spec's name, type and parent win."""
    done.sql("UPDATE core_organization SET name = 'Renamed Lab', type = 'other', part_of_id = NULL WHERE id = 20001")
    done.document["organizations"][0]["manage"] = True
    assert done.bootstrap().code == 0
    assert done.sql("SELECT name, type, part_of_id FROM core_organization WHERE id = 20001") == [
        "Example Lab|laboratory|0"
    ]


def test_an_organization_of_the_same_name_is_adopted(done: Exchange) -> None:
    """Once adopted it is the spec's: renamed later, it is no longer a foreign one."""
    new_org(done, "Clinic", number=777)
    wanted = {"id": 777, "name": "Clinic", "type": "laboratory", "parent": 0, "managers": [], "manage": False}
    done.document["organizations"].append(wanted)
    assert done.bootstrap().code == 0
    done.sql("UPDATE core_organization SET name = 'Clinic II' WHERE id = 777")
    again = done.bootstrap()
    assert again.code == 0
    assert again.lines("differs") == ["organization\tClinic (777)\tname is 'Clinic II' there"]


def test_the_next_organization_of_the_page_gets_a_free_id(done: Exchange) -> None:
    """The sequence is past the fixed ids, and a later run never moves it back."""
    assert new_org(done, "one") == "20010"
    assert done.bootstrap().code == 0
    assert new_org(done, "another") == "20011"


# --- applications -----------------------------------------------------------------------------------------------------


def test_every_hub_has_its_own_public_application(exchange: Exchange) -> None:
    """One a hub, with the client id of the spec and the one address that this hub is called back at."""
    far = {**SPEC["hubs"][0], "name": "far", "domain": "far.example.org", "deploy": "external", "clientId": "far-hub"}
    exchange.document.update(bootstrap_data(site(hubs=[SPEC["hubs"][0], far])))
    assert exchange.bootstrap().code == 0
    fields = "client_id, client_type, authorization_grant_type, redirect_uris"
    of_hubs = f"SELECT {fields} FROM oauth2_provider_application WHERE name LIKE 'JupyterHub %' ORDER BY id"
    assert exchange.sql(of_hubs) == [
        "jupyterhub-jupyterhub.example.org|public|authorization-code|https://jupyterhub.example.org/hub/oauth_callback",
        "far-hub|public|authorization-code|https://far.example.org/hub/oauth_callback",
    ]


def test_an_application_made_by_hand_is_adopted(done: Exchange) -> None:
    """It gets the spec's id, address and kind, and loses its owner, who could have sent logins elsewhere."""
    sign_up(done, "mary@example.org", verified=True)
    done.sql(
        "UPDATE oauth2_provider_application SET client_id = 'by-hand', client_type = 'confidential',"
        " redirect_uris = 'https://evil.example.org/', skip_authorization = false,"
        f" user_id = (SELECT id FROM core_jheuser WHERE email = 'mary@example.org') WHERE name = '{HUB_APP}'"
    )
    assert done.bootstrap().lines("changed") == [f"application\t{HUB_APP}"]
    fields = "client_id, client_type, redirect_uris, skip_authorization, user_id IS NULL"
    assert done.sql(f"SELECT {fields} FROM oauth2_provider_application WHERE name = '{HUB_APP}'") == [
        "jupyterhub-jupyterhub.example.org|public|https://jupyterhub.example.org/hub/oauth_callback|t|t"
    ]


def test_two_applications_of_one_name_are_refused(done: Exchange) -> None:
    """JHE takes the first of that name, so nobody could say which one users get."""
    done.sql(f"UPDATE oauth2_provider_application SET name = 'JHE Admin UI' WHERE name = '{HUB_APP}'")
    assert done.refuses().lines("refused")[0].startswith("application\tJHE Admin UI\t")


def test_a_new_client_secret_is_hashed_into_the_database(done: Exchange) -> None:
    """A rotated secret takes the old one's place; the database never holds it as it is."""
    secret = "SELECT client_secret FROM oauth2_provider_application WHERE client_type = 'confidential'"
    before = done.sql(secret)
    assert done.bootstrap(JHE_MCP_CLIENT_SECRET="another-of-a-test").lines("changed") == [
        "application\tMCP mcp.example.org"
    ]
    after = done.sql(secret)
    assert after != before
    assert "another-of-a-test" not in after[0]


# --- people -----------------------------------------------------------------------------------------------------------


def test_a_manager_must_have_shown_that_the_address_is_theirs(done: Exchange) -> None:
    """Anybody with the invite code can sign up under any address: it counts once it is verified."""
    sign_up(done, "mary@example.org", verified=False)
    done.document["organizations"][0]["managers"] = ["Mary@Example.org", "later@example.org", "ops@example.org"]
    first = done.bootstrap()
    assert first.lines("created") == ["manager\tops@example.org in Example Lab"]
    assert [line.rsplit("\t", 1)[1] for line in first.lines("differs")] == [
        "has not verified the address yet",
        "has not signed up yet",
    ]
    done.sql("UPDATE core_jheuser SET email_is_verified = true WHERE email = 'mary@example.org'")
    assert done.bootstrap().lines("created") == ["manager\tMary@Example.org in Example Lab"]


def test_the_superuser_keeps_their_password(done: Exchange) -> None:
    """The secret is for the first login; what its owner chose later stays."""
    before = done.sql("SELECT password FROM core_jheuser")
    assert done.bootstrap(JHE_ADMIN_PASSWORD="another-of-a-test").lines("changed") == []
    assert done.sql("SELECT password FROM core_jheuser") == before


def test_an_account_that_is_no_superuser_is_not_made_one(exchange: Exchange) -> None:
    """Somebody may have signed up under the administrator's address first."""
    sign_up(exchange, "ops@example.org", verified=False)
    assert exchange.refuses().lines("refused")[0].startswith("superuser\tops@example.org\t")


PUBLISHED = "Jhe1234!"


def load_published(exchange: Exchange, *, active: bool = True, password: str = PUBLISHED) -> None:
    """Make the superuser of JHE's demonstration data, as `manage.py seed` does."""
    sign_up(exchange, "admin@example.com", verified=False)
    exchange.sql(
        f"UPDATE core_jheuser SET is_superuser = true, is_active = {active}, password = {hashed(password)}"
        " WHERE email = 'admin@example.com'"
    )


def test_an_account_with_the_published_password_is_refused(done: Exchange) -> None:
    """Somebody ran `seed` on this database: everybody in the world is its superuser, so the Job fails, loudly."""
    load_published(done)
    said = done.refuses()
    assert said.lines("refused")[0].startswith("superuser\tadmin@example.com\teverybody knows its password")
    assert PUBLISHED not in said.said


def test_in_a_demo_the_published_password_is_only_said(done: Exchange) -> None:
    """There it may be meant; the line comes at every run."""
    load_published(done)
    done.document.update(bootstrap_data(site(environment="demo")))
    again = done.bootstrap()
    assert again.code == 0
    assert again.lines("differs")[0].startswith("superuser\tadmin@example.com\t")


@pytest.mark.parametrize("settled", [{"active": False}, {"password": "another-of-a-test"}], ids=["inactive", "changed"])
def test_a_published_account_that_nobody_can_use_is_no_matter(settled: dict[str, Any], done: Exchange) -> None:
    """Deactivated, or with a password of its own, it stops nothing."""
    load_published(done, **settled)
    assert done.bootstrap().code == 0


def test_a_published_client_secret_is_refused(done: Exchange) -> None:
    """Whoever has it gets tokens in other people's names."""
    done.sql(
        "UPDATE oauth2_provider_application SET client_id = 'sof-ehr-launch', name = 'SoF EHR Launch',"
        f" client_secret = {hashed('sof-ehr-launch-dev-secret')} WHERE client_type = 'confidential'"
    )
    assert done.refuses().lines("refused")[0].startswith("application\tSoF EHR Launch\teverybody knows")


# --- settings, secrets, reference data --------------------------------------------------------------------------------


def test_a_setting_of_one_client_is_left_alone(copy: Callable[[str], Exchange]) -> None:
    """Up to v0.0.11 a key may have rows of single clients beside the site's own."""
    exchange = copy("v0.0.11")
    exchange.sql(
        "INSERT INTO core_jhesetting (key, setting_id, value_type, value_string, last_updated)"
        " VALUES ('site.ui.title', 7, 'string', 'of a client', now())"
    )
    assert exchange.bootstrap().code == 0
    titles = "SELECT coalesce(setting_id, 0), value_string FROM core_jhesetting WHERE key = 'site.ui.title' ORDER BY 1"
    assert exchange.sql(titles) == ["0|JupyterHealth Exchange", "7|of a client"]


def test_a_rotated_invite_code_replaces_the_old_one(done: Exchange) -> None:
    """The new code is the only one, and is not printed."""
    rotated = done.bootstrap(JHE_INVITE_CODE="another-of-a-test")
    assert rotated.lines("changed") == ["setting\tsite.registration_invite_code"]
    assert "another-of-a-test" not in rotated.said


@pytest.mark.parametrize(
    ("name", "value"),
    [("JHE_INVITE_CODE", ""), ("JHE_INVITE_CODE", "code-of-a-test\n"), ("JHE_ADMIN_PASSWORD", " ")],
    ids=["empty", "line-break", "blank"],
)
def test_a_secret_that_nobody_can_type_is_refused(name: str, value: str, exchange: Exchange) -> None:
    """An empty invite code would open registration; one with a line break would close it."""
    assert name in exchange.refuses(**{name: value}).lines("refused")[0]


def unusable_keys() -> dict[str, str]:
    """Return what people have put into OIDC_RSA_PRIVATE_KEY that JHE starts with and cannot sign with."""
    key = load_pem_private_key(pem().encode(), None)
    curve = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"of a test"))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return {
        "empty": "",
        "literal-line-breaks": pem().replace("\n", "\\n"),
        "elliptic-curve": curve.decode(),
        "encrypted": locked.decode(),
        "public": public.decode(),
        "short": pem(1024),
    }


@pytest.mark.parametrize("kind", ["empty", "literal-line-breaks", "elliptic-curve", "encrypted", "public", "short"])
def test_a_key_that_cannot_sign_is_refused(kind: str, exchange: Exchange) -> None:
    """JHE would start with it and fail at every login; nothing of it is printed."""
    key = unusable_keys()[kind]
    said = exchange.refuses(OIDC_RSA_PRIVATE_KEY=key).said
    assert "OIDC_RSA_PRIVATE_KEY is not an unencrypted RSA private key" in said
    assert not [line for line in key.splitlines() if len(line) > 40 and line in said]


def test_reference_data_that_people_edited_stays(done: Exchange) -> None:
    """JHE's own loader stumbles over it: that is said, nothing of it is loaded, and the rest is done."""
    done.sql("UPDATE core_codeableconcept SET text = 'Pulse' WHERE coding_code = 'heart-rate'")
    done.sql("DELETE FROM core_datasourcesupportedscope;\nDELETE FROM core_datasource")
    again = done.bootstrap()
    assert again.code == 0
    assert again.lines("differs")[0].endswith("IntegrityError")
    assert done.sql("SELECT text FROM core_codeableconcept ORDER BY 1") == ["Pulse", "step-count"]
    assert done.sql("SELECT count(*) FROM core_datasource") == ["0"]
