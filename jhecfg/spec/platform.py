"""The platform's part of the spec: edge, secrets, cluster, delivery, patches."""

from typing import Annotated, Literal

from pydantic import Field

from jhecfg.spec.base import (
    AgeRecipient,
    Arn,
    AwsSecret,
    Cidr,
    DataKey,
    Domain,
    GitRevision,
    GitUrl,
    InstanceType,
    Json,
    Label,
    LabelKey,
    LabelValue,
    Memory,
    Minor,
    ObjectName,
    Region,
    RelativePath,
    ShortLabel,
    Spec,
    Zone,
    items,
)

LoadBalancer = Literal["in-tree", "aws-load-balancer-controller", "auto-mode"]


class GatewaySpec(Spec):
    """A Gateway of Envoy Gateway that exists: the site's routes join it; its owners see to names and certificates."""

    name: ObjectName = Field(description="Name of the Gateway.")
    namespace: Label = Field(description="Namespace of the Gateway.")
    listener: ObjectName = Field(default="https", description="Its HTTPS listener, which serves the site's domains.")


class IngressSpec(Spec):
    """The edge: what terminates TLS and routes host names."""

    controller: Literal["envoy-gateway", "ingress-nginx", "none"] = Field(
        default="envoy-gateway", description="What routes requests; ingress-nginx is retired upstream."
    )
    issuer: ShortLabel = Field(
        default="letsencrypt",
        description="letsencrypt, letsencrypt-staging, none, or the name of a ClusterIssuer that exists.",
    )
    class_name: ObjectName | None = Field(
        default=None, description="IngressClass or GatewayClass that exists already [jhecfg renders its own]."
    )
    gateway: GatewaySpec | None = Field(
        default=None, description="Gateway that exists already [jhecfg renders its own]; it makes `issuer` moot."
    )
    load_balancer: LoadBalancer | None = Field(
        default=None, description="What makes the AWS load balancer [what `cluster` has, else in-tree]."
    )
    proxy_protocol: bool = Field(
        default=False, description="Carry client addresses by proxy protocol v2, on the load balancer and behind it."
    )
    max_body_size: Memory = Field(
        default="16Mi", description="Largest request body that the edge accepts for the Exchange."
    )
    dns: Literal["manual", "external-dns"] = Field(
        default="manual", description="Who makes the DNS records: a person, or external-dns."
    )
    dns_zones: tuple[Domain, ...] = items("Zones that external-dns may change [the domains' parents].", most=20)


class RemoteSecretSpec(Spec):
    """A value that AWS Secrets Manager holds under a name of its own; somebody else makes and changes it."""

    secret: ObjectName = Field(description="Name of the site's Secret.")
    key: DataKey = Field(description="Key in that Secret.")
    name: AwsSecret = Field(description="Name or ARN in AWS Secrets Manager.")
    property: DataKey | None = Field(default=None, description="Key of the JSON document there [all of the text].")


class SecretsSpec(Spec):
    """How the site keeps its secrets; the spec itself never holds one."""

    backend: Literal["existing", "external-secrets", "sealed-secrets", "sops"] = Field(
        default="existing",
        description="existing: Secrets made by hand; external-secrets: from AWS Secrets Manager; sealed-secrets, sops: "
        "encrypted files beside the spec.",
    )
    region: Region | None = Field(default=None, description="Region of AWS Secrets Manager [the cluster's].")
    store: ObjectName | None = Field(
        default=None,
        description="external-secrets: ClusterSecretStore for AWS Secrets Manager that exists [one of the site's].",
    )
    prefix: RelativePath | None = Field(default=None, description="Prefix in AWS Secrets Manager [jhe/<site>].")
    remote: tuple[RemoteSecretSpec, ...] = items(
        "external-secrets: values of the Exchange that AWS holds elsewhere, such as a password that RDS manages.",
        most=50,
    )
    folder: RelativePath | None = Field(
        default=None, description="Folder of the encrypted files, from the spec's folder [secrets/<site>]."
    )
    certificate: RelativePath | None = Field(
        default=None,
        description="Public certificate of the sealed-secrets controller, from the spec's folder "
        "[certificate.pem in `folder`].",
    )
    recipients: tuple[AgeRecipient, ...] = items(
        "Public keys (age1…) of those who can decrypt what sops encrypts.", most=20
    )


class ScalingSpec(Spec):
    """How many nodes: least, at the start, most."""

    min: int = Field(ge=0, le=1000, description="Least number of nodes.")
    desired: int | None = Field(default=None, ge=0, le=1000, description="Nodes at the start [min].")
    max: int = Field(ge=1, le=1000, description="Largest number of nodes.")


class TaintSpec(Spec):
    """A taint of a node group."""

    key: LabelKey = Field(description="Taint key.")
    value: LabelValue | None = Field(default=None, description="Taint value.")
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = Field(description="Taint effect.")


