"""Goldens: the real sites; bad specs and what a person sees; deltas of the base spec and what a reviewer sees; no dead field."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from jhecfg.cli import run
from jhecfg.diagnostics import Loc, SpecError
from jhecfg.pipeline import compile_source, documentation
from jhecfg.reader import read
from jhecfg.rules import code_of, gitops, grants, order
from jhecfg.source import Source, load
from jhecfg.spec import SiteSpec
from jhecfg.tree import LOCK

TESTS = Path(__file__).parent
ROOT = TESTS.parent
BAD = sorted((TESTS / "bad").glob("*.yaml"))
DELTAS = sorted((TESTS / "deltas").glob("*.yaml"))
SITES = sorted(path.name for path in (ROOT / "out").iterdir() if not path.name.startswith("."))

NO_EXAMPLE = {
    "kubeconform": "it judges by the schemas that the built-in judge has accepted: test_kubeconform plants a violation",
    "extends-too-deep": "needs seventeen files: test_source makes them",
    "long-name": "the schemas know the limits of labels, and the spec's names are short: test_rules plants one",
    "duplicate-object": "no spec can cause it alone, since patches may not rename: test_rules plants one",
    "unknown-namespace": "no spec can cause it, since patches may not move: test_rules plants one",
    "secret-in-output": "the net behind secret-in-spec and hub-values-secret: test_rules plants a secret",
    "hub-values-secret": "the net behind secret-in-spec, which stops the reading: test_hub_values plants a secret",
}
NO_EXAMPLE |= {
    code_of(rule): "a net below the delivery's renderers: test_gitops plants one of each"
    for rule in (*gitops.RULES, *grants.RULES, order.comes_too_early)
}
"""Codes that no small file can cause, each with the reason."""

NO_DELTA = {
    "exchange.mcp.replicas": "only one value is allowed",
    "apiVersion": "there is one version",
    "extends": "every delta extends the base; test_layers",
    "site": "it names every file: test_properties renames sites",
    "patches.target.kind": "names an object",
}
"""Fields of the spec that no delta shows, each with the reason."""


def said(path: Path, capsys: pytest.CaptureFixture[str], out: Path) -> tuple[int, str]:
    """Check one bad spec (and its twin in bad/with/) as a person would; return the exit code and stderr."""
    twin = path.parent / "with" / path.name
    specs = [str(each.relative_to(ROOT)) for each in (twin, path) if each.exists()]
    code = run(["check", *specs, "--strict", "--quiet", "--validator", "builtin", "--out", str(out)])
    return code, capsys.readouterr().err


def golden(path: Path, text: str, *, update: bool) -> str:
    """Return what a golden file holds; rewrite it first where that is asked for."""
    if update:  # in one step: another process may be reading it
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_bytes(text.encode())
        fresh.replace(path)
    return path.read_bytes().decode()


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_spec_is_refused_in_these_words(
    path: Path, update: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistake exits with 1, writes nothing, and says exactly what its .txt holds."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("NO_COLOR", "1")
    code, text = said(path, capsys, tmp_path / "out")
    assert text == golden(path.with_suffix(".txt"), text, update=update)
    assert code == 1
    assert not (tmp_path / "out").exists()


def test_every_code_has_a_bad_example_and_every_example_shows_its_code() -> None:
    """bad/<code>[-variant].txt shows that code; the codes without an example are listed with a reason."""
    shown = {path.stem: set(re.findall(r"(?:error|warning)\[([a-z0-9-]+)\]", text_of(path))) for path in BAD}
    codes = documentation().keys()
    for name, seen in shown.items():
        own = max((code for code in codes if name == code or name.startswith(f"{code}-")), key=len, default=None)
        assert own in seen if own else seen, f"{name} shows {seen}"
    assert codes - set().union(*shown.values()) <= NO_EXAMPLE.keys() <= codes


def text_of(path: Path) -> str:
    """Return what a bad spec's .txt holds."""
    return path.with_suffix(".txt").read_text(encoding="utf-8")


