"""Judges from outside, asked about an output: what each finds, as data, and what the output says about it."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from jhecfg.emit import dump
from jhecfg.render.judges import CHECKOV, KUBE_LINTER, KUBE_SCORE, OBJECTS, REMARKS, RESOURCES

Files = Mapping[str, str]
RUNBOOK = "RUNBOOK.md"
_LIMIT = 300  # seconds, for a machine that is busy


class Found(NamedTuple):
    """One finding: who, what, in which file; `text` is the judge's words about it, or the line that it means."""

    judge: str
    check: str
    path: str
    text: str = ""


class Judge(NamedTuple):
    """A judge: its program, and how it is asked about a folder of an output."""

    program: str
    ask: Callable[[str, Path], Iterator[Found]]


def write(files: Files, folder: Path) -> Path:
    """Write an output into a folder."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    return folder


def said(program: str, *words: str, cwd: Path, stdin: str | None = None) -> str:
    """Return what a program prints. It may end with 1, which says that it found something."""
    done = subprocess.run(
        [program, *words], cwd=cwd, input=stdin, capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    assert done.returncode in (0, 1), f"{program} ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


# --- judges of objects, which read annotations ------------------------------------------------------------------------


def manifests(folder: Path) -> list[str]:
    """Return the objects of an output, by path."""
    found = (str(path.relative_to(folder)) for path in folder.glob("manifests/*/*.yaml"))
    return sorted(path for path in found if not path.endswith("/kustomization.yaml"))


def kube_score(program: str, folder: Path) -> Iterator[Found]:
    """Ask kube-score about the objects."""
    for scored in json.loads(said(program, "score", "--output-format=json", *manifests(folder), cwd=folder)):
        path = str(Path(scored["file_name"]).relative_to(folder))
        for check in scored["checks"] or ():
            if not check["skipped"] and check["grade"] < 7:  # it says OK from 7 of 10
                for comment in check["comments"]:
                    yield Found("kube-score", check["check"]["id"], path, comment["summary"])


def kube_linter(program: str, folder: Path) -> Iterator[Found]:
    """Ask kube-linter about the objects."""
    reports = json.loads(said(program, "lint", "--format=json", "manifests", cwd=folder))["Reports"] or ()
    for report in reports:
        path = Path(report["Object"]["Metadata"]["FilePath"])
        path = path.relative_to(folder) if path.is_absolute() else path
        yield Found("kube-linter", report["Check"], str(path), report["Diagnostic"]["Message"])


def checkov(program: str, folder: Path) -> Iterator[Found]:
    """Ask checkov about everything, without what it would fetch."""
    words = ("--directory=.", "--skip-download", "--skip-framework=kustomize", "--output=json", "--quiet", "--compact")
    reports = json.loads(said(program, *words, cwd=folder))
    for report in reports if isinstance(reports, list) else [reports]:
        for failed in report.get("results", {}).get("failed_checks", ()):
            path = failed["file_path"].lstrip("/")
            yield Found("checkov", failed["check_id"], path, _line(folder, path, failed["file_line_range"][0]))


# --- judges of text ---------------------------------------------------------------------------------------------------


def _line(folder: Path, path: str, number: int) -> str:
    return (folder / path).read_text(encoding="utf-8").split("\n")[number - 1]


def yamllint(program: str, folder: Path) -> Iterator[Found]:
    """Ask yamllint, as it comes."""
    for line in said(program, "--format=parsable", ".", cwd=folder).splitlines():
        match = re.fullmatch(r"\./([^:]+):(\d+):\d+: \[\w+\] .*\(([\w-]+)\)", line)
        assert match is not None, line
        yield Found("yamllint", match[3], match[1], _line(folder, match[1], int(match[2])))


def detect_secrets(program: str, folder: Path) -> Iterator[Found]:
    """Ask detect-secrets about every file."""
    report = json.loads(said(program, "scan", "--all-files", "--no-verify", ".", cwd=folder))
    for path, found in report["results"].items():
        for each in found:
            yield Found("detect-secrets", each["type"], path, _line(folder, path, each["line_number"]))


def gitleaks(program: str, folder: Path) -> Iterator[Found]:
    """Ask gitleaks about every file."""
    report = said(program, "dir", ".", "--no-banner", "--report-format=json", "--report-path=-", cwd=folder)
    for each in json.loads(report):
        yield Found("gitleaks", each["RuleID"], each["File"], _line(folder, each["File"], each["StartLine"]))


def cfn_lint(program: str, folder: Path) -> Iterator[Found]:
    """Ask cfn-lint about the database's template, if there is one."""
    path = "cluster/rds.cfn.yaml"
    if (folder / path).exists():
        words = (program, "--format", "json", "--", path)
        done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=_LIMIT, check=False)
        for each in json.loads(done.stdout or "[]"):
            yield Found("cfn-lint", each["Rule"]["Id"], path, each["Message"])


