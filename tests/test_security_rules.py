"""Rules about safety, case by case: what opens a door, what is only nearly so, and how strictly it is said."""

from __future__ import annotations

from typing import Any

import pytest

from jhecfg.diagnostics import Finding, Severity
from jhecfg.rules import security as rules
from jhecfg.site import LETSENCRYPT, Image, Setting, Site, Smtp
from tests.aws_site import HUB, make

OTHER = {"name": "Other Lab", "id": 20002, "type": "laboratory"}
LAB = {"name": "Example Lab", "id": 20001, "type": "laboratory"}
ENVIRONMENTS = pytest.mark.parametrize(
    ("environment", "strict"),
    [("production", Severity.ERROR), ("staging", Severity.WARNING), ("demo", Severity.WARNING)],
)


def exchange(site: Site, **changes: Any) -> Site:
    """Return a site with another Exchange."""
    return site._replace(exchange=site.exchange._replace(**changes))


def setting(site: Site, key: str, value: Any) -> Site:
    """Return a site with this setting first, and others after it."""
    return exchange(site, settings=(Setting("a.b", "string", "20001:v"), Setting(key, "string", value)))


@ENVIRONMENTS
def test_production_refuses_what_others_are_told(environment: str, strict: Severity) -> None:
    """A moving tag, an open hub, an unprotected database, a default organization, a placeholder: errors there alone."""
    site = make(
        environment=environment, image={"tag": "main"}, database__sslMode="prefer", database__caConfigMap=None,
        orgs=[LAB], exchange={"settings": {"auth.default_orgs": "20001:v"}, "title": "CHANGE_ME"},
        hubs=[HUB, {**HUB, "name": "open", "domain": "open.example.org", "access": {"anyone": True}}],
    )  # fmt: skip
    found = {
        rule.__name__: [(f.loc, f.severity) for f in rule(site)]
        for rule in (
            rules.moving_tag, rules.anyone_may_enter, rules.database_unverified, rules.default_org_opens_hub,
            rules.placeholder_value,
        )
    }  # fmt: skip
    assert found == {
        "moving_tag": [(("image", "tag"), strict)],
        "anyone_may_enter": [(("hubs", 1, "access", "anyone"), strict)],
        "database_unverified": [(("database", "sslMode"), strict)],
        "default_org_opens_hub": [(("hubs", 0, "access", "orgs"), strict)],
        "placeholder_value": [(("exchange", "title"), strict)],
    }


@pytest.mark.parametrize(
    ("tag", "digest", "mcp", "loc"),
    [
        ("v0.0.13", None, False, None),
        ("main", None, False, ("image", "tag")),
        ("main", None, True, ("image", "tag")),
        ("main", "sha256:1", False, None),
        ("main", "sha256:1", True, ("exchange", "mcp")),
        ("v0.0.13", None, True, None),
    ],
)
def test_a_moving_tag_is_excused_by_a_digest_for_each_image(
    tag: str, digest: str | None, mcp: bool, loc: tuple[str, ...] | None
) -> None:
    """The MCP server's image has the same tag, and a digest of its own."""
    site = make(exchange={"mcp": {"domain": "mcp.example.org"}} if mcp else {})
    site = site._replace(image=site.image._replace(tag=tag, digest=digest))
    assert [f.loc for f in rules.moving_tag(site)] == ([loc] if loc else [])
    assert {f.severity for f in rules.moving_tag(site._replace(environment="staging"))} <= {Severity.WARNING}
    if mcp and loc == ("exchange", "mcp"):
        assert list(rules.moving_tag(site)) == [
            Finding(
                loc=loc,
                key=True,
                message="the tag 'main' moves, and the MCP server's image has it too",
                hint="name a release such as v0.0.13, or add exchange.mcp.digest",
                related=((("image", "tag"), "the tag"),),
            )
        ]
        assert site.exchange.mcp is not None
        pinned = site.exchange.mcp._replace(image=site.exchange.mcp.image._replace(digest="sha256:2"))
        assert list(rules.moving_tag(exchange(site, mcp=pinned))) == []


@pytest.mark.parametrize("tag", sorted(rules.MOVING_HUB_TAGS))
def test_a_hubs_image_may_not_move_either(tag: str) -> None:
    """A warning at the hub's tag; a digest excuses it, and so does a tag that only looks alike."""
    site = make(hubs=[HUB, {**HUB, "name": "b", "domain": "b.example.org"}])

    def with_image(image: Image | None) -> Site:
        return site._replace(hubs=(site.hubs[0], site.hubs[1]._replace(image=image)))

    image = site.image._replace(repository="x", tag=tag, digest=None)
    (finding,) = rules.moving_hub_tag(with_image(image))
    assert (finding.loc, finding.severity) == (("hubs", 1, "image", "tag"), Severity.WARNING)
    for right in (image._replace(digest="sha256:1"), image._replace(tag=f"{tag}-1"), None):
        assert list(rules.moving_hub_tag(with_image(right))) == []


