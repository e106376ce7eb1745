"""QUESTIONS: what `jhecfg init` asks, in order, and what each answer puts into the draft."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from jhecfg.diagnostics import Loc
from jhecfg.draft import Draft
from jhecfg.draft.judge import NEWEST, problem_in, problem_of
from jhecfg.jsonschema import spec_schema
from jhecfg.rds_ca import rds_region

Default = Callable[[Draft], str]


def nothing(draft: Draft) -> str:
    """Stand for the default of a question that has none."""
    return ""


def always(draft: Draft) -> bool:
    """Stand for the condition of a question that has none."""
    return True


class Question(NamedTuple):
    """One thing to know; its name is its flag's.

    `loc` is where a plain answer goes. `options` are all that may be answered, where they are few. `default` holds
    without an answer; where it is empty there must be one, unless the question is `optional`. `when` says whether it is
    a question at all, after the answers before it.
    """

    name: str
    text: str
    loc: Loc = ()
    options: Callable[[Draft], tuple[str, ...]] | None = None
    default: Default = nothing
    when: Callable[[Draft], bool] = always
    optional: bool = False
    number: bool = False

    def problem(self, answer: str, draft: Draft) -> str:
        """Return why an answer will not do, or nothing."""
        options = self.options(draft) if self.options else ()
        if options:
            return "" if answer in options else f"it must be one of {', '.join(options)}"
        if self.number and not (answer.isascii() and answer.isdigit() and len(answer) < 18):
            return "it must be a whole number"
        return problem_in(draft, self.loc, self.value(answer)) if self.loc else ""

    def value(self, answer: str) -> str | int:
        """Return an answer as the spec holds it."""
        return int(answer) if self.number else answer

    def fill(self, answer: str, draft: Draft) -> None:
        """Put an answer, and what follows from it, into the draft."""
        draft.answers[self.name] = answer
        if self.loc:
            draft.put(self.loc, self.value(answer))
        follow = _FOLLOWS.get(self.name)
        if follow is not None:
            follow(answer, draft)


def _options(*every: str) -> Callable[[Draft], tuple[str, ...]]:
    return lambda _: every


def _is(name: str, *wanted: str) -> Callable[[Draft], bool]:
    return lambda draft: draft.answers.get(name) in wanted


def _says(text: str) -> Default:
    return lambda _: text


def _lacks(*loc: str | int) -> Callable[[Draft], bool]:
    return lambda draft: draft.get(*loc) is None


# --- defaults and conditions ------------------------------------------------------------------------------------------


def _site(draft: Draft) -> str:
    """Take the first label of the domain, where it is a name."""
    label = str(draft.get("domain") or "").partition(".")[0]
    return "" if problem_of(("site",), label) else label


def _hubs(draft: Draft) -> tuple[str, ...]:
    return ("here", "elsewhere") if draft.get("hubs") else ("here", "elsewhere", "none")


def _hub_domain(draft: Draft) -> str:
    """Put the hub beside the Exchange: jupyterhub.example.org beside jhe.example.org."""
    label, _, parent = str(draft.get("domain") or "").partition(".")
    domain = f"jupyterhub.{parent if '.' in parent and label != 'jupyterhub' else draft.get('domain')}"
    return "" if problem_of(("hubs", 0, "domain"), domain) else domain


def _own_ca(draft: Draft) -> bool:
    """Tell whether the database is none of RDS, whose certificates jhecfg brings."""
    host, mode = draft.get("database", "host"), draft.get("database", "sslMode") or "verify-full"
    return host is not None and rds_region(str(host)) is None and str(mode).startswith("verify")


def _has_hub(draft: Draft) -> bool:
    return draft.get("hubs") is not None


def _hub_for_orgs(draft: Draft) -> bool:
    """Tell whether nothing says yet who may enter the hub."""
    access = draft.get("hubs", 0, "access") or {}
    return _has_hub(draft) and not any(access.get(kind) for kind in ("orgs", "users", "anyone"))


def _org_is_new(draft: Draft) -> bool:
    return "org" in draft.answers


def _hub_needs_class(draft: Draft) -> bool:
    return _has_hub(draft) and draft.get("hubs", 0, "deploy") != "external" and draft.get("cluster") is None


def _backends(draft: Draft) -> tuple[str, ...]:
    """Argo CD does not decrypt what sops encrypts."""
    every = ("existing", "external-secrets", "sealed-secrets", "sops")
    return every[:3] if draft.get("gitops", "engine") == "argocd" else every


def _secrets_region(draft: Draft) -> str:
    return rds_region(str(draft.get("database", "host"))) or ""


# --- what an answer means in the spec ---------------------------------------------------------------------------------


def _hub(answer: str, draft: Draft) -> None:
    if answer != "none":
        draft.put(("hubs", 0, "deploy"), "cluster" if answer == "here" else "external")


def _org(answer: str, draft: Draft) -> None:
    draft.put(("hubs", 0, "access", "orgs", 0), answer)


def _database(answer: str, draft: Draft) -> None:
    """Describe an instance; until RDS has chosen its endpoint, a host stands in for it that leads nowhere."""
    if answer == "rds":
        region = draft.get("cluster", "region")
        draft.put(("database", "host"), f"{draft.get('site')}-database.later.{region}.rds.amazonaws.com")
        rds = spec_schema()["properties"]["database"]["properties"]["rds"]["properties"]
        draft.put(("database", "rds", "instanceClass"), rds["instanceClass"]["default"])
        draft.remarks[("database", "host")] = _LATER


_LATER = "Stands in until RDS has made the instance: then `jhecfg import rds` writes its endpoint here (RUNBOOK.md)."
_FOLLOWS: dict[str, Callable[[str, Draft], None]] = {"hub": _hub, "org": _org, "database": _database}

QUESTIONS: tuple[Question, ...] = (
    Question("domain", "Host name of the Exchange, as people will type it", ("domain",)),
    Question("site", "Name of the site: its folder in out/", ("site",), default=_site),
    Question("contact", "E-mail address of who answers for the site, and of its first superuser", ("contact",)),
    Question(
        "environment",
        "Environment: production refuses what is unsafe",
        ("environment",),
        options=_options("production", "staging", "demo"),
        default=_says("production"),
    ),
    Question("image-tag", "Release of JHE", ("image", "tag"), default=_says(NEWEST)),
    Question(
        "cluster",
        "Cluster: a new one on EKS, or one that exists",
        options=_options("new", "existing"),
        default=_says("existing"),
        when=_lacks("cluster"),
    ),
    Question("region", "AWS region of the new cluster", ("cluster", "region"), when=_is("cluster", "new")),
    Question(
        "api-from",
        "Network that may reach the new cluster's API, such as 203.0.113.0/24 (nothing: the world may)",
        ("cluster", "access", "publicCidrs", 0),
        when=_is("cluster", "new"),
        optional=True,
    ),
    Question(
        "database",
        "Database: a new one on RDS, or one that exists",
        options=_options("rds", "existing"),
        default=_says("rds"),
        when=lambda draft: draft.get("cluster") is not None and draft.get("database", "host") is None,
    ),
    Question(
        "database-host",
        "Host name of the PostgreSQL server",
        ("database", "host"),
        when=_lacks("database", "rds"),
    ),
    Question(
        "database-ca",
        "ConfigMap that will hold the server's CA certificates, under the key ca.pem",
        ("database", "caConfigMap"),
        default=_says("database-ca"),
        when=_own_ca,
    ),
    Question(
        "smtp-host",
        "Mail server (nothing: none; JHE then prints password resets into its log)",
        ("exchange", "smtp", "host"),
        optional=True,
    ),
    Question(
        "smtp-user",
        "User at the mail server",
        ("exchange", "smtp", "user"),
        default=lambda draft: str(draft.get("contact")),
        when=lambda draft: draft.get("exchange", "smtp") is not None,
    ),
    Question(
        "hub",
        "JupyterHub: in this cluster, elsewhere (only its values are rendered), or none",
        options=_hubs,
        default=lambda draft: "elsewhere" if draft.get("hubs") else "here",
        when=_lacks("hubs", 0, "deploy"),
    ),
    Question("hub-name", "Name of the hub", ("hubs", 0, "name"), default=_says("hub"), when=_has_hub),
    Question("hub-domain", "Host name of the hub", ("hubs", 0, "domain"), default=_hub_domain, when=_has_hub),
    Question(
        "storage-class",
        "StorageClass of the hub's disks, one of `kubectl get storageclass`",
        ("hubs", 0, "storage", "storageClass"),
        default=_says("gp3"),
        when=_hub_needs_class,
    ),
    Question("org", "Organization whose members may enter the hub", ("orgs", 0, "name"), when=_hub_for_orgs),
    Question(
        "org-id",
        "Its id in JHE; access is decided by it",
        ("orgs", 0, "id"),
        default=_says("20001"),
        when=_org_is_new,
        number=True,
    ),
    Question(
        "org-type",
        "Its type, such as laboratory, edu, dept, team or other",
        ("orgs", 0, "type"),
        default=_says("other"),
        when=_org_is_new,
    ),
    Question(
        "gitops",
        "What syncs the output into the cluster",
        ("gitops", "engine"),
        options=_options("none", "argocd", "flux"),
        default=_says("none"),
    ),
    Question(
        "repo",
        "Git address of the repository that will hold specs/ and out/",
        ("gitops", "repo"),
        when=lambda draft: draft.get("gitops", "engine") != "none",
    ),
    Question(
        "secrets",
        "Secrets: made in the cluster (existing), kept in AWS (external-secrets), or encrypted in git (sealed-secrets,"
        " or sops, which Argo CD cannot open)",
        ("secrets", "backend"),
        options=_backends,
        default=_says("existing"),
    ),
    Question(
        "secrets-region",
        "AWS region of Secrets Manager",
        ("secrets", "region"),
        default=_secrets_region,
        when=lambda draft: draft.get("secrets", "backend") == "external-secrets" and draft.get("cluster") is None,
    ),
    Question(
        "age-recipient",
        "Public key (age1…) of who can decrypt; `age-keygen` makes one",
        ("secrets", "recipients", 0),
        when=lambda draft: draft.get("secrets", "backend") == "sops",
    ),
)
