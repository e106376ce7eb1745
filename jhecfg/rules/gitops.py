"""Rules about delivery: what Argo CD or Flux would refuse, do twice, or change on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from typing import Any

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, Loc
from jhecfg.rules.outputs import Outputs, namespace_of
from jhecfg.site import Site

SUBSTITUTE = "kustomize.toolkit.fluxcd.io/substitute"
_READ_BY_ARGO = (".yaml", ".yml", ".json", ".jsonnet")


# --- what the engines read --------------------------------------------------------------------------------------------


def _of_kind(artifacts: Sequence[Artifact], kind: str, group: str) -> Iterator[tuple[str, Tree]]:
    """Yield (path, object) of a kind, in the delivery folder."""
    for artifact in Outputs.of(artifacts).delivery:
        tree = artifact.manifest
        if tree is None or tree["kind"] != kind or not str(tree["apiVersion"]).startswith(f"{group}/"):
            continue
        # What a patch has bent out of shape is the schema's to say.
        if isinstance(tree.get("spec"), dict):
            yield artifact.path, tree


def _applications(artifacts: Sequence[Artifact]) -> Iterator[tuple[str, Tree]]:
    return _of_kind(artifacts, "Application", "argoproj.io")


def _kustomizations(artifacts: Sequence[Artifact]) -> Iterator[tuple[str, Tree]]:
    return _of_kind(artifacts, "Kustomization", "kustomize.toolkit.fluxcd.io")


def sources_of(application: Tree) -> Iterator[tuple[Loc, Tree]]:
    """Yield (place, source) of an Application with one source, or several."""
    spec = application["spec"]
    if "source" in spec:
        yield ("spec", "source"), spec["source"]
    for index, source in enumerate(spec.get("sources") or ()):
        yield ("spec", "sources", index), source


def _local(site: Site, path: Any) -> str | None:
    """Turn a path in the repository into a folder of this output, or None when it is elsewhere."""
    base = f"{site.gitops.path}/"
    text = str(path).removeprefix("./").rstrip("/") + "/"
    return text.removeprefix(base) if text.startswith(base) else None


def read_by_directory(site: Site, source: Tree, artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Return what an Argo CD directory source reads (argo-cd 3.5, docs/user-guide/directory.md)."""
    folder = _local(site, source["path"]) if "path" in source and "chart" not in source else None
    if folder is None:
        return []
    below = {a.path.removeprefix(folder): a for a in artifacts if a.path.startswith(folder)}
    directory = source.get("directory") or {}
    return [artifact for name, artifact in below.items() if _reads(directory, name)]


def _reads(directory: Tree, name: str) -> bool:
    """Say whether a directory source reads a file. In its patterns `*` goes over `/`, and `{a,b}` is either."""
    include, exclude = directory.get("include"), directory.get("exclude")
    return (
        name.endswith(_READ_BY_ARGO)
        and ("/" not in name or bool(directory.get("recurse")))
        and (not include or _fits(name, str(include)))
        and not (exclude and _fits(name, str(exclude)))
    )


def _fits(name: str, pattern: str) -> bool:
    either = pattern[1:-1].split(",") if pattern.startswith("{") and pattern.endswith("}") else [pattern]
    return any(fnmatchcase(name, each) for each in either)


def read_by_kustomization(site: Site, tree: Tree, artifacts: Sequence[Artifact]) -> list[Artifact]:
    """Return what a Flux Kustomization reads: what kustomization.yaml lists, or all manifests below."""
    folder = _local(site, tree["spec"].get("path"))
    if folder is None:
        return []
    below = {a.path: a for a in artifacts if a.path.startswith(folder)}
    index = below.get(f"{folder}kustomization.yaml")
    if index is not None and index.manifest is not None:
        listed = (f"{folder}{name}" for name in index.manifest.get("resources") or ())
        return [below[path] for path in listed if path in below]
    return [a for a in below.values() if a.path.endswith((".yaml", ".yml")) and not _is_kustomize(a)]


