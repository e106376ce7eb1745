"""Mistakes: a good spec is broken in one known place; one diagnostic names that place, and nothing is written.

The mistakes are made of the model: every key, every section, every list. Each is written in block style and in brackets,
with comments, CRLF and a byte order mark (laid_out.py).
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from jhecfg.cli import run
from jhecfg.diagnostics import Diagnostic, SpecError
from jhecfg.origin.fields import Field, every_field
from jhecfg.pipeline import compile_source
from jhecfg.report import render
from jhecfg.source import load
from tests.fuzz.claims import good_diagnostics, lines_of
from tests.laid_out import STYLES, Loc, Raw, Style, Text, laid_out
from tests.test_whole_specs import drawn
from tests.whole_specs import NOWHERE, Tree

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("whole specs")]

NAME = "site.yaml"
CANARY = "hunter2-canary"


class Mistake(NamedTuple):
    """A tree with a mistake, and where it must be found: the place, and whether its key is meant."""

    tree: Tree
    code: str
    loc: Loc
    key: bool = False
    tab: Loc | None = None
    twice: Loc | None = None


def errors(text: Text) -> list[Diagnostic]:
    """Return the errors of a spec's text; sealed files are not looked for."""
    try:
        source = load(NOWHERE, name=NAME, text=text.data, sealed=False)
        build = compile_source(source, "none")
    except SpecError as error:
        return list(error.diagnostics)
    return [diagnostic for diagnostic in build.diagnostics if diagnostic.severity == "error"]


def judged(mistake: Mistake, style: Style) -> None:
    """Claim that a mistake is found once, with its code, where it is."""
    text = laid_out(mistake.tree, style._replace(tab=mistake.tab, twice=mistake.twice))
    found = errors(text)
    assert [d.code for d in found] == [mistake.code], (mistake.loc, [(d.message, str(d.span)) for d in found])
    assert found[0].span is not None
    assert (found[0].span.line, found[0].span.column) == expected(mistake, text), (mistake.loc, found[0].span)
    good_diagnostics(found, {NAME: lines_of(text.data)})
    assert CANARY not in render(found, "json") + render(found, "text")


def expected(mistake: Mistake, text: Text) -> tuple[int, int]:
    """Return where a mistake must be found: its value; or its key, if that is meant or the value is on lines below."""
    loc = mistake.loc
    if not loc:
        return min(text.keys.values())
    if mistake.key and loc in text.keys:
        return text.keys[loc]
    if loc in text.keys and text.values[loc][0] > text.keys[loc][0]:
        return text.keys[loc]
    place = text.values[loc]
    return (place[0], place[1] - 1) if mistake.tab else place


# --- good specs, and their fields -------------------------------------------------------------------------------------


@cache
def whole_of() -> dict[Loc, Tree]:
    """Return, for every field of the model, the smallest good spec that has it, and itself in it."""
    best: dict[Loc, Tree] = {}
    for whole in sorted(drawn(), key=lambda each: len(json.dumps(each.tree))):
        for loc in {normal(loc) for loc in places(whole.tree)}:
            best.setdefault(loc, whole.tree)
    return best


def places(tree: Any, loc: Loc = ()) -> Iterator[Loc]:
    """Yield every place of a tree, the root first."""
    yield loc
    for step, below in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from places(below, (*loc, step))


def normal(loc: Loc) -> Loc:
    """Return a place with every item at 0."""
    return tuple(0 if isinstance(step, int) else step for step in loc)


def with_field(field: Loc) -> tuple[Tree, Loc]:
    """Return a copy of a good spec that has a field, and where it is."""
    tree = json.loads(json.dumps(whole_of()[field]))  # a deep copy would keep one object for what is alike
    return tree, next(loc for loc in places(tree) if normal(loc) == field)


def at(tree: Any, loc: Loc) -> Any:
    """Return the value at a place."""
    for step in loc:
        tree = tree[step]
    return tree


def put(tree: Tree, loc: Loc, value: Any) -> Tree:
    """Set the value at a place."""
    at(tree, loc[:-1])[loc[-1]] = value
    return tree


def fields() -> list[tuple[Loc, Field]]:
    """Return every field of the model that a tree has."""
    found = [(loc, field) for loc, field in every_field() if loc != ("extends",)]
    return found + [((*loc, 0), item) for loc, field in found if (item := field.below(0)) is not None]


# --- mistakes that the model knows ------------------------------------------------------------------------------------

