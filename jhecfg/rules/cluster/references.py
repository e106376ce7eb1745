"""A rule over the files for CloudFormation: no text in them is filled in there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Finding
from jhecfg.parse import leaves
from jhecfg.site import Site

_DYNAMIC = "{{resolve:"


def cloudformation_reference(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A file for eksctl or CloudFormation holds `{{resolve:`.

    *Why:* CloudFormation puts a parameter or a secret in its place as it makes the stack (dynamic references, AWS
    CloudFormation user guide). In a tag or a name, the database's password would be there for all to read.

    *Instead:* take it out. Nothing that jhecfg writes for CloudFormation needs a secret.
    """
    for artifact in artifacts:
        if not artifact.path.startswith("cluster/") or not isinstance(artifact.tree, dict):
            continue
        for loc, value in leaves(artifact.tree):
            if any(_DYNAMIC in str(text) for text in (*loc, value)):
                yield Finding(
                    artifact=artifact.path,
                    loc=loc,
                    message="CloudFormation would put a parameter or a secret in here",
                    hint="delete it; a stack holds no secret",
                )
