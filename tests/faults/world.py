"""World: faults as a real system brings them, to whole commands in processes of their own.

Mounts are made in a mount namespace of this process, so that none is left behind; without root they are skipped, and
so is the part that needs another user, who, unlike root, is denied things.
"""

from __future__ import annotations

import ctypes
import os
import random
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.faults.place import (
    FOREIGN,
    SECOND,
    SPEC,
    THIRD,
    Said,
    Snapshot,
    command,
    copied,
    differences,
    environment,
    fresh,
    go,
    put,
    run_all,
    snapshot,
    state,
    warm,
)
from tests.faults.sweep import Case

Break = Callable[[Path], None]
NOBODY = 65534


class World(NamedTuple):
    """Where cases happen: a template that is built and then changed, what it becomes, and files outside of it."""

    work: Path
    template: Path
    before: Snapshot
    final: Snapshot

    @property
    def place(self) -> Path:
        """Where the case at hand happens."""
        return self.work / "place"

    @property
    def outside(self) -> Path:
        """A folder that no case may change: what links lead to."""
        return self.work / "outside"


OUTSIDE = {"a.yaml": b"outside: 1\n", "deep/b.yaml": b"outside: 2\n", "namespace.yaml": b"outside: 3\n"}


def world(work: Path) -> World:
    """Make the template: built from one spec, and about to be built from another."""
    warm(work)
    template = fresh(work / "template")
    put(template, {"specs/lab.yaml": SPEC.encode(), **FOREIGN})
    run_all(template, [["build"]])
    put(template, {"specs/lab.yaml": SECOND.encode()})
    final = copied(template, work / "final")
    run_all(final, [["build"]])
    put(fresh(work / "outside"), OUTSIDE)
    return World(work, template, snapshot(template), snapshot(final))


def judged(
    at: World,
    kind: str,
    what: str,
    said: Said,
    heal: Break,
    *,
    codes: tuple[int, ...] = (4, 5),
    look: bool = True,
    left_over: Collection[str] = (),
) -> Case:
    """Judge what a build under a fault left, heal the fault, and judge the next build; what is `left_over` may stay."""
    wrong = []
    if "Traceback" in said.err or "has a bug" in said.err or said.code not in codes:
        wrong.append(f"exit {said.code}: {said.err.strip()[-300:]}")
    left = state(at.before, at.final, snapshot(at.place)) if look else "not looked at"
    if left.startswith("wrong"):
        wrong.append(left)
    heal(at.place)
    then = go(at.place, "build")
    if then.code:
        wrong.append(f"the next one exits {then.code}: {then.err.strip()[:300]}")
    unsettled = [p for p in differences(at.final, snapshot(at.place)) if p not in left_over]
    if unsettled:
        wrong.append(f"at the end: {unsettled[:5]}")
    check = go(at.place, "check")
    if check.code:
        wrong.append(f"check exits {check.code}: {check.err.strip()[:200]}")
    if {p: d for p, (k, _, d) in snapshot(at.outside).items() if k == "file"} != OUTSIDE:
        wrong.append("something outside was touched")
        put(fresh(at.outside), OUTSIDE)
    return Case(kind, kind, 0, what, said.code, left, "wrong" if wrong else "right", "; ".join(wrong))


# --- things in the way ------------------------------------------------------------------------------------------------


def _link(target: str) -> Callable[[Path, World], None]:
    return lambda path, at: path.symlink_to(at.outside / target)


def _socket(path: Path, at: World) -> None:
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as each:
            each.bind(path.name)
    finally:
        os.chdir(before)


def _full_folder(path: Path, at: World) -> None:
    path.mkdir()
    (path / "mine").write_bytes(b"mine\n")


def _hard_link(path: Path, at: World) -> None:
    os.link(at.outside / "a.yaml", path)


OBSTACLES: dict[str, Callable[[Path, World], None]] = {
    "link to a file outside": _link("a.yaml"),
    "link to a folder outside": _link("deep"),
    "dangling link": _link("nowhere"),
    "link to itself": lambda path, at: path.symlink_to(path.name),
    "named pipe": lambda path, at: os.mkfifo(path),
    "socket": _socket,
    "device": lambda path, at: os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 7)),
    "folder with a file of others": _full_folder,
    "file of others": lambda path, at: path.write_bytes(b"mine\n"),
    "hard link to a file outside": _hard_link,
}


