"""The runbook of delivery: charts and phases by hand, or an engine that does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.render.argocd import BOOTSTRAP
from jhecfg.render.argocd.fleet import FLEET
from jhecfg.render.argocd.settings import SETTINGS
from jhecfg.render.phases import WAVES
from jhecfg.render.runbook_jobs import JOBS, job_file
from jhecfg.render.steps import bash, code, command, quote, step
from jhecfg.render.units import Unit, platform_units
from jhecfg.site import Site

WHAT = {
    "10-platform": "what the cluster shares",
    "20-config": "configuration, accounts, network policies",
    "30-migrate": "the Job brings the database to this release's schema",
    "35-demo-data": "the Job loads JHE's demonstration data",
    "40-bootstrap": "the Job makes the superuser, the OAuth applications, the organizations and the settings",
    "50-app": "the Exchange itself",
    "60-routes": "the edge",
    "70-smoke-test": "the Job looks whether the Exchange works",
}


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
        again = "; the first time it is there already, since “Secrets”" if unit.release == "sealed-secrets" else ""
        yield step(f"Install {code(unit.release)}{again}.", bash(helm_command(unit)))
    yield "If a wait for a Job fails, go no further, and see “When a Job fails”."
    for name in WAVES:
        if f"manifests/{name}/kustomization.yaml" in files:
            lines = (line for line in waits(site, name, files) if line)
            apply = f"kubectl apply --server-side --kustomize manifests/{name}"
            yield step(f"Apply {code(name)}: {WHAT[name]}.", bash(apply, *lines))


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


def waits(site: Site, name: str, files: frozenset[str]) -> Iterator[str]:
    """Yield what must be true before the next phase may come."""
    if name in JOBS:
        yield _wait("Complete", JOBS[name][1], [job_file(name)], files)
    elif name == "10-platform":
        yield _wait("Ready", 5, ["manifests/10-platform/clusterissuer.yaml"], files)
        yield _wait("Accepted", 5, ["manifests/10-platform/gatewayclass.yaml"], files)
    elif name == "20-config":
        yield _wait("Ready", 5, sorted(p for p in files if p.startswith("manifests/20-config/externalsecret-")), files)
        yield _wait("Synced", 5, sorted(p for p in files if p.startswith("manifests/20-config/sealedsecret-")), files)
        for path in sorted(p for p in files if p.startswith("manifests/20-config/secret-")):
            yield f"sops decrypt {quote(path)} | kubectl apply --server-side --filename -"
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
    yield from _repository(site)
    yield step(
        "Tell Argo CD, once for all its sites, that an Application is as healthy as what it holds. With this setting the"
        " site comes up in order, each Application after the one before it is healthy. Without it all of them are made at"
        " once, and those that come too early fail and are tried again, every five minutes at most, until what they need is"
        " there: the end is the same. Where Argo CD's settings come from git, add this key there instead.",
        bash(f"kubectl apply --server-side --filename {SETTINGS}"),
    )
    yield from _hand_over(site)
    yield step(
        "Watch it come up: the charts, then the Exchange phase by phase (sync waves), then its routes and the hubs."
        + _routes_wait(site, "healthy; nothing else waits for them"),
        bash(
            command(
                "kubectl --namespace argocd get applications",
                f"--selector={quote('app.kubernetes.io/instance=' + site.name)}",
                "--watch",
            )
        ),
    )


def _hand_over(site: Site) -> Iterator[str]:
    apply, fleet = "kubectl apply --server-side", site.gitops.fleet
    if fleet is None:
        yield step(
            "Hand the site over, once, as an administrator of Argo CD.",
            bash(
                command(
                    apply,
                    f"--filename {BOOTSTRAP}/appproject-delivery.yaml",
                    f"--filename {BOOTSTRAP}/application-root.yaml",
                )
            ),
        )
        return
    yield step(
        f"Hand the fleet {code(fleet)} over, once, as an administrator of Argo CD, from any of its sites. It takes in every"
        f" site of the repository whose spec says {code('gitops.fleet: ' + fleet)}, this one too, and those that come later."
        " Whoever may merge into that repository may then bring sites into this cluster.",
        bash(
            command(
                apply, f"--filename {FLEET}/appproject-{fleet}.yaml", f"--filename {FLEET}/applicationset-{fleet}.yaml"
            )
        ),
    )


def _flux(site: Site) -> Iterator[str]:
    yield from _repository(site)
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
        "Watch it come up: the charts, then one phase after the other."
        + _routes_wait(site, "ready" + ("; the smoke test comes after them" if site.exchange.smoke_test else "")),
        bash(
            command(
                "kubectl --namespace flux-system get kustomizations.kustomize.toolkit.fluxcd.io,helmreleases.helm.toolkit.fluxcd.io",
                f"--selector={quote('app.kubernetes.io/instance=' + site.name)}",
            )
        ),
    )


def _routes_wait(site: Site, so_far: str) -> str:
    """Say what the routes lack until the sections that follow; at an edge of others, and at Ingresses, it is nothing."""
    if site.edge.controller != "envoy-gateway" or not site.edge.own_gateway:
        return ""
    since = "DNS leads here" if site.edge.issuer is not None else "you have brought the certificates"
    return f" Until {since}, the routes are not {so_far}."


# --- the repository ---------------------------------------------------------------------------------------------------


def _repository(site: Site) -> Iterator[str]:
    """Say where the output must be, and how the engine may read it."""
    engine = "Argo CD" if site.gitops.engine == "argocd" else "Flux"
    where = f"{code(site.gitops.repo)}, {code(site.gitops.revision)}, as {code(site.gitops.path)}"
    open_to_all = (
        f" {engine} reads it without a password; for a private one, write a Secret's name into the spec's"
        " `gitops.secretName`, or an ssh address into `gitops.repo`."
    )
    secret = site.gitops.secret_name
    yield step(f"This folder is committed and pushed to {where}.{'' if secret else open_to_all}")
    if secret is None:
        return
    if site.gitops.repo.startswith("https://"):
        yield step(
            f"{engine} reads the repository with a user name and a token that may only read it. Put both into the Secret"
            f" {code(secret)}; they are asked for, and on no command line.",
            bash(*_token(site, secret)),
        )
    else:
        yield step(
            f"{engine} reads the repository over ssh with a deploy key: make the key pair, give the public half to the repository,"
            f" and put the private half into the Secret {code(secret)}.",
            bash(*_deploy_key(site, secret)),
        )


def _token(site: Site, secret: str) -> Iterator[str]:
    yield "read -rp 'user name: ' user; read -rsp 'token: ' token; echo"
    files = ('--from-file=username=<(printf %s "$user")', '--from-file=password=<(printf %s "$token")')
    yield from _secret(site, secret, files)
    yield "unset token"


def _deploy_key(site: Site, secret: str) -> Iterator[str]:
    host = site.gitops.repo.removeprefix("ssh://").removeprefix("git@").split("/")[0].split(":")[0]
    fingerprints = "# compare with the fingerprints that the host publishes"
    yield "umask 077"
    yield 'key="$(mktemp -d)"'
    yield f'ssh-keygen -q -t ed25519 -N "" -C {quote(f"{site.gitops.engine} {site.name}")} -f "$key"/identity'
    yield f'ssh-keyscan {quote(host)} > "$key"/known_hosts  {fingerprints}'
    yield 'cat "$key"/identity.pub'
    if site.gitops.engine == "argocd":
        yield from _secret(site, secret, ('--from-file=sshPrivateKey="$key"/identity',))
        yield from _known_host()
    else:
        names = ("identity", "identity.pub", "known_hosts")
        yield from _secret(site, secret, [f'--from-file={name}="$key"/{name}' for name in names])
    yield 'rm -rf -- "$key"'


def _known_host() -> Iterator[str]:
    """Yield what adds a host to those that Argo CD knows; it keeps them all in one ConfigMap."""
    name = "argocd-ssh-known-hosts-cm"
    yield command(
        f"kubectl --namespace argocd get configmap {name}",
        "--output=jsonpath='{.data.ssh_known_hosts}'",
        '| sort --unique - "$key"/known_hosts > "$key"/all',
    )
    yield command(
        f"kubectl --namespace argocd create configmap {name}",
        '--from-file=ssh_known_hosts="$key"/all',
        "--dry-run=client --output=yaml",
        "| kubectl apply --server-side --force-conflicts --filename=-",
    )


def _secret(site: Site, name: str, files: Iterable[str]) -> Iterator[str]:
    """Yield what makes the Secret; Argo CD finds it by its label and its address, Flux by its name."""
    if site.gitops.engine == "flux":
        yield command("kubectl --namespace flux-system create secret generic", quote(name), *files)
        return
    address = ("--from-literal=type=git", f"--from-literal=url={quote(site.gitops.repo)}")
    yield command("kubectl --namespace argocd create secret generic", quote(name), *address, *files)
    yield f"kubectl --namespace argocd label secret {quote(name)} argocd.argoproj.io/secret-type=repository"
