"""Problems: what resolving can find wrong, collected so that everything is said at once, and its documentation."""

from __future__ import annotations

from jhecfg.diagnostics import Finding

CODES: dict[str, str] = {
    "unknown-org": "A hub, an administrator list or a parent names an organization that `orgs` does not hold.\n\n"
    "*Why:* access is decided by the organization's id, and only an entry in `orgs` has one.\n\n"
    "*Instead:* correct the name, or add the organization to `orgs`.",
    "org-cycle": "Organizations are each other's parents.\n\n*Why:* JHE's organizations are a tree below ROOT.\n\n"
    "*Instead:* leave out the `parent` of the topmost one.",
    "access-mode": "A hub's `access` must hold exactly one of `orgs`, `users` and `anyone`.\n\n"
    "*Why:* JupyterHub lets in whoever *any* rule allows, so two rules are wider than either.\n\n"
    "*Instead:* keep the one you mean.",
    "unsupported-release": "The image tag names a JHE release that jhecfg does not support.\n\n"
    "*Why:* before v0.0.9 DEBUG is always on, before v0.0.8 the SECRET_KEY is written in the public source, and before "
    "v0.0.10 there is no /health to probe.\n\n"
    "*Instead:* run v0.0.10 or later; v0.0.13 is the newest that jhecfg knows.",
    "unknown-release": "The image tag is not a release that this jhecfg knows; the newest known facts are used.\n\n"
    "*Why:* a newer JHE may read other names than jhecfg writes.\n\n"
    "*Instead:* update jhecfg, or say on the line why it is well: `# jhecfg: ignore[unknown-release] …`.",
    "release-lacks": "The spec asks for something that the JHE release does not have.\n\n"
    "*Instead:* run a release that has it, or leave it out.",
    "unknown-env": "`exchange.env` sets a name that the JHE release does not read.\n\n"
    "*Why:* it would have no effect, and nobody would notice.\n\n*Instead:* use the field that took its place.",
    "managed-env": "`exchange.env` sets a name that jhecfg writes itself.\n\n*Instead:* use the field of the spec.",
    "unknown-setting": "`exchange.settings` names a JheSetting that the JHE release does not read.\n\n"
    "*Instead:* correct the key; the message lists what is near.",
    "managed-setting": "`exchange.settings` names a JheSetting that jhecfg writes itself, or that JHE itself "
    "changes at run time.\n\n"
    "*Instead:* use the field of the spec.",
    "setting-type": "A JheSetting has another type in this release.\n\n"
    "*Instead:* write the type that the message names.",
    "storage-class": "A hub in an existing cluster needs `storage.storageClass`.\n\n"
    "*Why:* EKS has no default StorageClass since Kubernetes 1.30, so disks without one stay Pending for ever.\n\n"
    "*Instead:* name a StorageClass of the cluster (`kubectl get storageclass`), or describe the cluster in `cluster`.",
    "database-ca": "`verify-full` and `verify-ca` need the CA certificates of the database server.\n\n"
    "*Why:* libpq refuses to connect without them; jhecfg brings those of Amazon RDS, in the regions it knows.\n\n"
    "*Instead:* put the certificates into a ConfigMap under the key ca.pem and name it in `database.caConfigMap`.",
    "instance-type-twice": "A node group has both `instanceType` and `instanceTypes`.\n\n"
    "*Why:* eksctl refuses a group with both, and which of them was meant, nobody can tell.\n\n"
    "*Instead:* `instanceType` for one type, `instanceTypes` for spot capacity or several of one size.",
    "gitops-repo": "`gitops.repo` is needed by Argo CD and Flux.\n\n*Instead:* give the repository's address.",
    "gitops-fleet": "`gitops.fleet` names an ApplicationSet, which Argo CD alone has.\n\n"
    "*Why:* the site would be handed over by nobody, though its spec says so.\n\n"
    "*Instead:* leave it out; with Flux, one Kustomization of your own may read the sites' `gitops/flux` folders.",
    "secrets-region": "External Secrets needs the region of AWS Secrets Manager.\n\n"
    "*Instead:* set `secrets.region`, or `cluster.region`.",
    "unknown-secret": "`secrets.remote` names a value that is not one of the Exchange's own secrets.\n\n"
    "*Why:* nothing would read it, and what it was meant for would be made anew.\n\n"
    "*Instead:* write Secret and key as `jhecfg secrets list` shows them.",
    "secrets-field": "A field of `secrets` is set that the backend does not read.\n\n"
    "*Why:* whoever reads the spec thinks that it has an effect: that only these people can decrypt, for example.\n\n"
    "*Instead:* delete it, or name the backend that it is for.",
    "secrets-recipients": "sops needs the age public keys of those who may decrypt.\n\n"
    "*Instead:* make a key with `age-keygen`, keep the file that it writes where the organization keeps passwords, and "
    "write the public key that it prints into `secrets.recipients`; RUNBOOK.md has the commands.",
    "age-recipient": "An age public key does not fit its own checksum.\n\n"
    "*Why:* it was mistyped or cut, and nobody could decrypt what is encrypted to it.\n\n"
    "*Instead:* copy it whole; `age-keygen -y KEYFILE` prints it again.",
}
"""What this stage can find, and its documentation."""


class Problems:
    """Collects what is wrong, so that everything is said at once."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[tuple[str, Finding]] = []

    def add(self, code: str, finding: Finding) -> None:
        """Note one problem."""
        self.found.append((code, finding))
