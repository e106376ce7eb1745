"""A source knows the file and line of everything in it, whatever it extends, and holds no secret."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg import source as source_module
from jhecfg.diagnostics import Diagnostic, Loc, Span, SpecError, ToolError
from jhecfg.layers import NAMED
from jhecfg.reader import Limits
from jhecfg.source import SPEC_CODES, Source, bytes_of, discover, load


def write(folder: Path, **files: str) -> Path:
    """Write `a="text"` as a.yaml, `sub__b="text"` as sub/b.yaml; return the path of the first."""
    paths = [folder / (name.replace("__", "/") + ".yaml") for name in files]
    for path, text in zip(paths, files.values(), strict=True):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    return paths[0]


def refused(path: Path) -> tuple[Diagnostic, ...]:
    """Load a spec that must be refused; return what is said, with paths from its folder."""
    with pytest.raises(SpecError) as caught:
        load(path, name=path.name)
    return caught.value.diagnostics


def where(source: Source, *loc: str | int, key: bool = False) -> tuple[str, str]:
    """The place of a part, and the text that is underlined."""
    span = source.span(loc, key=key)
    return str(span), span.text[span.column - 1 : span.end - 1]


# --- extends ---------------------------------------------------------------------------------------------------------

BASE = """\
apiVersion: jhecfg/v1
image:
  tag: v0.0.12
  pullPolicy: Always
exchange: {replicas: 2, title: Base}
orgs:
- {name: A, id: 1, type: laboratory}
- {name: B, id: 2}
cluster:
  nodeGroups:
  - {name: system, min: 1}
  zones: [a, b]
patches:
- target: {kind: X}
  patch: [{a: {b: [c]}}]
"""

LEAF = """\
extends: base/common.yaml
site: leaf
image:
  tag: v0.0.13
exchange: {title: null, replicas: 3}
orgs:
- {name: C, id: 3}
- {name: B, id: 22}
cluster:
  nodeGroups:
  - {name: gpu}
  - {name: system, max: 5}
  zones: [c]
"""


@pytest.fixture
def leaf(tmp_path: Path) -> Source:
    """A spec that extends a base in another folder."""
    path = write(tmp_path / "specs", leaf=LEAF, base__common=BASE)
    return load(path, name="specs/leaf.yaml")


def test_a_spec_is_laid_over_its_base(leaf: Source) -> None:
    """Mappings merge, named lists merge by name in the base's order, other lists replace, null removes."""
    assert leaf.tree == {
        "apiVersion": "jhecfg/v1",
        "site": "leaf",
        "image": {"tag": "v0.0.13", "pullPolicy": "Always"},
        "exchange": {"replicas": 3},
        "orgs": [{"name": "A", "id": 1, "type": "laboratory"}, {"name": "B", "id": 22}, {"name": "C", "id": 3}],
        "cluster": {"nodeGroups": [{"name": "system", "min": 1, "max": 5}, {"name": "gpu"}], "zones": ["c"]},
        "patches": [{"target": {"kind": "X"}, "patch": [{"a": {"b": ["c"]}}]}],
    }
    assert list(leaf.tree)[:2] == ["apiVersion", "image"]


@pytest.mark.parametrize(
    ("loc", "place", "text"),
    [
        (("apiVersion",), "specs/base/common.yaml:1:13", "jhecfg/v1"),
        (("image", "tag"), "specs/leaf.yaml:4:8", "v0.0.13"),
        (("image", "pullPolicy"), "specs/base/common.yaml:4:15", "Always"),
        (("image",), "specs/leaf.yaml:3:1", "image"),
        (("orgs", 0, "id"), "specs/base/common.yaml:7:17", "1"),
        (("orgs", 1, "id"), "specs/leaf.yaml:8:17", "22"),
        (("orgs", 2, "name"), "specs/leaf.yaml:7:10", "C"),
        (("orgs",), "specs/leaf.yaml:6:1", "orgs"),
        (("patches", 0, "patch", 0, "a", "b", 0), "specs/base/common.yaml:15:20", "c"),
        (("cluster", "nodeGroups", 0, "min"), "specs/base/common.yaml:11:25", "1"),
        (("cluster", "nodeGroups", 0, "max"), "specs/leaf.yaml:12:25", "5"),
        (("cluster", "zones", 0), "specs/leaf.yaml:13:11", "c"),
        (("exchange", "title"), "specs/leaf.yaml:5:1", "exchange"),
    ],
)
def test_a_part_points_into_the_file_that_holds_its_line(leaf: Source, loc: Loc, place: str, text: str) -> None:
    """Every part of the merged tree is shown in the leaf or the base, where it is written."""
    assert where(leaf, *loc) == (place, text)


