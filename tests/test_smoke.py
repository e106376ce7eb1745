"""The smoke-test Job: against a database that was bootstrapped, and a server that answers as JHE does, or not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from jhecfg.render.jobs import content_named
from jhecfg.render.smoke_test import smoke_test, smoke_test_data
from jhecfg.site import Site
from tests.bootstrap_harness import (
    Cluster,
    Exchange,
    Outcome,
    full_site,
    migrate,
    need_postgres,
    outcome,
    running_cluster,
)
from tests.hub_harness import site

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("bootstrap")]

CHECKS = 9


@dataclass
class Answers:
    """What the server says, and who asked."""

    keys: list[dict[str, str]] = field(default_factory=lambda: [{"kty": "RSA"}])
    issuer: str = "https://jhe.example.org/o"
    login: str = "/accounts/login/"
    asked: list[dict[str, str]] = field(default_factory=list)

    def to(self, path: str) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and document of a page."""
        if path == "/o/authorize/":
            return 302, {"Location": f"{self.login}?next=/o/authorize/"}, ""
        pages = {
            "/health": {"status": "ok", "version": "v0.0.13"},
            "/o/.well-known/jwks.json": {"keys": self.keys},
            "/o/.well-known/openid-configuration": {"issuer": self.issuer},
        }
        return (200, {}, pages[path]) if path in pages else (404, {}, "")


@contextmanager
def serving(answers: Answers) -> Iterator[int]:
    """Serve the answers on a port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer, and remember who asked for what."""
            url = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(url.query).items()}
            answers.asked.append({**query, "path": url.path, "host": self.headers["Host"],
                                  "proto": self.headers["X-Forwarded-Proto"]})  # fmt: skip
            status, headers, document = answers.to(url.path)
            self.send_response(status)
            for header in headers.items():
                self.send_header(*header)
            self.end_headers()
            self.wfile.write(json.dumps(document).encode())

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the tests' output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Run PostgreSQL, with a bootstrapped database to copy from."""
    with running_cluster(need_postgres()) as running:
        running.sql("CREATE DATABASE done")
        exchange = Exchange(cluster=running, database="done", folder=tmp_path_factory.mktemp("done"))
        migrate(exchange)
        assert exchange.bootstrap().code == 0
        yield running


@pytest.fixture
def done(cluster: Cluster, tmp_path: Path) -> Iterator[Exchange]:
    """Return an Exchange that was bootstrapped."""
    cluster.sql("CREATE DATABASE trial TEMPLATE done")
    yield Exchange(cluster=cluster, database="trial", folder=tmp_path)
    cluster.sql("DROP DATABASE trial WITH (FORCE)")


def look(done: Exchange, answers: Answers | None = None, *, ssl_mode: str = "disable", **variables: str) -> Outcome:
    """Run the script as the compiled Job would, with this server in the Service's place."""
    with serving(answers or Answers()) as port:
        data = {**smoke_test_data(full_site()), "address": "127.0.0.1", "port": port, "sslMode": ssl_mode}
        document = done.folder / "smoke-test.json"
        document.write_text(json.dumps(data), encoding="utf-8")
        return outcome(done.start("smoke_test.py", JHE_SMOKE_TEST=str(document), **variables))


def failed(run: Outcome) -> list[str]:
    """Return the names of the checks that failed, and no others; the exit code says the same."""
    lines = [line.split("\t")[0] for line in run.lines("failed")]
    assert run.code == (1 if lines else 0), run.said
    assert len(run.lines("passed")) + len(lines) == CHECKS, run.said
    return lines


def test_a_site_that_works_passes_every_check(done: Exchange) -> None:
    """It only reads; and it asks as the edge does, for every public client, with PKCE."""
    before, answers = done.rows(), Answers()
    run = look(done, answers)
    assert failed(run) == []
    assert done.rows() == before
    assert {(each["host"], each["proto"]) for each in answers.asked} == {("jhe.example.org", "https")}
    clients = [each for each in answers.asked if each["path"] == "/o/authorize/"]
    assert [each["client_id"] for each in clients] == [
        "jhe-admin-ui-jhe-example",
        "jupyterhub-jupyterhub.example.org",
    ]
    assert {each["code_challenge_method"] for each in clients} == {"S256"}


@pytest.mark.parametrize(
    ("answers", "check"),
    [
        ({"keys": []}, "signing_key"),
        ({"keys": [{"kty": "RSA"}, {"kty": "RSA"}]}, "signing_key"),
        ({"keys": [{"kty": "EC"}]}, "signing_key"),
        ({"issuer": "http://jhe.example.org/o"}, "issuer"),
        ({"login": "https://elsewhere.example.org/"}, "authorize"),
    ],
    ids=["no-key", "two-keys", "elliptic-curve", "http", "another-login"],
)
def test_a_wrong_answer_fails_its_own_check(answers: dict[str, Any], check: str, done: Exchange) -> None:
    """The others are made all the same."""
    assert failed(look(done, Answers(**answers))) == [check]


@pytest.mark.parametrize(
    ("change", "check"),
    [
        ("UPDATE oauth2_provider_application SET redirect_uris = 'https://evil.example.org/'", "applications"),
        ("DELETE FROM oauth2_provider_application WHERE name LIKE 'JupyterHub %'", "applications"),
        ("DELETE FROM core_organization WHERE id = 20009", "organizations"),
        ("DELETE FROM core_jhesetting WHERE key = 'site.registration_invite_code'", "invitation"),
    ],
    ids=["another-address", "no-application", "no-organization", "open-registration"],
)
def test_a_wrong_database_fails_its_own_check(change: str, check: str, done: Exchange) -> None:
    """The login page comes before JHE looks at the client, so the page alone would not tell."""
    done.sql(change)
    assert failed(look(done)) == [check]


def test_migrations_that_nobody_applied_fail_a_check(done: Exchange) -> None:
    """The image is newer than the schema."""
    run = look(done, UNMIGRATED="yes")
    assert failed(run) == ["migrations"]
    assert "auth.0001_initial" in run.said


def test_a_connection_without_tls_fails_where_the_spec_wants_it(done: Exchange) -> None:
    """The database's own word counts, not the setting."""
    assert failed(look(done, ssl_mode="verify-full")) == ["database_tls"]


# --- the Job ----------------------------------------------------------------------------------------------------------


def name_of(one: Site) -> str:
    """Return the smoke-test Job's name."""
    *_, job = content_named(smoke_test(one))
    assert job.manifest is not None
    name: str = job.manifest["metadata"]["name"]
    return name


def test_the_job_is_there_only_where_the_spec_asks_for_it() -> None:
    """It comes after everything else, and holds nothing back."""
    assert list(smoke_test(site())) == []
    assert all(artifact.path > "manifests/60-routes" for artifact in smoke_test(site(exchange={"smokeTest": True})))


@pytest.mark.parametrize(
    "change",
    [
        {"image": {"tag": "v0.0.12"}},
        {"exchange": {"smokeTest": True, "logLevel": "DEBUG"}},
        {"orgs": [{"name": "Example Lab", "id": 20001, "type": "other"}]},
        {"rerun": "again"},
    ],
    ids=["release", "environment", "organizations", "rerun"],
)
def test_it_runs_again_when_something_it_looks_at_may_be_another(change: dict[str, Any]) -> None:
    """Its name is its content's; the same spec makes the same Job, which does not run again."""
    same = {"exchange": {"smokeTest": True}}
    assert name_of(site(**same)) == name_of(site(**same))
    assert name_of(site(**{**same, **change})) != name_of(site(**same))
    assert name_of(site(**same, ingress={"dns": "external-dns"})) == name_of(site(**same))
