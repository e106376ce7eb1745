"""Cache: what this machine compiled before, so that a build or check with nothing new need not compile again.

It lies under `$XDG_CACHE_HOME/jhecfg`, never in a repository, and holds digests and paths alone. `jhecfg.lock` cannot
take its place: whoever edits an output file can forge the lock to match, and only a compile would notice. What is
here was compiled by this user, on this machine, with these very sources of jhecfg, without a diagnostic.

Only light modules are imported: this runs before anything else does.
"""

from __future__ import annotations

import hashlib
import os
import stat
import sys

from jhecfg import __version__
from jhecfg.listing import ABSENT, listing_digest

TYPE_CHECKING = False  # typing itself is slow to import; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    AnyPath = str | os.PathLike[str]

_FORMAT = "jhecfg-cache 1"
_PER_SHARD = 64
"""Entries in one of 256 folders before the oldest go; some 16,000 in all."""

_READ = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)

_CREATE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)

_known_fingerprint: list[str] = []


class Hit:
    """A build that was remembered and is still exactly so.

    It has the site's name, how many files it has, and what it was made of: the spec, its bases, sealed files.
    """

    __slots__ = ("files", "site", "sources")

    def __init__(self, site: str, files: int, sources: tuple[str, ...]) -> None:
        """Take the site's name, the number of its files, and the paths of what it was made of, the spec first."""
        self.site = site
        self.files = files
        self.sources = sources


def recall(spec: AnyPath, out: AnyPath, options: str) -> Hit | None:
    """Return a Hit if compiling `spec` again would find `out/<site>/` exactly as it is; else None.

    Every spec file and every output file, `jhecfg.lock` included, is read and hashed again. `options` is any text
    that names what else a result depends on (flags, the validator used). Never raises; a damaged entry is no entry.
    """
    place = _place(spec, options)
    if place is None:
        return None
    try:
        maker, site, sources, files = _parse(_read_plain(place, private=True))
        same = maker == fingerprint() and _sources_are(sources) and (not site or _tree_is(os.fspath(out), site, files))
    except (OSError, ValueError, KeyError):
        return None
    return Hit(site, len(files), tuple(sources)) if same else None


def remember(spec: AnyPath, sources: Mapping[str, str], site: str, files: Mapping[str, str], options: str) -> None:
    """Remember that `spec` compiled to `files` without any diagnostic, not even a warning.

    `sources` maps the path of every file that was read (the spec, what it extends, sealed secrets) to the SHA-256 of
    its bytes, taken when it was read, and the path of every folder that was listed to its `listing_digest`; `files`
    maps each output path, `jhecfg.lock` among them, to the SHA-256 of its bytes. A base that other specs extend has no
    output: its site is "" and it has no files. Best effort: a cache that cannot be written is no reason to fail, so
    every OSError is dropped.
    """
    place = _place(spec, options)
    if place is None:
        return
    lines = [fingerprint(), site]
    lines += [f"source {digest} {os.path.abspath(path)}" for path, digest in sources.items()]
    lines += [f"file {digest} {path}" for path, digest in files.items()]
    if any("\n" in line for line in lines):  # a path with a line feed in it: legal, and not worth a format
        return
    try:
        body = "\n".join(lines).encode()
        _write(place, b"\n".join((_FORMAT.encode(), _digest(body).encode(), body)))
    except (OSError, UnicodeError):
        return


def fingerprint() -> str:
    """Return a digest of jhecfg itself: version, Python, and name, size and time of each of its own files.

    It is taken once, before the compiler is imported, so that an edit made while a build runs is not credited with
    that build's result. Installed libraries count through the time of their folder, which every install changes.
    """
    if not _known_fingerprint:
        here = os.path.dirname(os.path.abspath(__file__))
        facts = [__version__, sys.version, *_stats(here)]
        facts += [f"{path} {os.stat(path).st_mtime_ns}" for path in sys.path if _is_library(path)]
        _known_fingerprint.append(_digest("\n".join(facts).encode("utf-8", "surrogateescape")))
    return _known_fingerprint[0]


def _stats(folder: str) -> Iterator[str]:
    with os.scandir(folder) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                if entry.name != "__pycache__":
                    yield from _stats(entry.path)
            else:
                found = entry.stat()
                yield f"{entry.path} {found.st_size} {found.st_mtime_ns} {found.st_ino}"


def _is_library(path: str) -> bool:
    return path.endswith(("site-packages", "dist-packages")) and os.path.isdir(path)


def _place(spec: AnyPath, options: str) -> str | None:
    """Return the path of the entry for a spec and an options text; None where there can be no cache."""
    try:
        root = _root()
        fingerprint()
        name = _digest(f"{os.path.abspath(spec)}\0{options}".encode("utf-8", "surrogateescape"))
    except OSError:  # no working directory any more, or jhecfg runs from a zip file
        return None
    return os.path.join(root, name[:2], name[2:]) if root and _is_ours(root) else None