class NodeGroupSpec(Spec):
    """A managed group of nodes. What cannot change in place needs a new `generation`."""

    name: Annotated[ShortLabel, Field(max_length=30)] = Field(description="Name of the group.")
    purpose: Literal["core", "user"] = Field(description="core: hubs and the Exchange; user: users' servers.")
    instance_type: InstanceType | None = Field(default=None, description="EC2 instance type.")
    instance_types: tuple[InstanceType, ...] = items("EC2 instance types of the same size, for spot.", most=20)
    spot: bool = Field(default=False, description="Use spot capacity; never for core.")
    scaling: ScalingSpec = Field(description="How many nodes.")
    volume_gib: int = Field(default=80, ge=20, le=16384, description="Root volume of a node, in GiB.")
    zones: tuple[Zone, ...] = items("Availability zones [user: the cluster's first; core: its first two].", most=6)
    generation: Annotated[str, Field(pattern=r"^[a-z]$")] = Field(
        default="a", description="Letter at the end of the group's name; the next letter replaces the group."
    )
    labels: dict[LabelKey, LabelValue] = Field(default={}, description="Further node labels.")
    taints: tuple[TaintSpec, ...] = items("Further taints.", most=10)


class ClusterAccessSpec(Spec):
    """Who reaches the Kubernetes API."""

    public_cidrs: tuple[Cidr, ...] = items("Addresses that may reach the public API endpoint [everywhere].", most=40)
    public: bool = Field(default=True, description="The API has a public endpoint.")
    private: bool = Field(default=True, description="The API has a private endpoint.")


class LoggingSpec(Spec):
    """Control plane logs in CloudWatch."""

    types: tuple[Literal["api", "audit", "authenticator", "controllerManager", "scheduler"], ...] = Field(
        default=("api", "audit", "authenticator", "controllerManager", "scheduler"),
        strict=False,
        description="Which logs are kept.",
    )
    # The retention periods that CloudWatch knows (eksctl 0.230, pkg/apis/eksctl.io/v1alpha5/cloudwatch.go).
    retention_days: Literal[
        1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653
    ] = Field(default=90, description="Days that they are kept.")  # fmt: skip


AddonName = Literal[
    "metrics-server", "eks-node-monitoring-agent", "aws-efs-csi-driver", "amazon-cloudwatch-observability"
]


AddonVersion = Annotated[str, Field(pattern=r"^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$")]


class ClusterSpec(Spec):
    """An EKS cluster made by eksctl. Absent: the site goes into a cluster that exists."""

    name: ShortLabel | None = Field(default=None, description="Name of the cluster [the site's].")
    region: Region = Field(description="AWS region.")
    version: Minor = Field(default="1.36", description='Kubernetes version, in quotes: "1.36".')
    mode: Literal["managed-nodes", "auto-mode"] = Field(
        default="managed-nodes", description="Node groups of our own, or EKS Auto Mode."
    )
    zones: tuple[Zone, ...] = items("Availability zones, two or more [the region's a and b].", most=6)
    vpc_cidr: Cidr = Field(
        default="192.168.0.0/16", description="Addresses of the cluster's own network; it can never be changed."
    )
    nat: Literal["single", "highly-available"] = Field(
        default="highly-available", description="One NAT gateway, or one in each zone."
    )
    node_groups: tuple[NodeGroupSpec, ...] = items("Node groups [one core, one user group].", most=50)
    access: ClusterAccessSpec = Field(default=ClusterAccessSpec(), description="Who reaches the Kubernetes API.")
    logging: LoggingSpec = Field(default=LoggingSpec(), description="Control plane logs.")
    kms_key_arn: Arn | None = Field(default=None, description="KMS key for Kubernetes Secrets; cannot be taken back.")
    load_balancer: Literal["in-tree", "aws-load-balancer-controller"] | None = Field(
        default=None, description="What makes load balancers [aws-load-balancer-controller; Auto Mode has its own]."
    )
    addon_versions: dict[Label, AddonVersion] = Field(
        default={}, description="Versions of add-ons, by name [EKS's default for the Kubernetes version]."
    )
    addons: tuple[AddonName, ...] = Field(
        default=("metrics-server", "eks-node-monitoring-agent"),
        strict=False,
        description="Optional EKS add-ons beside those that every site needs.",
    )


class GitopsSpec(Spec):
    """What syncs the output into the cluster."""

    engine: Literal["none", "argocd", "flux"] = Field(default="none", description="argocd, flux, or none (kubectl).")
    repo: GitUrl | None = Field(default=None, description="Git address of the repository that holds the output.")
    revision: GitRevision = Field(default="main", description="Branch, tag or commit to sync.")
    path: RelativePath = Field(default="out", description="Folder in that repository that holds the sites' outputs.")
    secret_name: ObjectName | None = Field(
        default=None,
        description="Secret beside the engine that opens the repository [<site>-git over ssh; none over https].",
    )
    fleet: ShortLabel | None = Field(
        default=None, description="Argo CD: name of the fleet whose ApplicationSet hands this site over."
    )


class PatchTargetSpec(Spec):
    """Names one output object."""

    kind: Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")] = Field(description="Kind of the object.")
    name: ObjectName = Field(description="Name of the object, without a content hash.")
    namespace: Label | None = Field(default=None, description="Namespace, where the name alone is not unique.")


class PatchSpec(Spec):
    """A last escape hatch: change an output object just before it is judged."""

    target: PatchTargetSpec = Field(description="The object to change; one that does not exist is an error.")
    patch: Json = Field(description="A mapping (JSON merge patch, RFC 7396) or a list of JSON 6902 operations.")
