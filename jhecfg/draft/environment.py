"""environment(): the Exchange's environment variables, wherever they are written, as what the spec calls them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from jhecfg.diagnostics import Loc
from jhecfg.draft.reading import Reading
from jhecfg.releases import GONE, MANAGED_ENV, RELEASES

_TO: dict[str, Loc] = {
    "SITE_TITLE": ("exchange", "title"),
    "DB_HOST": ("database", "host"),
    "DB_PORT": ("database", "port"),
    "DB_NAME": ("database", "name"),
    "DB_USER": ("database", "user"),
    "DJANGO_LOG_LEVEL": ("exchange", "logLevel"),
    "TIME_ZONE": ("exchange", "timeZone"),
    "SMTP_HOST": ("exchange", "smtp", "host"),
    "SMTP_PORT": ("exchange", "smtp", "port"),
    "SMTP_USER": ("exchange", "smtp", "user"),
    "OW_API_URL": ("exchange", "wearables", "apiUrl"),
}
SECRETS: dict[str, str] = {
    "DB_PASSWORD": "jhe-database/password",
    "SECRET_KEY": "jhe-exchange/secret-key",
    "OIDC_RSA_PRIVATE_KEY": "jhe-exchange/oidc-rsa-private-key",
    "REGISTRATION_INVITE_CODE": "jhe-bootstrap/invite-code",
    "SMTP_PASSWORD": "jhe-smtp/password",
}
"""Secrets of the Exchange, and what `jhecfg secrets` calls them."""

_READ = frozenset().union(*(release.env for release in RELEASES))
_URL = re.compile(r"(?:https?://)?([A-Za-z0-9.-]+)(?::[0-9]+)?/?")


def environment(reading: Reading, variables: Mapping[str, Loc]) -> None:
    """Carry variables, each with the place of its value, or note why not."""
    for name, loc in variables.items():
        _variable(reading, name, loc)


def kept(name: str) -> str:
    """Say how a value that is in use becomes the site's."""
    return f"`jhecfg secrets init` takes the one in use, by --from-env or --from-file, as {name}"


def is_of_exchange(names: Any) -> bool:
    """Tell whether some of these variables are the Exchange's."""
    return any(isinstance(name, str) and (name in _READ or name in GONE) for name in names)


def host_in(address: Any) -> str | None:
    """Return the host name in an address such as https://jhe.example.org/, or None."""
    found = _URL.match(address) if isinstance(address, str) else None
    return found[1].lower() if found else None


def _variable(reading: Reading, name: str, loc: Loc) -> None:
    value = reading.get(*loc)
    if name == "SITE_URL":
        reading.carry(loc, ("domain",), host_in(value))
    elif name in SECRETS:
        reading.secret(loc, kept(SECRETS[name]))
    elif name in _TO:
        port = name.endswith("_PORT") and isinstance(value, str) and re.fullmatch("[0-9]{1,5}", value)
        reading.carry(loc, _TO[name], int(value) if port else None)
    elif reading.is_secret(loc):
        reading.secret(loc)
    elif name in GONE:
        reading.note(loc, _instead(f"no release since {GONE[name].since} reads it", GONE[name].instead))
    elif name in MANAGED_ENV:
        reading.note(loc, _instead("jhecfg sets it", MANAGED_ENV[name]))
    elif name in _READ:
        reading.carry(loc, ("exchange", "env", name), None if isinstance(value, str) else str(value))
    else:
        reading.note(loc, "no release of JHE reads it")


def _instead(why: str, instead: str) -> str:
    """Say what took the place of a variable: a field of the spec, or `nothing: ` and the reason."""
    nothing, _, reason = instead.partition(": ")
    return f"{why}: {reason}" if nothing == "nothing" else f"{why}; the spec says it in {instead}"
