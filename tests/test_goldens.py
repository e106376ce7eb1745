"""Goldens: bad specs and what a person sees, deltas of the base spec and what a reviewer sees."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from jhecfg.cli import run
from jhecfg.compile import documentation

TESTS = Path(__file__).parent
ROOT = TESTS.parent
BAD = sorted((TESTS / "bad").glob("*.yaml"))

NO_EXAMPLE = {
    "kubeconform": "it judges by the schemas that the built-in judge has accepted: test_kubeconform plants a violation",
    "extends-too-deep": "needs seventeen files: test_source makes them",
    "duplicate-object": "no spec can cause it, since patches may not rename: test_rules plants one",
    "unknown-namespace": "no spec can cause it, since patches may not move: test_rules plants one",
    "secret-in-output": "the net behind secret-in-spec and hub-values-secret: test_rules plants a secret",
    "hub-values-secret": "the net behind secret-in-spec, which stops the reading: test_hub_values plants a secret",
}
"""Codes that no small file can cause, each with the reason."""


def said(path: Path, capsys: pytest.CaptureFixture[str], out: Path) -> tuple[int, str]:
    """Check one bad spec (and its twin in bad/with/) as a person would; return the exit code and stderr."""
    twin = path.parent / "with" / path.name
    specs = [str(each.relative_to(ROOT)) for each in (twin, path) if each.exists()]
    code = run(["check", *specs, "--strict", "--quiet", "--validator", "builtin", "--out", str(out)])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_spec_is_refused_in_these_words(
    path: Path, update: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A mistake exits with 1, writes nothing, and says exactly what its .txt holds."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("NO_COLOR", "1")
    code, text = said(path, capsys, tmp_path / "out")
    golden = path.with_suffix(".txt")
    if update:
        golden.write_text(text, encoding="utf-8", newline="\n")
    assert text == golden.read_text(encoding="utf-8")
    assert code == 1
    assert not (tmp_path / "out").exists()
    assert "has a bug" not in text


def test_every_code_has_a_bad_example_and_every_example_shows_its_code() -> None:
    """bad/<code>[-variant].txt shows that code; the codes without an example are listed with a reason."""
    shown = {path.stem: set(re.findall(r"(?:error|warning)\[([a-z0-9-]+)\]", text_of(path))) for path in BAD}
    codes = documentation().keys()
    for name, seen in shown.items():
        own = max((code for code in codes if name == code or name.startswith(f"{code}-")), key=len, default=None)
        assert own in seen if own else len(seen) > 0, f"{name} shows {seen}"
    assert codes - set().union(*shown.values()) <= NO_EXAMPLE.keys() <= codes


def text_of(path: Path) -> str:
    """Return what a bad spec's .txt holds."""
    return path.with_suffix(".txt").read_text(encoding="utf-8")
