"""Delivery: what Argo CD and Flux get, phase by phase, and the rules that keep it deliverable."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding
from jhecfg.emit import dump
from jhecfg.render import render
from jhecfg.render.flux import ssh_url
from jhecfg.render.units import platform_units, site_named
from jhecfg.rules import gitops as rules
from jhecfg.rules import grants, order
from jhecfg.rules.schema import schema_violations
from jhecfg.site import Site
from tests.aws_site import HUB, make
from tests.tools import need

REPO = "https://git.example.org/health/deploy.git"
FULL: dict[str, Any] = {
    "ingress__dns": "external-dns",
    "secrets__backend": "external-secrets",
    "exchange__mcp": {"domain": "mcp.example.org"},
    "hubs": [
        HUB,
        {**HUB, "name": "class", "domain": "class.example.org"},
        {**HUB, "name": "far", "domain": "far.example.org", "deploy": "external"},
    ],
}


def site_for(engine: str, **changes: Any) -> Site:
    """Resolve a site for an engine."""
    return make(gitops={"engine": engine, "repo": REPO, "revision": "main"}, **{**FULL, **changes})


def tree_of(artifacts: Iterable[Artifact], path: str) -> Tree:
    """Return the tree of one artifact."""
    tree = next(artifact.tree for artifact in artifacts if artifact.path == path)
    assert isinstance(tree, dict)
    return tree


def changed(artifacts: Sequence[Artifact], path: str, *keys: str | int, to: Any) -> tuple[Artifact, ...]:
    """Return the artifacts with one value of one of them replaced, as a patch would."""
    tree = copy.deepcopy(tree_of(artifacts, path))
    place: Any = tree
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return tuple(a._replace(tree=tree) if a.path == path else a for a in artifacts)


def found_by(rule: Any, site: Site, artifacts: Sequence[Artifact]) -> list[Finding]:
    """Run one rule."""
    return list(rule(site, artifacts))


ENGINES = pytest.mark.parametrize("engine", ["none", "argocd", "flux"])


@ENGINES
def test_every_delivery_object_fits_its_closed_schema(engine: str) -> None:
    """Argo CD's, Flux's and kustomize's objects hold only fields that exist, of the right types."""
    site = site_for(engine)
    assert list(schema_violations(render(site), site.kubernetes)) == []


@ENGINES
def test_a_site_as_it_is_rendered_breaks_no_rule_of_delivery(engine: str) -> None:
    """The rules find nothing in what jhecfg itself renders."""
    site = site_for(engine)
    artifacts = render(site)
    every = (*rules.RULES, *order.RULES, *grants.RULES)
    assert [finding for rule in every for finding in rule(site, artifacts)] == []


def test_without_an_engine_there_is_no_delivery_folder() -> None:
    """Engine none renders phases for kubectl, and nothing for controllers."""
    paths = [artifact.path for artifact in render(site_for("none"))]
    assert not [path for path in paths if path.startswith("gitops/")]
    assert "manifests/30-migrate/kustomization.yaml" in paths


def test_argo_cd_folders_hold_no_kustomization() -> None:
    """A directory source fails on a kustomization.yaml, so with Argo CD there is none anywhere."""
    assert not [a.path for a in render(site_for("argocd")) if a.path.endswith("kustomization.yaml")]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["none", "flux"])
def test_kustomize_builds_every_folder_that_has_a_kustomization(engine: str, tmp_path: Path) -> None:
    """`kubectl kustomize` accepts each phase and each Flux folder, and gives back exactly the objects listed."""
    kubectl = need("kubectl")
    artifacts = [a for a in render(site_for(engine)) if a.path.startswith(("manifests/", "gitops/"))]
    for artifact in artifacts:
        path = tmp_path / artifact.path
        path.parent.mkdir(parents=True, exist_ok=True)
        assert isinstance(artifact.tree, dict)
        path.write_text(dump(artifact.tree, artifact.note), encoding="utf-8")
    folders = [a for a in artifacts if a.path.endswith("/kustomization.yaml")]
    assert len(folders) >= 6
    for artifact in folders:
        folder = artifact.path.rpartition("/")[0]
        done = subprocess.run(
            [kubectl, "kustomize", str(tmp_path / folder)], capture_output=True, check=True, text=True
        )
        built = {_key(tree): tree for tree in yaml.safe_load_all(done.stdout)}
        listed = tree_of(artifacts, artifact.path)["resources"]
        wanted = [tree_of(artifacts, f"{folder}/{name}") for name in listed]
        assert built == {_key(tree): tree for tree in wanted}
        assert len(built) == len(listed)


def _key(tree: Tree) -> tuple[str, str, str]:
    return tree["kind"], tree["metadata"].get("namespace", ""), tree["metadata"]["name"]


def test_waves_bring_namespaces_then_config_then_jobs_then_app_then_routes() -> None:
    """Argo CD's waves rise with the phases, and every object has one."""
    waves: dict[str, set[int]] = {}
    for artifact in render(site_for("argocd")):
        if artifact.path.startswith("manifests/") and artifact.manifest:
            phase = "namespace" if artifact.manifest["kind"] == "Namespace" else artifact.path.split("/")[1]
            annotations = artifact.manifest["metadata"]["annotations"]
            waves.setdefault(phase, set()).add(int(annotations["argocd.argoproj.io/sync-wave"]))
    order = ["namespace", "10-platform", "20-config", "30-migrate", "40-bootstrap", "50-app", "60-routes"]
    assert sorted(waves, key=lambda phase: min(waves[phase])) == order
    assert all(len(found) == 1 for found in waves.values())


def test_the_exchange_project_allows_what_is_rendered_and_what_may_have_been_before() -> None:
    """Namespaces are those of the manifests, kinds those that a spec can ask for, cluster-wide objects by name."""
    artifacts = render(site_for("argocd"))
    spec = tree_of(artifacts, "gitops/argocd/appproject-exchange.yaml")["spec"]
    trees = [a.manifest for a in artifacts if a.path.startswith("manifests/") and a.manifest]
    inside = [tree for tree in trees if "namespace" in tree["metadata"]]
    assert {entry["namespace"] for entry in spec["destinations"]} == {tree["metadata"]["namespace"] for tree in inside}
    kinds = {(entry["group"], entry["kind"]) for entry in spec["namespaceResourceWhitelist"]}
    assert {(tree["apiVersion"].rpartition("/")[0], tree["kind"]) for tree in inside} <= kinds
    assert not {"Secret", "Pod", "Role", "RoleBinding", "DaemonSet"} & {kind for _, kind in kinds}
    assert {(entry["kind"], entry["name"]) for entry in spec["clusterResourceWhitelist"]} == {
        *((tree["kind"], tree["metadata"]["name"]) for tree in trees if "namespace" not in tree["metadata"]),
        ("ClusterIssuer", "jhe-example-letsencrypt-staging"),
    }
    assert spec["sourceRepos"] == [REPO]


@pytest.mark.parametrize(
    "changes",
    [
        {"ingress": {"controller": "none"}},
        {"ingress": {"controller": "ingress-nginx"}, "cluster__version": "1.35"},
        {"ingress": {"issuer": "letsencrypt-staging"}},
        {"secrets": {}, "exchange__mcp": None},
    ],
    ids=["no edge", "another edge", "another issuer", "fewer parts"],
)
def test_what_a_spec_drops_may_be_removed(changes: dict[str, Any]) -> None:
    """Argo CD prunes only what the project still allows: all kinds, and cluster-wide objects of this site alone."""
    before = render(site_for("argocd"))
    spec = tree_of(render(site_for("argocd", **changes)), "gitops/argocd/appproject-exchange.yaml")["spec"]
    kinds = {(entry["group"], entry["kind"]) for entry in spec["namespaceResourceWhitelist"]}
    names = {(entry["kind"], entry["name"]) for entry in spec["clusterResourceWhitelist"]}
    for artifact in before:
        tree = artifact.manifest
        if artifact.path.startswith("manifests/") and tree:
            if "namespace" in tree["metadata"]:
                assert (tree["apiVersion"].rpartition("/")[0], tree["kind"]) in kinds
            else:
                assert (tree["kind"], tree["metadata"]["name"]) in names


