"""build, check, diff."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import Force, Jobs, Judge, Out, Quiet, Specs, Strict, Style, Watch, talk


@app.command()
def build(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    force: Force = False,
    strict: Strict = False,
    validator: Judge = "auto",
    style: Style = "text",
    quiet: Quiet = False,
    watch: Watch = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="Exit with 3 when files were written or removed.")
    ] = False,
) -> None:
    """Compile, judge, and write out/<site>/.

    Nothing is written for a site whose spec has an error. Files of others are never touched.
    """
    from jhecfg.commands.build import build as command

    said = talk(style, quiet)
    raise typer.Exit(
        command(
            specs,
            said,
            out,
            jobs,
            force=force,
            strict=strict,
            validator=validator,
            watch=watch,
            exit_code=exit_code,
        )
    )


@app.command()
def check(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    strict: Strict = False,
    validator: Judge = "auto",
    style: Style = "text",
    quiet: Quiet = False,
    watch: Watch = False,
) -> None:
    """Compile, judge, and exit with 3 if out/ is out of date.

    Nothing is written. For CI and pre-commit.
    """
    from jhecfg.commands.build import check as command

    said = talk(style, quiet)
    raise typer.Exit(command(specs, said, out, jobs, strict=strict, validator=validator, watch=watch))


@app.command()
def diff(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    validator: Judge = "auto",
    style: Style = "text",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when there is a difference.")] = False,
) -> None:
    """Print the unified diff that `build` would make."""
    from jhecfg.commands.build import diff as command

    raise typer.Exit(command(specs, talk(style, quiet=True), out, jobs, exit_code=exit_code, validator=validator))
