"""The output tree: what is compared, written, removed, refused and left alone."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from hashlib import sha256
from json import dumps
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg.diagnostics import Refused, ToolError
from jhecfg.tree import LOCK, Change, compare, digest, lock_text, unified_diff, write
from jhecfg.tree import folder as folder_module
from jhecfg.tree import turn as turn_module
from jhecfg.tree.lock import Owned, journal_text, read_journal
from jhecfg.tree.names import problem
from tests.locked import ZERO, with_lock
from tests.tools import need

SITE = "demo"
Files = dict[str, bytes]


def site(spec: str = "0" * 64, /, **changed: bytes | None) -> Files:
    """Return a site of three files and their lock; keywords change (`a__b` for `a/b`) or, being None, drop files."""
    files: dict[str, bytes | None] = {
        "RUNBOOK.md": b"# Run\n",
        "manifests/a.yaml": b"a: 1\n",
        "manifests/b.yaml": b"b: 1\n",
    }
    files |= {name.replace("__", "/").replace("_yaml", ".yaml"): data for name, data in changed.items()}
    kept = {path: data for path, data in files.items() if data is not None}
    return with_lock(kept, spec)


def on_disk(root: Path) -> Files:
    """Return every file below a folder."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def kinds(changes: tuple[Change, ...]) -> dict[str, str]:
    """Return the changes, the lock's aside, as path to kind."""
    return {change.path: change.kind for change in changes if change.path != LOCK}


class System:
    """`os` as one system has it: with descriptors nothing is looked at by its path, without them no call takes one."""

    def __init__(self, *, descriptors: bool) -> None:
        self.descriptors = descriptors

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        return self._bound(name, real) if callable(real) and name != "fspath" else real

    def _bound(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **more: Any) -> Any:
            relative = any(more.get(each) is not None for each in ("dir_fd", "src_dir_fd", "dst_dir_fd"))
            if self.descriptors:
                assert name != "lstat", "looked at by its path, which may be another's by the time it is used"
            elif relative or (name == "scandir" and isinstance(args[0], int)):
                raise NotImplementedError("dir_fd unavailable on this platform")
            return real(*args, **more)

        return call


