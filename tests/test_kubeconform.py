"""The second judge: it agrees with the first, and nothing that goes wrong with it passes for "valid"."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import ToolError
from jhecfg.rules.kubeconform import find_kubeconform, kubeconform_violations
from jhecfg.rules.schema import Violation, schema_violations
from tests.good_objects import KUBERNETES, Tree, good, good_objects, label, mutants
from tests.tools import need


def as_files(*trees: Tree) -> dict[str, bytes]:
    """Write objects as JSON, which is YAML, each under a path of its own."""
    return {f"manifests/{number}.yaml": json.dumps(tree).encode() for number, tree in enumerate(trees)}


def judged(*trees: Tree) -> tuple[Violation, ...]:
    """Judge objects by the real kubeconform."""
    return kubeconform_violations(as_files(*trees), KUBERNETES, need("kubeconform"))


@pytest.fixture
def fake(tmp_path: Path) -> str:
    """Return the path of a kubeconform that a test writes; see `pretend`."""
    return str(tmp_path / "kubeconform")


def pretend(path: str, code: str) -> None:
    """Make a program of some lines of Python that stands in for kubeconform.

    It has `names`, the files it was given, and `report`, which prints results as kubeconform does.
    """
    prelude = f"""#!{sys.executable}
import json, os, sys, time
names = sorted(os.listdir("objects"))
def report(statuses):
    resources = [dict(filename="objects/" + n, kind="", name="", version="", status=s, msg="") for n, s in statuses]
    print(json.dumps(dict(resources=resources, summary=dict(valid=len(resources), invalid=0, errors=0, skipped=0))))
def honest(name):
    return (name, "statusInvalid" if name == "canary-bad.yaml" else "statusValid")
