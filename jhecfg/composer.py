"""Composer: the events of a YAML text become a tree that knows its places, with every limit held on the way."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from jhecfg.diagnostics import Loc, ToolError
from jhecfg.leaks import secret_key
from jhecfg.marks import (
    AFTER_COLON,
    AFTER_DASH,
    CRAMPED,
    CRAMPED_ITEM,
    FORBIDDEN,
    START,
    Limits,
    Mark,
    Page,
    letter,
    shown,
)
from jhecfg.scalars import BadNumber, Plain, Scalar, Unclear, plain

if TYPE_CHECKING:
    from yaml._yaml import CParser
    from yaml.events import Event


class _Point(Protocol):
    """A place in libyaml's terms: from 0."""

    index: int
    line: int
    column: int


class _Event(Protocol):
    """What libyaml's events carry, each kind some of it. The stubs take marks for optional; here they never are."""

    start_mark: _Point
    end_mark: _Point
    anchor: str
    tag: str | None
    value: str
    style: str | None
    implicit: tuple[bool, bool]
    version: tuple[int, int] | None
    tags: dict[str, str] | None


_ANCHOR = re.compile(r"&[A-Za-z0-9_-]++(?:[ \t\n]++|#[^\n]*+)*+")
_TYPOGRAPHIC = frozenset("\u201c\u201d\u201e\u2018\u2019\u201a\u00ab\u2039")
_NAME = re.compile(r"[&*][A-Za-z0-9_-]++(?![^ \t\n,\]}])")


class _Frame:
    """A mapping or list that is open."""

    __slots__ = ("anchor", "key", "loc", "mark", "nodes", "size", "value")

    def __init__(
        self, value: dict[str, Any] | list[Any], loc: Loc, mark: Mark, anchor: str | None, nodes: int, size: int
    ) -> None:
        self.value = value
        self.loc = loc
        self.mark = mark
        self.anchor = anchor
        self.key: str | None = None  # of a mapping: read, and waiting for its value
        self.nodes = nodes  # the counts before it, to know its own when it closes
        self.size = size

    @property
    def wants_key(self) -> bool:
        return self.key is None and type(self.value) is dict


class _Anchor(NamedTuple):
    """A finished node that aliases may use, and what one use costs."""

    value: Plain
    nodes: int
    size: int


