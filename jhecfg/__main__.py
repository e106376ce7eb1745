"""Start of the command: what changed nothing is answered at once, what is plain is run, all else is `cli/`'s."""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    gc.disable()  # nearly nothing of a build is garbage, and looking for it costs a tenth of its time
    # pydantic looks through every installed package for plugins, which would see the specs. Ours has none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        code = _run(sys.argv[1:])
    except KeyboardInterrupt:  # so early that no command runs yet
        code = 130
    _leave(code)


def _run(argv: list[str]) -> int:
    if argv[:1] == ["__complete"]:
        from jhecfg.completion import respond

        return respond(argv[1:])
    from jhecfg.plain import understood

    if argv == ["--version"]:
        from jhecfg import __version__

        return _say(f"jhecfg {__version__}\n")
    words = understood(argv)
    if words is None:
        from jhecfg.cli import run

        return run(argv)
    from jhecfg.unchanged import recalled, unchanged

    found = recalled(words)
    code = unchanged(words, found, _say)
    if code is not None:
        return code
    from jhecfg.commands.build import plainly
    from jhecfg.talk import guarded

    return guarded(lambda: plainly(words, found))


def _say(text: str) -> int:
    """Print a result before anything heavy is imported; return the exit code."""
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except (OSError, AttributeError):  # a closed pipe, a full disk, no stream at all: others know what that means
        from jhecfg.talk import Exit, Talk, guarded

        def again() -> int:
            Talk("text", quiet=False, colour=False).result(text)
            return Exit.OK

        return guarded(again)
    return 0


def _leave(code: int) -> None:
    """End the process without freeing, one by one, all that it made: a tenth of a build's time (mypy does the same)."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # a closed pipe or stream, or none: Python's own end knows what to do
        sys.exit(code)
    os._exit(code)


if __name__ == "__main__":
    main()
