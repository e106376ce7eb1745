"""The one setting of Argo CD itself that delivery in order needs: Applications have a health."""

from __future__ import annotations

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.argocd.common import FOLDER, NAMESPACE

SETTINGS = f"{FOLDER}/settings/configmap-argocd-cm.yaml"
HEALTH_KEY = "resource.customizations.health.argoproj.io_Application"
# An Application is as healthy as it says. Argo CD has not assumed so since 1.8 (docs/operator-manual/health.md). Before
# its first sync, and between two waves, it says Healthy: what is missing does not count (controller/health.go; run).
HEALTH = """\
local health = {status = "Progressing", message = ""}
local status = obj.status or {}
local synced = status.sync ~= nil and status.sync.status == "Synced"
if status.operationState ~= nil then
  synced = status.operationState.phase == "Succeeded"
end
if synced and status.health ~= nil then
  health.status = status.health.status or health.status
  health.message = status.health.message or ""
end
return health
"""


def settings() -> Artifact:
    """Return the setting, to be applied once beside Argo CD's others."""
    note = (
        "Adds one setting to Argo CD's own ConfigMap, and leaves the others alone (`kubectl apply --server-side`):",
        "with it the root waits until an Application is healthy before it makes those of the next wave.",
    )
    return Artifact(SETTINGS, application_health(), note=note)


def application_health() -> Tree:
    """Return the part of Argo CD's settings by which an Application has a health; the labels are Argo CD's own."""
    labels = {"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"}
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": NAMESPACE, "labels": labels},
        "data": {HEALTH_KEY: HEALTH},
    }
