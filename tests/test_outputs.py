"""Outputs as a platform engineer reads them: what an API server refuses, what enforces nothing, what falls over at once."""

from __future__ import annotations

import pytest

from tests.compiled import ARGOCD, FLUX, MCP, NGINX, Tree, compiled

AUTO_MODE: Tree = {"cluster__mode": "auto-mode", "cluster__nodeGroups": []}
SWITCH = "manifests/10-platform/configmap-amazon-vpc-cni.yaml"


def test_envoy_gateways_budget_says_the_one_thing_that_the_chart_says_too() -> None:
    """The chart's own minAvailable 0 beside a maxUnavailable is refused (rendered with Helm 3.18.0)."""
    budget = compiled().tree("helm/envoy-gateway.values.yaml")["podDisruptionBudget"]
    assert budget == {"minAvailable": 1}


def test_auto_mode_enforces_network_policies() -> None:
    """EKS Auto Mode takes NetworkPolicies and ignores them, until a ConfigMap of the cluster says otherwise."""
    tree = compiled(AUTO_MODE).tree(SWITCH)
    assert (tree["metadata"]["name"], tree["metadata"]["namespace"]) == ("amazon-vpc-cni", "kube-system")
    assert tree["data"] == {"enable-network-policy-controller": "true"}
    assert SWITCH not in compiled().files


def test_dns_is_open_where_it_answers_on_the_node() -> None:
    """Auto Mode and NodeLocal DNSCache have no pod of kube-system behind the address that pods ask."""
    spec = compiled().tree("manifests/20-config/networkpolicy-exchange.yaml")["spec"]
    [dns] = [rule for rule in spec["egress"] if {"protocol": "UDP", "port": 53} in rule["ports"]]
    cidrs = {peer["ipBlock"]["cidr"] for peer in dns["to"] if "ipBlock" in peer}
    assert {"10.0.0.0/8", "172.16.0.0/12", "169.254.20.10/32"} <= cidrs
    assert "0.0.0.0/0" not in cidrs


def test_the_pods_of_the_edge_keep_apart() -> None:
    """With externalTrafficPolicy Local, two proxies on one node are an edge that goes down with it."""
    kubernetes = compiled().tree("manifests/60-routes/envoyproxy.yaml")["spec"]["provider"]["kubernetes"]
    [envoy] = kubernetes["envoyDeployment"]["pod"]["topologySpreadConstraints"]
    assert envoy["labelSelector"]["matchLabels"]["gateway.envoyproxy.io/owning-gateway-name"] == "jhe-example"
    controller = compiled(NGINX).tree("helm/ingress-nginx.values.yaml")["controller"]
    assert [each["topologyKey"] for each in controller["topologySpreadConstraints"]] == ["kubernetes.io/hostname"]


@pytest.mark.parametrize("name", ["exchange", "mcp"])
def test_a_pod_that_ends_serves_until_the_edge_knows(name: str) -> None:
    """It goes on for ten seconds, and has room for gunicorn's own thirty: a rollout drops no request."""
    pod = compiled(MCP).tree(f"manifests/50-app/deployment-{name}.yaml")["spec"]["template"]["spec"]
    assert pod["containers"][0]["lifecycle"] == {"preStop": {"sleep": {"seconds": 10}}}
    assert pod["terminationGracePeriodSeconds"] >= 10 + 30


def test_an_in_tree_load_balancer_stays_public_where_another_controller_takes_it() -> None:
    """The AWS Load Balancer Controller takes every new Service, and makes internal ones unless told."""
    tree = compiled({"ingress": {"loadBalancer": "in-tree"}}).tree("manifests/60-routes/envoyproxy.yaml")
    annotations = tree["spec"]["provider"]["kubernetes"]["envoyService"]["annotations"]
    assert annotations["service.beta.kubernetes.io/aws-load-balancer-scheme"] == "internet-facing"


@pytest.mark.parametrize("engine", [{}, ARGOCD, FLUX], ids=["kubectl", "argocd", "flux"])
def test_a_second_site_in_a_cluster_brings_no_charts(engine: Tree) -> None:
    """Two releases of one chart would fight; the second site keeps its own classes, issuer and Gateway."""
    files = compiled({"platform": "existing", **engine}).files
    assert [path for path in files if path.startswith("helm/") or "helmrelease" in path or "cert-manager" in path] == []
    assert {"manifests/10-platform/gatewayclass.yaml", "manifests/10-platform/clusterissuer.yaml"} <= files.keys()


def test_the_page_of_a_second_site_looks_for_the_charts_first() -> None:
    """berkeley-staging shares the cluster of berkeley-demo, which brings Envoy Gateway and cert-manager."""
    page = compiled(site="berkeley-staging").files["RUNBOOK.md"]
    assert "kubectl get crd envoyproxies.gateway.envoyproxy.io\nkubectl get crd clusterissuers.cert-manager.io" in page
    assert "helm upgrade" not in page
