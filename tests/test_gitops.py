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


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (("spec", "ttlSecondsAfterFinished"), 600),
        (("spec", "parallelism"), 2),
        (("spec", "suspend"), True),
        (("metadata", "annotations", "argocd.argoproj.io/hook"), "PreSync"),
        (("metadata", "annotations", "helm.sh/hook"), "pre-upgrade"),
        (("metadata", "annotations", "argocd.argoproj.io/sync-options"), "Force=true,Replace=true"),
        (("metadata", "annotations", "kustomize.toolkit.fluxcd.io/force"), "enabled"),
    ],
)
@ENGINES
def test_a_job_that_would_run_again_is_found(engine: str, keys: tuple[str, ...], value: object) -> None:
    """Whatever makes an engine run, replace or wait for a Job beyond its content is said, whichever the engine is."""
    site = site_for(engine)
    artifacts = render(site)
    tree = tree_of(artifacts, JOB)
    with_annotations = {**tree, "metadata": {"annotations": {}, **tree["metadata"]}}
    artifacts = tuple(a._replace(tree=with_annotations) if a.path == JOB else a for a in artifacts)
    again = changed(artifacts, JOB, *keys, to=value)
    assert [f.loc for f in found_by(order.job_runs_again, site, again)] == [keys]


def test_an_engine_that_would_replace_jobs_is_found() -> None:
    """`force` of a Kustomization and Replace of an Application replace every Job that they deliver."""
    flux, argo = site_for("flux"), site_for("argocd")
    forced = changed(render(flux), "gitops/flux/kustomization-30-migrate.yaml", "spec", "force", to=True)
    assert [f.loc for f in found_by(order.job_runs_again, flux, forced)] == [("spec", "force")]
    path = "gitops/argocd/application-exchange.yaml"
    forced = changed(render(argo), path, "spec", "syncPolicy", "syncOptions", 0, to="Replace=true")
    assert [f.artifact for f in found_by(order.job_runs_again, argo, forced)] == [path]


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
