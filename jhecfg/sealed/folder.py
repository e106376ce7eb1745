"""Folder: the sealed files beside a spec, read: all of them, within bounds, and out of the repository alone."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from jhecfg.border import is_outside
from jhecfg.diagnostics import Diagnostic, Span, SpecError
from jhecfg.listing import listing_digest, names_in
from jhecfg.sealed import LIMITS, Backend, SealedFile, read_sealed

FILES = 500
BYTES = 32 << 20
"""How many sealed files a spec may have, and how large all of them may be together."""


class Folder:
    """The folder of a spec's sealed files: `read` returns what is in it, `digests` has what was looked at.

    `path` is from the spec's folder, as written; `shown` is how messages call it; `span` is where the spec names it.
    `top` is the work tree, which nothing may lie outside of. `bytes_of` reads a regular file, of so many bytes.
    """

    def __init__(self, spec: Path, path: str, shown: str, span: Span, top: Path) -> None:
        """Take the place; nothing is read yet."""
        self.path = path
        self.place = spec.parent / path
        self.shown = shown
        self.span = span
        self.top = top
        self.digests: dict[str, str] = {}

    def read(self, backend: Backend, bytes_of: Callable[[Path, int], bytes]) -> tuple[SealedFile, ...]:
        """Read every `*.yaml` and `*.yml`. Raises SpecError with all that is wrong in any of them."""
        found: list[SealedFile] = []
        wrong: list[Diagnostic] = []
        room = BYTES
        for file in self._names():
            data = self._bytes(file, bytes_of)
            room -= len(data)
            if room < 0:
                self._refuse(f"the sealed files are larger than {BYTES >> 20} MiB together", "delete what is not used")
            try:
                sealed = read_sealed(data, file, posixpath.join(self.shown, file), backend)
            except SpecError as error:
                wrong += error.diagnostics
            else:
                found.append(sealed)
                self.digests[f"{self.path}/{file}"] = sealed.document.digest
        if wrong:
            raise SpecError(tuple(wrong))
        return tuple(found)

    def _names(self) -> list[str]:
        """Return the files' names; a folder that is not there holds none, and counts as that."""
        self._within(self.place)
        try:
            self.digests[self.path] = listing_digest(str(self.place))
            names = names_in(str(self.place))
        except FileNotFoundError:
            return []
        except OSError as error:
            self._refuse(f"the folder of sealed files cannot be read: {_why(error)}", "name a folder")
        names = [name for name in names if name.endswith((".yaml", ".yml")) and not name.startswith(".")]
        if len(names) > FILES:
            self._refuse(f"there are more than {FILES} sealed files", "delete what is not used")
        return names

    def _bytes(self, file: str, bytes_of: Callable[[Path, int], bytes]) -> bytes:
        self._within(self.place / file)
        try:
            return bytes_of(self.place / file, LIMITS.bytes)
        except OSError as error:
            self._refuse(f"{file} cannot be read: {_why(error)}", "let it be a regular file that you may read")

    def _within(self, path: Path) -> None:
        """Refuse what lies outside the work tree, links followed: a review of the repository would not see it."""
        if is_outside(Path(os.path.realpath(path)), self.top):
            self._refuse("the sealed files lie outside the repository", "keep them beside the spec")

    def _refuse(self, message: str, hint: str) -> NoReturn:
        raise SpecError((Diagnostic(code="sealed-folder", message=message, span=self.span, hint=hint),)) from None


def _why(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
