"""Site: everything about a deployment, with nothing left to decide. Frozen; nothing is optional by accident.

Named tuples: frozen like dataclasses, and made at import in a tenth of their time (docs/decisions/0011).
They are built by keyword and read by name, never by position.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from jhecfg.diagnostics import Loc
from jhecfg.releases import BUILT_INTO_AUTO_MODE, NODE_ADDONS, Chart, Release
from jhecfg.sealed import SealedFile

LETSENCRYPT = {
    "letsencrypt": "https://acme-v02.api.letsencrypt.org/directory",
    "letsencrypt-staging": "https://acme-staging-v02.api.letsencrypt.org/directory",
}


class SecretKey(NamedTuple):
    """One value in a Kubernetes Secret, by name and key."""

    name: str
    key: str


SecretForm = Literal["url-safe", "code", "hex", "hex-list", "rsa", "given"]
"""What a value looks like, and so how it is made: `given` values are known to a person alone.

`code` is for people to type; `hex` is 32 bytes; `hex-list` is `new;old`, of which the first encrypts; `rsa` is a PEM.
"""


class Rotation(NamedTuple):
    """What another value does: what people notice, and what is to be done once the new value is in its place.

    `steps` are sentences for a person. With `overlap` the old value stays beside the new one until it is dropped.
    `restarts` are the Deployments that read the value when they start; `reruns` says that the bootstrap Job brings it.
    """

    effect: str
    steps: tuple[str, ...] = ()
    restarts: tuple[str, ...] = ()
    reruns: bool = False
    overlap: bool = False


class Remote(NamedTuple):
    """Where AWS Secrets Manager holds a value that somebody else makes; without `property` it is all of the text."""

    name: str
    property: str | None


class SecretItem(NamedTuple):
    """One key of a Secret that the site needs: what it is for, its form, who reads it, and what a new value does.

    With `remote` it is made and changed elsewhere, and only copied from there.
    """

    key: str
    purpose: str
    form: SecretForm
    consumers: tuple[str, ...]
    rotation: Rotation
    remote: Remote | None = None


class SecretNeed(NamedTuple):
    """A Secret that must exist before the site starts. `owned` is False when the spec brought its own."""

    namespace: str
    name: str
    items: tuple[SecretItem, ...]
    owned: bool = True

    @property
    def own_items(self) -> tuple[SecretItem, ...]:
        """The values that the site makes and keeps itself."""
        return tuple(item for item in self.items if item.remote is None) if self.owned else ()


class Image(NamedTuple):
    """A container image."""

    repository: str
    tag: str
    digest: str | None
    pull_policy: str = "IfNotPresent"
    pull_secrets: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        """`repository:tag` or `repository:tag@digest`."""
        return f"{self.repository}:{self.tag}" + (f"@{self.digest}" if self.digest else "")


class Amounts(NamedTuple):
    """CPU and memory, as Kubernetes quantities; None is left out."""

    cpu: str | None
    memory: str | None

    def tree(self) -> dict[str, str]:
        """Return the mapping Kubernetes wants."""
        return {k: v for k, v in (("cpu", self.cpu), ("memory", self.memory)) if v is not None}


class Resources(NamedTuple):
    """A container's requests and limits."""

    requests: Amounts
    limits: Amounts

    def tree(self) -> dict[str, dict[str, str]]:
        """Return the mapping Kubernetes wants."""
        parts = {"requests": self.requests.tree(), "limits": self.limits.tree()}
        return {name: part for name, part in parts.items() if part}


class Smtp(NamedTuple):
    """The mail server."""

    host: str
    port: int
    user: str
    password: SecretKey


class Mcp(NamedTuple):
    """The MCP server and its OAuth application."""

    domain: str
    url: str
    image: Image
    replicas: int
    resources: Resources
    client_id: str
    callback_url: str
    client_secret: SecretKey
    broker_key: SecretKey


class Wearables(NamedTuple):
    """Open Wearables polling."""

    api_url: str
    schedule: str
    api_key: SecretKey


class Setting(NamedTuple):
    """One JheSetting row."""

    key: str
    type: str
    value: Any


