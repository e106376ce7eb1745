"""The runbook of a hub that comes, and of one that goes: what a person does, since that ends data."""

from __future__ import annotations

import json
from collections.abc import Iterator

from jhecfg.render.runbook_prepare import PLANNED_AND_BUILT, SPEC, delivered_again, spec_bash
from jhecfg.render.steps import bash, code, command, quote, step, table
from jhecfg.site import Site

_FORGET = (
    "import os; from oauth2_provider.models import get_application_model as model;"
    ' print(model().objects.filter(client_id=os.environ["CLIENT"]).delete())'
)


def add_hub(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say what a new hub takes."""
    yield step(
        "Add it to the spec: its name, its host name, and who may enter. `jhecfg plan` says what that means, `jhecfg build`"
        " writes its folder, its objects and the new version of this page, whose table says who may enter.",
        spec_bash(
            site,
            "hub=new-hub  # its name, host name, and who may enter: put your own",
            f"domain={quote(f'new-hub.{site.domain}')}",
            f"who={quote(_may_enter(site)[1])}",
            *_class_line(site),
            command(f"jhecfg set {SPEC}", *_hub_words(site)),
            *PLANNED_AND_BUILT,
        ),
    )
    deliver = step(f"{delivered_again(site)} The bootstrap Job runs again and registers the hub's OAuth application.")
    if _elsewhere(site):
        yield deliver
        yield step("Give its people its folder in `hubs/`: the README.md in it says what they do.")
        return
    yield step("Make its Secret `hub-secrets`: the new “Secrets” has the commands; skip what exists.")
    if not site.edge.own_gateway:
        yield step("Tell the owners of the Gateway its host name and its namespace: the new “The cluster” has both.")
    yield deliver
    if not site.edge.external_dns:
        yield step("Lead its host name here: the new “DNS” says how.")


def _may_enter(site: Site) -> tuple[str, str]:
    """Return a kind of access, and one who has it as `jhecfg set` reads it: an organization, or else a user."""
    if not site.orgs:
        return "users", site.exchange.admin_email
    name = site.orgs[0].name
    as_it_is = name[0] not in "['\"" and name != "null"
    return "orgs", name if as_it_is else json.dumps(name, ensure_ascii=False)


def _elsewhere(site: Site) -> bool:
    """Tell whether this site's hubs all run elsewhere; another one then does, too, unless its people say otherwise."""
    return bool(site.hubs) and not site.cluster_hubs


def _class_line(site: Site) -> Iterator[str]:
    """Yield the line that says where a hub's disks come from, where the spec must say it."""
    if site.cluster is None and not _elsewhere(site):
        classes = (hub.storage_class for hub in site.cluster_hubs if hub.storage_class)
        yield f"class={quote(next(classes, 'gp3'))}"


def _hub_words(site: Site) -> Iterator[str]:
    """Yield what `jhecfg set` needs for a hub of this site."""
    yield '"hubs[$hub].domain=$domain"'
    yield f'"hubs[$hub].access.{_may_enter(site)[0]}+=$who"'
    if _elsewhere(site):
        yield '"hubs[$hub].deploy=external"'
    elif site.cluster is None:
        yield '"hubs[$hub].storage.storageClass=$class"'


def remove_hub(site: Site, files: frozenset[str]) -> Iterator[str]:
    """Say how a hub goes, in the order that loses nothing by accident."""
    hubs = site.cluster_hubs
    if not hubs:
        return
    rows = ((code(hub.name), code(hub.namespace), code(hub.client_id), code(hub.domain)) for hub in hubs)
    yield table(("hub", "namespace", "OAuth client", "host name"), rows)
    yield step(
        "Tell its users, and save what is in their homes: the last step ends those.",
        bash(
            f"hub={quote(hubs[0].name)}  # the hub's row of the table",
            f"namespace={quote(hubs[0].namespace)}",
            f"client={quote(hubs[0].client_id)}",
            'kubectl --namespace "$namespace" get persistentvolumeclaims,pods',
        ),
    )
    yield from _uninstalled(site)
    yield step(
        "Take back its OAuth application, and with it every token that it was given: the bootstrap Job only adds.",
        bash(
            command(
                f"kubectl --namespace {quote(site.namespace)} exec deployment/exchange --",
                'env CLIENT="$client" python manage.py shell -c',
                quote(_FORGET),
            ),
        ),
    )
    yield step("Remove its DNS record, which would lead others' visitors here, or yours elsewhere; nothing else does.")
    yield step(
        "Remove its namespace: servers, homes, the Secret `hub-secrets`.", bash('kubectl delete namespace "$namespace"')
    )


def _uninstalled(site: Site) -> Iterator[str]:
    out = "Take it out of the spec's `hubs`, and run `jhecfg build`."
    if site.gitops.engine != "none":
        yield step(
            f"{out} Commit and push. The engine removes all that its chart made. Users' servers, their homes and the namespace stay."
        )
        return
    edge = site.edge
    certificate = (
        f'kubectl --namespace {quote(edge.namespace)} delete certificates.cert-manager.io {quote(site.name)}-"$hub"-tls'
    )
    at_gateway = edge.controller == "envoy-gateway" and edge.own_gateway and edge.issuer is not None
    yield step(
        f"{out} Uninstall it, then go through “Deliver” again.",
        bash('helm uninstall "$hub" --namespace "$namespace"', *([certificate] if at_gateway else [])),
    )
