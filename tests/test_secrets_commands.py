"""secrets list, init, show, apply, rotate: from nothing to a complete set, and never a value where it may be seen."""

from __future__ import annotations

import base64
import json
import os
import pty
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TextIO

import pytest

from jhecfg import cli
from jhecfg.render import render
from jhecfg.rules.secrets import references
from jhecfg.secretstore import make as making
from jhecfg.secretstore.store import Values, load
from tests.aws_site import HUB
from tests.aws_site import make as site_of
from tests.fake_kubernetes import Cluster, serving
from tests.tools import ROOT, need

pytestmark = pytest.mark.slow

CANARY = "c4n4ry-Zq8vT2mX"
SPEC = """\
apiVersion: jhecfg/v1
site: lab
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
exchange:
  smtp: {host: smtp.example.org, user: jhe@example.org}
database:
  host: db.abc123.us-east-2.rds.amazonaws.com
  passwordFrom: {name: theirs, key: pw}
"""
EXTERNAL = SPEC + "secrets: {backend: external-secrets, region: us-east-2}\n"
MAIL = ("--from-env", "jhe-smtp/password=MAIL")
A_HUB = "  - {name: hub, domain: hub.example.org, access: {anyone: true}, storage: {storageClass: gp3}}\n"
STORE = Path(".secrets/lab.yaml")
Said = Callable[..., tuple[int, str, str]]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a spec, a password in the environment, and keys that are quickly made."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("MAIL", CANARY)
    monkeypatch.setattr(making, "RSA_BITS", 2048)
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/lab.yaml").write_text(SPEC)
    return tmp_path


