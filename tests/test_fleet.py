"""Fleets: many specs in one call, in parts, in several processes, with broken ones among them, and partly as before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jhecfg import cache, cli
from jhecfg.commands.progress import bar
from jhecfg.fleet import batch
from jhecfg.plain import shard_of, understood
from jhecfg.source import Source
from jhecfg.unchanged import recalled, unchanged
from tests.tools import ROOT

pytestmark = pytest.mark.slow

GOOD = """\
apiVersion: jhecfg/v1
site: {name}
environment: staging
domain: {name}.example.org
contact: ops@example.org
image: {{tag: v0.0.13}}
database: {{host: db.abc123.us-east-2.rds.amazonaws.com}}
"""
BROKEN = "apiVersion: jhecfg/v1\nsite: [\n"

Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder to work in, with a cache of its own and no kubeconform."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("JHECFG_NO_CACHE", "1")
    (tmp_path / "specs").mkdir()
    return tmp_path


@pytest.fixture
def jhecfg(capsys: pytest.CaptureFixture[str]) -> Said:
    """Return a function that runs the command line: exit code, stdout, stderr."""

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run([*words, *(["--validator", "builtin"] if words[0] in ("build", "check", "diff") else [])])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def specs(place: Path, *names: str, text: str = GOOD) -> None:
    """Write a spec for each name."""
    for name in names:
        (place / "specs" / f"{name}.yaml").write_text(text.format(name=name))


def built(place: Path) -> list[str]:
    """Return which sites have an output."""
    return sorted(path.parent.name for path in (place / "out").glob("*/jhecfg.lock"))


# --- a broken one does not hide the others ----------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_one_broken_site_does_not_hide_the_others(place: Path, jhecfg: Said, jobs: str) -> None:
    """All others are built, each mistake is said, and the exit code is that of a spec at fault."""
    specs(place, "a", "c", "e")
    specs(place, "b", text=BROKEN)
    specs(place, "d", text=GOOD.replace("v0.0.13", "v0.0.1"))
    code, out, err = jhecfg("build", "--jobs", jobs)
    assert code == 1
    assert built(place) == ["a", "c", "e"]
    assert out.index("a: ") < out.index("c: ") < out.index("e: ")
    assert err.index("specs/b.yaml:") < err.index("specs/d.yaml:")


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("stage", ["compile_source", "write"])
def test_a_bug_in_one_site_is_said_and_the_others_are_built(
    place: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch, stage: str, jobs: str
) -> None:
    """What breaks in jhecfg itself breaks one site: it is named, without its values, and the exit code is 70."""
    specs(place, *"abcdef")
    proper = getattr(batch, stage)

    def breaks(*args: object, **named: object) -> object:
        if "c.yaml" in str(getattr(args[0], "name", "")) or args[1] == "c":
            raise KeyError("hunter2")
        return proper(*args, **named)

    monkeypatch.setattr(batch, stage, breaks)
    code, _, err = jhecfg("build", "--jobs", jobs)
    assert code == 70
    assert built(place) == ["a", "b", "d", "e", "f"]
    assert "specs/c.yaml: not finished" in err
    assert "has a bug: KeyError" in err
    assert "hunter2" not in err


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_worker_that_is_killed_takes_one_site_with_it(
    place: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The site at which a process dies twice is named; the sites that it had with it are built all the same."""
    names = [f"s{number:02}" for number in range(24)]
    specs(place, *names)
    proper = batch.compile_source

    def dies(source: Source, validator: object) -> object:
        if source.name == "specs/s07.yaml":
            os.kill(os.getpid(), signal.SIGKILL)
        return proper(source, validator)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(batch, "compile_source", dies)
    code, _, err = jhecfg("build", "-q", "--jobs", "2")
    assert code == 5
    assert built(place) == [name for name in names if name != "s07"]
    assert "specs/s07.yaml: the process that worked at it ended twice (SIGKILL)" in err


def test_the_output_is_the_same_whatever_the_jobs(place: Path, jhecfg: Said) -> None:
    """What is said, in which order, and every file that is written."""
    specs(place, *"fedcba")
    specs(place, "b", text=BROKEN)
    results = []
    for jobs in ("1", "3"):
        said = jhecfg("build", "--jobs", jobs, "--out", f"out{jobs}")
        text = "\n".join(map(str, said)).replace(f"out{jobs}", "out")
        files = {
            path.relative_to(place / f"out{jobs}"): path.read_bytes() for path in place.glob(f"out{jobs}/*/**/*.*")
        }
        results.append((text, files))
    assert results[0] == results[1]
    assert results[0][1]


