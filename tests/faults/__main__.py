"""make faults: run every part, print the table, and fail if a case went wrong.

usage: python -m tests.faults [--every N] [--share F] [--seed N] [--only TEXT] [--work DIR] [--jobs N]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.faults import sweep, trace, world
from tests.faults.sweep import Case

Part = Callable[[Path, argparse.Namespace], Iterator[Case]]


def _scene(scene: sweep.Scene) -> Part:
    return lambda work, asked: sweep.sweep(scene, work, every=asked.every, offset=asked.seed)


def _world(cases: Callable[[world.World, random.Random, argparse.Namespace], Iterator[Case]]) -> Part:
    return lambda work, asked: cases(world.world(work), random.Random(asked.seed), asked)


def _times(asked: argparse.Namespace, most: int) -> int:
    return max(1, round(most * asked.share))


PARTS: dict[str, Part] = {
    "the tree alone": lambda work, asked: sweep.trees(work, share=asked.share),
    **{f"step by step: {scene.name}": _scene(scene) for scene in sweep.SCENES},
    "in the way": _world(lambda at, chance, asked: world.obstacles(at, chance, asked.share)),
    "denied": _world(lambda at, chance, asked: world.denied(at, chance, asked.share)),
    "immutable": _world(lambda at, chance, asked: world.immutable(at, chance, asked.share)),
    "full disk": _world(lambda at, chance, asked: world.full_disks(at, _times(asked, 60))),
    "mounts": _world(lambda at, chance, asked: world.mounts(at)),
    "streams": _world(lambda at, chance, asked: world.streams(at)),
    "vanishing": _world(lambda at, chance, asked: world.vanishing(at, chance, _times(asked, 100))),
    "clock": _world(lambda at, chance, asked: world.clocks(at)),
    "lock and journal": _world(lambda at, chance, asked: world.texts(at, chance, _times(asked, 150))),
    "reserved name": _world(lambda at, chance, asked: world.reserved(at)),
    "killed at random": _world(lambda at, chance, asked: world.random_kills(at, chance, _times(asked, 400))),
    "builders at once": _world(lambda at, chance, asked: world.builders(at, _times(asked, 60))),
    "sets at once": _world(lambda at, chance, asked: world.setters(at, _times(asked, 60))),
    "folders swapped for links": _world(lambda at, chance, asked: world.swapped(at, _times(asked, 100))),
    "case does not count": _world(lambda at, chance, asked: world.folding(at)),
}


def main() -> int:
    """Share the parts among processes; print what came of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults")
    parser.add_argument(
        "--every", type=int, default=1, help="of the steps and faults of a command, only each so many-th"
    )
    parser.add_argument("--share", type=float, default=1.0, help="of the cases of the other parts, only this share")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="only parts whose name has this text")
    parser.add_argument("--work", type=Path, default=None, help="where to break things [a folder in memory]")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="print the cases, not the table")
    asked = parser.parse_args()
    if not trace.POSSIBLE:
        print("faults are injected by ptrace: this needs Linux on x86-64")
        return 1
    memory = Path("/dev/shm")
    work = Path(tempfile.mkdtemp(prefix="jhecfg-faults-", dir=asked.work or (memory if memory.is_dir() else None)))
    start = time.monotonic()
    try:
        cases = _run([name for name in PARTS if asked.only in name], work, asked)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if asked.json:
        print(json.dumps([case._asdict() for case in cases]))
        return 0 if cases else 1
    print(table(cases))
    wrong = [case for case in cases if case.wrong]
    for case in wrong[:50]:
        print(f"WRONG {case.scene} | {case.fault} at {case.at} | {case.step} | exit {case.code} | {case.wrong}")
    print(f"{len(cases)} cases, {len(wrong)} wrong, {time.monotonic() - start:.0f} s")
    return 1 if wrong or not cases else 0


def _run(names: list[str], work: Path, asked: argparse.Namespace) -> list[Case]:
    """Run parts in processes, each of which has no threads and so may fork; each takes the next part that is left."""
    started: dict[int, Path] = {}
    cases: list[Case] = []
    waiting = list(names)
    while waiting or started:
        while waiting and len(started) < asked.jobs:
            name = waiting.pop(0)
            place = Path(tempfile.mkdtemp(dir=work))
            pid = os.fork()
            if pid == 0:
                os._exit(_part(name, place, asked))
            started[pid] = place
        pid, status = os.wait()
        place = started.pop(pid)
        found = [Case(*json.loads(line)) for line in (place / "cases.jsonl").read_text().splitlines()]
        cases += found
        if status:
            cases.append(Case(str(place), "part", 0, "", status, "", "wrong", (place / "trouble").read_text()[-1500:]))
        shutil.rmtree(place, ignore_errors=True)
    return cases


def _part(name: str, place: Path, asked: argparse.Namespace) -> int:
    world.private_mounts()
    start, count = time.monotonic(), 0
    try:
        with (place / "cases.jsonl").open("w") as out:
            for case in PARTS[name](place, asked):
                count += 1
                out.write(json.dumps(case) + "\n")
                out.flush()
    except BaseException:
        import traceback

        (place / "trouble").write_text(f"{name}\n{traceback.format_exc()}")
        return 1
    print(f"{name}: {count} cases, {time.monotonic() - start:.0f} s", file=sys.stderr, flush=True)
    return 0


def table(cases: list[Case]) -> str:
    """Return the counts as a Markdown table: by part and fault; what was left; the next command."""
    rows = Counter((case.scene, case.fault) for case in cases)
    lines = [
        "| part | fault | cases | left old | left new | left a mix | next command right | wrong |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for scene, fault in rows:
        some = [case for case in cases if (case.scene, case.fault) == (scene, fault)]
        counts = [sum(case.state == state for case in some) for state in ("old", "new", "mix")]
        right = sum(case.then == "right" for case in some)
        lines.append(
            f"| {scene} | {fault} | {len(some)} | {' | '.join(map(str, counts))} | {right} | {len(some) - right} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
