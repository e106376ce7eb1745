"""Whole specs: valid ones in which any field of the model may stand, of any size; with what lies beside a spec.

`strategies.specs` draws what most properties are about. Here every field has its turn (test_whole_specs.py counts them),
names are as long as they may be, and some text is in other scripts. Nothing here breaks a rule; advice (a warning) is
allowed, since some fields exist for what is advised against.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from jhecfg.emit import dump
from jhecfg.parse import parse
from jhecfg.resolve import resolve
from jhecfg.sealed import Backend, SealedFile, read_sealed
from jhecfg.source import Source, load
from tests.unsealing import AGE, VECTORS

Tree = dict[str, Any]

NOWHERE = Path("/nonexistent-folder-of-jhecfg/specs/site.yaml")
"""Whole specs and their bases are read from memory: nothing is there."""

DIGEST = "sha256:" + "0123456789abcdef" * 4
RDS_HOST = "db.abc123.us-east-2.rds.amazonaws.com"
REGION = "us-east-2"
LONG_HOST = ".".join(["a" * 63, "b" * 63, "c" * 50, "example.org"])
SCRIPTS = (
    "Université de l'Exemple",
    "研究室",
    "Klinik für Augenheilkunde",
    "مستشفى",
    "Ω",
    "e\u0301tude",
    "😀 lab",
    "no",
    "12:30",
)
SETTINGS: Tree = {
    "auth.sso.saml2": 1,
    "auth.default_orgs": "",
    "auth.sso.idp_metadata_url": "https://idp.example.org/metadata",
}
RESOURCES: Tree = {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"cpu": "1.5", "memory": "2Gi"}}


class Whole(NamedTuple):
    """A valid spec: the whole tree, and, where it is written as a leaf upon bases, the tree of each, the leaf first."""

    tree: Tree
    layers: tuple[Tree, ...]

    def source(self) -> Source:
        """Return it as it would be read, with encrypted files where its backend needs some."""
        leaf, *bases = self.layers
        folder = NOWHERE.parent
        instead = {str(folder / f"base-{n}.yaml"): dump(base).encode() for n, base in enumerate(bases, 1)}
        text = json.dumps(leaf, ensure_ascii=False).encode()
        source = load(NOWHERE, name="site.yaml", text=text, instead=instead, sealed=False)
        return source._replace(sealed=sealed_beside(source))


def sealed_beside(source: Source) -> tuple[SealedFile, ...]:
    """Return encrypted files for every Secret of a site: of the right form; no key in the world opens them."""
    secrets = source.tree.get("secrets", {})
    backend: Backend | None = next((b for b in ("sealed-secrets", "sops") if secrets.get("backend") == b), None)
    if backend is None:
        return ()
    site = resolve(parse(source)).site
    return tuple(
        read_sealed(
            json.dumps(sealed_tree(backend, need.namespace, need.name, [item.key for item in need.items])).encode(),
            f"{need.namespace}.{need.name}.yaml",
            f"secrets/{need.namespace}.{need.name}.yaml",
            backend,
        )
        for need in site.secrets
        if need.owned
    )


def sealed_tree(backend: str, namespace: str, name: str, keys: Sequence[str]) -> Tree:
    """Return the encrypted form of one Secret, all of its values alike."""
    metadata = {"name": name, "namespace": namespace}
    if backend == "sealed-secrets":
        value = base64.b64encode((512).to_bytes(2, "big") + bytes(range(256)) * 3).decode()
        kind = {"apiVersion": "bitnami.com/v1alpha1", "kind": "SealedSecret", "metadata": metadata}
        return {**kind, "spec": {"encryptedData": dict.fromkeys(keys, value), "template": {"metadata": metadata}}}
    import yaml

    good = yaml.safe_load(VECTORS["sops"])
    field = "data" if "data" in good else "stringData"
    value = next(iter(good[field].values()))
    return {**good, "metadata": metadata, field: dict.fromkeys(keys, value)}


@st.composite
def wholes(draw: st.DrawFn, hubs: int | None = None, orgs: int | None = None) -> Whole:
    """Draw a spec with any field in it; with so many hubs and organizations, or with few."""
    environment = draw(st.sampled_from(("production", "staging", "demo", "demo")))
    clustered: bool = draw(st.booleans())
    named = draw(organizations(draw(st.sampled_from((0, 1, 2, 5))) if orgs is None else orgs))
    count = draw(st.sampled_from((0, 1, 1, 2, 4))) if hubs is None else hubs
    tree: Tree = {
        "apiVersion": "jhecfg/v1",
        "site": draw(st.sampled_from(("jhe", "lab", "no", "on", "x" * 40, "a-b-0"))),
        "environment": environment,
        "domain": draw(st.sampled_from(("jhe.example.org", LONG_HOST))),
        "contact": draw(st.sampled_from(("ops@example.org", "a" * 64 + "@example.org"))),
        **draw(applications(environment)),
        **draw(databases(environment, clustered=clustered)),
        **draw(platforms(clustered=clustered)),
        **draw(optional(namespace=st.sampled_from(("exchange", "n" * 63)), rerun=st.just("again"), admin=admins())),
        "orgs": named,
        "hubs": draw(hub_lists(count, [org["name"] for org in named], environment, clustered=clustered)),
    }
    _fit(tree)
    layers = draw(layered(tree)) if draw(st.booleans()) else (tree,)
    return Whole(tree, layers)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Tree]:
    """Draw a mapping of some of these fields."""
    return st.fixed_dictionaries({}, optional=fields)


def admins() -> st.SearchStrategy[Tree]:
    """Draw the first superuser."""
    return st.just({"email": "root.admin+jhe@example.org"})


def secret_refs(name: str) -> st.SearchStrategy[Tree]:
    """Draw a place of a value in a Secret that somebody else makes."""
    return st.sampled_from(({"name": f"{name}.own", "key": "Value_1.x"}, {"name": name + "-" + "n" * 200, "key": "k"}))


@st.composite
def applications(draw: st.DrawFn, environment: str) -> Tree:
    """Draw image and exchange."""
    newer = draw(st.booleans())
    tag = draw(st.sampled_from(("v0.0.12", "v0.0.13", "0.0.13") if newer else ("v0.0.10", "v0.0.11")))
    image = {"tag": tag} | draw(
        optional(
            repository=st.sampled_from(("registry.example.org:5000/jhe/exchange", "ghcr.io/a__b/c-d/" + "r" * 150)),
            digest=st.just(DIGEST),
            pullPolicy=st.sampled_from(("IfNotPresent", "Always", "Never")),
            pullSecrets=st.sampled_from(([], ["registry"], ["registry", "other.registry"])),
        )
    )
    fields: dict[str, st.SearchStrategy[Any]] = {
        "title": st.sampled_from((*SCRIPTS, "a: b # c", "'", '"', "…", "t" * 100)),
        "replicas": st.sampled_from((1, 2, 50)),
        "workers": st.sampled_from((1, 2, 32)),
        "resources": st.just(RESOURCES),
        "logLevel": st.sampled_from(("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")),
        "timeZone": st.sampled_from(("UTC", "Europe/Zurich", "America/Argentina/Buenos_Aires")),
        "inviteCode": secret_refs("invite"),
        "settings": st.sampled_from(({}, SETTINGS if not newer else {"auth.sso.saml2": 0})),
        "env": st.sampled_from(({}, {"X_FRAME_OPTIONS": "SAMEORIGIN"})),
        "smtp": st.fixed_dictionaries(
            {"host": st.just("smtp.example.org"), "user": st.sampled_from(("jhe@example.org", "用户", "no"))},
            optional={"port": st.sampled_from((1, 25, 65535)), "passwordFrom": secret_refs("smtp")},
        ),
        "smokeTest": st.booleans(),
    }
    if newer:
        fields["mcp"] = st.fixed_dictionaries(
            {"domain": st.just("mcp.example.org")},
            optional={"digest": st.just(DIGEST), "replicas": st.just(1), "resources": st.just(RESOURCES)},
        )
        fields["wearables"] = st.fixed_dictionaries(
            {"apiUrl": st.sampled_from(("https://ow.example.org/api/v1", "http://ow:8080"))},
            optional={"schedule": st.sampled_from(("0 4 * * 1-5", "*/15 * * * *"))},
        )
    if environment == "demo":
        fields["demoData"] = st.sampled_from(("rich", "none", "basic", "rich") if newer else ("none", "basic"))
    return {"image": image, "exchange": draw(optional(**fields))}


SSL_MODES = ("disable", "prefer", "require", "verify-ca", "verify-full")


@st.composite
def databases(draw: st.DrawFn, environment: str, *, clustered: bool) -> Tree:
    """Draw the database: in RDS, described or not, or elsewhere."""
    where = draw(st.sampled_from(("rds", "described", "elsewhere")))
    strict = environment == "production"
    database: Tree = {"host": "postgres.example.org" if where == "elsewhere" else RDS_HOST}
    if where == "elsewhere":
        database["caConfigMap"] = draw(st.sampled_from(("university-ca", "c" * 253)))
    if where == "described":
        own = not clustered or draw(st.booleans())
        database["rds"] = draw(rds(own_network=own))
    database |= draw(
        optional(
            port=st.sampled_from((1, 5432, 65535)),
            name=st.sampled_from(("jhe", "exchange_1", "d" * 60)),
            user=st.sampled_from(("jhe", "u" * 16)),
            sslMode=st.sampled_from(("verify-full", "verify-ca", "require") if strict else SSL_MODES),
            passwordFrom=secret_refs("database"),
        )
    )
    return {"database": database}


@st.composite
def rds(draw: st.DrawFn, *, own_network: bool) -> Tree:
    """Draw the description of an instance."""
    network = {
        "region": REGION,
        "id": "vpc-0123456789abcdef0",
        "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
        "allowFrom": ["sg-0123456789abcdef0"],
    }
    fields = optional(
        instanceClass=st.sampled_from(("db.m7g.large", "db.t4g.medium")),
        engineVersion=st.sampled_from(("17.10", "16.14")),
        storageGiB=st.sampled_from((20, 100)),
        maxStorageGiB=st.sampled_from((110, 65536)),
        multiAz=st.booleans(),
        enhancedMonitoring=st.booleans(),
        backupDays=st.sampled_from((1, 35)),
        deletionProtection=st.booleans(),
        masterUser=st.sampled_from(("postgres", "master_1")),
    )
    return draw(fields) | ({"vpc": network} if own_network else {})


ORG_TYPES = (
    *("root", "prov", "dept", "team", "govt", "ins", "pay", "edu", "reli", "crs", "cg", "bus", "other"),
    *("laboratory", "imaging", "pharmacy", "health-information-network", "health-data-aggregator"),
)


@st.composite
def organizations(draw: st.DrawFn, count: int) -> list[Tree]:
    """Draw so many organizations; each may lie below the one ten before it. Of many, most are alike."""
    few: list[Tree] = draw(
        st.lists(
            optional(
                managers=st.sampled_from(([], ["grace@example.org"], ["a@b.org", "c@d.org"])),
                manage=st.booleans(),
                type=st.sampled_from(ORG_TYPES),
            ),
            min_size=min(count, 6),
            max_size=min(count, 6),
        )
    )
    names = draw(st.permutations((*SCRIPTS, "Saint Example's Hospital", "n" * 200, "R&D: Lab #2")))
    orgs: list[Tree] = []
    for n in range(count):
        name = names[n] if n < len(names) and n < 6 else f"Organization {n}"
        org = {"name": name, "id": 2_147_483_647 - n if n % 7 == 3 else 30001 + n, "type": "team", **few[n % 6]}
        if n >= 10:
            org["parent"] = orgs[n - 10]["name"]
        elif n == 1 and draw(st.booleans()):
            org["parent"] = orgs[0]["name"]
        orgs.append(org)
    return orgs


HUB_NAMES = ("hub", "research", "no", "y", "null", "hub-2", "h" * 30)


@st.composite
def hub_lists(draw: st.DrawFn, count: int, orgs: list[str], environment: str, *, clustered: bool) -> list[Tree]:
    """Draw so many hubs; of many, most are alike, and all but some run elsewhere: a Gateway has 64 listeners."""
    shapes = [draw(hub_of(orgs, environment, clustered=clustered)) for _ in range(min(count, 4))]
    hubs: list[Tree] = []
    for n in range(count):
        name = HUB_NAMES[n] if n < len(HUB_NAMES) else f"hub-{n}"
        hub: Tree = {"name": name, "domain": f"{name}.hubs.example.org", **shapes[n % 4]}
        if n >= 40:
            hub["deploy"] = "external"
        if "namespace" in hub:
            hub["namespace"] = f"ns-{n}"
        if "clientId" in hub:
            hub["clientId"] = f"Client_{n}." + "c" * 80
        hubs.append(hub)
    return hubs


@st.composite
def hub_of(draw: st.DrawFn, orgs: list[str], environment: str, *, clustered: bool) -> Tree:
    """Draw what one hub is, but for its name and domain."""
    some = st.lists(st.sampled_from(orgs), min_size=1, max_size=3, unique=True) if orgs else st.nothing()
    users = st.sampled_from((["ada@example.org"], ["ada@example.org", "grace@example.org"]))
    modes = [st.fixed_dictionaries({"users": users})]
    if orgs:
        modes.append(st.fixed_dictionaries({"orgs": some}))
    if environment == "demo":
        modes.append(st.just({"anyone": True}))
    external = draw(st.sampled_from((False, False, True)))
    storage = optional(
        capacityGiB=st.sampled_from((1, 10, 16384)), storageClass=st.just("gp3" if clustered else "ceph")
    )
    hub: Tree = {"access": draw(st.one_of(modes))}
    if external or draw(st.booleans()):
        hub["deploy"] = "external" if external else "cluster"
    hub["storage"] = draw(storage)
    if not clustered and not external:
        hub["storage"]["storageClass"] = "ceph"
    return hub | draw(
        optional(
            namespace=st.just("drawn"),
            clientId=st.just("drawn"),
            admins=optional(users=users, **({"orgs": some} if orgs else {})),
            image=st.fixed_dictionaries(
                {"tag": st.sampled_from(("2026.11.02", "t" * 128))},
                optional={"repository": st.just("quay.io/example/singleuser"), "digest": st.just(DIGEST)},
            ),
            resources=optional(
                memory=optional(guarantee=st.sampled_from(("512M", "1G")), limit=st.just("2.5G")),
                cpu=optional(guarantee=st.sampled_from((0.05, 1)), limit=st.sampled_from((1, 2.5))),
            ),
            env=st.dictionaries(st.sampled_from(("STUDY", "NO", "N")), st.sampled_from((*SCRIPTS, "")), max_size=2),
            chartVersion=st.just("4.4.0"),
            smart=optional(
                clientId=st.just("ehr-client"),
                scopes=st.just(["openid", "launch/patient"]),
                configFile=st.just("/etc/jupyter/config.json"),
            ),
            values=st.sampled_from(({}, {"singleuser": {"defaultUrl": "/lab"}}, {"custom": {"研究": [1, None, 2.5]}})),
        )
    )


@st.composite
def platforms(draw: st.DrawFn, *, clustered: bool) -> Tree:
    """Draw edge, secrets, cluster, delivery and patches."""
    tree: Tree = {"ingress": draw(edges(clustered=clustered)), "secrets": draw(secrets(clustered=clustered))}
    if clustered:
        tree["cluster"] = draw(clusters())
    else:
        tree["platform"] = draw(st.sampled_from(("own", "existing")))
    engine = draw(st.sampled_from(("none", "argocd", "flux")))
    if tree["secrets"].get("backend") == "sops" and engine == "argocd":
        engine = "flux"
    tree["gitops"] = draw(deliveries(engine))
    tree["patches"] = draw(st.lists(st.sampled_from(PATCHES), unique_by=str, max_size=2))
    return tree


PATCHES: tuple[Tree, ...] = (
    {
        "target": {"kind": "Deployment", "name": "exchange"},
        "patch": {"metadata": {"annotations": {"example.org/owner": "研究 é"}}},
    },
    {
        "target": {"kind": "Service", "name": "exchange", "namespace": "exchange"},
        "patch": [{"op": "add", "path": "/metadata/labels/example.org~1owner", "value": "lab"}],
    },
)


def edges(*, clustered: bool) -> st.SearchStrategy[Tree]:
    """Draw the edge: one of the site's own, one of a class that exists, or a Gateway that exists."""
    balancers = ("in-tree", "aws-load-balancer-controller")
    common: dict[str, st.SearchStrategy[Any]] = {
        "maxBodySize": st.sampled_from(("1Ki", "64Mi")),
        "dns": st.sampled_from(("manual", "external-dns")),
        "dnsZones": st.sampled_from(([], ["example.org"], ["example.org", "other.example.org"])),
        "loadBalancer": st.sampled_from(balancers),
    }
    issuer = st.sampled_from(("letsencrypt", "letsencrypt-staging", "none", "university-ca"))
    controller = st.sampled_from(("envoy-gateway", "ingress-nginx", "none"))
    name, space = st.sampled_from(("shared", "g" * 253)), st.sampled_from(("edge", "e" * 63))
    own = optional(controller=controller, issuer=issuer, proxyProtocol=st.booleans(), **common)
    of_class = st.builds(
        lambda one, other: one | other, optional(controller=controller, issuer=issuer), st.just({"className": "shared"})
    )
    shared = st.fixed_dictionaries(
        {
            "gateway": st.fixed_dictionaries(
                {"name": name, "namespace": space}, optional={"listener": st.just("https-1")}
            )
        },
        optional={"dns": common["dns"], "maxBodySize": common["maxBodySize"]},
    )
    return st.one_of(own, own, of_class, shared)


