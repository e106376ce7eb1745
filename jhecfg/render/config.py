"""20-config: namespaces, accounts, the Exchange's environment, certificates of the database, references to secrets."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.objects import labels, metadata, secret_env
from jhecfg.site import ExternalSecrets, SecretItem, SecretNeed, Site

FOLDER = "manifests/20-config"
CA_FILE = "/etc/jhe/database-ca/ca.pem"


def config(site: Site) -> Iterator[Artifact]:
    """Render what everything else refers to."""
    yield Artifact(f"{FOLDER}/namespace.yaml", namespace(site, site.namespace))
    for hub in site.cluster_hubs:
        yield Artifact(f"{FOLDER}/namespace-{hub.name}.yaml", namespace(site, hub.namespace))
    yield Artifact(f"{FOLDER}/serviceaccount-exchange.yaml", service_account(site))
    yield Artifact(f"{FOLDER}/configmap-exchange.yaml", exchange_config(site))
    if site.database.ca is not None and site.database.ca.pem:
        yield Artifact(f"{FOLDER}/configmap-database-ca.yaml", database_ca(site))


def namespace(site: Site, name: str) -> Tree:
    """Return a Namespace that enforces the `restricted` Pod Security Standard; the hubs' pods meet it too."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": metadata(
            site,
            name,
            "namespace",
            extra_labels={
                "pod-security.kubernetes.io/enforce": "restricted",
                "pod-security.kubernetes.io/enforce-version": f"v{site.kubernetes}",
            },
        ),
    }


def service_account(site: Site) -> Tree:
    """Return the account of the site's pods; they never talk to the Kubernetes API."""
    return {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(site, "exchange", "exchange", namespace=site.namespace),
        "automountServiceAccountToken": False,
    }


def internal_host(site: Site) -> str:
    """Return the name by which pods of this cluster reach the Exchange."""
    return f"exchange.{site.namespace}.svc.cluster.local"


def environment(site: Site) -> dict[str, str]:
    """Return the Exchange's plain environment: what the renderer offers, as far as the release reads it."""
    db, ex = site.database, site.exchange
    offered = {
        "SITE_URL": ex.url,
        "ALLOWED_HOSTS": ",".join([site.domain, *([internal_host(site)] if ex.mcp else [])]),
        "TIME_ZONE": ex.time_zone,
        "DJANGO_LOG_LEVEL": ex.log_level,
        "DB_HOST": db.host,
        "DB_PORT": str(db.port),
        "DB_NAME": db.name,
        "DB_USER": db.user,
        **({"SMTP_HOST": ex.smtp.host, "SMTP_PORT": str(ex.smtp.port), "SMTP_USER": ex.smtp.user} if ex.smtp else {}),
        **({"OW_API_URL": ex.wearables.api_url} if ex.wearables else {}),
        **dict(ex.env),
    }
    return {
        **{name: value for name, value in offered.items() if name in site.release.env},
        # libpq reads these itself; JHE's settings have no TLS option (run on v0.0.6 … main).
        "PGSSLMODE": db.ssl_mode,
        **({"PGSSLROOTCERT": CA_FILE} if db.ca else {}),
        "PGCONNECT_TIMEOUT": "10",
        # The root file system is read-only; gunicorn and its control socket want a home.
        "HOME": "/tmp",  # noqa: S108 - a path in the container, an emptyDir
    }


def exchange_config(site: Site) -> Tree:
    """Return the ConfigMap with the Exchange's environment."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(site, "exchange", "exchange", namespace=site.namespace),
        "data": environment(site),
    }


def database_ca(site: Site) -> Tree:
    """Return the ConfigMap with the CA certificates of the database server."""
    assert site.database.ca is not None  # the caller checked
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(site, site.database.ca.config_map, "database-ca", namespace=site.namespace),
        "data": {"ca.pem": site.database.ca.pem},
    }


# --- what the pods of the Exchange share ------------------------------------------------------------------------------


def exchange_env(site: Site) -> list[Tree]:
    """Return the variables of every Exchange container: the ConfigMap's by name, then the secret ones."""
    ex = site.exchange
    offered = [
        ("DB_PASSWORD", site.database.password),
        ("SECRET_KEY", ex.secret_key),
        ("OIDC_RSA_PRIVATE_KEY", ex.oidc_key),
        *([("SMTP_PASSWORD", ex.smtp.password)] if ex.smtp else []),
        *([("OW_API_KEY", ex.wearables.api_key)] if ex.wearables else []),
    ]
    return [secret_env(name, ref) for name, ref in offered if name in site.release.env]


def exchange_volumes(site: Site) -> list[Tree]:
    """Return the volumes of every Exchange pod."""
    ca = site.database.ca
    return [
        {"name": "tmp", "emptyDir": {"sizeLimit": "256Mi"}},
        *([{"name": "database-ca", "configMap": {"name": ca.config_map}}] if ca else []),
    ]


def exchange_mounts(site: Site) -> list[Tree]:
    """Return where every Exchange container finds its volumes."""
    ca = site.database.ca
    return [
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the container, an emptyDir
        *([{"name": "database-ca", "mountPath": CA_FILE.rsplit("/", 1)[0], "readOnly": True}] if ca else []),
    ]


# --- references to secrets --------------------------------------------------------------------------------------------


def secrets(site: Site) -> Iterator[Artifact]:
    """Render the objects that bring the site's Secrets, where the backend has any."""
    if site.external_secrets is None:
        return
    for namespace_name in dict.fromkeys(need.namespace for need in site.secrets if not site.external_secrets.store):
        yield Artifact(
            f"{FOLDER}/secretstore-{namespace_name}.yaml",
            {
                "apiVersion": "external-secrets.io/v1",
                "kind": "SecretStore",
                "metadata": metadata(site, "aws", "secrets", namespace=namespace_name),
                # No auth block: the controller's own pod identity, restricted to this prefix in cluster.yml.
                "spec": {"provider": {"aws": {"service": "SecretsManager", "region": site.external_secrets.region}}},
            },
        )
    for need in site.secrets:
        if need.owned:
            yield Artifact(
                f"{FOLDER}/externalsecret-{need.namespace}-{need.name}.yaml",
                _external_secret(site, need, site.external_secrets),
            )


def _external_secret(site: Site, need: SecretNeed, source: ExternalSecrets) -> Tree:
    kind, store = ("ClusterSecretStore", source.store) if source.store else ("SecretStore", "aws")
    return {
        "apiVersion": "external-secrets.io/v1",
        "kind": "ExternalSecret",
        "metadata": metadata(site, need.name, "secrets", namespace=need.namespace),
        "spec": {
            "refreshInterval": "1h0m0s",
            "secretStoreRef": {"kind": kind, "name": store},
            "target": {
                "name": need.name,
                "creationPolicy": "Owner",
                "template": {"metadata": {"labels": labels(site, "secrets")}},
            },
            "data": [
                {"secretKey": item.key, "remoteRef": _remote(item, source.remote_name(need))} for item in need.items
            ],
        },
    }


def _remote(item: SecretItem, name: str) -> Tree:
    """Return where AWS Secrets Manager holds a value: in the Secret's own document, or where the spec says."""
    if item.remote is None:
        return {"key": name, "property": item.key}
    return {"key": item.remote.name, **({"property": item.remote.property} if item.remote.property else {})}
