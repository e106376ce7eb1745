"""Rules about the rendered objects, case by case, on objects written out: what is wrong, where, and what is nearly so."""

from __future__ import annotations

from typing import Any

import pytest

from jhecfg.artifact import Artifact, Tree
from jhecfg.diagnostics import Finding, Loc
from jhecfg.rules import ArtifactRule
from jhecfg.rules import manifests as rules
from jhecfg.rules.outputs import Outputs
from jhecfg.site import Site
from tests.aws_site import make

POD: Loc = ("spec", "template")


@pytest.fixture(scope="module")
def site() -> Site:
    """Return a site in the namespace `jhe` with a hub, whose database's certificates are in the ConfigMap `rds-ca`."""
    return make()


def found(rule: ArtifactRule, site: Site, *artifacts: Artifact) -> list[tuple[str, Loc, str]]:
    """Return what a rule says: file, place, message."""
    said = list(rule(site, artifacts))
    assert all(
        finding == Finding(artifact=finding.artifact, loc=finding.loc, message=finding.message) for finding in said
    )
    return [(str(finding.artifact), finding.loc, finding.message) for finding in said]


def thing(kind: str, name: str = "x", namespace: str | None = "jhe", /, api: str = "v1", **fields: Any) -> Artifact:
    """Write an object into a file of its name; with None it has no namespace."""
    metadata = {"name": name} | ({"namespace": namespace} if namespace is not None else {})
    return Artifact(f"manifests/{name}.yaml", {"apiVersion": api, "kind": kind, "metadata": metadata, **fields})


def pod(namespace: str = "jhe", labels: Tree | None = None, **spec: Any) -> Artifact:
    """Write a Deployment called `pod` with this pod."""
    template = {"metadata": {"labels": labels}, "spec": spec} if labels else {"spec": spec}
    return thing("Deployment", "pod", namespace, api="apps/v1", spec={"template": template})


def at(*loc: str | int) -> Loc:
    """Return a place in the pod's own spec."""
    return (*POD, "spec", *loc)


# --- twice ------------------------------------------------------------------------------------------------------------


def test_an_object_is_known_by_group_kind_namespace_and_name(site: Site) -> None:
    """A third one is said too, beside the first; another version of the same group is the same object."""
    first = Artifact("manifests/a.yaml", thing("Ingress", api="networking.k8s.io/v1").tree)
    later = [
        Artifact(f"manifests/{n}.yaml", thing("Ingress", api=f"networking.k8s.io/{n}").tree) for n in ("v1beta1", "v2")
    ]
    others = (thing("Ingress", api="extensions/v1"), thing("Ingress", "y", api="networking.k8s.io/v1"),
              thing("Ingress", "x", "hub", api="networking.k8s.io/v1"), thing("Service"))  # fmt: skip
    assert found(rules.duplicate_object, site, first, *others) == []
    assert found(rules.duplicate_object, site, first, *later) == [
        (each.path, ("metadata", "name"), "Ingress 'x' is also in manifests/a.yaml") for each in later
    ]


# --- references -------------------------------------------------------------------------------------------------------

BACKEND: Tree = {"service": {"name": "gone"}}
RULES: Loc = ("spec", "rules", 1)