@st.composite
def secrets(draw: st.DrawFn, *, clustered: bool) -> Tree:
    """Draw how secrets are kept, by any backend."""
    backend = draw(st.sampled_from(("existing", "external-secrets", "sealed-secrets", "sops")))
    folder = st.sampled_from(("secrets/mine", "s" * 255))
    if backend == "external-secrets":
        name = {"secret": "jhe-exchange", "key": "secret-key", "name": "university/jhe"}
        known = optional(
            store=st.just("university"),
            prefix=st.sampled_from(("jhe/x", "p" * 255)),
            remote=st.sampled_from(([], [name], [{**name, "property": "django"}])),
        )
        region = {} if clustered and draw(st.booleans()) else {"region": REGION}
        return {"backend": backend, **region, **draw(known)}
    if backend == "sealed-secrets":
        return {"backend": backend, **draw(optional(folder=folder, certificate=st.just("keys/certificate.pem")))}
    if backend == "sops":
        return {"backend": backend, "recipients": [AGE.recipient], **draw(optional(folder=folder))}
    return draw(st.sampled_from(({}, {"backend": "existing"})))


LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")
DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1827, 3653)
ADDONS = ("metrics-server", "eks-node-monitoring-agent", "aws-efs-csi-driver", "amazon-cloudwatch-observability")
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


