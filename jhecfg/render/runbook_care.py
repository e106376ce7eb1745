"""The runbook's second year: another release, back again, an old backup, the end."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.releases import Release
from jhecfg.render.runbook_jobs import jobs_of
from jhecfg.render.runbook_prepare import PLANNED_AND_BUILT, SPEC, delivered_again, spec_bash, stack_output
from jhecfg.render.steps import bash, command, quote, step
from jhecfg.render.units import platform_units, site_named
from jhecfg.site import Rds, Site


def upgrade(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how another release of the Exchange comes in."""
    yield from _way_in(site.release)
    yield step("Take a backup that you can go back to.", _backup(site))
    yield step(
        "Write the new release into the spec, and read what it means and what it changes.",
        spec_bash(site, "release=vX.Y.Z  # the new one", f'jhecfg set {SPEC} image.tag="$release"', *PLANNED_AND_BUILT),
    )
    yield step(f"{delivered_again(site)} The order is: migrate Job, bootstrap Job, new pods, "
               f"{'all at once' if site.release.breaks_older else 'one at a time'}. If the migrate Job fails, the old pods stay.")  # fmt: skip
    if site.gitops.engine == "none":
        yield step("Remove the finished Jobs of the release before.", bash(*_old_jobs(site, files)))
    yield step("Go through “Check” again.")


def _way_in(release: Release) -> Iterator[str]:
    """Say what the step from the release before does to the database, and to those who use the site meanwhile."""
    name = f"JHE {release.version}"
    if release.deletes:
        yield f"> Migrating to {name} deletes for good: {release.deletes}. Copy first what you need of it."
    if not release.breaks:
        yield f"The pods of the release before work with the schema of {name}: on the way to it users see no errors."
    else:
        yield (
            f"On the way to {name}, from the start of the migrate Job until the new pods are ready, the old pods meet a"
            f" schema that is not theirs: {release.breaks}."
            + (
                " All of them end before the first new one starts, now and whenever this release's pods change: the"
                " Exchange is away for about a minute. Choose a quiet hour."
                if release.breaks_older
                else ""
            )
        )
    if release.stops:
        yield f"The migrate Job fails at this, and must not find it: {release.stops}."
    yield "After a change of `image.tag` this page says the same of the new release."


def _old_jobs(site: Site, files: frozenset[str]) -> Iterator[str]:
    for name, path in jobs_of(files):
        current = f"kubectl create --dry-run=client --output=jsonpath='{{.metadata.name}}' --filename {path}"
        yield command(
            "kubectl --namespace",
            quote(site.namespace),
            "delete jobs",
            f"--selector=app.kubernetes.io/name={name},{quote('app.kubernetes.io/instance=' + site.name)}",
            f'--field-selector=metadata.name!="$({current})"',
        )


def _backup(site: Site) -> str:
    rds = site.database.rds
    if rds is None:
        return "Ask the people who run PostgreSQL for a snapshot, or take one with `pg_dump --format=custom`."
    return bash(*snapshot(site, rds))


def snapshot(site: Site, rds: Rds) -> tuple[str, ...]:
    """Return the commands that take a snapshot of the database and wait for it."""
    return (
        f'instance="$({stack_output(rds, "InstanceIdentifier")})"',
        f'snapshot={quote(site.name)}-"$(date -u +%Y%m%d%H%M)"',
        command(
            "aws rds create-db-snapshot",
            f"--region {quote(rds.region)}",
            '--db-instance-identifier "$instance"',
            '--db-snapshot-identifier "$snapshot"',
        ),
        command(
            "aws rds wait db-snapshot-available",
            f"--region {quote(rds.region)}",
            '--db-snapshot-identifier "$snapshot"',
        ),
    )


def roll_back(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how to return to what was."""
    release = site.release
    yield "Schemas do not go back by themselves: the migrate Job of the older release finds nothing to do."
    if release.breaks:
        loses = f" It deletes for good: {release.loses}." if release.loses else ""
        sticks = f" It fails at this: {release.sticks}." if release.sticks else ""
        yield step(
            f"The release before this one has a fault on its schema: {release.breaks}. So first take the migrations back,"
            f" with the commands of `jhecfg plan`.{loses}{sticks} Or go back to the backup from before the upgrade: see"
            " “Restore the database”."
        )
    else:
        yield "The release before this one works with its schema, so no backup is needed."
    yield step(f"Revert the commit that changed the spec and its output. {delivered_again(site)}")


# --- the database, the end ----------------------------------------------------------------------------------------------


def restore(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how yesterday's data come back."""
    rds = site.database.rds
    if rds is None:
        yield step(
            "Ask the people who run PostgreSQL to restore the database beside the old one, under another name or host."
        )
    else:
        query = "DBInstances[0].[DBSubnetGroup.DBSubnetGroupName,VpcSecurityGroups[0].VpcSecurityGroupId,DBParameterGroups[0].DBParameterGroupName]"
        region = f"--region {quote(rds.region)}"
        yield step(
            f"Restore to a moment of the last {rds.backup_days} days, beside the old instance, with its network and its settings.",
            bash(
                "moment=2026-01-31T08:00:00Z  # UTC: the last moment at which all was well",
                f'instance="$({stack_output(rds, "InstanceIdentifier")})"',
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
    yield step(f"Write the new address into the spec's `database.host` and run `jhecfg build`. {delivered_again(site)}")
    yield step("Go through “Check” again, and keep the old database until you are sure.")


def remove(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the site ends, data last."""
    yield "> This ends the service for everybody. Take a backup first (“Upgrade”)."
    if site.gitops.fleet is not None:
        yield step(
            "Take `gitops.fleet` out of the spec, run `jhecfg build`, commit and push: else the fleet brings it back."
        )
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
    if site.gitops.engine == "none" and site.cluster is None:
        yield from _charts(site)
    yield step(
        "Remove its DNS records, which would lead its visitors to whoever gets the address next; nothing else does."
    )
    yield from _remove_aws(site)


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


def _charts(site: Site) -> Iterator[str]:
    units = reversed(platform_units(site))
    lines = [f"helm uninstall {quote(unit.release)} --namespace {quote(unit.namespace)}" for unit in units]
    if lines:
        yield step("Of what the cluster shares, remove what nobody else uses.", bash(*lines))


def _remove_aws(site: Site) -> Iterator[str]:
    rds, source = site.database.rds, site.external_secrets
    if rds is not None:
        region = f"--region {quote(rds.region)}"
        before = "" if rds.vpc else ", before the cluster, whose network it uses"
        yield step(
            f"Remove the database{before}. A last snapshot stays.",
            bash(
                f'instance="$({stack_output(rds, "InstanceIdentifier")})"',
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
        names = [source.remote_name(need) for need in site.secrets if need.own_items]
        where = f"--region {quote(source.region)}"
        lines = (command("aws secretsmanager delete-secret", where, f"--secret-id {quote(name)}") for name in names)
        yield step("Remove the secrets; AWS keeps them for thirty days more.", bash(*lines))
    if site.cluster is not None:
        yield step("Remove the cluster.", bash("eksctl delete cluster --config-file cluster/cluster.yml --wait"))