def test_every_part_has_a_place(leaf: Source) -> None:
    """The places are those of the merged tree, no more and no less."""
    locs: set[Loc] = {()}
    waiting: list[tuple[Loc, object]] = [((), leaf.tree)]
    while waiting:
        loc, value = waiting.pop()
        steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for step, child in steps:
            locs.add((*loc, step))
            waiting.append(((*loc, step), child))
    assert set(leaf.places) == locs


def test_digests_name_every_file_from_the_leafs_folder(leaf: Source) -> None:
    """Whoever wants to know whether a build is up to date hashes these files."""
    assert dict(leaf.digests) == {
        "leaf.yaml": hashlib.sha256(LEAF.encode()).hexdigest(),
        "base/common.yaml": hashlib.sha256(BASE.encode()).hexdigest(),
    }
    assert [document.name for document in leaf.documents] == ["specs/leaf.yaml", "specs/base/common.yaml"]


def test_bases_may_extend_bases(tmp_path: Path) -> None:
    """A chain of three: each path starts at the folder of the file that names it, the nearest to the leaf wins."""
    path = write(
        tmp_path,
        leaf="extends: b/two.yaml\na: leaf\n",
        b__two="extends: ../c/one.yaml\na: two\nb: two\n",
        c__one="a: one\nb: one\nc: one\n",
    )
    source = load(path)
    assert source.tree == {"a": "leaf", "b": "two", "c": "one"}
    assert list(source.digests) == ["leaf.yaml", "b/two.yaml", "c/one.yaml"]


def test_a_second_thing_of_the_same_name_is_kept(tmp_path: Path) -> None:
    """Two hubs of one name in one file are a mistake, and merging must not hide it."""
    path = write(
        tmp_path,
        a="extends: b.yaml\nhubs: [{name: h, x: 1}, {name: h, x: 2}, {x: 3}]\n",
        b="hubs: [{name: h, z: 0}, {z: 1}]\n",
    )
    assert load(path).tree["hubs"] == [{"name": "h", "z": 0, "x": 1}, {"z": 1}, {"name": "h", "x": 2}, {"x": 3}]


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ("a: {b: 1}", "a: [1]", {"a": [1]}),
        ("a: [1]", "a: {b: 1}", {"a": {"b": 1}}),
        ("a: 1", "a: null", {}),
        ("b: 1", "a: null", {"b": 1, "a": None}),
        ("hubs: [{name: a}]", "hubs: null", {}),
        ("hubs: [{name: a}]", "hubs: []", {"hubs": [{"name": "a"}]}),
        ("hubs: {a: 1}", "hubs: [{name: a}]", {"hubs": [{"name": "a"}]}),
        ("x: {hubs: [{name: a}]}", "x: {hubs: [{name: b}]}", {"x": {"hubs": [{"name": "b"}]}}),
        (
            "hubs: [a, {name: b}]",
            "hubs: [{name: [c]}, d, {name: b}]",
            {"hubs": ["a", {"name": "b"}, {"name": ["c"]}, "d"]},
        ),
    ],
)
def test_merging_case_by_case(tmp_path: Path, base: str, over: str, merged: dict[str, object]) -> None:
    """What differs in kind is replaced; null removes only what a base wrote; only the three known lists go by name."""
    assert load(write(tmp_path, a=f"extends: b.yaml\n{over}\n", b=base + "\n")).tree == merged
    assert {("orgs",), ("hubs",), ("cluster", "nodeGroups")} == NAMED


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcd"), unique=True), st.lists(st.sampled_from("abcd"), unique=True))
def test_named_lists_keep_the_order_of_the_base(
    tmp_path_factory: pytest.TempPathFactory, base: list[str], over: list[str]
) -> None:
    """The base's names first, in its order; then the new ones, in theirs; the leaf's fields win."""

    def listed(names: list[str], value: int) -> str:
        return "orgs: [" + ", ".join(f"{{name: {n}, v: {value}}}" for n in names) + "]\n"

    path = write(tmp_path_factory.mktemp("x"), a="extends: b.yaml\n" + listed(over, 2), b=listed(base, 1))
    expected = [*base, *(name for name in over if name not in base)]
    assert [(o["name"], o["v"]) for o in load(path).tree["orgs"]] == [(n, 2 if n in over else 1) for n in expected]


