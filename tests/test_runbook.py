"""The runbook: complete for its site, true to its files, and safe whatever the spec holds."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jhecfg.artifact import Artifact
from jhecfg.releases import find_release
from jhecfg.render import render
from jhecfg.render.picture import label
from jhecfg.render.runbook_prepare import ENFORCEMENT
from jhecfg.render.steps import block, code, command, table, text
from jhecfg.rules.schema import schema_violations
from jhecfg.site import Site
from jhecfg.source import load
from tests.aws_site import HUB, make
from tests.shell import blocks, commands, unknown_options
from tests.tools import ROOT, need

REPO = "git@git.example.org:health/deploy.git"
FAR = {**HUB, "name": "far", "domain": "far.example.org", "deploy": "external"}
EVIL = "x'\"`$(touch PWNED)`;touch PWNED;#${IFS}\n```\ntouch PWNED\nSQL\n| </table> [a](javascript:b) <!--"
VPC = {"region": "us-east-2", "id": "vpc-0123456789abcdef0", "allowFrom": ["sg-0123456789abcdef0"],
       "subnets": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}  # fmt: skip
PLAIN = {"cluster": None, "database__rds": None, "hubs": [{**HUB, "storage": {"storageClass": "standard"}}]}
SITES: dict[str, dict[str, Any]] = {
    "everything": {
        "hubs": [HUB, FAR],
        "exchange__mcp": {"domain": "mcp.example.org"},
        "exchange__wearables": {"apiUrl": "https://ow.example.org"},
        "exchange__smtp": {"host": "mail.example.org", "user": "jhe"},
        "orgs": [{"name": "Example Lab", "id": 20001, "type": "laboratory", "managers": ["mary@example.org"]}],
        "image__pullSecrets": ["registry"],
    },
    "argocd": {"gitops": {"engine": "argocd", "repo": REPO}, "secrets__backend": "external-secrets"},
    "flux": {"gitops": {"engine": "flux", "repo": REPO}, "ingress__dns": "external-dns"},
    "nginx": {"ingress__controller": "ingress-nginx", "cluster__version": "1.35"},
    "existing-cluster": PLAIN,
    "own-network": {**PLAIN, "database__rds": {"vpc": VPC}},
    "shared-gateway": {**PLAIN, "ingress__gateway": {"name": "shared", "namespace": "edge"}, "secrets__region": "us-east-2",
                       "secrets__backend": "external-secrets", "secrets__store": "university"},
    "own-edge": {**PLAIN, "ingress__controller": "none"},
    "own-certificates": {**PLAIN, "ingress__issuer": "none", "ingress__className": "shared"},
    "own-secrets": {**PLAIN, "database__passwordFrom": {"name": "theirs", "key": "pw"}, "secrets__backend": "external-secrets",
                    "secrets__region": "us-east-2"},
    "release-10": {"image__tag": "v0.0.10", "database__sslMode": "require"},
    "staging": {"ingress__issuer": "letsencrypt-staging", "domain": "example.org", "cluster__mode": "auto-mode", "cluster__nodeGroups": None},
    "hostile": {
        "exchange__smtp": {"host": "mail.example.org", "user": EVIL},
        "exchange__title": "1. - Title | <b>'\"; touch PWNED;" .replace("<b>", ""),
        "orgs": [{"name": "Lab \"'<img src=x>|;[a](b)&lt;\u202e#~~x~~", "id": 20001, "type": "laboratory"}],
        "hubs__0": None,
    },
}  # fmt: skip
SITES["hostile"].pop("hubs__0")
SITES["hostile"]["hubs"] = [{**HUB, "access": {"orgs": [SITES["hostile"]["orgs"][0]["name"]]}}]
EVERY = pytest.mark.parametrize("name", sorted(SITES))


@cache
def site_named(name: str) -> Site:
    """Resolve one of the sites above."""
    return make(**SITES[name])


@cache
def rendered(name: str) -> tuple[str, frozenset[str]]:
    """Return a site's page and the paths of its files."""
    artifacts = render(site_named(name))
    page = next(artifact.tree for artifact in artifacts if artifact.path == "RUNBOOK.md")
    assert isinstance(page, str)
    return page, frozenset(artifact.path for artifact in artifacts)