@pytest.mark.parametrize(
    ("value", "opens"),
    [
        ("20001:v", True),
        ("20001:m", True),
        ("20001", True),
        (" 20001 : v", True),
        ("20002:v; 20001:v", True),
        ("x;20001:v", True),
        (";20001:v;", True),
        (20001, True),
        ("20002:v", False),
        ("", False),
        ("v:20001", False),
        ("120001:v", False),
        ("00020001:v", True),
        ("0000020001:v", True),
        ("00000020001:v", False),
        ("\uff12\uff10\uff10\uff10\uff11:v", False),
        ("\u00b20001:v", False),
    ],
)
def test_an_organization_that_everybody_joins_opens_a_hub(value: object, opens: bool) -> None:
    """However the setting is written, as JHE reads it: by number, several apart by semicolons."""
    site = setting(make(orgs=[LAB, OTHER]), "auth.default_orgs", value)
    found = list(rules.default_org_opens_hub(site))
    assert [f.loc for f in found] == ([("hubs", 0, "access", "orgs")] if opens else [])
    for finding in found:
        assert finding.related == ((("exchange", "settings", "auth.default_orgs"), "every new account joins these"),)
        assert finding.message == "hub 'hub' lets in an organization that every new account joins"
    assert list(rules.default_org_opens_hub(setting(site, "auth.default_organizations", value))) == []


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("", []),
        ("20001:v", []),
        ("20001:v;20002:m", []),
        (" 20001:v ; ", []),
        ("20001:viewer", ["500"]),
        ("20001", ["500"]),
        ("20001:v,20002:v", ["500"]),
        ("x;20001:v;y", ["500", "500"]),
        ("3:v", ["organization 3 is not in orgs"]),
        ("20001:v;3:v;4:m", ["organization 3 is not in orgs", "organization 4 is not in orgs"]),
        ("12345678901:v", ["500"]),
        ("\uff13:v", ["500"]),
    ],
)
def test_default_organizations_have_one_form(value: str, said: list[str]) -> None:
    """`id:v` or `id:m`, of organizations that are there; each entry that is wrong is said."""
    found = list(rules.default_orgs_form(setting(make(orgs=[LAB, OTHER]), "auth.default_orgs", value)))
    assert len(found) == len(said)
    for finding, words in zip(found, said, strict=True):
        assert finding.loc == ("exchange", "settings", "auth.default_orgs")
        assert words in finding.message
        assert finding.hint == ("add it to orgs" if "orgs" in words else "write for example 20001:v")
        assert finding.expected == ("" if "orgs" in words else "id:v or id:m, separated by ;")


def test_trust_in_addresses_is_said_where_it_is_given() -> None:
    """Access and administration each, of every hub."""
    users = {"access": {"users": ["a@example.org"]}, "admins": {"users": ["b@example.org"]}}
    site = make(hubs=[HUB, {**HUB, "name": "b", "domain": "b.example.org", **users}])
    assert list(rules.unverified_email(site)) == [
        Finding(
            loc=("hubs", 1, field, "users"),
            message="hub 'b' trusts e-mail addresses, which JHE does not verify",
            hint=f"use {field}: {{orgs: [...]}}",
            severity=Severity.WARNING,
        )
        for field in ("access", "admins")
    ]


@pytest.mark.parametrize(
    ("mode", "severity", "words"),
    [
        ("disable", Severity.ERROR, "may travel in the clear"),
        ("prefer", Severity.ERROR, "may travel in the clear"),
        ("require", Severity.WARNING, "goes to a server whose name is not checked"),
        ("verify-ca", Severity.WARNING, "goes to a server whose name is not checked"),
        ("verify-full", None, ""),
    ],
)
def test_only_full_verification_is_silent(mode: Any, severity: Severity | None, words: str) -> None:
    """What may be read on the way is an error in production; what may go to another server is said."""
    site = make()
    found = list(rules.database_unverified(site._replace(database=site.database._replace(ssl_mode=mode))))
    assert [(f.loc, f.severity, f.message) for f in found] == (
        [(("database", "sslMode"), severity, f"with sslMode {mode} health data {words}")] if severity else []
    )


