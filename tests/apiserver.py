"""A real Kubernetes control plane for tests: etcd, kube-apiserver, kube-controller-manager, on loopback, until the end.

There are no nodes: tests/standins.py plays the kubelet and the controllers that are not here. The programs and the
definitions of custom resources come from `make cluster-tools`, an opt-in.
"""

from __future__ import annotations

import json
import os
import secrets
import ssl
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from tests.hub_harness import free_port
from tests.tools import DEFINITIONS, need, optional

Tree = dict[str, Any]
CONTROLLERS = "job,cronjob,deployment,replicaset,disruption,namespace,garbagecollector,serviceaccount"
# Charts and engines bring their own namespaces; the charts themselves are not installed here.
NAMESPACES = ("argocd", "cert-manager", "envoy-gateway-system", "external-secrets", "flux-system", "ingress-nginx")
PATIENCE = 120  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A running API server: where it is, and how to talk to it as the cluster's administrator."""

    root: Path
    url: str
    token: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.root / "kubeconfig"

    @property
    def environment(self) -> dict[str, str]:
        """The environment of a program that talks to this cluster, with `kubectl` on its PATH."""
        path = os.pathsep.join([str(Path(need("kubectl")).parent), os.environ["PATH"]])
        return {"PATH": path, "HOME": str(self.root), "KUBECONFIG": str(self.kubeconfig)}

    def kubectl(self, *arguments: str | Path, stdin: str = "") -> str:
        """Run kubectl and return what it printed; an error or a warning of the server fails the test."""
        done = subprocess.run(
            [need("kubectl"), *(str(argument) for argument in arguments)],
            input=stdin, capture_output=True, text=True, env=self.environment, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"kubectl {arguments}\n{done.stdout}\n{done.stderr}"
        assert "Warning" not in done.stderr, done.stderr
        return done.stdout

    def objects(self, *arguments: str | Path) -> list[Tree]:
        """Return what `kubectl get` finds, as plain trees."""
        found = json.loads(self.kubectl("get", "--output=json", "--ignore-not-found", *arguments) or '{"items": []}')
        items: list[Tree] = found.get("items", [found])
        return items

    def call(self, method: str, path: str, body: Tree | None = None) -> Tree:
        """Call the API; a PATCH is a JSON merge patch."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        data = None if body is None else json.dumps(body).encode()
        request = Request(self.url + path, data=data, headers=headers, method=method)
        with urlopen(request, context=trust(self.root), timeout=30) as answer:
            result: Tree = json.load(answer)
        return result

    def log(self, name: str) -> str:
        """Return the end of a program's log."""
        return (self.root / f"{name}.log").read_text(errors="replace")[-6000:]

    def start(self, name: str, *arguments: str, extra: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Start one of the programs of `make cluster-tools`; it ends with the cluster."""
        with (self.root / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [optional(name), *arguments],
                cwd=self.root, env={**self.environment, **(extra or {})}, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes.append(process)
        return process


@cache
def trust(root: Path) -> ssl.SSLContext:
    """Return what trusts a cluster's API server, and nothing else."""
    return ssl.create_default_context(cafile=str(root / "certificates" / "apiserver.crt"))


def until(condition: Callable[[], bool], what: str, log: Callable[[], str] = str, patience: float = PATIENCE) -> None:
    """Wait until a condition holds; when patience ends, fail with what was waited for."""
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, f"never: {what}\n{log()}"
        time.sleep(0.1)


@contextmanager
def running_cluster(root: Path) -> Iterator[Cluster]:
    """Run a control plane with every custom resource defined, until the block ends."""
    cluster = Cluster(root=root, url=f"https://127.0.0.1:{free_port()}", token=secrets.token_hex(16))
    try:
        etcd = _start_etcd(cluster)
        _start_apiserver(cluster, etcd)
        until(lambda: _ready(cluster), "the API server is ready", lambda: cluster.log("kube-apiserver"))
        _start_controllers(cluster)
        define(cluster, DEFINITIONS.iterdir())
        for name in NAMESPACES:
            cluster.call("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
        yield cluster
    finally:
        for process in reversed(cluster.processes):
            process.terminate()
            process.wait(30)


def _start_etcd(cluster: Cluster) -> str:
    url, peer = (f"http://127.0.0.1:{free_port()}" for _ in range(2))
    cluster.start(
        "etcd", f"--data-dir={cluster.root / 'etcd'}", "--unsafe-no-fsync", "--log-level=warn",
        f"--listen-client-urls={url}", f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=default={peer}",
    )  # fmt: skip
    return url


def _start_apiserver(cluster: Cluster, etcd: str) -> None:
    key, tokens = cluster.root / "accounts.key", cluster.root / "tokens.csv"
    subprocess.run([need("openssl"), "genrsa", "-out", str(key), "2048"], capture_output=True, check=True)
    tokens.write_text(f"{cluster.token},admin,admin,system:masters\n")
    cluster.start(
        "kube-apiserver", f"--etcd-servers={etcd}", "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
        f"--secure-port={cluster.url.rpartition(':')[2]}", f"--cert-dir={cluster.root / 'certificates'}",
        f"--token-auth-file={tokens}", "--authorization-mode=RBAC", "--service-cluster-ip-range=10.96.0.0/16",
        f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
        "--service-account-issuer=https://kubernetes.default.svc", "--endpoint-reconciler-type=none",
    )  # fmt: skip


def _ready(cluster: Cluster) -> bool:
    assert cluster.processes[-1].poll() is None, f"the API server ended\n{cluster.log('kube-apiserver')}"
    try:
        cluster.call("GET", "/api/v1/namespaces/default")
        with urlopen(Request(f"{cluster.url}/readyz"), context=trust(cluster.root), timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPError, URLError):
        return False


def _start_controllers(cluster: Cluster) -> None:
    cluster.kubeconfig.write_text(json.dumps(_kubeconfig(cluster)))
    cluster.start(
        "kube-controller-manager", f"--kubeconfig={cluster.kubeconfig}", f"--controllers={CONTROLLERS}",
        "--leader-elect=false", "--secure-port=0",
    )  # fmt: skip


def _kubeconfig(cluster: Cluster) -> Tree:
    authority = str(cluster.root / "certificates" / "apiserver.crt")
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
        "clusters": [{"name": "test", "cluster": {"server": cluster.url, "certificate-authority": authority}}],
        "users": [{"name": "admin", "user": {"token": cluster.token}}],
    }


def define(cluster: Cluster, files: Iterable[Path]) -> None:
    """Create the custom resources of files, and wait until the API server serves them."""
    listed = [argument for file in sorted(files) for argument in ("--filename", file)]
    cluster.kubectl("apply", "--server-side", *listed)
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=60s", *listed)
