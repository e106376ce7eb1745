"""The GitHub Action: every step of action.yml, run as a runner runs it, against a GitHub on loopback."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhecfg import cli
from tests.actions_runner import Annotation, Job, Runner, annotations, event
from tests.fake_github import TOKEN, GitHub, serving
from tests.tools import ROOT
from tools.action import api
from tools.action import comment as comment_step
from tools.action import plan as plan_step
from tools.action.base import Missing, base

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("action")]

SPEC = """\
apiVersion: jhecfg/v1
environment: staging
site: NAME
domain: NAME.example.org
contact: ops@example.org
image: {tag: v0.0.12}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""
MARKER = "<!-- jhecfg plan -->\n"


class Repository:
    """A clone of a repository of sites, as actions/checkout makes it, and the runner that it is on."""

    def __init__(self, folder: Path, temp: Path, github: GitHub) -> None:
        self.origin, self.clone, self.temp = folder / "origin", folder / "clone", temp
        self.folder, self.github, self.numbers = folder, github, count()
        (self.origin / "specs").mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, at: Path | None = None) -> str:
        """Run git in the repository on GitHub."""
        identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
        done = subprocess.run(
            ["git", "-C", str(at or self.origin), *identity, *words], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def write(self, name: str = "lab", text: str = SPEC, *, build: bool = True) -> None:
        """Write a spec, and build it."""
        path = self.origin / "specs" / f"{name}.yaml"
        path.write_text(text.replace("NAME", name))
        if build:
            built(self.origin, f"specs/{name}.yaml")

    def commit(self) -> str:
        """Commit everything; two commits of one second are not the same one."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", f"change {next(self.numbers)}")
        return self.git("rev-parse", "HEAD")

    def pull_request(self, *, depth: int = 2, fork: bool = False, **inputs: str) -> Job:
        """Run the action for the branch `change` into main: on the merge of both, as GitHub checks it out."""
        pull = self.merge(fork=fork)
        self.checkout("refs/pull/7/merge", depth)
        return self.run({"pull_request": pull}, **inputs)

    def merge(self, *, fork: bool = False) -> dict[str, Any]:
        """Merge `change` into main as GitHub does for a check; return what the event says of the pull request."""
        head, base = self.git("rev-parse", "change"), self.git("rev-parse", "main")
        self.git("checkout", "-q", "--detach", "main")
        self.git("merge", "-q", "--no-ff", "-m", "merge", "change")
        self.git("update-ref", "refs/pull/7/merge", "HEAD")
        return {
            "number": 7,
            "head": {"sha": head, "ref": "change", "repo": {"full_name": "stranger/sites" if fork else "o/sites"}},
            "base": {"sha": base, "ref": "main", "repo": {"full_name": "o/sites"}},
        }

    def push(self, before: str, *, depth: int = 2, **inputs: str) -> Job:
        """Run the action for a push to main."""
        self.checkout("refs/heads/main", depth)
        return self.run({"before": before, "ref": "refs/heads/main"}, **inputs)

    def checkout(self, ref: str, depth: int) -> None:
        """Clone as much as actions/checkout would with this fetch-depth."""
        self.clone.mkdir()
        self.git("init", "-q", at=self.clone)
        limit = [f"--depth={depth}"] if depth else []
        self.git("fetch", "-q", *limit, self.origin.as_uri(), f"+{ref}:refs/remotes/origin/it", at=self.clone)
        if not depth:
            self.git("fetch", "-q", self.origin.as_uri(), "+refs/heads/*:refs/remotes/origin/*", at=self.clone)
        self.git("checkout", "-q", "--detach", "refs/remotes/origin/it", at=self.clone)

    def run(self, payload: dict[str, Any], **inputs: str) -> Job:
        """Run the action in the clone."""
        environment = {
            "GITHUB_API_URL": self.github.url,
            "GITHUB_SERVER_URL": "https://github.example.org",
            "GITHUB_REPOSITORY": "o/sites",
            "GITHUB_RUN_ID": "99",
            "GITHUB_ACTOR": "somebody",
            "GITHUB_EVENT_PATH": event(self.folder, payload),
            "JHECFG_NO_CACHE": "1",
        }
        inputs.setdefault("python", sys.executable)
        return Runner(ROOT, self.clone, self.temp, environment).run(TOKEN, **inputs)


def built(at: Path, spec: str) -> None:
    """Build a spec, which must succeed."""
    here = Path.cwd()
    os.chdir(at)
    try:
        assert cli.run(["build", "-q", "--validator", "builtin", spec]) == 0
    finally:
        os.chdir(here)


@pytest.fixture(scope="module")
def temp(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """RUNNER_TEMP of all jobs: the environment that the first one installs serves them all, as in one job."""
    return tmp_path_factory.mktemp("runner")


@pytest.fixture
def github() -> Iterator[GitHub]:
    """A GitHub with a repository o/sites and pull request 7."""
    with serving() as running:
        yield running


@pytest.fixture
def sites(tmp_path: Path, temp: Path, github: GitHub) -> Repository:
    """A repository whose main has one site, built, and whose branch `change` moves it to another release."""
    repository = Repository(tmp_path, temp, github)
    repository.write()
    repository.commit()
    repository.git("checkout", "-q", "-b", "change")
    return repository


def upgraded(sites: Repository, *, build: bool = True) -> None:
    """Commit another release of JHE on the branch."""
    sites.write(text=SPEC.replace("v0.0.12", "v0.0.13"), build=build)
    sites.commit()


# A pull request


def test_a_change_is_checked_and_planned_and_told_once(sites: Repository, github: GitHub) -> None:
    """Green, with the plan in the summary and in one comment, whose words are those of `jhecfg plan`."""
    upgraded(sites)
    job = sites.pull_request()
    assert (job.code, job.annotations) == (0, [])
    assert job.ran == ["Install jhecfg", "Check", "Plan", "Comment", "Verdict"]
    assert {**job.outputs, "plan": ""} == {
        "exit-code": "0",
        "changed-sites": '["lab"]',
        "severity": "disruptive",
        "plan": "",
    }
    said = Path(job.outputs["plan"]).read_text()
    assert said.startswith(MARKER)
    assert "migrate and bootstrap run" in said
    assert said in job.summary
    (comment,) = github.comments
    assert comment["body"].startswith(MARKER + "\n✅ ")
    assert said.removeprefix(MARKER).strip() in comment["body"]
    assert "(https://github.example.org/o/sites/actions/runs/99)" in comment["body"]
    assert github.asked == ["GET /repos/o/sites/issues/7/comments", "POST /repos/o/sites/issues/7/comments"]


def test_outputs_that_are_out_of_date_fail_and_say_what_to_do(sites: Repository, github: GitHub) -> None:
    """On the spec, in the comment and in the summary; the plan is there all the same."""
    upgraded(sites, build=False)
    job = sites.pull_request()
    assert (job.code, job.outputs["exit-code"]) == (3, "3")
    (found,) = job.annotations
    assert (found.level, found.at["file"]) == ("error", "specs/lab.yaml")
    assert "run `jhecfg build`, and commit what it changes in out/" in found.text
    (comment,) = github.comments
    assert "run `jhecfg build` with jhecfg " in comment["body"]
    assert "migrate and bootstrap run" in comment["body"]
    assert "run `jhecfg build`" in job.summary


def test_a_mistake_is_on_its_line(sites: Repository, github: GitHub) -> None:
    """The spec's errors are annotations; other sites are planned, also one that goes."""
    sites.git("checkout", "-q", "main")
    sites.write("goes")
    sites.commit()
    sites.git("checkout", "-q", "-B", "change")
    sites.git("rm", "-q", "-r", "specs/goes.yaml", "out/goes")
    sites.write("other")
    sites.write(text=SPEC.replace("domain:", "domian:"), build=False)
    sites.commit()
    job = sites.pull_request()
    assert (job.code, job.outputs["exit-code"], job.outputs["changed-sites"]) == (1, "1", '["other", "goes"]')
    (found,) = [each for each in job.annotations if each.at.get("title") == "unknown-field"]
    assert (found.at["file"], found.at["line"]) == ("specs/lab.yaml", "4")
    assert "the annotations say where" in github.comments[0]["body"]
    assert "specs/lab.yaml:4:1: error[unknown-field]: a site has no field 'domian'\n" in job.summary


def test_a_clone_without_the_base_fails_and_says_how_deep_it_must_be(sites: Repository, github: GitHub) -> None:
    """A plan that is wanted and cannot be made is no plan that says nothing."""
    upgraded(sites)
    job = sites.pull_request(depth=1)
    assert job.code == 2
    (found,) = job.annotations
    assert found == Annotation("error", {"title": "jhecfg"}, found.text)
    assert "give actions/checkout `fetch-depth: 2`" in found.text
    assert github.asked == []


def test_without_a_plan_no_history_is_needed(sites: Repository, github: GitHub) -> None:
    """`plan: false` checks, and asks GitHub nothing."""
    upgraded(sites)
    job = sites.pull_request(depth=1, plan="false")
    assert (job.code, job.ran) == (0, ["Install jhecfg", "Check", "Verdict"])
    assert (job.outputs["plan"], github.asked) == ("", [])


# Forks, and what GitHub may answer


def test_a_fork_cannot_comment_and_does_not_fail(sites: Repository, github: GitHub) -> None:
    """Its token may only read: that is said, and the plan is in the summary."""
    github.may_write = False
    upgraded(sites)
    job = sites.pull_request(fork=True)
    assert job.code == 0
    (found,) = job.annotations
    assert found.level == "notice"
    assert "from a fork or from Dependabot" in found.text
    assert "migrate and bootstrap run" in job.summary


# The comment, a step by itself


@pytest.fixture
def comment(
    tmp_path: Path, github: GitHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """Return how to run the step for a pull request that changes a site; it gives the log."""
    (tmp_path / "plan.md").write_text(MARKER + "\n### a plan\n")

    def run(*, foreign: bool = False, **changed: str) -> str:
        head = {"sha": "1" * 40, "repo": {"full_name": "stranger/sites" if foreign else "o/sites"}}
        environment = {
            "GITHUB_API_URL": github.url,
            "GITHUB_SERVER_URL": "https://github.example.org",
            "GITHUB_REPOSITORY": "o/sites",
            "GITHUB_RUN_ID": "99",
            "GITHUB_EVENT_PATH": event(tmp_path, {"pull_request": {"number": 7, "head": head}}),
            "JHECFG_CHECKED": "0",
            "JHECFG_CHANGED": '["lab"]',
            "JHECFG_COMPARED": "123456789abc",
            "JHECFG_PLAN": str(tmp_path / "plan.md"),
            "JHECFG_IN": ".",
            "JHECFG_TOKEN": TOKEN,
        }
        for name, value in {**environment, **changed}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(api, "PAUSES", (0, 0))
        assert comment_step.main() == 0
        return capsys.readouterr().out

    return run


def test_there_is_one_comment_and_it_is_kept_true(comment: Callable[..., str], github: GitHub) -> None:
    """Ours is found behind a hundred others and changed; the same words again are not sent."""
    for number in range(120):
        github.add(f"remark {number}", "somebody")
    github.add(MARKER + "\nmine", "somebody")  # who writes the marker is not us
    ours = github.add(MARKER + "\r\n\r\n✅ an old plan\r\n", "github-actions[bot]")
    assert comment() == f"comment updated: {ours['html_url']}\n"
    assert (len(github.comments), "### a plan" in ours["body"]) == (122, True)
    github.asked.clear()
    assert comment() == f"comment is up to date: {ours['html_url']}\n"
    assert {line.split()[0] for line in github.asked} == {"GET"}


def test_a_change_of_nothing_makes_no_comment(comment: Callable[..., str], github: GitHub) -> None:
    """It would be noise; one that is there is still made true, and what is wrong is told."""
    assert comment(JHECFG_CHANGED="[]") == "nothing changes: no comment\n"
    assert comment(JHECFG_CHANGED="", JHECFG_PLAN="") == "nothing changes: no comment\n"
    assert github.comments == []
    assert comment(JHECFG_CHANGED="[]", JHECFG_CHECKED="3").startswith("comment made: ")
    assert comment(JHECFG_CHANGED="[]").startswith("comment updated: ")
    assert "✅" in github.comments[0]["body"]


def test_each_folder_of_sites_has_a_comment_of_its_own(comment: Callable[..., str], github: GitHub) -> None:
    """As where a matrix runs the action for several."""
    for folder in (".", "infra", "infra/", "--> @team"):
        comment(JHECFG_IN=folder)
    assert [each["body"].split("\n\n")[0] for each in github.comments] == [
        MARKER.strip(),
        MARKER + "<!-- in infra -->",
        MARKER + "<!-- in --%3E%20%40team -->",
    ]


def test_a_comment_fits(comment: Callable[..., str], github: GitHub, tmp_path: Path) -> None:
    """However long a plan came out."""
    (tmp_path / "plan.md").write_text(MARKER + "x" * 70_000)
    comment()
    assert len(github.comments[0]["body"]) == 65_536
    assert github.comments[0]["body"].endswith("is in the summary of its job.</sub>\n")


def test_a_job_without_the_permission_is_told_which(comment: Callable[..., str], github: GitHub) -> None:
    """It is the workflow's mistake: a warning; for a fork it is a notice."""
    github.may_write = False
    (found,) = annotations(comment())
    assert found.level == "warning"
    assert "`permissions: pull-requests: write`" in found.text
    assert "Resource not accessible by integration" in found.text
    (found,) = annotations(comment(foreign=True))
    assert found.level == "notice"
    (found,) = annotations(comment(GITHUB_ACTOR="dependabot[bot]"))
    assert found.level == "notice"


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([(502, b"<html>bad gateway")], None),
        ([(503, {"message": "down"})] * 3, "GitHub answers 503, down"),
        ([(302, {"message": "moved"})], "GitHub answers 302, moved"),
        ([(200, b"{")] * 3, "no JSON"),
        ([(404, ["strange"])], "GitHub answers 404"),
    ],
    ids=["passing", "down", "redirect", "half", "strange"],
)
def test_a_github_that_fails_is_asked_again_and_is_no_reason_to_fail(
    comment: Callable[..., str], github: GitHub, answers: list[tuple[int, Any]], said: str | None
) -> None:
    """A passing fault is not noticed; a lasting one is a warning. A redirect is not followed: the token stays here."""
    github.fails += answers
    found = annotations(comment())
    assert "GET /elsewhere" not in github.asked
    if said is None:
        assert (found, len(github.comments)) == ([], 1)
    else:
        assert [each.level for each in found] == ["warning"]
        assert said in found[0].text
        assert github.comments == []


