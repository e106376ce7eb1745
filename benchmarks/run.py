"""CPU seconds, peak memory and documents per second of an installed wheel, whole process, for the cases of the design.

usage: python benchmarks/run.py [--peers] [--repeat N] [--only WORD]

A wheel is built and installed into a virtual environment of its own, so that start-up is what a user has. Each case
runs in fresh processes; the least CPU time of N runs is printed. `--peers` adds the tools that are installed here, on
the same objects.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process and its children cost: CPU and wall seconds, peak memory in MiB, and the exit code."""

    cpu: float
    wall: float
    memory: float
    code: int


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


# --- inputs -----------------------------------------------------------------------------------------------------------

SITE = """\
apiVersion: jhecfg/v1
site: {name}
domain: {name}.example.org
contact: ops@example.org
image: {{tag: v0.0.13}}
database: {{host: {name}.abc123.us-east-2.rds.amazonaws.com}}
exchange:
  smtp: {{host: smtp.example.org, user: {name}@example.org}}
  mcp: {{domain: mcp.{name}.example.org}}
cluster: {{region: us-east-2, access: {{publicCidrs: [203.0.113.0/24]}}}}
orgs:
{orgs}
hubs:
{hubs}
"""


# The design's smallest useful spec; its hub runs in a cluster that exists.
SMALLEST = """\
apiVersion: jhecfg/v1
site: {name}
environment: staging
domain: {name}.example.org
contact: ops@example.org
image: {{tag: v0.0.13}}
database: {{host: {name}.abc123.us-east-2.rds.amazonaws.com}}
orgs:
  - {{name: Example Lab, id: 20001, type: laboratory}}
hubs:
  - name: hub
    domain: hub.{name}.example.org
    access: {{orgs: [Example Lab]}}
    storage: {{storageClass: gp3}}
"""


def spec(name: str, hubs: int = 1, orgs: int = 2, deploy: str = "cluster") -> str:
    """Return a spec with so many hubs and organizations."""
    org_lines = "\n".join(f"  - {{name: Org {n}, id: {20000 + n}, type: laboratory}}" for n in range(1, orgs + 1))
    hub_lines = "\n".join(
        f"  - {{name: hub{n}, domain: hub{n}.{name}.example.org, deploy: {deploy}, "
        f"access: {{orgs: [Org {n % orgs + 1}]}}}}"
        for n in range(1, hubs + 1)
    )
    return SITE.format(name=name, orgs=org_lines, hubs=hub_lines)


def fleet(folder: Path, count: int, *, full: bool = False) -> None:
    """Write so many specs into `folder/specs`: the smallest useful ones, or full ones with cluster, MCP and mail."""
    (folder / "specs").mkdir(parents=True)
    for n in range(1, count + 1):
        name = f"site{n:04d}"
        text = spec(name) if full else SMALLEST.format(name=name)
        (folder / "specs" / f"{name}.yaml").write_text(text, encoding="utf-8")


HOSTILE = {
    "deep.yaml": "a: " + "[" * 1_000_000,
    "wide.yaml": "a: {" + ",".join(f"k{n}: 1" for n in range(100_000)) + "}",
    "bomb.yaml": "a: &a [x,x,x,x,x,x,x,x,x]\n"
    + "".join(f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)),
    "scalar.yaml": "a: " + "x" * 1_000_000,
}


# --- cases ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    case: str
    cost: Cost
    documents: int
    goal: str

    def __str__(self) -> str:
        rate = f"{self.documents / self.cost.cpu:,.0f}" if self.documents else ""
        cost = self.cost
        return f"| {self.case} | {cost.cpu:.3f} | {cost.wall:.3f} | {cost.memory:.0f} | {rate} | {self.goal} |"


def documents(out: Path) -> int:
    """Count the files of an output folder."""
    return sum(len(names) for _, _, names in os.walk(out))


def one_site(jhecfg: str, work: Path, repeat: int) -> Iterator[Row]:
    """Measure a single site: cold, unchanged, checked."""
    fleet(work, 1, full=True)
    yield Row("`jhecfg --version`", best([jhecfg, "--version"], work, repeat), 0, "")
    cold = best([jhecfg, "build"], work, repeat, fresh=work / "out")
    yield Row("build, 1 site, cold, validated", cold, documents(work / "out"), "≤ 0.30 s, ≤ 80 MiB")
    cold = best([jhecfg, "build", "--validator", "builtin"], work, repeat, fresh=work / "out")
    yield Row("the same with an option", cold, documents(work / "out"), "≤ 0.30 s, ≤ 80 MiB")
    measure([jhecfg, "build"], work, cache=True)
    count = documents(work / "out")
    yield Row("build, nothing changed", best([jhecfg, "build"], work, repeat, cache=True), count, "≤ 0.10 s (0.05)")
    yield Row("check, nothing changed", best([jhecfg, "check"], work, repeat, cache=True), count, "≤ 0.10 s (0.05)")
    yield Row("check, without the cache", best([jhecfg, "check", "--validator", "builtin"], work, repeat), count, "")


