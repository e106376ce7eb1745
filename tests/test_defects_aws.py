"""Defects A1 … A28: the source document's AWS parts, and what a compiled site has instead."""

from __future__ import annotations

import re

import pytest

from jhecfg.releases import CHARTS
from tests.compiled import (
    ARGOCD,
    EXAMPLE,
    FLUX,
    IN_CLUSTER,
    NGINX,
    REAL_SITES,
    Tree,
    compiled,
    keys,
    leaves,
    refused,
)
from tests.test_defects_application import commands

LB = "service.beta.kubernetes.io/aws-load-balancer-"
REGION = re.compile(r"\b(?:us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d\b")


def cluster(**changes: object) -> Tree:
    """Return the example's cluster.yml, with changes of the spec."""
    tree: Tree = compiled(changes).tree("cluster/cluster.yml")
    return tree


def database() -> Tree:
    """Return the resources of the example's CloudFormation template."""
    resources: Tree = compiled().tree("cluster/rds.cfn.yaml")["Resources"]
    return resources


def core(**changes: object) -> list[Tree]:
    """Return the example's core group, changed."""
    return [{**EXAMPLE["cluster"]["nodeGroups"][0], **changes}]


def test_a1_kubernetes_is_a_version_that_eks_makes() -> None:
    """The version is current, text, and on standard support; 1.30 is refused with the versions there are."""
    tree = cluster()
    assert tree["metadata"]["version"] == "1.36"
    assert tree["upgradePolicy"] == {"supportType": "STANDARD"}
    said = refused("unsupported-kubernetes", cluster__version="1.30")
    assert "1.36" in said.message + said.expected + said.hint


def test_a2_nodes_hold_their_pods() -> None:
    """A t2.small core group is refused, and the message has the number of pods that it holds."""
    said = refused("small-core-node", cluster__nodeGroups=core(instanceType="t2.small"))
    assert "11" in said.message + said.found


def test_a3_nodes_are_managed_and_private() -> None:
    """There are managed groups only, each in private subnets."""
    tree = compiled(IN_CLUSTER).tree("cluster/cluster.yml")
    assert "nodeGroups" not in tree
    assert [group["privateNetworking"] for group in tree["managedNodeGroups"]] == [True, True]


def test_a4_volumes_get_disks() -> None:
    """The add-ons that networking and disks need are there; the one default StorageClass is encrypted gp3."""
    names = {addon["name"] for addon in cluster()["addons"]}
    assert names >= {"vpc-cni", "coredns", "kube-proxy", "aws-ebs-csi-driver", "eks-pod-identity-agent"}
    storage = compiled().one("StorageClass")
    assert storage["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
    assert storage["parameters"] == {"type": "gp3", "encrypted": "true"}
    assert storage["volumeBindingMode"] == "WaitForFirstConsumer"


def test_a5_core_survives_a_node_and_users_stay_in_a_zone() -> None:
    """A production core group of one node is a warning; user groups stay in one zone, where their disks are."""
    assert cluster()["managedNodeGroups"][0]["minSize"] == 2
    assert "too-few-core-nodes" in _all_codes({"cluster__nodeGroups": core(scaling={"min": 1, "max": 3})})
    zones = {"cluster__zones": ["us-east-2a", "us-east-2b"]}
    users = compiled({**IN_CLUSTER, **zones}).tree("cluster/cluster.yml")["managedNodeGroups"][1]
    assert users["availabilityZones"] == ["us-east-2a"]


def _all_codes(changes: Tree) -> set[str]:
    site = compiled(changes)
    return site.codes("error") | site.codes("warning")


@pytest.mark.parametrize("site", REAL_SITES)
def test_a6_no_aws_key_anywhere(site: str) -> None:
    """No output asks for long-lived AWS keys."""
    texts = "".join(compiled(site=site).files.values())
    assert "AWS_ACCESS_KEY_ID" not in texts
    assert "AWS_SECRET_ACCESS_KEY" not in texts


def test_a7_there_is_one_region() -> None:
    """Every output names the same region, also in commands."""
    site = compiled()
    found = {
        region for path, text in site.files.items() for region in REGION.findall(text) if "database-ca" not in path
    }
    assert found == {"us-east-2"}
    assert "--region us-east-2" in site.files["RUNBOOK.md"]


def test_a8_files_are_used_under_their_names() -> None:
    """Commands about the cluster name the file that is there; no other spelling of it exists."""
    named = set(re.findall(r"[\w/.-]*cluster\.ya?ml", "\n".join(commands(compiled()))))
    assert named == {"cluster/cluster.yml"}


def test_a9_every_chart_is_pinned_and_has_a_namespace() -> None:
    """Each `helm upgrade`, Argo CD Application and Flux release has an exact version; ingress-nginx gets a warning."""
    runs = [
        run
        for text in commands(compiled(IN_CLUSTER))
        for run in _joined(text)
        if run.lstrip().startswith("helm upgrade")
    ]
    assert len(runs) >= 3
    assert [run for run in runs if not (re.search(r"--version v?\d+\.\d+\.\d+", run) and "--namespace" in run)] == []
    applications = compiled({**IN_CLUSTER, **ARGOCD}).objects("Application", "gitops/")
    charts = [source for a in applications for source in a["spec"].get("sources", ()) if "chart" in source]
    assert len(charts) >= 3
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", chart["targetRevision"]) for chart in charts)
    assert all(a["spec"]["destination"]["namespace"] for a in applications)
    assert "retired-controller" in compiled(NGINX).codes("warning")


def _joined(text: str) -> list[str]:
    """Return the commands of a shell block, continued lines in one."""
    return text.replace("\\\n", " ").splitlines()


def test_a9_flux_releases_are_pinned() -> None:
    """Each HelmRelease of Flux gets its chart at an exact version, into a namespace that it names."""
    site = compiled({**IN_CLUSTER, **FLUX})
    releases = site.objects("HelmRelease", "gitops/")
    repositories = {r["metadata"]["name"]: r["spec"]["ref"]["tag"] for r in site.objects("OCIRepository", "gitops/")}
    versions = [
        r["spec"]["chart"]["spec"]["version"] if "chart" in r["spec"] else repositories[r["spec"]["chartRef"]["name"]]
        for r in releases
    ]
    assert len(releases) >= 3
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", version) for version in versions)
    assert all(r["spec"].get("targetNamespace") or r["metadata"]["namespace"] for r in releases)


def test_a10_clients_cannot_forge_their_address() -> None:
    """The nginx edge believes no forwarded header; Envoy removes the forwarded host, and detects no client address."""
    nginx = compiled(NGINX).tree("helm/ingress-nginx.values.yaml")
    assert "use-forwarded-headers" not in nginx["controller"]["config"]
    policy = compiled().one("ClientTrafficPolicy")["spec"]
    assert policy["headers"]["earlyRequestHeaders"]["remove"] == ["X-Forwarded-Host"]
    assert "clientIPDetection" not in policy


@pytest.mark.parametrize("edge", [{}, NGINX], ids=["envoy", "nginx"])
def test_a11_client_addresses_arrive(edge: Tree) -> None:
    """Traffic stays on its node; proxy protocol is on at the load balancer and behind it, or on neither."""
    for asked in (False, True):
        site = compiled({**edge, "ingress": {**edge.get("ingress", {}), "proxyProtocol": asked}})
        if edge:
            controller = site.tree("helm/ingress-nginx.values.yaml")["controller"]
            service, behind = controller["service"], controller["config"].get("use-proxy-protocol") == "true"
        else:
            service = site.one("EnvoyProxy")["spec"]["provider"]["kubernetes"]["envoyService"]
            behind = "proxyProtocol" in site.one("ClientTrafficPolicy")["spec"]
        assert service["externalTrafficPolicy"] == "Local"
        assert (f"{LB}proxy-protocol" in service["annotations"], behind) == (asked, asked)


@pytest.mark.parametrize(
    ("changes", "load_balancer_class", "annotations"),
    [
        ({}, "service.k8s.aws/nlb", {"scheme", "nlb-target-type", "attributes"}),
        (
            {"cluster__mode": "auto-mode", "cluster__nodeGroups": None},
            "eks.amazonaws.com/nlb",
            {"scheme", "nlb-target-type", "attributes"},
        ),
        (
            {"cluster__loadBalancer": "in-tree"},
            None,
            {"type", "scheme", "backend-protocol", "cross-zone-load-balancing-enabled"},
        ),
    ],
    ids=["controller", "auto-mode", "in-tree"],
)
def test_a12_the_load_balancer_is_public(changes: Tree, load_balancer_class: str | None, annotations: set[str]) -> None:
    """For what makes the load balancer, the class and annotations are exact; where a scheme can be said, it is."""
    service = compiled(changes).one("EnvoyProxy")["spec"]["provider"]["kubernetes"]["envoyService"]
    assert service.get("loadBalancerClass") == load_balancer_class
    assert {key.removeprefix(LB) for key in service["annotations"]} == annotations
    assert service["annotations"].get(f"{LB}scheme", "internet-facing") == "internet-facing"


def test_a13_definitions_are_installed_by_the_key_that_exists() -> None:
    """cert-manager's values have `crds.enabled`, and neither `crds.install` nor `installCRDs`."""
    values = compiled().tree("helm/cert-manager.values.yaml")
    assert values["crds"] == {"enabled": True, "keep": True}
    assert "installCRDs" not in set(keys(values))


def test_a14_cert_manager_is_current() -> None:
    """The chart is pinned once, to a supported version, and the outputs name that one."""
    version = CHARTS["cert-manager"].version
    assert version.startswith("v1.21.")
    assert f"cert-manager {version} " in compiled().files["helm/cert-manager.values.yaml"]
    applications = compiled(ARGOCD).objects("Application", "gitops/")
    assert version in {s.get("targetRevision") for a in applications for s in a["spec"].get("sources", ())}


def test_a15_the_solver_names_what_exists() -> None:
    """Challenges go through the Gateway that is rendered, or through `ingressClassName`; nothing uses `class`."""
    solvers = [s["http01"] for s in compiled().one("ClusterIssuer")["spec"]["acme"]["solvers"]]
    gateway = compiled().one("Gateway")["metadata"]
    assert [s["gatewayHTTPRoute"]["serviceType"] for s in solvers] == ["ClusterIP"]
    parent = solvers[0]["gatewayHTTPRoute"]["parentRefs"][0]
    assert (parent["name"], parent["namespace"]) == (gateway["name"], gateway["namespace"])
    nginx = compiled(NGINX).one("ClusterIssuer")["spec"]["acme"]["solvers"][0]["http01"]["ingress"]
    assert nginx["ingressClassName"]
    assert "class" not in nginx


def test_a16_a_placeholder_is_no_domain() -> None:
    """The source document's placeholder for the host name is refused."""
    refused("invalid-value", domain="PUBLIC HOSTNAME")


def test_a17_the_engine_version_is_one_of_rds() -> None:
    """The PostgreSQL version is a literal that RDS makes today, not a label of the console."""
    version = database()["Database"]["Properties"]["EngineVersion"]
    assert re.fullmatch(r"\d+\.\d+", version)
    refused("invalid-value", database__rds={"engineVersion": "17.4-R1"})
    refused("rds-engine-version", database__rds={"engineVersion": "17.4"})


def test_a18_the_database_has_one_name() -> None:
    """Application, template and runbook name the same database; CloudFormation names the instance."""
    assert compiled().config["DB_NAME"] == database()["Database"]["Properties"]["DBName"] == "jhe"
    assert "DBInstanceIdentifier" not in set(keys(database()))
    assert re.search(r"psql.*dbname=jhe\b|psql.*\bjhe\b", "\n".join(_joined("\n".join(commands(compiled())))))


def test_a19_rds_keeps_the_master_password() -> None:
    """RDS makes and rotates the master password; the application is another user."""
    properties = database()["Database"]["Properties"]
    assert properties["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in properties
    assert compiled().config["DB_USER"] != properties["MasterUsername"]


def test_a20_only_the_cluster_reaches_the_database() -> None:
    """The database has a security group of its own, with one way in: its port, from the cluster's group."""
    resources = database()
    ways = [r["Properties"] for r in resources.values() if r["Type"] == "AWS::EC2::SecurityGroupIngress"]
    assert [(way["FromPort"], way["ToPort"]) for way in ways] == [(5432, 5432)]
    assert ways[0]["SourceSecurityGroupId"]["Fn::ImportValue"].endswith("::ClusterSecurityGroupId")
    assert "SecurityGroupIngress" not in resources["SecurityGroup"]["Properties"]


def test_a21_the_database_is_in_private_subnets() -> None:
    """Its subnets are all private ones of the cluster's stack, by a split, never by an index."""
    subnets = database()["SubnetGroup"]["Properties"]["SubnetIds"]
    assert subnets["Fn::Split"][1]["Fn::ImportValue"].endswith("::SubnetsPrivate")
    assert "Fn::Select" not in set(keys(database()))
    assert database()["Database"]["Properties"]["PubliclyAccessible"] is False


def test_a22_the_database_is_encrypted_and_kept() -> None:
    """Encrypted gp3, two weeks of backups, no deletion by accident; a site without backups is refused."""
    resource = database()["Database"]
    wanted = {"StorageType": "gp3", "StorageEncrypted": True, "BackupRetentionPeriod": 14, "DeletionProtection": True}
    assert resource["Properties"].items() >= wanted.items()
    assert resource["DeletionPolicy"] == "Snapshot"
    refused("invalid-value", database__rds={"backupDays": 0})


def test_a23_the_application_is_not_the_master() -> None:
    """The application's user is its own, made in a step of the runbook; the master user for it is refused."""
    refused("application-is-master", database__user="postgres")
    assert re.search(r"CREATE (ROLE|USER)", compiled().files["RUNBOOK.md"], re.IGNORECASE)


@pytest.mark.parametrize("site", REAL_SITES)
def test_a24_the_database_name_is_always_said(site: str) -> None:
    """DB_NAME is in the ConfigMap of every site: no default of a chart decides."""
    assert compiled(site=site).config["DB_NAME"] in ("jhe", "jhe_staging")


def test_a25_certificates_wait_for_dns() -> None:
    """cert-manager's own check holds a challenge back until the name leads here, so no order fails before DNS does."""
    (solver,) = compiled().one("ClusterIssuer")["spec"]["acme"]["solvers"]
    assert "waitInsteadOfSelfCheck" not in solver
    assert set(solver) == {"http01"}


def test_a25_the_staging_issuer_is_one_word() -> None:
    """Let's Encrypt's staging server, whose limits are wide, is one word in the spec; the runbook waits for DNS."""
    titles = re.findall(r"^## (?:\d+\. )?(.+)$", compiled().files["RUNBOOK.md"], re.MULTILINE)
    assert titles.index("DNS") < titles.index("Certificates")
    issuer = compiled({"ingress": {"issuer": "letsencrypt-staging"}}).one("ClusterIssuer")
    assert issuer["spec"]["acme"]["server"] == "https://acme-staging-v02.api.letsencrypt.org/directory"


def test_a26_a_zone_may_fail() -> None:
    """There is a NAT gateway in each zone; a single one in production is a warning."""
    assert cluster()["vpc"]["nat"] == {"gateway": "HighlyAvailable"}
    assert cluster(cluster__nat="single")["vpc"]["nat"] == {"gateway": "Single"}
    assert "single-nat" in compiled({"cluster__nat": "single"}).codes("warning")


def test_a27_the_api_is_not_for_everybody() -> None:
    """The ranges that may reach the Kubernetes API are passed on; none in production is a warning."""
    assert cluster()["vpc"]["publicAccessCIDRs"] == ["203.0.113.0/24"]
    assert "open-api" in _all_codes({"cluster__access": None})


def test_a28_a_hub_elsewhere_needs_public_https_only() -> None:
    """A hub in another account has files below hubs/ alone; every address in them is public and https."""
    site = compiled()
    assert "jupyterhub.example.org" not in "".join(
        text for path, text in site.files.items() if path.startswith(("manifests/60-routes", "manifests/20-config"))
    )
    addresses = [text for text in leaves(site.hub["hub"]["config"]) if "://" in text]
    assert addresses
    assert all(text.startswith("https://") and ".svc" not in text for text in addresses)
    assert "elsewhere" in site.files["RUNBOOK.md"]