# --- true -------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@EVERY
def test_every_shell_block_parses(name: str) -> None:
    """`bash -n` accepts each block by itself."""
    bash = need("bash")
    page, _ = rendered(name)
    assert len(blocks(page, "bash")) > 8
    for body in blocks(page, "bash"):
        done = subprocess.run([bash, "-n"], input=body, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (body, done.stderr)


@EVERY
def test_every_file_that_the_page_names_is_in_the_output(name: str) -> None:
    """Commands and prose refer to files and folders that jhecfg writes for this very site."""
    page, paths = rendered(name)
    folders = {str(parent) for path in paths for parent in Path(path).parents}
    named = set(re.findall(r"(?<![\w/.-])(?:manifests|helm|hubs|gitops|cluster)/[\w./-]+", page))
    assert {path for path in named if path.rstrip("/.") not in paths | folders} == set()
    options = ("--filename", "--values", "--kustomize", "--config-file", "--template-file")
    for words in commands(page):
        for option, value in pairwise(words):
            assert option not in options or value in paths | folders, words


@pytest.mark.slow
@EVERY
def test_every_option_exists(name: str) -> None:
    """The help of kubectl itself, the lists above, and our own command line know each option that the page uses."""
    kubectl = need("kubectl")
    page, _ = rendered(name)
    for words in commands(page):
        assert unknown_options(words, kubectl) == set(), words


@pytest.mark.slow
@pytest.mark.parametrize("site", ["specs/jhe-example.yaml", "examples/02-one-hub.yaml", "examples/01-exchange.yaml"])
def test_the_commands_that_add_a_hub_add_it(site: str, tmp_path: Path) -> None:
    """Run as they stand, in the folder of the page: the spec gets a hub, is planned and built, where it was built before."""
    ours = Path(sys.executable).parent / "jhecfg"
    name = load(ROOT / site).tree["site"]
    shutil.copytree(
        (ROOT / site).parent, tmp_path / "specs", ignore=lambda _, names: {n for n in names if n.startswith("b")}
    )
    spec = (tmp_path / "specs" / Path(site).name).rename(tmp_path / "specs" / f"{name}.yaml")
    environment = {
        **os.environ,
        "PATH": f"{ours.parent}{os.pathsep}{os.environ['PATH']}",
        "XDG_CACHE_HOME": str(tmp_path / "c"),
    }

    def run(*words: str, cwd: Path) -> str:
        return subprocess.run(words, cwd=cwd, env=environment, check=True, capture_output=True, text=True).stdout

    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "add", "specs", cwd=tmp_path)
    run("git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "a", cwd=tmp_path)
    run(str(ours), "build", "-q", str(spec), cwd=tmp_path)
    page = (tmp_path / "out" / name / "RUNBOOK.md").read_text()
    (script,) = [body for body in blocks(page, "bash") if "hubs[$hub]" in body]
    said = run("bash", "-euc", script, cwd=tmp_path / "out" / name)
    assert "hub new-hub: opens at" in said
    assert (tmp_path / "out" / name / "hubs" / "new-hub" / "values.yaml").is_file()


# --- complete ---------------------------------------------------------------------------------------------------------


@EVERY
def test_every_secret_of_the_site_is_listed_made_and_stored(name: str) -> None:
    """Each key is in the table, and in that of rotations where it is the site's own; two commands do the rest."""
    page, _ = rendered(name)
    site = site_named(name)
    for secret in site.secrets:
        for item in secret.items:
            assert f"| `{secret.namespace}/{secret.name}` | `{item.key}` |" in page
            assert (f"| `{secret.namespace}/{secret.name}/{item.key}` |" in page) == secret.owned
    run = [words[:3] for words in commands(page) if words[:2] == ["jhecfg", "secrets"] and words[2] != "show"]
    assert run == [["jhecfg", "secrets", each] for each in ("init", "apply", "rotate", "apply")]


@EVERY
def test_every_host_and_every_hub_has_its_place(name: str) -> None:
    """Names to resolve, callback addresses and client ids are all written down."""
    page, _ = rendered(name)
    site = site_named(name)
    assert all(host in page for host, _ in site.hosts)
    for hub in site.hubs:
        assert hub.callback_url in page
        assert hub.client_id in page


def test_a_page_says_only_what_applies_to_its_site() -> None:
    """No cluster, no database of its own, no engine: no command about them."""
    page, _ = rendered("existing-cluster")
    for word in ("eksctl", "aws ", "argocd", "flux", "external-dns", "MCP"):
        assert word not in page
    assert "## 3. The database" in page


def test_an_existing_cluster_proves_that_it_enforces_policies() -> None:
    """The commands are constants, in a namespace of their own, and their policy is one that Kubernetes takes."""
    proof = "\n".join(ENFORCEMENT)
    assert all(proof in rendered(name)[0] for name in SITES if SITES[name].get("cluster", ...) is None)
    assert proof not in rendered("everything")[0]
    policy = json.loads(proof[proof.index("{") : proof.rindex("}") + 1])
    policy["metadata"]["namespace"] = "jhecfg-check"
    assert list(schema_violations([Artifact("manifests/20-config/x.yaml", policy)], "1.36")) == []
    assert proof.startswith("kubectl create namespace jhecfg-check\n")
    assert proof.endswith("\nkubectl delete namespace jhecfg-check")


def test_argo_cd_and_flux_take_one_command() -> None:
    """With an engine the page hands over once, and never applies a phase or installs a chart."""
    for name, file in (("argocd", "application-root.yaml"), ("flux", "kustomization-site.yaml")):
        page, _ = rendered(name)
        assert f"{file}\n```" in page
        deliver = page.split(". Deliver\n")[1].split("\n## ")[0]
        assert "helm upgrade" not in deliver
        assert "--kustomize" not in page


def test_an_upgrade_that_breaks_the_older_pods_says_so() -> None:
    """Whether users see errors in between is a fact of the release, not a guess."""
    page = next(str(a.tree) for a in render(make(image__tag="v0.0.12")) if a.path == "RUNBOOK.md")
    release = find_release("v0.0.12")
    assert all(words in page for words in (release.breaks, release.deletes, release.stops, release.loses))
    assert "users see no errors" in rendered("release-10")[0]


def test_a_phase_by_hand_waits_for_its_job() -> None:
    """The Job is waited for by its file, so that the page does not change with its name."""
    page, _ = rendered("everything")
    assert "--for=condition=Complete --timeout=35m --filename manifests/30-migrate/job-migrate.yaml" in page
    assert not re.search(r"job/(migrate|bootstrap)-[0-9a-f]{10}", page)


def test_the_page_is_the_same_for_another_image() -> None:
    """Only what is about the release differs between two releases, so that a diff shows what an upgrade means."""
    one, two = (render(make(image__tag=tag)) for tag in ("v0.0.12", "v0.0.13"))
    pages = [next(str(a.tree) for a in artifacts if a.path == "RUNBOOK.md") for artifacts in (one, two)]
    sections = [dict(part.partition("\n")[::2] for part in page.split("\n## ")) for page in pages]
    assert sections[0].keys() == sections[1].keys()
    differing = [title.split(". ")[-1] for title in sections[0] if sections[0][title] != sections[1][title]]
    assert differing[1:] == ["Upgrade", "Roll back"]


# --- safe -------------------------------------------------------------------------------------------------------------

_STUB = """#!/bin/sh
printf '%s\\n' "$0 $*" >> "$LOG"
case "$0 $*" in
  *"/jhecfg secrets show "*) printf application-password ;;
  *get-secret-value*) echo '{"password": "master-password"}' ;;
  *"exec --stdin"*) cat >> "$STDIN" ;;
esac
"""


@pytest.mark.slow
@EVERY
def test_running_the_page_runs_nothing_of_the_spec_and_shows_no_secret(name: str, tmp_path: Path) -> None:
    """Outside tools are stubs that note their arguments: no value of the spec is executed, no secret is an argument."""
    page, _ = rendered(name)
    tools = tmp_path / "tools"
    tools.mkdir()
    for tool in ("jhecfg", "kubectl", "helm", "aws", "eksctl", "curl", "sleep", "ssh-keygen", "ssh-keyscan"):
        (tools / tool).write_text(_STUB)
        (tools / tool).chmod(stat.S_IRWXU)
    script = "\n".join(blocks(page, "bash"))
    folder = tmp_path / "site"
    folder.mkdir()
    environment = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TMPDIR": str(tmp_path),
        **{key: str(tmp_path / key.lower()) for key in ("LOG", "STDIN")},
    }
    done = subprocess.run(
        [need("bash")],
        input=script,
        env=environment,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "syntax error" not in done.stderr
    assert "command not found" not in done.stderr
    assert list(tmp_path.rglob("PWNED")) == []
    argued, piped = (tmp_path / "log").read_text(), tmp_path / "stdin"
    for secret in ("application-password", "master-password"):
        assert secret not in argued + done.stdout + done.stderr
        assert (site_named(name).database.rds is None) or secret in piped.read_text().split("\n")


def test_a_hostile_value_ends_no_block_and_makes_no_markup() -> None:
    """Outside blocks and code, nothing of the spec is a link, an image, HTML, a heading or a table cell."""
    page, _ = rendered("hostile")
    prose = re.sub(r"(?ms)^(`{3,})\w+\n.*?^\1$", "", page)
    prose = re.sub(r"(`+)[^\n]*?(?<!`)\1(?!`)", "", prose)
    assert "touch PWNED\n" not in prose
    assert "<img" not in prose.replace("\\<", "")
    assert "](" not in prose.replace("\\]", "")
    assert "\n1. " not in prose
    for line in prose.split("\n"):
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) in (3, 4, 5, 6)


