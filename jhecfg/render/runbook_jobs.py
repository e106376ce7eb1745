"""The runbook of the Jobs: where they say what they did, what their words mean, what to do when one fails."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.steps import bash, code, command, quote, step, table
from jhecfg.site import Site

JOBS: dict[str, tuple[str, int]] = {
    "30-migrate": ("migrate", 35),
    "35-demo-data": ("demo-data", 35),
    "40-bootstrap": ("bootstrap", 20),
    "70-smoke-test": ("smoke-test", 20),
}
"""The Job of each phase that has one: the name that its file and its pods carry, and for how many minutes a person waits
for it, which is a little longer than its deadline."""

_REPORT = (
    ("created", "it was not there, and is now", "nothing"),
    ("unchanged", "it is as the spec has it", "nothing"),
    ("changed", "it was not as the spec has it, and is now: the spec or a secret is new, or somebody edited it",
     "nothing, if you know why"),
    ("differs", "people changed it in the Exchange, or have to do something first; it was left as it is",
     "write it into the spec as it is now, or set the organization's `manage: true`, or ask the person that the line names"),
    ("refused", "only a person can settle it; nothing at all was written, and the Job does not try again",
     "see the next table"),
    ("failed", "the database cannot be used now; the Job tries again, six times in all", "mend the database"),
)  # fmt: skip
_REFUSALS = (
    ("the id belongs to …", "choose another `id` in the spec, or rename that organization in the Exchange, if it is the one"),
    ("another application has this name too", "remove one of the two at `/admin/oauth2_provider/application/`"),
    ("the account exists and is not an active superuser",
     "make it one at `/admin/core/jheuser/`, if it is the person you think; or set another `admin.email`"),
    ("everybody knows its password",
     "somebody loaded demonstration data here: give each account that the lines name another password, or deactivate it"),
    ("everybody knows its client secret", "give the application another one, or remove it"),
    ("the secret in … is empty …", "write the Secret's value again, without a line break at its end"),
    ("OIDC_RSA_PRIVATE_KEY is not …", "write the key again: the PEM file as it is, with its real line breaks"),
    ("the database is in use", "demonstration data go into an empty database: make one, or set `exchange.demoData: none`"),
)  # fmt: skip


def job_file(phase: str) -> str:
    """Return the file of a phase's Job."""
    return f"manifests/{phase}/job-{JOBS[phase][0]}.yaml"


def jobs_of(files: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Yield the name and the file of each Job that a site has."""
    for phase, (name, _) in JOBS.items():
        if job_file(phase) in files:
            yield name, job_file(phase)


def jobs_command(site: Site, name: str) -> str:
    """Return the command that lists the Jobs of a name, the newest last."""
    return command(_kubectl(site), "get jobs", _selector(site, name), "--sort-by=.metadata.creationTimestamp")


def job_log(site: Site, name: str) -> str:
    """Return the command that prints what a Job said."""
    return command(_kubectl(site), "logs", _selector(site, name), "--tail=100")


def _kubectl(site: Site) -> str:
    return f"kubectl --namespace {quote(site.namespace)}"


def _selector(site: Site, name: str) -> str:
    return f"--selector=app.kubernetes.io/name={name},{quote(f'app.kubernetes.io/instance={site.name}')}"


def failed_job(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how to look at a Job that failed, what its words mean, and how to run it again."""
    namespace = quote(site.namespace)
    logs = (job_log(site, name) for name, _ in jobs_of(files))
    yield step("Read why.", bash(f"kubectl --namespace {namespace} get jobs,pods", *logs))
    yield "The bootstrap Job prints one line for each object, which begins with one of these words."
    yield table(("word", "what it means", "what to do"), ((code(word), *rest) for word, *rest in _REPORT))
    yield table(("it was refused because", "what to do"), _REFUSALS)
    shell = command("kubectl --namespace", namespace, "exec --stdin --tty deployment/exchange")
    yield step(
        "An account gets another password like this, with its own address in the place of this one.",
        bash(f"{shell} -- python manage.py changepassword {quote(site.exchange.admin_email)}"),
    )
    yield step(
        "Mend the cause, write a new word into the spec's `rerun`, and run `jhecfg build`: every Job has another name then, and runs"
        " once that is delivered."
    )
