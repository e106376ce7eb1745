"""CPU seconds, peak memory and documents per second of an installed wheel, whole process, for the cases of the design.

usage: python benchmarks/run.py [--peers] [--write] [--repeat N] [--only WORD] [--sites N]

A wheel is built and installed into a virtual environment of its own, so that start-up is what a user has. Each case
runs in fresh processes; the least CPU time of N runs is printed. `--peers` puts the tools beside it that are installed
here, on the same job (`job.py`); `--write` puts the tables into docs/speed.md and README.md. Take figures for these on
a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import cases
import pages
import peers
from measure import HEAD, Row, best

ROOT = Path(__file__).parent.parent


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


def machine(pass_: float) -> str:
    """Say when and where the figures were taken."""
    info = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
    cpu = names[0] if info.exists() and names else platform.machine()
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    cores = f"{os.cpu_count()} cores ({cpu})"
    return (
        f"Taken on {datetime.date.today().isoformat()}: {cores}, Python {platform.python_version()}, "
        f"load {load} at the start; `python -c pass` costs {pass_:.3f} s there."
    )


def ours(jhecfg: str, work: Path, repeat: int) -> dict[str, Callable[[], Iterator[Row]]]:
    """Return the groups of cases by their names."""
    return {
        "one": lambda: cases.one_site(jhecfg, work / "one", repeat),
        "hundred": lambda: cases.many_sites(jhecfg, work / "hundred", 100, 2, "≤ 1.0 s"),
        "thousand": lambda: cases.many_sites(jhecfg, work / "thousand", 1000, 5, "≤ 6 s"),
        "large": lambda: cases.one_large(jhecfg, work / "large", 2),
        "hostile": lambda: cases.hostile(jhecfg, work / "hostile", 2),
    }


def show(line: Row | str, table: list[str]) -> None:
    """Print a line as soon as it is known, and keep it."""
    table.append(str(line))
    print(line, flush=True)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--peers", action="store_true", help="measure other tools that are installed here, too")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/speed.md and README.md")
    parser.add_argument("--repeat", type=int, default=7, help="runs of each small case (large ones: 2 to 5)")
    parser.add_argument("--only", default="", help="only the groups whose name holds this word; `peers` is one")
    parser.add_argument("--sites", type=int, default=100, help="sites of the peers' larger row")
    arguments = parser.parse_args()
    # In memory where the system has such a place: a disk shared with others would be measured instead of us.
    memory = "/dev/shm" if os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(prefix="jhecfg-bench-", dir=memory) as folder:
        work = Path(folder)
        where = machine(best([sys.executable, "-I", "-c", "pass"], work, 9).cpu)
        jhecfg = install(work)
        print(f"{where}\n\n{HEAD}", flush=True)
        table, beside, rows = [HEAD], [HEAD.replace("goal", "how")], dict[str, Row]()
        for name, group in ours(jhecfg, work, arguments.repeat).items():
            for row in group() if arguments.only in name else ():
                show(row, table)
                rows[row.case] = row
        if arguments.peers:
            print(f"\n{beside[0]}", flush=True)
            for line in peers.beside(jhecfg, work / "peers", arguments.sites, arguments.repeat):
                show(line, beside)
    if arguments.write:
        pages.write(ROOT, where, table, beside if arguments.peers else None, rows)


if __name__ == "__main__":
    main()