def many_sites(jhecfg: str, work: Path, count: int, repeat: int, goal: str) -> Iterator[Row]:
    """Measure a fleet: one process, two processes, unchanged."""
    fleet(work, count)
    command = [jhecfg, "build", "--validator", "builtin", "-q"]
    cold = best(command, work, repeat, fresh=work / "out")
    total = documents(work / "out")
    yield Row(f"build, {count:,} sites, validated", cold, total, goal)
    two = best([*command, "--jobs", "2"], work, repeat, fresh=work / "out")
    faster = f"wall ≥ 1.7 × faster: {cold.wall / two.wall:.2f} ×"
    yield Row(f"build, {count:,} sites, `--jobs 2`", two, total, faster)
    measure([jhecfg, "build", "-q"], work, cache=True)
    yield Row(f"build, {count:,} sites, nothing changed", best([jhecfg, "build"], work, repeat, cache=True), total, "")


def one_large(jhecfg: str, work: Path, repeat: int) -> Iterator[Row]:
    """Measure one site with many hubs and organizations."""
    (work / "specs").mkdir(parents=True)
    (work / "specs" / "large.yaml").write_text(spec("large", hubs=200, orgs=2000, deploy="external"), encoding="utf-8")
    cost = best([jhecfg, "build", "--validator", "builtin", "-q"], work, repeat, fresh=work / "out")
    if cost.code != 0:
        raise SystemExit(f"the large site does not build: exit code {cost.code}")
    yield Row("build, 1 site, 200 hubs, 2,000 orgs", cost, documents(work / "out"), "≤ 1.5 s")


def hostile(jhecfg: str, work: Path, repeat: int) -> Iterator[Row]:
    """Measure how soon hostile input is refused."""
    work.mkdir(parents=True)
    for name, text in HOSTILE.items():
        (work / name).write_text(text, encoding="utf-8")
        cost = best([jhecfg, "check", name], work, repeat)
        if cost.code != 1:
            raise SystemExit(f"{name} was not refused: exit code {cost.code}")
        yield Row(f"refuse {name} ({len(text) / 1e6:.1f} MB)", cost, 0, "≤ 0.5 s, ≤ 100 MiB")


def peers(work: Path, out: Path, repeat: int) -> Iterator[Row]:
    """Measure other tools on the same objects: those that are installed here."""
    kubectl = shutil.which("kubectl") or str(ROOT / ".venv" / "bin" / "kubectl")
    if Path(kubectl).exists():
        folder = work / "kustomize"
        folder.mkdir(parents=True)
        names = []
        for path in sorted(out.glob("*/manifests/*/*.yaml")):
            if path.name != "kustomization.yaml":
                shutil.copy(path, folder / f"{path.parent.name}-{path.name}")
                names.append(f"{path.parent.name}-{path.name}")
        (folder / "kustomization.yaml").write_text("resources:\n" + "".join(f"  - {name}\n" for name in names))
        cost = best([kubectl, "kustomize", str(folder)], work, repeat)
        yield Row(f"kubectl kustomize, our {len(names)} manifests", cost, len(names), "")


# --- the run ----------------------------------------------------------------------------------------------------------


def install(work: Path) -> str:
    """Build and install the wheel; return the path of its command."""
    python = sys.executable
    wheels = work / "wheels"
    subprocess.run([python, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(ROOT)], check=True)
    subprocess.run([python, "-m", "venv", str(work / "venv")], check=True)
    inside = str(work / "venv" / "bin" / "python")
    subprocess.run([inside, "-m", "pip", "install", "-q", *map(str, wheels.glob("jhecfg-*.whl"))], check=True)
    subprocess.run([inside, "-m", "compileall", "-q", str(work / "venv" / "lib")], check=False)
    return str(work / "venv" / "bin" / "jhecfg")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="measure other tools that are installed here, too")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each small case (large ones: 2)")
    parser.add_argument("--only", default="", help="only the groups whose name holds this word")
    arguments = parser.parse_args()
    repeat = arguments.repeat
    # In memory where the system has such a place: a disk shared with others would be measured instead of us.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="jhecfg-bench-", dir=memory) as folder:
        work = Path(folder)
        jhecfg = install(work)
        groups = {
            "one": lambda: one_site(jhecfg, work / "one", repeat),
            "hundred": lambda: many_sites(jhecfg, work / "hundred", 100, 2, "≤ 1.0 s"),
            "thousand": lambda: many_sites(jhecfg, work / "thousand", 1000, 1, "≤ 6 s"),
            "large": lambda: one_large(jhecfg, work / "large", 2),
            "hostile": lambda: hostile(jhecfg, work / "hostile", 2),
            **({"peers": lambda: peers(work / "peers", work / "one" / "out", repeat)} if arguments.peers else {}),
        }
        print(f"`python -c pass`: {best([sys.executable, '-I', '-c', 'pass'], work, 9).cpu:.3f} s on this machine\n")
        print("| case | CPU s | wall s | peak MiB | documents/s | goal |")
        print("|---|---|---|---|---|---|")
        for name, group in groups.items():
            if arguments.only in name:
                for row in group():
                    print(row, flush=True)


if __name__ == "__main__":
    main()
