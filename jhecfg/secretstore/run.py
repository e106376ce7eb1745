"""Run: kubectl and aws, with secrets on standard input alone, and what they say without any secret in it."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from jhecfg.diagnostics import ToolError
from jhecfg.programs import program

SECONDS = 120

_INSTALL = {
    "kubectl": "https://kubernetes.io/docs/tasks/tools/",
    "aws": "https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
}


class Done(NamedTuple):
    """How a program ended. `output` may hold secrets; `complaint` does not."""

    code: int
    output: str
    complaint: str


def run(words: Sequence[str], *, secrets: Iterable[str] = (), text: str | None = None) -> Done:
    """Run a program; `text` is its standard input, `secrets` what must not come out of it.

    Raises ToolError where the program is missing, or does not end.
    """
    binary = program(words[0])
    if binary is None:
        raise ToolError(f"{words[0]} is not on PATH: {_INSTALL[words[0]]}")
    try:
        done = subprocess.run(  # noqa: S603 - our own words, no shell
            [binary, *words[1:]], input=(text or "").encode(), capture_output=True, check=False, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        raise ToolError(f"{words[0]} did not end within {SECONDS} seconds") from None
    except OSError as error:
        raise ToolError(f"{words[0]}: {(error.strerror or 'cannot be run').lower()}") from None
    complaint = redacted(done.stderr.decode(errors="replace"), secrets)
    return Done(done.returncode, done.stdout.decode(errors="replace"), complaint)


def redacted(text: str, secrets: Iterable[str]) -> str:
    """Return a text without the secrets: as they are, line by line, in base64, and as programs quote things."""
    if not text.strip():
        return ""
    forms = {form for secret in secrets for form in _forms(secret) if len(form) > 3}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, "***")
    return text.strip()


def _forms(secret: str) -> Iterable[str]:
    yield base64.b64encode(secret.encode()).decode()
    for text in (secret, *(line.strip() for line in secret.splitlines())):
        for once in _quoted(text):
            yield from _quoted(once)  # a JSON document, quoted once more by who repeats it


def _quoted(text: str) -> Iterable[str]:
    """Yield a text as it stands in quotes: bare, in Python, in JSON, in JSON of Go, which escapes `<`, `>` and `&`."""
    python = repr(f"{text}'\"")[1:-4]  # with both quotes in it Python escapes the single one, as in a longer text
    yield from (text, python, python.replace("\\'", "'"))
    for inside in (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]):
        yield inside
        yield inside.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
