"""The command line: exit codes, what goes where, formats, exceptions, many specs, and no secret in any of it."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from jhecfg import __main__, cli, pipeline
from jhecfg.cli.app import JOURNEY
from jhecfg.talk import Exit

ROOT = Path(__file__).parent.parent
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
BAD = GOOD.replace("v0.0.13", "v0.0.1")
WARNING = GOOD + "ingress: {issuer: letsencrypt-staging}\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder that has nothing of the caller's environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "specs").mkdir()
    return tmp_path


Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jhecfg(work: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to run the command line here: words in; exit code, stdout and stderr out."""

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def spec(work: Path, name: str = "lab", text: str = GOOD) -> str:
    """Write a spec into specs/; return its path."""
    (work / "specs" / f"{name}.yaml").write_text(text.replace("site: lab", f"site: {name}"))
    return f"specs/{name}.yaml"


# --- help -------------------------------------------------------------------------------------------------------------


def test_help_lists_every_command_on_a_line_in_the_order_of_the_journey(jhecfg: Said) -> None:
    """Whoever sees it first reads from the first command to the last; no sentence is cut, and the first step is named."""
    code, out, _ = jhecfg("--help")
    listed = out.partition("Commands:\n")[2].partition("\n\n")[0].splitlines()
    assert code == 0
    assert [line.split()[0] for line in listed] == list(JOURNEY)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed)
    assert "Begin with `jhecfg init`" in out


def test_outputs_do_not_go_into_a_sites_own_folder(work: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its runbook is read, `build` with the default folder would make a second tree inside; the way out is said."""
    spec(work)
    jhecfg("build")
    before = sorted(path for path in work.rglob("*") if path.is_file())
    monkeypatch.chdir(work / "out" / "lab")
    for command in ("build", "check", "diff"):
        code, out, err = jhecfg(command, "../../specs/lab.yaml")
        assert (code, out) == (2, "")
        assert err == "jhecfg: out/ lies inside the outputs of a site, lab; give --out ..\n"
    assert sorted(path for path in work.rglob("*") if path.is_file()) == before
    assert jhecfg("check", "../../specs/lab.yaml", "--out", "..")[0] == 0


# --- exit codes -------------------------------------------------------------------------------------------------------


def test_a_good_spec_exits_with_0(work: Path, jhecfg: Said) -> None:
    """`build` writes and exits with 0; so does `check` afterwards."""
    spec(work)
    assert jhecfg("build")[0] == 0
    assert (work / "out/lab/jhecfg.lock").is_file()
    assert jhecfg("check")[0] == 0


def test_a_bad_spec_exits_with_1_and_writes_nothing(work: Path, jhecfg: Said) -> None:
    """An error in the spec is 1, said on stderr with its position; stdout has nothing and no file is written."""
    code, out, err = jhecfg("build", "-q", spec(work, text=BAD))
    assert (code, out) == (1, "")
    assert err.startswith("specs/lab.yaml:5:14: error[unsupported-release]: ")
    assert "nothing was written" in err
    assert not (work / "out").exists()


@pytest.mark.parametrize(
    "words",
    [
        ["bild"],
        ["build", "--nonsense"],
        ["build", "--jobs", "0"],
        ["build", "--format", "xml"],
        ["check", "--validator", "nonsense"],
        ["explain", "no-such-code"],
    ],
    ids=" ".join,
)
def test_wrong_words_exit_with_2(words: list[str], work: Path, jhecfg: Said) -> None:
    """A command, option or code that does not exist is 2, and stdout stays empty."""
    spec(work)
    code, out, err = jhecfg(*words)
    assert (code, out) == (2, "")
    assert err


def test_a_folder_without_specs_exits_with_2(jhecfg: Said) -> None:
    """Without a spec there is nothing to do, and what to write is said."""
    code, _, err = jhecfg("build")
    assert code == 2
    assert "jhecfg build site.yaml" in err


def test_without_a_folder_of_specs_it_says_where_there_is_one(
    work: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Run in the wrong folder it exits with 2, and names the folder above that has specs/."""
    spec(work)
    (work / "out/lab").mkdir(parents=True)
    monkeypatch.chdir(work / "out/lab")
    code, out, err = jhecfg("check")
    assert (code, out) == (2, "")
    assert f"run jhecfg in {work}" in err


def test_standard_input_is_no_spec(jhecfg: Said) -> None:
    """`-` is answered, and not taken for the name of a file."""
    code, _, err = jhecfg("build", "-")
    assert (code, "standard input is not read" in err) == (2, True)


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("lab.yaml", "lab.yaml: no such file or directory; did you mean 'specs/lab.yaml'?\n"),
        ("specs/lba.yaml", "specs/lba.yaml: no such file or directory; did you mean 'specs/lab.yaml'?\n"),
        ("specs", "specs: is a directory; name the files in it, as in specs/*.yaml\n"),
        ("nothing.yaml", "nothing.yaml: no such file or directory\n"),
    ],
)
def test_a_wrong_path_is_answered_in_one_line(word: str, answer: str, work: Path, jhecfg: Said) -> None:
    """The path is named once, with what may have been meant."""
    spec(work)
    assert jhecfg("build", word) == (5, "", answer)


