"""What a change of a spec changes, and what it must not: bytes, files, leaves, names, references, Jobs, code."""

from __future__ import annotations

import ast
import copy
import json
import os
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from jhecfg.emit import scalar
from jhecfg.pipeline import Build, compile_source
from jhecfg.source import load
from jhecfg.tree import LOCK
from tests.references import KNOWN_KINDS, dangling, pod_template
from tests.strategies import Tree, source_of, specs
from tests.tools import ROOT

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent
EXAMPLES = int(os.environ.get("JHECFG_EXAMPLES", "4"))
"""Drawn cases of each property; `make faults` draws more."""
drawn = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
Leaves = dict[str, Any]


def built(tree: Tree) -> Build:
    """Compile a spec that has no error."""
    build = compile_source(source_of(tree), "builtin")
    assert [d for d in build.diagnostics if d.severity == "error"] == []
    return build


def outputs(tree: Tree) -> dict[str, bytes]:
    """Return the files of a spec that has no error, but for the lock."""
    return {path: data for path, data in built(tree).files.items() if path != LOCK}


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return the paths of files that differ, are new or are gone."""
    return [path for path in sorted({*before, *after}) if before.get(path) != after.get(path)]


# --- the same spec on another machine ---------------------------------------------------------------------------------


# Each is a machine that differs in several ways at once; where one fails, its name says where to look.
MACHINES: dict[str, dict[str, str | None]] = {
    "seed 0, C, Kiritimati, narrow": {"PYTHONHASHSEED": "0", "LC_ALL": "C", "TZ": "Pacific/Kiritimati", "COLUMNS": "20"},
    "seed 1, POSIX, no UTF-8 mode": {"PYTHONHASHSEED": "1", "LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "seed 2, C.UTF-8, optimized": {"PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "PYTHONOPTIMIZE": "2", "TZ": "Asia/Kathmandu"},
    "seed 3, no home": {"PYTHONHASHSEED": "3", "HOME": None, "XDG_CACHE_HOME": None, "USER": None, "TZ": "America/New_York"},
    "seed 4, latin-1 files, debug": {"PYTHONHASHSEED": "4", "PYTHONIOENCODING": "latin-1", "PYTHONDEVMODE": "1", "NO_COLOR": "1"},
    "seed 5, colours, terminal": {"PYTHONHASHSEED": "5", "FORCE_COLOR": "1", "TERM": "xterm-256color", "LANG": "en_US.UTF-8"},
}  # fmt: skip


@cache
def expected() -> dict[str, bytes]:
    """Return the files of the base spec, as this process compiles it."""
    return dict(compile_source(load(TESTS / "base.yaml")).files)


def build_on(
    place: Path, machine: dict[str, str | None], *words: str, python: str = sys.executable
) -> dict[str, bytes]:
    """Build the base spec in a process and an oddly named folder of its own; return the files."""
    work = place / "some where ünï"
    work.mkdir(parents=True)
    (work / "site.yaml").write_bytes((TESTS / "base.yaml").read_bytes())
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(place / "cache"), **machine}
    environment = {name: value for name, value in environment.items() if value is not None}
    command = [python, "-m", "jhecfg", "build", *(words or ("site.yaml",)), "-q"]
    done = subprocess.run(command, cwd=work, env=environment, check=False, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return files_below(work / "out" / "base")


def files_below(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder by its path."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize("machine", MACHINES)
def test_the_bytes_depend_on_no_machine(tmp_path: Path, machine: str) -> None:
    """Hash seed, time zone, locale, encodings, home, colours, optimization and working directory shape no byte."""
    assert build_on(tmp_path, MACHINES[machine]) == expected()


@pytest.mark.parametrize("locale", ["tr_TR.UTF-8", "de_DE.ISO-8859-1"])
def test_the_bytes_depend_on_no_locale(tmp_path: Path, locale: str) -> None:
    """A locale in which `I`.lower() is not `i`, and one whose encoding is not UTF-8, made here by `localedef`."""
    from shutil import which

    language, _, encoding = locale.partition(".")
    made = which("localedef") and subprocess.run(
        ["localedef", "-i", language, "-f", encoding, str(tmp_path / locale)], capture_output=True, check=False
    )
    if not made or not (tmp_path / locale).is_dir():
        pytest.skip(f"localedef cannot make {locale} here: apt-get install locales")
    machine: dict[str, str | None] = {"LOCPATH": str(tmp_path), "LC_ALL": locale, "PYTHONUTF8": "0"}
    assert build_on(tmp_path, machine) == expected()


PYTHONS = ("3.12", "3.13", "3.14")


@pytest.mark.parametrize("version", PYTHONS)
def test_the_bytes_depend_on_no_python(version: str, tmp_path: Path) -> None:
    """Another Python writes the same bytes; skipped by name where the machine has none."""
    python = ROOT / ".tools" / f"python{version}" / "bin" / "python"
    if not python.exists():
        pytest.skip(f"python{version} is absent: install it, then run `make tools`")
    assert build_on(tmp_path, {"PYTHONDONTWRITEBYTECODE": "1"}, python=str(python)) == expected()


def test_the_bytes_depend_on_no_path_to_the_spec(tmp_path: Path) -> None:
    """Named from afar, by an absolute path, by a link or by a way around, a spec has the same outputs."""
    away = tmp_path / "away"
    away.mkdir()
    (away / "other.yaml").write_bytes((TESTS / "base.yaml").read_bytes())
    (away / "link.yaml").symlink_to("other.yaml")  # one that leads out of the repository is refused
    ways = (
        str(TESTS / "base.yaml"),
        str(away / "link.yaml"),
        os.path.relpath(TESTS / "base.yaml", tmp_path / "2/some where ünï"),
    )
    for number, way in enumerate(ways):
        assert build_on(tmp_path / str(number), {}, way) == expected()


def test_the_umask_shapes_modes_and_no_byte(tmp_path: Path) -> None:
    """Files have the umask's mode and the same bytes."""
    before = os.umask(0o077)
    try:
        assert build_on(tmp_path, {}) == expected()
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "some where ünï/out/base").rglob("*.yaml")}
    assert modes == {0o600}


