"""Attacks on who reads a plan: GitHub's own Markdown makes no link, image, mention or HTML of what a spec says."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options

from jhecfg.cli import run
from jhecfg.plan.markdown import _plain
from tests.test_runbook import SITES, rendered

EVIL = (
    "@octocat", "x@octocat.example", "#1", "octo/repo#1", "https://evil.example/a", "www.evil.example", "xmpp:a@b.example",
    "mailto:a@b.example", "ftp://evil.example", "<img src=x onerror=alert(1)>", "<script>alert(1)</script>",
    "[a](https://evil.example)", "![a](https://evil.example)", "</details>", "<!-- x", "-->", "`", "``` ", "| a | b |",
    "\\| <b>x</b>", "&lt;img&gt;", "&#60;img&#62;", "[a]: https://evil.example", "1. x", "# x", "> x", "- x", "~~~",
    "$x$", "*a*", "_a_", "\\`<i>", "::error::x", "\u202e", "**a**", "\\@octocat", "\\<u>",
)  # fmt: skip
MADE = {"h3", "table", "thead", "tbody", "tr", "th", "td", "strong", "code", "pre", "p", "details", "summary", "ul", "li",
        "blockquote"}  # fmt: skip
"""The elements that a plan is made of."""


class Seen(HTMLParser):
    """The elements of a page, and its text outside of code, as GitHub's filters see it."""

    def __init__(self, page: str) -> None:
        """Read a page."""
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.text = ""
        self._code = 0
        self.feed(cmarkgfm.github_flavored_markdown_to_html(page, options=Options.CMARK_OPT_UNSAFE))
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self._code += tag in ("code", "pre")

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        self._code -= tag in ("code", "pre")

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.text += "" if self._code else data


def acts(text: str) -> list[str]:
    """Return what GitHub would make a mention or a reference of (html-pipeline, mention_filter.rb)."""
    return re.findall(r"(?:^|\W)@[a-zA-Z0-9]|#[0-9]", text)


@pytest.mark.parametrize("evil", EVIL)
def test_a_text_of_a_plan_is_no_markup(evil: str) -> None:
    """In a paragraph and in a cell of a table it is text, and all of it is there."""
    for page in (_plain(evil), f"| a | b |\n| --- | --- |\n| **x** {_plain(evil)} | end |\n"):
        seen = Seen(page)
        assert seen.tags <= MADE
        assert acts(seen.text) == []
        assert "".join(evil.split()).replace("\u202e", "\ufffd") in "".join(seen.text.replace("\u200b", "").split())


def spec(values: dict[str, str]) -> str:
    """Return a spec with free texts."""
    env = "".join(f"      V{n}: {value}\n" for n, value in enumerate(values.values()))
    return f"""apiVersion: jhecfg/v1
site: lab
environment: staging
domain: jhe.example.org
contact: ops@example.org
image: {{tag: v0.0.13}}
database: {{host: db.abc123.us-east-2.rds.amazonaws.com}}
exchange:
  smtp: {{host: smtp.example.org, user: jhe@example.org}}
orgs:
  - {{name: {values["org"]}, id: 20001, type: laboratory}}
hubs:
  - name: hub
    domain: hub.example.org
    deploy: external
    access: {{orgs: [{values["org"]}]}}
    env:
{env}"""


@pytest.mark.parametrize("number", range(0, len(EVIL), 6))
def test_a_plan_on_a_pull_request_holds_nothing_of_the_attackers_but_text(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names of organizations, values and the file's own name come as code or as text, whatever they are."""
    monkeypatch.chdir(tmp_path)
    name = "a|b` @octocat <img src=x> [y](z).yaml"
    evil = [text.replace("'", "''") for text in EVIL[number : number + 6] if text.isprintable()]
    Path("old.yaml").write_text(spec({"org": "'Lab'"}))
    values = {f"v{n}": f"'{text}'" for n, text in enumerate(evil)} | {
        "org": "'@octocat <b>#1</b> | [x](https://evil.example)'"
    }
    Path(name).write_text(spec(values))
    code = run(["plan", name, "--against", "old.yaml", "--format", "markdown"])
    page, err = capsys.readouterr()
    assert code == 0, err
    seen = Seen(page)
    assert "octocat" in page
    assert seen.tags <= MADE
    assert seen.links == []
    assert acts(seen.text) == []


def test_a_runbook_holds_no_element_of_the_attackers() -> None:
    """The page of a site whose texts are hostile has the elements of any other, and its links are addresses of ours."""
    hostile = Seen(rendered("hostile")[0])
    others = [Seen(rendered(name)[0]) for name in SITES if name != "hostile"]
    assert hostile.tags <= {tag for each in others for tag in each.tags}
    assert not [link for link in hostile.links if not link.startswith(("https://", "#", "mailto:ops@"))]