class Exchange(NamedTuple):
    """The application."""

    title: str
    url: str
    callback_url: str
    admin_email: str
    replicas: int
    workers: int
    resources: Resources
    log_level: str
    time_zone: str
    settings: tuple[Setting, ...]
    env: tuple[tuple[str, str], ...]
    smtp: Smtp | None
    mcp: Mcp | None
    wearables: Wearables | None
    demo_data: Literal["none", "basic", "rich"]
    smoke_test: bool
    secret_key: SecretKey
    oidc_key: SecretKey
    admin_password: SecretKey
    invite_code: SecretKey


class Certificate(NamedTuple):
    """A CA certificate in a bundle that jhecfg brings."""

    subject: str
    not_after: str


class CaBundle(NamedTuple):
    """CA certificates for the database: from a ConfigMap. `pem` is empty when the ConfigMap is the user's own."""

    config_map: str
    pem: str
    certificates: tuple[Certificate, ...]


class Vpc(NamedTuple):
    """A network that exists: its ids, and the security groups that may connect."""

    id: str
    subnets: tuple[str, ...]
    allow_from: tuple[str, ...]


class Rds(NamedTuple):
    """The RDS instance that CloudFormation makes; `vpc` is None where it lives in the network that eksctl makes."""

    stack: str
    region: str
    vpc: Vpc | None
    instance_class: str
    engine_version: str
    storage_gib: int
    max_storage_gib: int
    multi_az: bool
    backup_days: int
    deletion_protection: bool
    enhanced_monitoring: bool
    master_user: str


class Database(NamedTuple):
    """The PostgreSQL database."""

    host: str
    port: int
    name: str
    user: str
    ssl_mode: str
    ca: CaBundle | None
    password: SecretKey
    rds: Rds | None


class Organization(NamedTuple):
    """A JHE organization. `parent_id` is 0 for JHE's ROOT."""

    loc: Loc
    name: str
    id: int
    type: str
    parent_id: int
    managers: tuple[str, ...]
    manage: bool


class Access(NamedTuple):
    """Who may log in to a hub. `group_ids` are JHE organization ids."""

    mode: Literal["orgs", "users", "anyone"]
    group_ids: tuple[int, ...]
    users: tuple[str, ...]


class Smart(NamedTuple):
    """SMART on FHIR in the users' servers."""

    client_id: str | None
    scopes: tuple[str, ...]
    redirect_uri: str
    config_file: str


class Hub(NamedTuple):
    """A JupyterHub."""

    loc: Loc
    name: str
    domain: str
    url: str
    namespace: str
    external: bool
    client_id: str
    callback_url: str
    access: Access
    admin_group_ids: tuple[int, ...]
    admin_users: tuple[str, ...]
    image: Image | None
    memory_guarantee: str
    memory_limit: str
    cpu_guarantee: float
    cpu_limit: float
    capacity_gib: int
    storage_class: str | None
    env: tuple[tuple[str, str], ...]
    chart: Chart
    smart: Smart | None
    values: dict[str, Any]
    tls_secret: str


class Edge(NamedTuple):
    """What terminates TLS and routes host names.

    `issuer` is the ClusterIssuer's name or None; `acme_server` is set when jhecfg renders that issuer. `gateway` is
    the Gateway's name, and `listener` the one to join at a Gateway that exists (None where jhecfg renders it);
    `own_class` says whether jhecfg renders the GatewayClass or IngressClass needs.
    """

    controller: Literal["envoy-gateway", "ingress-nginx", "none"]
    namespace: str
    gateway: str
    listener: str | None
    class_name: str
    own_class: bool
    issuer: str | None
    acme_server: str | None
    acme_email: str
    load_balancer: Literal["in-tree", "aws-load-balancer-controller", "auto-mode"]
    proxy_protocol: bool
    max_body_size: str
    external_dns: bool
    dns_zones: tuple[str, ...]

    @property
    def own_gateway(self) -> bool:
        """Whether jhecfg renders the Gateway: one that exists has the listener that the spec names."""
        return self.listener is None

    def parent(self, name: str) -> dict[str, str]:
        """Return the HTTPS listener of `exchange`, `mcp` or a hub, as routes name it."""
        listener = self.listener or f"https-{name}"
        return {"name": self.gateway, "namespace": self.namespace, "sectionName": listener}


