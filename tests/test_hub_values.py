"""The values of each hub: what they say, what the chart makes of them, and what `hubs[].values` may not do."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from jhecfg.artifact import Tree
from jhecfg.diagnostics import Finding
from jhecfg.emit import dump
from jhecfg.render.hubs import EXTRA_CONFIG, PLACEHOLDER, PROXY_ENV, hubs, merged, values
from jhecfg.rules import hub_values as rules
from jhecfg.rules.hub_keys import GUARDED, TYPES, chart_keys
from jhecfg.site import Site
from tests.hub_harness import site
from tests.tools import ROOT, optional

UPSTREAM = ROOT.parent / "shared" / "data" / "z2jh-4.4.0"

CLUSTER = {"cluster": {"name": "jhe", "region": "us-east-2"}}
SMART = {"clientId": "ehr-client", "scopes": ["openid", "launch/patient"]}
SITES: dict[str, Callable[[], Site]] = {
    "smallest": site,
    "nginx": lambda: site(ingress={"controller": "ingress-nginx"}),
    "no-edge": lambda: site(ingress={"controller": "none"}),
    "external": lambda: site(hub={"deploy": "external", "storage": {}}),
    "cluster": lambda: site(hub={"storage": {}}, **CLUSTER),
    "users": lambda: site(hub={"access": {"users": ["a@example.org"]}, "admins": {"users": ["B@example.org"]}}),
    "anyone": lambda: site(hub={"access": {"anyone": True}}, environment="demo"),
    "full": lambda: site(
        hub={
            "admins": {"orgs": ["Staff"], "users": ["b@example.org"]},
            "image": {"repository": "quay.io/x/y", "tag": "1.2", "digest": f"sha256:{'a' * 64}"},
            "env": {"PRICE": "{5} $(HOME)", "LEVEL": "1"},
            "smart": SMART,
            "values": {"hub": {"services": {"cost": {"url": "http://cost:80"}}}, "custom": {"x": 1}},
        }
    ),
}
every_site = pytest.mark.parametrize("name", sorted(SITES))


def of(a_site: Site) -> Tree:
    """Return the values of the site's only hub."""
    return values(a_site, a_site.hubs[0])


# --- what they say ----------------------------------------------------------------------------------------------------


@every_site
def test_exactly_one_rule_lets_people_in(name: str) -> None:
    """JupyterHub lets in whoever meets any rule, so there is one; group ids are text, as JupyterHub's are."""
    login = of(SITES[name]())["hub"]["config"]["GenericOAuthenticator"]
    given = [key for key in ("allowed_groups", "allowed_users", "allow_all") if key in login]
    assert len(given) == 1
    assert all(type(group) is str for group in login.get("allowed_groups", []))


@every_site
def test_the_login_goes_to_the_exchange(name: str) -> None:
    """Addresses are the Exchange's own, /o/ included; the callback is the hub's, and https."""
    login = of(SITES[name]())["hub"]["config"]["GenericOAuthenticator"]
    assert login["authorize_url"] == "https://jhe.example.org/o/authorize/"
    assert login["token_url"] == "https://jhe.example.org/o/token/"
    assert login["userdata_url"] == "https://jhe.example.org/api/v1/users/profile"
    assert login["oauth_callback_url"] == "https://jupyterhub.example.org/hub/oauth_callback"
    assert login["scope"] == ["openid"]
    assert not {"client_secret", "enable_pkce", "basic_auth"} & set(login)


@every_site
def test_no_class_stands_below_another(name: str) -> None:
    """Sections of hub.config are classes, and hold no classes: nested ones would silently win."""
    config = of(SITES[name]())["hub"]["config"]
    assert all(section[0].isupper() for section in config)
    assert not [key for section in config.values() for key in section if key[0].isupper()]


@every_site
def test_code_is_the_same_for_every_site(name: str) -> None:
    """What runs in the hub is a constant of the release; the site travels as data."""
    code = of(SITES[name]())["hub"]["extraConfig"]
    assert code == of(site())["hub"]["extraConfig"]
    assert list(code) == sorted(EXTRA_CONFIG)


