"""edited(): change single values in the text of a spec, and not one other byte of it.

The reader knows where every key and value stands, so a change is a splice: comments, quotes, line ends and order stay
as a person left them. Whatever the splice was, its result is read again, and must be exactly the tree that was meant:
what an alias, a block or a comment in an odd place would make of it is refused, not written.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from jhecfg.diagnostics import Loc, SpecError, ToolError
from jhecfg.emit import NotPlain, scalar
from jhecfg.marks import Mark
from jhecfg.reader import Document, read


class Removed:
    """Stands for the value of a key that is to be taken away."""


REMOVED: Final = Removed()

Leaf = str | int | float | bool | None

_BOM = b"\xef\xbb\xbf"


class CannotEdit(Exception):
    """This change is a person's: `loc` is what was to change, `line` where it stands, from 1. Holds no value."""

    def __init__(self, loc: Loc, line: int, why: str) -> None:
        """Take the place, and why."""
        super().__init__(f"cannot change {'.'.join(map(str, loc))}: {why}; edit it by hand")
        self.loc = loc
        self.line = line


def edited(data: bytes, name: str, changes: Mapping[Loc, Leaf | Removed]) -> bytes:
    """Return the bytes of a spec after some changes: a value set, a key added where it is missing, or taken away.

    A place is a path of keys, and of indices of items that exist; mappings on the way that are missing are made.
    `name` is how messages call the file. Raises `SpecError` if it cannot be read, and `CannotEdit`. Whether the result
    is a good spec, and holds no secret, is for `source.load` and the compiler to say, before anybody writes it.
    """
    for loc, value in changes.items():
        data = _Edit(data, name, loc).run(value)
    return data