@pytest.mark.parametrize(
    ("artifact", "loc", "what"),
    [
        (pod(serviceAccountName="gone"), at("serviceAccountName"), "ServiceAccount"),
        (pod(volumes=[{"emptyDir": {}}, {"configMap": {"name": "gone"}}]), at("volumes", 1, "configMap", "name"), "ConfigMap"),
        (pod(containers=[{}, {"envFrom": [{}, {"configMapRef": {"name": "gone"}}]}]),
         at("containers", 1, "envFrom", 1, "configMapRef", "name"), "ConfigMap"),
        (pod(initContainers=[{"env": [{"value": "1"}, {"valueFrom": {"configMapKeyRef": {"name": "gone"}}}]}]),
         at("initContainers", 0, "env", 1, "valueFrom", "configMapKeyRef", "name"), "ConfigMap"),
        (thing("Ingress", spec={"rules": [{"http": {"paths": []}}, {"http": {"paths": [{"backend": BACKEND}]}}]}),
         (*RULES, "http", "paths", 0, "backend", "service", "name"), "Service"),
        (thing("HTTPRoute", spec={"rules": [{}, {"backendRefs": [{"name": "there"}, {"name": "gone"}]}]}),
         (*RULES, "backendRefs", 1, "name"), "Service"),
        (thing("HTTPRoute", spec={"rules": [{}, {"filters": [
            {"type": "RequestRedirect"}, {"type": "ExtensionRef", "extensionRef": {"kind": "HTTPRouteFilter", "name": "gone"}}]}]}),
         (*RULES, "filters", 1, "extensionRef", "name"), "HTTPRouteFilter"),
    ],
)  # fmt: skip
def test_what_an_object_needs_is_in_its_namespace(site: Site, artifact: Artifact, loc: Loc, what: str) -> None:
    """Accounts, ConfigMaps in three ways, Services behind routes, and the filters of Envoy Gateway."""
    said = (artifact.path, loc, f"{what} 'gone' is not in namespace 'jhe'")
    there = thing("Service", "there")
    assert found(rules.dangling_reference, site, artifact, there) == [said]
    assert found(rules.dangling_reference, site, artifact, there, thing(what, "gone", "hub")) == [said]
    assert found(rules.dangling_reference, site, artifact, there, thing(what, "gone")) == []


def test_the_certificates_of_the_database_may_be_anothers(site: Site) -> None:
    """The ConfigMap that the spec names is there without us; Secrets are another rule's."""
    named = pod(volumes=[{"configMap": {"name": "rds-ca"}}, {"secret": {"secretName": "gone"}}])
    assert found(rules.dangling_reference, site, named) == []
    without = site._replace(database=site.database._replace(ca=None))
    assert [message for *_, message in found(rules.dangling_reference, without, named)] == [
        "ConfigMap 'rds-ca' is not in namespace 'jhe'"
    ]


def test_what_lies_in_no_namespace_needs_what_does_not_either(site: Site) -> None:
    """Objects without one are together, for references and for selectors; that they have none is another rule's."""
    service = thing("Service", "x", None, spec={"selector": {"app": "a"}})
    needing = {"metadata": {"labels": {"app": "a"}}, "spec": {"volumes": [{"configMap": {"name": "gone"}}]}}
    bare = thing("Deployment", "pod", None, spec={"template": needing})
    assert found(rules.selector_selects_nothing, site, service, bare) == []
    assert len(found(rules.selector_selects_nothing, site, service, pod(labels={"app": "a"}))) == 1
    assert found(rules.dangling_reference, site, bare, thing("ConfigMap", "gone", None)) == []
    assert found(rules.dangling_reference, site, bare, thing("ConfigMap", "gone")) == [
        ("manifests/pod.yaml", at("volumes", 0, "configMap", "name"), "ConfigMap 'gone' is not in namespace ''")
    ]


