"""Judges from outside find nothing in the output but what it explains, and it explains nothing that they do not find."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from jhecfg.render.judges import OBJECTS, REMARKS, RESOURCES, WORDS
from tests.compiled import ARGOCD, FLUX, IN_CLUSTER, MCP, NGINX, REAL_SITES, Tree, compiled
from tests.judging import CHECKS, OF_OBJECTS, OF_TEXT, Files, Found, bare, claimed, write
from tests.tools import find, need, optional

QUICK = ("yamllint", "shellcheck", "bandit", "detect-secrets")
"""What `make tools` installs; `make judges` asks the others too. cfn-lint has its own tests in test_rds.py."""

OTHER_IDS = [
    {"name": "Example Lab", "id": 20011, "type": "laboratory"},
    {"name": "Example Hub Admins", "id": 20012, "type": "team"},
]
PINNED = f"sha256:{'0a' * 32}"
VARIANTS: Mapping[str, Tree] = {
    "nginx": {**IN_CLUSTER, **ARGOCD, **NGINX, **MCP},
    "flux": {**IN_CLUSTER, **FLUX, "secrets": {"backend": "external-secrets"}, "exchange__smokeTest": True},
    "auto-mode": {
        "cluster__mode": "auto-mode",
        "cluster__nodeGroups": None,
        "exchange__wearables": {"apiUrl": "https://ow.example.org"},
        "database__rds__enhancedMonitoring": False,
    },
    "pinned": {
        "image__digest": PINNED,
        "exchange__replicas": 1,
        "exchange__resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "2", "memory": "2Gi"}},
    },
    "pulled": {"image__pullPolicy": "Always"},
    "demo": {"environment": "demo", "exchange__demoData": "rich", "orgs": OTHER_IDS},
}
SITES = (*REAL_SITES, *VARIANTS)

MEANT = {"container-resources": "CPU limit is not set"}
"""Checks of kube-score that say several things, and the one that is excused."""


def files_of(site: str) -> Files:
    """Return the output of a real site or of a variant."""
    result = compiled(VARIANTS[site]) if site in VARIANTS else compiled(site=site)
    assert result.files, [(d.code, d.message) for d in result.diagnostics]
    return result.files


def places(found: Iterator[Found]) -> Counter[tuple[str, str, str]]:
    """Return findings without their words, counted."""
    return Counter((each.judge, each.check, each.path) for each in found)


def program(judge: str) -> str:
    """Return a judge's program, or skip: the quick ones have to be there, the others are an opt-in."""
    name = {**OF_OBJECTS, **OF_TEXT}[judge].program
    return need(name) if judge in QUICK else optional(name, "judges")


def asked(name: str) -> object:
    """Mark the tests of a judge that only `make judges` asks."""
    return pytest.param(name, marks=() if name in QUICK else pytest.mark.judges)


def explained(found: Found) -> bool:
    """Tell whether RUNBOOK.md has a word about a finding."""
    return any(
        (word.judge, word.check) == (found.judge, found.check) and re.search(word.line, found.text) for word in WORDS
    )


@pytest.mark.slow
@pytest.mark.parametrize("judge", [asked(name) for name in OF_OBJECTS])
@pytest.mark.parametrize("site", SITES)
def test_a_judge_of_objects_finds_what_they_say_and_nothing_else(judge: str, site: str, tmp_path: Path) -> None:
    """Without the reasons it finds exactly what they are for, object by object; with them it finds nothing."""
    path, ask, files = program(judge), OF_OBJECTS[judge].ask, files_of(site)
    found = list(ask(path, write(bare(files), tmp_path / "bare")))
    said = places(each for each in claimed(files) if each.judge == judge)
    if judge == "checkov":  # it takes some names of keys for secrets, by how even their letters are
        said = Counter({place: found_there for place, found_there in said.items() if place[1] != "CKV_SECRET_6"})
        found = [each for each in found if each.check != "CKV_SECRET_6"]
    assert places(iter(found)) == said
    assert [each for each in found if each.text != MEANT.get(each.check, each.text)] == []
    assert list(ask(path, write(files, tmp_path / "worn"))) == []


@pytest.mark.slow
@pytest.mark.parametrize("judge", [asked(name) for name in OF_TEXT])
@pytest.mark.parametrize("site", [*REAL_SITES, "flux"])
def test_a_judge_of_text_finds_what_the_runbook_explains(judge: str, site: str, tmp_path: Path) -> None:
    """No finding is without its word."""
    found = list(OF_TEXT[judge].ask(program(judge), write(files_of(site), tmp_path)))
    assert [each for each in found if not explained(each)] == []
    if any(word.judge == judge for word in WORDS) and judge != "gitleaks" and site in ("flux", "jhe-example"):
        assert found, "a judge that finds nothing was not asked"


