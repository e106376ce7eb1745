"""The in-process judge: every Kubernetes-shaped artifact against its closed schema, offline, always.

All objects of a site are judged in one call: the validator's instance is a map from "apiVersion kind" to the list of
objects of that kind, and its schema has one property per kind that occurs. So the definitions that Deployment, Job and
CronJob share are compiled once, and a validator is made again only when a site uses other kinds than the last one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from jhecfg import schemas
from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import did_you_mean
from jhecfg.rules.schema_error import Schema, Violation, explain

if TYPE_CHECKING:
    from jsonschema_rs import Validator

__all__ = ["Violation", "count_checked", "schema_violations"]

Kind = tuple[str, str]


class _Judge(NamedTuple):
    """A compiled validator, the schema it was made from, and which of the kinds have no schema."""

    validator: Validator
    schema: Schema
    unknown: frozenset[Kind]


def count_checked(artifacts: Sequence[Artifact]) -> int:
    """Say how many of the artifacts are Kubernetes-shaped, that is, how many `schema_violations` judges."""
    return sum(artifact.manifest is not None for artifact in artifacts)


def schema_violations(artifacts: Sequence[Artifact], kubernetes: str) -> Iterator[Violation]:
    """Yield everything that the schemas of a Kubernetes version ("1.36") forbid, in the order of the artifacts.

    Artifacts that are not Kubernetes-shaped (Helm values, text) are passed over. A kind without a schema is itself a
    violation: nothing is skipped. Raises ValueError for a Kubernetes version without schemas.
    """
    groups: dict[Kind, list[tuple[Artifact, Tree]]] = {}
    for artifact in artifacts:
        tree = artifact.manifest
        if tree is not None:
            groups.setdefault((str(tree["apiVersion"]), str(tree["kind"])), []).append((artifact, tree))
    judge = _judge(kubernetes, tuple(sorted(groups)))
    found = [*_unknown_kinds(groups, judge), *_forbidden(groups, judge)]
    order = {artifact.path: at for at, artifact in enumerate(artifacts)}
    yield from sorted(found, key=lambda violation: (order[violation.path], str(violation.pointer)))


def _forbidden(groups: dict[Kind, list[tuple[Artifact, Tree]]], judge: _Judge) -> Iterator[Violation]:
    instance = {" ".join(kind): [tree for _, tree in group] for kind, group in groups.items()}
    if judge.validator.is_valid(instance):  # sooner than to gather errors, of which there are nearly never any
        return
    for error in judge.validator.iter_errors(instance):
        name, at = error.instance_path[:2]
        api_version, _, kind = str(name).rpartition(" ")
        artifact, _ = groups[api_version, kind][int(at)]
        for violation in explain(error, judge.schema):
            found = "" if kind == "Secret" else violation.found
            yield violation._replace(path=artifact.path, found=found)


def _unknown_kinds(groups: dict[Kind, list[tuple[Artifact, Tree]]], judge: _Judge) -> Iterator[Violation]:
    for api_version, kind in judge.unknown:
        known = [name for _, name in schemas.kinds()]
        hint = did_you_mean(kind, known) if kind not in known else _right_versions(kind)
        for artifact, _ in groups[api_version, kind]:
            message = f"there is no schema for {kind} of {api_version}"
            yield Violation(artifact.path, ("kind",), message, found=f"{api_version} {kind}", hint=hint)


def _right_versions(kind: str) -> str:
    return f"{kind} is of " + " or ".join(api for api, name in schemas.kinds() if name == kind)


@lru_cache(maxsize=32)
def _judge(kubernetes: str, kinds: tuple[Kind, ...]) -> _Judge:
    """Compile one validator for a set of kinds; a site needs one, a fleet a handful."""
    from jsonschema_rs import Draft202012Validator, RegexOptions  # 30 ms; a build that changes nothing never pays it

    documents, definitions = schemas.schemas_for(kubernetes, kinds)
    properties = {" ".join(kind): {"items": document} for kind, document in documents.items()}
    root: Schema = {"properties": properties, "$defs": definitions}
    validator = Draft202012Validator(root, mask="the value", pattern_options=RegexOptions())
    return _Judge(validator, root, frozenset(kind for kind in kinds if kind not in documents))
