"""plan: goldens of what a change means, there and back; and what is true of every plan."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings

from jhecfg.pipeline import Build, compile_source
from jhecfg.plan import EFFECTS, Plan, Severity, pair_of, plan, reasons
from jhecfg.plan.charts import WITHOUT
from jhecfg.plan.document import document
from jhecfg.plan.markdown import markdown
from jhecfg.plan.model import Kind
from jhecfg.plan.reasons import spec_changes
from jhecfg.plan.text import text
from jhecfg.plan.values import HIDDEN, arrow, shown
from jhecfg.releases import CHARTS
from jhecfg.render.charts import release_name
from jhecfg.source import Source, load
from jhecfg.tree import LOCK
from tests.strategies import source_of, specs
from tests.test_goldens import DELTAS, golden
from tests.unsealing import AGE

TESTS = Path(__file__).parent
quick = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), database=None)
CASES = sorted((TESTS / "plans").glob("*.yaml"))
FORMATS: dict[str, Callable[[Plan], str]] = {
    "txt": text,
    "md": lambda each: markdown([each]),
    "json": lambda each: document([each]),
}
_HASH = re.compile(r"\b(migrate|demo-data|bootstrap|smoke-test)-[0-9a-f]{10}\b|(?<=: )[0-9a-f]{10} → [0-9a-f]{10}\b")


@cache
def build(path: Path) -> Build:
    """Compile a case; it breaks no rule."""
    made = compile_source(load(path, name=path.name), "none")
    assert [d for d in made.diagnostics if d.severity == "error"] == []
    return made


@pytest.fixture(scope="module")
def before(base: Source) -> Build:
    """Return the base spec, compiled."""
    return compile_source(base, "none")


def steady(said: str) -> str:
    """Return a plan without the content hashes, which any change of jhecfg itself moves."""
    return _HASH.sub(lambda match: f"{match[1]}-<hash>" if match[1] else "<hash> → <hash>", said)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("way", ["", ".back"])
def test_a_change_is_said_in_these_words(path: Path, way: str, update: bool, before: Build) -> None:
    """From tests/base.yaml to a case, and back, a plan says what the .txt holds."""
    after = build(path)
    said = steady(text(plan(before, after) if not way else plan(after, before)))
    assert said == golden(path.with_suffix(f"{way}.txt"), said, update=update)


@pytest.mark.parametrize("style", ["md", "json"])
@pytest.mark.parametrize("name", ["image", "hub", "hatches"])
def test_bots_and_programs_are_told_the_same(name: str, style: str, update: bool, before: Build) -> None:
    """The page for a pull request and the document for a program hold what their goldens hold."""
    path = TESTS / "plans" / f"{name}.yaml"
    said = steady(FORMATS[style](plan(before, build(path))))
    assert said == golden(path.with_suffix(f".{style}"), said, update=update)


# --- what is true of every plan ---------------------------------------------------------------------------------------


def both_ways(path: Path, before: Build) -> list[tuple[Build, Build]]:
    """Return a change and its way back."""
    after = build(path)
    return [(before, after), (after, before)]


@pytest.mark.slow
@pytest.mark.parametrize("path", [*CASES, *DELTAS], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_output_that_differs_is_in_the_plan_with_its_reason(path: Path, before: Build) -> None:
    """Outputs with other bytes, and only those, are listed; each says which change of the spec shapes it."""
    for old, new in both_ways(path, before):
        said = plan(old, new)
        moved = {name for name in {**old.files, **new.files} if old.files.get(name) != new.files.get(name)}
        assert {change.path for change in said.objects} == moved - {LOCK}
        assert all(change.because for change in said.objects)


@pytest.mark.slow
@pytest.mark.parametrize("path", [*CASES, *DELTAS], ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_effect_has_its_reason_in_the_spec(path: Path, before: Build) -> None:
    """What an effect is said to come from is written in one of the two specs, on the line that is shown."""
    for old, new in both_ways(path, before):
        for effect in plan(old, new).effects:
            assert effect.because, effect.text
            for change in effect.because:
                side, loc = (new, change.new) if change.new is not None else (old, change.old)
                assert loc in side.source.places
                assert change.span.text in [line for each in side.source.documents for line in each.lines]


@pytest.mark.parametrize("path", [TESTS / "base.yaml", *CASES], ids=lambda path: path.stem)
def test_nothing_changes_between_a_spec_and_itself(path: Path) -> None:
    """A spec compared with itself has an empty plan."""
    same = build(path)
    said = plan(same, build(path))
    assert (said.verb, said.changes, said.objects, said.effects) == ("same", (), (), ())


def test_what_moves_no_output_has_no_effect(base: Source, before: Build) -> None:
    """A default that is written out, comments and the order of keys change the spec and nothing else."""
    written = (TESTS / "base.yaml").read_text(encoding="utf-8").replace("site: base\n", "site: base\nnamespace: jhe\n")
    said = plan(before, compile_source(load(base.path, name="base.yaml", text=written.encode()), "none"))
    assert said.verb == "same"
    assert [change.name for change in said.changes] == [("namespace",)]
    assert text(said) == "base: the spec differs and no output does\n"


@pytest.mark.slow
def test_every_effect_and_every_kind_of_it_is_shown_by_a_golden(before: Build) -> None:
    """No function of EFFECTS is idle, and no kind of effect is without an example."""
    pairs = [pair_of(*two) for path in CASES for two in both_ways(path, before)]
    assert {effects.__name__ for effects in EFFECTS if any(True for pair in pairs for _ in effects(pair))} == {
        effects.__name__ for effects in EFFECTS
    }
    kinds = {effect.kind for pair in pairs for effects in EFFECTS for effect in effects(pair)}
    assert kinds == set(get_args(Kind))


PROGRAMS = {
    "kubectl",
    "helm",
    "aws",
    "eksctl",
    "jhecfg",
    "pg_dump",
    "pg_restore",
    "psql",
    "umask",
    "python3",
    "rm",
    "cp",
}


@pytest.mark.slow
@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_every_command_is_shell_for_programs_and_files_that_are_there(path: Path, before: Build) -> None:
    """A shell can read what people are told to run; it names known programs, and files of the new output."""
    for old, new in both_ways(path, before):
        commands = [command for effect in plan(old, new).effects for command in effect.commands]
        subprocess.run(["bash", "-n"], input="\n".join(commands).encode(), check=True, timeout=30)
        for command in commands:
            words = shlex.split(command.replace("\\\n", " "))
            assert words[0] in {*PROGRAMS, "for"} or re.match(r"\w+=", words[0]), command
            named = re.findall(r"--(?:filename|kustomize|values|config-file)[ =](\S+)", command)
            assert all(any(file == name or file.startswith(f"{name}/") for file in new.files) for name in named), (
                command
            )


def test_every_chart_of_the_platform_is_missed_by_somebody() -> None:
    """What is said of a chart that goes is known for each of them."""
    assert {release_name(chart) for chart in CHARTS.values() if chart.namespace} == WITHOUT.keys()


def test_a_new_site_and_one_that_goes_are_said(before: Build) -> None:
    """Without an older side everything is new; without a newer one data are at stake."""
    new, gone = plan(None, before), plan(before, None)
    assert (new.verb, gone.verb, gone.severity) == ("added", "removed", Severity.DATA)
    assert {change.path for change in new.objects} == before.files.keys() - {LOCK}
    assert all(effect.because for each in (new, gone) for effect in each.effects)
    assert "persistentVolumeReclaimPolicy" in text(gone)


# --- reasons ----------------------------------------------------------------------------------------------------------


def changed(before: Build, *edits: tuple[str, str]) -> Plan:
    """Plan textual edits of the base spec."""
    written = (TESTS / "base.yaml").read_text(encoding="utf-8")
    for old, new in edits:
        assert old in written
        written = written.replace(old, new, 1)
    return plan(before, compile_source(load(TESTS / "base.yaml", name="base.yaml", text=written.encode()), "none"))


def test_each_leaf_names_the_change_that_shapes_it_and_no_other(before: Build) -> None:
    """Of two changes made at once, each leaf of an output is put down to its own."""
    said = changed(
        before,
        ("X_FRAME_OPTIONS: DENY", "X_FRAME_OPTIONS: SAMEORIGIN"),
        ("user: jhe@example.org", "user: mail@example.org"),
    )
    config = next(change for change in said.objects if change.path.endswith("configmap-exchange.yaml"))
    assert {leaf.pointer: [why.name for why in leaf.because] for leaf in config.leaves} == {
        ("data", "X_FRAME_OPTIONS"): [("exchange", "env", "X_FRAME_OPTIONS")],
        ("data", "SMTP_USER"): [("exchange", "smtp", "user")],
    }


def test_a_change_that_others_need_still_gets_its_part(before: Build) -> None:
    """An organization that a hub needs cannot be taken back alone; what it shapes is found all the same."""
    said = changed(
        before,
        ("parent: Example Lab}", "parent: Example Lab}\n  - {name: Third, id: 20003, type: team}"),
        ("access: {orgs: [Example Lab]}", "access: {orgs: [Example Lab, Third]}"),
    )
    reasons = {change.path: {why.name[0] for why in change.because} for change in said.objects}
    assert reasons["manifests/40-bootstrap/configmap-bootstrap.yaml"] == {"orgs"}
    assert reasons["hubs/hub/values.yaml"] == {"hubs"}


def test_items_in_another_order_are_one_change(before: Build) -> None:
    """Hubs that change places are no hubs that come and go."""
    swapped = {**before.source.tree, "orgs": list(reversed(before.source.tree["orgs"]))}
    after = compile_source(source_of(swapped), "none")
    assert [(c.name, c.was, c.becomes) for c in spec_changes(before.source, after.source)] == [
        (("orgs",), ["Example Lab", "Hub Admins"], ["Hub Admins", "Example Lab"])
    ]


def test_many_changes_are_taken_back_together(before: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one rendering for each change would be too many, those below one key share theirs."""
    monkeypatch.setattr(reasons, "MOST", 1)
    said = changed(before, ("sso.saml2: 1", "sso.saml2: 0"), ("X_FRAME_OPTIONS: DENY", "X_FRAME_OPTIONS: SAMEORIGIN"))
    assert all(len(change.because) == 2 for change in said.objects)


