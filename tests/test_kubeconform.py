"""The second judge: it agrees with the first, and nothing that goes wrong with it passes for "valid"."""

from __future__ import annotations

import json
import os
import stat
import sys
from pathlib import Path

import pytest

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Loc, ToolError
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

    It has `names`, the files it was given, and `report`, which prints results (with messages, and kinds, for those files
    that have one) as kubeconform does.
    """
    prelude = f"""#!{sys.executable}
import json, os, sys, time
names = sorted(os.listdir("objects"))
def report(statuses, messages={{}}, kinds={{}}, more=0):
    resources = [dict(filename="objects/" + n, kind=kinds.get(n, ""), name="", version="", status=s,
                      msg=messages.get(n, "")) for n, s in statuses]
    print(json.dumps(dict(resources=resources, summary=dict(valid=len(resources), invalid=more, errors=0, skipped=0))))
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
        ("report([(n, 'statusValid') for n in names])",
         "passed an object that is known to be bad: it is not judging by our schemas"),
        ("report([(n, 'statusInvalid') for n in names])", "refused an object that is known to be good: it said nothing"),
        ("report([(n, 'statusInvalid') for n in names], {n: ' no\\nschema' for n in names})",
         "refused an object that is known to be good: no"),
        ("report([honest(n) for n in names if n != '00000.yaml'])", "accounted for 2 of 3 files"),
        ("report([honest(n) for n in names] + [honest('00000.yaml')])", "accounted for 4 of 3 files"),
        ("report([honest(n) for n in names] + [honest('00000.yaml')], more=-1)", "accounted for 3 of 3 files"),
        ("report([honest(n) for n in names], more=-1)", "accounted for 2 of 3 files"),
        ("report([honest(n) for n in names], more=1)", "accounted for 3 of 3 files"),
        ("report([honest(n) for n in names if n[0] == 'c'] + [('00000.yaml', 'statusSkipped')])",
         "gave a file the status 'statusSkipped', which is no verdict"),
        ("report([honest(n) for n in names if n[0] == 'c'] + [('00000.yaml', '')])",
         "gave a file the status '', which is no verdict"),
        ("report([honest(n) for n in names if n[0] == 'c'] + [('other.yaml', 'statusValid')])", "accounted for 3 of 3 files"),
        ("print('ok: everything is fine')", "did not answer with its JSON report: ok: everything is fine"),
        ("print('[]')", "did not answer with its JSON report: []"),
        ("print('{}')", "did not answer with its JSON report: {}"),
        ("print(json.dumps(dict(resources=[1], summary={})))",
         'did not answer with its JSON report: {"resources": [1], "summary": {}}'),
        ("pass", "did not answer with its JSON report: it said nothing"),
        ("sys.stdout.buffer.write(b'\\xff\\xfe')", "did not answer with its JSON report: \ufffd\ufffd"),
        ("print('\\n \\n flag not defined \\nusage', file=sys.stderr); sys.exit(3)",
         "ended with exit code 3: flag not defined"),
        ("sys.stderr.buffer.write(b'\\xff' + b'x' * 199); sys.exit(2)",
         f"ended with exit code 2: \ufffd{'x' * 199}"),
        ("sys.stderr.buffer.write(b'x' * 201); sys.exit(2)", f"ended with exit code 2: {'x' * 199}…"),
        ("os.kill(os.getpid(), 11)", "ended with exit code -11: it said nothing"),
    ],
)  # fmt: skip
def test_a_tool_that_misbehaves_is_a_tool_error(fake: str, code: str, message: str) -> None:
    """Whatever is wrong with the tool or its report is told as that, and never taken for "valid"."""
    pretend(fake, code)
    with pytest.raises(ToolError) as raised:
        kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake)
    assert str(raised.value) == f"kubeconform {message}"


SCHEMA = "problem validating schema. Check JSON formatting: jsonschema validation failed with 'file:///x.json#'"
VALUE = "value must be 'a'"


