"""The canary: a secret in every place where a person could put one, and in no byte that any command emits."""

from __future__ import annotations

import base64
import itertools
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jhecfg import cli
from jhecfg.emit import dump
from jhecfg.secretstore import make as making
from jhecfg.secretstore.store import load
from jhecfg.source import load as load_spec
from tests.test_sealed_secrets import certificate
from tests.tools import ROOT
from tests.unsealing import AGE

pytestmark = pytest.mark.slow

CANARY = "c4n4ry-Zq8vT2mX"
GOOD = """\
apiVersion: jhecfg/v1
site: lab
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
exchange:
  smtp: {host: smtp.example.org, user: jhe@example.org}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""
EXTERNAL = GOOD + "secrets: {backend: external-secrets, region: us-east-2}\n"
SEALED = GOOD + "secrets: {backend: sealed-secrets}\n"
SOPS = GOOD + f"secrets: {{backend: sops, recipients: [{AGE.recipient}]}}\n"
BACKENDS = {"existing": GOOD, "external-secrets": EXTERNAL, "sealed-secrets": SEALED, "sops": SOPS}
SPEC, STORE = Path("specs/lab.yaml"), Path(".secrets/lab.yaml")
STYLES = ("text", "json", "github", "sarif")
Said = Callable[..., tuple[int, str]]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder whose environment is full of secrets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "SMTP_PASSWORD", "DB_PASSWORD", "PGPASSWORD", "SECRET_KEY"):
        monkeypatch.setenv(name, CANARY)
    monkeypatch.setattr(making, "RSA_BITS", 2048)
    (tmp_path / "specs").mkdir()
    return tmp_path


@pytest.fixture
def jhecfg(work: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to run the command line here: words in; exit code and all that was said out."""

    def run(*words: str) -> tuple[int, str]:
        code = cli.run(list(words))
        said = capsys.readouterr()
        return code, said.out + said.err

    return run


def written(work: Path) -> Iterator[tuple[str, str]]:
    """Yield every file that jhecfg wrote, sealed ones too, but for the store and what people wrote themselves."""
    for path in work.rglob("*"):
        inside = path.relative_to(work).parts
        if path.is_file() and inside[0] not in (".secrets", "brought") and path.parent != work / "specs":
            yield "/".join(inside), path.read_bytes().decode(errors="replace")


# --- in the spec ------------------------------------------------------------------------------------------------------

BASE: dict[str, Any] = load_spec(ROOT / "tests/base.yaml").tree


