"""The spec in an editor: yaml-language-server, as VS Code and others run it, reads the modeline and the schema."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from jhecfg.diagnostics import SpecError
from jhecfg.pipeline import compile_source
from jhecfg.source import load
from tests.tools import ROOT, need

pytestmark = pytest.mark.slow

SPEC = ROOT / "specs" / "jhe-example.yaml"


class Editor:
    """What an editor does with a language server: opens documents, asks, and listens for diagnostics."""

    def __init__(self, server: str) -> None:
        self.process = subprocess.Popen([server, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 0
        self.diagnostics: dict[str, list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        self.ask("initialize", {"processId": None, "rootUri": ROOT.as_uri(), "capabilities": {}})
        self.tell("initialized", {})
        settings = {"schemaStore": {"enable": False}, "kubernetesCRDStore": {"enable": False}, "completion": True}
        self.tell(
            "workspace/didChangeConfiguration", {"settings": {"yaml": {**settings, "hover": True, "validate": True}}}
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.ask("shutdown", None)
        self.tell("exit", None)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()

    def open(self, path: Path, text: str) -> str:
        """Open a document, whose text need not be on disk; return its address."""
        uri = path.as_uri()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", {"textDocument": document})
        return uri

    def problems(self, uri: str) -> list[dict[str, Any]]:
        """Wait for the diagnostics of a document."""
        while uri not in self.diagnostics:
            self.hear()
        return self.diagnostics[uri]

    def ask(self, method: str, params: object) -> Any:
        """Send a request and return its result."""
        self.number += 1
        self._send({"id": self.number, "method": method, "params": params})
        while True:
            message = self.hear()
            if message.get("id") == self.number and "method" not in message:
                assert "error" not in message, message["error"]
                return message["result"]

    def tell(self, method: str, params: object) -> None:
        """Send a notification."""
        self._send({"method": method, "params": params})

    def hear(self) -> dict[str, Any]:
        """Read one message; answer what the server asks of an editor, and keep diagnostics."""
        assert self.process.stdout is not None
        length = 0
        while line := self.process.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name == b"Content-Length" else length
        message: dict[str, Any] = json.loads(self.process.stdout.read(length))
        if "method" in message and "id" in message:
            asked = message.get("params", {}).get("items", ())  # workspace/configuration wants one answer for each
            self._send({"id": message["id"], "result": [None] * len(asked)})
        elif message.get("method") == "textDocument/publishDiagnostics":
            self.diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self.process.stdin.flush()


@pytest.fixture(scope="module")
def editor() -> Iterator[Editor]:
    """Run the language server, without the network: no schema store."""
    with Editor(need("yaml-language-server")) as running:
        yield running


def place(text: str, needle: str, offset: int = 0) -> dict[str, int]:
    """Return where a piece of text starts, as the protocol counts."""
    before = text[: text.index(needle) + offset]
    return {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}


def test_a_real_spec_has_no_squiggles(editor: Editor) -> None:
    """The modeline of specs/jhe-example.yaml finds the schema, and the schema finds nothing wrong."""
    assert SPEC.read_text().startswith("# yaml-language-server: $schema=../docs/jhecfg.schema.json\n")
    assert editor.problems(editor.open(SPEC, SPEC.read_text())) == []


def test_a_base_and_what_extends_it_have_no_squiggles(editor: Editor) -> None:
    """Neither a base without a site nor a spec that leaves the rest to its base is told that keys are missing."""
    for name in ("berkeley-base.yaml", "berkeley-demo.yaml", "berkeley-staging.yaml"):
        path = SPEC.with_name(name)
        assert editor.problems(editor.open(path, path.read_text())) == [], name


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("domain: jhe.example.org", "domian: jhe.example.org", "Property domian is not allowed."),
        ("deploy: external", "deploy: elsewhere", '"external"'),
        ("domain: jhe.example.org", "domain: https://jhe.example.org", "expected a host name such as jhe.example.org"),
        ("{min: 2, max: 3}", '{min: "2", max: 3}', 'Expected "integer"'),
    ],
)
def test_a_mistake_is_shown_on_its_line(editor: Editor, written: str, instead: str, said: str) -> None:
    """A typo, a value outside a list, a text of another form and a wrong type are marked where they stand, in words."""
    text = SPEC.read_text().replace(written, instead, 1)
    uri = editor.open(SPEC.with_name(f"broken-{len(editor.diagnostics)}.yaml"), text)
    found = [problem for problem in editor.problems(uri) if said in problem["message"]]
    assert [problem["range"]["start"]["line"] for problem in found] == [place(text, instead)["line"]]


def test_a_key_says_what_it_means_when_pointed_at(editor: Editor) -> None:
    """Hovering over `domain` shows the field's description."""
    text = SPEC.read_text()
    uri = editor.open(SPEC, text)
    answer = editor.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": place(text, "\ndomain:", 3)})
    assert "Host name people type to reach the Exchange" in answer["contents"]["value"]
    assert "undefined" not in answer["contents"]["value"]


