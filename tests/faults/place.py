"""Place: a repository to break things in, and what is in it before and after."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import yaml

from jhecfg import __main__, cli, fleet
from jhecfg.commands import build, changed, import_, init, seal, secrets, secrets_rotate, set_draft, set_words
from jhecfg.commands import set as set_
from jhecfg.rules import kubeconform
from jhecfg.secretstore import sops

WARM = (cli, fleet, build, changed, import_, init, seal, secrets, secrets_rotate, set_, set_draft, set_words,
        kubeconform, sops, yaml)  # fmt: skip
"""What commands import; a forked child has it already."""

SPEC = """\
# Ours.
apiVersion: jhecfg/v1
site: lab
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
exchange:
  title: Generation 1  # said at the top
  smtp: {host: smtp.example.org, user: jhe@example.org}
database: {host: db.abc123.us-east-2.rds.amazonaws.com, passwordFrom: {name: theirs, key: pw}}
orgs:
  - {name: Example Lab, id: 20001, type: laboratory}
hubs:
  - {name: hub, domain: hub.example.org, access: {orgs: [Example Lab]}, storage: {storageClass: gp3}}
"""
SECOND = SPEC.replace("Generation 1", "Generation 2").replace("name: hub, domain: hub", "name: other, domain: other")
THIRD = SPEC.replace("Generation 1", "Generation 3").replace("name: hub, domain: hub", "name: third, domain: third")
FOREIGN = {
    "NOTES.md": b"mine\n",
    "out/README.md": b"mine, in out\n",
    "out/theirs/deep/file": b"\0\1",
    "out/lab/NOTES.md": b"mine, in the site\n",
    "out/lab/manifests/20-config/mine.yaml": b"mine: too\n",
    "out/lab/hubs/hub/mine.txt": b"mine, in a folder that goes\n",
    "specs/.hidden.yaml": b"mine: hidden\n",
    "specs/notes.txt": b"mine, beside the spec\n",
}
"""Files of others, at every kind of place."""


def warm(work: Path) -> None:
    """Run commands once in this process: what they import and read of the package, its children need not."""
    place, before = fresh(work / "warm"), Path.cwd()
    put(place, {"specs/lab.yaml": SPEC.encode(), "specs/rds.yaml": RDS_SPEC.replace("site: lab", "site: rds").encode()})
    os.chdir(place)
    try:
        for words in (["build", "--jobs", "1"], ["check"], ["set", "--dry-run", "specs/lab.yaml", "exchange.title=x"]):
            with open(os.devnull, "w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
                cli.run(words)
    finally:
        os.chdir(before)


class Said(NamedTuple):
    """What a command that nobody broke ended with."""

    code: int
    out: str
    err: str


def command(*words: str) -> Callable[[], None]:
    """Return jhecfg with these words, to be called in a child."""

    def run() -> None:
        sys.argv = ["jhecfg", *words]
        __main__.main()

    return run


def environment(place: Path) -> dict[str, str]:
    """Return what a command's environment has instead of ours: nothing outside of the place is written to."""
    return {
        "HOME": str(place / ".home"),
        "XDG_CACHE_HOME": str(place / ".home/cache"),
        "PATH": str(place / ".home/bin"),  # no kubeconform: a process more, and no file
        "TMPDIR": str(place / ".home"),
        "NO_COLOR": "1",
    }


