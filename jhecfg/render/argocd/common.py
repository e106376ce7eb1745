"""What Argo CD's objects have in common: where they live, their wave, how an Application follows git."""

from __future__ import annotations

from jhecfg.artifact import Tree
from jhecfg.render.objects import metadata
from jhecfg.render.units import site_named
from jhecfg.site import Site

FOLDER = "gitops/argocd"
NAMESPACE = "argocd"
SERVER = "https://kubernetes.default.svc"
FINALIZER = "resources-finalizer.argocd.argoproj.io/foreground"  # with its path: Kubernetes 1.36 warns of one without

# Argo CD asks the API server what a sync would change. By itself it takes defaults inside a Gateway's listeners or a
# route's backends for differences, and heals them for ever (run with 3.5; docs/user-guide/diff-strategies.md).
COMPARED = {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}


def site_metadata(site: Site, part: str, wave: int) -> Tree:
    """Return the metadata of a site's delivery object, with its wave in the root Application."""
    annotations = {"argocd.argoproj.io/sync-wave": str(wave)}
    return metadata(site, site_named(site, part), "delivery", namespace=NAMESPACE, annotations=annotations)


def sync_policy(options: list[str]) -> Tree:
    """Return how an Application follows git: by itself, and without giving up."""
    return {
        "automated": {"prune": True, "selfHeal": True},
        "syncOptions": options,
        # For ever: after its last try Argo CD would leave a commit alone until the next one. A definition, a Secret, a
        # role may come an hour later. A retry takes the newest commit, so that a mended one does not wait.
        "retry": {
            "limit": -1,
            "refresh": True,
            "backoff": {"duration": "30s", "factor": 2, "maxDuration": "5m0s"},
        },
    }
