"""Source: a spec file with everything it extends: one tree, and for every part of it the file and line it came from.

This is the only module that reads specs. A spec may say `extends: path`, and then it is laid over that base:

- mappings merge, key by key;
- lists of named things (`orgs`, `hubs`, `cluster.nodeGroups`) merge by `name`: the base's items come first, in the
  base's order, changed in place; new ones follow;
- every other list, and every scalar, replaces the base's;
- `null` removes the base's key.

The path is relative to the file that names it, and may not leave the git work tree (without git: the folder above the
spec's own). Bases may extend further bases.
"""

from __future__ import annotations

import os
import posixpath
import re
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from jhecfg.border import is_outside, leads_out, work_tree
from jhecfg.diagnostics import Diagnostic, Loc, Span, SpecError, ToolError, did_you_mean, nearest
from jhecfg.exposed import secrets_in
from jhecfg.layers import Places, laid_over
from jhecfg.reader import LIMITS, Comment, Document, Mark, read
from jhecfg.sealed import CODES as SEALED_CODES
from jhecfg.sealed import SEALED, SealedFile, folder_of, hidden

LEVELS = 16
"""How many files may stand one upon the other."""


class Ignore(NamedTuple):
    """A comment `# jhecfg: ignore[code, …] reason`. `line` is the line it covers, in `span.file`.

    Without codes it is malformed; it then ignores nothing, and whoever judges ignores should say so.
    """

    span: Span
    line: int
    codes: tuple[str, ...]
    reason: str

    def covers(self, span: Span, code: str) -> bool:
        """Say whether a diagnostic with this code at this place is meant."""
        return span.file == self.span.file and span.line == self.line and code in self.codes


class Source(NamedTuple):
    """A spec file with everything it extends.

    `name` is how messages call the leaf. `documents` are the leaf first, then its base, and so on. `tree` is what they
    make together, without `extends`. `places` says for every part of it which document it came from, and where it is
    there. `digests` has the SHA-256 of every file, by its path from the leaf's folder (the leaf by its file name), and
    of the listing of the folder where `sealed` files are kept, if the backend has any.
    """

    name: str
    path: Path
    documents: tuple[Document, ...]
    tree: dict[str, Any]
    places: Places
    digests: Mapping[str, str]
    sealed: tuple[SealedFile, ...] = ()

    def span(self, loc: Loc, *, key: bool = False) -> Span:
        """Return where a part of the spec is written; `key` asks for its key instead of its value. Never raises.

        Walks as far as the files go and steps over what is not there (pydantic puts the tags of unions into its locs).
        For a field that is missing it is the key of the nearest thing around it, or the first key of the file.
        """
        if loc[:1] == (SEALED,):
            return next(hidden(each.document, loc[2:]) for each in self.sealed if each.loc == loc[:2])
        found, missing = self._walk(loc)
        number, there = self.places[found]
        document = self.documents[number]
        value = document.values[there]
        own = document.keys.get(there)
        if own is not None and (key or missing or _below(own, value, self._is_text(found))):
            return document.span(own)
        if not there and document.keys:
            return document.span(next(iter(document.keys.values())))
        return document.span(value)

    def _walk(self, loc: Loc) -> tuple[Loc, bool]:
        """Return the longest way that exists, and whether a field at the end of it is missing."""
        found: Loc = ()
        value: Any = self.tree
        missing = False
        for step in loc:
            further = (*found, step)
            missing = further not in self.places
            if not missing:
                found = further
                value = value[step]
        return found, missing and isinstance(value, dict)

    def _is_text(self, loc: Loc) -> bool:
        value: Any = self.tree
        for step in loc:
            value = value[step]
        return isinstance(value, str)

    @property
    def ignores(self) -> tuple[Ignore, ...]:
        """Every deliberate exception, in all files, leaf first."""
        return tuple(ignore for document in self.documents for ignore in _ignores(document))


def _below(key: Mark, value: Mark, text: bool) -> bool:
    """Say whether the key shows a value better than the value itself: it is empty, or a block on further lines."""
    return (value.line > key.line and not text) or (value.line, value.column) == (value.end_line, value.end_column)


# --- reading ---------------------------------------------------------------------------------------------------------


