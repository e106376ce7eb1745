"""A small site whose secrets are encrypted, in a folder of its own: its spec, its store, its sealed files."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import yaml

from jhecfg.cli import run
from jhecfg.parse import parse
from jhecfg.resolve import resolve
from jhecfg.secretstore.make import make, makeable
from jhecfg.secretstore.store import Values, save
from jhecfg.site import SecretForm, Site
from jhecfg.source import load
from tests.test_sealed_secrets import certificate
from tests.unsealing import AGE

SMALL = {
    "apiVersion": "jhecfg/v1",
    "site": "lab",
    "domain": "jhe.example.org",
    "contact": "ops@example.org",
    "image": {"tag": "v0.0.13"},
    "database": {"host": "db.abc123.us-east-2.rds.amazonaws.com"},
    "exchange": {"smtp": {"host": "smtp.example.org", "user": "jhe@example.org"}},
}
SEALED_SECRETS = {"secrets": {"backend": "sealed-secrets"}}
SOPS = {"secrets": {"backend": "sops", "recipients": [AGE.recipient]}}
FLUX = {"gitops": {"engine": "flux", "repo": "https://git.example.org/lab/sites.git"}}
ARGOCD = {"gitops": {"engine": "argocd", "repo": "https://git.example.org/lab/sites.git"}}
SMTP = "specs/secrets/lab/jhe.jhe-smtp.yaml"


@cache
def value(form: SecretForm, key: str) -> str:
    """Return a value that will do; an RSA key takes a second to make."""
    return make(form) if makeable(form) else f"canary-of-{key}"


class Place(NamedTuple):
    """The folder of a site; commands run in it."""

    root: Path

    def write(self, *parts: Mapping[str, object]) -> None:
        """Write the spec from parts that are laid over one another."""
        tree = {key: value for part in (SMALL, *parts) for key, value in part.items()}
        (self.root / "specs").mkdir(exist_ok=True)
        (self.root / "specs/lab.yaml").write_text(yaml.safe_dump(tree, sort_keys=False))

    @property
    def site(self) -> Site:
        """Return the site of the spec."""
        return resolve(parse(load(self.root / "specs/lab.yaml", sealed=False))).site

    def fill(self, smtp: str = "canary-of-the-mail-server") -> Values:
        """Fill the store with a value for every key, the same at each call but for the mail server's password."""
        values = {
            (need.namespace, need.name): {
                item.key: smtp if need.name == "jhe-smtp" else value(item.form, item.key) for item in need.items
            }
            for need in self.site.secrets
        }
        (self.root / ".secrets").mkdir(mode=0o700, exist_ok=True)
        save(self.root / ".secrets/lab.yaml", values)
        return values

    def certify(self, **kind: int) -> None:
        """Put a certificate beside the spec, valid from now on."""
        from datetime import UTC, datetime, timedelta

        path = self.root / "specs/secrets/lab/certificate.pem"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(certificate(start=datetime.now(UTC) - timedelta(days=1), **kind))

    def run(self, *words: str) -> int:
        """Run jhecfg here."""
        before = Path.cwd()
        os.chdir(self.root)
        try:
            return run(list(words))
        finally:
            os.chdir(before)

    def sealed(self) -> dict[str, bytes]:
        """Return the sealed files by name."""
        return {path.name: path.read_bytes() for path in (self.root / "specs/secrets/lab").glob("*.yaml")}
