"""Reader: the only way YAML comes in: bytes to a plain tree that knows where every key and value stands.

Stock loaders crash on deep nesting, hang on a kilobyte of aliases or merge keys, keep the last of two equal keys
without a word, and disagree with one another about `no` and `0644`. So the tree is composed here (`composer.py`) from
libyaml's stream of *events*, which neither recurses nor expands anything, and every limit is held while events are
read. What cannot be read in one way only is refused, with a place and with what to write instead.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from jhecfg.composer import Composer
from jhecfg.diagnostics import Diagnostic, Loc, Span, SpecError
from jhecfg.leaks import mask_lines
from jhecfg.marks import (
    AFTER_COLON,
    AFTER_DASH,
    CRAMPED,
    FORBIDDEN,
    LIMITS,
    START,
    Comment,
    Limits,
    Mark,
    Page,
    Stop,
    letter,
    span_in,
    within,
)

if TYPE_CHECKING:
    from yaml.error import MarkedYAMLError

__all__ = ["CODES", "LIMITS", "Comment", "Document", "Limits", "Mark", "read"]


class Document(NamedTuple):
    """One YAML file, read.

    `text` has LF line ends, no byte order mark and a final newline; `digest` is the SHA-256 of the bytes as they were.
    `values` has the place of every value, `keys` of every key of a mapping (a list's items have none). Where an alias
    is used, everything it brings stands at the alias.
    """

    name: str
    text: str
    lines: tuple[str, ...]
    digest: str
    tree: dict[str, Any]
    keys: Mapping[Loc, Mark]
    values: Mapping[Loc, Mark]
    comments: tuple[Comment, ...] = ()

    def span(self, mark: Mark) -> Span:
        """Return the first line of a mark as a span, secrets masked."""
        return span_in(self.name, mask_lines(self.lines), mark)


def read(data: bytes, name: str, limits: Limits = LIMITS) -> Document:
    """Read one YAML document; `name` is how messages call the file.

    Raises `SpecError` and nothing else, whatever the bytes are: syntax errors and exceeded limits stop at once, other
    refusals (a duplicate key, an ambiguous value, a tag, …) are collected and reported together. The one exception is
    about the machine, not the bytes: `ToolError` where PyYAML lacks libyaml.
    """
    page = Page(name, _decode(data, name, limits))
    composer = Composer(page, limits)
    comments = _run(page, composer, limits)
    return Document(
        name=name,
        text=page.text,
        lines=page.lines,
        digest=hashlib.sha256(data).hexdigest(),
        tree=_tree(page, composer),
        keys=composer.keys,
        values=composer.values,
        comments=comments,
    )


def _run(page: Page, composer: Composer, limits: Limits) -> tuple[Comment, ...]:
    from yaml.error import MarkedYAMLError, YAMLError

    try:
        composer.run()
    except Stop as stop:
        page.throw(stop.diagnostic)
    except MarkedYAMLError as error:
        page.throw(*_explained(page, error))
    except (YAMLError, ValueError):  # has no place; never seen, but "whatever the bytes" is a promise
        page.throw(page.say("yaml-syntax", "this is not YAML", START))
    return () if composer.foreign else _between(page, composer.spans, limits.nodes)


def _tree(page: Page, composer: Composer) -> dict[str, Any]:
    root, mark = composer.root, composer.values.get((), START)
    if page.found:
        page.throw()
    if root is None:
        page.throw(page.say("yaml-empty", "the file holds nothing", mark, hint="start from examples/01-exchange.yaml"))
    if not isinstance(root, dict):
        what = "a list" if isinstance(root, list) else "a single value"
        problem = f"the file must hold keys and values, not {what}"
        page.throw(page.say("yaml-not-a-mapping", problem, mark, hint="write `key: value` lines"))
    return root


# --- bytes to text ---------------------------------------------------------------------------------------------------


_SNIFFED = 1024
"""So many bytes tell whether a file is text: pictures and archives have a NUL among them."""


def _decode(data: bytes, name: str, limits: Limits) -> str:
    if len(data) > limits.bytes:
        hint = "give every site a file of its own; `extends` shares what sites have in common"
        _refuse("yaml-too-large", f"the file is larger than {limits.bytes:,} bytes", Span(name, 1, 1, 2, ""), hint)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        hint = "save it as UTF-8 (in PowerShell: Out-File -Encoding utf8)"
        _refuse("yaml-not-utf8", "the file is UTF-16 or UTF-32", Span(name, 1, 1, 2, ""), hint)
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        where = _span_at(name, before + "\ufffd", len(before))
        if b"\0" in data[:_SNIFFED]:
            _refuse("yaml-not-utf8", "the file is not text", where, "name the spec of a site")
        _refuse("yaml-not-utf8", f"byte 0x{data[error.start]:02x} is not UTF-8", where, "save the file as UTF-8")
    bad = FORBIDDEN.search(text)
    if bad:
        problem = f"the character U+{ord(bad[0]):04X} is not allowed"
        hint = "save the file with LF line ends" if bad[0] == "\r" else "delete it: it does not show"
        _refuse("yaml-forbidden-character", problem, _span_at(name, text, bad.start()), hint)
    text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") or not text else text + "\n"


def _span_at(name: str, text: str, index: int) -> Span:
    """Return the place of one character in text that is not yet known to be clean."""
    before = text[:index]
    place = letter(before.count("\n") + 1, index - before.rfind("\n"))
    lines = tuple(FORBIDDEN.sub("\ufffd", text.replace("\r\n", "\n")).split("\n"))
    return span_in(name, mask_lines(lines), place)


def _refuse(code: str, message: str, span: Span, hint: str) -> NoReturn:
    raise SpecError((Diagnostic(code=code, message=message, span=span, hint=hint),)) from None


# --- what is between the values --------------------------------------------------------------------------------------

_LOOSE = re.compile(r"#[^\n]*|[\t?]")


def _between(page: Page, spans: list[tuple[int, int]], most: int) -> tuple[Comment, ...]:
    """Look at the text that is no scalar: return its comments, refuse tabs and explicit keys."""
    comments: list[Comment] = []
    if not _LOOSE.search(page.text):
        return ()
    done, length = 0, len(page.text)
    counted, line, begin = 0, 1, 0  # where the count of lines is, and where its line begins
    for start, end in (*spans, (length, length)):
        for match in _LOOSE.finditer(page.text, done, start):
            index = match.start()
            line += page.text.count("\n", counted, index)
            begin = max(begin, page.text.rfind("\n", counted, index) + 1)
            counted, column = index, index - begin + 1
            if match[0][0] == "#":
                comments.append(Comment(line, column, match[0]))
                if len(comments) > most:
                    page.throw(
                        page.say("yaml-too-many-values", f"there are more than {most:,} comments", comments[-1].mark)
                    )
            elif match[0] == "\t":
                page.tab(line, column)
            else:
                hint = "write `key: value`; put quotes around text that starts with `?`"
                mark = letter(line, column)
                page.add("yaml-complex-key", "`?` marks a key that is more than plain text", mark, hint=hint)
        done = max(done, end)
    return tuple(comments)


# --- libyaml's complaints --------------------------------------------------------------------------------------------

# A part of libyaml's message (constants of the library: none quotes the input), and what to do.
_HINTS = (
    ("mapping values are not allowed", "put quotes around text that holds `: `, or check how this line is indented"),
    ("did not find expected key", "check how this line is indented, and that brackets and quotes before it are closed"),
    ("could not find expected ':'", "write `key: value`; is the `:` missing, or the space after it?"),
    ("cannot start any token", "put quotes around text that starts with this character"),
    ("expected ',' or ']'", "close the list with `]`, and put commas between its items"),
    ("expected ',' or '}'", "close the mapping with `}`, and put commas between its items"),
    ("block sequence entries are not allowed", "start the list on a line of its own"),
    ("did not find expected '-' indicator", "indent all items of the list alike"),
    ("did not find expected node content", "write a value here, or close the bracket before it"),
    ("unknown escape character", "write \\\\ for a backslash, or use single quotes"),
    ("invalid Unicode character escape", "write the character itself"),
    ("while parsing a quoted scalar", "close the quote"),
)


def _explained(page: Page, error: MarkedYAMLError) -> tuple[Diagnostic, ...]:
    """Say libyaml's complaint in place; nothing where a problem collected before has the same cause."""
    where = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context or "this is not YAML")
    if "unexpected end of stream" in problem and error.context_mark is not None:
        where, problem = error.context_mark, "this quote is never closed"
    if "could not find expected ':'" in problem and error.context_mark is not None:
        where = error.context_mark  # the key; libyaml notices on the next line
    line, column = (where.line + 1, where.column + 1) if where else (1, 1)
    mark = letter(line, column)
    if "nesting depth" in problem:  # libyaml 0.2.6 and later look ahead and count to 1,000 before we can to ours
        return (page.say("yaml-too-deep", "values are nested too deep", mark),)
    conflict = _conflict(page, line)
    if conflict:
        page.found.clear()
        return (page.say("yaml-syntax", "a git conflict is not resolved", conflict, hint="choose one side of it"),)
    before = page.lines[line - 1][:column] if line <= len(page.lines) else ""
    if before.endswith("\t"):
        return (page.say("yaml-tab", "a tab stands outside quotes", mark, hint="use spaces"),)
    if page.found and page.found[-1].code == "yaml-multiline-plain" and "mapping values" in problem:
        return _too_far(page, line)
    if line > len(page.lines) and error.context_mark is not None:  # the end of the file is not where the mistake is
        mark = letter(error.context_mark.line + 1, error.context_mark.column + 1)
    hint = next((hint for part, hint in _HINTS if part in problem), "")
    if "could not find expected ':'" in problem:
        text = page.lines[line - 1].rstrip()
        mark = within(line, column, len(text) + 1)
        if CRAMPED.match(text, column - 1):
            problem, hint = "no space follows the `:`", AFTER_COLON
    return (page.say("yaml-syntax", problem, mark, hint=hint),)