def obstacles(at: World, chance: random.Random, share: float) -> Iterator[Case]:
    """Put each kind of thing in the place of each file and folder that a build needs, with and without --force."""
    needed = sorted(
        p for p in {*at.before, *at.final} if p.startswith("out/lab/") and "mine" not in p and "NOTES" not in p
    )
    needed += ["out", "out/lab", "out/.jhecfg", "out/.jhecfg/lab", "out/.jhecfg/lab.journal", "out/.jhecfg/lab.lock"]
    for path in needed:
        for name, make in OBSTACLES.items():
            for force in (False, True):
                # `out` itself is the user's word, and may be a link (tree/folder.py).
                if chance.random() < share and (path, name) != ("out", "link to a folder outside"):
                    yield _obstacle(at, path, name, make, force=force)


def _obstacle(at: World, path: str, name: str, make: Callable[[Path, World], None], *, force: bool) -> Case:
    place = copied(at.template, at.place)
    there = place / path
    aside = at.work / "aside"
    shutil.rmtree(aside, ignore_errors=True)
    with suppress(FileNotFoundError):
        aside.unlink()
    if there.exists():
        there.rename(aside)
    there.parent.mkdir(parents=True, exist_ok=True)
    make(there, at)
    planted = _what(there)
    before = {p: v for p, v in snapshot(place).items() if p.startswith(path + "/")}
    said = go(place, "build", *(["--force"] if force else []))
    kept = _what(there) == planted and all(snapshot(place).get(p) == v for p, v in before.items())

    def heal(place: Path) -> None:
        if said.code == 0 and not kept:  # it was replaced: what stood there is the new build's
            put(place, {p: data for p, data in FOREIGN.items() if p.startswith(path + "/")})
            return
        if there.is_dir() and not there.is_symlink():
            shutil.rmtree(there)
        else:
            there.unlink(missing_ok=True)
        if path == "out/.jhecfg" and said.code == 0:  # theirs and ours together were in it: ours are back
            aside.rename(there)
        elif said.code == 0 and path != "out/.jhecfg/lab.lock":  # nothing that the new build needs, and so left alone
            put(place, {p: data for p, data in FOREIGN.items() if p.startswith(path + "/")})
        elif aside.exists():
            there.parent.mkdir(parents=True, exist_ok=True)
            aside.rename(there)

    blank = name == "hard link to a file outside" or (force and name == "file of others")
    nobodys = at.before.keys() - at.final.keys() if path == "out/lab/jhecfg.lock" else ()  # without a lock
    case = judged(
        at,
        "in the way",
        f"{name} at {path}{' --force' if force else ''}",
        said,
        heal,
        codes=(0, 4, 5),
        look=False,
        left_over=nobodys,
    )
    if not kept and not blank and not case.wrong and not _may_go(name, path, said):
        return case._replace(then="wrong", wrong=f"the {name} is gone after exit {said.code}")
    return case


def _may_go(name: str, path: str, said: Said) -> bool:
    """Whether a build may replace what lies there: a file that locks nothing and says nothing, in a working place."""
    return path.startswith("out/.jhecfg/") and name == "file of others"


def _what(path: Path) -> tuple[int, int, bytes]:
    try:
        found = path.lstat()
    except OSError:
        return (0, 0, b"")
    data = path.read_bytes() if stat.S_ISREG(found.st_mode) else b""
    return (found.st_ino if not stat.S_ISREG(found.st_mode) else 0, stat.S_IFMT(found.st_mode), data)


# --- denied, full, read-only -------------------------------------------------------------------------------------------


def as_nobody(place: Path, *words: str) -> Said:
    """Run a command as a user who, unlike root, is denied things."""

    def become() -> None:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)

    return _go_after(become, place, *words)


