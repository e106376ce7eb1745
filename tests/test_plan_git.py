"""plan, the command: real git repositories, two files, every format and exit code."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from jhecfg.cli import run
from jhecfg.plan.revision import Revision

pytestmark = pytest.mark.slow

GOOD = """apiVersion: jhecfg/v1
site: lab
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.12}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
exchange:
  smtp: {host: smtp.example.org, user: jhe@example.org}
orgs:
  - {name: Example Lab, id: 20001, type: laboratory}
hubs:
  - {name: hub, domain: hub.example.org, deploy: external, access: {orgs: [Example Lab]}}
"""
CANARY = "c4n4ry-Zq8vT2mX"

Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to call the command: exit code, stdout, stderr."""

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["plan", *words])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with one committed site, and work in it. No configuration of the machine's own counts."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    folder = tmp_path / "sites"
    folder.mkdir()
    monkeypatch.chdir(folder)
    git("init", "--quiet")
    write("specs/lab.yaml", GOOD)
    commit()
    return folder


def git(*words: str) -> str:
    """Run git here."""
    who = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org", "-c", "commit.gpgsign=false"]
    return subprocess.run(["git", *who, *words], check=True, capture_output=True, text=True, timeout=60).stdout


def commit() -> None:
    """Commit all that there is."""
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", "change")


def write(path: str, text: str) -> None:
    """Write a file, in a folder that need not be there."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def edit(old: str, new: str, path: str = "specs/lab.yaml") -> None:
    """Change a file at one place."""
    text = Path(path).read_text(encoding="utf-8")
    assert old in text
    write(path, text.replace(old, new, 1))


def test_nothing_changed_is_one_line(work: Path, said: Said) -> None:
    """A work tree as it was committed has nothing to plan, and that is no failure even with --exit-code."""
    assert said("--exit-code") == (0, "lab: nothing changes\n", "")


def test_an_edit_is_compared_with_the_last_commit(work: Path, said: Said) -> None:
    """By default the older side is HEAD; --exit-code says with 3 that something changes."""
    edit("v0.0.12", "v0.0.13")
    code, out, err = said("--exit-code")
    assert (code, err) == (3, "")
    assert out.startswith("lab: 1 object changes, migrate and bootstrap run, exchange restarts")
    assert "specs/lab.yaml:5 image.tag: v0.0.12 → v0.0.13" in out
    assert "manage.py migrate core 0038_practitionerclient" in out
    assert said("specs/lab.yaml") == (0, out, "")


def test_another_revision_can_be_the_older_side(work: Path, said: Said) -> None:
    """--from takes a branch, a tag, a commit or any other name of one."""
    edit("v0.0.12", "v0.0.13")
    commit()
    assert said()[1] == "lab: nothing changes\n"
    assert "image.tag: v0.0.12 → v0.0.13" in said("--from", "HEAD~1")[1]
    assert "image.tag: v0.0.12 → v0.0.13" in said("--from", git("rev-parse", "HEAD~1").strip())[1]


def test_a_new_site_a_site_that_goes_and_one_that_stays(work: Path, said: Said) -> None:
    """Sites are matched by their names: new ones and removed ones are said as that, the others in one line."""
    write("specs/old.yaml", GOOD.replace("site: lab", "site: old").replace("jhe.example", "old.example"))
    commit()
    Path("specs/old.yaml").unlink()
    write("specs/new.yaml", GOOD.replace("site: lab", "site: new").replace("jhe.example", "new.example"))
    code, out, _ = said()
    assert code == 0
    heads = [line for line in out.splitlines() if line[:1].isalpha()]
    assert heads == ["lab: nothing changes", "new: is new; the service goes on", "old: is removed; WITH AN OUTAGE"]
    assert "was specs/old.yaml:2" in out
    assert "old: is removed" in said("specs/old.yaml")[1]


def test_a_file_may_be_renamed(work: Path, said: Said) -> None:
    """A site is known by its name, whatever its file is called."""
    git("mv", "specs/lab.yaml", "specs/laboratory.yaml")
    assert said()[1] == "lab: nothing changes\n"
    assert said("specs/laboratory.yaml")[1] == "lab: nothing changes\n"


def test_a_file_at_the_top_may_be_renamed(work: Path, said: Said) -> None:
    """A spec that lies in no folder is known by its site too."""
    git("mv", "specs/lab.yaml", "lab.yaml")
    commit()
    git("mv", "lab.yaml", "site.yaml")
    assert said("site.yaml") == (0, "lab: nothing changes\n", "")


def test_another_name_of_the_site_in_the_same_file_is_a_rename(work: Path, said: Said) -> None:
    """Where the file is the same and the site's name is not, that is what is said."""
    edit("site: lab", "site: laboratory")
    out = said()[1]
    assert out.startswith("laboratory: ")
    assert "lab → laboratory is another site to every tool" in out