def places(tree: Any, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Yield the place of everything in a tree."""
    yield at
    for step, below in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places(below, (*at, step))


def planted(place: tuple[str | int, ...]) -> Iterator[dict[str, Any]]:
    """Yield the base spec with a secret at one place: under a telling name, as a value, and as a key."""
    url, token = f"https://user:{CANARY}@example.org/", f"ghp_{CANARY.replace('-', '')}{'x' * 30}"
    for kind in ("name", "key", "value"):
        tree = load_spec(ROOT / "tests/base.yaml").tree
        parent: Any = tree
        for step in place[:-1]:
            parent = parent[step]
        target = parent[place[-1]] if place else tree
        if kind == "value" and place:
            parent[place[-1]] = url
            yield tree
        elif isinstance(target, dict) and kind != "value":
            target.update({"adminPassword": CANARY} if kind == "name" else {token: "x"})
            yield tree


COMMANDS = (
    *(("check", "--format", style) for style in STYLES),
    ("build", "--validator", "none"),
    ("diff",),
    ("secrets", "list"),
    ("secrets", "init"),
    ("secrets", "apply", "--dry-run"),
)


def test_a_secret_at_any_place_of_a_spec_is_refused_and_not_shown(work: Path, jhecfg: Said) -> None:
    """Every mapping, every value and every key of a full spec, by each command in turn."""
    commands = itertools.cycle(COMMANDS)
    count = 0
    for place in places(BASE):
        for tree in planted(place):
            SPEC.write_text(dump(tree))
            command = next(commands)
            code, said = jhecfg(*command, str(SPEC))
            assert code == 1, (place, command)
            assert CANARY not in said, (place, command)
            assert CANARY.replace("-", "") not in said, (place, command)
            count += 1
    assert count > 150
    assert not (work / "out").exists()
    assert not STORE.exists()


PLACES = {
    "a password field": GOOD + f"admin: {{email: a@example.org, password: {CANARY}}}\n",
    "an unknown field": GOOD + f"databasePassword: {CANARY}\n",
    "the environment": GOOD.replace("exchange:\n", f"exchange:\n  env: {{SMTP_PASSWORD: {CANARY}}}\n"),
    "a setting": GOOD.replace("exchange:\n", f"exchange:\n  settings: {{ow.s3.secret_access_key: {CANARY}}}\n"),
    "a URL": GOOD.replace(
        "exchange:\n", f"exchange:\n  env: {{OW_S3_ENDPOINT_URL: 'https://u:{CANARY}@s3.example.org'}}\n"
    ),
    "a bad URL as domain": GOOD.replace("jhe.example.org", f"https://u:{CANARY}@jhe.example.org"),
    "a hub's values": GOOD
    + "hubs: [{name: hub, domain: h.example.org, access: {anyone: true}, "
    + f"values: {{hub: {{cookieSecret: {CANARY}}}}}}}]\n",
    "a hub's environment": GOOD
    + f"hubs: [{{name: hub, domain: h.example.org, access: {{anyone: true}}, env: {{API_TOKEN: {CANARY}}}}}]\n",
    "a patch": GOOD
    + "patches: [{target: {kind: Service, name: exchange}, "
    + f"patch: {{metadata: {{annotations: {{password: {CANARY}}}}}}}}}]\n",
    "a comment": GOOD + f"# the password of the database is password={CANARY}\n",
    "a duplicate key": GOOD + f"password: {CANARY}\npassword: {CANARY}2\n",
    "a line that is no YAML": GOOD + f"password: '{CANARY}\n",
    "a key without a space": GOOD + f"password:{CANARY}\n",
    "a nested key without a space": GOOD.replace("image: {tag: v0.0.13}", f"image:\n  password:{CANARY}"),
    "a key that is indented too far": GOOD + f"environment: staging\n  password: {CANARY}\n",
    "a value of a wrong type": GOOD + f"database: {{password: [{CANARY}]}}\n",
    "a file that it extends": f"extends: base.yaml\n{GOOD}",
}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_in_a_spec_is_never_shown(place: str, style: str, work: Path, jhecfg: Said) -> None:
    """However it is written, broken YAML and other files included, no word of any format repeats it."""
    (work / "specs/base.yaml").write_text(f"admin: {{email: a@example.org, password: {CANARY}}}\n")
    SPEC.write_text(PLACES[place])
    code, said = jhecfg("build", "--format", style, str(SPEC))
    assert code == 1
    assert CANARY not in said
    assert list(written(work)) == []


# --- in the store, in files, in the environment -----------------------------------------------------------------------


@pytest.fixture
def complete(work: Path, jhecfg: Said) -> set[str]:
    """Make a site's secrets, some brought and some made; return each, and its base64, as nobody may see it."""
    SPEC.write_text(GOOD)
    (work / "brought").write_text(f"{CANARY}-of-a-file\n")
    code, said = jhecfg(
        "secrets", "init", str(SPEC), "--from-file", "jhe-database/password=brought",
        "--from-env", "jhe-smtp/password=SMTP_PASSWORD",
    )  # fmt: skip
    texts = {text for items in load(STORE).values() for text in items.values()}
    lines = {line for text in texts for line in text.splitlines() if not line.startswith("-----")}
    secret = lines | {base64.b64encode(text.encode()).decode() for text in texts}
    assert code == 0
    assert [each for each in secret if each in said] == []
    return secret


EVERY = (
    ("build",),
    ("check",),
    ("diff",),
    *(("check", "--format", style) for style in STYLES),
    ("schema",),
    ("explain", "all"),
    ("explain", "specs/lab.yaml:2"),
    ("explain", "out/lab/RUNBOOK.md", "--format", "json"),
    ("graph", "specs/lab.yaml"),
    ("graph", "specs/lab.yaml", "--format", "svg"),
    ("plan", "--against", "specs/lab.yaml"),
    ("secrets", "list", "specs/lab.yaml"),
    ("secrets", "list", "specs/lab.yaml", "--format", "json"),
    ("secrets", "list", "specs/lab.yaml", "--format", "kubectl"),
    ("secrets", "init", "specs/lab.yaml"),
    ("secrets", "init", "specs/lab.yaml", "--from-file", "jhe-database/password=brought"),
    ("secrets", "init", "specs/lab.yaml", "--from-file", "invite-code=brought"),
    ("secrets", "init", "specs/lab.yaml", "--from-env", f"jhe-smtp/password={CANARY}"),
    ("secrets", "init", "specs/lab.yaml", "--from-file", f"jhe-smtp/password={CANARY}"),
    ("secrets", "init", "specs/lab.yaml", "--from-file", CANARY),
    ("secrets", "apply", "specs/lab.yaml"),
    ("secrets", "seal", "specs/lab.yaml"),
    ("build",),
    ("secrets", "seal", "specs/lab.yaml", "--all"),
    *(("check", "--format", style) for style in STYLES),
    ("diff",),
    ("secrets", "rotate", "specs/lab.yaml", "secret-key"),
    ("secrets", "rotate", "specs/lab.yaml", "jhe-smtp/password", "--from-env", "SMTP_PASSWORD"),
    ("secrets", "rotate", "specs/lab.yaml", "jhe-smtp/password", "--from-env", "jhe-smtp/password=DB_PASSWORD"),
    ("secrets", "show", "specs/lab.yaml", "no-such"),
)


@pytest.fixture
def certified(work: Path) -> None:
    """Put the controller's certificate beside the spec."""
    (work / "specs/secrets/lab").mkdir(parents=True)
    (work / "specs/secrets/lab/certificate.pem").write_bytes(certificate(start=datetime.now(UTC) - timedelta(days=1)))


@pytest.mark.parametrize("backend", BACKENDS)
def test_no_command_tells_what_it_works_with(
    backend: str, work: Path, jhecfg: Said, complete: set[str], certified: None
) -> None:
    """Neither on a stream nor in a file: outputs, lock, cache, sealed files and all."""
    SPEC.write_text(BACKENDS[backend])
    for words in EVERY:
        _, said = jhecfg(*words)
        assert [each for each in complete if each in said] == [], words
    files = dict(written(work))
    assert "out/lab/jhecfg.lock" in files
    assert ("specs/secrets/lab/jhe.jhe-smtp.yaml" in files) == (backend in ("sealed-secrets", "sops"))
    for path, text in files.items():
        assert [each for each in complete if each in text] == [], path
    assert CANARY not in "".join(files.values())


def test_a_secret_that_somebody_wrote_into_an_output_is_not_in_the_diff(work: Path, jhecfg: Said) -> None:
    """A hand edit is shown, with what looks like a secret masked: diffs are read in logs."""
    SPEC.write_text(GOOD)
    jhecfg("build")
    edited = work / "out/lab/manifests/20-config/configmap-exchange.yaml"
    edited.write_text(edited.read_text() + f"  DB_PASSWORD: {CANARY}\n  MINE: shown\n")
    for words in (("check",), ("diff",), ("build",), *(("check", "--format", style) for style in STYLES)):
        code, said = jhecfg(*words)
        assert code in (0, 3, 4)
        assert CANARY not in said, words
    assert f"-  DB_PASSWORD: {'*' * len(CANARY)}" in jhecfg("diff")[1]
    assert "-  MINE: shown" in jhecfg("diff")[1]


# --- on crashes -------------------------------------------------------------------------------------------------------

STAGES = {
    "build": (
        "jhecfg.muster.load", "jhecfg.pipeline.parse", "jhecfg.pipeline.resolve", "jhecfg.pipeline.judge_site",
        "jhecfg.pipeline.render", "jhecfg.pipeline.patched", "jhecfg.pipeline.finished", "jhecfg.pipeline.emit_files",
        "jhecfg.pipeline.dump", "jhecfg.pipeline.judge_artifacts", "jhecfg.pipeline.schema_violations", "jhecfg.fleet.batch.write",
        "jhecfg.commands.build.result", "jhecfg.commands.build.remember",
    ),
    "secrets init": (
        "jhecfg.commands.secrets.load_spec", "jhecfg.commands.secrets.resolve", "jhecfg.commands.secrets.brought",
        "jhecfg.commands.secrets.load", "jhecfg.secretstore.store.read", "jhecfg.commands.secrets.problems",
        "jhecfg.commands.secrets.with_values",
    ),
    "secrets apply": (
        "jhecfg.commands.secrets_apply.load", "jhecfg.commands.secrets_apply.to_cluster",
        "jhecfg.secretstore.send.run", "jhecfg.secretstore.send.manifest", "jhecfg.secretstore.run.redacted",
    ),
    "secrets seal": (
        "jhecfg.commands.seal.load", "jhecfg.commands.seal.bring", "jhecfg.commands.seal.save",
        "jhecfg.secretstore.sops.encrypted_secret", "jhecfg.secretstore.sops._encrypted", "jhecfg.secretstore.age.encrypt",
        "jhecfg.secretstore.seal.dump", "jhecfg.secretstore.seal._write", "jhecfg.secretstore.seal._made_from",
    ),
    "secrets seal ": (
        "jhecfg.commands.seal._certificate", "jhecfg.secretstore.sealed_secrets.sealed_secret",
        "jhecfg.secretstore.sealed_secrets._sealed",
    ),
    "secrets rotate": (
        "jhecfg.commands.secrets_rotate.rotated", "jhecfg.commands.secrets_rotate.save", "jhecfg.secretstore.store.dump",
        "jhecfg.secretstore.store._replace",
    ),
}  # fmt: skip
CRASHES = [(words, stage) for words, stages in STAGES.items() for stage in stages]


@pytest.mark.parametrize(("words", "stage"), CRASHES, ids=[stage for _, stage in CRASHES])
@pytest.mark.parametrize("failure", [RuntimeError, ValueError, KeyboardInterrupt])
def test_a_crash_at_any_stage_tells_nothing(
    failure: type[BaseException],
    words: str,
    stage: str,
    work: Path,
    jhecfg: Said,
    complete: set[str],
    certified: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An exception that holds all its stage was given is told by its type and by places in jhecfg alone."""

    def broken(*args: object, **options: object) -> None:
        raise failure(f"{args} {options} {CANARY}")

    kubectl = work / "kubectl"
    kubectl.write_text('#!/bin/sh\n[ "$1" = config ] && echo lab\nexit 0\n')
    kubectl.chmod(0o700)
    monkeypatch.setenv("PATH", f"{work}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(stage, broken)
    if words.startswith("secrets seal"):
        SPEC.write_text(SEALED if words.endswith(" ") else SOPS)
    name = ["secret-key"] if words == "secrets rotate" else []
    code, said = jhecfg(*words.split(), str(SPEC), *name)
    assert code == (130 if failure is KeyboardInterrupt else 70)
    assert CANARY not in said
    assert [each for each in complete if each in said] == []
    assert CANARY not in "".join(text for _, text in written(work))


_CRASHED = """
import os, sys
from jhecfg import cli
from jhecfg.fleet import batch
from jhecfg.secretstore import store
def broken(*args, **options):
    {how}
batch.{stage} = store.{store} = broken
sys.exit(cli.run({words!r}))
"""


@pytest.mark.parametrize("how", ["os.abort()", "raise RuntimeError(str(args))", "sys.setrecursionlimit(80); broken()"])
@pytest.mark.parametrize("words", [["build"], ["build", "--jobs", "2"], ["secrets", "init", "specs/lab.yaml"]], ids=str)
def test_a_process_that_dies_tells_nothing(how: str, words: list[str], work: Path, complete: set[str]) -> None:
    """Not in Python's own dump of a crash (PYTHONFAULTHANDLER), not from a worker, not in development mode."""
    (work / "specs/two.yaml").write_text(GOOD.replace("site: lab", "site: two"))
    script = _CRASHED.format(how=how, stage="compile_source", store="_values", words=words)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONFAULTHANDLER": "1", "PYTHONDEVMODE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, check=False, timeout=60, cwd=work
    )
    said = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode in (70, -signal.SIGABRT, 5)  # 5: a worker that died twice of the same site
    assert said
    assert CANARY not in said
    assert [each for each in complete if each in said] == []
