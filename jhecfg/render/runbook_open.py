"""The runbook of opening the doors: DNS, certificates, checks, the first login, the hubs."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.edge import BLOCKED, HSTS
from jhecfg.render.picture import entry
from jhecfg.render.runbook_deliver import helm_command
from jhecfg.render.runbook_jobs import job_log, jobs_command
from jhecfg.render.steps import bash, code, command, quote, step, table, text, words
from jhecfg.render.units import Unit, hub_units
from jhecfg.site import LETSENCRYPT, Hub, SecretKey, Site

# --- DNS and certificates ---------------------------------------------------------------------------------------------


def dns(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say which names lead where."""
    hosts = [host for host, _ in site.hosts]
    if site.edge.controller == "none":
        yield _own_edge(site, hosts)
    else:
        yield step(
            "This prints the load balancer's name, some minutes after the edge came up.", bash(address_command(site))
        )
        if site.edge.external_dns:
            log = "kubectl --namespace external-dns logs deployment/external-dns --tail=50"
            allowed = (
                ""
                if site.cluster
                else " Its AWS identity must be allowed to list the zones, and to change records in"
                f" {words(map(code, site.edge.dns_zones))}."
            )
            yield step(f"external-dns writes the records; its log says so.{allowed}", bash(log))
        else:
            rows = ((code(host), "CNAME", "the load balancer's name") for host in hosts)
            yield step(
                "Write these records, where your organization keeps its DNS.", table(("name", "type", "value"), rows)
            )
    yield from _apex(site, hosts)
    check = "import socket, sys; [print(host, socket.gethostbyname(host)) for host in sys.argv[1:]]"
    yield step("Every name resolves.", bash(command(f"python3 -c {quote(check)}", *(quote(host) for host in hosts))))


def _own_edge(site: Site, hosts: list[str]) -> str:
    mcp = site.exchange.mcp
    others = [
        *([(mcp.domain, f"mcp.{site.namespace}.svc")] if mcp else []),
        *((hub.domain, f"proxy-public.{hub.namespace}.svc") for hub in site.cluster_hubs),
    ]
    rest = "".join(f"; {code(host)} to {code(service)}, port 80" for host, service in others)
    return step(
        f"Your own edge serves {words(code(host) for host in hosts)}. It ends TLS, sets `X-Forwarded-Proto: https`, drops"
        f" the client's own `X-Forwarded-Host`, answers nothing below {code(BLOCKED)} (however a client spells it:"
        f" {code(OTHER_SPELLING)} is the same to JHE), and sends {code(site.domain)} to"
        f" {code(f'exchange.{site.namespace}.svc')}, port 80{rest}."
    )


def address_command(site: Site) -> str:
    """Return the command that prints the name of the load balancer."""
    if site.edge.controller == "envoy-gateway":
        path = "{.status.addresses[*].value}"
        return command(
            "kubectl --namespace",
            quote(site.edge.namespace),
            "get gateway",
            quote(site.edge.gateway),
            f"--output=jsonpath={quote(path)}",
        )
    path = "{.status.loadBalancer.ingress[*].hostname}"
    return command(
        "kubectl --namespace", quote(site.namespace), "get ingress exchange", f"--output=jsonpath={quote(path)}"
    )


def _apex(site: Site, hosts: list[str]) -> Iterator[str]:
    apex = [host for host in hosts if host.count(".") == 1 or host in site.edge.dns_zones]
    if apex:
        yield (
            f"> {words(code(host) for host in apex)}: the name of a whole zone cannot be a CNAME. If it is one, use the"
            " alias record of your DNS provider (Route 53: A, alias)."
        )


