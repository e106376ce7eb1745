"""Start of the command: what changed nothing is answered at once, everything else is the command line's."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    from jhecfg.unchanged import unchanged

    gc.disable()  # nearly nothing of a build is garbage, and looking for it costs a tenth of its time
    code = unchanged(sys.argv[1:])
    if code is None:
        from jhecfg.cli import run

        code = run(sys.argv[1:])
    sys.exit(code)


if __name__ == "__main__":
    main()