INTERRUPTED = r"""
import os, signal, sys, time
from jhecfg import cli
from jhecfg.fleet import batch
proper = batch.compile_source
def slow(source, validator):
    os.write(1, f"{os.getpid()}\n".encode())
    time.sleep(30)
    return proper(source, validator)
batch.compile_source = slow
sys.exit(cli.run(["build", "--jobs", "2", "--validator", "builtin"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("whom", ["parent", "group"])
def test_an_interrupt_ends_all_workers(place: Path, whom: str) -> None:
    """Ctrl-C reaches every process of a terminal, `kill -INT` only one: either way all end, and the code is 130."""
    specs(place, *"abcd")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", INTERRUPTED]
    process = subprocess.Popen(command, env=environment, stdout=-1, stderr=-1, text=True, start_new_session=True)
    assert process.stdout is not None
    first = process.stdout.readline()
    assert first, process.communicate()[1]
    pids = [int(first), int(process.stdout.readline())]
    began = time.monotonic()
    (os.kill if whom == "parent" else os.killpg)(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    assert time.monotonic() - began < 25  # the sites would sleep for thirty
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_workers_that_cannot_be_forked_do_the_same(place: Path, jhecfg: Said) -> None:
    """As on Windows: each worker begins anew, and the files and what is said are the same."""
    specs(place, *"abc")
    specs(place, "d", text=BROKEN)
    code, said, wrong = jhecfg("build", "--out", "one")
    script = "import sys; from jhecfg.fleet import workers; workers.get_all_start_methods = lambda: ['spawn'];"
    script += "from jhecfg import cli; sys.exit(cli.run(sys.argv[1:]))"
    words = ["build", "--out", "two", "--jobs", "2", "--validator", "builtin"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script, *words], env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout.replace("two/", "one/"), done.stderr) == (code, said, wrong)
    assert tree(place / "one") == tree(place / "two")


def tree(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_worker_ends_with_its_parent(place: Path) -> None:
    """Nobody is left when the parent is killed: a worker hears the end of its pipe once its batch is done."""
    specs(place, *"abcdefgh")
    text = INTERRUPTED.replace("time.sleep(30)", "time.sleep(1)")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", text], env=environment, stdout=-1, stderr=-1, text=True)
    assert process.stdout is not None
    pids = {int(process.stdout.readline()) for _ in range(2)}
    process.kill()
    process.communicate()  # ends when every holder of stdout has: the workers too
    assert len(pids) == 2


# --- parts of a fleet -------------------------------------------------------------------------------------------------


def test_parts_are_disjoint_and_together_all(place: Path, jhecfg: Said) -> None:
    """Each machine builds its share, the shares differ by one site at most, and none is left out."""
    names = [f"s{number:02}" for number in range(8)]
    specs(place, *names)
    shares = []
    for index in (1, 2, 3):
        assert jhecfg("build", "--shard", f"{index}/3", "--out", f"out{index}")[0] == 0
        shares.append(sorted(path.parent.name for path in place.glob(f"out{index}/*/jhecfg.lock")))
    assert sorted(name for share in shares for name in share) == names
    assert {len(share) for share in shares} == {2, 3}


def test_what_is_asked_across_sites_is_right_in_a_part(place: Path, jhecfg: Said) -> None:
    """A name used twice is found by the part that has the second, once; a base is none's; folders of others are fine."""
    (place / "specs" / "base.yaml").write_text("contact: ops@example.org\n")
    text = GOOD.replace("contact: ops@example.org", "extends: base.yaml")
    specs(place, "c", "e", text=text)
    (place / "specs" / "d.yaml").write_text(GOOD.format(name="c"))
    said = [jhecfg("build", "--shard", f"{index}/3") for index in (1, 2, 3)]
    assert [code for code, _, _ in said] == [0, 1, 0]
    assert "two specs are the site 'c'" in said[1][2]
    assert "delete the folder" not in "".join(err for _, _, err in said)
    assert built(place) == ["c", "e"]


def test_a_part_without_a_site_is_no_failure(place: Path, jhecfg: Said) -> None:
    """A matrix may be wider than the fleet."""
    specs(place, "a")
    assert jhecfg("check", "--shard", "2/2")[0] == 0
    assert "no site in part 2/2" in jhecfg("build", "--shard", "2/2")[2]
    assert not (place / "out").exists()


def test_a_forgotten_folder_is_said_by_the_first_part(place: Path, jhecfg: Said) -> None:
    """Once for the whole fleet, and only where every spec can be read."""
    specs(place, "a", "b", "c")
    jhecfg("build")
    (place / "specs" / "c.yaml").unlink()
    said = [jhecfg("build", "--shard", f"{index}/2")[2] for index in (1, 2)]
    assert ["out/c: no spec has this site" in text for text in said] == [True, False]


@pytest.mark.parametrize("text", ["0/2", "3/2", "2", "a/b", "1/2/3", "-1/2", "1/", "/2", "\u0661/2", "1/0"])
def test_what_is_no_part_is_refused(place: Path, jhecfg: Said, text: str) -> None:
    """A part counts from 1 to their number."""
    assert shard_of(text) is None
    specs(place, "a")
    assert jhecfg("check", f"--shard={text}")[0] == 2


