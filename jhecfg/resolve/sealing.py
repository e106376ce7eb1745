"""Sealing: where the encrypted Secrets of a site are kept, and for whom they are encrypted."""

from __future__ import annotations

from jhecfg import bech32
from jhecfg.diagnostics import Finding, Severity
from jhecfg.resolve.problems import Problems
from jhecfg.sealed import SealedFile
from jhecfg.site import Sealing
from jhecfg.spec import SiteSpec

_FIELDS = {
    "region": ("external-secrets",),
    "prefix": ("external-secrets",),
    "folder": ("sealed-secrets", "sops"),
    "certificate": ("sealed-secrets",),
    "recipients": ("sops",),
    "remote": ("external-secrets",),
}
"""Which backends read a field of `secrets`."""


def sealing_of(spec: SiteSpec, files: tuple[SealedFile, ...], problems: Problems) -> Sealing | None:
    """Resolve how Secrets are encrypted, if the backend keeps them in files."""
    secrets = spec.secrets
    _check_fields(spec, problems)
    if secrets.backend not in ("sealed-secrets", "sops"):
        return None
    if secrets.backend == "sops":
        _check_recipients(secrets.recipients, problems)
    folder = secrets.folder or f"secrets/{spec.site}"
    certificate = secrets.certificate or f"{folder}/certificate.pem"
    return Sealing(folder=folder, certificate=certificate, recipients=secrets.recipients, files=files)


def _check_fields(spec: SiteSpec, problems: Problems) -> None:
    for field, backends in _FIELDS.items():
        if field in spec.secrets.model_fields_set and spec.secrets.backend not in backends:
            problems.add(
                "secrets-field",
                Finding(
                    loc=("secrets", field),
                    message=f"the backend {spec.secrets.backend} does not read {field}",
                    hint=f"delete it, or set secrets.backend to {' or '.join(backends)}",
                    key=True,
                    severity=Severity.WARNING,
                ),
            )


def _check_recipients(recipients: tuple[str, ...], problems: Problems) -> None:
    if not recipients:
        problems.add(
            "secrets-recipients",
            Finding(
                loc=("secrets", "recipients"),
                message="sops needs the age public keys of those who may decrypt",
                hint="make one with `age-keygen`, and write it into secrets.recipients",
            ),
        )
    for index, recipient in enumerate(recipients):
        if bech32.decode(recipient, "age") is None:
            problems.add(
                "age-recipient",
                Finding(
                    loc=("secrets", "recipients", index),
                    message="this age public key does not fit its own checksum",
                    hint="copy it whole; `age-keygen -y KEYFILE` prints it again",
                ),
            )
