"""Revision: the specs of a git revision, with what they extend and the sealed files beside them, without a checkout.

git is asked for single files, which are put into a temporary folder that stands for the work tree: so `source.load`
reads them with all its checks, and knows nothing of git. What a symbolic link in the revision names is put in its
place; one that leads out of the repository is not there.
"""

from __future__ import annotations

import os
import posixpath
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from jhecfg.diagnostics import SpecError, ToolError
from jhecfg.programs import program
from jhecfg.reader import LIMITS, read
from jhecfg.sealed import folder_of
from jhecfg.source import LEVELS, Source, load

SECONDS = 60
"""How long git may take for one answer."""
_LINK = "120000"


class UnknownRevision(ValueError):
    """There is no such revision; the text says which."""


class _Entry(NamedTuple):
    """A file of the commit: its mode and its blob."""

    mode: str
    blob: str


class Revision:
    """A commit of the repository around the working directory. Use it with `with`: it keeps a temporary folder."""

    def __init__(self, name: str) -> None:
        """Take the revision as a person writes it. Raises ToolError without git, UnknownRevision if it is not there."""
        from tempfile import TemporaryDirectory

        self.name = name
        self.top = Path(os.path.realpath(_git(Path.cwd(), "rev-parse", "--show-toplevel").decode().rstrip("\n")))
        self.commit = self._commit()
        self._folder = TemporaryDirectory(prefix="jhecfg-plan-")
        self._place = Path(os.path.realpath(self._folder.name))
        (self._place / ".git").touch()  # what marks a work tree for `source.load`

    def _commit(self) -> str:
        """Return the commit's hash; "" in a repository that has none yet."""
        if self.name.startswith("-"):  # git would take it for an option
            raise UnknownRevision(f"'{self.name}' is no revision")
        try:
            return _git(self.top, "rev-parse", "--verify", "--quiet", f"{self.name}^{{commit}}").decode().strip()
        except ToolError:
            if self.name == "HEAD":
                return ""
            raise UnknownRevision(f"there is no revision '{self.name}' in this repository") from None

    def __enter__(self) -> Revision:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._folder.cleanup()

    def inside(self, path: Path) -> str:
        """Return a path of the working directory as git calls it. Raises ToolError outside the repository."""
        real = Path(os.path.realpath(path.parent)) / path.name
        if not real.is_relative_to(self.top):
            raise ToolError(f"{path.as_posix()} lies outside the git repository {self.top}")
        return real.relative_to(self.top).as_posix()

    def shown(self, path: str) -> str:
        """Return a path of the revision as somebody in the working directory would write it."""
        return Path(os.path.relpath(self.top / path)).as_posix()

    def specs(self, folder: str) -> tuple[str, ...]:
        """Return the specs of a folder: every `*.yaml` and `*.yml` directly in it, as in `source.discover`."""
        inside = (path for path in self._files if posixpath.dirname(path) == folder)
        return tuple(sorted(path for path in inside if _is_spec(posixpath.basename(path))))

    def has(self, path: str) -> bool:
        """Say whether there is such a file."""
        return self._blob(path) is not None

    def bytes_at(self, path: str) -> bytes | None:
        """Return a file's bytes, at most one more than a spec may have, or None where there is none."""
        blob = self._blob(path)
        if blob is None:
            return None
        if int(_git(self.top, "cat-file", "-s", blob)) > LIMITS.bytes:
            return b" " * (LIMITS.bytes + 1)  # too large for anything that is read here, and its reader says so
        return _git(self.top, "cat-file", "blob", blob)

    def load(self, path: str) -> Source:
        """Read a spec of the revision, as `source.load` reads one of the work tree."""
        self._bring_chain(path)
        source = load(self._place / path, name=self.shown(path))
        kept = folder_of(source.tree)
        if kept is None:
            return source
        for sealed in self.specs(posixpath.normpath(posixpath.join(posixpath.dirname(path), kept[1]))):
            self._bring(sealed)
        return load(self._place / path, name=self.shown(path))

    def _bring_chain(self, path: str) -> None:
        """Put a spec and what it extends into the temporary folder, as far as it can be read."""
        for _ in range(LEVELS + 1):
            data = self._bring(path)
            try:
                base = read(data, path).tree.get("extends") if data is not None else None
            except SpecError:
                return
            if not isinstance(base, str) or "\0" in base:
                return
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), base))
            if path.startswith(("/", "..")):
                return

    def _bring(self, path: str) -> bytes | None:
        data = self.bytes_at(path)
        if data is not None:
            place = self._place / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        return data

    def _blob(self, path: str) -> str | None:
        """Return the blob at a path, links followed inside the repository; None where there is none."""
        for _ in range(LEVELS):
            link = next((part for part in _ways(path) if part in self._files and self._files[part].mode == _LINK), None)
            if link is None:
                return self._files[path].blob if path in self._files else None
            target = os.fsdecode(_git(self.top, "cat-file", "blob", self._files[link].blob))
            path = posixpath.normpath(posixpath.join(posixpath.dirname(link), target, path[len(link) + 1 :]))
        return None

    @cached_property
    def _files(self) -> dict[str, _Entry]:
        """Every file of the commit, by its path from the top; links too, folders and submodules not."""
        if not self.commit:
            return {}
        listed = _git(self.top, "ls-tree", "-r", "-z", "--full-tree", self.commit).decode("utf-8", "surrogateescape")
        lines = (line.partition("\t") for line in listed.split("\0") if line)
        entries = ((path, about.split()) for about, _, path in lines)
        return {path: _Entry(mode, blob) for path, (mode, kind, blob) in entries if kind == "blob"}


def _is_spec(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) and not name.startswith(".")


def _ways(path: str) -> Iterator[str]:
    """Yield a path's folders from the top, and the path itself."""
    parts = path.split("/")
    yield from ("/".join(parts[:length]) for length in range(1, len(parts) + 1))


_SAFE = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",  # git before 2.45 does not know it; and so:
    "GIT_ALLOW_PROTOCOL": "none",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
}
"""What keeps a repository from having its own way: its config may name a program that fetches objects which it lacks,
and its refs other objects in the place of those that are asked for."""

_OPTIONS = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}", "-c", "safe.bareRepository=explicit")
"""None of our words runs a hook, or works in a bare repository; should git ever see that otherwise, it does not."""


def _git(folder: Path, *words: str) -> bytes:
    """Run git and return what it prints. It changes nothing, asks no network and runs nothing. Raises ToolError."""
    binary = program("git")
    if binary is None:
        raise ToolError("git is not on PATH; compare two files with --against FILE")
    try:
        ran = subprocess.run(  # noqa: S603 - our own words, no shell; of a path only the hash of its blob
            [binary, *_OPTIONS, *words],
            cwd=folder,
            env={**os.environ, **_SAFE},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ToolError(f"git does not answer: {type(error).__name__}") from None
    if ran.returncode:
        said = ran.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = said[0].removeprefix("fatal: ") if said else f"exit {ran.returncode}"
        raise ToolError(f"git {words[0]}: {reason}; compare two files with --against FILE")
    return ran.stdout
