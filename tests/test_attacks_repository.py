"""Attacks: a repository whose specs, outputs, links and git configuration somebody wrote who means harm.

The attacker opens a pull request; `jhecfg check` or `plan` runs on it, and its log is read in a terminal and by the
runner of a CI system. What must not happen: a line of a file that is not the repository's, a program that the
repository names, a command to the terminal or the runner, a file written or deleted elsewhere.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jhecfg import cache
from jhecfg.cli import run
from jhecfg.plan import revision
from jhecfg.programs import program
from jhecfg.talk import Exit
from tests.test_report_inert import controls

pytestmark = pytest.mark.slow

CANARY = "c4n4ry-Zq8vT2mX"
GOOD = """apiVersion: jhecfg/v1
site: lab
environment: staging
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""
ESCAPES = "\x1b]0;pwned\x07\x1b[2J\u202e\x9b1m"

Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to call a command: exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run([*words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a git repository with one good spec, committed and not built, and work in it."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.setenv("JHECFG_NO_CACHE", "1")
    folder = tmp_path / "repository"
    (folder / "specs").mkdir(parents=True)
    monkeypatch.chdir(folder)
    (folder / "specs/lab.yaml").write_text(GOOD)
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "--message", "first")
    return folder


def git(*words: str, text: bytes = b"") -> str:
    """Run git here."""
    who = ["-c", "user.name=Eve", "-c", "user.email=eve@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", *who, *words], check=True, capture_output=True, timeout=60, input=text)
    return done.stdout.decode().strip()


def assert_inert(*texts: str) -> None:
    """Check that neither a terminal nor a runner obeys anything in what a command printed."""
    for text in texts:
        assert [c for c in controls(text) if c != "\t"] == []
        assert "##[" not in text
        assert not re.search(r"^\s*::", text, re.MULTILINE)


# --- what is read -----------------------------------------------------------------------------------------------------


def _file(path: Path, target: str) -> None:
    path.symlink_to(target)


def _base(path: Path, target: str) -> None:
    path.write_text(f"extends: {target}\n")


def _linked_base(path: Path, target: str) -> None:
    (path.parent / "base.txt").symlink_to(target)
    path.write_text("extends: base.txt\n")


def _linked_folder(path: Path, target: str) -> None:
    for each in path.parent.iterdir():
        each.unlink()
    there = (path.parent / target).resolve().parent
    path.parent.rmdir()
    path.parent.symlink_to(os.path.relpath(there, path.parent.parent))


def _sealed(path: Path, target: str) -> None:
    folder = path.parent / "secrets/evil"
    folder.mkdir(parents=True)
    (folder / "jhe.jhe.yaml").symlink_to(os.path.abspath(path.parent / target))
    path.write_text(GOOD.replace("site: lab", "site: evil") + "secrets: {backend: sops, age: []}\n")


WAYS = (_file, _base, _linked_base, _linked_folder, _sealed)
COMMANDS = (
    ("check",),
    ("diff",),
    ("plan",),
    ("check", "specs/z.yaml", "--format", "json"),
    ("explain", "specs/z.yaml:1"),
    ("graph", "specs/z.yaml"),
    ("set", "specs/z.yaml", "site=x"),
)


@pytest.mark.parametrize("target", ["../.git/z.yaml", "../../outside/z.yaml"])
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__.strip("_"))
def test_no_line_of_a_file_that_is_not_the_repositorys_is_shown(
    repository: Path, said: Said, way: Callable[[Path, str], None], target: str
) -> None:
    """Neither git's own files, where CI keeps a token, nor the machine's are read through a link or a base."""
    place = (repository / "specs" / target).resolve()
    place.parent.mkdir(exist_ok=True)
    place.write_text(f"[http]\n\theader = AUTHORIZATION: basic {CANARY}\n{CANARY}: [\n")
    way(repository / "specs/z.yaml", target)
    for words in COMMANDS:
        code, out, err = said(*words)
        assert CANARY not in out + err, words
        assert code in (Exit.SPEC, Exit.ENVIRONMENT, Exit.USAGE), (words, code, err)


def test_a_link_inside_the_repository_is_a_spec(repository: Path, said: Said) -> None:
    """The border keeps nobody from linking to files that a review sees."""
    (repository / "shared").mkdir()
    (repository / "specs/lab.yaml").rename(repository / "shared/lab.yaml")
    (repository / "specs/lab.yaml").symlink_to("../shared/lab.yaml")
    code, _, err = said("build")
    assert code == 0, err


