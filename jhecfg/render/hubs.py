"""Hubs: the values of each JupyterHub, complete, for the chart version beside them; and a page for hubs elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from jhecfg.artifact import Artifact, Tree
from jhecfg.site import Edge, Hub, Image, Site, Smart

EXISTING = "hub-secrets"
# The chart takes it for the value; hub_secrets.py and the chart's own reading of hub.existingSecret never let it live.
PLACEHOLDER = "set-in-hub.existingSecret"
COOKIE_DAYS = 1
REFRESH_SECONDS = 300
MAX_AGE_SECONDS = 86_400
HSTS = "max-age=31536000"

COOKIE_KEY = "hub.config.JupyterHub.cookie_secret"
CRYPT_KEY = "hub.config.CryptKeeper.keys"
PROXY_KEY = "hub.config.ConfigurableHTTPProxy.auth_token"

# The chart (4.4.0) reads the proxy's token from its own Secret alone, which holds what is in these values. Naming the
# variable again is refused by server-side apply, so Node takes it from another one before the proxy starts, or ends.
PROXY_ENV = "JHECFG_PROXY_TOKEN"
PROXY_IMPORT = (
    f"--import=data:text/javascript,process.env.CONFIGPROXY_AUTH_TOKEN=process.env.{PROXY_ENV}||process.exit(78)"
)

# JupyterHub runs them in the order of their names.
EXTRA_CONFIG = {
    "10-jhe-login.py": "hub_login.py",
    "20-jhe-token.py": "hub_token.py",
    "30-jhe-secrets.py": "hub_secrets.py",
}


def hubs(site: Site) -> Iterator[Artifact]:
    """Render values and chart of every hub, and what to do with them where the hub runs elsewhere."""
    for hub in site.hubs:
        folder = f"hubs/{hub.name}"
        yield Artifact(f"{folder}/values.yaml", values(site, hub), values_note(hub))
        yield Artifact(f"{folder}/chart.yaml", chart(hub))
        if hub.external:
            yield Artifact(f"{folder}/README.md", readme(site, hub))


def chart(hub: Hub) -> Tree:
    """Return which chart the values are for, and where it goes."""
    return {
        "name": hub.chart.name,
        "repository": hub.chart.repository,
        "version": hub.chart.version,
        "release": hub.name,
        "namespace": hub.namespace,
    }


def command(hub: Hub) -> str:
    """Return the Helm command that installs or upgrades the hub."""
    repository = "" if hub.chart.repository.startswith("oci://") else f" --repo {hub.chart.repository}"
    return (
        f"helm upgrade --install {hub.name} {hub.chart.reference}{repository} --version {hub.chart.version}"
        f" --namespace {hub.namespace} --values hubs/{hub.name}/values.yaml"
    )


def values_note(hub: Hub) -> tuple[str, ...]:
    """Return what a reader of the values should know."""
    return (
        f"Zero to JupyterHub {hub.chart.version}, release '{hub.name}' in namespace '{hub.namespace}':",
        f"  {command(hub)}",
        f"Nothing here is secret. The Secret '{EXISTING}' holds {COOKIE_KEY},",
        f"{CRYPT_KEY} and {PROXY_KEY}; without them neither hub nor proxy starts.",
        f"After a change of '{EXISTING}':",
        f"  kubectl --namespace {hub.namespace} rollout restart deployment/proxy deployment/hub",
        "Users' servers reach public addresses only. Where the Exchange's name leads to a private one, add that",
        "network to singleuser.networkPolicy.egress (the spec's hubs[].values).",
    )


def values(site: Site, hub: Hub) -> Tree:
    """Return the hub's chart values: ours, then the spec's own on top."""
    return _with_service_tokens(merged(_values(site, hub), hub.values))


def _values(site: Site, hub: Hub) -> Tree:
    return {
        "hub": _hub(site, hub),
        "proxy": _proxy(),
        **({} if hub.external else _edge(site.edge, hub)),
        "singleuser": _singleuser(site, hub),
        **({} if hub.external else {"scheduling": _scheduling(site)}),
        "prePuller": {
            # Its hooks would run at each sync of Argo CD (zero-to-jupyterhub-k8s issue 1621).
            "hook": {"enabled": False},
            "resources": _resources("10m", "16Mi", "64Mi"),
        },
        "cull": {"enabled": True, "timeout": 3600, "every": 600, "maxAge": MAX_AGE_SECONDS},
    }


def merged(base: Tree, over: Tree) -> Tree:
    """Return `base` changed by `over`: maps merge, everything else replaces, null removes. Neither is changed."""
    result = dict(base)
    for key, value in over.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            below = result.get(key)
            result[key] = merged(below if isinstance(below, dict) else {}, value)
        else:
            result[key] = value
    return result


def _with_service_tokens(tree: Tree) -> Tree:
    """Give services without a token the placeholder: else the chart draws a new one at every rendering."""
    hub = tree.get("hub")
    services = hub.get("services") if isinstance(hub, dict) else None
    if not isinstance(hub, dict) or not isinstance(services, dict):
        return tree
    named = {
        name: {"apiToken": PLACEHOLDER, **service} if isinstance(service, dict) else service
        for name, service in services.items()
    }
    return {**tree, "hub": {**hub, "services": named}}


# --- the hub ---------------------------------------------------------------------------------------------------------


def _hub(site: Site, hub: Hub) -> Tree:
    storage_class = {"storageClassName": hub.storage_class} if hub.storage_class is not None else {}
    return {
        "existingSecret": EXISTING,
        "config": {
            "JupyterHub": {
                "admin_access": False,
                # 10-jhe-login.py puts a stricter one in its place; the chart's own default lets anybody in.
                "authenticator_class": "generic-oauth",
                "cookie_max_age_days": COOKIE_DAYS,
                "cookie_secret": PLACEHOLDER,
                "tornado_settings": {"slow_spawn_timeout": 0, "headers": {"Strict-Transport-Security": HSTS}},
            },
            "CryptKeeper": {"keys": [PLACEHOLDER]},
            "GenericOAuthenticator": _authenticator(site, hub),
            "JheAuthenticator": {"organizations_url": f"{site.exchange.url}/api/v1/users/organizations"},
            "KubeSpawner": {
                "container_security_context": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "runAsNonRoot": True,
                    "seccompProfile": {"type": "RuntimeDefault"},
                },
            },
        },
        "extraConfig": {name: _file(file) for name, file in EXTRA_CONFIG.items()},
        "db": {"type": "sqlite-pvc", "pvc": {"storage": "1Gi", **storage_class}},
        "resources": _resources("200m", "512Mi", "1Gi"),
    }


def _authenticator(site: Site, hub: Hub) -> Tree:
    exchange = site.exchange
    return {
        "client_id": hub.client_id,
        "authorize_url": f"{exchange.url}/o/authorize/",
        "token_url": f"{exchange.url}/o/token/",
        "userdata_url": f"{exchange.url}/api/v1/users/profile",
        "oauth_callback_url": hub.callback_url,
        "username_claim": "email",
        "login_service": exchange.title,
        "scope": ["openid"],
        "enable_auth_state": True,
        "auth_refresh_age": REFRESH_SECONDS,
        "manage_groups": True,
        "auth_state_groups_key": "organizations",
        **_access(hub),
        **({"admin_groups": _groups(hub.admin_group_ids)} if hub.admin_group_ids else {}),
        **({"admin_users": list(hub.admin_users)} if hub.admin_users else {}),
    }


def _access(hub: Hub) -> Tree:
    """Return the one rule by which people enter; JupyterHub would let in whoever meets any of several."""
    if hub.access.mode == "orgs":
        return {"allowed_groups": _groups(hub.access.group_ids)}
    if hub.access.mode == "users":
        return {"allowed_users": list(hub.access.users)}
    return {"allow_all": True}


def _groups(ids: tuple[int, ...]) -> list[str]:
    return [str(number) for number in ids]


@cache
def _file(name: str) -> str:
    return (Path(__file__).parent / "files" / name).read_text(encoding="utf-8")


def _resources(cpu: str, memory: str, limit: str) -> Tree:
    return {"requests": {"cpu": cpu, "memory": memory}, "limits": {"memory": limit}}


# --- what is around it -----------------------------------------------------------------------------------------------


def _proxy() -> Tree:
    token = {"valueFrom": {"secretKeyRef": {"name": EXISTING, "key": PROXY_KEY}}}
    return {
        "secretToken": PLACEHOLDER,
        "service": {"type": "ClusterIP"},
        "chp": {
            "extraEnv": {PROXY_ENV: token, "NODE_OPTIONS": PROXY_IMPORT},
            "resources": _resources("100m", "128Mi", "512Mi"),
        },
    }


def _edge(edge: Edge, hub: Hub) -> Tree:
    if edge.controller == "envoy-gateway":
        return {"httpRoute": {"enabled": True, "hostnames": [hub.domain], "gateway": edge.parent(hub.name)}}
    if edge.controller == "ingress-nginx":
        return {"ingress": _ingress(edge, hub)}
    return {}


def _ingress(edge: Edge, hub: Hub) -> Tree:
    issuer = {"cert-manager.io/cluster-issuer": edge.issuer} if edge.issuer is not None else {}
    nginx = "nginx.ingress.kubernetes.io/"
    return {
        "enabled": True,
        "ingressClassName": edge.class_name,
        "annotations": {
            **issuer,
            f"{nginx}force-ssl-redirect": "true",
            # nginx writes 64m where Kubernetes writes 64Mi.
            f"{nginx}proxy-body-size": edge.max_body_size[:-1].lower(),
        },
        "hosts": [hub.domain],
        "tls": [{"hosts": [hub.domain], "secretName": hub.tls_secret}],
    }


def _singleuser(site: Site, hub: Hub) -> Tree:
    storage_class = {"dynamic": {"storageClass": hub.storage_class}} if hub.storage_class is not None else {}
    environment = {"JHE_URL": site.exchange.url, **dict(hub.env)}
    return {
        **({"image": _image(hub.image)} if hub.image is not None else {}),
        "memory": {"guarantee": hub.memory_guarantee, "limit": hub.memory_limit},
        "cpu": {"guarantee": hub.cpu_guarantee, "limit": hub.cpu_limit},
        "storage": {"capacity": f"{hub.capacity_gib}Gi", **storage_class},
        "extraEnv": {name: _literal(value) for name, value in environment.items()},
        **({"extraFiles": {"smart": _smart(hub.smart)}} if hub.smart is not None else {}),
        # A privileged container in each user's pod, which Pod Security refuses; NetworkPolicy does the same.
        **({} if hub.external else {"cloudMetadata": {"blockWithIptables": False}}),
        "networkPolicy": {
            "enabled": True,
            "egressAllowRules": {"cloudMetadataServer": False, "nonPrivateIPs": True, "privateIPs": False},
        },
    }


def _image(image: Image) -> Tree:
    """Return name and tag, with the digest: the chart writes `name:tag`, and `name:tag@sha256:…` is a reference too."""
    return {"name": image.repository, "tag": image.reference.removeprefix(f"{image.repository}:")}


def _literal(value: str) -> str:
    """Escape what KubeSpawner (str.format) and Kubernetes (`$(NAME)`) would expand in a server's environment."""
    return value.replace("{", "{{").replace("}", "}}").replace("$(", "$$(")