def test_each_hub_has_a_project_that_stays_until_the_hub_is_gone() -> None:
    """A hub's Application removes only what its project allows, so the project may not go first; nor reach other hubs."""
    artifacts = render(site_for("argocd"))
    for name in ("hub", "class"):
        application = tree_of(artifacts, f"gitops/argocd/application-hub-{name}.yaml")
        project = tree_of(artifacts, f"gitops/argocd/appproject-hub-{name}.yaml")
        assert application["spec"]["project"] == project["metadata"]["name"]
        assert [entry["namespace"] for entry in project["spec"]["destinations"]] == [name]
        assert application["metadata"]["finalizers"] == ["resources-finalizer.argocd.argoproj.io/foreground"]
        early, late = (int(tree["metadata"]["annotations"][order.WAVE]) for tree in (project, application))
        assert early < late  # pruned the other way round


def test_no_engine_ever_removes_a_namespace() -> None:
    """Homes of users live there; a person removes it. Nor does Argo CD wait for somebody's word, and hold up the rest."""
    for engine, annotation, value in (
        ("argocd", "argocd.argoproj.io/sync-options", "Prune=false,Delete=false"),
        ("flux", "kustomize.toolkit.fluxcd.io/prune", "disabled"),
    ):
        spaces = [a.manifest for a in render(site_for(engine)) if a.manifest and a.manifest["kind"] == "Namespace"]
        assert {tree["metadata"]["annotations"][annotation] for tree in spaces} == {value}
        assert len(spaces) == 3


def test_what_waits_for_dns_holds_nothing_else_back() -> None:
    """The routes are an Application of their own, in the last wave, which the root does not wait for."""
    site = site_for("argocd")
    artifacts = render(site)
    exchange = tree_of(artifacts, "gitops/argocd/application-exchange.yaml")["spec"]["source"]
    routes = tree_of(artifacts, "gitops/argocd/application-routes.yaml")["spec"]["source"]
    both = [{a.path for a in rules.read_by_directory(site, source, artifacts)} for source in (exchange, routes)]
    assert both[0] | both[1] == {a.path for a in artifacts if a.path.startswith("manifests/")}
    assert {path.split("/")[1] for path in both[1]} == {"60-routes"}
    assert not both[0] & both[1]
    waves = {
        a.path: int(a.manifest["metadata"]["annotations"][order.WAVE])
        for a in artifacts
        if a.path.startswith("gitops/argocd/application-") and a.manifest
    }
    last = {path for path, wave in waves.items() if wave == max(waves.values())}
    assert {path.removeprefix("gitops/argocd/application-") for path in last} == {
        "routes.yaml",
        "hub-hub.yaml",
        "hub-class.yaml",
    }


def test_an_application_is_tried_until_it_works() -> None:
    """After its last try Argo CD would leave a commit alone; a retry takes the newest one."""
    applications = [
        a.manifest for a in render(site_for("argocd")) if a.manifest and a.manifest["kind"] == "Application"
    ]
    for application in applications:
        policy = application["spec"]["syncPolicy"]
        assert policy["automated"] == {"prune": True, "selfHeal": True}
        assert policy["retry"]["limit"] == -1
        assert policy["retry"]["refresh"] is True
        assert "ServerSideApply=true" in policy["syncOptions"]


def test_the_setting_of_argo_cd_is_one_key_and_keeps_the_labels_that_argo_cd_looks_for() -> None:
    """Applied server-side it adds the health of Applications, and takes nothing from the ConfigMap that is there."""
    tree = tree_of(render(site_for("argocd")), "gitops/argocd/settings/configmap-argocd-cm.yaml")
    assert tree["metadata"]["name"] == "argocd-cm"
    assert tree["metadata"]["labels"]["app.kubernetes.io/part-of"] == "argocd"
    assert list(tree["data"]) == ["resource.customizations.health.argoproj.io_Application"]


# --- a fleet ----------------------------------------------------------------------------------------------------------


def fleet_of(name: str) -> dict[str, Any]:
    """Return what a site of a fleet writes for it."""
    site = site_for("argocd", site=name, gitops__fleet="all")
    folder = "gitops/argocd/fleet/"
    return {a.path.removeprefix(folder): a.tree for a in render(site) if a.path.startswith(folder)}


def test_every_site_of_a_fleet_writes_the_same_application_set() -> None:
    """It does not matter from which site an administrator applies it; only the membership differs."""
    one, other = fleet_of("one"), fleet_of("other")
    assert set(one) == {"appproject-all.yaml", "applicationset-all.yaml", "all.yaml"}
    assert {path for path in one if one[path] != other[path]} == {"all.yaml"}
    assert one["all.yaml"] == {"site": "one"}


def test_the_application_set_finds_members_and_hands_over_their_bootstrap_folder(tmp_path: Path) -> None:
    """Its glob finds the sites that say so, and no others; its template makes the Application that brings the root."""
    site = site_for("argocd", gitops__fleet="all")
    for name, fleet in (("one", "all"), ("two", "all"), ("elsewhere", "others")):
        member = tmp_path / "out" / name / "gitops/argocd/fleet" / f"{fleet}.yaml"
        member.parent.mkdir(parents=True)
        member.write_text(dump({"site": name}))
    spec = tree_of(render(site), "gitops/argocd/fleet/applicationset-all.yaml")["spec"]
    (found,) = spec["generators"][0]["git"]["files"]
    members = [yaml.safe_load(path.read_text())["site"] for path in sorted(tmp_path.glob(found["path"]))]
    assert members == ["one", "two"]
    source = spec["template"]["spec"]["source"]
    assert source["path"].replace("{{.site}}", site.name) == f"{site.gitops.path}/gitops/argocd/bootstrap"
    assert spec["syncPolicy"] == {"applicationsSync": "create-update", "preserveResourcesOnDeletion": True}


def test_a_fleet_may_make_applications_and_projects_only() -> None:
    """The project is written out, not a variable of the template: who writes to git cannot choose a wider one."""
    fleet = fleet_of("one")
    project, application_set = fleet["appproject-all.yaml"], fleet["applicationset-all.yaml"]
    assert application_set["spec"]["template"]["spec"]["project"] == project["metadata"]["name"] == "all-fleet"
    assert {e["kind"] for e in project["spec"]["namespaceResourceWhitelist"]} == {"Application", "AppProject"}
    assert project["spec"]["clusterResourceWhitelist"] == []


def test_the_root_can_make_applications_and_projects_only() -> None:
    """What an administrator applies by hand cannot be used to deliver anything else."""
    artifacts = render(site_for("argocd"))
    spec = tree_of(artifacts, "gitops/argocd/bootstrap/appproject-delivery.yaml")["spec"]
    assert {entry["kind"] for entry in spec["namespaceResourceWhitelist"]} == {"Application", "AppProject"}
    assert spec["clusterResourceWhitelist"] == []
    assert [entry["namespace"] for entry in spec["destinations"]] == ["argocd"]


def test_argo_cd_writes_a_registry_without_a_scheme() -> None:
    """Argo CD takes a chart repository for an image registry when it has no scheme (util/helm/client.go)."""
    artifacts = render(site_for("argocd"))
    source = tree_of(artifacts, "gitops/argocd/application-envoy-gateway.yaml")["spec"]["sources"][0]
    assert source["repoURL"] == "docker.io/envoyproxy"
    source = tree_of(artifacts, "gitops/argocd/application-hub-class.yaml")["spec"]["sources"][0]
    assert source["repoURL"].startswith("https://")


