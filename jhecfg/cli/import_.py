"""import: what others made, taken into a spec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import Quiet, talk

import_ = typer.Typer(name="import", help="Take into a spec what others have made.", no_args_is_help=True)
app.add_typer(import_)


@import_.command()
def rds(
    spec: Annotated[Path, typer.Argument(metavar="SPEC", readable=False, help="Spec of the site.")],
    description: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            readable=False,
            allow_dash=True,
            help="What `aws cloudformation describe-stacks` printed; - is standard input.",
        ),
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the change, and write nothing.")] = False,
    quiet: Quiet = False,
) -> None:
    """Write the endpoint of the site's database into its spec.

    Every other byte of the spec stays as it is. The stack must be the site's own, and agree with the spec.
    """
    from jhecfg.commands.import_ import rds as command

    raise typer.Exit(command(spec, description, talk("text", quiet), dry_run=dry_run))
