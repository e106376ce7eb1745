"""Rules about `hubs[].values`: what the chart does not know, and what would undo what the compiler guarantees."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jhecfg.diagnostics import Finding, Loc, did_you_mean
from jhecfg.leaks import secret_key, secret_shape
from jhecfg.rules.hub_code import overrides_in_code
from jhecfg.rules.hub_keys import (
    AUTHENTICATORS,
    FREE_OF_LOGIN,
    GUARDED,
    GUARDED_IN_CLUSTER,
    SPAWNER,
    TYPES,
    WORDS,
    chart_keys,
)
from jhecfg.site import Hub, Site

OLDEST_CHART, NEWEST_CHART = (4, 3, 3), (5, 0, 0)
MAX_AGE_SECONDS = 86_400
MAX_EVERY_SECONDS = 3_600


def hub_chart_version(site: Site) -> Iterator[Finding]:
    """A hub's chart is one that its values are not written for.

    *Why:* Zero to JupyterHub 5 refuses `httpRoute.gateway`, and charts before 4.3.3 do not know `sectionName` there;
    the values would be refused, or the hub would answer for every host name of the Gateway.

    *Instead:* take a chart from 4.3.3 up to, but not including, 5.0.0.
    """
    for hub in site.hubs:
        match = re.match(r"(\d+)\.(\d+)\.(\d+)", hub.chart.version)
        if match and not OLDEST_CHART <= (int(match[1]), int(match[2]), int(match[3])) < NEWEST_CHART:
            yield Finding(
                loc=(*hub.loc, "chartVersion"),
                message=f"the values of hub '{hub.name}' do not fit chart {hub.chart.version}",
                expected="4.3.3 or newer, before 5.0.0",
                hint="leave chartVersion out, or set it to 4.4.0",
            )


def hub_values_unknown_key(site: Site) -> Iterator[Finding]:
    """A key in `hubs[].values` is unknown to the chart.

    *Why:* Helm refuses the whole chart for one unknown key, at the moment of the deployment.

    *Instead:* use the chart's own keys; things of your own go below `custom`.
    """
    keys = chart_keys()
    for hub in site.hubs:
        for key, value in hub.values.items():
            below = keys.get(key)
            if below is None:
                yield _unknown(hub, (key,), tuple(keys))
            elif isinstance(below, dict) and isinstance(value, dict):
                yield from (_unknown(hub, (key, name), tuple(below)) for name in value if name not in below)


def _unknown(hub: Hub, path: Loc, known: tuple[str, ...]) -> Finding:
    above = f"'{path[0]}' of the chart" if len(path) > 1 else "the chart"
    return Finding(
        loc=_loc(hub, path),
        key=True,
        message=f"{above} has no key '{path[-1]}'",
        hint=did_you_mean(str(path[-1]), known),
    )


def hub_values_type(site: Site) -> Iterator[Finding]:
    """A value in `hubs[].values` has a type that the chart does not take.

    *Why:* Helm refuses the whole chart for one value of another type, at the moment of the deployment.

    *Instead:* write the type that is expected: quotes make text, `key: value` lines a mapping, `- ` lines a list.
    """
    keys = chart_keys()
    for hub in site.hubs:
        for key, value in hub.values.items():
            below = keys.get(key, "any")
            yield from _typed(hub, (key,), value, below if isinstance(below, str) else "map")
            if isinstance(below, dict) and isinstance(value, dict):
                for name, inner in value.items():
                    yield from _typed(hub, (key, name), inner, below.get(name, "any"))


def _typed(hub: Hub, path: Loc, value: Any, kind: str) -> Iterator[Finding]:
    if value is None or (isinstance(value, TYPES[kind]) and not (isinstance(value, bool) and kind == "int")):
        return
    yield Finding(
        loc=_loc(hub, path), message=f"'{_dotted(path)}' of the chart takes {WORDS[kind]}", expected=WORDS[kind]
    )


def hub_values_misplaced(site: Site) -> Iterator[Finding]:
    """A section of `hub.config` is no class, or stands below another one.

    *Why:* JupyterHub ends at once over a section in lower case (`extraConfig` below `hub.config`). A class below
    `hub.config.JupyterHub` is read, and silently beats the same setting at its proper place.

    *Instead:* move classes one level up, and the chart's own keys to where they belong.
    """
    for hub in site.hubs:
        config = _at(hub.values, "hub", "config")
        hub_keys = chart_keys()["hub"]
        for section in config:
            if not section[:1].isupper():
                home = f"hub.{section}" if section in hub_keys else ""
                yield Finding(
                    loc=_loc(hub, ("hub", "config", section)),
                    key=True,
                    message=f"'{section}' is no class, so JupyterHub will not start with it in hub.config",
                    hint=f"move it to '{home}'"
                    if home
                    else "name a class of JupyterHub, such as JupyterHub or KubeSpawner",
                )
        for name, value in _at(config, "JupyterHub").items():
            if name[:1].isupper() and isinstance(value, dict):
                yield Finding(
                    loc=_loc(hub, ("hub", "config", "JupyterHub", name)),
                    key=True,
                    message=f"class '{name}' below hub.config.JupyterHub would silently beat hub.config.{name}",
                    hint=f"move it up, to 'hub.config.{name}'",
                )


def hub_values_override(site: Site) -> Iterator[Finding]:
    """A line of `hubs[].values` would change what the compiler guarantees of a hub.

    *Why:* who may enter, how the hub logs in, where its secrets come from and what a user's server may reach are what
    an auditor reads in the spec. `values` is merged last, so a line there would undo it without a word.

    *Instead:* use the spec's own keys (the hint names them). An exception that you mean is a comment on its line:
    `# jhecfg: ignore[hub-values-override] reason`.
    """
    for hub in site.hubs:
        if not hub.values:
            continue
        guarded = GUARDED if hub.external else {**GUARDED, **GUARDED_IN_CLUSTER}
        above = {path[:n] for path in guarded for n in range(1, len(path))}
        yield from _overrides(hub, guarded, above, (), (), hub.values)
        yield from _other_traits_of_login(hub)
        yield from _profiles(hub)
        yield from _long_lives(hub)
        for name, message, hint in overrides_in_code(_at(hub.values, "hub", "extraConfig")):
            yield Finding(loc=_loc(hub, ("hub", "extraConfig", name)), key=True, message=message, hint=hint)


def _overrides(
    hub: Hub, guarded: Mapping[Loc, str], above: set[Loc], path: Loc, pattern: Loc, tree: Mapping[str, Any]
) -> Iterator[Finding]:
    for key, value in tree.items():
        here, found = (*path, key), (*pattern, key)
        if found not in guarded and found not in above:
            found = (*pattern, "*")
        if found in guarded:
            yield _override(hub, here, guarded[found])
        elif found in above:
            if isinstance(value, dict):
                yield from _overrides(hub, guarded, above, here, found, value)
            else:  # a list, a scalar or null in the place of a mapping takes all that is below it away
                yield _override(hub, here, "write a mapping: what is below it must stay")


def _other_traits_of_login(hub: Hub) -> Iterator[Finding]:
    """Yield the traits of the authenticator that are neither guarded by name nor free."""
    for section in AUTHENTICATORS:
        for trait in _at(hub.values, "hub", "config", section):
            path = ("hub", "config", section, trait)
            if path not in GUARDED and trait not in FREE_OF_LOGIN:
                yield _override(hub, path, "leave it out: how people log in is the compiler's")


def _profiles(hub: Hub) -> Iterator[Finding]:
    """Yield what profiles, and their options, would change of a user's pod."""
    singleuser = _at(hub.values, "singleuser")
    for path, key in _keys(("singleuser", "profileList"), singleuser.get("profileList")):
        if "kubespawner_override" in path and key in SPAWNER:
            yield _override(hub, (*path, key), SPAWNER[key])