@ENVIRONMENTS
def test_production_has_real_certificates_and_a_mail_server(environment: str, strict: Severity) -> None:
    """Elsewhere neither is said."""
    site = make(environment=environment)
    staging = site._replace(edge=site.edge._replace(acme_server=LETSENCRYPT["letsencrypt-staging"]))
    said = environment == "production"
    assert [f.loc for f in rules.untrusted_certificate(staging)] == ([("ingress", "issuer")] if said else [])
    assert list(rules.untrusted_certificate(site)) == []
    assert [f.loc for f in rules.mail_into_log(exchange(site, smtp=None))] == ([("exchange", "smtp")] if said else [])
    mail = make(environment=environment, exchange={"smtp": {"host": "smtp.example.org", "user": "x"}})
    assert list(rules.mail_into_log(mail)) == []


WRONG = "CHANGE_ME"


def test_a_placeholder_is_found_wherever_a_person_writes() -> None:
    """In every field of free text, each at its place."""
    hub = {**HUB, "env": {"A": "1"}}
    site = make(orgs=[LAB, OTHER], hubs=[HUB, {**hub, "name": "b", "domain": "b.example.org"}])
    first, second = site.hubs
    org = site.orgs[1]
    cases: dict[tuple[str | int, ...], Site] = {
        ("domain",): site._replace(domain=WRONG),
        ("contact",): site._replace(contact=WRONG),
        ("database", "host"): site._replace(database=site.database._replace(host=WRONG)),
        ("exchange", "title"): exchange(site, title=WRONG),
        ("exchange", "env", "B"): exchange(site, env=(("A", "1"), ("B", WRONG))),
        ("exchange", "settings", "x.y"): setting(site, "x.y", WRONG),
        ("hubs", 1, "domain"): site._replace(hubs=(first, second._replace(domain=WRONG))),
        ("hubs", 1, "clientId"): site._replace(hubs=(first, second._replace(client_id=WRONG))),
        ("hubs", 1, "env", "B"): site._replace(hubs=(first, second._replace(env=(("A", "1"), ("B", WRONG))))),
        (*org.loc, "name"): site._replace(orgs=(site.orgs[0], org._replace(name=WRONG))),
    }
    for loc, wrong in cases.items():
        assert list(rules.placeholder_value(wrong)) == [
            Finding(loc=loc, message="this is still a placeholder", hint="write the real value")
        ]


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        *((value, True) for value in (
            "change me", "change-me", "changeme", "REPLACE_ME", "a todo b", "FIXME", "saved from JHE", "<your name>",
            "${{ x }}", "2XXXX", "public hostname", "your-domain.example.org", "your_name", "x" * 995 + " todo")),
        *((value, False) for value in (
            "", "exchange", "todos", "<1>", "${x}", "2XX", "12xxx", "axxx", "hostname", "yourself", "x" * 996 + " todo")),
        (7, False), (None, False), (["todo"], False),
    ],
)  # fmt: skip
def test_a_placeholder_is_known_by_its_form(value: object, wrong: bool) -> None:
    """Whole words and known shapes, within the first thousand characters; only text can be one."""
    assert len(list(rules.placeholder_value(setting(make(), "x.y", value)))) == int(wrong)


def test_two_values_under_one_key_are_said_at_the_field_that_brings_the_second() -> None:
    """The database's password, the invite code, the mail server's password: the last that the spec names."""
    site = make(
        exchange={"smtp": {"host": "smtp.example.org", "user": "x"}, "inviteCode": {"name": "own", "key": "code"}}
    )
    assert list(rules.shared_secret_key(site)) == []
    assert list(rules.shared_secret_key(make())) == []
    own = next(need for need in site.secrets if need.owned)
    item = own.items[0]
    twice = site._replace(secrets=(own._replace(items=(*own.items, item, item)),))
    assert list(rules.shared_secret_key(twice)) == [
        Finding(
            loc=("secrets",),
            message=f"Secret '{own.name}' would hold two values under the key '{item.key}'",
            hint="give each its own key",
        )
    ]
    ref = site.database.password._replace(name=own.name, key=item.key)
    database = twice.database._replace(password=ref)
    assert [f.loc for f in rules.shared_secret_key(twice._replace(database=database))] == [("database", "passwordFrom")]
    code = exchange(twice._replace(database=database), invite_code=ref)
    assert [f.loc for f in rules.shared_secret_key(code)] == [("exchange", "inviteCode")]
    assert isinstance(site.exchange.smtp, Smtp)
    mail = exchange(code, smtp=site.exchange.smtp._replace(password=ref))
    assert [f.loc for f in rules.shared_secret_key(mail)] == [("exchange", "smtp", "passwordFrom")]
    elsewhere = twice._replace(secrets=(twice.secrets[0]._replace(namespace="hub"),))
    assert list(rules.shared_secret_key(elsewhere)) == []
