"""What happens at a first sync, an image change, an organization added, a hub removed: with each engine, and by hand.

docs/delivery.md tells the same in words.
"""

from __future__ import annotations

from typing import Any

import pytest

from jhecfg.site import Site
from tests.aws_site import HUB, make
from tests.delivery_model import ArgoCd, Cluster, Flux, Kubectl, Stuck

REPO = "https://git.example.org/health/deploy.git"
LAB = {"name": "Example Lab", "id": 20001, "type": "laboratory"}
CLASS = {**HUB, "name": "class", "domain": "class.example.org"}
ENGINES: dict[str, type[ArgoCd | Flux | Kubectl]] = {"argocd": ArgoCd, "flux": Flux, "none": Kubectl}
every_engine = pytest.mark.parametrize("engine", list(ENGINES))
pruning = pytest.mark.parametrize("engine", ["argocd", "flux"])


def site_for(engine: str, **changes: Any) -> Site:
    """Resolve a site with two hubs for an engine."""
    gitops = {"engine": engine, "repo": REPO} if engine != "none" else {}
    return make(
        gitops=gitops, **{"hubs": [HUB, CLASS], "image__tag": "v0.0.12", "database__caConfigMap": None, **changes}
    )


class Delivery:
    """A cluster with an engine, and the changes of git that it is shown."""

    def __init__(self, engine: str) -> None:
        """Take in a site for the first time."""
        self.name, self.cluster = engine, Cluster()
        self.engine = ENGINES[engine](self.cluster)
        self.first = self.change()

    def change(self, **changes: Any) -> list[str]:
        """Show git with changes of the first site; return what happened in the cluster."""
        self.engine.deliver(site_for(self.name, **changes))
        return self.cluster.since()

    def names(self, kind: str) -> set[str]:
        """Return the objects of a kind that are there."""
        return {key[2] for key in self.cluster.live if key[0] == kind}


def jobs(events: list[str]) -> list[str]:
    """Return which Jobs ran, without the digests of their names."""
    return [event.removeprefix("+Job/").rsplit("-", 1)[0] for event in events if event.startswith("+Job/")]


def place(events: list[str], start: str) -> int:
    """Return where the first event with that start stands."""
    return next(index for index, event in enumerate(events) if event.startswith(start))


# --- the first sync ---------------------------------------------------------------------------------------------------


@every_engine
def test_at_the_first_sync_everything_comes_up_in_order(engine: str) -> None:
    """Charts, namespaces, configuration, migrate, bootstrap, application, routes; each Job runs once."""
    events = Delivery(engine).first
    assert jobs(events) == ["migrate", "bootstrap"]
    order = [
        "+Release/gateway-helm" if engine == "none" else "+Release/envoy-gateway",
        "+Namespace/jhe",
        "+ConfigMap/exchange",
        "+Job/migrate-",
        "+Job/bootstrap-",
        "+Deployment/exchange",
        "+Gateway/",
    ]
    places = [place(events, start) for start in order]
    assert places == sorted(places)


@pruning
def test_at_the_first_sync_the_charts_come_one_after_another_and_hubs_after_their_namespace(engine: str) -> None:
    """Gateway API before cert-manager, which looks for it when it starts; a hub's namespace and Secret before the hub."""
    events = Delivery(engine).first
    assert place(events, "+Release/envoy-gateway") < place(events, "+Release/cert-manager")
    assert place(events, "+Namespace/class") < place(events, "+Release/class")


@every_engine
def test_what_has_not_changed_is_left_alone(engine: str) -> None:
    """A second look at the same commit does nothing: no Job runs, nothing is made, changed or removed."""
    assert Delivery(engine).change() == []


# --- Jobs -------------------------------------------------------------------------------------------------------------


