"""The schemas and the in-process judge: what they accept, what they forbid, and in which words."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jhecfg import schemas
from jhecfg.artifact import Artifact
from jhecfg.rules.schema import Violation, count_checked, schema_violations
from jhecfg.rules.schema_error import explain
from tests.good_objects import KUBERNETES, Tree, artifact, at, good, good_objects, label, mutants

UPSTREAM = Path(__file__).parent.parent.parent / "shared" / "data"

# Maps whose keys people choose: a misspelt key in them is another name, which no schema can know.
FREE = (
    {"labels", "annotations", "matchLabels", "selector", "nodeSelector", "tags"}
    | {"data", "stringData", "encryptedData", "parameters", "hard"}
    | {"level", "json", "elements", "values"}
)


def judged(*trees: Tree, kubernetes: str = KUBERNETES) -> tuple[Violation, ...]:
    """Judge objects."""
    return tuple(schema_violations([artifact(tree) for tree in trees], kubernetes))


def only(*trees: Tree) -> Violation:
    """Return the one violation that there is."""
    (violation,) = judged(*trees)
    return violation


def spoiled(kind: str, *path: str | int, value: object) -> Tree:
    """Return the good object of a kind with one value replaced."""
    tree = good(kind)
    at(tree, path[:-1])[path[-1]] = value
    return tree


# -- what is accepted


@pytest.mark.parametrize("tree", good_objects(), ids=label)
def test_a_good_object_is_accepted_in_every_version(tree: Tree) -> None:
    """An object as a site needs it passes under every Kubernetes version that has schemas."""
    assert [judged(tree, kubernetes=version) for version in schemas.kubernetes_versions()] == [
        () for _ in schemas.kubernetes_versions()
    ]


def test_every_kind_with_a_schema_has_a_good_object() -> None:
    """The good objects leave no kind out, so every schema is used by these tests."""
    assert sorted((tree["apiVersion"], tree["kind"]) for tree in good_objects()) == list(schemas.kinds())


def test_every_object_is_counted_and_nothing_else_is() -> None:
    """The number of objects judged is the number of Kubernetes-shaped artifacts."""
    others = [Artifact("helm/a.values.yaml", {"replicas": 1}), Artifact("RUNBOOK.md", "text")]
    objects = [artifact(tree) for tree in good_objects()]
    assert count_checked([*objects, *others]) == len(objects)
    assert tuple(schema_violations(others, KUBERNETES)) == ()


# -- what is forbidden


@pytest.mark.parametrize("tree", good_objects(), ids=label)
def test_a_misspelt_key_is_found_at_every_depth(tree: Tree) -> None:
    """Each key of each good object, misspelt, is a violation, save in maps whose keys people choose."""
    missed = [done for done, mutant in mutants(tree) if done.endswith("misspelt") and not _judged_shape(mutant)]
    assert [done for done in missed if not FREE & set(done.split("."))] == []


@pytest.mark.parametrize("tree", good_objects(), ids=label)
def test_a_value_of_another_type_is_found(tree: Tree) -> None:
    """Each value of each good object, made another type, is a violation, save where Kubernetes takes both."""
    missed = [done for done, mutant in mutants(tree) if done.endswith("another type") and not _judged_shape(mutant)]
    either = FREE | {"limits", "requests", "default", "defaultRequest", "port", "targetPort", "sizeLimit"}
    assert [done for done in missed if not either & set(done.removesuffix(" another type").split("."))] == []


def _judged_shape(tree: Tree) -> bool:
    """Tell whether a mutant is found, or is no longer Kubernetes-shaped (which other rules see)."""
    return artifact_manifest(tree) is None or bool(judged(tree))


def artifact_manifest(tree: Tree) -> Tree | None:
    """Return what the judge sees of a tree."""
    return Artifact("x.yaml", tree).manifest


@pytest.mark.parametrize(
    ("kind", "path", "value"),
    [
        ("ConfigMap", ("metadata", "name"), "Jhe_Env"),
        ("ConfigMap", ("metadata", "labels"), {"a": 1}),
        ("ConfigMap", ("metadata", "labels"), {"a": "x" * 64}),
        ("ConfigMap", ("metadata", "labels"), {"a b": "x"}),
        ("ConfigMap", ("metadata", "annotations"), {"a": True}),
        ("ConfigMap", ("metadata", "creationTimestamp"), None),
        ("ConfigMap", ("data",), {"a/b": "x"}),
        ("ConfigMap", ("data",), None),
        ("Namespace", ("metadata", "namespace"), "jhe"),
        ("Secret", ("data",), {"a": "YWJj"}),
        ("Secret", ("stringData",), {"a": "ENC[AES256_GCM,data:YWJj]"}),
        ("Secret", ("sops", "mac_only_encrypted"), False),
        ("Secret", ("sops", "pgp"), [{}]),
        ("Service", ("metadata", "name"), "1jhe"),
        ("Service", ("spec", "type"), "Loadbalancer"),
        ("Job", ("metadata", "name"), "m" * 64),
        ("CronJob", ("metadata", "name"), "m" * 53),
        ("CronJob", ("spec", "concurrencyPolicy"), "forbid"),
        ("Deployment", ("status",), {}),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "resources", "limits"), {"memoryy": "1Gi"}),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "resources", "limits"), {"memory": "1gb"}),
        ("Deployment", ("spec", "template", "spec", "containers", 0, "env"), [{"name": "A", "value": 1}]),
        ("PersistentVolumeClaim", ("spec", "accessModes"), ["ReadWriteAll"]),
        ("Gateway", ("spec", "listeners", 1, "protocol"), "Https"),
        ("Gateway", ("spec", "listeners", 0, "protocol"), "HTTPS"),
        ("HTTPRoute", ("spec", "rules", 0, "filters", 0, "type"), "URLRewrite"),
        ("HTTPRoute", ("spec", "rules", 0, "matches", 0, "path", "value"), "o/applications"),
        ("HTTPRoute", ("spec", "rules", 1, "timeouts", "request"), "1.5m"),
        ("ClientTrafficPolicy", ("spec", "targetRefs", 0, "kind"), "HTTPRoute"),
        ("ClusterIssuer", ("metadata", "namespace"), "jhe"),
        ("ClusterIssuer", ("spec", "ca"), {"secretName": "x"}),
        ("Issuer", ("spec", "acme", "solvers", 0, "http01"), {}),
        ("ExternalSecret", ("spec", "refreshInterval"), "1 hour"),
        ("SealedSecret", ("spec", "encryptedData"), {"A": "plain text"}),
        ("SealedSecret", ("spec", "data"), "x"),
        ("Application", ("spec", "source"), {"repoURL": "https://x"}),
        ("Application", ("spec", "destination"), {"namespace": "jhe"}),
        ("HelmRelease", ("spec", "chartRef"), {"kind": "OCIRepository", "name": "x"}),
        ("HelmRelease", ("spec", "values"), "text"),
        ("GitRepository", ("spec", "url"), "git@git.example.org:jhe.git"),
        ("ClusterConfig", ("metadata", "version"), 1.36),
        ("ClusterConfig", ("metadata", "version"), "1.36.2"),
        ("ClusterConfig", ("managedNodeGroups", 0, "instanceTypes"), ["m7i.large"]),
        ("ClusterConfig", ("cloudWatch", "clusterLogging", "logRetentionInDays"), 42),
        ("ClusterConfig", ("vpc", "nat", "gateway"), "single"),
    ],
)
def test_what_a_server_would_refuse_is_found_here(kind: str, path: tuple[str | int, ...], value: object) -> None:
    """A value that only the API server, a controller or eksctl would refuse is a violation already here."""
    assert judged(spoiled(kind, *path, value=value))


def test_an_unknown_kind_is_a_violation_and_not_skipped() -> None:
    """A kind without a schema is itself a violation, and says what was probably meant."""
    tree = {"apiVersion": "v1", "kind": "Servce", "metadata": {"name": "x"}}
    assert only(tree) == Violation(
        "manifests/servce.yaml",
        ("kind",),
        "there is no schema for Servce of v1",
        found="v1 Servce",
        hint="did you mean 'Service'?",
    )


def test_a_known_kind_of_another_version_says_where_it_belongs() -> None:
    """A right kind with a wrong apiVersion is told which one it has."""
    assert only({"apiVersion": "apps/v1beta1", "kind": "Deployment"}).hint == "Deployment is of apps/v1"
    assert only({"apiVersion": "v1", "kind": "Kustomization"}).hint == (
        "Kustomization is of kustomize.config.k8s.io/v1beta1 or kustomize.toolkit.fluxcd.io/v1"
    )


def test_a_version_without_schemas_is_refused() -> None:
    """Asking for a Kubernetes version that there are no schemas for is an error of the caller, not a pass."""
    with pytest.raises(ValueError, match=r"no schemas for Kubernetes 1\.30"):
        judged(good("ConfigMap"), kubernetes="1.30")


def test_a_field_exists_only_since_its_version() -> None:
    """A field that Kubernetes 1.34 brought is unknown in 1.33."""
    tree = spoiled(
        "Deployment",
        "spec",
        "template",
        "spec",
        "containers",
        0,
        "env",
        value=[
            {"name": "A", "valueFrom": {"fileKeyRef": {"volumeName": "tmp", "path": "a", "key": "A"}}},
        ],
    )
    assert judged(tree, kubernetes="1.33")[0].message == "unknown field 'fileKeyRef' in 'valueFrom'"
    assert judged(tree, kubernetes="1.34") == ()


# -- in which words


def test_an_unknown_field_points_at_itself_and_suggests() -> None:
    """The pointer of an unknown field is the field, so that it can be underlined; the hint names the nearest."""
    violation = only(spoiled("Deployment", "spec", "replica", value=1))
    assert violation.pointer == ("spec", "replica")
    assert violation.message == "unknown field 'replica' in 'spec'"
    assert violation.hint == "did you mean 'replicas'?"


def test_a_wrong_type_says_both_types() -> None:
    """A value of the wrong type says what it is and what it has to be."""
    assert only(spoiled("Deployment", "spec", "replicas", value="two")) == Violation(
        "manifests/deployment.yaml",
        ("spec", "replicas"),
        "'replicas' is not of type integer",
        "a whole number",
        '"two"',
    )


def test_a_value_outside_its_choices_lists_them() -> None:
    """A value that is none of the choices says all of them."""
    violation = only(spoiled("Deployment", "spec", "template", "spec", "restartPolicy", value="always"))
    assert violation.message == "'restartPolicy' is not one of Always, Never, OnFailure"
    assert violation.hint == "did you mean 'Always'?"


def test_a_missing_field_points_at_the_map_that_lacks_it() -> None:
    """A missing field is told at the map it is missing from."""
    tree = good("Deployment")
    del tree["spec"]["template"]["spec"]["containers"][0]["name"]
    violation = only(tree)
    assert violation.pointer == ("spec", "template", "spec", "containers", 0)
    assert violation.message == "'containers[0]' lacks the required field 'name'"
    del tree["spec"]
    assert only(tree) == Violation(
        "manifests/deployment.yaml", (), "the object lacks the required field 'spec'", "spec"
    )


def test_a_wrong_name_says_its_form_in_words() -> None:
    """A name of the wrong form is told the form in words, not as a regular expression."""
    violation = only(spoiled("Service", "metadata", "name", value="Jhe"))
    assert violation.expected == "a DNS label that starts with a letter, at most 63 characters"


def test_a_key_of_the_wrong_form_points_at_the_key() -> None:
    """A label's name with a space is told at that label."""
    violation = only(spoiled("ConfigMap", "metadata", "labels", value={"a b": "c"}))
    assert violation.pointer == ("metadata", "labels", "a b")