WRONG: dict[str, Any] = {"string": 17, "integer": "17", "number": "1.5", "boolean": "maybe", "array": "a text"}
WRONG["object"] = "a text"


def listed(field: Field) -> bool:
    """Say whether a field takes what is listed, one or more."""
    return bool(field.choices) or "const" in field.node


def unknown_keys() -> Iterator[Mistake]:
    """In every section, a key that does not exist there."""
    for loc, field in [((), None), *fields()]:
        if field is None or field.names:
            tree, here = with_field(loc)
            at(tree, here)["notAField"] = 1
            yield Mistake(tree, "unknown-field", (*here, "notAField"), key=True)


def missing_keys() -> Iterator[Mistake]:
    """In every section, each key that must be there."""
    for loc, field in fields():
        if field.required and isinstance(loc[-1], str):
            tree, here = with_field(loc)
            del at(tree, here[:-1])[here[-1]]
            if at(tree, here[:-1]):  # an empty section is another thing to look at
                yield Mistake(tree, "missing-field", here[:-1], key=True)


def wrong_types() -> Iterator[Mistake]:
    """For every field, a value of another type."""
    for loc, field in fields():
        if field.kind:
            tree, here = with_field(loc)
            code = "invalid-value" if listed(field) else "wrong-type"
            yield Mistake(put(tree, here, WRONG[field.kind]), code, here)


def nothing_at_all() -> Iterator[Mistake]:
    """For every field that must be something, nothing."""
    for loc, field in fields():
        kind = field.node.get("type", "")
        if field.kind and "null" not in (kind if isinstance(kind, list) else [kind]):
            tree, here = with_field(loc)
            yield Mistake(put(tree, here, None), "invalid-value" if listed(field) else "wrong-type", here)


def out_of_range() -> Iterator[Mistake]:
    """For every number, one less and one more than it may be."""
    for loc, field in fields():
        for bound, step in (("minimum", -1), ("maximum", 1)):
            if bound in field.node:
                tree, here = with_field(loc)
                yield Mistake(put(tree, here, field.node[bound] + step), "invalid-value", here)


def bad_choices() -> Iterator[Mistake]:
    """For every list of choices, another one."""
    for loc, field in fields():
        if field.choices:
            tree, here = with_field(loc)
            yield Mistake(put(tree, here, "no-such-choice"), "invalid-value", here)


def bad_forms() -> Iterator[Mistake]:
    """For every text that must have a form, one that has none; a scheme before a host name, a host without one."""
    for loc, field in fields():
        if "pattern" in field.node:
            for value in ("{", " a", "https:/x/", "\u202f", "a\nb"):
                tree, here = with_field(loc)
                if not re.search(field.node["pattern"], value):
                    yield Mistake(put(tree, here, value), refusal_of(loc), here)


def refusal_of(loc: Loc) -> str:
    """Return the code of a bad form: what stands under `secret` and is no object's name is taken for a secret itself."""
    return "secret-in-spec" if loc[-1] == "secret" else "invalid-value"


def too_long() -> Iterator[Mistake]:
    """For every text, one character more than it may have; for every list and mapping, too many items."""
    for loc, field in fields():
        tree, here = with_field(loc)
        if "maxLength" in field.node:
            yield Mistake(put(tree, here, "a" * (field.node["maxLength"] + 1)), refusal_of(loc), here)
        if field.node.get("maxItems", 9999) < 200:
            at(tree, here[:-1])[here[-1]] = (at(tree, here) or ["a"]) * (field.node["maxItems"] + 1)
            if all(isinstance(each, str) for each in at(tree, here)) and at(tree, here)[0] != "a":
                yield Mistake(tree, "invalid-value", here)


def secrets_everywhere() -> Iterator[Mistake]:
    """In every section, a secret under a name that says so."""
    for loc, field in [((), None), *fields()]:
        if field is None or field.kind == "object":
            for name in ("password", "OW_API_KEY", "clientSecret"):
                tree, here = with_field(loc)
                at(tree, here)[name] = CANARY
                yield Mistake(tree, "secret-in-spec", (*here, name))


def shapes_of_secrets() -> Iterator[Mistake]:
    """In the place of every text, one that is a secret by its shape."""
    for loc, field in fields():
        if field.kind == "string":
            tree, here = with_field(loc)
            yield Mistake(put(tree, here, f"postgresql://jhe:{CANARY}@db/jhe"), "secret-in-spec", here)