def test_a_comment_that_may_have_been_made_is_not_made_again(comment: Callable[..., str], github: GitHub) -> None:
    """What is sent once is sent once, whatever comes back."""
    github.fails += [(200, []), (502, {"message": "bad gateway"})]
    assert "GitHub answers 502" in comment()
    assert github.asked == ["GET /repos/o/sites/issues/7/comments", "POST /repos/o/sites/issues/7/comments"]


def test_no_github_at_all_is_a_warning(comment: Callable[..., str], github: GitHub) -> None:
    """Nothing listens there; the token is not said."""
    github.url = "http://127.0.0.1:9"
    said = comment()
    assert "GitHub does not answer" in said
    assert TOKEN not in said


# What a change is compared with


@pytest.fixture
def compared(
    sites: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[[dict[str, Any], str, int], str]:
    """Return how to find the base for an event, in a clone of a ref with a depth."""

    def find(payload: dict[str, Any], ref: str, depth: int) -> str:
        sites.checkout(ref, depth)
        monkeypatch.chdir(sites.clone)
        return base(payload)

    return find


def test_a_merge_is_compared_with_main_as_it_is_now(sites: Repository, compared: Callable[..., str]) -> None:
    """What main got since the branch began is no part of the change; two commits are enough for that."""
    sites.commit()
    sites.git("checkout", "-q", "main")
    now = sites.commit()
    pull = sites.merge()
    assert compared({"pull_request": pull}, "refs/pull/7/merge", 2) == now


def test_a_checkout_of_the_branch_itself_is_compared_with_where_it_began(
    sites: Repository, compared: Callable[..., str]
) -> None:
    """As with `ref:` in actions/checkout."""
    began = sites.git("rev-parse", "main")
    sites.commit()
    sites.git("checkout", "-q", "main")
    sites.commit()
    pull = sites.merge()
    assert compared({"pull_request": pull}, "refs/heads/change", 0) == began


def test_a_shallow_checkout_of_the_branch_is_told_how_deep_it_must_be(
    sites: Repository, compared: Callable[..., str]
) -> None:
    """Where the branch began is not in it."""
    sites.commit()
    pull = sites.merge()
    with pytest.raises(Missing, match="`fetch-depth: 0`"):
        compared({"pull_request": pull}, "refs/heads/change", 1)


@pytest.mark.parametrize(
    "payload",
    [{}, {"before": "0" * 40}, {"schedule": "5 4 * * *"}, {"merge_group": {}}],
    ids=["no event", "new branch", "schedule", "no base"],
)
def test_there_may_be_nothing_to_compare_with(sites: Repository, monkeypatch: pytest.MonkeyPatch, payload: Any) -> None:
    """Then there is no plan, which is no fault."""
    monkeypatch.chdir(sites.origin)
    assert base(payload) == ""


def test_other_events_name_their_base(sites: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge queue has one, a push has what was there before; a clone that lacks it is said, and how to mend that."""
    monkeypatch.chdir(sites.origin)
    there = sites.git("rev-parse", "main")
    assert base({"merge_group": {"base_sha": there}}) == base({"before": there}) == there
    with pytest.raises(Missing, match="`fetch-depth: 0`") as caught:
        base({"before": "1" * 40})
    assert not caught.value.grave


def test_a_revision_can_be_named(sites: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is not taken for an option of git."""
    monkeypatch.chdir(sites.origin)
    monkeypatch.setenv("JHECFG_FROM", "main")
    assert base({"before": "1" * 40}) == "main"
    monkeypatch.setenv("JHECFG_FROM", "--output=x")
    with pytest.raises(Missing, match="there is no revision '--output=x'"):
        base({})
    assert not Path("x").exists()


# Layouts, sizes, hostile text


def test_sites_in_a_folder_of_the_repository(sites: Repository, github: GitHub) -> None:
    """Annotations name files from the top of the repository; the folder has a comment of its own."""
    (sites.origin / "infra").mkdir()
    sites.git("mv", "specs", "infra/specs")
    sites.git("mv", "out", "infra/out")
    text = SPEC.replace("NAME", "lab")
    (sites.origin / "infra/specs/lab.yaml").write_text(text.replace("domain:", "domian:"))
    (sites.origin / "infra/specs/two.yaml").write_text(SPEC.replace("NAME", "two"))
    sites.commit()
    github.add(MARKER + "\nof another folder", "github-actions[bot]")
    job = sites.pull_request(working_directory="infra", specs="specs/lab.yaml\n\n  specs/two.yaml\n")
    assert job.code == 1
    assert {each.at["file"] for each in job.annotations if "file" in each.at} == {"infra/specs/lab.yaml"}
    assert github.comments[1]["body"].startswith(MARKER + "<!-- in infra -->\n")
    assert github.comments[0]["body"] == MARKER + "\nof another folder"


def test_a_huge_plan_is_shortened(sites: Repository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The file has all of it, the summary what GitHub takes, the comment the headline."""
    for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.setenv("JHECFG_OUT", "out")
    monkeypatch.setenv("JHECFG_FROM", "main")
    monkeypatch.setattr(plan_step, "COMMENT", 1_000)
    monkeypatch.setattr(plan_step, "SUMMARY", 4_000)
    upgraded(sites)
    monkeypatch.chdir(sites.origin)
    assert plan_step.main() == 0
    whole, comment = ((tmp_path / f"jhecfg-plan{each}.md").read_text() for each in ("", "-comment"))
    assert "<details>" in whole
    assert comment.startswith(MARKER + "\n### lab: ")
    assert comment.endswith("too long for this page: run `jhecfg plan`.\n")
    assert "too long for this page" in (tmp_path / "GITHUB_STEP_SUMMARY").read_text()
    assert f"plan={tmp_path}/jhecfg-plan.md\n" in (tmp_path / "GITHUB_OUTPUT").read_text()


def test_nothing_of_a_pull_request_is_obeyed(sites: Repository, github: GitHub) -> None:
    """Modules beside the specs are not imported, and a line of an output that looks like a command is not one."""
    for name in ("yaml", "jhecfg", "tools", "sitecustomize"):
        (sites.origin / f"{name}.py").write_text("raise SystemExit('hijacked')\n")
    title = '"x\\n::error file=a,title=forged::forged\\n::stop-commands::gone\\n::add-mask::lab"'
    sites.write(text=SPEC + f"exchange: {{title: {title}}}\n", build=False)
    sites.write("other", text=SPEC.replace("v0.0.12", "v0.0.13"), build=False)
    sites.commit()
    job = sites.pull_request()
    assert job.code in (1, 3)
    assert "hijacked" not in job.log
    assert not any("forged" in each.at.get("title", "") for each in job.annotations)
    assert job.annotations


# What it is made of


def test_another_python_is_refused_with_what_to_do(sites: Repository, temp: Path) -> None:
    """A runner may have an old one."""
    old = sites.folder / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    upgraded(sites)
    job = sites.pull_request(python=str(old))
    assert job.code == 5
    assert "add a step with actions/setup-python" in job.annotations[0].text


def test_the_requirements_are_what_jhecfg_needs_with_a_hash_for_each() -> None:
    """Each dependency of pyproject.toml is pinned to a version that it allows, and no file comes without a hash."""
    text = (ROOT / "tools/action/requirements.txt").read_text()
    pins = dict(re.findall(r"^([\w-]+)==([\w.]+)", text, re.MULTILINE))
    blocks = re.split(r"^(?=[\w-]+==)", text, flags=re.MULTILINE)[1:]
    assert [block.split("==")[0] for block in blocks if "--hash=sha256:" not in block] == []
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    from packaging.requirements import Requirement

    for each in map(Requirement, declared):
        assert each.specifier.contains(pins[each.name.lower()]), each


def test_its_steps_need_only_python() -> None:
    """Nothing but Python's own library, jhecfg, and what lies beside them."""
    imported: set[str] = set()
    for path in (ROOT / "tools" / "action").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                imported.add(str(node.module).split(".")[0])
    assert imported - sys.stdlib_module_names == {"tools", "jhecfg"}


def test_no_script_holds_text_of_others_and_no_other_action_is_used() -> None:
    """`${{ }}` in a script is how pull requests run code; what is not used needs no pin."""
    steps = yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"]
    assert [step["name"] for step in steps if "${{" in step["run"]] == []
    assert not any("uses" in step for step in steps)
