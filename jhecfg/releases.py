"""Releases: what each JHE release reads, runs and needs, and the versions of the charts beside it. Data, no decisions.

Read from jupyterhealth/jupyterhealth-exchange at each tag (settings.py, core/services/jhe_settings.py, core/models) and
run, 2026-11: what a renderer offers is filtered by what the release at hand reads.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

SettingType = Literal["string", "int", "bool", "float", "json"]
Feature = Literal["mcp", "wearables", "jhe-client", "wearables-settings"]


class Release(NamedTuple):
    """Facts about one JHE release.

    `env`: the names that it reads from the environment and uses. `settings`: the JheSetting rows that it reads, with
    their types. `breaks_older`: an app of the release before fails on this release's schema, so users see errors
    between the migrate Job and the new pods.
    """

    version: str
    date: str
    env: frozenset[str]
    settings: dict[str, SettingType]
    features: frozenset[Feature]
    breaks_older: bool
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
    "site.time_zone": "string",
    "auth.default_orgs": "string",
    "auth.sso.saml2": "int",
    "auth.sso.valid_domains": "string",
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
    "auth.sof.trusted_issuers": "json",
    "auth.sof.trusted_audience": "string",
    "ow.api_url": "string",
    "ow.api_key": "string",
}

RELEASES: tuple[Release, ...] = (
    Release(
        version="v0.0.10",
        date="2026-05-04",
        env=_OW_ENV,
        settings=_SETTINGS_10,
        features=frozenset(),
        breaks_older=False,
    ),
    Release(
        version="v0.0.11",
        date="2026-05-12",
        env=_OW_ENV,
        settings=_SETTINGS_11,
        features=frozenset(),
        breaks_older=False,
    ),
    Release(
        version="v0.0.12",
        date="2026-06-16",
        env=_OW_ENV,
        settings=_SETTINGS_12,
        features=frozenset({"mcp", "wearables", "jhe-client"}),
        breaks_older=True,
    ),
    Release(
        version="v0.0.13",
        date="2026-06-24",
        env=_OW_ENV,
        settings=_SETTINGS_13,
        features=frozenset({"mcp", "wearables", "jhe-client"}),
        breaks_older=True,
    ),
    Release(
        version="main",
        date="2026-08-21",
        env=_ENV,
        settings=_SETTINGS_MAIN,
        features=frozenset({"mcp", "wearables", "jhe-client", "wearables-settings"}),
        breaks_older=True,
    ),
)

OLDEST = RELEASES[0].version

# Names that some release read once and none of the supported ones does, with what took their place.
GONE: dict[str, str] = {
    "SITE_TITLE": "exchange.title (a JheSetting since v0.0.9)",
    "REGISTRATION_INVITE_CODE": "exchange.inviteCode (a JheSetting since v0.0.9)",
    "PRACTITIONER_DEFAULT_ORGS": 'exchange.settings["auth.default_orgs"] (a JheSetting since v0.0.9)',
    "OIDC_CLIENT_ID": "nothing: the bootstrap Job registers the application (since v0.0.8)",
    "OIDC_CLIENT_AUTHORITY_PATH": "nothing: a constant since v0.0.8",
    "OIDC_CLIENT_REDIRECT_URI_PATH": "nothing: a constant since v0.0.8",
    "PATIENT_AUTHORIZATION_CODE_CHALLENGE": "nothing: no static PKCE pair since v0.0.8",
    "PATIENT_AUTHORIZATION_CODE_VERIFIER": "nothing: no static PKCE pair since v0.0.8",
    "CH_INVITATION_LINK_PREFIX": "the client's invitation URL, in JHE itself (since v0.0.10)",
    "CH_INVITATION_LINK_EXCLUDE_HOST": "the client's invitation URL, in JHE itself (since v0.0.10)",
    "SSO_ENABLED": 'exchange.settings["auth.sso.saml2"] (a JheSetting since v0.0.9)',
    "SAML2_ENABLED": 'exchange.settings["auth.sso.saml2"] (a JheSetting since v0.0.9)',
    "SSO_VALID_DOMAINS": 'exchange.settings["auth.sso.valid_domains"] (a JheSetting since v0.0.9)',
    "IDENTITY_PROVIDER_METADATA_URL": 'exchange.settings["auth.sso.idp_metadata_url"] (a JheSetting since v0.0.9)',
    "OW_API_URL": "exchange.wearables.apiUrl (a JheSetting on main)",
    "OW_API_KEY": "exchange.wearables (a JheSetting on main)",
    "TRUSTED_TOKEN_IDP": 'exchange.settings["auth.sof.trusted_issuers"] (a JheSetting on main)',
    "DATABASE_USER_SECRET_NAME": "database.user",
    "DATABASE_PASSWORD_SECRET_NAME": "database.passwordFrom",
}

# Written by the compiler itself, or by JHE at run time: a spec may not set them by hand.
MANAGED_ENV: dict[str, str] = {
    "SITE_URL": "domain",
    "ALLOWED_HOSTS": "domain",
    "DB_HOST": "database.host",
    "DB_PORT": "database.port",
    "DB_NAME": "database.name",
    "DB_USER": "database.user",
    "DB_PASSWORD": "database.passwordFrom",
    "SECRET_KEY": "secrets",
    "OIDC_RSA_PRIVATE_KEY": "secrets",
    "DJANGO_LOG_LEVEL": "exchange.logLevel",
    "TIME_ZONE": "exchange.timeZone",
    "SMTP_HOST": "exchange.smtp.host",
    "SMTP_PORT": "exchange.smtp.port",
    "SMTP_USER": "exchange.smtp.user",
    "SMTP_PASSWORD": "exchange.smtp.passwordFrom",
    "OW_API_URL": "exchange.wearables.apiUrl",
    "OW_API_KEY": "exchange.wearables",
    "OW_S3_ACCESS_KEY": "secrets",
    "OW_S3_SECRET_KEY": "secrets",
    "DEBUG": "nothing: any text, even False, turns Django's debug pages on",
}
MANAGED_SETTINGS: dict[str, str] = {
    "site.url": "domain",
    "site.ui.title": "exchange.title",
    "site.registration_invite_code": "exchange.inviteCode",
    "site.time_zone": "exchange.timeZone",
    "module.ow": "exchange.wearables",
    "ow.api_url": "exchange.wearables.apiUrl",
    "ow.api_key": "exchange.wearables",
    "ow.s3.access_key_id": "secrets",
    "ow.s3.secret_access_key": "secrets",
    "ow.sync_in_progress": "nothing: JHE locks its polling with it",
}

_VERSION = re.compile(r"v?(\d{1,4})\.(\d{1,4})\.(\d{1,4})(\.dev\d{1,6}-g[0-9a-f]{7,12})?")
_SHA = re.compile(r"[0-9a-f]{7,12}|[0-9a-f]{40}")


class TooOld(ValueError):
    """The tag names a release that jhecfg does not support."""


def find_release(tag: str) -> Release:
    """Pick the facts for an image tag: `vX.Y.Z`, `X.Y.Z`, `X.Y.Z.devN-gSHA`, a short sha, `main`.

    A tag that is unknown, or newer than all, gets the newest facts with `known=False`. Raises TooOld before v0.0.10.
    """
    match = _VERSION.fullmatch(tag)
    if match is None:
        return _newest(known=tag == "main")
    number = (int(match[1]), int(match[2]), int(match[3]))
    if number < _number(OLDEST):
        raise TooOld(tag)
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


class Chart(NamedTuple):
    """A Helm chart that a site needs: where it comes from, which version, into which namespace.

    `kubernetes` is the oldest and newest minor version that its makers test or its `kubeVersion` takes.
    """

    name: str
    repository: str
    version: str
    namespace: str
    kubernetes: tuple[str, str]

    @property
    def reference(self) -> str:
        """What `helm install` takes: an oci:// address, or the chart's name (with --repo)."""
        return f"{self.repository}/{self.name}" if self.repository.startswith("oci://") else self.name