def shellcheck(program: str, folder: Path) -> Iterator[Found]:
    """Ask shellcheck about the commands of the runbook, block by block."""
    for path in sorted(folder.rglob("*.md")):
        for body in re.findall(r"^```bash\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            report = said(program, "--shell=bash", "--format=json", "-", cwd=folder, stdin=body)
            for each in json.loads(report):
                line = body.split("\n")[each["line"] - 1]
                yield Found("shellcheck", f"SC{each['code']}", str(path.relative_to(folder)), line)


def bandit(program: str, folder: Path) -> Iterator[Found]:
    """Ask bandit about the Python that the output carries: in ConfigMaps, and in the hubs' configuration."""
    place = folder / ".scripts"
    for path, name, text in scripts(folder):
        script = place / path / name
        script.parent.mkdir(parents=True, exist_ok=True)
        script.write_text(text, encoding="utf-8")
    report = json.loads(said(program, "--recursive", "--format=json", "--quiet", ".scripts", cwd=folder))
    for each in report["results"]:
        text = " ".join(each["code"].splitlines())
        yield Found("bandit", each["test_id"], str(Path(each["filename"]).parent).removeprefix(".scripts/"), text)


def scripts(folder: Path) -> Iterator[tuple[str, str, str]]:
    """Yield the Python in an output: the file that holds it, its name, its text."""
    for path in sorted([*folder.glob("manifests/*/configmap-*.yaml"), *folder.glob("hubs/*/values.yaml")]):
        tree = yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader)
        held = tree["data"] if "data" in tree else tree["hub"]["extraConfig"]
        for name, text in held.items():
            if name.endswith(".py"):
                yield str(path.relative_to(folder)), name, text


OF_OBJECTS: dict[str, Judge] = {
    "kube-score": Judge("kube-score", kube_score),
    "kube-linter": Judge("kube-linter", kube_linter),
    "checkov": Judge("checkov", checkov),
}
"""Those that read what the output says to them."""

OF_TEXT: dict[str, Judge] = {
    "yamllint": Judge("yamllint", yamllint),
    "cfn-lint": Judge("cfn-lint", cfn_lint),
    "shellcheck": Judge("shellcheck", shellcheck),
    "bandit": Judge("bandit", bandit),
    "detect-secrets": Judge("detect-secrets", detect_secrets),
    "gitleaks": Judge("gitleaks", gitleaks),
}
"""Those whose findings RUNBOOK.md explains, where there are any."""


# --- what the output says ---------------------------------------------------------------------------------------------


def bare(files: Files) -> dict[str, str]:
    """Return the output without a word to the judges, as they would see it otherwise."""
    return {path: _bare(path, text) for path, text in files.items()}


def _bare(path: str, text: str) -> str:
    for remark in REMARKS:
        text = text.replace(f" # {remark.comment}", "")
    if not path.startswith(("manifests/", "cluster/rds")):
        return text
    tree: dict[str, Any] = yaml.load(text, yaml.CSafeLoader)
    for resource in tree.get("Resources", {}).values():
        resource.pop("Metadata", None)
    if "metadata" in tree:
        notes = {key: value for key, value in _annotations(tree).items() if not _to_a_judge(key)}
        tree["metadata"] = {**tree["metadata"], "annotations": notes}
    return dump(tree)


def _annotations(tree: dict[str, Any]) -> dict[str, str]:
    notes: dict[str, str] = tree.get("metadata", {}).get("annotations") or {}
    return notes


def _to_a_judge(key: str) -> bool:
    return key.startswith((CHECKOV, KUBE_LINTER)) or key == KUBE_SCORE


def claimed(files: Files) -> Iterator[Found]:
    """Yield what the output says that each judge of objects would find, in annotations, Metadata and remarks."""
    for path, text in files.items():
        for remark in REMARKS:
            yield from (Found("checkov", remark.checks[0][1], path) for _ in range(text.count(remark.comment)))
        if path.startswith(("manifests/", "cluster/rds")):
            tree = yaml.load(text, yaml.CSafeLoader)
            yield from (Found(judge, check, path) for judge, check in _claims(tree))


def _claims(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in _annotations(tree).items():
        if key.startswith(CHECKOV):
            yield "checkov", value.split("=")[0]
        elif key.startswith(KUBE_LINTER):
            yield "kube-linter", key.removeprefix(KUBE_LINTER)
        elif key == KUBE_SCORE:
            yield from (("kube-score", check) for check in value.split(","))
    for resource in tree.get("Resources", {}).values():
        yield from (("checkov", each["id"]) for each in resource.get("Metadata", {}).get("checkov", {}).get("skip", ()))


CHECKS = {(judge, check) for excuse in (*OBJECTS, *RESOURCES) for judge, check in excuse.checks}
"""Every finding that an excuse is for."""
