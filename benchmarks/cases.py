"""The cases of the design: one site, fleets, a large site, hostile files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from measure import Cost, Row, best, documents, measure

UNCHANGED: dict[int, str] = {}
ONE_CHANGED = {1000: "≤ 1.2 s"}


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


# --- measured ---------------------------------------------------------------------------------------------------------


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
    same = best([jhecfg, "build"], work, repeat, cache=True)
    yield Row(f"build, {count:,} sites, nothing changed", same, total, UNCHANGED.get(count, ""))
    changed = min((_one_changed(jhecfg, work, run) for run in range(repeat + 1)), key=lambda cost: cost.cpu)
    yield Row(f"build, {count:,} sites, one changed", changed, total, ONE_CHANGED.get(count, ""))


def _one_changed(jhecfg: str, work: Path, run: int) -> Cost:
    """Measure a build after one spec of a fleet got another contact."""
    path = work / "specs" / "site0001.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("contact: ", f"contact: x{run}"), encoding="utf-8")
    return measure([jhecfg, "build"], work, cache=True)


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
