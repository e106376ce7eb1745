"""The application: release, image, Exchange, settings."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from jhecfg.diagnostics import Finding, Loc, Severity, did_you_mean
from jhecfg.releases import (
    GONE,
    GONE_SETTINGS,
    MANAGED_ENV,
    MANAGED_SETTINGS,
    OLDEST,
    RELEASES,
    Feature,
    Gone,
    Release,
    TooOld,
    find_release,
)
from jhecfg.resolve.problems import Problems
from jhecfg.resolve.secrets import secret_key_of
from jhecfg.site import Amounts, Exchange, Image, Mcp, Resources, SecretKey, Setting, Smtp, Wearables
from jhecfg.spec import SiteSpec
from jhecfg.spec.exchange import DemoData, ResourcesSpec


def release_of(spec: SiteSpec, problems: Problems) -> Release:
    """Pick the release by the image's tag."""
    tag = spec.image.tag
    loc: Loc = ("image", "tag")
    try:
        release = find_release(tag)
    except TooOld as refused:
        problems.add(
            "unsupported-release",
            Finding(
                loc=loc,
                message=f"JupyterHealth Exchange {tag} is not supported",
                label=refused.why,
                expected=f"{OLDEST} or later",
                hint=f"use {RELEASES[-2].version}",
            ),
        )
        return RELEASES[-2]  # what the hint says: one cause, one error
    if not release.known:
        problems.add(
            "unknown-release",
            Finding(
                loc=loc,
                message=f"'{tag}' is not a release that this jhecfg knows, so the newest facts are used",
                label=f"treated as JHE of {release.date}",
                hint=f"use {RELEASES[-2].version}, or update jhecfg",
                severity=Severity.WARNING,
            ),
        )
    return release


def image_of(spec: SiteSpec) -> Image:
    """Resolve the image of the Exchange."""
    image = spec.image
    return Image(
        repository=image.repository,
        tag=image.tag,
        digest=image.digest,
        pull_policy=image.pull_policy,
        pull_secrets=image.pull_secrets,
    )


def _resources(spec: ResourcesSpec | None, cpu: str, memory: str, limit: str) -> Resources:
    if spec is None:
        return Resources(requests=Amounts(cpu=cpu, memory=memory), limits=Amounts(cpu=None, memory=limit))
    return Resources(
        requests=Amounts(cpu=spec.requests.cpu or cpu, memory=spec.requests.memory or memory),
        limits=Amounts(cpu=spec.limits.cpu, memory=spec.limits.memory or limit),
    )


def exchange_of(spec: SiteSpec, release: Release, problems: Problems) -> Exchange:
    """Resolve the application."""
    ex = spec.exchange
    _check_env(ex.env, release, problems)
    # Measured: two workers peak at 254 MiB; 192 MiB kills them; 500m starts in 8 s (facts/jhe.md 4).
    memory, limit = f"{128 * ex.workers}Mi", f"{256 * ex.workers}Mi"
    return Exchange(
        title=ex.title,
        url=f"https://{spec.domain}",
        callback_url=f"https://{spec.domain}/auth/callback",
        admin_email=spec.admin.email if spec.admin else spec.contact,
        replicas=ex.replicas,
        workers=ex.workers,
        resources=_resources(ex.resources, "250m", memory, limit),
        log_level=ex.log_level,
        time_zone=ex.time_zone,
        settings=tuple(_settings(spec, release, problems)),
        env=tuple(sorted(ex.env.items())),
        smtp=_smtp(spec),
        mcp=_mcp(spec, release, problems),
        wearables=_wearables(spec, release, problems),
        demo_data=_demo_data(spec, release, problems),
        smoke_test=ex.smoke_test,
        secret_key=SecretKey(name="jhe-exchange", key="secret-key"),
        oidc_key=SecretKey(name="jhe-exchange", key="oidc-rsa-private-key"),
        admin_password=SecretKey(name="jhe-bootstrap", key="admin-password"),
        invite_code=secret_key_of(ex.invite_code, "jhe-bootstrap", "invite-code"),
    )


def _check_env(env: dict[str, str], release: Release, problems: Problems) -> None:
    for name in env:
        loc: Loc = ("exchange", "env", name)
        if name in MANAGED_ENV:
            problems.add(
                "managed-env",
                Finding(loc=loc, key=True, message=f"'{name}' is not yours to set", hint=_use(MANAGED_ENV[name])),
            )
        elif name not in release.env:
            message = f"JHE {release.version} does not read '{name}'"
            problems.add("unknown-env", _not_read(loc, message, GONE.get(name), release.env - MANAGED_ENV.keys()))


def _not_read(loc: Loc, message: str, gone: Gone | None, known: AbstractSet[str], first: str | None = None) -> Finding:
    """Say of a name that the release ignores it: since when, and what took its place; or from when on; or a slip."""
    if gone is not None:
        label, hint = f"without effect since {gone.since}", _use(gone.instead)
    elif first is not None:
        label, hint = f"new in {first}", f"run {first} or later, or leave it out"
    else:
        label, hint = "", did_you_mean(str(loc[-1]), sorted(known))
    return Finding(loc=loc, key=True, message=message, label=label, hint=hint)


