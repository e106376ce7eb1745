"""The second judge: kubeconform as a subprocess, with the same schemas, and trusted only as far as it proves itself.

kubeconform v0.7.0 exits 0 when it read nothing (another extension, an empty folder), hides leaf errors in one long
message, and says "could not find schema" for one that it could not compile. So every run also holds one object that
must be valid and one that must not be, every file must come back exactly once, and whatever else happens is a
ToolError: never "valid". Nothing is read from the network, nothing goes through stdin (large input breaks there).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jhecfg import schemas
from jhecfg.diagnostics import Loc, ToolError
from jhecfg.programs import program
from jhecfg.rules.schema_error import Violation

if TYPE_CHECKING:
    from subprocess import Popen

INSTALL = "go install github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0"

# What shows that the judge judges. The bad one has an unknown field, which only our strict schema forbids.
_GOOD = "canary-good.yaml"
_BAD = "canary-bad.yaml"
_CANARIES = {
    _GOOD: b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: canary\ndata:\n  a: b\n",
    _BAD: b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: canary\n  nmespace: canary\n",
}
_LEAF = re.compile(r"- at '([^']*)': (.*?)(?=\s+- at '|$)", re.DOTALL)
_BRANCHES = re.compile(r"validation failed$|none matched$|^invalid propertyName")
_GOT = re.compile(r"^got (\w+), want (.+)$")


def find_kubeconform() -> str | None:
    """Return the path of kubeconform on PATH, or None."""
    return program("kubeconform")


def kubeconform_violations(
    files: Mapping[str, bytes], kubernetes: str, binary: str, *, timeout: float = 60.0
) -> tuple[Violation, ...]:
    """Judge files (output path → bytes, one Kubernetes-shaped document each) for a version such as "1.36".

    Returns what kubeconform forbids, in the order of the files. Raises ToolError when the binary is missing, is not
    kubeconform, does not end within `timeout` seconds, or does not account for every file.
    """
    import tempfile  # here and below: most builds only ask whether there is a kubeconform

    numbered = {f"{number:05}.yaml": path for number, path in enumerate(files)}
    with tempfile.TemporaryDirectory(prefix="jhecfg-") as temporary:
        root = Path(temporary)
        _lay_out(root, {name: files[path] for name, path in numbered.items()}, kubernetes)
        results = _results(_run(binary, root, kubernetes, timeout), {*numbered, *_CANARIES})
    _heed_canaries(results)
    return tuple(v for name, path in numbered.items() for v in _violations(path, results[name]))


def _lay_out(root: Path, files: Mapping[str, bytes], kubernetes: str) -> None:
    """Write schemas and objects. Objects get plain numbers as names: no path can hide one or look like a flag."""
    (root / "schemas").mkdir()
    (root / "objects").mkdir()
    schemas.write_folder(root / "schemas", kubernetes)
    for name, data in {**files, **_CANARIES}.items():
        (root / "objects" / name).write_bytes(data)


def _run(binary: str, root: Path, kubernetes: str, timeout: float) -> str:
    """Run kubeconform in a process group of its own and return its stdout."""
    import subprocess

    location = "schemas/{{.ResourceKind}}{{.KindSuffix}}.json"
    options = ["-strict", "-summary", "-verbose", "-output", "json", "-n", "2"]
    command = [os.path.abspath(binary), *options, "-kubernetes-version", f"{kubernetes}.0"]
    command += ["-schema-location", location, "objects"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    try:
        process = subprocess.Popen(command, cwd=root, start_new_session=True, **pipes)  # type: ignore[call-overload]  # noqa: S603 - a list, no shell; mypy cannot see through **
    except OSError as error:
        raise ToolError(f"cannot run kubeconform ({error.strerror}): install it with `{INSTALL}`") from None
    with process:  # closes its pipes, and waits for it
        try:
            out, err = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            raise ToolError(f"kubeconform did not end within {timeout:g} s") from None
        finally:
            _end(process)
    if process.returncode not in (0, 1):
        raise ToolError(f"kubeconform ended with exit code {process.returncode}: {_excerpt(err)}")
    return str(out.decode("utf-8", "replace"))


def _end(process: Popen[bytes]) -> None:
    """Leave nothing running: not the process, not what it started."""
    import signal

    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _results(out: str, expected: set[str]) -> dict[str, dict[str, Any]]:
    """Read the report: one result per file, each with a status that is a verdict, and a summary that adds up."""
    try:
        report = json.loads(out)
        resources = report["resources"]
        found = {os.path.basename(each["filename"]): each for each in resources}
        counted = sum(report["summary"].values())
        statuses = {name: each["status"] for name, each in found.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ToolError(f"kubeconform did not answer with its JSON report: {_excerpt(out)}") from None
    if found.keys() != expected or len(resources) != len(expected) or counted != len(expected):
        raise ToolError(f"kubeconform accounted for {min(len(resources), counted)} of {len(expected)} files")
    for status in statuses.values():
        if status not in ("statusValid", "statusInvalid", "statusError"):
            raise ToolError(f"kubeconform gave a file the status {status!r}, which is no verdict")
    return found


def _heed_canaries(results: Mapping[str, dict[str, Any]]) -> None:
    """Believe the report only if it tells the good object from the bad one."""
    if results[_BAD]["status"] != "statusInvalid":
        raise ToolError("kubeconform passed an object that is known to be bad: it is not judging by our schemas")
    if results[_GOOD]["status"] != "statusValid":
        raise ToolError(f"kubeconform refused an object that is known to be good: {_excerpt(_message(results[_GOOD]))}")


def _violations(path: str, result: Mapping[str, Any]) -> Iterator[Violation]:
    if result["status"] == "statusValid":
        return
    message = _message(result)
    leaves = [(at, text.strip()) for at, text in _LEAF.findall(message)]
    leaves = [(at, text) for at, text in leaves if not _BRANCHES.search(text)]
    secret = result.get("kind") == "Secret"  # a message may quote a value
    for at, text in leaves or [("", message or "it gave no reason")]:
        got = _GOT.match(text)
        found, expected = got.groups() if got else ("", "")
        words = "a value is not valid" if secret and not got else text
        yield Violation(path, _loc(at), f"kubeconform: {words}", expected, found)


def _message(result: Mapping[str, Any]) -> str:
    return str(result.get("msg") or "")


def _loc(pointer: str) -> Loc:
    """Read a JSON pointer as a Loc; a token of digits is taken for an index."""
    tokens = (token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:])
    return tuple(int(token) if token.isdecimal() else token for token in tokens)


def _excerpt(output: bytes | str) -> str:
    """Quote the first line of what a tool said, shortened, or that it said nothing."""
    text = output.decode("utf-8", "replace") if isinstance(output, bytes) else output
    line = next((line.strip() for line in text.splitlines() if line.strip()), "it said nothing")
    return line if len(line) <= 200 else line[:199] + "…"
