"""RDS: what CloudFormation does to the database when the template of the instance differs.

Which property replaces the instance: `createOnlyProperties` of AWS::RDS::DBInstance in CloudFormation's registry; which
interrupts it: its page in the template reference, and "Settings for DB instances" of the RDS user guide.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from jhecfg.plan.model import Effect, Pair, Severity, SpecChange
from jhecfg.plan.values import arrow
from jhecfg.render.rds import deploy_options, network_of, template
from jhecfg.render.steps import command, quote
from jhecfg.site import Rds, Site

REPLACING = {
    "DBName": "name",
    "MasterUsername": "rds.masterUser",
    "DBSubnetGroupName": "rds.vpc",
    "StorageEncrypted": "encryption",
}
"""Properties whose change makes another, empty instance, with their keys below `database`."""


class Does(NamedTuple):
    """What a change of a property does: its key below `database`, how grave it is, and words for it."""

    key: str
    severity: Severity
    text: str


_MINUTES = "the database is away for some minutes, for about one with multiAz, and the Exchange with it"
PROPERTIES: dict[str, Does] = {
    "DBInstanceClass": Does("rds.instanceClass", Severity.OUTAGE, _MINUTES),
    "EngineVersion": Does("rds.engineVersion", Severity.OUTAGE, _MINUTES),
    "Port": Does("port", Severity.OUTAGE, "the database restarts on another port, and the Exchange follows it"),
    "AllocatedStorage": Does("rds.storageGiB", Severity.ATTENTION, "the disk grows; the database works on, slower"),
    "MaxAllocatedStorage": Does("rds.maxStorageGiB", Severity.SAFE, "only the limit of the disk's own growth"),
    "MultiAZ": Does("rds.multiAz", Severity.ATTENTION, "a standby comes or goes; the database works on"),
    "BackupRetentionPeriod": Does("rds.backupDays", Severity.ATTENTION, "backups are kept for as many days"),
    "MonitoringInterval": Does(
        "rds.enhancedMonitoring", Severity.SAFE, "the seconds between measurements, 0 for none; the database works on"
    ),
    "DeletionProtection": Does("rds.deletionProtection", Severity.ATTENTION, "whether a delete is refused"),
}
"""What CloudFormation does in place."""


def rds(pair: Pair) -> Iterator[Effect]:
    """Yield what differs in the instance, property by property, and the commands that show and make the change."""
    old, new = pair.old.database.rds, pair.new.database.rds
    if new is None:
        if old is not None:
            yield _kept(pair, old)
        return
    if old is None or (old.stack, old.region) != (new.stack, new.region):
        yield _new(pair, new)
        if old is not None:
            yield _kept(pair, old)
        return
    effects = list(_differences(pair, _resources(pair.old), _resources(pair.new)))
    if effects:
        yield from effects
        yield _delivered(pair, new)


def _because(pair: Pair) -> tuple[SpecChange, ...]:
    return pair.shaped("cluster/rds.cfn.yaml") or pair.any_of(("database",))


def _resources(site: Site) -> dict[str, Any]:
    network, instance = network_of(site), site.database.rds
    found = template(site, instance, network)["Resources"] if network is not None and instance is not None else {}
    return {str(name): resource["Properties"] for name, resource in found.items()}


def _new(pair: Pair, new: Rds) -> Effect:
    return Effect(
        "database",
        Severity.ATTENTION,
        f"stack {new.stack}",
        "is made, with an empty database, in about 15 minutes; RUNBOOK.md has the steps from it to the spec, and that"
        " which makes the application's user",
        _because(pair),
        (_deploy(new),),
    )


def _kept(pair: Pair, old: Rds) -> Effect:
    return Effect(
        "database",
        Severity.ATTENTION,
        f"stack {old.stack}",
        "stays as it is, with its data, until somebody deletes it",
        _because(pair),
    )


def _deploy(instance: Rds, *more: str) -> str:
    where = (f"--region={quote(instance.region)}", f"--stack-name={quote(instance.stack)}")
    return command("aws cloudformation deploy", *where, *deploy_options(instance), *more)


def _delivered(pair: Pair, new: Rds) -> Effect:
    return Effect(
        "database",
        Severity.SAFE,
        f"stack {new.stack}",
        "nothing syncs the template. The first command makes a change set and prints the one that shows it: go on only"
        " if it replaces nothing that you want to keep",
        _because(pair),
        (_deploy(new, "--no-execute-changeset"), _deploy(new)),
    )


def _differences(pair: Pair, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Effect]:
    was, becomes = old.get("Database", {}), new.get("Database", {})
    for key in becomes:
        if was.get(key) != becomes[key] and key != "MonitoringRoleArn":  # it goes with MonitoringInterval
            yield _property(pair, key, was.get(key), becomes[key])
    if _place(old) != _place(new):
        yield _network(pair)
    rules = {name: each for name, each in new.items() if name.startswith("IngressFrom")}
    before = {name: each for name, each in old.items() if name.startswith("IngressFrom")}
    if rules.keys() != before.keys():
        text = f"{arrow(_sources(before), _sources(rules))}: who may connect to the database"
        yield Effect("access", Severity.ATTENTION, "database network", text, _because(pair))


def _place(resources: dict[str, Any]) -> tuple[Any, Any]:
    """Return the subnets and the network of the instance."""
    return resources.get("SubnetGroup", {}).get("SubnetIds"), resources.get("SecurityGroup", {}).get("VpcId")


def _sources(rules: dict[str, Any]) -> str:
    return ", ".join(str(each["Description"]).removeprefix("PostgreSQL from ") for each in rules.values())


def _property(pair: Pair, key: str, was: Any, becomes: Any) -> Effect:
    does = PROPERTIES.get(key, Does(REPLACING.get(key, key), Severity.ATTENTION, "changed in place"))
    subject, change = f"database.{does.key}", arrow(was, becomes)
    if key in REPLACING:
        return Effect(
            "database",
            Severity.DATA,
            subject,
            f"{change}: CloudFormation makes another, empty database and deletes this one, after a last snapshot,"
            " unless deletionProtection stops it halfway. Take this back: a name or user in the database is SQL's",
            _because(pair),
        )
    refused = _refused(key, was, becomes)
    if refused:
        return Effect("database", Severity.ATTENTION, subject, f"{change}: {refused}", _because(pair))
    return Effect("database", does.severity, subject, f"{change}: {does.text}", _because(pair))


def _refused(key: str, was: Any, becomes: Any) -> str:
    """Return why RDS does not do it, or nothing."""
    if key == "AllocatedStorage" and int(becomes) < int(was):
        return "RDS makes no disk smaller, and the deployment fails; take this back"
    if key == "EngineVersion":
        old, new = (tuple(int(part) for part in str(v).split(".")) for v in (was, becomes))
        if new < old:
            return "RDS goes to no older version, and the deployment fails; take this back"
        if new[0] != old[0]:
            return (
                "the template allows no major upgrade, and the deployment fails. Take a snapshot, upgrade the instance"
                " in RDS by hand, with its extensions and an hour without users, and deploy this afterwards"
            )
    return ""


def _network(pair: Pair) -> Effect:
    return Effect(
        "database",
        Severity.DATA,
        "database network",
        "another network, or other subnets: an instance does not move there, and the deployment fails; restore a"
        " snapshot into a new stack instead",
        _because(pair),
    )
