"""jhecfg set: values of a spec change, nothing else of it does, and what could not be built is not written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jhecfg import cli
from jhecfg.commands.set_words import assignment
from jhecfg.diagnostics import Misused
from jhecfg.reader import read
from jhecfg.talk import Exit
from tests.tools import ROOT

SPEC = """\
# A lab.
apiVersion: jhecfg/v1
site: lab
environment: staging
domain: jhe.example.org
contact: 'ops@example.org'  # a list
image: {tag: v0.0.13}
database:

    host: jhe.abc123.us-east-2.rds.amazonaws.com   # RDS
orgs:
-   {name: Example Lab, id: 20001, type: laboratory}   # the first
-   {name: Other, id: 20002, type: team}
hubs:
-   name: hub   # research
    domain: hub.example.org
    deploy: external
    access: {orgs: [Example Lab]}
    # the last of hub
"""
BASE = """\
apiVersion: jhecfg/v1
environment: staging
contact: ops@example.org
image: {tag: v0.0.13}
orgs:
  - {name: Example Lab, id: 20001, type: laboratory}
hubs:
  - name: hub
    deploy: external   # elsewhere
    access: {orgs: [Example Lab]}
"""
LEAF = """\
apiVersion: jhecfg/v1
extends: base.yaml
site: NAME
domain: NAME.example.org
database: {host: NAME.abc123.us-east-2.rds.amazonaws.com}
hubs:
  - name: hub
    domain: hub.NAME.example.org
"""
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def jhecfg(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to run `jhecfg set` beside lab.yaml and specs/: words in; exit code, stdout and stderr out."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    Path("lab.yaml").write_text(SPEC)
    Path("specs").mkdir()
    Path("specs/base.yaml").write_text(BASE)
    for name in ("one", "two"):
        Path(f"specs/{name}.yaml").write_text(LEAF.replace("NAME", name))

    def run(*words: str) -> tuple[int, str, str]:
        code = cli.run(["set", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def lab() -> str:
    """Return the spec as it is now."""
    return Path("lab.yaml").read_bytes().decode()


def test_a_value_changes_and_it_is_said_what_and_what_comes_next(jhecfg: Said) -> None:
    """One line of the spec, one line of words, and the command that tells what it means."""
    assert jhecfg("lab.yaml", "image.tag=v0.0.12") == (
        Exit.OK,
        "image.tag: v0.0.13 → v0.0.12\n",
        "lab.yaml: written; `jhecfg plan lab.yaml` says what it means, `jhecfg build lab.yaml` makes it\n",
    )
    assert lab() == SPEC.replace("v0.0.13", "v0.0.12")


def test_who_asks_for_quiet_hears_nothing(jhecfg: Said) -> None:
    """Only what is wrong."""
    assert jhecfg("lab.yaml", "-q", "image.tag=v0.0.12") == (Exit.OK, "", "")


def test_json_stays_json(jhecfg: Said) -> None:
    """A spec may be JSON, as programs write it; what comes into it is JSON too, and can go again."""
    text = json.dumps(read(SPEC.encode(), "s").tree)
    Path("lab.json").write_text(text)
    words = ("orgs[Z].id=9", "orgs[Z].type=team", "hubs[hub].access.orgs+=Z", "exchange.settings[auth.sso.saml2]=1")
    assert jhecfg("lab.json", *words)[0] == Exit.OK
    assert json.loads(Path("lab.json").read_bytes())["orgs"][2] == {"name": "Z", "id": 9, "type": "team"}
    assert jhecfg("lab.json", "-d", "orgs[Z]", "-d", "hubs[hub].access.orgs[Z]", "-d", "exchange")[0] == Exit.OK
    assert Path("lab.json").read_text() == text


def test_several_changes_are_one(jhecfg: Said) -> None:
    """All that is asked for stands in the spec afterwards, in the spec's own indents and quotes."""
    words = ("contact=it@example.org", "exchange.replicas=3", "hubs[hub].access.orgs+=Other", "database.port=5433")
    assert jhecfg("lab.yaml", *words)[0] == Exit.OK
    assert lab() == (
        SPEC.replace("'ops@example.org'", "'it@example.org'")
        .replace("[Example Lab]}", "[Example Lab, Other]}")
        .replace("# RDS\n", "# RDS\n    port: 5433\n")
        + "exchange:\n    replicas: 3\n"
    )


