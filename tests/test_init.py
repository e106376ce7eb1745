"""init: from answers, or from what people have, to a spec that compiles; and nothing is lost without a word."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from jhecfg import cli
from jhecfg.cli import app
from jhecfg.diagnostics import Diagnostic, Loc, Severity, SpecError
from jhecfg.draft import Draft
from jhecfg.draft.ask import Given, answer
from jhecfg.draft.environment import SECRETS
from jhecfg.draft.page import page
from jhecfg.draft.questions import QUESTIONS
from jhecfg.draft.take import NotKnown, parts, taken
from jhecfg.jsonschema import spec_schema_text
from jhecfg.parse import dotted, leaves, parse
from jhecfg.pipeline import compile_source
from jhecfg.resolve import resolve
from jhecfg.source import load
from tests.tools import ROOT

pytestmark = pytest.mark.slow

CANARY = "c4n4ry-Zq8vT2mX"
GOLDENS = ROOT / "tests" / "init"
Said = Callable[..., tuple[int, str, str]]

BASE = {
    "domain": "jhe.example.edu",
    "contact": "ops@example.edu",
    "smtp-host": "smtp.example.edu",
}
CASES: dict[str, tuple[dict[str, str], ...]] = {
    "cluster": (
        {"cluster": "new", "region": "us-east-2", "api-from": "203.0.113.0/24"},
        {"cluster": "new", "region": "eu-west-1", "api-from": "203.0.113.0/24", "database": "existing",
         "database-host": "db.abc123.eu-west-1.rds.amazonaws.com"},
        {"cluster": "existing", "database-host": "db.abc123.us-east-2.rds.amazonaws.com"},
        {"cluster": "existing", "database-host": "db.example.edu"},
    ),
    "hub": ({"hub": "none"}, {"hub": "here", "org": "Example Lab"}, {"hub": "elsewhere", "org": "Example Lab"}),
    "gitops": (
        {"gitops": "none"},
        {"gitops": "argocd", "repo": "https://git.example.edu/ops/sites.git"},
        {"gitops": "flux", "repo": "ssh://git@git.example.edu/ops/sites.git"},
    ),
    "secrets": (
        {"secrets": "existing"},
        {"secrets": "external-secrets"},
        {"secrets": "sealed-secrets"},
        {"secrets": "sops", "age-recipient": "age13aqvttdk3ujkyjh9kg2w5an6dmy5mq5a84a4uxk3hfhnugfc9p0sy5p2wh"},
    ),
    "environment": ({"environment": "production"}, {"environment": "staging"}, {"environment": "demo"}),
}  # fmt: skip


def combinations() -> Iterator[dict[str, str]]:
    """Yield every combination of answers that the questions allow."""
    for cluster, hub, gitops, secrets, environment in product(*CASES.values()):
        if gitops["gitops"] == "argocd" and secrets["secrets"] == "sops":
            continue
        more = {}
        if secrets["secrets"] == "external-secrets" and cluster["cluster"] == "existing":
            more = {"secrets-region": "us-east-2"}
        yield {**BASE, **cluster, **hub, **gitops, **secrets, **environment, **more}


def drafted(flags: Mapping[str, str], draft: Draft | None = None) -> str:
    """Answer all questions by flags; return the spec's text."""
    draft = draft or Draft()
    assert answer(draft, Given(flags, {}, None, print, lambda name, typed: "")) == ()
    return page(draft)


def compiled(text: str, path: Path = Path("specs/jhe.yaml")) -> tuple[Diagnostic, ...]:
    """Compile a spec's text; return all there is to say about it."""
    return compile_source(load(path, text=text.encode()), "builtin").diagnostics


def codes(text: str) -> set[str]:
    """Return the codes of all that is said about a spec."""
    return {diagnostic.code for diagnostic in compiled(text)}


def faults(text: str) -> set[str]:
    """Return the codes of what the models say against a spec."""
    try:
        parse(load(Path("specs/x.yaml"), text=text.encode()))
    except SpecError as error:
        return {found.code for found in error.diagnostics}
    return set()


