"""Shell completion: what is offered for a word, how quickly, and that bash, zsh and fish put it into the line."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jhecfg import cli
from jhecfg.completion import offer, respond
from jhecfg.completion.scripts import SCRIPTS
from jhecfg.talk import Exit
from tests.tools import ROOT, need

SPEC = (ROOT / "specs" / "jhe-example.yaml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand beside specs/ with a spec, and with other files."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    Path("specs/lab.yaml").write_text(SPEC)
    Path("specs/README.md").write_text("words")
    Path("a b.yaml").write_text("site: x\n")
    Path(".hidden.yaml").write_text("")
    return tmp_path


def offered(*words: str) -> list[str]:
    """Return the words that are offered for the last one."""
    return [word for word, _ in offer(list(words)).candidates]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bu"], ["build"]),
        (["se"], ["set", "secrets"]),
        (["secrets", "r"], ["rotate"]),
        (["import", ""], ["rds"]),
        (["nonsense", "b"], []),
        (["build", "--wa"], ["--watch"]),
        (["build", "-q"], ["-q"]),
        (["check", "--format", ""], ["text", "json", "github", "sarif"]),
        (["check", "--format", "g"], ["github"]),
        (["check", "--format=g"], ["--format=github"]),
        (["check", "--validator", "k"], ["kubeconform"]),
        (["check", "--jobs", ""], []),
        (["init", "--gitops", ""], ["none", "argocd", "flux"]),
        (["schema", ""], []),
        (["check", "s"], ["specs/"]),
        (["check", "specs/"], ["specs/lab.yaml"]),
        (["check", "--out", ""], ["specs/"]),
        (["check", "--", "-"], []),
        (["check", ""], ["a b.yaml", "specs/", "specs/lab.yaml"]),
        (["check", "."], [".hidden.yaml"]),
        (["check", "specs/lab.yaml", "a"], ["a b.yaml"]),
        (["plan", "--against", "specs/"], ["specs/README.md", "specs/lab.yaml"]),
        (["check", "nowhere/"], []),
    ],
)
def test_words_options_choices_and_files(words: list[str], expected: list[str]) -> None:
    """Each where it can stand; specs are YAML."""
    if words == ["check", "nowhere/"]:
        with pytest.raises(FileNotFoundError):
            offer(words)
    else:
        assert offered(*words) == expected


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("dom", ["domain="]),
        ("image.t", ["image.tag="]),
        ("image.pullP", ["image.pullPolicy="]),
        ("image.pullPolicy=A", ["Always"]),
        ("hubs", ["hubs."]),
        ("hubs.", ["hubs.hub."]),
        ("hubs[", ["hubs[hub]."]),
        ("hubs.hub.dep", ["hubs.hub.deploy="]),
        ("hubs[hub].dep", ["hubs[hub].deploy="]),
        ("hubs.hub.deploy=", ["cluster", "external"]),
        ("hubs.hub.access.o", ["hubs.hub.access.orgs=", "hubs.hub.access.orgs+="]),
        ("hubs.hub.access.orgs+=Example L", ["Example Lab"]),
        ("hubs.hub.access.anyone=", ["true"]),
        ("orgs", ["orgs["]),
        ("orgs[", ["orgs[Example Lab].", "orgs[Example Hub Admins]."]),
        ("orgs[Example Lab].t", ["orgs[Example Lab].type="]),
        ("nonsense.", []),
        ("contact=", []),
    ],
)
def test_keys_of_a_spec_and_what_they_can_be(key: str, expected: list[str]) -> None:
    """Steps of keys, names of what the spec has, values where there are few; descriptions come along."""
    start = key.partition("=")[0] + "=" if "=" in key else ""
    assert offered("set", "specs/lab.yaml", key) == [start + word if start else word for word in expected]


def test_what_can_be_deleted_is_what_is_there() -> None:
    """`set --delete` offers the keys of the file."""
    found = offered("set", "specs/lab.yaml", "--delete", "")
    assert "domain" in found
    assert "namespace" not in found
    assert offered("set", "specs/lab.yaml", "-d", "hubs.") == ["hubs.hub", "hubs.hub."]


def test_the_newest_release_comes_first() -> None:
    """As behind `image.tag=`."""
    found = offered("set", "specs/lab.yaml", "image.tag=v")
    assert found[0] > found[-1]
    assert "image.tag=v0.0.13" in found


def test_explain_knows_codes_keys_and_files() -> None:
    """A slash makes it a file."""
    assert dict(offer(["explain", "moving-t"]).candidates) == {
        "moving-tag": "An image tag can come to mean another image."
    }
    assert "image.tag" in offered("explain", "image.")
    assert offered("explain", "specs/l") == ["specs/lab.yaml"]


def test_revisions_are_offered(here: Path) -> None:
    """Branches and tags of the repository."""
    subprocess.run(["git", "init", "-q", "-b", "main"], check=True)
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, "commit", "-q", "--allow-empty", "-m", "x"], check=True)
    subprocess.run(["git", "tag", "v1"], check=True)
    assert offered("plan", "--from", "") == ["HEAD", "main", "v1"]
    assert offered("plan", "--from", "m") == ["main"]


@pytest.mark.parametrize(
    "words", [["check", "nowhere/"], ["set", "nowhere.yaml", "hubs."], ["set", "", "x."], ["set"], []]
)
def test_whatever_is_wrong_nothing_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A spec that is not there, or no words at all."""
    Path("specs/lab.yaml").write_text("site: [")
    assert respond(words) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert "Traceback" not in printed.out
    respond(["set", "specs/lab.yaml", "hubs."])
    assert capsys.readouterr() == ("", "")


