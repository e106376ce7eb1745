"""The command line: words in, exit code out. Only `cli/` and what it calls print and exit."""

from __future__ import annotations

from jhecfg.cli import build, explain, graph, import_, init, plan, seal, secrets
from jhecfg.cli import set as set_
from jhecfg.cli.app import app, completion
from jhecfg.talk import guarded

__all__ = ["app", "build", "explain", "graph", "import_", "init", "plan", "run", "seal", "secrets", "set_"]


def run(argv: list[str]) -> int:
    """Run the command line and return the exit code; a bug is said without input values."""
    if argv[:1] in (["--show-completion"], ["--install-completion"]):  # the shell behind it may be left out
        return guarded(lambda: completion(argv))
    return guarded(lambda: app(args=argv, prog_name="jhecfg"))