def test_every_values_file_of_an_application_is_in_the_output() -> None:
    """`$values/…` points at a file that jhecfg writes, from the root of the repository."""
    site = site_for("argocd")
    artifacts = render(site)
    paths = {artifact.path for artifact in artifacts}
    files = [
        file
        for artifact in artifacts
        if artifact.path.startswith("gitops/argocd/application-") and artifact.manifest
        for source in artifact.manifest["spec"].get("sources", ())
        for file in source.get("helm", {}).get("valueFiles", ())
    ]
    assert len(files) == len(platform_units(site)) + 2
    assert {file.removeprefix(f"$values/{site.gitops.path}/") for file in files} <= paths


def test_a_hub_elsewhere_is_not_delivered() -> None:
    """An external hub has no Application and no HelmRelease here."""
    for engine in ("argocd", "flux"):
        assert not [a.path for a in render(site_for(engine)) if a.path.startswith("gitops/") and "far" in a.path]


def test_removing_a_hub_removes_its_delivery_and_nothing_else() -> None:
    """The other Applications and projects stay byte for byte; only that of the Exchange is narrower."""
    site = site_for("argocd")
    less = site_for("argocd", hubs=[FULL["hubs"][0], FULL["hubs"][2]])
    before = {a.path: a.tree for a in render(site) if a.path.startswith("gitops/")}
    after = {a.path: a.tree for a in render(less) if a.path.startswith("gitops/")}
    assert before.keys() - after.keys() == {
        "gitops/argocd/application-hub-class.yaml",
        "gitops/argocd/appproject-hub-class.yaml",
    }
    assert {path for path in after if before[path] != after[path]} == {
        "gitops/argocd/appproject-exchange.yaml",  # its namespace
    }


def test_two_sites_share_no_delivery_object() -> None:
    """Two sites can share one cluster and one Argo CD or Flux: all their delivery objects differ in name."""
    for engine in ("argocd", "flux"):
        names = [
            {
                (a.manifest["kind"], a.manifest["metadata"]["name"])
                for a in render(site)
                if a.path.startswith("gitops/") and a.manifest and "metadata" in a.manifest
            }
            for site in (site_for(engine), site_for(engine, site="other"))
        ]
        assert names[0]
        assert names[0] & names[1] <= {("ConfigMap", "argocd-cm")}  # one key of it, the same for all


def test_a_delivery_name_always_fits_a_label() -> None:
    """Flux writes names into labels, which hold 63 characters; long ones are cut, and stay different."""
    site = site_for("flux", site="s" * 40)
    first, second = site_named(site, "hub-" + "a" * 40), site_named(site, "hub-" + "a" * 39 + "b")
    assert len(first) <= 63
    assert first != second


# --- Flux -------------------------------------------------------------------------------------------------------------


def test_each_flux_phase_waits_for_the_one_before() -> None:
    """The Kustomizations are one chain from the charts to the routes, each waiting and pruning."""
    artifacts = render(site_for("flux"))
    order = ["charts", "10-platform", "20-config", "30-migrate", "40-bootstrap", "50-app", "60-routes"]
    for before, name in pairwise(order):
        spec = tree_of(artifacts, f"gitops/flux/kustomization-{name}.yaml")["spec"]
        assert [other["name"] for other in spec["dependsOn"]] == [f"jhe-example-{before}"]
        assert spec["wait"]
        assert spec["prune"]
        assert "force" not in spec
    hubs = tree_of(artifacts, "gitops/flux/kustomization-hubs.yaml")["spec"]
    assert [other["name"] for other in hubs["dependsOn"]] == ["jhe-example-20-config"]


def test_a_flux_phase_may_take_longer_than_its_job() -> None:
    """Flux gives up on a phase only after Kubernetes gave up on its Job."""
    artifacts = render(site_for("flux"))
    for phase, job in (("30-migrate", "job-migrate"), ("40-bootstrap", "job-bootstrap")):
        deadline = tree_of(artifacts, f"manifests/{phase}/{job}.yaml")["spec"]["activeDeadlineSeconds"]
        timeout = tree_of(artifacts, f"gitops/flux/kustomization-{phase}.yaml")["spec"]["timeout"]
        assert int(timeout.removesuffix("m0s")) * 60 > deadline


def test_a_helm_release_has_the_values_of_the_values_file() -> None:
    """helm, Argo CD and Flux all install the same values."""
    artifacts = render(site_for("flux"))
    for path, values in (
        ("gitops/flux/charts/helmrelease-cert-manager.yaml", "helm/cert-manager.values.yaml"),
        ("gitops/flux/hubs/helmrelease-hub.yaml", "hubs/hub/values.yaml"),
    ):
        assert tree_of(artifacts, path)["spec"]["values"] == tree_of(artifacts, values)


def test_nothing_that_flux_delivers_is_open_to_substitution() -> None:
    """Every object says that `${` is text, also inside the hubs' values."""
    for artifact in render(site_for("flux")):
        if (
            artifact.path.startswith(("manifests/", "gitops/"))
            and artifact.manifest
            and "metadata" in artifact.manifest
        ):
            assert artifact.manifest["metadata"]["annotations"][rules.SUBSTITUTE] == "disabled"


@pytest.mark.parametrize(
    ("revision", "ref"),
    [
        ("main", {"branch": "main"}),
        ("v1.2.3", {"tag": "v1.2.3"}),
        ("release/2026-11", {"branch": "release/2026-11"}),
        ("a" * 40, {"commit": "a" * 40}),
        ("refs/pull/7/head", {"name": "refs/pull/7/head"}),
    ],
)
def test_a_revision_is_a_branch_a_tag_or_a_commit_to_flux(revision: str, ref: dict[str, str]) -> None:
    """Flux wants to be told which of them the spec's revision is."""
    site = make(gitops={"engine": "flux", "repo": REPO, "revision": revision})
    assert tree_of(render(site), "gitops/flux/gitrepository.yaml")["spec"]["ref"] == ref


def test_flux_gets_an_ssh_address_and_a_deploy_key() -> None:
    """`git@host:path` is turned into the address that it means, and read with the Secret of the runbook."""
    assert ssh_url("git@github.com:o/r.git") == "ssh://git@github.com/o/r.git"
    assert ssh_url(REPO) == REPO
    site = make(gitops={"engine": "flux", "repo": "git@github.com:o/r.git"})
    spec = tree_of(render(site), "gitops/flux/gitrepository.yaml")["spec"]
    assert spec["secretRef"] == {"name": "jhe-example-git"}


def test_a_private_repository_over_https_is_opened_by_the_secret_that_the_spec_names() -> None:
    """Without one, Flux reads what is open to all."""
    for name, found in (("deploy-token", {"name": "deploy-token"}), (None, None)):
        extra = {"secretName": name} if name else {}
        site = make(gitops={"engine": "flux", "repo": REPO, **extra})
        assert tree_of(render(site), "gitops/flux/gitrepository.yaml")["spec"].get("secretRef") == found


