"""The job that every tool does: one site, as 16 documents, of which 13 are objects: our own writing.

`DOCUMENTS` is the one description: plain trees in which `@name@` and the like stand for what differs between sites.
Every peer's input is generated from it (`inputs.py`), and every peer's output is compared with it (`expected`). It is
a subset, and simpler, of what jhecfg writes for a site of its own: some 40 files.
"""

from __future__ import annotations

import re
from typing import Any

Tree = dict[str, Any]
TOKEN = re.compile(r"@([a-z]+)@")


def values(number: int) -> dict[str, str]:
    """Return what is said of one site."""
    name = f"site{number:04d}"
    return {
        "name": name,
        "domain": f"{name}.example.org",
        "host": f"{name}.abc123.us-east-2.rds.amazonaws.com",
        "tag": "v0.0.13",
        "region": "us-east-2",
        "contact": "ops@example.org",
    }


def filled(tree: Any, said: dict[str, str]) -> Any:
    """Put the values of a site into a tree."""
    if isinstance(tree, str):
        return TOKEN.sub(lambda match: said[match[1]], tree)
    if isinstance(tree, dict):
        return {key: filled(value, said) for key, value in tree.items()}
    return [filled(value, said) for value in tree] if isinstance(tree, list) else tree


def expected(number: int) -> dict[str, Tree]:
    """Return the documents of one site, by file name."""
    return {name: filled(tree, values(number)) for name, tree in DOCUMENTS.items()}


_IMAGE = "ghcr.io/jupyterhealth/jupyterhealth-exchange:@tag@"
_SCRIPT = "import json\n\ntext = open('/etc/site.json').read()\nprint(json.loads(text))\n"


def _metadata(name: str, *, namespaced: bool = True) -> Tree:
    labels = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/instance": "@name@",
        "app.kubernetes.io/part-of": "jhe",
    }
    return {"name": name, **({"namespace": "@name@"} if namespaced else {}), "labels": labels}


def _object(api: str, kind: str, name: str, *, namespaced: bool = True, **body: Any) -> Tree:
    return {"apiVersion": api, "kind": kind, "metadata": _metadata(name, namespaced=namespaced), **body}


def _container(name: str, command: list[str]) -> Tree:
    return {
        "name": name,
        "image": _IMAGE,
        "command": command,
        "envFrom": [{"configMapRef": {"name": "exchange"}}],
        "env": [
            {"name": key, "valueFrom": {"secretKeyRef": {"name": "exchange", "key": key.lower()}}}
            for key in ("SECRET_KEY", "DB_PASSWORD", "OIDC_RSA_PRIVATE_KEY")
        ],
        "resources": {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }


def _pod(container: Tree, **more: Any) -> Tree:
    return {
        "metadata": {"labels": {"app.kubernetes.io/name": container["name"], "app.kubernetes.io/instance": "@name@"}},
        "spec": {
            "serviceAccountName": "exchange",
            "automountServiceAccountToken": False,
            "securityContext": {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}},
            **more,
            "containers": [container],
        },
    }


_SELECTOR = {"app.kubernetes.io/name": "exchange", "app.kubernetes.io/instance": "@name@"}
_PROBE = {"httpGet": {"path": "/health", "port": "http"}, "periodSeconds": 10, "failureThreshold": 3}