def _keys(path: Loc, tree: object) -> Iterator[tuple[Loc, str]]:
    """Yield (where it stands, key) of every key of a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        if isinstance(key, str):
            yield path, key
        yield from _keys((*path, key), value)


def _long_lives(hub: Hub) -> Iterator[Finding]:
    cull = _at(hub.values, "cull")
    for key, most, why in (
        ("maxAge", MAX_AGE_SECONDS, "a day; 0 means for ever"),
        ("every", MAX_EVERY_SECONDS, "an hour"),
    ):
        value = cull.get(key, most)
        if not isinstance(value, int) or not 0 < value <= most:
            yield _override(hub, ("cull", key), f"set at most {most} seconds, {why}")


def _override(hub: Hub, path: Loc, hint: str) -> Finding:
    return Finding(
        loc=_loc(hub, path),
        key=True,
        message=f"'{_dotted(path)}' would change what the compiler guarantees of hub '{hub.name}'",
        hint=hint,
    )


_ENVIRONMENTS = (
    ("hub", "extraEnv"),
    ("proxy", "chp", "extraEnv"),
    ("proxy", "traefik", "extraEnv"),
    ("singleuser", "extraEnv"),
)


def hub_values_env(site: Site) -> Iterator[Finding]:
    """An environment variable in `hubs[].values` is neither text nor a reference (`valueFrom`).

    *Why:* a number in `singleuser.extraEnv` passes Helm, and then every server fails to start.

    *Instead:* put quotes around it.
    """
    for hub in site.hubs:
        for path in _ENVIRONMENTS:
            for name, value in _at(hub.values, *path).items():
                if value is not None and not isinstance(value, str | dict):
                    yield Finding(
                        loc=_loc(hub, (*path, name)),
                        message=f"environment variable '{name}' must be text",
                        expected="text",
                        hint="put quotes around it",
                    )


_REFUSED = frozenset(path for path in GUARDED if path[:2] != ("hub", "extraEnv"))
"""Where anything is refused already, by the rule about guarded values."""


def hub_values_secret(site: Site) -> Iterator[Finding]:
    """A secret stands in `hubs[].values`.

    *Why:* the values are in git, and the chart copies all of them into a Secret that rendered output holds in base64.

    *Instead:* name a Secret, as in `hub.extraEnv: {TOKEN: {valueFrom: {secretKeyRef: {name: mine, key: token}}}}`. A
    service's token and the password of the hub's database come from the Secret `hub-secrets` by themselves.
    """
    for hub in site.hubs:
        for path, value in _leaves((), hub.values):
            name = next(key for key in reversed(path) if isinstance(key, str))
            if value and path not in _REFUSED and (secret_key(name) or secret_shape(value)):
                yield Finding(
                    loc=_loc(hub, path),
                    message=f"'{_dotted(path)}' holds a secret",
                    hint="name a Secret and its key instead, in a `secretKeyRef`",
                )


def _leaves(path: Loc, value: object) -> Iterator[tuple[Loc, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _leaves((*path, key), below)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _leaves((*path, index), below)
    elif isinstance(value, str):
        yield path, value


def _at(tree: object, *path: str) -> dict[str, Any]:
    """Return the mapping at a path, or an empty one where there is none."""
    for key in path:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}


def _loc(hub: Hub, path: Loc) -> Loc:
    return (*hub.loc, "values", *path)


def _dotted(path: Loc) -> str:
    return ".".join(str(key) for key in path)


RULES = (
    hub_chart_version,
    hub_values_unknown_key,
    hub_values_type,
    hub_values_misplaced,
    hub_values_override,
    hub_values_env,
    hub_values_secret,
)
