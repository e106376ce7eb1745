"""References into another namespace: what a Gateway admits and what a ReferenceGrant grants, on objects written out."""

from __future__ import annotations

from typing import Any

import pytest

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding
from jhecfg.rules.grants import reference_not_granted
from jhecfg.site import Site
from tests.aws_site import make

GATEWAY_API = "gateway.networking.k8s.io"


@pytest.fixture(scope="module")
def site() -> Site:
    """Return a site with one hub, whose Gateway is its own."""
    return make()


def found(site: Site, *trees: Tree, **others: Tree) -> list[Finding]:
    """Run the rule over objects, which are called after their place, and over other files by name."""
    objects = [Artifact(f"{number}.yaml", tree) for number, tree in enumerate(trees)]
    return list(
        reference_not_granted(site, [*objects, *(Artifact(f"hubs/{k}/values.yaml", t) for k, t in others.items())])
    )


def said(site: Site, *trees: Tree, **others: Tree) -> list[str]:
    """Return the messages of the rule."""
    return [finding.message for finding in found(site, *trees, **others)]


def thing(kind: str, namespace: str, name: str, /, api: str = f"{GATEWAY_API}/v1", **spec: Any) -> Tree:
    """Write an object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def gateway(*listeners: Tree) -> Tree:
    """Write the Gateway `gw` in the namespace `edge`."""
    return thing("Gateway", "edge", "gw", listeners=list(listeners))


def listener(name: str = "web", **namespaces: Any) -> Tree:
    """Write a listener that allows routes from these namespaces."""
    return {"name": name, "allowedRoutes": {"namespaces": namespaces}}


def route(namespace: str, *parents: Tree) -> Tree:
    """Write an HTTPRoute."""
    return thing("HTTPRoute", namespace, "route", parentRefs=list(parents))


def labelled(name: str, **labels: str) -> Tree:
    """Write a Namespace with labels."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


AT = {"name": "gw", "namespace": "edge"}
BARE: Tree = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "app", "labels": None}}


def term(operator: str, *values: str) -> dict[str, Any]:
    """Write a selector of one expression about the label `team`."""
    return {"matchExpressions": [{"key": "team", "operator": operator, **({"values": [*values]} if values else {})}]}


@pytest.mark.parametrize(
    ("allowed", "namespace", "taken"),
    [
        ({}, "edge", True),
        ({}, "app", False),
        ({"from": "Same"}, "edge", True),
        ({"from": "Same"}, "app", False),
        ({"from": "All"}, "app", True),
        ({"from": "None"}, "edge", False),
        ({"from": "Selector"}, "app", True),
        ({"from": "Selector", "selector": {}}, "app", True),
        ({"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "app"}}}, "app", True),
        ({"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "app"}}}, "unlisted", False),
        ({"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "far"}}}, "far", True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}, "app", True),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "b"}}}, "app", False),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a", "tier": "x"}}}, "app", False),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}}}, "unlisted", False),
        ({"from": "Selector", "selector": term("In", "a", "b")}, "app", True),
        ({"from": "Selector", "selector": term("In", "b")}, "app", False),
        ({"from": "Selector", "selector": term("In")}, "app", False),
        ({"from": "Selector", "selector": term("NotIn", "b")}, "app", True),
        ({"from": "Selector", "selector": term("NotIn", "a")}, "app", False),
        ({"from": "Selector", "selector": term("NotIn", "a")}, "unlisted", True),
        ({"from": "Selector", "selector": term("NotIn")}, "app", True),
        ({"from": "Selector", "selector": term("Exists")}, "app", True),
        ({"from": "Selector", "selector": term("Exists")}, "unlisted", False),
        ({"from": "Selector", "selector": term("DoesNotExist")}, "app", False),
        ({"from": "Selector", "selector": term("DoesNotExist")}, "unlisted", True),
        ({"from": "Selector", "selector": term("Like", "a")}, "app", False),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}, **term("In", "b")}}, "app", False),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "b"}, **term("In", "a")}}, "app", False),
        ({"from": "Selector", "selector": {"matchLabels": {"team": "a"}, **term("In", "a")}}, "app", True),
    ],
)
def test_a_listener_takes_routes_from_the_namespaces_it_allows(
    site: Site, allowed: Tree, namespace: str, taken: bool
) -> None:
    """As the Gateway API says: its own where nothing is said, by name, by label, by expression."""
    found_ = found(site, gateway(listener(**allowed)), labelled("app", team="a"), BARE | {"metadata": {"name": "far"}},
                   route(namespace, AT))  # fmt: skip
    assert [f.message for f in found_] == (
        [] if taken else [f"Gateway 'gw' takes no routes from namespace '{namespace}' there"]
    )


def test_a_namespace_may_have_no_labels_at_all(site: Site) -> None:
    """Its name is a label that Kubernetes gives it."""
    named = listener(**{"from": "Selector", "selector": {"matchLabels": {"kubernetes.io/metadata.name": "app"}}})
    assert said(site, gateway(named), BARE, route("app", AT)) == []


