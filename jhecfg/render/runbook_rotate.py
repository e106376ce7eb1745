"""The runbook's page of secrets that change: what each change does, and the commands for where it lives."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.runbook_secrets import json_file, remote_name, to_json, value_file
from jhecfg.render.steps import bash, code, command, quote, step, table, text
from jhecfg.site import SecretItem, SecretNeed, Site


def rotate(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say what changing each secret does, and how."""
    owned = [need for need in site.secrets if need.owned]
    if not owned:
        return
    yield table(("Secret", "key", "what a new value does", "then restart"), _effects(site, owned))
    need = owned[0]
    item = need.items[0]
    yield step(
        f"Make the new value; here it is {code(f'{need.namespace}/{need.name}')}, {code(item.key)}. “Secrets” has the command for"
        " each of the others.",
        bash("umask 077", 'work="$(mktemp -d)"', _make(need, item)),
    )
    yield step("Put it in the place of the old one; the Secret's other keys stay.", bash(*_replace(site, need, item)))
    yield step(
        "Restart what the table says, and go through “Check”.",
        bash(f"kubectl --namespace {quote(site.namespace)} rollout restart deployment/exchange", 'rm -rf -- "$work"'),
    )


def _make(need: SecretNeed, item: SecretItem) -> str:
    if item.recipe:
        return f"{item.recipe} > {value_file(need, item)}"
    return f"IFS= read -rsp 'new value: ' value && printf '%s' \"$value\" > {value_file(need, item)}; unset value; echo"


# Merges one file's content into a Secret, base64 as Kubernetes wants it.
PATCH = (
    "import base64, json, pathlib, sys; key, file = sys.argv[1:]; "
    'print(json.dumps({"data": {key: base64.b64encode(pathlib.Path(file).read_bytes()).decode()}}))'
)


def _replace(site: Site, need: SecretNeed, item: SecretItem) -> Iterator[str]:
    source = site.external_secrets
    namespace, name = quote(need.namespace), quote(need.name)
    if source is None:
        yield f'python3 -c {quote(PATCH)} {quote(item.key)} {value_file(need, item)} > "$work"/patch.json'
        yield command(
            "kubectl --namespace", namespace, "patch secret", name, "--type=merge", '--patch-file="$work"/patch.json'
        )
        return
    for other in need.items:
        if other is not item:
            template = '{{index .data "' + other.key + '" | base64decode}}'
            yield command(
                "kubectl --namespace",
                namespace,
                "get secret",
                name,
                f"--output=go-template={quote(template)}",
                f"> {value_file(need, other)}",
            )
    yield to_json(need)
    yield command(
        "aws secretsmanager put-secret-value",
        f"--region {quote(source.region)}",
        f"--secret-id {quote(remote_name(need, source))}",
        f"--secret-string file://{json_file(need)}",
    )
    yield command(
        "kubectl --namespace", namespace, "annotate externalsecret", name, "--overwrite", 'force-sync="$(date +%s)"'
    )


def _effects(site: Site, owned: list[SecretNeed]) -> Iterator[tuple[str, str, str, str]]:
    for need in owned:
        for item in need.items:
            effect, restart = _effect(site, need, item)
            yield code(f"{need.namespace}/{need.name}"), code(item.key), effect, restart


def _database_effect(site: Site) -> str:
    if site.database.rds is not None:
        return "connections fail until the database has it too: the step of “Secrets” that makes its user tells it"
    return "connections fail until the database has it too: `ALTER ROLE … PASSWORD`, at the same time"


def _effect(site: Site, need: SecretNeed, item: SecretItem) -> tuple[str, str]:
    ex = site.exchange
    app, job = code("deployment/exchange"), "nothing: write a new word into the spec's `rerun`"
    known = {
        ex.secret_key: ("everybody signs in to the Exchange again", app),
        ex.oidc_key: ("tokens signed before are refused; everybody signs in again, at the hubs too", app),
        site.database.password: (_database_effect(site), app),
        ex.admin_password: ("nothing, once the superuser exists: change the password in the Exchange", "nothing"),
        ex.invite_code: ("the old code ends at the next run of the bootstrap Job", job),
        **({ex.smtp.password: ("mail fails until the mail server has it too", app)} if ex.smtp else {}),
        **({ex.wearables.api_key: ("polling fails until Open Wearables has it too", app)} if ex.wearables else {}),
    }
    if ex.mcp:
        mcp = code("deployment/mcp")
        known[ex.mcp.client_secret] = ("AI clients fail until the bootstrap Job has run (`rerun`)", mcp)
        known[ex.mcp.broker_key] = ("AI clients sign in again", mcp)
    for ref, effect in known.items():
        if need.namespace == site.namespace and (ref.name, ref.key) == (need.name, item.key):
            return effect
    hub_pods = f"{code('deployment/hub')} and {code('deployment/proxy')} in {code(need.namespace)}"
    if "CryptKeeper" in item.key:
        return "people log in to the hub again; write `new;old` to spare them that", hub_pods
    if "ConfigurableHTTPProxy" in item.key:
        return "hub and proxy lose each other until both are restarted", hub_pods
    if "cookie" in item.key:
        return "everybody logs in to the hub again", hub_pods
    return text(item.purpose), hub_pods
