"""Send: a Secret's values from the store to where the cluster gets them: its API, or AWS Secrets Manager.

Values travel on standard input, and are in no argument, file or message. What is there already stays, unless its
replacement is asked for; a key that is missing there is added.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import NamedTuple

from jhecfg.artifact import Tree
from jhecfg.diagnostics import ToolError
from jhecfg.secretstore.run import Done, run
from jhecfg.site import ExternalSecrets, SecretNeed


class Sent(NamedTuple):
    """What became of one Secret: the keys that were made, replaced, and left as they were."""

    need: SecretNeed
    made: tuple[str, ...]
    replaced: tuple[str, ...]
    kept: tuple[str, ...]


def sorted_out(need: SecretNeed, values: Mapping[str, str], there: frozenset[str], *, replace: bool) -> Sent:
    """Decide what is to be done with each value, by the keys that are there already."""
    old = tuple(key for key in values if key in there)
    return Sent(
        need=need,
        made=tuple(key for key in values if key not in there),
        replaced=old if replace else (),
        kept=() if replace else old,
    )


def manifest(need: SecretNeed, values: Mapping[str, str]) -> Tree:
    """Return the Secret as Kubernetes takes it."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": need.name,
            "namespace": need.namespace,
            "labels": {"app.kubernetes.io/managed-by": "jhecfg"},
        },
        "type": "Opaque",
        "data": _data(values),
    }


def _data(values: Mapping[str, str]) -> dict[str, str]:
    return {key: base64.b64encode(text.encode()).decode("ascii") for key, text in values.items()}


# --- the cluster ------------------------------------------------------------------------------------------------------

# The version, and the names of the keys: a template that prints no value.
_KEYS = '{{.metadata.resourceVersion}}{{range $key, $value := .data}}{{"\\n"}}{{$key}}{{end}}'


def to_cluster(need: SecretNeed, values: Mapping[str, str], context: str, *, replace: bool) -> Sent:
    """Make a Secret through kubectl, or change what is to be changed in the one that is there. Raises ToolError."""
    kubectl = ["kubectl", *([f"--context={context}"] if context else []), f"--namespace={need.namespace}"]
    get = ["get", "secret", need.name, "--ignore-not-found", f"--output=go-template={_KEYS}"]
    version, *keys = _ok(need, run([*kubectl, *get], secrets=values.values())).output.split("\n")
    sent = sorted_out(need, values, frozenset(keys), replace=replace)
    if not version:
        _ok(
            need,
            run(
                [*kubectl, "create", "--validate=false", "--filename=-"],
                text=json.dumps(manifest(need, values)),
                secrets=values.values(),
            ),
        )
    elif sent.made or sent.replaced:
        # With the version, so that what somebody else wrote in between is refused, not overwritten.
        changes = _data({key: values[key] for key in (*sent.made, *sent.replaced)})
        patch = {"metadata": {"resourceVersion": version}, "data": changes}
        words = ["patch", "secret", need.name, "--type=merge", "--patch-file=/dev/stdin"]
        _ok(need, run([*kubectl, *words], text=json.dumps(patch), secrets=values.values()))
    return sent


def context_of(context: str) -> str:
    """Return the name of the cluster's context that kubectl would use. Raises ToolError where there is none."""
    if context:
        return context
    done = run(["kubectl", "config", "current-context"])
    if done.code:
        raise ToolError(f"kubectl knows no cluster: {done.complaint or f'it ended with {done.code}'}")
    return done.output.strip()


# --- AWS Secrets Manager ----------------------------------------------------------------------------------------------


def to_aws(need: SecretNeed, values: Mapping[str, str], source: ExternalSecrets, *, replace: bool) -> Sent:
    """Make a secret in AWS Secrets Manager, or change what is to be changed there. Raises ToolError."""
    there = _aws_values(need, source, values)
    sent = sorted_out(need, values, frozenset(there or {}), replace=replace)
    if there is None:
        _ok(need, run(aws_words(need, source, create=True), text=json.dumps(dict(values)), secrets=values.values()))
    elif sent.made or sent.replaced:
        text = json.dumps({**there, **{key: values[key] for key in (*sent.made, *sent.replaced)}})
        secrets = [*values.values(), *map(str, there.values())]
        _ok(need, run(aws_words(need, source, create=False), text=text, secrets=secrets))
    return sent


def aws_words(need: SecretNeed, source: ExternalSecrets, *, create: bool) -> list[str]:
    """Return the command that takes a whole Secret, as a JSON document, on standard input."""
    verb, name = ("create-secret", "--name") if create else ("put-secret-value", "--secret-id")
    where = ["aws", "secretsmanager", verb, "--region", source.region, name, source.remote_name(need)]
    return [*where, "--secret-string", "file:///dev/stdin", "--query", "ARN", "--output", "text"]


def _aws_values(need: SecretNeed, source: ExternalSecrets, values: Mapping[str, str]) -> dict[str, object] | None:
    """Return what is there, or None. A secret that is no JSON document is somebody else's."""
    where = ["aws", "secretsmanager", "get-secret-value", "--region", source.region]
    words = [*where, "--secret-id", source.remote_name(need), "--query", "SecretString", "--output", "text"]
    done = run(words, secrets=values.values())
    if done.code and "ResourceNotFoundException" in done.complaint:
        return None
    try:
        there = json.loads(_ok(need, done).output)
    except (ValueError, RecursionError):
        there = None
    if not isinstance(there, dict):
        raise ToolError(f"{source.remote_name(need)}: what is there is not a JSON document of keys and values")
    return there


def _ok(need: SecretNeed, done: Done) -> Done:
    if done.code and f'namespaces "{need.namespace}" not found' in done.complaint:
        made = f"kubectl create namespace {need.namespace}"
        raise ToolError(f"the cluster has no namespace {need.namespace}; run `{made}` with the same context, and again")
    if done.code:
        raise ToolError(f"{need.namespace}/{need.name}: {done.complaint or f'ended with {done.code}'}")
    return done
