"""Edits: one value of a spec changes, and no other byte; what cannot be done so is refused."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from jhecfg.diagnostics import Loc, SpecError, ToolError
from jhecfg.edit import REMOVED, CannotEdit, Removed, edited, rewritten, save
from jhecfg.edit.files import create
from jhecfg.reader import read
from jhecfg.scalars import Plain
from jhecfg.scalars import Scalar as Leaf
from tests.hostile_strings import hostile_text
from tests.tools import ROOT

SPEC = b"""\
# A site.
site: example   # its name
database:
  # the real one
  host: "db.example.org" # from the stack
  port:   5432
ingress:
gitops: {engine: flux, path: 'out'}   # by the platform team
patches: []
cluster: {}
note: |
  two
  lines

hubs:
  - name: hub
    domain: hub.example.org
"""


def after(changes: Mapping[Loc, Plain | Removed], data: bytes = SPEC) -> list[tuple[str, str]]:
    """Return the lines that a change takes away and puts in, as (`-` or `+`, line)."""
    from difflib import ndiff

    lines = ndiff(data.decode().splitlines(), edited(data, "spec.yaml", changes).decode().splitlines())
    return [(line[0], line[2:]) for line in lines if line[0] in "+-"]


def refused(loc: Loc, value: Leaf | Removed, data: bytes = SPEC) -> CannotEdit:
    """Return why a change is refused."""
    with pytest.raises(CannotEdit) as caught:
        edited(data, "spec.yaml", {loc: value})
    return caught.value


@pytest.mark.parametrize(
    ("loc", "value", "was", "line"),
    [
        (("site",), "other", "site: example   # its name", "site: other   # its name"),
        (("site",), "1.36", "site: example   # its name", 'site: "1.36"   # its name'),
        (("database", "host"), "h", '  host: "db.example.org" # from the stack', '  host: "h" # from the stack'),
        (("database", "port"), 5433, "  port:   5432", "  port:   5433"),
        (("ingress",), None, None, None),
        (
            ("gitops", "path"),
            "no",
            "gitops: {engine: flux, path: 'out'}   # by the platform team",
            "gitops: {engine: flux, path: 'no'}   # by the platform team",
        ),
        (("hubs", 0, "domain"), "h.example.org", "    domain: hub.example.org", "    domain: h.example.org"),
    ],
)
def test_a_value_changes_in_its_place_and_in_its_quotes(
    loc: Loc, value: Leaf, was: str | None, line: str | None
) -> None:
    """Comments, spaces and quotes around it stay; text that a reader could misread gets quotes."""
    assert after({loc: value}) == ([] if was is None else [("-", was), ("+", line)])


@pytest.mark.parametrize(
    ("loc", "value", "lines"),
    [
        (("contact",), "a@example.org", ["contact: a@example.org"]),
        (("database", "name"), "jhe", ["  name: jhe"]),
        (("database", "rds", "vpc", "id"), "vpc-1", ["  rds:", "    vpc:", "      id: vpc-1"]),
        (("ingress", "dns"), "manual", ["  dns: manual"]),
        (("hubs", 0, "deploy"), "external", ["    deploy: external"]),
    ],
)
def test_a_missing_key_gets_a_line_of_its_own(loc: Loc, value: Leaf, lines: list[str]) -> None:
    """It stands below what its mapping holds, indented alike, and mappings on the way are made."""
    assert after({loc: value}) == [("+", line) for line in lines]


def test_in_braces_a_key_is_added_inside_them() -> None:
    """A flow mapping stays on its line, and a comma in text does not end it."""
    changes: dict[Loc, Leaf | Removed] = {
        ("gitops", "repo"): "a, b",
        ("gitops", "x", "z"): True,
        ("cluster", "region"): "r",
    }
    assert [line for sign, line in after(changes) if sign == "+"] == [
        "gitops: {engine: flux, path: 'out', repo: \"a, b\", x: {z: true}}   # by the platform team",
        "cluster: {region: r}",
    ]


def test_json_stays_json() -> None:
    """A spec may be written as JSON; what is added wears the same quotes."""
    data = b'{"site": "a", "database": {"host": "b"}}'
    result = edited(data, "spec.json", {("database", "name"): "jhe", ("site",): "c", ("rds", "x"): 1})
    assert result == b'{"site": "c", "database": {"host": "b", "name": "jhe"}, "rds": {"x": 1}}'


@pytest.mark.parametrize(
    ("loc", "gone"),
    [
        (("site",), ["site: example   # its name"]),
        (("database", "port"), ["  port:   5432"]),
        (("note",), ["note: |", "  two", "  lines"]),
    ],
)
def test_a_key_goes_with_its_lines(loc: Loc, gone: list[str]) -> None:
    """The comment behind a value goes with it; those on lines of their own stay."""
    assert after({loc: REMOVED}) == [("-", line) for line in gone]


def test_a_key_goes_out_of_braces_with_one_comma() -> None:
    """First, last, and the only one, whose braces stay."""
    assert edited(b"a: {b: 1, c: 2}\n", "s", {("a", "b"): REMOVED}) == b"a: {c: 2}\n"
    assert edited(b"a: {b: 1, c: 2}\n", "s", {("a", "c"): REMOVED}) == b"a: {b: 1}\n"
    assert edited(b"a: {b: 1}\n", "s", {("a", "b"): REMOVED}) == b"a: {}\n"
    assert edited(b"a:\n  b: 1\n", "s", {("a", "b"): REMOVED}) == b"a:\n  {}\n"


@pytest.mark.parametrize(
    ("loc", "value", "why"),
    [
        (("database",), "x", "it holds more than one value"),
        (("hubs", 2, "name"), "x", "nothing is called 2 there"),
        (("hubs", 1), REMOVED, "nothing is called 1 there"),
        (("hubs", 0, "name"), REMOVED, "it stands on one line with something else"),
        (("site", "name"), "x", "nothing is called 'name' there"),
        (("nowhere",), REMOVED, "nothing is called 'nowhere' there"),
        (("site",), 2**60, "an int beyond 2^53 loses digits in some readers: pass it as text"),
    ],
)
def test_what_cannot_be_done_is_said(loc: Loc, value: Leaf | Removed, why: str) -> None:
    """The message names the place and the reason, and no value."""
    assert str(refused(loc, value)) == f"cannot change {'.'.join(map(str, loc))}: {why}; edit it by hand"


@pytest.mark.parametrize(
    ("data", "loc", "value", "why"),
    [
        (b"a: &x 1\nb: *x\n", ("a",), 2, "more would change"),
        (b"a: &x {c: 1}\nb: *x\n", ("b", "c"), 2, "more would change"),
        (b"a: &x {c: 1}\nb: *x\n", ("a", "d"), 2, "more would change"),
        (b"a: | # why\n  b\n", ("a",), "c", "a comment stands in it"),
        (b"a: {b: 1, # why\n  c: 2}\n", ("a", "c"), REMOVED, "a comment stands in it"),
        (b"a: |+\n  b\n\n\n", ("c",), 1, "more would change"),
    ],
)
def test_what_would_change_more_than_was_meant_is_refused(
    data: bytes, loc: Loc, value: Leaf | Removed, why: str
) -> None:
    """Aliases carry a change elsewhere, and blocks can swallow a line: the result is read again and compared."""
    assert why in str(refused(loc, value, data))


def test_an_alias_itself_can_give_way_to_a_value() -> None:
    """Where an alias stands alone, it is what is replaced; its anchor stays."""
    assert edited(b"a: &x 1\nb: *x # c\n", "s", {("b",): 2}) == b"a: &x 1\nb: 2 # c\n"


def test_the_line_of_a_refusal_is_the_one_to_look_at() -> None:
    """A person is sent to the place."""
    assert refused(("hubs", 0, "name"), REMOVED).line == 16


def test_a_text_that_cannot_be_read_is_said_as_ever() -> None:
    """The reader's own diagnostics come through."""
    with pytest.raises(SpecError):
        edited(b"a: [", "s", {("a",): 1})