def _use(instead: str) -> str:
    """Turn an entry of the tables of names into an imperative."""
    why = instead.removeprefix("nothing: ")
    return f"use {instead}" if why == instead else f"leave it out: {why}"


_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "int": (int,),
    "bool": (bool,),
    "float": (int, float),
    "json": (dict, list, str, int, float, bool, type(None)),
}
_WORDS = {
    "string": "text",
    "int": "a whole number",
    "bool": "true or false",
    "float": "a number",
    "str": "text",
    "list": "a list",
    "dict": "a mapping",
    "NoneType": "nothing",
}


def _settings(spec: SiteSpec, release: Release, problems: Problems) -> Iterator[Setting]:
    """Yield the rows that the site offers and the release reads, then the spec's own."""
    ex = spec.exchange
    offered: dict[str, object] = {
        "site.url": f"https://{spec.domain}",
        "site.ui.title": ex.title,
        "module.ow": ex.wearables is not None,
        "ow.api_url": ex.wearables.api_url if ex.wearables else "",
    }
    for key, value in offered.items():
        if key in release.settings:
            yield Setting(key=key, type=release.settings[key], value=value)
    for key, value in ex.settings.items():
        problem = _setting_problem(key, value, release)
        if problem is None:
            yield Setting(key=key, type=release.settings[key], value=value)
        else:
            problems.add(*problem)


def _setting_problem(key: str, value: object, release: Release) -> tuple[str, Finding] | None:
    loc: Loc = ("exchange", "settings", key)
    if key in MANAGED_SETTINGS:
        hint = _use(MANAGED_SETTINGS[key])
        return "managed-setting", Finding(loc=loc, key=True, message=f"setting '{key}' is not yours to set", hint=hint)
    if key not in release.settings:
        known = release.settings.keys() - MANAGED_SETTINGS.keys()
        message = f"JHE {release.version} has no setting '{key}'"
        first = next((later.version for later in RELEASES if key in later.settings), None)
        return "unknown-setting", _not_read(loc, message, GONE_SETTINGS.get(key), known, first)
    wanted = release.settings[key]
    right = isinstance(value, _PYTHON_TYPES[wanted]) and not (wanted in ("int", "float") and isinstance(value, bool))
    if right:
        return None
    return "setting-type", Finding(
        loc=loc,
        message=f"setting '{key}' is {_WORDS[wanted]} in JHE {release.version}",
        found=_WORDS[type(value).__name__],
    )


def _smtp(spec: SiteSpec) -> Smtp | None:
    smtp = spec.exchange.smtp
    if smtp is None:
        return None
    return Smtp(
        host=smtp.host,
        port=smtp.port,
        user=smtp.user,
        password=secret_key_of(smtp.password_from, "jhe-smtp", "password"),
    )


def _need_feature(feature: Feature, loc: Loc, words: str, release: Release, problems: Problems) -> None:
    if feature in release.features:
        return
    first = next(r.version for r in RELEASES if feature in r.features)
    problems.add(
        "release-lacks",
        Finding(
            loc=loc,
            key=True,
            message=f"JHE {release.version} has no {words}",
            hint=f"run {first} or later, or leave it out",
            related=((("image", "tag"), "the release"),),
        ),
    )


def _mcp(spec: SiteSpec, release: Release, problems: Problems) -> Mcp | None:
    mcp = spec.exchange.mcp
    if mcp is None:
        return None
    _need_feature("mcp", ("exchange", "mcp"), "MCP server", release, problems)
    url = f"https://{mcp.domain}"
    return Mcp(
        domain=mcp.domain,
        url=url,
        image=Image(
            repository=f"{spec.image.repository}-mcp",
            tag=spec.image.tag,
            digest=mcp.digest,
            pull_policy=spec.image.pull_policy,
            pull_secrets=spec.image.pull_secrets,
        ),
        replicas=mcp.replicas,
        resources=_resources(mcp.resources, "50m", "128Mi", "256Mi"),
        client_id=f"jhe-mcp-{mcp.domain}"[:100],
        callback_url=f"{url}/oauth/callback",
        client_secret=SecretKey(name="jhe-mcp", key="client-secret"),
        broker_key=SecretKey(name="jhe-mcp", key="broker-key"),
    )


def _wearables(spec: SiteSpec, release: Release, problems: Problems) -> Wearables | None:
    wearables = spec.exchange.wearables
    if wearables is None:
        return None
    _need_feature("wearables", ("exchange", "wearables"), "Open Wearables polling", release, problems)
    return Wearables(
        api_url=wearables.api_url,
        schedule=wearables.schedule,
        api_key=SecretKey(name="jhe-wearables", key="api-key"),
    )


def _demo_data(spec: SiteSpec, release: Release, problems: Problems) -> DemoData:
    if spec.exchange.demo_data == "rich":
        _need_feature("rich-demo", ("exchange", "demoData"), "rich demonstration data", release, problems)
    return spec.exchange.demo_data