@pytest.fixture
def secrets(work: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to run `jhecfg secrets` here: words in; exit code, stdout and stderr out."""

    def run(command: str, *words: str) -> tuple[int, str, str]:
        code = cli.run(["secrets", command, "specs/lab.yaml", *words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def texts(values: Values) -> set[str]:
    """Return every secret, and each line of those with several."""
    return {line for items in values.values() for text in items.values() for line in text.splitlines() if len(line) > 7}


# --- list -------------------------------------------------------------------------------------------------------------


def test_the_list_has_every_secret_of_the_site(secrets: Said) -> None:
    """As text for people, as JSON for programs; those of the spec's own Secrets too."""
    code, out, err = secrets("list")
    assert (code, err) == (0, "")
    document = json.loads(secrets("list", "--format", "json")[1])
    names = [f"{each['namespace']}/{each['secret']}/{each['key']}" for each in document["secrets"]]
    assert names == [line for line in out.split("\n") if line and not line.startswith(" ")]
    assert "jhe/theirs/pw" in names
    assert {each["secret"] for each in document["secrets"] if not each["owned"]} == {"theirs"}


def test_the_commands_for_those_who_make_them_by_hand_work(work: Path, secrets: Said) -> None:
    """The real kubectl makes, from a file for each value, exactly the Secrets that `apply` sends; none is on the list."""
    (work / "specs/lab.yaml").write_text(f"{SPEC}environment: demo\nhubs:\n{A_HUB}")
    secrets("init", *MAIL)
    code, out, err = secrets("list", "--format", "kubectl")
    assert (code, err) == (0, "")
    assert [text for text in texts(load(STORE)) if text in out] == []
    assert "# jhe/theirs: whoever owns it makes it" in out
    for (namespace, name), items in load(STORE).items():
        for key, text in items.items():
            file = work / "by hand" / namespace / name / key
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    kubectl = f'kubectl() {{ {shlex.quote(need("kubectl"))} "$@" --dry-run=client --output=json; }}\n'
    done = subprocess.run(
        ["bash", "-euc", kubectl + out], cwd=work / "by hand", capture_output=True, text=True, check=True
    )
    made = [json.loads(f"{{{each}") for each in done.stdout.removeprefix("{").split("\n{")]
    found = {(t["metadata"]["namespace"], t["metadata"]["name"]): t["data"] for t in made if t["kind"] == "Secret"}
    assert {p: {k: base64.b64decode(v).decode() for k, v in data.items()} for p, data in found.items()} == load(STORE)
    assert {t["metadata"]["name"] for t in made if t["kind"] == "Namespace"} == {"jhe", "hub"}


def test_no_name_of_a_spec_becomes_a_command(work: Path, secrets: Said) -> None:
    """A key that a hub's values name stays one word of one command, whatever it holds."""
    ref = '{secretKeyRef: {name: hub-secrets, key: "$(touch pwned)\\n; touch pwned; \'"}}'
    values = f"values: {{hub: {{extraEnv: {{TOKEN: {{valueFrom: {ref}}}}}}}}}"
    (work / "specs/lab.yaml").write_text(f"{SPEC}environment: demo\nhubs:\n{A_HUB[:-2]}, {values}}}\n")
    code, out, _ = secrets("list", "--format", "kubectl")
    assert (code, "touch pwned" in out) == (0, True)
    subprocess.run(["bash", "-euc", f"kubectl() {{ :; }}\n{out}"], cwd=work, check=True)
    assert not (work / "pwned").exists()


def test_kubectl_makes_no_secrets_of_another_backend(work: Path, secrets: Said) -> None:
    """There a controller makes them, and would not touch those of another."""
    (work / "specs/lab.yaml").write_text(EXTERNAL)
    code, out, err = secrets("list", "--format", "kubectl")
    assert (code, out, "secrets.backend is external-secrets" in err) == (2, "", True)


@pytest.mark.parametrize("tag", ["v0.0.10", "v0.0.13", "main"])
def test_the_readers_on_the_list_are_those_in_the_output(tag: str) -> None:
    """Who reads a secret is said as it is rendered, in every release."""
    extra = {} if tag == "v0.0.10" else {"exchange__mcp": {"domain": "mcp.example.org"}}
    extra |= {} if tag == "v0.0.10" else {"exchange__wearables": {"apiUrl": "https://ow.example.org"}}
    mail = {"host": "mail.example.org", "user": "jhe"}
    site = site_of(image__tag=tag, hubs=[HUB], exchange__smtp=mail, **extra)
    artifacts = render(site)
    seen: dict[tuple[str, str, str | None], set[str]] = {}
    kinds = {artifact.path: artifact.manifest for artifact in artifacts}
    for ref in references(site, artifacts):
        tree = kinds[ref.artifact]
        if tree is not None:
            reader = f"{tree['kind'].lower()}/{tree['metadata']['name']}"
            seen.setdefault((ref.namespace, ref.name, ref.key), set()).add(reader)
    for each in site.secrets:
        for item in each.items if each.namespace == site.namespace else ():
            assert seen[each.namespace, each.name, item.key] == set(item.consumers)


# --- init -------------------------------------------------------------------------------------------------------------


def test_nothing_becomes_a_complete_set_in_one_command(work: Path, secrets: Said) -> None:
    """All that can be made is made, the password is taken from the environment, and nothing is shown."""
    code, out, err = secrets("init", *MAIL)
    values = load(STORE)
    assert code == 0
    assert values["jhe", "jhe-smtp"] == {"password": CANARY}
    assert ".secrets/lab.yaml: 5 of 5 secrets" in out
    assert "next: jhecfg secrets apply specs/lab.yaml" in err
    assert ("jhe", "theirs") not in values
    assert [text for text in texts(values) if text in out + err] == []


def test_what_is_there_is_never_changed(work: Path, secrets: Said) -> None:
    """A second run changes not a byte; one that brings what is there is refused, with what to do."""
    secrets("init", *MAIL)
    before = STORE.read_bytes()
    assert secrets("init")[0] == 0
    code, _, err = secrets("init", *MAIL)
    assert (code, "jhecfg secrets rotate specs/lab.yaml jhe/jhe-smtp/password" in err) == (2, True)
    assert STORE.read_bytes() == before


def test_without_a_terminal_what_is_missing_is_said(work: Path, secrets: Said) -> None:
    """In CI nobody answers: the rest is made, and the exit code tells."""
    code, out, err = secrets("init", "--no-prompt")
    assert code == 5
    assert "  missing  jhe/jhe-smtp/password" in out
    assert "--from-file jhe/jhe-smtp/password=FILE" in err
    assert len(load(STORE)) == 2
    assert secrets("init", *MAIL)[0] == 0


def test_the_line_end_of_a_file_is_no_part_of_a_password(work: Path, secrets: Said) -> None:
    """Editors write one, and some a mark at the beginning; a blank, or a second line, is refused without a word of it."""
    for text in (f"{CANARY}\n", f"{CANARY}\r\n", CANARY, f"\ufeff{CANARY}"):
        (work / "mail").write_text(text)
        STORE.unlink(missing_ok=True)
        assert secrets("init", "--from-file", "jhe-smtp/password=mail")[0] == 0
        assert load(STORE)["jhe", "jhe-smtp"]["password"] == CANARY
    STORE.unlink()
    for text in (f"{CANARY}\n\n", f" {CANARY}", f"{CANARY}\0", f"a\n{CANARY}"):
        (work / "mail").write_text(text)
        code, out, err = secrets("init", "--from-file", "jhe-smtp/password=mail")
        assert code == 2
        assert CANARY not in out + err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--from-env", "jhe-smtp/password=NO_SUCH"), 5, "--from-env jhe/jhe-smtp/password: there is no such variable"),
        (
            ("--from-file", "jhe-smtp/password=no-such"),
            5,
            "--from-file jhe/jhe-smtp/password: the file cannot be read: no such file or directory",
        ),
        (("--from-file", "jhe-smtp/password"), 2, "takes NAME=PLACE"),
        (("--from-env", "jhe-smtp/pasword=MAIL"), 2, "did you mean 'jhe-smtp/password'?"),
        (("--from-env", "theirs/pw=MAIL"), 2, "has no secret of its own called 'theirs/pw'"),
        (("--from-env", "jhe-exchange=MAIL"), 2, "may be any of jhe/jhe-exchange/secret-key, "),
        (("--from-env", "invite-code=MAIL", "--from-env", "jhe-bootstrap/invite-code=MAIL"), 2, "is brought twice"),
        (("--from-env", "oidc-rsa-private-key=MAIL"), 2, "is not a PEM"),
    ],
)
def test_wrong_words_are_answered(words: tuple[str, ...], code: int, said: str, work: Path, secrets: Said) -> None:
    """What is wrong with a name, a file or a value is said without the value, and nothing is written."""
    got, out, err = secrets("init", *words)
    assert (got, said in err) == (code, True)
    assert CANARY not in out + err
    assert not STORE.exists()


