"""Regular expressions judged: every one of the package, found in its source, and how many steps an attack costs it.

`backtracking` walks the parsed pattern as CPython's engine does and counts its steps, so a slow pattern is a number and
not a time: the same on every machine. `attacks` draws strings from the pattern itself: what each of its repetitions
takes, many times over, and then something that fails.
"""

from __future__ import annotations

import ast
import importlib
import re
import re._constants as sre  # type: ignore[import-untyped]  # the parser that `re` itself uses
import re._parser as parser  # type: ignore[import-untyped]
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

PACKAGE = Path(__file__).parent.parent / "jhecfg"
METHODS = ("compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer")


class Found(NamedTuple):
    """A pattern in the source: where, what, its flags, and whether it is only ever tried at one place of a text."""

    where: str
    pattern: str
    flags: int
    anchored: bool


# --- where they are ---------------------------------------------------------------------------------------------------


def found(known: Mapping[str, tuple[str, ...]]) -> Iterator[Found]:
    """Yield every regular expression of the package. `known` has the patterns that a variable holds, by `file:name`.

    Raises LookupError for an expression whose pattern is neither in the source nor known.
    """
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    uses: dict[tuple[str, str], set[str]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                uses.setdefault(_global(path, node.value.id), set()).add(node.attr.removeprefix("full"))
    for path, tree in trees.items():
        names = {node.value: node.targets[0].id for node in ast.walk(tree)
                 if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)}  # fmt: skip
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _method(node) and node.args:
                once = uses.get(_global(path, names.get(node, "")), set()) == {"match"}
                yield from _of_call(node, path, known, once=once)


def _global(path: Path, name: str) -> tuple[str, str]:
    """Return a name as the package knows it: one that begins with `_` is its module's own."""
    return (str(path) if name.startswith("_") else "", name)


def _method(node: ast.Call) -> str:
    called = node.func
    if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "re":
        return called.attr if called.attr in METHODS else ""
    return ""


def _of_call(node: ast.Call, path: Path, known: Mapping[str, tuple[str, ...]], *, once: bool) -> Iterator[Found]:
    name = path.relative_to(PACKAGE.parent).as_posix()
    argument, method = node.args[0], _method(node)
    flags = next((word.value for word in node.keywords if word.arg == "flags"), None)
    flags = flags if flags is not None or method != "compile" or len(node.args) < 2 else node.args[1]
    key = f"{name}:{ast.unparse(argument)}"
    patterns = known.get(key)
    if patterns is None:
        try:
            patterns = (_value(argument, path),)
        except Exception as error:
            raise LookupError(f"line {node.lineno}: what does this hold? {key}") from error
    anchored = method in ("match", "fullmatch") or (method == "compile" and once)
    for pattern in patterns:
        text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
        ascii_only = re.ASCII if isinstance(pattern, bytes) else 0
        yield Found(f"{name}:{node.lineno}", text, (_value(flags, path) if flags else 0) | ascii_only, anchored)


def _value(node: ast.expr, path: Path) -> Any:
    """Return what an expression of a module is worth, with the names of that module."""
    names: dict[str, Any] = {"re": re}
    if "files" not in path.parts:  # those run elsewhere, and are not to be imported
        module = ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        names |= vars(importlib.import_module(module))
    return eval(compile(ast.Expression(node), str(path), "eval"), names)


# --- the engine, counted ----------------------------------------------------------------------------------------------

Next = Callable[[int], int]
"""What is to be matched from a place on; returns where the match ends, or -1."""


class TooMany(Exception):
    """The steps are more than anybody waits for."""


