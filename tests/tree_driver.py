"""A build that dies: `jhecfg.tree.write` run under a fault at every system call that changes the disk.

Run as a program by `test_tree_crash.py`, in a process of its own without threads, so that it may fork: the child
dies, the parent looks at what is left and builds on. Production code knows nothing of it: `os` is patched here.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jhecfg.diagnostics import ToolError
from jhecfg.tree import compare, write
from tests.locked import with_lock

SITE = "demo"
NOTHING = -1
"""In the place of a generation: not even files of others are there."""
STRANGERS = {"NOTES.md": b"mine\n", "manifests/10-a/mine.yaml": b"mine: too\n", "theirs/deep/file": b"\0\1"}

Files = dict[str, bytes]
Step = Callable[[str], None]


def generation(number: int) -> Files:
    """Return a site's files: some never change, some do, one folder moves, and one name is a file, then a folder."""
    files = {f"manifests/{i % 3}0-a/f{i}.yaml": b"gen: %d\n" % (number if i % 2 else 0) * 30 for i in range(6)}
    files[f"hubs/hub-{number}/values.yaml"] = b"hub: %d\n" % number
    files["turn" if number % 2 else "turn/inner.yaml"] = b"turn\n" * number
    return with_lock(files, str(number) * 64)


def main(folder: str, fault: str, before: str, after: str, then: str, *again: str) -> None:
    """Break the build of generation `after` over `before` at each step, then build `then`; print a JSON report.

    Generations in `again` are built in between, and broken at the same step each.
    """
    point, report = 0, []
    while True:
        point += 1
        out = Path(folder) / "out"
        shutil.rmtree(out, ignore_errors=True)
        prepare(out, int(before))
        dead, where = break_build(out, generation(int(after)), fault, point)
        if not dead:
            break
        state = judge(out, int(before), int(after))
        for number in again:
            break_build(out, generation(int(number)), fault, point)
        report.append({"point": point, "step": where, "state": state, "then": build_on(out, int(then), int(before))})
    print(json.dumps(report))


def prepare(out: Path, number: int) -> None:
    """Build the generation before (0: none), and put files of others beside it; or make nothing."""
    if number > 0:
        write(out, SITE, generation(number))
    for path, data in strangers(number).items():
        (out / SITE / path).parent.mkdir(parents=True, exist_ok=True)
        (out / SITE / path).write_bytes(data)


def strangers(before: int) -> Files:
    """Return the files of others that lie beside what was there before."""
    return {} if before == NOTHING else STRANGERS


def break_build(out: Path, files: Files, fault: str, point: int) -> tuple[bool, str]:
    """Run one build that breaks at a step; return whether it broke, and the step's name."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        os._exit(_doomed(out, files, FAULTS[fault], point, write_end))
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        where = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status) == signal.SIGKILL, where
    code = os.WEXITSTATUS(status)
    assert code in (0, 5), f"point {point}, {where}: exit {code}"
    return bool(where), where


def _doomed(out: Path, files: Files, fault: Callable[[], None], point: int, pipe: int) -> int:
    count, real_write = 0, os.write

    def step(name: str) -> None:
        nonlocal count
        count += 1
        if count == point:
            real_write(pipe, name.encode())
            fault()

    try:
        with patched(step):
            write(out, SITE, files)
    except ToolError as error:
        return 5 if "demo" in str(error) or ".jhecfg" in str(error) or ".git" in str(error) else 6
    except KeyboardInterrupt:
        return 5
    return 0


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _full() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _denied() -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _interrupt() -> None:
    raise KeyboardInterrupt


FAULTS = {"kill": _kill, "full": _full, "denied": _denied, "interrupt": _interrupt}


@contextmanager
def patched(step: Step) -> Iterator[None]:
    """Call `step` before each call that changes the disk (so after the one before it), and amid each write."""
    real: dict[str, Any] = {name: getattr(os, name) for name in (*_PLAIN, "open", "write")}
    for name in _PLAIN:
        setattr(os, name, _around(name, real[name], step))
    create = _around("create", real["open"], step)

    def open_(path: str, flags: int, *rest: Any, **more: Any) -> int:
        return int((create if flags & os.O_CREAT else real["open"])(path, flags, *rest, **more))

    setattr(os, "open", open_)  # noqa: B010  # mypy has no type for a patch
    setattr(os, "write", lambda fd, data: _half(real["write"], step, fd, data))  # noqa: B010  # as above
    try:
        yield
    finally:
        for name, function in real.items():
            setattr(os, name, function)


_PLAIN = ("replace", "unlink", "mkdir", "rmdir", "fsync")


def _around(name: str, real: Callable[..., Any], step: Step) -> Callable[..., Any]:
    def call(*args: Any, **more: Any) -> Any:
        step(f"before {name}")
        return real(*args, **more)

    return call


def _half(real: Callable[[int, bytes], int], step: Step, fd: int, data: bytes) -> int:
    """Write half of it: what a kill in the middle leaves, and what a full disk reports first."""
    done = real(fd, bytes(data)[: max(1, len(data) // 2)])
    step("half write")
    return done


def judge(out: Path, before: int, after: int) -> str:
    """Name the state after the fault: old, new or a mix of whole files; anything else is said."""
    old, new = generation(before) if before > 0 else {}, generation(after)
    have, theirs = tree(out), strangers(before)
    for path, data in have.items():
        if data not in (old.get(path), new.get(path), theirs.get(path)):
            return f"torn: {path}"
    if any(have.get(path) != data for path, data in theirs.items()):
        return "a stranger was touched"
    ours = {path: data for path, data in have.items() if path not in theirs}
    if before == NOTHING and (out / SITE).exists() and ours != new:
        return "half of a new site"
    return "old" if ours == old else "new" if ours == new else "mix"


def build_on(out: Path, number: int, before: int) -> str:
    """Build the next generation over what is left, and say whether all is as if nothing had happened."""
    files, theirs = generation(number), strangers(before)
    write(out, SITE, files)
    if tree(out) != {**files, **theirs}:
        return "wrong files: " + ", ".join(sorted(set(tree(out)) ^ {*files, *theirs}))
    if not compare(out, SITE, files).clean:
        return "not clean"
    left = sorted(path.name for path in (out / ".jhecfg").iterdir())
    empty = [str(path) for path in (out / SITE).rglob("*") if path.is_dir() and not any(path.iterdir())]
    return "right" if left == [".gitignore", f"{SITE}.lock"] and not empty else f"left behind: {left} {empty}"


def tree(out: Path) -> Files:
    """Return every file of the site's folder."""
    root = out / SITE
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def race(folder: str, number: str, times: str) -> None:
    """Build the same site again and again, as one of several processes that do."""
    for turn in range(int(times)):
        write(Path(folder) / "out", SITE, generation(int(number) + 2 * (turn % 2)))


if __name__ == "__main__":
    if sys.argv[1] == "break":
        main(*sys.argv[2:])
    else:
        race(*sys.argv[2:])