class NodeGroup(NamedTuple):
    """A managed node group; `full_name` carries the generation."""

    loc: Loc
    name: str
    full_name: str
    purpose: Literal["core", "user"]
    instance_types: tuple[str, ...]
    spot: bool
    min: int
    desired: int
    max: int
    volume_gib: int
    zones: tuple[str, ...]
    labels: tuple[tuple[str, str], ...]
    taints: tuple[tuple[str, str | None, str], ...]


class Cluster(NamedTuple):
    """The EKS cluster."""

    name: str
    region: str
    version: str
    auto_mode: bool
    zones: tuple[str, ...]
    vpc_cidr: str
    nat: Literal["single", "highly-available"]
    node_groups: tuple[NodeGroup, ...]
    public_cidrs: tuple[str, ...]
    public: bool
    private: bool
    log_types: tuple[str, ...]
    log_retention_days: int
    kms_key_arn: str | None
    addons: tuple[str, ...]
    storage_class: str
    addon_versions: tuple[tuple[str, str], ...]

    @property
    def every_addon(self) -> tuple[str, ...]:
        """The EKS add-ons that are installed: what its kind of nodes needs, and those that the spec asks for."""
        if self.auto_mode:
            return tuple(dict.fromkeys(name for name in self.addons if name not in BUILT_INTO_AUTO_MODE))
        return tuple(dict.fromkeys((*NODE_ADDONS, *self.addons)))

    @property
    def autoscaled(self) -> bool:
        """Whether the Cluster Autoscaler works for it: nodes of our own, and a group that users fill."""
        return not self.auto_mode and any(group.purpose == "user" for group in self.node_groups)


class ExternalSecrets(NamedTuple):
    """Where External Secrets reads from; `store` is a ClusterSecretStore that exists, None where jhecfg renders one."""

    region: str
    prefix: str
    store: str | None

    def remote_name(self, need: SecretNeed) -> str:
        """Return the name under which AWS Secrets Manager keeps a Secret, as one JSON document."""
        return f"{self.prefix}/{need.namespace}/{need.name}"


class Sealing(NamedTuple):
    """How the site's Secrets are encrypted into files beside the spec, and the files that there are.

    `folder` and `certificate` are paths from the spec's folder. `recipients` are age public keys, for sops alone.
    """

    folder: str
    certificate: str
    recipients: tuple[str, ...]
    files: tuple[SealedFile, ...]


class Gitops(NamedTuple):
    """What syncs the output. `path` is the site's own folder in the repository.

    `secret_name` is the Secret that opens the repository, or None where it is open to all; `fleet` is Argo CD's.
    """

    engine: Literal["none", "argocd", "flux"]
    repo: str
    revision: str
    path: str
    secret_name: str | None
    fleet: str | None


class Patch(NamedTuple):
    """A change to an output object."""

    loc: Loc
    kind: str
    name: str
    namespace: str | None
    patch: Any


class Site(NamedTuple):
    """Everything that will be true of one site."""

    name: str
    environment: Literal["production", "staging", "demo"]
    domain: str
    contact: str
    namespace: str
    release: Release
    image: Image
    exchange: Exchange
    database: Database
    orgs: tuple[Organization, ...]
    hubs: tuple[Hub, ...]
    edge: Edge
    secrets: tuple[SecretNeed, ...]
    secrets_backend: Literal["existing", "external-secrets", "sealed-secrets", "sops"]
    external_secrets: ExternalSecrets | None
    sealing: Sealing | None
    cluster: Cluster | None
    kubernetes: str
    charts: tuple[Chart, ...]
    gitops: Gitops
    patches: tuple[Patch, ...]
    rerun: str

    @property
    def cluster_hubs(self) -> tuple[Hub, ...]:
        """The hubs that run in this cluster."""
        return tuple(hub for hub in self.hubs if not hub.external)

    @property
    def hosts(self) -> tuple[tuple[str, str], ...]:
        """(host name, name of its TLS Secret) of everything served by this cluster's edge, the Exchange first."""
        mcp = ((self.exchange.mcp.domain, f"{self.name}-mcp-tls"),) if self.exchange.mcp else ()
        hubs = tuple((hub.domain, hub.tls_secret) for hub in self.cluster_hubs)
        return ((self.domain, f"{self.name}-exchange-tls"), *mcp, *hubs)