# --- lists and what holds more than one value -------------------------------------------------------------------------

HUB: Plain = {"name": "new", "domain": "new.example.org", "access": {"orgs": ["A", "B, C"]}, "values": {}}


def test_a_new_item_looks_like_the_one_above_it() -> None:
    """In lines below the last one, and in braces where that one stands in braces."""
    assert after({("hubs", 1): HUB}) == [
        ("+", line)
        for line in (
            "  - name: new",
            "    domain: new.example.org",
            "    access:",
            '      orgs: [A, "B, C"]',
            "    values: {}",
        )
    ]
    braces = b"orgs:\n- {name: A, id: 1}   # first\n- {name: 'B', id: 2}\n"
    assert edited(braces, "s", {("orgs", 2): {"name": "C", "id": 3}}) == braces + b"- {name: C, id: 3}\n"
    wide = b"hubs:\n-   name: a\n    env:\n        X: w\n"
    assert edited(wide, "s", {("hubs", 1): {"name": "b", "env": {"X": "z"}}}) == (
        wide + b"-   name: b\n    env:\n        X: z\n"
    )


def test_a_list_that_is_missing_is_made_as_the_file_indents_its_others() -> None:
    """Or with two spaces, where it has none; an empty one is filled between its brackets."""
    assert edited(b"a: 1\n", "s", {("hubs", 0): {"name": "x"}}) == b"a: 1\nhubs:\n  - name: x\n"
    assert edited(b"l:\n- 1\n", "s", {("m", 0): {"k": "x"}}) == b"l:\n- 1\nm:\n- k: x\n"
    assert edited(b"m: []   # none\n", "s", {("m", 0): {"k": "x"}}) == b"m: [{k: x}]   # none\n"
    assert edited(b"m:   # soon\n", "s", {("m", 0): {"k": "x"}}) == b"m:   # soon\n  - k: x\n"