INVALID: list[tuple[str, str | None, list[tuple[Loc, str, str, str]]]] = [
    ("Service", f"{SCHEMA} - at '/spec/ports/0/port': got string, want null or integer",
     [(("spec", "ports", 0, "port"), "got string, want null or integer", "null or integer", "string")]),
    ("Service", f"{SCHEMA}\n- at '/metadata/labels/a~1b~01/²': {VALUE}\n  - at '': {VALUE} \n",
     [(("metadata", "labels", "a/b~1", "²"), VALUE, "", ""), ((), VALUE, "", "")]),
    ("Service", f"{SCHEMA} - at '/spec': validation failed   - at '/spec/x': anyOf failed, none matched"
     f"   - at '/spec/x': {VALUE}   - at '': invalid propertyName 'a b'", [(("spec", "x"), VALUE, "", "")]),
    ("Service", f"{SCHEMA} - at '/spec': {VALUE},\nor 'b'", [(("spec",), f"{VALUE},\nor 'b'", "", "")]),
    ("Servce", "could not find schema for Servce", [((), "could not find schema for Servce", "", "")]),
    ("Service", "", [((), "it gave no reason", "", "")]),
    ("Service", None, [((), "it gave no reason", "", "")]),
    ("Secret", f"{SCHEMA} - at '/data/TOKEN': 'hunter2!' does not match   - at '/kind': got number, want string",
     [(("data", "TOKEN"), "a value is not valid", "", ""), (("kind",), "got number, want string", "string", "number")]),
    ("Secret", "error in line 7: hunter2!", [((), "a value is not valid", "", "")]),
]  # fmt: skip


def test_what_is_invalid_is_told_leaf_by_leaf(fake: str) -> None:
    """Each at its place, in kubeconform's words, without what only says that something below is wrong."""
    kinds, messages = ({f"{n:05}.yaml": case[part] for n, case in enumerate(INVALID)} for part in (0, 1))
    statuses = "[(n, 'statusInvalid' if n in messages else honest(n)[1]) for n in names]"
    pretend(fake, f"messages = {messages!r}\nreport({statuses}, messages, {kinds!r})")
    files = as_files(*(good("Service") for _ in (*INVALID, "a valid one")))
    assert kubeconform_violations(files, KUBERNETES, fake) == tuple(
        Violation(f"manifests/{n}.yaml", at, f"kubeconform: {words}", expected, found)
        for n, (_, _, said) in enumerate(INVALID)
        for at, words, expected, found in said
    )


@pytest.mark.slow
def test_a_tool_that_hangs_is_ended_with_all_it_started(fake: str, tmp_path: Path) -> None:
    """After the time limit the tool and its children are gone."""
    note = tmp_path / "pids"
    code = "child = os.fork()\nopen(note, 'a').write(f'{os.getpid()} ')\ntime.sleep(20)\nopen(note, 'a').write('late')"
    pretend(fake, f"note = {str(note)!r}\n{code}")
    with pytest.raises(ToolError) as raised:
        kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake, timeout=2)
    assert str(raised.value) == "kubeconform did not end within 2 s"
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
    """The tool's stdin is empty, so that it cannot wait for the terminal; its folder says whose it is."""
    here = "assert os.path.basename(os.getcwd()).startswith('jhecfg-')"
    pretend(fake, f"assert sys.stdin.read() == ''\n{here}\nreport([honest(n) for n in names])")
    assert kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, fake) == ()


def test_a_missing_binary_says_how_to_install_it(tmp_path: Path) -> None:
    """A path without a program is a tool error with the install line."""
    with pytest.raises(ToolError) as raised:
        kubeconform_violations(as_files(good("ConfigMap")), KUBERNETES, str(tmp_path / "absent"))
    assert str(raised.value) == (
        "cannot run kubeconform (No such file or directory): "
        "install it with `go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0`"
    )


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
