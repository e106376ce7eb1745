"""The application's part of the spec: image, Exchange, administrator, database, organizations."""

from typing import Literal

from pydantic import Field

from jhecfg.spec.base import (
    Cpu,
    Digest,
    Domain,
    Email,
    EngineVersion,
    EnvName,
    EnvValue,
    Host,
    InstanceClass,
    Json,
    Memory,
    ObjectName,
    OrgName,
    Region,
    Repository,
    Schedule,
    SecretRefSpec,
    SecurityGroupId,
    ServiceUrl,
    SettingKey,
    Spec,
    SqlName,
    SubnetId,
    Tag,
    TimeZone,
    Title,
    VpcId,
    items,
)

PullPolicy = Literal["IfNotPresent", "Always", "Never"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
SslMode = Literal["disable", "prefer", "require", "verify-ca", "verify-full"]
DemoData = Literal["none", "basic", "rich"]
# The 18 types of JHE, identical in v0.0.3 … main (core/models/organization.py).
OrganizationType = Literal[
    "root", "prov", "dept", "team", "govt", "ins", "pay", "edu", "reli", "crs", "cg", "bus", "other",
    "laboratory", "imaging", "pharmacy", "health-information-network", "health-data-aggregator",
]  # fmt: skip


class ImageSpec(Spec):
    """The container image of the Exchange. Its tag also says which release's facts apply."""

    repository: Repository = Field(
        default="ghcr.io/jupyterhealth/jupyterhealth-exchange", description="Image repository, without a tag."
    )
    tag: Tag = Field(description="JHE release to run, for example v0.0.13; production wants a release, not 'main'.")
    digest: Digest | None = Field(default=None, description="Digest of that image; pins the exact bytes.")
    pull_policy: PullPolicy = Field(default="IfNotPresent", description="When the kubelet pulls the image.")
    pull_secrets: tuple[ObjectName, ...] = items("Names of the registry Secrets in the site's namespace.", most=10)


class ResourceAmountsSpec(Spec):
    """An amount of CPU and memory."""

    cpu: Cpu | None = Field(default=None, description='CPU, for example "250m".')
    memory: Memory | None = Field(default=None, description="Memory, for example 512Mi.")


class ResourcesSpec(Spec):
    """What a container asks for, and what it may not exceed."""

    requests: ResourceAmountsSpec = Field(default=ResourceAmountsSpec(), description="What the scheduler sets aside.")
    limits: ResourceAmountsSpec = Field(default=ResourceAmountsSpec(), description="What the container may not exceed.")


class SmtpSpec(Spec):
    """The mail server for invitations and password resets. Without it JHE prints its mail into the pod's log."""

    host: Host = Field(description="Mail server's host name.")
    port: int = Field(default=587, ge=1, le=65535, description="Mail server's port; JHE always uses STARTTLS.")
    user: EnvValue = Field(description="User at the mail server; the password is a secret.")
    password_from: SecretRefSpec | None = Field(
        default=None, description="Secret with the password, when it is not the site's own."
    )


class McpSpec(Spec):
    """The MCP server: lets AI clients read data as the user who signs in (JHE v0.0.12 and later)."""

    domain: Domain = Field(description="Host name of the MCP server.")
    digest: Digest | None = Field(
        default=None, description="Digest of the MCP server's image, whose tag is the Exchange's; pins the exact bytes."
    )
    # Its sessions live in one process: a second pod answers 404 "Session not found" (run on v0.0.12 … main).
    replicas: int = Field(
        default=1, ge=1, le=1, description="Number of MCP server pods: one, since its sessions live in one process."
    )
    resources: ResourcesSpec | None = Field(default=None, description="CPU and memory of the MCP server.")


class WearablesSpec(Spec):
    """Polling of an Open Wearables server (JHE v0.0.12 and later)."""

    api_url: ServiceUrl = Field(description="Address of the Open Wearables API.")
    schedule: Schedule = Field(default="*/15 * * * *", description="When to poll, as a cron schedule in UTC.")


class ExchangeSpec(Spec):
    """The JupyterHealth Exchange itself."""

    title: Title = Field(default="JupyterHealth Exchange", description="Name of the site, shown to users.")
    replicas: int = Field(default=2, ge=1, le=50, description="Number of Exchange pods.")
    workers: int = Field(default=2, ge=1, le=32, description="gunicorn worker processes in each pod.")
    resources: ResourcesSpec | None = Field(default=None, description="CPU and memory of each pod [measured defaults].")
    log_level: LogLevel = Field(default="INFO", description="Django's log level.")
    time_zone: TimeZone = Field(default="UTC", description="Time zone of the site.")
    invite_code: SecretRefSpec | None = Field(
        default=None, description="Secret with the code that self-registration asks for, when it is not the site's own."
    )
    settings: dict[SettingKey, Json] = Field(
        default={}, description="JheSetting rows, by key; which exist, and of which type, is up to the release."
    )
    env: dict[EnvName, EnvValue] = Field(
        default={}, description="Further environment variables that the release reads; an escape hatch."
    )
    smtp: SmtpSpec | None = Field(default=None, description="Mail server.")
    mcp: McpSpec | None = Field(default=None, description="MCP server; absent means none.")
    wearables: WearablesSpec | None = Field(default=None, description="Open Wearables polling; absent means none.")
    demo_data: DemoData = Field(
        default="none",
        description="JHE's demonstration data, loaded once into an empty database; only for the environment demo, since"
        " everybody knows its users' passwords. 'rich' adds a cohort with glucose and ring data (v0.0.12 and later).",
    )
    smoke_test: bool = Field(
        default=False, description="After every change, a Job looks whether the Exchange works; it only reads."
    )


class AdminSpec(Spec):
    """The first superuser."""

    email: Email = Field(description="E-mail address of the first superuser; the password is a secret.")


class RdsVpcSpec(Spec):
    """A network that is there already: the instance goes into it, and its neighbours reach the instance."""

    region: Region = Field(description="AWS region of the network.")
    id: VpcId = Field(description="Id of the VPC.")
    subnets: tuple[SubnetId, ...] = items(
        "Ids of private subnets, in two availability zones or more.", least=2, most=20
    )
    allow_from: tuple[SecurityGroupId, ...] = items(
        "Security groups that may connect: the one of the cluster's nodes.", least=1, most=20
    )


class RdsSpec(Spec):
    """An RDS for PostgreSQL instance that jhecfg describes as a CloudFormation template."""

    instance_class: InstanceClass = Field(default="db.t4g.medium", description="Instance class.")
    engine_version: EngineVersion = Field(default="17.10", description="PostgreSQL version, major and minor.")
    storage_gib: int = Field(default=100, ge=20, le=65536, description="Allocated storage, in GiB.")
    max_storage_gib: int = Field(default=1000, ge=22, le=65536, description="Storage may grow up to this, in GiB.")
    multi_az: bool = Field(default=True, description="A standby in another availability zone.")
    backup_days: int = Field(default=14, ge=1, le=35, description="Days that automatic backups are kept.")
    deletion_protection: bool = Field(default=True, description="Refuse to delete the instance.")
    enhanced_monitoring: bool = Field(
        default=True,
        description="Measure its operating system each minute; CloudFormation then makes an IAM role for RDS.",
    )
    master_user: SqlName = Field(
        default="postgres", description="RDS master user; the application has a user of its own."
    )
    vpc: RdsVpcSpec | None = Field(
        default=None, description="Network to use, when the cluster is not described here [the one of `cluster`]."
    )


class DatabaseSpec(Spec):
    """The PostgreSQL database of the Exchange."""

    host: Host = Field(description="Host name of the PostgreSQL server.")
    port: int = Field(default=5432, ge=1, le=65535, description="Port of the PostgreSQL server.")
    name: SqlName = Field(default="jhe", description="Name of the database.")
    user: SqlName = Field(default="jhe", description="Database user of the application; the password is a secret.")
    ssl_mode: SslMode = Field(default="verify-full", description="How the connection is protected (libpq's sslmode).")
    ca_config_map: ObjectName | None = Field(
        default=None,
        description="ConfigMap with the server's CA certificates under the key ca.pem [for RDS, jhecfg brings them].",
    )
    password_from: SecretRefSpec | None = Field(
        default=None, description="Secret with the password, when it is not the site's own."
    )
    rds: RdsSpec | None = Field(default=None, description="Describe the instance as a CloudFormation template.")


class OrgSpec(Spec):
    """A JHE organization, created by the bootstrap Job with exactly this id."""

    name: OrgName = Field(description="Name of the organization; other parts of the spec refer to it.")
    id: int = Field(ge=1, le=2_147_483_647, description="The organization's id in JHE; hub access is decided by it.")
    type: OrganizationType = Field(description="Kind of organization, one of JHE's 18.")
    parent: OrgName | None = Field(default=None, description="Name of the organization above [JHE's root].")
    managers: tuple[Email, ...] = items(
        "Users who manage it; they must have signed up, with a verified address.", most=100
    )
    manage: bool = Field(
        default=False, description="Put name, type and parent back to the spec's when somebody changed them in the UI."
    )
