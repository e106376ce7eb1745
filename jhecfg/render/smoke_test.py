"""70-smoke-test: the Job that looks whether the Exchange works, for a site whose spec asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from jhecfg.artifact import Artifact
from jhecfg.render.bootstrap import bootstrap_data, document
from jhecfg.render.config import environment, internal_host
from jhecfg.render.jobs import script, script_config, script_folder, script_job
from jhecfg.render.objects import env
from jhecfg.site import Site

FOLDER = "manifests/70-smoke-test"
NAME = "smoke-test"


def smoke_test(site: Site) -> Iterator[Artifact]:
    """Render the Job, its script and document; last of all, so that its failure is seen and holds nothing back."""
    if not site.exchange.smoke_test:
        return
    files = {"smoke_test.py": script("smoke_test.py"), "smoke-test.json": document(smoke_test_data(site))}
    variables = [env("JHE_SMOKE_TEST", f"{script_folder(NAME)}/smoke-test.json")]
    # It runs again whenever the Exchange or what bootstrap wrote may be another.
    inputs = [environment(site), bootstrap_data(site)]
    job = script_job(site, NAME, files, variables, deadline=900, inputs=inputs)
    yield Artifact(f"{FOLDER}/configmap-smoke-test.yaml", script_config(site, NAME, files))
    yield Artifact(f"{FOLDER}/job-smoke-test.yaml", job)


def smoke_test_data(site: Site) -> dict[str, Any]:
    """Return what the script expects; the edge is left out: it asks the Service, with the site's Host."""
    wanted = bootstrap_data(site)
    return {
        "version": 1,
        "address": internal_host(site),
        "port": 80,
        "host": site.domain,
        "issuer": f"{site.exchange.url}/o",
        "sslMode": site.database.ssl_mode,
        "applications": [
            {name: application[name] for name in ("name", "clientId", "redirectUris")}
            for application in wanted["applications"]
            if application["clientType"] == "public"
        ],
        "organizations": [0, *(org.id for org in site.orgs)],
    }