@st.composite
def clusters(draw: st.DrawFn) -> Tree:
    """Draw a cluster, with node groups of our own or with Auto Mode."""
    tree = {"region": REGION} | draw(
        optional(
            name=st.sampled_from(("eks", "c" * 40)),
            version=st.sampled_from(("1.34", "1.35", "1.36")),
            zones=st.sampled_from((["us-east-2a", "us-east-2b"], ["us-east-2b", "us-east-2c", "us-east-2a"])),
            vpcCidr=st.sampled_from(("10.0.0.0/16", "172.16.0.0/20")),
            nat=st.sampled_from(("single", "highly-available")),
            logging=optional(types=st.sampled_from((["audit"], [*LOGS])), retentionDays=st.sampled_from(DAYS)),
            kmsKeyArn=st.just(f"arn:aws:kms:{REGION}:111122223333:key/0123-4567"),
            addons=st.sampled_from(([], [*ADDONS])),
        )
    )
    tree["access"] = {"publicCidrs": ["203.0.113.0/24"]} | draw(optional(public=st.just(True), private=st.booleans()))
    if draw(st.booleans()):
        del tree["access"]
        tree["access"] = {"public": False, "private": True}
    if draw(st.sampled_from((False, False, True))):
        return tree | {"mode": "auto-mode"}
    zones = tree.get("zones", [f"{REGION}a", f"{REGION}b"])
    tree["nodeGroups"] = [
        {"name": "core", "purpose": "core", **draw(group_of(zones, core=True))},
        *draw(st.lists(group_of(zones, core=False), min_size=1, max_size=2)),
    ]
    for n, group in enumerate(tree["nodeGroups"][1:]):
        group |= {"name": "u" * 29 + str(n), "purpose": "user"}
    if draw(st.booleans()):
        tree["addonVersions"] = {"vpc-cni": "v1.20.0-eksbuild.1"}
    if draw(st.booleans()):
        tree["mode"] = "managed-nodes"
    if draw(st.booleans()):
        tree["loadBalancer"] = draw(st.sampled_from(("in-tree", "aws-load-balancer-controller")))
    return tree


