"""The runbook of delivery: charts and phases by hand, or an engine that does it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from jhecfg.render.phases import WAVES
from jhecfg.render.steps import bash, code, command, quote, step
from jhecfg.render.units import Unit, platform_units, site_named
from jhecfg.site import Site

WHAT = {
    "10-platform": "what the cluster shares",
    "20-config": "configuration, accounts, network policies",
    "30-migrate": "the Job brings the database to this release's schema",
    "40-bootstrap": "the Job makes the superuser, the OAuth applications, the organizations and the settings",
    "50-app": "the Exchange itself",
    "60-routes": "the edge",
}
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
            waits = (line for line in _waits(site, name, files) if line)
            apply = f"kubectl apply --server-side --kustomize manifests/{name}"
            yield step(f"Apply {code(name)}: {WHAT[name]}.", bash(apply, *waits))


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
    open_to_all = (
        " Flux reads it without a password; for a private one, write an ssh address into the spec's `gitops.repo`."
    )
    yield step(f"This folder is committed and pushed to {where}.{'' if _by_ssh(site) else open_to_all}")
    if _by_ssh(site):
        name = code(site_named(site, "git"))
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


def _by_ssh(site: Site) -> bool:
    return not site.gitops.repo.startswith("https://")


def _deploy_key(site: Site) -> Iterator[str]:
    host = site.gitops.repo.removeprefix("ssh://").removeprefix("git@").split("/")[0].split(":")[0]
    yield "umask 077"
    yield 'key="$(mktemp -d)"'
    yield f'ssh-keygen -q -t ed25519 -N "" -C {quote(f"flux {site.name}")} -f "$key"/identity'
    yield f'ssh-keyscan {quote(host)} > "$key"/known_hosts  # compare with the fingerprints that the host publishes'
    yield 'cat "$key"/identity.pub'
    yield command(
        "kubectl --namespace flux-system create secret generic",
        quote(site_named(site, "git")),
        '--from-file=identity="$key"/identity',
        '--from-file=identity.pub="$key"/identity.pub',
        '--from-file=known_hosts="$key"/known_hosts',
    )
    yield 'rm -rf -- "$key"'
