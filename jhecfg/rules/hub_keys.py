"""Hub keys: what the Zero to JupyterHub chart knows, and what the compiler guarantees in a hub's values. Data."""

from __future__ import annotations

from functools import cache

from jhecfg.diagnostics import Loc

# Keys of the chart, two levels, with the types they take (zero-to-jupyterhub-k8s 4.4.0, values.schema.yaml; null is
# left out, since in `values` it removes a key). `any` is what the schema leaves open.
TYPES: dict[str, tuple[type, ...]] = {
    "map": (dict,),
    "list": (list,),
    "text": (str,),
    "int": (int,),
    "bool": (bool,),
    "any": (object,),
    "env": (dict, list),
    "cmd": (str, list),
}
WORDS = {"map": "a mapping", "list": "a list", "text": "text", "int": "a whole number", "bool": "true or false"}
WORDS |= {"env": "a mapping", "cmd": "text or a list"}
_KEYS = {
    "enabled": "bool",
    "fullnameOverride": "text",
    "nameOverride": "text",
    "imagePullSecrets": "list",
    "custom": "map",
    "global": "map",
    "debug": "enabled:bool",
    "rbac": "create:bool enabled:bool",
    "imagePullSecret": (
        "automaticReferenceInjection:bool create:bool email:text password:text registry:text username:text"
    ),
    "hub": (
        "activeServerLimit:int allowNamedServers:bool annotations:map args:list authenticatePrometheus:bool"
        " baseUrl:text command:list concurrentSpawnLimit:int config:map consecutiveFailureLimit:int"
        " containerSecurityContext:map cookieSecret:text db:map deploymentStrategy:map existingSecret:text"
        " extraConfig:map extraContainers:list extraEnv:env extraFiles:map extraPodSpec:map extraVolumeMounts:list"
        " extraVolumes:list fsGid:int image:map initContainers:list labels:map lifecycle:map livenessProbe:map"
        " loadRoles:map namedServerLimitPerUser:int networkPolicy:map nodeSelector:map pdb:map podSecurityContext:any"
        " readinessProbe:map redirectToServer:bool resources:map revisionHistoryLimit:int service:map"
        " serviceAccount:map services:map shutdownOnLogout:bool templatePaths:list templateVars:map tolerations:list"
    ),
    "proxy": (
        "annotations:map chp:map deploymentStrategy:map https:map labels:map secretSync:map secretToken:text"
        " service:map traefik:map"
    ),
    "singleuser": (
        "allowPrivilegeEscalation:bool cloudMetadata:map cmd:cmd cpu:map defaultUrl:text events:bool"
        " extraAnnotations:map extraContainers:list extraEnv:env extraFiles:map extraLabels:map extraNodeAffinity:map"
        " extraPodAffinity:map extraPodAntiAffinity:map extraPodConfig:map extraResource:map extraTolerations:list"
        " fsGid:int image:map initContainers:list lifecycleHooks:map memory:map networkPolicy:map networkTools:map"
        " nodeSelector:map podNameTemplate:text profileList:list serviceAccountName:text startTimeout:int storage:map"
        " uid:int"
    ),
    "scheduling": "corePods:map podPriority:map userPlaceholder:map userPods:map userScheduler:map",
    "ingress": (
        "annotations:map enabled:bool extraPaths:list hosts:list ingressClassName:text pathSuffix:text pathType:text"
        " tls:list"
    ),
    "httpRoute": "annotations:map enabled:bool gateway:map hostnames:list",
    "prePuller": (
        "annotations:map containerSecurityContext:map continuous:map extraImages:map extraTolerations:list hook:map"
        " labels:map pause:map pullProfileListImages:bool resources:map revisionHistoryLimit:int"
    ),
    "cull": (
        "adminUsers:bool concurrency:int enabled:bool every:int maxAge:int removeNamedServers:bool timeout:int"
        " users:bool"
    ),
}


@cache
def chart_keys() -> dict[str, dict[str, str] | str]:
    """Return the chart's top-level keys, each with its type, or with the keys below it and theirs."""
    return {
        key: dict(pair.split(":") for pair in below.split()) if ":" in below else below for key, below in _KEYS.items()
    }


# What the compiler guarantees of a login, wherever in hub.config a class would take it, and what to write instead.
_SPEC_ACCESS = "set hubs[].access"
_SPEC_ADMINS = "set hubs[].admins"
_FIXED = "leave it out: the Exchange needs it as it is"
_AUTHENTICATOR: dict[str, str] = {
    **dict.fromkeys(
        ("allow_all", "allow_existing_users", "allowed_groups", "allowed_scopes", "allowed_users", "any_allow_config"),
        _SPEC_ACCESS,
    ),
    **dict.fromkeys(("admin_groups", "admin_users"), _SPEC_ADMINS),
    "client_id": "set hubs[].clientId",
    "client_secret": "leave it out: the Exchange's application for a hub is public and has none",
    **dict.fromkeys(
        (
            "auth_refresh_age", "auth_state_groups_key", "authorize_url", "basic_auth", "claim_groups_key",
            "enable_auth_state", "enable_pkce", "manage_groups", "manage_roles", "modify_auth_state_hook",
            "oauth_callback_url", "organizations_url", "refresh_pre_spawn", "refresh_user_hook", "scope", "token_url",
            "userdata_from_id_token", "userdata_url", "username_claim", "username_key", "validate_server_cert",
        ),
        _FIXED,
    ),
}  # fmt: skip
_AUTHENTICATORS = ("Authenticator", "OAuthenticator", "GenericOAuthenticator", "JheAuthenticator")

