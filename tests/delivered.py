"""A site's output as files, what the runbook does with it, and what becomes of it in a cluster of tests."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import yaml

from tests.apiserver import Cluster, Tree
from tests.standins import references
from tests.test_runbook import blocks

# What a script starts with: errors end it; charts are taken for installed, AWS and the work on the spec for done.
STRICTLY = "set -euo pipefail; helm() { :; }; aws() { :; }; eksctl() { :; }; jhecfg() { :; }"


def named(site: str, changes: Tree) -> Tree:
    """Return changes that also give the site a name, a namespace and hosts of its own."""
    own: Tree = {"site": site, "namespace": f"{site}-jhe", "domain": f"{site}.example.org"}
    if any(change.startswith("hubs__0") for change in changes):
        own |= {"hubs__0__name": f"{site}-hub", "hubs__0__domain": f"{site}.hub.example.org"}
    return {**changes, **own}


def written(folder: Path, files: dict[str, str]) -> Path:
    """Write an output, as `jhecfg build` would."""
    assert files
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder


def section(page: str, title: str) -> str:
    """Return the shell commands of a section of the runbook, in order."""
    found = re.search(rf"^## \d+\. {title}$(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE)
    assert found, title
    return "\n".join(blocks(found[1], "bash"))


def follow(cluster: Cluster, folder: Path, title: str, without: str = "\0") -> None:
    """Do what a section of the runbook says, in its folder, but for lines with a certain text."""
    lines = section((folder / "RUNBOOK.md").read_text(), title).splitlines()
    script = "\n".join([STRICTLY, *(line for line in lines if without not in line)])
    done = subprocess.run(
        ["bash", "-c", script], cwd=folder, env=cluster.environment, input="typed\n" * 9,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "Warning" not in done.stderr, done.stderr


def prepare(cluster: Cluster, folder: Path) -> None:
    """Make the namespaces, and the Secrets that pods name unless something in the output brings them.

    Sites of other clusters were here before: their StorageClass has the same name, and cannot be changed.
    """
    cluster.kubectl("delete", "storageclasses", "--all")
    trees = [yaml.safe_load(file.read_text()) for file in manifests(folder)]
    cluster.kubectl("apply", "--server-side", *flags([f for f in manifests(folder) if f.name.startswith("namespace")]))
    if any(tree["kind"] == "ExternalSecret" for tree in trees):
        return
    for tree in trees:
        for kind, name in references(tree):
            if kind == "secrets" and not cluster.objects("secret", name, "--namespace", tree["metadata"]["namespace"]):
                cluster.kubectl("create", "secret", "generic", name, "--namespace", tree["metadata"]["namespace"])


def phases(folder: Path) -> list[Path]:
    """Return the folders of phases, in order."""
    return sorted(path for path in (folder / "manifests").iterdir())


def manifests(folder: Path) -> list[Path]:
    """Return every object's file, in the order of the phases."""
    return [file for phase in phases(folder) for file in sorted(phase.iterdir()) if file.name != "kustomization.yaml"]


def flags(files: list[Path]) -> list[str | Path]:
    """Return files as kubectl takes them."""
    return [flag for file in files for flag in ("--filename", file)]


def apply(cluster: Cluster, folder: Path) -> None:
    """Apply every phase in order, server-side, namespaces before what lives in them."""
    for phase in phases(folder):
        files = [file for file in manifests(folder) if file.parent == phase]
        spaces = [file for file in files if file.name.startswith("namespace")]
        for some in (spaces, files):
            if some:
                cluster.kubectl("apply", "--server-side", *flags(some))


def live(cluster: Cluster, folder: Path) -> dict[str, Tree]:
    """Return the objects of an output as they are in the cluster, by kind, namespace and name."""
    return {key(tree): tree for tree in cluster.objects(*flags(manifests(folder)))}


def key(tree: Tree) -> str:
    """Return what tells an object from others."""
    return "/".join([tree["kind"], tree["metadata"].get("namespace", ""), tree["metadata"]["name"]])


def wanted(folder: Path) -> set[str]:
    """Return the keys of an output's objects."""
    return {key(yaml.safe_load(file.read_text())) for file in manifests(folder)}


def jobs(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Return the Jobs of a namespace that no CronJob made: name → uid."""
    return {
        job["metadata"]["name"]: job["metadata"]["uid"]
        for job in cluster.objects("jobs", "--namespace", namespace)
        if "ownerReferences" not in job["metadata"]
    }


def settled(cluster: Cluster, folder: Path) -> bool:
    """Whether every Deployment is available, as its controller last saw it."""
    return all(
        tree["status"].get("observedGeneration") == tree["metadata"]["generation"]
        and tree["status"].get("availableReplicas") == tree["status"].get("updatedReplicas") == tree["spec"]["replicas"]
        for tree in live(cluster, folder).values()
        if tree["kind"] == "Deployment"
    )


def names(cluster: Cluster, kind: str, namespace: str) -> set[str]:
    """Return the names of a namespace's objects of a kind."""
    return {tree["metadata"]["name"] for tree in cluster.objects(kind, "--namespace", namespace)}


def image(cluster: Cluster, namespace: str) -> str:
    """Return the image that the Exchange's Deployment runs."""
    [tree] = cluster.objects("deployments", "exchange", "--namespace", namespace)
    found: str = tree["spec"]["template"]["spec"]["containers"][0]["image"]
    return found