@every_site
def test_values_hold_no_secret(name: str) -> None:
    """Where the chart wants a secret there is the placeholder, and the real ones come from hub-secrets."""
    tree = of(SITES[name]())
    assert tree["hub"]["existingSecret"] == "hub-secrets"
    assert tree["hub"]["config"]["JupyterHub"]["cookie_secret"] == PLACEHOLDER
    assert tree["hub"]["config"]["CryptKeeper"] == {"keys": [PLACEHOLDER]}
    assert tree["proxy"]["secretToken"] == PLACEHOLDER
    reference = tree["proxy"]["chp"]["extraEnv"][PROXY_ENV]["valueFrom"]["secretKeyRef"]
    assert reference == {"name": "hub-secrets", "key": "hub.config.ConfigurableHTTPProxy.auth_token"}


@every_site
def test_nothing_runs_at_each_sync(name: str) -> None:
    """The chart's image-pull hooks are off: Argo CD would run them at each sync."""
    assert of(SITES[name]())["prePuller"]["hook"] == {"enabled": False}


def test_the_gateway_takes_the_hub_at_its_own_listener() -> None:
    """With Envoy Gateway there is a route to the listener of this hub, and no Ingress."""
    tree = of(site())
    gateway = {"name": "jhe-example", "namespace": "envoy-gateway-system", "sectionName": "https-hub"}
    assert tree["httpRoute"] == {"enabled": True, "hostnames": ["jupyterhub.example.org"], "gateway": gateway}
    assert "ingress" not in tree
    assert tree["proxy"]["service"] == {"type": "ClusterIP"}


def test_nginx_serves_the_hub_by_tls() -> None:
    """With ingress-nginx there is an Ingress with the hub's certificate, and no route."""
    tree = of(SITES["nginx"]())
    secret = SITES["nginx"]().hubs[0].tls_secret
    assert tree["ingress"]["tls"] == [{"hosts": ["jupyterhub.example.org"], "secretName": secret}]
    assert tree["ingress"]["annotations"]["nginx.ingress.kubernetes.io/force-ssl-redirect"] == "true"
    assert "httpRoute" not in tree


@pytest.mark.parametrize("name", ["external", "no-edge"])
def test_a_hub_behind_a_foreign_edge_has_none_of_ours(name: str) -> None:
    """Elsewhere, and with `controller: none`, routing is its owner's."""
    assert not {"ingress", "httpRoute"} & set(of(SITES[name]()))


def test_a_hub_elsewhere_says_nothing_about_its_cluster() -> None:
    """An external hub's values name no StorageClass and no node, and a page says what to do with them."""
    artifacts = {artifact.path: artifact.tree for artifact in hubs(SITES["external"]())}
    assert set(artifacts) == {"hubs/hub/values.yaml", "hubs/hub/chart.yaml", "hubs/hub/README.md"}
    tree = artifacts["hubs/hub/values.yaml"]
    assert isinstance(tree, dict)
    assert "scheduling" not in tree
    assert "dynamic" not in tree["singleuser"]["storage"]
    assert "storageClassName" not in tree["hub"]["db"]["pvc"]
    page = artifacts["hubs/hub/README.md"]
    assert isinstance(page, str)
    assert "helm upgrade --install hub jupyterhub" in page
    assert "`20001`" in page
    assert "{" not in page.replace("${", "")


def test_users_run_on_nodes_for_users() -> None:
    """With node groups for the purpose, nothing runs elsewhere; without them it is a preference."""
    few = {"min": 1, "desired": 1, "max": 2}
    groups = [{"name": f"{purpose}s", "purpose": purpose, "scaling": few} for purpose in ("core", "user")]
    mine = of(site(hub={"storage": {}}, cluster={**CLUSTER["cluster"], "nodeGroups": groups}))["scheduling"]
    theirs = of(site())["scheduling"]
    assert {mine[pods]["nodeAffinity"]["matchNodePurpose"] for pods in ("corePods", "userPods")} == {"require"}
    assert {theirs[pods]["nodeAffinity"]["matchNodePurpose"] for pods in ("corePods", "userPods")} == {"prefer"}