def test_items_in_brackets_come_and_go_with_one_comma() -> None:
    """At either end, and in JSON with JSON's quotes."""
    assert edited(b"a: [1, 2]\n", "s", {("a", 2): 3}) == b"a: [1, 2, 3]\n"
    assert edited(b"a: [1, 2, 3]\n", "s", {("a", 0): REMOVED}) == b"a: [2, 3]\n"
    assert edited(b"a: [1, 2, 3]\n", "s", {("a", 2): REMOVED}) == b"a: [1, 2]\n"
    assert edited(b"a: [1]\n", "s", {("a", 0): REMOVED}) == b"a: []\n"
    assert edited(b'{"a": [], "b": ["x"]}', "s", {("a", 0): {"n": "x"}, ("b", 1): "y"}) == (
        b'{"a": [{"n": "x"}], "b": ["x", "y"]}'
    )


COMMENTED = b"""\
hubs:
  # All of them.
  - name: a   # the first
    domain: a.example.org
    # inside a
    image: {tag: x}
    # env: {A: b}
  # On b.
  - name: b

# The end.
"""


def test_an_item_takes_along_the_comments_that_are_its_own() -> None:
    """Those on and between its lines, and deeper ones right below; one above it, or after an empty line, stays."""
    assert edited(COMMENTED, "s", {("hubs", 0): REMOVED}) == (
        b"hubs:\n  # All of them.\n  # On b.\n  - name: b\n\n# The end.\n"
    )
    assert edited(COMMENTED, "s", {("hubs", 1): REMOVED}) == COMMENTED.replace(b"  - name: b\n", b"")


def test_what_is_added_stands_below_the_comments_of_what_is_above() -> None:
    """A commented-out key of the last item stays that item's."""
    short = COMMENTED[: COMMENTED.index(b"  # On b")]
    assert edited(short, "s", {("hubs", 1): {"name": "c"}}) == short + b"  - name: c\n"


def test_the_last_item_of_a_block_leaves_an_empty_list() -> None:
    """Unless that would cost a comment."""
    assert edited(b"a:\n  - 1\nb: 2\n", "s", {("a", 0): REMOVED}) == b"a:\n  []\nb: 2\n"
    assert "a comment stands in it" in str(refused(("a", 0), REMOVED, b"a:\n  - b: 1\n    # why\n    c: 2\n"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"a: 1 # c\n", b"a: {b: [1, 2]} # c\n"),
        (b"a: {b: 1} # c\n", b"a: x # c\n"),
        (b"a: [ x,  'y' ] # c\n", b"a: [ x,  'y', 'z' ] # c\n"),
        (b"a: [ x,  'y' ] # c\n", b"a: [ x,  'z' ] # c\n"),
        (b"h:\n  - name: a # c\n    d: 1\n    e: 2\n", b"h:\n  - name: b # c\n    d: 1\n    e: 2\n"),
        (b"h:\n  - name: a # c\n  - name: b # d\n", b"h:\n  - name: b # d\n  - name: c\n"),
        (b"a: 1\nb: 2\nc: 3\n", b"b: 4\nc: 3\nd: 5\n"),
    ],
)
def test_a_tree_is_reached_by_the_fewest_changes(old: bytes, new: bytes) -> None:
    """Whoever says only what a spec shall mean gets the same splices as who names each change."""
    assert rewritten(old, "s", read(new, "s").tree) == new


# --- every text, every change -----------------------------------------------------------------------------------------

