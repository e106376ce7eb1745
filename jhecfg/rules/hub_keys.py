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
AUTHENTICATORS = ("Authenticator", "OAuthenticator", "GenericOAuthenticator", "JheAuthenticator")
# What is left to a hub in those classes: words, pages, and people who are kept out.
FREE_OF_LOGIN = frozenset(
    ("auto_login", "blocked_users", "custom_403_message", "custom_html", "login_service", "logout_redirect_url")
)
# Classes above all others: what they set, every class that does not say otherwise takes (traitlets, Configurable).
_ABOVE = ("Application", "Configurable", "LoggingConfigurable", "SingletonConfigurable")
# What a spawner's settings could take from a user's pod, or give it.
SPAWNER: dict[str, str] = {
    "environment": "set hubs[].env",
    **dict.fromkeys(
        (
            "allow_privilege_escalation", "auth_state_hook", "automount_service_account_token",
            "container_security_context", "extra_container_config", "extra_pod_config", "modify_pod_hook",
            "oauth_client_allowed_scopes", "pod_security_context", "pre_spawn_hook", "privileged",
            "server_token_scopes", "service_account",
        ),
        "leave it out: a user's pod has no more than it needs",
    ),
}  # fmt: skip

_SECRETS = "keep it in the Secret hub-secrets"
_KEEP = "leave it out"
GUARDED: dict[Loc, str] = {
    **{("hub", "config", section, trait): hint for section in AUTHENTICATORS for trait, hint in _AUTHENTICATOR.items()},
    ("hub", "config", "JupyterHub", "admin_access"): "leave it out: administrators must not read users' tokens",
    ("hub", "config", "JupyterHub", "authenticator_class"): _FIXED,
    ("hub", "config", "JupyterHub", "cookie_max_age_days"): "leave it out: a session lasts one day",
    ("hub", "config", "JupyterHub", "cookie_secret"): _SECRETS,
    ("hub", "config", "JupyterHub", "proxy_auth_token"): _SECRETS,
    ("hub", "config", "JupyterHub", "tornado_settings"): "leave it out: it holds Strict-Transport-Security",
    ("hub", "config", "ConfigurableHTTPProxy", "auth_token"): _SECRETS,
    ("hub", "config", "CryptKeeper", "keys"): _SECRETS,
    **{
        ("hub", "config", "JupyterHub", trait): "leave it out: it gives rights, or runs code, beside the spec"
        for trait in (
            "admin_users",
            "api_tokens",
            "custom_scopes",
            "load_groups",
            "load_roles",
            "proxy_class",
            "service_tokens",
            "services",
            "spawner_class",
        )
    },
    ("hub", "config", "JupyterHub", "oauth_token_expires_in"): "leave it out: a session lasts one day",
    **{
        ("hub", "config", section, trait): hint
        for section in ("KubeSpawner", "Spawner")
        for trait, hint in SPAWNER.items()
    },
    **{("hub", "config", section): "set it at the class itself" for section in _ABOVE},
    ("hub", "extraConfig", "10-jhe-login.py"): "use another name: that one is jhecfg's",
    ("hub", "extraConfig", "20-jhe-token.py"): "use another name: that one is jhecfg's",
    ("hub", "extraConfig", "30-jhe-secrets.py"): "use another name: that one is jhecfg's",
    ("hub", "existingSecret"): "add keys to the Secret hub-secrets",
    ("hub", "cookieSecret"): _SECRETS,
    ("hub", "args"): "leave it out: it replaces all that the chart gives the hub",
    ("hub", "command"): "leave it out: it replaces all that the chart gives the hub",
    ("hub", "db", "password"): _SECRETS,
    **{
        (*component, "networkPolicy", key): _KEEP
        for component in (("hub",), ("proxy", "chp"), ("singleuser",))
        for key in ("enabled", "ingress", "allowedIngressPorts", "interNamespaceAccessLabels")
    },
    **{
        ("hub", key): "leave it out: what runs beside the hub, or in it, reads its secrets"
        for key in (
            "extraContainers",
            "extraFiles",
            "extraPodSpec",
            "extraVolumeMounts",
            "image",
            "initContainers",
            "lifecycle",
        )
    },
    ("hub", "containerSecurityContext"): _KEEP,
    ("hub", "podSecurityContext"): _KEEP,
    ("hub", "loadRoles"): "leave it out: roles give people each other's servers, and the tokens in them",
    ("hub", "service", "type"): "leave it out: people reach the hub through the edge, by TLS",
    **{
        ("hub", "services", "*", key): "leave it out: a service of the hub gets no rights or programs beside the spec"
        for key in ("admin", "command", "environment", "oauth_client_allowed_scopes")
    },
    **{("hub", "extraEnv", name): _SECRETS for name in ("CONFIGPROXY_AUTH_TOKEN", "JUPYTERHUB_CRYPT_KEY")},
    **{("hub", "extraEnv", name): _FIXED for name in ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "OAUTH_CALLBACK_URL")},
    ("proxy", "secretToken"): _SECRETS,
    ("proxy", "service", "type"): "leave it out: people reach the hub through the edge, by TLS",
    ("proxy", "chp", "containerSecurityContext"): _KEEP,
    ("proxy", "chp", "extraCommandLineFlags"): _KEEP,
    ("proxy", "chp", "image"): _KEEP,
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
    ("singleuser", "extraPodConfig"): _KEEP,
    ("singleuser", "serviceAccountName"): "leave it out: users' servers have no access to the cluster",
    ("singleuser", "networkPolicy", "egressAllowRules", "cloudMetadataServer"): _KEEP,
    (
        "singleuser",
        "networkPolicy",
        "egressAllowRules",
        "privateIPs",
    ): "name the network in singleuser.networkPolicy.egress",
    ("cull", "enabled"): "leave it out: it ends servers whose users may no longer be allowed",
}
# A hub elsewhere has an edge of its own.
GUARDED_IN_CLUSTER: dict[Loc, str] = {
    ("ingress", "enabled"): "set ingress.controller",
    ("ingress", "annotations", "nginx.ingress.kubernetes.io/force-ssl-redirect"): _KEEP,
    ("ingress", "annotations", "nginx.ingress.kubernetes.io/ssl-redirect"): _KEEP,
    ("httpRoute", "enabled"): "set ingress.controller",
    ("singleuser", "cloudMetadata"): "leave it out: the NetworkPolicy does it, without a privileged container",
    ("ingress", "hosts"): "set hubs[].domain",
    ("ingress", "tls"): "set hubs[].domain",
    ("httpRoute", "hostnames"): "set hubs[].domain",
    ("httpRoute", "gateway"): "set hubs[].domain",
}
