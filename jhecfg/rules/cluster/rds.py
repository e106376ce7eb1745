"""Rules over the RDS instance: what RDS would refuse, and what health data should not go without."""

from __future__ import annotations

import re
from collections.abc import Iterator

from jhecfg.diagnostics import Finding, Loc, Severity
from jhecfg.rds_ca import rds_region
from jhecfg.site import Rds, Site

# Newest and oldest minor version of which RDS still makes new instances, for each major (cfn-lint 1.58.0: engine
# versions without the deprecated ones, 2026-11).
CREATABLE: dict[int, tuple[int, int]] = {14: (18, 24), 15: (13, 19), 16: (9, 15), 17: (5, 11), 18: (1, 6)}
DEFAULT_VERSION = "17.11"

# Instance families that take PostgreSQL 14 to 18 (cfn-lint 1.58.0, aws_rds_dbinstance/db_instance_class).
FAMILIES = frozenset({
    "c6gd", "m5", "m5d", "m6g", "m6gd", "m6i", "m6id", "m6idn", "m6in", "m7g", "m7i", "m8a", "m8g", "m8gd", "m9g",
    "r5", "r5b", "r5d", "r6g", "r6gd", "r6i", "r6id", "r6idn", "r6in", "r7g", "r7i", "r8a", "r8g", "r8gd", "t3",
    "t4g", "x2g", "x2iedn",
})  # fmt: skip

# Reserved key words of PostgreSQL (its manual, appendix C) that look like names, and names that RDS keeps.
_RESERVED = frozenset({
    "admin", "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "case", "cast", "check", "collate",
    "column", "constraint", "create", "current_user", "default", "deferrable", "desc", "distinct", "do", "else",
    "end", "except", "false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in", "initially",
    "intersect", "into", "lateral", "leading", "limit", "localtime", "not", "null", "offset", "on", "only", "or",
    "order", "placing", "primary", "public", "rdsadmin", "references", "returning", "select", "session_user", "some",
    "symmetric", "system_user", "table", "template0", "template1", "then", "to", "trailing", "true", "union",
    "unique", "user", "using", "variadic", "when", "where", "window", "with",
})  # fmt: skip
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

_RDS: Loc = ("database", "rds")
_PRODUCTION = "production"


def rds_needs_cluster(site: Site) -> Iterator[Finding]:
    """`database.rds` without `cluster`, and without a network of its own.

    *Why:* the template imports the network and the nodes' security group from the stack that eksctl makes; of a
    cluster that exists jhecfg knows neither.

    *Instead:* name them in `database.rds.vpc`, describe the cluster in `cluster`, or make the instance yourself and
    give only `database.host`.
    """
    rds = site.database.rds
    if rds is not None and rds.vpc is None and site.cluster is None:
        yield Finding(
            loc=_RDS,
            key=True,
            message="database.rds needs a network: the one of cluster, or one that is named in vpc",
            hint="set database.rds.vpc, or drop database.rds and keep database.host",
        )


def rds_other_region(site: Site) -> Iterator[Finding]:
    """`database.rds.vpc` is in another region than the cluster.

    *Why:* a security group is known in its own region only, so the nodes could not connect.

    *Instead:* a network in the cluster's region; without `vpc`, the instance lives in the cluster's own.
    """
    rds, cluster = site.database.rds, site.cluster
    if rds is not None and cluster is not None and rds.region != cluster.region:
        yield Finding(
            loc=(*_RDS, "vpc", "region"),
            message=f"the database's network is in {rds.region}, and the cluster in {cluster.region}",
            expected=cluster.region,
            hint="name a network of the cluster's region, or drop database.rds.vpc",
            related=((("cluster", "region"), "the cluster's region"),),
        )


def rds_subnet_twice(site: Site) -> Iterator[Finding]:
    """A subnet or security group stands twice in `database.rds.vpc`.

    *Why:* CloudFormation refuses the list, and two names for one subnet are not two availability zones.

    *Instead:* name each once.
    """
    rds = site.database.rds
    if rds is None or rds.vpc is None:
        return
    for name, ids in (("subnets", rds.vpc.subnets), ("allowFrom", rds.vpc.allow_from)):
        for index, each in enumerate(ids):
            if each in ids[:index]:
                yield Finding(
                    loc=(*_RDS, "vpc", name, index),
                    message=f"'{each}' is named twice",
                    hint="drop this one",
                    related=(((*_RDS, "vpc", name, ids.index(each)), "first named here"),),
                )


def rds_engine_version(site: Site) -> Iterator[Finding]:
    """RDS makes no new instances of this PostgreSQL version, or this jhecfg does not know it.

    *Why:* RDS retires minor versions: 17.4 can no longer be created, though it still runs.

    *Instead:* the newest minor version of the major that you want.
    """
    rds = site.database.rds
    if rds is None:
        return
    major, minor = (int(part) for part in rds.engine_version.split("."))
    oldest, newest = CREATABLE.get(major, (0, -1))
    if oldest <= minor <= newest:
        return
    unknown = major > max(CREATABLE) or minor > newest >= 0
    words = "is unknown to this jhecfg" if unknown else "can no longer be created in RDS"
    yield Finding(
        loc=(*_RDS, "engineVersion"),
        message=f"PostgreSQL {rds.engine_version} {words}",
        expected=f"{major}.{oldest} to {major}.{newest}" if newest >= 0 else f"{min(CREATABLE)} to {max(CREATABLE)}",
        hint=f'use "{major}.{newest}"' if newest >= 0 else f'use "{DEFAULT_VERSION}"',
        severity=Severity.WARNING if unknown else Severity.ERROR,
    )