# --- what is shown ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["{escapes}.yaml", "\n::error::forged.yaml", "\n##[add-mask]x.yaml", "\r.yaml"])
@pytest.mark.parametrize("kind", ["dangling", "folder", "spec"])
def test_the_name_of_a_file_is_no_command(repository: Path, said: Said, ending: str, kind: str) -> None:
    """A file's name reaches no terminal as it is, and adds no line to a log."""
    path = repository / f"specs/x{ending.format(escapes=ESCAPES)}"
    if kind == "dangling":
        path.symlink_to("nowhere")
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_text(GOOD.replace("site: lab", "site: [") + "\n")
    for words in (
        ["check"],
        ["build"],
        ["plan"],
        ["check", str(path)],
        ["graph", str(path)],
        ["set", str(path), "a=b"],
    ):
        _, out, err = said(*words)
        assert_inert(out, err)
        assert "forged" not in [line[: len("forged")] for line in (out + err).splitlines()]


def test_what_lies_in_out_is_no_command(repository: Path, said: Said) -> None:
    """Diffs, strangers and forgotten folders are shown, and nothing in them is obeyed."""
    said("build")
    first = next((repository / "out/lab/manifests").rglob("*.yaml"))
    first.write_text(first.read_text() + f'x: "{ESCAPES}"\n##[add-mask]x\n')
    context = next(path for path in (repository / "out/lab/manifests").rglob("*.yaml") if path != first)
    context.write_text("::stop-commands::x\n" + context.read_text())
    names = (f"{ESCAPES}", "a\n::error::forged", "##[group]x")
    for name in names:
        (repository / "out" / name).mkdir()
        (repository / "out" / name / "jhecfg.lock").write_text("{}")
        (repository / "out/lab" / name).write_text("")
    for words in (["check"], ["diff"], ["build"], ["explain", f"out/{first.relative_to(repository / 'out')}:1"]):
        code, out, err = said(*words)
        assert code != Exit.BUG
        assert_inert(out, err)


@pytest.mark.parametrize("command", ["build", "check", "diff"])
def test_outputs_go_through_no_link_out_of_the_repository(repository: Path, said: Said, command: str) -> None:
    """A link `out` that somebody planted is refused, and says where it leads; whoever means that place names it."""
    away = repository.parent / "away"
    away.mkdir()
    (repository / "out").symlink_to("../away")
    refusal = "jhecfg: out/ is a link that leads out of the repository; if that is meant, give --out ../away\n"
    assert said(command) == (2, "", refusal)
    assert list(away.iterdir()) == []
    (repository / "out").unlink()
    (repository / "inside").mkdir()
    (repository / "out").symlink_to("inside")
    assert said("build", "-q")[0] == 0
    assert said("build", "-q", "--out", "../away")[0] == 0


def test_a_line_of_a_diff_is_no_command(repository: Path, said: Said) -> None:
    """A runner takes a command behind white space too, as a line has it that a diff repeats unchanged."""
    files = r'{x: {mountPath: /x, stringData: "::stop-commands::x\n##[add-mask]y\n"}}'
    hub = "{name: hub, domain: hub.example.org, deploy: external, access: {orgs: [Lab]}, values: {singleuser: {extraFiles: "
    spec = GOOD + "orgs: [{name: Lab, id: 20001, type: laboratory}]\n" + f"hubs: [{hub}{files}}}}}}}]\n"
    (repository / "specs/lab.yaml").write_text(spec)
    assert said("build")[0] == 0
    values = repository / "out/lab/hubs/hub/values.yaml"
    assert re.search(r"^ +::stop-commands::x\n +##\[add-mask\]y$", values.read_text(), re.MULTILINE)
    values.write_text(values.read_text().replace("mountPath: /x", "mountPath: /y"))
    assert "stop-commands" in said("diff")[1]
    for words in (["check"], ["diff"], ["plan"], ["plan", "--format", "markdown"], ["plan", "--format", "json"]):
        _, out, err = said(*words)
        assert_inert(out, err)


