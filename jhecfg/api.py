"""The Python API: compile a spec, look at what comes out, compare and write it. docs/api.md is its page.

These names are stable; `import jhecfg` gives them, and loads what they need when they are first used. Everything else
in this package may change with any release.
"""

from __future__ import annotations

import os
from pathlib import Path

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Diagnostic, Refused, Severity, Span, SpecError, ToolError
from jhecfg.pipeline import Build, compile_source
from jhecfg.source import load
from jhecfg.tree import Change, Comparison
from jhecfg.tree import compare as compare_tree
from jhecfg.tree import write as write_tree

__all__ = [
    "Artifact",
    "Build",
    "Change",
    "Comparison",
    "Diagnostic",
    "Refused",
    "Severity",
    "Span",
    "SpecError",
    "ToolError",
    "compare",
    "compile",
    "write",
]

AnyPath = str | os.PathLike[str]


def compile(spec: AnyPath, *, text: str | bytes | None = None) -> Build:
    """Compile one spec, with what it extends, and judge it by the built-in schemas and rules. Writes nothing.

    `text` is the spec where there is no file yet; bases and sealed files are then looked for from `spec`'s folder.
    The `Build` has the `files` (paths below `out/<site>/`, and bytes), the `artifacts` they were made of, the `site`,
    and as `diagnostics` the warnings.
    Raises `SpecError`, with everything that is wrong in `diagnostics`, and `ToolError` for a file that cannot be read.
    """
    data = text.encode() if isinstance(text, str) else text
    build = compile_source(load(Path(spec), text=data), "builtin")
    if build.failed:
        raise SpecError(build.diagnostics)
    return build


def compare(build: Build, out: AnyPath = "out") -> Comparison:
    """Compare a build with the folder `out/<site>/`; `clean` says that they are the same. Raises `ToolError`."""
    return compare_tree(Path(out), build.site.name, build.files)


def write(build: Build, out: AnyPath = "out", *, force: bool = False) -> Comparison:
    """Make the folder `out/<site>/` hold a build, and return what differed before. A kill at any moment does no harm.

    Files of others are never touched. Raises `Refused`, having written nothing, where a file was edited by hand or is
    somebody else's, unless `force` is given; and `ToolError` for disks and permissions.
    """
    return write_tree(Path(out), build.site.name, build.files, force=force)