def test_a_label_of_the_picture_holds_no_syntax() -> None:
    """Every character that is not plain is written as its number."""
    shown = label('a"]; click b "javascript:c" %% <script>`#35;&', "second")
    assert shown == (
        '"a#34;#93;#59; click b #34;javascript:c#34; #37;#37; #60;script#62;#96;#35;35#59;#38;<br/>second"'
    )


@EVERY
def test_the_picture_is_balanced_and_its_labels_are_plain(name: str) -> None:
    """One Mermaid block, each subgraph ended, each label in quotes without anything that Mermaid reads."""
    page, _ = rendered(name)
    (body,) = blocks(page, "mermaid")
    lines = [line.strip() for line in body.split("\n")]
    assert lines[0] == "flowchart LR"
    assert sum(line.startswith("subgraph ") for line in lines) == lines.count("end")
    for line in lines:
        assert line.count('"') % 2 == 0
        for quoted in re.findall(r'"([^"]*)"', line):
            assert re.fullmatch(r"(?:[^\"<>`\[\]{}|;#]|#\d+;|<br/>)*", quoted), quoted


def test_two_hundred_hubs_stay_one_picture() -> None:
    """The picture draws a dozen hubs and counts the rest; the page still has all of them."""
    hubs = [{**HUB, "name": f"h{i}", "domain": f"h{i}.example.org"} for i in range(200)]
    page = next(str(a.tree) for a in render(make(hubs=hubs)) if a.path == "RUNBOOK.md")
    (body,) = blocks(page, "mermaid")
    assert "and 188 more hubs" in body
    assert len(body) < 8000
    assert page.count("### h") == 200