def _is_kustomize(artifact: Artifact) -> bool:
    return artifact.path.rpartition("/")[2] == "kustomization.yaml"


# --- rules ------------------------------------------------------------------------------------------------------------


def foreign_file_in_source(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A folder that Argo CD reads as manifests holds a file that is none.

    *Why:* a directory source fails on a kustomization.yaml, and takes every other YAML or JSON file for an object.

    *Instead:* keep values, locks and kustomize's files outside the folder.
    """
    for path, application in _applications(artifacts):
        for loc, source in sources_of(application):
            for artifact in read_by_directory(site, source, artifacts):
                if artifact.manifest is None or _is_kustomize(artifact):
                    message = f"Argo CD would read {artifact.path} as a manifest"
                    yield Finding(artifact=path, loc=(*loc, "path"), message=message)


def two_owners(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """Two Applications or Kustomizations deliver the same object or Helm release.

    *Why:* each takes it from the other, for ever; and when one goes, it prunes what the other needs.

    *Instead:* let one of them deliver it.
    """
    first: dict[str, str] = {}
    for path, thing in _owned(site, artifacts):
        if thing in first and first[thing] != path:
            yield Finding(artifact=path, loc=("spec",), message=f"{thing} is also delivered by {first[thing]}")
        first.setdefault(thing, path)


def _owned(site: Site, artifacts: Sequence[Artifact]) -> Iterator[tuple[str, str]]:
    for path, application in _applications(artifacts):
        for _, source in sources_of(application):
            for artifact in read_by_directory(site, source, artifacts):
                yield path, artifact.path
            if "chart" in source:
                name = (source.get("helm") or {}).get("releaseName") or application["metadata"]["name"]
                namespace = (application["spec"].get("destination") or {}).get("namespace")
                yield path, f"release '{name}' in '{namespace}'"
    for path, tree in _kustomizations(artifacts):
        for artifact in read_by_kustomization(site, tree, artifacts):
            yield path, artifact.path
    for path, tree in _of_kind(artifacts, "HelmRelease", "helm.toolkit.fluxcd.io"):
        target, name = tree["spec"].get("targetNamespace"), tree["metadata"]["name"]
        release = tree["spec"].get("releaseName") or (f"{target}-{name}" if target else name)
        yield path, f"release '{release}' in '{target or namespace_of(tree)}'"


def not_allowed_by_project(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An Application takes from a repository, or delivers to a namespace, or a kind, that its project does not allow.

    *Why:* Argo CD refuses the whole Application.

    *Instead:* take back the patch; the projects follow from the output.
    """
    projects = {str(tree["metadata"]["name"]): tree["spec"] for _, tree in _projects(artifacts)}
    for path, application in _applications(artifacts):
        name = str(application["spec"].get("project"))
        project = projects.get(name)
        if project is None:
            yield Finding(artifact=path, loc=("spec", "project"), message=f"there is no project '{name}'")
            continue
        if application["spec"].get("destination") not in (project.get("destinations") or ()):
            message = f"project '{name}' does not allow this destination"
            yield Finding(artifact=path, loc=("spec", "destination"), message=message)
        for loc, source in sources_of(application):
            if source.get("repoURL") not in (project.get("sourceRepos") or ()):
                message = f"project '{name}' does not allow {source.get('repoURL')}"
                yield Finding(artifact=path, loc=(*loc, "repoURL"), message=message)
            for artifact in read_by_directory(site, source, artifacts):
                tree = artifact.manifest
                if tree is not None and not _is_kustomize(artifact) and not is_allowed(tree, project):
                    message = f"project '{name}' does not allow this {tree['kind']}"
                    yield Finding(artifact=artifact.path, loc=("kind",), message=message)


def _projects(artifacts: Sequence[Artifact]) -> Iterator[tuple[str, Tree]]:
    return _of_kind(artifacts, "AppProject", "argoproj.io")


def is_allowed(tree: Tree, project: Tree) -> bool:
    """Say whether a project's spec allows an object."""
    group, kind = str(tree["apiVersion"]).rpartition("/")[0], tree["kind"]
    namespace, name = tree["metadata"].get("namespace"), tree["metadata"]["name"]
    if namespace is None:
        return any(
            (entry.get("group"), entry.get("kind")) == (group, kind) and entry.get("name", name) == name
            for entry in project.get("clusterResourceWhitelist") or ()
        )
    kinds = project.get("namespaceResourceWhitelist")
    right_kind = kinds is None or {"group": group, "kind": kind} in kinds
    return right_kind and any(entry.get("namespace") == namespace for entry in project.get("destinations") or ())


def project_allows_all(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A project of Argo CD allows any repository, any destination, or any kind of the cluster's.

    *Why:* then whoever may write to any repository may bring anything into the cluster, as its administrator.

    *Instead:* take back the patch; name repositories, namespaces and kinds.
    """
    for path, tree in _projects(artifacts):
        for field in ("sourceRepos", "destinations", "clusterResourceWhitelist", "sourceNamespaces"):
            for index, entry in enumerate(tree["spec"].get(field) or ()):
                if "*" in str(entry):
                    message = f"project '{tree['metadata']['name']}' allows more than it names"
                    yield Finding(artifact=path, loc=("spec", field, index), message=message)


def flux_would_substitute(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """An object that Flux delivers holds `${`, and does not say that it is text.

    *Why:* where somebody turns on postBuild, Flux puts the value of a variable there: most often nothing.

    *Instead:* keep the annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`.
    """
    if site.gitops.engine != "flux":
        return
    for artifact in artifacts:
        tree = artifact.manifest
        if tree is None or "metadata" not in tree or not artifact.path.startswith(("manifests/", "gitops/")):
            continue
        if (tree["metadata"].get("annotations") or {}).get(SUBSTITUTE) != "disabled":
            for loc in _variables(tree):
                yield Finding(artifact=artifact.path, loc=loc, message="Flux may substitute '${' here")


def _variables(tree: Any, loc: Loc = ()) -> Iterator[Loc]:
    if isinstance(tree, str):
        if "${" in tree:
            yield loc
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _variables(value, (*loc, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from _variables(value, (*loc, index))


def unknown_dependency(site: Site, artifacts: Sequence[Artifact]) -> Iterator[Finding]:
    """A Flux object depends on, or takes its source from, one that does not exist.

    *Why:* it would wait for ever.

    *Instead:* take back the patch that changed the name.
    """
    kinds = ("Kustomization", "HelmRelease", "GitRepository", "HelmRepository", "OCIRepository")
    trees = [(path, tree) for kind in kinds for path, tree in _flux_objects(artifacts, kind)]
    known = {(str(tree["kind"]), str(tree["metadata"]["name"])) for _, tree in trees}
    for path, tree in trees:
        for loc, kind, name in _flux_references(tree):
            if (kind, name) not in known:
                yield Finding(artifact=path, loc=loc, message=f"there is no {kind} '{name}'")


def _flux_objects(artifacts: Sequence[Artifact], kind: str) -> Iterator[tuple[str, Tree]]:
    for group in ("kustomize.toolkit.fluxcd.io", "helm.toolkit.fluxcd.io", "source.toolkit.fluxcd.io"):
        yield from _of_kind(artifacts, kind, group)


def _flux_references(tree: Tree) -> Iterator[tuple[Loc, str, str]]:
    spec = tree["spec"]
    for index, other in enumerate(spec.get("dependsOn") or ()):
        yield ("spec", "dependsOn", index, "name"), str(tree["kind"]), str(other.get("name"))
    for loc in (("spec", "sourceRef"), ("spec", "chartRef"), ("spec", "chart", "spec", "sourceRef")):
        found: Any = tree
        for key in loc:
            found = found.get(key) or {}
        if found:
            yield (*loc, "name"), str(found.get("kind")), str(found.get("name"))


RULES = (
    foreign_file_in_source,
    two_owners,
    not_allowed_by_project,
    project_allows_all,
    flux_would_substitute,
    unknown_dependency,
)
"""All of them, in the order in which they are said."""
