"""Rules about safety: images that move, doors that stand open, connections that nobody checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from jhecfg.diagnostics import Finding, Loc, Severity
from jhecfg.releases import is_moving_tag
from jhecfg.site import LETSENCRYPT, SecretKey, Site


def _strict(site: Site) -> Severity:
    """Production refuses; elsewhere it is said."""
    return Severity.ERROR if site.environment == "production" else Severity.WARNING


def moving_tag(site: Site) -> Iterator[Finding]:
    """An image tag can come to mean another image.

    *Why:* pods that restart would run code that nobody reviewed, and the migrate Job would not run again for it.

    *Instead:* name a release (v0.0.13), or add the image's `digest`; the MCP server's image has one of its own.
    """
    if not is_moving_tag(site.image.tag):
        return
    if site.image.digest is None:
        yield Finding(
            loc=("image", "tag"),
            message=f"the tag '{site.image.tag}' moves",
            label="may be another image tomorrow",
            hint="name a release such as v0.0.13, or add image.digest",
            severity=_strict(site),
        )
    elif site.exchange.mcp and site.exchange.mcp.image.digest is None:
        yield Finding(
            loc=("exchange", "mcp"),
            key=True,
            message=f"the tag '{site.image.tag}' moves, and the MCP server's image has it too",
            hint="name a release such as v0.0.13, or add exchange.mcp.digest",
            severity=_strict(site),
            related=((("image", "tag"), "the tag"),),
        )


MOVING_HUB_TAGS = frozenset({"latest", "main", "master", "dev", "edge", "nightly", "stable"})


def moving_hub_tag(site: Site) -> Iterator[Finding]:
    """The image of the users' servers has a tag that moves.

    *Why:* two users, or one user on two days, would work with different software.

    *Instead:* name a fixed tag, or add the image's `digest`.
    """
    for hub in site.hubs:
        if hub.image and hub.image.tag in MOVING_HUB_TAGS and hub.image.digest is None:
            yield Finding(
                loc=(*hub.loc, "image", "tag"),
                message=f"the tag '{hub.image.tag}' moves",
                label="may be another image tomorrow",
                hint="name a fixed tag, or add image.digest",
                severity=Severity.WARNING,
            )


def anyone_may_enter(site: Site) -> Iterator[Finding]:
    """A hub lets in everybody who has a JHE account.

    *Why:* whoever has the invite code has an account. 2i2c had an incident of this kind (infrastructure#879).

    *Instead:* `access: {orgs: […]}`.
    """
    for hub in site.hubs:
        if hub.access.mode == "anyone":
            yield Finding(
                loc=(*hub.loc, "access", "anyone"),
                message=f"everybody with a JHE account may enter hub '{hub.name}'",
                hint="let organizations in: access: {orgs: [...]}",
                severity=_strict(site),
            )


def unverified_email(site: Site) -> Iterator[Finding]:
    """Access or administration is granted to an e-mail address.

    *Why:* JHE lets a new account log in before its address is verified, so whoever has the invite code can take a
    listed address first, and enter or administer the hub (run on a real JHE).

    *Instead:* grant it to an organization, whose members a manager adds by hand.
    """
    for hub in site.hubs:
        places = [("access", hub.access.users), ("admins", hub.admin_users)]
        for field, users in places:
            if users:
                yield Finding(
                    loc=(*hub.loc, field, "users"),
                    message=f"hub '{hub.name}' trusts e-mail addresses, which JHE does not verify",
                    hint=f"use {field}: {{orgs: [...]}}",
                    severity=Severity.WARNING,
                )


def default_org_opens_hub(site: Site) -> Iterator[Finding]:
    """Everybody who signs up joins an organization that a hub lets in.

    *Why:* `auth.default_orgs` makes the hub's access rule the same as `anyone`.

    *Instead:* let in an organization that people are added to by hand.
    """
    defaults = set(_default_org_ids(site))
    for hub in site.hubs:
        if defaults.intersection(hub.access.group_ids):
            yield Finding(
                loc=(*hub.loc, "access", "orgs"),
                message=f"hub '{hub.name}' lets in an organization that every new account joins",
                hint="let in an organization that people are added to by hand",
                severity=_strict(site),
                related=((("exchange", "settings", "auth.default_orgs"), "every new account joins these"),),
            )


def _default_orgs(site: Site) -> str:
    return next((str(s.value) for s in site.exchange.settings if s.key == "auth.default_orgs"), "")


def _default_org_ids(site: Site) -> Iterator[int]:
    for entry in _default_orgs(site).split(";"):
        head = entry.partition(":")[0].strip()
        if head.isdecimal() and head.isascii() and len(head) <= 10:
            yield int(head)


def default_orgs_form(site: Site) -> Iterator[Finding]:
    """`auth.default_orgs` has a form that makes every sign-up fail.

    *Why:* JHE v0.0.9 … main takes only `id:v` and `id:m`, separated by `;`; the documented role names answer 500, and
    so does an organization that does not exist (run).

    *Instead:* write `20001:v`, and add the organization to `orgs`.
    """
    known = {org.id for org in site.orgs}
    loc: Loc = ("exchange", "settings", "auth.default_orgs")
    for entry in filter(None, (part.strip() for part in _default_orgs(site).split(";"))):
        match = re.fullmatch(r"([0-9]{1,10}):[vm]", entry)
        if match is None:
            yield Finding(loc=loc, message="JHE answers 500 to every sign-up with this value",
                          expected="id:v or id:m, separated by ;", hint="write for example 20001:v")  # fmt: skip
        elif int(match[1]) not in known:
            yield Finding(loc=loc, message=f"organization {match[1]} is not in orgs, so every sign-up answers 500",
                          hint="add it to orgs")  # fmt: skip


def database_unverified(site: Site) -> Iterator[Finding]:
    """The connection to the database is not protected, or nobody checks who answers.

    *Why:* health data would travel in the clear, or to whoever sits between.

    *Instead:* leave `sslMode` out: it is verify-full.
    """
    mode = site.database.ssl_mode
    if mode in ("disable", "prefer"):
        severity, what = _strict(site), "may travel in the clear"
    elif mode in ("require", "verify-ca"):
        severity, what = Severity.WARNING, "goes to a server whose name is not checked"
    else:
        return
    yield Finding(
        loc=("database", "sslMode"),
        message=f"with sslMode {mode} health data {what}",
        hint="leave sslMode out; verify-full is the default",
        severity=severity,
    )


def untrusted_certificate(site: Site) -> Iterator[Finding]:
    """A production site has certificates that browsers refuse, or none from here.

    *Instead:* `ingress.issuer: letsencrypt`, or the name of an issuer that exists.
    """
    untrusted = site.edge.acme_server == LETSENCRYPT["letsencrypt-staging"]
    if site.environment == "production" and untrusted:
        yield Finding(
            loc=("ingress", "issuer"),
            message="browsers do not trust certificates of Let's Encrypt's staging server",
            hint="use letsencrypt",
            severity=Severity.WARNING,
        )


def retired_controller(site: Site) -> Iterator[Finding]:
    """The site uses ingress-nginx.

    *Why:* it is retired: no fixes after March 2026, no release for Kubernetes 1.36 (kubernetes/ingress-nginx README).

    *Instead:* `ingress.controller: envoy-gateway`.
    """
    if site.edge.controller == "ingress-nginx":
        yield Finding(
            loc=("ingress", "controller"),
            message="ingress-nginx is retired and gets no security fixes",
            hint="use envoy-gateway",
            severity=Severity.WARNING,
        )


def mail_into_log(site: Site) -> Iterator[Finding]:
    """A production site has no mail server.

    *Why:* JHE then prints its mail into the pod's log: password resets and verification links, readable by whoever
    reads logs (run).

    *Instead:* set `exchange.smtp`.
    """
    if site.environment == "production" and site.exchange.smtp is None:
        yield Finding(
            loc=("exchange", "smtp"),
            message="without a mail server JHE prints password resets into the pod's log",
            hint="set exchange.smtp",
            severity=Severity.WARNING,
        )


_PLACEHOLDER = re.compile(
    r"change[-_ ]?me|replace[-_ ]?me|\btodo\b|\bfixme\b|saved from|<[a-z][a-z _-]*>|\$\{\{|\b[0-9]x{3,}\b"
    r"|public hostname|your[-_](domain|name|host)",
    re.IGNORECASE,
)


def placeholder_value(site: Site) -> Iterator[Finding]:
    """A value is still a placeholder.

    *Why:* the source document's own `2XXXX` and `${{ saved from JHE }}` are valid texts, and deploy silently.

    *Instead:* write the real value.
    """
    places: list[tuple[Loc, Any]] = [
        (("domain",), site.domain),
        (("contact",), site.contact),
        (("database", "host"), site.database.host),
        (("exchange", "title"), site.exchange.title),
        *((("exchange", "env", name), value) for name, value in site.exchange.env),
        # the title is a setting, too, and would be said twice
        *((("exchange", "settings", s.key), s.value) for s in site.exchange.settings if s.value != site.exchange.title),
        *(((*hub.loc, "domain"), hub.domain) for hub in site.hubs),
        *(((*hub.loc, "clientId"), hub.client_id) for hub in site.hubs),
        *(((*hub.loc, "env", name), value) for hub in site.hubs for name, value in hub.env),
        *(((*org.loc, "name"), org.name) for org in site.orgs),
    ]
    for loc, value in places:
        if isinstance(value, str) and _PLACEHOLDER.search(value[:1000]):
            yield Finding(
                loc=loc, message="this is still a placeholder", hint="write the real value", severity=_strict(site)
            )


def shared_secret_key(site: Site) -> Iterator[Finding]:
    """Two different values would live under one key of one Secret.

    *Instead:* give each its own key.
    """
    ex = site.exchange
    named: list[tuple[Loc, SecretKey]] = [
        (("database", "passwordFrom"), site.database.password),
        (("exchange", "inviteCode"), ex.invite_code),
        *([(("exchange", "smtp", "passwordFrom"), ex.smtp.password)] if ex.smtp else []),
    ]
    for need in site.secrets:
        keys = [item.key for item in need.items if need.namespace == site.namespace]
        for key in dict.fromkeys(key for key in keys if keys.count(key) > 1):
            yield Finding(
                loc=next(
                    (loc for loc, ref in reversed(named) if (ref.name, ref.key) == (need.name, key)), ("secrets",)
                ),
                message=f"Secret '{need.name}' would hold two values under the key '{key}'",
                hint="give each its own key",
            )