def _is_ours(root: str) -> bool:
    """Say whether nobody but this user can put anything into the cache's folder, or is to make it.

    A cache home that others may write to (a shared one, under /tmp) may hold links where we write and delete.
    """
    if sys.platform == "win32":
        return True
    try:
        return os.lstat(root).st_uid == os.geteuid() and _is_private(os.stat(root))
    except FileNotFoundError:
        return True  # made with mode 0700 when it is needed
    except OSError:
        return False


def _root() -> str:
    if os.environ.get("JHECFG_NO_CACHE"):
        return ""
    home = os.environ.get("HOME", "")
    bases = (os.environ.get("XDG_CACHE_HOME", ""), os.environ.get("LOCALAPPDATA", ""), home and f"{home}/.cache")
    for base in bases:
        if os.path.isabs(base):  # the XDG specification: a relative path is to be ignored
            return os.path.join(base, "jhecfg")
    return ""


def _is_private(found: os.stat_result) -> bool:
    """Say whether nobody but this user can have written the entry."""
    if sys.platform == "win32":
        return True
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _parse(entry: bytes) -> tuple[str, str, dict[str, str], dict[str, str]]:
    """Return maker, site, and sources and files by path to digest; raises ValueError for a damaged entry."""
    head, total, body = entry.split(b"\n", 2)
    if head != _FORMAT.encode() or _digest(body) != total.decode("ascii"):
        raise ValueError("damaged")
    maker, site, *lines = body.decode().split("\n")
    listed: dict[str, dict[str, str]] = {"source": {}, "file": {}}
    for line in lines:
        kind, digest, path = line.split(" ", 2)
        listed[kind][path] = digest
    return maker, site, listed["source"], listed["file"]


def _sources_are(sources: Mapping[str, str]) -> bool:
    """Compare with the spec files, which may be links: a person's own files may lie where they like."""
    return bool(sources) and all(_source_is(path, digest) for path, digest in sources.items())


def _source_is(path: str, digest: str) -> bool:
    """Compare one file, or the listing of a folder, with what it was."""
    if digest == ABSENT or os.path.isdir(path):
        return listing_digest(path) == digest
    with open(path, "rb") as file:
        return _digest(file.read()) == digest


def _tree_is(out: str, site: str, files: Mapping[str, str]) -> bool:
    """Compare with the output folder: plain folders, plain files, the same bytes, no unfinished build.

    A file too many need not be looked for: `jhecfg.lock` is as it was, so it is a stranger, or was never ours.
    """
    state = os.path.join(out, ".jhecfg")
    if os.path.lexists(os.path.join(state, site + ".journal")) or os.path.lexists(os.path.join(state, site)):
        return False
    root = os.path.join(out, site)
    inner = {path.rpartition("/")[0] for path in files} - {""}
    folders = inner.union(*map(_above, inner))
    # Pasted, since `os.path.join` would cost a quarter of all this: a site has forty files, a fleet forty thousand.
    if not all(stat.S_ISDIR(os.lstat(place).st_mode) for place in (root, *(f"{root}/{each}" for each in folders))):
        return False
    same = all(_digest(_read_plain(f"{root}/{path}")) == digest for path, digest in files.items())
    return same and os.path.lexists(os.path.join(out, ".gitattributes"))


def _above(path: str) -> Iterator[str]:
    while path := path.rpartition("/")[0]:
        yield path


def _read_plain(path: str, *, private: bool = False) -> bytes:
    """Read a regular file, not through a link, and without waiting for a pipe; `private`: that none else can write.

    By descriptor: a file object would double the cost, and there are forty files a site.
    """
    fd = os.open(path, _READ)
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or (private and not _is_private(found)):
            raise OSError("not a regular file, or not ours alone")
        data = os.read(fd, found.st_size + 1)
        if len(data) == found.st_size:
            return data
        parts = [data]
        while part := os.read(fd, 1 << 20):
            parts.append(part)
        return b"".join(parts)
    finally:
        os.close(fd)


def _write(place: str, data: bytes) -> None:
    """Write an entry whole, for this user alone, and keep its folder small."""
    shard = os.path.dirname(place)
    os.makedirs(os.path.dirname(os.path.dirname(shard)), mode=0o700, exist_ok=True)  # the cache home
    for folder in (os.path.dirname(shard), shard):
        if not os.path.lexists(folder):
            os.mkdir(folder, 0o700)  # another build may be quicker; then this one remembers nothing
        if not _is_ours(folder):  # somebody was quicker
            return
    staged = f"{place}.{os.getpid()}"
    fd = os.open(staged, _CREATE, 0o600)
    with open(fd, "wb") as file:
        file.write(data)
    os.replace(staged, place)
    with os.scandir(shard) as entries:
        byage = sorted((entry.stat().st_mtime_ns, entry.path) for entry in entries)
    for _, path in byage[:-_PER_SHARD]:
        os.unlink(path)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