@pytest.fixture(autouse=True, params=["descriptors", "paths"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run each test twice: as on POSIX, and as on a system that opens no files relative to a folder."""
    monkeypatch.setattr(folder_module, "DIR_FDS", request.param == "descriptors")
    monkeypatch.setattr(folder_module, "os", System(descriptors=request.param == "descriptors"))
    return str(request.param)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return an output folder in which the site is built."""
    write(tmp_path / "out", SITE, site())
    return tmp_path / "out"


# --- building --------------------------------------------------------------------------------------------------------


def test_a_build_writes_exactly_the_files(out: Path) -> None:
    """After a build the folder holds the files, git is told to leave bytes alone, and nothing else is left."""
    assert on_disk(out / SITE) == site()
    assert (out / ".gitattributes").read_text().splitlines()[-1] == "* -text"
    assert (out / ".jhecfg/.gitignore").read_text() == "*\n"
    assert sorted(path.name for path in (out / ".jhecfg").iterdir()) == [".gitignore", "demo.lock"]
    assert compare(out, SITE, site()).clean


def test_files_obey_the_umask(tmp_path: Path) -> None:
    """Files have mode 0644 less the umask, as git would make them."""
    before = os.umask(0o027)
    try:
        write(tmp_path, SITE, site())
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o777 for path in (tmp_path / SITE).rglob("*.yaml")} == {0o640}


def test_files_and_folders_have_the_modes_that_git_gives_them(tmp_path: Path) -> None:
    """Without a umask files are 0644 and folders 0755: nobody else may write."""
    before = os.umask(0)
    try:
        write(tmp_path / "out", SITE, site())
    finally:
        os.umask(before)
    modes = {(path.is_dir(), path.stat().st_mode & 0o777) for path in (tmp_path / "out" / SITE).rglob("*")}
    assert modes == {(False, 0o644), (True, 0o755)}
    assert (tmp_path / "out/.jhecfg/demo.lock").stat().st_mode & 0o777 == 0o644


def test_unchanged_files_are_not_rewritten(out: Path) -> None:
    """A file that has its bytes keeps its inode and times while another one changes."""
    before = (out / SITE / "manifests/b.yaml").stat()
    result = write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    after = (out / SITE / "manifests/b.yaml").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert kinds(result.changes) == {"manifests/a.yaml": "changed"}
    assert result.unchanged == 2


def test_a_build_of_nothing_new_writes_nothing(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither compare nor a second build changes the disk, so both work on a read-only tree."""
    forbid_writing(monkeypatch)
    assert compare(out, SITE, site()).clean
    assert write(out, SITE, site()).clean


def test_unchanged_is_decided_from_the_disk_not_from_the_lock(out: Path) -> None:
    """A file whose lock line is right but whose bytes are gone is written again."""
    (out / SITE / "manifests/a.yaml").unlink()
    result = write(out, SITE, site())
    assert kinds(result.changes) == {"manifests/a.yaml": "missing"}
    assert on_disk(out / SITE) == site()


def test_stale_files_and_their_empty_folders_go(out: Path) -> None:
    """A file that is no longer compiled is removed with its folder; a folder with a stranger in it stays."""
    write(out, SITE, site(hubs__one__x=b"1\n", hubs__two__x=b"2\n"))
    (out / SITE / "hubs/two/mine").write_bytes(b"mine\n")
    result = write(out, SITE, site())
    assert kinds(result.changes) == {"hubs/one/x": "removed", "hubs/two/x": "removed"}
    assert on_disk(out / SITE) == {**site(), "hubs/two/mine": b"mine\n"}
    assert not (out / SITE / "hubs/one").exists()
    assert compare(out, SITE, site()).strangers == ("hubs/",)


def test_empty_folders_go_from_the_deepest_up(out: Path) -> None:
    """Of a stale file deep down no folder is left, and those beside it that hold something stay."""
    write(out, SITE, site(hubs__a__b__c__x=b"1\n", hubs__a__kept=b"2\n"))
    write(out, SITE, site(hubs__a__kept=b"2\n"))
    assert sorted(path.name for path in (out / SITE / "hubs/a").iterdir()) == ["kept"]
    write(out, SITE, site())
    assert not (out / SITE / "hubs").exists()


def test_a_comparison_says_where_and_how_much(tmp_path: Path) -> None:
    """It names its folder, what is new, what is gone, and how many files are as they should be."""
    first = compare(tmp_path, SITE, site())
    assert (first.root, first.unchanged) == (tmp_path / SITE, 0)
    assert [(change.path, change.kind, change.old, change.new) for change in first.changes] == [
        (path, "added", None, data) for path, data in sorted(site().items())
    ]
    write(tmp_path, SITE, site())
    (tmp_path / SITE / "RUNBOOK.md").unlink()
    then = compare(tmp_path, SITE, site(manifests__a_yaml=b"a: 2\n", new=b"1\n"))
    assert kinds(then.changes) == {"RUNBOOK.md": "missing", "manifests/a.yaml": "changed", "new": "added"}
    assert (then.root, then.unchanged) == (tmp_path / SITE, 1)
    [changed] = [change for change in then.changes if change.path == "manifests/a.yaml"]
    assert (changed.old, changed.new) == (b"a: 1\n", b"a: 2\n")


def test_a_site_without_files_that_is_not_there_is_left_so(tmp_path: Path) -> None:
    """Nothing is made to remove nothing."""
    assert write(tmp_path, SITE, {}).clean
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "left",
    [
        ("demo.journal",),
        ("demo/1.new",),
        ("demo.journal", "demo/12.new"),
        ("demo/whole/manifests/a.yaml", "demo/whole/x"),
    ],
    ids="+".join,
)
def test_what_a_dead_build_left_is_cleared_when_nothing_else_is_to_do(out: Path, left: tuple[str, ...]) -> None:
    """A journal or a staged file that a kill left goes with the next build, even one that changes no file."""
    for name in left:
        (out / ".jhecfg" / name).parent.mkdir(parents=True, exist_ok=True)
        (out / ".jhecfg" / name).write_bytes(journal_text(Owned()) if name.endswith("journal") else b"half")
    assert compare(out, SITE, site()).clean
    assert write(out, SITE, site()).clean
    assert sorted(path.name for path in (out / ".jhecfg").iterdir()) == [".gitignore", "demo.lock"]


def test_staging_holds_on_to_what_others_put_there(out: Path) -> None:
    """Only files that a build could have staged are cleared; what others put there stays, and stops nothing."""
    staging = out / ".jhecfg" / SITE
    (staging / "3.new").mkdir(parents=True)
    (staging / "whole").mkdir()
    (staging / "whole/link").symlink_to(out)
    for name in ("notes", "x.new", "1.new", "22.new", "whole/a.yaml"):
        (staging / name).write_bytes(b"mine\n")
    write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert sorted(path.name for path in staging.iterdir()) == ["3.new", "notes", "whole", "x.new"]
    assert [path.name for path in (staging / "whole").iterdir()] == ["link"]
    assert on_disk(out / SITE) == site(manifests__a_yaml=b"a: 2\n")


def test_a_file_may_become_a_folder_and_back(out: Path) -> None:
    """A path turns from file to folder to file without help."""
    for files in (site(manifests=b"flat\n", manifests__a_yaml=None, manifests__b_yaml=None), site()):
        write(out, SITE, files)
        assert on_disk(out / SITE) == files


def test_building_no_files_removes_what_is_ours(out: Path) -> None:
    """Without files the site goes, lock and folder included, and strangers stay."""
    write(out, SITE, {})
    assert not (out / SITE).exists()
    write(out, SITE, site())
    (out / SITE / "NOTES.md").write_bytes(b"mine\n")
    write(out, SITE, {})
    assert on_disk(out / SITE) == {"NOTES.md": b"mine\n"}


def test_attributes_that_are_gone_come_back(out: Path) -> None:
    """Even where every file is right: without them git may change line ends at the next checkout."""
    (out / ".gitattributes").unlink()
    assert write(out, SITE, site()).clean
    assert (out / ".gitattributes").exists()


def test_attributes_of_others_are_left_alone(tmp_path: Path) -> None:
    """An `out/.gitattributes` that is there already keeps its content."""
    (tmp_path / ".gitattributes").write_bytes(b"*.yaml eol=lf\n")
    write(tmp_path, SITE, site())
    assert (tmp_path / ".gitattributes").read_bytes() == b"*.yaml eol=lf\n"


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    """What the user names as `--out` is followed."""
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "real")
    write(tmp_path / "out", SITE, site())
    assert on_disk(tmp_path / "real" / SITE) == site()


# --- hand edits, foreign files, strangers ----------------------------------------------------------------------------


def test_every_offender_is_refused_at_once(out: Path) -> None:
    """An edited file, an edited stale file and a foreign file in the way are all named; nothing is written."""
    write(out, SITE, site(old=b"old\n"))
    for path in ("manifests/a.yaml", "old", "new"):
        (out / SITE / path).write_bytes(b"hand\n")
    before, files = on_disk(out), site(new=b"new\n", RUNBOOK=b"x\n")
    with pytest.raises(Refused) as refused:
        write(out, SITE, files)
    assert refused.value.paths == (
        (f"{out}/demo/manifests/a.yaml", "was edited by hand"),
        (f"{out}/demo/new", "was not written by jhecfg"),
        (f"{out}/demo/old", "was edited by hand"),
    )
    assert on_disk(out) == before
    assert not compare(out, SITE, files).clean


def test_a_refusal_makes_no_file_at_all(tmp_path: Path) -> None:
    """Where nothing was ever built, a refusal leaves not even working files."""
    (tmp_path / SITE).mkdir()
    (tmp_path / SITE / "RUNBOOK.md").write_bytes(b"mine\n")
    with pytest.raises(Refused):
        write(tmp_path, SITE, site())
    assert on_disk(tmp_path) == {"demo/RUNBOOK.md": b"mine\n"}


def test_force_overwrites_what_is_in_the_way_and_nothing_else(out: Path) -> None:
    """Under force edited and foreign files in the way go; strangers stay."""
    write(out, SITE, site(old=b"old\n"))
    for path in ("manifests/a.yaml", "old", "new", "NOTES.md"):
        (out / SITE / path).write_bytes(b"hand\n")
    files = site(new__inner=b"new\n")
    write(out, SITE, files, force=True)
    assert on_disk(out / SITE) == {**files, "NOTES.md": b"hand\n"}


def test_force_works_at_the_first_build_too(tmp_path: Path) -> None:
    """Where nothing was ever built, a foreign file in the way is refused without force alone."""
    (tmp_path / SITE).mkdir()
    (tmp_path / SITE / "RUNBOOK.md").write_bytes(b"mine\n")
    write(tmp_path, SITE, site(), force=True)
    assert on_disk(tmp_path / SITE) == site()


def test_a_foreign_file_with_the_wanted_bytes_is_adopted(tmp_path: Path) -> None:
    """A lost lock is no trouble as long as the files are right."""
    write(tmp_path, SITE, site())
    (tmp_path / SITE / LOCK).unlink()
    assert write(tmp_path, SITE, site()).obstacles == ()
    assert compare(tmp_path, SITE, site()).clean


def test_strangers_are_named_and_are_no_obstacle(out: Path) -> None:
    """Files and folders of others are listed, terminal escapes made harmless, and the tree is still clean."""
    (out / SITE / "manifests/mine.yaml").write_bytes(b"")
    (out / SITE / "notes").mkdir()
    (out / SITE / "a\x1b[2J").write_bytes(b"")
    (out / SITE / "link").symlink_to("nowhere")
    (out / SITE / "\u00e9").write_bytes(b"")
    comparison = compare(out, SITE, site())
    assert comparison.strangers == ("a\\x1b[2J", "link", "manifests/mine.yaml", "notes/", "\u00e9")
    assert comparison.clean


def test_a_folder_in_the_place_of_a_stale_file_is_a_strangers(out: Path) -> None:
    """Somebody put a folder where a file of ours was: it stays, and stops nothing."""
    write(out, SITE, site(stale=b"1\n"))
    (out / SITE / "stale").unlink()
    (out / SITE / "stale").mkdir()
    (out / SITE / "stale/mine").write_bytes(b"mine\n")
    write(out, SITE, site())
    assert compare(out, SITE, site()).strangers == ("stale/",)
    assert on_disk(out / SITE) == {**site(), "stale/mine": b"mine\n"}


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_with_strangers_is_never_replaced_by_a_file(out: Path, force: bool) -> None:
    """Where a file is wanted and a folder with somebody's files lies, even force refuses."""
    (out / SITE / "new").mkdir()
    (out / SITE / "new/mine").write_bytes(b"mine\n")
    with pytest.raises(Refused) as refused:
        write(out, SITE, site(new=b"1\n"), force=force)
    said = "is a folder that holds files of others, where a file is needed"
    assert refused.value.paths == ((f"{out}/demo/new", said),)
    (out / SITE / "new/mine").unlink()
    write(out, SITE, site(new=b"1\n"))


@pytest.mark.parametrize("text", [b"\n", b"  \t\n", b"\0a\0"])
def test_white_space_is_somebodys_work(out: Path, text: bytes) -> None:
    """Only nothing, and NUL bytes alone, are what a power loss leaves: a file of blanks is a hand edit."""
    (out / SITE / "manifests/a.yaml").write_bytes(text)
    with pytest.raises(Refused, match="was edited by hand"):
        write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert (out / SITE / "manifests/a.yaml").read_bytes() == text


@pytest.mark.parametrize("torn", [b"", b"\0" * 9])
def test_what_a_power_loss_leaves_is_written_again(out: Path, torn: bytes) -> None:
    """Empty and NUL files are nobody's work: files, lock and journal alike are repaired, whatever the spec is now."""
    for path in (f"{SITE}/manifests/a.yaml", f"{SITE}/{LOCK}", f".jhecfg/{SITE}.journal"):
        (out / path).write_bytes(torn)
    files = site(manifests__a_yaml=b"a: 9\n")
    write(out, SITE, files)
    assert on_disk(out / SITE) == files


# --- locks and journals that lie -------------------------------------------------------------------------------------

LIES = {
    "truncated": (b'{"format": 1, "fil', "is damaged: it is not JSON"),
    "deep": (b"[" * 100_000, "is damaged: it is not JSON"),
    "binary": (b"\xff\xfe\x00x", "is damaged: it is not JSON"),
    "a-list": (b"[]", "is damaged: it has no format number"),
    "no-files": (b'{"format": 1}', "is damaged: it lists no files"),
    "format-0": (b'{"format": 0, "files": {}}', "is damaged: it has no format number"),
    "format-text": (b'{"format": "1", "files": {}}', "is damaged: it has no format number"),
    "format-true": (b'{"format": true, "files": {}}', "is damaged: it has no format number"),
    "no-digest": (b'{"format": 1, "files": {"a": 7}}', "is damaged: its line for a holds no SHA-256"),
    "short-digest": (
        b'{"format": 1, "files": {"a": ["%s", "0"]}}' % ZERO.encode(),
        "is damaged: its line for a holds no SHA-256",
    ),
    "conflict": (b"<<<<<<< ours\n{}\n", "holds git's conflict markers"),
    "climbing": (
        b'{"format": 1, "files": {"../victim": "%s"}}' % ZERO.encode(),
        "was tampered with: it lists '../victim', which leads out of its folder",
    ),
    "absolute": (
        b'{"format": 1, "files": {"/etc/x": "%s"}}' % ZERO.encode(),
        "was tampered with: it lists '/etc/x', which has a part that is not a plain file name",
    ),
    "git": (
        b'{"format": 1, "files": {"a/.git/config": "%s"}}' % ZERO.encode(),
        "was tampered with: it lists 'a/.git/config', which belongs to git",
    ),
}


@pytest.mark.parametrize("place", [f"{SITE}/{LOCK}", f".jhecfg/{SITE}.journal"], ids=["lock", "journal"])
@pytest.mark.parametrize("lie", LIES)
def test_a_lock_or_journal_that_cannot_be_believed_is_refused(out: Path, place: str, lie: str) -> None:
    """A damaged or forged text is named with its reason; force ignores it, and touches nothing outside."""
    text, reason = LIES[lie]
    (out / "victim").write_bytes(b"mine\n")
    (out / place).write_bytes(text)
    files = site(manifests__a_yaml=b"a: 9\n")
    with pytest.raises(Refused) as refused:
        write(out, SITE, files)
    [(path, said)] = refused.value.paths
    assert path == f"{out}/{place}"
    assert said == reason
    write(out, SITE, files, force=True)
    assert on_disk(out / SITE) == files
    assert (out / "victim").read_bytes() == b"mine\n"


@pytest.mark.parametrize("place", [f"{SITE}/{LOCK}", f".jhecfg/{SITE}.journal"], ids=["lock", "journal"])
def test_a_newer_format_is_refused_even_under_force(out: Path, place: str) -> None:
    """What a later jhecfg wrote is not overwritten by an older one."""
    (out / place).write_bytes(b'{"format": 2, "files": {}}')
    with pytest.raises(Refused) as refused:
        write(out, SITE, site(), force=True)
    assert refused.value.paths == ((f"{out}/{place}", "was made by a newer jhecfg (format 2, this one reads 1)"),)


@pytest.mark.parametrize("spec", ["5" * 64, "", "x y", 'a"b', "\u00e9", "\u0663"])
@pytest.mark.parametrize("files", [{}, {"b": b"1", "a/c": b""}], ids=["none", "two"])
def test_the_lock_is_the_json_that_python_writes(spec: str, files: Files) -> None:
    """Our own writer, which is faster, writes what `json.dumps` would, of any text."""
    listed = {path: sha256(data).hexdigest() for path, data in sorted(files.items())}
    tree = {"format": 1, "spec": spec, "files": listed}
    assert with_lock(files, spec)[LOCK].decode() == dumps(tree, indent=2) + "\n"


def test_the_journal_is_sorted_json() -> None:
    """Every hash that a file may have, in an order that no run changes."""
    claims = Owned({"b": frozenset({"2" * 64, "1" * 64, "3" * 64}), "a": frozenset({"4" * 64}), "c": frozenset()})
    listed = {"a": ["4" * 64], "b": ["1" * 64, "2" * 64, "3" * 64], "c": []}
    assert journal_text(claims).decode() == dumps({"format": 1, "files": listed}, indent=2) + "\n"
    assert read_journal(journal_text(claims)) == claims


def test_two_claims_join() -> None:
    """Any hash of either will do; what the one lacks comes from the other."""
    one, other = Owned({"a": frozenset("1"), "b": frozenset("2")}), Owned({"b": frozenset("3"), "c": frozenset("4")})
    assert (one | other).hashes == {"a": {"1"}, "b": {"2", "3"}, "c": {"4"}}


def test_the_lock_is_one_sorted_line_per_file() -> None:
    """The lock depends on spec and files alone."""
    text = lock_text("5" * 64, {"b": digest(b""), "a/c": digest(b"1")}).decode()
    assert text.splitlines() == [
        "{",
        '  "format": 1,',
        f'  "spec": "{"5" * 64}",',
        '  "files": {',
        '    "a/c": "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b",',
        '    "b": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"',
        "  }",
        "}",
    ]


# --- links and other hostile things ----------------------------------------------------------------------------------


def link_site(out: Path, outside: Path) -> None:
    """Put a link in the place of the site's folder."""
    shutil.rmtree(out / SITE)
    (out / SITE).symlink_to(outside)


def link_folder(out: Path, outside: Path) -> None:
    """Put a link in the place of a folder of the site."""
    shutil.rmtree(out / SITE / "manifests")
    (out / SITE / "manifests").symlink_to(outside)


PLACES = {
    f"{SITE}": "folder",
    ".jhecfg": "folder",
    f".jhecfg/{SITE}": "folder",
    f".jhecfg/{SITE}.lock": "file",
    f".jhecfg/{SITE}.journal": "file",
    f"{SITE}/manifests/a.yaml": "file",
}
INTRUDERS: dict[str, Callable[[Path], None]] = {
    "symbolic link": lambda path: path.symlink_to("nowhere"),
    "device, pipe or socket": os.mkfifo,
    "file": Path.touch,
    "folder": Path.mkdir,
}


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize(
    ("place", "kind"),
    [
        (p, k)
        for p, wanted in PLACES.items()
        for k in INTRUDERS
        if k != wanted and (p, k) != (f"{SITE}/manifests/a.yaml", "folder")
    ],
)
def test_what_lies_in_our_own_places_is_named(tmp_path: Path, place: str, kind: str, force: bool) -> None:
    """Before the first build of a site, too: the message has the path, what is there, and what belongs there."""
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    INTRUDERS[kind](tmp_path / place)
    said = ((f"{tmp_path}/{place}", f"is a {kind}, where a {PLACES[place]} is needed"),)
    with pytest.raises(Refused) as refused:
        write(tmp_path, SITE, site(), force=force)
    assert refused.value.paths == said
    seen = compare(tmp_path, SITE, site())
    assert (seen.obstacles, seen.immovable, seen.clean) == (said, said, False)
    if not place.endswith("a.yaml"):
        assert (seen.root, seen.changes, seen.unchanged, seen.strangers) == (tmp_path / SITE, (), 0, ())


def test_a_folder_on_the_way_that_is_none_is_named_as_one(out: Path) -> None:
    """A link in the place of a folder is told from one in the place of a file."""
    (out / SITE / "hubs").symlink_to("nowhere")
    with pytest.raises(Refused) as refused:
        write(out, SITE, site(hubs__x=b"1\n"))
    assert refused.value.paths == ((f"{out}/demo/hubs", "is a symbolic link, where a folder is needed"),)


def link_file(out: Path, outside: Path) -> None:
    """Put a link in the place of a file."""
    (out / SITE / "manifests/a.yaml").unlink()
    (out / SITE / "manifests/a.yaml").symlink_to(outside / "a.yaml")


def link_lock(out: Path, outside: Path) -> None:
    """Put a link in the place of the lock."""
    (out / SITE / LOCK).unlink()
    (out / SITE / LOCK).symlink_to(outside / "a.yaml")


def link_state(out: Path, outside: Path) -> None:
    """Put a link in the place of the folder for working files."""
    shutil.rmtree(out / ".jhecfg")
    (out / ".jhecfg").symlink_to(outside)


def link_staging(out: Path, outside: Path) -> None:
    """Put a link in the place of the folder where files are staged."""
    (out / ".jhecfg" / SITE).symlink_to(outside)


def link_journal(out: Path, outside: Path) -> None:
    """Put a link in the place of the journal."""
    (out / ".jhecfg" / f"{SITE}.journal").symlink_to(outside / "a.yaml")


def link_turn(out: Path, outside: Path) -> None:
    """Put a link in the place of the file that builders lock."""
    (out / ".jhecfg" / f"{SITE}.lock").unlink()
    (out / ".jhecfg" / f"{SITE}.lock").symlink_to(outside / "new")


def pipe_file(out: Path, outside: Path) -> None:
    """Put a named pipe in the place of a file."""
    (out / SITE / "manifests/a.yaml").unlink()
    os.mkfifo(out / SITE / "manifests/a.yaml")


ATTACKS = (
    link_site,
    link_folder,
    link_file,
    link_lock,
    link_state,
    link_staging,
    link_journal,
    link_turn,
    pipe_file,
)


@pytest.mark.parametrize("force", [False, True])
@pytest.mark.parametrize("attack", ATTACKS)
def test_a_link_or_pipe_on_the_way_is_refused(
    out: Path, tmp_path: Path, attack: Callable[[Path, Path], None], force: bool
) -> None:
    """Whatever the build would have to go through is refused, even under force, and nothing outside is touched."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "a.yaml").write_bytes(b"a: 1\n")
    attack(out, outside)
    with pytest.raises(Refused, match=r"is a (symbolic link|device, pipe or socket)"):
        write(out, SITE, site(manifests__a_yaml=b"a: 2\n", manifests__c_yaml=b"c: 1\n"), force=force)
    assert on_disk(outside) == {"a.yaml": b"a: 1\n"}


def test_a_link_that_appears_during_the_build_leads_nowhere(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder swapped for a link between the look and the write cannot draw a file outside (with descriptors)."""
    monkeypatch.setattr(folder_module, "DIR_FDS", True)
    monkeypatch.setattr(folder_module, "os", os)
    (tmp_path / "outside").mkdir()
    real, moved = os.replace, []

    def swap(source: str, target: str, **more: Any) -> None:
        if target == "a.yaml":
            moved.append((out / SITE / "manifests").rename(tmp_path / "moved"))
            (out / SITE / "manifests").symlink_to(tmp_path / "outside")
        real(source, target, **more)

    monkeypatch.setattr(os, "replace", swap)
    write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert moved
    assert on_disk(tmp_path / "outside") == {}


def test_no_operation_goes_through_a_link(tmp_path: Path) -> None:
    """Each operation on a path below a link fails, or finds nothing, and leaves the link's target alone."""
    outside, base = tmp_path / "outside", tmp_path / "base"
    outside.mkdir()
    base.mkdir()
    (outside / "a").write_bytes(b"mine\n")
    (base / "staged").write_bytes(b"new\n")
    (base / "link").symlink_to(outside)
    with folder_module.opened(str(base)) as folder:
        assert folder.read("link/a") is None
        assert folder.kind("link/a") is None
        assert folder.entries("link") == []
        folder.rmdir("link")
        with pytest.raises(NotADirectoryError):
            folder.create("link/b", b"", sync=False)
        with pytest.raises(NotADirectoryError):
            folder.replace("staged", "link/a")
        with pytest.raises(NotADirectoryError):
            folder.unlink("link/a")
        with pytest.raises(NotADirectoryError):
            folder.mkdir("link/deeper")
    assert on_disk(outside) == {"a": b"mine\n"}


def test_looking_makes_nothing(tmp_path: Path, system: str) -> None:
    """Every question about what is not there is answered, and leaves no folder behind: not even the output folder."""
    for base in (tmp_path / "none", tmp_path):
        with folder_module.opened(str(base)) as folder:
            assert folder.kind("a/b") is None
            assert folder.entries("a/b") == []
            assert folder.read("a/b") is None
            assert folder.writable("a/b/c") or (base != tmp_path and system == "paths")  # a build has made it by then
            assert not folder.rmdir("a/b")
            folder.unlink("a/b")
        assert compare(base, SITE, site()).unchanged == 0
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_removed_only_when_it_is_empty(tmp_path: Path) -> None:
    """What was removed, by us or by others, is made anew; nothing is written into what is gone."""
    with folder_module.opened(str(tmp_path)) as folder:
        folder.mkdir("a/b")
        folder.create("a/b/x", b"1", sync=False)
        assert not folder.rmdir("a/b")
        folder.unlink("a/b/x")
        assert folder.rmdir("a/b")
        assert folder.rmdir("a")
        folder.mkdir("a/b")
        folder.create("a/b/x", b"2", sync=False)
        assert on_disk(tmp_path) == {"a/b/x": b"2"}
        shutil.rmtree(tmp_path / "a")
        assert not folder.rmdir("a")
        folder.mkdir("a/b")
        folder.create("a/b/x", b"3", sync=False)
    assert on_disk(tmp_path) == {"a/b/x": b"3"}
    with folder_module.opened(str(tmp_path)) as folder:
        folder.mkdir("c")
    assert (tmp_path / "c").is_dir()


@pytest.mark.parametrize("code", ["ELOOP", "EMLINK"])
def test_other_systems_have_other_words_for_a_link(tmp_path: Path, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """FreeBSD says EMLINK and macOS ELOOP where Linux says that a link is no folder."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    real = os.open

    def refuse(path: str, *rest: Any, **more: Any) -> int:
        if os.path.basename(path) == "link":
            raise OSError(getattr(errno, code), "a link")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", refuse)
    with folder_module.opened(str(tmp_path)) as folder:
        assert folder.kind("link/a") is None
        with pytest.raises(NotADirectoryError) as error:
            folder.create("link/a", b"", sync=False)
    assert (error.value.errno, error.value.strerror) == (errno.ENOTDIR, "not a folder")
    assert os.path.basename(error.value.filename) == "link"


@pytest.mark.parametrize("size", [0, 3, 9, 10, 11, 99])
def test_a_file_is_read_whole_however_it_comes(tmp_path: Path, size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever its size was a moment ago, and however little the system gives at a time."""
    (tmp_path / "a").write_bytes(b"0123456789")
    with (tmp_path / "a").open("rb") as file:
        assert folder_module._read_all(file.fileno(), size) == b"0123456789"
    real = os.read
    monkeypatch.setattr(os, "read", lambda fd, most: real(fd, min(most, 4)))
    with folder_module.opened(str(tmp_path)) as folder:
        assert folder.read("a") == b"0123456789"


@pytest.mark.parametrize("make", ["link", "folder", "pipe"])
def test_only_a_regular_file_is_read(tmp_path: Path, make: str) -> None:
    """Anything else is refused in words, with its path, and a pipe without waiting for its writer."""
    place = tmp_path / make
    {"link": lambda: place.symlink_to("nowhere"), "folder": place.mkdir, "pipe": lambda: os.mkfifo(place)}[make]()
    with folder_module.opened(str(tmp_path)) as folder, pytest.raises(folder_module.NotPlain) as error:
        folder.read(make)
    assert (error.value.strerror, error.value.filename) == ("not a regular file", make)
    assert isinstance(error.value.errno, int)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("a/" * 15 + "a", ""),
        ("a/" * 16 + "a", "is too long"),
        ("/".join(["a" * 128, *["a" * 127] * 3]), ""),
        ("/".join(["a" * 128, "a" * 128, *["a" * 127] * 2]), "is too long"),
        ("a" * 128, ""),
        ("a" * 129, "has a part that is not a plain file name"),
        ("a//b", "has a part that is not a plain file name"),
        ("a/..", "leads out of its folder"),
        ("...", "leads out of its folder"),
        ("..a", ""),
        ("nul.tar.gz", "is a reserved name on Windows"),
        ("nul-.tar.gz", ""),
        ("a/.GIT", "belongs to git"),
        (".gitignore", ""),
    ],
)
def test_a_path_is_one_that_every_system_can_hold(path: str, said: str) -> None:
    """At most 16 parts and 512 characters, plain names, none that Windows or git keep for themselves."""
    assert problem(path) == said


def test_every_wrong_path_is_named_once(tmp_path: Path) -> None:
    """The site's own name first, then the paths in order."""
    with pytest.raises(ToolError) as error:
        write(tmp_path, "a/b", {**site(), "../x": b"", "..": b"", "Z": b"", "z/a": b"", "z/b": b""})
    assert str(error.value) == (
        "cannot write these paths: 'a/b' is not one folder; '..' leads out of its folder; "
        "'../x' leads out of its folder; 'z' and 'Z' differ in case only"
    )


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("../x", "leads out"),
        ("/etc/x", "plain file name"),
        ("a/../../x", "leads out"),
        ("a\\b", "plain file name"),
        ("a/", "plain file name"),
        ("a\n", "plain file name"),
        ("hubs/aux.values.yaml", "reserved name on Windows"),
        ("hubs/COM1", "reserved name on Windows"),
        ("a./b", "reserved name on Windows"),
        (".Git/hooks/x", "belongs to git"),
        ("Manifests/c", "differ in case only"),
        ("runbook.md", "differ in case only"),
        ("manifests/a.yaml/x", "both a file and a folder"),
        ("a/" * 20 + "a", "too long"),
    ],
)
def test_paths_that_cannot_be_written_everywhere_are_a_fault(tmp_path: Path, path: str, reason: str) -> None:
    """No path leaves the folder, belongs to git, or breaks on Windows or where case does not count."""
    with pytest.raises(ToolError, match=reason):
        write(tmp_path, SITE, {**site(), path: b""})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["..", "a/b", "con", ""])
