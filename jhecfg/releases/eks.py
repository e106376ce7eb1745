"""The Kubernetes versions that EKS offers, and how long."""

from __future__ import annotations

# EKS versions and the day their standard support ends (AWS EKS user guide; endoflife.date, 2026-08-22).
EKS_VERSIONS_ON = "2026-11-23"
"""The day on which this table was right; versions are judged on it, never on the clock."""
EKS_VERSIONS: dict[str, str] = {
    "1.31": "2025-11-26",
    "1.32": "2026-03-23",
    "1.33": "2026-07-29",
    "1.34": "2026-12-02",
    "1.35": "2027-03-27",
    "1.36": "2027-08-02",
}
NEWEST_KUBERNETES = "1.36"

NODE_ADDONS = ("vpc-cni", "coredns", "kube-proxy", "eks-pod-identity-agent", "aws-ebs-csi-driver")
"""The EKS add-ons that every cluster with nodes of its own needs. Auto Mode runs them itself, outside the nodes."""

BUILT_INTO_AUTO_MODE = (*NODE_ADDONS, "eks-node-monitoring-agent")
"""What Auto Mode brings; eksctl refuses the first three beside it."""
