"""Charts: what the platform's Helm releases do to everybody who shares the cluster when they come, go or change."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.plan.model import Effect, Pair, Severity
from jhecfg.plan.values import arrow, dotted
from jhecfg.render.steps import quote, words
from jhecfg.render.units import Unit, platform_units

WITHOUT = {
    "envoy-gateway": "no name is served",
    "ingress-nginx": "no name is served",
    "cert-manager": "nothing renews certificates",
    "external-secrets": "no Secret follows AWS Secrets Manager",
    "sealed-secrets": "nothing opens a SealedSecret",
    "external-dns": "nobody writes DNS records",
    "cluster-autoscaler": "no node comes or goes by itself",
    "aws-load-balancer-controller": "no load balancer is made or changed",
}
SERVING = ("envoy-gateway", "ingress-nginx")


def charts(pair: Pair) -> Iterator[Effect]:
    """Yield each release of the platform that comes, goes or changes."""
    old = {unit.release: unit for unit in platform_units(pair.old)}
    new = {unit.release: unit for unit in platform_units(pair.new)}
    gone = [unit for name, unit in old.items() if name not in new]
    if gone:
        yield _gone(pair, gone)
    for name, unit in new.items():
        change = pair.change(unit.values_path)
        if name in old and (change is not None or old[name].chart != unit.chart):
            yield _changed(pair, old[name], unit)


def _gone(pair: Pair, gone: list[Unit]) -> Effect:
    engine = pair.new.gitops.engine
    fate = {
        "flux": "Flux uninstalls them",
        "argocd": "Argo CD forgets them and leaves them running",
        "none": "They run on until somebody uninstalls them",
    }[engine]
    stops = engine == "flux" and any(unit.release in SERVING for unit in gone)
    lost = "; ".join(f"without {unit.release} {WITHOUT[unit.release]}" for unit in gone)
    return Effect(
        "cluster",
        Severity.OUTAGE if stops else Severity.DISRUPTIVE if engine == "flux" else Severity.ATTENTION,
        "charts",
        f"{words(unit.release for unit in gone)}: no longer this site's. {fate}. If no other site or team brings them"
        f" to this cluster, then, for all its sites: {lost}",
        pair.any_of(("platform",), ("ingress",), ("secrets",), ("cluster",)),
        tuple(_uninstall(unit) for unit in gone) if engine == "none" else (),
        "after",
    )


def _uninstall(unit: Unit) -> str:
    return f"helm uninstall {quote(unit.release)} --namespace {quote(unit.namespace)}"


def _changed(pair: Pair, old: Unit, new: Unit) -> Effect:
    change = pair.change(new.values_path)
    said = (
        [f"{dotted(leaf.pointer)} {arrow(leaf.was, leaf.becomes, leaf.pointer)}" for leaf in change.leaves]
        if change
        else []
    )
    if old.chart.version != new.chart.version:
        said.insert(0, f"version {old.chart.version} → {new.chart.version}")
    return Effect(
        "cluster",
        Severity.ATTENTION,
        f"chart {new.release}",
        f"is upgraded, for every site of this cluster: {'; '.join(said)}",
        pair.shaped(new.values_path) if change else pair.spec,
    )