class Composer:
    """Reads the events of one page. After `run`: `root`, `keys`, `values`, and `spans` (the scalars, as indices).

    `run` raises `Stop` where a limit is exceeded or nothing sensible can follow, and libyaml's `YAMLError`; problems
    that need not stop the reading are collected by the page.
    """

    def __init__(self, page: Page, limits: Limits) -> None:
        """Take the text and what it may hold."""
        self.page = page
        self.limits = limits
        self.root: Plain = None
        self.keys: dict[Loc, Mark] = {}
        self.values: dict[Loc, Mark] = {}
        self.spans: list[tuple[int, int]] = []
        self.foreign = False  # tags or directives were seen: what is between the scalars is no longer plain syntax
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchor | None] = {}  # None while the node is still open
        self._nodes = 0
        self._size = 0
        self._documents = 0

    def run(self) -> None:
        """Read all events."""
        from yaml import events

        handlers: dict[type[Event], Callable[[Any], None]] = {
            events.ScalarEvent: self._scalar,
            events.MappingStartEvent: self._mapping,
            events.SequenceStartEvent: self._sequence,
            events.MappingEndEvent: self._close,
            events.SequenceEndEvent: self._close,
            events.AliasEvent: self._alias,
            events.DocumentStartEvent: self._document,
        }
        get = _parser(self.page.text).get_event
        while (event := get()) is not None:
            handler = handlers.get(type(event))
            if handler is not None:
                handler(event)

    # One method for each kind of event.

    def _document(self, event: _Event) -> None:
        self._documents += 1
        if self._documents > 1:
            hint = "write one document in a file; drop this `---`"
            self.page.stop("yaml-many-documents", "there is a second document in this file", _mark(event), hint=hint)
        if event.version or event.tags:
            self.foreign = True
            hint = "delete the line: values that YAML 1.1 and 1.2 read differently are refused anyway"
            self.page.add("yaml-directive", "a YAML directive is not allowed", START, hint=hint)

    def _scalar(self, event: _Event) -> None:
        text = event.value
        if len(text) > self.limits.scalar:
            problem = f"a value is longer than {self.limits.scalar:,} characters"
            self.page.stop("yaml-long-scalar", problem, _mark(event))
        mark = self._scalar_mark(event)
        self._count(1, len(text), mark)
        if event.style == '"':  # only there are escapes
            self._characters(text, mark)
        if event.tag is not None:
            self._tag(mark)
        unquoted = event.implicit[0] and event.tag is None
        frame = self._stack[-1] if self._stack else None
        if frame is not None and frame.wants_key:
            self._key(frame, text, mark, event, unquoted=unquoted)
            return
        value = self._plain(text, mark, frame) if unquoted else text
        self._put(value, mark)
        if event.anchor:
            self._anchor(event, mark)
            self._anchors[event.anchor] = _Anchor(value, 1, len(text))

    def _key(self, frame: _Frame, text: str, mark: Mark, event: _Event, *, unquoted: bool) -> None:
        if len(text) > self.limits.key:
            self.page.stop("yaml-long-scalar", f"a key is longer than {self.limits.key} characters", mark)
        if event.anchor:
            hint = "put the anchor before the value"
            self.page.stop("yaml-alias", "a key cannot carry an anchor", _mark(event), hint=hint)
        frame.key = text
        loc = (*frame.loc, text)
        first = self.keys[loc] if text in frame.value else None
        if first is None:  # a second mapping of that name has keys of its own: one cause, one error
            self.keys[loc] = mark
        if unquoted and text == "<<":
            hint = "write the keys out, or put what sites share into a base file and name it with `extends`"
            self.page.add("yaml-merge-key", "merge keys are not allowed", mark, hint=hint)
        elif first is not None:
            problem, hint = f"the key {shown(text) or 'here'} is already in this mapping", "delete one of them"
            self.page.add(
                "duplicate-key", problem, mark, "used again here", hint=hint, related=((first, "first used here"),)
            )
        elif unquoted and not isinstance(self._plain(text, mark, None), str):
            self.page.add("yaml-key-not-text", "a key must be text", mark, hint=_quote(text))

    def _mapping(self, event: _Event) -> None:
        self._open(event, {})

    def _sequence(self, event: _Event) -> None:
        self._open(event, [])

    def _open(self, event: _Event, value: dict[str, Any] | list[Any]) -> None:
        if self._stack and self._stack[-1].wants_key:
            hint = "is this an unquoted {{ template }}? put quotes around it"
            self.page.stop("yaml-key-not-text", "a key must be text, not a list or a mapping", _mark(event), hint=hint)
        self._deep(len(self._stack), _mark(event))
        mark = self._start_mark(event)
        if event.tag is not None:
            self._tag(mark)
        if event.anchor:
            self._anchor(event, mark)
        frame = _Frame(value, self._put(value, mark), mark, event.anchor, self._nodes, self._size)
        self._count(1, 0, mark)
        self._stack.append(frame)

    def _close(self, event: _Event) -> None:
        frame = self._stack.pop()
        end, mark = event.end_mark, frame.mark
        if end.index > event.start_mark.index:  # a bracket or brace
            self.values[frame.loc] = Mark(mark.line, mark.column, end.line + 1, end.column + 1)
        elif frame.value:  # a block has no end of its own: it ends where its last value ends
            last = next(reversed(frame.value)) if isinstance(frame.value, dict) else len(frame.value) - 1
            inner = self.values[(*frame.loc, last)]
            self.values[frame.loc] = Mark(mark.line, mark.column, inner.end_line, inner.end_column)
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchor(frame.value, self._nodes - frame.nodes, self._size - frame.size)

    def _alias(self, event: _Event) -> None:
        mark, name = _mark(event), shown(event.anchor) or "of this name"
        self._named(event)
        if event.anchor not in self._anchors:
            self.page.stop("yaml-alias", f"no anchor {name} stands above this alias", mark)
        anchor = self._anchors[event.anchor]
        if anchor is None:
            self.page.stop("yaml-alias", f"the alias {name} stands inside the value that it names", mark)
        if self._stack[-1].wants_key:
            self.page.stop("yaml-key-not-text", "a key must be text, not an alias", mark)
        self._count(anchor.nodes, anchor.size, mark)
        frame = self._stack[-1]
        step = len(frame.value) if isinstance(frame.value, list) else frame.key or ""
        self._put(self._copy(anchor.value, (*frame.loc, step), mark), mark)

    # What they share.

    def _put(self, value: Plain, mark: Mark) -> Loc:
        """Hang a value into the mapping or list that is open; return where that is."""
        loc: Loc
        if not self._stack:
            self.root, loc = value, ()
        else:
            frame = self._stack[-1]
            if isinstance(frame.value, list):
                loc = (*frame.loc, len(frame.value))
                frame.value.append(value)
            else:
                key = frame.key or ""
                loc = (*frame.loc, key)
                frame.value[key] = value
                frame.key = None
        self.values[loc] = mark
        return loc

    def _copy(self, value: Plain, loc: Loc, mark: Mark) -> Plain:
        """Give every use of an anchor a tree of its own, every part of it at the alias."""
        self.values[loc] = mark
        if not isinstance(value, dict | list):
            return value
        self._deep(len(loc), mark)
        if isinstance(value, list):
            return [self._copy(item, (*loc, index), mark) for index, item in enumerate(value)]
        self.keys.update(((*loc, key), mark) for key in value)
        return {key: self._copy(item, (*loc, key), mark) for key, item in value.items()}

    def _deep(self, depth: int, mark: Mark) -> None:
        if depth >= self.limits.depth:
            self.page.stop("yaml-too-deep", f"values are nested more than {self.limits.depth} levels deep", mark)

    def _count(self, nodes: int, size: int, mark: Mark) -> None:
        self._nodes += nodes
        self._size += size
        if self._nodes > self.limits.nodes:
            problem = f"there are more than {self.limits.nodes:,} values, aliases counted as often as they are used"
            self.page.stop("yaml-too-many-values", problem, mark)
        if self._size > self.limits.bytes:
            self.page.stop("yaml-too-large", f"aliases expand to more than {self.limits.bytes:,} characters", mark)

    def _characters(self, text: str, mark: Mark) -> None:
        bad = FORBIDDEN.search(text)
        if bad:
            problem = f"the character U+{ord(bad[0]):04X} is not allowed, escaped or not"
            self.page.add("yaml-forbidden-character", problem, mark)

    def _anchor(self, event: _Event, mark: Mark) -> None:
        self._named(event)
        if event.anchor in self._anchors:
            self.page.stop("yaml-alias", f"the anchor {shown(event.anchor) or 'here'} is defined twice", mark)
        self._anchors[event.anchor] = None

    def _tag(self, mark: Mark) -> None:
        self.foreign = True
        hint = "delete the tag: quotes make text; without them come numbers, true and false"
        self.page.add("yaml-tag", "a YAML tag is not allowed", mark, hint=hint)

    def _plain(self, text: str, mark: Mark, frame: _Frame | None) -> Scalar:
        """Return the value of an unquoted scalar; what is refused counts as text, so that reading can go on."""
        if mark.line != mark.end_line:
            hint = "put quotes around it, or start it with `|` or `>`; or is the next line indented too far?"
            if CRAMPED_ITEM.match(self.page.lines[mark.line - 1]):
                hint = AFTER_DASH
            elif CRAMPED.match(text):
                hint = AFTER_COLON
            self.page.add("yaml-multiline-plain", "unquoted text goes on in the next line", mark, hint=hint)
            return text
        if "\t" in text:
            self.page.tab(mark.line, mark.column + text.index("\t"))
        if text[:1] in _TYPOGRAPHIC:
            hint = "write straight quotes, or none"
            self.page.add("yaml-typographic-quotes", "these quotes are letters to YAML", mark, hint=hint)
        try:
            return plain(text, self.limits.digits)
        except Unclear as unclear:
            self._unclear(text, unclear, mark, frame)
        except BadNumber as bad:
            self.page.add("yaml-number", f"this number {bad}", mark, hint="put quotes around it if it is meant as text")
        return text

    def _unclear(self, text: str, unclear: Unclear, mark: Mark, frame: _Frame | None) -> None:
        name = None if frame is not None and _under_secret(frame) else shown(text)
        hint = _quote(text if name else "")
        if unclear.old == "true or false":
            hint = f"write true or false, or {hint}"
        elif "number" in str(unclear):
            hint += ", or write it as a plain decimal number"
        problem = f"{name or 'this value'} means different things to different YAML readers"
        self.page.add("yaml-ambiguous-scalar", problem, mark, str(unclear), hint=hint)

    # Places.

    def _scalar_mark(self, event: _Event) -> Mark:
        """Return the place of a scalar's own text: after its anchor, without the empty lines below a literal block."""
        begin, stop = event.start_mark.index, event.end_mark.index
        mark = _mark(event)
        if event.anchor:
            begin = min(self._after_anchor(begin), stop)
            mark = Mark(*self.page.at(begin), mark.end_line, mark.end_column)
        if event.style in ("|", ">"):
            text = self.page.text
            stop = begin + len(text[begin:stop].rstrip())
            mark = Mark(mark.line, mark.column, *self.page.at(stop))
            begin = min(text.find("\n", begin), stop)  # its first line may hold a comment
        self.spans.append((begin, stop))
        return mark

    def _start_mark(self, event: _Event) -> Mark:
        """Return where a mapping or list begins: after its anchor. Its end is known when it closes."""
        if not event.anchor:
            return _mark(event)
        return letter(*self.page.at(self._after_anchor(event.start_mark.index)))

    def _after_anchor(self, index: int) -> int:
        match = _ANCHOR.match(self.page.text, index)
        return match.end() if match else index

    def _named(self, event: _Event) -> None:
        """Refuse `&name?` and `*name:`: libyaml ends the name there, other readers do not."""
        index = event.start_mark.index
        if self.page.text[index] in "&*" and not _NAME.match(self.page.text, index):
            hint = "use letters, digits, `-` and `_`, and a space after them"
            self.page.stop("yaml-alias", "the name of an anchor goes on with other characters", _mark(event), hint=hint)


def _parser(text: str) -> CParser:
    try:
        from yaml._yaml import CParser
    except ImportError:
        raise ToolError(
            "PyYAML was built without libyaml: install its wheel with "
            "`pip install --force-reinstall --only-binary :all: PyYAML`"
        ) from None
    return CParser(text)


def _mark(event: _Event) -> Mark:
    start, end = event.start_mark, event.end_mark
    return Mark(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _quote(text: str) -> str:
    return f'put quotes around it: "{text}"' if shown(text) else "put quotes around it"


def _under_secret(frame: _Frame) -> bool:
    names = (*frame.loc, frame.key or "")
    return any(isinstance(name, str) and secret_key(name) for name in names)
