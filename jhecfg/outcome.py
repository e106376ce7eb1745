"""Outcome: what became of one spec of a call, and the options that all of them share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from jhecfg import __version__
from jhecfg.diagnostics import Diagnostic

if TYPE_CHECKING:  # a call in which nothing has changed needs neither
    from jhecfg.pipeline import Validator
    from jhecfg.tree import Comparison

Mode = Literal["build", "compare"]


class Options(NamedTuple):
    """How a fleet is compiled. `kubeconform` is the path of the binary, or None where it does not run."""

    out: Path
    mode: Mode
    validator: Validator
    kubeconform: str | None
    force: bool = False
    strict: bool = False


class Outcome(NamedTuple):
    """What became of one spec. `comparison` is None when nothing was written or compared.

    `bug` says where jhecfg itself broke, and `same` that the spec was not compiled, since nothing has changed.
    """

    spec: str
    site: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    comparison: Comparison | None = None
    refused: tuple[tuple[str, str], ...] = ()
    trouble: str = ""
    bug: str = ""
    objects_checked: int = 0
    digests: Mapping[str, str] = {}
    same: bool = False

    @property
    def stale(self) -> bool:
        """Whether the output was, or is, not what the spec says."""
        return self.comparison is not None and not self.comparison.clean

    @property
    def failed(self) -> bool:
        """Whether an error in the spec stood in the way."""
        return any(diagnostic.severity == "error" for diagnostic in self.diagnostics)


def broken(error: BaseException) -> str:
    """Say where jhecfg broke: names of files and functions, no values."""
    import traceback

    frames = [
        f"  {frame.filename.replace(chr(92), '/').rpartition('/')[2]}:{frame.lineno} in {frame.name}"
        for frame in traceback.extract_tb(error.__traceback__)
    ]
    message = f"jhecfg {__version__} has a bug: {type(error).__name__}"
    return "\n".join([message, *frames, "please report it, with the lines above"])
