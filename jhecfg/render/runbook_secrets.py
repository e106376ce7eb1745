"""The runbook's secrets: made into a file outside git, moved to where they live, never on a command line."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.runbook_prepare import SPEC, spec_bash, spec_line, stack_output
from jhecfg.render.runbook_sealed import sealed
from jhecfg.render.steps import bash, code, command, identifier, quote, step, table, text, words
from jhecfg.site import Database, ExternalSecrets, Rds, SecretItem, SecretNeed, Site


def secrets(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how every secret of the site is made, and where it goes."""
    yield table(("Secret", "key", "what it is", "who reads it", "made by"), _rows(site))
    if _goes_there_by_hand(site):
        yield _namespaces(files)
    yield from _ca_bundle(site)
    yield step(
        "Make the values. The file that this names is yours alone, and git does not see it; you are asked for what only"
        " you know. Keep a copy where your organization keeps passwords: whoever loses `jhe-exchange` or a hub's keys logs"
        " everybody out.",
        spec_bash(site, f"jhecfg secrets init {SPEC}"),
    )
    yield from _stored(site)
    if site.database.rds is not None:
        yield _role(site, site.database, site.database.rds, files)
    yield from _others(site)


def full_name(need: SecretNeed, item: SecretItem) -> str:
    """Return the name by which the commands know a value."""
    return f"{need.namespace}/{need.name}/{item.key}"


def _rows(site: Site) -> Iterator[tuple[str, str, str, str, str]]:
    for need in site.secrets:
        for item in need.items:
            ours = "you type it" if item.form == "given" else "`init`"
            made = ours if item in need.own_items else _elsewhere(item)
            readers = words(map(code, item.consumers))
            yield code(f"{need.namespace}/{need.name}"), code(item.key), text(item.purpose), readers, made


def _elsewhere(item: SecretItem) -> str:
    return f"AWS, as {code(item.remote.name)}" if item.remote else "you, elsewhere"


def _goes_there_by_hand(site: Site) -> bool:
    """Whether a step of this section puts something into a namespace, before what is delivered makes it."""
    ca, foreign = site.database.ca, any(not need.owned for need in site.secrets)
    return (
        site.secrets_backend == "existing"
        or foreign
        or bool(site.image.pull_secrets)
        or (ca is not None and not ca.pem)
    )


def _namespaces(files: frozenset[str]) -> str:
    paths = sorted(path for path in files if path.startswith("manifests/20-config/namespace"))
    options = [f"--filename {quote(path)}" for path in paths]
    return step("Make the namespaces.", bash(command("kubectl apply --server-side", *options)))


def _ca_bundle(site: Site) -> Iterator[str]:
    ca = site.database.ca
    if ca is not None and not ca.pem:
        yield step(
            "Bring the CA certificates of the database server; they lie in a file `ca.pem`, and are no secret.",
            bash(
                command(
                    f"kubectl --namespace {quote(site.namespace)} create configmap",
                    quote(ca.config_map),
                    "--from-file=ca.pem",
                )
            ),
        )


def _stored(site: Site) -> Iterator[str]:
    source = site.external_secrets
    if site.sealing is not None:
        yield from sealed(site, site.sealing)
    elif source is not None:
        yield step(
            f"Put them into AWS Secrets Manager, below {code(source.prefix + '/')}; External Secrets brings them into the"
            " cluster. What is there already is left alone."
            + (
                "" if site.cluster else f" Its AWS identity must be allowed to read {words(_read_there(site, source))}."
            ),
            spec_bash(site, f"jhecfg secrets apply {SPEC}"),
        )
    else:
        yield step(
            "Put them into the cluster. What is there already is left alone.",
            spec_bash(site, f"jhecfg secrets apply {SPEC}"),
        )


def _read_there(site: Site, source: ExternalSecrets) -> Iterator[str]:
    yield code(f"{source.prefix}/*")
    remote = dict.fromkeys(item.remote.name for need in site.secrets for item in need.items if item.remote)
    yield from map(code, remote)


def _others(site: Site) -> Iterator[str]:
    foreign = [need for need in site.secrets if not need.owned]
    if foreign:
        keys = '{{range $key, $value := .data}}{{$key}}{{"\\n"}}{{end}}'
        lines = [
            command(
                "kubectl --namespace",
                quote(n.namespace),
                "get secret",
                quote(n.name),
                f"--output go-template={quote(keys)}",
            )
            for n in foreign
        ]
        yield step("The Secrets that the spec brings itself exist, with the keys of the table.", bash(*lines))
    for name in site.image.pull_secrets:
        yield step(
            f"The registry's Secret {code(name)} exists; if not, make it from a docker configuration that can log in.",
            bash(
                command(
                    "kubectl --namespace",
                    quote(site.namespace),
                    "create secret generic",
                    quote(name),
                    "--type=kubernetes.io/dockerconfigjson",
                    '--from-file=.dockerconfigjson="$HOME/.docker/config.json"',
                )
            ),
        )


