"""from_hub(): values of Zero to JupyterHub, with a login through the Exchange (GenericOAuthenticator) or not yet."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.draft.environment import host_in
from jhecfg.draft.images import split
from jhecfg.draft.reading import Reading

_BASES: tuple[Loc, ...] = ((), ("jupyterhub",), ("basehub", "jupyterhub"))
_SECTIONS: tuple[Loc, ...] = (
    ("hub", "config", "JupyterHub", "GenericOAuthenticator"),  # nested beats the other (facts of traitlets)
    ("hub", "config", "GenericOAuthenticator"),
    ("hub", "config", "OAuthenticator"),
    ("hub", "config", "Authenticator"),
)
# What jhecfg writes too; where a file says the same, nothing is lost.
_SAME: dict[str, Any] = {
    "scope": ["openid"],
    "username_claim": "email",
    "login_service": "JupyterHealth Exchange",
    "enable_auth_state": True,
    "enable_pkce": True,
    "manage_groups": True,
    "auth_state_groups_key": "organizations",
}
_SAME_HUB: dict[str, Any] = {"authenticator_class": "generic-oauth", "cookie_max_age_days": 1, "admin_access": False}
_VALUES = "is not carried over; `hubs[].values` takes further chart values"
_LOGIN = "the login is jhecfg's own; `hubs[].values` says more of it, where it must"
_REASONS: dict[Loc, str] = {
    (): _VALUES,
    ("hub", "config", "GenericOAuthenticator"): _LOGIN,
    ("hub", "config", "JupyterHub", "GenericOAuthenticator"): _LOGIN,
    ("hub", "extraConfig"): "is code, and jhecfg brings its own for login, groups and JHE_TOKEN; what else it does "
    "belongs into `hubs[].values`",
    ("ingress",): "the spec's `ingress` says it in another way",
    ("proxy", "https"): "the edge ends TLS: the spec's `ingress`",
    ("proxy", "service"): "the edge is the spec's `ingress`",
}


def is_hub(tree: dict[str, Any]) -> bool:
    """Tell whether these are values of the chart, by themselves or below the name of a subchart."""
    return _base(tree) is not None


def _base(tree: dict[str, Any]) -> Loc | None:
    for base in _BASES:
        values: Any = tree
        for step in base:
            values = values.get(step) if isinstance(values, dict) else None
        mine = isinstance(values, dict) and "apiVersion" not in values
        if mine and any(isinstance(values.get(key), dict) for key in ("hub", "singleuser")):
            return base
    return None


def from_hub(reading: Reading) -> None:
    """Carry what a spec says of a hub; the rest has its reasons."""
    hub = _Hub(reading, _base(reading.tree) or ())
    hub.login()
    hub.names()
    hub.server()
    hub.secrets()


class _Hub:
    """One hub of the draft, being filled from one document."""

    def __init__(self, reading: Reading, base: Loc) -> None:
        self.reading = reading
        self.base = base
        index = len(reading.draft.get("hubs") or ())
        self.to: Loc = ("hubs", index)
        for loc, why in _REASONS.items():
            reading.explain((*base, *loc), why)
        reading.draft.put(self.to, {"name": f"hub-{index + 1}" if index else "hub"})
        if index:  # the questions are about the first
            reading.draft.put((*self.to, "deploy"), "external")

    def login(self) -> None:
        """Carry client, host names and access from every section that a hub reads them from."""
        for section in _SECTIONS:
            at = (*self.base, *section)
            if isinstance(self.reading.get(*at), dict):
                self._client(at)
                self._access(at)
                self._same(at, _SAME)
        self._same((*self.base, "hub", "config", "JupyterHub"), _SAME_HUB)

    def _client(self, at: Loc) -> None:
        self.reading.carry((*at, "client_id"), (*self.to, "clientId"))
        self._hosts([(*at, "oauth_callback_url")], (*self.to, "domain"))
        self._hosts(((*at, key) for key in ("authorize_url", "token_url", "userdata_url")), ("domain",))
        secret = (*at, "client_secret")
        if self.reading.get(*secret) not in (None, ""):
            self.reading.note(secret, "is a secret, and of no use: the hub is a public client, with PKCE")

    def _hosts(self, places: Iterable[Loc], to: Loc) -> None:
        for loc in places:
            host = host_in(self._address(loc))
            if host is not None:
                self.reading.carry(loc, to, host)

    def _address(self, loc: Loc) -> str | None:
        """Return an address without its path."""
        value = self.reading.get(*loc)
        found = re.match(r"https?://[^/?#]+", value) if isinstance(value, str) else None
        return found[0] if found else value

    def _same(self, at: Loc, same: dict[str, Any]) -> None:
        self.reading.settle(*((*at, key) for key, value in same.items() if self.reading.get(*at, key) == value))

    # Who may enter.

    def _access(self, at: Loc) -> None:
        self._groups((*at, "allowed_groups"), (*self.to, "access", "orgs"))
        self._groups((*at, "admin_groups"), (*self.to, "admins", "orgs"))
        if self.reading.draft.get(*self.to, "access", "orgs"):
            self.reading.note((*at, "allowed_users"), "access is by organization, too: add them to one")
        else:
            self._users((*at, "allowed_users"), (*self.to, "access", "users"))
        self._users((*at, "admin_users"), (*self.to, "admins", "users"))
        if self.reading.get(*at, "allow_all") is True:
            self.reading.note((*at, "allow_all"), "lets everybody in who has an account: name an organization instead")
        else:
            self.reading.settle((*at, "allow_all"))

    def _groups(self, loc: Loc, to: Loc) -> None:
        """Turn the ids of organizations into organizations; what they are called is not in the file."""
        ids = self.reading.get(*loc)
        for index, group in enumerate(ids if isinstance(ids, list) else ()):
            number = int(group) if re.fullmatch("[1-9][0-9]{0,9}", str(group)) else 0
            name = self._organization((*loc, index), number)
            if name and name not in (self.reading.draft.get(*to) or ()):
                self.reading.draft.put((*to, len(self.reading.draft.get(*to) or ())), name)

    def _organization(self, loc: Loc, number: int) -> str:
        draft = self.reading.draft
        orgs = draft.get("orgs") or []
        known = next((str(org["name"]) for org in orgs if org["id"] == number), "")
        if known:
            self.reading.settle(loc)
            return known
        at: Loc = ("orgs", len(orgs))
        if not self.reading.carry(loc, (*at, "id"), number or "no id"):
            return ""
        draft.put((*at, "name"), f"Organization {number}")
        draft.put((*at, "type"), "other")
        draft.remarks[(*at, "name")] = "The file has its id only: write its name and type as JHE knows them."
        self.reading.remark(loc, f"has no name there: it is called 'Organization {number}' until you name it")
        return f"Organization {number}"

    def _users(self, loc: Loc, to: Loc) -> None:
        users = self.reading.get(*loc)
        for index in range(len(users) if isinstance(users, list) else 0):
            there = self.reading.draft.get(*to) or ()
            if self.reading.get(*loc, index) in there:
                self.reading.settle((*loc, index))
            else:
                self.reading.carry((*loc, index), (*to, len(there)))

    # What it is called.

    def names(self) -> None:
        """Carry the hub's host name, and who answers for its certificate."""
        for loc in (("ingress", "hosts", 0), ("httpRoute", "hostnames", 0), ("proxy", "https", "hosts", 0)):
            self._hosts([(*self.base, *loc)], (*self.to, "domain"))
        self.reading.carry((*self.base, "proxy", "https", "letsencrypt", "contactEmail"), ("contact",))

    # What a user's server is.

    def server(self) -> None:
        """Carry image, resources, disk and environment of users' servers."""
        at = (*self.base, "singleuser")
        self._image((*at, "image"))
        for kind in ("memory", "cpu"):
            for key in ("guarantee", "limit"):
                self.reading.carry((*at, kind, key), (*self.to, "resources", kind, key))
        self._capacity((*at, "storage", "capacity"))
        self.reading.carry((*at, "storage", "dynamic", "storageClass"), (*self.to, "storage", "storageClass"))
        self._environment((*at, "extraEnv"))

    def _image(self, at: Loc) -> None:
        tag = self.reading.get(*at, "tag")
        if not isinstance(tag, str) or split(str(self.reading.get(*at, "name")) + ":" + tag)[1] != tag:
            return
        if self.reading.carry((*at, "tag"), (*self.to, "image", "tag")):
            self.reading.carry((*at, "name"), (*self.to, "image", "repository"))

    def _capacity(self, loc: Loc) -> None:
        found = re.fullmatch(r"([0-9]{1,6})Gi", str(self.reading.get(*loc)))
        self.reading.carry(loc, (*self.to, "storage", "capacityGiB"), int(found[1]) if found else None)

    def _environment(self, at: Loc) -> None:
        variables = self.reading.get(*at)
        for name in variables if isinstance(variables, dict) else ():
            loc = (*at, name)
            if name == "JHE_URL":
                self._hosts([loc], ("domain",))
            elif self.reading.is_secret(loc):
                self.reading.secret(loc)
            elif isinstance(variables[name], str):
                self.reading.carry(loc, (*self.to, "env", name))

    def secrets(self) -> None:
        """Note what is secret in a hub and is not called so."""
        for loc in (("hub", "config", "CryptKeeper", "keys"), ("hub", "cookieSecret"), ("proxy", "secretToken")):
            self.reading.secret((*self.base, *loc), "`jhecfg secrets init` makes a new one")