def pairs(flags: Mapping[str, str]) -> set[tuple[str, str, str, str]]:
    """Return every two of some answers."""
    items = sorted(flags.items())
    return {(*one, *other) for one in items for other in items if one < other}


def pairwise() -> list[dict[str, str]]:
    """Return so few combinations that any two answers which go together are in one of them."""
    left, chosen = list(combinations()), []
    open_pairs = set().union(*(pairs(flags) for flags in left))
    while open_pairs:
        best = max(left, key=lambda flags: len(pairs(flags) & open_pairs))
        open_pairs -= pairs(best)
        chosen.append(best)
    return chosen


PAIRWISE = pairwise()


@pytest.mark.parametrize("flags", PAIRWISE, ids=lambda flags: "-".join(flags[name] for name in CASES if name in flags))
def test_answers_compile_without_a_word(flags: dict[str, str]) -> None:
    """Whatever is answered, there is neither error nor warning, but that what is to be sealed is not sealed yet."""
    sealed = flags["secrets"] in ("sealed-secrets", "sops")
    assert codes(drafted(flags)) == ({"secret-not-sealed"} if sealed else set())


def test_without_mail_and_networks_only_that_is_said() -> None:
    """What a person leaves out on purpose is a warning, no error."""
    flags = {"domain": "jhe.example.edu", "contact": "ops@example.edu", "cluster": "new", "region": "us-east-2",
             "hub": "none"}  # fmt: skip
    assert codes(drafted(flags)) == {"mail-into-log", "open-api"}


# --- the page ---------------------------------------------------------------------------------------------------------

_LEFT_OUT = re.compile(r"( *)#(?=[^ ])")


def uncommented(text: str) -> Iterator[str]:
    """Yield the page once for each key that is left out, with it and all below it counting; hubs with their orgs."""
    lines = text.splitlines()
    indents = {n: len(found[1]) for n, line in enumerate(lines) if n > 2 and (found := _LEFT_OUT.match(line))}
    counts: set[int] = set()
    for top, indent in indents.items():
        if top in counts and lines[top] != "#hubs:":
            continue
        block = {top}
        while (following := max(block) + 1) < len(lines) and lines[following][: indent + 2].isspace():
            block.add(following)
        counts = block | counts if lines[top] == "#hubs:" else block
        yield "".join(
            (_LEFT_OUT.sub(r"\1", line) if n in indents and n in counts else line) + "\n"
            for n, line in enumerate(lines)
        )


@pytest.mark.parametrize("flags", PAIRWISE[:3], ids=str)
def test_each_line_that_is_left_out_may_count(flags: dict[str, str]) -> None:
    """Take the `#` away from any default or example, and the spec still compiles, and has one thing more."""
    text = drafted(flags)
    before = len(list(leaves(yaml.safe_load(text))))
    pages = list(uncommented(text))
    assert len(pages) > 15
    for each in pages:
        errors = [found for found in compiled(each) if found.severity is Severity.ERROR]
        assert errors == [], each
        assert len(list(leaves(yaml.safe_load(each)))) > before


@settings(max_examples=25, deadline=None)
@given(
    org=st.from_regex(r"[^\s{}$`\\\x00-\x1f\x7f-\x9f\u2000-\uffff][ -#%-Z^-_a-z|~¡-ÿ]{0,20}[a-z]", fullmatch=True),
    user=st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=30),
)
def test_whatever_is_answered_is_what_the_spec_says(org: str, user: str) -> None:
    """No answer can say more than itself: quotes, comments, brackets and colons stay text."""
    draft = Draft()
    flags = {**BASE, "database-host": "db.abc123.us-east-2.rds.amazonaws.com", "org": org, "smtp-user": user}
    try:
        text = drafted(flags, draft)
    except Exception as error:
        assert type(error).__name__ == "Misused"  # noqa: PT017 - what is refused is refused in words
        return
    assert yaml.safe_load(text) == draft.tree
    assert draft.tree["orgs"][0]["name"] == org
    assert draft.tree["exchange"]["smtp"]["user"] == user


# --- from what there is -----------------------------------------------------------------------------------------------