def test_charts_come_in_the_order_in_which_they_need_each_other() -> None:
    """Gateway API before cert-manager, cert-manager before the load balancer controller that may ask it."""
    names = [unit.chart.name for unit in platform_units(site_for("flux"))]
    assert names.index("gateway-helm") < names.index("cert-manager") < names.index("aws-load-balancer-controller")


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_values_file_in_an_argo_source_is_found() -> None:
    """A file without apiVersion and kind in the folder, and a kustomization.yaml, are both said."""
    site = site_for("argocd")
    artifacts = (
        *render(site),
        Artifact("manifests/20-config/more.values.yaml", {"a": 1}),
        Artifact(
            "manifests/20-config/kustomization.yaml",
            {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization"},
        ),
    )
    found = found_by(rules.foreign_file_in_source, site, artifacts)
    assert {finding.message for finding in found} == {
        "Argo CD would read manifests/20-config/more.values.yaml as a manifest",
        "Argo CD would read manifests/20-config/kustomization.yaml as a manifest",
    }


def test_an_object_with_two_owners_is_found() -> None:
    """Overlapping folders, and one release in two Applications, are said; for Flux as well."""
    site = site_for("argocd")
    wide = changed(
        render(site),
        "gitops/argocd/application-hub-hub.yaml",
        "spec",
        "sources",
        1,
        "path",
        to=f"{site.gitops.path}/manifests/50-app",
    )
    assert {f.artifact for f in found_by(rules.two_owners, site, wide)} == {"gitops/argocd/application-hub-hub.yaml"}
    flux = site_for("flux")
    wide = changed(
        render(flux), "gitops/flux/kustomization-hubs.yaml", "spec", "path", to=f"./{flux.gitops.path}/manifests/50-app"
    )
    assert {f.artifact for f in found_by(rules.two_owners, flux, wide)} == {"gitops/flux/kustomization-hubs.yaml"}


def test_a_job_before_its_config_map_is_found() -> None:
    """A patched wave that puts the migrate Job first is said, for each thing that the Job needs."""
    site = site_for("argocd")
    path = "manifests/30-migrate/job-migrate.yaml"
    early = changed(render(site), path, "metadata", "annotations", order.WAVE, to="-60")
    messages = {finding.message for finding in found_by(order.comes_too_early, site, early)}
    assert "comes before ConfigMap 'exchange', which it needs" in messages
    assert "comes before Namespace 'jhe', which it needs" in messages
    assert "comes before ExternalSecret 'jhe-exchange', which it needs" in messages


def test_a_repository_that_the_project_does_not_allow_is_found() -> None:
    """Another chart repository, an unknown project, and a kind that the project does not list are said."""
    site = site_for("argocd")
    artifacts = render(site)
    path = "gitops/argocd/application-hub-hub.yaml"
    other = changed(artifacts, path, "spec", "sources", 0, "repoURL", to="https://charts.example.com")
    assert [f.loc for f in found_by(rules.not_allowed_by_project, site, other)] == [("spec", "sources", 0, "repoURL")]
    other = changed(artifacts, path, "spec", "project", to="default")
    assert [f.message for f in found_by(rules.not_allowed_by_project, site, other)] == ["there is no project 'default'"]
    more = Artifact(
        "manifests/50-app/daemonset.yaml",
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "d", "namespace": "jhe"}},
    )
    found = found_by(rules.not_allowed_by_project, site, (*artifacts, more))
    assert [f.artifact for f in found] == ["manifests/50-app/daemonset.yaml"]


def test_text_that_flux_would_substitute_is_found() -> None:
    """`${` is said only where the annotation that protects it is gone."""
    site = site_for("flux")
    path = "manifests/20-config/configmap-exchange.yaml"
    kept = changed(render(site), path, "data", "EXTRA", to="costs ${amount}")
    assert found_by(rules.flux_would_substitute, site, kept) == []
    bare = changed(kept, path, "metadata", "annotations", to={})
    assert [f.loc for f in found_by(rules.flux_would_substitute, site, bare)] == [("data", "EXTRA")]


def test_a_dependency_that_names_nothing_is_found() -> None:
    """A Kustomization after one that is not there, and a release from a source that is not there, are said."""
    site = site_for("flux")
    artifacts = render(site)
    lost = changed(artifacts, "gitops/flux/kustomization-50-app.yaml", "spec", "dependsOn", 0, "name", to="gone")
    assert [f.message for f in found_by(rules.unknown_dependency, site, lost)] == ["there is no Kustomization 'gone'"]
    lost = changed(artifacts, "gitops/flux/charts/helmrelease-cert-manager.yaml", "spec", "chartRef", "name", to="gone")
    assert [f.message for f in found_by(rules.unknown_dependency, site, lost)] == ["there is no OCIRepository 'gone'"]


def test_an_image_change_renames_both_jobs_and_no_delivery_object() -> None:
    """A new release makes new Jobs, and changes nothing in what delivers them."""
    before, after = (render(site_for("argocd", image__tag=tag)) for tag in ("v0.0.12", "v0.0.13"))
    changes = {a.path for a, b in zip(before, after, strict=True) if a.tree != b.tree}
    assert {"manifests/30-migrate/job-migrate.yaml", "manifests/40-bootstrap/job-bootstrap.yaml"} <= changes
    assert not [path for path in changes if path.startswith("gitops/")]


# --- rules, case by case, on objects written out ----------------------------------------------------------------------

ARGO, FLUX = site_for("argocd"), site_for("flux")
HOME = ARGO.gitops.path
CLUSTER = "https://kubernetes.default.svc"


def told(kind: str, name: str = "x", api: str = "argoproj.io/v1alpha1", /, **spec: Any) -> Artifact:
    """Write an object into the delivery folder, in a file of its name."""
    metadata = {"name": name, "namespace": "argocd"}
    return Artifact(f"gitops/{name}.yaml", {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec})


def phase(name: str = "x", **spec: Any) -> Artifact:
    """Write a Kustomization of Flux."""
    return told("Kustomization", name, "kustomize.toolkit.fluxcd.io/v1", **spec)


def release(name: str = "x", **spec: Any) -> Artifact:
    """Write a HelmRelease."""
    return told("HelmRelease", name, "helm.toolkit.fluxcd.io/v2", **spec)


def files(*names: str) -> tuple[Artifact, ...]:
    """Write ConfigMaps into files below manifests/."""
    return tuple(Artifact(f"manifests/{name}", {"apiVersion": "v1", "kind": "ConfigMap"}) for name in names)


FOLDER = files("a/a.yaml", "a/b.yml", "a/c.json", "a/d.jsonnet", "a/e.txt", "a/sub/a.yaml", "ab/a.yaml")


@pytest.mark.parametrize(
    ("source", "read"),
    [
        ({}, "a.yaml b.yml c.json d.jsonnet"),
        ({"directory": None}, "a.yaml b.yml c.json d.jsonnet"),
        ({"path": f"./{HOME}/manifests/a/"}, "a.yaml b.yml c.json d.jsonnet"),
        ({"path": f"{HOME}/manifests/a//"}, "a.yaml b.yml c.json d.jsonnet"),
        ({"directory": {"recurse": True}}, "a.yaml b.yml c.json d.jsonnet sub/a.yaml"),
        ({"directory": {"recurse": False}}, "a.yaml b.yml c.json d.jsonnet"),
        ({"directory": {"recurse": True, "include": "*.yaml"}}, "a.yaml sub/a.yaml"),
        ({"directory": {"recurse": True, "include": "sub/*"}}, "sub/a.yaml"),
        ({"directory": {"include": "{a.yaml,b.yml}"}}, "a.yaml b.yml"),
        ({"directory": {"include": "{a.yamlx"}}, ""),
        ({"directory": {"include": "xa.yaml}"}}, ""),
        ({"directory": {"exclude": "{a.yaml,b.yml}"}}, "c.json d.jsonnet"),
        ({"directory": {"include": "?.y*", "exclude": "b.*"}}, "a.yaml"),
        ({"chart": "a"}, ""),
        ({"path": f"{HOME}/manifests/none"}, ""),
        ({"path": f"{HOME}x/manifests/a"}, ""),
        ({"path": "manifests/a"}, ""),
    ],
)
def test_what_a_directory_source_reads(source: Tree, read: str) -> None:
    """By extension, at the top or below, by patterns whose star goes over a slash; nothing of another folder."""
    source = {"path": f"{HOME}/manifests/a", **source}
    found = [artifact.path.removeprefix("manifests/a/") for artifact in rules.read_by_directory(ARGO, source, FOLDER)]
    assert found == read.split()
    assert rules.read_by_directory(ARGO, {"ref": "values"}, FOLDER) == []


def test_a_source_reads_a_folder_of_any_name_or_the_whole_output() -> None:
    """Only slashes at its end do not count; the path of the site's folder is the whole."""
    capital = Artifact("manifests/X/a.yaml", {})
    assert rules.read_by_directory(ARGO, {"path": f"{HOME}/manifests/X"}, (*FOLDER, capital)) == [capital]
    whole = {"path": HOME, "directory": {"recurse": True, "include": "manifests/a/sub/*"}}
    assert [a.path for a in rules.read_by_directory(ARGO, whole, FOLDER)] == ["manifests/a/sub/a.yaml"]