def save(path: Path, before: bytes, after: bytes) -> None:
    """Put new bytes in the place of a file's, in one step: whoever reads it finds the old ones or the new ones.

    Keeps the file's mode; of a symbolic link it is the file behind it that changes. Raises `ToolError` where the file
    no longer holds `before`, or cannot be written.
    """
    real = Path(os.path.realpath(path))
    staged = ""
    try:
        if real.read_bytes() != before:
            raise ToolError(f"{path.as_posix()}: somebody else changed it meanwhile; nothing was written")
        handle, staged = tempfile.mkstemp(prefix=f".{real.name}.", dir=real.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(after)
            file.flush()
            os.fsync(handle)
        os.chmod(staged, real.stat().st_mode & 0o7777)
        os.replace(staged, real)
        staged = ""
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise ToolError(f"cannot write {path.as_posix()}: {why}") from None
    finally:
        if staged:
            os.unlink(staged)


class _Splice(NamedTuple):
    """Text to stand in the place of other text, by its indices."""

    start: int
    end: int
    text: str


class _Edit:
    """One change of one text. Marks count in the reader's text, which has the same lines and columns as the file's."""

    def __init__(self, data: bytes, name: str, loc: Loc) -> None:
        self.data = data
        self.name = name
        self.loc = loc
        self.document: Document = read(data, name)
        self.text = data.removeprefix(_BOM).decode()
        self.starts = [0]  # of each line, and of the one after the last
        for line in self.text.split("\n"):
            self.starts.append(min(self.starts[-1] + len(line) + 1, len(self.text)))

    def run(self, value: Leaf | Removed) -> bytes:
        """Return the file's bytes after the change, which is checked to mean what it should."""
        wanted = self._wanted(value)
        if _same(wanted, self.document.tree):
            return self.data
        splice = self._splice(value)
        text = self.text[: splice.start] + splice.text + self.text[splice.end :]
        result = self.data[: len(self.data) - len(self.data.removeprefix(_BOM))] + text.encode()
        try:
            tree = read(result, self.name).tree
        except SpecError:
            self._refuse("the line would no longer be readable")
        if not _same(tree, wanted):
            self._refuse("more would change than this (is there an anchor or an alias?)")
        return result

    def _wanted(self, value: Leaf | Removed) -> dict[str, Any]:
        """Return the tree that the change should give."""
        tree = copy.deepcopy(self.document.tree)
        here: Any = tree
        for step in self.loc[:-1]:
            if isinstance(here, dict) and isinstance(step, str) and here.get(step) is None:
                here[step] = {}
            here = self._inside(here, step)
        last = self.loc[-1]
        if isinstance(value, Removed):
            self._inside(here, last)
            if not isinstance(here, dict):
                self._refuse("it is an item of a list")
            del here[last]
        elif isinstance(here, dict) and isinstance(last, str):
            here[last] = value
        else:
            self._inside(here, last)
            here[last] = value
        return tree

    def _inside(self, value: Any, step: str | int) -> Any:
        fits = isinstance(value, dict) if isinstance(step, str) else isinstance(value, list)
        there = fits and (step in value if isinstance(value, dict) else 0 <= int(step) < len(value))
        return value[step] if there else self._refuse(f"nothing is called {step!r} there")

    def _splice(self, value: Leaf | Removed) -> _Splice:
        if isinstance(value, Removed):
            return self._removed()
        try:
            return self._set(value) if self.loc in self.document.values else self._added(value)
        except NotPlain as problem:
            self._refuse(problem.problem)

    # A value in the place of another.

    def _set(self, value: Leaf) -> _Splice:
        if isinstance(_at(self.document.tree, self.loc), dict | list):
            self._refuse("it holds more than one value")
        start, end = self._span(self.document.values[self.loc])
        self._keep_comments(start, end)
        text = _written(value, quotes=self._quotes(self.document.values[self.loc]), flow=self._in_flow(self.loc))
        return _Splice(start, end, text if start < end else self._spaced(start) + text)

    # A key that is not there yet.

    def _added(self, value: Leaf) -> _Splice:
        above = self.loc
        while above not in self.document.values:
            above = above[:-1]
        keys = [str(step) for step in self.loc[len(above) :]]
        inside = _at(self.document.tree, above)
        if inside is None:
            return self._filled(above, keys, value)
        first = (*above, next(iter(inside), ""))
        start, _ = self._span(self.document.values[above])
        if self.text[start] != "{":
            return self._lines_after(self.document.values[above], self._indent(first), keys, value)
        if not inside:
            return _Splice(start + 1, start + 1, _flow(keys, value, quotes=""))
        _, end = self._span(self.document.values[(*above, next(reversed(inside)))])
        return _Splice(end, end, ", " + _flow(keys, value, quotes=self._quotes(self.document.keys[first])))

    def _filled(self, above: Loc, keys: list[str], value: Leaf) -> _Splice:
        """Put a key below one that has no value yet."""
        mark = self.document.values[above]
        start, end = self._span(mark)
        if start == end and above in self.document.keys and not self._in_flow(above):
            return self._lines_after(self.document.keys[above], self._indent(above) + "  ", keys, value)
        return _Splice(start, end, self._spaced(start) + "{" + _flow(keys, value, quotes="") + "}")

    def _lines_after(self, mark: Mark, indent: str, keys: list[str], value: Leaf) -> _Splice:
        """Write `key: value` on a line of its own below the last line of a mark; missing mappings get lines too."""
        index = self.starts[mark.end_line]
        newline = "\r\n" if "\r\n" in self.text else "\n"
        lines = [f"{indent}{'  ' * depth}{scalar(key)}:" for depth, key in enumerate(keys)]
        block = newline.join(lines) + f" {_written(value, quotes='', flow=False)}"
        at_end = not self.text[:index].endswith("\n")  # the last line of the file has no end: neither has the new one
        return _Splice(index, index, f"{newline}{block}" if at_end else f"{block}{newline}")

    # A key that goes.

    def _removed(self) -> _Splice:
        above, key, mark = self.loc[:-1], self.document.keys[self.loc], self.document.values[self.loc]
        start, _ = self._span(key)
        end = max(self._span(mark)[1], self._span(key)[1])
        siblings = list(_at(self.document.tree, above))
        if self._in_flow(self.loc):
            return self._out_of_flow(siblings, start, end)
        if len(siblings) == 1:
            self._keep_comments(start, end)
            return _Splice(start, end, "{}")
        line = self.starts[key.line - 1]
        if self.text[line:start].strip():
            self._refuse("it stands on one line with something else")
        after = self.starts[max(mark.end_line, key.line)]
        if not self.text[:after].endswith("\n"):  # the last line of a file without an end
            line = len(self.text[:line].removesuffix("\n").removesuffix("\r"))
        return _Splice(line, after, "")

    def _out_of_flow(self, siblings: list[str], start: int, end: int) -> _Splice:
        place = siblings.index(str(self.loc[-1]))
        above = self.loc[:-1]
        if place > 0:
            start = self._span(self.document.values[(*above, siblings[place - 1])])[1]
        elif len(siblings) > 1:
            end = self._span(self.document.keys[(*above, siblings[1])])[0]
        self._keep_comments(start, end)
        return _Splice(start, end, "")

    # What they share.

    def _span(self, mark: Mark) -> tuple[int, int]:
        return self.starts[mark.line - 1] + mark.column - 1, self.starts[mark.end_line - 1] + mark.end_column - 1

    def _indent(self, loc: Loc) -> str:
        return " " * (self.document.keys[loc].column - 1)

    def _quotes(self, mark: Mark) -> str:
        """Return the quotes that a key or value wears, or nothing."""
        start = self._span(mark)[0]
        char = self.text[start : start + 1]
        return char if char in ('"', "'") else ""

    def _spaced(self, index: int) -> str:
        return "" if self.text[index - 1] == " " else " "

    def _in_flow(self, loc: Loc) -> bool:
        """Say whether a value stands in brackets or braces, where a comma ends it."""
        marks = (self.document.values[loc[:length]] for length in range(len(loc)))
        return any(self.text[self._span(mark)[0]] in "{[" for mark in marks)

    def _keep_comments(self, start: int, end: int) -> None:
        for comment in self.document.comments:
            if start <= self._span(comment.mark)[0] < end:
                self._refuse("a comment stands in it")

    def _refuse(self, why: str) -> NoReturn:
        known = next(loc for loc in _upwards(self.loc) if loc in self.document.values)
        raise CannotEdit(self.loc, self.document.values[known].line, why) from None


def _upwards(loc: Loc) -> list[Loc]:
    return [loc[:length] for length in range(len(loc), -1, -1)]


def _at(tree: Any, loc: Loc) -> Any:
    for step in loc:
        tree = tree[step]
    return tree


def _same(one: object, other: object) -> bool:
    """Compare two plain trees by value and type: 1, 1.0 and true are three things here."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _flow(keys: list[str], value: Leaf, *, quotes: str) -> str:
    """Write `key: value` for braces, with braces of its own for each mapping that is missing."""
    names = [_written(key, quotes=quotes, flow=True) for key in keys]
    return ": {".join(names) + f": {_written(value, quotes=quotes, flow=True)}" + "}" * (len(keys) - 1)


def _written(value: Leaf, *, quotes: str, flow: bool) -> str:
    """Write a value on one line, in the quotes that the one before it wore, if it wore some and they will do."""
    text = scalar(value)
    if not isinstance(value, str) or text[0] == quotes:
        return text
    bare = text == value
    if quotes == "'" and "'" not in value and (bare or text == f'"{value}"'):
        return f"'{value}'"
    return f'"{value}"' if bare and (quotes == '"' or (flow and "," in value)) else text