def test_a_site_name_is_one_plain_folder(tmp_path: Path, name: str) -> None:
    """The site's name cannot lead elsewhere either."""
    with pytest.raises(ToolError, match="cannot write these paths"):
        write(tmp_path, name, site())


def test_files_without_their_lock_are_a_fault(tmp_path: Path) -> None:
    """Nothing is written that no lock would list."""
    with pytest.raises(ToolError, match=r"lack their jhecfg\.lock"):
        write(tmp_path, SITE, {"a": b""})


# --- the environment -------------------------------------------------------------------------------------------------


def forbid_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every call that would change the disk fail the test."""
    real = os.open

    def look(path: str, flags: int, *rest: Any, **more: Any) -> int:
        assert not flags & (os.O_CREAT | os.O_WRONLY | os.O_RDWR)
        return real(path, flags, *rest, **more)

    monkeypatch.setattr(os, "open", look)
    for name in ("replace", "unlink", "mkdir", "rmdir", "write"):
        monkeypatch.setattr(os, name, lambda *_, **__: pytest.fail("something was written"))


def test_a_folder_without_permission_stops_the_build_before_it_starts(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Missing permission is found, with every folder named, while the tree is still the old one."""
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    files = site(manifests__a_yaml=b"a: 2\n", hubs__x=b"x\n")
    with pytest.raises(ToolError) as error:
        write(out, SITE, files)
    assert str(error.value) == (
        f"cannot write in these folders (permission denied): {out}/demo, {out}/demo/hubs, {out}/demo/manifests"
    )
    assert on_disk(out / SITE) == site()