NAMES = st.sampled_from(["name", "host", "id", "a b", "no", "1", "x-y", "é", "key: odd"])
LEAVES: st.SearchStrategy[Leaf] = st.one_of(
    st.sampled_from(
        ["word", "two words", "a, b", "it's", 'say "x"', "no", "1.36", "0644", "", "é", "\U0001f600", "#x"]
    ),
    st.integers(-(2**53), 2**53),
    st.booleans(),
    st.none(),
    st.sampled_from([0.5, -2.25, 100.0]),
)
TREES = st.recursive(
    LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=4) | st.lists(inner, max_size=3), max_leaves=14
)


@st.composite
def written(draw: st.DrawFn) -> tuple[bytes, dict[str, Any]]:
    """Draw a tree and one of the many ways to write it: blocks, braces, quotes, comments, indents, line ends."""
    tree: dict[str, Any] = draw(st.dictionaries(NAMES, TREES, min_size=1, max_size=4))
    text = "".join(_block(draw, tree, draw(st.sampled_from(["", "", " "]))))
    head = draw(st.sampled_from(["", "# top\n", "---\n", "\n\n"]))
    foot = draw(st.sampled_from(["", "\n", "# end\n", "\n  # far\n"]))
    text = head + text + foot
    if draw(st.booleans()):
        text = text.removesuffix("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    return draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode(), tree


def _comment(draw: st.DrawFn) -> str:
    return draw(st.sampled_from(["", "", "  # why", " # {a: 'b"]))


def _scalar(draw: st.DrawFn, value: Leaf, *, flow: bool) -> str:
    from jhecfg.emit import scalar

    text = scalar(value)
    if isinstance(value, str) and (text == value or text == f'"{value}"'):
        wanted = draw(st.sampled_from(["", '"', "'"]))
        if wanted and wanted not in value:
            return f"{wanted}{value}{wanted}"
        return f'"{value}"' if flow and "," in value else text
    return text


def _block(draw: st.DrawFn, value: Any, pad: str) -> Iterator[str]:
    """Yield the lines of a mapping or list in block style, its parts in either."""
    deeper = pad + draw(st.sampled_from(["  ", "    ", " "]))
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if draw(st.booleans()):
            yield draw(st.sampled_from([f"{pad}# note\n", "\n"]))
        lead = f"{pad}{_scalar(draw, key, flow=False)}:" if isinstance(value, dict) else f"{pad}-"
        if isinstance(item, dict | list) and item and draw(st.booleans()):
            yield f"{lead}{_comment(draw)}\n"
            yield from _block(draw, item, deeper)
        elif item is None and draw(st.booleans()):
            yield f"{lead}{_comment(draw)}\n"
        elif isinstance(item, str) and item and item.isalpha() and draw(st.booleans()):
            yield f"{lead} |-\n{deeper}{item}\n"
        else:
            yield f"{lead} {_inline(draw, item)}{_comment(draw)}\n"


def _inline(draw: st.DrawFn, value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{_scalar(draw, k, flow=True)}: {_inline(draw, v)}" for k, v in value.items())
        return "{" + draw(st.sampled_from(["", " "])) + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(draw, item) for item in value) + "]"
    return _scalar(draw, value, flow=True)


def leaves(tree: Any, loc: Loc = ()) -> Iterator[tuple[Loc, Leaf]]:
    """Yield every place that holds one value."""
    if isinstance(tree, dict | list):
        for step, item in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from leaves(item, (*loc, step))
    else:
        yield loc, tree


def mappings(tree: Any, loc: Loc = ()) -> Iterator[Loc]:
    """Yield every place that holds a mapping."""
    if isinstance(tree, dict):
        yield loc
    for step, item in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from mappings(item, (*loc, step))


def containers(tree: Any, loc: Loc = ()) -> Iterator[tuple[Loc, Any]]:
    """Yield every mapping and list with its place."""
    if isinstance(tree, dict | list):
        yield loc, tree
        for step, item in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield from containers(item, (*loc, step))


def plainly(tree: Any) -> Any:
    """Return a tree whose mappings are in alphabetic order: the order of keys means nothing."""
    if isinstance(tree, dict):
        return {key: plainly(tree[key]) for key in sorted(tree)}
    return [plainly(item) for item in tree] if isinstance(tree, list) else tree


@st.composite
def changed(draw: st.DrawFn, tree: Any) -> Any:
    """Draw a tree that has something in common with another: parts stay, change, go and come."""
    if draw(st.integers(0, 5)) == 0:
        return tree if draw(st.booleans()) or isinstance(tree, dict) else draw(TREES)
    if isinstance(tree, dict):
        kept = {key: draw(changed(value)) for key, value in tree.items() if draw(st.integers(0, 3))}
        more = draw(st.dictionaries(NAMES, TREES, max_size=1))
        return {**kept, **more} or {"name": 1}
    if isinstance(tree, list):
        return [draw(changed(item)) for item in tree if draw(st.integers(0, 3))] + draw(st.lists(TREES, max_size=1))
    return tree


def replaced(tree: Any, loc: Loc, value: Leaf) -> Any:
    """Return a copy of a tree with one value in the place of another."""
    if not loc:
        return value
    copy: Any = dict(tree) if isinstance(tree, dict) else list(tree)
    copy[loc[0]] = replaced(tree[loc[0]], loc[1:], value)
    return copy


def like(one: Any, other: Any) -> bool:
    """Compare trees by value and type."""
    return repr(one) == repr(other)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(written())
def test_the_generator_writes_what_it_says(case: tuple[bytes, dict[str, Any]]) -> None:
    """The texts that the other properties use mean their trees."""
    assert like(read(case[0], "s").tree, case[1])


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(written(), LEAVES, st.data())
def test_setting_any_value_changes_that_value_and_nothing_around_it(
    case: tuple[bytes, dict[str, Any]], value: Leaf, data: st.DataObject
) -> None:
    """The tree is the meant one, and each other line is there as it was, with its comment."""
    text, tree = case
    places = list(leaves(tree))
    assume(places)
    loc, _ = data.draw(st.sampled_from(places))
    result = edited(text, "s", {loc: value})
    assert like(read(result, "s").tree, replaced(tree, loc, value))
    mark = read(text, "s").values[loc]
    old, new = text.split(b"\n"), result.split(b"\n")
    assert new[: mark.line - 1] == old[: mark.line - 1]
    below = len(old) - mark.end_line
    assert new[len(new) - below :] == old[mark.end_line :]
    assert result.count(b"#") >= text.count(b"#") - str(tree).count("#")


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(written(), st.data())
def test_set_there_and_back_gives_the_same_bytes(case: tuple[bytes, dict[str, Any]], data: st.DataObject) -> None:
    """A plain word for a plain word, a quoted text for a quoted one: nothing else has moved."""
    text, tree = case
    words = [loc for loc, value in leaves(tree) if value in ("word", "two words")]
    words = [loc for loc in words if b"|-" not in text]
    assume(words)
    loc = data.draw(st.sampled_from(words))
    was = next(value for place, value in leaves(tree) if place == loc)
    assert edited(edited(text, "s", {loc: "other"}), "s", {loc: was}) == text


@pytest.mark.slow
@settings(max_examples=80, deadline=None)
@given(written(), LEAVES, st.data())
def test_a_key_added_and_taken_away_leaves_the_same_bytes(
    case: tuple[bytes, dict[str, Any]], value: Leaf, data: st.DataObject
) -> None:
    """In blocks and braces, at the end of a file with or without a line end, with either kind of line end."""
    text, tree = case
    above = data.draw(st.sampled_from(list(mappings(tree))))
    loc = (*above, "added")
    longer = edited(text, "s", {loc: value})
    assert edited(longer, "s", {loc: REMOVED}) == text
    if b"\r\n" in text:
        assert longer.count(b"\r\n") == longer.count(b"\n")


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(written(), st.data())
def test_any_tree_is_reached_exactly_or_refused(case: tuple[bytes, dict[str, Any]], data: st.DataObject) -> None:
    """However it is written and however much of it changes, the result means what was asked, comments outside stay."""
    text, tree = case
    wanted = data.draw(changed(tree))
    try:
        result = rewritten(text, "s", wanted)
    except CannotEdit:
        return
    assert like(plainly(read(result, "s").tree), plainly(wanted))
    if like(plainly(tree), plainly(wanted)):
        assert result == text


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(written(), TREES, st.data())
def test_an_item_added_and_taken_away_leaves_the_same_bytes(
    case: tuple[bytes, dict[str, Any]], value: Plain, data: st.DataObject
) -> None:
    """Whatever the item holds, in lists with dashes and in brackets."""
    text, tree = case
    lists = [(loc, items) for loc, items in containers(tree) if isinstance(items, list)]
    lists = [(loc, items) for loc, items in lists if items or b"[]" in text]
    assume(lists)
    loc, items = data.draw(st.sampled_from(lists))
    longer = edited(text, "s", {(*loc, len(items)): value})
    assert edited(longer, "s", {(*loc, len(items)): REMOVED}) == text
    if b"\r\n" in text:
        assert longer.count(b"\r\n") == longer.count(b"\n")


@settings(max_examples=60, deadline=None)
@given(hostile_text(), st.sampled_from([("site",), ("database", "host"), ("gitops", "path"), ("new", "key")]))
def test_any_text_comes_back_as_it_was_given_or_is_refused(value: str, loc: Loc) -> None:
    """Whatever a person types, it is data: it cannot become a key, a comment or a number."""
    try:
        result = edited(SPEC, "s", {loc: value})
    except CannotEdit:
        return
    here: Any = read(result, "s").tree
    for step in loc:
        here = here[step]
    assert here == value


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted((ROOT / "specs").glob("*.yaml")) + sorted((ROOT / "examples").glob("*.yaml")))
def test_every_value_of_the_real_specs_can_be_set(path: Path) -> None:
    """One line changes in each, and back again it is the file."""
    text = path.read_bytes()
    for loc, value in leaves(read(text, path.name).tree):
        if isinstance(value, str):
            there = edited(text, path.name, {loc: "another"})
            assert len(set(text.split(b"\n")) ^ set(there.split(b"\n"))) <= 2
            assert like(read(edited(there, path.name, {loc: value}), path.name).tree, read(text, path.name).tree)