_SECRETS = "keep it in the Secret hub-secrets"
_KEEP = "leave it out"
GUARDED: dict[Loc, str] = {
    **{
        ("hub", "config", section, trait): hint for section in _AUTHENTICATORS for trait, hint in _AUTHENTICATOR.items()
    },
    ("hub", "config", "JupyterHub", "admin_access"): "leave it out: administrators must not read users' tokens",
    ("hub", "config", "JupyterHub", "authenticator_class"): _FIXED,
    ("hub", "config", "JupyterHub", "cookie_max_age_days"): "leave it out: a session lasts one day",
    ("hub", "config", "JupyterHub", "cookie_secret"): _SECRETS,
    ("hub", "config", "JupyterHub", "proxy_auth_token"): _SECRETS,
    ("hub", "config", "JupyterHub", "tornado_settings"): "leave it out: it holds Strict-Transport-Security",
    ("hub", "config", "ConfigurableHTTPProxy", "auth_token"): _SECRETS,
    ("hub", "config", "CryptKeeper", "keys"): _SECRETS,
    ("hub", "config", "KubeSpawner", "container_security_context"): _KEEP,
    ("hub", "config", "KubeSpawner", "environment"): "set hubs[].env",
    ("hub", "config", "Spawner", "environment"): "set hubs[].env",
    ("hub", "config", "Spawner", "auth_state_hook"): _KEEP,
    ("hub", "extraConfig", "10-jhe-login.py"): "use another name: that one is jhecfg's",
    ("hub", "extraConfig", "20-jhe-token.py"): "use another name: that one is jhecfg's",
    ("hub", "extraConfig", "30-jhe-secrets.py"): "use another name: that one is jhecfg's",
    ("hub", "existingSecret"): "add keys to the Secret hub-secrets",
    ("hub", "cookieSecret"): _SECRETS,
    ("hub", "args"): "leave it out: it replaces all that the chart gives the hub",
    ("hub", "command"): "leave it out: it replaces all that the chart gives the hub",
    ("hub", "db", "password"): _SECRETS,
    ("hub", "networkPolicy", "enabled"): _KEEP,
    **{("hub", "extraEnv", name): _SECRETS for name in ("CONFIGPROXY_AUTH_TOKEN", "JUPYTERHUB_CRYPT_KEY")},
    **{("hub", "extraEnv", name): _FIXED for name in ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_CALLBACK_URL")},
    ("proxy", "secretToken"): _SECRETS,
    ("proxy", "service", "type"): "leave it out: people reach the hub through the edge, by TLS",
    ("proxy", "chp", "networkPolicy", "enabled"): _KEEP,
    **{
        ("proxy", "chp", "extraEnv", name): "leave it out: the proxy's token comes by it"
        for name in ("CONFIGPROXY_AUTH_TOKEN", "JHECFG_PROXY_TOKEN", "NODE_OPTIONS")
    },
    ("prePuller", "hook", "enabled"): "leave it out: the hook runs at every sync",
    ("singleuser", "allowPrivilegeEscalation"): _KEEP,
    ("singleuser", "extraEnv", "JHE_TOKEN"): _FIXED,
    ("singleuser", "extraEnv", "JHE_URL"): _FIXED,
    ("singleuser", "image", "name"): "set hubs[].image",
    ("singleuser", "image", "tag"): "set hubs[].image",
    ("singleuser", "networkPolicy", "enabled"): _KEEP,
    ("singleuser", "networkPolicy", "egressAllowRules", "cloudMetadataServer"): _KEEP,
    ("cull", "enabled"): "leave it out: it ends servers whose users may no longer be allowed",
}
# A hub elsewhere has an edge of its own.
GUARDED_IN_CLUSTER: dict[Loc, str] = {
    ("ingress", "hosts"): "set hubs[].domain",
    ("ingress", "tls"): "set hubs[].domain",
    ("httpRoute", "hostnames"): "set hubs[].domain",
    ("httpRoute", "gateway"): "set hubs[].domain",
}
GUARDED_IN_CODE: dict[str, str] = {
    **_AUTHENTICATOR,
    **{str(path[-1]): hint for path, hint in GUARDED.items() if path[:3] == ("hub", "config", "JupyterHub")},
    **dict.fromkeys(("auth_state_hook", "auth_token", "tornado_settings"), _KEEP),
}
