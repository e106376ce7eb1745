"""The runbook's second year: another hub, another release, back again, an old backup, the end."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.runbook_prepare import stack_output
from jhecfg.render.runbook_secrets import remote_name
from jhecfg.render.steps import bash, command, quote, step
from jhecfg.render.units import site_named
from jhecfg.site import Cluster, Site


def _deliver(site: Site) -> str:
    """Say how a change of the output reaches the cluster."""
    if site.gitops.engine == "none":
        return "Go through “Deliver” and “Hubs” again: what has not changed is left as it is."
    name = "Argo CD" if site.gitops.engine == "argocd" else "Flux"
    return f"Commit and push; after review and merge {name} brings it in, phase by phase."


def add_hub(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say what a new hub takes."""
    yield step(
        "Add it to the spec's `hubs`: `name`, `domain` and `access`. `jhecfg build` then writes its folder, its objects"
        " and the new version of this page, whose table says who may enter."
    )
    yield step("Make its namespace and its Secret `hub-secrets`: the new “Secrets” has the commands; skip what exists.")
    yield step(f"{_deliver(site)} The bootstrap Job runs again and registers the hub's OAuth application.")
    if site.edge.controller != "none" and not site.edge.external_dns:
        yield step("Write its DNS record: the new “DNS” has it.")