def test_what_pods_need_is_known_with_its_place() -> None:
    """Each way in which a pod, or a route, names another object; what is no object of a phase or of delivery needs nothing."""
    containers = [
        {"envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "b"}}]},
        {"env": [{"name": "X"}, {"valueFrom": {"secretKeyRef": {"name": "c"}}}, {"valueFrom": {"fieldRef": {}}}]},
    ]
    volumes = [{"emptyDir": {}}, {"secret": {"secretName": "d"}}, {"configMap": {"name": "e"}}]
    full = pod(serviceAccountName="f", imagePullSecrets=[{"name": "g"}], volumes=volumes, containers=containers)
    silent = [thing("Service"), thing("Thing"), pod()._replace(path="manifests/silent.yaml")]
    elsewhere = [full._replace(path=path) for path in ("hubs/pod.yaml", "pod.yaml")]
    needs = Outputs.of(
        [full, *silent, *elsewhere, thing("HTTPRoute", "bare"), Artifact("manifests/a.txt", "text")]
    ).needs
    assert needs == {
        "manifests/pod.yaml": (
            (at("serviceAccountName"), "ServiceAccount", "f"),
            (at("imagePullSecrets", 0, "name"), "Secret", "g"),
            (at("volumes", 1, "secret", "secretName"), "Secret", "d"),
            (at("volumes", 2, "configMap", "name"), "ConfigMap", "e"),
            (at("containers", 0, "envFrom", 0, "configMapRef", "name"), "ConfigMap", "a"),
            (at("containers", 0, "envFrom", 1, "secretRef", "name"), "Secret", "b"),
            (at("containers", 1, "env", 1, "valueFrom", "secretKeyRef", "name"), "Secret", "c"),
        ),
        "manifests/silent.yaml": (),
        "manifests/bare.yaml": (),
    }


# --- selectors and ports ----------------------------------------------------------------------------------------------

LABELS: Tree = {"app": "a", "tier": "b"}


@pytest.mark.parametrize("kind", ["Service", "PodDisruptionBudget", "NetworkPolicy"])
def test_a_selector_finds_a_pod_of_its_namespace(site: Site, kind: str) -> None:
    """Every label counts; a selector of everything, of nobody's business or of cert-manager's pods is not judged."""
    field = "podSelector" if kind == "NetworkPolicy" else "selector"

    def selecting(labels: Tree | None) -> Artifact:
        wrapped = labels if kind == "Service" else {"matchLabels": labels}
        return thing(kind, spec={field: wrapped})

    said = [("manifests/x.yaml", ("spec", field), f"{kind} selects no pod of the site")]
    there = pod(labels=LABELS)
    for labels in (LABELS, {"app": "a"}, {}, None, {"acme.cert-manager.io/http01-solver": "true"}):
        assert found(rules.selector_selects_nothing, site, selecting(labels), there) == []
    for labels in ({"app": "b"}, {"app": "a", "tier": "c"}, {"app": "a", "more": "x"}):
        assert found(rules.selector_selects_nothing, site, selecting(labels), there) == said
    assert found(rules.selector_selects_nothing, site, selecting(LABELS), pod("hub", LABELS)) == said
    assert found(rules.selector_selects_nothing, site, selecting(LABELS), pod()) == said
    for bare in (
        thing(kind),
        thing(kind, spec=None),
        thing(kind, spec={}),
        thing("Thing", spec={"selector": {"app": "b"}}),
    ):
        assert found(rules.selector_selects_nothing, site, bare, there) == []


def with_ports(*ports: Tree, **probes: Any) -> Tree:
    """Write a container called `web`."""
    return {"name": "web", **({"ports": [*ports]} if ports else {}), **probes}


HTTP: Tree = {"name": "http", "containerPort": 8000}


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
@pytest.mark.parametrize("action", ["httpGet", "tcpSocket"])
def test_a_probe_asks_at_a_port_of_its_container(site: Site, probe: str, action: str) -> None:
    """By name or by number; another container's does not count."""
    for port, right in (("http", True), (8000, True), ("web", False), (80, False)):
        tree = with_ports(HTTP, **{probe: {action: {"port": port}}})
        said = (at("containers", 1, probe, action, "port"), f"container 'web' has no port '{port}' to probe")
        assert found(
            rules.unknown_port, site, pod(containers=[with_ports({"name": "web", "containerPort": 80}), tree])
        ) == ([] if right else [("manifests/pod.yaml", *said)])
    bare = with_ports(**{probe: {action: {"port": 1}}})
    assert len(found(rules.unknown_port, site, pod(containers=[bare]))) == 1
    for silent in ({probe: None}, {probe: {action: None}}, {probe: {"exec": {}}}):
        assert found(rules.unknown_port, site, pod(containers=[with_ports(HTTP, **silent)])) == []


def test_a_service_names_a_port_of_the_pods_behind_it(site: Site) -> None:
    """By name or by number, its own number where it says no more; without pods, or without their ports, nothing is known."""
    metrics = with_ports({"name": "metrics", "containerPort": 9000})
    behind = pod(labels=LABELS, containers=[with_ports(), with_ports(HTTP), metrics])
    for ports, wrong in (
        ([{"targetPort": "http"}, {"port": 80, "targetPort": 8000}, {"port": 8000}], None),
        ([{"targetPort": "http"}, {"targetPort": "web"}], (1, "web")),
        ([{"port": 80}], (0, 80)),
    ):
        service = thing("Service", spec={"selector": {"app": "a"}, "ports": ports})
        said = [
            ("manifests/x.yaml", ("spec", "ports", wrong[0], "targetPort"), f"no pod behind Service 'x' has a port '{wrong[1]}'")
        ] if wrong else []  # fmt: skip
        assert found(rules.unknown_port, site, service, behind) == said
        assert found(rules.unknown_port, site, service, pod("hub", LABELS, containers=[with_ports(HTTP)])) == []
        assert found(rules.unknown_port, site, service, pod(labels=LABELS, containers=[with_ports()])) == []
    assert found(rules.unknown_port, site, thing("Thing", spec={"ports": [{"port": 1}]}), behind) == []
    other = thing("Deployment", "other", spec={"template": {"metadata": {"labels": {"app": "b"}}, "spec": {
        "containers": [with_ports({"name": "web", "containerPort": 80})]}}})  # fmt: skip
    for selector, count in (({"app": "a"}, 1), ({"app": "b"}, 0), ({}, 0), (None, 0)):
        service = thing("Service", spec={"selector": selector, "ports": [{"port": 80}]})
        assert len(found(rules.unknown_port, site, service, behind, other)) == count


@pytest.mark.parametrize(
    ("spec", "right"),
    [
        ({}, False),
        ({"ports": []}, False),
        ({"ports": None, "clusterIP": "10.0.0.1", "type": "ClusterIP"}, False),
        ({"ports": [{"port": 80}]}, True),
        ({"clusterIP": "None"}, True),
        ({"type": "ExternalName"}, True),
    ],
)
def test_a_service_has_a_port(site: Site, spec: Tree, right: bool) -> None:
    """But where it is headless, or another's name."""
    said = [("manifests/x.yaml", ("spec",), "Service 'x' has no port")]
    assert found(rules.unknown_port, site, thing("Service", spec=spec)) == ([] if right else said)


@pytest.mark.parametrize(
    ("ports", "wrong"),
    [
        ([{"name": "http", "port": 80}, {"name": "more", "port": 81}], ()),
        ([{"name": "http", "port": 81}], ("route", "ingress")),
        ([{"port": 80}], ("ingress",)),
        ([{"name": "web", "port": 8080, "targetPort": 80}], ("route", "ingress", "ingress")),
        (None, ("route", "ingress", "ingress")),
    ],
)
def test_a_route_leads_to_a_port_of_a_service(site: Site, ports: list[Tree] | None, wrong: tuple[str, ...]) -> None:
    """By number, or an Ingress by name, too. Of what is no Service, or not among the outputs, nothing is known."""
    service = thing("Service", "web", "jhe", spec={"ports": ports, "clusterIP": "None"})
    to = {"name": "web", "port": 80, "namespace": "jhe"}
    backends = [{"name": "web"}, {**to, "namespace": "hub"}, {**to, "kind": "Backend"}, {"name": "far", "port": 1}]
    route = thing("HTTPRoute", "route", "hub", spec={"rules": [
        {}, {"backendRefs": [*backends, {**to, "kind": "Service"}]}]})  # fmt: skip
    ingress = thing("Ingress", "ingress", spec={"rules": [{"host": "a"}, {"http": {"paths": [
        {"backend": {"service": {"name": "web", "port": port}}} for port in ({"number": 80}, {"name": "http"})]
        + [{"backend": {"resource": {"name": "web"}}}]}}]})  # fmt: skip
    said = found(
        rules.unknown_port, site, service, route, ingress, thing("Thing", "t", spec={"rules": [{"backendRefs": [to]}]})
    )
    assert [path for path, _, _ in said] == [f"manifests/{name}.yaml" for name in wrong]
    places = {
        "manifests/route.yaml": [((*RULES[:2], 1, "backendRefs", 4, "port"), 80)],
        "manifests/ingress.yaml": [
            ((*RULES[:2], 1, "http", "paths", p, "backend", "service", "port", field), port)
            for p, field, port in ((0, "number", 80), (1, "name", "http"))
        ],
    }
    for path, loc, message in said:
        assert (loc, message) in [
            (loc, f"Service 'web' in namespace 'jhe' has no port '{port}'") for loc, port in places[path]
        ]


# --- namespaces and names ---------------------------------------------------------------------------------------------


def test_an_object_lies_in_a_namespace_that_something_makes(site: Site) -> None:
    """A Namespace of ours, of the edge, of a chart, of Kubernetes or of an engine; what belongs to all needs none."""
    own = thing("Namespace", "jhe", None)
    made = {"kube-system", "argocd", "flux-system", site.edge.namespace, *(chart.namespace for chart in site.charts)}
    assert {"envoy-gateway-system", "cert-manager"} < made
    for right in made:
        assert found(rules.unknown_namespace, site, own, thing("ConfigMap", "x", right)) == []
    bare = make(cluster=None, database__rds=None, ingress={"controller": "none"})  # without a chart
    assert found(rules.unknown_namespace, bare, thing("ConfigMap", "x", "kube-system")) == []
    assert found(rules.unknown_namespace, site, own, thing("ConfigMap")) == []
    assert found(rules.unknown_namespace, site, thing("ConfigMap", "jhe"), thing("ConfigMap")) == [
        (path, ("metadata", "namespace"), "nothing makes namespace 'jhe'") for path in ("manifests/jhe.yaml", "manifests/x.yaml")
    ]  # fmt: skip
    for kind in ("ClusterIssuer", "GatewayClass", "StorageClass", "IngressClass"):
        assert found(rules.unknown_namespace, site, thing(kind, "x", None)) == []
    outside = thing("ConfigMap", "x", None)
    assert found(rules.unknown_namespace, site, outside) == [
        ("manifests/x.yaml", ("metadata",), "this ConfigMap has no namespace")
    ]
    for path in ("gitops/argocd/x.yaml", "manifests/20-config/kustomization.yaml"):
        assert found(rules.unknown_namespace, site, outside._replace(path=path)) == []


@pytest.mark.parametrize(
    ("kind", "most"),
    [("Service", 63), ("Namespace", 63), ("Job", 63), ("CronJob", 63), ("ConfigMap", 253), ("Deployment", 253)],
)
def test_names_and_labels_have_a_length(site: Site, kind: str, most: int) -> None:
    """What becomes a label or a host name may have 63 characters, as every label; other names 253."""
    assert found(rules.long_name, site, thing(kind, "n" * most)) == []
    assert found(rules.long_name, site, thing(kind, "n" * (most + 1))) == [
        (f"manifests/{'n' * (most + 1)}.yaml", ("metadata", "name"), f"this name is longer than {most} characters")
    ]
    tree: Tree = {
        "apiVersion": "v1",
        "kind": kind,
        "metadata": {"name": "x", "labels": {"a": "v" * 63, "b": "v" * 64, "c": "v" * 65}},
    }
    assert found(rules.long_name, site, Artifact("manifests/x.yaml", tree)) == [
        ("manifests/x.yaml", ("metadata", "labels", key), "a label is at most 63 characters long") for key in "bc"
    ]


# --- Pod Security -----------------------------------------------------------------------------------------------------

SAFE: Tree = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
RUNS: Tree = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}


