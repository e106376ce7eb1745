"""Secrets: every one that the site needs, by namespace, name and key; never a value."""

from __future__ import annotations

from jhecfg.site import Database, Exchange, Hub, SecretItem, SecretKey, SecretNeed
from jhecfg.spec import SiteSpec
from jhecfg.spec.base import SecretRefSpec


def secret_key_of(ref: SecretRefSpec | None, name: str, key: str) -> SecretKey:
    """Return the spec's own reference, or else the site's."""
    return SecretKey(name=ref.name, key=ref.key) if ref else SecretKey(name=name, key=key)


_URL_SAFE = "python3 -c 'import secrets; print(secrets.token_urlsafe(48), end=\"\")'"
_CODE = "python3 -c 'import secrets; print(secrets.token_urlsafe(16), end=\"\")'"
_HEX = "openssl rand -hex 32 | tr -d '\\n'"
_RSA = "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:4096"
_GIVEN = ""

_Entry = tuple[SecretKey, str, str]


def secrets_of(spec: SiteSpec, ex: Exchange, db: Database, hubs: tuple[Hub, ...]) -> tuple[SecretNeed, ...]:
    """List every Secret the site needs, by namespace and name, each key once."""
    entries: list[_Entry] = [
        (ex.secret_key, "Django SECRET_KEY: signs sessions", _URL_SAFE),
        (ex.oidc_key, "RSA key that signs the Exchange's tokens", _RSA),
        # With an RDS instance of our own the application's user is ours too, and so is its password.
        (db.password, f"password of the database user {db.user}", _URL_SAFE if db.rds else _GIVEN),
        (ex.admin_password, f"password of the first superuser, {ex.admin_email}", _CODE),
        (ex.invite_code, "code that self-registration asks for", _CODE),
    ]
    if ex.smtp:
        entries.append((ex.smtp.password, f"password of {ex.smtp.user} at {ex.smtp.host}", _GIVEN))
    if ex.mcp:
        entries.append((ex.mcp.client_secret, "OAuth client secret of the MCP server", _URL_SAFE))
        entries.append((ex.mcp.broker_key, "key that seals the MCP server's tokens", _URL_SAFE))
    if ex.wearables:
        entries.append((ex.wearables.api_key, "API key of the Open Wearables server", _GIVEN))
    own = {"jhe-exchange", "jhe-database", "jhe-bootstrap", "jhe-smtp", "jhe-mcp", "jhe-wearables"}
    exchange = _needs(spec.namespace, entries, own)
    return (*exchange, *(_hub_secrets(hub) for hub in hubs if not hub.external))


def _needs(namespace: str, entries: list[_Entry], own: set[str]) -> tuple[SecretNeed, ...]:
    names = dict.fromkeys(ref.name for ref, _, _ in entries)
    return tuple(
        SecretNeed(
            namespace=namespace,
            name=name,
            owned=name in own,
            items=tuple(
                SecretItem(key=ref.key, purpose=purpose, recipe=recipe)
                for ref, purpose, recipe in entries
                if ref.name == name
            ),
        )
        for name in names
    )


def _hub_secrets(hub: Hub) -> SecretNeed:
    # The keys are the chart's own (zero-to-jupyterhub 4.4.0, hub.existingSecret), exact to the letter.
    return SecretNeed(
        namespace=hub.namespace,
        name="hub-secrets",
        items=(
            SecretItem(key="hub.config.JupyterHub.cookie_secret", purpose="signs the hub's cookies", recipe=_HEX),
            SecretItem(key="hub.config.CryptKeeper.keys", purpose="encrypts users' tokens at rest", recipe=_HEX),
            SecretItem(
                key="hub.config.ConfigurableHTTPProxy.auth_token", purpose="lets the hub steer its proxy", recipe=_HEX
            ),
        ),
    )
