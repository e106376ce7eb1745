"""Organizations: names become ids, parents come before children."""

from __future__ import annotations

from jhecfg.diagnostics import Finding, Loc, did_you_mean
from jhecfg.resolve.problems import Problems
from jhecfg.site import Organization
from jhecfg.spec.exchange import OrgSpec

ROOT_ID = 0
ROOT = ""
"""The name of what is above all; no organization has an empty one."""


class OrgIds:
    """The organizations' ids by name; a name that is not there is a problem, said at its place."""

    def __init__(self, orgs: tuple[OrgSpec, ...], problems: Problems) -> None:
        """Take the spec's organizations, and where to say what is wrong."""
        self._ids = {org.name: org.id for org in reversed(orgs)}
        self._problems = problems

    def find(self, name: str, loc: Loc) -> int | None:
        """Return the id of the organization with this name."""
        if name in self._ids:
            return self._ids[name]
        self._problems.add(
            "unknown-org",
            Finding(
                loc=loc,
                message=f"organization '{name}' is not in orgs",
                label="no organization has this name",
                hint=self._instead(name),
                related=((("orgs",), "organizations are declared here"),) if self._ids else (),
            ),
        )
        return None

    def _instead(self, name: str) -> str:
        meant = next((each for each, number in self._ids.items() if str(number) == name), None)
        if meant is not None:
            return f"write its name: '{meant}'"
        return did_you_mean(name, self._ids) or "add it to orgs, with its id and type"

    def find_all(self, names: tuple[str, ...], loc: Loc) -> tuple[int, ...]:
        """Return the ids of several organizations, in order, each once."""
        ids = (self.find(name, (*loc, index)) for index, name in enumerate(names))
        return tuple(sorted({i for i in ids if i is not None}))


def orgs_of(orgs: tuple[OrgSpec, ...], ids: OrgIds, problems: Problems) -> tuple[Organization, ...]:
    """Resolve the organizations, parents before children, so that the bootstrap Job can create them in order."""
    made = [
        Organization(
            loc=("orgs", index),
            name=org.name,
            id=org.id,
            type=org.type,
            parent_id=_parent_id(index, org, ids),
            managers=org.managers,
            manage=org.manage,
        )
        for index, org in enumerate(orgs)
    ]
    return _parents_first(made, orgs, problems)


def _parent_id(index: int, org: OrgSpec, ids: OrgIds) -> int:
    if org.parent is None:
        return ROOT_ID
    found = ids.find(org.parent, ("orgs", index, "parent"))
    return ROOT_ID if found is None else found


def _parents_first(made: list[Organization], orgs: tuple[OrgSpec, ...], problems: Problems) -> tuple[Organization, ...]:
    """Order by depth, in the spec's order within one; a cycle is said and left at the end.

    Names are followed, not ids: two organizations with one id are another mistake, and said by its rule.
    """
    parents = {org.name: org.parent for org in reversed(orgs)}
    depths: dict[str, int] = {ROOT: 0}
    for org in made:
        way, at = list[str](), org.name
        while at not in depths and at not in way:
            way.append(at)
            at = parents.get(at) or ROOT
        if at not in depths:
            problems.add(
                "org-cycle",
                Finding(
                    loc=(*org.loc, "parent"),
                    message=f"organization '{org.name}' is, through its parents, its own parent",
                    hint="leave out the parent of the topmost one",
                ),
            )
        depth = depths.get(at, len(orgs))
        for step, each in enumerate(reversed(way), start=1):
            depths[each] = depth + step
    return tuple(sorted(made, key=lambda org: depths[org.name]))
