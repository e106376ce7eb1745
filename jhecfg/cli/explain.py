"""explain, schema: what the tool knows, said to a person or an editor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import Out, Specs, talk


@app.command(short_help="Say where a line comes from; what a line, key or code does.")
def explain(
    what: Annotated[
        str,
        typer.Argument(
            metavar="WHAT",
            help="FILE:LINE of an output or a spec, a key such as image.tag, a code such as moving-tag, or `all`.",
        ),
    ],
    specs: Specs = None,
    out: Out = Path("out"),
    style: Annotated[Literal["text", "json"], typer.Option("--format", help="How the answer is written.")] = "text",
) -> None:
    """Say where a line of the output comes from, what a line of a spec does, what a key or a code means.

    A file of the output without a line: every value that shapes it. Nothing is written.
    """
    from jhecfg.commands.explain import explain as command

    raise typer.Exit(command(what, specs, talk("text", quiet=True), out, style))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the spec, for editors."""
    from jhecfg.commands.schema import schema as command

    raise typer.Exit(command(talk("text", quiet=True)))