def test_fields_that_exclude_each_other_are_named() -> None:
    """Where one of two fields is needed, neither and both name the two."""
    both = spoiled("Application", "spec", "source", value={"repoURL": "https://x"})
    neither = good("Application")
    del neither["spec"]["sources"]
    assert only(both).message == "'spec' may hold only one of 'source', 'sources'"
    assert only(neither).message == "'spec' needs 'source' or 'sources'"


def test_a_map_that_must_hold_exactly_one_names_the_choices() -> None:
    """Two issuers in one, where one is allowed, names what could be chosen."""
    violation = only(spoiled("ClusterIssuer", "spec", "ca", value={"secretName": "x"}))
    assert (violation.expected, violation.found) == ("1 of acme, ca or selfSigned", "2 fields")


def test_a_range_is_told_with_its_ends() -> None:
    """A port out of range is told the range."""
    violation = only(spoiled("Gateway", "spec", "listeners", 0, "port", value=70000))
    assert (violation.expected, violation.found) == ("1 to 65535", "70000")


def test_no_value_of_a_secret_is_quoted() -> None:
    """A violation in a Secret says what is wrong and never what the value is."""
    for value, message in (("hunter2!", "does not have the right form"), (5432109, "is not of type string")):
        violation = only(spoiled("Secret", "data", "TOKEN", value=value))
        assert violation.pointer == ("data", "TOKEN")
        assert violation.message == f"'TOKEN' {message}"
        assert violation.expected
        assert violation.found == ""
        assert str(value) not in repr(violation)


