"""The Python API: the names that docs/api.md promises, what they do, and what importing them costs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import jhecfg
from jhecfg import api
from tests import typing_api
from tests.tools import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
SPEC = """\
apiVersion: jhecfg/v1
environment: staging
site: lab
domain: jhe.example.org
contact: ops@example.org
image: {tag: v0.0.13}
database: {host: db.abc123.us-east-2.rds.amazonaws.com}
"""
SMTP = "exchange: {smtp: {host: smtp.example.org, user: jhe@example.org}}\ningress: {issuer: letsencrypt-staging}\n"


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with one spec."""
    monkeypatch.chdir(tmp_path)
    Path("lab.yaml").write_text(SPEC)
    return tmp_path


def test_the_names_are_those_of_the_page() -> None:
    """The package, its stub, the module and docs/api.md list the same."""
    functions = re.findall(r"^\| `(\w+)\(", PAGE, re.MULTILINE)
    classes = re.findall(r"^\| `([A-Z]\w+)` \|", PAGE, re.MULTILINE)
    stub = re.findall(r"import \w+ as (\w+)", (ROOT / "jhecfg" / "__init__.pyi").read_text(encoding="utf-8"))
    assert sorted([*functions, *classes]) == api.__all__ == sorted(stub)
    assert dir(jhecfg) == sorted(["__version__", *api.__all__])
    assert all(getattr(jhecfg, name) is getattr(api, name) for name in api.__all__)
    assert not hasattr(jhecfg, "nothing")


def test_the_fields_are_those_of_the_page() -> None:
    """Each class has what its row names."""
    for name, row in re.findall(r"^\| `([A-Z]\w+)` \| (.*) \|$", PAGE, re.MULTILINE):
        what = getattr(jhecfg, name)
        fields = [
            word
            for word in re.findall(r"`(\w+)`", re.sub(r"\(.*?\)|`str\(\)`.*", "", row))
            if word not in ("ERROR", "WARNING")
        ]
        assert all(hasattr(what, field) or (issubclass(what, Exception) and field in row) for field in fields), name


@pytest.mark.slow
def test_the_program_of_the_page_runs(tmp_path: Path) -> None:
    """As it stands there, beside specs/; the second time there is nothing to write."""
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    said = [
        subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert said[0].startswith("jhe-example ")
    assert "manifests/30-migrate/job-migrate.yaml migrate-" in said[0]
    assert "'added manifests/50-app/deployment-exchange.yaml'" in said[0]
    assert said[0].startswith(said[1])
    files = jhecfg.compile(ROOT / "specs" / "jhe-example.yaml").files
    assert {path: (tmp_path / "out/jhe-example" / path).read_bytes() for path in files} == files


def test_what_is_typed_is_so(lab: Path) -> None:
    """The module that `make lint` checks for the types says the truth: it runs, on what is good, wrong, and not there."""
    assert typing_api.looked_at("lab.yaml")[-1].startswith("manifests/")
    assert typing_api.looked_at("lap.yaml") == ["lap.yaml: no such file or directory; did you mean 'lab.yaml'?"]
    build = jhecfg.compile("lab.yaml")
    assert len(typing_api.written(build, lab / "out")) == len(build.files)
    assert typing_api.written(build, lab / "out") == []
    Path("lab.yaml").write_text(SPEC.replace("v0.0.13", "+"))
    (said,) = typing_api.looked_at("lab.yaml")
    assert said.startswith("lab.yaml:6:14: error invalid-value ")


def test_what_is_wrong_is_raised_all_at_once(lab: Path) -> None:
    """A spec with errors gives no build; the diagnostics have the lines."""
    with pytest.raises(jhecfg.SpecError) as caught:
        jhecfg.compile("lab.yaml", text=SPEC.replace("jhe.example.org", "JHE").replace("v0.0.13", "+"))
    assert [(d.code, str(d.span)) for d in caught.value.diagnostics] == [
        ("invalid-value", "lab.yaml:4:9"),
        ("invalid-value", "lab.yaml:6:14"),
    ]
    with pytest.raises(jhecfg.SpecError) as caught:  # found late, by a rule
        jhecfg.compile(lab / "lab.yaml", text=SPEC.replace("v0.0.13", "v0.0.1").encode())
    assert [d.severity for d in caught.value.diagnostics] == ["error"]


def test_a_warning_is_in_the_build(lab: Path) -> None:
    """It stands in nobody's way."""
    build = jhecfg.compile("lab.yaml", text=SPEC.replace("staging", "production") + SMTP)
    assert [d.severity for d in build.diagnostics] == [jhecfg.Severity.WARNING]


def test_a_file_that_is_not_there_is_a_tool_error(lab: Path) -> None:
    """The spec is not at fault then."""
    with pytest.raises(jhecfg.ToolError, match=r"did you mean 'lab\.yaml'"):
        jhecfg.compile("lap.yaml")


def test_an_edit_by_hand_is_refused_and_not_lost(lab: Path) -> None:
    """As by the command."""
    build = jhecfg.compile("lab.yaml")
    assert not jhecfg.compare(build).clean
    jhecfg.write(build)
    assert jhecfg.compare(build).clean
    namespace = Path("out/lab/manifests/20-config/namespace.yaml")
    namespace.write_text("mine")
    with pytest.raises(jhecfg.Refused) as caught:
        jhecfg.write(build)
    assert [path for path, _ in caught.value.paths] == ["out/lab/manifests/20-config/namespace.yaml"]
    assert namespace.read_text() == "mine"
    assert jhecfg.write(build, force=True).obstacles
    assert namespace.read_bytes() == build.files["manifests/20-config/namespace.yaml"]


def test_importing_the_package_loads_nothing_else() -> None:
    """The compiler comes with the first name; the command's quick answers never pay for it."""
    program = "import sys, jhecfg; jhecfg.__version__; print(sorted(m for m in sys.modules if m.startswith(('jhecfg', 'yaml', 'pydantic'))))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "['jhecfg']\n"


def test_the_package_says_that_it_is_typed() -> None:
    """Type checkers of those who import it read its types."""
    assert (ROOT / "jhecfg" / "py.typed").exists()
