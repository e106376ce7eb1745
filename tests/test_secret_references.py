"""Which Secrets the outputs refer to, and what the inventory says of them, on objects written out."""

from __future__ import annotations

from typing import Any

import pytest

from jhecfg.artifact import Artifact, Tree
from jhecfg.rules.secrets import Reference, dangling_secret, references, rotating_password, unused_secret
from jhecfg.site import Remote, SecretItem, SecretNeed, Site
from tests.aws_site import make


@pytest.fixture(scope="module")
def site() -> Site:
    """Return a site whose inventory is one Secret of two keys, with one hub and one login of a registry."""
    need = SecretNeed("jhe", "known", (item("a"), item("b")))
    it = make()
    return it._replace(secrets=(need,), image=it.image._replace(pull_secrets=("registry",)))


def item(key: str, remote: Remote | None = None) -> SecretItem:
    """Return a key of the inventory."""
    return SecretItem(key, "a test", "password", ("exchange",), "restart", remote)  # type: ignore[arg-type]


def thing(kind: str, /, **fields: Any) -> Artifact:
    """Write an object in the namespace `jhe`."""
    tree = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x", "namespace": "jhe"}, **fields}
    return Artifact("manifests/x.yaml", tree)


def pod(**spec: Any) -> Artifact:
    """Write a Deployment with this pod."""
    return thing("Deployment", spec={"template": {"spec": spec}})


def seen(site: Site, *artifacts: Artifact) -> list[tuple[str, str | None, bool]]:
    """Return the references of objects: dotted place, name with key, whether they may be absent."""
    for ref in (found := list(references(site, artifacts))):
        assert (ref.artifact, ref.namespace) in (("manifests/x.yaml", "jhe"), ("hubs/hub/values.yaml", "hub"))
    return [(".".join(map(str, ref.loc)), f"{ref.name}/{ref.key or ''}", ref.optional) for ref in found]


POD = "spec.template.spec"


@pytest.mark.parametrize(
    ("spec", "refs"),
    [
        ({}, []),
        ({"imagePullSecrets": [{"name": "a"}, {"name": "b"}]},
         [("imagePullSecrets.0.name", "a/", False), ("imagePullSecrets.1.name", "b/", False)]),
        ({"volumes": [{"name": "v"}, {"secret": {"secretName": "a"}}]}, [("volumes.1.secret.secretName", "a/", False)]),
        ({"volumes": [{"secret": {"secretName": "a", "optional": True}}]}, [("volumes.0.secret.secretName", "a/", True)]),
        ({"volumes": [{"secret": {"secretName": "a", "items": [{"key": "k"}, {"key": "l"}]}}]},
         [("volumes.0.secret.items.0.key", "a/k", False), ("volumes.0.secret.items.1.key", "a/l", False)]),
        ({"volumes": [{"projected": {"sources": [{"configMap": {}}, {"secret": {"name": "a"}}]}}]},
         [("volumes.0.projected.sources.1.secret.name", "a/", False)]),
        ({"volumes": [{"projected": {"sources": [{"secret": {"name": "a", "optional": True, "items": [{"key": "k"}]}}]}}]},
         [("volumes.0.projected.sources.0.secret.items.0.key", "a/k", True)]),
        ({"volumes": [{"csi": {"nodePublishSecretRef": {"name": "a"}}}]},
         [("volumes.0.csi.nodePublishSecretRef.name", "a/", False)]),
        ({"containers": [{"envFrom": [{"configMapRef": {"name": "c"}}, {"secretRef": {"name": "a"}}]}]},
         [("containers.0.envFrom.1.secretRef.name", "a/", False)]),
        ({"containers": [{"envFrom": [{"secretRef": {"name": "a", "optional": True}}]}]},
         [("containers.0.envFrom.0.secretRef.name", "a/", True)]),
        ({"initContainers": [{"env": [{"name": "X", "value": "1"}, {"valueFrom": {"secretKeyRef": {"name": "a", "key": "k"}}}]}]},
         [("initContainers.0.env.1.valueFrom.secretKeyRef", "a/k", False)]),
        ({"containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "a", "key": "k", "optional": True}}},
                                  {"valueFrom": {"fieldRef": {}}}]}]},
         [("containers.0.env.0.valueFrom.secretKeyRef", "a/k", True)]),
    ],
)  # fmt: skip
def test_a_pod_refers_to_secrets_in_these_ways(site: Site, spec: Tree, refs: list[tuple[str, str, bool]]) -> None:
    """Logins, volumes of three kinds, environments whole and by key; each with its place."""
    assert seen(site, pod(**spec)) == [(f"{POD}.{place}", what, optional) for place, what, optional in refs]