def test_bases_are_read_from_the_revision_too(work: Path, said: Said) -> None:
    """What a base said then counts, not what it says now; the reason is the base's line. A base is no site."""
    write("specs/common.yaml", "apiVersion: jhecfg/v1\ncontact: ops@example.org\n")
    edit("contact: ops@example.org\n", "extends: common.yaml\n")
    commit()
    edit("ops@", "it@", "specs/common.yaml")
    code, out, _ = said()
    assert code == 0
    assert "specs/common.yaml:2 contact: ops@example.org → it@example.org" in out
    assert "common: " not in out


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need a privilege there")
def test_links_inside_the_repository_are_followed_at_the_revision(work: Path, said: Said) -> None:
    """A base behind a link, of a file or of a folder on the way, is found; one that leads out is not there."""
    write("shared/common.yaml", "apiVersion: jhecfg/v1\ncontact: ops@example.org\n")
    os.symlink("../shared", "specs/linked")
    os.symlink("linked/common.yaml", "specs/common.yaml")
    edit("contact: ops@example.org\n", "extends: common.yaml\n")
    commit()
    edit("ops@", "it@", "shared/common.yaml")
    assert "contact: ops@example.org → it@example.org" in said("specs/lab.yaml")[1]
    with Revision("HEAD") as revision:
        assert revision.has("specs/linked/common.yaml")
    os.symlink("/etc", "specs/out")
    commit()
    with Revision("HEAD") as revision:
        assert not revision.has("specs/out/passwd")


