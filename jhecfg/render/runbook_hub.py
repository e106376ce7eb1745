"""The runbook of a hub that goes: what follows from the spec, and what a person does, since it ends data."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.render.steps import bash, code, command, quote, step, table
from jhecfg.site import Site

_FORGET = (
    "import os; from oauth2_provider.models import get_application_model as model;"
    ' print(model().objects.filter(client_id=os.environ["CLIENT"]).delete())'
)


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