def test_check_exits_with_3_when_the_output_is_out_of_date(work: Path, jhecfg: Said) -> None:
    """`check` lists what would change, shows the difference, and changes nothing."""
    path = spec(work)
    jhecfg("build")
    (work / path).write_text((work / path).read_text().replace("v0.0.13", "v0.0.12"))
    before = {p: p.read_bytes() for p in (work / "out").rglob("*") if p.is_file()}
    code, out, _ = jhecfg("check")
    assert code == 3
    assert "M out/lab/manifests/50-app/deployment-exchange.yaml" in out
    assert re.search(r"^-.*exchange:v0\.0\.13$", out, re.MULTILINE)
    assert {p: p.read_bytes() for p in (work / "out").rglob("*") if p.is_file()} == before


def test_a_quiet_check_still_says_what_is_out_of_date(work: Path, jhecfg: Said) -> None:
    """-q leaves out the list and the diff; which site is behind, and what to run, is said."""
    spec(work)
    code, out, err = jhecfg("check", "-q")
    assert (code, out) == (3, "")
    assert re.fullmatch(r"lab: would be \d+ added\nout/ is not what the specs say: run `jhecfg build`, .*\n", err)


def test_diff_exits_with_0_and_with_3_when_asked(work: Path, jhecfg: Said) -> None:
    """`diff` prints a unified diff and nothing else; --exit-code makes a difference a failure."""
    spec(work)
    code, out, err = jhecfg("diff")
    assert (code, err) == (0, "")
    assert all(line.startswith(("--- ", "+++ ", "@@ ", "+", "-", " ")) for line in out.splitlines())
    assert jhecfg("diff", "--exit-code")[0] == 3


def test_a_hand_edited_output_exits_with_4(work: Path, jhecfg: Said) -> None:
    """What a person changed in out/ is not overwritten, except with --force."""
    path = spec(work)
    jhecfg("build")
    edited = work / "out/lab/manifests/50-app/deployment-exchange.yaml"
    edited.write_text(edited.read_text() + "# mine\n")
    (work / path).write_text((work / path).read_text().replace("v0.0.13", "v0.0.12"))
    code, _, err = jhecfg("build")
    assert code == 4
    assert "deployment-exchange.yaml" in err
    assert edited.read_text().endswith("# mine\n")
    code, _, err = jhecfg("build", "--force")
    assert (code, "deployment-exchange.yaml: was edited by hand; overwritten" in err) == (0, True)
    assert not edited.read_text().endswith("# mine\n")


@pytest.mark.parametrize("path", ["no-such-file.yaml", "specs"])
def test_a_file_that_cannot_be_read_exits_with_5(path: str, jhecfg: Said) -> None:
    """A missing file and a folder are faults of the environment, said by name."""
    code, out, err = jhecfg("build", path)
    assert (code, out) == (5, "")
    assert path in err