def _smart(smart: Smart) -> Tree:
    """Return the settings of jupyter-smart-on-fhir (0.2.1, SMARTExtensionApp's traits), as a file in each server."""
    return {
        "mountPath": smart.config_file,
        "data": {
            "SMARTExtensionApp": {
                **({"client_id": smart.client_id} if smart.client_id is not None else {}),
                "redirect_uri": smart.redirect_uri,
                "scopes": list(smart.scopes),
            },
        },
    }


def _scheduling(site: Site) -> Tree:
    purposes = {group.purpose for group in site.cluster.node_groups} if site.cluster is not None else set()
    return {
        "corePods": {"nodeAffinity": {"matchNodePurpose": "require" if "core" in purposes else "prefer"}},
        "userPods": {"nodeAffinity": {"matchNodePurpose": "require" if "user" in purposes else "prefer"}},
        "userScheduler": {"resources": _resources("20m", "128Mi", "512Mi")},
    }


# --- hubs elsewhere --------------------------------------------------------------------------------------------------


def readme(site: Site, hub: Hub) -> str:
    """Return one page for the people who run the hub: what to make, install and check."""
    made = "<(openssl rand -hex 32 | tr -d '\\n')"
    keys = " \\\n".join(f"     --from-file={key}={made}" for key in (COOKIE_KEY, CRYPT_KEY, PROXY_KEY))
    return _file("hub_readme.md").format(
        title=site.exchange.title,
        hub=hub.name,
        url=hub.url,
        exchange=site.exchange.url,
        client=hub.client_id,
        callback=hub.callback_url,
        version=hub.chart.version,
        repository=hub.chart.repository,
        namespace=hub.namespace,
        secret=EXISTING,
        keys=keys,
        command=command(hub),
        entry=_entry(hub),
    )


def _entry(hub: Hub) -> str:
    if hub.access.mode == "orgs":
        ids = ", ".join(f"`{number}`" for number in hub.access.group_ids)
        return f"Direct members of the Exchange's organizations {ids} may log in"
    if hub.access.mode == "users":
        return "The users listed under `allowed_users` may log in"
    return "Every practitioner of the Exchange may log in"