AMBIGUOUS = ("no", "Off", "0644", "1e3", "12:30", "2026-01-31", "0o14", "1_000", "=", "08", "1.", "+.5e3")


def ambiguous_scalars() -> Iterator[Mistake]:
    """In the place of every scalar, one without quotes that readers disagree about."""
    for number, (loc, field) in enumerate(fields()):
        if field.kind not in ("object", "array", ""):
            tree, here = with_field(loc)
            value = Raw(AMBIGUOUS[number % len(AMBIGUOUS)])
            yield Mistake(put(tree, here, value), "yaml-ambiguous-scalar", here)


def unreadable_scalars() -> Iterator[Mistake]:
    """In the place of every scalar, one that the reader refuses for what it is."""
    for number, (loc, field) in enumerate(fields()):
        if field.kind not in ("object", "array", ""):
            tree, here = with_field(loc)
            text, code = UNREADABLE[number % len(UNREADABLE)]
            yield Mistake(put(tree, here, Raw(text)), code, here)


UNREADABLE = (
    ("1234567890123456789", "yaml-number"),
    (".inf", "yaml-number"),
    ("\u201ctext\u201d", "yaml-typographic-quotes"),
    ('"a\\0b"', "yaml-forbidden-character"),
    ('"a\\u202eb"', "yaml-forbidden-character"),
    ("!!str text", "yaml-tag"),
    ("!vault text", "yaml-tag"),
    ("*nowhere", "yaml-alias"),
    ("'" + "x" * 70_000 + "'", "yaml-long-scalar"),
)


def keys_twice() -> Iterator[Mistake]:
    """Every key of the model, once more in the same mapping."""
    for loc, _ in fields():
        if isinstance(loc[-1], str):
            tree, here = with_field(loc)
            yield Mistake(tree, "duplicate-key", here, key=True, twice=here)


def tabs() -> Iterator[Mistake]:
    """Behind the colon of every key, a tab."""
    for loc, field in fields():
        if isinstance(loc[-1], str) and field.kind not in ("object", "array", ""):
            tree, here = with_field(loc)
            yield Mistake(tree, "yaml-tab", here, tab=here)


def strange_keys() -> Iterator[Mistake]:
    """In every section, a key that is a number, a merge key, or a question."""
    for number, (loc, field) in enumerate([((), None), *fields()]):
        if field is None or field.kind == "object":
            tree, here = with_field(loc)
            key, code = (("17", "yaml-key-not-text"), ("<<", "yaml-merge-key"), ("null", "yaml-key-not-text"))[
                number % 3
            ]
            at(tree, here)[Raw(key)] = "text" if key != "<<" else {}
            yield Mistake(tree, code, (*here, key), key=True)


BOMB = "[&z0 [x, x, x, x, x, x, x, x, x], " + ", ".join(
    f"&z{n} [{', '.join([f'*z{n - 1}'] * 9)}]" for n in range(1, 9)
)  # fmt: skip
DEEP = "[" * 40 + "]" * 40


def bombs() -> Iterator[Mistake]:
    """In the place of every value, a few lines of aliases that would grow to billions; and brackets without end."""
    for number, (loc, _) in enumerate(fields()):
        tree, here = with_field(loc)
        text, code = ((BOMB + "]", "yaml-too-many-values"), (DEEP, "yaml-too-deep"))[number % 2]
        yield Mistake(put(tree, here, Raw(text)), code, here)


MODEL_MISTAKES: tuple[Callable[[], Iterator[Mistake]], ...] = (
    *(unknown_keys, missing_keys, wrong_types, nothing_at_all, out_of_range, bad_choices, bad_forms, too_long),
    *(secrets_everywhere, shapes_of_secrets, ambiguous_scalars, unreadable_scalars, keys_twice, tabs, strange_keys),
)


@pytest.mark.parametrize("kind", MODEL_MISTAKES, ids=lambda kind: kind.__name__)
def test_a_mistake_in_any_field_is_found_where_it_is(kind: Callable[[], Iterator[Mistake]]) -> None:
    """Once, with its code, at its line and column; every layout has its turn."""
    styles = list(STYLES.values())
    count = 0
    for number, mistake in enumerate(kind()):
        judged(mistake, styles[number % len(styles)])
        count += 1
    assert count > 10