@pytest.mark.slow
@quick
@given(specs(), specs())
def test_any_two_specs_can_be_compared(one: dict[str, object], other: dict[str, object]) -> None:
    """Whatever differs, there is a plan, in every format, and its reasons are there."""
    said = plan(compile_source(source_of(one), "none"), compile_source(source_of(other), "none"))
    assert all(effect.because for effect in said.effects)
    assert [written(said) for written in FORMATS.values()]


# --- effects that no small change of the base spec has ----------------------------------------------------------------

LAB: dict[str, object] = {
    "apiVersion": "jhecfg/v1",
    "site": "lab",
    "environment": "demo",
    "domain": "jhe.example.org",
    "contact": "ops@example.org",
    "image": {"tag": "v0.0.13"},
    "database": {"host": "db.abc123.us-east-2.rds.amazonaws.com"},
}


def between(before: Mapping[str, object], after: Mapping[str, object]) -> Plan:
    """Return the plan between two variants of a small site."""
    one, other = (compile_source(source_of({**LAB, **each}), "none") for each in (before, after))
    return plan(one, other)


def test_demonstration_data_are_announced_and_stay() -> None:
    """Their users' password is published; into a database in use they do not go, and out of one they do not go either."""
    loaded: dict[str, object] = {"exchange": {"demoData": "basic"}}
    said = {name: between(*pair) for name, pair in {"on": ({}, loaded), "off": (loaded, {})}.items()}
    said["real"] = between(loaded, {"environment": "staging"})
    words = {
        name: next(e.text for e in each.effects if e.subject == "demonstration data") for name, each in said.items()
    }
    assert all("everybody knows" in text for text in words.values())
    assert [name for name, text in words.items() if "refuse" in text] == ["on", "real"]
    assert "stay in the database" in words["off"]
    assert all(each.severity is Severity.ATTENTION for each in said.values())