@every_engine
def test_a_new_image_runs_both_jobs_before_the_new_pods(engine: str) -> None:
    """Migrate, then bootstrap, then the Deployment."""
    events = Delivery(engine).change(image__tag="v0.0.13")
    assert jobs(events) == ["migrate", "bootstrap"]
    places = [place(events, start) for start in ("+Job/migrate-", "+Job/bootstrap-", "+Deployment/exchange")]
    assert places == sorted(places)


@pruning
def test_old_jobs_go_when_new_ones_take_their_place(engine: str) -> None:
    """After an image change there is one Job of each kind again."""
    delivery = Delivery(engine)
    before = delivery.names("Job")
    events = delivery.change(image__tag="v0.0.13")
    after = delivery.names("Job")
    assert len(after) == len(before) == 2
    assert not before & after
    for name in before:
        assert place(events, f"-Job/{name}") > place(events, f"+Job/{name.rsplit('-', 1)[0]}-")


@every_engine
def test_an_organization_more_runs_bootstrap_alone(engine: str) -> None:
    """The schema is the same and no pod restarts: only the Job that makes organizations runs, with the new data."""
    events = Delivery(engine).change(orgs=[LAB, {"name": "Clinic", "id": 20002, "type": "prov"}])
    assert jobs(events) == ["bootstrap"]
    assert place(events, "+ConfigMap/bootstrap") < place(events, "+Job/bootstrap-")
    assert {event.split("/")[0] for event in events} - {"-Job"} == {"+ConfigMap", "+Job"}


@pytest.mark.parametrize(
    "changes",
    [
        {"exchange__replicas": 3},
        {"exchange__logLevel": "DEBUG"},
        {"hubs": [HUB, {**CLASS, "resources": {"memory": {"limit": "4G"}}}]},
        {"ingress": {"maxBodySize": "32Mi"}},
        {"database__rds": {"multiAz": False}},
    ],
    ids=["replicas", "logging", "hub resources", "edge", "database instance"],
)
@every_engine
def test_an_unrelated_change_runs_no_job(engine: str, changes: dict[str, Any]) -> None:
    """Neither pods, nor hubs, nor the edge concern the database's schema and content."""
    assert jobs(Delivery(engine).change(**changes)) == []


@every_engine
def test_rerun_runs_both_jobs_once_more_and_no_pod_restarts(engine: str) -> None:
    """A new word in `rerun` is a new Job; the same word is not."""
    delivery = Delivery(engine)
    events = delivery.change(rerun="again")
    assert jobs(events) == ["migrate", "bootstrap"]
    assert not [event for event in events if event.startswith("+Deployment/")]
    assert delivery.change(rerun="again") == []


@pruning
def test_a_job_that_somebody_deletes_runs_once_more_and_not_for_ever(engine: str) -> None:
    """What heals itself is the missing Job, once; after that nothing is missing."""
    delivery = Delivery(engine)
    name = next(key for key in delivery.cluster.live if key[0] == "Job" and key[2].startswith("migrate"))
    delivery.cluster.remove(name)
    delivery.cluster.since()
    assert jobs(delivery.change()) == ["migrate"]
    assert delivery.change() == []


@every_engine
def test_no_job_ever_goes_away_by_itself(engine: str) -> None:
    """A Job with ttlSecondsAfterFinished would be missing after a while, and run again each time."""
    cluster = Delivery(engine).cluster
    found = [live.tree["spec"] for key, live in cluster.live.items() if key[0] == "Job"]
    assert found
    assert not [spec for spec in found if "ttlSecondsAfterFinished" in spec]


