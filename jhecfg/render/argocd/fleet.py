"""Many sites in one repository: an ApplicationSet hands over each that says it belongs to the fleet.

Fields and behaviour: argo-cd 3.5 (docs/operator-manual/applicationset/{Generators-Git,Security}.md). The objects are
the same in every site of a fleet, so an administrator applies them from any one, once. A site belongs to it by a file
in its own folder: sites of the same repository that are for another cluster have none.
"""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.argocd.common import COMPARED, FOLDER, NAMESPACE, SERVER, sync_policy
from jhecfg.render.argocd.projects import delivery_only
from jhecfg.render.objects import MANAGER
from jhecfg.site import Site

FLEET = f"{FOLDER}/fleet"
# The one variable of the template, which each site's file sets; a template that lacks one fails.
_SITE = "{{.site}}"


def fleet(site: Site) -> Iterator[Artifact]:
    """Render the fleet's objects and this site's membership, if the spec has a fleet."""
    name = site.gitops.fleet
    if name is None:
        return
    yield Artifact(f"{FLEET}/appproject-{name}.yaml", fleet_project(site, name))
    yield Artifact(f"{FLEET}/applicationset-{name}.yaml", application_set(site, name), note=_note())
    yield Artifact(f"{FLEET}/{name}.yaml", {"site": site.name}, note=("The fleet finds this site by this file.",))


def _note() -> tuple[str, ...]:
    return ("Applied once, with the project beside it, from any site of the fleet: it is the same in all of them.",)


def fleet_project(site: Site, name: str) -> Tree:
    """Return the project of what the ApplicationSet makes: each site's own project and root."""
    return delivery_only(_metadata(name), f"{name}: hands over the sites of the fleet", site.gitops.repo)


def application_set(site: Site, name: str) -> Tree:
    """Return the ApplicationSet. It never deletes: a file that git no longer shows must not end a site."""
    sites = site.gitops.path.rpartition("/")[0]
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "ApplicationSet",
        "metadata": _metadata(name),
        "spec": {
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [
                {
                    "git": {
                        "repoURL": site.gitops.repo,
                        "revision": site.gitops.revision,
                        "files": [{"path": f"{sites}/*/{FLEET}/{name}.yaml"}],
                    }
                }
            ],
            "syncPolicy": {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True},
            "template": {
                "metadata": {"name": f"{_SITE}-bootstrap", "labels": _labels(_SITE), "annotations": dict(COMPARED)},
                "spec": {
                    "project": fleet_name(name),
                    "destination": {"server": SERVER, "namespace": NAMESPACE},
                    "source": {
                        "repoURL": site.gitops.repo,
                        "targetRevision": site.gitops.revision,
                        "path": f"{sites}/{_SITE}/{FOLDER}/bootstrap",
                    },
                    "syncPolicy": sync_policy(["ServerSideApply=true", "FailOnSharedResource=true"]),
                },
            },
        },
    }


def fleet_name(name: str) -> str:
    """Return what a fleet's objects are called; no site's are."""
    return f"{name}-fleet"


def _metadata(name: str) -> Tree:
    return {"name": fleet_name(name), "namespace": NAMESPACE, "labels": _labels(fleet_name(name))}


def _labels(instance: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "delivery",
        "app.kubernetes.io/instance": instance,
        "app.kubernetes.io/part-of": "jupyterhealth-exchange",
        "app.kubernetes.io/managed-by": MANAGER,
    }