ANSWERS: dict[str, dict[str, str]] = {
    "objects": {"hub": "none"},
    "chart": {"hub": "none", "contact": "it@uni.example.edu", "smtp-host": "smtp.uni.example.edu"},
    "hub": {
        "contact": "it@uni.example.edu",
        "database-host": "pg.abc123.us-west-2.rds.amazonaws.com",
        "smtp-host": "smtp.uni.example.edu",
    },
    "all": {},
}


def inputs(case: str) -> list[Path]:
    """Return the files of a case."""
    return [GOLDENS / f"{name}.in.yaml" for name in (["objects", "chart", "hub"] if case == "all" else [case])]


@pytest.mark.parametrize("case", ANSWERS)
def test_what_there_is_becomes_a_spec_that_compiles(case: str, update: bool) -> None:
    """Kubernetes objects, values of both charts, alone and together: the draft is as it was read and approved."""
    text = drafted(ANSWERS[case], taken(inputs(case)))
    golden = GOLDENS / f"{case}.yaml"
    if update:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")
    assert [found for found in compiled(text) if found.severity is Severity.ERROR] == []


@pytest.mark.parametrize("case", ["new", "flux"])
def test_answers_become_the_page_that_was_approved(case: str, update: bool) -> None:
    """A new cluster with a hub and RDS, and an existing one with Flux: what a newcomer gets to read."""
    new = {**BASE, "cluster": "new", "region": "us-east-2", "api-from": "203.0.113.0/24", "org": "Example Lab"}
    flux = {**BASE, "database-host": "db.example.edu", "hub": "elsewhere", "org": "Example Lab", "gitops": "flux",
            "repo": "https://git.example.edu/ops/sites.git", "secrets": "external-secrets",
            "secrets-region": "us-east-2"}  # fmt: skip
    text = drafted({"new": new, "flux": flux}[case])
    golden = GOLDENS / f"{case}.yaml"
    if update:
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("case", ANSWERS)
def test_no_secret_comes_along(case: str) -> None:
    """Every secret of the inputs is named by its key, and its value is nowhere."""
    draft = taken(inputs(case))
    said = drafted(ANSWERS[case], draft) + "".join(map(str, draft.notes))
    assert CANARY in "".join(path.read_text() for path in inputs(case))
    assert CANARY not in said


KEYS = st.from_regex(r"[a-z][A-Za-z]{0,8}", fullmatch=True)
EXTRA = st.recursive(
    st.sampled_from(["text", 3, True]),
    lambda inner: st.dictionaries(KEYS, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3),
    max_leaves=6,
)
PLACES: dict[str, tuple[tuple[str | int, ...], ...]] = {
    "objects": (("spec",), ("spec", "template", "spec"), ("spec", "template", "spec", "containers", 0), ("data",)),
    "chart": ((), ("db",), ("env",), ("openWearables",), ("service",)),
    "hub": ((), ("hub",), ("hub", "config"), ("singleuser",), ("singleuser", "storage"), ("ingress",)),
}


@pytest.mark.parametrize("case", PLACES)
@settings(max_examples=25, deadline=None)
@given(data=st.data(), key=KEYS, extra=EXTRA)
def test_nothing_is_lost_without_a_word(
    case: str, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, key: str, extra: Any
) -> None:
    """Whatever else is in a file, wherever: each value is in the draft, or below a key that a note names."""
    trees = list(yaml.safe_load_all(inputs(case)[0].read_text()))
    tree = place = data.draw(st.sampled_from(trees))
    loc: Loc = ()
    for step in data.draw(st.sampled_from(PLACES[case])):
        if isinstance(place, list) or step in place:
            place, loc = place[step], (*loc, step)
    place[f"extra{key}"] = extra
    path = tmp_path_factory.mktemp("nothing-lost") / "in.yaml"
    path.write_text(json.dumps(tree))
    where = dotted((*loc, f"extra{key}"))
    named = [note.key for note in taken([path]).notes]
    assert any(where.startswith(key) or key.startswith(where) or key == "the spec" for key in named), named