def test_a_hub_and_its_organization_come_and_go(jhecfg: Said) -> None:
    """All words for one new item make it together; taken away again, the file is what it was."""
    assert jhecfg(
        "lab.yaml", "orgs[New Lab].id=20003", "orgs[New Lab].type=laboratory", "hubs[new].domain=new.example.org",
        "hubs[new].deploy=external", "hubs[new].access.orgs=[New Lab, Other]",
    )[0] == Exit.OK  # fmt: skip
    assert lab() == SPEC.replace("type: team}\n", "type: team}\n-   {name: New Lab, id: 20003, type: laboratory}\n") + (
        "-   name: new\n    domain: new.example.org\n    deploy: external\n    access:\n        orgs: [New Lab, Other]\n"
    )
    code, out, _ = jhecfg("lab.yaml", "--delete", "hubs[new]", "-d", "orgs[New Lab]")
    assert (code, lab()) == (Exit.OK, SPEC)
    assert "hubs.new: removed: 4 keys\n" in out


def test_a_whole_item_can_be_given_at_once(jhecfg: Said) -> None:
    """Its name is in the key; the last hub leaves no empty list behind."""
    assert jhecfg("lab.yaml", "hubs[b]={domain: b.example.org, deploy: external, access: {orgs: [Other]}}")[0] == 0
    assert lab().endswith(
        "-   name: b\n    domain: b.example.org\n    deploy: external\n    access:\n        orgs: [Other]\n"
    )
    assert jhecfg("lab.yaml", "-d", "hubs[hub]", "-d", "hubs[b]")[0] == Exit.OK
    assert lab() == SPEC[: SPEC.index("hubs:")]


def test_an_item_can_be_renamed_in_its_place(jhecfg: Said) -> None:
    """It keeps its comments."""
    assert jhecfg("lab.yaml", "orgs[Other].name=Another", "hubs[hub].name=research")[0] == Exit.OK
    assert lab() == SPEC.replace("name: Other", "name: Another").replace("name: hub ", "name: research ")


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("image.tag=1.10", "1.10"),
        ("image.tag='1.10'", "1.10"),
        ("cluster.version=1.36", "1.36"),
        ("exchange.title=Lab #1: no", "Lab #1: no"),
        ("exchange.title=no", "no"),
        ("exchange.title=null", None),
        ("exchange.title='null'", "null"),
        ("exchange.env.X=10", "10"),
        ("exchange.replicas=3", 3),
        ("exchange.smokeTest=true", True),
        ("hubs[hub].resources.cpu.limit=1.5", 1.5),
        ("cluster.zones=[us-east-2a, us-east-2b]", ["us-east-2a", "us-east-2b"]),
        ("hubs[hub].access.users+=a@example.org", ["a@example.org"]),
        ("hubs[hub].image={tag: 2026.11, repository: quay.io/a/b}", {"tag": "2026.11", "repository": "quay.io/a/b"}),
        ("hubs[hub].values.singleuser.x=1.10", 1.1),
        ("exchange.settings[auth.sso.saml2]=1", 1),
    ],
)
def test_a_value_has_the_type_of_its_field(word: str, value: object) -> None:
    """Text is text, however it looks; where the spec takes anything, YAML decides."""
    assert repr(assignment(word).value) == repr(value)