@st.composite
def group_of(draw: st.DrawFn, zones: list[str], *, core: bool) -> Tree:
    """Draw one node group, but for its name and purpose."""
    if core:
        group: Tree = {"instanceType": "m7i.4xlarge", "scaling": {"min": 6, "max": 12}}
    elif draw(st.booleans()):
        group = {"instanceTypes": ["r7i.xlarge", "r6i.xlarge", "r7a.xlarge", "r6a.xlarge"], "spot": draw(st.booleans())}
        group["scaling"] = {"min": 0, "desired": 0, "max": 1000}
    else:
        group = {"instanceType": "r7i.xlarge", "scaling": {"min": 0, "max": 10}}
    effect = "PreferNoSchedule" if core else draw(st.sampled_from(EFFECTS))
    taint = {"key": "example.org/kept", "effect": effect}
    return group | draw(
        optional(
            zones=st.just(zones[:2] if core else zones[:1]),
            volumeGiB=st.sampled_from((20, 16384)),
            generation=st.sampled_from("az"),
            labels=st.sampled_from(({}, {"example.org/" + "l" * 63: "V_1.x"})),
            taints=st.sampled_from(([], [taint], [{**taint, "value": "v" * 63}])),
        )
    )


@st.composite
def deliveries(draw: st.DrawFn, engine: str) -> Tree:
    """Draw what syncs the output."""
    if engine == "none":
        return draw(st.sampled_from(({}, {"engine": "none"})))
    repos = ("https://git.example.org/a/b.git", "git@git.example.org:a/b.git", "ssh://git@git.example.org:2222/a/b.git")
    fields = {
        "revision": st.sampled_from(("v1.2.3", "r" * 200)),
        "path": st.sampled_from(("sites/out", "p" * 200)),
        "secretName": st.just("repository"),
    }
    if engine == "argocd":
        fields["fleet"] = st.just("fleet")
    return {"engine": engine, "repo": draw(st.sampled_from(repos)), **draw(optional(**fields))}


