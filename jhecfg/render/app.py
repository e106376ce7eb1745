"""50-app: the Exchange, its MCP server and its polling of wearables."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.config import (
    environment,
    exchange_env,
    exchange_mounts,
    exchange_volumes,
    internal_host,
)
from jhecfg.render.jobs import pull_secrets
from jhecfg.render.objects import (
    DIGEST_ANNOTATION,
    apart,
    container_security,
    digest,
    env,
    labels,
    metadata,
    pod_security,
    pull,
    resources,
    secret_env,
    selector,
)
from jhecfg.site import Mcp, Site, Wearables

FOLDER = "manifests/50-app"

# A pod that ends still gets requests until every edge has heard of it: it serves on for so long, then gunicorn has its
# own 30 seconds to finish what it has begun, which makes the 45 of the grace period.
_LINGER: Tree = {"lifecycle": {"preStop": {"sleep": {"seconds": 10}}}}

_ROLLING: Tree = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}


def app(site: Site) -> Iterator[Artifact]:
    """Render the Exchange and what runs beside it."""
    yield Artifact(f"{FOLDER}/deployment-exchange.yaml", exchange_deployment(site))
    yield Artifact(f"{FOLDER}/service-exchange.yaml", service(site, "exchange"))
    if site.exchange.replicas > 1:
        yield Artifact(f"{FOLDER}/poddisruptionbudget-exchange.yaml", disruption_budget(site, "exchange"))
    mcp = site.exchange.mcp
    if mcp:
        yield Artifact(f"{FOLDER}/deployment-mcp.yaml", mcp_deployment(site, mcp))
        yield Artifact(f"{FOLDER}/service-mcp.yaml", service(site, "mcp"))
    if site.exchange.wearables:
        yield Artifact(f"{FOLDER}/cronjob-ow-poll.yaml", wearables_cronjob(site, site.exchange.wearables))


def exchange_deployment(site: Site) -> Tree:
    """Return the Exchange's Deployment."""
    container = {
        "name": "exchange",
        **pull(site.image),
        "command": ["gunicorn", "--bind", ":8000", "--workers", str(site.exchange.workers), "jhe.wsgi"],
        "workingDir": "/code",
        "ports": [{"name": "http", "containerPort": 8000, "protocol": "TCP"}],
        "envFrom": [{"configMapRef": {"name": "exchange"}}],
        "env": exchange_env(site),
        **_exchange_probes(site),
        "resources": resources(**site.exchange.resources.tree()),
        "securityContext": container_security(),
        "volumeMounts": exchange_mounts(site),
    }
    ca = site.database.ca
    return _deployment(
        site,
        "exchange",
        site.exchange.replicas,
        container,
        volumes=exchange_volumes(site),
        strategy=_strategy(site),
        inputs=digest(environment(site), ca.pem if ca else ""),
        pod_labels={"jhecfg/database": "client"},
    )


def _strategy(site: Site) -> Tree:
    """Return how new pods take over: one by one, unless the older release's do harm on the schema of this one.

    Then every change of the pods is such a gap: which release runs now is not the compiler's to know.
    """
    return {"type": "Recreate"} if site.release.breaks_older else _ROLLING


def _exchange_probes(site: Site) -> Tree:
    """Return probes with the site's Host, since Django answers 400 to any other (run on v0.0.10 … main)."""
    host = [{"name": "Host", "value": site.domain}]
    alive = {"httpGet": {"path": "/health", "port": "http", "httpHeaders": host}, "timeoutSeconds": 5}
    ready = {"httpGet": {"path": "/", "port": "http", "httpHeaders": host}, "timeoutSeconds": 10}
    return {
        # 16 s to the first answer on a quarter of a core (measured); two minutes leave room.
        "startupProbe": {**alive, "periodSeconds": 5, "failureThreshold": 24},
        "livenessProbe": {**alive, "periodSeconds": 20, "failureThreshold": 3},
        "readinessProbe": {**ready, "periodSeconds": 10, "failureThreshold": 3},
    }


