"""Our values in a real JupyterHub with its real proxy, against a fake Exchange: who gets in, and for how long."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fake_jhe import Exchange, Person, running
from tests.hub_harness import (
    Browser,
    Hub,
    call,
    environment,
    need_hub,
    prepare,
    running_hub,
    site,
    start_hub,
    until,
)
from tests.tools import need

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]

MEMBER, STAFF, STRANGER, LONER = "mary@example.org", "Sam@Example.org", "mallory@example.org", "nobody@example.org"
PATIENT, LEAVER, FORMER, SLEEPER = "pat@example.org", "lee@example.org", "fay@example.org", "sue@example.org"


@pytest.fixture(scope="module")
def exchange() -> Iterator[Exchange]:
    """Run a fake Exchange with people of every kind."""
    members = {who: Person([20001]) for who in (MEMBER, LEAVER, SLEEPER)}
    others = {STAFF: Person([20009]), STRANGER: Person([29999]), LONER: Person(), PATIENT: Person(patient=True)}
    with running(Exchange(people={**members, FORMER: Person([20001, 20009]), **others})) as fake:
        yield fake


@pytest.fixture(scope="module")
def hub(exchange: Exchange, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """Run a hub for members of Example Lab, with Staff as administrators."""
    need_hub()
    need("configurable-http-proxy")
    one = site(hub={"admins": {"orgs": ["Staff"]}})
    with running_hub(tmp_path_factory.mktemp("hub"), one, exchange) as real:
        yield real


def browser(hub: Hub, exchange: Exchange, who: str) -> Browser:
    """Return a browser in which this person has logged in."""
    person = Browser(hub, exchange, who)
    assert person.login() == 200
    return person


def test_a_member_of_an_allowed_organization_gets_in(hub: Hub, exchange: Exchange) -> None:
    """Membership opens the hub, makes no administrator, and becomes a group named by the organization's id."""
    assert browser(hub, exchange, MEMBER).enters()
    user = hub.user(MEMBER)
    assert (user["groups"], user["admin"]) == (["20001"], False)


@pytest.mark.parametrize("who", [STRANGER, LONER, PATIENT])
def test_everybody_else_is_refused(hub: Hub, exchange: Exchange, who: str) -> None:
    """A member of another organization, of none, and a patient get 403: not 500, and no account."""
    person = Browser(hub, exchange, who)
    assert person.login() == 403
    assert not person.enters()
    assert hub.ask("GET", f"/users/{who}")[0] == 404


def test_an_administrator_is_one_by_organization(hub: Hub, exchange: Exchange) -> None:
    """Staff get in and administer, under a name in lower case."""
    browser(hub, exchange, STAFF)
    assert hub.user(STAFF.lower())["admin"] is True


def test_a_server_knows_the_exchange_and_its_users_token(hub: Hub, exchange: Exchange) -> None:
    """JHE_URL is the Exchange, and JHE_TOKEN opens it as the user."""
    person = browser(hub, exchange, MEMBER)
    assert person.get("/hub/spawn")[0] == 200
    hub.wait_for_server(MEMBER)
    server = json.loads(person.get(f"/user/{MEMBER}/")[2])
    assert server["JHE_URL"] == exchange.url
    status, profile = call(
        "GET", f"{server['JHE_URL']}/api/v1/users/profile", {"Authorization": f"Bearer {server['JHE_TOKEN']}"}
    )
    assert (status, profile["email"]) == (200, MEMBER)


def test_login_is_by_pkce_and_without_a_secret(hub: Hub, exchange: Exchange) -> None:
    """Every login carries an S256 challenge and asks for `openid`; no request ever carries a client secret."""
    browser(hub, exchange, MEMBER)
    assert {query["code_challenge_method"] for query in exchange.authorizations} == {"S256"}
    assert {query["scope"] for query in exchange.authorizations} == {"openid"}
    assert all(form["code_verifier"] for form in exchange.token_requests if form["grant_type"] == "authorization_code")
    assert not any(form.get("client_secret") for form in exchange.token_requests)
    assert exchange.basic_headers == 0


def test_a_revoked_member_loses_the_live_session(hub: Hub, exchange: Exchange) -> None:
    """Once out of the organization, the session opens nothing, no server starts, and a new login is refused."""
    person = browser(hub, exchange, LEAVER)
    assert person.enters()
    exchange.people[LEAVER].organizations.clear()
    until(lambda: not person.enters(), "the live session ends", hub)
    person.get("/hub/spawn", follow=False)
    assert hub.user(LEAVER)["servers"] == {}
    assert person.login() == 403


def test_a_former_administrator_is_none(hub: Hub, exchange: Exchange) -> None:
    """Who leaves the administrators' organization stays a user and loses the rights, without a new login."""
    person = browser(hub, exchange, FORMER)
    assert hub.user(FORMER)["admin"] is True
    exchange.people[FORMER].organizations.remove(20009)
    until(lambda: person.enters() and hub.user(FORMER)["admin"] is False, "the rights end", hub)


def test_an_expired_token_is_renewed_without_a_login(hub: Hub, exchange: Exchange) -> None:
    """When the Exchange no longer takes the access token, the hub renews it by itself."""
    person = browser(hub, exchange, SLEEPER)
    exchange.expire_tokens()
    before = len(exchange.authorizations)
    until(lambda: person.enters() and exchange.token_requests[-1]["grant_type"] == "refresh_token", "renewal", hub)
    assert len(exchange.authorizations) == before


def test_a_session_lasts_a_day(hub: Hub, exchange: Exchange) -> None:
    """A session of 23 hours opens the hub, one of 25 hours does not."""
    person = browser(hub, exchange, MEMBER)
    person.age_session(23 * 3600)
    assert person.enters()
    person.age_session(25 * 3600)
    assert not person.enters()


def test_the_proxy_takes_the_secret_token_alone(hub: Hub) -> None:
    """What stands in the values opens nothing: the proxy's API wants the token of the Secret."""
    answers = {
        token: call("GET", f"{hub.api}/api/routes", {"Authorization": f"token {token}"})[0]
        for token in (hub.proxy_token, "set-in-hub.existingSecret", "undefined", "")
    }
    assert answers == {hub.proxy_token: 200, "set-in-hub.existingSecret": 403, "undefined": 403, "": 403}


def test_pages_tell_browsers_to_stay_with_tls(hub: Hub) -> None:
    """The hub's own pages carry Strict-Transport-Security."""
    from urllib.request import urlopen

    with urlopen(f"{hub.url}/hub/login", timeout=60) as answer:
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


def test_jupyterhub_knows_every_setting(hub: Hub) -> None:
    """No setting of ours is unknown to JupyterHub or deprecated in it."""
    lines = hub.log.splitlines()
    assert [line for line in lines if "not recognized" in line or "deprecated" in line.lower()] == []


@pytest.mark.parametrize(
    "missing",
    [
        "hub.config.JupyterHub.cookie_secret",
        "hub.config.CryptKeeper.keys",
        "hub.config.ConfigurableHTTPProxy.auth_token",
        "hub.services.probe.apiToken",
    ],
)
def test_without_a_key_of_its_secret_the_hub_does_not_start(missing: str, tmp_path: Path) -> None:
    """A placeholder never becomes a live secret: the hub ends at once, and says which key is missing."""
    hub, _ = prepare(tmp_path, site(), Exchange(url="http://127.0.0.1:9"))
    (tmp_path / "existing-secret" / missing).unlink()
    assert start_hub(hub, environment(hub)).wait(60) != 0
    assert f"FATAL: the Secret of hub.existingSecret has no key {missing}" in hub.log