# Versions as of 2026-11-23, sources in facts: Envoy Gateway's release matrix, cert-manager's supported releases,
# kubernetes/ingress-nginx README (retired; last release 2026-03-19, Kubernetes <= 1.35).
CHARTS: dict[str, Chart] = {
    chart.name: chart
    for chart in (
        Chart(
            name="gateway-helm",
            repository="oci://docker.io/envoyproxy",
            version="1.9.0",
            namespace="envoy-gateway-system",
            kubernetes=("1.33", "1.36"),
        ),
        Chart(
            name="ingress-nginx",
            repository="https://kubernetes.github.io/ingress-nginx",
            version="4.15.1",
            namespace="ingress-nginx",
            kubernetes=("1.31", "1.35"),
        ),
        Chart(
            name="cert-manager",
            repository="oci://quay.io/jetstack/charts",
            version="v1.21.1",  # its OCI tags carry the v, and are matched literally
            namespace="cert-manager",
            kubernetes=("1.33", "1.36"),
        ),
        Chart(
            name="external-secrets",
            repository="oci://ghcr.io/external-secrets/charts",
            version="2.9.0",
            namespace="external-secrets",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="cluster-autoscaler",
            repository="https://kubernetes.github.io/autoscaler",
            version="9.59.0",
            namespace="kube-system",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="external-dns",
            repository="https://kubernetes-sigs.github.io/external-dns/",
            version="1.21.1",
            namespace="external-dns",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="aws-load-balancer-controller",
            repository="https://aws.github.io/eks-charts",
            version="3.5.0",
            namespace="kube-system",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="jupyterhub",
            repository="https://hub.jupyter.org/helm-chart/",
            version="4.4.0",
            namespace="",
            kubernetes=("1.28", "1.36"),
        ),
    )
}

# EKS versions and the day their standard support ends (AWS EKS user guide; endoflife.date, 2026-08-22).
EKS_VERSIONS_ON = "2026-11-23"
"""The day on which this table was right; versions are judged on it, never on the clock."""
EKS_VERSIONS: dict[str, str] = {
    "1.31": "2025-11-26",
    "1.32": "2026-03-23",
    "1.33": "2026-07-29",
    "1.34": "2026-12-02",
    "1.35": "2027-03-27",
    "1.36": "2027-08-02",
}
NEWEST_KUBERNETES = "1.36"