def test_a_command_and_a_file_are_completed_without_the_compiler() -> None:
    """Nothing that takes long to import is, nor typer: so it takes what `--version` takes."""
    program = (
        "import sys; from jhecfg.__main__ import _run; _run(['__complete', 'check', '']); "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & "
        "{'pydantic', 'typer', 'yaml', 'rich', 'subprocess', 'json', 'jsonschema_rs'}), "
        "sorted(name for name in sys.modules if name.startswith('jhecfg')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == (
        "[] ['jhecfg', 'jhecfg.__main__', 'jhecfg.completion', 'jhecfg.completion.table']"
    )


# Installing it


def test_the_script_of_a_shell_is_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Of the one that is named, or else the one that one uses."""
    for shell in SCRIPTS:
        assert cli.run(["--show-completion", shell]) == Exit.OK
        assert capsys.readouterr().out == SCRIPTS[shell]
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert cli.run(["--show-completion"]) == Exit.OK
    assert capsys.readouterr().out == SCRIPTS["zsh"]
    monkeypatch.setenv("SHELL", "/bin/dash")
    assert cli.run(["--show-completion"]) == Exit.USAGE
    assert "say bash, zsh or fish, as in `jhecfg --show-completion bash`" in capsys.readouterr().err
    assert cli.run(["--install-completion", "bsh"]) == Exit.USAGE
    assert "did you mean 'bash'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("shell", "files"),
    [
        ("bash", [".bashrc", ".local/share/bash-completion/completions/jhecfg"]),
        ("zsh", [".local/share/jhecfg/completion.zsh", ".zshrc"]),
        ("fish", [".config/fish/completions/jhecfg.fish"]),
    ],
)
def test_it_is_installed_once(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], shell: str, files: list[str]
) -> None:
    """What a start file holds stays; a second time adds nothing; where nothing can be written that is said."""
    home = at_home(here, monkeypatch)
    for name in files:
        if name.startswith((".bash", ".zsh")):
            (home / name).write_text("# mine")
    for _ in range(2):
        assert cli.run(["--install-completion", shell]) == Exit.OK
    assert sorted(p.relative_to(home).as_posix() for p in home.rglob("*") if p.is_file()) == files
    script = next(home / name for name in files if not name.startswith((".bashrc", ".zshrc")))
    assert script.read_text() == SCRIPTS[shell]
    if shell != "fish":
        lines = (home / f".{shell}rc").read_text().splitlines()
        assert (lines[0], len(lines)) == ("# mine", 2)
        assert str(script) in lines[1]
    script.unlink()
    script.mkdir()
    assert cli.run(["--install-completion", shell]) == Exit.ENVIRONMENT
    assert "cannot install completion" in capsys.readouterr().err


def at_home(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a home of its own, and return it."""
    home = here / "home"
    home.mkdir()
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "ZDOTDIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    return home