def rds_instance_class(site: Site) -> Iterator[Finding]:
    """The instance class is not of a family that RDS offers for these PostgreSQL versions.

    *Why:* db.t2, db.m4 and older cannot be created any more, and CloudFormation says so only after the rest is made.

    *Instead:* db.t4g for small sites, db.m7g or db.r7g for others.
    """
    rds = site.database.rds
    if rds is not None and rds.instance_class.split(".")[1] not in FAMILIES:
        yield Finding(
            loc=(*_RDS, "instanceClass"),
            message=f"'{rds.instance_class}' is not a class for PostgreSQL that this jhecfg knows",
            expected=f"a family of: {', '.join(sorted(FAMILIES))}",
            hint="use db.t4g.medium or db.m7g.large",
            severity=Severity.WARNING,
        )


def rds_storage(site: Site) -> Iterator[Finding]:
    """`maxStorageGiB` is less than 1.1 times `storageGiB`.

    *Why:* RDS wants room of a tenth at least before it lets storage grow, and refuses the template otherwise.

    *Instead:* raise `maxStorageGiB`; it costs nothing until it is used.
    """
    rds = site.database.rds
    if rds is not None and rds.max_storage_gib * 10 < rds.storage_gib * 11:
        least = -(-rds.storage_gib * 11 // 10)
        yield Finding(
            loc=(*_RDS, "maxStorageGiB"),
            message="the storage has no room to grow",
            found=f"{rds.max_storage_gib} GiB for {rds.storage_gib} GiB allocated",
            expected=f"{least} GiB or more",
            hint=f"set maxStorageGiB to {least} or more",
        )


def rds_name(site: Site) -> Iterator[Finding]:
    """A database or user name that RDS for PostgreSQL refuses.

    *Why:* names start with a letter, and key words, `pg_…` and `rds…` are taken.

    *Instead:* another name.
    """
    rds = site.database.rds
    if rds is None:
        return
    names: tuple[tuple[Loc, str], ...] = (
        (("database", "name"), site.database.name),
        (("database", "user"), site.database.user),
        ((*_RDS, "masterUser"), rds.master_user),
    )
    for loc, name in names:
        if name in _RESERVED or name.startswith(("pg_", "rds")) or not _NAME.fullmatch(name):
            yield Finding(
                loc=loc,
                message=f"'{name}' is not a name that RDS for PostgreSQL takes",
                expected="a letter, then letters, digits and '_'; not a key word, not pg_… or rds…",
                hint="use another name, such as jhe",
            )


def application_is_master(site: Site) -> Iterator[Finding]:
    """The application logs in as RDS's master user.

    *Why:* RDS changes that password every seven days, and JHE reads its password once, at the start; the master user
    may also drop every database of the instance.

    *Instead:* a user of its own; RUNBOOK.md has the step that makes it.
    """
    rds = site.database.rds
    if rds is not None and rds.master_user == site.database.user:
        yield Finding(
            loc=("database", "user"),
            message=f"'{site.database.user}' is the RDS master user, whose password RDS changes every seven days",
            hint="give database.user another name than database.rds.masterUser",
            related=(((*_RDS, "masterUser"), "the master user"),),
        )


def rds_host(site: Site) -> Iterator[Finding]:
    """`database.host` cannot be the instance that `database.rds` describes.

    *Why:* the instance is made in the network's region, and its certificate carries RDS's own name only.

    *Instead:* after the stack is made, let `jhecfg import rds` write its endpoint into `database.host`.
    """
    rds = site.database.rds
    if rds is None or not rds.region:
        return
    found = rds_region(site.database.host)
    if found != rds.region:
        yield Finding(
            loc=("database", "host"),
            message="the host is not an RDS endpoint in the region of database.rds",
            found=found or "a name outside rds.amazonaws.com",
            expected=f"<instance>.<id>.{rds.region}.rds.amazonaws.com",
            hint="let `jhecfg import rds` write the endpoint of the CloudFormation stack here",
            severity=Severity.WARNING,
        )


def rds_single_zone(site: Site) -> Iterator[Finding]:
    """In production the database has no standby.

    *Why:* a failed zone, and every maintenance, is then an outage of everything.

    *Instead:* `multiAz: true`.
    """
    rds = _in_production(site)
    if rds is not None and not rds.multi_az:
        yield Finding(
            loc=(*_RDS, "multiAz"),
            message="the database has no standby in another zone",
            hint="set multiAz to true",
            severity=Severity.WARNING,
        )


def rds_deletion_protection(site: Site) -> Iterator[Finding]:
    """In production the database may be deleted with its stack.

    *Instead:* leave `deletionProtection` on; switch it off on the day that the site ends.
    """
    rds = _in_production(site)
    if rds is not None and not rds.deletion_protection:
        yield Finding(
            loc=(*_RDS, "deletionProtection"),
            message="nothing keeps the database from being deleted",
            hint="set deletionProtection to true",
            severity=Severity.WARNING,
        )


def rds_few_backups(site: Site) -> Iterator[Finding]:
    """In production backups are kept for less than a week.

    *Why:* damage is often seen after a weekend.

    *Instead:* 7 days or more; 14 is the default.
    """
    rds = _in_production(site)
    if rds is not None and rds.backup_days < 7:
        yield Finding(
            loc=(*_RDS, "backupDays"),
            message=f"backups are kept for {rds.backup_days} day(s)",
            expected="7 or more",
            hint="set backupDays to 14",
            severity=Severity.WARNING,
        )


def _in_production(site: Site) -> Rds | None:
    return site.database.rds if site.environment == _PRODUCTION else None
