"""Names that a spec may not set: what is gone, and what the compiler writes itself."""

from __future__ import annotations

from typing import NamedTuple


class Gone(NamedTuple):
    """A name that no longer does anything: the first release for which that is so, and what took its place.

    `instead` is a field of the spec, or `nothing: ` and the reason.
    """

    since: str
    instead: str


_SSO = 'exchange.settings["auth.sso.saml2"]'

# Environment variables that some release read and used, and a later one does not.
GONE: dict[str, Gone] = {
    "SITE_TITLE": Gone("v0.0.9", "exchange.title"),
    "REGISTRATION_INVITE_CODE": Gone("v0.0.9", "exchange.inviteCode"),
    "PRACTITIONER_DEFAULT_ORGS": Gone("v0.0.9", 'exchange.settings["auth.default_orgs"]'),
    "OIDC_CLIENT_ID": Gone("v0.0.8", "nothing: the bootstrap Job registers the application"),
    "OIDC_CLIENT_AUTHORITY_PATH": Gone("v0.0.8", "nothing: it is always /o/"),
    "OIDC_CLIENT_REDIRECT_URI_PATH": Gone("v0.0.8", "nothing: it is always /auth/callback"),
    "PATIENT_AUTHORIZATION_CODE_CHALLENGE": Gone("v0.0.8", "nothing: every client makes its own PKCE pair"),
    "PATIENT_AUTHORIZATION_CODE_VERIFIER": Gone("v0.0.8", "nothing: every client makes its own PKCE pair"),
    "CH_INVITATION_LINK_PREFIX": Gone("v0.0.9", "nothing: each client has its invitation URL, in JHE itself"),
    "CH_INVITATION_LINK_EXCLUDE_HOST": Gone("v0.0.9", "nothing: each client has its invitation URL, in JHE itself"),
    "SSO_ENABLED": Gone("v0.0.7", _SSO),
    "SAML2_ENABLED": Gone("v0.0.9", _SSO),
    "SSO_VALID_DOMAINS": Gone("v0.0.7", "nothing: main alone judges domains, by a setting"),
    "IDENTITY_PROVIDER_METADATA_URL": Gone("v0.0.9", 'exchange.settings["auth.sso.idp_metadata_url"]'),
    "OW_API_URL": Gone("main", "exchange.wearables.apiUrl"),
    "OW_API_KEY": Gone("main", "exchange.wearables"),
    "TRUSTED_TOKEN_IDP": Gone("main", 'exchange.settings["auth.sof.trusted_issuers"]'),
    "DATABASE_USER_SECRET_NAME": Gone("v0.0.1", "database.user"),
    "DATABASE_PASSWORD_SECRET_NAME": Gone("v0.0.1", "database.passwordFrom"),
}
# The same of JheSettings, which exist since v0.0.9; JHE's seed writes the first one, and nothing reads it.
GONE_SETTINGS: dict[str, Gone] = {
    "site.time_zone": Gone("v0.0.9", "exchange.timeZone"),
    "auth.sso.idp_metadata_url": Gone("main", "nothing: the identity provider is written down in Django's admin"),
    "trusted_token_idp": Gone("main", 'exchange.settings["auth.sof.trusted_issuers"]'),
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
    "module.ow": "exchange.wearables",
    "ow.api_url": "exchange.wearables.apiUrl",
    "ow.api_key": "exchange.wearables",
    "ow.s3.access_key_id": "secrets",
    "ow.s3.secret_access_key": "secrets",
    "ow.sync_in_progress": "nothing: JHE locks its polling with it",
}