def test_what_is_restricted_passes(site: Site) -> None:
    """Some of it may stand at the pod or at its containers; another namespace is another's affair."""
    assert found(rules.pod_security, site, pod(securityContext=RUNS, containers=[{"securityContext": SAFE}])) == []
    both = {**RUNS, **SAFE, "runAsUser": 1000, "privileged": False}
    volumes = [{"name": "x", kind: {}} for kind in rules._VOLUMES]
    ports = [{"containerPort": 80}]
    assert (
        found(rules.pod_security, site, pod(volumes=volumes, containers=[{"securityContext": both, "ports": ports}]))
        == []
    )
    assert found(rules.pod_security, site, pod("hub", hostNetwork=True, containers=[{}])) == []


@pytest.mark.parametrize("field", ["containers", "initContainers"])
@pytest.mark.parametrize(
    ("context", "messages"),
    [
        ({"allowPrivilegeEscalation": True}, ["allowPrivilegeEscalation must be false"]),
        ({"allowPrivilegeEscalation": None}, ["allowPrivilegeEscalation must be false"]),
        ({"capabilities": None}, ["capabilities must drop ALL"]),
        ({"capabilities": {"drop": ["NET_RAW"]}}, ["capabilities must drop ALL"]),
        ({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}}, ["capabilities may not add any"]),
        ({"runAsNonRoot": False}, ["runAsNonRoot must be true"]),
        ({"runAsUser": 0}, ["runAsUser may not be 0"]),
        ({"seccompProfile": {"type": "Unconfined"}}, ["seccompProfile must be RuntimeDefault"]),
        ({"seccompProfile": None}, ["seccompProfile must be RuntimeDefault"]),
        ({"privileged": True}, ["privileged is not allowed"]),
        ({"privileged": True, "runAsUser": 0}, ["runAsUser may not be 0", "privileged is not allowed"]),
    ],
)
def test_a_container_is_restricted_in_every_way(site: Site, field: str, context: Tree, messages: list[str]) -> None:
    """Each loosening is said, of the containers that come first too, all of one container together."""
    loose = pod(securityContext=RUNS, **{field: [{"securityContext": SAFE}, {"securityContext": {**SAFE, **context}}]})
    assert found(rules.pod_security, site, loose) == [
        ("manifests/pod.yaml", at(field, 1, "securityContext"), ", ".join(messages))
    ]


