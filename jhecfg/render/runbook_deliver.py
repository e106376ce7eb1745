"""The runbook from the first object to the first login: charts, phases, engines, DNS, certificates, checks, hubs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.render.phases import WAVES
from jhecfg.render.picture import entry
from jhecfg.render.routes import BLOCKED, HSTS
from jhecfg.render.steps import bash, code, command, quote, step, table, text, words
from jhecfg.render.units import Unit, hub_units, platform_units
from jhecfg.site import LETSENCRYPT, Hub, SecretKey, Site

JOBS = {"30-migrate": "job-migrate.yaml", "40-bootstrap": "job-bootstrap.yaml"}


def deliver(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how the output reaches the cluster: by hand, or by handing it over once."""
    if site.gitops.engine == "argocd":
        yield from _argocd(site)
    elif site.gitops.engine == "flux":
        yield from _flux(site)
    else:
        yield from _by_hand(site, files)


# --- by hand ----------------------------------------------------------------------------------------------------------


def _by_hand(site: Site, files: frozenset[str]) -> Iterator[str]:
    for unit in platform_units(site):
        yield step(f"Install {code(unit.release)}.", bash(helm_command(unit)))
    for name in WAVES:
        if f"manifests/{name}/kustomization.yaml" in files:
            lines = [f"kubectl apply --server-side --kustomize manifests/{name}", *_waits(site, name, files)]
            yield step(f"Apply {code(name)}{_why(site, name)}.", bash(*lines))


def helm_command(unit: Unit) -> str:
    """Return the command that installs or upgrades a release."""
    return command(
        "helm upgrade --install",
        quote(unit.release),
        quote(unit.chart.reference),
        *([] if unit.is_oci else [f"--repo {quote(unit.chart.repository)}"]),
        f"--version {quote(unit.chart.version)}",
        f"--namespace {quote(unit.namespace)}",
        *(["--create-namespace"] if unit.own_namespace else []),
        f"--values {quote(unit.values_path)}",
        "--wait",
        "--timeout 10m",
    )


def _why(site: Site, name: str) -> str:
    return {
        "10-platform": ": what the cluster shares",
        "20-config": ": configuration, accounts, network policies",
        "30-migrate": ": the Job brings the database to this release's schema",
        "40-bootstrap": ": the Job makes the superuser, the OAuth applications, the organizations and the settings",
        "50-app": ": the Exchange itself",
        "60-routes": ": the edge",
    }[name]


def _waits(site: Site, name: str, files: frozenset[str]) -> Iterator[str]:
    """Yield what must be true before the next phase may come."""
    if name in JOBS:
        path, minutes = f"manifests/{name}/{JOBS[name]}", 35 if name == "30-migrate" else 20
        yield _wait("Complete", minutes, [path], files)
    elif name == "10-platform":
        yield _wait("Ready", 5, ["manifests/10-platform/clusterissuer.yaml"], files)
        yield _wait("Accepted", 5, ["manifests/10-platform/gatewayclass.yaml"], files)
    elif name == "20-config":
        yield _wait("Ready", 5, sorted(p for p in files if p.startswith("manifests/20-config/externalsecret-")), files)
    elif name == "50-app":
        for component in ("exchange", *(["mcp"] if site.exchange.mcp else [])):
            yield f"kubectl --namespace {quote(site.namespace)} rollout status --timeout=10m deployment/{component}"
    elif name == "60-routes":
        yield _wait("Programmed", 10, ["manifests/60-routes/gateway.yaml"], files)


def _wait(condition: str, minutes: int, paths: Iterable[str], files: frozenset[str]) -> str:
    present = [f"--filename {quote(path)}" for path in paths if path in files]
    return command(f"kubectl wait --for=condition={condition} --timeout={minutes}m", *present) if present else ""


# --- engines ----------------------------------------------------------------------------------------------------------


def _argocd(site: Site) -> Iterator[str]:
    repo = code(site.gitops.repo)
    yield step(
        "Argo CD (3.5 or later) runs in the namespace `argocd` of this cluster.",
        bash("kubectl get crd applications.argoproj.io appprojects.argoproj.io", "kubectl --namespace argocd get pods"),
    )
    yield step(
        f"This folder is committed and pushed to {repo}, {code(site.gitops.revision)}, as {code(site.gitops.path)}, and Argo"
        " CD can read that repository (Settings, Repositories)."
    )
    yield step(
        "Hand the site over, once, as an administrator of Argo CD.",
        bash(
            command(
                "kubectl apply --server-side",
                "--filename gitops/argocd/bootstrap/appproject-delivery.yaml",
                "--filename gitops/argocd/bootstrap/application-root.yaml",
            )
        ),
    )
    yield step(
        "Watch it come up: the charts, then the Exchange phase by phase (sync waves), then the hubs. An Application that"
        " comes too early is tried again for three quarters of an hour. Until DNS leads here, the certificates, and with"
        " them the Exchange's Application, are “Progressing”.",
        bash(
            command(
                "kubectl --namespace argocd get applications",
                f"--selector={quote('app.kubernetes.io/instance=' + site.name)}",
                "--watch",
            )
        ),
    )


