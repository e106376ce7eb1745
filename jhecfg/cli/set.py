"""set: values of a spec, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import Quiet, talk


@app.command(short_help="Edit a spec, and keep every other byte of it.")
def set(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", readable=False, help="Spec, or base of specs, to change.")],
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEY=VALUE", help="What to set; KEY+=VALUE adds to a list. VALUE is YAML."),
    ] = None,
    delete: Annotated[
        list[str] | None, typer.Option("--delete", "-d", metavar="KEY", help="What to take away; may be repeated.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the diff, and write nothing.")] = False,
    quiet: Quiet = False,
) -> None:
    """Set values of a spec, add and delete hubs, orgs and others, and keep every other byte of it.

    A KEY is written as in image.tag or hubs[hub].domain; hubs[new].domain=… makes a hub. All is done or nothing, and
    nothing that could not be built.
    """
    from jhecfg.commands.set import change as command

    raise typer.Exit(command(spec, changes or [], delete or [], talk("text", quiet), dry_run=dry_run))
