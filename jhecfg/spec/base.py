"""What every part of the spec is made of: the base model and the scalar types, each with its rule in words."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

PATTERNS: dict[str, str] = {}
"""A pattern and what it asks for, in words: what a diagnostic says was expected."""


def _text(pattern: str, words: str, longest: int) -> StringConstraints:
    """Constrain a text by a pattern (Rust syntax, linear time) and remember the pattern in words."""
    PATTERNS[pattern] = words
    return StringConstraints(strict=True, min_length=1, max_length=longest, pattern=pattern)


def _camel(name: str) -> str:
    """Turn a Python name into the spec's: `max_storage_gib` into `maxStorageGiB`."""
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others).replace("Gib", "GiB")


class Spec(BaseModel):
    """A part of the spec: camelCase keys, nothing unknown, nothing coerced, nothing changed later."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        alias_generator=_camel,
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """Return itself: nothing in it changes later. pydantic copies what a field has by default, for every spec."""
        return self


_LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_HOST_LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

# RFC 1123 labels and subdomains: kubernetes.io/docs/concepts/overview/working-with-objects/names
Label = Annotated[
    str, _text(rf"^{_LABEL}$", "lower-case letters, digits and '-', starting and ending with a letter or digit", 63)
]
ShortLabel = Annotated[
    str, _text(r"^[a-z]([-a-z0-9]*[a-z0-9])?$", "lower-case letters, digits and '-', starting with a letter", 40)
]
ObjectName = Annotated[
    str, _text(rf"^{_LABEL}(\.{_LABEL})*$", "a Kubernetes name: lower-case letters, digits, '-' and '.'", 253)
]
Domain = Annotated[
    str,
    _text(
        rf"^({_HOST_LABEL}\.)+[a-z]([-a-z0-9]{{0,61}}[a-z0-9])?$",
        "a host name such as jhe.example.org: lower case, no 'https://', no path, no port",
        253,
    ),
]
Host = Annotated[
    str,
    _text(rf"^{_HOST_LABEL}(\.{_HOST_LABEL})*$", "a host name: lower case, no scheme, no path, no port", 253),
]
Email = Annotated[
    str,
    _text(
        rf"^[A-Za-z0-9._+-]{{1,64}}@({_HOST_LABEL}\.)+[a-z]{{2,63}}$", "an e-mail address such as ops@example.org", 254
    ),
]
HttpsUrl = Annotated[
    str,
    _text(
        rf"^https://({_HOST_LABEL}\.)*{_HOST_LABEL}(:[0-9]{{1,5}})?(/[A-Za-z0-9._~/-]*)?$",
        "an https:// address without a user, query or fragment",
        500,
    ),
]
ServiceUrl = Annotated[
    str,
    _text(
        rf"^https?://({_HOST_LABEL}\.)*{_HOST_LABEL}(:[0-9]{{1,5}})?(/[A-Za-z0-9._~/-]*)?$",
        "an http:// or https:// address without a user, query or fragment",
        500,
    ),
]
# distribution/reference: repository without tag or digest.
Repository = Annotated[
    str,
    _text(
        r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+$",
        "an image repository such as ghcr.io/owner/name, without a tag",
        200,
    ),
]
Tag = Annotated[str, _text(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*$", "an image tag such as v0.0.13", 128)]
Digest = Annotated[str, _text(r"^sha256:[0-9a-f]{64}$", "an image digest: sha256: and 64 hexadecimal digits", 71)]
# kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity, the forms people write.
Cpu = Annotated[
    str, _text(r"^([0-9]+m|[0-9]+(\.[0-9]{1,3})?)$", 'a CPU quantity in quotes, such as "250m" or "1.5"', 16)
]
Memory = Annotated[str, _text(r"^[0-9]+(Ki|Mi|Gi|Ti)$", "a memory quantity such as 512Mi or 2Gi", 16)]
SpawnerMemory = Annotated[
    str, _text(r"^[0-9]+(\.[0-9]+)?(K|M|G|T)$", "a JupyterHub memory quantity such as 512M or 2G", 16)
]
TimeZone = Annotated[
    str,
    _text(r"^[A-Z][A-Za-z_]+(/[A-Z][A-Za-z_+-]+){0,2}$", "an IANA time zone such as America/Los_Angeles or UTC", 64),
]
EnvName = Annotated[str, _text(r"^[A-Z_][A-Z0-9_]*$", "an environment variable's name: capitals, digits and '_'", 128)]
EnvValue = Annotated[str, StringConstraints(strict=True, max_length=4096)]
SettingKey = Annotated[str, _text(r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", "a JheSetting key such as auth.sso.saml2", 128)]
Title = Annotated[
    str, _text(r"^[^\s<>{}$`\\](?:[^<>{}$`\\\n]*[^\s<>{}$`\\])?$", "one line of text without < > { } $ ` \\", 100)
]
OrgName = Annotated[
    str, _text(r"^[^\s{}$`\\](?:[^{}$`\\\n]*[^\s{}$`\\])?$", "one line of text without { } $ ` \\", 200)
]
ClientId = Annotated[str, _text(r"^[A-Za-z0-9][A-Za-z0-9._-]*$", "letters, digits, '.', '_' and '-'", 100)]
SqlName = Annotated[
    str, _text(r"^[a-z_][a-z0-9_]*$", "a PostgreSQL name that needs no quotes: lower-case letters, digits and '_'", 63)
]
Region = Annotated[str, _text(r"^[a-z]{2}(-[a-z]+){1,3}-[0-9]$", "an AWS region such as us-east-2", 32)]
Zone = Annotated[str, _text(r"^[a-z]{2}(-[a-z]+){1,3}-[0-9][a-z]$", "an AWS availability zone such as us-east-2a", 33)]
Minor = Annotated[str, _text(r"^1\.[0-9]{2}$", 'a Kubernetes minor version in quotes, such as "1.36"', 5)]
InstanceType = Annotated[
    str, _text(r"^[a-z][a-z0-9-]*\.[a-z0-9-]+$", "an EC2 instance type such as m7i-flex.large", 40)
]
InstanceClass = Annotated[
    str, _text(r"^db\.[a-z][a-z0-9-]*\.[a-z0-9]+$", "an RDS instance class such as db.m7g.large", 40)
]
Arn = Annotated[
    str,
    _text(
        r"^arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12})?:[A-Za-z0-9_/.:!-]+$",
        "an AWS ARN such as arn:aws:kms:…",
        500,
    ),
]
VpcId = Annotated[str, _text(r"^vpc-[0-9a-f]{8,17}$", "the id of a VPC such as vpc-0123456789abcdef0", 21)]
SubnetId = Annotated[str, _text(r"^subnet-[0-9a-f]{8,17}$", "the id of a subnet such as subnet-0123456789abcdef0", 24)]
SecurityGroupId = Annotated[
    str, _text(r"^sg-[0-9a-f]{8,17}$", "the id of a security group such as sg-0123456789abcdef0", 20)
]
Cidr = Annotated[str, _text(r"^[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2}$", "an IPv4 range such as 203.0.113.0/24", 18)]
Version = Annotated[str, _text(r"^[0-9]+\.[0-9]+\.[0-9]+([-.][A-Za-z0-9.-]+)?$", "an exact version such as 4.4.0", 64)]
EngineVersion = Annotated[str, _text(r"^[0-9]{2}\.[0-9]{1,2}$", 'a PostgreSQL version in quotes, such as "17.10"', 5)]
GitUrl = Annotated[
    str,
    _text(
        r"^(https://[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/-]+|ssh://git@[A-Za-z0-9.-]+(:[0-9]{1,5})?/[A-Za-z0-9._~/-]+|git@[A-Za-z0-9.-]+:[A-Za-z0-9._~/-]+)$",
        "a git address: https://… or git@host:owner/name.git",
        500,
    ),
]
GitRevision = Annotated[str, _text(r"^[A-Za-z0-9][A-Za-z0-9._/-]*$", "a branch, tag or commit", 200)]
RelativePath = Annotated[
    str, _text(r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$", "a relative path without '..'", 255)
]
# age's X25519 recipients (C2SP age, "age1" in Bech32); the last six characters are a checksum, which resolve/ tests.
AgeRecipient = Annotated[
    str, _text(r"^age1[02-9ac-hj-np-z]{58}$", "an age public key: age1… as age-keygen prints it, 62 characters", 62)
]
Schedule = Annotated[
    str, _text(r"^[0-9*/,-]+( [0-9*/,-]+){4}$", "a cron schedule of five fields, such as */15 * * * *", 64)
]
Scope = Annotated[str, _text(r"^[A-Za-z][A-Za-z0-9_./:*-]*$", "one OAuth scope", 128)]
DataKey = Annotated[str, _text(r"^[-._a-zA-Z0-9]+$", "a key of a Secret: letters, digits, '-', '_' and '.'", 253)]
LabelKey = Annotated[
    str,
    _text(
        rf"^({_LABEL}(\.{_LABEL})*/)?[A-Za-z0-9]([A-Za-z0-9_.-]{{0,61}}[A-Za-z0-9])?$",
        "a label key: an optional prefix and '/', then letters, digits, '-', '_' and '.'",
        253,
    ),
]
LabelValue = Annotated[
    str, _text(r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$", "a label value: letters, digits, '-', '_' and '.'", 63)
]
# AWS Secrets Manager, API reference of CreateSecret: a name of at most 512 characters; RDS's own begin with `rds!`.
AwsSecret = Annotated[
    str, _text(r"^[A-Za-z0-9/_+=.@!:-]+$", "a name in AWS Secrets Manager, such as rds!db-…, or its ARN", 600)
]
AbsolutePath = Annotated[str, _text(r"^(/[A-Za-z0-9._-]+)+$", "an absolute path", 255)]

PATTERNS[r"^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$"] = "an add-on version such as v1.20.0-eksbuild.1"
PATTERNS[r"^[a-z]$"] = "one lower-case letter"
PATTERNS[r"^[A-Z][A-Za-z0-9]{0,62}$"] = "a kind such as Deployment"

Json = Any
"""Free-form data below an escape hatch; checked by rules, not by the model."""


def items(description: str, *, least: int = 0, most: int = 1000) -> Any:
    """Declare a list: a tuple in Python (frozen), a list in YAML, in the order written."""
    return Field(
        default=() if least == 0 else ..., strict=False, min_length=least, max_length=most, description=description
    )


class SecretRefSpec(Spec):
    """A value that lives in a Kubernetes Secret: its name and key, never the value."""

    name: ObjectName = Field(description="Name of the Secret, in the namespace of its consumer.")
    key: DataKey = Field(description="Key in that Secret.")
