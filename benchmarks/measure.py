"""Measure: what a process and its children cost, and how it stands in a table."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process and its children cost: CPU and wall seconds, peak memory in MiB, and the exit code."""

    cpu: float
    wall: float
    memory: float
    code: int


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a table."""

    case: str
    cost: Cost
    documents: int
    goal: str

    def __str__(self) -> str:
        rate = f"{self.documents / self.cost.cpu:,.0f}" if self.documents else ""
        cost = self.cost
        return f"| {self.case} | {cost.cpu:.3f} | {cost.wall:.3f} | {cost.memory:.0f} | {rate} | {self.goal} |"


HEAD = "| case | CPU s | wall s | peak MiB | documents/s | goal |\n|---|---|---|---|---|---|"


def measure(command: Sequence[str], cwd: Path, *, cache: bool = False) -> Cost:
    """Run a command once, with its output thrown away."""
    environment = {**os.environ, **({} if cache else {"JHECFG_NO_CACHE": "1"})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    environment["XDG_CACHE_HOME"] = str(cwd / ".cache")
    environment["PATH"] = os.defpath  # without kubeconform: the built-in schemas are measured
    started = time.perf_counter()
    process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)  # of the process and of those that it waited for
    wall = time.perf_counter() - started
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(cpu=cpu, wall=wall, memory=usage.ru_maxrss / 1024, code=os.waitstatus_to_exitcode(status))


def best(command: Sequence[str], cwd: Path, repeat: int, *, cache: bool = False, fresh: Path | None = None) -> Cost:
    """Run a command several times; return the cost of the cheapest run. `fresh` is a folder removed before each."""
    costs = []
    for _ in range(repeat):
        if fresh is not None:
            shutil.rmtree(fresh, ignore_errors=True)
        costs.append(measure(command, cwd, cache=cache))
    return min(costs, key=lambda cost: cost.cpu)


def documents(out: Path) -> int:
    """Count the files of an output folder."""
    return sum(len(names) for _, _, names in os.walk(out))
