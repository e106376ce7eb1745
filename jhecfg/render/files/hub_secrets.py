"""Secrets: all that the hub, its proxy and its services share comes from hub.existingSecret.

Runs in JupyterHub. The chart writes its own Secret from values that are in git; a placeholder
there must never become a live token.
"""

from z2jh import get_secret_value

PLACEHOLDER = "set-in-hub.existingSecret"


def existing_secret(key: str) -> str:
    """Return a key of hub.existingSecret; without it the hub does not start."""
    value: str = get_secret_value(key)
    if value in ("", PLACEHOLDER):
        raise SystemExit(f"FATAL: the Secret of hub.existingSecret has no key {key}")
    return value


for key in ("hub.config.JupyterHub.cookie_secret", "hub.config.CryptKeeper.keys"):
    existing_secret(key)  # the chart has read them already
for service in c.JupyterHub.services:
    if service.get("api_token") == PLACEHOLDER:
        existing_secret(f"hub.services.{service['name']}.apiToken")
c.ConfigurableHTTPProxy.auth_token = existing_secret("hub.config.ConfigurableHTTPProxy.auth_token")