def discover(folder: Path) -> tuple[Path, ...]:
    """Return the specs of a folder: every `*.yaml` and `*.yml` directly in it, sorted, without hidden files.

    Raises `ToolError` if the folder cannot be read.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise ToolError(f"{folder}: {_why(error)}") from None
    names = [e.name for e in entries if e.name.endswith((".yaml", ".yml")) and e.name[0] != "." and not e.is_dir()]
    return tuple(folder / name for name in names)


def load(
    path: Path,
    *,
    name: str | None = None,
    text: bytes | None = None,
    sealed: bool = True,
    instead: Mapping[str, bytes] | None = None,
) -> Source:
    """Read a spec and what it extends.

    `name` is how messages call it (the path, otherwise); `text` are its bytes, if they do not come from `path`;
    without `sealed` the encrypted files beside it are not read; `instead` has the bytes of bases that are not to be
    read, by their real paths.
    Raises `SpecError` for what is wrong in a spec or a base, and `ToolError` if the spec itself cannot be read.
    """
    name = path.as_posix() if name is None else name
    text = bytes_of(path, name) if text is None else text
    chain = _Chain(path, read(text, name), instead or {})
    secrets: list[Diagnostic] = []
    try:
        for document in chain:
            secrets += secrets_in(document)
    except SpecError as error:
        raise SpecError((*secrets, *error.diagnostics)) from None
    if secrets:
        raise SpecError(tuple(secrets))
    tree, places = laid_over(chain.documents)
    digests = {file: document.digest for file, document in zip(chain.files, chain.documents, strict=True)}
    documents = tuple(chain.documents)
    source = Source(name=name, path=path, documents=documents, tree=tree, places=places, digests=digests)
    return _with_sealed(source) if sealed else source


def _with_sealed(source: Source) -> Source:
    """Read the encrypted Secrets beside a spec, where its backend keeps any. Raises SpecError."""
    kept = folder_of(source.tree)
    if kept is None:
        return source
    from jhecfg.sealed.folder import Folder

    backend, path = kept
    shown = posixpath.normpath(posixpath.join(posixpath.dirname(source.name), path))
    top = _top(Path(os.path.realpath(source.path.parent)))
    folder = Folder(source.path, path, shown, source.span(("secrets", "folder")), top)
    sealed = folder.read(backend, _bytes)
    return source._replace(sealed=sealed, digests={**source.digests, **folder.digests})


def bytes_of(path: Path, name: str, *, anywhere: bool = False) -> bytes:
    """Return the bytes of a spec; `name` is how messages call it. `anywhere`: a person named it, and it is no spec.

    Raises `ToolError` if it cannot be read, or is a link that leads out of its repository.
    """
    if not name.isprintable():  # a line feed in it would forge a line of a log
        raise ToolError(f"{name!a}: the file's name holds a character that does not show; rename it")
    if not anywhere and leads_out(path):
        raise ToolError(f"{name}: is a link that leads out of the repository; name the file itself")
    try:
        return _bytes(path)
    except OSError as error:
        raise ToolError(f"{name}: {_why(error)}{_instead(path, error)}") from None


def _bytes(path: Path, most: int = LIMITS.bytes) -> bytes:
    """Read a regular file, at most one byte more than is allowed. A pipe or device is refused without waiting."""
    handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "is not a regular file")
        return file.read(most + 1)


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


def _instead(path: Path, error: OSError) -> str:
    """Say what may have been meant by the path of a spec that cannot be read."""
    if isinstance(error, IsADirectoryError):
        return f"; name the files in it, as in {path.as_posix()}/*.yaml"
    if not isinstance(error, FileNotFoundError):
        return ""
    if path.name in _beside(path.parent / "specs"):
        near: str | None = f"specs/{path.name}"
    else:
        near = nearest(path.name, _beside(path.parent))
    return f"; did you mean '{(path.parent / near).as_posix()}'?" if near else ""


class _Chain:
    """A spec, its base, the base of that: iterating reads them one after the other."""

    def __init__(self, path: Path, leaf: Document, instead: Mapping[str, bytes]) -> None:
        self.path = path
        self.instead = instead
        self.documents = [leaf]
        self.files = [path.name]  # as written, from the leaf's folder
        self.real: list[str] = []

    def __iter__(self) -> Iterator[Document]:
        nodes = 0
        while True:
            document = self.documents[-1]
            nodes += len(document.values)
            yield document
            if nodes > LIMITS.nodes:
                self._refuse("yaml-too-many-values", f"this and its bases have more than {LIMITS.nodes:,} values")
            if "extends" not in document.tree:
                return
            self._follow(document)

    def _ground(self) -> None:
        """Find out where the leaf really lies: only a spec that extends another needs to know."""
        self.folder = Path(os.path.realpath(self.path.parent))
        self.top = _top(self.folder)
        self.real = [os.path.realpath(self.folder / self.path.name)]

    def _follow(self, document: Document) -> None:
        if not self.real:
            self._ground()
        written = document.tree["extends"]
        if not isinstance(written, str) or not written.strip() or "\\" in written:
            self._refuse("extends-not-a-path", "`extends` must be the path of a file", hint="write a path with `/`")
        file = posixpath.normpath(posixpath.join(posixpath.dirname(self.files[-1]), written))
        real = os.path.realpath(self.folder / file)
        if written.startswith(("/", "~")) or Path(written).drive or is_outside(Path(real), self.top):
            hint = "name it from this file's folder, and keep it in the same repository"
            self._refuse("extends-outside", "the base lies outside the repository", hint=hint)
        if real in self.real:
            self._cycle(self.real.index(real))
        if len(self.documents) >= LEVELS:
            self._refuse("extends-too-deep", f"more than {LEVELS} files extend one another", hint="use fewer levels")
        base = self._read(file, real)
        self.documents.append(base)
        self.files.append(file)
        self.real.append(real)

    def _read(self, file: str, real: str) -> Document:
        try:
            data = self.instead[real] if real in self.instead else _bytes(Path(real))
        except FileNotFoundError:
            hint = did_you_mean(posixpath.basename(file), _beside(Path(real).parent))
            self._refuse(
                "extends-missing", "there is no such file", hint=hint or "write its path from this file's folder"
            )
        except OSError as error:
            self._refuse("unreadable-file", f"the base cannot be read: {_why(error)}")
        name = posixpath.normpath(posixpath.join(posixpath.dirname(self.documents[0].name), file))
        return read(data, name)

    def _cycle(self, start: int) -> NoReturn:
        related = tuple((_extends(d), "which extends") for d in self.documents[start:-1])
        here = _extends(self.documents[-1])
        message = "this file extends itself" if not related else "these files extend one another in a circle"
        found = Diagnostic(
            code="extends-cycle", message=message, span=here, hint="delete one `extends`", related=related
        )
        raise SpecError((found,))

    def _last_that_extends(self) -> Document:
        last = self.documents[-1]
        return last if "extends" in last.tree else self.documents[-2]

    def _refuse(self, code: str, message: str, *, hint: str = "") -> NoReturn:
        raise SpecError(
            (Diagnostic(code=code, message=message, span=_extends(self._last_that_extends()), hint=hint),)
        ) from None


def _extends(document: Document) -> Span:
    return document.span(document.values[("extends",)])


def _top(folder: Path) -> Path:
    """Return the git work tree a folder is in, or else the folder above it."""
    return work_tree(folder) or folder.parent


def _beside(folder: Path) -> tuple[str, ...]:
    try:
        return tuple(path.name for path in discover(folder))
    except ToolError:
        return ()


# --- what comments say -----------------------------------------------------------------------------------------------

_IGNORE = re.compile(r"#[ \t]*jhecfg:[ \t]*ignore\b[ \t]*(?:\[([^\]]*)\])?[ \t]*(.*)")
_CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


def _ignores(document: Document) -> Iterator[Ignore]:
    for comment in document.comments:
        match = _IGNORE.match(comment.text)
        if match:
            codes = tuple(code.strip() for code in (match[1] or "").split(","))
            known = codes if all(_CODE.fullmatch(code) for code in codes) else ()
            line = _covered(document, comment)
            yield Ignore(span=document.span(comment.mark), line=line, codes=known, reason=match[2].strip())


def _covered(document: Document, comment: Comment) -> int:
    """Return the line a comment is about: its own, or, where it stands alone, the next that is not a comment."""
    if document.lines[comment.line - 1][: comment.column - 1].strip():
        return comment.line
    for number, line in enumerate(document.lines[comment.line :], comment.line + 1):
        if line.strip() and not line.lstrip().startswith("#"):
            return number
    return comment.line


SPEC_CODES: Mapping[str, str] = {
    "secret-in-spec": (
        "A value in the spec is a secret: it stands under a name such as `password` or `OW_API_KEY`, or has the "
        "shape of a private key, a token or a password in a URL. Specs are kept in git and read in reviews, so "
        "whatever is in one is no longer secret. Delete it, replace it where it is used, and let the spec name "
        "the Secret that holds the new one; `jhecfg secrets init` makes the site's own."
    ),
    "extends-not-a-path": ("`extends` takes one path, as text, with `/` between folders: `extends: base/common.yaml`."),
    "extends-missing": (
        "The file that `extends` names is not there. Its path starts at the folder of the file naming it."
    ),
    "extends-outside": (
        "A base must lie in the same git work tree as the spec (without git: below the folder above the spec's), "
        "after following symbolic links, so that a review of the repository sees all that a site is made of. Move "
        "it there."
    ),
    "extends-cycle": ("Files extend one another in a circle, so none of them is the base. Delete one `extends`."),
    "extends-too-deep": ("At most 16 files may extend one another. Two or three are enough: put the bases together."),
    "unreadable-file": ("The base is a folder, a pipe or a device, or may not be read. Name a regular file."),
    **SEALED_CODES,
}
"""What each code of this module means, why it is an error, and what to do instead: for `jhecfg explain CODE`."""
