"""What judges from outside find in the output and stays as it is, each with its reason: data, and what puts it there.

Whoever runs checkov, kube-linter or kube-score on `out/` gets the reasons with it: they are annotations of the object
itself, never of a pod's template, so that no pod restarts for one. An excuse is only where its finding is
(tests/test_judges.py asks the judges). What has no place in a file stands in RUNBOOK.md. docs/judges.md lists all.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from jhecfg.artifact import Artifact, Tree
from jhecfg.releases import is_moving_tag

CHECKOV = "checkov.io/skip-"
KUBE_LINTER = "ignore-check.kube-linter.io/"
KUBE_SCORE = "kube-score/ignore"


class Excuse(NamedTuple):
    """Why a finding on an object (or on a resource of a template) stays; `checks` are its names, by judge."""

    name: str
    about: str
    """Which objects, for docs/judges.md."""
    reason: str
    """In a few words and without `=`, at which checkov ends them."""
    applies: Callable[[Tree], bool]
    checkov: str = ""
    kube_linter: str = ""
    kube_score: str = ""
    kinds: frozenset[str] = frozenset({"CronJob", "Deployment", "Job"})
    """What `applies` is asked about, of the objects."""

    @property
    def checks(self) -> Iterator[tuple[str, str]]:
        """The judges, and what each calls it."""
        named = (("checkov", self.checkov), ("kube-linter", self.kube_linter), ("kube-score", self.kube_score))
        return ((judge, check) for judge, check in named if check)


class Remark(NamedTuple):
    """Why a finding on a line stays: a comment that the judges read, behind each text that `lines` finds in `files`."""

    about: str
    reason: str
    files: re.Pattern[str]
    lines: re.Pattern[str]
    checks: tuple[tuple[str, str], ...]

    @property
    def comment(self) -> str:
        """What is written behind the line."""
        return f"pragma: allowlist secret - {self.reason}"


class Word(NamedTuple):
    """Why a finding stays that has no place in the files; `line` is a pattern, found in each line that it means."""

    judge: str
    check: str
    line: str
    reason: str


# --- what is in an object ---------------------------------------------------------------------------------------------


def _pod(tree: Tree) -> Tree:
    spec = tree["spec"]["jobTemplate"]["spec"] if tree["kind"] == "CronJob" else tree["spec"]
    pod: Tree = spec["template"]["spec"]
    return pod


def _of_a_container(holds: Callable[[Tree], bool]) -> Callable[[Tree], bool]:
    """Return what holds for an object with a container of which `holds` is true."""

    def applies(tree: Tree) -> bool:
        return any(holds(container) for container in _pod(tree)["containers"])

    return applies


def _no_cpu_limit(container: Tree) -> bool:
    return "cpu" not in container.get("resources", {}).get("limits", {})


def _not_always(container: Tree) -> bool:
    """Tell whether the node keeps the image; of a tag that moves nothing is excused."""
    name, _, digest = container["image"].partition("@")
    moves = is_moving_tag(name.rpartition(":")[2]) and not digest
    return container.get("imagePullPolicy") != "Always" and not moves


def _by_tag(container: Tree) -> bool:
    return "@" not in container["image"]


def _not_always_by_tag(container: Tree) -> bool:
    return _by_tag(container) and _not_always(container)


def _reads_secrets(container: Tree) -> bool:
    return any("secretKeyRef" in each.get("valueFrom", {}) for each in container.get("env", ()))


def _same_probes(container: Tree) -> bool:
    probes = [container.get(f"{name}Probe", {}).get("httpGet") for name in ("liveness", "readiness")]
    return probes[0] is not None and probes[0] == probes[1]


def _spread(tree: Tree) -> bool:
    pod = _pod(tree)
    return tree["spec"]["replicas"] > 1 and "topologySpreadConstraints" in pod and "affinity" not in pod


def _is_one(tree: Tree, name: str) -> bool:
    return bool(tree["metadata"]["name"] == name and tree["spec"]["replicas"] == 1)


_DEPLOYMENT = frozenset({"Deployment"})

OBJECTS: tuple[Excuse, ...] = (
    Excuse(
        "cpu-limit",
        "pods without a limit of CPU",
        "memory is limited; a limit of CPU would slow pods down on idle nodes, until their probes fail",
        _of_a_container(_no_cpu_limit),
        checkov="CKV_K8S_11",
        kube_score="container-resources",
    ),
    Excuse(
        "pull-policy",
        "images by their tag, unless it moves",
        "the tag of a release stays what it is; with Always no pod starts while the registry is away",
        _of_a_container(_not_always_by_tag),
        checkov="CKV_K8S_15",
    ),
    Excuse(
        "pull-policy",
        "images that the node keeps, unless their tag moves",
        "the tag of a release stays what it is; with Always no pod starts while the registry is away",
        _of_a_container(_not_always),
        kube_score="container-image-pull-policy",
    ),
    Excuse(
        "digest",
        "images by their tag",
        "jhecfg asks no registry; image.digest and exchange.mcp.digest in the spec pin the bytes",
        _of_a_container(_by_tag),
        checkov="CKV_K8S_43",
    ),
    Excuse(
        "environment",
        "pods with secrets",
        "the program reads its secrets from its environment alone",
        _of_a_container(_reads_secrets),
        checkov="CKV_K8S_35",
    ),
    Excuse(
        "spread",
        "Deployments with two pods or more",
        "topologySpreadConstraints spread the pods over the nodes",
        _spread,
        kube_linter="no-anti-affinity",
        kube_score="deployment-has-host-podantiaffinity",
        kinds=_DEPLOYMENT,
    ),
    Excuse(
        "one-process",
        "the MCP server",
        "its sessions live in one process: a second pod would not know them",
        lambda tree: _is_one(tree, "mcp"),
        kube_score="deployment-replicas",
        kinds=_DEPLOYMENT,
    ),
    Excuse(
        "one-pod",
        "the Exchange, with `exchange.replicas: 1`",
        "the spec asks for one (exchange.replicas)",
        lambda tree: _is_one(tree, "exchange"),
        kube_score="deployment-replicas",
        kinds=_DEPLOYMENT,
    ),
    Excuse(
        "recreate",
        "the Exchange, at a release whose migrations the pods before do not survive",
        "the pods of the release before do harm on the schema of this one: they end first",
        lambda tree: tree["spec"]["strategy"]["type"] == "Recreate",
        kube_score="deployment-strategy",
        kinds=_DEPLOYMENT,
    ),
    Excuse(
        "one-health-page",
        "the MCP server",
        "it has one page for both; unready after 30 seconds without an answer, it is restarted after 60",
        _of_a_container(_same_probes),
        kube_score="pod-probes-identical",
    ),
    Excuse(
        "job-stays",
        "Jobs",
        "a Job that vanishes is drift: the delivery engine would run it again",
        lambda _: True,
        kube_linter="job-ttl-seconds-after-finished",
        kinds=frozenset({"Job"}),
    ),
    Excuse(
        "account",
        "all pods",
        "the account is in 20-config; kube-linter looks in the folder of the object alone",
        lambda tree: _pod(tree).get("serviceAccountName") == "exchange",
        kube_linter="non-existent-service-account",
    ),
    Excuse(
        "solvers",
        "the policy for cert-manager's solvers, with ingress-nginx",
        "cert-manager's solver pods, which it is for, come and go",
        lambda tree: "acme.cert-manager.io/http01-solver" in tree["spec"]["podSelector"].get("matchLabels", {}),
        kube_score="networkpolicy-targets-pod",
        kinds=frozenset({"NetworkPolicy"}),
    ),
)
"""Of the objects in `manifests/`."""


def excused(artifacts: Iterable[Artifact]) -> Iterator[Artifact]:
    """Put the reasons on the objects of `manifests/`, as they are after patches: what a patch mends needs none."""
    for artifact in artifacts:
        tree = artifact.manifest if artifact.path.startswith("manifests/") else None
        said = reasons(tree) if tree is not None else {}
        known = tree["metadata"].get("annotations", {}) if tree is not None and said else None
        if tree is not None and isinstance(known, dict):
            metadata = {**tree["metadata"], "annotations": {**known, **said}}
            yield artifact._replace(tree={**tree, "metadata": metadata})
        else:
            yield artifact


def reasons(tree: Tree) -> dict[str, str]:
    """Return the annotations by which each judge leaves an object's excused findings out."""
    excuses = [each for each in _of_kind(str(tree["kind"])) if "metadata" in tree and _applies(each, tree)]
    ignored = [excuse.kube_score for excuse in excuses if excuse.kube_score]
    return {
        **{f"{CHECKOV}{each.name}": f"{each.checkov}={each.reason}" for each in excuses if each.checkov},
        **{f"{KUBE_LINTER}{each.kube_linter}": each.reason for each in excuses if each.kube_linter},
        **({KUBE_SCORE: ",".join(ignored)} if ignored else {}),
    }


