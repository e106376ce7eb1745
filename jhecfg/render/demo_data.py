"""35-demo-data: the Job that loads JHE's demonstration data, for a site whose spec asks for them."""

from __future__ import annotations

from collections.abc import Iterator

from jhecfg.artifact import Artifact
from jhecfg.render.jobs import script, script_config, script_job
from jhecfg.render.objects import env
from jhecfg.site import Site

FOLDER = "manifests/35-demo-data"
NAME = "demo-data"


def demo_data(site: Site) -> Iterator[Artifact]:
    """Render the Job and its script; before the bootstrap Job, since `seed` wants a database without organizations."""
    if site.exchange.demo_data == "none":
        return
    files = {"demo_data.py": script("demo_data.py")}
    job = script_job(site, NAME, files, [env("JHE_DEMO_DATA", site.exchange.demo_data)], deadline=1800)
    yield Artifact(f"{FOLDER}/configmap-demo-data.yaml", script_config(site, NAME, files))
    yield Artifact(f"{FOLDER}/job-demo-data.yaml", job)
