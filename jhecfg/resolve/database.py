"""The database: connection, CA certificates, RDS instance."""

from __future__ import annotations

from jhecfg.diagnostics import Finding
from jhecfg.rds_ca import rds_ca_for
from jhecfg.resolve.problems import Problems
from jhecfg.resolve.secrets import secret_key_of
from jhecfg.site import CaBundle, Certificate, Database, Rds, Vpc
from jhecfg.spec import SiteSpec


def database_of(spec: SiteSpec, problems: Problems) -> Database:
    """Resolve the database; its server must be one whose certificates can be checked."""
    db = spec.database
    return Database(
        host=db.host,
        port=db.port,
        name=db.name,
        user=db.user,
        ssl_mode=db.ssl_mode,
        ca=_database_ca(spec, problems),
        password=secret_key_of(db.password_from, "jhe-database", "password"),
        rds=_rds(spec),
    )


def _rds(spec: SiteSpec) -> Rds | None:
    rds = spec.database.rds
    if rds is None:
        return None
    own = {name: getattr(rds, name) for name in type(rds).model_fields if name != "vpc"}
    vpc = rds.vpc
    return Rds(
        stack=f"{spec.site}-database",
        region=vpc.region if vpc else spec.cluster.region if spec.cluster else "",
        vpc=Vpc(id=vpc.id, subnets=vpc.subnets, allow_from=vpc.allow_from) if vpc else None,
        **own,
    )


def _database_ca(spec: SiteSpec, problems: Problems) -> CaBundle | None:
    db = spec.database
    if db.ssl_mode not in ("verify-ca", "verify-full"):
        return None
    if db.ca_config_map is not None:
        return CaBundle(config_map=db.ca_config_map, pem="", certificates=())
    bundle = rds_ca_for(db.host)
    if bundle is None:
        problems.add(
            "database-ca",
            Finding(
                loc=("database", "host"),
                message=f"jhecfg has no CA certificates for this server, and sslMode {db.ssl_mode} needs them",
                hint="put them into a ConfigMap under the key ca.pem and name it in database.caConfigMap",
            ),
        )
        return None
    return CaBundle(
        config_map="database-ca",
        pem=bundle.pem,
        certificates=tuple(Certificate(subject=subject, not_after=day) for subject, day in bundle.certificates),
    )
