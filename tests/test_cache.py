"""The nothing-changed fast path: when it answers, and everything that must keep it from answering."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from jhecfg import cache
from jhecfg.tree import LOCK, write
from tests.locked import with_lock

SITE = "demo"
FILES = with_lock({"RUNBOOK.md": b"# Run\n", "manifests/10-a/a.yaml": b"a: 1\n"})


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a spec, its base and a built site, all remembered, in a cache of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("JHECFG_NO_CACHE", raising=False)
    monkeypatch.setattr(cache, "_known_fingerprint", [])
    (tmp_path / "site.yaml").write_bytes(b"extends: base.yaml\r\n")
    (tmp_path / "base.yaml").write_bytes(b"site: demo\n")
    write(tmp_path / "out", SITE, FILES)
    remember(tmp_path)
    return tmp_path


def remember(place: Path, options: str = "strict") -> None:
    """Remember the site of a folder."""
    paths = (place / "site.yaml", place / "base.yaml")
    sources = {str(path): sha256(path.read_bytes()).hexdigest() for path in paths}
    files = {path: sha256(data).hexdigest() for path, data in FILES.items()}
    cache.remember(place / "site.yaml", sources, SITE, files, options)


def recall(place: Path, options: str = "strict") -> tuple[str, int] | None:
    """Recall the site of a folder."""
    hit = cache.recall(place / "site.yaml", place / "out", options)
    return (hit.site, hit.files) if hit else None


def entry(place: Path) -> Path:
    """Return the one entry of the cache."""
    [path] = [path for path in (place / "cache").rglob("*") if path.is_file()]
    return path


def test_what_was_remembered_is_recalled(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unchanged site is a hit, from any working directory."""
    assert recall(place) == (SITE, 3)
    monkeypatch.chdir(place)
    assert cache.recall(Path("site.yaml"), Path("out"), "strict") is not None


def test_a_base_without_output_is_recalled(place: Path) -> None:
    """A spec that only others extend has no folder; its own bytes decide."""
    base = place / "base.yaml"
    cache.remember(base, {str(base): sha256(base.read_bytes()).hexdigest()}, "", {}, "strict")
    hit = cache.recall(str(base), str(place / "out"), "strict")
    assert hit is not None
    assert (hit.site, hit.files) == ("", 0)
    base.write_bytes(b"site: other\n")
    assert cache.recall(base, place / "out", "strict") is None


def forge(place: Path) -> None:
    """Edit an output file and make the lock agree with it."""
    files = {**FILES, "RUNBOOK.md": b"# Run this instead\n"}
    (place / "out/demo/RUNBOOK.md").write_bytes(files["RUNBOOK.md"])
    (place / "out/demo" / LOCK).write_bytes(with_lock(files)[LOCK])


def link_file(place: Path) -> None:
    """Put a link to the same bytes in the place of an output file."""
    (place / "out/demo/RUNBOOK.md").rename(place / "same")
    (place / "out/demo/RUNBOOK.md").symlink_to(place / "same")


def link_folder(place: Path) -> None:
    """Put a link to the same folder in the place of a folder of the output."""
    (place / "out/demo/manifests").rename(place / "same")
    (place / "out/demo/manifests").symlink_to(place / "same")


def pipe_entry(place: Path) -> None:
    """Put a pipe, which nobody will ever write to, in the place of the cache's entry."""
    path = entry(place)
    path.unlink()
    os.mkfifo(path)