def test_environment_is_taken_literally() -> None:
    """Neither KubeSpawner's braces nor Kubernetes' $(NAME) expand what the spec says."""
    environment = of(SITES["full"]())["singleuser"]["extraEnv"]
    assert environment == {"JHE_URL": "https://jhe.example.org", "LEVEL": "1", "PRICE": "{{5}} $$(HOME)"}
    assert environment["PRICE"].format() == "{5} $$(HOME)"


def test_an_image_keeps_its_digest() -> None:
    """Name and tag put together by the chart are the image's full reference."""
    full = SITES["full"]()
    image, given = of(full)["singleuser"]["image"], full.hubs[0].image
    assert given is not None
    assert f"{image['name']}:{image['tag']}" == given.reference


def test_smart_on_fhir_has_a_fixed_redirect() -> None:
    """The extension's own guess is a path per user, which no EHR could register."""
    app = of(SITES["full"]())["singleuser"]["extraFiles"]["smart"]["data"]["SMARTExtensionApp"]
    assert app == {
        "client_id": "ehr-client",
        "redirect_uri": "https://jupyterhub.example.org/hub/user-redirect/smart-on-fhir/callback",
        "scopes": ["openid", "launch/patient"],
    }


def test_a_service_without_a_token_gets_the_placeholder() -> None:
    """The chart would draw a new token at each rendering; the hub refuses to start with the placeholder."""
    assert of(SITES["full"]())["hub"]["services"]["cost"] == {"apiToken": PLACEHOLDER, "url": "http://cost:80"}


def test_values_of_the_spec_come_last() -> None:
    """Maps merge, lists and scalars replace, null removes; what is merged stays as it was."""
    base: Tree = {"a": {"b": 1, "c": [1, 2]}, "d": 2}
    over: Tree = {"a": {"c": [3], "e": {"f": None, "g": 4}}, "d": None}
    kept = deepcopy((base, over))
    assert merged(base, over) == {"a": {"b": 1, "c": [3], "e": {"g": 4}}}
    assert (base, over) == kept
    assert of(SITES["full"]())["custom"] == {"x": 1}


# --- what the chart makes of them ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def schema() -> Any:
    """Load the chart's own schema."""
    return json.loads(_upstream("values.schema.json"))


def _upstream(name: str) -> str:
    path = UPSTREAM / name
    if not path.exists():
        pytest.skip(f"{path.relative_to(ROOT.parent)} is absent: it comes with the workshop, not with the repository")
    return path.read_text(encoding="utf-8")


@every_site
def test_the_charts_schema_takes_our_values(name: str, schema: Any) -> None:
    """Merged over the chart's defaults, as Helm does, our values are valid."""
    import jsonschema_rs

    defaults = yaml.safe_load(_upstream("values.yaml"))
    complete = merged(defaults, yaml.safe_load(dump(of(SITES[name]()))))
    assert [f"{error.instance_path}: {error.message}" for error in jsonschema_rs.iter_errors(schema, complete)] == []


def test_our_keys_are_the_charts(schema: Any) -> None:
    """The table of keys is the chart's schema, two levels deep, types included."""
    theirs: dict[str, Any] = {}
    for key, upstream in schema["properties"].items():
        below = upstream.get("properties") or upstream.get("then", {}).get("properties", {})
        named = {name: _kind(one) for name, one in below.items()}
        # What lives below `custom` and `global` is the owner's.
        theirs[key] = named if named and not upstream.get("additionalProperties") else _kind(upstream)
    assert chart_keys() == theirs
    assert {
        kind for below in theirs.values() for kind in (below.values() if isinstance(below, dict) else [below])
    } == set(TYPES)


def _kind(upstream: dict[str, Any]) -> str:
    given = upstream.get("type", ["string"] if "enum" in upstream else [])
    types = {given} if isinstance(given, str) else set(given)
    words = {"object": "map", "array": "list", "string": "text", "integer": "int", "boolean": "bool"}
    several = {frozenset({"object", "array"}): "env", frozenset({"array", "string"}): "cmd", frozenset(): "any"}
    kinds = frozenset(types - {"null"})
    return several[kinds] if kinds in several else words[next(iter(kinds))]