def _flux(site: Site) -> Iterator[str]:
    yield step(
        "Flux runs in this cluster, in the namespace `flux-system`, with its helm-controller.",
        bash(
            "kubectl get crd kustomizations.kustomize.toolkit.fluxcd.io helmreleases.helm.toolkit.fluxcd.io",
            "kubectl --namespace flux-system get pods",
        ),
    )
    where = f"{code(site.gitops.repo)}, {code(site.gitops.revision)}, as {code(site.gitops.path)}"
    yield step(f"This folder is committed and pushed to {where}.")
    if not site.gitops.repo.startswith("https://"):
        name = code(f"{site.name}-git")
        yield step(
            f"Flux reads the repository over ssh with a deploy key: make the key pair, give the public half to the repository,"
            f" and put the private half into the Secret {name}.",
            bash(*_deploy_key(site)),
        )
    yield step(
        "Hand the site over, once.",
        bash(
            command(
                "kubectl apply --server-side",
                "--filename gitops/flux/gitrepository.yaml",
                "--filename gitops/flux/kustomization-site.yaml",
            )
        ),
    )
    yield step(
        "Watch it come up: the charts, then one phase after the other. Until DNS leads here, the certificates are not"
        " ready, and neither is the last phase.",
        bash(
            command(
                "kubectl --namespace flux-system get kustomizations.kustomize.toolkit.fluxcd.io,helmreleases.helm.toolkit.fluxcd.io",
                f"--selector={quote('app.kubernetes.io/instance=' + site.name)}",
            )
        ),
    )


def _deploy_key(site: Site) -> Iterator[str]:
    host = site.gitops.repo.removeprefix("ssh://").removeprefix("git@").split("/")[0].split(":")[0]
    yield "umask 077"
    yield 'key="$(mktemp -d)"'
    yield f'ssh-keygen -q -t ed25519 -N "" -C {quote(f"flux {site.name}")} -f "$key"/identity'
    yield f'ssh-keyscan {quote(host)} > "$key"/known_hosts  # compare with the fingerprints that the host publishes'
    yield 'cat "$key"/identity.pub'
    yield command(
        "kubectl --namespace flux-system create secret generic",
        quote(f"{site.name}-git"),
        '--from-file=identity="$key"/identity',
        '--from-file=identity.pub="$key"/identity.pub',
        '--from-file=known_hosts="$key"/known_hosts',
    )
    yield 'rm -rf -- "$key"'


# --- DNS and certificates ---------------------------------------------------------------------------------------------


def dns(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say which names lead where."""
    hosts = [host for host, _ in site.hosts]
    if site.edge.controller == "none":
        yield step(
            f"Your own edge serves {words(code(host) for host in hosts)}. It ends TLS, sets `X-Forwarded-Proto: https`, drops"
            f" the client's own `X-Forwarded-Host`, answers nothing below {code(BLOCKED)}, and sends the rest to"
            f" {code(f'exchange.{site.namespace}.svc')}, port 80"
            + "".join(
                f"; {code(hub.domain)} to {code(f'proxy-public.{hub.namespace}.svc')}, port 80"
                for hub in site.cluster_hubs
            )
            + "."
        )
    else:
        yield step(
            "This prints the load balancer's name, some minutes after the edge came up.", bash(_address_command(site))
        )
        if site.edge.external_dns:
            log = "kubectl --namespace external-dns logs deployment/external-dns --tail=50"
            yield step("external-dns writes the records; its log says so.", bash(log))
        else:
            rows = ((code(host), "CNAME", "the load balancer's name") for host in hosts)
            yield step(
                "Write these records, where your organization keeps its DNS.", table(("name", "type", "value"), rows)
            )
    yield from _apex(site, hosts)
    check = "import socket, sys; [print(host, socket.gethostbyname(host)) for host in sys.argv[1:]]"
    yield step("Every name resolves.", bash(command(f"python3 -c {quote(check)}", *(quote(host) for host in hosts))))


def _address_command(site: Site) -> str:
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
    if site.edge.controller == "none":
        return
    if site.edge.issuer is None:
        yield step("No issuer: bring a certificate and its key for each name.", bash(*_own_certificates(site)))
        return
    if site.edge.acme_server == LETSENCRYPT["letsencrypt-staging"]:
        yield (
            "> These come from Let's Encrypt's staging server: browsers warn, and that is right. When everything works, set"
            " `ingress.issuer: letsencrypt` in the spec and build again."
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

_CURL = "curl --fail --silent --show-error"
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
            f"Nobody can register OAuth applications from outside: this prints {status}.",
            bash(f"curl --silent --output /dev/null --write-out '%{{http_code}}\\n' {url}{BLOCKED}/"),
        )
        yield step(
            f"Browsers are told to keep to https: this prints a line with {code(HSTS)}.",
            bash(f"{_CURL} --head {url}/health | grep -i '^strict-transport-security'"),
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
            "These people register first, and become managers at the next run of the bootstrap Job (write a new word into"
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
        yield step(
            f"Install it; its Secret {code('hub-secrets')} exists since step “Secrets”.", bash(helm_command(unit))
        )
    yield step(
        "It answers, and a member of the right organization gets a server. Somebody else does not.",
        bash(
            f"kubectl --namespace {quote(hub.namespace)} rollout status --timeout=10m deployment/hub",
            f"{_CURL} {quote(hub.url)}/hub/health; echo",
        ),
    )
