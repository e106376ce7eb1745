"""Store: the local file that holds a site's secrets, for its owner's eyes alone, and outside git.

`.secrets/<site>.yaml` lies beside `specs/` (beside the spec, where that is in another folder), in a folder of mode 0700
that holds a `.gitignore` of its own. The file has mode 0600 from its first byte on, is replaced in one step, and is
never followed through a link. Messages name the file and a line, never what stands there.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from jhecfg.diagnostics import SpecError, ToolError
from jhecfg.emit import NotPlain, dump
from jhecfg.reader import Limits, read

Values = Mapping[tuple[str, str], Mapping[str, str]]
"""(namespace, name of the Secret) → key → text."""

FOLDER = ".secrets"
_HEADER = (
    "The site's secrets. Keep this file to yourself: out of git, mail and chat; a copy belongs where your organization",
    "keeps passwords. `jhecfg secrets list` says what each is for. A comment that you add is lost at the next change.",
)
# A Secret holds at most 1 MiB, and a site a few dozen of them.
_LIMITS = Limits(bytes=64 << 20, depth=8, nodes=100_000, scalar=2 << 20, key=512)

_CLOEXEC = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0) | _CLOEXEC
_ENTER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NOFOLLOW
# O_NONBLOCK, so that a FIFO in the place of the file cannot make us wait for its writer.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _NOFOLLOW
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW


def store_path(spec: Path, site: str) -> Path:
    """Return where the secrets of a site are kept when nobody says otherwise."""
    folder = Path(os.path.abspath(spec)).parent
    path = (folder.parent if folder.name == "specs" else folder) / FOLDER / f"{site}.yaml"
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def load(path: Path) -> Values:
    """Return what the store holds; nothing where there is none yet.

    Raises ToolError for a file that others may read, a link, another owner's file, and for one that is no store.
    """
    try:
        at = _enter(path.parent)
    except FileNotFoundError:
        return {}
    try:
        return _load(path, at)
    finally:
        os.close(at)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other runs of jhecfg away from the store while it is read and changed; makes its folder where missing."""
    _refuse_output(path)
    at = _made(path.parent)
    try:
        import fcntl

        try:
            fcntl.flock(at, fcntl.LOCK_EX)
        except OSError as error:  # some network file systems do not lock folders
            raise _unusable(path.parent, error) from None
        _hide(path.parent, at)
        yield
    finally:
        os.close(at)


def save(path: Path, values: Values) -> None:
    """Put values in the place of the store's, in one step; the caller holds the lock. Raises ToolError.

    After a kill at any moment the file is the old one or the new one, and no other user could read either.
    """
    lost = next((f"{'/'.join(place)}/{key}" for place, key, text in _items(values) if not _keeps(key, text)), None)
    if lost is not None:
        raise ToolError(f"{path}: {lost} holds a character that the file cannot keep")
    text = dump(_tree(values), _HEADER)
    at = _enter(path.parent)
    try:
        _check_file(path, at)
        _replace(path.name, text.encode(), at)
    except OSError as error:
        raise _unusable(path, error) from None
    finally:
        os.close(at)


# --- the folder -------------------------------------------------------------------------------------------------------


def _enter(folder: Path) -> int:
    """Open the store's folder; it is its owner's alone."""
    if os.name != "posix":
        raise ToolError("the file of secrets needs permissions and locks as Linux and macOS have them; use WSL")
    try:
        at = os.open(folder, _ENTER)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _unusable(folder, error) from None
    found = os.fstat(at)
    problem = _not_mine(found) if stat.S_ISDIR(found.st_mode) else "is not a folder"
    if problem:
        os.close(at)
        mend = "run `chmod 700`" if folder.name == FOLDER else "name a folder of its own"
        raise ToolError(f"{folder}: {problem}{f'; {mend}' if 'others' in problem else ''}")
    return at


def _made(folder: Path) -> int:
    """Open the store's folder, made where it is missing."""
    try:
        os.makedirs(folder.parent, exist_ok=True)
        with suppress(FileExistsError):
            os.mkdir(folder, 0o700)
            os.chmod(folder, 0o700)  # the umask may have taken the owner's own rights
        return _enter(folder)
    except OSError as error:
        raise _unusable(folder, error) from None


def _hide(folder: Path, at: int) -> None:
    """Keep git away from the folder. One of another name is left as it is, and must be hidden already."""
    try:
        there = os.listdir(at)
        if ".gitignore" not in there and (folder.name == FOLDER or not there):
            _replace(".gitignore", b"*\n", at)
    except OSError as error:
        raise _unusable(folder, error) from None
    if not _hidden(folder, at):
        raise ToolError(f"{folder}: git would see the secrets; let its .gitignore be `*`, or name a folder of its own")


def _hidden(folder: Path, at: int) -> bool:
    if not any(os.path.exists(place / ".git") for place in (folder, *folder.resolve().parents)):
        return True
    try:
        with os.fdopen(os.open(".gitignore", _READ, dir_fd=at), "rb") as file:
            return b"*" in file.read(4096).split()
    except OSError:
        return False