def test_the_bytes_depend_on_no_fleet(tmp_path: Path) -> None:
    """Alone or among others, first or last, with one process or two, with a cache or without: the same files."""
    names = ["base.yaml", *(f"minimal-{n}.yaml" for n in range(22))]
    for name in names[1:]:
        (tmp_path / name).write_text(MINIMAL.replace("SITE", name.removesuffix(".yaml")))
    (tmp_path / "base.yaml").write_bytes((TESTS / "base.yaml").read_bytes())
    seen = []
    for number, (order, jobs, cached) in enumerate((("", "1", ""), ("reversed", "2", "1"), ("reversed", "1", ""))):
        given_names = names[::-1] if order else names
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "cache")}
        environment |= {"JHECFG_NO_CACHE": cached} if cached else {}
        command = [sys.executable, "-m", "jhecfg", "build", "-q", "--jobs", jobs, "--out", f"out{number}", *given_names]
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
        seen.append({p: d for p, d in files_below(tmp_path / f"out{number}").items() if not p.startswith(".jhecfg/")})
    assert seen[0] == seen[1] == seen[2]
    assert {p.removeprefix("base/"): d for p, d in seen[0].items() if p.startswith("base/")} == expected()


MINIMAL = """\
apiVersion: jhecfg/v1
site: SITE
domain: SITE.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""

# --- the same spec, laid out otherwise --------------------------------------------------------------------------------


@drawn
@given(specs(), st.randoms(use_true_random=False))
def test_no_layout_of_the_spec_shapes_a_byte(tree: Tree, chance: random.Random) -> None:
    """Block or flow, any quotes, indents, comments, empty lines, line ends, BOM, order of keys: the same files."""
    text = laid_out(tree, chance)
    build = compile_source(load(Path("spec.yaml"), name="spec.yaml", text=text), "builtin")
    assert build.files == built(tree).files


def laid_out(tree: Tree, chance: random.Random) -> bytes:
    """Write a tree as YAML in one of its many layouts."""
    lines = []
    for line in _block(tree, 0, chance):
        if chance.random() < 0.15:
            lines.append(" " * chance.randrange(9) + "# said: {by} [somebody]: 'no\" end")
        if chance.random() < 0.1:
            lines.append("")
        lines.append(line + (chance.choice(("  # why", " #", "")) if chance.random() < 0.3 else ""))
    end = chance.choice(("\n", "\r\n"))
    text = end.join([*(["---"] if chance.random() < 0.3 else []), *lines]) + (end if chance.random() < 0.7 else "")
    return (b"\xef\xbb\xbf" if chance.random() < 0.2 else b"") + text.encode()


def _block(value: Any, indent: int, chance: random.Random) -> Iterator[str]:
    step = chance.randint(1, 6)
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        for key in keys:
            yield from _entry(f"{' ' * indent}{_scalar(key, chance)}:", value[key], indent + step, chance)
    else:
        for item in value:
            yield from _entry(f"{' ' * indent}-", item, indent + step, chance)


def _entry(lead: str, value: Any, indent: int, chance: random.Random) -> Iterator[str]:
    if isinstance(value, dict | list) and value and chance.random() < 0.6:
        yield lead
        yield from _block(value, indent, chance)
    else:
        yield f"{lead} {_flow(value, chance)}"


def _flow(value: Any, chance: random.Random) -> str:
    space = chance.choice(("", " ", "   "))
    if isinstance(value, dict):
        keys = list(value)
        chance.shuffle(keys)
        return (
            "{"
            + space
            + f",{space or ' '}".join(f"{_scalar(k, chance, flow=True)}: {_flow(value[k], chance)}" for k in keys)
            + space
            + "}"
        )
    if isinstance(value, list):
        return "[" + space + f",{space or ' '}".join(_flow(item, chance) for item in value) + space + "]"
    return _scalar(value, chance, flow=True)


def _scalar(value: Any, chance: random.Random, *, flow: bool = False) -> str:
    """Write a scalar bare where that is allowed, or in either kind of quotes."""
    if not isinstance(value, str):
        return scalar(value)
    bare = scalar(value)
    if bare == value and not (flow and set(",[]{}?:#") & set(value)) and chance.random() < 0.5:
        return bare
    if value.isprintable() and chance.random() < 0.5:
        return "'" + value.replace("'", "''") + "'"
    astral = any(ord(each) > 0xFFFF for each in value)  # JSON escapes those in two halves, which YAML forbids
    return json.dumps(value, ensure_ascii=not astral and chance.random() < 0.5)


# --- a change of one hub ----------------------------------------------------------------------------------------------

A = "annex"
"""The hub that is changed; no word of any other output."""
B = "brook"


@st.composite
def with_two_hubs(draw: st.DrawFn) -> Tree:
    """Draw a spec with the hubs A and B, of any kind, among others."""
    tree: Tree = draw(specs().filter(lambda tree: len(tree["hubs"]) > 1))
    tree = copy.deepcopy(tree)
    for hub, name in zip(tree["hubs"], (A, B), strict=False):
        hub |= {"name": name, "domain": f"{name}.hubs.example.org"}
        if "clientId" in hub:
            hub["clientId"] = f"client-{name}"
    order = draw(st.permutations(tree["hubs"]))
    return {**tree, "hubs": list(order)}


# What else may change, and why. `own` are A's: its folder, its namespace, secrets and certificate, its release.
RUNBOOK = "RUNBOOK.md"  # tells people about every hub: who may enter, what to do
REGISTERED = ("manifests/40-bootstrap/configmap-bootstrap.yaml", "manifests/40-bootstrap/job-bootstrap.yaml",
              "manifests/70-smoke-test/configmap-smoke-test.yaml", "manifests/70-smoke-test/job-smoke-test.yaml")  # fmt: skip
# ^ the Exchange's OAuth applications, one for each hub, which two Jobs register and try
LISTENING = ("manifests/60-routes/gateway.yaml",)  # the edge: a listener for each host name
LISTED = ("manifests/20-config/kustomization.yaml", "manifests/60-routes/kustomization.yaml", "gitops/flux/kustomization.yaml",
          "gitops/flux/hubs/kustomization.yaml")  # fmt: skip
# ^ list the files of their folder, and a hub's are among them
FIRST_OR_LAST = (
    "gitops/flux/kustomization-hubs.yaml",
    "gitops/flux/hubs/helmrepository-jupyterhub.yaml",
    "helm/external-dns.values.yaml",
)
# ^ are there, or watch hubs' routes, if there is any hub in the cluster
PROJECTS = ("gitops/argocd/appproject-exchange.yaml",)  # lists the namespaces that the Exchange's Applications may fill

Edit = Callable[[Tree], Tree]
VALUES: dict[str, Edit] = {
    "admins": lambda hub: {**hub, "admins": {"users": ["root@annex.example.org"]}},
    "image": lambda hub: {**hub, "image": {"repository": "quay.io/annex/image", "tag": "2026.10.01"}},
    "env": lambda hub: {**hub, "env": {"STUDY": "annex-study"}},
    "smart": lambda hub: {**hub, "smart": {"clientId": "annex-ehr-client"}},
    "values": lambda hub: {**hub, "values": {"custom": {"note": "annex"}}},
    "memory": lambda hub: {**hub, "resources": {"memory": {"guarantee": "1G", "limit": "3G"}}},
    "cores": lambda hub: {**hub, "resources": {"cpu": {"limit": 1}}},
    "capacity": lambda hub: {**hub, "storage": {**hub.get("storage", {}), "capacityGiB": 20}},
}
"""Edits of the hub's own values alone; nothing of the site outside of A's files may change."""
SHOWN: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "access": (lambda hub: {**hub, "access": {"users": ["ada@annex.example.org"]}}, (RUNBOOK,)),
    "clientId": (lambda hub: {**hub, "clientId": "annex-client"}, (RUNBOOK, *REGISTERED)),
    "domain": (lambda hub: {**hub, "domain": "moved.annex.example.org"}, (RUNBOOK, *REGISTERED, *LISTENING)),
    "name": (
        lambda hub: {**hub, "name": "annex-2", "domain": hub["domain"]},
        (RUNBOOK, *REGISTERED, *LISTENING, *LISTED, *PROJECTS),
    ),
    "deploy": (
        lambda hub: {
            **hub,
            "deploy": "external" if hub["deploy"] == "cluster" else "cluster",
            "storage": {"storageClass": "gp3"},
        },
        (RUNBOOK, *LISTENING, *LISTED, *FIRST_OR_LAST, *PROJECTS),
    ),
}
"""Edits that others have to know of, and which files those are."""


def is_own(path: str, name: str) -> bool:
    """Whether a file is about one hub: the hub's name is a word of its path."""
    return any(name in (part, *re.split(r"[.-]", part)) for part in path.split("/"))


