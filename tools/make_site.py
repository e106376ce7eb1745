"""Build the documentation's site: gather the pages, and let Material for MkDocs make HTML of them.

    python tools/make_site.py             # .site/html, with the mkdocs of `make tools`
    python tools/make_site.py FOLDER      # FOLDER/html

Pages stay where GitHub shows them. For the site they are copied below FOLDER/pages, with links rewritten: README.md is
the first page, and what a page links to outside of docs/, such as a spec or a module, comes along as a page of its own.
So no link leaves the site, wherever it lies, and nothing has to know where the repository is.
"""

from __future__ import annotations

import html
import os
import posixpath
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parent.parent
TOOLS = ROOT / ".tools"
SCRIPTS = ("mermaid.js", "iframe-worker.js")
"""What the site would fetch from elsewhere; `make tools` brings them."""
FILES = "files"
"""Folder of the site for what pages link to outside of the documentation."""

_LINK = re.compile(r"(?<!!)\[((?:[^\[\]]|\[[^\[\]]*\])*)\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^(`{3,})(\w*)\n(.*?)^\1$", re.MULTILINE | re.DOTALL)
_BAR = re.compile(r"`([^`\n]*\\\|[^`\n]*)`")
"""Code with a bar, in a cell of a table: GitHub drops the backslash there, Python-Markdown shows it."""
_MARK = re.compile(r"^<!-- [a-z]+: .*? -->\n|^<!-- /?speed -->\n", re.MULTILINE)
LANGUAGES = {".py": "python", ".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml"}

Nav = list[Any]

# Pygments takes a `#` in what a command prints for the prompt of root, so sessions are not left to it.
_COMMAND = re.compile(r"^(\$ )((?:.*\\\n)*.*)$", re.MULTILINE)


def _session(fence: re.Match[str]) -> str:
    """Return a session as HTML: prompts, commands and output are told apart. Nothing for other blocks."""
    if fence[2] != "console":
        return ""
    parts, at, body = [], 0, html.escape(fence[3].rstrip("\n"), quote=False)
    for command in _COMMAND.finditer(body):
        parts += [_span("go", body[at : command.start()]), _span("gp", command[1]), command[2]]
        at = command.end()
    return f'<div class="highlight"><pre><code>{"".join([*parts, _span("go", body[at:])])}</code></pre></div>'


def _span(kind: str, text: str) -> str:
    return f'<span class="{kind}">{text}</span>' if text else ""


def nav() -> Nav:
    """Return the order of the site, with the decisions in it; pages by their path in the repository."""
    order: Nav = yaml.safe_load((ROOT / "tools" / "site" / "nav.yml").read_text(encoding="utf-8"))
    return _expanded(order)


def _expanded(order: Nav) -> Nav:
    found: Nav = []
    for entry in order:
        if isinstance(entry, str) and entry.endswith("/"):
            found += sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / entry).glob("*.md"))
        elif isinstance(entry, dict):
            found += [{name: _expanded(below) if isinstance(below, list) else below} for name, below in entry.items()]
        else:
            found.append(entry)
    return found


def pages(order: Nav) -> Iterator[str]:
    """Yield the pages of an order, by their path in the repository."""
    for entry in order:
        if isinstance(entry, str):
            yield entry
        elif isinstance(entry, dict):
            for below in entry.values():
                yield from pages([below] if isinstance(below, str) else below)


def titles(order: Nav) -> dict[str, str]:
    """Return the title of each page that has one in an order."""
    found: dict[str, str] = {}
    for entry in order:
        for title, below in entry.items() if isinstance(entry, dict) else ():
            found |= {below: title} if isinstance(below, str) else titles(below)
    return found


def address(page: str) -> str:
    """Return where a page of the repository stands on the site."""
    if page == "README.md":
        return "index.md"
    return page.removeprefix("docs/") if page.startswith("docs/") else page


def gather(folder: Path) -> None:
    """Write FOLDER/pages and FOLDER/mkdocs.yml: everything that the site is made of."""
    order, target = nav(), folder / "pages"
    shutil.rmtree(target, ignore_errors=True)
    site = Site(set(pages(order)), titles(order))
    for page in sorted(site.pages):
        _write(target / address(page), site.rewritten(page))
    while site.wanted:
        path = site.wanted.pop()
        _write(target / site.place(path), site.shown(path))
    (target / "assets").mkdir()
    shutil.copy(ROOT / "tools" / "site" / "site.css", target / "assets")
    shutil.copy(ROOT / "docs" / "jhecfg.schema.json", target)
    for script in SCRIPTS:
        if (TOOLS / "scripts" / script).exists():
            shutil.copy(TOOLS / "scripts" / script, target / "assets")
    _write(folder / "mkdocs.yml", _config(order))