def test_a_value_that_will_not_do_is_found_in_the_store_too(work: Path, secrets: Said) -> None:
    """What a person wrote into the file is judged by every command that uses it."""
    secrets("init", *MAIL)
    STORE.write_text(STORE.read_text().replace(CANARY, "changeme"))
    for command in ("init", "apply"):
        code, _, err = secrets(command)
        assert (code, "jhe/jhe-smtp/password is a placeholder" in err) == (2, True)


_TYPED = """
import sys
from jhecfg.secretstore import make
make.RSA_BITS = 2048
from jhecfg import cli
sys.exit(cli.run(["secrets", "init", "specs/lab.yaml"]))
"""


def test_on_a_terminal_it_asks_and_shows_nothing(work: Path) -> None:
    """What is typed is not echoed; a value that will not do is asked for again."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    child = subprocess.Popen(
        [sys.executable, "-c", _TYPED],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
        start_new_session=True,
    )
    os.close(theirs)
    seen, answers = b"", [b"changeme\n", CANARY.encode() + b"\n"]
    while True:
        try:
            part = os.read(ours, 4096)
        except OSError:
            break
        if not part:
            break
        seen += part
        if answers and seen.count(b"(nothing: later): ") == 3 - len(answers):
            os.write(ours, answers.pop(0))
    os.close(ours)
    assert child.wait(60) == 0
    assert CANARY.encode() not in seen
    assert b"changeme" not in seen
    assert b"is a placeholder" in seen
    assert load(STORE)["jhe", "jhe-smtp"]["password"] == CANARY


def test_a_prompt_that_is_interrupted_ends_its_line(secrets: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was made before is kept, and the shell's own prompt begins a line."""
    monkeypatch.setattr("jhecfg.commands.secrets.can_ask", lambda: True)
    monkeypatch.setattr("getpass.getpass", _interrupted)
    code, _, err = secrets("init")
    assert (code, err[-1:]) == (130, "\n")
    assert load(STORE)["jhe", "jhe-exchange"].keys() == {"secret-key", "oidc-rsa-private-key"}


def _interrupted(prompt: str, stream: TextIO) -> str:
    """Be a person who gives up."""
    stream.write(prompt)
    raise KeyboardInterrupt


