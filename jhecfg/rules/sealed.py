"""Rules about sealed files: every Secret has one, and each holds the keys of a Secret, for the right readers."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.diagnostics import Finding, Severity, did_you_mean
from jhecfg.sealed import SealedFile
from jhecfg.site import SecretNeed, Site

SEAL = "run `jhecfg secrets seal SPEC`"


def secret_not_sealed(site: Site) -> Iterator[Finding]:
    """A Secret of the site has no sealed file yet, so the output does not bring it.

    *Why:* its pods wait for it. It is a warning, for the cluster, and so its certificate, may not exist yet.

    *Instead:* `jhecfg secrets init`, `jhecfg secrets seal`, `jhecfg build`.
    """
    if site.sealing is None:
        return
    kept = {(file.namespace, file.name) for file in site.sealing.files}
    missing = [n for n in site.secrets if n.owned and (n.namespace, n.name) not in kept]
    if missing:
        names = ", ".join(f"{need.namespace}/{need.name}" for need in missing)
        yield Finding(
            loc=("secrets", "backend"),
            message=f"not sealed yet: {names}",
            label=f"sealed files belong in {site.sealing.folder}/",
            hint="run `jhecfg secrets init SPEC`, then `jhecfg secrets seal SPEC`",
            severity=Severity.WARNING,
        )


def stray_sealed_file(site: Site) -> Iterator[Finding]:
    """A sealed file belongs to no Secret that is the site's own.

    *Why:* it would not be delivered, and whoever wrote it thinks that it is.

    *Instead:* delete it, or name it `<namespace>.<name>.yaml` after the Secret that it is.
    """
    owned = {f"{need.namespace}.{need.name}.yaml": need for need in site.secrets if need.owned}
    for file in site.sealing.files if site.sealing else ():
        if file.file not in owned:
            message = f"the site has no Secret of its own for the file {file.file}"
            yield Finding(loc=file.loc, message=message, hint=did_you_mean(file.file, owned) or "delete it")


def sealed_keys(site: Site) -> Iterator[Finding]:
    """A sealed file lacks a key that the site reads, or has one that nothing reads.

    *Why:* a container whose key is missing does not start; a key too many is a secret that nobody looks after.

    *Instead:* `jhecfg secrets seal`.
    """
    for file, need in _pairs(site):
        held, wanted = {key for key, _ in file.values}, {item.key for item in need.items}
        if missing := wanted - held:
            are = "is" if len(missing) == 1 else "are"
            yield Finding(loc=file.keys_loc, message=f"there {are} no {_keys(missing)} here", hint=SEAL)
        for key in sorted(held - wanted):
            yield Finding(loc=(*file.keys_loc, key), message=f"nothing reads {_keys({key})}", hint=SEAL)


def sealed_recipients(site: Site) -> Iterator[Finding]:
    """A file is encrypted to other age recipients than the spec's.

    *Why:* who was taken off the list can still read it, or who was added cannot.

    *Instead:* `jhecfg secrets seal`. Whoever left has read the old values: rotate them.
    """
    wanted = set(site.sealing.recipients) if site.sealing else set()
    for file, _ in _pairs(site):
        held = {entry["recipient"] for entry in file.envelope.get("age", ())}
        if file.envelope and held != wanted:
            yield Finding(
                loc=(*file.loc, "sops", "age"),
                message="it is encrypted to other recipients than those of the spec",
                hint=SEAL,
                related=((("secrets", "recipients"), "the recipients of the spec"),),
            )


def sops_with_argocd(site: Site) -> Iterator[Finding]:
    """The secrets are encrypted with sops, and Argo CD delivers them.

    *Why:* Argo CD does not decrypt; it would apply the encrypted text as the values. Its own documentation advises
    against plugins that decrypt where manifests are made, since they are then cached in the clear
    (argo-cd docs/operator-manual/secret-management.md).

    *Instead:* `sealed-secrets` or `external-secrets`, which decrypt in the cluster; or deliver with Flux, which
    decrypts what sops encrypted.
    """
    if site.secrets_backend == "sops" and site.gitops.engine == "argocd":
        yield Finding(
            loc=("secrets", "backend"),
            message="Argo CD does not decrypt what sops encrypts",
            hint="use sealed-secrets or external-secrets, or deliver with flux",
            related=((("gitops", "engine"), "delivers them"),),
        )


def _pairs(site: Site) -> Iterator[tuple[SealedFile, SecretNeed]]:
    own = {(need.namespace, need.name): need for need in site.secrets if need.owned}
    for file in site.sealing.files if site.sealing else ():
        need = own.get((file.namespace, file.name))
        if need is not None:
            yield file, need


def _keys(keys: set[str]) -> str:
    names = ", ".join(f"'{key}'" for key in sorted(keys))
    return f"key {names}" if len(keys) == 1 else f"keys {names}"


WITHOUT_EXCEPTION = (stray_sealed_file, sealed_keys, sealed_recipients, sops_with_argocd)
RULES = (secret_not_sealed, *WITHOUT_EXCEPTION)
"""All of them, in the order in which they are said."""