def test_what_a_kustomization_reads() -> None:
    """What the index of its folder lists and is there, in that order; without an index all manifests below."""
    here = phase(path=f"./{HOME}/manifests/a").tree
    index = "manifests/a/kustomization.yaml"

    def read(tree: Any, *artifacts: Artifact) -> list[str]:
        return [
            artifact.path.removeprefix("manifests/") for artifact in rules.read_by_kustomization(FLUX, tree, artifacts)
        ]

    def listing(**fields: Any) -> Artifact:
        return Artifact(index, {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", **fields})

    assert read(here, *FOLDER, *files("a/sub/kustomization.yaml")) == ["a/a.yaml", "a/b.yml", "a/sub/a.yaml"]
    assert read(here, *FOLDER, listing(resources=["sub/a.yaml", "gone.yaml", "c.json"])) == ["a/sub/a.yaml", "a/c.json"]
    assert read(here, *FOLDER, listing()) == read(here, *FOLDER, listing(resources=None)) == []
    assert read(here, *FOLDER, Artifact(index, {"resources": ["a.yaml"]})) == ["a/a.yaml", "a/b.yml", "a/sub/a.yaml"]
    for elsewhere in (phase(path="./elsewhere").tree, phase().tree):
        assert read(elsewhere, *FOLDER) == []


def test_a_foreign_file_is_said_at_the_path_of_the_source_that_reads_it() -> None:
    """Of one source or several; an Application of another group, or outside the delivery folder, is none."""
    path = f"{HOME}/manifests/a"
    foreign = (*files("a/a.yaml", "a/kustomization.yaml"), Artifact("manifests/a/values.yaml", {"a": 1}))
    one, two = (
        told("Application", "one", source={"path": path}),
        told("Application", "two", sources=[{"path": "a"}, {"path": path}]),
    )
    assert found_by(rules.foreign_file_in_source, ARGO, (one, two, *foreign)) == [
        Finding(
            artifact=artifact.path, loc=(*loc, "path"), message=f"Argo CD would read manifests/a/{name} as a manifest"
        )
        for artifact, loc in ((one, ("spec", "source")), (two, ("spec", "sources", 1)))
        for name in ("kustomization.yaml", "values.yaml")
    ]
    others = (
        told("Application", "one", "argoproj.iox/v1", source={"path": path}),
        told("ApplicationSet", source={"path": path}),
        one._replace(path="manifests/one.yaml"),
        told("Application", sources=None),
    )
    for other in others:
        assert found_by(rules.foreign_file_in_source, ARGO, (other, *foreign)) == []


@pytest.mark.parametrize(
    ("site", "first", "second", "thing"),
    [
        (ARGO, told("Application", "one", source={"path": f"{HOME}/manifests/a"}),
         told("Application", "two", sources=[{"path": f"{HOME}/manifests/ab"}, {"path": f"{HOME}/manifests/a"}]), "manifests/a/a.yaml"),
        (ARGO, told("Application", "one", destination={"namespace": "hub"}, source={"chart": "c", "helm": {"releaseName": "r"}}),
         told("Application", "two", destination={"namespace": "hub"}, source={"chart": "d", "helm": {"releaseName": "r"}}),
         "release 'r' in 'hub'"),
        (ARGO, told("Application", "one", destination={"namespace": "hub"}, source={"chart": "c", "helm": {"releaseName": "two"}}),
         told("Application", "two", destination={"namespace": "hub"}, source={"chart": "c"}), "release 'two' in 'hub'"),
        (FLUX, phase("one", path=f"./{HOME}/manifests/a"), phase("two", path=f"./{HOME}/manifests/a"), "manifests/a/a.yaml"),
        (FLUX, release("one", releaseName="r", targetNamespace="hub"), release("two", releaseName="r", targetNamespace="hub"),
         "release 'r' in 'hub'"),
        (FLUX, release("one", releaseName="hub-two", targetNamespace="hub"), release("two", targetNamespace="hub"),
         "release 'hub-two' in 'hub'"),
        (FLUX, release("one", releaseName="two"), release("two"), "release 'two' in 'argocd'"),
    ],
)  # fmt: skip
def test_what_two_deliver_is_said_once_at_the_second(site: Site, first: Artifact, second: Artifact, thing: str) -> None:
    """With the first named; a release without a name has that which the engine gives it."""
    artifacts = (first, second, *files("a/a.yaml"))
    assert found_by(rules.two_owners, site, artifacts) == [
        Finding(artifact=second.path, loc=("spec",), message=f"{thing} is also delivered by {first.path}")
    ]
    assert found_by(rules.two_owners, site, artifacts[1:]) == []


@pytest.mark.parametrize(
    "several",
    [
        [told("Application", n, destination={"namespace": n}, source={"chart": "c", "helm": {"releaseName": "r"}}) for n in "ab"],
        [told("Application", n, source={"chart": "c"}) for n in "ab"],
        [told("Application", n, source={"path": f"{HOME}/manifests/a", "directory": {"include": f"{n}.*"}}) for n in "ab"],
        [release(n, releaseName="r", targetNamespace=n) for n in "ab"],
        [release(n, targetNamespace="hub") for n in "ab"],
        [release(n) for n in "ab"],
        [told("Application", sources=[{"path": f"{HOME}/manifests/a"}, {"path": f"{HOME}/manifests/a"}])],
    ],
)  # fmt: skip
def test_what_one_delivers_is_no_others(several: list[Artifact]) -> None:
    """Releases of one name in two namespaces, or of two names in one; files that patterns tell apart; one alone."""
    assert found_by(rules.two_owners, ARGO, (*several, *files("a/a.yaml", "a/b.yml"))) == []


def project(name: str = "p", **spec: Any) -> Artifact:
    """Write a project that allows a repository, a namespace, and ConfigMaps there."""
    return told("AppProject", name, **{
        "sourceRepos": ["https://charts.example.org"],
        "destinations": [{"server": CLUSTER, "namespace": "jhe"}],
        "namespaceResourceWhitelist": [{"group": "", "kind": "ConfigMap"}],
        **spec,
    })  # fmt: skip


def object_in(namespace: str | None, kind: str = "ConfigMap", api: str = "v1") -> Artifact:
    """Write an object called `o` into a folder that an Application reads."""
    metadata = {"name": "o"} | ({"namespace": namespace} if namespace else {})
    return Artifact("manifests/a/o.yaml", {"apiVersion": api, "kind": kind, "metadata": metadata})


TAKES = {"repoURL": "https://charts.example.org", "path": f"{HOME}/manifests/a"}
GOES = {"server": CLUSTER, "namespace": "jhe"}


@pytest.mark.parametrize(
    ("spec", "loc", "message"),
    [
        ({}, None, ""),
        ({"project": "q"}, ("project",), "there is no project 'q'"),
        ({"project": None}, ("project",), "there is no project 'None'"),
        ({"destination": {**GOES, "namespace": "hub"}}, ("destination",), "project 'p' does not allow this destination"),
        ({"destination": None}, ("destination",), "project 'p' does not allow this destination"),
        ({"source": {**TAKES, "repoURL": "https://x"}}, ("source", "repoURL"), "project 'p' does not allow https://x"),
        ({"source": None, "sources": [TAKES, {"repoURL": "https://x"}]}, ("sources", 1, "repoURL"),
         "project 'p' does not allow https://x"),
    ],
)  # fmt: skip
def test_an_application_keeps_to_its_project(spec: Tree, loc: Any, message: str) -> None:
    """Its project exists, and allows where it goes, and each of its sources."""
    fields = {"project": "p", "destination": GOES, "source": TAKES, **spec}
    application = told("Application", **{key: value for key, value in fields.items() if value is not None})
    said = [Finding(artifact=application.path, loc=("spec", *loc), message=message)] if loc else []
    artifacts = (project(), project("other"), application, object_in("jhe"))
    assert found_by(rules.not_allowed_by_project, ARGO, artifacts) == said


@pytest.mark.parametrize("field", ["destinations", "sourceRepos"])
def test_a_project_that_names_nothing_allows_nothing(field: str) -> None:
    """Neither a place nor a repository."""
    application = told("Application", project="p", destination=GOES, source={"repoURL": TAKES["repoURL"]})
    assert len(found_by(rules.not_allowed_by_project, ARGO, (project(**{field: None}), application))) == 1


def test_every_application_is_judged() -> None:
    """Also those after one whose project is not there."""
    wrong = [told("Application", n, project=n, destination={"namespace": n}, source=TAKES) for n in "qp"]
    assert [finding.artifact for finding in found_by(rules.not_allowed_by_project, ARGO, (project(), *wrong))] == [
        "gitops/q.yaml",
        "gitops/p.yaml",
    ]


def test_an_object_is_of_a_kind_that_its_project_allows() -> None:
    """It is said at the object; files that are none are another rule's."""
    application = told("Application", project="p", destination=GOES, source=TAKES)
    others = (*files("a/kustomization.yaml"), Artifact("manifests/a/values.yaml", {"a": 1}))
    assert found_by(rules.not_allowed_by_project, ARGO, (project(), application, *others)) == []
    pod = object_in("jhe", "Pod")
    assert found_by(rules.not_allowed_by_project, ARGO, (project(), application, *others, pod)) == [
        Finding(artifact=pod.path, loc=("kind",), message="project 'p' does not allow this Pod")
    ]


@pytest.mark.parametrize(
    ("thing", "allowed"),
    [
        (object_in("jhe"), True),
        (object_in("hub"), False),
        (object_in("jhe", "Secret"), False),
        (object_in("jhe", api="apps/v1"), False),
        (object_in(None), False),
        (object_in(None, "Issuer", "cert-manager.io/v1"), True),
        (object_in(None, "Issuer", "other.io/v1"), False),
        (object_in(None, "Named", "cert-manager.io/v1"), True),
        (object_in(None, "Other", "cert-manager.io/v1"), False),
    ],
)
def test_what_a_project_allows(thing: Artifact, allowed: bool) -> None:
    """In a namespace a kind of a list, which may be all; outside of namespaces only what is listed, some of it by name."""
    assert thing.manifest is not None
    group = "cert-manager.io"
    spec = tree_of([project(clusterResourceWhitelist=[
        {"group": group, "kind": "Issuer"}, {"group": group, "kind": "Named", "name": "o"}, {"group": group, "kind": "Other", "name": "x"},
    ])], "gitops/p.yaml")["spec"]  # fmt: skip
    assert rules.is_allowed(thing.manifest, spec) == allowed
    every_kind = {key: value for key, value in spec.items() if key != "namespaceResourceWhitelist"}
    assert rules.is_allowed(thing.manifest, every_kind) == (
        allowed or thing.manifest["metadata"].get("namespace") == "jhe"
    )
    assert not rules.is_allowed(thing.manifest, {})


@pytest.mark.parametrize(
    ("field", "entry"),
    [
        ("sourceRepos", "https://git.example.org/*"),
        ("destinations", {"server": CLUSTER, "namespace": "*"}),
        ("clusterResourceWhitelist", {"group": "*", "kind": "Namespace"}),
        ("sourceNamespaces", "*"),
    ],
)
def test_a_star_in_a_project_is_said_at_its_entry(field: str, entry: Any) -> None:
    """Anywhere in a text; a list that is empty, or of numbers, allows no more than it says."""
    wide = project(**{field: [{"x": 1}, "plain", entry]})
    assert found_by(rules.project_allows_all, ARGO, [wide]) == [
        Finding(artifact=wide.path, loc=("spec", field, 2), message="project 'p' allows more than it names")
    ]
    assert found_by(rules.project_allows_all, ARGO, [project(**{field: None})]) == []


def test_each_text_that_flux_would_substitute_is_said_at_its_place() -> None:
    """In lists and maps, of objects that it delivers and that do not say it is text; with no other engine."""
    data = {"a": "${A}", "b": ["$A", {"c": "x${A}"}], "d": 7}

    def config(path: str, **annotations: str) -> Artifact:
        tree = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "x", "annotations": annotations},
            "data": data,
        }
        return Artifact(path, tree)

    def without(path: str) -> Artifact:
        return Artifact(path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": data})

    places: list[Any] = [("data", "a"), ("data", "b", 1, "c")]
    for path in ("manifests/a.yaml", "gitops/a.yaml"):
        said = [Finding(artifact=path, loc=loc, message="Flux may substitute '${' here") for loc in places]
        for artifact in (config(path), without(path), config(path, **{rules.SUBSTITUTE: "enabled"})):
            assert found_by(rules.flux_would_substitute, FLUX, [artifact]) == said
            assert found_by(rules.flux_would_substitute, ARGO, [artifact]) == []
        silent = (config(path, **{rules.SUBSTITUTE: "disabled"}), config("hubs/a.yaml"), Artifact(path, {"a": "${A}"}))
        bare = Artifact(path, {"apiVersion": "v1", "kind": "Kustomization", "a": "${A}"})
        assert found_by(rules.flux_would_substitute, FLUX, (*silent, bare)) == []
        assert found_by(rules.flux_would_substitute, FLUX, (*silent, bare, without(path))) == said


SOURCES = [
    told(kind, kind.lower(), "source.toolkit.fluxcd.io/v1")
    for kind in ("GitRepository", "HelmRepository", "OCIRepository")
]


@pytest.mark.parametrize(
    ("artifact", "loc", "kind"),
    [
        (phase(dependsOn=[{"name": "there"}, {"name": "gone"}]), ("dependsOn", 1), "Kustomization"),
        (release(dependsOn=[{"name": "gone"}]), ("dependsOn", 0), "HelmRelease"),
        (phase(sourceRef={"kind": "GitRepository", "name": "gone"}), ("sourceRef",), "GitRepository"),
        (phase(sourceRef={"kind": "GitRepository", "name": "ocirepository"}), ("sourceRef",), "GitRepository"),
        (release(chartRef={"kind": "OCIRepository", "name": "gone"}), ("chartRef",), "OCIRepository"),
        (release(chart={"spec": {"sourceRef": {"kind": "HelmRepository", "name": "gone"}}}), ("chart", "spec", "sourceRef"),
         "HelmRepository"),
    ],
)  # fmt: skip
def test_what_a_flux_object_names_is_there(artifact: Artifact, loc: Any, kind: str) -> None:
    """What it comes after, and where its files or its chart come from, by kind and name."""
    others = (phase("there"), release("hub"), *SOURCES)
    name = "gone" if "gone" in repr(artifact) else "ocirepository"
    said = Finding(artifact=artifact.path, loc=("spec", *loc, "name"), message=f"there is no {kind} '{name}'")
    assert found_by(rules.unknown_dependency, FLUX, (artifact, *others)) == [said]
    right = [told(kind, name, other.tree["apiVersion"]) for other in others if other.tree["kind"] == kind]  # type: ignore[index]
    assert found_by(rules.unknown_dependency, FLUX, (artifact, *others, *right)) == []


# --- order, Jobs, grants ----------------------------------------------------------------------------------------------

JOB = "manifests/30-migrate/job-migrate.yaml"


@pytest.mark.parametrize(
    ("path", "wave", "said"),
    [
        ("manifests/50-app/deployment-exchange.yaml", "-15", "with wave -15 it does not come after 40-bootstrap"),
        ("manifests/50-app/deployment-exchange.yaml", "-5", "with wave -5 it does not come after 40-bootstrap"),
        ("manifests/50-app/deployment-exchange.yaml", "99", "with wave 99 it does not come before 60-routes"),
        ("manifests/20-config/namespace.yaml", "-30", "with wave -30 it does not come before 10-platform"),
        ("manifests/20-config/networkpolicy-default-deny.yaml", "x", "with wave 0 it does not come before 30-migrate"),
    ],
)
def test_a_wave_that_crosses_another_phase_is_found(path: str, wave: str, said: str) -> None:
    """New pods before the migration, a namespace after what lies in it, no number at all: each is said at its place."""
    site = site_for("argocd")
    crossed = changed(render(site), path, "metadata", "annotations", order.WAVE, to=wave)
    assert [(f.artifact, f.message) for f in found_by(order.out_of_order, site, crossed)] == [(path, said)]


def test_an_object_without_a_wave_is_in_wave_0() -> None:
    """A patch that takes the annotation away moves a Job behind the application."""
    site = site_for("argocd")
    bare = changed(render(site), JOB, "metadata", "annotations", to={})
    assert (JOB, "with wave 0 it does not come before 40-bootstrap") in {
        (f.artifact, f.message) for f in found_by(order.out_of_order, site, bare)
    }


def placed(path: str, kind: str, wave: str | None = None, name: str = "x", **fields: Any) -> Artifact:
    """Write an object below manifests/, in the namespace `jhe` unless it is one, with a wave where one is given."""
    metadata: Tree = {"name": name} | ({"namespace": "jhe"} if kind != "Namespace" else {})
    if wave is not None:
        metadata["annotations"] = {order.WAVE: wave}
    return Artifact(f"manifests/{path}", {"apiVersion": "v1", "kind": kind, "metadata": metadata, **fields})


def running(path: str, wave: str | None = None, **spec: Any) -> Artifact:
    """Write a Job of these pods."""
    return placed(path, "Job", wave, "job", spec={"template": {"spec": spec}})


PULLS = {"imagePullSecrets": [{"name": "x"}]}
MOUNTS = {"volumes": [{"name": "v", "configMap": {"name": "x"}}]}


@pytest.mark.parametrize(
    ("kind", "pods"),
    [
        ("ConfigMap", MOUNTS),
        ("ServiceAccount", {"serviceAccountName": "x"}),
        ("Secret", PULLS),
        ("ExternalSecret", PULLS),
        ("SealedSecret", {"volumes": [{"name": "v", "secret": {"secretName": "x"}}]}),
        ("SealedSecret", {"containers": [{"envFrom": [{"secretRef": {"name": "x"}}]}]}),
        ("SealedSecret", {"containers": [{"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "x"}}}]}]}),
    ],
)
def test_what_a_job_needs_comes_before_it_or_with_it(kind: str, pods: Tree) -> None:
    """By its phase, or for Argo CD by its wave; what is elsewhere, or of another name, is not waited for."""
    message = f"comes before {kind} 'x', which it needs"
    early = running("10-a/job.yaml", **pods)
    said = [Finding(artifact="manifests/10-a/job.yaml", loc=("metadata", "name"), message=message)]
    assert found_by(order.comes_too_early, FLUX, (early, placed("20-b/x.yaml", kind))) == said
    for later in ("10-a/x.yaml", "05-b/x.yaml"):
        assert found_by(order.comes_too_early, FLUX, (early, placed(later, kind))) == []
    assert found_by(order.comes_too_early, FLUX, (early, placed("20-b/x.yaml", kind, name="y"))) == []
    waved = running("10-a/job.yaml", "-2", **pods)
    said = [said[0]._replace(loc=("metadata", "annotations", order.WAVE))]
    assert found_by(order.comes_too_early, ARGO, (waved, placed("20-b/x.yaml", kind, "-1"))) == said
    for wave in ("-2", "-3"):
        assert found_by(order.comes_too_early, ARGO, (waved, placed("20-b/x.yaml", kind, wave))) == []


def test_a_namespace_comes_before_what_lies_in_it() -> None:
    """It is the first of its folder; what is not delivered phase by phase has no place in the order."""
    inside, space = placed("10-a/x.yaml", "ConfigMap"), placed("20-b/jhe.yaml", "Namespace", name="jhe")
    said = Finding(
        artifact=inside.path, loc=("metadata", "name"), message="comes before Namespace 'jhe', which it needs"
    )
    assert found_by(order.comes_too_early, FLUX, (inside, space)) == [said]
    assert found_by(order.comes_too_early, FLUX, (inside, space._replace(path="manifests/10-a/jhe.yaml"))) == []
    assert found_by(order.comes_too_early, FLUX, (inside, space._replace(path="gitops/20-b/jhe.yaml"))) == []
    index = Artifact("manifests/20-b/kustomization.yaml", {"apiVersion": "v1", "kind": "Kustomization"})
    assert found_by(order.comes_too_early, FLUX, (index, Artifact("manifests/20-b/a.txt", "text"), inside, space)) == [
        said
    ]


@pytest.mark.parametrize(
    ("wave", "means"),
    [("3", 3), ("-3", -3), ("0", 0), ("123456789", 123456789), ("1234567890", 0), ("3.5", 0), ("+3", 0), ("", 0), (None, 0)],
)  # fmt: skip
def test_a_wave_is_read_as_argo_cd_reads_it(wave: str | None, means: int) -> None:
    """What is no whole number is 0: it is said of an object between two phases that never meet."""
    ends = (placed("10-a/x.yaml", "ConfigMap", "-999999999"), placed("30-c/x.yaml", "ConfigMap", "-999999998"))
    between = placed("20-b/x.yaml", "ConfigMap", wave)
    assert found_by(order.out_of_order, ARGO, (*ends, between)) == [
        Finding(artifact=path, loc=("metadata", "annotations", order.WAVE), message=f"with wave {rank} it does not come {words}")
        for path, rank, words in (
            ("manifests/30-c/x.yaml", -999999998, "after 20-b"), ("manifests/20-b/x.yaml", means, "before 30-c"),
        )
    ]  # fmt: skip


def test_a_phase_has_the_wave_that_most_of_it_has() -> None:
    """What differs is said, on either side, and the namespaces are a phase before all; no other engine has waves."""
    first, last = placed("10-a/x.yaml", "ConfigMap", "1"), placed("30-c/x.yaml", "ConfigMap", "3")
    middle = [placed(f"20-b/{n}.yaml", "ConfigMap", wave) for n, wave in enumerate("12223")]
    artifacts = (*middle, last, first)
    said = [("0", 1, "after 10-a"), ("4", 3, "before 30-c")]
    assert found_by(order.out_of_order, ARGO, artifacts) == [
        Finding(
            artifact=f"manifests/20-b/{name}.yaml", loc=("metadata", "annotations", order.WAVE),
            message=f"with wave {wave} it does not come {words}",
        )
        for name, wave, words in said
    ]  # fmt: skip
    assert found_by(order.out_of_order, FLUX, artifacts) == []
    for wave, words in (("0", []), ("1", ["before 10-a", "after the namespaces"])):
        space = placed("30-c/jhe.yaml", "Namespace", wave, "jhe")
        found = [finding.message for finding in found_by(order.out_of_order, ARGO, (space, first, last))]
        assert found == [f"with wave 1 it does not come {each}" for each in words]


HOOK = "as a hook the Job would run at every sync"
REPLACED = "the Job would be replaced at every sync"
FORCED = "the Job would be replaced while it works"
ONCE = "the Job runs once, in one pod"
OPTIONS, FORCE = "argocd.argoproj.io/sync-options", "kustomize.toolkit.fluxcd.io/force"


@pytest.mark.parametrize(
    ("spec", "annotations", "loc", "message"),
    [
        ({"ttlSecondsAfterFinished": 600}, None, ("spec", "ttlSecondsAfterFinished"),
         "the engine would make the Job again each time that it has gone"),
        ({"parallelism": 2}, None, ("spec", "parallelism"), ONCE),
        ({"completions": 0}, None, ("spec", "completions"), ONCE),
        ({"suspend": True}, None, ("spec", "suspend"), "the phases after it would wait for a Job that does not start"),
        ({}, {"argocd.argoproj.io/hook": "PreSync"}, ("metadata", "annotations", "argocd.argoproj.io/hook"), HOOK),
        ({}, {"helm.sh/hook": "pre-upgrade"}, ("metadata", "annotations", "helm.sh/hook"), HOOK),
        ({}, {OPTIONS: "Prune=false,Force=true"}, ("metadata", "annotations", OPTIONS), REPLACED),
        ({}, {OPTIONS: "Replace=true"}, ("metadata", "annotations", OPTIONS), REPLACED),
        ({}, {FORCE: "enabled"}, ("metadata", "annotations", FORCE), FORCED),
        ({}, {FORCE: "True"}, ("metadata", "annotations", FORCE), FORCED),
        ({"parallelism": 1, "completions": 1, "suspend": False}, None, None, ""),
        ({}, {OPTIONS: "Prune=false", FORCE: "disabled", "other": "PreSync"}, None, ""),
    ],
)  # fmt: skip
def test_a_job_that_would_run_again_is_found(spec: Tree, annotations: Tree | None, loc: Any, message: str) -> None:
    """Whatever makes an engine run, replace or wait for a Job beyond its content is said, whichever the engine is."""
    tree = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j", "annotations": annotations},
        "spec": spec,
    }
    said = [Finding(artifact=JOB, loc=loc, message=message)] if loc else []
    other = Artifact("manifests/50-app/deployment.yaml", {**tree, "kind": "Deployment"})
    for site in (ARGO, FLUX):
        assert found_by(order.job_runs_again, site, (other, Artifact(JOB, tree))) == said


WHILE = "Jobs of this phase would be replaced while they work"
EVERY = "Jobs would be replaced at every sync"


@pytest.mark.parametrize(
    ("artifact", "loc", "message"),
    [
        (phase(force=True), ("spec", "force"), WHILE),
        (phase(force=False), None, ""),
        (phase(syncPolicy={"syncOptions": ["Replace=true"]}), None, ""),
        (release(force=True), None, ""),
        (told("Application", syncPolicy={"syncOptions": ["Prune=true", "Replace=true"]}), ("spec", "syncPolicy", "syncOptions", 1), EVERY),
        (told("Application", syncPolicy={"syncOptions": ["Force=true"]}), ("spec", "syncPolicy", "syncOptions", 0), EVERY),
        (told("Application", syncPolicy={"syncOptions": None}), None, ""),
        (told("Application", syncPolicy=None), None, ""),
        (told("Application", force=True), None, ""),
    ],
)  # fmt: skip
def test_an_engine_that_would_replace_jobs_is_found(artifact: Artifact, loc: Any, message: str) -> None:
    """`force` of a Kustomization, Replace and Force of an Application replace every Job that they deliver."""
    said = [Finding(artifact=artifact.path, loc=loc, message=message)] if loc else []
    bare = (Artifact("a.yaml", {"kind": "Job"}), Artifact("b.yaml", {"apiVersion": "v1", "kind": "Job", "metadata": {}}),
            Artifact("c.yaml", {"apiVersion": "v1", "kind": "Job", "spec": {}}))  # fmt: skip
    assert found_by(order.job_runs_again, FLUX, (*bare, artifact)) == said


def test_a_project_that_allows_everything_is_found() -> None:
    """A star in repositories, destinations or the cluster's kinds is said."""
    site = site_for("argocd")
    path = "gitops/argocd/appproject-exchange.yaml"
    for field, entry in (
        ("sourceRepos", "*"),
        ("destinations", {"server": "https://kubernetes.default.svc", "namespace": "*"}),
        ("clusterResourceWhitelist", {"group": "*", "kind": "*"}),
    ):
        wide = changed(render(site), path, "spec", field, 0, to=entry)
        assert [f.loc for f in found_by(rules.project_allows_all, site, wide)] == [("spec", field, 0)]


def test_a_destination_that_the_project_does_not_allow_is_found() -> None:
    """Another namespace, or another cluster, is not the project's."""
    site = site_for("argocd")
    path = "gitops/argocd/application-hub-hub.yaml"
    for key, value in (("namespace", "class"), ("server", "https://elsewhere.example.org")):
        moved = changed(render(site), path, "spec", "destination", key, to=value)
        assert [f.loc for f in found_by(rules.not_allowed_by_project, site, moved)] == [("spec", "destination")]


GATEWAY, ROUTE = "manifests/60-routes/gateway.yaml", "manifests/60-routes/httproute-exchange.yaml"


def test_a_route_that_its_gateway_does_not_take_is_found() -> None:
    """A listener for its own namespace only, one that is not there, a Gateway that is not there: the route is void."""
    site = site_for("none")
    artifacts = render(site)
    route = tree_of(artifacts, ROUTE)
    names = [listener["name"] for listener in tree_of(artifacts, GATEWAY)["spec"]["listeners"]]
    index = names.index(route["spec"]["parentRefs"][0]["sectionName"])
    closed = changed(artifacts, GATEWAY, "spec", "listeners", index, "allowedRoutes", "namespaces", to={"from": "Same"})
    assert "takes no routes from namespace 'jhe' there" in str(found_by(grants.reference_not_granted, site, closed))
    for key, said in (("sectionName", "has no listener 'gone'"), ("name", "there is no Gateway 'gone'")):
        lost = changed(artifacts, ROUTE, "spec", "parentRefs", 0, key, to="gone")
        assert said in found_by(grants.reference_not_granted, site, lost)[0].message


def test_a_hub_that_its_gateway_does_not_take_is_found() -> None:
    """The route that a hub's chart makes is judged as ours are."""
    site = site_for("none")
    artifacts = render(site)
    names = [listener["name"] for listener in tree_of(artifacts, GATEWAY)["spec"]["listeners"]]
    closed = changed(
        artifacts, GATEWAY, "spec", "listeners", names.index("https-hub"), "allowedRoutes", "namespaces",
        to={"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "class"}}},
    )  # fmt: skip
    assert [f.artifact for f in found_by(grants.reference_not_granted, site, closed)] == ["hubs/hub/values.yaml"]


def test_a_reference_into_another_namespace_needs_a_grant_there() -> None:
    """A Service and a Secret of another namespace are refused, until a ReferenceGrant names who and what."""
    site = site_for("none")
    artifacts = render(site)
    for path, keys, kind, name in (
        (ROUTE, ("spec", "rules", -1, "backendRefs", 0), "HTTPRoute", "Service"),
        (GATEWAY, ("spec", "listeners", 1, "tls", "certificateRefs", 0), "Gateway", "Secret"),
    ):
        away = changed(artifacts, path, *keys, "namespace", to="hub")
        (finding,) = found_by(grants.reference_not_granted, site, away)
        assert finding.artifact == path
        tree = tree_of(artifacts, path)
        source = {"group": "gateway.networking.k8s.io", "kind": kind, "namespace": tree["metadata"]["namespace"]}
        grant = {
            "apiVersion": "gateway.networking.k8s.io/v1beta1",
            "kind": "ReferenceGrant",
            "metadata": {"name": "grant", "namespace": "hub"},
            "spec": {"from": [source], "to": [{"group": "", "kind": name}]},
        }
        granted = (*away, Artifact("manifests/20-config/referencegrant.yaml", grant))
        assert found_by(grants.reference_not_granted, site, granted) == []


def test_a_flux_source_in_another_namespace_is_found() -> None:
    """Flux refuses it where tenants are kept apart, and there is no grant for it."""
    site = site_for("flux")
    away = changed(
        render(site), "gitops/flux/kustomization-50-app.yaml", "spec", "sourceRef", "namespace", to="elsewhere"
    )
    assert [f.loc for f in found_by(grants.reference_not_granted, site, away)] == [("spec", "sourceRef", "namespace")]