# Real shells


class Terminal:
    """A shell on a terminal, as a person has it, with completion installed into a home of its own."""

    def __init__(self, shell: str, here: Path, home: Path) -> None:
        programs = here / "programs"
        programs.mkdir()
        (programs / "jhecfg").write_text(f'#!/bin/sh\nexec {sys.executable} -m jhecfg "$@"\n')
        (programs / "jhecfg").chmod(0o755)
        environment = {
            "PATH": f"{programs}:{os.environ['PATH']}",
            "HOME": str(home),
            "TERM": "dumb" if shell == "zsh" else "xterm",
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "INPUTRC": "/dev/null",
        }
        self.process, self.terminal = os.forkpty()
        if self.process == 0:
            os.chdir(here)
            os.execvpe(need(shell), [shell, "-i"], environment)
        self.said = ""

    def line(self, typed: str) -> str:
        """Type words, Tab and X, which shows whether a space came; return the line, as the shell would pass it on."""
        self.said = ""
        self.write(f"{typed}\tX\x01echo '=>' \x05 '<='\r")
        return self.until(r"=> (.*) <=\r")

    def until(self, pattern: str) -> str:
        """Read until something is said; return its first group."""
        end = time.monotonic() + 60
        while not (match := re.search(pattern, self.said)):
            assert time.monotonic() < end, self.said
            self.read(1)
        return match[1]

    def quiet(self) -> None:
        """Read until nothing comes: the shell has started."""
        while self.read(3):
            pass

    def read(self, seconds: float) -> bool:
        """Read what comes within some seconds; say whether anything did."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return False
        self.said += os.read(self.terminal, 65_536).decode(errors="replace")
        return True

    def write(self, keys: str) -> None:
        """Press keys."""
        os.write(self.terminal, keys.encode())

    def end(self) -> None:
        """Close the terminal, and with it the shell."""
        os.close(self.terminal)
        os.waitpid(self.process, 0)


@pytest.fixture
def shell(here: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Terminal]]:
    """Return how to start a shell with completion installed."""
    home, running = at_home(here, monkeypatch), list[Terminal]()

    def start(name: str) -> Terminal:
        need(name)
        (home / ".zshrc").write_text("unsetopt zle_bracketed_paste\n") if name == "zsh" else None
        assert cli.run(["--install-completion", name]) == Exit.OK
        running.append(Terminal(name, here, home))
        running[-1].quiet()
        return running[-1]

    yield start
    for each in running:
        each.end()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_a_shell_puts_it_into_the_line(shell: Callable[[str], Terminal], name: str) -> None:
    """Commands, options, choices, specs, keys behind dots, in brackets and behind an equals sign."""
    terminal = shell(name)
    quoted = r"hubs\[hub\]" if name == "zsh" else "hubs[hub]"
    for typed, expected in [
        ("jhecfg bu", "jhecfg build X"),
        ("jhecfg check --format g", "jhecfg check --format github X"),
        ("jhecfg check --format=g", "jhecfg check --format=github X"),
        ("jhecfg check specs/l", "jhecfg check specs/lab.yaml X"),
        ("jhecfg check sp", "jhecfg check specs/X"),
        ("jhecfg set specs/lab.yaml image.ta", "jhecfg set specs/lab.yaml image.tag=X"),
        ("jhecfg set specs/lab.yaml image.tag=m", "jhecfg set specs/lab.yaml image.tag=main X"),
        (f"jhecfg set specs/lab.yaml {quoted}.depl", "jhecfg set specs/lab.yaml hubs[hub].deploy=X"),
        ("jhecfg nonsense b", "jhecfg nonsense bX"),
    ]:
        assert terminal.line(typed) == expected, typed
        assert "bad " not in terminal.said, terminal.said  # a shell that complains of the script
        assert f"{name}: " not in terminal.said, terminal.said