def test_a_route_is_judged_by_the_listener_that_it_names(site: Site) -> None:
    """One that takes it is enough, unless another is named; the finding stands at the parent that refuses."""
    both = gateway(listener("open", **{"from": "All"}), listener("shut"), {"name": "plain"})
    assert said(site, both, route("app", AT)) == []
    assert said(site, both, route("app", {**AT, "sectionName": "open"})) == []
    (finding,) = found(site, both, route("app", AT, {**AT, "sectionName": "shut"}))
    assert finding.message == "Gateway 'gw' takes no routes from namespace 'app' there"
    assert (finding.artifact, finding.loc) == ("1.yaml", ("spec", "parentRefs", 1))
    assert said(site, both, route("app", {**AT, "sectionName": "gone"})) == ["Gateway 'gw' has no listener 'gone'"]
    assert said(site, both, route("app", {**AT, "sectionName": "plain"})) != []
    assert said(site, both, route("edge", {**AT, "sectionName": "plain"})) == []


def test_a_gateway_without_listeners_takes_nothing(site: Site) -> None:
    """Whether the list is empty or absent."""
    for bare in (gateway(), thing("Gateway", "edge", "gw")):
        assert said(site, bare, route("edge", AT)) == ["Gateway 'gw' has no listeners"]


def test_a_parent_is_looked_for_where_it_says(site: Site) -> None:
    """In the route's namespace where it names none; what is no Gateway is not judged."""
    own = gateway(listener())
    assert said(site, own, route("edge", {"name": "gw"})) == []
    assert said(site, own, route("app", {"name": "gw"})) == ["there is no Gateway 'gw' in 'app'"]
    assert said(site, own, route("edge", {"name": "other"})) == ["there is no Gateway 'other' in 'edge'"]
    assert said(site, own, route("app", {"kind": "Service", "name": "gw"})) == []
    assert said(site, own, route("app", {"kind": "Gateway", "name": "gw"})) != []
    assert said(site, own, thing("HTTPRoute", "app", "route")) == []
    assert said(site, own, thing("TCPRoute", "app", "route", parentRefs=[{"name": "gw"}])) == []


def test_only_the_gateway_of_others_is_taken_on_trust(site: Site) -> None:
    """Its listeners are unknown here; any other Gateway has to be there."""
    shared = site._replace(edge=site.edge._replace(namespace="edge", gateway="gw", listener="https"))
    assert said(shared, route("app", AT)) == []
    assert said(site, route("app", AT)) == ["there is no Gateway 'gw' in 'edge'"]
    assert said(shared, route("app", {**AT, "name": "other"})) != []
    assert said(shared, route("app", {**AT, "namespace": "app"})) != []


def test_the_route_that_a_hubs_chart_makes_is_judged_as_ours_are(site: Site) -> None:
    """From the hub's namespace, where its values switch it on."""
    hub = site.hubs[0]
    shut = gateway(listener())
    on = {"httpRoute": {"enabled": True, "gateway": AT}}
    (finding,) = found(site, shut, hub=on)
    assert finding.message == f"Gateway 'gw' takes no routes from namespace '{hub.namespace}' there"
    assert (finding.artifact, finding.loc) == ("hubs/hub/values.yaml", ("httpRoute", "gateway"))
    for values in (
        {},
        {"httpRoute": None},
        {"httpRoute": {"enabled": False, "gateway": AT}},
        {"httpRoute": {"enabled": True}},
    ):
        assert said(site, shut, hub=values) == []
    assert said(site, shut, other=on) == []
    assert said(site._replace(hubs=(hub._replace(external=True),)), shut, hub=on) == []


# --- Services, Secrets, sources ---------------------------------------------------------------------------------------


def using(**backend: Any) -> Tree:
    """Write an HTTPRoute in `app` whose second rule has this second backend."""
    rules = [{}, {"backendRefs": [{"name": "near"}, backend]}]
    return thing("HTTPRoute", "app", "route", rules=rules)


def grant(namespace: str = "data", source: Tree | None = None, target: Tree | None = None) -> Tree:
    """Write a ReferenceGrant: by default for Services of `data`, to HTTPRoutes of `app`."""
    given = {"group": GATEWAY_API, "kind": "HTTPRoute", "namespace": "app"} | (source or {})
    to = {"group": "", "kind": "Service"} | (target or {})
    return thing("ReferenceGrant", namespace, "grant", **{"from": [{"kind": "x"}, given], "to": [{"kind": "x"}, to]})


def test_a_service_of_another_namespace_has_to_be_granted(site: Site) -> None:
    """The finding names what is wanted, by whom, and stands at the namespace."""
    (finding,) = found(site, using(name="db", namespace="data"))
    assert finding.message == "namespace 'data' does not grant Service 'db' to 'app'"
    assert (finding.artifact, finding.loc) == ("0.yaml", ("spec", "rules", 1, "backendRefs", 1, "namespace"))
    for near in (using(name="db"), using(name="db", namespace="app"), thing("HTTPRoute", "app", "route")):
        assert said(site, near) == []


