"""A GitHub that keeps comments, on loopback: the part of its REST interface that the action speaks to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

TOKEN = "ghs_of_this_job"
MAY_NOT = 403, {"message": "Resource not accessible by integration"}
"""What GitHub answers where a token's permissions do not reach."""


class GitHub:
    """What is on the server, and what was asked of it; `fails` are answers that come before the true ones."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.fails: list[tuple[int, Any]] = []
        self.may_write = True
        self.url = ""

    def add(self, body: str, login: str) -> dict[str, Any]:
        """Put a comment there, as somebody."""
        number = 1000 + len(self.comments)
        comment = {"id": number, "body": body, "user": {"login": login}, "html_url": f"{self.url}/c/{number}"}
        self.comments.append(comment)
        return comment

    def answer(self, method: str, target: str, body: Any) -> tuple[int, Any]:
        """Do what is asked of repository o/sites, whose pull request is number 7."""
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if self.fails:
            return self.fails.pop(0)
        if method == "GET" and path == "/repos/o/sites/issues/7/comments":
            page, size = int(query["page"][0]), int(query["per_page"][0])
            return 200, self.comments[(page - 1) * size : page * size]
        if body is not None and not self.may_write:
            return MAY_NOT
        if body is not None and len(body["body"]) > 65_536:
            return 422, {"message": "Validation Failed: body is too long (maximum is 65536 characters)"}
        if method == "POST" and path == "/repos/o/sites/issues/7/comments":
            return 201, self.add(body["body"], "github-actions[bot]")
        for comment in self.comments:
            if method == "PATCH" and path == f"/repos/o/sites/issues/comments/{comment['id']}":
                comment["body"] = body["body"]
                return 200, comment
        return 404, {"message": "Not Found"}


@contextmanager
def serving() -> Iterator[GitHub]:
    """Run the server; it takes requests with the job's token alone."""
    there = GitHub()

    class Handler(BaseHTTPRequestHandler):
        def respond(self) -> None:
            there.asked.append(f"{self.command} {self.path.partition('?')[0]}")
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            known = self.headers["Authorization"] == f"Bearer {TOKEN}"
            code, said = there.answer(self.command, self.path, body) if known else (401, {"message": "Bad credentials"})
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(code)
            if 300 <= code < 400:
                self.send_header("Location", f"{there.url}/elsewhere")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = respond

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield there
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
