"""Instructions of a cold build and of one more site, by valgrind: figures that no other work on the machine moves.

usage: python benchmarks/instructions.py [CHECKOUT...]    (without one: this; with several: side by side)

What the kernel does is not counted, and valgrind knows no SHA instructions: where a CPU has them, digests cost less.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cases

ROOT = Path(__file__).parent.parent
FEW, MANY = 20, 60  # sites; both fill the caches that sites share, so the difference is what one more costs


def instructions(checkout: Path, place: Path, sites: int) -> int:
    """Build so many new sites with a checkout's code; return the instructions of the whole process."""
    shutil.rmtree(place / "out", ignore_errors=True)
    specs = sorted(str(path.relative_to(place)) for path in (place / "specs").iterdir())[:sites]
    build = [sys.executable, "-m", "jhecfg", "build", "--quiet", *specs]
    environment = {"PATH": os.defpath, "PYTHONPATH": str(checkout), "PYTHONHASHSEED": "1", "JHECFG_NO_CACHE": "1"}
    subprocess.run(build, cwd=place, env=environment, check=True, capture_output=True)  # compiles what it imports
    shutil.rmtree(place / "out")
    count = ["valgrind", "--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]
    done = subprocess.run([*count, *build], cwd=place, env=environment, check=True, capture_output=True, text=True)
    return int(next(line for line in done.stderr.splitlines() if "refs:" in line).split()[-1].replace(",", ""))


def main() -> None:
    """Print a table, in millions."""
    if shutil.which("valgrind") is None:
        sys.exit("valgrind is absent: apt-get install valgrind")
    print("| checkout | 1 site, cold | one more of a fleet |\n|---|---|---|")
    for checkout in [Path(each).resolve() for each in sys.argv[1:]] or [ROOT]:
        with tempfile.TemporaryDirectory() as work:
            place = Path(work)
            cases.fleet(place, MANY)
            one, few, many = (instructions(checkout, place, sites) for sites in (1, FEW, MANY))
        more = (many - few) / (MANY - FEW)
        print(f"| {checkout.name} | {one / 1e6:,.0f} | {more / 1e6:.1f} |", flush=True)


if __name__ == "__main__":
    main()
