"""The tables of docs/speed.md and README.md, written from one run: only what stands between their marks is replaced."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from measure import Row


def write(root: Path, where: str, table: Sequence[str], beside: Sequence[str] | None, rows: Mapping[str, Row]) -> None:
    """Put a run into both pages; without peers their table stays as it was."""
    page = root / "docs" / "speed.md"
    text = between(page.read_text(encoding="utf-8"), "cases", f"{where}\n\n" + "\n".join(table))
    if beside is not None:
        text = between(text, "peers", f"{where}\n\n{beside_text(beside)}")
    page.write_text(text, encoding="utf-8")
    summary = short(rows)
    if summary:
        readme = root / "README.md"
        readme.write_text(between(readme.read_text(encoding="utf-8"), "speed", summary), encoding="utf-8")


def between(text: str, name: str, new: str) -> str:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->`."""
    opening, closing = f"<!-- {name} -->", f"<!-- /{name} -->"
    pattern = re.compile(rf"(?<={re.escape(opening)}\n).*?(?=\n{re.escape(closing)})", re.DOTALL)
    if not pattern.search(text):
        raise SystemExit(f"there is no {opening} … {closing} to write into")
    return pattern.sub(new.replace("\\", "\\\\"), text, count=1)


def beside_text(lines: Sequence[str]) -> str:
    """Return the table of the peers, and below it what could not be measured."""
    table = [line for line in lines if line.startswith("|")]
    return "\n".join([*table, *(f"\n{line}." for line in lines if not line.startswith("|"))])


def short(rows: Mapping[str, Row]) -> str:
    """Return the five figures of the README; nothing where a run left some of them out."""
    cases = ("build, 1 site, cold, validated", "build, nothing changed", "build, 1,000 sites, validated")
    large = "build, 1 site, 200 hubs, 2,000 orgs"
    hostile = [row.cost.cpu for case, row in rows.items() if case.startswith("refuse ")]
    if not hostile or not all(case in rows for case in (*cases, large)):
        return ""
    cold, same, fleet = (rows[case].cost for case in cases)
    cells = (
        f"{cold.cpu:.2f} s, {cold.memory:.0f} MiB",
        f"{same.cpu:.2f} s",
        f"{fleet.cpu:.1f} s, {fleet.memory:.0f} MiB",
        f"{rows[large].cost.cpu:.2f} s",
        f"refused in {min(hostile):.2f} to {max(hostile):.2f} s",
    )
    head = "| one site, cold | nothing changed | 1,000 sites | 200 hubs, 2,000 orgs | 1 MB of hostile YAML |"
    return f"{head}\n| --- | --- | --- | --- | --- |\n| {' | '.join(cells)} |"
