"""The store: whatever its values, its owner alone reads it, no run is lost, and no kill leaves half of it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhecfg.diagnostics import ToolError
from jhecfg.marks import FORBIDDEN
from jhecfg.secretstore import store
from jhecfg.secretstore.store import load, locked, save, store_path
from tests.tools import ROOT

pytestmark = pytest.mark.slow

CANARY = "c4n4ry-Zq8vT2mX"
ONE = {("jhe", "jhe-smtp"): {"password": CANARY}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a site of specs/ here has its store."""
    return store_path(tmp_path / "specs/lab.yaml", "lab")


def put(path: Path, values: store.Values) -> None:
    """Save under the lock, as the commands do."""
    with locked(path):
        save(path, values)


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """Run with another umask."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def mode(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(os.lstat(path).st_mode)


# --- where ------------------------------------------------------------------------------------------------------------


def test_the_store_lies_beside_specs_or_beside_the_spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same spec has the same store from wherever jhecfg runs; below here it is shown as a short path."""
    wanted = tmp_path / ".secrets/lab.yaml"
    (tmp_path / "specs").mkdir()
    for here, spec, shown in [
        (tmp_path, "specs/x.yaml", Path(".secrets/lab.yaml")),
        (tmp_path / "specs", "x.yaml", wanted),
        (tmp_path, "x.yaml", Path(".secrets/lab.yaml")),
        (Path("/"), str(tmp_path / "specs/x.yaml"), wanted.relative_to("/")),
    ]:
        monkeypatch.chdir(here)
        assert store_path(Path(spec), "lab") == shown
        assert Path(os.path.abspath(shown)) == wanted


def test_git_sees_nothing_of_it(path: Path) -> None:
    """In a work tree of git the folder hides itself, whatever is put into it."""
    top = path.parent.parent
    subprocess.run(["git", "init", "--quiet", str(top)], check=True)
    put(path, ONE)
    done = subprocess.run(["git", "-C", str(top), "status", "--porcelain"], capture_output=True, text=True, check=True)
    assert done.stdout == ""


def test_another_folder_must_hide_itself_from_git(path: Path) -> None:
    """A store elsewhere in a work tree is refused until git would not see it; nothing is written before."""
    top = path.parent.parent
    subprocess.run(["git", "init", "--quiet", str(top)], check=True)
    elsewhere = top / "mine" / "lab.yaml"
    elsewhere.parent.mkdir(mode=0o700)
    (elsewhere.parent / "notes.txt").write_text("")
    with pytest.raises(ToolError, match="git would see the secrets"):
        put(elsewhere, ONE)
    assert [p.name for p in elsewhere.parent.iterdir()] == ["notes.txt"]
    (elsewhere.parent / ".gitignore").write_text("*\n")
    put(elsewhere, ONE)
    assert load(elsewhere) == ONE


def test_the_output_is_no_place_for_it(path: Path) -> None:
    """A store below a folder that jhecfg writes and people commit is refused."""
    for mark in ("lab/jhecfg.lock", ".jhecfg/x"):
        out = path.parent.parent / f"out-{mark[0]}"
        (out / mark).parent.mkdir(parents=True)
        (out / mark).write_text("")
        with pytest.raises(ToolError, match="output, which is committed"):
            put(out / "lab/.secrets/lab.yaml", ONE)
    (path.parent.parent / "specs").mkdir()
    with pytest.raises(ToolError, match="output, which is committed"):
        put(path.parent.parent / "out/lab/lab.yaml", ONE)  # before the first build


# --- who --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o277, 0o777])
def test_its_owner_alone_can_read_it_whatever_the_umask(mask: int, path: Path) -> None:
    """Folder 0700, file 0600, no less and no more."""
    with umask(mask):
        path.parent.parent.mkdir(exist_ok=True)
        put(path, ONE)
        put(path, {**ONE, ("jhe", "other"): {"key": "value"}})
    assert [mode(p) for p in (path.parent, path)] == [0o700, 0o600]
    assert load(path)["jhe", "jhe-smtp"] == ONE["jhe", "jhe-smtp"]


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_may_use_is_refused(bits: int, path: Path) -> None:
    """Both ways, with what to do, and without a word of it."""
    put(path, ONE)
    path.chmod(bits)
    for use in (lambda: load(path), lambda: put(path, ONE)):
        with pytest.raises(ToolError, match=r"others may read it; run `chmod 600`") as caught:
            use()
        assert CANARY not in str(caught.value)