# --- what extends refuses --------------------------------------------------------------------------------------------


PATH_WANTED = "`extends` must be the path of a file; write a path with `/`"
NO_FILE = "there is no such file; write its path from this file's folder"
CHOICE = "there is no such file; choose one of: a.yaml, fifo.yaml, link.yaml, null.yaml"
OUTSIDE = "the base lies outside the repository; name it from this file's folder, and keep it in the same repository"
ITSELF = "this file extends itself; delete one `extends`"


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ("extends: zzzzzzzzzzzz.yaml", "extends-missing", CHOICE),
        ("extends: no/such/folder.yaml", "extends-missing", NO_FILE),
        ("extends: /etc/hostname", "extends-outside", OUTSIDE),
        ("extends: ../../../../../../../../etc/hostname", "extends-outside", OUTSIDE),
        ("extends: ../../outside.yaml", "extends-outside", OUTSIDE),
        ("extends: {folder}/sub/b.yaml", "extends-outside", OUTSIDE),
        ("extends: ~/x.yaml", "extends-outside", OUTSIDE),
        ("extends: link.yaml", "extends-outside", OUTSIDE),
        ("extends: a.yaml", "extends-cycle", ITSELF),
        ("extends: ./sub/../a.yaml", "extends-cycle", ITSELF),
        ("extends: 3", "extends-not-a-path", PATH_WANTED),
        ("extends:", "extends-not-a-path", PATH_WANTED),
        ("extends: ''", "extends-not-a-path", PATH_WANTED),
        ("extends: [b.yaml]", "extends-not-a-path", PATH_WANTED),
        ("extends: sub\\b.yaml", "extends-not-a-path", PATH_WANTED),
        ("extends: sub", "unreadable-file", "the base cannot be read: is a directory; "),
        ("extends: fifo.yaml", "unreadable-file", "the base cannot be read: is not a regular file; "),
        ("extends: null.yaml", "extends-outside", OUTSIDE),
        ("extends: " + "x" * 300 + ".yaml", "unreadable-file", "the base cannot be read: file name too long; "),
    ],
)
def test_a_path_that_cannot_be_a_base_is_refused_at_its_line(tmp_path: Path, line: str, code: str, said: str) -> None:
    """Missing, outside, circular, odd and irregular files: one error, on the line that names the file, at once."""
    folder = tmp_path / "top" / "specs"
    path = write(folder, a=f"site: a\n{line.replace('{folder}', str(folder))}\n", sub__b="x: 1\n")
    write(tmp_path, outside="x: 1\n")
    (folder / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    (folder / "null.yaml").symlink_to("/dev/null")
    os.mkfifo(folder / "fifo.yaml")
    (found,) = refused(path)
    assert found.span is not None
    assert (found.code, found.span.file, found.span.line) == (code, "a.yaml", 2)
    assert f"{found.message}; {found.hint}" == said
    assert code in SPEC_CODES


def test_a_missing_base_is_guessed(tmp_path: Path) -> None:
    """The name nearest to the one written is offered."""
    (found,) = refused(write(tmp_path, a="extends: comon.yaml\n", common="x: 1\n"))
    assert found.hint == "did you mean 'common.yaml'?"


def test_a_circle_shows_every_file_in_it(tmp_path: Path) -> None:
    """The error is on the line that closes the circle; the others are beside it."""
    path = write(tmp_path, a="extends: b.yaml\n", b="x: 1\nextends: c.yaml\n", c="extends: b.yaml\n")
    (found,) = refused(path)
    assert (found.code, str(found.span)) == ("extends-cycle", "c.yaml:1:10")
    assert found.message == "these files extend one another in a circle"
    assert [(str(span), why) for span, why in found.related] == [("b.yaml:2:10", "which extends")]


def test_sixteen_levels_are_enough(tmp_path: Path) -> None:
    """Sixteen files may stand one upon the other, a seventeenth is refused."""
    files = {f"f{i}": f"extends: f{i + 1}.yaml\n" for i in range(15)} | {"f15": "x: 1\n"}
    assert load(write(tmp_path, **files)).tree == {"x": 1}
    (found,) = refused(write(tmp_path, **files | {"f15": "extends: f16.yaml\n", "f16": "x: 1\n"}))
    assert (found.code, str(found.span)) == ("extends-too-deep", "f15.yaml:1:10")
    assert (found.message, found.hint) == ("more than 16 files extend one another", "use fewer levels")


def test_the_git_work_tree_is_the_border(tmp_path: Path) -> None:
    """With git a base may lie anywhere in the work tree; without, one folder above the spec's."""
    path = write(tmp_path, a__b__c__leaf="extends: ../../../base.yaml\n", base="x: 1\n")
    assert refused(path)[0].code == "extends-outside"
    (tmp_path / ".git").mkdir()
    assert load(path).tree == {"x": 1}


def test_a_base_with_mistakes_is_shown_itself(tmp_path: Path) -> None:
    """What is wrong in a base points into the base."""
    (found,) = refused(write(tmp_path, a="extends: sub/b.yaml\n", sub__b="x: no\n"))
    assert (found.code, str(found.span)) == ("yaml-ambiguous-scalar", "sub/b.yaml:1:4")


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "device"])
def test_a_spec_that_cannot_be_read_is_the_machines_fault(tmp_path: Path, kind: str) -> None:
    """A ToolError names the file and the system's reason; a pipe is not waited for."""
    path = tmp_path / "x.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/zero")
    reason = {
        "missing": "no such file or directory",
        "folder": f"is a directory; name the files in it, as in {path}/*.yaml",
    }.get(kind, "is not a regular file")
    with pytest.raises(ToolError) as error:
        load(path, name="shown")
    assert str(error.value) == f"shown: {reason}"


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """No more of it is read than shows that it is too large: this one is larger than any memory."""
    path = tmp_path / "x.yaml"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    (found,) = refused(path)
    assert (found.code, found.span) == ("yaml-too-large", Span("x.yaml", 1, 1, 2, ""))