def mcp_deployment(site: Site, mcp: Mcp) -> Tree:
    """Return the MCP server's Deployment. It calls the Exchange inside the cluster; browsers use the public address."""
    inside = f"http://{internal_host(site)}"
    container = {
        "name": "mcp",
        **pull(mcp.image),
        "command": ["jhe-mcp-http"],
        "ports": [{"name": "http", "containerPort": 8401, "protocol": "TCP"}],
        "env": [
            env("JHE_BASE_URL", inside),
            env("JHE_AUTHORIZE_ENDPOINT", f"{site.exchange.url}/o/authorize/"),
            env("JHE_CLIENT_ID", mcp.client_id),
            secret_env("JHE_CLIENT_SECRET", mcp.client_secret),
            secret_env("MCP_BROKER_KEY", mcp.broker_key),
            env("MCP_HTTP_PORT", "8401"),
            env("MCP_RESOURCE_URL", mcp.url),
            env("MCP_REQUIRE_AUDIENCE", "true"),
            env("HOME", "/tmp"),  # noqa: S108 - a path in the container, an emptyDir
        ],
        **_mcp_probes(),
        "resources": resources(**mcp.resources.tree()),
        "securityContext": container_security(),
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - a path in the container
    }
    volumes = [{"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}}]
    return _deployment(site, "mcp", mcp.replicas, container, volumes=volumes, strategy=_ROLLING)


def _mcp_probes() -> Tree:
    probe = {"httpGet": {"path": "/health", "port": "http"}, "timeoutSeconds": 5}
    return {
        "startupProbe": {**probe, "periodSeconds": 5, "failureThreshold": 24},
        "livenessProbe": {**probe, "periodSeconds": 20, "failureThreshold": 3},
        "readinessProbe": {**probe, "periodSeconds": 10, "failureThreshold": 3},
    }


def wearables_cronjob(site: Site, wearables: Wearables) -> Tree:
    """Return the CronJob that polls Open Wearables."""
    container = {
        "name": "ow-poll",
        **pull(site.image),
        "command": ["python", "manage.py", "ow_poll"],
        "workingDir": "/code",
        "envFrom": [{"configMapRef": {"name": "exchange"}}],
        "env": exchange_env(site),
        "resources": resources({"cpu": "100m", "memory": "256Mi"}, {"memory": "512Mi"}),
        "securityContext": container_security(),
        "volumeMounts": exchange_mounts(site),
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": metadata(site, "ow-poll", "ow-poll", namespace=site.namespace),
        "spec": {
            "schedule": wearables.schedule,
            "timeZone": "Etc/UTC",
            # JHE holds a 30-minute lock in the database while it polls: a second run would only fail.
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 300,
            "successfulJobsHistoryLimit": 1,
            "failedJobsHistoryLimit": 3,
            "jobTemplate": {
                "spec": {
                    "backoffLimit": 0,
                    "activeDeadlineSeconds": 1800,
                    "template": {
                        "metadata": {"labels": {**labels(site, "ow-poll"), "jhecfg/database": "client"}},
                        "spec": {**_pod(site, container, exchange_volumes(site)), "restartPolicy": "Never"},
                    },
                }
            },
        },
    }


def service(site: Site, name: str) -> Tree:
    """Return the Service in front of a component; never a load balancer of its own."""
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": metadata(site, name, name, namespace=site.namespace),
        "spec": {
            "type": "ClusterIP",
            "selector": selector(site, name),
            "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
        },
    }


def disruption_budget(site: Site, name: str) -> Tree:
    """Return the budget that lets a node drain, one pod at a time; only rendered where there are two pods or more.

    Pods that do not work anyway never hold a drain up: without the policy, a site that is down keeps its nodes.
    """
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": metadata(site, name, name, namespace=site.namespace),
        "spec": {
            "maxUnavailable": 1,
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
            "selector": {"matchLabels": selector(site, name)},
        },
    }


def _deployment(
    site: Site,
    name: str,
    replicas: int,
    container: Tree,
    *,
    volumes: list[Tree],
    strategy: Tree,
    inputs: str = "",
    pod_labels: dict[str, str] | None = None,
) -> Tree:
    annotations = {"annotations": {DIGEST_ANNOTATION: inputs}} if inputs else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": metadata(site, name, name, namespace=site.namespace),
        "spec": {
            "replicas": replicas,
            "revisionHistoryLimit": 3,
            "strategy": strategy,
            "selector": {"matchLabels": selector(site, name)},
            "template": {
                "metadata": {"labels": {**labels(site, name), **(pod_labels or {})}, **annotations},
                "spec": {
                    **_pod(site, {**container, **_LINGER}, volumes),
                    "terminationGracePeriodSeconds": 45,
                    "topologySpreadConstraints": [apart(selector(site, name))],
                },
            },
        },
    }


def _pod(site: Site, container: Tree, volumes: list[Tree]) -> Tree:
    return {
        "serviceAccountName": "exchange",
        "automountServiceAccountToken": False,
        "securityContext": pod_security(),
        **pull_secrets(site),
        "containers": [container],
        "volumes": volumes,
    }
