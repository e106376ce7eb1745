"""import rds: what CloudFormation says about the database's stack, written into the spec.

The endpoint is all that a spec needs: port and name are the spec's own, and the stack must agree with them. The ARN of
the master user's secret is not written down: RUNBOOK.md asks the stack for it where it is used, so that it cannot
grow old there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from jhecfg.commands.changed import checked, diff
from jhecfg.diagnostics import Loc, SpecError, ToolError
from jhecfg.edit import CannotEdit, edited, save
from jhecfg.marks import shown
from jhecfg.parse import parse
from jhecfg.rds_ca import rds_region
from jhecfg.resolve import resolve
from jhecfg.site import Rds, Site
from jhecfg.source import bytes_of, load
from jhecfg.talk import Exit, Talk

MOST = 16 << 20
"""Bytes that a description may have; one of every stack of an account has some megabytes."""

HOST: Loc = ("database", "host")

# States in which a stack's outputs are those of its resources (AWS CloudFormation user guide, "Stack status codes").
_SETTLED = frozenset({
    "CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "IMPORT_COMPLETE", "IMPORT_ROLLBACK_COMPLETE",
})  # fmt: skip


class WrongStack(Exception):
    """The description is not the one of the site's database as the spec describes it; the text says why."""


def rds(spec: Path, description: Path, talk: Talk, *, dry_run: bool) -> int:
    """Write the endpoint of the site's database into its spec; show the change first."""
    name = spec.as_posix()
    try:
        before = bytes_of(spec, name)
        site = resolve(parse(load(spec, text=before))).site
        host = endpoint(site, _read(description))
        after = edited(before, name, {HOST: host})
        if after == before:
            talk.say(f"{name}: database.host is that endpoint already")
            return Exit.OK
        checked(spec, after)
        talk.result(diff(name, before, after))
        if not dry_run:
            save(spec, before, after)
    except SpecError as error:
        talk.diagnostics(error.diagnostics, {}, "nothing was written")
        return Exit.SPEC
    except (CannotEdit, WrongStack) as error:
        talk.complain(f"{name}: {error}; nothing was written")
        return Exit.REFUSED
    except ToolError as error:
        talk.complain(f"jhecfg: {error}")
        return Exit.ENVIRONMENT
    talk.say(f"{name}: nothing was written" if dry_run else f"{name}: written; run `jhecfg build`")
    return Exit.OK


def endpoint(site: Site, description: bytes) -> str:
    """Return the endpoint of the site's database from `aws cloudformation describe-stacks`. Raises `WrongStack`.

    The stack must be the site's own, at rest, in its region, and agree with the spec about port and name.
    """
    rds = site.database.rds
    if rds is None:
        raise WrongStack("the spec has no database.rds, so no stack is its own")
    stack = _stack(rds, description)
    outputs = _outputs(rds, stack)
    for problem in _disagreements(site, rds, outputs):
        raise WrongStack(problem)
    return outputs["Endpoint"]


def _stack(rds: Rds, description: bytes) -> Mapping[str, Any]:
    """Find the database's stack in a description of one or many."""
    try:
        stacks = json.loads(description)["Stacks"]
        names = [str(stack["StackName"]) for stack in stacks]
        found = [stack for stack in stacks if stack["StackName"] == rds.stack]
        where = found[0]["StackId"].split(":")[3] if found else ""
        status = str(found[0]["StackStatus"]) if found else ""
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        command = "aws cloudformation describe-stacks --output json"
        raise WrongStack(f"the description is not what `{command}` prints") from None
    if len(found) != 1:
        others = ", ".join(_safe(name) for name in names[:5]) or "none"
        raise WrongStack(f"the description must hold stack {rds.stack} once; it holds: {others}")
    if where != rds.region:
        raise WrongStack(f"stack {rds.stack} is in {_safe(where)}, and the spec's database in {rds.region}")
    if status not in _SETTLED:
        raise WrongStack(f"stack {rds.stack} is {_safe(status)}: wait for it, or mend it")
    stack: Mapping[str, Any] = found[0]
    return stack


def _outputs(rds: Rds, stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs that cluster/rds.cfn.yaml promises."""
    try:
        outputs = {output["OutputKey"]: str(output["OutputValue"]) for output in stack.get("Outputs") or ()}
    except (LookupError, TypeError):
        outputs = {}
    missing = [name for name in ("Endpoint", "Port", "DatabaseName", "MasterSecretArn") if name not in outputs]
    if missing:
        raise WrongStack(f"stack {rds.stack} has no output {', '.join(missing)}: deploy cluster/rds.cfn.yaml again")
    return outputs


def _safe(text: str) -> str:
    """Return text of the description as a message may show it."""
    return shown(text) or "something unreadable"


def _disagreements(site: Site, rds: Rds, outputs: Mapping[str, str]) -> Iterator[str]:
    """Yield why the outputs cannot be those of the database that the spec describes."""
    again = "deploy cluster/rds.cfn.yaml again, or correct the spec"
    if outputs["Port"] != str(site.database.port):
        port = _safe(outputs["Port"])
        yield f"the instance listens on port {port}, and database.port is {site.database.port}: {again}"
    if outputs["DatabaseName"] != site.database.name:
        yield f"the instance holds another database than database.name, {site.database.name}: {again}"
    if rds_region(outputs["Endpoint"]) != rds.region:
        yield f"the output Endpoint is not an RDS host name in {rds.region}"
    if outputs["MasterSecretArn"].split(":")[2:4] != ["secretsmanager", rds.region]:
        yield f"the output MasterSecretArn is not a secret in {rds.region}"


def _read(description: Path) -> bytes:
    """Return the bytes of a description; `-` is standard input."""
    if description == Path("-"):
        data = sys.stdin.buffer.read(MOST + 1)
    else:
        try:
            with description.open("rb") as file:
                data = file.read(MOST + 1)
        except OSError as error:
            why = (error.strerror or type(error).__name__).lower()
            raise ToolError(f"{description.as_posix()}: {why}") from None
    if len(data) > MOST:
        raise WrongStack(f"the description is larger than {MOST:,} bytes: ask for one stack, with --stack-name")
    return data
