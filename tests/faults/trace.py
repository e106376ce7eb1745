"""Trace: run a command in a forked child, and break it at one of the system calls that touch its files.

The child stops at each call of `CALLS` (seccomp tells the kernel which, ptrace brings the stop), whichever library makes
it: nothing of Python is patched. Linux on x86-64 alone; elsewhere `POSSIBLE` is False.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

POSSIBLE = sys.platform == "linux" and platform.machine() == "x86_64"

# Number of the call on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl) → its name here, and which argument is what.
CALLS = {
    1: "write", 18: "write", 20: "write",
    2: "open", 257: "open", 85: "open",
    82: "rename", 264: "rename", 316: "rename",
    87: "unlink", 263: "unlink", 84: "rmdir",
    83: "mkdir", 258: "mkdir",
    74: "fsync", 75: "fsync", 77: "truncate",
    90: "chmod", 91: "chmod", 268: "chmod",
    73: "flock",
    217: "list",
    0: "read",
}  # fmt: skip
_AT = {257: 1, 264: 1, 316: 1, 263: 1, 258: 1, 268: 1}
"""Calls whose first argument is the folder that the path in the second is relative to."""
_BY_FD = {0, 1, 18, 20, 74, 75, 77, 91, 73, 217}
_UNLINKAT, _REMOVE_FOLDER = 263, 0x200
_CHANGES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_NOWHERE = 0xFFFFFF9C  # AT_FDCWD

_TRACEME, _CONT, _GETREGS, _SETREGS, _SYSCALL, _SETOPTIONS, _GETEVENTMSG = 0, 7, 12, 13, 24, 0x4200, 0x4201
_OPTIONS = 1 | 2 | 4 | 8 | 0x80 | 0x100000  # sysgood, fork, vfork, clone, seccomp, exitkill
_EVENT_SECCOMP = 7
_WALL = 0x40000000
_REGISTERS = (
    "r15", "r14", "r13", "r12", "rbp", "rbx", "r11", "r10", "r9", "r8", "rax", "rcx", "rdx", "rsi", "rdi", "orig_rax",
)  # fmt: skip
_R = {name: place for place, name in enumerate(_REGISTERS)}
"""Where a register is in the kernel's user_regs_struct, which has 27."""

ERRNOS = {"full": errno.ENOSPC, "denied": errno.EACCES, "read-only": errno.EROFS, "broken disk": errno.EIO}
SIGNALS = {"term": signal.SIGTERM, "interrupt": signal.SIGINT, "hang-up": signal.SIGHUP}
MEANT = {"write": {"full", "broken disk"}, "fsync": {"full", "broken disk"}, "truncate": {"full", "broken disk"},
         "flock": {"broken disk"}, "read": {"broken disk"}, "list": {"broken disk"}}  # fmt: skip
"""The errors that a kind of call can have; all of `ERRNOS` where it is not named."""


class Step(NamedTuple):
    """One system call: what it does, and the path it does that to, relative to the place."""

    call: str
    path: str
    changes: bool


class Ended(NamedTuple):
    """How a command ended: exit code, or minus the signal; the steps it made; where it was broken; what it printed."""

    code: int
    steps: tuple[Step, ...]
    broken: Step | None
    out: str
    err: str


class Fault(NamedTuple):
    """Break the command at its step number `at`, from 1. `how`: kill, half, worker, or a name of ERRNOS or SIGNALS.

    half: a write does half its work, then all processes are killed. worker: only the process that makes the step.
    `lasting`: every later call of a kind that the error fits fails likewise, as on a disk that stays full.
    """

    how: str
    at: int
    lasting: bool = False


class _Filter(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]  # as ctypes wants it


_libc = ctypes.CDLL(None, use_errno=True)


def _ptrace(request: int, pid: int, data: object = 0) -> None:
    _libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    _libc.ptrace.restype = ctypes.c_long
    if _libc.ptrace(request, pid, None, data) < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"ptrace {request}: {os.strerror(number)}")


