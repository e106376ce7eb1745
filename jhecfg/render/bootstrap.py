"""40-bootstrap: the Job that brings a migrated database to the spec, its script and the document it works from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.jobs import script, script_config, script_folder, script_job
from jhecfg.render.objects import env, secret_env
from jhecfg.site import Organization, Site

FOLDER = "manifests/40-bootstrap"
NAME = "bootstrap"
ADMIN_UI = "JHE Admin UI"  # JHE v0.0.10 … main look the application up by exactly this name


def bootstrap(site: Site) -> Iterator[Artifact]:
    """Render the Job that makes the superuser, OAuth applications, organizations and settings."""
    files = bootstrap_files(site)
    yield Artifact(f"{FOLDER}/configmap-bootstrap.yaml", script_config(site, NAME, files))
    yield Artifact(f"{FOLDER}/job-bootstrap.yaml", bootstrap_job(site, files))


def bootstrap_files(site: Site) -> dict[str, str]:
    """Return the script (a constant of jhecfg) and its document (the spec's)."""
    return {"bootstrap.py": script("bootstrap.py"), "bootstrap.json": document(bootstrap_data(site))}


def bootstrap_job(site: Site, files: dict[str, str]) -> Tree:
    """Return the bootstrap Job, which runs the script of these files."""
    ex = site.exchange
    variables = [
        env("JHE_BOOTSTRAP", f"{script_folder(NAME)}/bootstrap.json"),
        secret_env("JHE_ADMIN_PASSWORD", ex.admin_password),
        secret_env("JHE_INVITE_CODE", ex.invite_code),
        *([secret_env("JHE_MCP_CLIENT_SECRET", ex.mcp.client_secret)] if ex.mcp else []),
        *(
            [secret_env("JHE_WEARABLES_API_KEY", ex.wearables.api_key)]
            if _wearables_settings(site) and ex.wearables
            else []
        ),
    ]
    return script_job(site, NAME, files, variables, deadline=900)


def bootstrap_data(site: Site) -> dict[str, Any]:
    """Return what the bootstrap script works from: plain data, secrets by the name of their variable."""
    return {
        "version": 1,
        "published": "differs" if site.environment == "demo" else "refused",
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


def document(data: dict[str, Any]) -> str:
    """Return a script's document as people read it in a diff."""
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"