@pytest.mark.parametrize("style", ["json", "sarif", "github", "text"])
def test_no_format_holds_a_runners_command(repository: Path, said: Said, style: str) -> None:
    """A log may show any format: a report that nobody redirected is one."""
    (repository / "specs/lab.yaml").write_text(GOOD + '"##[add-mask]x": 1\n"::error::x": 2\n')
    code, out, err = said("check", "--format", style)
    assert code == Exit.SPEC
    assert_inert(out, err) if style != "github" else assert_inert(re.sub("(?m)^::error ", "", out), err)


def test_a_lock_that_is_an_attack_is_only_damaged(repository: Path, said: Said) -> None:
    """Deep nesting and huge numbers in jhecfg.lock or a journal end no process and hide no difference."""
    said("build")
    (repository / "out/lab/RUNBOOK.md").write_text("changed")
    for text in ("[" * 200_000, '{"format": 1, "files": {"a": ' + "9" * 5_000 + "}}", '{"format": ' + "[" * 99_999):
        for place in ("out/lab/jhecfg.lock", "out/.jhecfg/lab.journal"):
            (repository / place).write_text(text)
            code, out, err = said("check")
            assert code in (Exit.OUT_OF_DATE, Exit.REFUSED), err
            assert_inert(out, err)


# --- what is run ------------------------------------------------------------------------------------------------------


def _spy(path: Path, mark: Path, then: str = "exit 1") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho ran >> '{mark}'\n{then}\n")
    path.chmod(stat.S_IRWXU)


