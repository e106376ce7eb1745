"""A real JupyterHub for tests: started from our values as the chart's own configuration does it, on loopback.

The heavy packages live in a virtual environment of their own, `.tools/hub`, which `make tools` creates.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

import pytest

from jhecfg.emit import dump
from jhecfg.render.hubs import COOKIE_KEY, CRYPT_KEY, PROXY_KEY, values
from jhecfg.resolve import resolve
from jhecfg.site import Site
from jhecfg.spec import SiteSpec
from tests.fake_jhe import WHO, Exchange
from tests.tools import ROOT, need

SPEC: dict[str, Any] = {
    "apiVersion": "jhecfg/v1",
    "site": "jhe-example",
    "domain": "jhe.example.org",
    "contact": "ops@example.org",
    "image": {"tag": "v0.0.13"},
    "database": {"host": "database.example.org"},
    "orgs": [
        {"name": "Example Lab", "id": 20001, "type": "laboratory"},
        {"name": "Staff", "id": 20009, "type": "other"},
    ],
    "hubs": [
        {
            "name": "hub",
            "domain": "jupyterhub.example.org",
            "access": {"orgs": ["Example Lab"]},
            "storage": {"storageClass": "gp3"},
        }
    ],
}


def site(*, hub: Mapping[str, Any] | None = None, **changes: Any) -> Site:
    """Return the site of the smallest spec, with keys of its hub and of the spec itself changed."""
    only = {**SPEC["hubs"][0], **(hub or {})}
    return resolve(SiteSpec.model_validate({**SPEC, "hubs": [only], **changes})).site


def need_hub() -> Path:
    """Return the interpreter of the JupyterHub environment; skip by name without it, fail where CI=true."""
    python = ROOT / ".tools" / "hub" / "bin" / "python"
    if python.exists():
        return python
    message = ".tools/hub (JupyterHub) is absent: run `make tools`"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


# --- what the chart puts into the hub's pod ---------------------------------------------------------------------------

# The chart's files/hub/z2jh.py reads the same two folders in the same order.
Z2JH = """
import os
from pathlib import Path

def get_secret_value(key, default=None):
    for folder in ("existing-secret", "secret"):
        path = Path(os.environ["HUB_ROOT"]) / folder / key
        if path.exists():
            return path.read_text()
    return default
"""

# The chart's files/hub/jupyterhub_config.py does the same with these values (zero-to-jupyterhub-k8s 4.4.0); the last
# part replaces Kubernetes: processes for pods, and a proxy of the hub's own.
CONFIG = """
import os
import sys
from pathlib import Path

import yaml

root = Path(os.environ["HUB_ROOT"])
sys.path.insert(0, str(root))
from z2jh import get_secret_value

c = get_config()
chart_values = yaml.safe_load((root / "values.yaml").read_text())
c.JupyterHub.services = [{"name": "probe", "api_token": get_secret_value("hub.services.probe.apiToken")}]
c.JupyterHub.load_roles = [
    {"name": "probe", "services": ["probe"], "scopes": ["admin:users", "admin:servers", "admin:groups"]}
]
c.JupyterHub.cookie_secret = get_secret_value("hub.config.JupyterHub.cookie_secret")
c.CryptKeeper.keys = get_secret_value("hub.config.CryptKeeper.keys").split(";")
for section, settings in chart_values["hub"]["config"].items():
    if section == "JupyterHub":
        settings.pop("cookie_secret")
    elif section == "CryptKeeper":
        settings.pop("keys")
    c[section].update(settings)
for key, code in sorted(chart_values["hub"]["extraConfig"].items()):
    exec(code)