def test_text_that_looks_like_a_number_gets_quotes(jhecfg: Said) -> None:
    """So that everybody reads it as text."""
    assert jhecfg("lab.yaml", "hubs[hub].image.tag=2026.10")[0] == Exit.OK
    assert '\n    image:\n        tag: "2026.10"\n' in lab()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("imagee.tag=v1",), Exit.USAGE, "a spec has no key 'imagee'; did you mean 'image'?"),
        (("hubs[hub].domian=x",), Exit.USAGE, "hubs.hub has no key 'domian'; did you mean 'domain'?"),
        (("-d", "hubs[hbu]"), Exit.USAGE, "hubs.hbu is not in this file; did you mean 'hub'?"),
        (("-d", "hubs[hub]=x"), Exit.USAGE, "must be a KEY, as in hubs[old]"),
        (("image.tag",), Exit.USAGE, "'image.tag' must be KEY=VALUE"),
        ((), Exit.USAGE, "name what is to change"),
        (("image.tag+=v1",), Exit.USAGE, "image.tag is no list"),
        (("hubs[\udc95ub]=x",), Exit.USAGE, "a key is not UTF-8 text"),
        (("hubs[hub].access.users[x]=y",), Exit.USAGE, "hubs.hub.access.users has no item 'x'"),
        (("-d", "hubs[hub].access.orgs[Exmaple Lab]"), Exit.USAGE, "did you mean 'Example Lab'?"),
        (("site.name=v1",), Exit.USAGE, "site has no key 'name'"),
        (("orgs=[",), Exit.SPEC, "the command line:1:8: error[yaml-syntax]"),
        (("exchange.replicas=many",), Exit.SPEC, "lab.yaml:21:15: error[wrong-type]: 'exchange.replicas' must be a whole"),
        (("image.tag=latest?",), Exit.SPEC, "lab.yaml:7:14: error[invalid-value]"),
        (("hubs[hbu].deploy=external",), Exit.SPEC, "hubs.hbu is new: did you mean hubs.hub?"),
        (("-d", "orgs[Example Lab]"), Exit.SPEC, "error[unknown-org]: organization 'Example Lab' is not in orgs"),
        (("database=null", "image.tag=v0.0.12"), Exit.REFUSED, "cannot change database: it holds more than one value"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_and_nothing_is_written(
    jhecfg: Said, words: tuple[str, ...], code: Exit, said: str
) -> None:
    """Wrong words are a matter of the command, wrong values one of the spec, with the line that it would have."""
    found, out, err = jhecfg("lab.yaml", *words)
    assert (found, out, lab()) == (code, "", SPEC)
    assert said in err
    assert "nothing was written" in err


def test_one_wrong_change_keeps_all_others_from_being_made(jhecfg: Said) -> None:
    """All or nothing."""
    assert jhecfg("lab.yaml", "image.tag=v0.0.12", "contact=nobody")[0] == Exit.SPEC
    assert lab() == SPEC


def test_a_dry_run_shows_the_diff(jhecfg: Said) -> None:
    """And writes nothing."""
    code, out, err = jhecfg("lab.yaml", "image.tag=v0.0.12", "--dry-run")
    assert (code, err, lab()) == (Exit.OK, "lab.yaml: nothing was written\n", SPEC)
    assert "-image: {tag: v0.0.13}\n+image: {tag: v0.0.12}\n" in out


def test_what_the_spec_says_already_is_not_written_again(jhecfg: Said) -> None:
    """The file is not touched."""
    was = Path("lab.yaml").stat().st_mtime_ns
    assert jhecfg("lab.yaml", "image.tag=v0.0.13") == (0, "", "lab.yaml: says that already; nothing was written\n")
    assert Path("lab.yaml").stat().st_mtime_ns == was


CANARY = "ghp_" + "c4n4ry" * 6


@pytest.mark.parametrize(
    "word",
    [
        f"exchange.env.OW_API_KEY={CANARY}",
        f"exchange.title={CANARY}",
        f"exchange.env={{DB_PASSWORD: {CANARY}}}",
        f"hubs[hub].values={{hub: {{config: {{password: {CANARY}}}}}}}",
        f"exchange.title=[{CANARY}",
        f"exchange.replicas=[{CANARY}",
        f"exchange.{CANARY}=x",
        f"exchange.env.{CANARY}=x",
        CANARY,
        f"{CANARY}=x",
    ],
)
@pytest.mark.parametrize("deleted", [False, True])
def test_a_secret_is_refused_and_never_shown(jhecfg: Said, word: str, deleted: bool) -> None:
    """Whatever part of a word it is in: not in what is said, and not in the spec."""
    code, out, err = jhecfg("lab.yaml", *(["-d"] if deleted else []), word)
    assert code in (Exit.SPEC, Exit.USAGE)
    assert CANARY not in out + err
    assert lab() == SPEC


def test_of_a_secret_it_is_said_who_has_seen_it(jhecfg: Said) -> None:
    """The key and the kind are named, and that a command line is no place for it."""
    _, _, err = jhecfg("lab.yaml", "exchange.env.OW_API_KEY=abc")
    assert err.startswith(
        "jhecfg: exchange.env.OW_API_KEY: a value under 'OW_API_KEY' is a secret; nothing was written."
    )
    assert "shell's history" in err


# --- bases ------------------------------------------------------------------------------------------------------------


def test_what_a_base_says_is_overridden_in_the_spec_that_is_named(jhecfg: Said) -> None:
    """The base stays as it is, and the words say so; an item of a base is named again, with what changes."""
    code, out, _ = jhecfg(
        "specs/one.yaml", "image.tag=v0.0.12", "hubs[hub].deploy=cluster", "hubs[hub].storage.storageClass=fast"
    )
    assert code == Exit.OK
    assert out.splitlines()[:2] == [
        "image.tag: v0.0.13 → v0.0.12 (v0.0.13 stays in specs/base.yaml)",
        "hubs.hub.deploy: external → cluster (external stays in specs/base.yaml)",
    ]
    assert Path("specs/base.yaml").read_text() == BASE
    assert Path("specs/one.yaml").read_text() == LEAF.replace("NAME", "one") + (
        "    deploy: cluster\n    storage:\n      storageClass: fast\nimage:\n  tag: v0.0.12\n"
    )


def test_a_list_of_a_base_is_added_to_as_a_whole(jhecfg: Said) -> None:
    """For it would replace the base's; and what only the base has cannot be deleted here."""
    assert jhecfg("specs/one.yaml", "orgs[B].id=2", "orgs[B].type=team", "hubs[hub].access.orgs+=B")[0] == Exit.OK
    assert "      orgs: [Example Lab, B]\n" in Path("specs/one.yaml").read_text()
    assert jhecfg("specs/one.yaml", "orgs+={name: C, id: 3, type: team}")[0] == Exit.OK
    assert Path("specs/one.yaml").read_text().count("name: Example Lab") == 0
    code, _, err = jhecfg("specs/two.yaml", "hubs[hub].access.orgs[0]=C")
    assert code == Exit.USAGE
    assert "hubs.hub.access.orgs comes from a base, as a whole" in err
    _, _, err = jhecfg("specs/two.yaml", "-d", "hubs[hub].deploy")
    assert "comes from a base: delete it there, or write hubs.hub.deploy=null to do without it here" in err


def test_a_base_changes_for_all_that_extend_it(jhecfg: Said) -> None:
    """Though it is no site itself; then every site must still be one."""
    code, out, err = jhecfg("specs/base.yaml", "image.tag=v0.0.12")
    assert (code, out) == (Exit.OK, "image.tag: v0.0.13 → v0.0.12\n")
    assert err.endswith("written; `jhecfg plan` says what it means, `jhecfg build` makes it\n")
    code, _, err = jhecfg("specs/base.yaml", "-d", "contact")
    assert code == Exit.SPEC
    assert "specs/one.yaml:1:1: error[missing-field]: a site needs 'contact'" in err
    assert "specs/two.yaml:1:1: error[missing-field]: a site needs 'contact'" in err
    assert "contact: ops@example.org" in Path("specs/base.yaml").read_text()


def test_a_base_that_nothing_extends_is_judged_as_a_site(jhecfg: Said) -> None:
    """What cannot be checked is not written."""
    shutil.copy("specs/base.yaml", "alone.yaml")
    Path("specs/one.yaml").unlink()
    code, _, err = jhecfg("alone.yaml", "image.tag=v0.0.12")
    assert code == Exit.SPEC
    assert "a site needs 'site'" in err


# --- there and back ---------------------------------------------------------------------------------------------------

REAL = sorted([*(ROOT / "specs").glob("*.yaml"), *(ROOT / "examples").glob("*.yaml"), ROOT / "tests" / "base.yaml"])
VARIANTS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda data: data,
    "CRLF": lambda data: data.replace(b"\n", b"\r\n"),
    "BOM": lambda data: b"\xef\xbb\xbf" + data,
    "no end": lambda data: data.rstrip(b"\n"),
}
THERE = (
    "contact=else@example.org", "orgs[Z].id=29999", "orgs[Z].type=team",
    "hubs[zzz].domain=zzz.example.org", "hubs[zzz].deploy=external", "hubs[zzz].access.users=[a@example.org]",
)  # fmt: skip
BACK = ("contact=ops@example.org", "-d", "orgs[Z]", "-d", "hubs[zzz]")


