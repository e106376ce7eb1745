"""build, check, diff. Their options are those of the table in `plain.py`."""

from __future__ import annotations

from pathlib import Path

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import (
    ExitCode,
    Force,
    Jobs,
    Judge,
    Out,
    Quiet,
    Shard,
    Specs,
    Strict,
    Style,
    Watch,
    Written,
    talk,
)


@app.command()
def build(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    shard: Shard = "",
    force: Force = False,
    strict: Strict = False,
    validator: Judge = "auto",
    style: Style = "text",
    quiet: Quiet = False,
    watch: Watch = False,
    exit_code: Written = False,
) -> None:
    """Compile, judge, and write out/<site>/.

    Nothing is written for a site whose spec has an error; the others are. Files of others are never touched.
    """
    from jhecfg.commands.build import Asked
    from jhecfg.commands.build import build as command

    asked = Asked(out, jobs, shard, validator, force=force, strict=strict, watch=watch, exit_code=exit_code)
    raise typer.Exit(command(specs, talk(style, quiet), asked))


@app.command()
def check(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    shard: Shard = "",
    strict: Strict = False,
    validator: Judge = "auto",
    style: Style = "text",
    quiet: Quiet = False,
    watch: Watch = False,
) -> None:
    """Compile, judge, and exit with 3 if out/ is out of date.

    Nothing is written. For CI and pre-commit.
    """
    from jhecfg.commands.build import Asked
    from jhecfg.commands.build import check as command

    asked = Asked(out, jobs, shard, validator, strict=strict, watch=watch)
    raise typer.Exit(command(specs, talk(style, quiet), asked))


@app.command()
def diff(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    shard: Shard = "",
    validator: Judge = "auto",
    style: Style = "text",
    exit_code: ExitCode = False,
) -> None:
    """Print the unified diff that `build` would make."""
    from jhecfg.commands.build import Asked
    from jhecfg.commands.build import diff as command

    asked = Asked(out, jobs, shard, validator, exit_code=exit_code)
    raise typer.Exit(command(specs, talk(style, quiet=True), asked))
