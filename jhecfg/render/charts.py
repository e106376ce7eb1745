"""Helm values of the platform's charts, one file a chart, each pinned."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.releases import Chart
from jhecfg.render.edge import load_balancer
from jhecfg.render.objects import apart
from jhecfg.site import Site


def charts(site: Site) -> Iterator[Artifact]:
    """Render the values of every chart that the site needs."""
    for chart in site.charts:
        values = VALUES[chart.name](site)
        yield Artifact(f"helm/{release_name(chart)}.values.yaml", values, note=chart_note(chart))


def release_name(chart: Chart) -> str:
    """Return the Helm release's name."""
    return "envoy-gateway" if chart.name == "gateway-helm" else chart.name


def chart_note(chart: Chart) -> tuple[str, ...]:
    """Say in the file which chart these values are for."""
    return (f"Chart: {chart.name} {chart.version} from {chart.repository}, namespace {chart.namespace}.",)


def envoy_gateway(site: Site) -> Tree:
    """Return the values of Envoy Gateway's chart (gateway-helm 1.9)."""
    return {
        "deployment": {
            "replicas": 2,
            "envoyGateway": {
                "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}}
            },
        },
        # Not maxUnavailable: the chart's own `minAvailable: 0` stays beside it under Helm 3.18.0, and an API server
        # refuses a budget with both (gateway-helm 1.9, templates/envoy-gateway-poddisruptionbudget.yaml).
        "podDisruptionBudget": {"minAvailable": 1},
    }


def ingress_nginx(site: Site) -> Tree:
    """Return the values of ingress-nginx's chart (4.15.1, the last one)."""
    edge = site.edge
    # use-forwarded-headers stays off: an NLB sets none, so the client could write its own (ConfigMap docs).
    config = {
        "hsts": "true",
        "hsts-max-age": "31536000",
        "hsts-include-subdomains": "false",
        "ssl-redirect": "true",
        **({"use-proxy-protocol": "true", **_trusted(site)} if edge.proxy_protocol else {}),
    }
    return {
        "controller": {
            "replicaCount": 2,
            "minAvailable": 1,
            "allowSnippetAnnotations": False,
            "config": config,
            "ingressClassResource": {"name": edge.class_name, "default": False},
            "service": {"externalTrafficPolicy": "Local", **load_balancer(site)},
            "topologySpreadConstraints": [
                apart({"app.kubernetes.io/name": "ingress-nginx", "app.kubernetes.io/component": "controller"})
            ],
            "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "512Mi"}},
        }
    }


def _trusted(site: Site) -> Tree:
    """Believe the proxy protocol of the load balancer alone, where its network is known; nginx believes everybody."""
    return {"proxy-real-ip-cidr": site.cluster.vpc_cidr} if site.cluster is not None else {}


def cert_manager(site: Site) -> Tree:
    """Return the values of cert-manager's chart (1.21: `crds.enabled`; Gateway API support is a config file)."""
    gateway_api = {
        "config": {
            "apiVersion": "controller.config.cert-manager.io/v1alpha1",
            "kind": "ControllerConfiguration",
            "gatewayAPI": {"enabled": True},
        }
    }
    return {
        "crds": {"enabled": True, "keep": True},
        **(gateway_api if site.edge.controller == "envoy-gateway" else {}),
        "resources": {"requests": {"cpu": "25m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        "webhook": {
            "replicaCount": 2,
            "resources": {"requests": {"cpu": "25m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        },
        "cainjector": {
            "resources": {"requests": {"cpu": "25m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
        },
    }


def external_secrets(site: Site) -> Tree:
    """Return the values of External Secrets' chart (2.9)."""
    return {
        "installCRDs": True,
        "replicaCount": 2,
        "leaderElect": True,
        "serviceAccount": {"name": "external-secrets"},
        "resources": {"requests": {"cpu": "25m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    }


def external_dns(site: Site) -> Tree:
    """Return the values of external-dns's chart."""
    source = "gateway-httproute" if site.edge.controller == "envoy-gateway" else "ingress"
    return {
        "provider": {"name": "aws"},
        "sources": [source],
        "policy": "upsert-only",
        "registry": "txt",
        "txtOwnerId": site.cluster.name if site.cluster else site.name,
        "domainFilters": list(site.edge.dns_zones),
        "serviceAccount": {"name": "external-dns"},
        "resources": {"requests": {"cpu": "25m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }


def cluster_autoscaler(site: Site) -> Tree:
    """Return the values of the Cluster Autoscaler's chart; its image follows the cluster's minor version."""
    cluster = site.cluster
    assert cluster is not None  # the chart is only chosen with a cluster
    return {
        "autoDiscovery": {"clusterName": cluster.name},
        "awsRegion": cluster.region,
        "image": {"tag": f"v{cluster.version}.0"},
        "rbac": {"serviceAccount": {"name": "cluster-autoscaler"}},
        "extraArgs": {"balance-similar-node-groups": True, "expander": "least-waste"},
        "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
    }


def aws_load_balancer_controller(site: Site) -> Tree:
    """Return the values of the AWS Load Balancer Controller's chart."""
    cluster = site.cluster
    assert cluster is not None  # the chart is only chosen with a cluster
    return {
        "clusterName": cluster.name,
        "region": cluster.region,
        "serviceAccount": {"name": "aws-load-balancer-controller"},
        "replicaCount": 2,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}},
    }


def sealed_secrets(site: Site) -> Tree:
    """Return the values of Sealed Secrets' chart (2.18); the name is the one that `kubeseal` looks for."""
    return {
        "fullnameOverride": "sealed-secrets-controller",
        "podSecurityContext": {"enabled": True, "fsGroup": 65534, "seccompProfile": {"type": "RuntimeDefault"}},
        "resources": {"requests": {"cpu": "25m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
    }


VALUES: dict[str, Callable[[Site], Tree]] = {
    "gateway-helm": envoy_gateway,
    "ingress-nginx": ingress_nginx,
    "cert-manager": cert_manager,
    "external-secrets": external_secrets,
    "sealed-secrets": sealed_secrets,
    "cluster-autoscaler": cluster_autoscaler,
    "external-dns": external_dns,
    "aws-load-balancer-controller": aws_load_balancer_controller,
}
