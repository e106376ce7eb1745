"""graph: the site as Mermaid, the same as in its runbook, and as SVG in which nothing of a spec is markup."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from jhecfg.cli import run
from jhecfg.render.drawing import drawing
from jhecfg.render.svg import fitted
from jhecfg.resolve import resolve
from jhecfg.site import Site
from jhecfg.source import load
from jhecfg.spec import SiteSpec
from tests.compiled import ARGOCD, EXAMPLE, IN_CLUSTER, MCP, changed
from tests.tools import ROOT

Said = Callable[..., tuple[int, str, str]]
SVG = "{http://www.w3.org/2000/svg}"
HUB = {**EXAMPLE["hubs"][0], "storage": {"storageClass": "gp3"}}
HOSTILE = "</svg><script>alert(1)</script> \"a\" 'b' [x] ]]> <!-- -- & &#0; %% end"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Said:
    """Return a call of the command line in the repository: its exit code, and what it printed."""
    monkeypatch.chdir(ROOT)

    def call(*words: str) -> tuple[int, str, str]:
        code = run(["graph", *words])
        return code, *capsys.readouterr()

    return call


def site(**changes: Any) -> Site:
    """Return the example site with changes by path."""
    return resolve(SiteSpec.model_validate(changed(EXAMPLE, changes))).site


def hubs(count: int, external: int = 0) -> list[dict[str, Any]]:
    """Return so many hubs, the first ones elsewhere."""
    places = ["external" if n < external else "cluster" for n in range(count)]
    return [{**HUB, "name": f"h{n}", "domain": f"h{n}.example.org", "deploy": place} for n, place in enumerate(places)]


SITES = {
    "none": site(hubs=[]),
    "one": site(**IN_CLUSTER, **ARGOCD),
    "three": site(hubs=hubs(3, 1), **MCP, ingress={"dns": "external-dns"}),
    "twelve": site(hubs=hubs(12, 12), cluster=None, database__rds=None, ingress={"controller": "none"}),
    "many": site(hubs=hubs(40)),
}
EVERY = pytest.mark.parametrize("name", SITES)


def boxes(root: ElementTree.Element) -> list[tuple[str, float, float, float, float]]:
    """Return every rectangle: what it is, its left, top, right and bottom."""
    found = []
    for rect in root.iter(f"{SVG}rect"):
        x, y, width, height = (float(rect.get(key, "")) for key in ("x", "y", "width", "height"))
        found.append((rect.get("class", ""), x, y, x + width, y + height))
    return found


@pytest.mark.parametrize("name", ["jhe-example", "berkeley-demo", "berkeley-staging"])
def test_the_mermaid_picture_is_the_runbooks(said: Said, name: str) -> None:
    """There is one picture of a site."""
    code, out, err = said(f"specs/{name}.yaml")
    assert (code, err) == (0, "")
    assert f"```mermaid\n{out}```" in (ROOT / "out" / name / "RUNBOOK.md").read_text(encoding="utf-8")


def test_the_picture_says_where_secrets_are_kept(said: Said) -> None:
    """Each backend has its words."""
    assert "secrets[(" in said("specs/jhe-example.yaml")[1]
    assert "made in the cluster by hand" in drawing(site())
    assert "AWS Secrets Manager" in drawing(site(secrets={"backend": "external-secrets"}))


@EVERY
def test_a_drawing_is_well_formed_and_says_what_it_shows(name: str) -> None:
    """XML with a title and a description, which name the Exchange, and every hub with who may enter."""
    root = ElementTree.fromstring(drawing(SITES[name]))
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "title desc"
    assert title is not None
    assert title.text == "Site jhe-example"
    assert description is not None
    assert description.text is not None
    assert "jhe.example.org" in description.text
    for hub in SITES[name].hubs[:12]:
        assert f"JupyterHub {hub.name}, {'elsewhere' if hub.external else 'in the cluster'}" in description.text


@EVERY
def test_no_card_covers_another_or_leaves_the_page(name: str) -> None:
    """Cards stand apart; hubs of the cluster are in its frame, those elsewhere are not."""
    root = ElementTree.fromstring(drawing(SITES[name]))
    every = boxes(root)
    page = next(box for box in every if box[0] == "page")
    cluster = next(box for box in every if box[0] == "group")
    cards = [box for box in every if box[0] in ("card", "main", "hub", "store")]
    for number, (_, left, top, right, bottom) in enumerate(cards):
        assert page[1] < left < right < page[3]
        assert page[2] < top < bottom < page[4]
        for _, other_left, other_top, other_right, other_bottom in cards[number + 1 :]:
            assert left >= other_right or other_left >= right or top >= other_bottom or other_top >= bottom
    inside = [box for box in cards if box[0] == "hub" and box[4] < cluster[4]]
    assert len(inside) == len([hub for hub in SITES[name].hubs[:12] if not hub.external])


@EVERY
def test_no_line_crosses_a_card(name: str) -> None:
    """Each line runs between cards; only its ends touch one."""
    root = ElementTree.fromstring(drawing(SITES[name]))
    cards = [box for box in boxes(root) if box[0] in ("card", "main", "hub", "store")]
    for path in root.iter(f"{SVG}path"):
        numbers = [float(each) for each in re.findall(r"-?[0-9.]+", path.get("d", ""))]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        for (x0, y0), (x1, y1) in pairwise(points):
            assert x0 == x1 or y0 == y1
            for _, left, top, right, bottom in cards:
                across = min(x0, x1) < right - 1 and max(x0, x1) > left + 1
                assert not (across and min(y0, y1) < bottom - 1 and max(y0, y1) > top + 1)


def test_a_drawing_of_many_hubs_stays_one_picture() -> None:
    """A dozen are drawn, the others counted."""
    text = drawing(SITES["many"])
    assert "and 28 more hubs" in text
    assert len(text) < 40_000


def test_a_drawing_works_on_light_and_dark_ground() -> None:
    """Every colour is said twice, and nothing is fetched from anywhere."""
    text = drawing(SITES["three"])
    light, dark = text.split("@media (prefers-color-scheme: dark)")
    for name in {*re.findall(r'class="([a-z]+)"', text)} - {"title"}:
        assert f".{name} {{" in light
        assert f".{name} {{" in dark.split("</style>")[0]
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]
    assert "url(" not in text


def test_nothing_of_a_spec_is_markup_in_a_drawing() -> None:
    """Names with tags, quotes, entities and hidden characters are text."""
    hostile = site()
    org = hostile.orgs[0]._replace(name=f"{HOSTILE}\u202e\x00\ud800\ufffe")
    hub = hostile.hubs[0]._replace(name='"><svg onload="x', access=hostile.hubs[0].access._replace(group_ids=(org.id,)))
    text = drawing(hostile._replace(orgs=(org,), hubs=(hub,)))
    root = ElementTree.fromstring(text)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "text", "path", "polygon"}
    assert not [key for element in root.iter() for key in element.attrib if key.startswith("on")]
    assert HOSTILE in "".join(root.itertext())
    assert not re.search("[\u202e\x00\ud800\ufffe]", text)


def test_a_drawing_depends_on_the_site_alone() -> None:
    """The same site, the same bytes."""
    assert drawing(SITES["three"]) == drawing(site(hubs=hubs(3, 1), **MCP, ingress={"dns": "external-dns"}))


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("JupyterHealth Exchange v0.0.13", ["JupyterHealth", "Exchange v0.0.13"]),
        ("database-1.abc123.example.org", ["database-1.abc123.", "example.org"]),
        ("x" * 50, ["x" * 20, "x" * 19 + "…"]),
        ("日" * 12, ["日" * 10, "日日"]),
    ],
)
def test_a_text_is_broken_where_one_would_break_it(text: str, lines: list[str]) -> None:
    """Behind a space, or else behind a mark; what does not fit ends in an ellipsis."""
    assert fitted(text, 7.4 * 20 + 1, 2) == lines


def test_a_spec_that_is_wrong_is_not_drawn(said: Said, tmp_path: Path) -> None:
    """1 for the spec, 5 where there is none; nothing on stdout."""
    spec = tmp_path / "lab.yaml"
    spec.write_bytes((ROOT / "tests" / "bad" / "unknown-org.yaml").read_bytes())
    code, out, err = said(str(spec))
    assert (code, out) == (1, "")
    assert "error[unknown-org]" in err
    code, out, err = said(str(tmp_path / "nothing.yaml"), "--format", "svg")
    assert (code, out) == (5, "")
    assert "no such file" in err


def test_every_real_site_has_a_drawing(said: Said) -> None:
    """`--format svg` prints it."""
    for path in sorted((ROOT / "specs").glob("*.yaml")):
        if "site" in load(path).tree:
            code, out, _ = said(path.relative_to(ROOT).as_posix(), "--format", "svg")
            assert code == 0
            assert ElementTree.fromstring(out).tag == f"{SVG}svg"