def test_what_is_guarded_is_what_we_write() -> None:
    """Each guarded key of the code is one that the renderer writes; a renamed one would be guarded no more."""
    written = {("hub", "extraConfig", name) for name in EXTRA_CONFIG}
    assert {path for path in GUARDED if path[:2] == ("hub", "extraConfig")} == written
    ours = of(SITES["full"]())["hub"]["config"]
    fixed = set(ours["GenericOAuthenticator"]) - {"login_service"}
    assert fixed <= {path[3] for path in GUARDED if path[:3] == ("hub", "config", "GenericOAuthenticator")}
    assert set(ours["JupyterHub"]) <= {path[3] for path in GUARDED if path[:3] == ("hub", "config", "JupyterHub")}
    assert ("proxy", "chp", "extraEnv", PROXY_ENV) in GUARDED


@pytest.fixture(scope="module")
def chart() -> Path:
    """Find the chart: a folder that JHECFG_Z2JH_CHART names."""
    folder = os.environ.get("JHECFG_Z2JH_CHART", "")
    if not folder:
        pytest.skip("JHECFG_Z2JH_CHART is not set: give it the folder of the jupyterhub chart, 4.4.0")
    return Path(folder)


def _template(chart: Path, text: str, folder: Path) -> list[Any]:
    (folder / "values.yaml").write_text(text)
    helm = optional("helm", "bench-peers")
    command = [helm, "template", "hub", str(chart), "--namespace", "hub", "--kube-version", "1.33"]
    done = subprocess.run([*command, "-f", str(folder / "values.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.mark.slow
@every_site
def test_the_chart_renders_the_same_twice(name: str, chart: Path, tmp_path: Path) -> None:
    """The chart draws nothing at random: a sync restarts nothing and logs nobody out."""
    text = dump(of(SITES[name]()))
    first = _template(chart, text, tmp_path)
    assert first == _template(chart, text, tmp_path)
    kinds = {document["kind"] for document in first}
    assert ("HTTPRoute" in kinds, "Ingress" in kinds) == {
        "nginx": (False, True), "external": (False, False), "no-edge": (False, False)
    }.get(name, (True, False))  # fmt: skip
    assert not [document for document in first if "helm.sh/hook" in (document["metadata"].get("annotations") or {})]


@pytest.mark.slow
@every_site
def test_no_variable_of_a_pod_is_named_twice(name: str, chart: Path, tmp_path: Path) -> None:
    """Server-side apply refuses a list with two entries of one name; so none of our variables is the chart's own."""
    for names in _variables(_template(chart, dump(of(SITES[name]())), tmp_path)):
        assert len(names) == len(set(names))


def _variables(documents: list[Any]) -> Iterator[list[str]]:
    for document in documents:
        pod = document.get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers", []):
            yield [variable["name"] for variable in container.get("env", [])]


# --- what `hubs[].values` may not do ------------------------------------------------------------------------------


def found(rule: Callable[[Site], Iterator[Finding]], tree: Tree, **hub: Any) -> list[str]:
    """Return what a rule says about these values: place and hint."""
    return [f"{'.'.join(map(str, one.loc))}: {one.hint}" for one in rule(site(hub={**hub, "values": tree}))]


ALL = rules.RULES


@every_site
def test_no_rule_finds_fault_with_our_own_values(name: str) -> None:
    """What the compiler writes by itself, and additions that it has nothing against, are fine."""
    assert [finding for rule in ALL for finding in rule(SITES[name]())] == []


def test_harmless_values_pass() -> None:
    """Things that only add are fine: profiles, another culling time, code that sets something else."""
    tree: Tree = {
        "hub": {
            "extraConfig": {"50-mine": "# quieter\nc.JupyterHub.log_level = 30\nc.Spawner.args = ['--debug']"},
            "config": {"JupyterHub": {"shutdown_on_logout": True}},
            "extraEnv": {"X": {"valueFrom": {"secretKeyRef": {"name": "hub-secrets", "key": "x"}}}},
        },
        "singleuser": {"profileList": [{"display_name": "Small"}], "extraEnv": {"Y": "1"}},
        "cull": {"maxAge": 3600, "timeout": 600},
        "custom": {"anything": ["goes"]},
    }
    assert [finding for rule in ALL for finding in rule(site(hub={"values": tree}))] == []


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"singeluser": {}}, "hubs.0.values.singeluser: did you mean 'singleuser'?"),
        ({"hub": {"extraconfig": {}}}, "hubs.0.values.hub.extraconfig: did you mean 'extraConfig'?"),
    ],
)
def test_unknown_keys_are_named(tree: Tree, said: str) -> None:
    """A key that the chart would refuse is found here, with the one that was meant."""
    assert found(rules.hub_values_unknown_key, tree) == [said]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"cull": {"timeout": "1h"}}, "'cull.timeout' of the chart takes a whole number"),
        ({"cull": {"timeout": True}}, "'cull.timeout' of the chart takes a whole number"),
        ({"hub": []}, "'hub' of the chart takes a mapping"),
        ({"singleuser": {"profileList": {}}}, "'singleuser.profileList' of the chart takes a list"),
    ],
)
def test_types_are_the_charts(tree: Tree, message: str) -> None:
    """A value of a type that the chart would refuse is found here."""
    assert [one.message for one in rules.hub_values_type(site(hub={"values": tree}))] == [message]


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        (
            {"hub": {"config": {"extraConfig": {"a": "b"}}}},
            "hubs.0.values.hub.config.extraConfig: move it to 'hub.extraConfig'",
        ),
        (
            {"hub": {"config": {"JupyterHub": {"KubeSpawner": {"uid": 5}}}}},
            "hubs.0.values.hub.config.JupyterHub.KubeSpawner: move it up, to 'hub.config.KubeSpawner'",
        ),
    ],
)
def test_misplaced_sections_are_named(tree: Tree, said: str) -> None:
    """The two slips of JupyterHub's own examples: code below hub.config, and classes below JupyterHub."""
    assert found(rules.hub_values_misplaced, tree) == [said]