def test_only_the_folders_without_permission_are_named(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing and entering are both needed; a folder that is to be made counts as the one above it."""
    real = os.access

    def deny(path: str, mode: int, *, dir_fd: int | None = None) -> bool:
        assert mode == os.W_OK | os.X_OK
        found = os.stat(path, dir_fd=dir_fd)
        return real(path, mode, dir_fd=dir_fd) and not os.path.samestat(found, (out / SITE / "manifests").stat())

    monkeypatch.setattr(os, "access", deny)
    write(out, SITE, site(RUNBOOK=b"x\n"))
    with pytest.raises(ToolError) as error:
        write(out, SITE, site(manifests__new__deep__a=b"1\n", RUNBOOK=b"y\n", hubs__x=b"x\n"))
    assert str(error.value) == (f"cannot write in these folders (permission denied): {out}/demo/manifests/new/deep")


@pytest.mark.parametrize("built", [False, True])
def test_a_place_that_may_not_be_looked_at_is_said(
    tmp_path: Path, built: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the system's words and the site's folder, before and after the first build."""
    if built:
        write(tmp_path, SITE, site())
    real = os.stat

    def deny(path: Any, *rest: Any, **more: Any) -> os.stat_result:
        if os.path.basename(path).startswith(SITE):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    before = on_disk(tmp_path)
    monkeypatch.setattr(os, "stat", deny)
    for ask in (compare, write):
        with pytest.raises(ToolError) as error:
            ask(tmp_path, SITE, site())
        assert str(error.value) == f"cannot read {tmp_path}/demo: permission denied"
    monkeypatch.undo()
    assert on_disk(tmp_path) == before
    assert built or list(tmp_path.iterdir()) == []


def test_a_lock_that_may_not_be_taken_is_said(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the system's words, and the file that builders lock."""
    real = os.open

    def deny(path: str, *rest: Any, **more: Any) -> int:
        if str(path).endswith("demo.lock"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(ToolError) as error:
        write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert str(error.value) == f"cannot lock {out}/.jhecfg/demo.lock: permission denied"


def test_an_error_without_words_is_called_by_its_kind() -> None:
    """Some libraries raise OSError without the system's words."""
    assert str(folder_module.said("read", "a", TimeoutError())) == "cannot read a: timeoutError"


def test_a_full_disk_is_said_with_the_path(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message has the system's words and the file; the tree is the old one, and no staged file is left."""

    def full(fd: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ToolError) as error:
        write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert str(error.value) == f"cannot write {out}/demo/manifests/a.yaml: no space left on device"
    assert on_disk(out / SITE) == site()
    assert not (out / ".jhecfg" / SITE).exists()


def test_an_unreadable_file_is_said_with_the_path(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is the environment's fault, not a hand edit."""
    real = os.open

    def deny(path: str, *rest: Any, **more: Any) -> int:
        if str(path).endswith("a.yaml"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", deny)
    with pytest.raises(ToolError) as error:
        compare(out, SITE, site())
    assert str(error.value) == f"cannot read {out}/demo/manifests/a.yaml: permission denied"


def test_a_file_in_the_place_of_the_output_folder_is_said(tmp_path: Path) -> None:
    """`--out` must name a folder."""
    (tmp_path / "out").write_bytes(b"")
    with pytest.raises(ToolError, match=r"cannot write into .*/out: it is not a folder"):
        write(tmp_path / "out", SITE, site())


def test_a_held_lock_is_said_with_its_path(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A build gives up after the time limit, and says which file another build holds."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(turn_module, "TIMEOUT", 0.0)
    with (out / ".jhecfg/demo.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ToolError, match=r"another jhecfg has held .*/\.jhecfg/demo\.lock for 0 seconds"):
            write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))


def test_a_lock_that_the_system_refuses_is_said_and_nothing_stays_open(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As some file systems of the network do."""
    fcntl = pytest.importorskip("fcntl")

    def refuse(fd: int, how: int) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    before = sorted(os.listdir("/dev/fd"))
    with pytest.raises(ToolError) as error:
        write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert str(error.value) == f"cannot lock {out}/.jhecfg/demo.lock: no locks available"
    assert sorted(os.listdir("/dev/fd")) == before


def test_what_a_dead_build_left_and_nobody_may_clear_is_said(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is written."""
    (out / ".jhecfg/demo").mkdir()
    (out / ".jhecfg/demo/1.new").write_bytes(b"")

    def deny(*args: Any, **more: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "unlink", deny)
    with pytest.raises(ToolError) as error:
        write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert str(error.value) == f"cannot clear {out}/.jhecfg/demo: permission denied"
    assert on_disk(out / SITE) == site()


def test_a_lock_file_that_was_cleaned_away_is_locked_anew(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If `git clean -x` removes the file while a build waits for it, the build ends up holding the new one."""
    fcntl = pytest.importorskip("fcntl")
    real, path = turn_module._try, out / ".jhecfg/demo.lock"
    calls: list[int] = []

    def clean_once(fd: int) -> bool:
        if not calls:
            path.unlink()
        calls.append(fd)
        return real(fd)

    monkeypatch.setattr(turn_module, "_try", clean_once)
    with folder_module.opened(str(out)) as folder, turn_module.turn(folder, ".jhecfg/demo.lock"):
        assert len(calls) == 2
        with path.open() as other, pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_what_another_build_did_meanwhile_is_no_hand_edit(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that seems edited at first sight is not refused if, once it is our turn, the journal knows it."""
    (out / SITE / "manifests/a.yaml").write_bytes(b"a: 8\n")
    journal = f'{{"format": 1, "files": {{"manifests/a.yaml": ["{sha256(b"a: 8" + bytes([10])).hexdigest()}"]}}}}'
    real = turn_module._try

    def die_first(fd: int) -> bool:
        (out / ".jhecfg/demo.journal").write_text(journal)
        return real(fd)

    monkeypatch.setattr(turn_module, "_try", die_first)
    write(out, SITE, site())
    assert on_disk(out / SITE) == site()


def test_trouble_that_another_build_may_have_made_is_looked_at_again(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that cannot be read at first sight, while a lock says that others build, is read once it is our turn."""
    real, denied = os.open, []

    def deny_once(path: str, *rest: Any, **more: Any) -> int:
        if str(path).endswith("a.yaml") and not denied:
            denied.append(path)
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    monkeypatch.setattr(os, "open", deny_once)
    write(out, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert denied
    assert on_disk(out / SITE) == site(manifests__a_yaml=b"a: 2\n")


def test_many_folders_do_not_exhaust_descriptors(tmp_path: Path) -> None:
    """A site with hundreds of folders is written with a bounded number of open files."""
    resource = pytest.importorskip("resource")
    files = {f"hubs/h{number}/deep/values.yaml": b"%d\n" % number for number in range(300)}
    files = with_lock(files)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 128), hard))
    try:
        write(tmp_path, SITE, files)
        assert compare(tmp_path, SITE, files).clean
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- the order of a build --------------------------------------------------------------------------------------------

CHANGING = ("mkdir", "replace", "unlink", "rmdir", "fsync")


def recorded(monkeypatch: pytest.MonkeyPatch, step: Callable[[str], None]) -> None:
    """Call `step` with the name of each operation that changes the disk, before it happens."""
    for name in CHANGING:
        monkeypatch.setattr(os, name, _told(name, getattr(os, name), step))
    opening, create = os.open, _told("create", os.open, step)
    monkeypatch.setattr(
        os, "open", lambda path, flags, *a, **k: (create if flags & os.O_EXCL else opening)(path, flags, *a, **k)
    )


def _told(name: str, real: Callable[..., Any], step: Callable[[str], None]) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        target = args[1] if name == "replace" else args[0]
        step(f"{name} {os.path.basename(target)}" if isinstance(target, str) else name)
        return real(*args, **more)

    return call


NEXT: dict[str, bytes | None] = {"manifests__a_yaml": b"a: 2\n", "zone__new__x": b"1\n", "manifests__b_yaml": None}


@pytest.fixture
def wide(out: Path) -> Path:
    """Return an output folder whose site has files and folders that `NEXT` does away with."""
    write(out, SITE, site(hubs__old__x=b"1\n", stale=b"1\n"))
    return out


def test_a_build_goes_by_its_order(wide: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Staging, the journal, what is stale, folders, files in order, the lock last of them; then the journal goes.

    Of all this the journal and the lock alone are synced, before they are in place.
    """
    steps: list[str] = []
    recorded(monkeypatch, steps.append)
    write(wide, SITE, site("1" * 64, **NEXT))
    assert [step for step in steps if not step.startswith("mkdir")] == [
        *("create 1.new", "create 2.new", "create 3.new", "fsync"),
        *("create 0.new", "fsync", "replace demo.journal"),
        *("unlink x", "unlink b.yaml", "unlink stale", "rmdir old", "rmdir hubs"),
        *("replace a.yaml", "replace x", "replace jhecfg.lock"),
        *("unlink demo.journal", "rmdir demo"),
    ]


def test_a_first_build_beside_files_of_others_syncs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fresh tree has nothing to lose; the files for git come first, the lock comes last. A change alone is synced."""
    (tmp_path / SITE).mkdir()
    (tmp_path / SITE / "NOTES.md").write_bytes(b"mine\n")
    steps: list[str] = []
    recorded(monkeypatch, steps.append)
    write(tmp_path, SITE, site())
    assert "fsync" not in steps
    assert [step for step in steps if step.startswith("replace")] == [
        *("replace .gitignore", "replace .gitattributes", "replace demo.journal"),
        *("replace RUNBOOK.md", "replace a.yaml", "replace b.yaml", "replace jhecfg.lock"),
    ]
    steps.clear()
    write(tmp_path, SITE, site(manifests__a_yaml=b"a: 2\n"))
    assert steps.count("fsync") == 2


def test_a_new_site_appears_in_one_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After the files for git, the whole folder is put in place; a fresh tree has nothing to lose, and is not synced."""
    steps: list[str] = []
    recorded(monkeypatch, steps.append)
    write(tmp_path, SITE, site())
    assert "fsync" not in steps
    put = [step for step in steps if step.startswith("replace")]
    assert put == ["replace .gitignore", "replace .gitattributes", "replace demo"]
    assert steps[-2:] == ["replace demo", "rmdir demo"]


def test_a_new_site_that_is_there_stays_when_the_build_ends_there(
    tmp_path: Path, system: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C right after the step: what is cleared is the place where the folder was staged, not the folder."""
    real = os.replace

    def interrupted(source: str, target: str, **more: Any) -> None:
        real(source, target, **more)
        if os.path.basename(target) == SITE:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            write(tmp_path, SITE, site())
    assert on_disk(tmp_path / SITE) == site()
    assert sorted(path.name for path in (tmp_path / ".jhecfg").iterdir()) == [".gitignore", "demo.lock"]


def test_a_new_site_is_put_over_nothing_of_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes to lie in its place while it is staged stays; nothing of ours is left, and the next build says why."""

    def meanwhile(step: str) -> None:
        if step == "replace demo":
            (tmp_path / SITE).mkdir()
            (tmp_path / SITE / "RUNBOOK.md").write_bytes(b"theirs\n")

    with monkeypatch.context() as patch:
        recorded(patch, meanwhile)
        with pytest.raises(ToolError, match=f"^cannot write {tmp_path}/demo: directory not empty$"):
            write(tmp_path, SITE, site())
    assert on_disk(tmp_path / SITE) == {"RUNBOOK.md": b"theirs\n"}
    assert sorted(path.name for path in (tmp_path / ".jhecfg").iterdir()) == [".gitignore", "demo.lock"]
    with pytest.raises(Refused):
        write(tmp_path, SITE, site())


class Failing:
    """Fails the step of this number, and with `lasting` all that follow."""

    def __init__(self, point: int, *, lasting: bool) -> None:
        self.point = point
        self.lasting = lasting
        self.count = 0

    def __call__(self, name: str) -> None:
        self.count += 1
        if self.count == self.point or (self.lasting and self.count > self.point):
            raise OSError(5, "Input/output error")


@pytest.mark.parametrize("lasting", [False, True], ids=["once", "from-then-on"])
@pytest.mark.parametrize("first", [False, True], ids=["again", "first"])
def test_an_error_at_any_step_is_said_with_its_place(
    tmp_path: Path, system: str, first: bool, lasting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What could not be done, to what, in the system's words; the next build ends right."""
    said: list[str] = []
    for point in range(1, 99):
        failing, out = Failing(point, lasting=lasting), tmp_path / f"{point}"
        if not first:
            write(out, SITE, site(hubs__old__x=b"1\n", stale=b"1\n"))
            (out / ".jhecfg" / SITE).mkdir()
            (out / ".jhecfg" / SITE / "9.new").write_bytes(b"left by a dead build")
        with monkeypatch.context() as patch:
            recorded(patch, failing)
            try:
                write(out, SITE, site(**NEXT))
            except ToolError as error:
                said.append(str(error).replace(f"{out}", "OUT"))
        if failing.count < point:
            break
        write(out, SITE, site(**NEXT))
        assert on_disk(out / SITE) == site(**NEXT)
        assert sorted(path.name for path in (out / ".jhecfg").iterdir()) == [".gitignore", "demo.lock"]
    assert {each.rpartition(": ")[2] for each in said} == {"input/output error"}
    places = list(dict.fromkeys(each.rpartition(": ")[0] for each in said))
    wanted = [each.replace(" ", " OUT/") for each in (FIRST_ERRORS if first else LATER_ERRORS)]
    if system == "descriptors":
        assert places == [f"cannot {each}" for each in wanted]
    else:  # each operation looks at its folders anew, so there are more steps
        assert set(places) >= {f"cannot {each}" for each in wanted}


PUT = ("write demo/manifests/a.yaml", "write demo/zone/new/x", "write demo/jhecfg.lock")
FIRST_ERRORS = (
    *("write .jhecfg", "write .jhecfg/.gitignore", "write .gitattributes", "write demo/RUNBOOK.md", *PUT),
    *("write demo", "clear .jhecfg/demo"),
)
LATER_ERRORS = (
    *(
        "clear .jhecfg/demo",
        "write .jhecfg/demo",
        *PUT,
        "write .jhecfg/demo.journal",
        "remove demo/hubs/old/x",
        "remove demo/manifests/b.yaml",
        "remove demo/stale",
    ),
    *("remove demo/hubs/old", "remove demo/hubs", "remove .jhecfg/demo.journal"),
)


# --- the diff --------------------------------------------------------------------------------------------------------


def test_the_diff_reads_like_git(out: Path) -> None:
    """Changed, added and removed files stand in path order, with git's words for a missing last newline."""
    write(out, SITE, site(old=b"old\n"))
    (out / SITE / "RUNBOOK.md").write_bytes(b"\xff")
    comparison = compare(out, SITE, site(manifests__a_yaml=b"a: 2", new=b"1\n2\n"))
    root = str(out / SITE).lstrip("/")
    lines = [line.replace(root, "demo") for line in unified_diff(comparison) if LOCK not in line]
    start = lines.index("--- a/demo/manifests/a.yaml")
    assert lines[0] == "Binary files a/demo/RUNBOOK.md and b/demo/RUNBOOK.md differ"
    assert lines[start:] == [
        "--- a/demo/manifests/a.yaml",
        "+++ b/demo/manifests/a.yaml",
        "@@ -1 +1 @@",
        "-a: 1",
        "+a: 2",
        "\\ No newline at end of file",
        "--- /dev/null",
        "+++ b/demo/new",
        "@@ -0,0 +1,2 @@",
        "+1",
        "+2",
        "--- a/demo/old",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-old",
    ]


def test_the_diff_hides_what_others_may_have_pasted(out: Path) -> None:
    """In a file that was edited by hand secrets are masked; lines that jhecfg writes too are shown as they are."""
    ours = b"a: 1\npassword: correct-horse-battery\n"
    files = site(manifests__a_yaml=ours)
    write(out, SITE, files)
    (out / SITE / "manifests/a.yaml").write_bytes(ours + b"token: correct-horse-staple\n")
    (out / SITE / "mine").write_bytes(b"password: correct-horse-foreign\n")
    shown = "\n".join(unified_diff(compare(out, SITE, {**files, "mine": b"x: 1\n", "new": b"x: 1\ny: 2"})))
    assert "\n password: correct-horse-battery\n" in shown
    assert "correct-horse-staple" not in shown
    assert "correct-horse-foreign" not in shown
    assert "\n-token: ****" in shown


def test_the_diff_yields_one_line_at_a_time(tmp_path: Path) -> None:
    """No line of it holds a line feed, and text with a NUL is not shown as text."""
    lines = list(unified_diff(compare(tmp_path, SITE, site(a=b"1\n2", b=b"x\0y\n"))))
    assert all("\n" not in line for line in lines)
    assert lines[lines.index("+2") + 1] == "\\ No newline at end of file"
    assert any(line.startswith("Binary files /dev/null and b/") and line.endswith("/b differ") for line in lines)


def test_git_applies_the_diff(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`jhecfg diff | git apply` does what a build does."""
    git = need("git")
    monkeypatch.chdir(out.parent)
    write(Path("out"), SITE, site(old=b"old\n"))
    files = site("1" * 64, manifests__a_yaml=b"a: 2\nwith: \xe2\x80\xa8\n", new=b"new\nno end")
    patch = "".join(line + "\n" for line in unified_diff(compare(Path("out"), SITE, files)))
    done = subprocess.run([git, "apply", "-"], input=patch.encode(), capture_output=True, check=False)
    assert done.stderr == b""
    assert on_disk(out / SITE) == files


# --- any sequence ----------------------------------------------------------------------------------------------------

PATHS = [
    *(f"{top}/{leaf}" for top in ("d0", "d1", "d1/d2") for leaf in ("a.yaml", "b.yaml")),
    "top.md",
    "flip",
    "flip/x",
]
CONTENTS = st.sampled_from([b"", b"1\n", b"2\n", b"\0\xff"])


@st.composite
def file_sets(draw: st.DrawFn) -> Files:
    """Draw a site's files, in which no file is also a folder."""
    files = draw(st.dictionaries(st.sampled_from(PATHS), CONTENTS))
    if "flip" in files:
        files.pop("flip/x", None)
    return with_lock(files)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(builds=st.lists(file_sets(), min_size=1, max_size=5))
def test_any_sequence_of_builds_ends_with_the_last(builds: list[Files]) -> None:
    """However a site changes, its folder is the last build and the strangers, and a diff of it is empty."""
    strangers = {"mine/deep/x": b"x\n", "d0/mine.yaml": b"m\n"}
    with tempfile.TemporaryDirectory() as place:
        root = Path(place) / SITE
        for path, data in strangers.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        for files in builds:
            write(Path(place), SITE, files)
        assert on_disk(root) == {**builds[-1], **strangers}
        comparison = compare(Path(place), SITE, builds[-1])
        assert comparison.clean
        assert list(unified_diff(comparison)) == []
        assert comparison.unchanged == len(builds[-1])


@pytest.fixture(autouse=True)
def no_descriptor_leaks() -> Iterator[None]:
    """Check that every test gives back what it opened."""
    place = Path("/proc/self/fd")
    before = len(list(place.iterdir())) if place.exists() else 0
    yield
    if place.exists():
        assert len(list(place.iterdir())) <= before + 1


# --- where case does not count ---------------------------------------------------------------------------------------


@pytest.fixture
def folding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let names be found whatever their case, and listed as they were made: as on macOS, Windows and exFAT."""
    monkeypatch.setattr(folder_module, "DIR_FDS", True)
    monkeypatch.setattr(folder_module, "os", os)
    at, enter = folder_module.Folder._at, folder_module._enter

    def spelled(name: str, folder: int | None) -> str:
        return next((each for each in os.listdir(folder) if each.lower() == name.lower()), name)

    def at_any(self: folder_module.Folder, path: str, *, make: bool = False) -> tuple[int | None, str]:
        folder, name = at(self, path, make=make)
        return folder, spelled(name, folder)

    monkeypatch.setattr(folder_module.Folder, "_at", at_any)
    monkeypatch.setattr(folder_module, "_enter", lambda name, folder: enter(spelled(name, folder), folder))


@pytest.mark.parametrize(("theirs", "ours"), [("runbook.MD", "RUNBOOK.md"), ("Manifests/a.yaml", "manifests/a.yaml")])
def test_a_file_of_others_that_differs_in_case_alone_is_not_overwritten(
    tmp_path: Path, theirs: str, ours: str, folding: None
) -> None:
    """Where `runbook.MD` is `RUNBOOK.md`, somebody's file is in the way, and stays; so it is below `Manifests/`."""
    place = tmp_path / SITE / theirs
    place.parent.mkdir(parents=True)
    place.write_bytes(b"mine\n")
    with pytest.raises(Refused) as refused:
        write(tmp_path, SITE, site())
    assert refused.value.paths == ((f"{tmp_path}/demo/{ours}", "was not written by jhecfg"),)
    assert on_disk(tmp_path / SITE) == {theirs: b"mine\n"}


def test_a_folder_that_differs_in_case_alone_is_the_folder(tmp_path: Path, folding: None) -> None:
    """Files go into `Manifests/`, what is there stays, and the tree is clean."""
    (tmp_path / SITE / "Manifests").mkdir(parents=True)
    (tmp_path / SITE / "Manifests/mine").write_bytes(b"mine\n")
    write(tmp_path, SITE, site())
    assert compare(tmp_path, SITE, site()).clean
    write(tmp_path, SITE, site(manifests__a_yaml=b"a: 2\n", manifests__b_yaml=None))
    assert {path: data for path, data in on_disk(tmp_path / SITE).items() if path != LOCK} == {
        "RUNBOOK.md": b"# Run\n",
        "Manifests/a.yaml": b"a: 2\n",
        "Manifests/mine": b"mine\n",
    }


def test_where_case_counts_both_may_be_there(out: Path) -> None:
    """On other systems `runbook.md` is a stranger beside `RUNBOOK.md`."""
    (out / SITE / "runbook.md").write_bytes(b"mine\n")
    assert compare(out, SITE, site()).strangers == ("runbook.md",)
    write(out, SITE, site(RUNBOOK=b"x\n"))
    assert (out / SITE / "runbook.md").read_bytes() == b"mine\n"