def test_an_output_folder_that_cannot_be_looked_at_exits_with_5(
    work: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder without permission is a fault of the environment, not a bug. Root may everything, so it is planted."""
    from jhecfg.tree.folder import Folder

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    spec(work)
    assert jhecfg("build")[0] == 0
    monkeypatch.setattr(Folder, "kind", denied)
    (work / "specs/lab.yaml").write_text(GOOD.replace("v0.0.13", "v0.0.12"))
    code, _, err = jhecfg("build")
    assert (code, "permission denied" in err, "has a bug" in err) == (5, True, False)


def test_a_validator_that_is_asked_for_and_missing_exits_with_5(
    work: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--validator kubeconform without kubeconform fails, and says how to get it."""
    from jhecfg.rules import kubeconform

    spec(work)
    monkeypatch.setattr(kubeconform, "find_kubeconform", lambda: None)
    code, _, err = jhecfg("check", "--validator", "kubeconform")
    assert code == 5
    assert "install" in err
    assert not (work / "out").exists()


@pytest.mark.parametrize("validator", ["auto", "builtin", "none"])
def test_a_judge_that_does_not_run_is_said(
    validator: str, work: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without kubeconform, or without any schema, a build works, and says what was not checked."""
    from jhecfg.rules import kubeconform

    spec(work)
    monkeypatch.setattr(kubeconform, "find_kubeconform", lambda: None)
    code, _, err = jhecfg("build", "--validator", validator)
    assert code == 0
    words = {
        "auto": "objects checked against the built-in schemas; kubeconform is not on PATH",
        "builtin": "built-in",
        "none": "no schema and no rule about objects is checked",
    }
    assert words[validator] in err
    assert err.count("kubeconform is not on PATH") == (validator == "auto")


def test_a_bug_exits_with_70_and_shows_no_values(work: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """When jhecfg itself breaks it says where, by file and function, and never the text of the exception."""
    spec(work)

    def broken(site: object) -> None:
        raise RuntimeError(f"canary-7f3a in {site}")

    monkeypatch.setattr(pipeline, "render", broken)
    code, out, err = jhecfg("build")
    assert code == 70
    assert "RuntimeError" in err
    assert "canary-7f3a" not in out + err
    assert "jhe.example.org" not in out + err


def test_an_interrupt_exits_with_130(work: Path, jhecfg: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C ends the program with the code that shells expect."""
    spec(work)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("jhecfg.fleet.batch.compile_source", interrupted)
    assert jhecfg("build")[0] == 130


def test_the_gravest_outcome_is_the_exit_code(work: Path, jhecfg: Said) -> None:
    """Of a missing file, a bad spec and an output out of date, the missing file wins; then the bad spec."""
    good, bad = spec(work, "good"), spec(work, "bad", BAD)
    assert jhecfg("check", good, bad, "missing.yaml")[0] == 5
    assert jhecfg("check", good, bad)[0] == 1
    assert jhecfg("check", good)[0] == 3


# --- stdout and stderr ------------------------------------------------------------------------------------------------


def test_results_are_on_stdout_and_talk_on_stderr(work: Path, jhecfg: Said) -> None:
    """What was written is a result; what was checked and what is doubtful is talk."""
    spec(work, text=WARNING)
    code, out, err = jhecfg("build", "--validator", "builtin")
    assert code == 0
    assert "out/lab/RUNBOOK.md" in out
    assert "warning" not in out
    assert "warning[untrusted-certificate]" in err
    assert "objects checked" in err


def test_quiet_leaves_only_what_is_wrong(work: Path, jhecfg: Said) -> None:
    """-q says nothing on stderr of a good spec, and everything of a bad one."""
    spec(work)
    assert jhecfg("build", "-q", "--validator", "builtin")[2] == ""
    assert "error[" in jhecfg("build", "-q", spec(work, "bad", BAD))[2]


def test_strict_lets_a_warning_fail(work: Path, jhecfg: Said) -> None:
    """A warning stops nothing, and everything under --strict."""
    path = spec(work, text=WARNING)
    assert jhecfg("build", "--strict", path)[0] == 1
    assert not (work / "out").exists()
    assert jhecfg("build", path)[0] == 0


@pytest.mark.slow
def test_colour_comes_only_where_it_is_asked_for(work: Path) -> None:
    """A pipe gets no escape sequence; FORCE_COLOR brings them, and NO_COLOR takes them away again."""
    path = spec(work, text=BAD)
    base = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "FORCE_COLOR")}
    assert b"\x1b[" not in spawned(["check", path], base).stderr
    assert b"\x1b[" in spawned(["check", path], base | {"FORCE_COLOR": "1"}).stderr
    assert b"\x1b[" not in spawned(["check", path], base | {"FORCE_COLOR": "1", "NO_COLOR": "1"}).stderr