def test_violations_come_in_the_order_of_the_artifacts() -> None:
    """Several bad objects are told in the order in which they were given, and all at once."""
    trees = [
        spoiled("Service", "spec", "x", value=1),
        spoiled("ConfigMap", "x", value=1),
        {"apiVersion": "a", "kind": "B"},
    ]
    assert [violation.path for violation in judged(*trees)] == [artifact(tree).path for tree in trees]
    twice = spoiled("Service", "spec", value={"b": 1, "type": "x", "a": 1})
    assert [violation.pointer[-1] for violation in judged(twice)] == ["a", "b", "type"]


# -- in which words, whatever the schema


def told(schema: Tree, value: object) -> list[Violation]:
    """Say what a schema forbids of the field `f` of an object, the second of its kind."""
    from jsonschema_rs import Draft202012Validator

    root = {"properties": {"v1 Thing": {"items": {"properties": {"f": schema}}}}}
    errors = Draft202012Validator(root).iter_errors({"v1 Thing": [{}, {"f": value}]})
    return [violation for error in errors for violation in explain(error, root)]


def lettered(letters: str) -> Tree:
    """Return the fields of a schema, one for each letter."""
    return {"properties": {letter: {} for letter in letters}}


ANY_OF = [{"required": ["a"]}, {"required": ["b"]}, {"required": ["c"]}]
KEY = {"propertyNames": {"pattern": "^a$", "description": "the letter a"}}