# --- the application's own database user --------------------------------------------------------------------------------

# The passwords come in on standard input, one a line, before the SQL: no process list ever shows them. Where one could
# not be read, nothing happens: an empty password would lock the application out.
READ_PASSWORDS = (
    "IFS= read -r PGPASSWORD; IFS= read -r APP_PASSWORD; export PGPASSWORD APP_PASSWORD; "
    ': "${PGPASSWORD:?} ${APP_PASSWORD:?}"; '
    'exec psql --no-psqlrc --set=ON_ERROR_STOP=1 "$@"'
)
PASSWORD_OF = 'import json, sys; print(json.load(sys.stdin)["password"])'  # noqa: S105 - a program, no password


def role_sql(db: Database) -> str:
    """Return the SQL that makes the application's user and gives it its database; it may run again."""
    role, name, literal = identifier(db.user), identifier(db.name), db.user.replace("'", "''")
    return "\n".join(
        (
            "\\getenv app_password APP_PASSWORD",
            f"SELECT 'CREATE ROLE {role} LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{literal}') \\gexec",  # noqa: S608 - names that the spec restricts to [a-z0-9_]
            f"ALTER ROLE {role} LOGIN PASSWORD :'app_password';",
            f"GRANT {role} TO CURRENT_USER;",
            f"ALTER DATABASE {name} OWNER TO {role};",
        )
    )


def _role(site: Site, db: Database, rds: Rds, files: frozenset[str]) -> str:
    pod = quote(f"{site.name}-psql")
    need, item = next(
        (need, item)
        for need in site.secrets
        for item in need.items
        if (need.name, item.key) == (db.password.name, db.password.key)
    )
    if item in need.own_items:
        first, password = spec_line(site), f"jhecfg secrets show {SPEC} {quote(full_name(need, item))}; echo"
    else:
        first, password = "IFS= read -rsp 'application password: ' password; echo", "printf '%s\\n' \"$password\""
    tls = [f"PGSSLMODE={quote(db.ssl_mode)}", *(["PGSSLROOTCERT=/tmp/ca.pem"] if db.ca else [])]
    image = f"docker.io/library/postgres:{rds.engine_version.split('.')[0]}"
    return step(
        f"Make the application's own database user {code(db.user)}, not the master user, whose password RDS changes every"
        " week. The database is private, so psql runs in the cluster for the moment.",
        bash(
            first,
            command(
                "kubectl --namespace default run",
                pod,
                f"--image={quote(image)}",
                "--restart=Never --command -- sleep 3600",
            ),
            f"kubectl --namespace default wait --for=condition=Ready --timeout=5m pod/{pod}",
            *_ca_file(site, db, pod, files),
            f'master="$({stack_output(rds, "MasterSecretArn")})"',
            "{",
            "  "
            + command(
                f'aws secretsmanager get-secret-value --region {quote(rds.region)} --secret-id "$master"',
                "--query SecretString",
                "--output text |",
            ),
            f"    python3 -c {quote(PASSWORD_OF)}",
            f"  {password}",
            "  cat <<'SQL'",
            role_sql(db),
            "SQL",
            "} | "
            + command(
                f"kubectl --namespace default exec --stdin {pod} -- env {' '.join(tls)} sh",
                f"-c {quote(READ_PASSWORDS)} sh",
                f"--host={quote(db.host)}",
                f"--port={db.port}",
                f"--username={quote(rds.master_user)}",
                f"--dbname={quote(db.name)}",
            ),
            f"kubectl --namespace default delete pod {pod}",
            *([] if item in need.own_items else ["unset password"]),
        ),
    )


def _ca_file(site: Site, db: Database, pod: str, files: frozenset[str]) -> Iterator[str]:
    if db.ca is None:
        return
    jsonpath = "--output=jsonpath='{.data.ca\\.pem}'"
    path = "manifests/20-config/configmap-database-ca.yaml"
    if path in files:
        read = f"kubectl create --dry-run=client {jsonpath} --filename {path}"
    else:
        read = f"kubectl --namespace {quote(site.namespace)} get configmap {quote(db.ca.config_map)} {jsonpath}"
    yield f"{read} |\n  kubectl --namespace default exec --stdin {pod} -- sh -c 'cat > /tmp/ca.pem'"
