"""A runner of GitHub Actions for one composite action: runs the steps of an action.yml as the real one does.

Inputs and their defaults, `${{ }}`, `if`, `env`, `working-directory`, `shell: bash` with its flags, GITHUB_OUTPUT and
the step's summary, workflow commands in the log; a step that fails ends the job. What an action.yml uses beyond that is
a failure here, not a guess.

Source: docs.github.com, "Metadata syntax for GitHub Actions", "Workflow syntax" (shell), "Workflow commands";
actions/runner, src/Runner.Common/ActionCommand.cs.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

BASH = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
_EXPRESSION = re.compile(r"\$\{\{ ([\w.-]+) \}\}")
_CONDITION = re.compile(r"([\w.-]+) == '([^']*)'")
_COMMAND = re.compile(r"::([a-z-]+)(?: ([^:]*))?::(.*)")


class Annotation(NamedTuple):
    """What GitHub shows beside a line, or at the top of the run."""

    level: str
    at: dict[str, str]
    text: str


class Job(NamedTuple):
    """What became of the action."""

    code: int
    outputs: dict[str, str]
    summary: str
    log: str
    annotations: list[Annotation]
    ran: list[str]


class Runner:
    """A runner with its folders, for a repository that is checked out."""

    def __init__(self, action: Path, workspace: Path, temp: Path, environment: dict[str, str]) -> None:
        """Take the action's folder, the checkout, RUNNER_TEMP, and the variables of the job."""
        self.action, self.workspace, self.temp = action, workspace, temp
        temp.mkdir(exist_ok=True, parents=True)
        self.environment = {
            **{key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ},
            **{key: value for key, value in os.environ.items() if key.startswith(("PIP_", "SSL_", "REQUESTS_"))},
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(workspace),
            "GITHUB_ACTION_PATH": str(action),
            "RUNNER_TEMP": str(temp),
            **environment,
        }

    def run(self, token: str, **inputs: str) -> Job:
        """Run every step; `_` in an input's name is `-`."""
        declared = yaml.safe_load((self.action / "action.yml").read_text(encoding="utf-8"))
        known: dict[str, str] = {
            f"inputs.{name}": str(each.get("default", "")) for name, each in declared["inputs"].items()
        }
        for name, value in inputs.items():
            assert f"inputs.{name.replace('_', '-')}" in known, name
            known[f"inputs.{name.replace('_', '-')}"] = value
        known["github.token"] = token
        assert declared["runs"]["using"] == "composite"
        code, summary, log, ran = 0, "", "", []
        for step in declared["runs"]["steps"]:
            assert not step.keys() - {"name", "id", "if", "shell", "working-directory", "env", "run"}, step
            if "if" in step and not holds(step["if"], known):
                continue
            ran.append(step["name"])
            code, outputs, said, more = self._step(step, known)
            known |= (
                {f"steps.{step['id']}.outputs.{name}": value for name, value in outputs.items()} if "id" in step else {}
            )
            summary, log = summary + more, log + said
            if code:
                break
        outputs = {name: filled(each["value"], known) for name, each in declared["outputs"].items()}
        return Job(code, outputs, summary, log, annotations(log), ran)

    def _step(self, step: dict[str, Any], known: dict[str, str]) -> tuple[int, dict[str, str], str, str]:
        assert step["shell"] == "bash"
        assert "${{" not in step["run"], "text of others in a script"
        files = {name: self.temp / f"_{name}" for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        script = self.temp / "_script.sh"
        script.write_text(step["run"])
        done = subprocess.run(
            [*BASH, str(script)],
            cwd=self.workspace / filled(step.get("working-directory", "."), known),
            env={
                **self.environment,
                **{name: str(file) for name, file in files.items()},
                **{name: filled(value, known) for name, value in step.get("env", {}).items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        lines = files["GITHUB_OUTPUT"].read_text().splitlines()
        summary = files["GITHUB_STEP_SUMMARY"].read_text()
        assert len(summary.encode()) <= 1024 * 1024, "GitHub refuses such a summary"
        return done.returncode, dict(line.split("=", 1) for line in lines), done.stdout, summary


def filled(text: str, known: dict[str, str]) -> str:
    """Put in what expressions name; an output that no step set is empty."""

    def value(match: re.Match[str]) -> str:
        name = match[1]
        assert name in known or name.startswith("steps."), name
        return known.get(name, "")

    done = _EXPRESSION.sub(value, text)
    assert "${{" not in _EXPRESSION.sub("", text), text
    return done


def holds(condition: str, known: dict[str, str]) -> bool:
    """Evaluate `a == 'b' && …`."""
    parts = [_CONDITION.fullmatch(part.strip()) for part in condition.split("&&")]
    assert all(parts), condition
    return all(known[part[1]] == part[2] for part in parts if part)


def annotations(log: str) -> list[Annotation]:
    """Return what the commands in a log make GitHub show; none between `stop-commands` and its token."""
    found, quiet = [], ""
    for line in log.splitlines():
        text = line.strip()
        if quiet:
            quiet = "" if text == f"::{quiet}::" else quiet
            continue
        match = _COMMAND.match(text)
        if match and match[1] == "stop-commands":
            quiet = match[3]
        elif match and match[1] in ("error", "warning", "notice"):
            at = dict(each.split("=", 1) for each in (match[2] or "").split(",") if each)
            found.append(Annotation(match[1], {key: undone(value) for key, value in at.items()}, undone(match[3])))
    assert not quiet, "commands were never allowed again"
    return found


def undone(text: str) -> str:
    """Undo the escapes of a command."""
    for escape, character in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(escape, character)
    return text


def event(folder: Path, payload: dict[str, Any]) -> str:
    """Write the event; return its path, for GITHUB_EVENT_PATH."""
    path = folder / "event.json"
    path.write_text(json.dumps(payload))
    return str(path)
