"""The one YAML dialect jhecfg writes: the same data to every reader, the same bytes on every machine.

Manifests are read by YAML 1.1 parsers (PyYAML, Kubernetes, Helm, Argo CD) and by YAML 1.2 ones (ruamel, editors), and
these disagree about `no`, `1e3`, `0o14`, `12:30`, a version `1.30`, a git short sha `12e4567`. So text goes bare only
in a shape that no reader takes for anything but text; all else wears quotes. Character classes are written out here
rather than asked of Python (`str.isprintable`), whose answer changes with the Unicode tables of each Python version.

The output is left as it is by prettier, and has no anchors, no folding, no wrapped line and no trailing space.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

MAX_INTEGER = 2**53
"""The largest magnitude that a reader holding numbers as 64-bit floats (JavaScript, Helm) gets exactly."""

MAX_DEPTH = 100
"""Levels of nesting; more than any manifest has, and few enough that a tree that holds itself is refused."""

MAX_KEY = 1000
"""Characters of a written key. YAML ends the search for the `:` of a plain `key: value` line at 1,024."""

_EDGE = 80  # columns; prettier's default
_CACHE_SIZE = 8192  # distinct scalars remembered: a few MB at the very most
_CACHED_LENGTH = 200  # longer text is rarely written twice
_SHORT_KEY = (MAX_KEY - 2) // 10  # a key this short fits, even if every character of it is written as \U0000000a

# Starts with a letter or a slash; words joined by single spaces, or by colons that nothing could take for a key's.
_WORDS = r"[A-Za-z0-9_./@+=,;()-]"
_PLAIN = re.compile(rf"[A-Za-z/]{_WORDS}*(?:[ :]{_WORDS}+)*").fullmatch

# Shapes of letters that some reader takes for a boolean, a null or a number. npm yaml in 1.1 mode reads `e3` as NaN.
_OTHER_TYPE = re.compile(
    r"y|yes|n|no|on|off|true|false|null|inf|infinity|nan|e[-+]?[0-9._]+", re.IGNORECASE | re.ASCII
).fullmatch

# What never stands raw in the output, beside the newline: controls (C0, DEL, C1 with NEL), invisible or look-alike
# spaces, soft hyphen, line and paragraph separators, bidirectional and zero-width formatting, byte order mark, tags,
# noncharacters. Readers fold, drop or refuse some of them, and a reviewer cannot see any.
_HIDDEN = (
    "\x00-\x09\x0b-\x1f\x7f-\xa0\xad\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180e\u2000-\u200f\u2028-\u202f"
    "\u205f-\u206f\u3000\u3164\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\U000e0000-\U000e0fff"
)
_HIDDEN_IN = re.compile(f"[{_HIDDEN}]").search
_UNSAFE_RUN = re.compile(rf"[\n{_HIDDEN}\ud800-\udfff]+")
_ESCAPED = re.compile(rf'[\n\\"{_HIDDEN}]')
_SURROGATE = re.compile("[\ud800-\udfff]").search  # half of a character: not encodable, refused by every Go reader

_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


class NotPlain(TypeError):
    """A tree holds what YAML readers do not agree on; `loc` is where. A mistake of a renderer, never of a spec.

    The message shows the place and the kind of the value, not the value.
    """

    def __init__(self, problem: str) -> None:
        """Take what is wrong; callers on the way out add where."""
        super().__init__(problem)
        self.problem = problem
        self.loc: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        """Return `place: problem`, the place written as a path."""
        place = "/".join(str(part) for part in self.loc[:12]) + ("/…" if len(self.loc) > 12 else "")
        return f"{place or 'the document'}: {self.problem}"


def dump(tree: object, header: Sequence[str] = ()) -> str:
    """Write a plain tree as one YAML document.

    Takes a dict or a list of dict, list, str, int, float, bool and None (exactly these types, keys are str), and the
    comment lines for the top, without their `#`. Gives text that ends with exactly one newline.
    Raises NotPlain for any other type, for NaN and infinity, for an integer beyond ±2^53, for half a surrogate pair,
    for a key of more than 1,000 characters and for more than 100 levels (a tree that holds itself).
    """
    out = [_comment(line) for line in header]
    if type(tree) is dict:
        _mapping(tree, "", "", out) if tree else out.append("{}\n")
    elif type(tree) is list:
        _sequence(tree, "", "", out) if tree else out.append("[]\n")
    else:
        raise NotPlain(f"a document is a dict or a list, not {type(tree).__name__}")
    return "".join(out)


def scalar(value: str | int | float | bool | None) -> str:
    """Write one value on one line, as `dump` would. Raises NotPlain as it does."""
    return _quote(value) if isinstance(value, str) else _other(value)


@lru_cache(maxsize=64)
def _comment(line: str) -> str:
    """Return one comment line, whatever the text holds. Remembered: all files of a site begin with the same one."""
    return f"# {_UNSAFE_RUN.sub(' ', line)}".rstrip(" ") + "\n"


def _mapping(node: dict[object, object], lead: str, pad: str, out: list[str]) -> None:
    """Write each `key: value`; `lead` stands before the first key (it may hold a `- `), `pad` before the others."""
    if len(pad) > 2 * MAX_DEPTH:
        raise NotPlain(f"more than {MAX_DEPTH} levels, or a dict that holds itself")
    for key, value in node.items():
        try:
            if type(key) is not str:
                raise NotPlain(f"a key is a str, not {type(key).__name__}")
            if type(value) is str and len(value) <= _CACHED_LENGTH and (line := _line(key, value)):
                out.append(lead + line)
                lead = pad
                continue
            name = _inline(key) if len(key) <= _SHORT_KEY else _long_key(key)
            if type(value) is dict and value:
                out.append(f"{lead}{name}:\n")
                _mapping(value, inner := pad + "  ", inner, out)
            elif type(value) is list and value:
                out.append(f"{lead}{name}:\n")
                _sequence(value, inner := pad + "  ", inner, out)
            else:
                out.append(f"{lead}{name}:{_after_key(value, name, pad)}")
        except NotPlain as fault:
            fault.loc = (key if type(key) is str else type(key).__name__, *fault.loc)
            raise
        lead = pad


@lru_cache(maxsize=_CACHE_SIZE)
def _line(key: str, value: str) -> str:
    """Write a key and its short text, or nothing where either needs more than the rest of the line.

    Remembered as a whole: most pairs of a manifest stand in the next site's too.
    """
    if "\n" in value or len(key) > _SHORT_KEY:
        return ""
    return f"{_inline(key)}: {_inline(value)}\n"


def _after_key(value: object, name: str, pad: str) -> str:
    """Write what follows the colon of a key, with its newline: text that is long or has lines, or no text and no items.

    Near the right edge prettier would move the `|` of a block or an empty `{}` to a line of its own.
    """
    if type(value) is not str and type(value) is not dict and type(value) is not list:
        return f" {_other(value)}\n"
    at_edge = _columns(pad + name) + len(": |-") > _EDGE
    if type(value) is str:
        return f" {_quote(value)}\n" if at_edge else f" {_text(value, pad)}"
    return f"\n{pad}  {_other(value)}\n" if at_edge else f" {_other(value)}\n"


def _columns(text: str) -> int:
    """Return about how many columns an editor shows: East Asian characters and most pictures take two."""
    return len(text) if text.isascii() else sum(1 + (char >= "\u2e80") for char in text)


def _sequence(node: list[object], lead: str, pad: str, out: list[str]) -> None:
    """Write each `- item`; `lead` and `pad` as for a mapping."""
    if len(pad) > 2 * MAX_DEPTH:
        raise NotPlain(f"more than {MAX_DEPTH} levels, or a list that holds itself")
    for index, value in enumerate(node):
        try:
            if type(value) is str:
                short = len(value) <= _CACHED_LENGTH and "\n" not in value
                out.append(f"{lead}- {_inline(value)}\n" if short else f"{lead}- {_text(value, pad)}")
            elif type(value) is dict and value:
                _mapping(value, lead + "- ", pad + "  ", out)
            elif type(value) is list and value:
                _sequence(value, lead + "- ", pad + "  ", out)
            else:
                out.append(f"{lead}- {_other(value)}\n")
        except NotPlain as fault:
            fault.loc = (index, *fault.loc)
            raise
        lead = pad


def _other(value: object) -> str:
    """Write a scalar that is not text, or an empty collection."""
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int:
        if abs(value) > MAX_INTEGER:
            raise NotPlain("an int beyond 2^53 loses digits in some readers: pass it as text")
        return str(value)
    if type(value) is float:
        return _float(repr(value))
    if type(value) is dict:
        return "{}"
    if type(value) is list:
        return "[]"
    raise NotPlain(f"{type(value).__name__} is not plain data")


@lru_cache(maxsize=64)
def _float(digits: str) -> str:
    """Write every digit and no exponent: YAML 1.1 reads `1e-05` as text, and 1.2 reads it as a number."""
    from decimal import Decimal  # here: floats are rare, and every start would pay for the import

    decimal = Decimal(digits)
    if not decimal.is_finite():
        raise NotPlain("NaN and infinity are not in JSON, and so not in Kubernetes")
    digits = f"{decimal:f}"
    return digits if "." in digits else digits + ".0"


@lru_cache(maxsize=128)
def _text(text: str, pad: str) -> str:
    """Write text that is long or has lines, and its newline: a literal block where it may be one, else on one line.

    Remembered, since the scripts and certificates of one site stand in the next one too.
    """
    if "\n" in text and _fits_block(text):
        return _block(text, pad + "  ")
    return _quote(text) + "\n"


def _fits_block(text: str) -> bool:
    """Tell whether every reader gets this text out of a literal block.

    Not with a first line that hides the indentation, a space at the end of a line (hooks trim it), an empty line at the
    end (formatters trim it) or a hidden character.
    """
    return not (text[0] in " \n" or text[-1] == " " or " \n" in text or text.endswith("\n\n") or _HIDDEN_IN(text))


def _block(text: str, pad: str) -> str:
    """Write text as a literal block; empty lines stay empty."""
    if _SURROGATE(text):
        raise NotPlain("half of a surrogate pair is not a character")
    body, strip = (text[:-1], "") if text[-1] == "\n" else (text, "-")
    return f"|{strip}\n" + "".join(f"{pad}{line}\n" if line else "\n" for line in body.split("\n"))


def _long_key(key: str) -> str:
    """Write a key that may be too long for a reader to find its colon; raise NotPlain if it is."""
    name = _quote(key)
    if len(name) > MAX_KEY:
        raise NotPlain(f"a key of more than {MAX_KEY} characters is refused by readers")
    return name


def _quote(text: str) -> str:
    """Write text on one line: bare where that is safe, else in the quotes that need the fewest escapes.

    Double quotes, but single ones around a `"` or a backslash that needs no other escape. Prettier does the same.
    """
    if _PLAIN(text) and not _OTHER_TYPE(text):
        return text
    if _SURROGATE(text):
        raise NotPlain("half of a surrogate pair is not a character")
    if ('"' in text or "\\" in text) and "\n" not in text and not _HIDDEN_IN(text):
        return "'" + text.replace("'", "''") + "'"
    return '"' + _ESCAPED.sub(_escape, text) + '"'


_inline = lru_cache(maxsize=_CACHE_SIZE)(_quote)


def _escape(match: re.Match[str]) -> str:
    """Return the escape of one character. Unlike JSON, YAML refuses an astral character written as two surrogates."""
    char = match[0]
    code = ord(char)
    if code < 0x100:
        return _SHORT_ESCAPES.get(char) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
