"""Count what judges from outside find in the real sites as they are, and without what they say to the judges.

    python tools/judges.py                        # a table for docs/trust.md
    python tools/judges.py --rendered chart.yaml  # beside them the objects of a chart, as `helm template` prints them
    python tools/judges.py --before DIR           # beside them the real sites as they were, in an older folder

A judge that is absent is said. Nothing is written; nothing is fetched.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.judging import OF_OBJECTS, OF_TEXT, Files, Found, bare, manifests, write  # noqa: E402
from tests.tools import find  # noqa: E402 - found through the line above

SITES = ("berkeley-demo", "berkeley-staging", "jhe-example")
JUDGES = {**OF_OBJECTS, **OF_TEXT}


def read(folder: Path) -> dict[str, str]:
    """Return the files of an output."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_text(encoding="utf-8") for path in files}


def rendered(path: Path) -> dict[str, str]:
    """Return the objects of a chart where the judges look for an output's."""
    return {"manifests/50-app/chart.yaml": path.read_text(encoding="utf-8")}


def found(name: str, outputs: Mapping[str, Files]) -> list[Found] | None:
    """Return what a judge finds in outputs, or None where it is absent."""
    judge = JUDGES[name]
    program = find(judge.program)
    if program is None:
        return None
    every: list[Found] = []
    for files in outputs.values():
        with tempfile.TemporaryDirectory() as folder:
            every += judge.ask(program, write(files, Path(folder)))
    return every


def objects(outputs: Mapping[str, Files]) -> int:
    """Return how many objects there are in outputs."""
    total = 0
    for files in outputs.values():
        with tempfile.TemporaryDirectory() as folder:
            place = write(files, Path(folder))
            total += sum(files[path].count("\nkind: ") + files[path].startswith("kind: ") for path in manifests(place))
    return total


def rows(kinds: Mapping[str, Mapping[str, Files]], details: bool) -> Iterator[tuple[str, ...]]:
    """Yield a row for each judge: its name, then its count in each kind of output."""
    for name in JUDGES:
        cells = [name]
        for kind, outputs in kinds.items():
            every = found(name, outputs)
            cells.append("absent" if every is None else str(len(every)))
            if details and every:
                for check, count in sorted(Counter(each.check for each in every).items()):
                    print(f"{kind}\t{name}\t{check}\t{count}", file=sys.stderr)
        yield tuple(cells)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rendered", type=Path, help="objects of another chart, as `helm template` prints them")
    parser.add_argument("--before", type=Path, help="a folder with older outputs of the real sites")
    parser.add_argument("--details", action="store_true", help="print each check's count, on stderr")
    asked = parser.parse_args()
    sites = {site: read(ROOT / "out" / site) for site in SITES}
    kinds: dict[str, Mapping[str, Files]] = {}
    if asked.rendered:
        kinds["the other chart"] = {"chart": rendered(asked.rendered)}
    if asked.before:
        kinds["before"] = {site: read(asked.before / site) for site in SITES}
    kinds["without the reasons"] = {site: bare(files) for site, files in sites.items()}
    kinds["as it is"] = sites
    print("| judge | " + " | ".join(kinds) + " |")
    print("| --- |" + " ---: |" * len(kinds))
    print("| objects | " + " | ".join(str(objects(outputs)) for outputs in kinds.values()) + " |")
    for row in rows(kinds, asked.details):
        print("| " + " | ".join(row) + " |", flush=True)


if __name__ == "__main__":
    main()
