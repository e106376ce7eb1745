"""30-migrate and 40-bootstrap: the Jobs that bring the database to the release and the spec, named by their content."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
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
    secret_env,
)
from jhecfg.site import Organization, Site

ADMIN_UI = "JHE Admin UI"  # JHE v0.0.10 … main look the application up by exactly this name


def migrate(site: Site) -> Iterator[Artifact]:
    """Render the Job that migrates the database's schema."""
    yield Artifact("manifests/30-migrate/job-migrate.yaml", migrate_job(site))


def bootstrap(site: Site) -> Iterator[Artifact]:
    """Render the Job that makes the superuser, OAuth applications, organizations and settings."""
    yield Artifact("manifests/40-bootstrap/configmap-bootstrap.yaml", bootstrap_config(site))
    yield Artifact("manifests/40-bootstrap/job-bootstrap.yaml", bootstrap_job(site))


def migrate_job(site: Site) -> Tree:
    """Return the migrate Job. One Job, not an init container: parallel migrations break each other (run)."""
    container = {
        "name": "migrate",
        **pull(site.image),
        "command": ["python", "manage.py", "migrate", "--noinput"],
        **_job_container(site),
    }
    return _job(site, "migrate", container, exchange_volumes(site), deadline=1800)


def bootstrap_job(site: Site) -> Tree:
    """Return the bootstrap Job."""
    ex = site.exchange
    container = {
        "name": "bootstrap",
        **pull(site.image),
        "command": ["python", "/etc/jhe/bootstrap/bootstrap.py"],
        **_job_container(site),
    }
    container["env"] = [
        *container["env"],
        env("PYTHONPATH", "/code"),
        env("DJANGO_SETTINGS_MODULE", "jhe.settings"),
        env("JHE_BOOTSTRAP", "/etc/jhe/bootstrap/bootstrap.json"),
        secret_env("JHE_ADMIN_PASSWORD", ex.admin_password),
        secret_env("JHE_INVITE_CODE", ex.invite_code),
        *([secret_env("JHE_MCP_CLIENT_SECRET", ex.mcp.client_secret)] if ex.mcp else []),
        *(
            [secret_env("JHE_WEARABLES_API_KEY", ex.wearables.api_key)]
            if _wearables_settings(site) and ex.wearables
            else []
        ),
    ]
    container["volumeMounts"] = [
        *container["volumeMounts"],
        {"name": "bootstrap", "mountPath": "/etc/jhe/bootstrap", "readOnly": True},
    ]
    volumes = [*exchange_volumes(site), {"name": "bootstrap", "configMap": {"name": "bootstrap"}}]
    return _job(site, "bootstrap", container, volumes, deadline=900, inputs=[_script_digest(), bootstrap_data(site)])


def bootstrap_config(site: Site) -> Tree:
    """Return the ConfigMap with the bootstrap script (a constant of jhecfg) and its data (the spec's)."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(site, "bootstrap", "bootstrap", namespace=site.namespace),
        "data": {"bootstrap.py": bootstrap_script(), "bootstrap.json": _document(bootstrap_data(site))},
    }


@cache
def bootstrap_script() -> str:
    """Return the script, the same for every spec."""
    return (files("jhecfg.render") / "files" / "bootstrap.py").read_text(encoding="utf-8")


@cache
def _script_digest() -> str:
    return digest(bootstrap_script())


def bootstrap_data(site: Site) -> dict[str, Any]:
    """Return what the bootstrap script works from: plain data, secrets by the name of their variable."""
    return {
        "version": 1,
        "admin": {"email": site.exchange.admin_email, "passwordEnv": "JHE_ADMIN_PASSWORD"},
        "applications": list(_applications(site)),
        "organizations": [_organization(org) for org in site.orgs],
        "settings": list(_settings(site)),
    }


def _applications(site: Site) -> Iterator[dict[str, Any]]:
    ex = site.exchange
    yield {
        "name": ADMIN_UI,
        "clientId": f"jhe-admin-ui-{site.name}",
        "clientType": "public",
        "redirectUris": [ex.callback_url],
    }
    for hub in site.hubs:
        yield {
            "name": f"JupyterHub {hub.domain}",
            "clientId": hub.client_id,
            "clientType": "public",
            "redirectUris": [hub.callback_url],
        }
    if ex.mcp:
        yield {
            "name": f"MCP {ex.mcp.domain}",
            "clientId": ex.mcp.client_id,
            "clientType": "confidential",
            "secretEnv": "JHE_MCP_CLIENT_SECRET",
            "redirectUris": [ex.mcp.callback_url],
        }


def _organization(org: Organization) -> dict[str, Any]:
    return {
        "id": org.id,
        "name": org.name,
        "type": org.type,
        "parent": org.parent_id,
        "managers": list(org.managers),
        "manage": org.manage,
    }


def _settings(site: Site) -> Iterator[dict[str, Any]]:
    for setting in site.exchange.settings:
        yield {"key": setting.key, "type": setting.type, "value": setting.value}
    # Without this row anybody may register (run on v0.0.9 … main): a site always has one.
    yield {"key": "site.registration_invite_code", "type": "string", "valueEnv": "JHE_INVITE_CODE"}
    if site.exchange.wearables and _wearables_settings(site):
        yield {"key": "ow.api_key", "type": "string", "valueEnv": "JHE_WEARABLES_API_KEY"}


def _wearables_settings(site: Site) -> bool:
    return "wearables-settings" in site.release.features


def _document(data: dict[str, Any]) -> str:
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def _job_container(site: Site) -> Tree:
    return {
        "workingDir": "/code",
        "envFrom": [{"configMapRef": {"name": "exchange"}}],
        "env": exchange_env(site),
        "resources": {"requests": {"cpu": "250m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        "securityContext": container_security(),
        "volumeMounts": exchange_mounts(site),
    }


def _job(site: Site, name: str, container: Tree, volumes: list[Tree], *, deadline: int, inputs: Any = None) -> Tree:
    """Return a Job. `content_named` puts a digest of its pod template behind its name, once it is patched."""
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
        "spec": {"backoffLimit": 5, "activeDeadlineSeconds": deadline, "template": template},
    }


def content_named(artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
    """End every Job's name in a digest of its pod template: another template, another Job; the same, the same.

    A Job's template is immutable, so a fixed name would make the second release fail (facts/gitops.md 1.1).
    """
    for artifact in artifacts:
        tree = artifact.manifest
        if tree is not None and tree["kind"] == "Job":
            name = f"{tree['metadata']['name']}-{digest(tree['spec']['template'])}"
            yield artifact._replace(tree={**tree, "metadata": {**tree["metadata"], "name": name}})
        else:
            yield artifact


def pull_secrets(site: Site) -> Tree:
    """Return a pod's registry Secrets, if the image has any."""
    names = site.image.pull_secrets
    return {"imagePullSecrets": [{"name": name} for name in names]} if names else {}
