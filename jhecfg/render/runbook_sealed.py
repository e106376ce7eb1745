"""The runbook of encrypted files: the certificate or the age key that they need, and sealing what the store holds."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.runbook_deliver import helm_command
from jhecfg.render.runbook_prepare import SPEC, spec_bash
from jhecfg.render.steps import bash, code, command, quote, step
from jhecfg.render.units import platform_units, site_named
from jhecfg.site import Sealing, Site

# What `kubeseal --fetch-cert` asks for; the chart's Service has one port, `http` (sealed-secrets 2.18.5).
CERTIFICATE = "/api/v1/namespaces/kube-system/services/http:sealed-secrets-controller:http/proxy/v1/cert.pem"


def sealed(site: Site, sealing: Sealing) -> Iterator[str]:
    """Say how the values become files that belong in git, and who can read them."""
    if site.secrets_backend == "sealed-secrets":
        yield from _controller(site)
        yield _certificate(site, sealing)
    else:
        yield _key(site)
    folder = code(f"specs/{sealing.folder}")
    yield step(
        f"Encrypt them into files below {folder}, then run `jhecfg build`, and commit both. What did not change is left as"
        " it is; the list of what did is beside the values, so keep both files.",
        spec_bash(site, f"jhecfg secrets seal {SPEC}"),
    )


def _controller(site: Site) -> Iterator[str]:
    unit = next((unit for unit in platform_units(site) if unit.chart.name == "sealed-secrets"), None)
    if unit is None:
        yield step("The Sealed Secrets controller runs in `kube-system`, as `sealed-secrets-controller`.")
        return
    later = "" if site.gitops.engine == "none" else " The engine takes the release over later."
    yield step(
        f"Install the controller: it makes the key pair that values are encrypted to.{later}", bash(helm_command(unit))
    )


def _certificate(site: Site, sealing: Sealing) -> str:
    return step(
        "Fetch the controller's public certificate, which is no secret, into its place beside the spec. A new one comes"
        " every month; the older keys stay, so what is sealed stays readable.",
        spec_bash(
            site,
            f'certificate="$(dirname {SPEC})"/{quote(sealing.certificate)}',
            'mkdir -p "$(dirname "$certificate")"',
            f'kubectl get --raw {quote(CERTIFICATE)} > "$certificate"',
        ),
    )


def _key(site: Site) -> str:
    """Say where the private half of a recipient's key goes."""
    if site.gitops.engine != "flux":
        return step(
            "The file that `age-keygen` wrote for one of the spec's `secrets.recipients` is on this machine, yours alone;"
            " sops finds it by this variable.",
            bash('export SOPS_AGE_KEY_FILE="$HOME/.config/sops/age/keys.txt"', "sops --version"),
        )
    return step(
        "Give Flux the file that `age-keygen` wrote for one of the spec's `secrets.recipients`; here it is `age.agekey`, and"
        " its copy belongs where your organization keeps passwords. The name of the key ends in `.agekey`, as Flux asks.",
        bash(
            command(
                "kubectl --namespace flux-system create secret generic",
                quote(site_named(site, "sops")),
                "--from-file=age.agekey=age.agekey",
            )
        ),
    )