c.JupyterHub.spawner_class = "simple"
c.JupyterHub.db_url = f"sqlite:///{root}/hub.sqlite"
c.JupyterHub.bind_url = os.environ["HUB_PUBLIC"]
c.JupyterHub.hub_bind_url = os.environ["HUB_PRIVATE"]
c.JupyterHub.cleanup_servers = True
c.ConfigurableHTTPProxy.should_start = False
c.ConfigurableHTTPProxy.api_url = os.environ["HUB_API"]
c.Spawner.environment = chart_values["singleuser"]["extraEnv"]
c.Spawner.cmd = [sys.executable, str(root / "server.py")]
c.Spawner.args = []
c.SimpleLocalProcessSpawner.home_dir_template = str(root / "home")
c.JheAuthenticator.auth_refresh_age = 1
"""

# A user's server: it answers everything with its own environment.
SERVER = """
import json
import os
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import urlsplit

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({name: os.environ.get(name) for name in ("JHE_URL", "JHE_TOKEN", "JUPYTERHUB_USER")}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

HTTPServer(("127.0.0.1", urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"]).port), Handler).serve_forever()
"""


@dataclass(kw_only=True)
class Hub:
    """A running hub and its proxy."""

    root: Path
    url: str
    python: Path
    api: str
    proxy_token: str
    cookie_secret: str
    probe_token: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def log(self) -> str:
        """What the hub has said so far."""
        return (self.root / "hub.log").read_text(encoding="utf-8", errors="replace")

    def ask(self, method: str, path: str) -> tuple[int, Any]:
        """Call the hub's API as a service."""
        return call(method, f"{self.url}/hub/api{path}", {"Authorization": f"token {self.probe_token}"})

    def user(self, name: str) -> dict[str, Any]:
        """Return what the hub knows about a user."""
        status, body = self.ask("GET", f"/users/{name}")
        assert status == 200, body
        user: dict[str, Any] = body
        return user

    def wait_for_server(self, name: str) -> None:
        """Wait until the user's server runs."""
        until(lambda: self.user(name)["servers"].get("", {}).get("ready"), "the user's server runs", self)


def call(method: str, url: str, headers: Mapping[str, str]) -> tuple[int, Any]:
    """Send one request without following anything; return status and JSON (or None)."""
    request = Request(url, method=method, headers=dict(headers), data=b"{}" if method == "POST" else None)
    try:
        with build_opener(_Stay()).open(request, timeout=60) as answer:
            status, body = answer.status, answer.read()
    except HTTPError as error:
        with error:
            status, body = error.code, error.read()
    try:
        return status, json.loads(body)
    except ValueError:
        return status, None


class _Stay(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """Follow nothing."""


@dataclass
class Browser:
    """A person with a browser: cookies, redirects followed by hand, and a name that the fake Exchange is told."""

    hub: Hub
    exchange: Exchange
    who: str
    jar: CookieJar = field(default_factory=CookieJar)

    def get(self, path: str, *, follow: bool = True) -> tuple[int, str, str]:
        """Return status, address and text of where a request ends."""
        opener = build_opener(_Stay(), HTTPCookieProcessor(self.jar))
        url = self.hub.url + path
        for _ in range(15):
            headers = {WHO: self.who} if url.startswith(self.exchange.url) else {}
            try:
                with opener.open(Request(url, headers=headers), timeout=60) as answer:
                    return answer.status, url, answer.read().decode()
            except HTTPError as error:
                with error:
                    text, target = error.read().decode(), error.headers.get("Location")
                if not follow or target is None:
                    return error.code, urljoin(url, target or url), text
                url = urljoin(url, target)
        raise AssertionError(f"redirects without end: {url}")

    def login(self) -> int:
        """Log in through the Exchange; return the last status."""
        return self.get("/hub/oauth_login?next=%2Fhub%2Fhome")[0]

    def enters(self) -> bool:
        """Say whether the session, as it is, still opens the hub."""
        return self.get("/hub/home", follow=False)[0] == 200

    def age_session(self, seconds: int) -> None:
        """Make the login cookie older, signed as the hub itself signs."""
        cookie = next(cookie for cookie in self.jar if cookie.name == "jupyterhub-hub-login")
        value = base64.b64decode((cookie.value or "").strip('"').split("|")[4].partition(":")[2])
        cookie.value = signed(self.hub.cookie_secret, cookie.name, value, int(time.time()) - seconds)


def signed(secret: str, name: str, value: bytes, when: int) -> str:
    """Return a signed cookie in Tornado's second format (tornado.web.create_signed_value)."""
    parts = ["0", str(when), name, base64.b64encode(value).decode()]
    text = "2|" + "|".join(f"{len(part)}:{part}" for part in parts) + "|"
    return text + hmac.new(bytes.fromhex(secret), text.encode(), hashlib.sha256).hexdigest()


def until(true: Any, what: str, hub: Hub, seconds: float = 60) -> None:
    """Wait for something to become true; fail, with the hub's log, when it does not."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, f"not in {seconds} s: {what}\n{hub.log[-3000:]}"
        time.sleep(0.1)


def loopback(a_site: Site, exchange: Exchange, url: str) -> Site:
    """Return the site with its addresses on this machine."""
    hub = a_site.hubs[0]._replace(url=url, callback_url=f"{url}/hub/oauth_callback")
    exchange.client_id, exchange.redirect_uri = hub.client_id, hub.callback_url
    return a_site._replace(hubs=(hub,), exchange=a_site.exchange._replace(url=exchange.url))


def prepare(root: Path, a_site: Site, exchange: Exchange) -> tuple[Hub, dict[str, Any]]:
    """Write what the chart would mount; return a hub that does not run yet, and its values."""
    python, proxy_port = need_hub(), free_port()
    hub = Hub(
        root=root,
        url=f"http://127.0.0.1:{proxy_port}",
        python=python,
        api=f"http://127.0.0.1:{free_port()}",
        proxy_token=secrets.token_hex(32),
        cookie_secret=secrets.token_hex(32),
        probe_token=secrets.token_hex(32),
    )
    here = loopback(a_site, exchange, hub.url)
    tree = values(here, here.hubs[0])
    existing = {
        COOKIE_KEY: hub.cookie_secret,
        CRYPT_KEY: secrets.token_hex(32),
        PROXY_KEY: hub.proxy_token,
        "hub.services.probe.apiToken": hub.probe_token,
    }
    # The chart's own Secret: what stands in the values.
    chart = {
        COOKIE_KEY: tree["hub"]["config"]["JupyterHub"]["cookie_secret"],
        CRYPT_KEY: ";".join(tree["hub"]["config"]["CryptKeeper"]["keys"]),
        PROXY_KEY: tree["proxy"]["secretToken"],
        "hub.services.probe.apiToken": tree["proxy"]["secretToken"],
    }
    for folder, content in (("secret", chart), ("existing-secret", existing)):
        (root / folder).mkdir()
        for key, value in content.items():
            (root / folder / key).write_text(value)
    (root / "home").mkdir()
    texts = {"z2jh.py": Z2JH, "config.py": CONFIG, "server.py": SERVER, "values.yaml": dump(tree)}
    for name, text in texts.items():
        (root / name).write_text(text)
    return hub, tree


def environment(hub: Hub) -> dict[str, str]:
    """Return the environment of the hub's process, with what the chart sets in the pod."""
    node = Path(need("configurable-http-proxy")).parent
    return {
        "PATH": os.pathsep.join([str(hub.python.parent), str(node), os.environ["PATH"]]),
        "HOME": str(hub.root),
        "HUB_ROOT": str(hub.root),
        "HUB_PUBLIC": hub.url,
        "HUB_PRIVATE": f"http://127.0.0.1:{free_port()}",
        "HUB_API": hub.api,
        "CONFIGPROXY_AUTH_TOKEN": (hub.root / "secret" / PROXY_KEY).read_text(),
    }


def start_proxy(hub: Hub, tree: Mapping[str, Any], env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the proxy with the environment that the chart gives its container."""
    extra = {
        name: value if isinstance(value, str) else hub.proxy_token
        for name, value in tree["proxy"]["chp"]["extraEnv"].items()
    }
    port, api = (url.rpartition(":")[2] for url in (hub.url, hub.api))
    command = [need("configurable-http-proxy"), "--ip=127.0.0.1", f"--port={port}", "--api-ip=127.0.0.1"]
    target = [f"--api-port={api}", f"--default-target={env['HUB_PRIVATE']}"]
    with (hub.root / "proxy.log").open("wb") as log:
        return subprocess.Popen([*command, *target], env={**env, **extra}, stdout=log, stderr=log)


def start_hub(hub: Hub, env: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start the hub."""
    with (hub.root / "hub.log").open("wb") as log:
        return subprocess.Popen(
            [str(hub.python), "-m", "jupyterhub", "-f", str(hub.root / "config.py")],
            cwd=hub.root,
            env=dict(env),
            stdout=log,
            stderr=log,
        )


@contextmanager
def running_hub(root: Path, a_site: Site, exchange: Exchange) -> Iterator[Hub]:
    """Run a hub of this site, and its proxy, until the block ends."""
    hub, tree = prepare(root, a_site, exchange)
    env = environment(hub)
    try:
        hub.processes.append(start_proxy(hub, tree, env))
        hub.processes.append(start_hub(hub, env))
        until(lambda: _healthy(hub), "the hub answers", hub)
        yield hub
    finally:
        for process in reversed(hub.processes):
            process.terminate()
            process.wait(30)


def _healthy(hub: Hub) -> bool:
    assert hub.processes[-1].poll() is None, f"the hub ended\n{hub.log[-3000:]}"
    try:
        return call("GET", f"{hub.url}/hub/health", {})[0] == 200
    except (URLError, ConnectionError):
        return False