CHANGES: dict[str, Callable[[Path], object]] = {
    "spec": lambda place: (place / "site.yaml").write_bytes(b"extends: base.yaml\n"),
    "base": lambda place: (place / "base.yaml").write_bytes(b"site: demo2\n"),
    "spec-gone": lambda place: (place / "site.yaml").unlink(),
    "output-edited": lambda place: (place / "out/demo/RUNBOOK.md").write_bytes(b"# Ran\n"),
    "output-gone": lambda place: (place / "out/demo/RUNBOOK.md").unlink(),
    "lock-edited": lambda place: (place / "out/demo" / LOCK).write_bytes(b"{}\n"),
    "edited-with-forged-lock": forge,
    "file-is-a-link": link_file,
    "folder-is-a-link": link_folder,
    "unfinished-build": lambda place: (place / "out/.jhecfg/demo.journal").write_bytes(b"{}"),
    "leftover-staging": lambda place: (place / "out/.jhecfg/demo").mkdir(),
    "no-attributes": lambda place: (place / "out/.gitattributes").unlink(),
    "entry-cut": lambda place: entry(place).write_bytes(entry(place).read_bytes()[:-9]),
    "entry-garbled": lambda place: entry(place).write_bytes(b"\xff\0" * 40),
    "entry-empty": lambda place: entry(place).write_bytes(b""),
    "entry-altered": lambda place: entry(place).write_bytes(entry(place).read_bytes().replace(b"demo\n", b"demo2\n")),
    "entry-of-another-format": lambda place: entry(place).write_bytes(entry(place).read_bytes().replace(b"1", b"2", 1)),
    "entry-writable-by-others": lambda place: entry(place).chmod(0o666),
    "entry-is-a-pipe": pipe_entry,
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_is_a_miss(place: Path, change: str) -> None:
    """Whatever differs from what was remembered, the whole compiler runs."""
    assert recall(place) is not None
    CHANGES[change](place)
    assert recall(place) is None


def test_other_options_are_another_entry(place: Path) -> None:
    """A result without `--strict` says nothing of one with it."""
    assert recall(place, "lenient") is None
    remember(place, "lenient")
    assert recall(place, "lenient") == recall(place, "strict") == (SITE, 3)


def test_a_change_of_jhecfg_itself_is_a_miss(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version, or an edited module of a checkout, never serves what the old one compiled."""
    monkeypatch.setattr(cache, "_known_fingerprint", [])
    monkeypatch.setattr(cache, "__version__", "9.9.9")
    assert recall(place) is None


def test_the_fingerprint_sees_every_file_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new, touched or grown file changes the fingerprint, compiled Python does not."""
    package = tmp_path / "jhecfg"
    (package / "data").mkdir(parents=True)
    (package / "__pycache__").mkdir()
    monkeypatch.setattr(cache, "__file__", str(package / "cache.py"))

    def fingerprint() -> str:
        monkeypatch.setattr(cache, "_known_fingerprint", [])
        return cache.fingerprint()

    seen = [fingerprint()]
    (package / "data/facts.json").write_bytes(b"{}")
    seen.append(fingerprint())
    os.utime(package / "data/facts.json", (1, 1))
    seen.append(fingerprint())
    (package / "data/facts.json").write_bytes(b"{ }")
    os.utime(package / "data/facts.json", (1, 1))
    seen.append(fingerprint())
    assert len(set(seen)) == 4
    (package / "__pycache__/x.pyc").write_bytes(b"")
    assert fingerprint() == seen[-1]


def test_it_can_be_switched_off(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """JHECFG_NO_CACHE=1 neither reads nor writes."""
    monkeypatch.setenv("JHECFG_NO_CACHE", "1")
    entry(place).unlink()
    remember(place)
    assert recall(place) is None
    monkeypatch.delenv("JHECFG_NO_CACHE")
    assert recall(place) is None


@pytest.mark.parametrize("root", ["relative", "file"])
def test_a_cache_that_cannot_be_written_is_no_failure(place: Path, root: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a relative cache home nor a file in its place raises."""
    (place / "file").write_bytes(b"")
    monkeypatch.setenv("HOME", "" if root == "relative" else str(place))
    monkeypatch.setenv("XDG_CACHE_HOME", root if root == "relative" else str(place / root))
    monkeypatch.chdir(place)
    remember(place)
    assert recall(place) is None
    assert not (place / "relative").exists()


def test_entries_are_private_and_hold_no_content(place: Path) -> None:
    """An entry is for this user alone, and has digests and paths, not a byte of spec or output."""
    assert entry(place).stat().st_mode & 0o777 == 0o600
    text = entry(place).read_text()
    assert "# Run" not in text
    assert "extends" not in text


def test_the_cache_stays_small(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest entries of a folder go when it is full."""
    monkeypatch.setattr(cache, "_PER_SHARD", 1)
    shard = entry(place).parent
    for number in range(3):
        (shard / f"old-{number}").write_bytes(b"")
        os.utime(shard / f"old-{number}", (number, number))
    remember(place)
    assert [path.name for path in shard.iterdir()] == [entry(place).name]
    assert recall(place) is not None


def test_importing_it_imports_nothing_heavy() -> None:
    """The fast path costs no YAML, no pydantic, no command line library, not even json or typing."""
    heavy = "'yaml', 'pydantic', 'typer', 'json', 're', 'typing', 'dataclasses', 'pathlib', 'jhecfg.tree'"
    code = f"import sys; import jhecfg.cache; print(sorted({{{heavy}}} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


ROOT = Path(__file__).parent.parent
