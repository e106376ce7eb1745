"""Rules about names and JHE's demonstration data, case by case: which two meet, where it is said, what is nearly so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from jhecfg.diagnostics import Finding, Loc
from jhecfg.rules import demo
from jhecfg.rules import names as rules
from jhecfg.site import Site
from tests.aws_site import HUB, make

LAB = {"name": "Example Lab", "id": 20001, "type": "laboratory"}
MCP = {"domain": "mcp.example.org"}


def hub(name: str, **changes: Any) -> dict[str, Any]:
    """Write a hub, at a host name of its own."""
    return {**HUB, "name": name, "domain": f"{name}.example.org", **changes}


def org(name: str, number: int) -> dict[str, Any]:
    """Write an organization."""
    return {**LAB, "name": name, "id": number}


def again(what: str, *places: tuple[Loc, Loc]) -> list[Finding]:
    """Return what is said of names that are used again: (there, where it was first)."""
    return [
        Finding(
            loc=loc, message=what, label="used again here", hint="give each its own", related=((first, "first used here"),)
        )
        for loc, first in places
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "changes", "what", "places"),
    [
        (rules.duplicate_name, {"hubs": [hub("a"), hub("b"), hub("a", domain="c.example.org"), hub("a", domain="d.example.org")]},
         "two hubs are named 'a'", [(("hubs", n, "name"), ("hubs", 0, "name")) for n in (2, 3)]),
        (rules.duplicate_name, {"orgs": [LAB, org("Other", 20002), org("Other", 20003)]},
         "two organizations are named 'Other'", [(("orgs", 2, "name"), ("orgs", 1, "name"))]),
        (rules.duplicate_name, {"orgs": [LAB], "hubs": [hub("a")]}, "", []),
        (rules.duplicate_org_id, {"orgs": [LAB, org("Other", 20001), org("Third", 20003)]},
         "two organizations have the id '20001'", [(("orgs", 1, "id"), ("orgs", 0, "id"))]),
        (rules.duplicate_domain, {"hubs": [hub("a"), hub("b", domain="jhe.example.org")]},
         "two parts of the site have the host name 'jhe.example.org'", [(("hubs", 1, "domain"), ("domain",))]),
        (rules.duplicate_domain, {"exchange__mcp": MCP, "hubs": [hub("mcp")]},
         "two parts of the site have the host name 'mcp.example.org'", [(("hubs", 0, "domain"), ("exchange", "mcp", "domain"))]),
        (rules.duplicate_domain, {"exchange__mcp": {"domain": "jhe.example.org"}},
         "two parts of the site have the host name 'jhe.example.org'", [(("exchange", "mcp", "domain"), ("domain",))]),
        (rules.duplicate_domain, {"hubs": [hub("a"), hub("b", domain="a.example.org", deploy="external")]},
         "two parts of the site have the host name 'a.example.org'", [(("hubs", 1, "domain"), ("hubs", 0, "domain"))]),
        (rules.duplicate_client_id, {"hubs": [hub("a"), hub("b", clientId="x"), hub("c", clientId="x"), hub("d", clientId="x")]},
         "two applications have the client id 'x'", [(("hubs", n, "clientId"), ("hubs", 1, "clientId")) for n in (2, 3)]),
        (rules.duplicate_client_id, {"exchange__mcp": MCP, "hubs": [hub("a", clientId="jhe-mcp-mcp.example.org")]},
         "two applications have the client id 'jhe-mcp-mcp.example.org'", [(("hubs", 0, "clientId"), ("exchange", "mcp"))]),
        (rules.duplicate_client_id, {"hubs": [hub("a"), hub("b", domain="a.example.org")]}, "", []),
        (rules.duplicate_client_id,
         {"hubs": [hub("a", clientId="x"), hub("b", domain="a.example.org"), hub("c", clientId="x")]},
         "two applications have the client id 'x'", [(("hubs", 2, "clientId"), ("hubs", 0, "clientId"))]),
    ],
)  # fmt: skip
def test_what_must_be_unique_is_said_at_each_that_comes_again(
    rule: Callable[[Site], Iterable[Finding]], changes: dict[str, Any], what: str, places: list[tuple[Loc, Loc]]
) -> None:
    """With the first one beside it; one mistake, one finding: hubs of one host name are not two of one client id too."""
    assert list(rule(make(**changes))) == again(what, *places)


def test_client_ids_are_said_in_the_order_of_the_spec() -> None:
    """Not in that of the ids."""
    hubs = [hub(name, clientId=client) for name, client in zip("abcd", "xxbb", strict=True)]
    assert [finding.loc for finding in rules.duplicate_client_id(make(hubs=hubs))] == [
        ("hubs", 1, "clientId"), ("hubs", 3, "clientId"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["exchange", "mcp"])
def test_a_hub_may_not_be_named_like_a_part_of_the_exchange(name: str) -> None:
    """Another name is offered."""
    assert list(rules.reserved_hub_name(make(hubs=[hub("a"), hub(name)]))) == [
        Finding(
            loc=("hubs", 1, "name"),
            message=f"'{name}' is the name of a part of the Exchange",
            hint=f"choose another name, for example {name}-hub",
        )
    ]


def test_a_name_is_a_folder_on_windows_too() -> None:
    """The site's, and each hub's."""
    site = make(site="nul", hubs=[hub("a"), hub("com0"), hub("lpt9"), hub("com")])
    assert list(rules.unportable_name(site)) == [
        Finding(loc=loc, message=f"'{name}' cannot be a folder on Windows", hint="choose another name")
        for loc, name in ((("site",), "nul"), (("hubs", 1, "name"), "com0"), (("hubs", 2, "name"), "lpt9"))
    ]


def test_each_hub_of_the_cluster_has_a_namespace_of_its_own() -> None:
    """The Exchange's is taken, and that of each hub before; of three in one the first has it. Elsewhere is elsewhere."""
    hubs = [
        hub("a", namespace="jhe"), hub("b", namespace="c"), hub("c"), hub("d", namespace="c"),
        hub("e", namespace="c", deploy="external"),
    ]  # fmt: skip
    assert list(rules.hub_namespace(make(hubs=hubs))) == [
        Finding(
            loc=("hubs", n, "namespace"),
            message=f"namespace '{name}' is taken",
            hint="give the hub a namespace of its own",
            related=((first, "taken here"),),
        )
        for n, name, first in (
            (0, "jhe", ("namespace",)), (2, "c", ("hubs", 1, "namespace")), (3, "c", ("hubs", 1, "namespace")),
        )
    ]  # fmt: skip