@pytest.mark.parametrize(
    ("schema", "value", "message", "expected", "found"),
    [
        ({"type": "integer"}, None, "is not of type integer", "a whole number", "nothing (null)"),
        ({"type": "object"}, [], "is not of type object", "a map", "a list"),
        ({"type": "boolean"}, {}, "is not of type boolean", "true or false", "a map"),
        ({"type": "number"}, True, "is not of type number", "a number", "true"),
        ({"type": "array"}, "ü", "is not of type array", "a list", '"ü"'),
        ({"type": ["integer", "null", "string"]}, 1.5, "is not of type null, integer or string",
         "nothing (null), a whole number or a string", "1.5"),
        ({"type": "null"}, "x" * 58, "is not of type null", "nothing (null)", f'"{"x" * 58}"'),
        ({"type": "null"}, "x" * 59, "is not of type null", "nothing (null)", f'"{"x" * 58}…'),
        ({"const": "a"}, "b", "is not a", "a", '"b"'),
        ({"enum": ["a", "b"]}, 1, "is not one of a, b", "a or b", "1"),
        ({"enum": [1, 2, 3]}, "x", "is not one of 1, 2, 3", "1, 2 or 3", '"x"'),
        ({"pattern": "^a$"}, "b", "does not have the right form", "text that matches ^a$", '"b"'),
        ({"pattern": "^a$", "description": "the letter a"}, "b", "does not have the right form", "the letter a", '"b"'),
        ({"minItems": 2}, [1], "has the wrong number of items", "2 or more", "1 item"),
        ({"maxItems": 2}, [1, 2, 3], "has the wrong number of items", "0 to 2", "3 items"),
        ({"minLength": 2, "maxLength": 4}, "a", "has the wrong number of characters", "2 to 4", "1 character"),
        ({"minLength": 2, "maxLength": 4}, "abcde", "has the wrong number of characters", "2 to 4", "5 characters"),
        ({"minProperties": 1}, {}, "has the wrong number of fields", "1 or more", "0 fields"),
        ({"maxProperties": 0}, {"a": 1, "b": 2}, "has the wrong number of fields", "0 to 0", "2 fields"),
        ({"minProperties": 1, **lettered("ba")}, {}, "has the wrong number of fields", "1 or more of a or b", "0 fields"),
        ({"minProperties": 1, **lettered("a")}, {}, "has the wrong number of fields", "1 or more of a", "0 fields"),
        ({"minProperties": 1, "maxProperties": 1, **lettered("abcdefghi")}, {}, "has the wrong number of fields",
         "1 of a, b, c, d, e, f, g, h or i", "0 fields"),
        ({"minProperties": 1, "maxProperties": 1, **lettered("abcdefghij")}, {}, "has the wrong number of fields",
         "1", "0 fields"),
        ({"minimum": 0}, -1, "is out of range", "0 or more", "-1"),
        ({"maximum": 0}, 1, "is out of range", "at most 0", "1"),
        ({"minimum": 1, "maximum": 3}, 4, "is out of range", "1 to 3", "4"),
        ({"minimum": 1, "maximum": 3}, 0, "is out of range", "1 to 3", "0"),
        ({"required": ["a"]}, {}, "lacks the required field 'a'", "a", ""),
        ({"anyOf": ANY_OF}, {}, "needs 'a', 'b' or 'c'", "'a', 'b' or 'c'", "a map"),
        ({"oneOf": ANY_OF}, {}, "needs 'a', 'b' or 'c'", "'a', 'b' or 'c'", "a map"),
        ({"oneOf": ANY_OF}, {"a": 1, "b": 2}, "may hold only one of 'a', 'b', 'c'", "'a', 'b' or 'c'", "a map"),
        ({"oneOf": ANY_OF}, {"a": 1, "b": 2, "c": 3}, "may hold only one of 'a', 'b', 'c'", "'a', 'b' or 'c'", "a map"),
        ({"oneOf": ANY_OF, "type": "object"}, "x", "is not of type object", "a map", '"x"'),
        ({"not": {"required": ["a", "b"]}}, {"a": 1, "b": 2}, "may not hold 'a' and 'b' together", "", "a map"),
        ({"multipleOf": 2}, 3, "is not valid (multipleOf)", "", "3"),
    ],
)  # fmt: skip
def test_every_keyword_says_what_is_wrong(schema: Tree, value: object, message: str, expected: str, found: str) -> None:
    """What is wrong, what it has to be, what it is: all choices, both ends of a range, no more of a text than fits."""
    assert told(schema, value) == [Violation("", ("f",), f"'f' {message}", expected, found)]
    deep = [Violation("", ("f", 0, 1), f"'f[0][1]' {message}", expected, found)]
    assert told({"items": {"prefixItems": [{}, schema]}}, [[{}, value]]) == deep