class Engine:
    """One pattern, compiled into closures that count every character looked at and every way tried."""

    def __init__(self, pattern: str, flags: int, most: int) -> None:
        """Parse the pattern; `most` steps are counted."""
        self.tree = parser.parse(pattern, flags)
        self.flags = self.tree.state.flags
        self.most = most
        self.steps = 0
        self.text = ""
        self.groups: dict[int, tuple[int, int]] = {}
        self._start, self._empty_at = 0, -1
        self._whole = self._sequence(self.tree, self._end, self.flags)

    def spans(self, text: str, *, anchored: bool) -> list[tuple[int, int]]:
        """Return the matches in a text, as `finditer` (or, anchored, `match`) finds them. Raises TooMany."""
        self.text, self.steps = text, 0
        found: list[tuple[int, int]] = []
        start, self._empty_at = 0, -1
        while start <= len(text):
            self.groups, self._start = {}, start
            end = self._whole(start)
            if end >= 0:
                found.append((start, end))
                self._empty_at = end if end == start else -1
            if anchored:
                break
            start = end if end >= 0 else start + 1
        return found

    def _end(self, at: int) -> int:
        # Behind an empty match only one that is not empty may begin at the same place.
        return -1 if at == self._start == self._empty_at else at

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.most:
            raise TooMany

    def _sequence(self, items: Any, then: Next, flags: int) -> Next:
        for op, argument in reversed(list(items)):
            then = self._one(op, argument, then, flags)
        return then

    def _one(self, op: Any, argument: Any, then: Next, flags: int) -> Next:
        test = predicate(op, argument, flags)
        if test is not None:

            def single(at: int) -> int:
                self._step()
                return then(at + 1) if at < len(self.text) and test(self.text[at]) else -1

            return single  # fmt: skip
        return getattr(self, f"_{str(op).lower()}")(argument, then, flags)  # type: ignore[no-any-return]

    def _at(self, where: Any, then: Next, flags: int) -> Next:
        def at_place(at: int) -> int:
            self._step()
            return then(at) if _is_at(where, self.text, at, flags) else -1

        return at_place  # fmt: skip

    def _branch(self, argument: Any, then: Next, flags: int) -> Next:
        ways = [self._sequence(way, then, flags) for way in argument[1]]
        return lambda at: next((end for way in ways if (end := way(at)) >= 0), -1)

    def _subpattern(self, argument: Any, then: Next, flags: int) -> Next:
        group, add, remove, body = argument
        inner = (flags | add) & ~remove
        if group is None:
            return self._sequence(body, then, inner)
        starts: list[int] = []

        def close(at: int) -> int:
            before = self.groups.get(group)
            self.groups[group] = (starts[-1], at)
            end = then(at)
            if end < 0:
                self.groups.pop(group) if before is None else self.groups.__setitem__(group, before)
            return end

        body_then = self._sequence(body, close, inner)

        def opened(at: int) -> int:
            starts.append(at)
            try:
                return body_then(at)
            finally:
                starts.pop()

        return opened  # fmt: skip

    def _groupref(self, group: int, then: Next, flags: int) -> Next:
        def same(at: int) -> int:
            self._step()
            if group not in self.groups:
                return -1
            held = self.text[slice(*self.groups[group])]
            return then(at + len(held)) if self.text.startswith(held, at) else -1

        return same  # fmt: skip

    def _assert(self, argument: Any, then: Next, flags: int, wanted: bool = True) -> Next:
        direction, body = argument
        inner = self._sequence(body, lambda at: at, flags)
        back = body.getwidth()[0] if direction < 0 else 0

        def looks(at: int) -> int:
            self._step()
            holds = at >= back and inner(at - back) >= 0
            return then(at) if holds is wanted else -1

        return looks  # fmt: skip

    def _assert_not(self, argument: Any, then: Next, flags: int) -> Next:
        return self._assert(argument, then, flags, wanted=False)

    def _atomic_group(self, body: Any, then: Next, flags: int) -> Next:
        inner = self._sequence(body, lambda at: at, flags)

        def once(at: int) -> int:
            end = inner(at)
            return then(end) if end >= 0 else -1

        return once  # fmt: skip

    def _possessive_repeat(self, argument: Any, then: Next, flags: int) -> Next:
        return self._atomic_group([(sre.MAX_REPEAT, argument)], then, flags)

    def _min_repeat(self, argument: Any, then: Next, flags: int) -> Next:
        return self._max_repeat(argument, then, flags, lazy=True)

    def _max_repeat(self, argument: Any, then: Next, flags: int, *, lazy: bool = False) -> Next:
        least, most, body = argument
        most = sys.maxsize if most is sre.MAXREPEAT else most
        items = list(body)
        test = predicate(*items[0], flags) if len(items) == 1 else None
        if test is not None:
            return self._of_characters(test, least, most, then, lazy)

        rounds: list[tuple[int, int]] = []  # where each round that is under way began, and how many were before it

        def behind(end: int) -> int:
            at, count = rounds.pop()
            try:
                # A round that took nothing ends it, once there are enough.
                return then(end) if end == at and count >= least else again(end, count + 1)
            finally:
                rounds.append((at, count))

        once = self._sequence(body, behind, flags)

        def one_more(at: int, count: int) -> int:
            rounds.append((at, count))
            try:
                return once(at)
            finally:
                rounds.pop()

        def again(at: int, count: int) -> int:
            self._step()
            if count < least:
                return one_more(at, count)
            if lazy and (end := then(at)) >= 0:
                return end
            more = one_more(at, count) if count < most else -1
            return more if more >= 0 or lazy else then(at)

        return lambda at: again(at, 0)

    def _of_characters(self, test: Callable[[str], bool], least: int, most: int, then: Next, lazy: bool) -> Next:
        def reach(at: int, limit: int) -> int:
            end = at
            while end - at < limit and end < len(self.text) and test(self.text[end]):
                self._step()
                end += 1
            return end

        def greedy(at: int) -> int:
            end = reach(at, most)
            while end - at >= least:
                self._step()
                if (whole := then(end)) >= 0:
                    return whole
                end -= 1
            return -1

        def patient(at: int) -> int:
            end = reach(at, least)
            while end - at >= least:
                self._step()
                if (whole := then(end)) >= 0:
                    return whole
                if end - at >= most or end >= len(self.text) or not test(self.text[end]):
                    return -1
                end += 1
            return -1

        return patient if lazy else greedy