# --- writing ----------------------------------------------------------------------------------------------------------


def test_saving_keeps_the_mode_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The file is the new one, with the old one's mode, and alone in its folder."""
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"a: 1\n")
    path.chmod(0o640)
    save(path, b"a: 1\n", b"a: 2\n")
    assert path.read_bytes() == b"a: 2\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(tmp_path) == ["spec.yaml"]


def test_saving_through_a_link_changes_what_it_leads_to(tmp_path: Path) -> None:
    """The link stays a link."""
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "spec.yaml", tmp_path / "link.yaml"
    target.write_bytes(b"a: 1\n")
    link.symlink_to(target)
    save(link, b"a: 1\n", b"a: 2\n")
    assert link.is_symlink()
    assert target.read_bytes() == b"a: 2\n"


def test_what_somebody_else_wrote_meanwhile_is_kept(tmp_path: Path) -> None:
    """The file must still hold what was read."""
    path = tmp_path / "spec.yaml"
    path.write_bytes(b"a: 3\n")
    with pytest.raises(ToolError, match="somebody else changed it"):
        save(path, b"a: 1\n", b"a: 2\n")
    assert path.read_bytes() == b"a: 3\n"


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """No traceback, and no half file."""
    with pytest.raises(ToolError, match="cannot write"):
        save(tmp_path / "absent" / "spec.yaml", b"", b"a: 2\n")


