"""Shell: the commands that several effects need, for the folder `out/<site>/` of the new output."""

from __future__ import annotations

from jhecfg.render.runbook_care import snapshot
from jhecfg.render.steps import command, quote
from jhecfg.site import Cluster, Database, Site

PRIVATE = ("umask 077", 'work="$(mktemp -d)"')
"""What makes a folder that only its owner can read: people's data never lie in the work tree."""


def kubectl(namespace: str, *words: str) -> str:
    """Return a kubectl command in a namespace; words are quoted already."""
    return command(f"kubectl --namespace {quote(namespace)}" if namespace else "kubectl", *words)


def delete(kind: str, name: str, namespace: str) -> str:
    """Return the command that deletes an object, if it is still there."""
    return kubectl(namespace, "delete --ignore-not-found", f"{kind.lower()}/{quote(name)}")


def keep_disks(namespace: str) -> str:
    """Return the command that lets the disks of a namespace outlive it: the StorageClass would delete them with it."""
    volumes = "--output=jsonpath='{.items[*].spec.volumeName}'"
    claims = f"kubectl --namespace {quote(namespace)} get persistentvolumeclaims {volumes}"
    retain = """--patch='{"spec":{"persistentVolumeReclaimPolicy":"Retain"}}'"""
    return f'for volume in $({claims}); do\n  kubectl patch persistentvolume "$volume" --type=merge {retain}\ndone'


def backup(site: Site) -> tuple[str, ...]:
    """Return the commands that take a backup of the database: a snapshot where it is in the site's own RDS stack."""
    db = site.database
    if db.rds is not None:
        return snapshot(site, db.rds)
    return (
        *PRIVATE,
        command("pg_dump --format=custom --no-owner --no-acl", *connection(db), '--file="$work"/exchange.dump'),
    )


def connection(db: Database) -> tuple[str, ...]:
    """Return the options by which PostgreSQL's programs reach a database; they ask for the password."""
    where = (f"--host={quote(db.host)}", f"--port={db.port}")
    return (*where, f"--username={quote(db.user)}", f"--dbname={quote(db.name)}")


def manage(site: Site, *words: str) -> str:
    """Return a command of Django's manage.py in a running pod of the Exchange."""
    return kubectl(site.namespace, "exec deployment/exchange -- python manage.py", *words)


def named(cluster: Cluster | None) -> tuple[str, ...]:
    """Return the options that name an EKS cluster to eksctl."""
    return (f"--cluster={quote(cluster.name)}", f"--region={quote(cluster.region)}") if cluster is not None else ()