@pytest.mark.parametrize("edit", [*VALUES, *SHOWN])
@settings(drawn, max_examples=max(2, EXAMPLES // 3))
@given(with_two_hubs())
def test_a_change_of_one_hub_touches_only_its_files_and_those_named_here(edit: str, tree: Tree) -> None:
    """Each field of a hub has a list of other files that may change, and hub B's are on none."""
    make, allowed = (VALUES[edit], ()) if edit in VALUES else SHOWN[edit]
    after = {**tree, "hubs": [make(hub) if hub["name"] == A else hub for hub in tree["hubs"]]}
    for path in changed(outputs(tree), outputs(after)):
        assert is_own(path, A) or path in allowed, path
        assert not is_own(path, B), path


@drawn
@given(with_two_hubs(), st.sampled_from(("access", "clientId", "domain", "remove")))
def test_what_changes_in_shared_files_speaks_of_the_hub_alone(tree: Tree, edit: str) -> None:
    """In the files that list hubs, each leaf and item that comes, goes or changes is hub A's."""
    edited = None if edit == "remove" else SHOWN[edit][0]
    hubs = [edited(hub) if edited and hub["name"] == A else hub for hub in tree["hubs"] if edited or hub["name"] != A]
    one, other = built(tree), built({**tree, "hubs": hubs})
    for path in changed(dict(one.files), dict(other.files)):
        if is_own(path, A) or path in (LOCK, RUNBOOK, *FIRST_OR_LAST):  # the runbook's sentences name several hubs
            continue
        before, after = (marked(build, path) for build in (one, other))
        for piece in before ^ after:
            assert speaks_of(piece, path), (path, piece)


def marked(build: Build, path: str) -> set[str]:
    """Return the pieces of a file, each whole: items of lists, entries of mappings, lines of a page."""
    artifact = next((a for a in build.artifacts if a.path == path), None)
    if artifact is None:
        return set()
    if isinstance(artifact.tree, dict):
        return set(_pieces(artifact.tree))
    return set(build.files[path].decode().splitlines())


def _pieces(value: Any, at: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _pieces(below, f"{at}.{key}")
    elif isinstance(value, list):
        for item in value:  # its place in the list does not count
            yield f"{at}[] {json.dumps(item, sort_keys=True)}" if not isinstance(item, str) else f"{at}[] {item}"
    elif isinstance(value, str) and value.startswith("{"):
        yield from _pieces(json.loads(value), f"{at}()")
    else:
        yield f"{at} {value}"


_DIGESTS = re.compile(r"-[0-9a-f]{8,}$|digest|checksum|[0-9a-f]{32,}")


def speaks_of(piece: str, path: str) -> bool:
    """Whether a piece is about hub A; or names a Job whose input changed, or lists what is there if any hub is."""
    lists_first = path in LISTED and any(name.rpartition("/")[2] in piece for name in FIRST_OR_LAST)
    return A in piece or lists_first or (path.rpartition("/")[2].startswith("job-") and bool(_DIGESTS.search(piece)))


@drawn
@given(with_two_hubs())
def test_adding_a_hub_and_taking_it_away_restores_every_byte(tree: Tree) -> None:
    """There is no memory: the spec alone decides."""
    without = {**tree, "hubs": [hub for hub in tree["hubs"] if hub["name"] != A]}
    before = built(without).files
    built(tree)
    assert built(copy.deepcopy(without)).files == before


@drawn
@given(with_two_hubs(), st.randoms(use_true_random=False))
def test_the_order_of_hubs_shapes_the_lists_alone(tree: Tree, chance: random.Random) -> None:
    """In another order no hub's file changes; what lists hubs has the same items, in their order."""
    hubs = list(tree["hubs"])
    chance.shuffle(hubs)
    one, other = built(tree), built({**tree, "hubs": hubs})
    for path in changed(dict(one.files), dict(other.files)):
        assert path in (LOCK, RUNBOOK, *REGISTERED, *LISTENING, *LISTED, *PROJECTS), path
        if path in (*LISTENING, *LISTED, *PROJECTS):
            assert marked(one, path) == marked(other, path), path


# --- a change of organizations, and of the site -----------------------------------------------------------------------

ORGS = (RUNBOOK, *REGISTERED)  # the bootstrap Job makes organizations, and the smoke test looks whether they are there


@drawn
@given(specs(), st.data())
def test_adding_an_organization_touches_the_bootstrap_data_and_the_hubs_that_name_it(
    tree: Tree, data: st.DataObject
) -> None:
    """A new organization is the bootstrap Job's business; a hub's files change only if its access names it."""
    new = {"name": "Quite New", "id": 29999, "type": "other"}
    after = {**tree, "orgs": [*tree["orgs"], new]}
    before = outputs(tree)
    assert set(changed(before, outputs(after))) <= set(ORGS)
    assume([hub for hub in tree["hubs"] if "orgs" in hub["access"]])
    chosen = data.draw(st.sampled_from([hub for hub in tree["hubs"] if "orgs" in hub["access"]]))
    opened = {**chosen, "access": {"orgs": [*chosen["access"]["orgs"], "Quite New"]}}
    after["hubs"] = [opened if hub is chosen else hub for hub in tree["hubs"]]
    for path in changed(before, outputs(after)):
        assert path in ORGS or is_own(path, chosen["name"]), path


@drawn
@given(specs().filter(lambda tree: tree["orgs"]))
def test_renaming_an_organization_touches_no_pod_and_no_hub(tree: Tree) -> None:
    """Hubs know organizations by id, so a new name goes to the bootstrap data, and to what people read."""
    old, new = tree["orgs"][0]["name"], "Quite Another Name"
    after = json.loads(json.dumps(tree), object_hook=lambda each: {k: _renamed(v, old, new) for k, v in each.items()})
    after["site"] = tree["site"]
    for hub, was in zip(after["hubs"], tree["hubs"], strict=True):
        hub |= {key: was[key] for key in ("name", "env") if key in was}
    after["exchange"] = tree["exchange"]
    for path in changed(outputs(tree), outputs(after)):
        assert path in ORGS or path.endswith("/README.md"), path


def _renamed(value: Any, old: str, new: str) -> Any:
    if isinstance(value, list):
        return [_renamed(item, old, new) for item in value]
    return new if value == old else value


DIGEST = re.compile(rb'"?\b[0-9a-f]{8,64}\b"?')
"""Part of a Job's name, and of a pod's annotations; one of digits alone is in quotes."""


@drawn
@given(specs())
def test_renaming_the_site_moves_exactly_its_folder(tree: Tree) -> None:
    """Under another name every file is the same one, at the path and with the text that the new name gives it."""
    one, two = "sitename-one", "sitename-two"
    files = [outputs({**tree, "site": name}) for name in (one, two)]
    moved = {path.replace(one, two): data for path, data in files[0].items()}
    assert sorted(moved) == sorted(files[1])
    for path, data in moved.items():
        texts = [DIGEST.sub(b"DIGEST", text) for text in (data.replace(one.encode(), two.encode()), files[1][path])]
        assert texts[0] == texts[1], path


@drawn
@given(specs())
def test_a_comment_touches_nothing(tree: Tree) -> None:
    """Not even the lock."""
    text = json.dumps(tree, ensure_ascii=False, indent=1).encode() + b"\n# a word\n"
    assert compile_source(load(Path("spec.yaml"), name="spec.yaml", text=text), "builtin").files == built(tree).files


# --- names and references ---------------------------------------------------------------------------------------------

LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
SUBDOMAIN = re.compile(rf"{LABEL.pattern}(\.{LABEL.pattern})*")
RESERVED = {"con", "prn", "aux", "nul", *(f"{kind}{n}" for kind in ("com", "lpt") for n in range(10))}
AS_LABEL = {"Namespace", "Service", "Job", "CronJob", "HelmRelease"}
LONGEST = {"Job": 63, "CronJob": 52, "HelmRelease": 53, "Namespace": 63, "Service": 63}
"""Kubernetes allows a CronJob 52, since its Jobs get 11 more; Helm allows a release 53."""


@drawn
@given(specs())
def test_every_name_is_one_that_kubernetes_helm_and_every_file_system_take(tree: Tree) -> None:
    """DNS-1123 names of allowed length, label values of 63; paths that differ by more than case, none that Windows keeps."""
    build = built(tree)
    for artifact in build.artifacts:
        if (
            isinstance(artifact.tree, dict)
            and "metadata" in artifact.tree
            and artifact.path.startswith(("manifests/", "gitops/"))
        ):
            judge_names(artifact.path, artifact.tree)
    spelled: dict[str, str] = {}
    for path in build.files:
        parts = path.split("/")
        for depth in range(1, len(parts) + 1):
            at = "/".join(parts[:depth])
            assert spelled.setdefault(at.lower(), at) == at
        for part in parts:
            assert part.split(".")[0].lower() not in RESERVED, path
            assert not part.endswith((".", " ")), path
            assert re.fullmatch(r"[A-Za-z0-9._-]+", part), path
        assert len(f"out/{build.site.name}/{path}") < 200, path


def judge_names(path: str, tree: Tree) -> None:
    """Judge the name, namespace and labels of an object and of its pods."""
    meta, kind = tree["metadata"], tree["kind"]
    pattern = LABEL if kind in AS_LABEL else SUBDOMAIN
    assert pattern.fullmatch(meta["name"]), (path, meta["name"])
    assert len(meta["name"]) <= LONGEST.get(kind, 253), (path, meta["name"])
    assert LABEL.fullmatch(meta.get("namespace", "x")), path
    for labels in (meta.get("labels", {}), (pod_template(tree) or {}).get("metadata", {}).get("labels", {})):
        for key, value in labels.items():
            assert re.fullmatch(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?", value), (path, key, value)
            assert len(key.rpartition("/")[2]) <= 63, (path, key)


@drawn
@given(specs())
def test_every_reference_leads_somewhere(tree: Tree) -> None:
    """Secrets and their keys, ConfigMaps, accounts, Services and ports, pods, namespaces, issuers, gateways, paths: all exist."""
    build = built(tree)
    assert dangling(build) == []
    kinds = {a.tree["kind"] for a in build.artifacts if isinstance(a.tree, dict) and "kind" in a.tree}
    assert kinds <= KNOWN_KINDS


def test_the_search_for_references_sees_what_is_missing(base: Any) -> None:
    """Without any one of these outputs, something dangles: so the test above can fail."""
    build = compile_source(base)
    kinds = ("ConfigMap", "Service", "ServiceAccount", "ExternalSecret", "SecretStore", "Certificate", "ClusterIssuer",
             "Gateway", "GatewayClass", "EnvoyProxy", "HTTPRouteFilter", "Deployment", "Namespace", "AppProject")  # fmt: skip
    seen = set()
    for artifact in build.artifacts:
        if isinstance(artifact.tree, dict) and artifact.tree.get("kind") in kinds and "argocd-cm" not in artifact.path:
            less = build._replace(artifacts=tuple(a for a in build.artifacts if a is not artifact))
            if dangling(less):
                seen.add(artifact.tree["kind"])
    assert seen == set(kinds)


# --- Jobs and code ----------------------------------------------------------------------------------------------------


@drawn
@given(specs(), specs())
def test_every_job_has_a_new_name_exactly_when_its_spec_is_new(one: Tree, other: Tree) -> None:
    """Of each Job that two specs have: same template, same name; another template, another name."""
    jobs = [_jobs({**tree, "site": "same", "namespace": "same"}) for tree in (one, other)]
    for path in jobs[0].keys() & jobs[1].keys():
        first, second = jobs[0][path], jobs[1][path]
        assert (first["metadata"]["name"] == second["metadata"]["name"]) == (first["spec"] == second["spec"]), path


@drawn
@given(specs(), st.sampled_from(("title", "logLevel", "replicas", "orgs", "rerun", "tag")))
def test_one_change_gives_a_job_a_new_name_exactly_when_its_spec_is_new(tree: Tree, change: str) -> None:
    """Neighbours, too, which two drawn specs never are."""
    after = copy.deepcopy(tree)
    if change in ("rerun",):
        after["rerun"] = "once-more"
    elif change == "orgs":
        after["orgs"] = [*tree["orgs"], {"name": "Quite New", "id": 29999, "type": "other"}]
    elif change == "tag":
        after["image"] = {"tag": "v0.0.13" if tree["image"]["tag"] != "v0.0.13" else "v0.0.12"}
    else:
        after["exchange"][change] = {"title": "Quite Another", "logLevel": "WARNING", "replicas": 5}[change]
    before, now = _jobs(tree), _jobs(after)
    for path in before.keys() & now.keys():
        assert (before[path]["metadata"]["name"] == now[path]["metadata"]["name"]) == (
            before[path]["spec"] == now[path]["spec"]
        ), path
    if change == "rerun":
        names = [{job["metadata"]["name"] for job in jobs.values()} for jobs in (before, now)]
        assert not names[0] & names[1]


def _jobs(tree: Tree) -> dict[str, Tree]:
    return {a.path: a.tree for a in built(tree).artifacts if isinstance(a.tree, dict) and a.tree.get("kind") == "Job"}


CODE_KEYS = ("lua", "resource.customizations")


def code_in(build: Build) -> set[tuple[str, str]]:
    """Return every piece of code in the outputs, with the language it is in."""
    found: set[tuple[str, str]] = set()
    for artifact in build.artifacts:
        if not isinstance(artifact.tree, dict):
            continue
        if artifact.tree.get("kind") == "ConfigMap":
            for key, text in artifact.tree.get("data", {}).items():
                if key.endswith(".py"):
                    found.add(("python", text))
                if key.startswith(CODE_KEYS):
                    found.add(("lua", text))
        values = (
            artifact.tree.get("spec", {}).get("values") if artifact.tree.get("kind") == "HelmRelease" else artifact.tree
        )
        if isinstance(values, dict) and isinstance(values.get("hub"), dict):
            found.update(("python", text) for text in values["hub"].get("extraConfig", {}).values())
        template = pod_template(artifact.tree)
        for container in (template or {"spec": {"containers": []}})["spec"]["containers"]:
            words = [*container.get("command", ()), *container.get("args", ())]
            found.update(("shell", word) for word in words if re.search(r"[\s;&|<>`$]", word))
            found.update(("word", word) for word in words if not re.search(r"[\s;&|<>`$]", word))
    return found


WORDS = re.compile(r"[a-z0-9./_:=-]+|--[a-z-]+(=.*)?", re.IGNORECASE)
_seen_code: set[tuple[str, str]] = set()


@drawn
@given(specs())
def test_code_is_one_constant_set_whatever_the_spec(tree: Tree) -> None:
    """Python, shell and Lua of the outputs are the release's own: never a character of a spec in them, and all parse."""
    build = built(tree)
    found = {(language, text) for language, text in code_in(build) if language != "word"}
    again = {(language, text) for language, text in code_in(built(_said_otherwise(tree))) if language != "word"}
    assert found == again
    _seen_code.update(found)
    assert len({text for language, text in _seen_code if language == "python"}) <= 6
    assert len({text for language, text in _seen_code if language != "python"}) <= 12
    for language, text in found:
        if language == "python":
            ast.parse(text)
        if language == "shell":
            subprocess.run(["sh", "-n"], input=text.encode(), check=True, capture_output=True)


def _said_otherwise(tree: Tree) -> Tree:
    """Return the spec with every free text another one; what it asks for stays."""
    after = copy.deepcopy(tree)
    after |= {"site": "otherwise", "domain": "otherwise.example.net", "contact": "else@example.net"}
    after["exchange"]["title"] = "Otherwise; 'z'"
    names = {org["name"]: f"Other '{n}' \"x\"" for n, org in enumerate(after["orgs"])}
    for org in after["orgs"]:
        org |= {"name": names[org["name"]], "id": org["id"] + 5000}
        if "parent" in org:
            org["parent"] = names[org["parent"]]
    for number, hub in enumerate(after["hubs"]):
        hub |= {"name": f"else-{number}", "domain": f"else-{number}.example.net"}
        for key in ("access", "admins"):
            if "orgs" in hub.get(key, {}):
                hub[key] = {"orgs": [names[name] for name in hub[key]["orgs"]]}
        if "env" in hub:
            hub["env"] = dict.fromkeys(hub["env"], "'''; import os #")
    return after


# --- every object -----------------------------------------------------------------------------------------------------


@drawn
@given(specs())
def test_every_object_is_valid_and_none_is_twice_there(tree: Tree) -> None:
    """The schemas accept each object, one object is one file, and PyYAML reads what was meant."""
    build = built(tree)
    identities = [
        (a.tree["apiVersion"], a.tree["kind"], a.tree["metadata"].get("namespace"), a.tree["metadata"]["name"])
        for a in build.artifacts
        if isinstance(a.tree, dict) and "metadata" in a.tree and a.path.startswith(("manifests/", "gitops/"))
    ]
    assert len(identities) == len(set(identities))
    assert build.objects_checked >= len([a for a in build.artifacts if a.manifest is not None])
    for artifact in build.artifacts:
        if isinstance(artifact.tree, dict):
            assert yaml.load(build.files[artifact.path], yaml.CSafeLoader) == artifact.tree
