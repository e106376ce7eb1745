"""The runbook's secrets: made in a private folder, moved to where they live, never on a command line or in git."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.runbook_prepare import stack_output
from jhecfg.render.steps import bash, code, command, identifier, one_line, quote, step, table, text
from jhecfg.site import Cluster, Database, ExternalSecrets, Rds, SecretItem, SecretNeed, Site

# What turns `key=file` pairs into the JSON document of AWS Secrets Manager; a constant, like all code here.
TO_JSON = (
    'import json, pathlib, sys; pairs = [arg.split("=", 1) for arg in sys.argv[1:]]; '
    "print(json.dumps({key: pathlib.Path(file).read_text() for key, file in pairs}))"
)


def secrets(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how every secret of the site is made, and where it goes."""
    owned = [need for need in site.secrets if need.owned]
    yield table(("Secret", "key", "what it is", "made by"), _rows(site))
    yield _namespaces(files)
    yield from _ca_bundle(site)
    yield step(
        "Make the values, in one terminal, in a folder that only you can read. Keep a copy where your organization keeps"
        " passwords: whoever loses `jhe-exchange` or a hub's keys logs everybody out.",
        bash("umask 077", 'work="$(mktemp -d)"', *(line for need in owned for line in _made(need))),
    )
    if any(item.recipe.startswith("openssl genpkey") for need in owned for item in need.items):
        yield step("The RSA key is one.", bash(*_rsa_checks(owned)))
    yield from _stored(site, owned)
    if site.database.rds is not None and site.cluster is not None:
        yield _role(site, site.database, site.database.rds, site.cluster, files)
    yield step("Remove the folder.", bash('rm -rf -- "$work"', "unset work"))
    yield from _others(site)


def _rows(site: Site) -> Iterator[tuple[str, str, str, str]]:
    for need in site.secrets:
        for item in need.items:
            made = "you, elsewhere" if not need.owned else "a command below" if item.recipe else "you type it"
            yield code(f"{need.namespace}/{need.name}"), code(item.key), text(item.purpose), made


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


def value_file(need: SecretNeed, item: SecretItem) -> str:
    """Return the shell word for the file of one value."""
    return '"$work"/' + quote(f"{need.namespace}.{need.name}.{item.key}")


def _made(need: SecretNeed) -> Iterator[str]:
    for item in need.items:
        file = value_file(need, item)
        if item.recipe:
            yield f"{item.recipe} > {file}"
        else:
            prompt = quote(f"{one_line(item.purpose)}: ")
            yield f"IFS= read -rsp {prompt} value && printf '%s' \"$value\" > {file}; unset value; echo"


def _rsa_checks(owned: list[SecretNeed]) -> Iterator[str]:
    for need in owned:
        for item in need.items:
            if item.recipe.startswith("openssl genpkey"):
                yield f"openssl rsa -in {value_file(need, item)} -check -noout"


def _stored(site: Site, owned: list[SecretNeed]) -> Iterator[str]:
    source = site.external_secrets
    if source is not None:
        lines = [line for need in owned for line in _to_aws(need, source)]
        yield step(
            f"Put them into AWS Secrets Manager, below {code(source.prefix + '/')}; External Secrets brings them into the"
            " cluster. A name that is taken is left alone, with an error."
            + ("" if site.cluster else f" Its AWS identity must be allowed to read {code(source.prefix + '/*')}."),
            bash(*lines),
        )
        return
    yield step(
        "Put them into the cluster. A Secret that exists already is left alone, with an error.",
        bash(*(create_command(need) for need in owned)),
    )


def create_command(need: SecretNeed) -> str:
    """Return the command that makes a Secret from the files of its values."""
    values = [f"--from-file={quote(item.key)}={value_file(need, item)}" for item in need.items]
    return command("kubectl --namespace", quote(need.namespace), "create secret generic", quote(need.name), *values)


def remote_name(need: SecretNeed, source: ExternalSecrets) -> str:
    """Return the name under which AWS Secrets Manager keeps a Secret."""
    return f"{source.prefix}/{need.namespace}/{need.name}"


def json_file(need: SecretNeed) -> str:
    """Return the shell word for the file of a whole Secret."""
    return '"$work"/' + quote(f"{need.namespace}.{need.name}.json")


def to_json(need: SecretNeed) -> str:
    """Return the command that gathers the values of a Secret into one document."""
    values = [f"{quote(item.key)}={value_file(need, item)}" for item in need.items]
    return " \\\n  ".join((f"python3 -c {quote(TO_JSON)}", *values)) + f" > {json_file(need)}"


def _to_aws(need: SecretNeed, source: ExternalSecrets) -> Iterator[str]:
    yield to_json(need)
    yield command(
        "aws secretsmanager create-secret",
        "--region",
        quote(source.region),
        "--name",
        quote(remote_name(need, source)),
        "--secret-string",
        f"file://{json_file(need)}",
    )


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

# The passwords come in on standard input, one a line, before the SQL: no process list ever shows them.
READ_PASSWORDS = (
    "IFS= read -r PGPASSWORD; IFS= read -r APP_PASSWORD; export PGPASSWORD APP_PASSWORD; "
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


def _role(site: Site, db: Database, rds: Rds, cluster: Cluster, files: frozenset[str]) -> str:
    pod = quote(f"{site.name}-psql")
    need, item = next(
        (need, item)
        for need in site.secrets
        for item in need.items
        if (need.name, item.key) == (db.password.name, db.password.key)
    )
    password = value_file(need, item) if need.owned else '"$work"/app-password'
    ask = (
        []
        if need.owned
        else [
            f"IFS= read -rsp 'application password: ' value && printf '%s' \"$value\" > {password}; unset value; echo"
        ]
    )
    tls = [f"PGSSLMODE={quote(db.ssl_mode)}", *(["PGSSLROOTCERT=/tmp/ca.pem"] if db.ca else [])]
    image = f"docker.io/library/postgres:{rds.engine_version.split('.')[0]}"
    return step(
        f"Make the application's own database user {code(db.user)}, not the master user, whose password RDS changes every"
        " week. The database is private, so psql runs in the cluster for the moment.",
        bash(
            *ask,
            command(
                "kubectl --namespace default run",
                pod,
                f"--image={quote(image)}",
                "--restart=Never --command -- sleep 3600",
            ),
            f"kubectl --namespace default wait --for=condition=Ready --timeout=5m pod/{pod}",
            *_ca_file(site, db, pod, files),
            f'master="$({stack_output(cluster, rds, "MasterSecretArn")})"',
            "{",
            "  "
            + command(
                f'aws secretsmanager get-secret-value --region {quote(cluster.region)} --secret-id "$master"',
                "--query SecretString",
                "--output text |",
            ),
            f"    python3 -c {quote(PASSWORD_OF)}",
            f"  cat {password}; echo",
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
