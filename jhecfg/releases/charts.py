"""The Helm charts that a site needs: where each comes from, which version, for which Kubernetes."""

from __future__ import annotations

from typing import NamedTuple


class Chart(NamedTuple):
    """A Helm chart that a site needs: where it comes from, which version, into which namespace.

    `kubernetes` is the oldest and newest minor version that its makers test or its `kubeVersion` takes.
    """

    name: str
    repository: str
    version: str
    namespace: str
    kubernetes: tuple[str, str]

    @property
    def reference(self) -> str:
        """What `helm install` takes: an oci:// address, or the chart's name (with --repo)."""
        return f"{self.repository}/{self.name}" if self.repository.startswith("oci://") else self.name


# Versions as of 2026-11-23, sources in facts: Envoy Gateway's release matrix, cert-manager's supported releases,
# kubernetes/ingress-nginx README (retired; last release 2026-03-19, Kubernetes <= 1.35).
CHARTS: dict[str, Chart] = {
    chart.name: chart
    for chart in (
        Chart(
            name="gateway-helm",
            repository="oci://docker.io/envoyproxy",
            version="1.9.0",
            namespace="envoy-gateway-system",
            kubernetes=("1.33", "1.36"),
        ),
        Chart(
            name="ingress-nginx",
            repository="https://kubernetes.github.io/ingress-nginx",
            version="4.15.1",
            namespace="ingress-nginx",
            kubernetes=("1.31", "1.35"),
        ),
        Chart(
            name="cert-manager",
            repository="oci://quay.io/jetstack/charts",
            version="v1.21.1",  # its OCI tags carry the v, and are matched literally
            namespace="cert-manager",
            kubernetes=("1.33", "1.36"),
        ),
        Chart(
            name="external-secrets",
            repository="oci://ghcr.io/external-secrets/charts",
            version="2.9.0",
            namespace="external-secrets",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="sealed-secrets",  # its appVersion is 0.36.6
            repository="https://bitnami-labs.github.io/sealed-secrets",
            version="2.18.5",
            namespace="kube-system",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="cluster-autoscaler",
            repository="https://kubernetes.github.io/autoscaler",
            version="9.59.0",
            namespace="kube-system",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="external-dns",
            repository="https://kubernetes-sigs.github.io/external-dns/",
            version="1.21.1",
            namespace="external-dns",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="aws-load-balancer-controller",
            repository="https://aws.github.io/eks-charts",
            version="3.5.0",
            namespace="kube-system",
            kubernetes=("1.31", "1.36"),
        ),
        Chart(
            name="jupyterhub",
            repository="https://hub.jupyter.org/helm-chart/",
            version="4.4.0",
            namespace="",
            kubernetes=("1.28", "1.36"),
        ),
    )
}
