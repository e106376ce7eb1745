"""explain, schema: what the tool knows, said to a person or an editor."""

from __future__ import annotations

from typing import Annotated

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import talk


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A diagnostic's code, such as moving-tag; or `all`.")],
) -> None:
    """Say what a diagnostic means, why, and what to do instead."""
    from jhecfg.commands.explain import explain as command

    raise typer.Exit(command(code, talk("text", quiet=True)))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the spec, for editors."""
    from jhecfg.commands.schema import schema as command

    raise typer.Exit(command(talk("text", quiet=True)))