def test_a_name_that_does_not_show_is_refused(tmp_path: Path) -> None:
    """A line feed in a file's name would forge a line of a log."""
    with pytest.raises(ToolError) as error:
        load(write(tmp_path, a="a: b\n"), name="a\nerror: b")
    assert str(error.value) == "'a\\nerror: b': the file's name holds a character that does not show; rename it"


def test_a_link_out_of_the_repository_is_not_followed(tmp_path: Path) -> None:
    """A spec that leads elsewhere is refused; a file that a person names, and that is no spec, may lie anywhere."""
    (tmp_path / "top" / ".git").mkdir(parents=True)
    write(tmp_path, outside="x: 1\n")
    link = tmp_path / "top" / "link.yaml"
    link.symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(ToolError) as error:
        load(link, name="link.yaml")
    assert str(error.value) == "link.yaml: is a link that leads out of the repository; name the file itself"
    assert bytes_of(link, "link.yaml", anywhere=True) == b"x: 1\n"


def test_text_may_come_from_elsewhere(tmp_path: Path) -> None:
    """An editor's buffer or stdin stands in for the file, which need not exist."""
    write(tmp_path, b="x: 1\n")
    source = load(tmp_path / "a.yaml", name="<stdin>", text=b"extends: b.yaml\nz: 2\n")
    assert source.tree == {"x": 1, "z": 2}
    assert source.span(("z",)).file == "<stdin>"


# --- places ----------------------------------------------------------------------------------------------------------

ONE = """\
# a comment first
site: demo
hubs:
- name: hub
  domain: h.example.org
  access: {orgs: [a]}
empty:
block:
  inner: 1
notes: |
  text
below:
  more
"""