def _refuse_output(path: Path) -> None:
    """Raise ToolError for a store among the outputs, which are committed."""
    for folder in Path(os.path.abspath(path)).parents:
        unbuilt = folder.name == "out" and os.path.isdir(folder.parent / "specs")
        if unbuilt or os.path.exists(folder / "jhecfg.lock") or os.path.exists(folder / ".jhecfg"):
            raise ToolError(f"{path}: lies in jhecfg's output, which is committed; name another place")


# --- the file ---------------------------------------------------------------------------------------------------------


def _load(path: Path, at: int) -> Values:
    try:
        file = os.open(path.name, _READ, dir_fd=at)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _unusable(path, error) from None
    try:
        _check_mode(path, os.fstat(file))
        with os.fdopen(file, "rb", closefd=False) as opened:
            data = opened.read(_LIMITS.bytes + 1)
    finally:
        os.close(file)
    try:
        tree = read(data, path.as_posix(), _LIMITS).tree
    except SpecError as error:
        raise ToolError(_unreadable(path, error)) from None
    return _values(path, tree)


def _check_file(path: Path, at: int) -> None:
    """Look at the file that would be replaced: it is a store, or there is none."""
    with suppress(FileNotFoundError):
        _check_mode(path, os.stat(path.name, dir_fd=at, follow_symlinks=False))


def _check_mode(path: Path, found: os.stat_result) -> None:
    if stat.S_ISLNK(found.st_mode):
        raise ToolError(f"{path}: is a link; name the file itself")
    if not stat.S_ISREG(found.st_mode):
        raise ToolError(f"{path}: is not a regular file")
    problem = _not_mine(found)
    if problem:
        raise ToolError(f"{path}: {problem}{'; run `chmod 600`' if 'others' in problem else ''}")


def _not_mine(found: os.stat_result) -> str:
    if found.st_uid != os.geteuid():
        return "belongs to another user"
    return "others may read it" if found.st_mode & 0o077 else ""


def _replace(name: str, data: bytes, at: int) -> None:
    fresh = f".{name}.new"
    with suppress(FileNotFoundError):
        os.unlink(fresh, dir_fd=at)  # of a run that was killed: this one holds the lock
    try:
        _write(fresh, data, at)
        os.replace(fresh, name, src_dir_fd=at, dst_dir_fd=at)
    except BaseException:
        with suppress(OSError):
            os.unlink(fresh, dir_fd=at)
        raise
    os.fsync(at)


def _write(name: str, data: bytes, at: int) -> None:
    """Write a new file that its owner alone may read, whatever the umask; return when the disk has it."""
    file = os.open(name, _CREATE, 0o600, dir_fd=at)
    try:
        os.fchmod(file, 0o600)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    finally:
        os.close(file)


# --- the text ---------------------------------------------------------------------------------------------------------


def _tree(values: Values) -> dict[str, dict[str, dict[str, str]]]:
    tree: dict[str, dict[str, dict[str, str]]] = {}
    for (namespace, name), items in values.items():
        tree.setdefault(namespace, {})[name] = dict(items)
    return tree


def _values(path: Path, tree: object) -> Values:
    """Take a tree for what it should be; say where it is not, by names alone."""
    values: dict[tuple[str, str], dict[str, str]] = {}
    for namespace, secrets in _mapping(path, tree, "the file"):
        for name, items in _mapping(path, secrets, namespace):
            values[namespace, name] = {}
            for key, text in _mapping(path, items, f"{namespace}/{name}"):
                if not isinstance(text, str):
                    raise ToolError(f"{path}: {namespace}/{name}/{key} is not text; put it in quotes")
                values[namespace, name][key] = text
    return values


def _mapping(path: Path, tree: object, place: str) -> list[tuple[str, object]]:
    if not isinstance(tree, dict):
        raise ToolError(f"{path}: {place} holds no keys and values; it is namespace, Secret, key, value")
    return list(tree.items())


def _items(values: Values) -> Iterator[tuple[tuple[str, str], str, str]]:
    for place, items in values.items():
        for key, text in items.items():
            yield place, key, text


def _keeps(key: str, text: str) -> bool:
    """Say whether a value would come back from the file as it is; a control character would not."""
    try:
        return read(dump({key: text}).encode(), "", _LIMITS).tree == {key: text}
    except (NotPlain, SpecError):
        return False


def _unreadable(path: Path, error: SpecError) -> str:
    """Say where the file is no YAML: the code and the line, and not a word of it."""
    first = error.diagnostics[0]
    line = f":{first.span.line}" if first.span else ""
    return f"{path}{line}: cannot be read ({first.code}: `jhecfg explain {first.code}`)"


def _unusable(path: Path, error: OSError) -> ToolError:
    if error.errno in (errno.ELOOP, errno.EMLINK) or (error.errno == errno.ENOTDIR and path.is_symlink()):
        return ToolError(f"{path}: is a link; name the place itself")
    return ToolError(f"{path}: {(error.strerror or type(error).__name__).lower()}")