@pytest.mark.slow
@pytest.mark.parametrize("word", WORDS, ids=lambda word: f"{word.judge}-{word.check}-{WORDS.index(word)}")
def test_no_word_is_about_nothing(word: object, tmp_path: Path) -> None:
    """Each word of RUNBOOK.md explains a finding in a real site, or in the variant with Flux and External Secrets."""
    one = next(each for each in WORDS if each is word)
    judge = OF_TEXT[one.judge]
    path = need(judge.program) if one.judge in QUICK else find(judge.program)
    if path is None:
        pytest.skip(f"{judge.program} is absent: run `make judges`")
    for site in ("berkeley-demo", "flux", "jhe-example"):
        for each in judge.ask(path, write(files_of(site), tmp_path / site)):
            if each.check == one.check and re.search(one.line, each.text):
                return
    pytest.fail("nothing is found that it explains")


def test_every_excuse_is_used_by_a_site() -> None:
    """Each excuse is in the output of a site above, where the judges are asked about it."""
    used = {(each.judge, each.check) for site in SITES for each in claimed(files_of(site))}
    assert used >= CHECKS
    assert used - CHECKS == {("checkov", remark.checks[0][1]) for remark in REMARKS}


@pytest.mark.parametrize("excuse", [*OBJECTS, *RESOURCES], ids=lambda excuse: excuse.name)
def test_a_reason_is_one_that_checkov_can_read(excuse: object) -> None:
    """Checkov ends a reason at `=`; and it is short enough to be read in an object."""
    one = next(each for each in (*OBJECTS, *RESOURCES) if each is excuse)
    assert "=" not in one.reason
    assert 10 < len(one.reason) <= 120


def test_what_a_patch_mends_is_no_longer_excused() -> None:
    """The reasons are those of the object as it is after the spec's patches."""
    limit = [{"op": "add", "path": "/spec/template/spec/containers/0/resources/limits/cpu", "value": "2"}]
    patch = {"target": {"kind": "Deployment", "name": "exchange"}, "patch": limit}
    before, after = compiled(), compiled({"patches": [patch]})
    name = "checkov.io/skip-cpu-limit"
    assert name in before.one("Deployment", "exchange")["metadata"]["annotations"]
    assert name not in after.one("Deployment", "exchange")["metadata"]["annotations"]
    assert name in after.one("Job", "migrate")["metadata"]["annotations"]


def test_a_tag_that_moves_is_not_excused() -> None:
    """That the node keeps an image is safe where its tag stays; for `main` the judges may speak."""
    for tag, excused in (("v0.0.13", True), ("main", False)):
        annotations = compiled({"image__tag": tag, "environment": "staging"}).one("Job", "migrate")["metadata"][
            "annotations"
        ]
        assert ("checkov.io/skip-pull-policy" in annotations) is excused
        assert ("container-image-pull-policy" in annotations["kube-score/ignore"]) is excused


def test_reasons_restart_nothing() -> None:
    """They stand on the object, never on a pod's template, and a Job's name does not depend on them."""
    files = compiled().files
    for path, text in files.items():
        if path.startswith("manifests/") and "template:" in text:
            assert not re.search(r"^ {3,}(?:checkov|kube-score|ignore-check)", text.split("\nspec:\n")[1], re.MULTILINE)
    assert compiled().one("Job", "migrate")["metadata"]["name"] in bare(files)["manifests/30-migrate/job-migrate.yaml"]


def test_a_remark_touches_no_text_inside_a_value() -> None:
    """A script among a hub's values that happens to hold the line keeps its bytes."""
    script = "hub:\n  existingSecret: hub-secrets\n"
    values = {"singleuser": {"extraFiles": {"a": {"mountPath": "/a", "stringData": script}}}}
    for engine in (ARGOCD, FLUX):
        result = compiled({**IN_CLUSTER, **engine, "hubs__0__values": values})
        assert result.hub["singleuser"]["extraFiles"]["a"]["stringData"] == script
        assert result.hub["hub"]["existingSecret"] == "hub-secrets"
        assert result.files["hubs/hub/values.yaml"].count("pragma: allowlist secret") == 1


@pytest.mark.parametrize("value", ["two", None, [], {"containers": None}, {"containers": [{"image": 1}]}])
@pytest.mark.parametrize("path", ["/spec/template/spec", "/spec/replicas", "/spec/strategy", "/metadata/annotations"])
def test_an_object_of_another_shape_is_left_to_the_schemas(path: str, value: object) -> None:
    """A patch may do anything to an object: that is an error of the spec, and no bug."""
    operation = {"op": "add", "path": path, "value": value}
    patch = {"target": {"kind": "Deployment", "name": "exchange"}, "patch": [operation]}
    assert compiled({"patches": [patch]}).codes()