@pytest.fixture
def one(tmp_path: Path) -> Source:
    """A spec that extends nothing."""
    return load(write(tmp_path, one=ONE), name="one.yaml")


@pytest.mark.parametrize(
    ("loc", "key", "place", "text"),
    [
        (("site",), False, "one.yaml:2:7", "demo"),
        (("site",), True, "one.yaml:2:1", "site"),
        (("hubs", 0, "domain"), False, "one.yaml:5:11", "h.example.org"),
        (("hubs", 0, "access", "orgs", 0), False, "one.yaml:6:19", "a"),
        (("below",), False, "one.yaml:13:3", "more"),
        # a missing field: the key of what is around it
        (("contact",), False, "one.yaml:2:1", "site"),
        (("hubs", 0, "access", "users"), False, "one.yaml:6:3", "access"),
        (("hubs", 0, "storage"), False, "one.yaml:4:3", "name: hub"),
        (("block", "other"), False, "one.yaml:8:1", "block"),
        # pydantic's union tags are stepped over
        (("hubs", 0, "access", "orgs-access", "orgs"), False, "one.yaml:6:18", "[a]"),
        (("hubs", 0, "access", "orgs-access", "orgs", 0), False, "one.yaml:6:19", "a"),
        (("site", "str"), False, "one.yaml:2:7", "demo"),
        # what is shown better by its key
        (("empty",), False, "one.yaml:7:1", "empty"),
        (("block",), False, "one.yaml:8:1", "block"),
        (("hubs",), False, "one.yaml:3:1", "hubs"),
        (("notes",), False, "one.yaml:10:8", "|"),
        ((), False, "one.yaml:2:1", "site"),
        (("no", "such", 3, "thing"), True, "one.yaml:2:1", "site"),
    ],
)
def test_a_loc_becomes_a_span(one: Source, loc: Loc, key: bool, place: str, text: str) -> None:
    """Values at their text, missing fields at the key around them, union tags skipped, empty values at their key."""
    assert where(one, *loc, key=key) == (place, text)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["hubs", "site", "access", "orgs", "name", "x", "", 0, 1, -1, 99]), max_size=6),
    st.booleans(),
)
def test_a_span_is_always_found(loc: list[str | int], key: bool) -> None:
    """No loc raises, and every span lies on a line of the file."""
    source = load(Path("one.yaml"), text=ONE.encode())
    span = source.span(tuple(loc), key=key)
    assert 1 <= span.line <= len(ONE.splitlines())
    assert 1 <= span.column < span.end


# --- ignores ---------------------------------------------------------------------------------------------------------


def test_ignores_are_real_comments_and_cover_a_line(tmp_path: Path) -> None:
    """On its own line an ignore covers the next one that is not a comment; text that looks like one is none."""
    text = """\
image: {tag: main}  # jhecfg: ignore[moving-tag] staging follows main
# jhecfg: ignore[a-b, c]
# more words

site: x
title: '# jhecfg: ignore[in-a-string] no'
notes: |
  # jhecfg: ignore[in-a-block] no
other: y#jhecfg:ignore[in-a-word]
last: z # jhecfg: ignore without codes
"""
    ignores = load(write(tmp_path, a=text), name="a.yaml").ignores
    assert [(str(i.span), i.line, i.codes, i.reason) for i in ignores] == [
        ("a.yaml:1:21", 1, ("moving-tag",), "staging follows main"),
        ("a.yaml:2:1", 5, ("a-b", "c"), ""),
        ("a.yaml:10:9", 10, (), "without codes"),
    ]


def test_ignores_of_a_base_cover_the_base(tmp_path: Path) -> None:
    """An ignore is about a line of its own file."""
    source = load(
        write(tmp_path, a="extends: b.yaml\nx: 1\n", b="w: 1\nz: 2 # jhecfg: ignore[some-rule] why\n"), name="a.yaml"
    )
    (ignore,) = source.ignores
    assert ignore.covers(source.span(("z",)), "some-rule")
    assert not ignore.covers(source.span(("z",)), "other-rule")
    assert not ignore.covers(source.span(("x",)), "some-rule")
    assert not ignore.covers(source.span(("w",)), "some-rule")


# --- secrets ---------------------------------------------------------------------------------------------------------

