"""graph: the site drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import talk


@app.command(short_help="Print a picture of the site, as Mermaid or SVG.")
def graph(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", readable=False, help="Spec file of the site.")],
    style: Annotated[
        Literal["mermaid", "svg"], typer.Option("--format", help="mermaid, as in its runbook, or svg.")
    ] = "mermaid",
) -> None:
    """Print a picture of the site: who comes in where, what runs where, who may log in to which hub.

    GitHub draws Mermaid in a block of Markdown; SVG is for everything else.
    """
    from jhecfg.commands.graph import graph as command

    raise typer.Exit(command(spec, talk("text", quiet=True), style))