@pytest.mark.slow
@pytest.mark.parametrize("path", REAL, ids=lambda path: path.name)
def test_there_and_back_is_the_same_file(jhecfg: Said, path: Path) -> None:
    """Every real spec, however its lines end: set and set back, add and delete, byte for byte."""
    for other in path.parent.glob("*.yaml"):
        shutil.copy(other, other.name)
    for variant in VARIANTS.values():
        text = variant(path.read_bytes())
        exchange = b"\nexchange:" in text
        contact = b"\ncontact:" in text
        Path(path.name).write_bytes(text)
        code, _, err = jhecfg(path.name, *THERE[not contact :], *["exchange.timeZone=Europe/Berlin"] * exchange)
        assert code == Exit.OK, err
        assert len(Path(path.name).read_bytes()) > len(text)
        code, _, err = jhecfg(path.name, *BACK[not contact :], *["--delete=exchange.timeZone"] * exchange)
        assert code == Exit.OK, err
        assert Path(path.name).read_bytes() == text


@pytest.mark.slow
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.sampled_from("abc.[]=+-'\"{}: ,#\\\n\0é1*&!|>%@`"), max_size=12))
def test_no_word_breaks_the_command(jhecfg: Said, text: str) -> None:
    """Whatever is typed, it is a change, or an answer; never a bug."""
    for word in (text, f"exchange.title={text}", f"exchange.replicas={text}", f"hubs[{text}].domain=x.example.org"):
        code, _, err = jhecfg("lab.yaml", "--dry-run", "--", word)
        assert code in (Exit.OK, Exit.SPEC, Exit.USAGE, Exit.REFUSED), err


@pytest.mark.parametrize("word", ["image", "=x", ".image=x", "[image]=x", "image.=x", "image..tag=x", "image[]=x"])
def test_a_word_that_is_no_assignment_is_said(word: str) -> None:
    """A key begins with a name, and has no holes."""
    with pytest.raises(Misused):
        assignment(word)
