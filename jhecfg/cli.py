"""The command line: words in, exit code out. The only place that prints and exits."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from jhecfg import __version__
from jhecfg.report import Format, wants_colour
from jhecfg.talk import Talk, guarded

app = typer.Typer(
    name="jhecfg",
    help="Compile JupyterHealth Exchange site specs into everything a site is made of.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Specs = Annotated[
    list[Path] | None,
    typer.Argument(metavar="SPEC", readable=False, help="Spec files [default: every file in specs/]."),
]
Out = Annotated[Path, typer.Option("--out", metavar="DIR", readable=False, help="Folder of the outputs.")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=64, help="Processes to work in.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite hand-edited and foreign files that are in the way.")]
Strict = Annotated[bool, typer.Option("--strict", help="Let warnings fail.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what is wrong.")]
Style = Annotated[Format, typer.Option("--format", help="How diagnostics are written.")]
Judge = Annotated[
    str,
    typer.Option(
        "--validator",
        metavar="[auto|builtin|kubeconform|none]",
        help="Schema judges: auto is builtin, and kubeconform where it is on PATH.",
    ),
]


@app.callback(invoke_without_command=True)
def main(
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False,
) -> None:
    """Handle what belongs to no command."""
    if version:
        print(f"jhecfg {__version__}")
        raise typer.Exit


@app.command()
def build(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    force: Force = False,
    strict: Strict = False,
    validator: Judge = "auto",
    style: Style = "text",
    quiet: Quiet = False,
) -> None:
    """Compile, judge, and write out/<site>/.

    Nothing is written for a site whose spec has an error. Files of others are never touched.
    """
    from jhecfg.commands import build as command

    raise typer.Exit(command(specs, _talk(style, quiet), out, jobs, force=force, strict=strict, validator=validator))


@app.command()
def check(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    strict: Strict = False,
    validator: Judge = "auto",
    style: Style = "text",
    quiet: Quiet = False,
) -> None:
    """Compile, judge, and exit with 3 if out/ is out of date.

    Nothing is written. For CI and pre-commit.
    """
    from jhecfg.commands import check as command

    raise typer.Exit(command(specs, _talk(style, quiet), out, jobs, strict=strict, validator=validator))


@app.command()
def diff(
    specs: Specs = None,
    out: Out = Path("out"),
    jobs: Jobs = 1,
    validator: Judge = "auto",
    style: Style = "text",
    exit_code: Annotated[bool, typer.Option("--exit-code", help="Exit with 3 when there is a difference.")] = False,
) -> None:
    """Print the unified diff that `build` would make."""
    from jhecfg.commands import diff as command

    raise typer.Exit(command(specs, _talk(style, quiet=True), out, jobs, exit_code=exit_code, validator=validator))


@app.command()
def explain(
    code: Annotated[str, typer.Argument(metavar="CODE", help="A diagnostic's code, such as moving-tag; or `all`.")],
) -> None:
    """Say what a diagnostic means, why, and what to do instead."""
    from jhecfg.commands import explain as command

    raise typer.Exit(command(code, _talk("text", quiet=True)))


@app.command()
def schema() -> None:
    """Print the JSON Schema of the spec, for editors."""
    from jhecfg.commands import schema as command

    raise typer.Exit(command(_talk("text", quiet=True)))


def _talk(style: Format, quiet: bool) -> Talk:
    return Talk(style, quiet=quiet, colour=wants_colour(sys.stderr, os.environ))


def run(argv: list[str]) -> int:
    """Run the command line and return the exit code; a bug is said without input values."""
    return guarded(lambda: app(args=argv, prog_name="jhecfg"))
