"""Exchange: what each JHE release reads, runs and needs, and which one an image tag means. Data, no decisions.

Read from jupyterhealth/jupyterhealth-exchange at each tag (settings.py, core/services/jhe_settings.py, core/models) and
run, 2026-11: what a renderer offers is filtered by what the release at hand reads.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

SettingType = Literal["string", "int", "bool", "float", "json"]
Feature = Literal["mcp", "wearables", "jhe-client", "wearables-settings", "rich-demo"]


class Release(NamedTuple):
    """Facts about one JHE release.

    `env`: the names that it reads from the environment and uses. `settings`: the JheSetting rows that it reads, with
    their types. `images`: the platforms of each image that its workflow publishes, by the end of the image's name.
    `mcp_env`: the names that its MCP server reads; the image has one since v0.0.12.
    `migrations`: the last one of each Django app that moves between releases.

    The rest is about the step from the release before, in words for the middle of a sentence; empty where there is
    nothing to say. `breaks`: what fails when the app of the release before meets this release's schema, as it does
    between the migrate Job and the new pods; `breaks_older`: it is so much that those pods had better not run at all.
    `deletes`: what migrating deletes for good. `stops`: data at which the migrate Job fails. `loses`: what taking this
    release's migrations back deletes for good. `sticks`: data at which taking them back fails.
    """

    version: str
    date: str
    env: frozenset[str]
    settings: dict[str, SettingType]
    features: frozenset[Feature]
    images: dict[str, tuple[str, ...]]
    mcp_env: frozenset[str]
    migrations: dict[str, str]
    breaks_older: bool = False
    breaks: str = ""
    deletes: str = ""
    stops: str = ""
    loses: str = ""
    sticks: str = ""
    known: bool = True


_ENV = frozenset({
    "SITE_URL", "DB_NAME", "DB_USER", "DB_PASSWORD", "DB_HOST", "DB_PORT", "OIDC_RSA_PRIVATE_KEY", "SECRET_KEY",
    "DEBUG", "ALLOWED_HOSTS", "DJANGO_LOG_LEVEL", "TIME_ZONE", "X_FRAME_OPTIONS",
    "SMTP_HOST", "SMTP_USER", "SMTP_PASSWORD", "SMTP_PORT",
    "OW_S3_ENDPOINT_URL", "OW_S3_BUCKET", "OW_S3_PREFIX", "OW_S3_ACCESS_KEY", "OW_S3_SECRET_KEY", "OW_S3_REGION",
})  # fmt: skip
_OW_ENV = _ENV | {"OW_API_URL", "OW_API_KEY", "TRUSTED_TOKEN_IDP"}

_SETTINGS_10: dict[str, SettingType] = {
    "site.url": "string",
    "site.ui.title": "string",
    "site.registration_invite_code": "string",
    "auth.default_orgs": "string",
    "auth.sso.saml2": "int",
    "auth.sso.idp_metadata_url": "string",
    "trusted_token_idp": "string",
}
_SETTINGS_11: dict[str, SettingType] = {
    **_SETTINGS_10,
    "auth.patient.invitation_expiration_days": "int",
    "auth.patient.invitation_redemption_window_hours": "int",
}
_SETTINGS_12: dict[str, SettingType] = {
    **_SETTINGS_11,
    "module.ow": "bool",
    "ow.ingest_mode": "string",
    "ow.s3.endpoint_url": "string",
    "ow.s3.bucket_name": "string",
    "ow.s3.key_prefix": "string",
    "ow.s3.access_key_id": "string",
    "ow.s3.secret_access_key": "string",
}
_SETTINGS_13: dict[str, SettingType] = {**_SETTINGS_12, "auth.patient_access_clients": "json"}
_SETTINGS_MAIN: dict[str, SettingType] = {
    **{k: v for k, v in _SETTINGS_13.items() if k not in ("auth.sso.idp_metadata_url", "trusted_token_idp")},
    "auth.sso.valid_domains": "string",
    "auth.sof.trusted_issuers": "json",
    "auth.sof.trusted_audience": "string",
    "ow.api_url": "string",
    "ow.api_key": "string",
}

_PLATFORMS = ("amd64", "arm64")
_IMAGES: dict[str, tuple[str, ...]] = {"": _PLATFORMS}
_MCP_IMAGES: dict[str, tuple[str, ...]] = {"": _PLATFORMS, "-mcp": _PLATFORMS}
_MCP_ENV = frozenset({
    "JHE_BASE_URL", "JHE_CLIENT_ID", "JHE_CLIENT_SECRET", "JHE_REDIRECT_URI",
    "JHE_AUTHORIZE_ENDPOINT", "JHE_TOKEN_ENDPOINT", "JHE_USERINFO_ENDPOINT",
    "MCP_RESOURCE_URL", "MCP_ALLOWED_REDIRECTS", "MCP_BROKER_KEY", "MCP_REQUIRE_AUDIENCE", "MCP_HTTP_PORT",
})  # fmt: skip

# v0.0.14 is out (2026-09-18, pull request 784), but its code was not to be had in 2026-11: it is not known here.
# What lies between two was run with data: the older app on the newer schema (every page, and a row into every table),
# the schemas compared column by column, the migrations taken back and the older app tried again.
RELEASES: tuple[Release, ...] = (
    Release(
        version="v0.0.10",
        date="2026-05-04",
        env=_OW_ENV,
        settings=_SETTINGS_10,
        features=frozenset(),
        images=_IMAGES,
        mcp_env=frozenset(),
        migrations={
            "core": "0019_add_settings_to_practitioner",
            "oauth2_provider": "0013_alter_application_authorization_grant_type_device",
        },
    ),
    Release(
        version="v0.0.11",
        date="2026-05-12",
        env=_OW_ENV,
        settings=_SETTINGS_11,
        features=frozenset(),
        images=_IMAGES,
        mcp_env=frozenset(),
        migrations={
            "core": "0020_alter_patient_birth_date_alter_patient_name_family_and_more",
            "oauth2_provider": "0013_alter_application_authorization_grant_type_device",
        },
        loses="the patients' invitations",
        sticks="a patient without a name or a date of birth",
    ),
    Release(
        version="v0.0.12",
        date="2026-06-16",
        env=_OW_ENV,
        settings=_SETTINGS_12,
        features=frozenset({"mcp", "wearables", "jhe-client", "rich-demo"}),
        images=_MCP_IMAGES,
        mcp_env=_MCP_ENV,
        migrations={
            "core": "0038_practitionerclient",
            "oauth2_provider": "0013_alter_application_authorization_grant_type_device",
        },
        breaks_older=True,
        breaks="every page, every login and every call of the API fails",
        deletes="every patient's `identifier` and every practitioner's `telecom_phone`",
        stops="a study that has the same data source twice, or a data source that has the same scope twice",
        loses="the patients' identifiers, the FHIR sources, and the clients' invitation addresses",
        sticks="a FHIR resource or an observation of a kind that the release before has no place for",
    ),
    Release(
        version="v0.0.13",
        date="2026-06-24",
        env=_OW_ENV,
        settings=_SETTINGS_13,
        features=frozenset({"mcp", "wearables", "jhe-client", "rich-demo"}),
        images=_MCP_IMAGES,
        mcp_env=_MCP_ENV,
        migrations={"core": "0040_fhirauxresource_ref_indexed", "oauth2_provider": "0014_alter_help_text"},
        breaks="FHIR resources that are no patient and no observation cannot be stored",
    ),
    Release(
        version="main",
        date="2026-08-21",
        env=_ENV,
        settings=_SETTINGS_MAIN,
        features=frozenset({"mcp", "wearables", "jhe-client", "rich-demo", "wearables-settings"}),
        images=_MCP_IMAGES,
        mcp_env=_MCP_ENV,
        migrations={
            "core": "0045_remove_idp_metadata_url_setting",
            "oauth2_provider": "0020_cimd_application_fields",
            "socialaccount": "0006_alter_socialaccount_extra_data",
        },
        breaks_older=True,
        breaks="nobody can log in, tokens are not renewed, and observations are stored without their time",
        deletes="all but the newest copy of a FHIR resource that was imported twice",
        loses="the brands of health records, and which account of an identity provider is whose",
    ),
)

OLDEST = RELEASES[0].version

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(\.dev\d{1,6}-g[0-9a-f]{7,12})?")
_SHA = re.compile(r"[0-9a-f]{7,12}|[0-9a-f]{40}")


# What keeps the older ones out: the first release without the fault, and the fault (run on v0.0.6 … v0.0.9).
_FAULTS = (
    ("v0.0.8", "DEBUG is on and SECRET_KEY is public, both in its code"),
    ("v0.0.9", "DEBUG is on, in its code"),
    ("v0.0.10", "it has no /health, and finds its own OAuth application by chance"),
)


class TooOld(ValueError):
    """The tag names a release that jhecfg does not support; `why` says what is wrong with it."""

    def __init__(self, tag: str, why: str) -> None:
        """Keep the reason beside the tag."""
        super().__init__(tag)
        self.why = why


def find_release(tag: str) -> Release:
    """Pick the facts for an image tag: `vX.Y.Z`, `X.Y.Z`, `X.Y.Z.devN-gSHA`, a short sha, `main`.

    A tag that is unknown, or newer than all, gets the newest facts with `known=False`. Raises TooOld before v0.0.10.
    """
    match = _VERSION.fullmatch(tag)
    if match is None:
        return _newest(known=tag == "main")
    number = (int(match[1]), int(match[2]), int(match[3]))
    for without, fault in _FAULTS:
        if number < _number(without):
            raise TooOld(tag, fault)
    if match[4] is None:
        for release in RELEASES[:-1]:
            if _number(release.version) == number:
                return release
    return _newest(known=False)


def is_moving_tag(tag: str) -> bool:
    """Say whether a tag can come to mean another image: anything but a version or a commit."""
    return _VERSION.fullmatch(tag) is None and _SHA.fullmatch(tag) is None


def _number(version: str) -> tuple[int, int, int]:
    major, minor, patch = version.removeprefix("v").split(".")
    return int(major), int(minor), int(patch)


def _newest(*, known: bool) -> Release:
    return RELEASES[-1] if known else RELEASES[-1]._replace(known=False)