def test_a_bomb_in_any_place_is_refused_in_its_line() -> None:
    """Where exactly reading stops is inside the value: the alias or bracket that is one too many."""
    for number, mistake in enumerate(bombs()):
        text = laid_out(mistake.tree, list(STYLES.values())[number % len(STYLES)])
        found = errors(text)
        assert [d.code for d in found] == [mistake.code]
        assert found[0].span is not None
        line, column = text.values[mistake.loc]
        assert found[0].span.line == line
        assert column <= found[0].span.column < column + len(BOMB)


# --- mistakes between fields ------------------------------------------------------------------------------------------

HUB: Tree = {
    "name": "lab",
    "domain": "lab.example.org",
    "access": {"orgs": ["One"]},
    "storage": {"storageClass": "gp3"},
}
GOOD: Tree = {
    "apiVersion": "jhecfg/v1",
    "site": "good",
    "domain": "jhe.example.org",
    "contact": "ops@example.org",
    "image": {"tag": "v0.0.13"},
    "exchange": {"smtp": {"host": "smtp.example.org", "user": "u"}, "mcp": {"domain": "mcp.example.org"}},
    "database": {"host": "db.abc123.us-east-2.rds.amazonaws.com", "rds": {"instanceClass": "db.m7g.large"}},
    "orgs": [
        {"name": "One", "id": 30001, "type": "team"},
        {"name": "Two", "id": 30002, "type": "team", "parent": "One"},
    ],
    "hubs": [HUB, HUB | {"name": "away", "domain": "away.example.org", "deploy": "external"}],
    "cluster": {
        "region": "us-east-2",
        "zones": ["us-east-2a", "us-east-2b"],
        "access": {"publicCidrs": ["203.0.113.0/24"]},
        "nodeGroups": [
            {"name": "core", "purpose": "core", "instanceType": "m7i.2xlarge", "scaling": {"min": 2, "max": 6}},
            {"name": "user", "purpose": "user", "instanceType": "r7i.xlarge", "scaling": {"min": 0, "max": 10}},
        ],
    },
    "gitops": {"engine": "flux", "repo": "https://git.example.org/a/b.git"},
    "patches": [{"target": {"kind": "Deployment", "name": "exchange"}, "patch": {"metadata": {"labels": {"a": "b"}}}}],
}

BETWEEN: tuple[tuple[str, Loc, Any, bool], ...] = (
    ("duplicate-name", ("hubs", 1, "name"), "lab", False),
    ("duplicate-name", ("orgs", 1, "name"), "One", False),
    ("duplicate-org-id", ("orgs", 1, "id"), 30001, False),
    ("duplicate-domain", ("hubs", 1, "domain"), "lab.example.org", False),
    ("duplicate-domain", ("hubs", 0, "domain"), "jhe.example.org", False),
    ("duplicate-domain", ("hubs", 1, "domain"), "mcp.example.org", False),
    ("duplicate-client-id", ("hubs", 1, "clientId"), "jupyterhub-lab.example.org", False),
    ("reserved-hub-name", ("hubs", 0, "name"), "exchange", False),
    ("unportable-name", ("hubs", 1, "name"), "aux", False),
    ("unportable-name", ("site",), "com1", False),
    ("hub-namespace", ("hubs", 0, "namespace"), "jhe", False),
    ("platform-namespace", ("namespace",), "kube-system", False),
    ("unknown-org", ("hubs", 0, "access", "orgs", 0), "Three", False),
    ("unknown-org", ("orgs", 1, "parent"), "Three", False),
    ("unknown-org", ("hubs", 1, "admins"), {"orgs": ["Three"]}, False),
    ("access-mode", ("hubs", 0, "access"), {"orgs": ["One"], "users": ["a@example.org"]}, False),
    ("access-mode", ("hubs", 0, "access"), {}, False),
    ("unsupported-release", ("image", "tag"), "v0.0.9", False),
    ("moving-tag", ("image", "tag"), "main", False),
    ("release-lacks", ("image", "tag"), "v0.0.11", False),
    ("unknown-env", ("exchange", "env", "NO_SUCH_NAME"), "x", True),
    ("managed-env", ("exchange", "env", "DB_HOST"), "x", True),
    ("unknown-setting", ("exchange", "settings", "no.such"), 1, True),
    ("managed-setting", ("exchange", "settings", "site.url"), "x", True),
    ("setting-type", ("exchange", "settings", "auth.sso.saml2"), "x", False),
    ("demo-data-outside-demo", ("exchange", "demoData"), "basic", False),
    ("gitops-repo", ("gitops",), {"engine": "flux"}, False),
    ("gitops-fleet", ("gitops", "fleet"), "fleet", False),
    ("patch-matches-nothing", ("patches", 0, "target", "name"), "exchnage", False),
    ("patch-fails", ("patches", 0, "patch"), [{"op": "remove", "path": "/spec/none"}], False),
    (
        "patch-override",
        ("patches", 0),
        {"target": {"kind": "ConfigMap", "name": "exchange"}, "patch": {"data": {"PGSSLMODE": "disable"}}},
        False,
    ),
    ("secrets-recipients", ("secrets",), {"backend": "sops"}, False),
    ("zone-outside-region", ("cluster", "zones", 1), "us-west-2b", False),
    ("duplicate-node-group", ("cluster", "nodeGroups", 1, "name"), "core", False),
    ("node-group-scaling", ("cluster", "nodeGroups", 1, "scaling"), {"min": 5, "max": 4}, False),
    ("unknown-group-zone", ("cluster", "nodeGroups", 1, "zones"), ["us-east-2z"], False),
    ("invalid-public-range", ("cluster", "access", "publicCidrs", 0), "203.0.113.1/24", False),
    ("unreachable-api", ("cluster", "access"), {"public": False, "private": False}, False),
    ("database-unverified", ("database", "sslMode"), "disable", False),
    ("rds-storage", ("database", "rds", "maxStorageGiB"), 100, False),
    ("application-is-master", ("database", "user"), "postgres", False),
    (
        "hub-values-override",
        ("hubs", 0, "values"),
        {"hub": {"config": {"JupyterHub": {"authenticator_class": "dummy"}}}},
        False,
    ),
    ("hub-values-unknown-key", ("hubs", 0, "values"), {"singleuserr": {}}, False),
)
"""A code, a place of GOOD, what stands there instead, and whether its key is shown."""


