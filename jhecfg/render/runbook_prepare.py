"""The runbook before the first object: tools, cluster, database."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.rds import deploy_options
from jhecfg.render.steps import bash, block, code, command, identifier, quote, step, words
from jhecfg.site import Cluster, Database, Rds, Site

SPEC = '"$spec"'
"""The shell word for the site's spec; `spec_line` sets it."""
PLANNED_AND_BUILT = (f"jhecfg plan {SPEC} --out ..", f"jhecfg build {SPEC} --out ..")
"""The commands after a change of the spec, from the folder of the page, which lies in the folder of all outputs."""


def spec_line(site: Site) -> str:
    """Return the line that says where the site's spec is, from the folder of the page."""
    return f"spec={quote(f'../../specs/{site.name}.yaml')}"


def delivered_again(site: Site) -> str:
    """Say how a change of the output reaches the cluster."""
    if site.gitops.engine == "none":
        return "Go through “Deliver” and “Hubs” again: what has not changed is left as it is."
    name = "Argo CD" if site.gitops.engine == "argocd" else "Flux"
    return f"Commit and push; after review and merge {name} brings it in, phase by phase."


def tools(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say which programs this site's steps run."""
    by_hand = site.gitops.engine == "none"
    wanted = {
        "jhecfg --version": True,
        "kubectl version --client": True,
        "helm version --short": (by_hand and bool(site.charts or site.cluster_hubs))
        or any(chart.name == "sealed-secrets" for chart in site.charts),  # comes before the engine
        "eksctl version": site.cluster is not None,
        "aws sts get-caller-identity": any((site.cluster, site.database.rds, site.external_secrets)),
        "sops --version": by_hand and site.secrets_backend == "sops",
        "python3 --version": True,
        "curl --version": True,
    }
    yield step("These answer without an error.", bash(*(line for line, needed in wanted.items() if needed)))


def spec_bash(site: Site, *lines: str) -> str:
    """Return a block of shell whose lines name the site's spec: each such block can be copied by itself."""
    return bash(spec_line(site), *lines)


def cluster(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the cluster comes to be, or what an existing one must have."""
    if site.cluster is None:
        yield from _existing(site)
    else:
        yield _created(site.cluster)
    if site.gitops.engine != "none":
        yield _engine(site)


def _engine(site: Site) -> str:
    """Say which engine runs already: what belongs beside it is made below."""
    if site.gitops.engine == "argocd":
        name, space = "Argo CD (3.5 or later)", "argocd"
        fleet = [] if site.gitops.fleet is None else ["applicationsets.argoproj.io"]
        kinds = ["applications.argoproj.io", "appprojects.argoproj.io", *fleet]
    else:
        name, space = "Flux, with its helm-controller,", "flux-system"
        kinds = ["kustomizations.kustomize.toolkit.fluxcd.io", "helmreleases.helm.toolkit.fluxcd.io"]
    return step(
        f"{name} runs in the namespace {code(space)} of this cluster. Into a new cluster, install it now.",
        bash(f"kubectl get crd {' '.join(kinds)}", f"kubectl --namespace {space} get pods"),
    )


def _created(own: Cluster) -> str:
    return step(
        "Create the cluster; it takes about twenty minutes. eksctl ignores most edits of a cluster that exists.",
        bash(
            "eksctl create cluster --config-file cluster/cluster.yml",
            command("aws eks update-kubeconfig --region", quote(own.region), "--name", quote(own.name)),
            "kubectl get nodes",
        ),
    )


def _existing(site: Site) -> Iterator[str]:
    yield step(
        "kubectl talks to the cluster that the site goes into, and may make namespaces there.",
        bash("kubectl config current-context", "kubectl auth can-i create namespaces"),
    )
    needed = list(_existing_objects(site))
    if needed:
        yield step("The cluster has what the spec counts on.", bash(*needed))
    if not site.edge.own_gateway:
        yield _shared_gateway(site)
    yield step(
        "Something enforces network policies: this prints `open`, then `closed`. Where it prints `open` twice, they are"
        " accepted and mean nothing, and every pod of the cluster reaches those of the site. Have that mended first; with"
        " Amazon's VPC CNI it is the add-on's value `enableNetworkPolicy: \"true\"`.",
        bash(*ENFORCEMENT),
    )


def _shared_gateway(site: Site) -> str:
    spaces = dict.fromkeys([site.namespace, *(hub.namespace for hub in site.cluster_hubs)])
    return step(
        f"Ask the owners of Gateway {code(site.edge.gateway)} for this: its listener {code(site.edge.listener or '')} serves"
        f" {words(code(host) for host, _ in site.hosts)} with certificates, and takes routes from"
        f" {words(map(code, spaces))}; and plain HTTP is sent on to HTTPS."
    )


_CHECK = "kubectl --namespace jhecfg-check"
_ASK = (
    f"{_CHECK} exec client -- sh -c 'wget -q -T 5 -O /dev/null http://server:8080/hostname && echo open || echo closed'"
)
ENFORCEMENT = (
    "kubectl create namespace jhecfg-check",
    f"{_CHECK} run server --image=docker.io/library/busybox:1.37 --port=8080 --expose --command -- httpd -f -p 8080 -h /etc",
    f"{_CHECK} run client --image=docker.io/library/busybox:1.37 --command -- sleep 900",
    f"{_CHECK} wait --for=condition=Ready --timeout=5m pod/server pod/client",
    _ASK,
    f"{_CHECK} create --filename=- <<'END'",
    '{"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": {"name": "nothing-enters"},',
    ' "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}',
    "END",
    "sleep 30",
    _ASK,
    "kubectl delete namespace jhecfg-check",
)
"""Prove, in a namespace of its own, that a NetworkPolicy keeps a pod from another; nothing of a spec is in it."""


def _existing_objects(site: Site) -> Iterator[str]:
    edge = site.edge
    brought = {chart.name for chart in site.charts}
    if edge.controller == "envoy-gateway" and "gateway-helm" not in brought:
        yield "kubectl get crd envoyproxies.gateway.envoyproxy.io"
    if edge.acme_server is not None and "cert-manager" not in brought:
        yield "kubectl get crd clusterissuers.cert-manager.io"
    if site.external_secrets is not None and "external-secrets" not in brought:
        yield "kubectl get crd externalsecrets.external-secrets.io"
    if site.external_secrets is not None and site.external_secrets.store is not None:
        yield f"kubectl get clustersecretstore {quote(site.external_secrets.store)}"
    if not edge.own_gateway:
        yield command("kubectl --namespace", quote(edge.namespace), "get gateway", quote(edge.gateway))
    elif edge.controller == "envoy-gateway" and not edge.own_class:
        yield f"kubectl get gatewayclass {quote(edge.class_name)}"
    if edge.controller == "ingress-nginx" and not edge.own_class:
        yield f"kubectl get ingressclass {quote(edge.class_name)}"
    if edge.own_gateway and edge.controller != "none" and edge.load_balancer == "aws-load-balancer-controller":
        yield "kubectl --namespace kube-system get deployment aws-load-balancer-controller"
    if edge.issuer is not None and edge.acme_server is None:
        yield f"kubectl get clusterissuer {quote(edge.issuer)}"
    classes = dict.fromkeys(hub.storage_class for hub in site.cluster_hubs if hub.storage_class)
    if classes and site.cluster is None:
        yield "kubectl get storageclass " + " ".join(quote(name) for name in classes)


# --- the database -----------------------------------------------------------------------------------------------------


def database(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the database comes to be, or what to ask of the people who run it."""
    if site.database.rds is not None:
        yield from _rds(site, site.database, site.database.rds)
    else:
        yield _ask_for(site.database)


def _rds(site: Site, db: Database, rds: Rds) -> Iterator[str]:
    where = f"--region {quote(rds.region)} --stack-name {quote(rds.stack)}"
    network = f"in {code(rds.vpc.id)}" if rds.vpc else "beside the cluster: it imports the cluster's network"
    yield step(
        f"Create the database, {network}. It takes about twenty minutes.",
        bash(command("aws cloudformation deploy", where, *deploy_options(rds))),
    )
    yield step(
        f"Its endpoint goes into the spec's `database.host`, which is {code(db.host)} now. If that changes the spec, run"
        " `jhecfg build`, commit what changed, and go on with the new page.",
        spec_bash(
            site,
            f"aws cloudformation describe-stacks {where} --output json |",
            f"  jhecfg import rds {SPEC} -",
        ),
    )


def stack_output(rds: Rds, name: str) -> str:
    """Return the command that prints an output of the database's stack; `name` is a constant of ours."""
    return command(
        "aws cloudformation describe-stacks",
        "--region",
        quote(rds.region),
        "--stack-name",
        quote(rds.stack),
        "--query",
        f"\"Stacks[0].Outputs[?OutputKey=='{name}'].OutputValue\"",
        "--output text",
    )


def _ask_for(db: Database) -> str:
    role, name = identifier(db.user), identifier(db.name)
    sql = (
        f"CREATE ROLE {role} LOGIN;  -- then set its password with \\password",
        f"CREATE DATABASE {name} OWNER {role};",
    )
    where = words([code(f"{db.host}:{db.port}"), f"database {code(db.name)}", f"user {code(db.user)}"])
    return step(
        f"The people who run PostgreSQL give you {where}. The user owns the database, and is no superuser. The cluster"
        f" reaches the server{'' if db.ssl_mode in ('disable', 'prefer') else ', which answers with TLS'}"
        f" (sslmode {code(db.ssl_mode)}).",
        block("sql", "\n".join(sql)),
    )