def test_a_pod_without_a_word_of_security_is_loose_in_every_way(site: Site) -> None:
    """What is not said is not given; a port of the node is none of a container's."""
    said = found(rules.pod_security, site, pod(containers=[{"ports": [{"containerPort": 80}, {"hostPort": 80}]}]))
    assert said == [
        (
            "manifests/pod.yaml",
            at("containers", 0, "securityContext"),
            "allowPrivilegeEscalation must be false, capabilities must drop ALL, runAsNonRoot must be true, "
            "seccompProfile must be RuntimeDefault, hostPort is not allowed",
        )
    ]


@pytest.mark.parametrize("field", ["hostNetwork", "hostPID", "hostIPC"])
def test_nothing_of_the_node_is_a_pods(site: Site, field: str) -> None:
    """Neither its network nor its processes."""
    assert found(rules.pod_security, site, pod(**{field: True})) == [
        ("manifests/pod.yaml", at(field), f"{field} is not allowed")
    ]
    assert found(rules.pod_security, site, pod(**{field: False})) == []


def test_nothing_of_the_nodes_disk_is_a_pods(site: Site) -> None:
    """A folder of the node is refused at its volume, wherever a pod is made: Deployment, Job or CronJob."""
    volumes = [{"name": "a", "emptyDir": {}}, {"name": "b", "hostPath": {"path": "/"}}]
    template = {"spec": {"volumes": volumes}}
    for kind, loc, spec in (
        ("Deployment", POD, {"template": template}),
        ("Job", POD, {"template": template}),
        ("CronJob", ("spec", "jobTemplate", "spec", "template"), {"jobTemplate": {"spec": {"template": template}}}),
    ):
        assert found(rules.pod_security, site, thing(kind, spec=spec)) == [
            ("manifests/x.yaml", (*loc, "spec", "volumes", 1), "this kind of volume is not allowed")
        ]
    shapeless = [thing("CronJob", spec=spec) for spec in ({}, {"jobTemplate": None}, {"jobTemplate": {"spec": None}})]
    shapeless += [thing("Job"), thing("Job", spec={"template": None}), thing("Thing", spec={"template": template})]
    for bare in shapeless:
        assert found(rules.pod_security, site, bare) == []


