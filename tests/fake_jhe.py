"""A fake Exchange: the part that JupyterHub touches, on loopback, as the real one answers (facts: JHE v0.0.13, run).

PKCE is required and redirect URIs match exactly; a hub's client is public, so a secret that is not empty is refused;
practitioners have an e-mail address and patients have none; organizations come as a bare list with whole-number ids;
every other path, `/authorize/` among them, is not found.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

WHO = "X-Fake-User"


@dataclass
class Person:
    """Somebody with an account: the ids of their organizations, or a patient, who has none."""

    organizations: list[int] = field(default_factory=list)
    patient: bool = False


@dataclass
class Exchange:
    """What the fake knows, and what it was asked."""

    url: str = ""
    client_id: str = ""
    redirect_uri: str = ""
    people: dict[str, Person] = field(default_factory=dict)
    down: bool = False
    tokens: dict[str, str] = field(default_factory=dict)
    codes: dict[str, tuple[str, str]] = field(default_factory=dict)
    authorizations: list[dict[str, str]] = field(default_factory=list)
    token_requests: list[dict[str, str]] = field(default_factory=list)
    basic_headers: int = 0

    def expire_tokens(self) -> None:
        """Make every access token invalid; refresh tokens stay."""
        for token in [token for token in self.tokens if not token.startswith("refresh-")]:
            del self.tokens[token]

    def issue(self, who: str) -> dict[str, object]:
        """Return a fresh pair of tokens."""
        access, refresh = secrets.token_hex(15), f"refresh-{secrets.token_hex(12)}"
        self.tokens |= {access: who, refresh: who}
        return {
            "access_token": access,
            "refresh_token": refresh,
            "token_type": "Bearer",
            "expires_in": 1_209_600,
            "scope": "openid",
        }

    def authorize(self, query: dict[str, str], who: str) -> tuple[int, object]:
        """Answer /o/authorize/: a status and a body, or the place to go to."""
        self.authorizations.append(query)
        if query.get("client_id") != self.client_id or query.get("redirect_uri") != self.redirect_uri:
            return 400, {"error": "invalid_request"}
        answer = {"state": query.get("state", "")}
        if query.get("code_challenge_method") != "S256" or not query.get("code_challenge"):
            return 302, f"{self.redirect_uri}?{urlencode({**answer, 'error': 'invalid_request'})}"
        code = secrets.token_hex(8)
        self.codes[code] = (who, query["code_challenge"])
        return 302, f"{self.redirect_uri}?{urlencode({**answer, 'code': code})}"

    def token(self, form: dict[str, str]) -> tuple[int, object]:
        """Answer /o/token/."""
        self.token_requests.append(form)
        if form.get("client_id") != self.client_id or form.get("client_secret"):
            return 401, {"error": "invalid_client"}
        if form.get("grant_type") == "refresh_token":
            who = self.tokens.pop(form.get("refresh_token", ""), None)
            return (200, self.issue(who)) if who else (400, {"error": "invalid_grant"})
        who, challenge = self.codes.pop(form.get("code", ""), ("", ""))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if not who or base64.urlsafe_b64encode(digest).rstrip(b"=").decode() != challenge:
            return 400, {"error": "invalid_grant"}
        return 200, self.issue(who)

    def api(self, path: str, bearer: str) -> tuple[int, object]:
        """Answer what is below /api/v1/users/."""
        who = self.tokens.get(bearer, "")
        if not who:
            return 401, {"detail": "Authentication credentials were not provided."}
        person = self.people[who]
        if path == "/api/v1/users/profile":
            kind = "patient" if person.patient else "practitioner"
            email = {} if person.patient else {"email": who}
            return 200, {"id": 10001, **email, "patient": None, "userType": kind, "isSuperuser": False}
        if path == "/api/v1/users/organizations":
            return 200, [
                {"id": number, "name": str(number), "type": "laboratory", "partOf": None, "currentUserRole": None}
                for number in person.organizations
            ]
        return 404, {"detail": "Not found."}


def _handler(exchange: Exchange) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            if exchange.down:
                self._answer(503, {"detail": "down"})
            elif url.path == "/o/authorize/":
                who = self.headers.get(WHO, "")
                self._answer(*exchange.authorize(dict(parse_qsl(url.query, keep_blank_values=True)), who))
            elif url.path.startswith("/api/v1/"):
                self._answer(*exchange.api(url.path, self.headers.get("Authorization", "").removeprefix("Bearer ")))
            else:
                self._answer(404, {"detail": "Not found."})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            exchange.basic_headers += "Authorization" in self.headers
            form = {name: values[0] for name, values in parse_qs(raw, keep_blank_values=True).items()}
            if exchange.down or self.path != "/o/token/":
                self._answer(503 if exchange.down else 404, {"detail": "no"})
            else:
                self._answer(*exchange.token(form))

        def _answer(self, status: int, body: object) -> None:
            text = b"" if status == 302 else json.dumps(body).encode()
            self.send_response(status)
            if status == 302:
                self.send_header("Location", str(body))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    return Handler


@contextmanager
def running(exchange: Exchange) -> Iterator[Exchange]:
    """Serve the fake on a free port of 127.0.0.1, until the block ends."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _handler(exchange)) as server:
        exchange.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield exchange
        finally:
            server.shutdown()
            thread.join()