def test_a_file_is_split_where_its_documents_begin() -> None:
    """Dashes in a block or a quote are text; lines are those of the file; what holds nothing is no document."""
    text = "# only words\n---\na: |\n  ---\n  x\n---\r\nb: 1\r\n...\n--- # again\n\n---\nc: '---'\n"
    found = list(parts(text.encode(), "x.yaml"))
    assert [part.document.tree for part in found] == [{"a": "---\nx\n"}, {"b": 1}, {"c": "---"}]
    assert [part.line for part in found] == [1, 5, 10]
    with pytest.raises(SpecError) as caught:
        list(parts(b"a: 1\n---\nb: 1\nb: 2\n", "x.yaml"))
    assert [str(found.span) for found in caught.value.diagnostics] == ["x.yaml:4:1"]


HOSTILE: dict[str, bytes] = {
    "empty": b"",
    "binary": bytes(range(256)),
    "utf16": "a: 1".encode("utf-16"),
    "deep": b"hub: " + b"[" * 5000,
    "aliases": b"a: &a [x,x,x,x,x,x,x,x,x]\n" + b"".join(
        b"b%d: &b%d [*%s,*%s,*%s,*%s,*%s,*%s,*%s,*%s]\n" % (n, n, *([b"b%d" % (n - 1) if n else b"a"] * 8))
        for n in range(8)
    ),
    "documents": b"---\nkind: Service\napiVersion: v1\n" * 300,
    "foreign": b"name: something else\n",
    "a spec": b"apiVersion: jhecfg/v1\nsite: x\n",
    "large": b"hub: {}\n" + b"# padding\n" * 120_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_input_is_refused_in_words(name: str, work: Path, init: Said) -> None:
    """Nothing is written, and it is no bug, whatever a file holds."""
    Path("in.yaml").write_bytes(HOSTILE[name])
    code, out, err = init("--from", "in.yaml", "--domain", "jhe.example.edu", "--contact", "ops@example.edu", "--yes")
    assert (code, out) == (1 if name != "empty" else 2, "")
    assert err
    assert list(work.iterdir()) == [work / "in.yaml"]


NAMES = [
    "hub",
    "config",
    "JupyterHub",
    "GenericOAuthenticator",
    "allowed_groups",
    "allowed_users",
    "admin_users",
    "client_id",
    "singleuser",
    "image",
    "name",
    "tag",
    "memory",
    "limit",
    "storage",
    "capacity",
    "extraEnv",
    "JHE_URL",
    "db",
    "host",
    "port",
    "env",
    "SITE_URL",
    "DB_PORT",
    "replicas",
    "resources",
    "requests",
    "cpu",
    "httpRoute",
    "hostnames",
    "ingress",
    "hosts",
    "apiVersion",
    "kind",
    "items",
    "data",
    "spec",
    "template",
    "containers",
    "rules",
    "value",
    "metadata",
    "password",
]
SHAPES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 70000)
    | st.sampled_from(["", "x", "a.example.edu", CANARY, "20Gi", "1G"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)


@settings(max_examples=25, deadline=None)
@given(tree=st.dictionaries(st.sampled_from(["hub", "singleuser", "db", "env", "kind", "apiVersion", "spec"]), SHAPES))
def test_odd_shapes_are_noted_and_break_nothing(tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any]) -> None:
    """Lists where mappings belong, numbers where text belongs: a draft comes out that the spec's models accept."""
    path = tmp_path_factory.mktemp("odd") / "in.yaml"
    for kind in (None, "Deployment", "ConfigMap", "Ingress", "List"):
        path.write_text(json.dumps(tree | ({"kind": kind, "apiVersion": "v1"} if kind else {})))
        try:
            draft = taken([path])
        except (NotKnown, SpecError):
            continue
        text = page(draft)
        assert yaml.safe_load(text) == draft.tree
        assert faults(text) <= {"missing-field"}, text


def test_each_secret_of_the_exchange_has_the_name_that_the_site_gives_it() -> None:
    """What a note calls a secret is what `jhecfg secrets` calls it."""
    site = resolve(
        parse(load(Path("specs/x.yaml"), text=drafted(ANSWERS["objects"], taken(inputs("objects"))).encode()))
    )
    names = {f"{need.name}/{item.key}" for need in site.site.secrets for item in need.items}
    assert set(SECRETS.values()) <= names


