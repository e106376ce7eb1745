"""Login: members of an allowed organization of the Exchange enter, and leave when they no longer are.

Runs in JupyterHub. A constant of jhecfg: what differs between hubs is in hub.config.GenericOAuthenticator and
hub.config.JheAuthenticator.
"""

from typing import Any

from oauthenticator.generic import GenericOAuthenticator
from tornado import web
from traitlets import Unicode


class JheAuthenticator(GenericOAuthenticator):
    """OAuth login through an Exchange: organizations become groups, and every refresh asks again who may stay."""

    organizations_url = Unicode(help="Where the Exchange lists the user's organizations.").tag(config=True)

    def user_info_to_username(self, user_info: dict[str, Any]) -> str:
        """Return the e-mail address. The Exchange tells none of a patient, who has no business here: 403, not 500."""
        if not user_info.get("email"):
            raise web.HTTPError(403, "Only practitioners of the JupyterHealth Exchange may use this hub.")
        name: str = super().user_info_to_username(user_info)
        return name

    async def build_auth_state_dict(self, token_info: dict[str, Any], user_info: dict[str, Any]) -> dict[str, Any]:
        """Add the ids of the user's organizations, as text, as JupyterHub's groups are: 20001 is not "20001"."""
        state: dict[str, Any] = super().build_auth_state_dict(token_info, user_info)
        organizations = await self.httpfetch(
            self.organizations_url,
            "Fetching the user's organizations",
            method="GET",
            headers=self.build_userdata_request_headers(token_info["access_token"], token_info["token_type"]),
            validate_cert=self.validate_server_cert,
        )
        return {**state, "organizations": [str(organization["id"]) for organization in organizations]}

    async def refresh_user(self, user: Any, handler: Any = None, **kwargs: Any) -> Any:
        """Refresh, then ask again whether the user is allowed: JupyterHub itself asks only at login."""
        model = await super().refresh_user(user, handler, **kwargs)
        if not isinstance(model, dict):
            return model
        if model["name"] != user.name:
            self.log.warning("User %s has another name in the Exchange now; a new login is needed", user.name)
            return False
        if not self.check_blocked_users(user.name, model) or not await self.check_allowed(user.name, model):
            self.log.warning("User %s is no longer allowed; the session ends", user.name)
            return False
        return model


c.JupyterHub.authenticator_class = JheAuthenticator