@pytest.mark.parametrize(
    ("schema", "key", "said"),
    [
        (KEY, "b", Violation("", ("f", "b"), "key 'b' does not have the right form", "the letter a", key=True)),
        ({"propertyNames": {"pattern": "^a$"}}, "b", Violation("", ("f", "b"), "key 'b' does not have the right form", key=True)),
        (KEY, "b" * 61, Violation("", ("f", "b" * 61), f"key '{'b' * 59}…' does not have the right form", "the letter a", key=True)),
        (lettered("ba"), "c", Violation("", ("f", "c"), "unknown field 'c' in 'f'", "a, b", hint="choose one of: b, a", key=True)),
        (lettered("abcdefghi"), "a" * 60, Violation("", ("f", "a" * 60), f"unknown field '{'a' * 60}' in 'f'", ", ".join("abcdefghi"),
                                                    hint="choose one of: " + ", ".join("abcdefghi"), key=True)),
        (lettered("abcdefghij"), "a" * 61, Violation("", ("f", "a" * 61), f"unknown field '{'a' * 59}…' in 'f'", key=True)),
    ],
)  # fmt: skip
def test_a_key_says_what_is_wrong_with_it(schema: Tree, key: str, said: Violation) -> None:
    """The key itself is pointed at, whole; what could be there is listed while it fits."""
    closed = schema if "propertyNames" in schema else {**schema, "additionalProperties": False}
    assert told(closed, {key: 1}) == [said]