def certificates(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say when the certificates are there, or who brings them."""
    if site.edge.controller == "none" or not site.edge.own_gateway:
        return
    if site.edge.issuer is None:
        yield step("No issuer: bring a certificate and its key for each name.", bash(*_own_certificates(site)))
        return
    if site.edge.acme_server == LETSENCRYPT["letsencrypt-staging"]:
        yield (
            "> These come from Let's Encrypt's staging server: browsers warn, `curl` wants `--insecure`, and hubs refuse to"
            " log anybody in. Once the pages open, set `ingress.issuer: letsencrypt` in the spec and build again."
        )
    lines = [
        command(
            "kubectl --namespace",
            quote(namespace),
            "wait --for=condition=Ready --timeout=15m",
            f"certificate/{quote(secret)}",
        )
        for _, secret, namespace in _tls(site)
    ]
    yield step("Once DNS leads here, cert-manager gets the certificates by itself, within minutes.", bash(*lines))


def _tls(site: Site) -> Iterator[tuple[str, str, str]]:
    """Yield (host, TLS Secret, its namespace): beside the Gateway, or beside the Ingress."""
    hubs = {hub.domain: hub.namespace for hub in site.cluster_hubs}
    for host, secret in site.hosts:
        at_gateway = site.edge.controller == "envoy-gateway"
        yield host, secret, site.edge.namespace if at_gateway else hubs.get(host, site.namespace)


def _own_certificates(site: Site) -> Iterator[str]:
    for host, secret, namespace in _tls(site):
        yield command(
            "kubectl --namespace",
            quote(namespace),
            "create secret tls",
            quote(secret),
            f"--cert={quote(host + '.crt')}",
            f"--key={quote(host + '.key')}",
        )


# --- what is true afterwards ------------------------------------------------------------------------------------------

OTHER_SPELLING = BLOCKED.replace("a", "%61", 1)
_CURL = "curl --fail --silent --show-error"
_STATUS = "curl --silent --output /dev/null --write-out '%{http_code}\\n'"
_ONE_KEY = 'import json, sys; keys = json.load(sys.stdin)["keys"]; sys.exit([key["kty"] for key in keys] != ["RSA"])'
_ISSUER = 'import json, sys; sys.exit(json.load(sys.stdin)["issuer"] != sys.argv[1])'


def check(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how to see that the site works; each line is silent or prints what it found, and fails aloud."""
    url = quote(site.exchange.url)
    yield step("The Exchange answers, with its version.", bash(f"{_CURL} {url}/health; echo"))
    keys = f"{_CURL} {url}/o/.well-known/jwks.json | python3 -c {quote(_ONE_KEY)} && echo one RSA key"
    yield step(
        "It has exactly one signing key. None, or an error 500, means that `oidc-rsa-private-key` is not a PEM file.",
        bash(keys),
    )
    issuer = quote(f"{site.exchange.url}/o")
    discovery = f"{_CURL} {url}/o/.well-known/openid-configuration | python3 -c {quote(_ISSUER)} {issuer} && echo issuer is right"
    yield step("It knows its own public address, with https.", bash(discovery))
    if site.edge.controller != "none":
        status = "404" if site.edge.controller == "envoy-gateway" else "403"
        yield step(
            f"Nobody can register OAuth applications from outside, however they spell the address: this prints {status} twice.",
            bash(*(f"{_STATUS} {url}{path}/" for path in (BLOCKED, OTHER_SPELLING))),
        )
        yield step(
            f"Browsers are told to keep to https: this prints a line with {code(HSTS)}.",
            bash(f"{_CURL} --output /dev/null --dump-header - {url}/health | grep -i '^strict-transport-security'"),
        )
    if site.exchange.smoke_test:
        yield step(
            "The smoke test has looked at the rest: its newest Job is `Complete`, and the log has one line a check. A line that"
            " begins with `failed` is of an earlier try.",
            bash(jobs_command(site, "smoke-test"), job_log(site, "smoke-test")),
        )
    if site.exchange.mcp:
        yield step("The MCP server answers.", bash(f"{_CURL} {quote(site.exchange.mcp.url)}/health; echo"))


def login(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the first person gets in."""
    ex = site.exchange
    yield step(
        f"Sign in at <{ex.url}/accounts/login/> as {code(ex.admin_email)}. This shows the password, once, on your screen"
        " alone; then choose another in the Exchange: the bootstrap Job never sets it again.",
        bash(read_secret(site, ex.admin_password)),
    )
    yield step(
        "Whoever registers needs the invite code. Give it to those you invite, and to nobody else.",
        bash(read_secret(site, ex.invite_code)),
    )
    managers = [(org.name, email) for org in site.orgs for email in org.managers]
    if managers:
        yield step(
            "These people register first, verify their address, and become managers at the next run of the bootstrap Job (write a new word into"
            " the spec's `rerun`).",
            table(("organization", "manager"), ((text(name), code(email)) for name, email in managers)),
        )


def read_secret(site: Site, ref: SecretKey) -> str:
    """Return the command that shows one value of a Secret of the Exchange."""
    template = '{{index .data "' + ref.key + '" | base64decode}}{{"\\n"}}'
    return command(
        "kubectl --namespace",
        quote(site.namespace),
        "get secret",
        quote(ref.name),
        f"--output=go-template={quote(template)}",
    )


def hubs(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say for each hub how it comes up and who may enter."""
    units = {unit.release: unit for unit in hub_units(site)}
    for hub in site.hubs:
        yield f"### {text(hub.name)}"
        yield f"<{hub.url}>: for {text(entry(site, hub))}. OAuth client {code(hub.client_id)}, callback {code(hub.callback_url)}."
        if hub.external:
            yield step(
                f"Send the folder {code(f'hubs/{hub.name}/')} to the people who run the hub: {code(f'hubs/{hub.name}/README.md')}"
                " tells them what to do. Nothing in it is secret, and there is no client secret."
            )
        else:
            yield from _hub(site, hub, units[hub.name])


def _hub(site: Site, hub: Hub, unit: Unit) -> Iterator[str]:
    if site.gitops.engine == "none":
        yield step(f"Install it; its Secret {code('hub-secrets')} is there by now.", bash(helm_command(unit)))
    yield step(
        "It answers, and a member of the right organization gets a server. Somebody else does not.",
        bash(
            f"kubectl --namespace {quote(hub.namespace)} rollout status --timeout=10m deployment/hub",
            f"{_CURL} {quote(hub.url)}/hub/health; echo",
        ),
    )