def _too_far(page: Page, line: int) -> tuple[Diagnostic, ...]:
    """Say of a key that libyaml takes for more of the text above that its line is indented too far."""
    above = page.found[-1].span
    if above is None or page.found[-1].hint in (AFTER_COLON, AFTER_DASH):
        return ()  # what was collected says it all
    page.found.pop()
    text = page.lines[line - 1]
    mark = within(line, len(text) - len(text.lstrip()) + 1, len(text.rstrip()) + 1)
    label, hint = "continues the text above it", "indent it as the other keys; or put quotes around the text above"
    related = ((within(above.line, above.column, above.end), "this text"),)
    return (page.say("yaml-multiline-plain", "this line is indented too far", mark, label, hint=hint, related=related),)


def _conflict(page: Page, line: int) -> Mark | None:
    """Find what git leaves in a file when a merge fails."""
    for number, text in enumerate(page.lines[: line + 1], 1):
        if text.startswith(("<<<<<<< ", ">>>>>>> ")) or text == "=======":
            return within(number, 1, len(text) + 1)
    return None


CODES: Mapping[str, str] = {
    "yaml-syntax": (
        "The file is not YAML: a quote or bracket is not closed, lines are indented unevenly, or a `:` stands "
        "where none may. Reading stops here, so there may be more. Mend this place first."
    ),
    "yaml-not-utf8": (
        "The bytes of the file are not UTF-8 text. Editors on Windows may save UTF-16; an old file may be "
        "Latin-1. Save it as UTF-8."
    ),
    "yaml-forbidden-character": (
        "Control characters, line separators other than a line feed, byte order marks and the characters that "
        "change the direction of text are invisible, and make a file mean other than it seems to. Delete the "
        'character; an escape such as "\\0" is no way around.'
    ),
    "yaml-too-large": (
        "A spec may have 1 MiB, and aliases may not make it more. Real ones have a few kilobytes. Give every site "
        "a file of its own, and put what they share into a base file that they extend."
    ),
    "yaml-too-deep": (
        "Values may be nested 32 levels deep. A spec needs about ten; deeper nesting is a mistake in the "
        "brackets, or an attack on the reader. Close the brackets."
    ),
    "yaml-too-many-values": (
        "A file may hold 50,000 values and as many comments, and an alias counts as all that it brings. A few lines "
        "of aliases to aliases would otherwise grow to billions. Write out less."
    ),
    "yaml-long-scalar": ("A value may have 65,536 characters and a key 256. Keep what is longer in a file of its own."),
    "yaml-ambiguous-scalar": (
        "YAML 1.1 and YAML 1.2 read this unquoted value differently: `no` is false to one and text to the other, "
        "0644 is 420 or 644, 1e3 is text or a number, 12:30 is 750 or text, 2026-01-31 is a date or text. "
        "Kubernetes, Helm, Python and editors do not agree on a version, so nobody can tell what was meant. Put "
        "quotes around text; write numbers in plain decimal, and booleans as true or false."
    ),
    "yaml-number": (
        "A number may have 18 digits and must be finite: longer ones lose digits in other readers. Put quotes "
        "around an id or an account number: it is text."
    ),
    "duplicate-key": (
        "A key stands twice in one mapping. Most readers silently keep the last one, so half of what is written "
        "would not count. Delete one of the two, or merge them."
    ),
    "yaml-merge-key": (
        "`<<` copies keys from another mapping. It is not part of YAML 1.2, readers differ in what wins, and it "
        "hides where a value comes from. Write the keys out, or put what sites share into a base and extend it."
    ),
    "yaml-tag": (
        "A tag such as `!!str` or `!vault` gives a value a type, or names a program that makes it. Neither is "
        "needed here. Delete it; quotes make text."
    ),
    "yaml-directive": (
        "`%YAML` and `%TAG` lines ask the reader for another dialect, and most readers ignore them. Delete the line."
    ),
    "yaml-alias": (
        "An alias (`*name`) stands for a value marked with an anchor (`&name`) above it. Here the anchor is "
        "missing, below, still open, defined twice, or on a key. Define it once, above, on a value."
    ),
    "yaml-many-documents": (
        "A second YAML document begins in this file (`---`). One file holds one spec. Split the file."
    ),
    "yaml-key-not-text": (
        "A key must be text. An unquoted number, true, false or null is not, and readers differ in what they make "
        "of it; a list or mapping as a key is usually a `{{ template }}` without quotes. Put quotes around it."
    ),
    "yaml-complex-key": (
        "`?` starts a key that may be anything, and nobody expects it. Write `key: value`, and put quotes around "
        "text that starts with a question mark."
    ),
    "yaml-multiline-plain": (
        "Unquoted text goes on in the next line, and the two are joined by a space. That is seldom meant: a `- ` "
        "without its space, or a line indented too far, looks the same. Put quotes around it, use `|` or `>`, or "
        "indent the next line as what it is."
    ),
    "yaml-typographic-quotes": (
        "An unquoted value begins with a typographic quote (\u201c \u2018 \u00ab), as word processors make them "
        "of straight ones. To YAML they are letters, and would become part of the value. Write straight quotes, or "
        "none."
    ),
    "yaml-tab": (
        "Tabs look like spaces, and readers disagree on where they are allowed. Outside quotes, comments and "
        "literal blocks use spaces."
    ),
    "yaml-empty": ("The file holds nothing but comments. Start from examples/01-exchange.yaml."),
    "yaml-not-a-mapping": ("A spec is made of `key: value` lines; this file holds a list or a single value."),
    "yaml-more": ("A file with many problems shows the first twenty. Mend those, then run again."),
}
"""What each code of this module means, why it is an error, and what to write instead: for `jhecfg explain CODE`."""