def test_accounts_gateways_and_ingresses_refer_to_secrets(site: Site) -> None:
    """A ServiceAccount's logins and tokens, and the certificates at the edge; the same fields elsewhere are not."""
    account = {"imagePullSecrets": [{"name": "a"}], "secrets": [{"name": "b"}, {"name": "c"}]}
    assert seen(site, thing("ServiceAccount", **account)) == [
        ("imagePullSecrets.0.name", "a/", False), ("secrets.0.name", "b/", False), ("secrets.1.name", "c/", False),
    ]  # fmt: skip
    listeners = [{"name": "http"}, {"tls": {"certificateRefs": [{"name": "a"}, {"name": "b"}]}}]
    assert seen(site, thing("Gateway", spec={"listeners": listeners})) == [
        ("spec.listeners.1.tls.certificateRefs.0.name", "a/", False),
        ("spec.listeners.1.tls.certificateRefs.1.name", "b/", False),
    ]
    tls = [{"secretName": "a"}, {"secretName": "b"}]
    assert seen(site, thing("Ingress", spec={"tls": tls})) == [
        ("spec.tls.0.secretName", "a/", False), ("spec.tls.1.secretName", "b/", False),
    ]  # fmt: skip
    for bare in (thing("Gateway"), thing("Gateway", spec={}), thing("Ingress"), thing("ServiceAccount")):
        assert seen(site, bare) == []
    assert seen(site, thing("Thing", **account, spec={"listeners": listeners, "tls": tls})) == []
    assert seen(site, thing("ServiceAccount", **account)._replace(path="cluster/cluster.yml")) == []


@pytest.mark.parametrize(
    ("values", "refs"),
    [
        ({}, []),
        ({"hub": {"extraEnv": {"X": {"valueFrom": {"secretKeyRef": {"name": "a", "key": "k"}}}}}},
         [("hub.extraEnv.X.valueFrom.secretKeyRef", "a/k", False)]),
        ({"list": [{"secretKeyRef": {"name": "a", "key": "k", "optional": True}}]}, [("list.0.secretKeyRef", "a/k", True)]),
        ({"x": {"secretKeyRef": {"name": "a"}}, "y": {"secretKeyRef": "a"}, "z": {"other": {"name": "a", "key": "k"}}}, []),
        ({"singleuser": {"storage": {"extraVolumes": [{"secret": {"secretName": "a"}}]}}},
         [("singleuser.storage.extraVolumes.0.secret.secretName", "a/", False)]),
        ({"sources": [{"secret": {"name": "a"}}], "envFrom": [{"secretRef": {"name": "b"}}, {"secretRef": {"name": 7}}]},
         [("sources.0.secret.name", "a/", False), ("envFrom.0.secretRef.name", "b/", False)]),
        ({"imagePullSecrets": [{"name": "a"}, "b", {"name": 7}, 7], "singleuser": {"image": {"pullSecrets": ["c"]}}},
         [("imagePullSecrets.0", "a/", False), ("imagePullSecrets.1", "b/", False),
          ("singleuser.image.pullSecrets.0", "c/", False)]),
        ({"hub": {"existingSecret": "own"}},
         [("hub.existingSecret", "own/hub.config.JupyterHub.cookie_secret", False),
          ("hub.existingSecret", "own/hub.config.CryptKeeper.keys", False)]),
        ({"hub": {"existingSecret": "own", "services": {"one": {}, "two": None}, "db": {"type": "postgres"}}},
         [("hub.existingSecret", f"own/{key}", False) for key in (
             "hub.config.JupyterHub.cookie_secret", "hub.config.CryptKeeper.keys",
             "hub.services.one.apiToken", "hub.services.two.apiToken", "hub.db.password")]),
        ({"hub": {"existingSecret": "own", "services": ["one"], "db": {"type": "sqlite-pvc"}}},
         [("hub.existingSecret", "own/hub.config.JupyterHub.cookie_secret", False),
          ("hub.existingSecret", "own/hub.config.CryptKeeper.keys", False)]),
        ({"hub": {"services": {"one": {}}, "db": {"type": "mysql"}}}, []),
    ],
)  # fmt: skip
def test_a_hubs_values_refer_to_secrets_in_these_ways(
    site: Site, values: Tree, refs: list[tuple[str, str, bool]]
) -> None:
    """By key and whole, wherever the chart would put it, and in what the chart looks up in `existingSecret` itself."""
    assert seen(site, Artifact("hubs/hub/values.yaml", values)) == refs
    assert seen(site, Artifact("hubs/other/values.yaml", values)) == []