@pytest.mark.parametrize("path", sorted(GUARDED, key=str))
@pytest.mark.parametrize("depth", [0, 1])
def test_no_guarantee_can_be_overridden(path: tuple[str, ...], depth: int) -> None:
    """Whatever is guaranteed is refused in `values`, by its own key or by null in the place of what holds it."""
    tree: Any = "x" if depth == 0 else None
    for key in reversed(path[: len(path) - depth]):
        tree = {key: tree}
    hint = GUARDED[path] if depth == 0 else "write a mapping: what is below it must stay"
    assert found(rules.hub_values_override, tree) == [f"hubs.0.values.{'.'.join(path[: len(path) - depth])}: {hint}"]


@pytest.mark.parametrize(
    "code",
    [
        "c.JupyterHub.authenticator_class = 'dummy'",
        "c.GenericOAuthenticator.allow_all=True",
        "c.LoggingConfigurable.allow_all = True",
        "c.OAuthenticator.http_request_kwargs = {'validate_cert': False}",
        "c.Spawner.auth_state_hook = None",
        # What reading cannot judge needs an answer too.
        "x.allowed_users = {'eve'}",
        "setattr(c.GenericOAuthenticator, 'allow_all', True)",
        "c['GenericOAuthenticator']['allow_all'] = True",
        "c.GenericOAuthenticator.update({'allow_all': True})",
        "(c).GenericOAuthenticator.allow_all: bool = True",
        "from os import system",
        "def hook(spawner): ...",
        "c.Spawner.debug = print(1)",
        "not python",
    ],
)
def test_no_guarantee_can_be_overridden_in_code(code: str) -> None:
    """Code that sets what is guaranteed is refused as well."""
    assert len(found(rules.hub_values_override, {"hub": {"extraConfig": {"90-mine": code}}})) == 1


