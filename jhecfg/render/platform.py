"""10-platform: what is shared by the cluster: classes of gateways and disks, the issuer of certificates."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact, Tree
from jhecfg.render.objects import metadata
from jhecfg.site import Site

FOLDER = "manifests/10-platform"


def platform(site: Site) -> Iterator[Artifact]:
    """Render the cluster-wide objects. Their names carry the site's, so that two sites can share a cluster."""
    if site.edge.controller == "envoy-gateway" and site.edge.own_class:
        yield Artifact(f"{FOLDER}/gatewayclass.yaml", gateway_class(site))
    if site.edge.acme_server is not None:
        yield Artifact(f"{FOLDER}/clusterissuer.yaml", cluster_issuer(site, site.edge.acme_server))
    if site.cluster is not None:
        yield Artifact(f"{FOLDER}/storageclass-{site.cluster.storage_class}.yaml", storage_class(site))
        if site.cluster.auto_mode:
            yield Artifact(f"{FOLDER}/configmap-amazon-vpc-cni.yaml", auto_mode_network(site))


def gateway_class(site: Site) -> Tree:
    """Return the GatewayClass; Envoy Gateway's chart renders none."""
    return {
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "GatewayClass",
        "metadata": metadata(site, site.edge.class_name, "edge"),
        "spec": {"controllerName": "gateway.envoyproxy.io/gatewayclass-controller"},
    }


def cluster_issuer(site: Site, server: str) -> Tree:
    """Return the ACME issuer, with an HTTP-01 solver for the edge at hand."""
    name = site.edge.issuer or ""
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": "ClusterIssuer",
        "metadata": metadata(site, name, "edge"),
        "spec": {
            "acme": {
                "server": server,
                "email": site.edge.acme_email,
                "privateKeySecretRef": {"name": name},
                "solvers": [_solver(site)],
            }
        },
    }


def _solver(site: Site) -> Tree:
    if site.edge.controller == "ingress-nginx":
        solver: Tree = {"ingress": {"ingressClassName": site.edge.class_name, "serviceType": "ClusterIP"}}
    else:
        gateway = {
            "kind": "Gateway",
            "name": site.edge.gateway,
            "namespace": site.edge.namespace,
            "sectionName": "http",
        }
        solver = {"gatewayHTTPRoute": {"serviceType": "ClusterIP", "parentRefs": [gateway]}}
    # No `waitInsteadOfSelfCheck`: cert-manager's own check is what holds a challenge back until DNS leads here.
    return {"http01": solver}


def auto_mode_network(site: Site) -> Tree:
    """Return what makes EKS Auto Mode enforce network policies: without it they are accepted, and mean nothing.

    The cluster has one, of this name (AWS EKS user guide, "Use Network Policies with EKS Auto Mode"); the built-in
    NodeClass takes part by default. With managed nodes the vpc-cni add-on's values say the same.
    """
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": metadata(site, "amazon-vpc-cni", "network", namespace="kube-system"),
        "data": {"enable-network-policy-controller": "true"},
    }


def storage_class(site: Site) -> Tree:
    """Return the encrypted gp3 class; EKS marks none as default, and the add-on's own is not encrypted."""
    assert site.cluster is not None  # the caller checked
    provisioner = "ebs.csi.eks.amazonaws.com" if site.cluster.auto_mode else "ebs.csi.aws.com"
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": metadata(
            site,
            site.cluster.storage_class,
            "storage",
            annotations={"storageclass.kubernetes.io/is-default-class": "true"},
        ),
        "provisioner": provisioner,
        "parameters": {"type": "gp3", "encrypted": "true"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