@pytest.mark.parametrize(
    ("given", "enough"),
    [
        (grant(), True),
        (grant(target={"name": "db"}), True),
        (grant(target={"name": "other"}), False),
        (grant(target={"kind": "Secret"}), False),
        (grant(target={"group": "apps"}), False),
        (grant(namespace="app"), False),
        (grant(source={"namespace": "data"}), False),
        (grant(source={"kind": "GRPCRoute"}), False),
        (grant(source={"group": "networking.k8s.io"}), False),
        (thing("ReferenceGrant", "data", "grant", to=[{"group": "", "kind": "Service"}]), False),
        (thing("ReferenceGrant", "data", "grant", **{"from": grant()["spec"]["from"]}), False),
        (
            thing("ReferenceGrant", "data", "grant", **{"from": grant()["spec"]["from"], "to": [{"kind": "Service"}]}),
            True,
        ),
        (grant() | {"kind": "Grant"}, False),
    ],
)
def test_a_grant_names_who_and_what(site: Site, given: Tree, enough: bool) -> None:
    """Each of its words counts; one grant of several is enough."""
    assert (said(site, using(name="db", namespace="data"), given) == []) is enough
    assert said(site, using(name="db", namespace="data"), given, grant()) == []


def test_a_backend_may_be_of_any_kind(site: Site) -> None:
    """Its group and kind are what has to be granted."""
    backend = using(name="db", namespace="data", group="x.io", kind="Pool")
    assert said(site, backend, grant()) == ["namespace 'data' does not grant Pool 'db' to 'app'"]
    assert said(site, backend, grant(target={"kind": "Pool"})) != []
    assert said(site, backend, grant(target={"group": "x.io", "kind": "Pool"})) == []


def test_an_object_without_a_namespace_is_granted_nothing(site: Site) -> None:
    """Where it would be put is not guessed."""
    tree = using(name="db", namespace="data")
    del tree["metadata"]["namespace"]
    assert said(site, tree, grant()) == ["namespace 'data' does not grant Service 'db' to ''"]


def test_a_certificate_of_another_namespace_has_to_be_granted(site: Site) -> None:
    """As a Service has; other kinds than a Secret are named."""
    used = [{"name": "near"}, {"name": "tls", "namespace": "data"}]
    tree = gateway({"name": "plain"}, {"name": "https", "tls": {"certificateRefs": used}})
    (finding,) = found(site, tree)
    assert finding.message == "namespace 'data' does not grant Secret 'tls' to 'edge'"
    assert finding.loc == ("spec", "listeners", 1, "tls", "certificateRefs", 1, "namespace")
    given = grant(source={"kind": "Gateway", "namespace": "edge"}, target={"kind": "Secret"})
    assert said(site, tree, given) == []
    used[1]["kind"] = "ConfigMap"
    assert said(site, tree, given) == ["namespace 'data' does not grant ConfigMap 'tls' to 'edge'"]


FLUX = "kustomize.toolkit.fluxcd.io"
SOURCE = {"kind": "GitRepository", "name": "repo", "namespace": "data"}


@pytest.mark.parametrize(
    ("spec", "loc", "what"),
    [
        ({"sourceRef": SOURCE}, ("sourceRef",), "GitRepository 'repo'"),
        ({"sourceRef": {"name": "repo", "namespace": "data"}}, ("sourceRef",), "source 'repo'"),
        ({"chartRef": SOURCE}, ("chartRef",), "GitRepository 'repo'"),
        ({"chart": {"spec": {"sourceRef": SOURCE}}}, ("chart", "spec", "sourceRef"), "GitRepository 'repo'"),
        (
            {"dependsOn": [{"name": "near"}, {"name": "first", "namespace": "data"}]},
            ("dependsOn", 1),
            "Kustomization 'first'",
        ),
    ],
)
def test_flux_knows_no_grants(site: Site, spec: Tree, loc: tuple[str | int, ...], what: str) -> None:
    """A source, a chart or a dependency in another namespace is refused, with a grant beside it too."""
    tree = thing("Kustomization", "app", "unit", f"{FLUX}/v1", **spec)
    given = grant(source={"group": FLUX, "kind": "Kustomization"}, target={"kind": "GitRepository"})
    for objects in ((tree,), (tree, given)):
        (finding,) = found(site, *objects)
        assert finding.message == f"namespace 'data' does not grant {what} to 'app'"
        assert finding.loc == ("spec", *loc, "namespace")
    assert said(site, thing("Kustomization", "data", "unit", f"{FLUX}/v1", **spec)) == []
    assert said(site, thing("Kustomization", "app", "unit", "kustomize.config.k8s.io/v1beta1", **spec)) == []


def test_files_that_are_no_objects_are_passed_over(site: Site) -> None:
    """A kustomization has no metadata, a text no tree."""
    bare: Tree = {"apiVersion": "kustomize.config.k8s.io/v1beta1", "kind": "Kustomization", "resources": ["a.yaml"]}
    assert said(site, bare, bare | {"metadata": None}, {"httpRoute": {}}) == []
