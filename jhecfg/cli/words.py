"""Arguments and options that several commands share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jhecfg.report import Format, wants_colour
from jhecfg.talk import Talk

Specs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SPEC", readable=False, help="Spec files [default: every file in specs/]."),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", readable=False, help="Folder of the outputs.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Processes to work in.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite hand-edited and foreign files that are in the way.")]
Strict = Annotated[bool, typer.Option("--strict", help="Let warnings fail.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what is wrong.")]
Watch = Annotated[bool, typer.Option("--watch", help="Again whenever a spec changes; Ctrl-C ends it.")]
Style = Annotated[Format, typer.Option("--format", help="How diagnostics are written.")]
Judge = Annotated[
    str,
    typer.Option(
        "--validator",
        metavar="[auto|builtin|kubeconform|none]",
        help="Schema judges: auto is builtin, and kubeconform where it is on PATH.",
    ),
]


def talk(style: Format, quiet: bool) -> Talk:
    """Return how a command speaks."""
    return Talk(style, quiet=quiet, colour=wants_colour(sys.stderr, os.environ))
