"""The application that every command joins, and what belongs to none of them."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from typer.core import TyperGroup

from jhecfg import __version__

JOURNEY = ("init", "set", "build", "check", "diff", "plan", "explain", "graph", "secrets", "import", "schema")
"""The commands in the order in which somebody meets them, as help lists them."""


class _Journey(TyperGroup):
    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override] # typer hands on its own Context
        """List the commands in the order of the journey; one without a place in it would raise ValueError."""
        return sorted(super().list_commands(ctx), key=JOURNEY.index)


app = typer.Typer(
    cls=_Journey,
    name="jhecfg",
    help="Compile JupyterHealth Exchange site specs into everything a site is made of.",
    epilog="Begin with `jhecfg init`: it asks a few questions and says what comes next.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    add_completion=False,  # ours knows specs, keys and revisions, and does not wait for imports
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
    install_completion: Annotated[
        bool, typer.Option("--install-completion", help="Let this shell, or the one named behind it, complete words.")
    ] = False,
    show_completion: Annotated[
        bool, typer.Option("--show-completion", help="Print what that takes: for bash, zsh or fish.")
    ] = False,
) -> None:
    """Handle what belongs to no command; completion() has handled the other two."""
    if version:
        print(f"jhecfg {__version__}")
        raise typer.Exit


def completion(argv: list[str]) -> int:
    """Print or install the script of a shell."""
    from jhecfg.completion.scripts import command
    from jhecfg.diagnostics import Misused
    from jhecfg.report import put
    from jhecfg.talk import Exit

    try:
        put(sys.stdout, command(argv))
    except Misused as error:
        put(sys.stderr, f"jhecfg: {error}\n")
        return Exit.USAGE
    return Exit.OK
