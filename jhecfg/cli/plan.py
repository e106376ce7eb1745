"""plan: what a change means."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import Out, Shard, Specs, talk


@app.command(short_help="Say what a change means: restarts, outages, access, the way back.")
def plan(
    specs: Specs = None,
    rev: Annotated[str, typer.Option("--from", metavar="REV", help="Git revision to compare with.")] = "HEAD",
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="FILE", readable=False, help="Compare with this file, without git."),
    ] = None,
    out: Out = Path("out"),
    style: Annotated[
        Literal["text", "json", "markdown"], typer.Option("--format", help="How the plan is written.")
    ] = "text",
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=0, help="Characters of the markdown at most; 0 is no limit.")
    ] = 60_000,
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when anything changes.")] = False,
    shard: Shard = "",
) -> None:
    """Say what a change of the specs means: restarts, Jobs, outages, access, commands, the way back.

    Compares the working tree with a git revision; nothing is written. Give the folder of its outputs with --out.
    """
    from jhecfg.commands.plan import plan as command

    raise typer.Exit(
        command(
            specs,
            talk("text", quiet=True),
            out,
            rev=rev,
            against=against,
            style=style,
            limit=limit,
            exit_code=exit_code,
            shard=shard,
        )
    )
