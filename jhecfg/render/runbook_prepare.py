"""The runbook before the first object: tools, cluster, database."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.steps import bash, block, code, command, identifier, quote, step, words
from jhecfg.site import Cluster, Database, Rds, Site


def tools(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say which programs this site's steps run."""
    by_hand = site.gitops.engine == "none"
    wanted = {
        "kubectl version --client": True,
        "helm version --short": by_hand and bool(site.charts or site.cluster_hubs),
        "eksctl version": site.cluster is not None,
        "aws sts get-caller-identity": site.cluster is not None or site.external_secrets is not None,
        "openssl version": True,
        "python3 --version": True,
        "curl --version": True,
    }
    yield step("These answer without an error.", bash(*(line for line, needed in wanted.items() if needed)))


def cluster(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the cluster comes to be, or what an existing one must have."""
    if site.cluster is None:
        yield from _existing(site)
        return
    own = site.cluster
    yield step(
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


def _existing_objects(site: Site) -> Iterator[str]:
    edge = site.edge
    brought = {chart.name for chart in site.charts}
    if edge.controller == "envoy-gateway" and "gateway-helm" not in brought:
        yield "kubectl get crd envoyproxies.gateway.envoyproxy.io"
    if edge.acme_server is not None and "cert-manager" not in brought:
        yield "kubectl get crd clusterissuers.cert-manager.io"
    if site.external_secrets is not None and "external-secrets" not in brought:
        yield "kubectl get crd externalsecrets.external-secrets.io"
    if edge.controller == "envoy-gateway" and not edge.own_class:
        yield f"kubectl get gatewayclass {quote(edge.class_name)}"
    if edge.controller == "ingress-nginx" and not edge.own_class:
        yield f"kubectl get ingressclass {quote(edge.class_name)}"
    if edge.issuer is not None and edge.acme_server is None:
        yield f"kubectl get clusterissuer {quote(edge.issuer)}"
    classes = dict.fromkeys(hub.storage_class for hub in site.cluster_hubs if hub.storage_class)
    if classes and site.cluster is None:
        yield "kubectl get storageclass " + " ".join(quote(name) for name in classes)


# --- the database -----------------------------------------------------------------------------------------------------


def database(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the database comes to be, or what to ask of the people who run it."""
    rds, own = site.database.rds, site.cluster
    if rds is not None and own is not None:
        yield from _rds(site.database, rds, own)
    else:
        yield _ask_for(site.database)


def _rds(db: Database, rds: Rds, cluster: Cluster) -> Iterator[str]:
    where = f"--region {quote(cluster.region)} --stack-name {quote(rds.stack)}"
    yield step(
        "Create the database, beside the cluster: it imports the cluster's network.",
        bash(command("aws cloudformation deploy", where, "--template-file cluster/rds.cfn.yaml")),
    )
    yield step(
        f"This prints the endpoint. It must be {code(db.host)}; if it is not, write it into the spec's `database.host`, run"
        " `jhecfg build`, and go on with the new page.",
        bash(stack_output(cluster, rds, "Endpoint")),
    )


def stack_output(cluster: Cluster, rds: Rds, name: str) -> str:
    """Return the command that prints an output of the database's stack; `name` is a constant of ours."""
    return command(
        "aws cloudformation describe-stacks",
        "--region",
        quote(cluster.region),
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
