"""Edit: one change of one text: where it stands, what takes its place, and whether that means what it should."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import Any, NamedTuple, NoReturn

from jhecfg.diagnostics import Loc, SpecError
from jhecfg.edit.changes import Removed
from jhecfg.edit.writing import Style, entry, inline, item, pair
from jhecfg.emit import NotPlain
from jhecfg.marks import Mark
from jhecfg.reader import Document, read
from jhecfg.scalars import Plain

_BOM = b"\xef\xbb\xbf"


class CannotEdit(Exception):
    """This change is a person's: `loc` is what was to change, `line` where it stands, from 1. Holds no value."""

    def __init__(self, loc: Loc, line: int, why: str) -> None:
        """Take the place, and why."""
        super().__init__(f"cannot change {'.'.join(map(str, loc)) or 'this file'}: {why}; edit it by hand")
        self.loc = loc
        self.line = line


class _Splice(NamedTuple):
    """Text to stand in the place of other text, by its indices."""

    start: int
    end: int
    text: str


class Edit:
    """One change of one text. Marks count in the reader's text, which has the same lines and columns as the file's."""

    def __init__(self, data: bytes, name: str, loc: Loc) -> None:
        """Read the text. Raises `SpecError`."""
        self.data = data
        self.name = name
        self.loc = loc
        self.document: Document = read(data, name)
        self.text = data.removeprefix(_BOM).decode()
        self.newline = "\r\n" if "\r\n" in self.text else "\n"
        self.starts = [0]  # of each line, and of the one after the last
        for line in self.text.split("\n"):
            self.starts.append(min(self.starts[-1] + len(line) + 1, len(self.text)))

    def run(self, value: Plain | Removed) -> bytes:
        """Return the file's bytes after the change, which is checked to mean what it should. Raises `CannotEdit`."""
        wanted = self._wanted(value)
        if same(wanted, self.document.tree):
            return self.data
        splice = self._splice(value)
        text = self.text[: splice.start] + splice.text + self.text[splice.end :]
        result = self.data[: len(self.data) - len(self.data.removeprefix(_BOM))] + text.encode()
        try:
            tree = read(result, self.name).tree
        except SpecError:
            self._refuse("the line would no longer be readable")
        if not same(tree, wanted):
            self._refuse("more would change than this (is there an anchor or an alias?)")
        return result

    def _wanted(self, value: Plain | Removed) -> dict[str, Any]:
        """Return the tree that the change should give."""
        tree = copy.deepcopy(self.document.tree)
        here: Any = tree
        for step, below in zip(self.loc, self.loc[1:], strict=False):
            if _is_free(here, step) or (_has(here, step) and here[step] is None):
                _put(here, step, [] if isinstance(below, int) else {})
            here = self._inside(here, step)
        last = self.loc[-1]
        if not isinstance(value, Removed) and _is_free(here, last):
            _put(here, last, value)
        elif isinstance(value, Removed):
            self._inside(here, last)
            del here[last]
        else:
            self._inside(here, last)
            here[last] = value
        return tree

    def _inside(self, value: Any, step: str | int) -> Any:
        return value[step] if _has(value, step) else self._refuse(f"nothing is called {step!r} there")

    def _splice(self, value: Plain | Removed) -> _Splice:
        if isinstance(value, Removed):
            return self._removed()
        at, value = self._first_missing(value)
        try:
            if at in self.document.values:
                return self._set(at, value)
            return self._key_added(at, value) if isinstance(at[-1], str) else self._item_added(at, value)
        except NotPlain as problem:
            self._refuse(problem.problem)

    def _first_missing(self, value: Plain) -> tuple[Loc, Plain]:
        """Return the first place on the way that is missing or empty, and all that is to stand there."""
        for length in range(1, len(self.loc)):
            above = self.loc[:length]
            if above not in self.document.values or _at(self.document.tree, above) is None:
                for step in reversed(self.loc[length:]):
                    value = [value] if isinstance(step, int) else {step: value}
                return above, value
        return self.loc, value

    # A value in the place of another.

    def _set(self, at: Loc, value: Plain) -> _Splice:
        mark = self.document.values[at]
        start, end = self._span(mark)
        if isinstance(_at(self.document.tree, at), dict | list) and self.text[start] not in "{[":
            self._refuse("it holds more than one value")
        if value and start == end and at in self.document.keys and not self._in_flow(at):
            pad = self._indent(at)
            _, *lines = entry(str(at[-1]), value, pad, self._style())
            if lines:
                return self._lines_below(self.document.keys[at], pad, lines)
        self._keep_comments(start, end)
        flow = self._in_flow(at) or isinstance(value, dict | list)
        text = inline(value, quotes=self._quotes(mark), flow=flow)
        return _Splice(start, end, text if start < end else self._spaced(start) + text)

    # A key or an item that is not there yet.

    def _key_added(self, at: Loc, value: Plain) -> _Splice:
        above, key = at[:-1], str(at[-1])
        inside, mark = _at(self.document.tree, above), self.document.values[above]
        first = (*above, next(iter(inside), ""))
        if self.text[self._span(mark)[0]] != "{":
            pad = self._indent(first)
            return self._lines_below(mark, pad, entry(key, value, pad, self._style()))
        if not inside:
            return self._first_in(above, pair(key, value, self._quotes_around(above)))
        last = self.document.values[(*above, next(reversed(inside)))]
        return self._next_to(last, pair(key, value, self._quotes(self.document.keys[first])))

    def _item_added(self, at: Loc, value: Plain) -> _Splice:
        above, count = at[:-1], int(at[-1])
        mark = self.document.values[above]
        in_flow = self.text[self._span(mark)[0]] == "["
        if count == 0:
            return self._first_in(above, inline(value, quotes=self._quotes_around(above)))
        last = self.document.values[(*above, count - 1)]
        if in_flow:
            return self._next_to(last, inline(value, quotes=self._quotes_in((*above, count - 1))))
        pad = " " * (mark.column - 1)
        gap = min(max(last.column - mark.column - 1, 1), 3)
        style = self._style()._replace(gap=gap)
        if self.text[self._span(last)[0] : self._span(last)[1]][:1] in ("{", "["):
            return self._lines_below(last, pad, [f"{pad}-{' ' * gap}{inline(value, quotes=self._quotes_in(at))}"])
        return self._lines_below(last, pad, item(value, pad, style))

    def _first_in(self, above: Loc, text: str) -> _Splice:
        start = self._span(self.document.values[above])[0] + 1
        return _Splice(start, start, text)

    def _next_to(self, last: Mark, text: str) -> _Splice:
        end = self._span(last)[1]
        return _Splice(end, end, f", {text}")

    def _lines_below(self, mark: Mark, pad: str, lines: Iterable[str]) -> _Splice:
        """Write lines below the last line of a mark and the comments that belong to it."""
        index = self.starts[self._last_line(mark.end_line, len(pad))]
        block = self.newline.join(lines)
        at_end = not self.text[:index].endswith("\n")  # the last line of the file has no end: neither has the new one
        return _Splice(index, index, f"{self.newline}{block}" if at_end else f"{block}{self.newline}")

    # A key or an item that goes.

    def _removed(self) -> _Splice:
        above, value = self.loc[:-1], self.document.values[self.loc]
        inside = _at(self.document.tree, above)
        start, line = self._begin()
        end, last_line = max(self._span(value)[1], start), max(value.end_line, line)
        if (key := self.document.keys.get(self.loc)) is not None:
            end = max(end, self._span(key)[1])
        if self._in_flow(self.loc):
            return self._out_of_flow(list(inside) if isinstance(inside, dict) else list(range(len(inside))), start, end)
        if len(inside) == 1:
            self._keep_comments(start, end)
            return _Splice(start, end, "{}" if isinstance(inside, dict) else "[]")
        head = self.starts[line - 1]
        if self.text[head:start].strip():
            self._refuse("it stands on one line with something else")
        after = self.starts[self._last_line(last_line, start - head)]
        if not self.text[:after].endswith("\n"):  # the last line of a file without an end
            head = len(self.text[:head].removesuffix("\n").removesuffix("\r"))
        return _Splice(head, after, "")

    def _begin(self) -> tuple[int, int]:
        """Return the index where an entry begins (its key, its dash, in brackets the value itself), and its line."""
        mark = self.document.keys.get(self.loc) or self.document.values[self.loc]
        if isinstance(self.loc[-1], str) or self._in_flow(self.loc):
            return self._span(mark)[0], mark.line
        column = self.document.values[self.loc[:-1]].column
        dashes = ((self.starts[line - 1] + column - 1, line) for line in range(mark.line, 0, -1))
        found = next(((i, line) for i, line in dashes if i < self.starts[line] and self.text[i] == "-"), None)
        return found or self._refuse("it is not where it seems to be (is there an alias?)")

    def _out_of_flow(self, siblings: list[str | int], start: int, end: int) -> _Splice:
        place = siblings.index(self.loc[-1])
        above = self.loc[:-1]
        if place > 0:
            start = self._span(self.document.values[(*above, siblings[place - 1])])[1]
        elif len(siblings) > 1:
            following = (*above, siblings[1])
            end = self._span(self.document.keys.get(following) or self.document.values[following])[0]
        self._keep_comments(start, end)
        return _Splice(start, end, "")

    # What they share.

    def _span(self, mark: Mark) -> tuple[int, int]:
        return self.starts[mark.line - 1] + mark.column - 1, self.starts[mark.end_line - 1] + mark.end_column - 1

    def _indent(self, loc: Loc) -> str:
        return " " * (self.document.keys[loc].column - 1)

    def _last_line(self, line: int, indent: int) -> int:
        """Return the last line of what ends at a line: of the comments below that are indented deeper than it."""
        deeper = {
            comment.line
            for comment in self.document.comments
            if comment.column > indent + 1 and not self.document.lines[comment.line - 1][: comment.column - 1].strip()
        }
        while line + 1 in deeper:
            line += 1
        return line

    def _style(self) -> Style:
        """Return how the file indents: as its first mapping and its first list on lines of their own."""
        found: dict[type, int] = {}
        for loc, key in self.document.keys.items():
            mark, inside = self.document.values[loc], _at(self.document.tree, loc)
            if isinstance(inside, dict | list) and inside and mark.line > key.line and mark.column >= key.column:
                found.setdefault(type(inside), mark.column - key.column)
        return Style(step=found.get(dict, 2), dash=found.get(list, 2))

    def _quotes(self, mark: Mark) -> str:
        """Return the quotes that a key or value wears, or nothing."""
        start = self._span(mark)[0]
        char = self.text[start : start + 1]
        return char if char in ('"', "'") else ""

    def _quotes_in(self, loc: Loc) -> str:
        """Return the quotes of an item: its own, or those of its first key."""
        inside = _at(self.document.tree, loc) if loc in self.document.values else None
        if isinstance(inside, dict) and inside:
            return self._quotes(self.document.keys[(*loc, next(iter(inside)))])
        return self._quotes(self.document.values[loc]) if loc in self.document.values else ""

    def _quotes_around(self, above: Loc) -> str:
        """Return the quotes of the key of an empty mapping or list: in JSON all keys wear them."""
        key = self.document.keys.get(above)
        return self._quotes(key) if key is not None else ""

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


def same(one: object, other: object) -> bool:
    """Compare two plain trees by value and type: 1, 1.0 and true are three things here."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _has(value: Any, step: str | int) -> bool:
    if isinstance(step, str):
        return isinstance(value, dict) and step in value
    return isinstance(value, list) and 0 <= step < len(value)


def _is_free(value: Any, step: str | int) -> bool:
    """Say whether something new can stand there: under a key that is not used, behind the last item."""
    if isinstance(step, str):
        return isinstance(value, dict) and step not in value
    return isinstance(value, list) and step == len(value)


def _put(value: Any, step: str | int, item: Any) -> None:
    if isinstance(value, list) and step == len(value):
        value.append(item)
    else:
        value[step] = item


def _upwards(loc: Loc) -> list[Loc]:
    return [loc[:length] for length in range(len(loc), -1, -1)]


def _at(tree: Any, loc: Loc) -> Any:
    for step in loc:
        tree = tree[step]
    return tree
