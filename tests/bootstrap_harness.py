"""The Jobs' scripts against PostgreSQL: a cluster of our own on a Unix socket, a small project in JHE's place.

The project's packages live in `.tools/bootstrap`, which `make tools` creates; PostgreSQL is the system's own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from jhecfg.render.bootstrap import bootstrap_data, bootstrap_files, bootstrap_job
from jhecfg.render.jobs import REFUSED, script
from jhecfg.site import Site
from tests.hub_harness import site
from tests.tools import ROOT

PROJECT = Path(__file__).parent / "bootstrap_project"
PYTHON = ROOT / ".tools" / "bootstrap" / "bin" / "python"
PROGRAMS = ("initdb", "pg_ctl", "psql", "pg_dump", "postgres")
PASSWORD, INVITE_CODE, CLIENT_SECRET, API_KEY = "admin-of-a-test", "code-of-a-test", "mcp-of-a-test", "ow-of-a-test"


def need_postgres() -> Path:
    """Return the folder of PostgreSQL's programs; skip by name without them or the project, fail where CI=true."""
    # Debian keeps them away from PATH, in a folder for each version.
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda place: int(place.parent.name), reverse=True)
    path = [Path(place) for place in os.environ.get("PATH", "").split(os.pathsep) if place]
    complete = [place for place in (*debian, *path) if all((place / name).exists() for name in PROGRAMS)]
    if complete and PYTHON.exists():
        return complete[0]
    missing = ".tools/bootstrap is absent: run `make tools`" if complete else "PostgreSQL is absent: install postgresql"
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)


@cache
def pem(bits: int = 2048) -> str:
    """Return a new RSA key; the same one for the same size."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def full_site() -> Site:
    """Return a site with everything that the Jobs can be asked for."""
    return site(
        image={"tag": "main", "digest": "sha256:" + "0" * 64},
        exchange={"mcp": {"domain": "mcp.example.org"}, "wearables": {"apiUrl": "https://ow.example.org"}},
    )


def as_postgres(command: list[str | Path], **options: Any) -> str:
    """Run one of PostgreSQL's programs, which refuse to run as root, and return what it printed."""
    user = {"user": "postgres", "group": "postgres", "extra_groups": ()} if os.geteuid() == 0 else {}
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", **user, **options)
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """A PostgreSQL cluster that only its Unix socket leads to."""

    programs: Path
    folder: Path

    def sql(self, statement: str, database: str = "postgres") -> list[str]:
        """Run a statement and return its rows as text."""
        psql = [self.programs / "psql", "-X", "-Atq", "-v", "ON_ERROR_STOP=1", "-h", self.folder, "-U", "jhe"]
        return as_postgres([*psql, database], input=statement).splitlines()

    def rows(self, database: str) -> list[str]:
        """Return all that a database holds."""
        dump = as_postgres(
            [self.programs / "pg_dump", "--data-only", "--inserts", "-h", self.folder, "-U", "jhe", database]
        )
        return [line for line in dump.splitlines() if line.startswith("INSERT")]


@contextmanager
def running_cluster(programs: Path) -> Iterator[Cluster]:
    """Run a cluster, in a short path of /tmp that its own user may read, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="jhecfg-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres", "postgres")
        data = folder / "data"
        as_postgres([programs / "initdb", "-D", data, "-U", "jhe", "--auth=trust", "-E", "UTF8", "--no-sync"])
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        pg_ctl = [programs / "pg_ctl", "-D", data, "-w", "-l", folder / "log"]
        as_postgres([*pg_ctl, "-o", options, "start"], env={**os.environ, "LC_ALL": "C"})
        try:
            yield Cluster(programs=programs, folder=folder)
        finally:
            as_postgres([*pg_ctl, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run of the script ended with."""

    code: int
    said: str

    def lines(self, verb: str) -> list[str]:
        """Return the lines of one verb: kind, name and detail."""
        return [line.removeprefix(f"{verb}\t") for line in self.said.splitlines() if line.startswith(f"{verb}\t")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A migrated database, and the scripts that the compiled Jobs run on it."""

    cluster: Cluster
    database: str
    folder: Path
    shape: str = "main"
    document: dict[str, Any] = field(default_factory=lambda: deepcopy(bootstrap_data(full_site())))

    def environment(self) -> dict[str, str]:
        """Return the Job's variables, the secret ones too; those of the project in JHE's place stand in for its own."""
        secrets = {
            "OIDC_RSA_PRIVATE_KEY": pem(),
            "JHE_ADMIN_PASSWORD": PASSWORD,
            "JHE_INVITE_CODE": INVITE_CODE,
            "JHE_MCP_CLIENT_SECRET": CLIENT_SECRET,
            "JHE_WEARABLES_API_KEY": API_KEY,
        }
        container = bootstrap_job(full_site(), bootstrap_files(full_site()))["spec"]["template"]["spec"]["containers"][
            0
        ]
        brought = {variable["name"] for variable in container["env"]}
        return {
            **{name: value for name, value in secrets.items() if name in brought},
            "PYTHONPATH": str(PROJECT),
            "DJANGO_SETTINGS_MODULE": "settings",
            "DB_HOST": str(self.cluster.folder),
            "DB_NAME": self.database,
            "DB_USER": "jhe",
            "JHE_SHAPE": self.shape,
        }

    def start(self, name: str = "bootstrap.py", **variables: str) -> subprocess.Popen[str]:
        """Start a script."""
        file, document = self.folder / name, self.folder / "bootstrap.json"
        file.write_text(script(name), encoding="utf-8")
        document.write_text(json.dumps(self.document), encoding="utf-8")
        env = {**self.environment(), "JHE_BOOTSTRAP": str(document), **variables}
        pipe = subprocess.PIPE
        return subprocess.Popen([PYTHON, file], env=env, stdout=pipe, stderr=subprocess.STDOUT, text=True)

    def bootstrap(self, **variables: str) -> Outcome:
        """Run the bootstrap script to its end."""
        return outcome(self.start(**variables))

    def refuses(self, **variables: str) -> Outcome:
        """Run the bootstrap script, which must refuse, with its own exit code, and leave the database as it was."""
        before = self.rows()
        done = self.bootstrap(**variables)
        assert done.code == REFUSED, done.said
        assert done.said.rstrip().endswith("nothing was changed")
        assert self.rows() == before
        return done

    def sql(self, statement: str) -> list[str]:
        """Run a statement as somebody who uses JHE would have it run."""
        return self.cluster.sql(statement, self.database)

    def rows(self) -> list[str]:
        """Return all that the database holds."""
        return self.cluster.rows(self.database)


def outcome(process: subprocess.Popen[str]) -> Outcome:
    """Wait for a run of the script."""
    said, _ = process.communicate(timeout=120)
    return Outcome(code=process.returncode, said=said)


def migrate(exchange: Exchange) -> None:
    """Make the tables, as the migrate Job would."""
    env = exchange.environment()
    command = [PYTHON, "-m", "django", "migrate", "--run-syncdb", "--verbosity=0"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def hashed(value: str) -> str:
    """Return SQL for a password or client secret as the project in JHE's place keeps it."""
    return f"'md5$salt$' || md5('salt{value}')"


def variables_of(document: Mapping[str, Any]) -> set[str]:
    """Return the names of the variables that a bootstrap document reads its secrets from."""
    parts = [document["admin"], *document["applications"], *document["settings"]]
    return {value for part in parts for name, value in part.items() if name.endswith("Env")}