SAID_ELSEWHERE: dict[str, Loc] = {
    "release-lacks": ("exchange", "mcp"),  # what the release lacks; the tag is shown beside it
    "patch-matches-nothing": ("patches", 0, "target"),  # kind, name and namespace together name nothing
}
"""Where a mistake is said that may as well be mended at another place than the one that was changed."""


def spoilt(loc: Loc, value: Any) -> Tree:
    """Return GOOD with another value somewhere; what is missing on the way is made."""
    tree = json.loads(json.dumps(GOOD))
    above: Any = tree
    for step in loc[:-1]:
        above = above.setdefault(step, {}) if isinstance(above, dict) else above[step]
    above[loc[-1]] = value
    return dict(tree)


def test_the_good_spec_has_no_mistake() -> None:
    """What is broken below is whole."""
    assert [errors(laid_out(GOOD, style)) for style in STYLES.values()] == [[]] * len(STYLES)


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
@pytest.mark.parametrize(
    ("code", "loc", "value", "key"), BETWEEN, ids=[f"{c[0]} {c[1][0]} {c[1][-1]}" for c in BETWEEN]
)
def test_a_mistake_between_fields_is_found_in_one_of_them(
    code: str, loc: Loc, value: Any, key: bool, style: Style
) -> None:
    """One error, at the place that was changed or inside it."""
    tree = spoilt(loc, value)
    text = laid_out(tree, style)
    found = errors(text)
    assert [d.code for d in found] == [code], [(d.message, str(d.span)) for d in found]
    assert found[0].span is not None
    loc = SAID_ELSEWHERE.get(code, loc)
    inside = [each for each in {**text.keys, **text.values} if each[: len(loc)] == loc]
    allowed = (
        {text.keys[loc]}
        if key
        else {spot[each] for each in inside for spot in (text.keys, text.values) if each in spot}
    )
    assert (found[0].span.line, found[0].span.column) in allowed, (str(found[0].span), found[0].message, allowed)


@pytest.mark.parametrize(("code", "loc", "value", "key"), BETWEEN[::6], ids=[c[0] for c in BETWEEN[::6]])
def test_nothing_is_written_of_a_spec_with_a_mistake(
    code: str, loc: Loc, value: Any, key: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`jhecfg build` exits with 1 and leaves the folder as it was."""
    tree = spoilt(loc, value)
    (tmp_path / "site.yaml").write_bytes(laid_out(tree, STYLES["block"]).data)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JHECFG_NO_CACHE", "1")
    assert run(["build", "site.yaml"]) == 1
    assert os.listdir(tmp_path) == ["site.yaml"]