@pytest.mark.parametrize("without", ["", "GIT_NO_LAZY_FETCH", "GIT_ALLOW_PROTOCOL"])
def test_a_repositorys_own_git_configuration_runs_nothing(
    repository: Path, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    """No hook, filter, pager, file system monitor, or program that fetches objects; one lock of two is enough."""
    monkeypatch.setattr(revision, "_SAFE", {k: v for k, v in revision._SAFE.items() if k != without})
    mark, spy = tmp_path / "ran", tmp_path / "spy"
    _spy(spy, mark)
    for hook in ("post-checkout", "post-index-change", "reference-transaction", "fsmonitor-watchman"):
        _spy(repository / "hooks" / hook, mark)
    (repository / ".gitattributes").write_text("* filter=x diff=x merge=x\n")
    for key in ("core.fsmonitor", "core.pager", "pager.ls-tree", "pager.cat-file", "diff.external", "core.sshCommand",
                "core.askPass", "core.editor", "filter.x.smudge", "filter.x.clean", "filter.x.process",
                "diff.x.textconv", "remote.origin.uploadpack", "core.gitProxy", "credential.helper",
                "core.alternateRefsCommand", "uploadpack.packObjectsHook", "alias.cat-file"):  # fmt: skip
        git("config", key, str(spy))
    git("config", "core.hooksPath", str(repository / "hooks"))
    (repository / "specs/lab.yaml").write_text(GOOD.replace("v0.0.13", "v0.0.12"))
    code, out, err = said("plan")
    assert (code, mark.exists()) == (0, False), err
    blob = git("rev-parse", "HEAD:specs/lab.yaml")
    mark.unlink(missing_ok=True)  # what our own git may have run
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    git("config", "core.repositoryformatversion", "1")
    git("config", "extensions.partialClone", "origin")
    git("config", "remote.origin.promisor", "true")
    git("config", "protocol.ext.allow", "always")
    git("config", "protocol.file.allow", "always")
    for url in (str(repository), f"ext::{spy} x", "ssh://host/x", "git://host/x"):
        git("config", "remote.origin.url", url)
        mark.unlink(missing_ok=True)
        code, out, err = said("plan")
        assert (code, mark.exists()) == (Exit.ENVIRONMENT, False), (url, err)
        assert_inert(out, err)


def test_a_commit_is_not_what_a_replacement_says(repository: Path, said: Said) -> None:
    """What the older side was cannot be forged by a ref that puts another object in its place."""
    blob = git("rev-parse", "HEAD:specs/lab.yaml")
    (repository / "specs/lab.yaml").write_text(GOOD.replace("v0.0.13", "v0.0.12"))
    git("replace", blob, git("hash-object", "-w", "specs/lab.yaml"))
    code, out, _ = said("plan")
    assert code == 0
    assert "image.tag: v0.0.13 → v0.0.12" in out


def test_a_tree_with_forbidden_names_writes_nothing_elsewhere(
    repository: Path, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git's own tools make no such names, and its transport carries them all the same."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    blob = git("rev-parse", "HEAD:specs/lab.yaml")

    def tree(*entries: tuple[str, str, str]) -> str:
        data = b"".join(f"{mode} {name}\0".encode() + bytes.fromhex(sha) for mode, name, sha in entries)
        return git("hash-object", "-t", "tree", "-w", "--literally", "--stdin", text=data)

    names = ("../../evil.yaml", "../evil.yaml", "/tmp/evil.yaml", "..", ".git", "lab.yaml", "evil\x1b.yaml")
    specs = tree(*(("100644", name, blob) for name in sorted(names)))
    whole = tree(("40000", "..", specs), ("40000", "specs", specs))
    git("update-ref", "refs/heads/evil", git("commit-tree", "-m", "x", whole))
    before = sorted(path for path in tmp_path.rglob("*") if ".git" not in path.parts)
    _, out, err = said("plan", "--from", "evil")
    assert_inert(out, err)
    assert sorted(path for path in tmp_path.rglob("*") if ".git" not in path.parts) == before


@pytest.mark.parametrize("path", ["bin", "", ".", "./bin"])
def test_a_program_that_comes_with_a_repository_is_not_started(
    repository: Path, said: Said, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """A relative entry of PATH means the attacker's folder."""
    mark = tmp_path / "ran"
    for name in ("git", "kubeconform", "kubectl", "aws"):
        _spy(repository / (path or ".") / name, mark)
        real = program(name)
        monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.environ['PATH']}")
        assert program(name) == real
    for words in (["plan"], ["check"], ["build", "--validator", "auto"]):
        said(*words)
    assert not mark.exists()


# --- another user of the machine --------------------------------------------------------------------------------------


def _shards(root: Path, target: Path) -> None:
    root.mkdir()
    for number in range(256):
        (root / f"{number:02x}").symlink_to(target)


def _root_link(root: Path, target: Path) -> None:
    for number in range(256):
        (target / f"{number:02x}").mkdir()
        for name in range(3):
            (target / f"{number:02x}" / str(name)).write_text("")
    root.symlink_to(target)


def _as_another(monkeypatch: pytest.MonkeyPatch, *, links: bool) -> None:
    """Let what is a link (or all) belong to somebody else, without being root."""
    real = os.lstat

    def lstat(path: str) -> os.stat_result:
        found = real(path)
        other = stat.S_ISLNK(found.st_mode) or not links
        return os.stat_result((*found[:4], found.st_uid + 1, *found[5:])) if other else found

    monkeypatch.setattr(cache.os, "lstat", lstat)


@pytest.mark.parametrize("plant", [_shards, _root_link], ids=["shards", "root"])
def test_a_shared_cache_deletes_and_writes_nothing_behind_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path, Path], None]
) -> None:
    """A cache home that others may write to holds links to where the user's own files are; old ones went."""
    monkeypatch.delenv("JHECFG_NO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "shared"))
    monkeypatch.setattr(cache, "_PER_SHARD", 2)
    victim = tmp_path / "victim"
    victim.mkdir()
    for number in range(5):
        (victim / f"photo{number}").write_text("mine")
    (tmp_path / "shared").mkdir()
    plant(tmp_path / "shared/jhecfg", victim)
    _as_another(monkeypatch, links=True)
    before = sorted(victim.rglob("*"))
    (tmp_path / "a.yaml").write_text("site: a\n")
    cache.remember(tmp_path / "a.yaml", {str(tmp_path / "a.yaml"): "0" * 64}, "a", {}, "")
    assert sorted(victim.rglob("*")) == before


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702])
def test_a_cache_that_others_may_write_to_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """Nothing is read from it, and nothing is put into it."""
    monkeypatch.delenv("JHECFG_NO_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    (tmp_path / "jhecfg").mkdir()
    (tmp_path / "jhecfg").chmod(mode)
    (tmp_path / "a.yaml").write_text("site: a\n")
    cache.remember(tmp_path / "a.yaml", {str(tmp_path / "a.yaml"): "0" * 64}, "a", {}, "")
    assert list((tmp_path / "jhecfg").iterdir()) == []
    (tmp_path / "jhecfg").chmod(0o700)
    cache.remember(tmp_path / "a.yaml", {str(tmp_path / "a.yaml"): "0" * 64}, "a", {}, "")
    assert len(list((tmp_path / "jhecfg").iterdir())) == 1
