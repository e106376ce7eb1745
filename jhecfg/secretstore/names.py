"""Names: how a person calls one value of a site: `namespace/Secret/key`, or as much of it as is clear."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from jhecfg.diagnostics import Misused, did_you_mean
from jhecfg.site import SecretItem, SecretNeed, Site


class Named(NamedTuple):
    """One value of a Secret of the site's own."""

    need: SecretNeed
    item: SecretItem

    @property
    def place(self) -> tuple[str, str]:
        """Namespace and name of the Secret."""
        return self.need.namespace, self.need.name

    def __str__(self) -> str:
        return f"{self.need.namespace}/{self.need.name}/{self.item.key}"


def owned(site: Site) -> Iterator[Named]:
    """Yield every value that is the site's own, in the inventory's order."""
    for need in site.secrets:
        for item in need.own_items:
            yield Named(need, item)


def meant(site: Site, word: str) -> tuple[Named, ...]:
    """Return the values that a word names: one, or all of a Secret. Raises Misused where there is none."""
    found = tuple(named for named in owned(site) if word in _words(named))
    if not found:
        hint = did_you_mean(word, [word for named in owned(site) for word in _words(named)])
        raise Misused(f"the site has no secret of its own called '{word}'{'; ' if hint else ''}{hint}")
    return found


def one(site: Site, word: str) -> Named:
    """Return the one value that a word names. Raises Misused where it is none, or not clear which."""
    found = meant(site, word)
    if len(found) > 1:
        raise Misused(f"'{word}' may be any of {', '.join(map(str, found))}; write more of its name")
    return found[0]


def _words(named: Named) -> tuple[str, ...]:
    (namespace, name), key = named.place, named.item.key
    return (str(named), f"{name}/{key}", key, key.rpartition(".")[2], f"{namespace}/{name}", name)
