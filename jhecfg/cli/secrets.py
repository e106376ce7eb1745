"""secrets: the commands about the site's secret values."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from jhecfg.cli.app import app
from jhecfg.cli.words import Quiet, talk

secrets = typer.Typer(name="secrets", help="Make, keep, seal and rotate the site's secrets.", no_args_is_help=True)
app.add_typer(secrets)

Spec = Annotated[Path, typer.Argument(metavar="SPEC", readable=False, help="Spec file of the site.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a value, as `list` shows it, or the end of it.")]
Store = Annotated[
    Path | None,
    typer.Option("--store", metavar="FILE", help="The local file of the values [.secrets/<site>.yaml beside specs/]."),
]
FromFile = Annotated[
    list[str] | None, typer.Option("--from-file", metavar="NAME=PATH", help="Take a value from a file, or a pipe.")
]
FromEnv = Annotated[
    list[str] | None, typer.Option("--from-env", metavar="NAME=VAR", help="Take a value from a variable.")
]
NoPrompt = Annotated[bool, typer.Option("--no-prompt", help="Ask for nothing, even on a terminal.")]


@secrets.command("list")
def list_(
    spec: Spec,
    style: Annotated[
        Literal["text", "json", "kubectl"],
        typer.Option("--format", help="How it is written; `kubectl`: the commands that make the Secrets from files."),
    ] = "text",
) -> None:
    """Print every secret of the site: what for, how made, who reads it, what a change does.

    Values are never printed, or even read.
    """
    from jhecfg.commands.secrets_list import inventory as command

    raise typer.Exit(command(spec, talk("text", quiet=True), style))


@secrets.command()
def init(
    spec: Spec,
    store: Store = None,
    from_file: FromFile = None,
    from_env: FromEnv = None,
    no_prompt: NoPrompt = False,
    quiet: Quiet = False,
) -> None:
    """Make what is missing, into a local file that only you can read; ask for what only you know.

    What the file has is never changed. Exit 5 says that something is missing still.
    """
    from jhecfg.commands.secrets import init as command
    from jhecfg.secretstore.bring import Wishes

    wishes = Wishes(tuple(from_file or ()), tuple(from_env or ()), ask=not no_prompt)
    raise typer.Exit(command(spec, talk("text", quiet), store, wishes))


@secrets.command()
def show(spec: Spec, name: Name, store: Store = None) -> None:
    """Print one value to a program; never to a terminal."""
    from jhecfg.commands.secrets import show as command

    raise typer.Exit(command(spec, talk("text", quiet=True), store, name))


@secrets.command()
def apply(
    spec: Spec,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]…", help="Only these values or Secrets [all].")
    ] = None,
    store: Store = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace what is there of these NAMEs, after a rotation.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the Secrets to a program, or the aws commands; send nothing.")
    ] = False,
    context: Annotated[str, typer.Option("--context", help="The cluster, as kubectl knows it [the current].")] = "",
    quiet: Quiet = False,
) -> None:
    """Put the values into the cluster, or into AWS Secrets Manager: whichever the spec's backend says.

    What is there already is left alone; a key that a Secret lacks is added.
    """
    from jhecfg.commands.secrets_apply import Sending
    from jhecfg.commands.secrets_apply import apply as command

    how = Sending(tuple(names or ()), replace=replace, dry_run=dry_run, context=context)
    raise typer.Exit(command(spec, talk("text", quiet), store, how))


@secrets.command()
def rotate(
    spec: Spec,
    name: Name,
    store: Store = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Drop the old value that stayed beside the new one.")
    ] = False,
    from_file: FromFile = None,
    from_env: FromEnv = None,
    no_prompt: NoPrompt = False,
) -> None:
    """Put a new value into the local file; say what people will notice, and what to do next."""
    from jhecfg.commands.secrets_rotate import rotate as command
    from jhecfg.secretstore.bring import Wishes

    wishes = Wishes(tuple(from_file or ()), tuple(from_env or ()), ask=not no_prompt)
    raise typer.Exit(command(spec, talk("text", quiet=True), store, name, wishes, finish=finish))
