"""The documentation's site: it has every page, all its links lead somewhere, and reading it asks nobody else."""

from __future__ import annotations

import posixpath
import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import pytest

from tests.tools import ROOT, need
from tools import make_site

EVERY = pytest.mark.slow
PULLING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
"""What a browser fetches by itself when it shows a page."""


def test_no_page_is_forgotten() -> None:
    """Each page of docs/ is in the order of the site, once; so are the pages of the top that people read."""
    there = sorted(make_site.pages(make_site.nav()))
    written = {path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md")}
    top = {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "examples/README.md"}
    assert there == sorted({*written, *top, "out/jhe-example/RUNBOOK.md"})


def test_a_session_is_told_apart() -> None:
    """Commands, with what continues them, are not what is printed; a `#` in an output is no prompt."""
    fence = make_site._FENCE.search("```console\n$ ls <a> \\\n    b\n# x\n$ cat\n```\n")
    assert fence
    assert make_site._session(fence) == (
        '<div class="highlight"><pre><code><span class="gp">$ </span>ls &lt;a&gt; \\\n    b'
        '<span class="go">\n# x\n</span><span class="gp">$ </span>cat</code></pre></div>'
    )


class Page(HTMLParser):
    """The addresses on a page of HTML: what it links to, what the browser fetches for it, and its anchors."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.pulled: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.anchors |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        if tag in PULLING and PULLING[tag] in found:
            self.pulled.append(found[PULLING[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Page]:
    """The site's pages, by their path; strict, so a link or an order that is wrong has failed already."""
    need("mkdocs")
    folder = tmp_path_factory.mktemp("site")
    assert make_site.build(folder) == 0
    html = folder / "html"
    pages = {path.relative_to(html).as_posix(): path for path in html.rglob("*.html")}
    read = {name: Page(path.read_text(encoding="utf-8")) for name, path in pages.items() if name != "404.html"}
    read["/"] = Page("")
    read["/"].links = [path.relative_to(html).as_posix() for path in html.rglob("*") if path.is_file()]
    return read


@EVERY
@pytest.mark.xdist_group("site")
def test_every_link_of_the_site_leads_somewhere(site: dict[str, Page]) -> None:
    """Each link within the site is a file of it, and each anchor is on the page that it names."""
    files = set(site["/"].links)
    lost = []
    for name, page in site.items():
        for link in page.links if name != "/" else ():
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            there = posixpath.normpath(posixpath.join(posixpath.dirname(name), parts.path)) if parts.path else name
            there = (
                f"{there}/index.html".removeprefix("./") if f"{there}/index.html" in files or there == "." else there
            )
            if there not in files or (
                parts.fragment and unquote(parts.fragment) not in {*site[there].anchors, "__top"}
            ):
                lost.append(f"{name}: {link}")
    assert lost == []
    assert len(site) > 60


@EVERY
@pytest.mark.xdist_group("site")
def test_reading_the_site_asks_nobody_else(site: dict[str, Page]) -> None:
    """No page makes the browser fetch from another host; each tells it to refuse; pictures are drawn by what came along."""
    away = [f"{name}: {link}" for name, page in site.items() for link in page.pulled if urlsplit(link).netloc]
    assert away == []
    assert "assets/mermaid.js" in site["/"].links
    drawn = [name for name, page in site.items() if any("mermaid" in link for link in page.pulled)]
    assert "out/jhe-example/RUNBOOK.html" in drawn
    assert "index.html" not in drawn


def test_the_browser_is_told_to_refuse() -> None:
    """The policy that stands on every page lets nothing in but the site itself."""
    text = (ROOT / "tools" / "site" / "theme" / "main.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    words = set(policy.replace(";", " ").split())
    assert words == {"default-src", "script-src", "style-src", "'self'", "'unsafe-inline'", "data:", "blob:"}
