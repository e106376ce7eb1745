"""Token: a user's server gets the user's access token for the Exchange, as JHE_TOKEN. Runs in JupyterHub."""

from typing import Any


def jhe_environment(spawner: Any, auth_state: dict[str, Any] | None) -> None:
    """Set JHE_TOKEN. A user who never logged in (a server that an administrator starts) has none."""
    if not auth_state:
        spawner.log.warning("%s has not logged in: the server gets no JHE_TOKEN", spawner.user.name)
        return
    spawner.environment["JHE_TOKEN"] = auth_state["access_token"]


c.Spawner.auth_state_hook = jhe_environment