# --- the command ------------------------------------------------------------------------------------------------------

FLAGS = ("--domain", "jhe.example.edu", "--contact", "ops@example.edu", "--hub", "none")
HOST = ("--database-host", "db.abc123.us-east-2.rds.amazonaws.com")


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


@pytest.fixture
def init(capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to run `jhecfg init` here: words in; exit code, stdout and stderr out."""

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run(["init", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_a_spec_is_written_with_its_schema_and_what_comes_next(work: Path, init: Said) -> None:
    """The schema stands where the modeline says; a build of the spec, without another word, works."""
    code, out, err = init(*FLAGS, *HOST, "--smtp-host", "smtp.example.edu")
    assert (code, out) == (0, "")
    assert (work / "specs/jhecfg.schema.json").read_text(encoding="utf-8") == spec_schema_text()
    assert (
        (work / "specs/jhe.yaml")
        .read_text(encoding="utf-8")
        .startswith("# yaml-language-server: $schema=jhecfg.schema.json\n")
    )
    assert err == (
        "specs/jhe.yaml: written, and specs/jhecfg.schema.json for editors\n"
        "next:\n"
        "  jhecfg secrets init specs/jhe.yaml   # makes the site's secrets, in a file that git does not see\n"
        "  jhecfg build specs/jhe.yaml   # writes out/jhe/; commit it with the spec\n"
        "  less out/jhe/RUNBOOK.md   # every command of this site, in order\n"
    )
    assert cli.run(["build", "-q", "--strict", "--validator", "builtin"]) == 0


def test_what_is_there_stays_as_it_is(work: Path, init: Said) -> None:
    """Neither a spec nor a schema is overwritten, and a link that leads nowhere is not followed."""
    (work / "specs").mkdir()
    (work / "specs/jhe.yaml").write_text("mine")
    (work / "specs/jhecfg.schema.json").write_text("mine")
    (work / "link.yaml").symlink_to("elsewhere.yaml")
    assert init(*FLAGS, *HOST)[0] == 4
    assert init("link.yaml", *FLAGS, *HOST)[0] == 4
    assert init("specs/other.yaml", *FLAGS, *HOST)[0] == 0
    assert (work / "specs/jhe.yaml").read_text() == (work / "specs/jhecfg.schema.json").read_text() == "mine"
    assert not (work / "elsewhere.yaml").exists()


def test_a_dash_prints_the_spec_and_writes_nothing(work: Path, init: Said) -> None:
    """The page goes to stdout alone."""
    code, out, _ = init("-", *FLAGS, *HOST)
    assert code == 0
    assert yaml.safe_load(out)["site"] == "jhe"
    assert list(work.iterdir()) == []


def test_without_a_terminal_what_is_missing_is_said_and_nothing_asked(work: Path, init: Said) -> None:
    """The flags that would answer are named; those that follow from them are not."""
    assert init() == (
        2,
        "",
        "jhecfg: init needs --domain, --contact, --database-host, --org, or a terminal to ask on\n",
    )
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--domain", "https://jhe.example.edu"), "--domain: it must be a host name such as jhe.example.org"),
        (("--gitops", "helm"), "--gitops: it must be one of none, argocd, flux"),
        (("--image-tag", "v0.0.7"), "--image-tag: "),
        (("--region", "us-east-2"), "--region: there is no use for it after the other answers"),
        (("--hub", "here", "--hub-name", "exchange"), "--hub-name: 'exchange' is the name of a part of the Exchange"),
        (
            ("--hub", "here", "--hub-domain", "jhe.example.edu"),
            "--hub-domain: two parts of the site have the host name",
        ),
        (("--hub", "here", "--org", "x", "--org-id", "-1"), "--org-id: it must be a whole number"),
        (("--org", "x"), "--org: there is no use for it"),
    ],
)
def test_an_answer_is_judged_as_the_spec_would(init: Said, work: Path, words: tuple[str, ...], said: str) -> None:
    """A wrong flag is a mistake of the command line, said in the words of the spec and its rules."""
    code, out, err = init(*FLAGS, *HOST, *words)
    assert (code, out) == (2, "")
    assert said in err
    assert list(work.iterdir()) == []


def test_every_question_has_its_flag() -> None:
    """No question can be answered on a terminal only, and no flag answers nothing."""
    command = next(
        command.callback
        for command in app.registered_commands
        if command.name == "init" or (command.callback and command.callback.__name__ == "init")
    )
    assert command is not None
    named = {name.replace("_", "-") for name in command.__annotations__}
    assert named - {"file", "inputs", "yes", "quiet", "return"} == {question.name for question in QUESTIONS}


def test_on_a_terminal_it_asks_until_the_answer_will_do(work: Path) -> None:
    """A wrong answer is asked for again, an empty one takes the default, and the spec is written."""
    answers = ["https://x", "jhe.example.edu", "", "ops@example.edu", "", "", "", "db.abc123.us-east-2.rds.amazonaws.com",
               "smtp.example.edu", "", "none", "", ""]  # fmt: skip
    code, seen = on_terminal(["init"], answers)
    assert "it must be a host name such as jhe.example.org" in seen
    assert "Name of the site: its folder in out/ [jhe]: " in seen
    assert code == 0, seen
    assert yaml.safe_load((work / "specs/jhe.yaml").read_text())["exchange"] == {
        "smtp": {"host": "smtp.example.edu", "user": "ops@example.edu"}
    }


def test_whoever_stops_answering_has_written_nothing(work: Path) -> None:
    """The end of the input is no answer."""
    code, seen = on_terminal(["init"], ["jhe.example.edu", "\x04"])
    assert code == 2
    assert "nothing was written: the answers ended" in seen
    assert list(work.iterdir()) == []


def test_an_interrupt_writes_nothing_and_says_so(work: Path) -> None:
    """Ctrl-C ends it with the code of an interrupt, as the first line promises."""
    code, seen = on_terminal(["init"], ["jhe.example.edu", "\x03"])
    assert code == 130
    assert seen.startswith("Enter takes what stands in [brackets]; Ctrl-C ends it, and nothing is written.")
    assert seen.rstrip().endswith("nothing was written")
    assert list(work.iterdir()) == []


def test_whoever_builds_on_a_terminal_is_told_what_comes_next(work: Path, init: Said) -> None:
    """The next step is said where something was written, to a person alone: not when nothing changed."""
    assert init(*FLAGS, *HOST)[0] == 0
    code, seen = on_terminal(["build"], [])
    assert code == 0
    assert "next: `jhecfg plan` says what it means; read `git diff out/jhe`, and commit it with the spec" in seen
    assert "next:" not in on_terminal(["build"], [])[1]


def on_terminal(words: list[str], answers: list[str]) -> tuple[int, str]:
    """Run jhecfg on a terminal and type each answer when a prompt stands there; return exit code and all that is seen."""
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "jhecfg", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    os.close(theirs)
    seen, left = b"", list(answers)
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
        if left and seen.endswith(b": "):
            word = left.pop(0)
            if word == "\x03":  # the terminal is not the child's controlling one, which would send this
                child.send_signal(signal.SIGINT)
            else:
                os.write(ours, word.encode() if word == "\x04" else word.encode() + b"\n")
    os.close(ours)
    return child.wait(60), seen.decode()


# --- where people are -------------------------------------------------------------------------------------------------


def test_the_hook_of_pre_commit_runs_check(work: Path, init: Said) -> None:
    """The command that pre-commit runs finds a fresh build in order, and one whose spec has changed not."""
    hook, _ = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    assert (hook["id"], hook["language"], hook["pass_filenames"]) == ("jhecfg-check", "python", False)
    assert re.search(hook["files"], "specs/jhe.yaml")
    assert not re.search(hook["files"], "docs/specs.md")
    assert init(*FLAGS, *HOST)[0] == 0
    name, *words = hook["entry"].split()
    assert name == "jhecfg"
    assert cli.run(["build", "-q"]) == 0
    assert cli.run(words) == 0
    spec = work / "specs/jhe.yaml"
    spec.write_text(spec.read_text().replace("jhe.example.edu", "other.example.edu"))
    assert cli.run(words) == 3