HIDDEN = "hunter2xyzzy"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        (f"a: 1\npassword: {HIDDEN}\n", "x.yaml:2:11", "a value under 'password'"),
        (f"exchange:\n  env:\n    OW_API_KEY: {HIDDEN}\n", "x.yaml:3:17", "a value under 'OW_API_KEY'"),
        (f"hubs:\n- env: {{A: b, DB_PASSWORD: {HIDDEN}}}\n", "x.yaml:2:28", "a value under 'DB_PASSWORD'"),
        (f"tokens:\n- {HIDDEN}\n", "x.yaml:2:3", "a value under 'tokens'"),
        (f"env:\n- name: DB_PASSWORD\n  value: {HIDDEN}\n", "x.yaml:3:10", "a value under 'DB_PASSWORD'"),
        (f"url: postgres://jhe:{HIDDEN}@db/jhe\n", "x.yaml:1:6", "a password in a URL"),
        (f"key: |\n  {PEM}\n  {HIDDEN}\n", "x.yaml:1:6", "a PEM private key"),
        (f'key: "{PEM}\\n{HIDDEN}"\n', "x.yaml:1:6", "a PEM private key"),
        (f"notes:\n  postgres://u:{HIDDEN}@h: x\n", "x.yaml:2:3", "a password in a URL"),
        (f"site: x  # was postgres://u:{HIDDEN}@h\n", "x.yaml:1:10", "a password in a URL"),
        (f"db: {{secret: '{HIDDEN}!', key: k}}\n", "x.yaml:1:14", "a value under 'secret'"),
        (f"a: &a {{password: {HIDDEN}}}\n", "x.yaml:1:18", "a value under 'password'"),
        ("password: 12345678\n", "x.yaml:1:11", "a value under 'password'"),
    ],
)
def test_a_secret_in_a_spec_is_refused_and_not_repeated(tmp_path: Path, text: str, place: str, found: str) -> None:
    """The error says what it is and where, and not what it says."""
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    said = refused(path)
    assert {d.code for d in said} == {"secret-in-spec"}
    assert (str(said[0].span), said[0].label) == (place, f"{found}; not shown")
    assert HIDDEN not in repr(said)
    assert "12345678" not in repr(said)


def test_secrets_of_all_files_are_found_before_a_base_is_missed(tmp_path: Path) -> None:
    """A secret in the leaf and in its base, and a missing base further down, are said together."""
    path = write(tmp_path, a=f"extends: b.yaml\npassword: {HIDDEN}\n", b=f"extends: c.yaml\ntoken: {HIDDEN}\n")
    assert [(d.code, str(d.span)) for d in refused(path)] == [
        ("secret-in-spec", "a.yaml:2:11"),
        ("secret-in-spec", "b.yaml:2:8"),
        ("extends-missing", "b.yaml:1:10"),
    ]


def test_many_secrets_are_counted(tmp_path: Path) -> None:
    """Twenty are shown, the rest is a number."""
    said = refused(write(tmp_path, a="".join(f"K{i}_TOKEN: {HIDDEN}\n" for i in range(25))))
    assert len(said) == 21
    assert said[-1].message == "and 5 more secrets in this file"


@pytest.mark.parametrize(
    "text",
    [
        "database: {passwordFrom: {secret: jhe-db, key: password}}\n",
        "secrets: {backend: existing}\n",
        "image: {pullSecrets: [regcred]}\n",
        "smtp: {existingSecret: jhe-smtp, secretName: x, secretKey: smtp-password}\n",
        "token:\npassword: ''\napiKey: false\n",
        "cluster: {manageMasterUserPassword: true}\n",
        "auth: {tokenUrl: https://jhe.example.org/o/token/, clientId: a1B2c3D4e5F6g7H8i9J0k1L2}\n",
        "db: {url: 'postgres://jhe:$(DB_PASSWORD)@db/jhe'}\n",
    ],
)
def test_names_of_secrets_are_welcome(tmp_path: Path, text: str) -> None:
    """References, switches, empty values and public ids are not secrets."""
    assert load(write(tmp_path, a=text)).tree


# --- discover --------------------------------------------------------------------------------------------------------


