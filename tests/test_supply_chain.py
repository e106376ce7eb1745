"""The supply chain: what is installed is pinned and hashed, what is built is the same everywhere, licences are known."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.tools import ROOT
from tools import licences, lock

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LOCKS = {each.file.relative_to(ROOT).as_posix(): each for each in lock.locks()}


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_is_of_what_it_was_made_of(name: str) -> None:
    """Whoever changes what is asked for runs `make lock`; this needs no network to see it."""
    assert not lock.is_old(LOCKS[name]), f"{name} is old: run `make lock`"


@pytest.mark.parametrize("name", LOCKS)
def test_everything_in_a_lock_is_pinned_and_hashed_and_names_no_index(name: str) -> None:
    """Each requirement is one version, with the SHA-256 of its files; which mirror serves them does not matter."""
    text = (ROOT / name).read_text(encoding="utf-8")
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)
    assert all(line.startswith("#") for line in entries[0].splitlines())
    for entry in entries[1:]:
        assert re.match(
            r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+( ;.*)? \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+$", entry
        )
    assert len(entries) - 1 >= len(lock.pins(text)) > 0  # one may be there for each range of Pythons
    assert "://" not in text


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_asked_for(name: str) -> None:
    """Each requirement is there, at a version that fits it."""
    words = LOCKS[name].words
    asked = [*PROJECT["project"]["dependencies"]] if words[0] == "pyproject.toml" else []
    asked += PROJECT["dependency-groups"]["dev"] if "--group" in words else []
    if words[0].endswith(".in"):
        lines = (ROOT / words[0]).read_text(encoding="utf-8").splitlines()
        asked = [line.partition("#")[0] for line in lines if line.partition("#")[0].strip()]
    pinned = lock.pins((ROOT / name).read_text(encoding="utf-8"))
    assert asked
    for each in map(Requirement, asked):
        assert pinned[re.sub(r"[-_.]+", "-", each.name).lower()] in each.specifier, each


def needed(name: str, seen: set[str]) -> Iterator[str]:
    """Yield what an installed package needs here, and what that needs."""
    for each in map(Requirement, metadata.requires(name) or ()):
        key = re.sub(r"[-_.]+", "-", each.name).lower()
        if key not in seen and (each.marker is None or each.marker.evaluate({"extra": ""})):
            seen.add(key)
            yield key
            yield from needed(each.name, seen)


def test_what_is_installed_with_jhecfg_is_what_is_locked() -> None:
    """The closure of the installed package is in the lock, at these versions; so the tests ran with what is pinned."""
    pinned = lock.pins(lock.RUNTIME.read_text(encoding="utf-8"))
    closure = set(needed("jhecfg", set()))
    assert len(closure) >= 15
    assert {name: metadata.version(name) for name in closure} == {name: pinned[name] for name in closure}


def test_nothing_is_installed_without_hashes() -> None:
    """Every `pip install` of the Makefile, of tools/ and of CI has them, or installs this package alone."""
    places = [
        ROOT / "Makefile",
        ROOT / "tools/environment",
        ROOT / "tools/action/install",
        *ROOT.glob(".ci/*"),
        *ROOT.glob(".github/**/*.yml"),
        *ROOT.glob("action.yml"),
    ]
    found = [
        line
        for path in places
        for line in path.read_text(encoding="utf-8").replace("\\\n", "").splitlines()
        if "pip install" in line
    ]
    assert len(found) >= 4
    for line in found:
        assert "--require-hashes" in line or "--no-deps --no-build-isolation" in line, line
    assert "npm ci --ignore-scripts" in (ROOT / "tools/install").read_text(encoding="utf-8")


def test_the_package_is_built_by_what_the_lock_holds() -> None:
    """The build backend of pyproject.toml is the locked one, since the editable install does without isolation."""
    (backend,) = PROJECT["build-system"]["requires"]
    assert backend in PROJECT["dependency-groups"]["dev"]


# --- licences ---------------------------------------------------------------------------------------------------------


def test_the_page_of_licences_is_what_would_be_written() -> None:
    """Names, versions and licences are those of the locks and of the packages themselves."""
    assert licences.PAGE.read_text(encoding="utf-8") == licences.page()


def test_every_licence_of_what_is_installed_is_acceptable() -> None:
    """What `pip install jhecfg` brings is permissive, or may be taken so."""
    for name, _, _, said in licences.runtime():
        assert licences.ACCEPTABLE & set(said.split(" OR ")), f"{name} is under {said}"


# --- the package itself -----------------------------------------------------------------------------------------------


def build(folder: Path, where: Path, *, umask: int, environment: dict[str, str]) -> dict[str, str]:
    """Build wheel and sdist from a copy of what git knows; return their SHA-256 by name."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in sorted(listed.split("\0"), reverse=umask == 0o077):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
            os.chmod(folder / name, 0o777 & ~umask)
            os.utime(folder / name, (umask * 10**6, umask * 10**6))
    (folder / ".secrets").mkdir()
    (folder / ".secrets/lab.yaml").write_text("c4n4ry-Zq8vT2mX")  # what may lie about in a maintainer's folder
    (folder / "jhecfg/__pycache__").mkdir()
    (folder / "jhecfg/__pycache__/x.cpython-311.pyc").write_text("c4n4ry-Zq8vT2mX")
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(where)]
    env = {**os.environ, **environment}
    subprocess.run(words, cwd=folder, env=env, check=True, capture_output=True, umask=umask, timeout=300)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(where.iterdir())}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], dict[str, str]]:
    """Build twice, as differently as machines are; return the first folder, and the digests of both."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("another-and-longer") / "deeper"
    two.mkdir()
    first = build(
        one, one / "dist", umask=0o022, environment={"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1", "LC_ALL": "C"}
    )
    other = {"TZ": "America/Los_Angeles", "PYTHONHASHSEED": "2", "LC_ALL": "C.UTF-8", "HOME": str(two)}
    return one, first, build(two, two / "dist", umask=0o077, environment=other)


@pytest.mark.slow
def test_two_builds_are_the_same_bytes(built: tuple[Path, dict[str, str], dict[str, str]]) -> None:
    """Folder, umask, file times, time zone, locale, home and hash seed leave no trace in wheel or sdist."""
    _, first, second = built
    assert len(first) == 2
    assert first == second


@pytest.mark.slow
def test_the_packages_hold_what_they_should_and_nothing_else(
    built: tuple[Path, dict[str, str], dict[str, str]],
) -> None:
    """The wheel is the package and its licences; the sdist adds pages and examples; no path of a machine is in either."""
    folder, names, _ = built
    sdist, wheel = (folder / "dist" / name for name in sorted(names, key=lambda name: name.endswith(".whl")))
    with zipfile.ZipFile(wheel) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    tops = {name.split("/")[0] for name in held}
    assert tops == {"jhecfg", next(top for top in tops if top.endswith(".dist-info"))}
    licences_held = {Path(name).name for name in held if "/licenses/" in name}
    assert licences_held == {"LICENSE", "NOTICE"}
    with tarfile.open(sdist) as archive:
        members = {member.name.partition("/")[2]: archive.extractfile(member) for member in archive if member.isfile()}
        contents = {name: file.read() for name, file in members.items() if file is not None}
    assert {name.split("/")[0] for name in contents} <= {
        "jhecfg", "docs", "examples", "CHANGELOG.md", "SECURITY.md", "LICENSE", "NOTICE", "README.md", "PKG-INFO",
        "pyproject.toml", ".gitignore",
    }  # fmt: skip
    assert {name for name in held if name.startswith("jhecfg/")} == {n for n in contents if n.startswith("jhecfg/")}
    for data in (*held.values(), *contents.values()):
        assert b"c4n4ry" not in data
        assert str(ROOT).encode() not in data
        assert str(folder).encode() not in data
    assert not [name for name in held if name.endswith((".pyc", ".pth"))]
