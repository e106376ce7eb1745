"""secrets seal: encrypt what the store holds into files beside the spec, for the cluster or the recipients alone."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote

from jhecfg.commands.secrets import Place, on, refuse_bad
from jhecfg.diagnostics import Misused, ToolError
from jhecfg.render.runbook_sealed import CERTIFICATE
from jhecfg.secretstore import sealed_secrets, sops
from jhecfg.secretstore.seal import Readers, Sealed, notes_path
from jhecfg.secretstore.seal import seal as bring
from jhecfg.secretstore.store import load, locked, save
from jhecfg.site import Sealing
from jhecfg.talk import Exit, Talk

_LARGEST = 1 << 20  # bytes of a certificate's file


def seal(spec: Path, talk: Talk, store: Path | None, *, every: bool) -> int:
    """Encrypt what is new or changed, or with `every` all. Exit 5 where the store lacks values."""
    return on(spec, store, talk, lambda place: _seal(place, talk, every=every))


def _seal(place: Place, talk: Talk, *, every: bool) -> int:
    sealing = place.site.sealing
    if sealing is None:
        backend = place.site.secrets_backend
        raise Misused(f"the spec's secrets.backend is {backend}; only sealed-secrets and sops keep encrypted files")
    folder, notes = place.spec.parent / sealing.folder, notes_path(place.store)
    readers = _readers(place, sealing, talk)
    with locked(place.store):
        values = load(place.store)
        refuse_bad(place, values)
        became, noted = bring(place.site, values, folder, readers, load(notes), every=every)
        save(notes, noted)
    _tell(place, talk, folder, became)
    return Exit.ENVIRONMENT if became.missing else Exit.OK


def _readers(place: Place, sealing: Sealing, talk: Talk) -> Readers:
    """Return for whom values are encrypted. The clock is asked here, and by no build."""
    now = datetime.now(UTC)
    if place.site.secrets_backend == "sops":
        recipients = sealing.recipients
        return Readers(
            lambda namespace, name, held: sops.encrypted_secret(namespace, name, held, recipients, now),
            " ".join(("sops", *sorted(recipients))),
        )
    path = place.spec.parent / sealing.certificate
    certificate = _certificate(path, now)
    if certificate.expires_soon(now):
        talk.complain(f"warning: {path}: expires on {certificate.not_after:%Y-%m-%d}; fetch the controller's newest")
    return Readers(
        lambda namespace, name, held: sealed_secrets.sealed_secret(certificate.key, namespace, name, held),
        f"sealed-secrets {certificate.fingerprint}",
    )


def _certificate(path: Path, now: datetime) -> sealed_secrets.Certificate:
    try:
        with path.open("rb") as file:
            pem = file.read(_LARGEST)
    except FileNotFoundError:
        fetch = f"mkdir -p {quote(str(path.parent))} && kubectl get --raw {CERTIFICATE} > {quote(str(path))}"
        raise ToolError(f"{path}: there is no certificate; the cluster's controller gives it: {fetch}") from None
    except OSError as error:
        raise ToolError(f"{path}: {(error.strerror or type(error).__name__).lower()}") from None
    try:
        return sealed_secrets.certificate_of(pem, now)
    except ValueError as error:
        raise ToolError(f"{path}: {error}") from None


def _tell(place: Place, talk: Talk, folder: Path, became: Sealed) -> None:
    words = (("sealed", became.written), ("missing", became.missing))
    lines = [f"  {word:8} {name}\n" for word, names in words for name in names]
    talk.result(f"{folder}: {len(became.written)} written, {len(became.kept)} as they were\n" + "".join(lines))
    for name in became.strays:
        talk.complain(f"warning: {folder / name}: the site has no such Secret of its own; delete it")
    if became.missing:
        talk.complain(f"jhecfg: {len(became.missing)} missing; {place.command('init')} makes them")
    elif became.written:
        talk.say("next: jhecfg build, and commit the sealed files with the output")