def spawned(words: Sequence[str], environment: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run the command in a process of its own, here."""
    command = [sys.executable, "-m", "jhecfg", *words]
    environment = environment | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_bug(work: Path) -> None:
    """`jhecfg diff | head -1` ends without a traceback."""
    path = spec(work)
    command = f"{sys.executable} -m jhecfg diff {path} | head -n 1"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, shell=True, env=environment, capture_output=True, check=False, timeout=60)
    assert b"Traceback" not in done.stderr
    assert b"has a bug" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("words", [["check"], ["diff", "--exit-code"], ["build"], ["explain", "all"]], ids=" ".join)
def test_a_reader_that_is_gone_leaves_the_exit_code_as_it_is(words: list[str], work: Path) -> None:
    """Whoever reads only the first lines still learns how it ended: `jhecfg check | head` under pipefail."""
    spec(work)
    expected = spawned(words, dict(os.environ)).returncode
    for _ in range(2):  # the second build has nothing to do: the fast path
        read, write = os.pipe()
        os.close(read)
        command = [sys.executable, "-m", "jhecfg", *words]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(command, env=environment, stdout=write, stderr=-1, check=False, timeout=60)
        os.close(write)
        assert done.returncode == expected
        assert b"BrokenPipe" not in done.stderr
        assert b"has a bug" not in done.stderr


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_that_is_interrupted_exits_with_130(work: Path) -> None:
    """SIGINT, as a terminal sends it, ends the program without a traceback."""
    for number in range(60):
        spec(work, f"site-{number}")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", INTERRUPTED]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    assert done.returncode == 130
    assert b"Traceback" not in done.stderr


INTERRUPTED = f"""
import os, signal, sys
from jhecfg import cli
from jhecfg.fleet import batch
compiled = batch.compile_source
def after(source, validator):
    if "site-30" in source.name:
        os.kill(os.getpid(), {int(signal.SIGINT)})
    return compiled(source, validator)
batch.compile_source = after
sys.exit(cli.run(["build"]))
"""


def test_version_and_help_are_results(jhecfg: Said) -> None:
    """--version and --help print on stdout and exit with 0; every command is in the help."""
    code, out, _ = jhecfg("--version")
    assert (code, out.startswith("jhecfg ")) == (0, True)
    code, out, _ = jhecfg("--help")
    assert code == 0
    assert all(
        command.name or command.callback.__name__ in out for command in cli.app.registered_commands if command.callback
    )


def test_explain_tells_of_every_code(jhecfg: Said) -> None:
    """Every code that can be printed has documentation, of at least a sentence."""
    for code, text in pipeline.documentation().items():
        assert len(text.split()) >= 5, code
    exit_code, out, _ = jhecfg("explain", "moving-tag")
    assert (exit_code, "v0.0.13" in out) == (0, True)
    assert set(pipeline.documentation()) <= set(jhecfg("explain", "all")[1].split())


def test_a_misspelt_code_is_answered_with_the_nearest(jhecfg: Said) -> None:
    """`explain` suggests what was meant."""
    assert "moving-tag" in jhecfg("explain", "moving-tags")[2]


def test_the_schema_is_json(jhecfg: Said) -> None:
    """`schema` prints a JSON Schema that knows the spec's keys."""
    assert "hubs" in json.loads(jhecfg("schema")[1])["properties"]


# --- formats ----------------------------------------------------------------------------------------------------------


def test_json_is_one_document_on_stdout(work: Path, jhecfg: Said) -> None:
    """--format json makes stdout a JSON document that names code and place."""
    out = jhecfg("check", "--format", "json", "-q", spec(work, text=BAD))[1]
    text = json.dumps(json.loads(out))
    assert "unsupported-release" in text
    assert "specs/lab.yaml" in text


def test_sarif_is_valid(work: Path, jhecfg: Said) -> None:
    """--format sarif makes stdout a document that fits the SARIF 2.1.0 rules that code scanning needs."""
    document = json.loads(jhecfg("check", "--format", "sarif", "-q", spec(work, text=BAD))[1])
    assert document["version"] == "2.1.0"
    assert document["runs"][0]["results"][0]["ruleId"] == "unsupported-release"


def test_github_is_told_which_output_is_out_of_date(work: Path, jhecfg: Said) -> None:
    """--format github annotates the spec whose output is not what it says, as a command of its own line."""
    out = jhecfg("check", "--format", "github", "-q", spec(work))[1]
    assert out.startswith("::error file=")
    assert ",title=jhecfg::" in out
    assert "run `jhecfg build`, and commit what it changes in out/" in out


def test_github_is_workflow_commands(work: Path, jhecfg: Said) -> None:
    """--format github prints one annotation a line."""
    out = jhecfg("check", "--format", "github", "-q", spec(work, text=BAD))[1]
    assert re.match(r"::error file=specs/lab\.yaml,line=5,", out)


@pytest.mark.parametrize("style", ["json", "sarif"])
def test_a_document_stays_a_document_when_there_are_results_too(style: str, work: Path, jhecfg: Said) -> None:
    """With a machine's format nothing but the document is on stdout, even where files were written or differ."""
    spec(work)
    for words in (["build"], ["check"], ["diff"]):
        json.loads(jhecfg(*words, "--format", style)[1])


# --- many specs -------------------------------------------------------------------------------------------------------


def test_one_broken_site_does_not_hide_the_others(work: Path, jhecfg: Said) -> None:
    """The good sites are built, the broken ones are all said, and the exit code is 1."""
    spec(work, "a-good")
    spec(work, "b-bad", BAD)
    spec(work, "c-not-yaml", "a: [\n")
    spec(work, "d-good")
    code, _, err = jhecfg("build")
    assert code == 1
    assert sorted(p.name for p in (work / "out").iterdir() if p.is_dir() and not p.name.startswith(".")) == [
        "a-good",
        "d-good",
    ]
    assert "unsupported-release" in err
    assert "yaml-syntax" in err


@pytest.mark.slow
def test_two_processes_write_the_same_bytes_and_words_as_one(work: Path, jhecfg: Said) -> None:
    """--jobs changes neither a byte of the output nor the order of what is said."""
    for number in range(45):
        spec(work, f"site-{number}", BAD if number == 7 else GOOD)
    one = jhecfg("build", "--out", "one", "--jobs", "1", "--validator", "builtin")
    two = jhecfg("build", "--out", "two", "--jobs", "2", "--validator", "builtin")
    assert tuple(text.replace("two/", "one/") if isinstance(text, str) else text for text in two) == one
    assert files(work / "one") == files(work / "two")


def files(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_base_in_specs_is_no_site(work: Path, jhecfg: Said) -> None:
    """A file without `site` that another one extends is passed over; named on the command line it is an error."""
    spec(work, "base", GOOD.replace("site: lab\n", "").replace("domain: jhe.example.org\n", ""))
    spec(work, "lab", "extends: base.yaml\nsite: lab\ndomain: jhe.example.org\n")
    code, out, _ = jhecfg("build")
    assert code == 0
    assert "lab: " in out
    code, _, err = jhecfg("build", "specs/base.yaml")
    assert code == 1
    assert "a site needs 'site'" in err


def test_a_file_without_site_that_nobody_extends_is_an_error(work: Path, jhecfg: Said) -> None:
    """A forgotten `site` is not taken for a base."""
    spec(work, "lost", GOOD.replace("site: lab\n", ""))
    assert jhecfg("build")[0] == 1


def test_two_specs_of_one_site_are_an_error_for_the_second(work: Path, jhecfg: Said) -> None:
    """The first is built; the second would overwrite it, and is refused."""
    spec(work)
    (work / "specs/other.yaml").write_text(GOOD)
    code, _, err = jhecfg("build")
    assert code == 1
    assert "error[duplicate-site]" in err
    assert (work / "out/lab").is_dir()


@pytest.mark.slow
def test_two_specs_of_one_site_are_found_when_both_are_remembered(work: Path) -> None:
    """Each alone had nothing to do; together they are an error still, though the fast path knows them both."""
    for name in ("lab", "other"):
        (work / f"specs/{name}.yaml").write_text(GOOD)
        assert spawned(["build", f"specs/{name}.yaml"], dict(os.environ)).returncode == 0
    done = spawned(["build"], dict(os.environ))
    assert (done.returncode, b"duplicate-site" in done.stderr) == (1, True)


@pytest.mark.slow
def test_a_folder_that_no_spec_makes_any_more_is_said(work: Path) -> None:
    """A renamed spec leaves its old folder: it is named, by the fast path too, and neither deleted nor an error."""
    path = spec(work)
    spawned(["build"], dict(os.environ))
    (work / path).write_text(GOOD.replace("site: lab", "site: renamed"))
    for _ in range(2):
        done = spawned(["build"], dict(os.environ))
        assert (done.returncode, b"out/lab: no spec has this site" in done.stderr) == (0, True)
    assert (work / "out/lab/jhecfg.lock").is_file()
    assert b"no spec has this site" not in spawned(["build", path], dict(os.environ)).stderr


def test_the_same_spec_twice_is_built_once(work: Path, jhecfg: Said) -> None:
    """Naming one file twice is no mistake."""
    path = spec(work)
    assert jhecfg("build", path, f"./{path}")[0] == 0


# --- deliberate exceptions --------------------------------------------------------------------------------------------

STAGING = GOOD + "environment: staging\n"


@pytest.mark.parametrize(
    ("comment", "codes"),
    [
        ("", ["moving-tag"]),
        (" # jhecfg: ignore[moving-tag] staging follows main", []),
        (" # jhecfg: ignore[moving-tag]", ["ignore-without-reason", "moving-tag"]),
        (" # jhecfg: ignore[moving-tags] staging follows main", ["moving-tag", "not-ignorable"]),
        (" # jhecfg: ignore[wrong-type] staging follows main", ["moving-tag", "not-ignorable"]),
        (" # jhecfg: ignore[moving-tag, moving-hub-tag] staging follows main", ["unused-ignore"]),
    ],
    ids=["none", "with a reason", "without a reason", "unknown code", "not ignorable", "unused"],
)
def test_an_exception_needs_a_code_a_reason_and_a_use(comment: str, codes: list[str], work: Path, jhecfg: Said) -> None:
    """A comment excepts its line from a rule, with a reason; one that is wrong or idle is itself a warning."""
    text = STAGING.replace("image: {tag: v0.0.13}", f"image:\n  tag: main{comment}")
    _, out, _ = jhecfg("check", "--format", "json", "-q", spec(work, text=text))
    document = json.loads(out)
    found = document["diagnostics"] if isinstance(document, dict) else document
    assert sorted(each["code"] for each in found) == codes


def test_an_exception_on_the_line_above_counts(work: Path, jhecfg: Said) -> None:
    """A comment of its own excepts the next line."""
    comment = "  # jhecfg: ignore[moving-tag] staging follows main\n"
    text = STAGING.replace("image: {tag: v0.0.13}\n", f"image:\n{comment}  tag: main\n")
    assert "moving-tag" not in jhecfg("check", "-q", spec(work, text=text))[2]


def test_every_exit_code_is_tested_here() -> None:
    """The codes that commands exit with are those that this file knows."""
    assert sorted(Exit) == [0, 1, 2, 3, 4, 5, 70, 130]


LONG = "x" * 300  # no file can be called this: whatever looks for one is answered with an error, not with "no"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("build --out LONG", 5),
        ("check --out LONG", 5),
        ("diff --out LONG", 5),
        ("build LONG.yaml", 5),
        ("plan LONG.yaml", 5),
        ("plan --out LONG", 5),
        ("plan specs/lab.yaml --against LONG", 5),
        ("explain LONG:1", 2),
        ("explain out/lab/LONG:1", 2),
        ("explain out/lab/RUNBOOK.md:1 --out LONG", 5),
        ("graph LONG.yaml", 5),
        ("init LONG.yaml", 2),
        ("set LONG.yaml image.tag=v0.0.12", 5),
        ("secrets list LONG.yaml", 5),
        ("secrets init specs/lab.yaml --no-prompt --store LONG", 5),
        ("import rds specs/lab.yaml LONG", 5),
    ],
)
def test_what_cannot_even_be_looked_for_is_no_bug(work: Path, jhecfg: Said, words: str, code: int) -> None:
    """A name that the system refuses, as it refuses a folder that one may not enter: the environment's fault, said."""
    spec(work)
    found, _, err = jhecfg(*words.replace("LONG", LONG).split())
    assert (found, "bug" in err) == (code, False)


@pytest.mark.skipif(os.name == "nt", reason="Windows lets nobody remove a folder that a process runs in")
@pytest.mark.parametrize("words", ["build", "check", "diff --out out", "build specs/lab.yaml", "plan"])
def test_a_working_directory_that_is_gone_is_said(
    work: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: str
) -> None:
    """Also before the cache was asked: there, nothing guards what goes wrong."""
    monkeypatch.setattr(os, "_exit", sys.exit)
    monkeypatch.setattr(sys, "argv", ["jhecfg", *words.split()])
    (work / "gone").mkdir()
    monkeypatch.chdir(work / "gone")
    (work / "gone").rmdir()
    with pytest.raises(SystemExit, match="5"):
        __main__.main()
    assert capsys.readouterr().err == "jhecfg: the folder that this runs in is gone; change to one that is there\n"
    os.chdir(work)
