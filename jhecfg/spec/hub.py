"""The JupyterHubs' part of the spec: who may enter, what a user's server is."""

from typing import Annotated, Literal

from pydantic import Field

from jhecfg.spec.base import (
    AbsolutePath,
    ClientId,
    Digest,
    Domain,
    Email,
    EnvName,
    EnvValue,
    Json,
    Label,
    ObjectName,
    OrgName,
    Repository,
    Scope,
    ShortLabel,
    SpawnerMemory,
    Spec,
    Tag,
    Version,
    items,
)

Cores = Annotated[float, Field(gt=0, le=512)]


class AccessSpec(Spec):
    """Who may log in: exactly one of the three. There is no default."""

    orgs: tuple[OrgName, ...] | None = Field(
        default=None, strict=False, min_length=1, description="Members of any of these organizations (direct members)."
    )
    users: tuple[Email, ...] | None = Field(
        default=None, strict=False, min_length=1, description="These users; JHE does not verify e-mail addresses."
    )
    anyone: Literal[True] | None = Field(
        default=None, description="Every practitioner with a JHE account; refused in production."
    )


class AdminsSpec(Spec):
    """Who administers the hub."""

    orgs: tuple[OrgName, ...] = items("Members of these organizations.", most=50)
    users: tuple[Email, ...] = items("These users; JHE does not verify e-mail addresses.", most=100)


class HubImageSpec(Spec):
    """The image of a user's server."""

    repository: Repository = Field(
        default="quay.io/jupyterhealth/singleuser-premvp", description="Image repository, without a tag."
    )
    tag: Tag = Field(description="Image tag.")
    digest: Digest | None = Field(default=None, description="Digest of that image; pins the exact bytes.")


class GuaranteeSpec(Spec):
    """Memory of a user's server."""

    guarantee: SpawnerMemory = Field(default="1G", description="Memory set aside for each server.")
    limit: SpawnerMemory = Field(default="2G", description="Memory that a server may not exceed.")


class CoresSpec(Spec):
    """CPU of a user's server, in cores."""

    guarantee: Cores = Field(default=0.1, description="Cores set aside for each server.")
    limit: Cores = Field(default=2.0, description="Cores that a server may not exceed.")


class HubResourcesSpec(Spec):
    """What each user's server gets."""

    memory: GuaranteeSpec = Field(default=GuaranteeSpec(), description="Memory of each server.")
    cpu: CoresSpec = Field(default=CoresSpec(), description="CPU of each server.")


class HubStorageSpec(Spec):
    """The disks of the hub and its users."""

    capacity_gib: int = Field(default=10, ge=1, le=16384, description="Size of each user's home, in GiB.")
    storage_class: ObjectName | None = Field(
        default=None,
        description="StorageClass of the homes and the hub's database [gp3 with `cluster`, else required].",
    )


class SmartSpec(Spec):
    """SMART on FHIR in the users' servers (the jupyter-smart-on-fhir extension)."""

    client_id: ClientId | None = Field(default=None, description="Client id that the EHR gave this hub.")
    scopes: tuple[Scope, ...] = Field(
        default=("openid", "profile", "fhirUser", "launch/patient"),
        strict=False,
        min_length=1,
        max_length=50,
        description="Scopes to ask the EHR for.",
    )
    config_file: AbsolutePath = Field(
        default="/opt/conda/etc/jupyter/jupyter_server_config.json",
        description="Where the image reads Jupyter Server's configuration.",
    )


class HubSpec(Spec):
    """A JupyterHub whose users log in through the Exchange."""

    name: ShortLabel = Field(description="Name of the hub: its folder, Helm release and default namespace.")
    domain: Domain = Field(description="Host name people type to reach the hub.")
    deploy: Literal["cluster", "external"] = Field(
        default="cluster",
        description="Where it runs: in this cluster, or elsewhere (then only its values are rendered).",
    )
    namespace: Label | None = Field(default=None, description="Namespace of the hub [its name].")
    client_id: ClientId | None = Field(default=None, description="OAuth client id [jupyterhub-<domain>].")
    access: AccessSpec = Field(description="Who may log in: exactly one of orgs, users, anyone.")
    admins: AdminsSpec = Field(default=AdminsSpec(), description="Who administers the hub.")
    image: HubImageSpec | None = Field(default=None, description="Image of the users' servers [the chart's own].")
    resources: HubResourcesSpec = Field(default=HubResourcesSpec(), description="What each user's server gets.")
    storage: HubStorageSpec = Field(default=HubStorageSpec(), description="Disks of the hub and its users.")
    env: dict[EnvName, EnvValue] = Field(default={}, description="Environment of the users' servers.")
    chart_version: Version = Field(default="4.4.0", description="Version of the Zero to JupyterHub chart.")
    smart: SmartSpec | None = Field(default=None, description="SMART on FHIR; absent means none.")
    values: dict[str, Json] = Field(
        default={}, description="Further chart values, merged last; may not change what the compiler guarantees."
    )
