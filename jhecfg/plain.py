"""The options of build, check and diff, and a reader of command lines that have no more than these.

One table, two readers. `cli/` declares its options to typer from it: help, completion, and everything about a command
line that is wrong are typer's. `understood` reads what is plainly right, so that most builds never import typer; of
anything else it says nothing (docs/decisions/0017).

Only light modules are imported: this runs before anything else does.
"""

from __future__ import annotations

TYPE_CHECKING = False  # typing itself is slow to import; type checkers know the name
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Value = str | int | bool


class Option:
    """One option: its name in Python, its flags, its default; for a number its bounds, for a word what it may be."""

    __slots__ = ("choices", "default", "flags", "help", "least", "metavar", "most", "name")

    def __init__(
        self,
        name: str,
        flags: tuple[str, ...],
        default: Value,
        help: str,
        *,
        metavar: str | None = None,
        bounds: tuple[int, int] = (0, 0),
        choices: tuple[str, ...] = (),
    ) -> None:
        """Take what is declared."""
        self.name = name
        self.flags = flags
        self.default = default
        self.help = help
        self.metavar = metavar
        self.least, self.most = bounds
        self.choices = choices

    def read(self, word: str) -> Value | None:
        """Return the value that a word stands for, or None where that is for typer to say."""
        if isinstance(self.default, int):
            plain = word.isascii() and word.isdecimal() and len(word) < 4
            return int(word) if plain and self.least <= int(word) <= self.most else None
        if not word or word[0] == "-" or (self.choices and word not in self.choices):
            return None
        return word


OUT = Option("out", ("--out",), "out", "Folder of the outputs.", metavar="DIR")
JOBS = Option("jobs", ("--jobs", "-j"), 1, "Processes to work in.", bounds=(1, 64))
SHARD = Option(
    "shard", ("--shard",), "", "Only the Ith of N parts of the sites, for N machines, as in 2/4.", metavar="I/N"
)
FORCE = Option("force", ("--force",), False, "Overwrite hand-edited and foreign files that are in the way.")
STRICT = Option("strict", ("--strict",), False, "Let warnings fail.")
QUIET = Option("quiet", ("--quiet", "-q"), False, "Say only what is wrong.")
WATCH = Option("watch", ("--watch",), False, "Again whenever a spec changes; Ctrl-C ends it.")
EXIT_CODE = Option("exit_code", ("--exit-code",), False, "Exit with 3 when there is a difference.")
WRITTEN = Option("exit_code", ("--exit-code",), False, "Exit with 3 when files were written or removed.")
STYLE = Option(
    "style", ("--format",), "text", "How diagnostics are written.", choices=("text", "json", "github", "sarif")
)
VALIDATOR = Option(
    "validator",
    ("--validator",),
    "auto",
    "Schema judges: auto is builtin, and kubeconform where it is on PATH.",
    metavar="[auto|builtin|kubeconform|none]",
)

COMMANDS: dict[str, tuple[Option, ...]] = {
    "build": (OUT, JOBS, SHARD, FORCE, STRICT, VALIDATOR, STYLE, QUIET, WATCH, WRITTEN),
    "check": (OUT, JOBS, SHARD, STRICT, VALIDATOR, STYLE, QUIET, WATCH),
    "diff": (OUT, JOBS, SHARD, VALIDATOR, STYLE, EXIT_CODE),
}
"""What each command takes, beside specs."""


class Words:
    """A command line that was understood: the command, its specs as written, and a value for each of its options."""

    __slots__ = ("command", "specs", "values")

    def __init__(self, command: str, specs: list[str], values: dict[str, Value]) -> None:
        """Take what was read."""
        self.command = command
        self.specs = specs
        self.values = values


def understood(argv: Sequence[str]) -> Words | None:
    """Read a command line; None where it is not plainly right, and typer is to read it.

    Plainly right: a command of the table, specs, and its options, each once and by its whole name, with a value of its
    own or behind `=`.
    """
    options = COMMANDS.get(argv[0]) if argv else None
    if options is None:
        return None
    known = {flag: option for option in options for flag in option.flags}
    specs, given, rest = list[str](), dict[str, Value](), iter(argv[1:])
    for word in rest:
        if word[:1] != "-":
            if not word:
                return None
            specs.append(word)
            continue
        flag, equals, value = word.partition("=")
        option = known.get(flag)
        if option is None or option.name in given or (equals and flag[:2] != "--"):
            return None
        read = _value(option, value if equals else None, rest)
        if read is None:
            return None
        given[option.name] = read
    return Words(argv[0], specs, {option.name: given.get(option.name, option.default) for option in options})


def _value(option: Option, behind: str | None, rest: Iterator[str]) -> Value | None:
    """Return an option's value: what stands behind its `=`, or the next word; a switch has neither."""
    if isinstance(option.default, bool):
        return True if behind is None else None
    word = behind if behind is not None else next(rest, "")
    return option.read(word)


def shard_of(text: str) -> tuple[int, int] | None:
    """Read `2/4`: which part, and of how many. None for anything else."""
    index, slash, count = text.partition("/")
    plain = slash and all(part.isascii() and part.isdecimal() and len(part) < 5 for part in (index, count))
    if not plain or not 1 <= int(index) <= int(count):
        return None
    return int(index), int(count)