def test_the_working_directory_may_be_any_folder_of_the_repository(
    work: Path, said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Paths are those of the person who calls."""
    write("a b/sites/specs/lab.yaml", GOOD)
    commit()
    monkeypatch.chdir(work / "a b/sites")
    edit("v0.0.12", "v0.0.13")
    out = said()[1]
    assert "specs/lab.yaml:5 image.tag" in out
    assert said("../../specs/lab.yaml")[1] == "lab: nothing changes\n"


def test_a_repository_without_a_commit_has_only_new_sites(work: Path, said: Said) -> None:
    """Before the first commit everything is new."""
    subprocess.run(["git", "checkout", "--quiet", "--orphan", "fresh"], check=True, capture_output=True, timeout=60)
    assert said()[1].startswith("lab: is new")


@pytest.mark.parametrize("rev", ["nosuch", "--output=x", "HEAD:specs", "v1\n"])
def test_a_revision_that_is_none_is_a_usage_error(work: Path, said: Said, rev: str) -> None:
    """The message names it, and git sees no option."""
    code, out, err = said("--from", rev)
    assert (code, out) == (2, "")
    assert "revision" in err
    assert not Path("x").exists()


def test_without_git_two_files_can_be_compared(tmp_path: Path, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a repository the command says so, and --against compares whatever two files are named."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    write("specs/lab.yaml", GOOD)
    code, out, err = said()
    assert (code, out) == (5, "")
    assert "--against FILE" in err
    write("old.yaml", GOOD.replace("v0.0.12", "v0.0.13"))
    code, out, err = said("specs/lab.yaml", "--against", "old.yaml")
    assert (code, err) == (0, "")
    assert "image.tag: v0.0.13 → v0.0.12" in out
    assert said("--against", "old.yaml")[0] == 2
    assert said("specs/lab.yaml", "--against", "nosuch.yaml")[0] == 5


def test_a_spec_that_is_nowhere_is_a_usage_error(work: Path, said: Said) -> None:
    """A name that is wrong is said, and not taken for a site that goes."""
    code, out, err = said("specs/lba.yaml")
    assert (code, out) == (2, "")
    assert "specs/lba.yaml" in err


def test_a_spec_with_a_mistake_is_not_planned_and_the_others_are(work: Path, said: Said) -> None:
    """What is wrong in the spec that is to be is said as by build, with 1; the other sites have their plans."""
    write("specs/bad.yaml", GOOD.replace("site: lab", "site: bad").replace("domain: jhe", "domian: bad"))
    code, out, err = said()
    assert code == 1
    assert out == "lab: nothing changes\n"
    assert "specs/bad.yaml:3:1: error[unknown-field]" in err
    assert said("--format", "json")[0] == 1


def test_an_older_spec_that_no_longer_compiles_is_compared_as_it_is_written(work: Path, said: Said) -> None:
    """Not to know what ran is no reason to fail: the plan says so, and what was written differently."""
    edit("contact:", "contcat:")
    commit()
    edit("contcat:", "contact:")
    code, out, err = said("--exit-code")
    assert (code, err) == (3, "")
    assert out.startswith("lab: cannot be compared")
    assert "does not compile with this release of jhecfg (unknown-field at specs/lab.yaml:4:1" in " ".join(out.split())
    assert "contact: added: ops@example.org" in out
    write("specs/lab.yaml", "a: [\n")
    commit()
    write("specs/lab.yaml", GOOD)
    assert said()[1].startswith("lab: cannot be compared")


@pytest.mark.parametrize("style", ["text", "json", "markdown"])
def test_a_secret_of_the_past_is_not_shown(work: Path, said: Said, style: str) -> None:
    """A password that somebody once committed is repeated in no format."""
    write("specs/lab.yaml", GOOD + f"admin: {{email: a@example.org, password: {CANARY}}}\n")
    commit()
    write("specs/lab.yaml", GOOD)
    code, out, err = said("--format", style)
    assert code == 0
    assert CANARY not in out + err
    assert "secret-in-spec" in out


def test_what_this_release_of_jhecfg_itself_changes_is_said(work: Path, said: Said) -> None:
    """Outputs that were checked in and would be written otherwise today, from the same spec, are counted."""
    assert run(["build", "-q"]) == 0
    commit()
    assert said()[1] == "lab: nothing changes\n"
    lock = json.loads(Path("out/lab/jhecfg.lock").read_text())
    lock["files"]["RUNBOOK.md"] = "0" * 64
    write("out/lab/jhecfg.lock", json.dumps(lock))
    commit()
    assert "this release of jhecfg itself changes 1 file of HEAD: RUNBOOK.md" in " ".join(said()[1].split())
    lock["spec"] = "1" * 64
    write("out/lab/jhecfg.lock", json.dumps(lock))
    commit()
    assert "out/lab at HEAD was not built from its spec" in said()[1]
    for damaged in ("{", "[" * 100_000, '{"format": 1}', "[]", "\0\0", ""):
        write("out/lab/jhecfg.lock", damaged)
        commit()
        assert said()[1] == "lab: nothing changes\n"


def test_a_program_reads_one_document_and_a_bot_one_page(work: Path, said: Said) -> None:
    """JSON holds every site, Markdown those that change; both begin the same every time."""
    write("specs/two.yaml", GOOD.replace("site: lab", "site: two").replace("jhe.example", "two.example"))
    commit()
    edit("v0.0.12", "v0.0.13")
    document = json.loads(said("--format", "json")[1])
    assert document["version"] == 1
    assert [(site["site"], site["verb"]) for site in document["sites"]] == [("lab", "changed"), ("two", "same")]
    place = document["sites"][0]["effects"][0]["because"][0]
    assert (place["file"], place["line"], place["gone"]) == ("specs/lab.yaml", 5, False)
    page = said("--format", "markdown")[1]
    assert page.startswith("<!-- jhecfg plan -->\n\n### lab: ")
    assert "No output changes: `two`." in page


def test_the_work_tree_and_the_index_stay_as_they_are(work: Path, said: Said) -> None:
    """Planning checks nothing out and writes nothing."""
    edit("v0.0.12", "v0.0.13")
    before = git("status", "--porcelain"), sorted(str(path) for path in work.rglob("*"))
    said("--from", "HEAD")
    assert (git("status", "--porcelain"), sorted(str(path) for path in work.rglob("*"))) == before