def test_flux_deletes_no_secret_when_sops_is_left() -> None:
    """A Secret goes with its file: each is told to stay first, by a field manager that Flux does not take back."""
    flux = {"gitops": {"engine": "flux", "repo": "https://git.example.org/lab/sites.git"}}
    sops = {"secrets": {"backend": "sops", "recipients": [AGE.recipient]}}
    said = between({**flux, **sops}, flux)
    (effect,) = (effect for effect in said.effects if effect.subject == "secrets")
    assert effect.severity is Severity.OUTAGE
    kept = [shlex.split(line) for line in effect.commands]
    assert {words[words.index("secret") + 1] for words in kept} == {"jhe-bootstrap", "jhe-database", "jhe-exchange"}
    for words in kept:
        assert "kustomize.toolkit.fluxcd.io/prune=disabled" in words
        assert "--field-manager=flux-client-side-apply" in words
    assert not next(e for e in between(sops, {}).effects if e.subject == "secrets").commands


# --- nothing secret, nothing that acts --------------------------------------------------------------------------------

CANARY = "c4n4ry-Zq8vT2mX"


@pytest.mark.parametrize(
    ("value", "at"),
    [
        (CANARY, ("data", "SMTP_PASSWORD")),
        (f"https://user:{CANARY}@example.org", ("x",)),
        ({"a": {"apiToken": CANARY}}, ("hub",)),
        ([f"password={CANARY}"], ("args",)),
    ],
)
def test_a_value_that_could_be_a_secret_is_not_shown(value: object, at: tuple[str, ...]) -> None:
    """What escaped every other net is still not repeated."""
    assert shown(value, at) == HIDDEN
    assert CANARY not in arrow(value, "x", at) + arrow("x", value, at)


