"""secrets seal: the command that encrypts a site's secrets into files for git."""

from __future__ import annotations

from typing import Annotated

import typer

from jhecfg.cli.secrets import Spec, Store, secrets
from jhecfg.cli.words import Quiet, talk


@secrets.command()
def seal(
    spec: Spec,
    store: Store = None,
    every: Annotated[bool, typer.Option("--all", help="Encrypt all anew, also what did not change.")] = False,
    quiet: Quiet = False,
) -> None:
    """Encrypt the values into files beside the spec, which git may hold; for sealed-secrets and sops.

    Only what is new or changed is encrypted. Nothing is printed but names. Exit 5 says that something is missing still.
    """
    from jhecfg.commands.seal import seal as command

    raise typer.Exit(command(spec, talk("text", quiet), store, every=every))