@pytest.mark.parametrize(
    ("key", "most", "why"), [("maxAge", 86_400, "a day; 0 means for ever"), ("every", 3_600, "an hour")]
)
def test_servers_end_within_a_day(key: str, most: int, why: str) -> None:
    """Culling by age cannot be put off beyond a day, neither by the age nor by looking more seldom than each hour."""
    for wrong in (0, -1, most + 1, "1d", None):
        assert list(rules.hub_values_override(site(hub={"values": {"cull": {key: wrong}}}))) == [
            Finding(
                loc=("hubs", 0, "values", "cull", key),
                key=True,
                message=f"'cull.{key}' would change what the compiler guarantees of hub 'hub'",
                hint=f"set at most {most} seconds, {why}",
            )
        ]
    for right in (1, most - 1, most):
        assert found(rules.hub_values_override, {"cull": {key: right}}) == []


@pytest.mark.parametrize(
    ("code", "message", "hint"),
    [
        (
            "c.GenericOAuthenticator.allow_all = True",
            "'90-mine' sets 'GenericOAuthenticator.allow_all', which the compiler guarantees",
            GUARDED["hub", "config", "GenericOAuthenticator", "allow_all"],
        ),
        (
            "c.OAuthenticator.http_request_kwargs = {'validate_cert': False}",
            "'90-mine' sets 'OAuthenticator.http_request_kwargs', which the compiler guarantees",
            "leave it out: how people log in is the compiler's",
        ),
        *(
            (
                code,
                "'90-mine' is code that may change whatever the compiler guarantees",
                "set traits to plain values only, or say why: # jhecfg: ignore[hub-values-override] reason",
            )
            for code in (
                "d.JupyterHub.log_level = 30",
                "c.JupyterHub.log_level = level",
                "c.JupyterHub.log_level = c.Spawner.x = 30",
                "c.log_level = 30",
                "c.a.JupyterHub.log_level = 30",
                "c.JupyterHub.log_level += 30",
                "c.JupyterHub.log_level = 30\nimport os",
                "import os\nc.JupyterHub.log_level = 30",
                "c.JupyterHub.log_level = [*x]",
                "x = '\0'",
                "(" * 5000,
            )
        ),
    ],
)
def test_code_is_judged_line_by_line(code: str, message: str, hint: str) -> None:
    """The finding stands at the code's name, and says whether a trait is guarded or nobody can tell."""
    tree: Tree = {"hub": {"extraConfig": {"50-fine": "c.JupyterHub.log_level = 30", "70-none": 7, "90-mine": code}}}
    assert list(rules.hub_values_override(site(hub={"values": tree}))) == [
        Finding(loc=("hubs", 0, "values", "hub", "extraConfig", "90-mine"), key=True, message=message, hint=hint)
    ]


def test_a_secret_where_nothing_of_a_person_may_stand_is_said_once() -> None:
    """What the compiler guarantees is refused for that; in the hub's environment it is the secret that counts."""
    for path in GUARDED:
        tree: Any = "postgres://hub:hunter2xyzzy@db:5432/hub"
        for key in reversed(path):
            tree = {key: tree}
        assert len(found(rules.hub_values_secret, tree)) == int(path[:2] == ("hub", "extraEnv")), path


def test_what_is_unknown_has_no_type() -> None:
    """It is said to be unknown, and not of the wrong type as well."""
    assert found(rules.hub_values_type, {"unknown": 7, "hub": {"unknown": 7}}) == []


def test_a_hub_without_values_hides_no_other() -> None:
    """Every hub is judged, those after one that has no values too."""
    it = site(hub={"values": {"cull": {"maxAge": 0}}})
    second = it.hubs[0]
    both = it._replace(hubs=(second._replace(values={}), second._replace(loc=("hubs", 1))))
    assert [one.loc[:2] for one in rules.hub_values_override(both)] == [("hubs", 1)]


def test_a_name_of_ours_is_said_once_and_hides_no_other_code() -> None:
    """Code under a name of jhecfg's is refused for its name alone; code after it is judged."""
    mine = dict.fromkeys(EXTRA_CONFIG, "import os")
    said = found(rules.hub_values_override, {"hub": {"extraConfig": {**mine, "90-mine": "import os"}}})
    assert len(said) == len(EXTRA_CONFIG) + 1
    assert sum("use another name" in each for each in said) == len(EXTRA_CONFIG)