def go(place: Path, *words: str, besides: dict[str, str] | None = None) -> Said:
    """Run a command to its end in a forked child."""
    log = place.parent / f"{place.name}.log"
    log.mkdir(exist_ok=True)
    pid = os.fork()
    if pid == 0:
        os.environ.update(environment(place) | (besides or {}))
        os.chdir(place)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(log / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        try:
            command(*words)()
        except SystemExit as end:
            os._exit(int(end.code or 0))
        finally:
            os._exit(97)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Said(code, *((log / name).read_text(errors="replace") for name in ("out", "err")))


# --- what is there ----------------------------------------------------------------------------------------------------

Snapshot = dict[str, tuple[str, int, bytes]]
"""Path → what it is, its mode, its bytes (a link's target)."""

_IGNORED = re.compile(r"\.home(/|$)")
_WORKING = re.compile(
    r"out/\.jhecfg(/|$)|\.secrets(/(\.[^/]+\.new|\.gitignore))?$|specs/\.[^/]+\.new$|specs/secrets/[^/]+/\.[^/]+\.new$"
    r"|out/\.gitattributes$"
)
"""Working files, which a command that was broken may leave, for the next one to finish or remove."""


def snapshot(place: Path) -> Snapshot:
    """Return all that is in a place, but for the cache."""
    found: Snapshot = {}
    for folder, folders, files in os.walk(place):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            shown = os.path.relpath(path, place)
            if _IGNORED.match(shown):
                continue
            mode = os.lstat(path).st_mode
            if stat.S_ISLNK(mode):
                found[shown] = ("link", 0, os.fsencode(os.readlink(path)))
            elif stat.S_ISREG(mode):
                found[shown] = ("file", stat.S_IMODE(mode), Path(path).read_bytes())
            else:
                found[shown] = ("folder" if stat.S_ISDIR(mode) else "other", stat.S_IMODE(mode), b"")
    return found


def state(before: Snapshot, after: Snapshot, now: Snapshot) -> str:
    """Name what a broken command left: old, new, or a mix of the two; anything else is said as `wrong: …`."""
    for path in {*before, *after, *now}:
        if _WORKING.match(path):
            continue
        have, old, new = now.get(path), before.get(path), after.get(path)
        if have not in (old, new) and not (have is not None and have[0] == "folder"):
            return f"wrong: {path} is {'gone' if have is None else f'{have[0]} of {len(have[2])} bytes'}"
    files = [
        {p: v for p, v in each.items() if v[0] != "folder" and not _WORKING.match(p)} for each in (before, after, now)
    ]
    return "old" if files[2] == files[0] else "new" if files[2] == files[1] else "mix"


def differences(wanted: Snapshot, now: Snapshot) -> list[str]:
    """Return the paths that are not as they should be, working files and empty folders among them."""
    return sorted(path for path in {*wanted, *now} if wanted.get(path) != now.get(path))


def fresh(place: Path) -> Path:
    """Return the place, empty."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    return place


def put(place: Path, files: dict[str, bytes]) -> None:
    """Write files into a place."""
    for path, data in files.items():
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_bytes(data)


def copied(source: Path, place: Path) -> Path:
    """Return the place as a copy of another one, times aside."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(source, place, symlinks=True)
    return place


# --- the secrets ------------------------------------------------------------------------------------------------------


def store_values(place: Path, site: str = "lab") -> dict[str, str] | None:
    """Return what the store of a site holds, by `namespace/name/key`; None where there is no file.

    Raises ValueError where it is no whole file, or others may read it.
    """
    path = place / ".secrets" / f"{site}.yaml"
    if not path.exists():
        return None
    if path.stat().st_mode & 0o077 or path.parent.stat().st_mode & 0o077:
        raise ValueError("others may read the store")
    tree = yaml.safe_load(path.read_text())
    if not isinstance(tree, dict) or not path.read_text().endswith("\n"):
        raise ValueError("the store is torn")
    return {
        f"{ns}/{name}/{key}": text
        for ns, each in tree.items()
        for name, items in each.items()
        for key, text in items.items()
    }


def run_all(place: Path, commands: Sequence[Sequence[str]]) -> None:
    """Run commands that prepare a place; each must succeed."""
    for words in commands:
        said = go(place, *words)
        if said.code:
            raise RuntimeError(f"{words}: {said.code}\n{said.err}")


DESCRIPTION = json.dumps(
    {
        "Stacks": [
            {
                "StackId": "arn:aws:cloudformation:us-east-2:111122223333:stack/lab-database/0",
                "StackName": "lab-database",
                "StackStatus": "CREATE_COMPLETE",
                "Outputs": [
                    {"OutputKey": key, "OutputValue": value}
                    for key, value in {
                        "Endpoint": "lab-database-database-x1.c9x8y7.us-east-2.rds.amazonaws.com",
                        "Port": "5432",
                        "DatabaseName": "jhe",
                        "MasterSecretArn": "arn:aws:secretsmanager:us-east-2:111122223333:secret:rds!db-1",
                    }.items()
                ],
            }
        ]
    }
).encode()
"""What CloudFormation says of the database's stack."""

RDS_SPEC = """\
apiVersion: jhecfg/v1
site: lab
environment: staging
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database:   # RDS
  host: 'not-yet.abc123.us-east-2.rds.amazonaws.com'  # from the stack
  rds: {multiAz: false}
cluster: {region: us-east-2, version: "1.36"}
"""
