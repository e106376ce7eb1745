"""Amazon's RDS root certificates: each is what its bundle says, and a host finds the right bundle."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509

from jhecfg.rds_ca import rds_ca, rds_ca_for, rds_ca_regions, rds_region

NEEDED_UNTIL = datetime.date(2030, 1, 1)


@pytest.mark.parametrize("region", rds_ca_regions())
def test_a_regions_bundle_holds_its_three_current_roots(region: str) -> None:
    """Each region trusts exactly its RSA 2048, RSA 4096 and ECC 384 roots."""
    bundle = rds_ca(region)
    assert bundle is not None
    assert [subject for subject, _ in bundle.certificates] == [
        f"Amazon RDS {region} Root CA {key} G1" for key in ("RSA2048", "RSA4096", "ECC384")
    ]


@pytest.mark.parametrize("region", [*rds_ca_regions(), "proxy"])
def test_every_certificate_is_a_self_signed_authority_that_stays_valid(region: str) -> None:
    """Each certificate parses, signs itself, may sign others, is valid for years, and is the one in the index."""
    host = "p.proxy-a.us-east-2.rds.amazonaws.com" if region == "proxy" else f"d.a.{region}.rds.amazonaws.com"
    bundle = rds_ca_for(host)
    assert bundle is not None
    certificates = x509.load_pem_x509_certificates(bundle.pem.encode())
    for certificate in certificates:
        certificate.verify_directly_issued_by(certificate)
        assert certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        assert certificate.not_valid_after_utc.date() > NEEDED_UNTIL
    assert bundle.certificates == tuple(
        (c.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value, c.not_valid_after_utc.date().isoformat())
        for c in certificates
    )


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("database-1.abc123.us-east-2.rds.amazonaws.com", "us-east-2"),
        ("Database-1.ABC123.us-east-2.rds.amazonaws.com.", "us-east-2"),
        ("jhe.cluster-abc123.eu-central-1.rds.amazonaws.com", "eu-central-1"),
        ("jhe.cluster-ro-abc123.eu-central-1.rds.amazonaws.com", "eu-central-1"),
        ("jhe.cluster-custom-abc123.us-west-2.rds.amazonaws.com", "us-west-2"),
        ("jhe.proxy-abc123.us-east-1.rds.amazonaws.com", "us-east-1"),
        ("reader.endpoint.proxy-abc123.us-east-1.rds.amazonaws.com", "us-east-1"),
        ("db.abc123.us-gov-west-1.rds.amazonaws.com", "us-gov-west-1"),
        ("db.abc123.rds.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("db.abc123.cn-north-1.rds.amazonaws.com.cn", "cn-north-1"),
        ("db.example.org", None),
        ("us-east-2.rds.amazonaws.com", None),
        ("db.abc123.us-east-2.rds.amazonaws.com.example.org", None),
        ("db.abc123.us-east-2.redshift.amazonaws.com", None),
        ("", None),
    ],
)
def test_a_host_name_tells_its_region(host: str, region: str | None) -> None:
    """Instance, cluster and proxy endpoints tell their region; any other host has none."""
    assert rds_region(host) == region


def test_a_proxy_trusts_amazons_public_roots() -> None:
    """RDS Proxy's certificates come from Amazon's public authorities, not from RDS' own."""
    bundle = rds_ca_for("jhe.proxy-abc123.us-east-2.rds.amazonaws.com")
    assert bundle is not None
    assert "Amazon Root CA 1" in dict(bundle.certificates)


@pytest.mark.parametrize("region", ["xx-nowhere-1", "proxy", ""])
def test_a_region_without_a_bundle_has_none(region: str) -> None:
    """An unknown region gives nothing, and no other region's roots."""
    assert rds_ca(region) is None


def test_the_instances_own_region_is_the_one_trusted() -> None:
    """A host gets its own region's bundle."""
    assert rds_ca_for("database-1.abc123.us-east-2.rds.amazonaws.com") == rds_ca("us-east-2")
    assert rds_ca("us-east-2") != rds_ca("us-east-1")