@cache
def _of_kind(kind: str) -> tuple[Excuse, ...]:
    return tuple(each for each in OBJECTS if kind in each.kinds)


def _applies(excuse: Excuse, tree: Tree) -> bool:
    try:
        return excuse.applies(tree)
    except (AttributeError, KeyError, TypeError):
        return False  # a patch gave it another shape, which the schemas refuse


# --- what is in a CloudFormation template -----------------------------------------------------------------------------

RESOURCES: tuple[Excuse, ...] = (
    Excuse(
        "iam-authentication",
        "the database",
        "JHE cannot sign in by IAM: its tokens end after 15 minutes, and nothing in JHE would make the next",
        lambda resource: resource["Type"] == "AWS::RDS::DBInstance",
        checkov="CKV_AWS_161",
    ),
    Excuse(
        "enhanced-monitoring",
        "the database, with `enhancedMonitoring: false`",
        "the spec turns it off (database.rds.enhancedMonitoring)",
        lambda resource: (
            resource["Type"] == "AWS::RDS::DBInstance" and not resource["Properties"].get("MonitoringInterval")
        ),
        checkov="CKV_AWS_118",
    ),
)
"""Of the resources in `cluster/rds.cfn.yaml`."""


def excused_resource(resource: Tree) -> Tree:
    """Return a resource of a template with its reasons: Metadata, which changes nothing in AWS."""
    skip = [{"id": each.checkov, "comment": each.reason} for each in RESOURCES if each.applies(resource)]
    if not skip:
        return resource
    kind, rest = resource["Type"], {key: value for key, value in resource.items() if key != "Type"}
    return {"Type": kind, "Metadata": {"checkov": {"skip": skip}}, **rest}


