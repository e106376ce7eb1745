"""flux(): sources, HelmReleases and one Kustomization for each phase, each waiting for what it needs.

Fields and behaviour: kustomize-controller 1.9, helm-controller 1.6, source-controller 1.9 (docs/spec). The site's own
Kustomization reads `gitops/flux/kustomization.yaml`; the folders below are read by Kustomizations of their own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.kustomize import kustomization
from jhecfg.render.objects import metadata
from jhecfg.render.phases import phase
from jhecfg.render.units import Unit, hub_units, platform_units, site_named, values_of
from jhecfg.site import Site

FOLDER = "gitops/flux"
NAMESPACE = "flux-system"
CHARTS = "charts"
HUBS = "hubs"
# A hub needs its namespace, network policies and Secret, all of this phase.
CONFIG = "20-config"
SUBSTITUTE = {"kustomize.toolkit.fluxcd.io/substitute": "disabled"}
# A SealedSecret says by this condition, and by none that Flux knows, that its Secret is there (sealed-secrets 0.36).
SYNCED = {
    "apiVersion": "bitnami.com/v1alpha1",
    "kind": "SealedSecret",
    "failed": "status.conditions.exists(c, c.type == 'Synced' && c.status == 'False')",
    "current": "status.conditions.exists(c, c.type == 'Synced' && c.status == 'True')",
}

_COMMIT = re.compile(r"[0-9a-f]{40}")
_VERSION = re.compile(r"v?[0-9]+\.[0-9]+(\.[0-9]+)?([-+.][A-Za-z0-9.]+)?")
_SCP = re.compile(r"git@([^:/]+):(.+)")
_MINIMUM = 600  # seconds
_SPARE = 300  # what a phase may take beside its Jobs


def flux(site: Site, objects: Sequence[Artifact]) -> Iterator[Artifact]:
    """Render the sources, the releases and the chain of Kustomizations."""
    platform, hubs = platform_units(site), hub_units(site)
    top = [
        Artifact(f"{FOLDER}/gitrepository.yaml", git_repository(site)),
        Artifact(f"{FOLDER}/kustomization-site.yaml", root(site), note=_root_note()),
        *_chain(site, objects, platform, hubs),
    ]
    yield kustomization(FOLDER, [artifact.path for artifact in top])
    yield from top
    for folder, units in ((CHARTS, platform), (HUBS, hubs)):
        if units:
            yield from _folder(site, f"{FOLDER}/{folder}", units, objects)


def _root_note() -> tuple[str, ...]:
    return (
        "Applied once, with gitrepository.yaml. From then on Flux reads both, and everything else, from git.",
        "It does not wait: it holds itself, and the Kustomizations below wait for one another.",
    )


def _chain(
    site: Site, objects: Sequence[Artifact], platform: Sequence[Unit], hubs: Sequence[Unit]
) -> Iterator[Artifact]:
    """Yield a Kustomization for the charts, then one a phase, each after the one before; the hubs beside the app."""
    before: str | None = None
    if platform:
        yield _link(site, CHARTS, f"{FOLDER}/{CHARTS}", None, 1200)
        before = CHARTS
    for name, seconds in _phases(objects).items():
        yield _link(site, name, f"manifests/{name}", before, seconds)
        before = name
    if hubs:
        yield _link(site, HUBS, f"{FOLDER}/{HUBS}", CONFIG, 1200)


def _phases(objects: Sequence[Artifact]) -> dict[str, int]:
    """Return the phases that have objects, with the seconds that each may take: its longest Job, and more."""
    found: dict[str, int] = {}
    for artifact in objects:
        name, tree = phase(artifact.path), artifact.manifest
        if name is not None and tree is not None:
            deadline = tree["spec"].get("activeDeadlineSeconds", 0) if tree["kind"] == "Job" else 0
            found[name] = max(found.get(name, _MINIMUM), deadline + _SPARE)
    return dict(sorted(found.items()))


def _link(site: Site, name: str, folder: str, before: str | None, seconds: int) -> Artifact:
    tree = _kustomization(site, name, folder, before, seconds)
    return Artifact(f"{FOLDER}/kustomization-{name}.yaml", tree)


def _kustomization(site: Site, name: str, folder: str, before: str | None, seconds: int) -> Tree:
    ours = name == CONFIG
    # The controller reads every key of the Secret that ends in .agekey (kustomize-controller 1.9, decryptor.go).
    key = {"provider": "sops", "secretRef": {"name": site_named(site, "sops")}}
    return {
        "apiVersion": "kustomize.toolkit.fluxcd.io/v1",
        "kind": "Kustomization",
        "metadata": _metadata(site, name),
        "spec": {
            **({"dependsOn": [{"name": site_named(site, before)}]} if before else {}),
            "interval": "10m0s",
            "retryInterval": "2m0s",
            "timeout": f"{seconds // 60}m0s",
            "sourceRef": _source(site),
            "path": f"./{site.gitops.path}/{folder}",
            "prune": True,
            "wait": True,
            **({"decryption": key} if site.secrets_backend == "sops" and ours else {}),
            **({"healthCheckExprs": [SYNCED]} if site.secrets_backend == "sealed-secrets" and ours else {}),
        },
    }


def root(site: Site) -> Tree:
    """Return the Kustomization of the Kustomizations."""
    tree = _kustomization(site, "site", FOLDER, None, _MINIMUM)
    return {**tree, "spec": {**tree["spec"], "wait": False}}


def _source(site: Site) -> Tree:
    return {"kind": "GitRepository", "name": site_named(site, "git")}


def _metadata(site: Site, part: str) -> Tree:
    return metadata(site, site_named(site, part), "delivery", namespace=NAMESPACE, annotations=SUBSTITUTE)


def git_repository(site: Site) -> Tree:
    """Return the repository; what opens it is in the Secret that it names."""
    secret = site.gitops.secret_name
    return {
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "GitRepository",
        "metadata": _metadata(site, "git"),
        "spec": {
            "interval": "2m0s",
            "url": ssh_url(site.gitops.repo),
            "ref": _ref(site.gitops.revision),
            **({"secretRef": {"name": secret}} if secret is not None else {}),
        },
    }


def ssh_url(repo: str) -> str:
    """Return a git address as Flux takes it: `git@host:path` is not an address."""
    match = _SCP.fullmatch(repo)
    return f"ssh://git@{match[1]}/{match[2].removeprefix('/')}" if match else repo


def _ref(revision: str) -> Tree:
    if _COMMIT.fullmatch(revision):
        return {"commit": revision}
    if revision.startswith("refs/"):
        return {"name": revision}
    return {"tag": revision} if _VERSION.fullmatch(revision) else {"branch": revision}


# --- releases ---------------------------------------------------------------------------------------------------------


def _folder(site: Site, folder: str, units: Sequence[Unit], objects: Sequence[Artifact]) -> Iterator[Artifact]:
    """Yield the sources and the releases of a folder. Platform charts come one after another; hubs do not wait."""
    chained = folder.endswith(CHARTS)
    artifacts: dict[str, Artifact] = {}
    before: Unit | None = None
    for unit in units:
        source = chart_source(site, unit)
        path = f"{folder}/{source['kind'].lower()}-{_source_part(unit)}.yaml"
        artifacts.setdefault(path, Artifact(path, source))
        release = helm_release(site, unit, objects, before if chained else None)
        path = f"{folder}/helmrelease-{unit.release}.yaml"
        artifacts[path] = Artifact(path, release, note=(f"The values are those of {unit.values_path}.",))
        before = unit
    yield kustomization(folder, artifacts)
    yield from artifacts.values()


def _part(unit: Unit) -> str:
    return unit.release if unit.own_namespace or unit.namespace == "kube-system" else f"hub-{unit.release}"


def _source_part(unit: Unit) -> str:
    """Return what a chart's source is called: an OCI one holds one version, a repository holds them all."""
    return unit.release if unit.is_oci else unit.chart.name