def predicate(op: Any, argument: Any, flags: int) -> Callable[[str], bool] | None:
    """Return whether a part of a pattern takes a character; None for a part that is not one character."""
    if op is sre.ANY:
        return (lambda c: True) if flags & re.DOTALL else (lambda c: c != "\n")
    if op is sre.LITERAL or op is sre.NOT_LITERAL:
        letter, same = chr(argument), op is sre.LITERAL
        if flags & re.IGNORECASE:
            return lambda c: (c.lower() == letter.lower()) is same
        return lambda c: (c == letter) is same
    if op is sre.IN:
        return _one_of(argument, flags)
    return None


def _one_of(items: Any, flags: int) -> Callable[[str], bool]:
    negate = items[0][0] is sre.NEGATE
    tests = [_item(*each, flags) for each in items if each[0] is not sre.NEGATE]
    fold = bool(flags & re.IGNORECASE)

    @cache
    def member(c: str) -> bool:
        forms = (c, c.lower(), c.upper()) if fold else (c,)
        return any(test(form) for test in tests for form in forms) is not negate

    return member


def _item(op: Any, argument: Any, flags: int) -> Callable[[str], bool]:
    if op is sre.RANGE:
        low, high = argument
        return lambda c: low <= ord(c) <= high
    if op is sre.LITERAL:
        return lambda c: ord(c) == argument
    ascii_only = bool(flags & re.ASCII)
    kind, wanted = str(argument).removeprefix("CATEGORY_"), "NOT_" not in str(argument)
    of = {"SPACE": str.isspace, "DIGIT": str.isdecimal, "WORD": lambda c: c.isalnum() or c == "_"}[
        kind.removeprefix("NOT_")
    ]
    return lambda c: (of(c) and (c.isascii() or not ascii_only)) is wanted


def _is_at(where: Any, text: str, at: int, flags: int) -> bool:
    lines = bool(flags & re.MULTILINE)
    if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
        return at == 0 or (lines and where is sre.AT_BEGINNING and text[at - 1] == "\n")
    if where is sre.AT_END_STRING:
        return at == len(text)
    if where is sre.AT_END:
        return at == len(text) or (text[at] == "\n" and (lines or at == len(text) - 1))
    word = [0 <= place < len(text) and (text[place].isalnum() or text[place] == "_") for place in (at - 1, at)]
    return (word[0] != word[1]) is (where is sre.AT_BOUNDARY)


# --- attacks ----------------------------------------------------------------------------------------------------------

_LETTERS = " \tab0A-_:/.=\"'#[]{}()<>@,;|&\n\r\\~*+?!$%^`é\x00"