"""
    Path(path).write_text(prelude + code, encoding="utf-8")
    os.chmod(path, stat.S_IRWXU)


# -- with the real one


def test_good_objects_of_every_kind_are_valid() -> None:
    """The real kubeconform passes every good object with our schemas, the cluster.yml of eksctl among them."""
    assert judged(*good_objects()) == ()


@pytest.mark.slow
def test_both_judges_agree_on_every_mutant() -> None:
    """Over two thousand spoiled objects get the same verdict, valid or not, from both judges."""
    shaped = [m for tree in good_objects() for _, m in mutants(tree) if Artifact("x", m).manifest is not None]
    ours = {v.path for v in schema_violations([Artifact(path, tree) for path, tree in _numbered(shaped)], KUBERNETES)}
    theirs = {v.path for v in judged(*shaped)}
    assert len(shaped) > 2000
    assert [label(tree) for path, tree in _numbered(shaped) if (path in ours) != (path in theirs)] == []


def _numbered(trees: list[Tree]) -> list[tuple[str, Tree]]:
    return [(f"manifests/{number}.yaml", tree) for number, tree in enumerate(trees)]


def test_a_leaf_error_is_told_at_its_leaf() -> None:
    """An error deep in an object is told there, not at `/spec`; types are told apart."""
    tree = good("Deployment")
    tree["spec"]["replicas"] = "two"
    tree["spec"]["template"]["spec"]["containers"][0]["prots"] = []
    found = {violation.pointer: violation for violation in judged(tree)}
    assert set(found) == {("spec", "replicas"), ("spec", "template", "spec", "containers", 0)}
    assert (found["spec", "replicas"].expected, found["spec", "replicas"].found) == ("integer", "string")


def test_an_unknown_kind_and_a_duplicate_key_are_violations() -> None:
    """What kubeconform calls an error of a file is told as one of that file."""
    files = {
        "a.yaml": b"apiVersion: v1\nkind: Servce\nmetadata: {name: x}\n",
        "b.yaml": b"apiVersion: v1\nkind: ConfigMap\nkind: ConfigMap\nmetadata: {name: x}\n",
    }
    first, second = kubeconform_violations(files, KUBERNETES, need("kubeconform"))
    assert (first.path, first.message) == ("a.yaml", "kubeconform: could not find schema for Servce")
    assert second.path == "b.yaml"
    assert "already set in map" in second.message


def test_no_value_of_a_secret_is_quoted() -> None:
    """A message of kubeconform may quote a value that does not match; for a Secret it is not passed on."""
    tree = good("Secret")
    tree["data"]["TOKEN"] = "hunter2!"
    (violation,) = judged(tree)
    assert "hunter2" not in repr(violation)
    assert violation.pointer == ("data", "TOKEN")


@pytest.mark.parametrize("content", [b"", b"# nothing here\n", b"a: 1\n---\nb: 2\n"], ids=["empty", "comment", "two"])
def test_a_file_that_is_not_one_object_is_never_valid(content: bytes) -> None:
    """An empty file, or one with two documents, is a tool error or a violation, but does not pass."""
    need("kubeconform")
    with pytest.raises(ToolError, match=r"accounted for|no verdict"):
        kubeconform_violations({"a.yaml": content}, KUBERNETES, need("kubeconform"))


def test_odd_paths_hide_nothing() -> None:
    """A path that looks like a flag, has another extension or leads upwards is judged like any other."""
    bad = json.dumps({**good("ConfigMap"), "x": 1}).encode()
    paths = ["-exit-on-error", "../../outside.txt", "manifests/no-extension", "a b/ü.yaml"]
    found = kubeconform_violations(dict.fromkeys(paths, bad), KUBERNETES, need("kubeconform"))
    assert [violation.path for violation in found] == paths


# -- with something that is not it


def test_an_honest_fake_is_believed(fake: str) -> None:
    """The stand-in of these tests is right in all else, so that what they refuse is what they name."""
    pretend(fake, "report([honest(n) for n in names])")
    assert kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake) == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("report([(n, 'statusValid') for n in names])", "known to be bad"),
        ("report([(n, 'statusInvalid') for n in names])", "known to be good"),
        ("report([honest(n) for n in names if n != '00000.yaml'])", "accounted for 2 of 3 files"),
        ("report([honest(n) for n in names] + [honest('00000.yaml')])", "accounted for 4 of 3 files"),
        ("report([honest(n) for n in names if n[0] == 'c'] + [('00000.yaml', 'statusSkipped')])", "no verdict"),
        ("report([honest(n) for n in names if n[0] == 'c'] + [('00000.yaml', '')])", "no verdict"),
        ("report([honest(n) for n in names if n[0] == 'c'] + [('other.yaml', 'statusValid')])", "accounted for"),
        ("print('ok: everything is fine')", "JSON report: ok: everything is fine"),
        ("print('[]')", "JSON report"),
        ("print('{}')", "JSON report"),
        ("print(json.dumps(dict(resources=[1], summary={})))", "JSON report"),
        ("pass", "it said nothing"),
        ("sys.stdout.buffer.write(b'\\xff\\xfe')", "JSON report"),
        ("print('flag provided but not defined', file=sys.stderr); sys.exit(3)", "exit code 3: flag provided"),
        ("os.kill(os.getpid(), 11)", "exit code -11"),
    ],
)
def test_a_tool_that_misbehaves_is_a_tool_error(fake: str, code: str, message: str) -> None:
    """Whatever is wrong with the tool or its report is told as that, and never taken for "valid"."""
    pretend(fake, code)
    with pytest.raises(ToolError, match=message):
        kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake)


@pytest.mark.slow
def test_a_tool_that_hangs_is_ended_with_all_it_started(fake: str, tmp_path: Path) -> None:
    """After the time limit the tool and its children are gone."""
    note = tmp_path / "pids"
    code = f"child = os.fork()\nopen({str(note)!r}, 'a').write(str(os.getpid()) + ' ')\ntime.sleep(600)"
    pretend(fake, code)
    with pytest.raises(ToolError, match="did not end within 1 s"):
        kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake, timeout=1)
    pids = note.read_text(encoding="utf-8").split()
    assert len(pids) == 2
    assert [pid for pid in pids if _runs(pid)] == []


def _runs(pid: str) -> bool:
    """Tell whether a process runs; a zombie that its parent has not asked about does not."""
    try:
        status = Path("/proc", pid, "stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return status.rpartition(") ")[2][0] not in "ZX"


def test_a_tool_that_reads_stdin_gets_nothing(fake: str) -> None:
    """The tool's stdin is empty, so that it cannot wait for the terminal."""
    pretend(fake, "assert sys.stdin.read() == ''\nreport([honest(n) for n in names])")
    assert kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake) == ()


def test_a_missing_binary_says_how_to_install_it(tmp_path: Path) -> None:
    """A path without a program is a tool error with the install line."""
    with pytest.raises(ToolError, match="go install"):
        kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, str(tmp_path / "absent"))


def test_it_is_found_on_path(fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one on PATH is taken; its absence is None."""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_kubeconform() is None
    pretend(fake, "")
    assert find_kubeconform() == fake


def test_nothing_is_left_behind(fake: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The candidate tree and the schemas are removed, also after a failure."""
    room = tmp_path / "room"
    room.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(room))
    pretend(fake, "sys.exit(3)")
    with pytest.raises(ToolError):
        kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake)
    assert list(room.iterdir()) == []
