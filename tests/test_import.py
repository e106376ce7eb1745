"""jhecfg import rds: the endpoint of the site's own stack gets into its spec, and nothing else does."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jhecfg import cli
from jhecfg.talk import Exit

SPEC = """\
apiVersion: jhecfg/v1
site: lab
environment: staging
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
exchange:
  smtp: {host: smtp.example.org, user: jhe@example.org}
database:   # RDS
  host: 'not-yet.abc123.us-east-2.rds.amazonaws.com'  # from the stack
  rds: {multiAz: false}
cluster: {region: us-east-2, version: "1.36"}
"""
HOST = "lab-database-database-x1.c9x8y7.us-east-2.rds.amazonaws.com"
OUTPUTS = {
    "Endpoint": HOST,
    "Port": "5432",
    "DatabaseName": "jhe",
    "MasterSecretArn": "arn:aws:secretsmanager:us-east-2:111122223333:secret:rds!db-1",
}
Said = Callable[..., tuple[int, str, str]]


def stack(
    name: str = "lab-database", region: str = "us-east-2", status: str = "CREATE_COMPLETE", **outputs: Any
) -> Any:
    """Return a stack as AWS describes it, with other outputs; None takes one away."""
    listed = [{"OutputKey": k, "OutputValue": v} for k, v in {**OUTPUTS, **outputs}.items() if v is not None]
    arn = f"arn:aws:cloudformation:{region}:111122223333:stack/{name}/0"
    return {"StackId": arn, "StackName": name, "StackStatus": status, "Outputs": listed}


@pytest.fixture
def imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Said:
    """Return how to import a description: its stacks or its bytes in; exit code, stdout and stderr out."""
    monkeypatch.chdir(tmp_path)
    Path("lab.yaml").write_text(SPEC)

    def run(*stacks: Any, text: bytes | None = None, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        Path("stack.json").write_bytes(json.dumps({"Stacks": stacks}).encode() if text is None else text)
        code = cli.run(["import", "rds", *options, "lab.yaml", "stack.json"])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_endpoint_gets_into_the_spec_and_nothing_else_moves(imported: Said) -> None:
    """One value changes, in its quotes; the change is shown."""
    code, out, err = imported(stack())
    assert code == Exit.OK
    assert Path("lab.yaml").read_text() == SPEC.replace("not-yet.abc123.us-east-2.rds.amazonaws.com", HOST)
    assert f"+  host: '{HOST}'  # from the stack\n" in out
    assert err == "lab.yaml: written; run `jhecfg build`\n"


def test_a_second_time_there_is_nothing_to_write(imported: Said) -> None:
    """The command may run again."""
    imported(stack())
    assert imported(stack()) == (Exit.OK, "", "lab.yaml: database.host is that endpoint already\n")


def test_a_dry_run_shows_the_change_and_writes_nothing(imported: Said) -> None:
    """What would be written can be seen first."""
    code, out, err = imported(stack(), options=("--dry-run",))
    assert (code, err) == (Exit.OK, "lab.yaml: nothing was written\n")
    assert HOST in out
    assert Path("lab.yaml").read_text() == SPEC


def test_standard_input_is_a_description_too(imported: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """`aws … | jhecfg import rds SPEC -`, as the runbook has it."""
    piped = io.TextIOWrapper(io.BytesIO(json.dumps({"Stacks": [stack()]}).encode()))
    monkeypatch.setattr(sys, "stdin", piped)
    assert cli.run(["import", "rds", "lab.yaml", "-"]) == Exit.OK
    assert HOST in Path("lab.yaml").read_text()


def test_the_sites_stack_is_found_among_others(imported: Said) -> None:
    """A description of a whole account will do: the stack's name is the site's."""
    assert imported(stack("other-database", Endpoint="x"), stack())[0] == Exit.OK
    assert HOST in Path("lab.yaml").read_text()


@pytest.mark.parametrize(
    ("stacks", "why"),
    [
        ([], "the description must hold stack lab-database once; it holds: none"),
        ([stack("other-database")], "the description must hold stack lab-database once; it holds: 'other-database'"),
        (
            [stack(), stack()],
            "the description must hold stack lab-database once; it holds: 'lab-database', 'lab-database'",
        ),
        ([stack("\x1b[31m")], "the description must hold stack lab-database once; it holds: something unreadable"),
        ([stack(region="eu-west-1")], "stack lab-database is in 'eu-west-1', and the spec's database in us-east-2"),
        ([stack(status="CREATE_IN_PROGRESS")], "stack lab-database is 'CREATE_IN_PROGRESS': wait for it, or mend it"),
        ([stack(status="ROLLBACK_COMPLETE")], "stack lab-database is 'ROLLBACK_COMPLETE': wait for it, or mend it"),
        (
            [stack(Endpoint=None, Port=None)],
            "stack lab-database has no output Endpoint, Port: deploy cluster/rds.cfn.yaml again",
        ),
        (
            [stack(Port="5433")],
            "the instance listens on port '5433', and database.port is 5432: deploy cluster/rds.cfn.yaml again, or "
            "correct the spec",
        ),
        (
            [stack(DatabaseName="other")],
            "the instance holds another database than database.name, jhe: deploy cluster/rds.cfn.yaml again, or "
            "correct the spec",
        ),
        ([stack(Endpoint="db.example.org")], "the output Endpoint is not an RDS host name in us-east-2"),
        (
            [stack(Endpoint="a.b.eu-west-1.rds.amazonaws.com")],
            "the output Endpoint is not an RDS host name in us-east-2",
        ),
        (
            [stack(MasterSecretArn="arn:aws:secretsmanager:eu-west-1:111122223333:secret:rds!db-1")],
            "the output MasterSecretArn is not a secret in us-east-2",
        ),
    ],
)
def test_a_stack_that_is_not_the_sites_is_refused(imported: Said, stacks: list[Any], why: str) -> None:
    """Another site's, another region's, an unfinished one, or one that the spec no longer describes."""
    assert imported(*stacks) == (Exit.REFUSED, "", f"lab.yaml: {why}; nothing was written\n")
    assert Path("lab.yaml").read_text() == SPEC


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[]", b'{"Stacks": 1}', b'{"Stacks": [1]}', b'{"Stacks": [{}]}', b"\xff", b"[" * 100_000, b"null",
     b'{"Stacks": [{"StackName": "lab-database", "StackId": 1, "StackStatus": "x"}]}',
     b'{"Stacks": [{"StackName": "lab-database", "StackId": "x", "StackStatus": "x"}]}'],
)  # fmt: skip
def test_what_is_no_description_is_refused(imported: Said, text: bytes) -> None:
    """Not JSON, not stacks, not a stack."""
    why = "the description is not what `aws cloudformation describe-stacks --output json` prints"
    assert imported(text=text) == (Exit.REFUSED, "", f"lab.yaml: {why}; nothing was written\n")


@pytest.mark.parametrize("evil", [None, [], {}, 0, True, "", "\x1b[2J\n::error::x", "a:b", ["x"], {"a": []}, 10**400])
@pytest.mark.parametrize(
    "place", ["Stacks", "StackId", "StackName", "StackStatus", "Outputs", "OutputKey", "OutputValue"]
)
def test_a_description_that_somebody_made_up_is_refused_in_words(imported: Said, place: str, evil: Any) -> None:
    """Whatever stands at any of its places: no crash, no write, and no command to a terminal."""
    made_up = stack()
    if place in ("OutputKey", "OutputValue"):
        made_up["Outputs"][0][place] = evil
    else:
        made_up[place] = evil
    text = json.dumps({"Stacks": evil if place == "Stacks" else [made_up]}).encode()
    code, out, err = imported(text=text)
    assert (code, out) == (Exit.REFUSED, "")
    assert Path("lab.yaml").read_text() == SPEC
    assert "\x1b" not in err
    assert len(err.splitlines()) == 1


def test_a_spec_that_would_be_refused_is_not_written(imported: Said) -> None:
    """What is written can be built."""
    broken = SPEC.replace('version: "1.36"', 'version: "1.30"')
    Path("lab.yaml").write_text(broken)
    code, out, err = imported(stack())
    assert (code, out) == (Exit.SPEC, "")
    assert "unsupported-kubernetes" in err
    assert "nothing was written" in err
    assert Path("lab.yaml").read_text() == broken


def test_a_spec_without_an_instance_has_no_stack(imported: Said) -> None:
    """A database that others run has no stack of ours."""
    Path("lab.yaml").write_text(SPEC.replace("  rds: {multiAz: false}\n", ""))
    code, _, err = imported(stack())
    assert (code, err) == (
        Exit.REFUSED,
        "lab.yaml: the spec has no database.rds, so no stack is its own; nothing was written\n",
    )


def test_the_host_of_a_base_is_overridden_in_the_spec_itself(imported: Said) -> None:
    """Two sites may share a base; the endpoint is each one's own."""
    Path("base.yaml").write_text(SPEC.replace("site: lab\n", ""))
    Path("lab.yaml").write_text("extends: base.yaml\nsite: lab\n")
    assert imported(stack())[0] == Exit.OK
    assert Path("lab.yaml").read_text() == f"extends: base.yaml\nsite: lab\ndatabase:\n  host: {HOST}\n"


def test_a_value_behind_an_alias_is_left_to_a_person(imported: Said) -> None:
    """What would change in two places is not changed."""
    shared = SPEC.replace("host: 'not-yet", "host: &db 'not-yet") + "admin: {email: ops@example.org}\n"
    mail = "smtp: {host: smtp.example.org, user: jhe@example.org}"
    moved = shared.replace(f"exchange:\n  {mail}\n", "") + f"exchange: {{{mail.replace('jhe@example.org', '*db')}}}\n"
    Path("lab.yaml").write_text(moved)
    code, _, err = imported(stack())
    assert code == Exit.REFUSED
    assert "is there an anchor or an alias?" in err


def test_a_file_that_is_not_there_is_the_environments_fault(imported: Said, capsys: pytest.CaptureFixture[str]) -> None:
    """Spec or description."""
    assert cli.run(["import", "rds", "nowhere.yaml", "-"]) == Exit.ENVIRONMENT
    assert cli.run(["import", "rds", "lab.yaml", "nowhere.json"]) == Exit.ENVIRONMENT
    assert "nowhere.json: no such file or directory" in capsys.readouterr().err