# --- what is on a line, and what is nowhere ---------------------------------------------------------------------------

_SECRETS = (("checkov", "CKV_SECRET_6"), ("detect-secrets", "Secret Keyword"))
REMARKS: tuple[Remark, ...] = (
    Remark(
        "values of a hub",
        "the name of a Secret",
        re.compile(r"hubs/[^/]+/values\.yaml|gitops/flux/hubs/helmrelease-[^/]+\.yaml"),
        # At the margin that only keys of the values themselves have: a text of many lines among them stands further in.
        # The margin is looked at last, since `re` finds a pattern sooner that begins with plain characters.
        re.compile(r"hub:\n(?:(?<=^hub:\n)|(?<=^    hub:\n)) +existingSecret: hub-secrets$", re.MULTILINE),
        _SECRETS,
    ),
    Remark(
        "ExternalSecrets",
        "the name of a key",
        re.compile(r"manifests/20-config/externalsecret-[^/]+\.yaml"),
        re.compile(r"^    - secretKey: .*$", re.MULTILINE),
        _SECRETS,
    ),
)
"""Of lines. The files hold nothing else that could look like them."""


def remarked(path: str, text: str) -> str:
    """Write the remarks behind their lines in the text of an output."""
    for remark in REMARKS:
        if remark.files.fullmatch(path):
            text = remark.lines.sub(rf"\g<0> # {remark.comment}", text)
    return text


WORDS: tuple[Word, ...] = (
    Word("yamllint", "document-start", "", "each file is one document: `---` would divide nothing"),
    Word("yamllint", "comments", "pragma: allowlist secret", "one space before `#`, as prettier has it"),
    Word(
        "yamllint",
        "line-length",
        ".{81}",
        "addresses, patterns, commands and scripts stand whole: folded, some readers give back another text",
    ),
    Word(
        "detect-secrets",
        "Secret Keyword",
        "secretName: ",
        "the name of a Secret, not what is in it",
    ),
    Word(
        "detect-secrets",
        "Secret Keyword",
        "cookie_secret: set-in-hub.existingSecret|30-jhe-secrets.py",
        "a placeholder, and the script by which the hub takes the value from its Secret",
    ),
    Word(
        "detect-secrets",
        "Secret Keyword",
        "bootstrap.py: ",
        "the script knows the passwords that JHE publishes in its source, and refuses accounts that have one",
    ),
    Word(
        "detect-secrets",
        "Base64 High Entropy String",
        "bootstrap.json: ",
        "client ids, which are public: every browser that logs in shows one",
    ),
    Word(
        "detect-secrets",
        "Hex High Entropy String",
        "jhecfg/digest: ",
        "the first digits of a digest, by which pods restart when their configuration is another",
    ),
    Word(
        "bandit",
        "B105",
        "PUBLISHED|hash_client_secret",
        "the passwords that JHE publishes, which are refused, and the name of a field",
    ),
    Word("bandit", "B608", "SELECT setval", "what is put into it is a constant of the script, no value of a spec"),
    Word("shellcheck", "SC2016", "-c 'IFS= read", "what is in single quotes is for the shell in the pod"),
    Word("shellcheck", "SC2034", "^(?:client|hub)=", "a block sets it, and the blocks after it use it"),
    Word("shellcheck", "SC2154", r'"\$(?:client|namespace)"', "a block before it has set it"),
    Word("gitleaks", "generic-api-key", '": "[0-9a-f]{64}"', "the SHA-256 of a file, in `jhecfg.lock`"),
    Word("gitleaks", "generic-api-key", "CLIENT_ID: ", "the site's own words (`hubs[].env`): a client id is public"),
)
"""What RUNBOOK.md says."""
