"""A Kubernetes API that knows Secrets alone, for the real kubectl: what it needs to find them, and their life."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

Tree = dict[str, Any]
_SECRETS = {"name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret", "verbs": ["get"]}
_FOUND: dict[str, Tree] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [_SECRETS]},
}


class Cluster:
    """What the API holds, by namespace and name; `denies` makes it refuse every change, repeating what was sent."""

    def __init__(self) -> None:
        """Begin empty."""
        self.secrets: dict[tuple[str, str], Tree] = {}
        self.denies = False

    def answer(self, method: str, path: str, body: Tree) -> tuple[int, Tree]:
        """Answer one request."""
        parts = path.split("?")[0].split("/")
        if method == "GET" and len(parts) < 7:
            found = _FOUND.get("/".join(parts))
            return (200, found) if found else _status(404, "NotFound")
        place = (parts[4], parts[6] if len(parts) > 6 else body["metadata"]["name"])
        there = self.secrets.get(place)
        if method == "GET":
            return (200, there) if there else _status(404, "NotFound")
        if self.denies:
            return _status(403, f"Forbidden: {json.dumps(body)}")
        if method == "POST":
            if there:
                return _status(409, "AlreadyExists")
            self.secrets[place] = {**body, "metadata": {**body["metadata"], "resourceVersion": "1"}}
            return 201, self.secrets[place]
        assert there is not None
        if body["metadata"]["resourceVersion"] != there["metadata"]["resourceVersion"]:
            return _status(409, "Conflict")
        there["data"].update(body["data"])
        there["metadata"]["resourceVersion"] += "1"
        return 200, there


def _status(code: int, reason: str) -> tuple[int, Tree]:
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "message": reason}


@contextmanager
def serving(cluster: Cluster, kubeconfig: Path) -> Iterator[None]:
    """Serve a cluster on loopback, and write how kubectl finds it."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            code, tree = cluster.answer(self.command, self.path, body)
            data = json.dumps(tree).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = _answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "lab-cluster", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
        "current-context": "lab-cluster",
    }
    kubeconfig.write_text(json.dumps(config))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