# -- the schemas themselves


def test_every_object_schema_is_closed() -> None:
    """No schema lists fields and lets others through."""
    for kubernetes in schemas.kubernetes_versions():
        for api_version, kind in schemas.kinds():
            document = schemas.schema_for(kubernetes, api_version, kind)
            assert [node for node in nodes(document) if "properties" in node and _is_open(node)] == []


def _is_open(node: Tree) -> bool:
    """Tell whether a schema lets unlisted fields through; the conditions of if/then are not object schemas."""
    return node.get("type") == "object" and "additionalProperties" not in node


def nodes(node: object) -> Iterator[Tree]:
    """Yield every map in a schema."""
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(value)


def test_every_keyword_has_words_of_its_own() -> None:
    """Our schemas use only keywords that the error messages know, and both judges understand."""
    asserting = {"type", "enum", "const", "pattern", "required", "additionalProperties", "propertyNames", "not"}
    asserting |= {"oneOf", "anyOf", "minimum", "maximum", "minItems", "maxItems", "minLength", "maxLength"}
    asserting |= {"minProperties", "maxProperties"}
    structure = {"$ref", "$defs", "$schema", "properties", "items", "description", "allOf", "if", "then", "format"}
    for api_version, kind in schemas.kinds():
        document = schemas.schema_for(KUBERNETES, api_version, kind)
        assert document is not None
        assert set(keywords(document)) <= asserting | structure


def keywords(schema: Tree) -> Iterator[str]:
    """Yield the keywords of a schema, but no names of properties or definitions."""
    for key, value in schema.items():
        yield key
        if key in ("properties", "$defs"):
            for each in value.values():
                yield from keywords(each)
        elif key in ("allOf", "oneOf", "anyOf"):
            for each in value:
                yield from keywords(each)
        elif isinstance(value, dict) and key not in ("const",):
            yield from keywords(value)


def test_a_choice_is_one_among_fields() -> None:
    """Where a schema gives choices, each is a map that has a field: the error messages know no other."""
    for api_version, kind in schemas.kinds():
        for node in nodes(schemas.schema_for(KUBERNETES, api_version, kind)):
            for branch in (*node.get("oneOf", ()), *node.get("anyOf", ())):
                assert branch.keys() == {"required"}
                assert node["type"] == "object"
            assert node.get("not", {"required": []}).keys() == {"required"}


def test_a_definition_is_named_in_one_file_only() -> None:
    """Definitions of different files can stand in one schema: no name occurs twice."""
    folder = Path(schemas.__file__).parent
    names = [name for path in sorted(folder.rglob("*.json")) for name in json.loads(path.read_bytes()).get("$defs", ())]
    assert len(names) == len(set(names))


