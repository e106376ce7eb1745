"""Amazon's public root certificates for RDS, by region: what `sslMode: verify-full` trusts.

The PEM files and index.json are derived by tools/derive_rds_ca.py from the bundles that AWS publishes. A region that
opened after the package was made has no bundle here: then a site brings its own, or chooses another sslMode.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_HERE = Path(__file__).parent
# Docs: "Amazon RDS DB instance endpoints". Commercial and GovCloud: <name>.<id>.<region>.rds.amazonaws.com; in China
# the region follows: <name>.<id>.rds.<region>.amazonaws.com.cn. The id says what it is: `cluster-…`, `proxy-…`.
_HOST = re.compile(
    r"^(?:[a-z0-9-]+\.)+(?P<id>[a-z0-9-]+)\."
    r"(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-[0-9])\.rds\.amazonaws\.com(?:\.cn)?"
    r"|rds\.(?P<china>cn-[a-z]+-[0-9])\.amazonaws\.com\.cn)\.?$",
    re.IGNORECASE,
)


class CaBundle(NamedTuple):
    """Root certificates to trust: PEM text for a file, and what is in it as (subject, last valid day as ISO date)."""

    pem: str
    certificates: tuple[tuple[str, str], ...]


def rds_region(host: str) -> str | None:
    """Return the AWS region of an RDS host name (instance, cluster or proxy endpoint), or None for any other host."""
    found = _HOST.match(host)
    return (found["region"] or found["china"]).lower() if found else None


def is_rds_proxy(host: str) -> bool:
    """Tell whether a host is an RDS Proxy: its certificate comes from Amazon's public roots, not from RDS' own."""
    found = _HOST.match(host)
    return found is not None and found["id"].lower().startswith("proxy-")


def rds_ca(region: str) -> CaBundle | None:
    """Return the roots of RDS instances and clusters in a region (RSA 2048, RSA 4096, ECC 384), or None if unknown."""
    return None if region == "proxy" else _bundle(region)


def rds_ca_for(host: str) -> CaBundle | None:
    """Return the roots that an RDS host's certificate leads to, or None for another host or an unknown region."""
    region = rds_region(host)
    if region is None:
        return None
    return _bundle("proxy") if is_rds_proxy(host) else rds_ca(region)


def rds_ca_regions() -> tuple[str, ...]:
    """Return the regions that have a bundle, sorted."""
    return tuple(sorted(_index().keys() - {"proxy"}))


@cache
def _bundle(name: str) -> CaBundle | None:
    entries = _index().get(name)
    if entries is None:
        return None
    certificates = tuple((entry["subject"], entry["notAfter"]) for entry in entries)
    return CaBundle(pem=(_HERE / f"{name}.pem").read_text(encoding="ascii"), certificates=certificates)


@cache
def _index() -> dict[str, list[dict[str, str]]]:
    data: dict[str, Any] = json.loads((_HERE / "index.json").read_bytes())
    bundles: dict[str, list[dict[str, str]]] = data["bundles"]
    return bundles