def _fit(tree: Tree) -> None:
    """Make parts fit one another that were drawn apart."""
    ingress, cluster = tree["ingress"], tree.get("cluster")
    if cluster is not None and cluster.get("mode") == "auto-mode" and "loadBalancer" in ingress:
        ingress["loadBalancer"] = "auto-mode"
    in_tree = ingress.get("loadBalancer", "in-tree" if cluster is None else cluster.get("loadBalancer")) == "in-tree"
    if in_tree and (cluster is None or cluster.get("mode") != "auto-mode"):
        ingress.pop("proxyProtocol", None)
    tree["patches"] = [
        {**patch, "target": patch["target"] | {k: tree.get(k, "jhe") for k in ("namespace",) if k in patch["target"]}}
        for patch in tree["patches"]
    ]


@st.composite
def layered(draw: st.DrawFn, tree: Tree) -> tuple[Tree, ...]:
    """Draw a way to write a tree as a leaf upon one or two bases."""
    count = draw(st.sampled_from((1, 2)))
    kept = {"apiVersion", "site"}
    places = {key: draw(st.integers(0, count)) for key in tree if key not in kept}
    layers: list[Tree] = [
        {key: value for key, value in tree.items() if key in kept or places[key] == 0},
        *(
            {"apiVersion": "jhecfg/v1"} | {key: tree[key] for key in places if places[key] == n}
            for n in range(1, count + 1)
        ),
    ]
    for n in range(count):
        layers[n] = {"extends": f"base-{n + 1}.yaml", **layers[n]}
    if "orgs" in layers[1] and layers[1]["orgs"]:  # one item of the base is completed by the leaf
        first = layers[1]["orgs"][0]
        layers[1]["orgs"] = [{**first, "type": "other"}, *layers[1]["orgs"][1:]]
        layers[0]["orgs"] = [{"name": first["name"], "type": first["type"]}]
    return tuple(layers)