def test_a_spec_that_is_no_spec_is_said_as_a_build_says_it(work: Path, secrets: Said) -> None:
    """Exit 1, with the line; nothing is made."""
    (work / "specs/lab.yaml").write_text(SPEC.replace("v0.0.13", "v0.0.1"))
    code, out, err = secrets("init")
    assert (code, out) == (1, "")
    assert "error[unsupported-release]" in err
    (work / "specs/lab.yaml").write_text(SPEC + f"password: {CANARY}\n")
    code, out, err = secrets("init")
    assert (code, CANARY in out + err) == (1, False)
    (work / "specs/lab.yaml").unlink()
    assert secrets("init")[0] == 5
    assert not STORE.exists()


# --- show -------------------------------------------------------------------------------------------------------------


def test_a_value_is_shown_to_a_program_and_not_to_a_person(
    work: Path, secrets: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a pipe it is the value and nothing else; on a terminal it is refused, with the place where it is."""
    assert secrets("show", "jhe-smtp/password")[0] == 5
    secrets("init", *MAIL)
    assert secrets("show", "jhe-smtp/password") == (0, CANARY, "")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    for words in (("show", "jhe-smtp/password"), ("apply", "--dry-run")):
        code, out, _ = secrets(*words)
        assert (code, out) == (2, "")


# --- apply: the cluster -----------------------------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """Serve a cluster that kubectl finds."""
    monkeypatch.setenv("PATH", f"{Path(need('kubectl')).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "kubeconfig"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    cluster = Cluster()
    with serving(cluster, tmp_path / "kubeconfig"):
        yield cluster


def held(cluster: Cluster) -> dict[tuple[str, str], dict[str, str]]:
    """Return what the cluster holds, as text."""
    return {
        place: {key: base64.b64decode(data).decode() for key, data in tree["data"].items()}
        for place, tree in cluster.secrets.items()
    }


def test_the_second_command_brings_all_of_it_into_the_cluster(work: Path, secrets: Said, cluster: Cluster) -> None:
    """Through the real kubectl, byte by byte; what is said names the cluster, and shows nothing."""
    secrets("init", *MAIL)
    code, out, err = secrets("apply")
    assert code == 0
    assert held(cluster) == load(STORE)
    assert "into the cluster of kubectl's context lab-cluster" in err
    assert out.count("  made     jhe/") == 5
    assert [text for text in texts(load(STORE)) if text in out + err] == []


def test_what_the_cluster_has_stays(work: Path, secrets: Said, cluster: Cluster) -> None:
    """A key that is missing is added, none is changed; --replace changes those that are named, and no other."""
    secrets("init", *MAIL)
    secrets("apply")
    theirs = cluster.secrets["jhe", "jhe-bootstrap"]
    theirs["data"] = {"admin-password": base64.b64encode(b"theirs").decode(), "more": "bW9yZQ=="}
    code, out, _ = secrets("apply")
    assert code == 0
    assert held(cluster)["jhe", "jhe-bootstrap"]["admin-password"] == "theirs"
    assert "  is there jhe/jhe-bootstrap/admin-password" in out
    assert "  made     jhe/jhe-bootstrap/invite-code" in out
    secrets("rotate", "invite-code")
    secrets("rotate", "secret-key")
    old = held(cluster)
    assert secrets("apply", "--replace", "invite-code")[0] == 0
    now = held(cluster)
    assert now["jhe", "jhe-bootstrap"]["invite-code"] == load(STORE)["jhe", "jhe-bootstrap"]["invite-code"]
    assert now["jhe", "jhe-bootstrap"] == {
        **old["jhe", "jhe-bootstrap"],
        "invite-code": now["jhe", "jhe-bootstrap"]["invite-code"],
    }
    assert now["jhe", "jhe-exchange"] == old["jhe", "jhe-exchange"]


def test_a_refusal_of_the_cluster_is_told_without_the_values(work: Path, secrets: Said, cluster: Cluster) -> None:
    """Not even when the API repeats what it was sent."""
    secrets("init", *MAIL)
    cluster.denies = True
    code, out, err = secrets("apply")
    assert (code, "Forbidden" in err) == (5, True)
    encoded = {base64.b64encode(text.encode()).decode() for items in load(STORE).values() for text in items.values()}
    assert [text for text in texts(load(STORE)) | encoded if text in out + err] == []


def test_a_namespace_that_is_missing_is_said_with_its_command(
    work: Path, secrets: Said, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The words are those of kube-apiserver 1.36, and the command is there to be copied."""
    secrets("init", *MAIL)
    monkeypatch.setattr(Cluster, "answer", _no_namespace)
    code, _, err = secrets("apply")
    assert (code, "the cluster has no namespace jhe; run `kubectl create namespace jhe`" in err) == (5, True)


def _no_namespace(cluster: Cluster, method: str, path: str, body: dict[str, object]) -> tuple[int, dict[str, object]]:
    """Answer as a cluster that has no namespace yet."""
    if method != "POST":
        return _ANSWER(cluster, method, path, body)
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
    return 404, {**status, "message": 'namespaces "jhe" not found'}


_ANSWER = Cluster.answer


def test_replacing_takes_a_name(work: Path, secrets: Said, cluster: Cluster) -> None:
    """Nobody replaces every secret of a running site with one word too few."""
    secrets("init", *MAIL)
    code, _, err = secrets("apply", "--replace")
    assert (code, "--replace takes the names" in err) == (2, True)
    assert cluster.secrets == {}


def test_an_incomplete_set_is_not_sent(work: Path, secrets: Said, cluster: Cluster) -> None:
    """What is missing is named; nothing reaches the cluster, except what is asked for by name."""
    secrets("init", "--no-prompt")
    code, _, err = secrets("apply")
    assert (code, "lacks jhe/jhe-smtp/password; run jhecfg secrets init" in err) == (5, True)
    assert cluster.secrets == {}
    assert secrets("apply", "jhe-bootstrap")[0] == 0
    assert [name for _, name in cluster.secrets] == ["jhe-bootstrap"]


def test_a_dry_run_is_what_the_cluster_would_get(work: Path, secrets: Said) -> None:
    """YAML on a pipe, without kubectl."""
    import yaml

    secrets("init", *MAIL)
    code, out, _ = secrets("apply", "--dry-run")
    assert code == 0
    found = {(t["metadata"]["namespace"], t["metadata"]["name"]): t["data"] for t in yaml.safe_load_all(out)}
    assert {p: {k: base64.b64decode(v).decode() for k, v in data.items()} for p, data in found.items()} == load(STORE)


def test_without_kubectl_it_is_said(work: Path, secrets: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tool that is missing is a fault of the machine, with where to get it."""
    secrets("init", *MAIL)
    monkeypatch.setenv("PATH", "")
    code, _, err = secrets("apply")
    assert (code, "kubectl is not on PATH: https://" in err) == (5, True)


# --- apply: AWS Secrets Manager ---------------------------------------------------------------------------------------

_AWS = """#!/bin/sh
echo "$*" >> "$LOG"
file="$AWS/$(echo "$6" | tr / _)"
case "$2" in
  get-secret-value) [ -e "$file" ] && exec cat "$file"; echo ResourceNotFoundException >&2; exit 254 ;;
  *) cat "${8#file://}" > "$file" ;;
