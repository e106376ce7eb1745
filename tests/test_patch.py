"""Patches: they may add and adjust; what the compiler guarantees they change only with a reason, or not at all."""

from __future__ import annotations

from typing import Any

import pytest

from jhecfg.emit import dump
from jhecfg.patch.guards import OF_KIND
from jhecfg.pipeline import compile_source
from jhecfg.schemas import kinds
from jhecfg.source import load
from tests.compiled import ARGOCD, FLUX, IN_CLUSTER, MCP, NGINX, PATH, Tree, changed, compiled

EXTERNAL: Tree = {"secrets": {"backend": "external-secrets"}}


def patched(kind: str, name: str, patch: Any, namespace: str = "", **changes: Any) -> set[str]:
    """Compile the example with a patch; return the codes of its errors."""
    target = {"kind": kind, "name": name, **({"namespace": namespace} if namespace else {})}
    return compiled({**changes, "patches": [{"target": target, "patch": patch}]}).codes()


def container(**fields: Any) -> list[Tree]:
    """Return operations that set fields of the first container of a Deployment or a Job."""
    place = "/spec/template/spec/containers/0"
    return [{"op": "add", "path": f"{place}/{field}", "value": value} for field, value in fields.items()]


OPEN: Tree = {"spec": {"policyTypes": ["Ingress"], "ingress": [{}]}}
SIDECAR = [
    {"op": "add", "path": "/spec/template/spec/containers/-", "value": {"name": "x", "image": "example.org/x:1"}}
]
EVERYWHERE = {"metadata": {"annotations": {"argocd.argoproj.io/compare-options": "IgnoreExtraneous"}}}


@pytest.mark.parametrize(
    ("kind", "name", "patch", "changes"),
    [
        ("ConfigMap", "exchange", {"data": {"PGSSLMODE": "disable"}}, {}),
        ("ConfigMap", "bootstrap", {"data": {"bootstrap.py": "print()"}}, {}),
        ("Deployment", "exchange", container(image="example.org/other:1"), {}),
        ("Deployment", "exchange", container(command=["sh"]), {}),
        ("Deployment", "exchange", container(env=[{"name": "PGSSLMODE", "value": "disable"}]), {}),
        ("Deployment", "exchange", container(volumeMounts=[]), {}),
        ("Deployment", "exchange", SIDECAR, {}),
        ("Deployment", "exchange", {"spec": {"template": {"metadata": {"labels": {"jhecfg/database": None}}}}}, {}),
        ("Deployment", "exchange", {"spec": {"template": {"spec": {"automountServiceAccountToken": True}}}}, {}),
        ("Deployment", "mcp", container(image="example.org/other:1"), MCP),
        ("Job", "migrate", container(command=["true"]), {}),
        ("Job", "migrate", {"spec": None}, {}),
        ("Namespace", "jhe", {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "privileged"}}}, {}),
        ("NetworkPolicy", "default-deny", OPEN, {}),
        ("NetworkPolicy", "exchange", {"spec": {"egress": [{}]}}, {}),
        ("Service", "exchange", {"spec": {"type": "LoadBalancer"}}, {}),
        ("Gateway", "jhe-example", {"spec": {"listeners": [{"name": "http", "port": 80, "protocol": "HTTP"}]}}, {}),
        ("HTTPRoute", "exchange", [{"op": "remove", "path": "/spec/rules/0"}], {}),
        ("ClientTrafficPolicy", "jhe-example", {"spec": {"headers": None}}, {}),
        ("ClientTrafficPolicy", "jhe-example", {"spec": {"tls": {"minVersion": "1.0"}}}, {}),
        ("Ingress", "exchange", {"spec": {"tls": None}}, NGINX),
        ("StorageClass", "gp3", {"parameters": {"encrypted": "false"}}, {}),
        ("ClusterConfig", "jhe-example", {"vpc": {"publicAccessCIDRs": None}}, {}),
        ("ClusterConfig", "jhe-example", {"cloudWatch": None}, {}),
        ("ExternalSecret", "jhe-exchange", {"spec": {"refreshInterval": "0"}}, EXTERNAL),
        ("AppProject", "jhe-example-exchange", {"spec": {"sourceRepos": ["https://example.org/x.git"]}}, ARGOCD),
        ("Application", "jhe-example-exchange", {"spec": {"project": "default"}}, ARGOCD),
        ("Application", "jhe-example-exchange", {"spec": {"syncPolicy": {"automated": None}}}, ARGOCD),
        ("Deployment", "exchange", EVERYWHERE, ARGOCD),
        ("Kustomization", "jhe-example-50-app", {"spec": {"dependsOn": None}}, FLUX),
        ("Kustomization", "jhe-example-50-app", {"spec": {"postBuild": {"substitute": {"A": "b"}}}}, FLUX),
        ("GitRepository", "jhe-example-git", {"spec": {"url": "https://example.org/x.git"}}, FLUX),
        (
            "HelmRelease",
            "jhe-example-hub-hub",
            {"spec": {"values": {"hub": {"config": {"GenericOAuthenticator": {"allow_all": True}}}}}},
            {**FLUX, **IN_CLUSTER},
        ),
    ],
)
def test_no_patch_undoes_a_guarantee_silently(kind: str, name: str, patch: Any, changes: Tree) -> None:
    """TLS, network, images, Pod Security, secrets, login, projects, order: each change of them is an error."""
    assert patched(kind, name, patch, **changes) == {"patch-override"}