def test_mysql_has_a_password_too(site: Site) -> None:
    """Of the chart's three databases only SQLite has none."""
    values = {"hub": {"existingSecret": "own", "db": {"type": "mysql"}}}
    assert ("hub.existingSecret", "own/hub.db.password", False) in seen(site, Artifact("hubs/hub/values.yaml", values))


def test_an_object_without_a_namespace_refers_to_none(site: Site) -> None:
    """Where it would be put is not guessed."""
    bare = Artifact(
        "manifests/x.yaml",
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "x"}, "secrets": [{"name": "a"}]},
    )
    assert list(references(site, [bare])) == [Reference("manifests/x.yaml", ("secrets", 0, "name"), "", "a")]


def env(name: str, key: str, **more: Any) -> Artifact:
    """Write a Deployment that reads one key."""
    return pod(containers=[{"env": [{"valueFrom": {"secretKeyRef": {"name": name, "key": key, **more}}}]}])


@pytest.mark.parametrize(
    ("artifact", "message"),
    [
        (env("known", "a"), ""),
        (env("known", "c"), "key 'c' of Secret 'known' in namespace 'jhe' is not the site's"),
        (env("known", "c", optional=True), ""),
        (env("lost", "a"), "Secret 'lost' in namespace 'jhe' is not the site's"),
        (env("lost", "a", optional=True), ""),
        (env("registry", ".dockerconfigjson"), ""),
        (pod(imagePullSecrets=[{"name": "registry"}]), ""),
        (pod(imagePullSecrets=[{"name": "known"}]), ""),
        (pod(imagePullSecrets=[{"name": "lost"}]), "Secret 'lost' in namespace 'jhe' is not the site's"),
        (thing("Ingress", spec={"tls": [{"secretName": "jhe-example-exchange-tls"}]}), ""),
        (env("jhe-example-exchange-tls", "tls.key"), "Secret 'jhe-example-exchange-tls' in namespace 'jhe' is not the site's"),
        (Artifact("hubs/hub/values.yaml", {"x": {"secretKeyRef": {"name": "known", "key": "a"}}}),
         "Secret 'known' in namespace 'hub' is not the site's"),
    ],
)  # fmt: skip
def test_what_is_referred_to_is_in_the_inventory(site: Site, artifact: Artifact, message: str) -> None:
    """By namespace, name and key; but for certificates, logins of registries and what may be absent."""
    found = list(dangling_secret(site, [artifact]))
    assert [finding.message for finding in found] == ([message] if message else [])
    for finding in found:
        (ref,) = references(site, [artifact])
        assert (finding.artifact, finding.loc) == (artifact.path, ref.loc)


def test_one_lost_secret_hides_no_other(site: Site) -> None:
    """Every reference is judged, those after one that is right too."""
    found = dangling_secret(site, [env("known", "a"), env("lost", "a"), env("known", "b"), env("gone", "a")])
    assert [finding.message.split("'")[1] for finding in found] == ["lost", "gone"]


def test_what_is_in_the_inventory_is_referred_to(site: Site) -> None:
    """Each key by itself, unless the Secret is taken whole; a namesake in another namespace does not count."""

    def unused(*artifacts: Artifact) -> list[str]:
        found = list(unused_secret(site, artifacts))
        assert all(finding.loc == ("patches",) for finding in found)
        return [finding.message for finding in found]

    none = ["nothing reads 'a' of Secret 'jhe/known'", "nothing reads 'b' of Secret 'jhe/known'"]
    assert unused() == none
    assert unused(env("known", "a")) == none[1:]
    assert unused(env("known", "a"), env("known", "b")) == []
    assert unused(pod(imagePullSecrets=[{"name": "known"}])) == []
    assert unused(env("other", "a")) == none
    assert unused(Artifact("hubs/hub/values.yaml", {"imagePullSecrets": ["known"]})) == none


@pytest.mark.parametrize(
    ("name", "rotates"),
    [("rds!db-1", True), ("arn:aws:secretsmanager:x:rds!db-1", True), ("my-rds!db", False), ("rds", False)],
)
def test_a_password_that_rds_changes_is_known_by_its_name(site: Site, name: str, rotates: bool) -> None:
    """AWS calls the ones it manages `rds!…`, bare or at the end of an ARN."""
    need = SecretNeed("jhe", "known", (item("a"), item("b", Remote(name, None))))
    found = list(rotating_password(site._replace(secrets=(need,))))
    assert [(f.loc, f.severity.value) for f in found] == ([(("secrets", "remote"), "warning")] if rotates else [])
    assert all(f"'{name}'" in f.message and "user of its own" in f.hint for f in found)


def test_a_reference_is_whole_and_needed_unless_it_says_otherwise() -> None:
    """The defaults are the strict ones."""
    ref = Reference("a", (), "b", "c")
    assert (ref.key, ref.optional) == (None, False)