def upgrade(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how another release of the Exchange comes in."""
    yield (
        "Of this site's release it is known that "
        + (
            "its schema breaks the pods of the release before: on the way to it users see errors from the moment the"
            " migrate Job starts until the new pods are ready. Choose a quiet hour."
            if site.release.breaks_older
            else "the pods of the release before work with its schema: on the way to it users see no errors."
        )
        + " After a change of `image.tag` this page says the same of the new release."
    )
    yield step("Take a backup that you can go back to.", _backup(site))
    yield step("Write the new release into the spec's `image.tag`, then run `jhecfg build`, and read the diff.")
    yield step(f"{_deliver(site)} The order is: migrate Job, bootstrap Job, new pods, one at a time. If the migrate Job fails, the"
               " old pods stay.")  # fmt: skip
    if site.gitops.engine == "none":
        yield step("Remove the finished Jobs of the release before.", bash(*_old_jobs(site)))
    yield step("Go through “Check” again.")


def _old_jobs(site: Site) -> Iterator[str]:
    for name, folder in (("migrate", "30-migrate"), ("bootstrap", "40-bootstrap")):
        current = f"kubectl create --dry-run=client --output=jsonpath='{{.metadata.name}}' --filename manifests/{folder}/job-{name}.yaml"
        yield command(
            "kubectl --namespace",
            quote(site.namespace),
            "delete jobs",
            f"--selector=app.kubernetes.io/name={name},{quote('app.kubernetes.io/instance=' + site.name)}",
            f'--field-selector=metadata.name!="$({current})"',
        )


def _backup(site: Site) -> str:
    rds, cluster = site.database.rds, site.cluster
    if rds is None or cluster is None:
        return "Ask the people who run PostgreSQL for a snapshot, or take one with `pg_dump --format=custom`."
    return bash(
        f'instance="$({stack_output(cluster, rds, "InstanceIdentifier")})"',
        f'snapshot={quote(site.name)}-"$(date -u +%Y%m%d%H%M)"',
        command(
            "aws rds create-db-snapshot",
            f"--region {quote(cluster.region)}",
            '--db-instance-identifier "$instance"',
            '--db-snapshot-identifier "$snapshot"',
        ),
        command(
            "aws rds wait db-snapshot-available",
            f"--region {quote(cluster.region)}",
            '--db-snapshot-identifier "$snapshot"',
        ),
    )


def roll_back(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how to return to what was."""
    yield step(f"Revert the commit that changed the spec and its output. {_deliver(site)}")
    yield (
        "Schemas do not go back by themselves: the migrate Job of the older release finds nothing to do."
        + (
            " The release before this one fails on its schema, so going back also takes the backup from before the upgrade: see “Restore the database”."
            if site.release.breaks_older
            else " The release before this one works with its schema, so no backup is needed."
        )
    )


# --- the database, Jobs, the end --------------------------------------------------------------------------------------


def restore(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how yesterday's data come back."""
    rds, cluster = site.database.rds, site.cluster
    if rds is None or cluster is None:
        yield step(
            "Ask the people who run PostgreSQL to restore the database beside the old one, under another name or host."
        )
    else:
        query = "DBInstances[0].[DBSubnetGroup.DBSubnetGroupName,VpcSecurityGroups[0].VpcSecurityGroupId,DBParameterGroups[0].DBParameterGroupName]"
        region = f"--region {quote(cluster.region)}"
        yield step(
            f"Restore to a moment of the last {rds.backup_days} days, beside the old instance, with its network and its settings.",
            bash(
                "moment=2026-01-31T08:00:00Z  # UTC: the last moment at which all was well",
                f'instance="$({stack_output(cluster, rds, "InstanceIdentifier")})"',
                f'restored={quote(site.name)}-"$(date -u +%Y%m%d%H%M)"',
                "read -r subnets group parameters < <("
                + command(
                    "aws rds describe-db-instances",
                    region,
                    '--db-instance-identifier "$instance"',
                    f"--query {quote(query)}",
                    "--output text",
                )
                + ")",
                command(
                    "aws rds restore-db-instance-to-point-in-time",
                    region,
                    '--source-db-instance-identifier "$instance"',
                    '--target-db-instance-identifier "$restored"',
                    '--restore-time "$moment"',
                    '--db-subnet-group-name "$subnets"',
                    '--vpc-security-group-ids "$group"',
                    '--db-parameter-group-name "$parameters"',
                    "--no-publicly-accessible",
                    "--deletion-protection",
                    *(["--multi-az"] if rds.multi_az else []),
                ),
                command("aws rds wait db-instance-available", region, '--db-instance-identifier "$restored"'),
                command(
                    "aws rds describe-db-instances",
                    region,
                    '--db-instance-identifier "$restored"',
                    "--query 'DBInstances[0].Endpoint.Address'",
                    "--output text",
                ),
            ),
        )
    yield step(f"Write the new address into the spec's `database.host` and run `jhecfg build`. {_deliver(site)}")
    yield step("Go through “Check” again, and keep the old database until you are sure.")


def failed_job(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how to look at a Job that failed, and how to run it again."""
    namespace = quote(site.namespace)
    yield step(
        "Read why. The bootstrap Job prints one line an object, and writes nothing at all if anything contradicts the spec.",
        bash(
            f"kubectl --namespace {namespace} get jobs,pods",
            *(
                command(
                    "kubectl --namespace",
                    namespace,
                    "logs",
                    f"--selector=app.kubernetes.io/name={name},{quote('app.kubernetes.io/instance=' + site.name)}",
                    "--tail=100",
                )
                for name in ("migrate", "bootstrap")
            ),
        ),
    )
    yield step(f"Mend the cause, write a new word into the spec's `rerun`, and run `jhecfg build`. {_deliver(site)}")


def remove(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the site ends, data last."""
    yield "> This ends the service for everybody. Take a backup first (“Upgrade”)."
    if site.gitops.engine == "argocd":
        yield step(
            "Take it back from Argo CD, which removes the hubs; everything else keeps running.",
            bash(*_leave_argocd(site)),
        )
    elif site.gitops.engine == "flux":
        yield step(
            "Take it back from Flux, last phase first: it removes all that it made but the namespaces. The edge goes while"
            " its controller still runs, and with it the load balancer, which would outlive the cluster.",
            bash(*_leave_flux(site, files)),
        )
    spaces = [site.namespace, *(hub.namespace for hub in site.cluster_hubs)]
    yield step(
        "Remove the namespaces: the Exchange and the hubs, with the disks of all their users.",
        bash(command("kubectl delete namespace", *(quote(name) for name in dict.fromkeys(spaces)))),
    )
    if site.gitops.engine != "flux":
        yield from _edge_objects(site, files)
    if site.cluster is not None:
        yield from _remove_aws(site, site.cluster)


def _leave_argocd(site: Site) -> Iterator[str]:
    names = quote("app.kubernetes.io/instance=" + site.name)
    yield f"kubectl --namespace argocd delete application {quote(site_named(site, 'root'))}"
    yield f"kubectl --namespace argocd delete applications --selector={names}"
    yield f"kubectl --namespace argocd delete appprojects --selector={names}"


def _leave_flux(site: Site, files: frozenset[str]) -> Iterator[str]:
    kubectl, kind = "kubectl --namespace flux-system", "kustomizations.kustomize.toolkit.fluxcd.io"
    own = quote(site_named(site, "site"))
    # Suspended, it neither brings its parts back nor prunes them on its own, in no order.
    yield command(kubectl, "patch", kind, own, "--type=merge", '--patch=\'{"spec":{"suspend":true}}\'')
    prefix = "gitops/flux/kustomization-"
    parts = [path.removeprefix(prefix).removesuffix(".yaml") for path in files if path.startswith(prefix)]
    for part in sorted((part for part in parts if part != "site"), key=_last_first):
        yield f"{kubectl} delete {kind} {quote(site_named(site, part))}"
    yield f"{kubectl} delete {kind} {own}"
    yield f"{kubectl} delete gitrepositories.source.toolkit.fluxcd.io {quote(site_named(site, 'git'))}"


def _last_first(part: str) -> tuple[int, int]:
    """Order the hubs before the phases, the phases backwards, the charts at the end."""
    return (0, 0) if part == "hubs" else (2, 0) if part == "charts" else (1, -int(part.split("-")[0]))


def _edge_objects(site: Site, files: frozenset[str]) -> Iterator[str]:
    lines: list[str] = []
    if "manifests/60-routes/gateway.yaml" in files:
        routes = sorted(
            path for path in files if path.startswith("manifests/60-routes/") and "kustomization" not in path
        )
        lines.append(command("kubectl delete --ignore-not-found", *(f"--filename {quote(path)}" for path in routes)))
    elif site.edge.controller == "ingress-nginx" and site.edge.own_class and site.cluster is not None:
        lines.append(f"kubectl delete namespace {quote(site.edge.namespace)}")
    shared = sorted(path for path in files if path.startswith("manifests/10-platform/") and "kustomization" not in path)
    if shared:
        lines.append(command("kubectl delete --ignore-not-found", *(f"--filename {quote(path)}" for path in shared)))
    if lines:
        yield step("Remove the edge, and with it the load balancer, which would outlive the cluster.", bash(*lines))


def _remove_aws(site: Site, cluster: Cluster) -> Iterator[str]:
    rds, source = site.database.rds, site.external_secrets
    region = f"--region {quote(cluster.region)}"
    if rds is not None:
        yield step(
            "Remove the database, before the cluster, whose network it uses. A last snapshot stays.",
            bash(
                f'instance="$({stack_output(cluster, rds, "InstanceIdentifier")})"',
                command(
                    "aws rds modify-db-instance",
                    region,
                    '--db-instance-identifier "$instance"',
                    "--no-deletion-protection",
                    "--apply-immediately",
                ),
                command("aws cloudformation delete-stack", region, f"--stack-name {quote(rds.stack)}"),
                command("aws cloudformation wait stack-delete-complete", region, f"--stack-name {quote(rds.stack)}"),
            ),
        )
    if source is not None:
        names = [remote_name(need, source) for need in site.secrets if need.owned]
        where = f"--region {quote(source.region)}"
        lines = (command("aws secretsmanager delete-secret", where, f"--secret-id {quote(name)}") for name in names)
        yield step("Remove the secrets; AWS keeps them for thirty days more.", bash(*lines))
    yield step("Remove the cluster.", bash("eksctl delete cluster --config-file cluster/cluster.yml --wait"))