def test_no_namespace_of_the_platform_is_a_sites() -> None:
    """Neither for the Exchange nor for a hub of this cluster."""
    site = make(namespace="kube-system", hubs=[hub("a"), hub("default"), hub("kube-public", deploy="external")])
    assert list(rules.platform_namespace(site)) == [
        Finding(loc=loc, message=f"namespace '{name}' belongs to the platform", hint="use one of your own")
        for loc, name in ((("namespace",), "kube-system"), (("hubs", 1, "namespace"), "default"))
    ]


def test_a_gateway_has_64_listeners() -> None:
    """One of them is that for HTTP, one the Exchange's; a Gateway that others bring, or another edge, is not judged."""
    most, more = ([hub(f"hub{n}") for n in range(count)] for count in (62, 63))
    assert list(rules.too_many_hosts(make(hubs=most))) == []
    site = make(hubs=more)
    assert list(rules.too_many_hosts(site)) == [
        Finding(
            loc=("hubs",),
            key=True,
            message="one Gateway cannot serve so many host names",
            found="65 listeners",
            expected="at most 64",
            hint="put some of the hubs into a site of their own",
        )
    ]
    nginx = make(hubs=more, ingress={"controller": "ingress-nginx"}, cluster__version="1.35")
    shared = make(hubs=more, ingress={"gateway": {"name": "shared", "namespace": "edge"}})
    assert [*rules.too_many_hosts(nginx), *rules.too_many_hosts(shared)] == []


def test_a_derived_client_id_has_100_characters() -> None:
    """One more and it was cut; an id that the spec gives is the person's, be it nearly the same."""
    fits, longer = (f"{'a' * 50}.{'b' * (count - 74)}.example.org" for count in (100, 101))
    assert len(f"jupyterhub-{fits}") == 100
    cut = f"jupyterhub-{longer}"[:100]
    hubs = [hub("a", domain=fits), hub("b", domain=longer), hub("c", domain=f"c{longer}", clientId=cut)]
    assert list(rules.long_client_id(make(hubs=hubs))) == [
        Finding(
            loc=("hubs", 1, "domain"),
            message="the client id derived from this domain is too long",
            hint="set a short clientId",
        )
    ]


# --- demonstration data -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", ["none", "basic"])
@pytest.mark.parametrize("environment", ["demo", "staging", "production"])
def test_demonstration_data_are_for_a_demo(data: str, environment: str) -> None:
    """Anywhere else they are refused, with what makes the site no demo beside it."""
    found = list(demo.demo_data_outside_demo(make(environment=environment, exchange={"demoData": data})))
    wrong = data != "none" and environment != "demo"
    assert found == wrong * [
        Finding(
            loc=("exchange", "demoData"),
            message=f"demonstration data have no place in {environment}",
            label="a superuser with a published password",
            expected="environment: demo",
            hint="leave it out, or make this site a demo",
            related=((("environment",), "the environment"),),
        )
    ]


def test_an_organization_of_the_data_keeps_its_id_and_name() -> None:
    """A stranger with its id is refused; one of its name takes it over; ids above are free; without data all are."""
    orgs = [LAB, org("Cosmic Cardio Lab", 20008), org("Free", 20009), org("Lifespan Lab", 20004)]
    site = make(environment="demo", exchange={"demoData": "basic"}, orgs=orgs)
    assert list(demo.demo_organization(site)) == [
        Finding(
            loc=("orgs", n, "id"),
            message=f"the id {number} belongs to '{name}' of the demonstration data",
            hint=f"choose an id above 20008, or name the organization '{name}'",
            related=((("exchange", "demoData"), "loads them"),),
        )
        for n, number, name in ((0, 20001, "Planetary Research Institute"), (3, 20004, "Neptune Health System"))
    ]
    assert list(demo.demo_organization(make(orgs=orgs))) == []