def _go_after(first: Callable[[], None], place: Path, *words: str) -> Said:
    """Run a command in a child that does something first."""
    reading = place.parent / "place.said"
    pid = os.fork()
    if pid == 0:
        code = 97
        try:
            os.environ.update(environment(place))
            os.chdir(place)
            for number, name in ((1, "out"), (2, "err")):
                os.dup2(os.open(f"{reading}.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
            first()
            command(*words)()
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            Path(f"{reading}.err").write_text(traceback.format_exc())
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return Said(code, *(Path(f"{reading}.{name}").read_text(errors="replace") for name in ("out", "err")))


def denied(at: World, chance: random.Random, share: float) -> Iterator[Case]:
    """Take the right to write from each folder, and to read from each file, and build as another user."""
    if os.geteuid() != 0:
        return
    os.chmod(at.work, 0o755)
    folders = sorted(
        p for p, (kind, _, _) in at.before.items() if kind == "folder" and p.startswith("out") and "theirs" not in p
    )
    files = sorted(
        p for p, (kind, _, _) in at.before.items() if kind == "file" and p.startswith("out/lab/") and "mine" not in p
    )
    for path, mode in [
        *((f, 0o555) for f in folders),
        *((f, 0o000) for f in folders),
        *((f, 0o000) for f in files),
        *((f, 0o444) for f in files),
    ]:
        if chance.random() >= share:
            continue
        place = copied(at.template, at.place)
        for folder, names, others in os.walk(place):
            for name in (".", *names, *others):
                os.lchown(os.path.join(folder, name), NOBODY, NOBODY)
        was = (place / path).stat().st_mode & 0o777
        os.chmod(place / path, mode)
        said = as_nobody(place, "build")

        def heal(place: Path, path: str = path, was: int = was) -> None:
            os.chmod(place / path, was) if (place / path).exists() else None

        harmless = mode == 0o444
        os.chmod(place / path, was) if (place / path).exists() else None
        yield judged(at, "denied", f"{mode:03o} on {path}", said, heal, codes=(0,) if harmless else (0, 4, 5))


def immutable(at: World, chance: random.Random, share: float) -> Iterator[Case]:
    """Make files and folders immutable (chattr +i), which stops root, too."""
    if os.geteuid() != 0 or shutil.which("chattr") is None:
        return
    paths = sorted(p for p in at.before if p.startswith("out/lab"))
    for path in paths:
        if chance.random() >= share:
            continue
        place = copied(at.template, at.place)
        if subprocess.run(["chattr", "+i", str(place / path)], capture_output=True, check=False).returncode:
            return

        def heal(place: Path, path: str = path) -> None:
            subprocess.run(["chattr", "-i", str(place / path)], capture_output=True, check=False)

        try:
            said = go(place, "build")
            yield judged(at, "immutable", path, said, heal, codes=(0, 5))
        finally:
            heal(place)


def private_mounts() -> bool:
    """Give this process mounts of its own; say whether that could be done."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(0x20000) != 0:
        return False
    return subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, check=False).returncode == 0


@contextmanager
def mounted(path: Path, *options: str, kind: str = "tmpfs", source: str = "none") -> Iterator[bool]:
    """Mount something at a path, for the time of the block; False where that cannot be done."""
    path.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "-t", kind, *options, source, str(path)], capture_output=True, check=False)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", str(path)], capture_output=True, check=False)


def full_disks(at: World, steps: int) -> Iterator[Case]:
    """Build on a file system that is really full, with room for a bit more each time; and on one without inodes."""
    need = 400  # KiB, more than a build stages
    rooms = [("blocks", 4 * round(need * n / steps / 4)) for n in range(steps)]
    inodes = len(at.before) + 40
    rooms += [("inodes", n) for n in range(2, 2 + steps)]
    for kind, room in rooms:
        size = "size=16m" if kind == "blocks" else f"size=16m,nr_inodes={inodes + room}"
        shutil.rmtree(at.place, ignore_errors=True)
        with mounted(at.place, "-o", size) as done:
            if not done:
                return
            shutil.copytree(at.template, at.place, symlinks=True, dirs_exist_ok=True)
            filler = at.place / ".home"
            filler.mkdir(exist_ok=True)
            if kind == "blocks":
                free = os.statvfs(at.place)
                (filler / "filler").write_bytes(b"x" * max(0, free.f_bavail * free.f_frsize - room * 1024))
            else:
                for n in range(max(0, os.statvfs(at.place).f_favail - room)):
                    (filler / f"filler-{n}").touch()
            said = go(at.place, "build")
            yield judged(
                at,
                f"full disk ({kind})",
                f"room {room}",
                said,
                lambda place: shutil.rmtree(place / ".home"),
                codes=(0, 5),
            )


def mounts(at: World) -> Iterator[Case]:
    """Read-only trees and folders, and mount points in the way."""
    read_only = [
        "",
        "out",
        "out/lab",
        "out/lab/manifests",
        "out/lab/manifests/20-config",
        "out/.jhecfg",
        "out/lab/hubs/hub",
    ]
    for path in read_only:
        place = copied(at.template, at.place)
        target = place / path
        subprocess.run(["mount", "--bind", str(target), str(target)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "remount,ro,bind", str(target)], check=True, capture_output=True)

        def heal(place: Path, target: Path = target) -> None:
            subprocess.run(["umount", "-l", str(target)], check=False, capture_output=True)

        said = go(place, "build")
        yield judged(at, "read-only", path or "all", said, heal, codes=(5,))
    for path in ("out", "out/lab", "out/lab/manifests", "out/.jhecfg"):
        place = copied(at.template, at.place)
        held = copied(place / path, at.work / "held")
        with mounted(place / path, "-o", "size=16m"):
            shutil.copytree(held, place / path, symlinks=True, dirs_exist_ok=True)
            said = go(place, "build")
            yield (
                judged(at, "mount point", path, said, lambda place: None, codes=(0, 5), look=path == "out")
                if path == "out"
                else _foreign_mount(at, path, said)
            )


def _foreign_mount(at: World, path: str, said: Said) -> Case:
    """A folder below out/ on another file system: no file can be moved there in one step, so it is said, and nothing torn."""
    left = state(at.before, at.final, snapshot(at.place))
    wrong = [left] if left.startswith("wrong") else []
    wrong += [f"exit {said.code}: {said.err[-200:]}"] if said.code != 5 or "bug" in said.err else []
    return Case("mount point", "mount point", 0, path, said.code, left, "wrong" if wrong else "right", "; ".join(wrong))


# --- streams, places that go, clocks -----------------------------------------------------------------------------------


def streams(at: World) -> Iterator[Case]:
    """Full, closed and unread standard streams."""

    def full(number: int) -> Break:
        return lambda place: os.dup2(os.open("/dev/full", os.O_WRONLY), number) and None

    def unread(number: int) -> Break:
        def first(place: Path) -> None:
            reading, writing = os.pipe()
            os.dup2(writing, number)
            os.close(reading)
            name = ("stdin", "stdout", "stderr")[number]
            setattr(sys, name, open(number, "w", closefd=False))  # noqa: SIM115 - as a process that starts so has it

        return first

    def closed(number: int, name: str) -> Break:
        def first(place: Path) -> None:
            os.close(number)
            setattr(sys, name, None)  # as Python has it that starts so

        return first

    kinds: dict[str, tuple[Break, tuple[int, ...]]] = {
        "stdout full": (full(1), (5,)),
        "stderr full": (full(2), (5,)),
        "stdout unread": (unread(1), (0,)),
        "stderr unread": (unread(2), (0,)),
        "stdout closed": (closed(1, "stdout"), (0,)),
        "stderr closed": (closed(2, "stderr"), (0,)),
        "stdin closed": (lambda place: os.close(0), (0,)),
    }
    for name, (first, codes) in kinds.items():
        for words in (("build",), ("build", "--jobs", "2"), ("build", "-q")):
            place = copied(at.template, at.place)
            said = _go_after(lambda first=first, place=place: first(place), place, *words)  # type: ignore[misc]  # bound now
            codes_ = (0, 5) if "-q" in words else codes
            yield judged(at, "streams", f"{name}: {' '.join(words)}", said, lambda place: None, codes=codes_)


def vanishing(at: World, chance: random.Random, times: int) -> Iterator[Case]:
    """A folder that somebody removes or moves away while a build runs; and a working directory that is gone."""
    for turn in range(times):
        victim = ("out", "out/lab", "out/lab/manifests", "out/.jhecfg", "out/.jhecfg/lab")[turn % 5]
        place = copied(at.template, at.place)
        keep = {p: v for p, v in snapshot(place).items() if not p.startswith(victim)}
        said = _racing(
            place, ("build",), lambda place=place, victim=victim: _vanish(place / victim, chance.uniform(0, 0.15))
        )  # type: ignore[misc]  # bound now
        aside = place.parent / "aside"

        def heal(place: Path, aside: Path = aside) -> None:
            copied(at.template, place)  # what was moved away is lost with it; only the rest is judged

        wrong = [p for p, v in keep.items() if not p.startswith("out/") and snapshot(place).get(p) != v]
        case = judged(at, "vanishing", victim, said, heal, codes=(0, 4, 5), look=False)
        yield case._replace(wrong=f"{wrong} touched", then="wrong") if wrong else case
    for words in (("build",), ("check",), ("set", "specs/lab.yaml", "exchange.title=x")):
        place = copied(at.template, at.place)
        gone = at.work / "gone"
        gone.mkdir(exist_ok=True)

        def leave(gone: Path = gone) -> None:
            os.chdir(gone)
            gone.rmdir()

        said = _go_after(leave, place, *words)
        yield judged(
            at, "vanishing", f"working directory: {words[0]}", said, lambda place: None, codes=(2, 5), look=True
        )


def _vanish(victim: Path, after: float) -> None:
    time.sleep(after)
    with suppress(OSError):
        victim.rename(victim.parent / f".gone-{os.getpid()}")


def _racing(place: Path, words: tuple[str, ...], racer: Callable[[], None]) -> Said:
    """Run a command while another process does something."""
    pid = os.fork()
    if pid == 0:
        try:
            racer()
        finally:
            os._exit(0)
    said = go(place, *words)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return said


def clocks(at: World) -> Iterator[Case]:
    """Files from 1970 and from 2100, and a clock that says so."""
    for name, moment in (("1970", 0.0), ("2100", 4102444800.0)):
        place = copied(at.template, at.place)
        for folder, names, files in os.walk(place):
            for each in (*names, *files):
                os.utime(os.path.join(folder, each), (moment, moment))

        def set_clock(moment: float = moment) -> None:
            time.time = lambda: moment
            time.time_ns = lambda: int(moment * 1e9)

        yield judged(at, "clock", name, _go_after(set_clock, place, "build"), lambda place: None, codes=(0,))


# --- locks, journals, names --------------------------------------------------------------------------------------------


def texts(at: World, chance: random.Random, times: int) -> Iterator[Case]:
    """Cut, garble and forge the lock and the journal: refused or repaired, never a file lost; --force goes on."""
    whole = {"out/lab/jhecfg.lock": (at.template / "out/lab/jhecfg.lock").read_bytes()}
    whole["out/.jhecfg/lab.journal"] = whole["out/lab/jhecfg.lock"].replace(b'"spec"', b'"was"')
    forged = (
        b'{"format": 1, "files": {"../../NOTES.md": "%s"}}' % (b"0" * 64),
        b'{"format": 99, "files": {}}',
        b"[" * 5000,
        b"\0" * 80,
    )
    for path, text in whole.items():
        for turn in range(times):
            damage = ("cut", "bit", "forged")[turn % 3]
            cut = chance.randrange(len(text))
            bad = bytearray(text)
            bad[cut] ^= 1 << chance.randrange(8)
            data = {"cut": text[:cut], "bit": bytes(bad), "forged": chance.choice(forged)}[damage]
            place = copied(at.template, at.place)
            put(place, {path: data})
            said = go(place, "build")
            expected = Case("lock and journal", damage, turn, path, said.code, "", "right")
            wrong = [f"exit {said.code} {said.err[-200:]}"] if said.code not in (0, 4) or "bug" in said.err else []
            left = state({**at.before, path: snapshot(place).get(path, ("", 0, b""))}, at.final, snapshot(place))
            wrong += [left] if left.startswith("wrong") else []
            newer = b'"format": 99' in data
            if newer:
                (place / path).unlink()
            force = go(place, "build", "--force")
            wrong += [f"--force exits {force.code}: {force.err[-200:]}"] if force.code else []
            wrong += [f"at the end {d[:4]}"] if (d := _but_new_strangers(at, snapshot(place))) else []
            yield expected._replace(state=left, then="wrong" if wrong else "right", wrong="; ".join(wrong))


def _but_new_strangers(at: World, now: Snapshot) -> list[str]:
    """Return what differs; a file that a damaged lock no longer claims may stay, as a stranger."""
    return [p for p in differences(at.final, now) if p in at.final or p not in at.before]


def reserved(at: World) -> Iterator[Case]:
    """Sites and hubs that Windows could not store are refused, and nothing is written."""
    names = ["con", "prn", "aux", "nul", *(f"{k}{n}" for k in ("com", "lpt") for n in range(10))]
    for name in names:
        for spec in (SECOND.replace("site: lab", f"site: {name}"), SECOND.replace("name: other", f"name: {name}")):
            place = copied(at.template, at.place)
            put(place, {"specs/lab.yaml": spec.encode()})
            said = go(place, "build")
            yield judged(
                at,
                "reserved name",
                name,
                said,
                lambda place: put(place, {"specs/lab.yaml": SECOND.encode()}),
                codes=(1,),
                look=False,
            )


# --- many at once -------------------------------------------------------------------------------------------------------


def random_kills(at: World, chance: random.Random, times: int) -> Iterator[Case]:
    """SIGKILL, SIGTERM, SIGINT or SIGHUP at a random moment, to whole builds of one, two or many processes."""
    for turn in range(times):
        place = copied(at.template, at.place)
        how = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)[turn % 4]
        pid = _start(place, "build")
        time.sleep(chance.uniform(0, 0.25))
        with suppress(ProcessLookupError):
            os.killpg(pid, how)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        err = (place.parent / "place.started.err").read_text(errors="replace")
        yield judged(at, "killed at random", how.name, Said(code, "", err), lambda place: None, codes=(0, 130, -how))


def _start(place: Path, *words: str) -> int:
    """Start a command in a process group of its own."""
    pid = os.fork()
    if pid:
        with suppress(OSError):
            os.setpgid(pid, pid)
        return pid
    try:
        with suppress(OSError):
            os.setpgid(0, 0)
        os.environ.update(environment(place))
        os.chdir(place)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(
                os.open(place.parent / f"{place.name}.started.{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
                number,
            )
        command(*words)()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    except KeyboardInterrupt:
        os._exit(130)
    finally:
        os._exit(97)


def builders(at: World, times: int) -> Iterator[Case]:
    """Builders of different specs of one site, and of another site, at once: each ends well, and one of them is last."""
    for turn in range(times):
        place = copied(at.template, at.place)
        other = SPEC.replace("site: lab", "site: another").encode()
        put(place, {"elsewhere/third.yaml": THIRD.encode(), "elsewhere/other.yaml": other})
        started = [
            _start(place, "build"),
            _start(place, "build", "elsewhere/third.yaml"),
            _start(place, "build", "elsewhere/other.yaml"),
            _start(place, "build", "specs/lab.yaml", "--jobs", "2"),
        ]
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in started]
        wrong = (
            [] if set(codes) == {0} else [f"exits {codes}: {(place.parent / 'place.started.err').read_text()[-200:]}"]
        )
        shutil.rmtree(place / "elsewhere")

        def heal(place: Path) -> None:
            shutil.rmtree(place / "out/another", ignore_errors=True)
            (place / "out/.jhecfg/another.lock").unlink(missing_ok=True)

        case = judged(at, "builders at once", f"turn {turn}", Said(0, "", ""), heal, codes=(0,), look=False)
        yield case._replace(then="wrong", wrong=f"{case.wrong} {wrong}") if wrong else case


def setters(at: World, times: int) -> Iterator[Case]:
    """Several `set` of different keys at once: whoever says that it was written has it in the file."""
    for turn in range(times):
        place = copied(at.template, at.place)
        wishes = {
            "exchange.title": f"T{turn}",
            "exchange.replicas": "3",
            "exchange.workers": "4",
            "contact": f"c{turn}@example.org",
        }
        started = {key: _start(place, "set", "specs/lab.yaml", f"{key}={value}") for key, value in wishes.items()}
        codes = {key: os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for key, pid in started.items()}
        text = (place / "specs/lab.yaml").read_text()
        lost = [key for key, code in codes.items() if code == 0 and wishes[key] not in text]
        wrong = [f"lost {lost}"] if lost else []
        wrong += [f"exits {codes}"] if set(codes.values()) - {0, 5} or 0 not in codes.values() else []
        left = sorted(path.name for path in (place / "specs").iterdir() if path.name.endswith(".new"))
        wrong += [f"left {left}"] if left else []
        case = judged(
            at,
            "sets at once",
            f"turn {turn}",
            Said(0, "", ""),
            lambda place: put(place, {"specs/lab.yaml": SECOND.encode()}),
            codes=(0,),
            look=False,
        )
        yield case._replace(then="wrong", wrong=f"{case.wrong} {wrong}") if wrong else case


def swapped(at: World, times: int) -> Iterator[Case]:
    """A process that swaps a folder for a link to outside, and back, as fast as it can, while builds run."""
    for turn in range(times):
        victim = ("out/lab/manifests", "out/lab", "out/.jhecfg", "out/lab/hubs", "out/lab/manifests/20-config")[
            turn % 5
        ]
        place = copied(at.template, at.place)

        def swap(path: Path = place / victim, aside: Path = place / "aside") -> None:
            while True:
                with suppress(OSError):
                    path.rename(aside)
                    path.symlink_to(at.outside)
                with suppress(OSError):
                    path.unlink()
                    aside.rename(path)

        said = _racing(place, ("build", "--force") if turn % 2 else ("build",), swap)

        def heal(place: Path, victim: str = victim) -> None:
            copied(at.template, place)

        yield judged(at, "folders swapped for links", victim, said, heal, codes=(0, 4, 5), look=False)


# --- where case does not count -----------------------------------------------------------------------------------------


def folding(at: World) -> Iterator[Case]:
    """Build on exFAT and NTFS, where `Runbook.md` and `RUNBOOK.md` are one file."""
    if os.geteuid() != 0:
        return
    for name, make, mount in (
        ("ntfs", ["mkfs.ntfs", "-F", "-Q", "-q"], ["lowntfs-3g", "-o", "ignore_case,windows_names"]),
        ("exfat", ["mkfs.exfat"], ["mount.exfat-fuse"]),
    ):
        if shutil.which(make[0]) is None or shutil.which(mount[0]) is None:
            continue
        image = at.work / f"{name}.img"
        with image.open("wb") as file:
            file.truncate(24 << 20)
        subprocess.run([*make, str(image)], capture_output=True, check=True)
        loop = subprocess.run(
            ["losetup", "-f", "--show", str(image)], capture_output=True, text=True, check=True
        ).stdout.strip()
        point = fresh(at.work / name)
        try:
            if subprocess.run([*mount, loop, str(point)], capture_output=True, check=False).returncode == 0:
                yield from _folded(name, point / "place")
        finally:
            subprocess.run(["umount", str(point)], capture_output=True, check=False)
            subprocess.run(["losetup", "-d", loop], capture_output=True, check=False)


def _folded(name: str, place: Path) -> Iterator[Case]:
    for what, foreign in (
        ("nothing", {}),
        ("a file of others", {"out/lab/runbook.MD": b"mine\n"}),
        ("a folder of others", {"out/lab/Manifests/20-CONFIG/mine.txt": b"mine\n"}),
        ("a hub's folder", {"out/lab/HUBS/Hub/Values.yaml": b"mine\n"}),
    ):
        put(fresh(place), {"specs/lab.yaml": SPEC.encode(), **foreign})
        said = go(place, "build")
        clash = what in ("a file of others", "a hub's folder")
        wrong = [f"exit {said.code}: {said.err[-200:]}"] if said.code != (4 if clash else 0) else []
        wrong += [f"{path} was touched" for path, data in foreign.items() if (place / path).read_bytes() != data]
        for path in foreign if clash else ():
            (place / path).unlink()
        for spec in (SPEC, SECOND, THIRD):
            put(place, {"specs/lab.yaml": spec.encode()})
            for words in (["build"], ["check"]):
                then = go(place, *words)
                wrong += [f"then {words} exits {then.code}: {then.err[-200:]}"] if then.code else []
        wrong += (
            []
            if (init := go(place, "init", "specs/more.yaml", *INIT_WORDS)).code == 0
            else [f"init exits {init.code}: {init.err[-200:]}"]
        )
        wrong += (
            [f"left {left}"]
            if (left := [p.name for p in (place / "specs").iterdir() if p.name.endswith(".new")])
            else []
        )
        yield Case(
            "case does not count",
            name,
            0,
            what,
            said.code,
            "refused" if clash else "new",
            "wrong" if wrong else "right",
            "; ".join(wrong),
        )


INIT_WORDS = ("--yes", "--domain", "jhe.example.org", "--contact", "ops@example.org", "--database-host",
              "db.abc123.us-east-2.rds.amazonaws.com", "--smtp-host", "smtp.example.org", "--hub", "none")  # fmt: skip
