"""Choices: what the words mean that a key may be, for editors; keys that are not here speak for themselves."""

from __future__ import annotations

CHOICES: dict[str, dict[str, str]] = {
    "environment": {
        "production": "Real people, real data: what is unsafe is refused.",
        "staging": "Like production, but tags may move and certificates may be for tests.",
        "demo": "For showing JHE: demonstration data and open access are allowed.",
    },
    "image.pullPolicy": {
        "IfNotPresent": "When the node does not have it yet.",
        "Always": "At each start of a pod.",
        "Never": "The node must have it.",
    },
    "exchange.demoData": {
        "none": "No demonstration data.",
        "basic": "JHE's own demonstration data.",
        "rich": "The same, and a cohort with glucose and ring data.",
    },
    "database.sslMode": {
        "disable": "Not encrypted.",
        "prefer": "Encrypted where the server can; nobody checks which server it is.",
        "require": "Encrypted; nobody checks which server it is.",
        "verify-ca": "Encrypted; the server's certificate is from a known authority.",
        "verify-full": "Encrypted; the certificate is from a known authority, and for this host.",
    },
    "hubs.deploy": {
        "cluster": "In this cluster: everything is rendered.",
        "external": "Elsewhere: only its values are rendered.",
    },
    "ingress.controller": {
        "envoy-gateway": "Envoy Gateway, by the Gateway API.",
        "ingress-nginx": "ingress-nginx, which is retired upstream.",
        "none": "Something else routes requests.",
    },
    "ingress.loadBalancer": {
        "in-tree": "The cloud provider inside Kubernetes.",
        "aws-load-balancer-controller": "The AWS Load Balancer Controller.",
        "auto-mode": "EKS Auto Mode.",
    },
    "ingress.dns": {
        "manual": "A person makes the records, as the runbook says.",
        "external-dns": "external-dns makes them.",
    },
    "secrets.backend": {
        "existing": "Somebody makes the Secrets in the cluster.",
        "external-secrets": "External Secrets brings them from AWS Secrets Manager.",
        "sealed-secrets": "Encrypted files beside the spec, for the Sealed Secrets controller.",
        "sops": "Encrypted files beside the spec, for Flux or for kubectl.",
    },
    "cluster.mode": {
        "managed-nodes": "Node groups of our own.",
        "auto-mode": "EKS Auto Mode makes nodes as they are needed.",
    },
    "cluster.nat": {
        "single": "One NAT gateway: cheaper, and its zone can take the others' way out with it.",
        "highly-available": "One NAT gateway in each zone.",
    },
    "cluster.nodeGroups.purpose": {
        "core": "The hubs and the Exchange.",
        "user": "Users' servers.",
    },
    "cluster.loadBalancer": {
        "in-tree": "The cloud provider inside Kubernetes.",
        "aws-load-balancer-controller": "The AWS Load Balancer Controller.",
    },
    "platform": {
        "own": "The site brings the charts that a cluster shares.",
        "existing": "Another site or team brings them.",
    },
    "gitops.engine": {
        "none": "kubectl, by the runbook.",
        "argocd": "Argo CD.",
        "flux": "Flux.",
    },
}