def test_a_folder_that_others_may_use_is_refused(path: Path) -> None:
    """Whoever may write there may put another file in its place."""
    put(path, ONE)
    path.parent.chmod(0o755)
    with pytest.raises(ToolError, match=r"others may read it; run `chmod 700`"):
        load(path)
    elsewhere = path.parent.parent / "specs"
    elsewhere.mkdir(mode=0o755)
    with pytest.raises(ToolError, match=r"others may read it; name a folder of its own"):
        load(elsewhere / "lab.yaml")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_file_of_somebody_else_is_refused(path: Path) -> None:
    """Root, too, uses its own alone."""
    put(path, ONE)
    os.chown(path, 12345, 12345)
    with pytest.raises(ToolError, match="belongs to another user"):
        load(path)


# --- links and other things -------------------------------------------------------------------------------------------


def test_no_link_is_followed(path: Path, tmp_path: Path) -> None:
    """Not that of the file, not that of the folder, not one in the place of what is written first."""
    target = tmp_path / "target"
    target.write_text("theirs")
    put(path, ONE)
    path.unlink()
    path.symlink_to(target)
    for use in (lambda: load(path), lambda: put(path, ONE)):
        with pytest.raises(ToolError, match="is a link"):
            use()
    path.unlink()
    (path.parent / f".{path.name}.new").symlink_to(target)
    put(path, ONE)
    assert target.read_text() == "theirs"
    moved = path.parent.rename(tmp_path / "moved")
    path.parent.symlink_to(moved)
    for use in (lambda: load(path), lambda: put(path, ONE)):
        with pytest.raises(ToolError, match="is a link"):
            use()


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_refused_without_waiting(kind: str, path: Path) -> None:
    """A pipe nobody writes to, a folder: both are said."""
    put(path, ONE)
    path.unlink()
    os.mkfifo(path, 0o600) if kind == "fifo" else path.mkdir(0o700)
    for use in (lambda: load(path), lambda: put(path, ONE)):
        with pytest.raises(ToolError, match="is not a regular file"):
            use()


# --- what -------------------------------------------------------------------------------------------------------------

NAMES = st.from_regex(r"[a-z0-9]([a-z0-9.-]{0,20}[a-z0-9])?", fullmatch=True)
KEYS = st.from_regex(r"[-._a-zA-Z0-9]{1,30}", fullmatch=True)
TEXTS = st.one_of(
    st.text(max_size=200).filter(lambda text: not FORBIDDEN.search(text) and text.isprintable()),
    st.sampled_from(["", "a\nb", "a\nb\n", "\n", "no", "0123", "12e03", " x ", "é", "# x", "x: y", "|", "'\""]),
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    values=st.dictionaries(st.tuples(NAMES, NAMES), st.dictionaries(KEYS, TEXTS, min_size=1), min_size=1, max_size=4)
)
def test_what_is_saved_is_what_is_loaded(values: dict[tuple[str, str], dict[str, str]], path: Path) -> None:
    """Any name and any text comes back as it was, line ends and other scripts included."""
    put(path, values)
    assert load(path) == values


def test_a_megabyte_comes_back(path: Path) -> None:
    """As much as a Kubernetes Secret holds."""
    values = {("jhe", "a"): {"line": "x" * (1 << 20), "lines": "y\n" * (1 << 19)}}
    put(path, values)
    assert load(path) == values


@pytest.mark.parametrize("odd", ["\0", "\x08", "\x7f", "\ud800"])
def test_a_character_that_no_file_keeps_is_refused_by_its_place(odd: str, path: Path) -> None:
    """What would not come back is said by name alone, and what was there stays."""
    put(path, ONE)
    with pytest.raises(ToolError, match="jhe/jhe-smtp/password holds a character") as caught:
        put(path, {("jhe", "jhe-smtp"): {"password": f"{CANARY}{odd}"}})
    assert CANARY not in str(caught.value)
    assert load(path) == ONE


