"""30-migrate, and what every Job shares: its pod, when it is tried again, its name by its content."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.config import environment, exchange_env, exchange_mounts, exchange_volumes
from jhecfg.render.objects import (
    DIGEST_ANNOTATION,
    container_security,
    digest,
    env,
    labels,
    metadata,
    pod_security,
    pull,
    resources,
)
from jhecfg.site import Site

REFUSED = 3
"""The exit code by which a script of ours says that another try would end the same."""


def migrate(site: Site) -> Iterator[Artifact]:
    """Render the Job that migrates the database's schema."""
    yield Artifact("manifests/30-migrate/job-migrate.yaml", migrate_job(site))


def migrate_job(site: Site) -> Tree:
    """Return the migrate Job. One Job, not an init container: parallel migrations break each other (run)."""
    container = {
        "name": "migrate",
        **pull(site.image),
        "command": ["python", "manage.py", "migrate", "--noinput"],
        **_job_container(site),
    }
    return _job(site, "migrate", container, exchange_volumes(site), deadline=1800)


# --- Jobs that run a script of ours -----------------------------------------------------------------------------------


@cache
def script(name: str) -> str:
    """Return a script of `files/`: a constant, the same for every spec."""
    return (Path(__file__).parent / "files" / name).read_text(encoding="utf-8")


def script_config(site: Site, name: str, data: dict[str, str]) -> Tree:
    """Return the ConfigMap of a script and its document, by their file names."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(site, name, name, namespace=site.namespace),
        "data": data,
    }


def script_folder(name: str) -> str:
    """Return where a Job finds its script."""
    return f"/etc/jhe/{name}"


def script_job(
    site: Site, name: str, data: dict[str, str], variables: Sequence[Tree], *, deadline: int, inputs: Any = None
) -> Tree:
    """Return the Job that runs the script of `script_config`, whose files it mounts.

    Another content of the files, or of `inputs`, makes another Job. `deadline` is in seconds.
    """
    place = script_folder(name)
    runs = next(file for file in data if file.endswith(".py"))
    container = {
        "name": name,
        **pull(site.image),
        "command": ["python", f"{place}/{runs}"],
        **_job_container(site),
    }
    container["env"] = [
        *container["env"],
        env("PYTHONPATH", "/code"),
        env("DJANGO_SETTINGS_MODULE", "jhe.settings"),
        *variables,
    ]
    container["volumeMounts"] = [*container["volumeMounts"], {"name": name, "mountPath": place, "readOnly": True}]
    volumes = [*exchange_volumes(site), {"name": name, "configMap": {"name": name}}]
    return _job(site, name, container, volumes, deadline=deadline, inputs=[data, inputs])


# --- every Job --------------------------------------------------------------------------------------------------------


def _job_container(site: Site) -> Tree:
    return {
        "workingDir": "/code",
        "envFrom": [{"configMapRef": {"name": "exchange"}}],
        "env": exchange_env(site),
        "resources": resources({"cpu": "250m", "memory": "256Mi"}, {"memory": "512Mi"}),
        "securityContext": container_security(),
        "volumeMounts": exchange_mounts(site),
    }


def _job(site: Site, name: str, container: Tree, volumes: list[Tree], *, deadline: int, inputs: Any = None) -> Tree:
    """Return a Job. `content_named` puts a digest of its spec behind its name, once it is patched."""
    database = {name: value for name, value in environment(site).items() if name.startswith(("DB_", "PG"))}
    content = digest(database, inputs, site.rerun)
    template: Tree = {
        "metadata": {
            "labels": {**labels(site, name), "jhecfg/database": "client"},
            "annotations": {DIGEST_ANNOTATION: content},
        },
        "spec": {
            "serviceAccountName": "exchange",
            "automountServiceAccountToken": False,
            "restartPolicy": "Never",
            "securityContext": pod_security(),
            **pull_secrets(site),
            "containers": [container],
            "volumes": volumes,
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata(site, name, name, namespace=site.namespace),
        # No ttlSecondsAfterFinished: a Job that vanishes is drift, and a controller would run it again.
        "spec": {
            "backoffLimit": 5,
            "activeDeadlineSeconds": deadline,
            "podFailurePolicy": failure_policy(name),
            "template": template,
        },
    }


def failure_policy(container: str) -> Tree:
    """Return what a pod's end means: a refusal stays one, a drained node is no failure, all else is tried again."""
    refused = {"containerName": container, "operator": "In", "values": [REFUSED]}
    return {
        "rules": [
            {"action": "FailJob", "onExitCodes": refused},
            {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        ]
    }


def content_named(artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
    """End every Job's name in a digest of its spec: another spec, another Job; the same, the same.

    A Job's template and failure policy are immutable (kubernetes pkg/apis/batch/validation), so under a fixed name the
    second release would fail (facts/gitops.md 1.1).
    """
    for artifact in artifacts:
        tree = artifact.manifest
        if tree is not None and tree["kind"] == "Job":
            name = f"{tree['metadata']['name']}-{digest(tree.get('spec'))}"
            yield artifact._replace(tree={**tree, "metadata": {**tree["metadata"], "name": name}})
        else:
            yield artifact


def pull_secrets(site: Site) -> Tree:
    """Return a pod's registry Secrets, if the image has any."""
    names = site.image.pull_secrets
    return {"imagePullSecrets": [{"name": name} for name in names]} if names else {}