def _stop_at_calls() -> None:
    """Let the kernel stop this process and its children at each of CALLS, and at nothing else."""
    load, equal, give = 0x20, 0x15, 0x06
    program = [struct.pack("HBBI", load, 0, 0, 0)]  # the number of the call
    program += [struct.pack("HBBI", equal, len(CALLS) - i, 0, number) for i, number in enumerate(CALLS)]
    program += [struct.pack("HBBI", give, 0, 0, 0x7FFF0000), struct.pack("HBBI", give, 0, 0, 0x7FF00000)]
    text = ctypes.create_string_buffer(b"".join(program))
    asked = _Filter(len(program), ctypes.cast(text, ctypes.c_void_p))
    _libc.prctl(38, 1, 0, 0, 0)
    if _libc.prctl(22, 2, ctypes.byref(asked), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


def run(
    command: Callable[[], None],
    place: Path,
    fault: Fault | None = None,
    *,
    counted: Callable[[Step], bool] = lambda step: step.changes,
    environment: Mapping[str, str] | None = None,
    log: Path | None = None,
) -> Ended:
    """Run a command in a forked child that works in `place`, and break it at the step that `fault` says.

    A step is a call that `counted` takes, to a path in `place`, or to the standard streams. The caller must have no
    threads. The child's own stdout and stderr go to files in `log`, which is not in `place`.
    """
    log = log or place.parent / f"{place.name}.log"
    log.mkdir(exist_ok=True)
    pid = os.fork()
    if pid == 0:
        _child(command, place, environment or {}, log)
    tracer = _Tracer(pid, os.fsencode(os.path.realpath(place)), fault, counted)
    code = tracer.follow()
    said = [(log / name).read_text(errors="replace") for name in ("stdout", "stderr")]
    return Ended(code, tuple(tracer.steps), tracer.broken, *said)


def _child(command: Callable[[], None], place: Path, environment: Mapping[str, str], log: Path) -> None:
    try:
        os.setsid()
        os.environ.update(environment)
        os.chdir(place)
        for number, name in ((1, "stdout"), (2, "stderr")):
            os.dup2(os.open(log / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        _ptrace(_TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        _stop_at_calls()
        command()
    except SystemExit as end:
        os._exit(int(end.code or 0))
    except BaseException:
        import traceback

        traceback.print_exc()
        os._exit(97)
    os._exit(0)


class _Tracer:
    """Follows a process and its children from stop to stop."""

    def __init__(self, pid: int, place: bytes, fault: Fault | None, counted: Callable[[Step], bool]) -> None:
        self.pid = pid
        self.place = place
        self.fault = fault
        self.counted = counted
        self.steps: list[Step] = []
        self.broken: Step | None = None
        self.doomed = 0  # the process to be killed as its call returns

    def follow(self) -> int:
        """Let it run to its end; return its exit code, or minus the signal that ended it."""
        os.waitpid(self.pid, 0)
        _ptrace(_SETOPTIONS, self.pid, _OPTIONS)
        _ptrace(_CONT, self.pid)
        code, alive = 0, {self.pid}
        while alive:
            try:
                pid, status = os.waitpid(-1, _WALL)
            except ChildProcessError:
                break
            if os.WIFSTOPPED(status):
                alive.add(pid)
                self._stopped(pid, status)
                continue
            alive.discard(pid)
            if pid == self.pid:
                code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        return code

    def _stopped(self, pid: int, status: int) -> None:
        reason, event = os.WSTOPSIG(status), status >> 16
        try:
            if event == _EVENT_SECCOMP:
                self._at_call(pid)
            elif reason == signal.SIGTRAP | 0x80:  # a call that was let through returns
                if self.doomed == pid:
                    self._kill(pid)
                _ptrace(_CONT, pid)
            elif event or reason in (signal.SIGTRAP, signal.SIGSTOP):
                _ptrace(_CONT, pid)
            else:
                _ptrace(_CONT, pid, int(reason))  # a signal on its way to the process
        except OSError as error:
            if error.errno != errno.ESRCH:  # killed meanwhile
                raise

    def _kill(self, pid: int) -> None:
        if self.fault is not None and self.fault.how == "worker":
            os.kill(pid, signal.SIGKILL)
        else:
            os.killpg(self.pid, signal.SIGKILL)

    def _at_call(self, pid: int) -> None:
        registers = (ctypes.c_ulonglong * 27)()
        _ptrace(_GETREGS, pid, ctypes.byref(registers))
        step = self._step(pid, registers)
        if step is None or not self.counted(step):
            _ptrace(_CONT, pid)
            return
        self.steps.append(step)
        fault = self.fault
        now = fault is not None and len(self.steps) == fault.at
        later = fault is not None and fault.lasting and len(self.steps) > fault.at and _fits(fault.how, step)
        if fault is None or not (now or later):
            _ptrace(_CONT, pid)
            return
        self.broken = self.broken or step
        self._break(pid, registers, fault.how, step)

    def _break(self, pid: int, registers: ctypes.Array[ctypes.c_ulonglong], how: str, step: Step) -> None:
        if how in ERRNOS:
            registers[_R["orig_rax"]] = ctypes.c_ulonglong(-1).value
            registers[_R["rax"]] = ctypes.c_ulonglong(-ERRNOS[how]).value
            _ptrace(_SETREGS, pid, ctypes.byref(registers))
            _ptrace(_CONT, pid)
        elif how in SIGNALS:
            os.kill(pid, SIGNALS[how])
            _ptrace(_CONT, pid)
        elif how == "half" and step.call == "write":
            registers[_R["rdx"]] = max(1, registers[_R["rdx"]] // 2)
            _ptrace(_SETREGS, pid, ctypes.byref(registers))
            self.doomed = pid
            _ptrace(_SYSCALL, pid)
        else:
            self._kill(pid)
            _ptrace(_CONT, pid)

    def _step(self, pid: int, registers: ctypes.Array[ctypes.c_ulonglong]) -> Step | None:
        """Return what the call is; None for one that touches nothing in the place."""
        number = registers[_R["orig_rax"]]
        first, second, third = (registers[_R[name]] for name in ("rdi", "rsi", "rdx"))
        call, changes = CALLS[number], True
        if number in _BY_FD:
            if first in (1, 2) and number in (1, 20):
                return Step("say", "stdout" if first == 1 else "stderr", changes=True)
            path = _link(pid, first)
            changes = call not in ("read", "list")
        else:
            folder, at = (first, second) if number in _AT else (_NOWHERE, first)
            name = _text(pid, at)
            if not name.startswith(b"/"):
                base = (
                    _link(pid, folder) if folder & 0xFFFFFFFF != _NOWHERE else os.readlink(f"/proc/{pid}/cwd".encode())
                )
                name = base + b"/" + name
            path = os.path.normpath(name)
            flags = third if number == 257 else second
            if call == "open":
                changes = number == 85 or bool(flags & _CHANGES)
            if number == _UNLINKAT and third & _REMOVE_FOLDER:
                call = "rmdir"
        if path != self.place and not path.startswith(self.place + b"/"):
            return None
        return Step(call, os.fsdecode(path[len(self.place) + 1 :]), changes)


def _fits(how: str, step: Step) -> bool:
    if step.call == "say" or not step.changes:
        return False
    return how in MEANT.get(step.call, ERRNOS) and not (how == "full" and step.call in ("unlink", "rmdir", "chmod"))


def _link(pid: int, fd: int) -> bytes:
    try:
        return os.readlink(f"/proc/{pid}/fd/{fd & 0xFFFFFFFF}".encode())
    except OSError:
        return b""


def _text(pid: int, address: int) -> bytes:
    """Read a text that ends with NUL, page by page."""
    text = b""
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        while b"\0" not in text:
            memory.seek(address + len(text))
            text += memory.read(4096 - (address + len(text)) % 4096)
    return text.split(b"\0")[0]


def faults_at(step: Step, among: Sequence[str]) -> list[str]:
    """Return those faults that a step can have."""
    if step.call == "say":
        return [how for how in among if how in ("kill", "full", "broken disk", *SIGNALS)]
    meant = MEANT.get(step.call, set(ERRNOS))
    return [how for how in among if how not in ERRNOS or how in meant if how != "half" or step.call == "write"]
