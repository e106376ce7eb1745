"""Sealed: the encrypted Secrets that are kept beside a spec, one file each: where they lie, and what one says.

They are inputs like the spec itself, and copied into the output, since encrypting twice gives other bytes each time
(docs/decisions/0012). `forms.py` refuses whatever is not wholly encrypted, without showing it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from jhecfg.diagnostics import Diagnostic, Loc, Span, SpecError
from jhecfg.reader import Document, Limits, read

__all__ = ["CODES", "LIMITS", "SEALED", "Backend", "SealedFile", "folder_of", "hidden", "read_sealed"]

Backend = Literal["sealed-secrets", "sops"]

SEALED = "sealed"
"""The first step of a Loc that points into a sealed file; the second is the file's name."""

# A Secret holds at most 1 MiB, of which encryption and base64, twice for sops, make more.
LIMITS = Limits(bytes=4 << 20, depth=8, nodes=5_000, scalar=3 << 20)

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_PATH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")


class SealedFile(NamedTuple):
    """One encrypted Secret. `values` are key and ciphertext in the file's order, which a MAC of sops covers.

    `field` is where they stand, `data` or `stringData`, and `envelope` what sops wrote beside them; both are empty for
    a SealedSecret.
    """

    file: str
    document: Document
    namespace: str
    name: str
    values: tuple[tuple[str, str], ...]
    field: str = ""
    envelope: Mapping[str, Any] = {}

    @property
    def loc(self) -> Loc:
        """Return the place of the whole file."""
        return (SEALED, self.file)

    @property
    def keys_loc(self) -> Loc:
        """Return the place of its values."""
        return (*self.loc, *((self.field,) if self.field else ("spec", "encryptedData")))


def folder_of(tree: Mapping[str, Any]) -> tuple[Backend, str] | None:
    """Return the backend and the folder of a spec's tree that keeps sealed files; None for others, or what is wrong."""
    secrets, site = tree.get("secrets"), tree.get("site")
    if not isinstance(secrets, dict) or not isinstance(site, str) or not _LABEL.fullmatch(site):
        return None
    backend, folder = secrets.get("backend"), secrets.get("folder", f"secrets/{site}")
    if not isinstance(folder, str) or not _PATH.fullmatch(folder):
        return None
    if backend == "sealed-secrets" or backend == "sops":
        return backend, folder
    return None


def read_sealed(data: bytes, file: str, name: str, backend: Backend) -> SealedFile:
    """Read one sealed file; `name` is how messages call it.

    Raises SpecError for whatever is not the encrypted form of the Secret that the file's name says. No diagnostic
    holds a part of the file beyond the names of fields: it may be a Secret that somebody forgot to encrypt.
    """
    try:
        document = read(data, name, LIMITS)
    except SpecError as error:
        raise SpecError(tuple(_unread(diagnostic) for diagnostic in error.diagnostics)) from None
    from jhecfg.sealed.forms import problems  # not before: most sites keep no such files

    namespace, _, secret = file.rpartition(".")[0].partition(".")
    found = [
        Diagnostic(
            code=code,
            message=message,
            span=hidden(document, loc),
            hint="make it anew with `jhecfg secrets seal SPEC`" if code == "sealed-form" else _REPLACE,
        )
        for code, loc, message in problems(document, backend, namespace, secret)
    ]
    if found:
        raise SpecError(tuple(found))
    return _taken(document, file, namespace, secret, backend)


_REPLACE = (
    "delete the file, replace the values that it held, and run `jhecfg secrets seal SPEC`; git keeps the old ones"
)


def _taken(document: Document, file: str, namespace: str, name: str, backend: Backend) -> SealedFile:
    tree = document.tree
    if backend == "sealed-secrets":
        values = tuple(tree["spec"]["encryptedData"].items())
        return SealedFile(file=file, document=document, namespace=namespace, name=name, values=values)
    field = "data" if "data" in tree else "stringData"
    return SealedFile(
        file=file,
        document=document,
        namespace=namespace,
        name=name,
        values=tuple(tree[field].items()),
        field=field,
        envelope=tree["sops"],
    )


def hidden(document: Document, loc: Loc) -> Span:
    """Return the place of a key of a sealed file, its line without any value."""
    while loc and loc not in document.keys:
        loc = loc[:-1]
    mark = document.keys.get(loc) or document.values[()]
    return _masked(document.span(mark))


def _masked(span: Span) -> Span:
    key, colon, value = span.text.partition(":")
    text = key + colon + re.sub(r"\S", "*", value) if colon else re.sub(r"\S", "*", key)
    return span._replace(text=text)


def _unread(diagnostic: Diagnostic) -> Diagnostic:
    """Say that a file is no YAML, with the reader's code and place and not one of its words."""
    span = diagnostic.span
    return Diagnostic(
        code=diagnostic.code,
        message="this sealed file cannot be read",
        span=span and span._replace(text=re.sub(r"\S", "*", span.text)),
        hint="make it anew with `jhecfg secrets seal SPEC`",
    )


CODES: Mapping[str, str] = {
    "unsealed-secret": (
        "A file among the sealed ones holds a value that anybody can read: a Secret that was never encrypted, a value "
        "that somebody wrote into an encrypted file by hand, or a comment. Sealed files are kept in git, so whatever "
        "is readable in one is no longer secret. Delete the file, replace the value where it is used, and run "
        "`jhecfg secrets seal`."
    ),
    "sealed-form": (
        "A sealed file is not the encrypted form of the Secret that its name says: `<namespace>.<name>.yaml` holds the "
        "SealedSecret (strict scope) or the sops Secret of that namespace and name, of type Opaque, and nothing else. "
        "For sops that means a MAC over what is encrypted (`mac_only_encrypted`), and age recipients alone. jhecfg "
        "adds labels and annotations itself. Run `jhecfg secrets seal`, which writes this form."
    ),
    "sealed-folder": (
        "The folder of the sealed files (`secrets.folder`) must lie in the same git work tree as the spec, after "
        "following symbolic links, and hold regular files: at most 500, of 4 MiB each and 32 MiB together."
    ),
}
"""What each code about a sealed file means, why it is an error, and what to do instead: for `jhecfg explain CODE`."""
