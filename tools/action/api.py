"""Api: GitHub's REST interface, as far as comments need it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

PAUSES = (1, 3)
"""Seconds before a request that failed is sent again."""
SECONDS = 30
PAGES = 50
"""Pages of 100 comments that are looked through."""


class ApiError(Exception):
    """GitHub did not do what it was asked; the text says what it answered. `forbidden` where the token may not."""

    def __init__(self, text: str, *, forbidden: bool = False) -> None:
        super().__init__(text)
        self.forbidden = forbidden


class _Stay(HTTPRedirectHandler):
    """Follow nothing: the token is for one server."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Make a redirect an error."""


class Api:
    """A server, and a token that is sent to it alone."""

    def __init__(self, url: str, token: str) -> None:
        """Take the address, as in GITHUB_API_URL."""
        self.url, self.token = url.rstrip("/"), token
        self.opener = build_opener(_Stay)

    def pages(self, path: str) -> Iterator[dict[str, Any]]:
        """Yield all items of a list. Raises ApiError."""
        for page in range(1, PAGES + 1):
            items = self.send("GET", f"{path}?per_page=100&page={page}")
            yield from items
            if len(items) < 100:
                return

    def send(self, method: str, path: str, body: dict[str, str] | None = None) -> Any:
        """Send a request and return the answer; a server that fails is asked again. Raises ApiError."""
        for pause in (*PAUSES, None):
            try:
                return self._send(method, path, body)
            except HTTPError as error:
                if pause is None or not (error.code >= 500 or error.code == 429) or method == "POST":
                    raise _refusal(error) from None
            except (URLError, HTTPException, OSError, ValueError) as error:  # no answer, or half of one
                if pause is None or method == "POST":  # a comment might be there already
                    why = "no JSON" if isinstance(error, ValueError) else getattr(error, "reason", error)
                    raise ApiError(f"GitHub does not answer: {why}") from None
            time.sleep(pause)
        raise AssertionError("the last try returns or raises")

    def _send(self, method: str, path: str, body: dict[str, str] | None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = Request(f"{self.url}/{path}", data, method=method)  # GITHUB_API_URL is the runner's own
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Accept", "application/vnd.github+json")
        request.add_header("Content-Type", "application/json")
        request.add_header("User-Agent", "jhecfg")
        request.add_header("X-GitHub-Api-Version", "2022-11-28")
        with self.opener.open(request, timeout=SECONDS) as answer:
            return json.loads(answer.read())


def _refusal(error: HTTPError) -> ApiError:
    """Return what GitHub answered, in its own words."""
    try:
        words = str(json.loads(error.read())["message"])
    except (ValueError, KeyError, TypeError, OSError):
        words = str(error.reason)
    return ApiError(f"GitHub answers {error.code}, {words[:200]}", forbidden=error.code in (401, 403, 404))