def test_the_editor_offers_the_keys_that_are_missing(editor: Editor) -> None:
    """Completion at the top level offers `hubs` with its description, and not what is there already."""
    text = SPEC.read_text().split("hubs:")[0]
    uri = editor.open(SPEC.with_name("unfinished.yaml"), text + "h\n")
    position = {"line": text.count("\n"), "character": 1}
    answer = editor.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
    offered = {item["label"]: item for item in answer["items"]}
    assert "hubs" in offered
    assert "orgs" not in offered
    assert "JupyterHubs whose users log in through the Exchange" in json.dumps(offered["hubs"]["documentation"])


HEAD = "# yaml-language-server: $schema=../docs/jhecfg.schema.json\n"
WHOLE = f"""\
{HEAD}apiVersion: jhecfg/v1
site: lab
environment: staging
domain: jhe.example.org
contact: ops@example.org
image: {{tag: v0.0.13}}
database: {{host: db.abc123.us-east-2.rds.amazonaws.com}}
orgs:
  - {{name: Example Lab, id: 20001, type: laboratory}}
hubs:
  - name: hub
    domain: hub.example.org
    deploy: external
    access:
      orgs: [Example Lab]
"""


def shown(editor: Editor, text: str) -> str:
    """Open a text as a new spec; return its address."""
    return editor.open(SPEC.with_name(f"new-{editor.number}-{abs(hash(text))}.yaml"), text)


def completed(editor: Editor, text: str) -> dict[str, dict[str, Any]]:
    """Return what is offered where `|` stands."""
    before = text[: text.index("|")]
    position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
    uri = shown(editor, text.replace("|", "", 1))
    answer = editor.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
    return {item["label"]: item for item in answer["items"]}


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("    deploy: external", "    deplyo: external"),
        ("id: 20001", 'id: "20001"'),
        ("tag: v0.0.13", "tag: 1.10"),
        ("environment: staging", "environment: prod"),
        ("contact: ops@example.org", "contact: nobody"),
        ("type: laboratory", "type: lab"),
        ("      orgs: [Example Lab]\n", "      orgs: [Example Lab]\n      users: [a@example.org]\n"),
        ("      orgs: [Example Lab]\n", "      {}\n"),
        ("    access:\n      orgs: [Example Lab]\n", ""),
        ("  - name: hub\n    domain", "  - domain"),
        ("apiVersion: jhecfg/v1", "apiVersion: v1"),
        ("orgs:\n  - {", "orgs:\n    {"),
    ],
)
def test_an_editor_marks_the_line_that_jhecfg_marks(editor: Editor, written: str, instead: str) -> None:
    """What can be seen without the rules: keys, types, words, forms, who may log in; there, or on the key above."""
    assert written in WHOLE
    text = WHOLE.replace(written, instead)
    lines = {problem["range"]["start"]["line"] + 1 for problem in editor.problems(shown(editor, text))}
    try:
        found = compile_source(load(SPEC.with_name("lab.yaml"), text=text.encode()), "none").diagnostics
    except SpecError as error:
        found = error.diagnostics
    said = {each.span.line for each in found if each.span and each.severity == "error"}
    assert lines
    assert all(any(abs(line - each) <= 2 for each in said) for line in lines), (lines, said)


def test_an_overlay_may_change_who_logs_in(editor: Editor) -> None:
    """`null` takes away what the base says, and is no second answer."""
    text = f"{HEAD}extends: base.yaml\nsite: a\nhubs:\n  - name: hub\n    access: {{orgs: null, anyone: true}}\n"
    assert editor.problems(shown(editor, text)) == []


def test_a_new_file_is_offered_a_whole_site(editor: Editor) -> None:
    """With a place to type for each thing that must be said, and nothing that has a default."""
    offered = completed(editor, f"{HEAD}|")
    assert offered["a new site"]["insertText"].startswith("apiVersion: jhecfg/v1\nsite: ${1:jhe}\n")
    assert "namespace" not in offered["a new site"]["insertText"]
    inside = completed(editor, f"{HEAD}apiVersion: jhecfg/v1\ndatabase:\n  |")
    assert inside["a server"]["insertText"] == "host: ${1:database.example.org}"


def test_a_hub_is_offered_whole_and_key_by_key(editor: Editor) -> None:
    """Inside the list; its words come with what they mean."""
    offered = completed(editor, f"{WHOLE}  - |")
    assert "access:" in offered["a hub"]["insertText"]
    assert "Host name people type to reach the hub." in json.dumps(offered["domain"]["documentation"])
    words = completed(editor, WHOLE.replace("deploy: external", "deploy: |"))
    assert words.keys() == {"cluster", "external"}
    assert "only its values are rendered" in json.dumps(words["external"]["documentation"])
    assert completed(editor, WHOLE.replace("      orgs: [Example Lab]", "      |")).keys() >= {
        "orgs",
        "users",
        "anyone",
    }


def test_a_key_shows_its_default_and_what_its_words_mean(editor: Editor) -> None:
    """Pointed at."""
    place_of = {"textDocument": {"uri": shown(editor, WHOLE)}, "position": place(WHOLE, "environment:", 2)}
    said = editor.ask("textDocument/hover", place_of)["contents"]["value"]
    assert "Default: `production`" in said
    assert "* `demo`: For showing JHE" in said
