"""SITE_RULES and ARTIFACT_RULES: what can be wrong with a site and its outputs. The tuples are the registration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from jhecfg.artifact import Artifact
from jhecfg.diagnostics import Finding
from jhecfg.rules import cluster as aws
from jhecfg.rules import demo, gitops, grants, hub_values, manifests, names, order, sealed, secrets, security
from jhecfg.rules.cluster import references
from jhecfg.rules.outputs import Outputs
from jhecfg.site import Site

SiteRule = Callable[[Site], Iterable[Finding]]
ArtifactRule = Callable[[Site, Sequence[Artifact]], Iterable[Finding]]

NAME_RULES: tuple[SiteRule, ...] = (
    names.duplicate_name,
    names.duplicate_org_id,
    names.duplicate_domain,
    names.duplicate_client_id,
    names.reserved_hub_name,
    names.unportable_name,
    names.hub_namespace,
    names.platform_namespace,
    names.too_many_hosts,
    names.long_client_id,
)

SITE_RULES: tuple[SiteRule, ...] = (
    *NAME_RULES,
    security.moving_tag,
    security.moving_hub_tag,
    security.anyone_may_enter,
    security.unverified_email,
    security.default_org_opens_hub,
    security.default_orgs_form,
    security.database_unverified,
    security.untrusted_certificate,
    security.retired_controller,
    security.mail_into_log,
    security.placeholder_value,
    security.shared_secret_key,
    secrets.rotating_password,
    demo.demo_data_outside_demo,
    demo.demo_organization,
    *sealed.RULES,
    *aws.RULES,
    hub_values.hub_chart_version,
    hub_values.hub_values_unknown_key,
    hub_values.hub_values_type,
    hub_values.hub_values_misplaced,
    hub_values.hub_values_override,
    hub_values.hub_values_env,
    hub_values.hub_values_secret,
)

WITHOUT_EXCEPTION: tuple[SiteRule, ...] = (
    *NAME_RULES,
    security.shared_secret_key,
    *sealed.WITHOUT_EXCEPTION,
    demo.demo_data_outside_demo,
    demo.demo_organization,
    hub_values.hub_values_secret,
)
"""Rules that no comment can take an exception from: what breaks them does not work at all, or gives a secret away."""

ARTIFACT_RULES: tuple[ArtifactRule, ...] = (
    manifests.duplicate_object,
    manifests.dangling_reference,
    secrets.dangling_secret,
    secrets.unused_secret,
    manifests.selector_selects_nothing,
    manifests.unknown_port,
    manifests.unknown_namespace,
    manifests.pod_security,
    manifests.secret_in_output,
    manifests.expandable_text,
    manifests.long_name,
    *gitops.RULES,
    *order.RULES,
    *grants.RULES,
    references.cloudformation_reference,
)


def code_of(rule: SiteRule | ArtifactRule) -> str:
    """Return a rule's diagnostic code: its name, with dashes."""
    return str(getattr(rule, "__name__", "")).replace("_", "-")


def judge_site(site: Site) -> Iterator[tuple[str, Finding]]:
    """Run the rules over a site; yield (code, finding)."""
    for rule in SITE_RULES:
        for finding in rule(site):
            yield code_of(rule), finding


def judge_artifacts(site: Site, artifacts: Sequence[Artifact]) -> Iterator[tuple[str, Finding]]:
    """Run the rules over the outputs; yield (code, finding)."""
    outputs = Outputs.of(artifacts)
    for rule in ARTIFACT_RULES:
        for finding in rule(site, outputs):
            yield code_of(rule), finding


def rule_docs() -> dict[str, str]:
    """Return every rule's documentation by its code: its docstring."""
    from inspect import getdoc

    rules: list[SiteRule | ArtifactRule] = [*SITE_RULES, *ARTIFACT_RULES]
    return {code_of(rule): str(getdoc(rule)) for rule in rules}