def chart_source(site: Site, unit: Unit) -> Tree:
    """Return where a chart comes from."""
    name = site_named(site, _source_part(unit))
    common = {"apiVersion": "source.toolkit.fluxcd.io/v1"}
    meta = metadata(site, name, "delivery", namespace=NAMESPACE, annotations=SUBSTITUTE)
    if not unit.is_oci:
        spec: Tree = {"interval": "1h0m0s", "url": unit.chart.repository}
        return {**common, "kind": "HelmRepository", "metadata": meta, "spec": spec}
    spec = {
        "interval": "1h0m0s",
        "url": unit.chart.reference,
        "ref": {"tag": unit.chart.version},
        "layerSelector": {"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "operation": "copy"},
    }
    return {**common, "kind": "OCIRepository", "metadata": meta, "spec": spec}


def helm_release(site: Site, unit: Unit, objects: Sequence[Artifact], before: Unit | None) -> Tree:
    """Return a release, with the values of the values file."""
    retry = {"strategy": {"name": "RetryOnFailure", "retryInterval": "2m0s"}}
    return {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": _metadata(site, _part(unit)),
        "spec": {
            **({"dependsOn": [{"name": site_named(site, _part(before))}]} if before else {}),
            "interval": "10m0s",
            "timeout": "10m0s",
            "releaseName": unit.release,
            "targetNamespace": unit.namespace,
            # Beside the release, where `helm list` looks and where helm itself would have put it.
            "storageNamespace": unit.namespace,
            **_chart(site, unit),
            "install": {"crds": "CreateReplace", **({"createNamespace": True} if unit.own_namespace else {}), **retry},
            "upgrade": {"crds": "CreateReplace", **retry},
            "values": values_of(unit, objects),
        },
    }


def _chart(site: Site, unit: Unit) -> Tree:
    name = site_named(site, _source_part(unit))
    if unit.is_oci:
        return {"chartRef": {"kind": "OCIRepository", "name": name}}
    source = {"kind": "HelmRepository", "name": name}
    return {"chart": {"spec": {"chart": unit.chart.name, "version": unit.chart.version, "sourceRef": source}}}