HOSTILE = "##[error]x `code` ```\n::error::y | @everyone <b> [l](http://x) www.x.org #1"


def test_what_a_spec_holds_commands_no_terminal_and_no_log(base: Source, before: Build) -> None:
    """Escapes, workflow commands and controls of a value come out as text."""
    tree = {**base.tree, "exchange": {**base.tree["exchange"], "env": {"X_FRAME_OPTIONS": HOSTILE}}}
    said = text(plan(before, compile_source(source_of(tree), "none")))
    assert "X_FRAME_OPTIONS" in said
    assert not re.search(r"##\[|^\s*::", said, re.MULTILINE)


def test_no_word_of_a_plan_moves_a_terminal() -> None:
    """Controls, escapes and what cannot be seen are shown as what they are."""
    said = text(Plan(site="a\x1b[2J", spec="b", verb="unknown", notes=("c\u202e\x07\r",)))
    assert not [c for c in said if not c.isprintable() and c != "\n"]
    assert r"\u001b[2J" in said


def test_what_a_spec_holds_is_no_markup_on_a_pull_request(base: Source, before: Build) -> None:
    """In Markdown a value mentions nobody, links nowhere, opens no HTML and ends no table, code or fence."""
    tree = {**base.tree, "exchange": {**base.tree["exchange"], "env": {"X_FRAME_OPTIONS": HOSTILE}}}
    tree["orgs"] = [*base.tree["orgs"], {"name": "A | @team <b> #7 https://x.example", "id": 20009, "type": "team"}]
    said = markdown([plan(before, compile_source(source_of(tree), "none"))])
    fences = re.findall(r"^```+.*$", said, re.MULTILINE)
    assert len(fences) % 2 == 0
    outside = re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"^```.*?^```$", "", said, flags=re.S | re.M))
    assert not re.search(r"@(everyone|team)|<b>|(?<!&)#[17]|https?://|www\.", outside)
    assert "A \\| @&#8203;team" in said
