"""Words: the parts every format shares: text made safe to show, a diagnostic in sentences, counts, relative paths."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from jhecfg.diagnostics import Diagnostic, Severity

LONGEST = 2_000
"""Characters of one line of a message that are shown; a message is for reading, and a value in it may be huge."""

# Letters and marks that print as nothing, or restyle their neighbour. `str.isprintable` already refuses controls,
# format characters (bidi, zero width), private use, surrogates and unassigned ones.
# Source: Unicode DerivedCoreProperties.txt, Default_Ignorable_Code_Point; and the blank braille pattern.
UNSEEN = frozenset(
    chr(number)
    for first, last in (
        *((0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2800, 0x2800)),
        *((0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xE0100, 0xE01EF)),
    )
    for number in range(first, last + 1)
)

# A CI runner obeys `##[command]` (GitHub; Azure: `##vso[`) anywhere in a line of a log, so a spec that is shown there
# could mask or forge lines. Source: actions/runner, src/Runner.Common/ActionCommand.cs, TryParse.
COMMAND = r"#(?=#[a-zA-Z]*\[)"


def escaped(character: str) -> str:
    r"""Return the character as `\u200b` or `\U000e0001`."""
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def glyphs(text: str) -> list[str]:
    """Return what to show for each character of `text`: itself, or its escape where it would not be seen as it is."""
    commands = {match.start() for match in re.finditer(COMMAND, text)}
    return [
        escaped(character) if at in commands or not character.isprintable() or character in UNSEEN else character
        for at, character in enumerate(text)
    ]


def clean(text: str) -> str:
    """Return `text` as one line that a terminal, an editor or a log shows and never obeys, cut where it is huge."""
    if len(text) > LONGEST:
        text = text[:LONGEST] + "..."
    if text.isascii() and text.isprintable() and "##" not in text:
        return text
    return "".join(glyphs(text))


# What a terminal obeys, or what makes a line look like another: controls but tab and line feed, line separators, and
# characters that turn the direction of text. Letters that merely do not show stay, for a diff is to be applied.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]|"
    + COMMAND
    + r"|^[^\S\n]*:(?=:)",  # the runner takes any white space off the start of a line
    re.MULTILINE,
)


def inert(text: str) -> str:
    """Return lines that a terminal or the log of a CI runner shows and never obeys; all else of them is as it was.

    In JSON the escapes mean what they stand for.
    """
    return _OBEYED.sub(lambda found: found[0][:-1] + escaped(found[0][-1]), text)


def clean_file(file: str) -> str:
    """Return a file's name for the start of a line, where `::name::` would be a GitHub command."""
    return re.sub("^:|:(?=:)", lambda _: escaped(":"), clean(file))


def clean_lines(text: str) -> list[str]:
    """Return the lines of a text that may have several (a hint with an example), each made safe."""
    return [clean(line) for line in text.rstrip("\n").split("\n")]


def well_formed(text: str) -> str:
    """Return `text` without lone surrogates, which strict JSON readers refuse."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def sentences(diagnostic: Diagnostic) -> Iterator[str]:
    """Say a diagnostic without its frame, line by line, the message first."""
    said = (clean(diagnostic.message), clean(diagnostic.code))
    yield next((each for each in said if each.strip()), "-")  # GitHub drops an empty message
    if diagnostic.label:
        yield clean(diagnostic.label)
    for name, text in notes(diagnostic):
        first, *rest = clean_lines(text)
        yield f"{name}: {first}"
        yield from (" " * (len(name) + 2) + line for line in rest)


def notes(diagnostic: Diagnostic) -> tuple[tuple[str, str], ...]:
    """Return the named notes that a diagnostic has, in reading order."""
    named = (("found", diagnostic.found), ("expected", diagnostic.expected), ("help", diagnostic.hint))
    return tuple((name, text) for name, text in named if text.strip())


def within(diagnostics: Sequence[Diagnostic], limit: int) -> tuple[tuple[Diagnostic, ...], str]:
    """Return at most `limit` diagnostics in their order, errors before warnings, and what to say of the others."""
    if limit <= 0 or len(diagnostics) <= limit:
        return tuple(diagnostics), ""
    by_weight = sorted(range(len(diagnostics)), key=lambda at: diagnostics[at].severity is not Severity.ERROR)
    shown = sorted(by_weight[:limit])
    hidden = [diagnostics[at] for at in by_weight[limit:]]
    return tuple(diagnostics[at] for at in shown), f"and {len(hidden)} more ({counted(hidden)})"


def counted(diagnostics: Iterable[Diagnostic]) -> str:
    """Say how many errors and warnings there are: `2 errors, 1 warning`, or `no problems`."""
    severities = [diagnostic.severity for diagnostic in diagnostics]
    counts = [(severities.count(severity), severity.value) for severity in Severity]
    return ", ".join(f"{n} {word}{'s' * (n != 1)}" for n, word in counts if n) or "no problems"


def files_of(diagnostics: Iterable[Diagnostic]) -> tuple[str, ...]:
    """Return the files that diagnostics point into, sorted."""
    return tuple(sorted({diagnostic.span.file for diagnostic in diagnostics if diagnostic.span}))


def summary(diagnostics: Sequence[Diagnostic], tail: str = "") -> str:
    """Return the last line, `2 errors, 1 warning in specs/a.yaml; nothing was written`; `tail` follows the `; `."""
    files = files_of(diagnostics)
    where = f" in {clean(files[0])}" if len(files) == 1 else f" in {len(files)} files" if files else ""
    return counted(diagnostics) + where + (f"; {clean(tail)}" if tail else "")


def relative(file: str, root: Path | None) -> str:
    """Return `file` with `/`, relative to `root` where it is inside it, else as it was given."""
    inside = file
    if root is not None and not file.startswith("<"):  # "<stdin>" is not a path
        try:
            inside = os.path.relpath(os.path.abspath(file), os.path.abspath(root))
        except ValueError:  # another drive (Windows)
            inside = file
        if inside == os.pardir or inside.startswith(os.pardir + os.sep):
            inside = file
    return inside.replace(os.sep, "/")
