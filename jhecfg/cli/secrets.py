"""secrets: the commands about the site's secret values."""

from __future__ import annotations

import typer

from jhecfg.cli.app import app

secrets = typer.Typer(name="secrets", help="Make, keep, seal and rotate the site's secrets.", no_args_is_help=True)
app.add_typer(secrets)
