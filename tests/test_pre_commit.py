"""The hooks of .pre-commit-hooks.yaml, run by pre-commit itself from a clone of this checkout, in a repository of sites."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

from jhecfg import cli
from tests.tools import ROOT, optional

SPEC = """\
apiVersion: jhecfg/v1
environment: staging
site: lab
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_runs_a_command_that_there_is(
    hook: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its entry works as it stands, with `args: [--strict]` behind it; the second time it has nothing to say."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/lab.yaml").write_text(SPEC)
    program, *words = hook["entry"].split()
    assert program == "jhecfg"
    assert cli.run([*words, "--strict"]) == 3
    assert "lab: " in "".join(capsys.readouterr())
    assert cli.run(["build", "-q"]) == 0
    assert cli.run([*words, "--strict"]) == 0


@pytest.mark.hooks
def test_pre_commit_runs_the_hooks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Out of date: refused, with what to do; the other hook builds, and fails once; then the commit goes through."""
    program = optional("pre-commit", "hooks-test")
    monkeypatch.chdir(tmp_path)
    for name in ("GIT_DIR", "GIT_INDEX_FILE", "GIT_WORK_TREE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PRE_COMMIT_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{Path(program).parent}{os.pathsep}{os.environ['PATH']}")
    run("git", "clone", "-q", str(ROOT), "jhecfg")
    revision = run("git", "-C", "jhecfg", "rev-parse", "HEAD")[1].strip()
    run("git", "init", "-q", "-b", "main", "sites")
    monkeypatch.chdir(tmp_path / "sites")
    for key, value in (("user.name", "t"), ("user.email", "t@example.org"), ("commit.gpgsign", "false")):
        run("git", "config", key, value)
    config = {
        "repos": [
            {
                "repo": str(tmp_path / "jhecfg"),
                "rev": revision,
                "hooks": [{"id": "jhecfg-check"}, {"id": "jhecfg-build", "stages": ["manual"], "args": ["--strict"]}],
            }
        ]
    }
    Path(".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    Path("specs").mkdir()
    Path("specs/lab.yaml").write_text(SPEC)
    assert run(program, "install")[0] == 0

    run("git", "add", "-A")
    code, said = run("git", "commit", "-m", "a site")
    assert (code, "run `jhecfg build`, and commit what it changes" in said) == (1, True), said
    build = (program, "run", "jhecfg-build", "--hook-stage", "manual", "--all-files")
    code, said = run(*build)
    assert (code, "A out/lab/manifests/50-app/deployment-exchange.yaml" in said) == (1, True), said
    assert run(*build)[0] == 0
    run("git", "add", "-A")
    assert run("git", "commit", "-m", "a site")[0] == 0

    Path("README.md").write_text("words")
    run("git", "add", "-A")
    code, said = run("git", "commit", "-m", "words")
    assert (code, "no files to check" in said) == (0, True), said


def run(*command: str) -> tuple[int, str]:
    """Run a command; return its exit code and what it says."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout
