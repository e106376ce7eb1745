"""cluster(): eksctl's ClusterConfig, with everything said that eksctl would otherwise decide on the day it runs.

Keys and rules: eksctl 0.230, pkg/apis/eksctl.io/v1alpha5 (schema.json, validation.go). Identity is EKS Pod Identity
throughout: it needs no account number in the file, and works the same in every partition.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jhecfg.artifact import Artifact, Tree
from jhecfg.releases import CHARTS
from jhecfg.site import Cluster, ExternalSecrets, NodeGroup, Site

PURPOSE = "hub.jupyter.org/node-purpose"
DEDICATED = "hub.jupyter.org/dedicated"
MONITORING = "eks-node-monitoring-agent"
SITE_TAG = "jhecfg/site"

_NAT = {"single": "Single", "highly-available": "HighlyAvailable"}

# Add-ons that call AWS, as (namespace, service account, AWS managed policies; docs.aws.amazon.com/aws-managed-policy).
# AWS asks to leave the first AmazonEBSCSIDriverPolicy, which eksctl's own shorthand still attaches
# (kubernetes-sigs/aws-ebs-csi-driver#2918); unlike it, the second has no service-role/ in its ARN.
_ADDON_IDENTITY: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "vpc-cni": ("kube-system", "aws-node", ("AmazonEKS_CNI_Policy",)),
    "aws-ebs-csi-driver": ("kube-system", "ebs-csi-controller-sa", ("AmazonEBSCSIDriverPolicyV2",)),
    "aws-efs-csi-driver": ("kube-system", "efs-csi-controller-sa", ("service-role/AmazonEFSCSIDriverPolicy",)),
    "amazon-cloudwatch-observability": ("amazon-cloudwatch", "cloudwatch-agent", ("CloudWatchAgentServerPolicy",)),
}

# The VPC CNI leaves NetworkPolicies unenforced unless told; the value is YAML in a string, and "true" is one in it.
_ADDON_VALUES = {"vpc-cni": 'enableNetworkPolicy: "true"\n'}


def cluster(site: Site) -> Iterator[Artifact]:
    """Render `cluster/cluster.yml` where the site has a cluster of its own."""
    if site.cluster is not None:
        yield Artifact("cluster/cluster.yml", config(site, site.cluster), note=_note(site.cluster))


def stack_name(cluster: Cluster) -> str:
    """Return the CloudFormation stack that eksctl makes for a cluster; its exports are `<stack>::<output>`."""
    return f"eksctl-{cluster.name}-cluster"


def partition(region: str) -> str:
    """Return the ARN partition of a region: aws, aws-us-gov or aws-cn."""
    first, second, *_ = region.split("-")
    return "aws-cn" if first == "cn" else "aws-us-gov" if second == "gov" else "aws"


def config(site: Site, cluster: Cluster) -> Tree:
    """Return the ClusterConfig."""
    return {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {
            "name": cluster.name,
            "region": cluster.region,
            "version": cluster.version,
            "tags": {SITE_TAG: site.name},
        },
        # AWS's own default is EXTENDED: paid, and silent.
        "upgradePolicy": {"supportType": "STANDARD"},
        # Said even when off: eksctl announces that a coming release turns it on by default.
        "autoModeConfig": {"enabled": cluster.auto_mode},
        **({"availabilityZones": list(cluster.zones)} if cluster.zones else {}),
        "vpc": _vpc(cluster),
        "iam": {"withOIDC": True, **_associations(site, cluster)},
        # What is listed is what is installed: eksctl adds no add-on of its own.
        "addonsConfig": {"disableDefaultAddons": True},
        **_addons(cluster),
        **({"secretsEncryption": {"keyARN": cluster.kms_key_arn}} if cluster.kms_key_arn else {}),
        **_logging(cluster),
        **_node_groups(cluster),
    }


def _vpc(cluster: Cluster) -> Tree:
    return {
        "cidr": cluster.vpc_cidr,
        "clusterEndpoints": {"publicAccess": cluster.public, "privateAccess": cluster.private},
        **({"publicAccessCIDRs": list(cluster.public_cidrs)} if cluster.public and cluster.public_cidrs else {}),
        "nat": {"gateway": _NAT[cluster.nat]},
    }


def _associations(site: Site, cluster: Cluster) -> Tree:
    """Return the AWS identities of the workloads that the site installs, and of no others."""
    source = site.external_secrets
    found = [
        *(
            [_well_known("aws-load-balancer-controller", "awsLoadBalancerController")]
            if site.edge.load_balancer == "aws-load-balancer-controller"
            else []
        ),
        *([_well_known("external-dns", "externalDNS")] if site.edge.external_dns else []),
        *([_secrets_reader(site, source)] if source and not source.store else []),
        *([_autoscaler()] if cluster.autoscaled else []),
    ]
    return {"podIdentityAssociations": found} if found else {}


def _well_known(chart: str, policy: str) -> Tree:
    return {
        "namespace": CHARTS[chart].namespace,
        "serviceAccountName": chart,
        "wellKnownPolicies": {policy: True},
    }


def _autoscaler() -> Tree:
    return {
        "namespace": "kube-system",
        "serviceAccountName": "cluster-autoscaler",
        "wellKnownPolicies": {"autoScaler": True},
    }


def _secrets_reader(site: Site, source: ExternalSecrets) -> Tree:
    """Return the identity of External Secrets: it reads what the site's ExternalSecrets name, and lists nothing."""
    here = f"arn:{partition(source.region)}:secretsmanager:{source.region}:*:secret:"
    remote = dict.fromkeys(item.remote.name for need in site.secrets for item in need.items if item.remote)
    # AWS ends the ARN of every secret in six characters of its own.
    arns = [f"{here}{source.prefix}/*", *(n if n.startswith("arn:") else f"{here}{n}-??????" for n in remote)]
    return {
        "namespace": CHARTS["external-secrets"].namespace,
        "serviceAccountName": "external-secrets",
        "permissionPolicy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"],
                    "Resource": arns,
                }
            ],
        },
    }


def _addons(cluster: Cluster) -> Tree:
    pinned = dict(cluster.addon_versions)
    addons = [_addon(name, pinned.get(name), cluster.region) for name in cluster.every_addon]
    return {"addons": addons} if addons else {}


def _addon(name: str, version: str | None, region: str) -> Tree:
    """Return an add-on. Without a version EKS's default for the cluster's is installed, and updates keep what is there.

    `latest` would mean another version on every run of `eksctl update addon` (pkg/actions/addon, eksctl 0.230).
    """
    identity = _ADDON_IDENTITY.get(name)
    return {
        "name": name,
        **({"version": version} if version else {}),
        **({"podIdentityAssociations": [_addon_identity(*identity, region)]} if identity else {}),
        **({"configurationValues": _ADDON_VALUES[name]} if name in _ADDON_VALUES else {}),
    }


def _addon_identity(namespace: str, account: str, policies: tuple[str, ...], region: str) -> Tree:
    return {
        "namespace": namespace,
        "serviceAccountName": account,
        "permissionPolicyARNs": [f"arn:{partition(region)}:iam::aws:policy/{policy}" for policy in policies],
    }


def _logging(cluster: Cluster) -> Tree:
    if not cluster.log_types:
        return {}
    logging = {"enableTypes": list(cluster.log_types), "logRetentionInDays": cluster.log_retention_days}
    return {"cloudWatch": {"clusterLogging": logging}}


def _node_groups(cluster: Cluster) -> Tree:
    if cluster.auto_mode or not cluster.node_groups:
        return {}
    repair = MONITORING in cluster.addons
    return {"managedNodeGroups": [_node_group(group, repair=repair) for group in cluster.node_groups]}


def _node_group(group: NodeGroup, *, repair: bool) -> Tree:
    return {
        "name": group.full_name,
        "amiFamily": "AmazonLinux2023",
        **_capacity(group),
        **({"availabilityZones": list(group.zones)} if group.zones else {}),
        "privateNetworking": True,
        "minSize": group.min,
        "desiredCapacity": group.desired,
        "maxSize": group.max,
        # An empty group has no node to learn labels and taints from; the autoscaler reads them from these tags.
        **({"propagateASGTags": True} if group.min == 0 else {}),
        "volumeType": "gp3",
        "volumeSize": group.volume_gib,
        "volumeEncrypted": True,
        "disableIMDSv1": True,
        "labels": {PURPOSE: group.purpose, **dict(group.labels)},
        **_taints(group),
        "updateConfig": {"maxUnavailable": 1},
        **({"nodeRepairConfig": {"enabled": True}} if repair else {}),
    }


def _capacity(group: NodeGroup) -> Tree:
    types = list(group.instance_types)
    if group.spot:
        return {"spot": True, "instanceTypes": types}
    return {"instanceType": types[0]} if len(types) == 1 else {"instanceTypes": types}


def _taints(group: NodeGroup) -> Tree:
    """Keep everything but users' servers off the user groups; Zero to JupyterHub's pods tolerate this taint."""
    taints: list[dict[str, Any]] = []
    if group.purpose == "user":
        taints.append({"key": DEDICATED, "value": "user", "effect": "NoSchedule"})
    for key, value, effect in group.taints:
        taints.append({"key": key, **({"value": value} if value is not None else {}), "effect": effect})
    return {"taints": taints} if taints else {}


def _note(cluster: Cluster) -> tuple[str, ...]:
    what = "addon" if cluster.auto_mode else "nodegroup"
    return (
        "Run in this site's folder: eksctl create cluster -f cluster/cluster.yml",
        f"eksctl ignores most edits of what exists; what is new: eksctl create {what} -f cluster/cluster.yml",
        "RUNBOOK.md has the commands of every other change.",
    )
