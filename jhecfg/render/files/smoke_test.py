"""Look whether the Exchange works as the spec means it: over HTTP, as a browser would, and in its database.

Runs inside the Exchange's image, as the smoke-test Job, once the app is up. It is a constant of jhecfg; what to expect
is the JSON document named by JHE_SMOKE_TEST. It only reads, prints one line a check, and fails if any of them does.
"""

import base64
import hashlib
import http.client
import json
import os
import sys
import time
from urllib.parse import urlencode

import django

PATIENCE = 120  # seconds in which the Exchange must answer at all
LOGIN = "/accounts/login/"
SECURE = ("require", "verify-ca", "verify-full")


class Failed(Exception):
    """A check found something else than it should; its text never holds a secret."""


def expect(truth, found):
    """Fail with what was found, unless the check's truth holds."""
    if not truth:
        raise Failed(found)


# --- over HTTP --------------------------------------------------------------------------------------------------------


def ask(wanted, path):
    """Return status, headers and body of a page, asked for as the edge would."""
    connection = http.client.HTTPConnection(wanted["address"], wanted["port"], timeout=20)
    try:
        connection.request("GET", path, headers={"Host": wanted["host"], "X-Forwarded-Proto": "https"})
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def ask_json(wanted, path):
    """Return a page that must be JSON."""
    status, _, body = ask(wanted, path)
    expect(status == 200, f"{path} answers {status}")
    return json.loads(body)


def health(wanted):
    """Wait until the Exchange answers; return its version."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return ask_json(wanted, "/health").get("version", "")
        except (OSError, Failed):
            if time.monotonic() > deadline:
                raise
        time.sleep(2)


def signing_key(wanted):
    """Look for exactly one RSA key: with none, or an error, every login ends in an error."""
    kinds = [key.get("kty") for key in ask_json(wanted, "/o/.well-known/jwks.json")["keys"]]
    expect(kinds == ["RSA"], f"the published keys are {kinds}")
    return "one RSA key"


def issuer(wanted):
    """Look whether JHE knows its own address, with https."""
    found = ask_json(wanted, "/o/.well-known/openid-configuration")["issuer"]
    expect(found == wanted["issuer"], f"the issuer is {found}")
    return found


def authorize(wanted):
    """Look whether every public client's login leads to the login page."""
    for application in wanted["applications"]:
        challenge = base64.urlsafe_b64encode(hashlib.sha256(b"smoke test").digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": application["clientId"],
            "redirect_uri": application["redirectUris"][0],
            "scope": "openid",
            "state": "smoke-test",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        status, headers, _ = ask(wanted, f"/o/authorize/?{urlencode(query)}")
        place = headers.get("Location", "")
        expect(status == 302 and place.startswith(LOGIN), f"{application['name']}: {status}, to {place.split('?')[0]}")
    return f"{len(wanted['applications'])} clients are sent to {LOGIN}"


# --- in the database --------------------------------------------------------------------------------------------------


def database_tls(wanted):
    """Look whether the connection to the database is encrypted, where the spec asks for it."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT ssl, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        encrypted, version = cursor.fetchone()
    expect(encrypted or wanted["sslMode"] not in SECURE, "the connection is not encrypted")
    return f"{version or 'not encrypted'}, {wanted['sslMode']}"


def migrations(wanted):
    """Look whether the schema is this release's."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    missing = [migration for migration, _ in executor.migration_plan(executor.loader.graph.leaf_nodes())]
    expect(not missing, f"not applied: {', '.join(map(str, missing))}")
    return "all applied"


def applications(wanted):
    """Look whether the public clients are as the spec has them: the login page comes before JHE looks at them."""
    from oauth2_provider.models import get_application_model

    there = {application.client_id: application for application in get_application_model().objects.all()}
    for application in wanted["applications"]:
        found = there.get(application["clientId"])
        expect(found is not None, f"{application['name']} is not registered")
        expect(found.client_type == "public", f"{application['name']} is {found.client_type}")
        uris = found.redirect_uris.split()
        expect(uris == application["redirectUris"], f"{application['name']} redirects to {uris}")
    return f"{len(wanted['applications'])} registered"


def organizations(wanted):
    """Look whether every organization of the spec exists; its name is for people to change."""
    from core.models import Organization

    there = set(Organization.objects.values_list("id", flat=True))
    missing = [number for number in wanted["organizations"] if number not in there]
    expect(not missing, f"no organization has the id {missing}")
    return f"{len(wanted['organizations'])} there"


def invitation(wanted):
    """Look whether registration asks for a code: without that row, anybody may register."""
    from core.models import JheSetting

    codes = JheSetting.objects.filter(key="site.registration_invite_code").values_list("value_string", flat=True)
    expect(any(codes), "there is no invite code: anybody may register")
    return "registration asks for a code"


CHECKS = (
    health,
    signing_key,
    issuer,
    authorize,
    database_tls,
    migrations,
    applications,
    organizations,
    invitation,
)


def main():
    """Make every check and say how it went; exit 1 if one failed."""
    with open(os.environ["JHE_SMOKE_TEST"], encoding="utf-8") as file:
        wanted = json.load(file)
    django.setup()
    failures = 0
    for check in CHECKS:
        try:
            print(f"passed\t{check.__name__}\t{check(wanted)}", flush=True)
        except Exception as error:  # whatever goes wrong is a failed check, and the others are still worth knowing
            failures += 1
            print(f"failed\t{check.__name__}\t{type(error).__name__}: {error}", flush=True)
    print(f"smoke test done: {len(CHECKS) - failures} passed, {failures} failed", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