@cache
def attacks(pattern: str, flags: int) -> tuple[tuple[str, str, str], ...]:
    """Return attacks as (prefix, what is repeated, suffix), drawn from the repetitions of the pattern."""
    tree = parser.parse(pattern, flags)
    whole, pumps = _samples(tree, flags, 1), dict.fromkeys(_pumps(tree, flags))
    prefixes = dict.fromkeys(("", *(text[: len(text) * part // 4] for text in whole for part in (1, 2, 3, 4))))
    pumps |= dict.fromkeys(text for text in (*whole, *prefixes) if 0 < len(text) < 24)
    pairs = [a + b for a, b in product(list(pumps)[:4], repeat=2) if a != b]
    return tuple(
        (prefix, pump, suffix) for pump in (*pumps, *pairs) for prefix in list(prefixes)[:4] for suffix in ("", "\x00")
    )


def _pumps(items: Any, flags: int) -> Iterator[str]:
    for op, argument in items:
        if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            yield from _samples(argument[2], flags, 3)
        for inner in _inside(op, argument):
            yield from _pumps(inner, flags)


def _inside(op: Any, argument: Any) -> tuple[Any, ...]:
    if op is sre.BRANCH:
        return tuple(argument[1])
    if op is sre.SUBPATTERN:
        return (argument[3],)
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        return (argument[2],)
    if op in (sre.ASSERT, sre.ASSERT_NOT):
        return (argument[1],)
    return (argument,) if op is sre.ATOMIC_GROUP else ()


def _samples(items: Any, flags: int, rounds: int) -> tuple[str, ...]:
    """Return a few texts that a pattern takes, its repetitions taken a few times."""
    texts = [""]
    for op, argument in items:
        texts = [a + b for a in texts[:3] for b in _of_part(op, argument, flags, rounds)[:3]]
    return tuple(dict.fromkeys(texts))


def _of_part(op: Any, argument: Any, flags: int, rounds: int) -> list[str]:
    test = predicate(op, argument, flags)
    if test is not None:
        letters = [chr(argument)] if op is sre.LITERAL else _taken(argument) if op is sre.IN else []
        return [c for c in dict.fromkeys((*letters, *_LETTERS)) if test(c)][:3]
    if op is sre.BRANCH:
        return [text for way in argument[1] for text in _samples(way, flags, rounds)[:1]]
    if op is sre.SUBPATTERN:
        return list(_samples(argument[3], (flags | argument[1]) & ~argument[2], rounds))
    if op in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
        inner = _samples(argument[2], flags, rounds)
        return [text * min(max(argument[0], rounds), 40 if argument[0] > rounds else rounds) for text in inner]
    return list(_samples(argument, flags, rounds)) if op is sre.ATOMIC_GROUP else [""]


def _taken(items: Any) -> list[str]:
    return [chr(each[0] if op is sre.RANGE else each) for op, each in items if op in (sre.RANGE, sre.LITERAL)]


# --- the verdict ------------------------------------------------------------------------------------------------------


class Verdict(NamedTuple):
    """The worst attack: how steps grow when it doubles (2 is linear, 4 quadratic), and its steps for each character."""

    growth: float
    dense: float
    attack: tuple[str, str, str]


def judge(pattern: str, flags: int, *, anchored: bool, size: int = 128, most: int = 60_000) -> Verdict:
    """Try every attack at two lengths; return the worst. What cannot be counted to the end grows without bound."""
    engine = Engine(pattern, flags, most)
    worst = Verdict(0, 0, ("", "", ""))
    for prefix, pump, suffix in attacks(pattern, flags):
        counts = []
        for length in (size, 2 * size):
            text = prefix + pump * (length // len(pump) if pump else 0) + suffix
            try:
                engine.spans(text, anchored=anchored)
            except (TooMany, RecursionError):
                engine.steps = 1 << 60
            counts.append(engine.steps)
            if not 4 * len(text) < engine.steps < 1 << 60:
                break  # whatever it does with more of this, it is not slow yet
        growth = float("inf") if counts[-1] == 1 << 60 else counts[-1] / max(1, counts[0])
        grown = Verdict(growth, counts[-1] / max(1, len(text)), (prefix, pump, suffix))
        worst = max(worst, grown)
        if growth == float("inf"):
            break
    return worst