def test_a_person_can_read_it(path: Path) -> None:
    """A PEM stands line by line, below its names."""
    put(path, {("jhe", "jhe-exchange"): {"oidc-rsa-private-key": "-----BEGIN X-----\nabc\n-----END X-----\n"}})
    lines = path.read_text().split("\n")
    assert [line.strip() for line in lines if not line.startswith("#")][:5] == [
        "jhe:", "jhe-exchange:", "oidc-rsa-private-key: |", "-----BEGIN X-----", "abc",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"jhe:\n  a:\n    password: '{CANARY}\n", r":\d+: cannot be read \(yaml-"),
        (f"jhe:\n  a:\n    password:{CANARY}\n", "jhe/a holds no keys and values"),
        (f"jhe:\n  a: {CANARY}\n", "jhe/a holds no keys and values"),
        (f"jhe: {CANARY}\n", "jhe holds no keys and values"),
        (f"- {CANARY}\n", "cannot be read"),
        ("jhe:\n  a:\n    password: 4711\n", "jhe/a/password is not text; put it in quotes"),
        (f"jhe:\n  a:\n    password: {CANARY}\n    password: {CANARY}\n", ":4: cannot be read"),
        (f"jhe:\n  a:\n    password: {CANARY} \u202e\n", "cannot be read"),
    ],
    ids=["open quote", "no space", "no keys", "no Secrets", "a list", "a number", "twice", "hidden"],
)
def test_a_mistake_made_by_hand_is_said_without_a_word_of_the_file(text: str, said: str, path: Path) -> None:
    """File, line and kind; never what stands there."""
    put(path, ONE)
    path.write_text(text)
    with pytest.raises(ToolError, match=said) as caught:
        load(path)
    assert CANARY not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


# --- when -------------------------------------------------------------------------------------------------------------

_KILLED = """
import os, sys
from pathlib import Path
from jhecfg.secretstore import store
path, new = Path(sys.argv[1]), {("jhe", "jhe-smtp"): {"password": "new" * 2000}}
def put(values):
    with store.locked(path):
        store.save(path, values)
def run(step):
    count = 0
    def counted(real):
        def wrapper(*args, **options):
            nonlocal count
            count += 1
            if count == step:
                os._exit(9)
            return real(*args, **options)
        return wrapper
    for name in ("open", "write", "fchmod", "fsync", "replace", "unlink", "mkdir", "chmod", "close"):
        setattr(os, name, counted(getattr(os, name)))
    put(new)
    os._exit(0)
for step in range(1, 80):
    put({("jhe", "jhe-smtp"): {"password": "old"}})
    (path.parent / ".gitignore").unlink()
    child = os.fork()
    if not child:
        run(step)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    found = store.load(path)["jhe", "jhe-smtp"]["password"]
    modes = {oct(os.stat(each).st_mode & 0o777) for each in path.parent.iterdir()}
    print(code, {"old": "old", "new" * 2000: "new"}.get(found), *modes)
    if not code:
        break
"""


def test_a_kill_at_any_step_leaves_the_old_or_the_new(path: Path) -> None:
    """Whatever call is the last: one of the two is there whole, nothing is readable to others, the next run works."""
    put(path, ONE)
    command = [sys.executable, "-c", _KILLED, str(path)]
    done = subprocess.run(command, cwd=ROOT, check=True, timeout=60, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert set(lines) == {"9 old 0o600", "9 new 0o600", "0 new 0o600"}
    assert len(lines) > 10
    put(path, ONE)
    assert sorted(p.name for p in path.parent.iterdir()) == [".gitignore", "lab.yaml"]


_ADDING = """
import sys
from pathlib import Path
from jhecfg.secretstore.store import load, locked, save
path = Path(sys.argv[1])
for number in range(8):
    with locked(path):
        save(path, {**load(path), ("jhe", f"{sys.argv[2]}-{number}"): {"key": "value"}})
"""


def test_two_runs_at_once_lose_nothing(path: Path) -> None:
    """Each waits for the other, so that what both add is there in the end."""
    path.parent.parent.mkdir(exist_ok=True)
    runs = [subprocess.Popen([sys.executable, "-c", _ADDING, str(path), name], cwd=ROOT) for name in ("a", "b")]
    assert [run.wait(60) for run in runs] == [0, 0]
    assert len(load(path)) == 16


def test_a_disk_that_is_full_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failing write is said by its path, and leaves neither a half nor a secret behind."""
    put(path, ONE)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(ToolError, match=r"lab\.yaml: no space left on device"):
        put(path, {("jhe", "jhe-smtp"): {"password": "other"}})
    monkeypatch.undo()
    assert load(path) == ONE
    assert sorted(p.name for p in path.parent.iterdir()) == [".gitignore", "lab.yaml"]