DOCUMENTS: dict[str, Tree] = {
    "cluster.yaml": {
        "apiVersion": "eksctl.io/v1alpha5",
        "kind": "ClusterConfig",
        "metadata": {"name": "@name@", "region": "@region@", "version": "1.33"},
        "iam": {"withOIDC": True},
        "managedNodeGroups": [
            {"name": name, "instanceType": kind, "desiredCapacity": 2, "minSize": 1, "maxSize": 5, "volumeSize": 50}
            for name, kind in (("core", "t3.medium"), ("user", "t3.large"))
        ],
    },
    "namespace.yaml": _object("v1", "Namespace", "@name@", namespaced=False),
    "serviceaccount.yaml": _object("v1", "ServiceAccount", "exchange"),
    "configmap.yaml": _object(
        "v1",
        "ConfigMap",
        "exchange",
        data={
            "DB_HOST": "@host@",
            "DB_PORT": "5432",
            "DB_NAME": "jhe",
            "SITE_URL": "https://@domain@",
            "SITE_TITLE": "Exchange of @name@",
            "DEBUG": "off",
            "VERSION": "1.30",
        },
    ),
    "migrate.yaml": _object(
        "batch/v1",
        "Job",
        "migrate",
        spec={
            "backoffLimit": 5,
            "template": _pod(_container("migrate", ["python", "manage.py", "migrate"]), restartPolicy="Never"),
        },
    ),
    "seed-config.yaml": _object(
        "v1", "ConfigMap", "seed", data={"seed.py": _SCRIPT, "site.json": '{"site": "@name@"}\n'}
    ),
    "seed.yaml": _object(
        "batch/v1",
        "Job",
        "seed",
        spec={
            "backoffLimit": 5,
            "template": _pod(_container("seed", ["python", "/etc/seed.py"]), restartPolicy="Never"),
        },
    ),
    "deployment.yaml": _object(
        "apps/v1",
        "Deployment",
        "exchange",
        spec={
            "replicas": 2,
            "selector": {"matchLabels": _SELECTOR},
            "template": _pod(
                {
                    **_container("exchange", ["gunicorn", "--bind", "0.0.0.0:8000", "jhe.wsgi"]),
                    "ports": [{"name": "http", "containerPort": 8000}],
                    "startupProbe": _PROBE,
                    "readinessProbe": _PROBE,
                    "livenessProbe": _PROBE,
                }
            ),
        },
    ),
    "service.yaml": _object(
        "v1",
        "Service",
        "exchange",
        spec={"selector": _SELECTOR, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
    ),
    "budget.yaml": _object(
        "policy/v1",
        "PodDisruptionBudget",
        "exchange",
        spec={"maxUnavailable": 1, "selector": {"matchLabels": _SELECTOR}},
    ),
    "policy.yaml": _object(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        "exchange",
        spec={
            "podSelector": {"matchLabels": _SELECTOR},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": 8000}]}],
        },
    ),
    "ingress.yaml": _object(
        "networking.k8s.io/v1",
        "Ingress",
        "exchange",
        spec={
            "ingressClassName": "nginx",
            "tls": [{"hosts": ["@domain@"], "secretName": "exchange-tls"}],
            "rules": [
                {
                    "host": "@domain@",
                    "http": {
                        "paths": [
                            {
                                "path": "/",
                                "pathType": "Prefix",
                                "backend": {"service": {"name": "exchange", "port": {"name": "http"}}},
                            }
                        ]
                    },
                }
            ],
        },
    ),
    "issuer.yaml": _object(
        "cert-manager.io/v1",
        "ClusterIssuer",
        "letsencrypt",
        namespaced=False,
        spec={
            "acme": {
                "email": "@contact@",
                "server": "https://acme-v02.api.letsencrypt.org/directory",
                "privateKeySecretRef": {"name": "letsencrypt"},
            }
        },
    ),
    "values-hub.yaml": {
        "hub": {
            "config": {
                "JupyterHub": {"authenticator_class": "generic-oauth"},
                "GenericOAuthenticator": {
                    "client_id": "@name@-hub",
                    "oauth_callback_url": "https://hub.@domain@/hub/oauth_callback",
                    "authorize_url": "https://@domain@/o/authorize/",
                    "token_url": "https://@domain@/o/token/",
                    "allowed_groups": ["20001"],
                },
            }
        },
        "singleuser": {"memory": {"limit": "2G", "guarantee": "1G"}},
        "ingress": {"enabled": True, "hosts": ["hub.@domain@"]},
    },
    "values-ingress.yaml": {
        "controller": {
            "replicaCount": 2,
            "service": {"annotations": {"example.org/site": "@name@"}},
            "config": {"hsts": "true"},
        }
    },
    "values-certificates.yaml": {"crds": {"enabled": True}, "replicaCount": 2, "global": {"logLevel": 2}},
}
"""Every document by its file name."""

OBJECTS = tuple(name for name, tree in DOCUMENTS.items() if "kind" in tree and name != "cluster.yaml")
"""The documents that a tool for Kubernetes objects alone (kustomize) can make."""
