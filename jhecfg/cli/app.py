"""The application that every command joins, and what belongs to none of them."""

from __future__ import annotations

from typing import Annotated

import typer

from jhecfg import __version__

app = typer.Typer(
    name="jhecfg",
    help="Compile JupyterHealth Exchange site specs into everything a site is made of.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Handle what belongs to no command."""
    if version:
        print(f"jhecfg {__version__}")
        raise typer.Exit
