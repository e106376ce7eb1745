"""--watch: a real process builds again what changed, tells what it tells otherwise, and outlives what breaks in between."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from jhecfg import cli
from jhecfg.talk import Exit
from jhecfg.watch import watch

pytestmark = pytest.mark.slow

GOOD = """\
apiVersion: jhecfg/v1
environment: staging
site: NAME
domain: NAME.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""
PATIENCE = 120
"""Seconds after which a line that never comes fails a test, on the slowest of machines."""


class Watching:
    """A process of `jhecfg … --watch`, and the lines that it has said."""

    def __init__(self, *words: str) -> None:
        environment = {**os.environ, "NO_COLOR": "1", "JHECFG_NO_CACHE": "1"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "jhecfg", *words], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as said:
            for line in said:
                self.lines.put(line.decode().rstrip("\n"))

    def until(self, part: str) -> list[str]:
        """Return the lines up to the one that holds a text; fail where it does not come."""
        said = [self.lines.get(timeout=PATIENCE)]
        while part not in said[-1]:
            said.append(self.lines.get(timeout=PATIENCE))
        return said

    def interrupt(self) -> int:
        """Press Ctrl-C; return the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=PATIENCE)


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Watching]]:
    """Return how to start a process beside specs/ with two sites; whatever still runs ends with the test."""
    monkeypatch.chdir(tmp_path)
    Path("specs").mkdir()
    for name in ("one", "two"):
        Path(f"specs/{name}.yaml").write_text(GOOD.replace("NAME", name))
    running: list[Watching] = []

    def start(*words: str) -> Watching:
        running.append(Watching(*words))
        return running[-1]

    yield start
    for each in running:
        each.process.kill()
        each.process.wait()
        each.reader.join()


def put(path: str, text: str) -> None:
    """Write a file as careful editors do: beside it, and then in its place."""
    Path(path + ".new~").write_text(text)
    os.replace(path + ".new~", path)


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_what_changes_is_built_again_and_nothing_else(started: Callable[..., Watching]) -> None:
    """Through a mistake, its correction, a file that vanishes and comes back, and a new site; to Ctrl-C and 130."""
    process = started("build", "--watch")
    process.until("Ctrl-C ends it")
    assert Path("out/one/jhecfg.lock").exists()

    put("specs/one.yaml", GOOD.replace("NAME", "one").replace("v0.0.13", "v0.0.12"))
    said = process.until("objects checked")
    assert "specs/one.yaml changed" in said
    assert any(line.startswith("one: ") and "changed" in line for line in said)
    assert not any(line.startswith("two: ") for line in said)
    assert "v0.0.12" in Path("out/one/manifests/50-app/deployment-exchange.yaml").read_text()

    put("specs/one.yaml", "site: [")
    assert any("specs/one.yaml:1:8: error[yaml-syntax]" in line for line in process.until("1 error"))
    put("specs/one.yaml", GOOD.replace("NAME", "one"))
    process.until("one: ")
    process.until("objects checked")

    Path("specs/two.yaml").unlink()
    process.until("no spec has this site")
    put("specs/three.yaml", GOOD.replace("NAME", "three"))
    process.until("three: ")
    process.until("objects checked")
    assert Path("out/three/jhecfg.lock").exists()
    assert process.interrupt() == Exit.INTERRUPTED


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_base_that_changes_concerns_all_that_extend_it(started: Callable[..., Watching]) -> None:
    """`check` tells of each that it is out of date, writes nothing, and goes on."""
    put("specs/base.yaml", "contact: ops@example.org\n")
    for name in ("one", "two"):
        text = GOOD.replace("NAME", name).replace("contact: ops@example.org\n", "")
        put(f"specs/{name}.yaml", text + "extends: base.yaml\n")
    assert cli.run(["build", "-q"]) == Exit.OK
    process = started("check", "--watch", "--validator", "builtin")
    process.until("Ctrl-C ends it")
    put("specs/base.yaml", "contact: it@example.org\n")
    said = process.until("and commit what it changes")
    assert "specs/base.yaml changed" in said
    assert sum(line.startswith(("one: would", "two: would")) for line in said) == 2
    assert process.interrupt() == Exit.INTERRUPTED


def test_nothing_to_watch_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As without --watch."""
    monkeypatch.chdir(tmp_path)
    assert cli.run(["build", "--watch"]) == Exit.USAGE
    assert "there is no folder specs/ here" in capsys.readouterr().err


class Stop(Exception):
    """Ends a watch in a test."""


def test_a_file_that_is_still_being_written_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One run for a burst of changes, after the last of them; none for a change that is taken back."""
    monkeypatch.chdir(tmp_path)
    path = Path("lab.yaml")
    path.write_text(GOOD.replace("NAME", "lab"))
    steps: list[Callable[[], object]] = [
        lambda: None,
        path.unlink,  # an editor writes anew:
        lambda: path.write_text("site:"),
        lambda: path.write_text(GOOD.replace("NAME", "longer")),
        lambda: None,
        lambda: Path(".lab.yaml.swp").write_text("x"),
        lambda: None,
    ]
    runs: list[str] = []

    def pause(seconds: float) -> None:
        if not steps:
            raise Stop
        steps.pop(0)()

    def run(specs: object) -> None:
        assert specs == [path]
        runs.append(path.read_text().split("site: ")[1].split()[0])

    with pytest.raises(Stop):
        watch(run, [path], Path("specs"), lambda _: None, pause)
    assert runs == ["lab", "longer"]