# --- secrets and expansion --------------------------------------------------------------------------------------------

PASSWORD = "postgres://jhe:correct-horse-battery@db.example.org/jhe"


def test_a_secret_is_found_in_every_kind_of_output(site: Site) -> None:
    """In an object, a list, a page; at its place, and said by its shape alone; what was clean before hides nothing."""
    clean = thing("ConfigMap", data={"a": ["b", {"c": "d"}], "e": 7})
    dirty = thing("ConfigMap", "y", data={"a": ["b", {"c": PASSWORD}], "e": 7})
    page = Artifact("RUNBOOK.md", f"# Site\n\nrun: psql {PASSWORD}\n")
    assert found(rules.secret_in_output, site, clean, Artifact("RUNBOOK.md", "# Site\n")) == []
    assert found(rules.secret_in_output, site, clean, dirty, page) == [
        ("manifests/y.yaml", ("data", "a", 1, "c"), "the output would hold a password in a URL"),
        ("RUNBOOK.md", (), "the output would hold a password in a URL"),
    ]
    assert len(found(rules.secret_in_output, site, clean, page)) == 1
    words = Artifact("RUNBOOK.md", "# Site\n\ncurl --header 'Authorization: Bearer " + "a" * 20 + "'\n")
    assert len(found(rules.secret_in_output, site, clean, words)) == 1
    keys = {name: "AKIA" + name * 16 for name in "AB"}  # each has to stand alone, in whichever order they are tried
    assert len(found(rules.secret_in_output, site, thing("ConfigMap", data=keys))) == 2