def test_every_code_that_nobody_can_judge_is_said() -> None:
    """One does not hide the next."""
    codes = {"80-mine": "import os", "90-mine": "import os"}
    assert [
        each.partition(":")[0].rpartition(".")[2]
        for each in found(rules.hub_values_override, {"hub": {"extraConfig": codes}})
    ] == [*codes]


@pytest.mark.parametrize(
    "code",
    [
        "",
        "# nothing",
        "c.GenericOAuthenticator.auto_login = True",
        "c.A.b = 1\nc.C.d = {'x': [1, -2, None, (3,)]}",
        "c.A.b = 'text'",
    ],
)
def test_plain_lines_about_other_things_pass(code: str) -> None:
    """Comments, and traits that nothing guards, set to plain values."""
    assert found(rules.hub_values_override, {"hub": {"extraConfig": {"90-mine": code}}}) == []


@pytest.mark.parametrize(
    ("rule", "tree", "finding"),
    [
        (
            rules.hub_values_unknown_key,
            {"singleuser": {"imge": {}}},
            Finding(loc=("singleuser", "imge"), key=True, message="'singleuser' of the chart has no key 'imge'",
                    hint="did you mean 'image'?"),
        ),
        (
            rules.hub_values_unknown_key,
            {"singeluser": {}},
            Finding(loc=("singeluser",), key=True, message="the chart has no key 'singeluser'",
                    hint="did you mean 'singleuser'?"),
        ),
        (
            rules.hub_values_type,
            {"hub": {"db": None, "extraEnv": None, "services": "x"}, "cull": None},
            Finding(loc=("hub", "services"), message="'hub.services' of the chart takes a mapping",
                    expected="a mapping"),
        ),
        (
            rules.hub_values_misplaced,
            {"hub": {"config": {"spawner": {}}}},
            Finding(loc=("hub", "config", "spawner"), key=True,
                    message="'spawner' is no class, so JupyterHub will not start with it in hub.config",
                    hint="name a class of JupyterHub, such as JupyterHub or KubeSpawner"),
        ),
        (
            rules.hub_values_misplaced,
            {"hub": {"config": {"JupyterHub": {"Spawner": {}, "bind_url": {}, "Other": "x"}}}},
            Finding(loc=("hub", "config", "JupyterHub", "Spawner"), key=True,
                    message="class 'Spawner' below hub.config.JupyterHub would silently beat hub.config.Spawner",
                    hint="move it up, to 'hub.config.Spawner'"),
        ),
        (
            rules.hub_values_env,
            {"proxy": {"traefik": {"extraEnv": {"A": "1", "B": None, "C": {"value": "x"}, "D": [1]}}}},
            Finding(loc=("proxy", "traefik", "extraEnv", "D"), message="environment variable 'D' must be text",
                    expected="text", hint="put quotes around it"),
        ),
        (
            rules.hub_values_override,
            {"singleuser": {"profileList": [{}, {"kubespawner_override": {"privileged": True, "cpu_limit": 2}}]}},
            Finding(loc=("singleuser", "profileList", 1, "kubespawner_override", "privileged"), key=True,
                    message="'singleuser.profileList.1.kubespawner_override.privileged' would change what the compiler "
                    "guarantees of hub 'hub'", hint="leave it out: a user's pod has no more than it needs"),
        ),
        (
            rules.hub_values_override,
            {"hub": {"config": {"JheAuthenticator": {"auto_login": True, "http_timeout": 5}}}},
            Finding(loc=("hub", "config", "JheAuthenticator", "http_timeout"), key=True,
                    message="'hub.config.JheAuthenticator.http_timeout' would change what the compiler guarantees of hub 'hub'",
                    hint="leave it out: how people log in is the compiler's"),
        ),
        (
            rules.hub_values_secret,
            {"custom": {"password": ["", {"7": "hunter2"}]}, "hub": {"extraEnv": {"A_TOKEN": {"value": ""}}}},
            None,
        ),
        (
            rules.hub_values_secret,
            {"custom": {"words": ["", "x"], "password": ["", "hunter2"]}},
            Finding(loc=("custom", "password", 1), message="'custom.password.1' holds a secret",
                    hint="name a Secret and its key instead, in a `secretKeyRef`"),
        ),
    ],
)  # fmt: skip
def test_a_finding_is_said_in_these_words(
    rule: Callable[[Site], Iterator[Finding]], tree: Tree, finding: Finding | None
) -> None:
    """Place, message, expectation and hint, to the word; what is right beside it is passed over."""
    wanted = [finding._replace(loc=("hubs", 0, "values", *finding.loc))] if finding else []
    assert list(rule(site(hub={"values": tree}))) == wanted