def test_file_names_are_kubeconforms_and_unique() -> None:
    """Each kind has its own file, named kind, first label of the group, version."""
    names = [schemas.file_name(*kind) for kind in schemas.kinds()]
    assert len(names) == len(set(names))
    assert schemas.file_name("gateway.networking.k8s.io/v1", "HTTPRoute") == "httproute-gateway-v1.json"
    assert schemas.file_name("v1", "ConfigMap") == "configmap-v1.json"


def test_importing_the_judge_does_not_load_the_validator() -> None:
    """The compiled library is loaded at the first judgement: a build that changes nothing does not pay for it."""
    code = "import sys, jhecfg.rules.schema; print('jsonschema_rs' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# -- against upstream (data of the steering repository; absent on other machines)


def upstream(tree: Tree) -> Tree:
    """Return upstream's own schema of an object's kind, or skip."""
    if not UPSTREAM.is_dir():
        pytest.skip(f"{UPSTREAM.name} data is absent: the cross-check with upstream's schemas needs ../shared/data")
    if tree["kind"] == "ClusterConfig":
        # '|' is not allowed in a URI reference, and eksctl's definitions are named with it.
        text = (UPSTREAM / "eksctl-0.230.schema.json").read_text(encoding="utf-8").replace("|", "_")
        return dict(json.loads(text))
    return dict(json.loads(catalog(tree).read_bytes()))


def catalog(tree: Tree) -> Path:
    """Return where the catalog's schema of an object's kind is."""
    return UPSTREAM / "crd-closed" / schemas.file_name(tree["apiVersion"], tree["kind"])


# The kinds that the catalog folder has (one, to be skipped by name, where the folder is absent).
CUSTOM = [tree for tree in good_objects() if tree["kind"] == "ClusterConfig" or catalog(tree).is_file()]


@pytest.mark.parametrize("tree", CUSTOM, ids=label)
def test_what_our_schema_accepts_upstreams_accepts(tree: Tree) -> None:
    """The good object, and each mutant of it that our schema accepts, passes upstream's own schema."""
    from jsonschema_rs import validator_for

    judge = validator_for(upstream(tree))
    accepted = [(done, each) for done, each in mutants(tree) if artifact_manifest(each) and not judged(each)]
    assert [(done, e.message) for done, each in [("", tree), *accepted] for e in judge.iter_errors(each)] == []


@pytest.mark.parametrize("tree", CUSTOM, ids=label)
def test_every_field_and_value_of_our_schema_is_known_upstream(tree: Tree) -> None:
    """Our closed schemas invent nothing: each of their fields and listed values is in upstream's schema."""
    theirs = upstream(tree)
    ours = schemas.schema_for(KUBERNETES, tree["apiVersion"], tree["kind"])
    root = {"$ref": "#/definitions/ClusterConfig"} if tree["kind"] == "ClusterConfig" else theirs
    # cert-manager 1.21 (facts/aws.md 6) is newer than the catalog's copy.
    newer = {"waitInsteadOfSelfCheck"}
    assert [path for path in strangers(ours, ours, root, theirs) if path[-1] not in newer] == []


def strangers(
    ours: Any, our_root: Any, theirs: Any, their_root: Any, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Yield the paths of fields and listed values of one schema that another does not know."""
    ours, theirs = resolved(ours, our_root), resolved(theirs, their_root)
    if "enum" in theirs:
        yield from ((*path, str(value)) for value in ours.get("enum", ()) if value not in theirs["enum"])
    known, rest = theirs.get("properties", {}), theirs.get("additionalProperties")
    for name, schema in ours.get("properties", {}).items():
        if name in known:
            yield from strangers(schema, our_root, known[name], their_root, (*path, name))
        elif known and not isinstance(rest, dict):
            yield (*path, name)
    for word in ("items", "additionalProperties"):
        if isinstance(ours.get(word), dict) and isinstance(theirs.get(word), dict):
            yield from strangers(ours[word], our_root, theirs[word], their_root, (*path, "*"))


def resolved(schema: Any, root: Any) -> Any:
    """Follow references to the schema that they name."""
    while "$ref" in schema:
        target = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        schema = target
    return schema