@every_engine
def test_after_a_failed_migration_the_old_pods_stay_and_rerun_goes_on(engine: str) -> None:
    """Nothing after the failed Job comes. The same commit stays failed; a new word in `rerun` makes a new Job."""
    delivery = Delivery(engine)
    delivery.cluster.failing = "migrate"
    with pytest.raises(Stuck, match="failed"):
        delivery.change(image__tag="v0.0.13")
    events = delivery.cluster.since()
    assert jobs(events) == ["migrate"]
    assert not [event for event in events if event.startswith("+Deployment/")]
    assert not [event for event in events if event.startswith("-") and "Job" not in event]
    with pytest.raises(Stuck, match="failed"):
        delivery.change(image__tag="v0.0.13")
    assert delivery.cluster.since() == []
    delivery.cluster.failing = ""
    events = delivery.change(image__tag="v0.0.13", rerun="mended")
    assert jobs(events) == ["migrate", "bootstrap"]
    assert place(events, "+Job/bootstrap-") < place(events, "+Deployment/exchange")


@every_engine
def test_going_back_runs_the_jobs_of_before_and_then_the_pods(engine: str) -> None:
    """A reverted commit is a change like any other. By hand the old Jobs are still there, and are not run again."""
    delivery = Delivery(engine)
    delivery.change(image__tag="v0.0.13")
    events = delivery.change()
    assert jobs(events) == ([] if engine == "none" else ["migrate", "bootstrap"])
    assert "+Deployment/exchange" in events


# --- a hub ------------------------------------------------------------------------------------------------------------


@pruning
def test_a_hub_that_is_removed_goes_and_its_namespace_stays(engine: str) -> None:
    """All that its chart made goes, and the route's certificate; namespace and homes wait for a person."""
    delivery = Delivery(engine)
    events = delivery.change(hubs=[HUB])
    assert "-Release/class" in events
    assert "-Certificate/jhe-example-class-tls" in events
    assert "class" in delivery.names("Namespace")
    assert "-Release/hub" not in events
    assert jobs(events) == ["bootstrap"]
    assert not [name for name in delivery.names("AppProject") if "class" in name]
    assert delivery.change(hubs=[HUB]) == []


@pruning
def test_a_hub_is_removed_also_while_the_exchange_is_in_trouble(engine: str) -> None:
    """People must lose access when the spec says so, not when the next migration works."""
    delivery = Delivery(engine)
    delivery.cluster.failing = "migrate"
    with pytest.raises(Stuck, match="failed"):
        delivery.change(hubs=[HUB], image__tag="v0.0.13")
    if engine == "flux":  # hubs wait for the configuration alone; the model goes one by one
        assert [other["name"] for other in _hubs(delivery)["spec"]["dependsOn"]] == ["jhe-example-20-config"]
    else:
        assert "-Release/class" in delivery.cluster.since()


def _hubs(delivery: Delivery) -> dict[str, Any]:
    return delivery.cluster.live[("Kustomization", "flux-system", "jhe-example-hubs")].tree


@pruning
def test_the_last_hub_can_be_removed_as_well(engine: str) -> None:
    """Then nothing of the hubs' delivery is left."""
    delivery = Delivery(engine)
    events = delivery.change(hubs=[])
    assert {"-Release/class", "-Release/hub"} <= set(events)
    assert not [name for kind in ("Application", "Kustomization") for name in delivery.names(kind) if "hub" in name]


@pruning
def test_a_hub_that_is_added_comes_after_its_namespace_and_its_client_is_registered(engine: str) -> None:
    """The bootstrap Job runs again; the other hub is left alone."""
    new = {**HUB, "name": "new", "domain": "new.example.org"}
    events = Delivery(engine).change(hubs=[HUB, CLASS, new])
    assert jobs(events) == ["bootstrap"]
    assert place(events, "+Namespace/new") < place(events, "+Release/new")
    assert not [event for event in events if event in ("+Release/hub", "+Release/class")]


def test_a_project_that_went_before_its_hub_would_leave_the_hub_running() -> None:
    """Why the root does not prune last: the model is stuck, as Argo CD would be, when the project goes first."""
    delivery = Delivery("argocd")
    cluster = delivery.cluster
    cluster.remove(("AppProject", "argocd", "jhe-example-hub-class"))
    with pytest.raises(Stuck, match="gone before its Application"):
        delivery.change(hubs=[HUB])