# --- the shapes of a page -----------------------------------------------------------------------------------------------


def test_a_fence_is_longer_than_any_in_its_body() -> None:
    """A body with fences of its own stays inside."""
    assert block("bash", "a\n````\nb").startswith("`````bash\n")


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("plain-text (a), b!", "plain-text (a), b!"),
        ("- item", "\\- item"),
        ("1. item", "&#49;. item"),
        ("a_b*c", "a\\_b\\*c"),
        ("<b>\n# x", "\\<b\\> # x"),
        ("a|b", "a\\|b"),
    ],
)
def test_text_is_shown_as_it_is(value: str, written: str) -> None:
    """Markup is escaped where it would be markup, and nowhere else."""
    assert text(value) == written


def test_code_and_tables_hold_any_value() -> None:
    """Backticks get a longer fence; a bar in a cell does not end it."""
    assert code("a`b") == "``a`b``"
    assert code("`") == "`` ` ``"
    assert table(("a",), [("x|y",)]).split("\n")[2] == "| x\\|y |"


def test_a_long_command_has_an_option_a_line() -> None:
    """Short ones stay on one line."""
    assert command("a", "--b", "c") == "a --b c"
    assert (
        command("tool " + "x" * 90, "--first", "1", "--second", "2")
        == "tool " + "x" * 90 + " \\\n  --first 1 \\\n  --second 2"
    )