esac
"""


@pytest.fixture
def aws(work: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put an `aws` on PATH that keeps what it reads from standard input, as the real one was seen to do (aws-cli 1.46)."""
    (work / "specs/lab.yaml").write_text(EXTERNAL)
    (work / "bin").mkdir()
    (work / "aws").mkdir()
    (work / "bin/aws").write_text(_AWS)
    (work / "bin/aws").chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{work / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("AWS", str(work / "aws"))
    monkeypatch.setenv("LOG", str(work / "log"))
    return work / "aws"


def test_external_secrets_get_theirs_from_aws(work: Path, secrets: Said, aws: Path) -> None:
    """One JSON document a Secret, under the name that its ExternalSecret reads; no value is ever an argument."""
    secrets("init", *MAIL)
    assert secrets("apply")[0] == 0
    values = load(STORE)
    found = {path.name: json.loads(path.read_text()) for path in aws.iterdir()}
    assert found == {f"jhe_lab_{space}_{name}": dict(items) for (space, name), items in values.items()}
    assert [text for text in texts(values) if text in (work / "log").read_text()] == []


def test_what_aws_has_stays(work: Path, secrets: Said, aws: Path) -> None:
    """Others' keys and values are kept, a missing key is added, --replace takes what it names."""
    secrets("init", *MAIL)
    theirs = {"admin-password": "theirs", "more": "more"}
    (aws / "jhe_lab_jhe_jhe-bootstrap").write_text(json.dumps(theirs))
    assert secrets("apply")[0] == 0
    now = json.loads((aws / "jhe_lab_jhe_jhe-bootstrap").read_text())
    invite = load(STORE)["jhe", "jhe-bootstrap"]["invite-code"]
    assert now == {**theirs, "invite-code": invite}
    assert secrets("apply", "--replace", "admin-password")[0] == 0
    now = json.loads((aws / "jhe_lab_jhe_jhe-bootstrap").read_text())
    assert now == {**load(STORE)["jhe", "jhe-bootstrap"], "more": "more"}


def test_a_value_that_aws_holds_elsewhere_is_neither_made_nor_sent(work: Path, secrets: Said, aws: Path) -> None:
    """It is copied from there by its ExternalSecret, and is no command's to change."""
    remote = "  remote:\n    - {secret: jhe-smtp, key: password, name: mail/relay, property: password}\n"
    text = EXTERNAL.replace("secrets: {backend: external-secrets, region: us-east-2}\n", "")
    (work / "specs/lab.yaml").write_text(f"{text}secrets:\n  backend: external-secrets\n  region: us-east-2\n{remote}")
    assert secrets("init")[0] == 0
    assert secrets("apply")[0] == 0
    assert ("jhe", "jhe-smtp") not in load(STORE)
    assert sorted(path.name for path in aws.iterdir()) == ["jhe_lab_jhe_jhe-bootstrap", "jhe_lab_jhe_jhe-exchange"]
    assert "others, in AWS Secrets Manager: mail/relay" in secrets("list")[1]
    assert secrets("rotate", "jhe-smtp/password", *MAIL)[0] == 2


def test_a_dry_run_for_aws_has_no_values(work: Path, secrets: Said, aws: Path) -> None:
    """The commands, which may be seen by everybody."""
    secrets("init", *MAIL)
    code, out, _ = secrets("apply", "--dry-run")
    assert code == 0
    assert out.count("aws secretsmanager create-secret --region us-east-2 --name jhe/lab/jhe/jhe-") == 3
    assert [text for text in texts(load(STORE)) if text in out] == []
    assert not (work / "log").exists()


# --- rotate -----------------------------------------------------------------------------------------------------------


def test_a_rotation_says_what_people_notice_and_what_to_do(work: Path, secrets: Said) -> None:
    """The store has another value, the rest is as it was, and the next commands are there to be copied."""
    secrets("init", *MAIL)
    before = load(STORE)
    code, out, _ = secrets("rotate", "secret-key")
    after = load(STORE)
    assert code == 0
    assert before["jhe", "jhe-exchange"]["secret-key"] != after["jhe", "jhe-exchange"]["secret-key"]
    assert {p: v for p, v in before.items() if p[1] != "jhe-exchange"} == {
        p: v for p, v in after.items() if p[1] != "jhe-exchange"
    }
    assert "people notice: everybody signs in to the Exchange again" in out
    assert "  jhecfg secrets apply specs/lab.yaml --replace jhe/jhe-exchange/secret-key\n" in out
    assert "  kubectl --namespace jhe rollout restart deployment/exchange\n" in out
    assert [text for text in texts(after) if text in out] == []


def test_what_only_a_person_knows_is_brought_to_a_rotation(
    work: Path, secrets: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal it is asked for; with it, it takes the old one's place."""
    secrets("init", *MAIL)
    code, _, err = secrets("rotate", "jhe-smtp/password")
    assert (code, "only you know jhe/jhe-smtp/password" in err) == (2, True)
    monkeypatch.setenv("MAIL", f"{CANARY}-2")
    assert secrets("rotate", "jhe-smtp/password", *MAIL)[0] == 0
    assert load(STORE)["jhe", "jhe-smtp"]["password"] == f"{CANARY}-2"
    code, _, err = secrets("rotate", "secret-key", *MAIL)
    assert (code, "bring no other value" in err) == (2, True)


def test_the_keys_of_a_hub_overlap(work: Path, secrets: Said) -> None:
    """`new;old`, and with --finish the new one alone."""
    (work / "specs/lab.yaml").write_text(f"{SPEC}environment: demo\nhubs:\n{A_HUB}")
    secrets("init", *MAIL)

    def keys() -> str:
        return load(STORE)["hub", "hub-secrets"]["hub.config.CryptKeeper.keys"]

    old = keys()
    assert secrets("rotate", "hub.config.CryptKeeper.keys")[0] == 0
    both = keys()
    assert both.endswith(f";{old}")
    code, _, err = secrets("rotate", "hub.config.CryptKeeper.keys")
    assert (code, "--finish" in err) == (2, True)
    assert secrets("rotate", "hub.config.CryptKeeper.keys", "--finish")[0] == 0
    assert keys() == both.split(";")[0]