@pytest.mark.parametrize(
    "tree",
    [
        {"hub": {"config": {"GenericOAuthenticator": {"http_request_kwargs": {"validate_cert": False}}}}},
        {"hub": {"config": {"LoggingConfigurable": {"allow_all": True}}}},
        {"hub": {"services": {"backdoor": {"url": "http://x:1", "admin": True}}}},
        {"singleuser": {"profileList": [{"kubespawner_override": {"service_account": "admin"}}]}},
        {
            "singleuser": {
                "profileList": [
                    {"profile_options": {"a": {"choices": {"b": {"kubespawner_override": {"environment": {}}}}}}}
                ]
            }
        },
    ],
)
def test_no_guarantee_can_be_overridden_by_another_way(tree: Tree) -> None:
    """Traits nobody listed, classes above all others, services with rights, profiles: none goes through silently."""
    assert len(found(rules.hub_values_override, tree)) == 1


def test_a_hub_elsewhere_may_have_its_own_edge() -> None:
    """What is refused in our cluster is an external hub's own affair."""
    tree: Tree = {"ingress": {"hosts": ["x.example.org"]}}
    assert len(found(rules.hub_values_override, tree)) == 1
    assert found(rules.hub_values_override, tree, deploy="external") == []


@pytest.mark.parametrize("path", [("hub",), ("singleuser",), ("proxy", "chp")])
def test_environment_is_text(path: tuple[str, ...]) -> None:
    """A number in an environment passes Helm and then stops every server."""
    tree: Tree = {"extraEnv": {"LEVEL": 1, "TEXT": "1"}}
    for key in reversed(path):
        tree = {key: tree}
    place = ".".join(path)
    assert found(rules.hub_values_env, tree) == [f"hubs.0.values.{place}.extraEnv.LEVEL: put quotes around it"]


@pytest.mark.parametrize(
    "tree",
    [
        {"imagePullSecret": {"password": "hunter2"}},
        {"hub": {"services": {"cost": {"apiToken": "0123abcd"}}}},
        {"hub": {"db": {"url": "postgresql://hub:hunter2@db:5432/hub"}}},
        {"custom": {"list": [{"githubToken": "x"}]}},
    ],
)
def test_secrets_are_found_and_not_repeated(tree: Tree) -> None:
    """A secret in the values is an error that says where it belongs, without saying it again."""
    (finding,) = rules.hub_values_secret(site(hub={"values": tree}))
    assert "secretKeyRef" in finding.hint
    assert "hunter2" not in repr(finding)


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("4.3.2", False),
        ("4.3.3", True),
        ("4.4.0", True),
        ("4.10.0", True),
        ("5.0.0", False),
        ("3.9.9", False),
        ("10.0.0", False),
    ],
)
def test_a_chart_fits_the_values(version: str, fits: bool) -> None:
    """Older charts lack the listener's name, newer ones refuse the form of the route."""
    finding = Finding(
        loc=("hubs", 0, "chartVersion"),
        message=f"the values of hub 'hub' do not fit chart {version}",
        expected="4.3.3 or newer, before 5.0.0",
        hint="leave chartVersion out, or set it to 4.4.0",
    )
    assert list(rules.hub_chart_version(site(hub={"chartVersion": version}))) == ([] if fits else [finding])