def test_a_folders_specs_are_found_in_order(tmp_path: Path) -> None:
    """*.yaml and *.yml directly in it, sorted; no hidden files, no folders, nothing deeper."""
    for name in ("b.yaml", "a.yml", "c.yaml", ".hidden.yaml", "notes.txt", "d.yaml.bak"):
        (tmp_path / name).touch()
    write(tmp_path, sub__deep="x: 1\n")
    (tmp_path / "folder.yaml").mkdir()
    assert [path.name for path in discover(tmp_path)] == ["a.yml", "b.yaml", "c.yaml"]
    with pytest.raises(ToolError, match="no such file"):
        discover(tmp_path / "nope")


# --- what the messages say, to the word ------------------------------------------------------------------------------


def test_a_spec_that_is_not_there_may_be_another(tmp_path: Path) -> None:
    """The name nearest to it beside it, or the same name in specs/; a folder says what to name; nothing else is guessed."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "example.yaml").write_text("a: b\n")
    (tmp_path / "specs/lab.yaml").write_text("a: b\n")
    missing = "no such file or directory"
    for path, said in {
        "exmaple.yaml": f"{missing}; did you mean '{tmp_path}/example.yaml'?",
        "lab.yaml": f"{missing}; did you mean '{tmp_path}/specs/lab.yaml'?",
        "zzzzzzzzzzzzzzzz": missing,
        "specs": f"is a directory; name the files in it, as in {tmp_path}/specs/*.yaml",
    }.items():
        with pytest.raises(ToolError) as error:
            load(tmp_path / path, name="x")
        assert str(error.value) == f"x: {said}"


def test_bases_and_leaf_together_hold_so_many_values(tmp_path: Path) -> None:
    """The limit of one file is the limit of all that it stands upon."""
    many = "[" + "x, " * 30_000 + "x]"
    (tmp_path / "base.yaml").write_text(f"a: {many}\n")
    (tmp_path / "leaf.yaml").write_text(f"extends: base.yaml\nb: {many}\n")
    with pytest.raises(SpecError) as error:
        load(tmp_path / "leaf.yaml", name="leaf.yaml")
    (found,) = error.value.diagnostics
    assert (str(found.span), found.code, found.message) == (
        "leaf.yaml:1:10", "yaml-too-many-values", "this and its bases have more than 50,000 values",
    )  # fmt: skip


def test_the_last_value_that_is_allowed_may_be_in_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit they are read, one beyond it they are refused, where the last base is named."""
    monkeypatch.setattr(source_module, "LIMITS", Limits(nodes=9))
    files = {"leaf": "extends: b.yaml\n", "b": "extends: c.yaml\n", "c": "a: [1, 2, 3]\n"}
    assert load(write(tmp_path, **files)).tree == {"a": [1, 2, 3]}
    (found,) = refused(write(tmp_path, **files | {"leaf": "extends: b.yaml\nd: e\n"}))
    assert (found.code, str(found.span)) == ("yaml-too-many-values", "b.yaml:1:10")


def test_bytes_that_stand_in_for_a_base_are_read_instead_of_it(tmp_path: Path) -> None:
    """What an editor holds of a base counts, not what is on the disk."""
    (tmp_path / "base.yaml").write_text("a: disk\n")
    (tmp_path / "leaf.yaml").write_text("extends: base.yaml\n")
    real = os.path.realpath(tmp_path / "base.yaml")
    assert load(tmp_path / "leaf.yaml").tree == {"a": "disk"}
    assert load(tmp_path / "leaf.yaml", instead={real: b"a: editor\n"}).tree == {"a": "editor"}


def test_an_exception_looks_past_comments_that_are_indented() -> None:
    """The next line that says something is what it is about, whatever stands in between."""
    text = b"# jhecfg: ignore[moving-tag] tried\n   # why\n\n  #\nimage: x\n"
    (ignore,) = load(Path("x.yaml"), text=text).ignores
    assert (ignore.line, ignore.codes, ignore.reason) == (5, ("moving-tag",), "tried")
    text = b"image:\n    # jhecfg: ignore[moving-tag] stands alone below a line that is longer than its indent\n    tag: x\n"
    (ignore,) = load(Path("x.yaml"), text=text).ignores
    assert ignore.line == 3