# --- real sites -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SITES)
def test_a_real_site_is_what_its_spec_builds(name: str) -> None:
    """What is checked in is, byte for byte and file for file, what today's code makes; `jhecfg build` makes it again."""
    path, folder = Path("specs", f"{name}.yaml"), ROOT / "out" / name
    kept = {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    files = compile_source(load(ROOT / path, name=path.as_posix()), "builtin").files
    assert kept.keys() == files.keys()
    assert [each for each in kept if kept[each] != files[each]] == []


# --- deltas -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def before(base: Source) -> Mapping[str, bytes]:
    """Return the outputs of the base spec."""
    return compile_source(base, "builtin").files


@pytest.mark.parametrize("path", DELTAS, ids=lambda path: path.stem)
def test_a_delta_changes_this_and_only_this(path: Path, update: bool, before: Mapping[str, bytes]) -> None:
    """Laid over tests/base.yaml, a delta changes the outputs exactly as its .diff says."""
    build = compile_source(load(path, name=path.name), "builtin")
    assert [d for d in build.diagnostics if d.severity == "error"] == []
    text = "".join(changes(before, build.files))
    assert text == golden(path.with_suffix(".diff"), text, update=update)
    assert text


_HASH = re.compile(r'((?:migrate|demo-data|bootstrap|smoke-test)-|digest: )"?[0-9a-f]{10}\b"?')


def steady(line: str) -> str:
    """Return a line of a diff without what any change of jhecfg itself moves: numbers of lines, content hashes."""
    return "@@\n" if line.startswith("@@ ") else _HASH.sub(r"\1<new>" if line[0] == "+" else r"\1<old>", line)


def changes(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> Iterator[str]:
    """Yield the difference between two outputs without the lock: removed files by name, others as unified diffs."""
    for path in sorted({*before, *after} - {LOCK}):
        if path not in after:
            yield f"removed: {path}\n"
        elif before.get(path) != after[path]:
            old, new = (files.get(path, b"").decode().splitlines(keepends=True) for files in (before, after))
            name = path if path in before else "/dev/null"
            yield from map(steady, difflib.unified_diff(old, new, name, path))


def test_every_field_of_the_spec_has_a_delta() -> None:
    """There is no field whose effect nobody can look up; exceptions are listed with a reason."""
    shown = {field for path in DELTAS for field in fields_in(tree_of(path))}
    fields = set(leaf_fields(SiteSpec))
    assert fields - shown == NO_DELTA.keys() - shown
    assert NO_DELTA.keys() <= fields


@pytest.mark.slow
@pytest.mark.parametrize("path", DELTAS, ids=lambda path: path.stem)
def test_every_line_of_a_delta_shapes_an_output(path: Path) -> None:
    """Without any one of its leaves a delta's outputs are others, or there are none: no field is dead."""
    source = load(path, name=path.name)
    whole = without_lock(compile_source(source, "none").files)
    for loc in leaves(tree_of(path)):
        less = compiled_without(path, loc)
        assert less is None or less != whole, f"{loc} has no effect"


def compiled_without(path: Path, loc: Loc) -> Mapping[str, bytes] | None:
    """Compile a delta without one of its leaves; None where that is no site."""
    import json

    tree = tree_of(path)
    parent: Any = tree
    for step in loc[:-1]:
        parent = parent[step]
    del parent[loc[-1]]
    try:
        build = compile_source(load(path, name=path.name, text=json.dumps(tree).encode()), "none")
    except SpecError:
        return None
    return None if build.failed else without_lock(build.files)


def without_lock(files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the outputs but for the lock, which changes with every word of the spec."""
    return {path: data for path, data in files.items() if path != LOCK}


def tree_of(path: Path) -> dict[str, Any]:
    """Return what a delta itself says, without the base."""
    return read(path.read_bytes(), path.name).tree


def leaves(tree: Any, at: Loc = ()) -> Iterator[Loc]:
    """Yield the place of every scalar but those that only name what the delta is about."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        here = (*at, key)
        if (isinstance(value, dict) and value) or (isinstance(value, list) and any(isinstance(v, dict) for v in value)):
            yield from leaves(value, here)
        elif here not in (("extends",), ("environment",)) and key != "name" and "patches" not in here:
            yield here


def fields_in(tree: Any, at: str = "") -> Iterator[str]:
    """Yield every field that a delta mentions, as `hubs.access.orgs`."""
    for key, value in tree.items():
        here = f"{at}.{key}" if at else key
        yield here
        for below in value if isinstance(value, list) else [value]:
            if isinstance(below, dict):
                yield from fields_in(below, here)


def leaf_fields(model: type[BaseModel], at: str = "") -> Iterator[str]:
    """Yield every field of the spec that holds no further fields."""
    from jhecfg.parse import _models_in

    for field in model.model_fields.values():
        here = f"{at}.{field.alias}" if at else str(field.alias)
        inner = list(_models_in(field.annotation))
        for below in inner:
            yield from leaf_fields(below, here)
        if not inner:
            yield here