def test_what_was_found_clean_is_not_kept_for_ever(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The memory of clean texts is emptied before it grows, and a secret is found afterwards as before."""
    for count, kept in ((8192, True), (8193, False)):
        memory = {str(number) for number in range(count)}
        monkeypatch.setattr(rules, "_CLEAN", memory)
        assert found(rules.secret_in_output, site, thing("ConfigMap", data={"a": "new"})) == []
        assert "new" in memory
        assert (len(memory) < 20) != kept
    dirty = thing("ConfigMap", data={"a": PASSWORD})
    for _ in range(2):
        assert len(found(rules.secret_in_output, site, dirty)) == 1


def test_a_secret_with_values_is_refused_among_the_manifests(site: Site) -> None:
    """Even an empty one; what sops or kubeseal encrypted has tests of its own."""
    for fields in ({}, {"data": {}}, {"stringData": {"a": "b"}}):
        assert found(rules.secret_in_output, site, thing("Secret", **fields)) == [
            ("manifests/x.yaml", (), "a Secret with its values would be in the output")
        ]
    assert found(rules.secret_in_output, site, thing("ConfigMap", data={"a": "b"})) == []


@pytest.mark.parametrize(
    ("text", "expands"),
    [
        ("$(A)", True),
        ("a$(A)b", True),
        ("$$$(A)", True),
        ("$$(A)", False),
        ("$$$$(A)", False),
        ("$A", False),
        (7, False),
    ],
)
def test_nothing_that_kubernetes_would_expand_is_written(site: Site, text: object, expands: bool) -> None:
    """In variables, commands and arguments, of every container; an even number of dollars is plain text."""
    for field in ("containers", "initContainers"):
        for container, loc in (
            ({"env": [{"name": "A", "value": "b"}, {"name": "B", "value": text}]}, ("env", 1, "value")),
            ({"command": ["a", text]}, ("command", 1)),
            ({"args": ["a", text]}, ("args", 1)),
        ):
            artifact = pod(**{field: [{}, container]})
            assert list(rules.expandable_text(site, [artifact])) == (
                [
                    Finding(
                        artifact=artifact.path,
                        loc=at(field, 1, *loc),
                        message="Kubernetes would expand '$(' here",
                        hint="write $$(",
                    )
                ]
                if expands
                else []
            )
