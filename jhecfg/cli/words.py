"""Arguments and options that several commands share."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jhecfg.plain import EXIT_CODE, FORCE, JOBS, OUT, QUIET, SHARD, STRICT, STYLE, VALIDATOR, WATCH, WRITTEN
from jhecfg.report import Format, wants_colour
from jhecfg.talk import Talk

Specs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SPEC", readable=False, help="Spec files [default: every file in specs/]."),
]
Out = Annotated[Path, typer.Option(*OUT.flags, metavar=OUT.metavar, readable=False, help=OUT.help)]
Jobs = Annotated[int, typer.Option(*JOBS.flags, min=JOBS.least, max=JOBS.most, help=JOBS.help)]
Shard = Annotated[str, typer.Option(*SHARD.flags, metavar=SHARD.metavar, help=SHARD.help)]
Force = Annotated[bool, typer.Option(*FORCE.flags, help=FORCE.help)]
Strict = Annotated[bool, typer.Option(*STRICT.flags, help=STRICT.help)]
Quiet = Annotated[bool, typer.Option(*QUIET.flags, help=QUIET.help)]
Watch = Annotated[bool, typer.Option(*WATCH.flags, help=WATCH.help)]
ExitCode = Annotated[bool, typer.Option(*EXIT_CODE.flags, help=EXIT_CODE.help)]
Written = Annotated[bool, typer.Option(*WRITTEN.flags, help=WRITTEN.help)]
Style = Annotated[Format, typer.Option(*STYLE.flags, help=STYLE.help)]
Judge = Annotated[str, typer.Option(*VALIDATOR.flags, metavar=VALIDATOR.metavar, help=VALIDATOR.help)]


def talk(style: Format, quiet: bool) -> Talk:
    """Return how a command speaks."""
    return Talk(style, quiet=quiet, colour=wants_colour(sys.stderr, os.environ))