def _config(order: Nav) -> str:
    """Return the configuration of tools/site/mkdocs.yml with its folders and its order; tags are left to mkdocs."""
    text = (ROOT / "tools" / "site" / "mkdocs.yml").read_text(encoding="utf-8")
    text = text.replace("  name: material\n", f"  name: material\n  custom_dir: {ROOT / 'tools' / 'site' / 'theme'}\n")
    added = {"docs_dir": "pages", "site_dir": "html", "nav": _addressed(order), "not_in_nav": f"/{FILES}/"}
    return text + yaml.safe_dump(added, sort_keys=False, allow_unicode=True)


def _addressed(order: Nav) -> Nav:
    return [
        address(entry)
        if isinstance(entry, str)
        else {name: address(below) if isinstance(below, str) else _addressed(below) for name, below in entry.items()}
        for entry in order
    ]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class Site:
    """The pages of the site, and the files of the repository that they want along."""

    def __init__(self, pages: set[str], titles: dict[str, str]) -> None:
        self.pages = pages
        self.titles = titles | {name.removeprefix("docs/"): title for name, title in titles.items()}
        self.wanted: set[str] = set()
        self.there: set[str] = set()

    def rewritten(self, page: str) -> str:
        """Return a page as the site has it: its links lead to pages of the site, marks for make_docs.py are gone."""
        text = (ROOT / page).read_text(encoding="utf-8")
        parts, at = [], 0
        for fence in _FENCE.finditer(text):
            parts += [self._prose(page, text[at : fence.start()]), _session(fence) or fence[0]]
            at = fence.end()
        head = "---\nhide: [navigation]\n---\n\n" if page == "README.md" else ""
        return "".join([head, *parts, self._prose(page, text[at:])])

    def _prose(self, page: str, text: str) -> str:
        text = _BAR.sub(lambda found: f"<code>{html.escape(found[1]).replace(chr(92) + '|', '&#124;')}</code>", text)
        text = _MARK.sub("", text)
        return _LINK.sub(lambda found: f"[{self._named(found[1])}]({self._target(page, found[2])})", text)

    def _named(self, text: str) -> str:
        """Return a link's text: the title of a page whose file GitHub's readers see there."""
        return self.titles.get(text, text)

    def _target(self, page: str, target: str) -> str:
        path, _, anchor = target.partition("#")
        if "://" in target or not path:
            return target
        wanted = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        if wanted in self.pages:
            there = address(wanted)
        else:
            there = self.place(wanted)
            if wanted not in self.there:
                self.there.add(wanted)
                self.wanted.add(wanted)
        relative = posixpath.relpath(there, posixpath.dirname(self._at(page)) or ".")
        return relative + (f"#{anchor}" if anchor else "")

    def _at(self, page: str) -> str:
        return address(page) if page in self.pages else self.place(page)

    def place(self, path: str) -> str:
        """Return where a file or folder of the repository stands on the site."""
        return f"{FILES}/{path}/index.md" if (ROOT / path).is_dir() else f"{FILES}/{path}.md"

    def shown(self, path: str) -> str:
        """Return a file of the repository as a page, or a folder as a list of what is in it."""
        head = "---\nsearch:\n  exclude: true\n---\n\n"
        if (ROOT / path).is_dir():
            done = subprocess.run(["git", "ls-files", path], cwd=ROOT, capture_output=True, text=True, check=True)
            rows = (
                f"- [`{name}`]({self._target(f'{path}/x', posixpath.relpath(name, path))})"
                for name in done.stdout.split()
            )
            return f"{head}# {path}/\n\n" + "\n".join(rows) + "\n"
        text = (ROOT / path).read_text(encoding="utf-8")
        fence = "`" * (3 + max((len(found) for found in re.findall(r"`{3,}", text)), default=0))
        return f"{head}# {path}\n\n{fence}{LANGUAGES.get(Path(path).suffix, 'text')}\n{text.rstrip()}\n{fence}\n"


def build(folder: Path) -> int:
    """Gather the pages and build the site; return mkdocs' exit code."""
    mkdocs = TOOLS / "site" / "bin" / "mkdocs"
    if not (mkdocs.exists() and all((TOOLS / "scripts" / script).exists() for script in SCRIPTS)):
        print("mkdocs or the site's scripts are absent: run `make tools`")
        return 5
    gather(folder)
    command = [str(mkdocs), "build", "--strict", "--quiet", "--config-file", str(folder / "mkdocs.yml")]
    return subprocess.run(command, check=False, env={**os.environ, "NO_MKDOCS_2_WARNING": "1"}).returncode


if __name__ == "__main__":
    where = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / ".site").resolve()
    code = build(where)
    print(f"{where / 'html' / 'index.html'}" if code == 0 else "the site is not built")
    sys.exit(code)