@pytest.mark.parametrize(
    ("kind", "name", "patch", "changes", "code"),
    [
        (
            "Deployment",
            "exchange",
            container(securityContext={"readOnlyRootFilesystem": True, "privileged": True}),
            {},
            "pod-security",
        ),
        ("Deployment", "exchange", {"spec": {"template": {"spec": {"hostNetwork": True}}}}, {}, "pod-security"),
        ("Job", "migrate", {"spec": {"ttlSecondsAfterFinished": 60}}, {}, "job-runs-again"),
        ("Job", "migrate", {"metadata": {"annotations": {"helm.sh/hook": "pre-upgrade"}}}, {}, "job-runs-again"),
        ("Job", "migrate", {"metadata": {"name": "migrate-2"}}, {}, "patch-fails"),
        ("Deployment", "exchange", {"metadata": {"namespace": "default"}}, {}, "patch-fails"),
        (
            "Deployment",
            "exchange",
            {"metadata": {"annotations": {"argocd.argoproj.io/sync-wave": "-30"}}},
            ARGOCD,
            "out-of-order",
        ),
        ("Kustomization", "jhe-example-30-migrate", {"spec": {"force": True}}, FLUX, "job-runs-again"),
    ],
)
def test_what_cannot_work_is_refused_whatever_the_reason(
    kind: str, name: str, patch: Any, changes: Tree, code: str
) -> None:
    """Rules over the patched output take no exceptions: privileges, Jobs without end, other names, crossed waves."""
    assert code in patched(kind, name, patch, **changes)


@pytest.mark.parametrize(
    ("kind", "name", "patch"),
    [
        ("Deployment", "exchange", {"metadata": {"annotations": {"example.org/owner": "lab"}}}),
        ("Deployment", "exchange", {"spec": {"template": {"spec": {"nodeSelector": {"disk": "fast"}}}}}),
        ("Deployment", "exchange", {"spec": {"template": {"spec": {"priorityClassName": "high"}}}}),
        ("Deployment", "exchange", container(resources={"limits": {"memory": "2Gi"}})),
        ("Service", "exchange", {"spec": {"internalTrafficPolicy": "Local"}}),
        ("Job", "migrate", {"spec": {"backoffLimit": 2}}),
        ("Namespace", "jhe", {"metadata": {"labels": {"example.org/team": "lab"}}}),
        ("ServiceAccount", "exchange", {"metadata": {"annotations": {"eks.amazonaws.com/role-arn": "x"}}}),
    ],
)
def test_what_only_adds_or_adjusts_needs_no_reason(kind: str, name: str, patch: Any) -> None:
    """Placement, size, labels and annotations of one's own are what patches are for."""
    assert patched(kind, name, patch) == set()


def test_an_exception_with_its_reason_lets_a_patch_through() -> None:
    """The comment stands in the spec, on the line of the patch, where an auditor reads it."""
    patch = {"target": {"kind": "Service", "name": "exchange"}, "patch": {"spec": {"type": "NodePort"}}}
    text = dump(changed(load(PATH).tree, {"patches": [patch]}))
    assert text.count("    patch:\n") == 1
    reason = "    patch:  # jhecfg: ignore[patch-override] an internal load balancer of our own stands before it\n"
    for written, codes in ((text, ["patch-override"]), (text.replace("    patch:\n", reason), [])):
        build = compile_source(load(PATH, name=PATH.name, text=written.encode()), "builtin")
        assert [d.code for d in build.diagnostics if d.severity.value == "error"] == codes


def test_an_item_that_is_added_moves_no_guard() -> None:
    """Items with names are compared by name: a variable more is one change, and a volume more is none."""
    volume = {"name": "extra", "emptyDir": {}}
    first = [{"op": "add", "path": "/spec/template/spec/volumes/0", "value": volume}]
    assert patched("Deployment", "exchange", first) == set()


def test_every_guarded_kind_exists() -> None:
    """A guard of a kind that is never written would guard nothing."""
    assert OF_KIND.keys() <= {kind for _, kind in kinds()} | {"ClusterConfig", "SealedSecret"}