def test_an_interrupt_after_the_write_is_an_interrupt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C as the file is put in place is said as such: the file is whole, and nothing is left beside it."""
    spec, real = tmp_path / "lab.yaml", os.replace
    spec.write_bytes(b"a: 1\n")

    def interrupted(source: Path, target: Path) -> None:
        real(source, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save(spec, b"a: 1\n", b"a: 2\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"lab.yaml": b"a: 2\n"}


def test_what_a_killed_edit_left_is_gone_after_the_next(tmp_path: Path) -> None:
    """Half a file beside the spec is removed, and never taken for the new one."""
    spec = tmp_path / "lab.yaml"
    spec.write_bytes(b"a: 1\n")
    (tmp_path / ".lab.yaml.new").write_bytes(b"a:")
    save(spec, b"a: 1\n", b"a: 2\n")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"lab.yaml": b"a: 2\n"}


@pytest.mark.parametrize("links", [True, False])
def test_a_new_file_never_replaces_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool) -> None:
    """With hard links or on a file system without: made whole, once, with the umask's mode."""
    if not links:
        monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(PermissionError(1, "Operation not permitted")))
    spec = tmp_path / "deep/lab.yaml"
    create(spec, b"a: 1\n")
    with pytest.raises(FileExistsError):
        create(spec, b"a: 2\n")
    assert {path.name: path.read_bytes() for path in spec.parent.iterdir()} == {"lab.yaml": b"a: 1\n"}
    assert spec.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    before = os.umask(0)
    os.umask(before)
    return before