# --- what has not changed ---------------------------------------------------------------------------------------------


@pytest.fixture
def cached(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder, with a cache that works."""
    monkeypatch.delenv("JHECFG_NO_CACHE")
    monkeypatch.setattr(cache, "_known_fingerprint", [])
    return place


def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that fills with the specs that are compiled."""
    seen: list[str] = []
    proper = batch.compile_source

    def noted(source: Source, validator: object) -> object:
        seen.append(source.name)
        return proper(source, validator)  # type: ignore[arg-type]  # as it came

    monkeypatch.setattr(batch, "compile_source", noted)
    return seen


def test_only_what_changed_is_compiled(cached: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """One spec of three changed: the others are neither read as YAML nor compiled, and all three are told of."""
    specs(cached, "a", "b", "c")
    jhecfg("build")
    seen = compiled(monkeypatch)
    specs(cached, "b", text=GOOD.replace("ops@", "team@"))
    code, out, err = jhecfg("build")
    assert (code, seen) == (0, ["specs/b.yaml"])
    assert [line.partition(":")[0] for line in out.splitlines() if line[0] != " "] == ["a", "b", "c"]
    assert "2 sites as checked before" in err
    seen.clear()
    assert jhecfg("check")[0] == jhecfg("diff", "--exit-code")[0] == jhecfg("check", "--format", "json")[0] == 0
    assert seen == []


def twin(place: Path) -> None:
    """Give another spec the name of a site that the cache knows."""
    (place / "specs" / "z.yaml").write_text(GOOD.format(name="a"))


def earlier_twin(place: Path) -> None:
    """The same, before it in the order."""
    (place / "specs" / "0.yaml").write_text(GOOD.format(name="a"))


def orphan_base(place: Path) -> None:
    """Take away what extended the base."""
    (place / "specs" / "a.yaml").unlink()


@pytest.mark.parametrize("change", [twin, earlier_twin, orphan_base])
@pytest.mark.parametrize("words", [["check"], ["check", "-q", "--jobs", "2"], ["check", "--shard", "1/1"]])
def test_the_cache_never_hides_what_is_wrong_across_sites(
    cached: Path,
    jhecfg: Said,
    change: Callable[[Path], None],
    words: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With the cache and without it a call ends alike: where a name is used twice, where a base is one no longer."""
    (cached / "specs" / "base.yaml").write_text("contact: ops@example.org\n")
    specs(cached, "a", text=GOOD.replace("contact: ops@example.org", "extends: base.yaml"))
    specs(cached, "b")
    assert jhecfg("build")[0] == jhecfg("build")[0] == 0
    change(cached)
    read = understood([*words, "--validator", "builtin"])
    assert read is not None
    assert unchanged(read, recalled(read), len) is None
    code, _, err = jhecfg(*words)
    assert code == 1
    monkeypatch.setenv("JHECFG_NO_CACHE", "1")
    assert (code, err) == (jhecfg(*words)[0], jhecfg(*words)[2])


def test_a_base_that_is_named_is_no_site_whatever_the_cache_says(cached: Path, jhecfg: Said) -> None:
    """Named by itself a base is refused, also where a call for all specs has just remembered it."""
    (cached / "specs" / "base.yaml").write_text("contact: ops@example.org\n")
    specs(cached, "a", text=GOOD.replace("contact: ops@example.org", "extends: base.yaml"))
    assert jhecfg("build")[0] == 0
    read = understood(["build", "--validator", "builtin", "specs/base.yaml"])
    assert read is not None
    assert unchanged(read, recalled(read), len) is None
    assert jhecfg("build", "specs/base.yaml")[0] == 1


def test_a_base_that_changed_compiles_what_extends_it(
    cached: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing else."""
    (cached / "specs" / "base.yaml").write_text("contact: ops@example.org\n")
    specs(cached, "a", "c", text=GOOD.replace("contact: ops@example.org", "extends: base.yaml"))
    specs(cached, "b")
    jhecfg("build")
    seen = compiled(monkeypatch)
    (cached / "specs" / "base.yaml").write_text("contact: team@example.org\n")
    assert jhecfg("build")[0] == 0
    assert seen == ["specs/a.yaml", "specs/c.yaml"]


# --- the bar ----------------------------------------------------------------------------------------------------------


def test_the_bar_counts_and_estimates() -> None:
    """It says how much is done, and how long the rest will take at the same speed."""
    assert bar(0, 1000, 0.6) == f"[{'-' * 24}] 0/1,000 sites"
    assert bar(500, 1000, 2.0) == f"[{'#' * 12}{'-' * 12}] 500/1,000 sites, 2 s left"
    assert bar(1000, 1000, 4.0) == f"[{'#' * 24}] 1,000/1,000 sites, 0 s left"
