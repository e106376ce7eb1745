"""The script that reads a release from a checkout: what it finds in a small one, and what it finds in JHE's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from jhecfg.releases import RELEASES, Release
from tests.tools import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from read_release import Reading, differences, entry, read, steps

FILES = {
    "jhe/settings.py": """
import os
JHE_VERSION = "v9.9.9"
SITE_URL = os.getenv("SITE_URL", "http://localhost:8000")
DEBUG = bool(os.environ.get("DEBUG"))
LEFT_OVER = os.getenv("LEFT_OVER")
LEVEL = os.environ["LOG_LEVEL"]
LOGGING = {"level": LEVEL}
DATABASES = {"default": {"HOST": os.getenv("DB_HOST")}}
if os.environ.get("RUN_MAIN") == "true":
    pass
INSTALLED_APPS = ["core", "oauth2_provider"]
""",
    "core/views.py": """
from django.conf import settings
from core.rows import get_setting
def needed(key):
    return get_setting(key)
def page(request):
    return settings.SITE_URL, get_setting("site.title"), needed("ow.api_url"), get_setting("ow.sync_in_progress")
""",
    "core/management/commands/seed.py": """
import os
ROWS = [("site.title", "string", "A title"), ("page.size", "int", 10), ("ow.api_url", "string", "")]
CLIENT = os.environ.get("DEMO_CLIENT", "demo")
""",
    "core/management/commands/ow_poll.py": "",
    "core/tests/test_views.py": 'import os\nHOST = os.getenv("TEST_HOST")\n',
    "core/migrations/0001_initial.py": """
class Migration(migrations.Migration):
    operations = [migrations.CreateModel(name="Patient", fields=[("name", CharField()), ("size", IntegerField(null=True))])]
""",
    "core/migrations/0002_more.py": """
class Migration(migrations.Migration):
    operations = [
        migrations.RemoveField(model_name="patient", name="number"),
        migrations.RenameField(model_name="patient", old_name="size", new_name="height"),
        migrations.AddField(model_name="patient", name="since", field=DateField(auto_now=True)),
        migrations.AddField(model_name="patient", name="note", field=TextField(null=True)),
        migrations.AddField(model_name="patient", name="kind", field=TextField(db_default="a")),
        migrations.AlterField(model_name="patient", name="name", field=CharField(null=True)),
        migrations.AlterField(model_name="patient", name="height", field=IntegerField()),
        migrations.AddConstraint(model_name="patient", constraint=UniqueConstraint(fields=("name",), name="one")),
        migrations.RunPython(fill),
        migrations.RunPython(fill, migrations.RunPython.noop),
        migrations.RunSQL(sql="DROP TABLE old", reverse_sql=""),
    ]
""",
    "mcp_server/src/server.py": 'import os\nKEY = os.environ.get("MCP_BROKER_KEY")\n',
    "Dockerfile": 'FROM python:3.12\nWORKDIR /code\nEXPOSE 8000\nUSER 1000\nCMD ["gunicorn"]\n',
    ".github/workflows/image.yaml": "platforms: linux/amd64,linux/aarch64\nname: ${{ github.repository }}-mcp\n",
    "pyproject.toml": '[project]\nrequires-python = ">=3.12"\n',
    "uv.lock": '[[package]]\nname = "django"\nversion = "9.1"\n',
    "site-packages/oauth2_provider/migrations/0014_alter.py": "",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a checkout of a small application, shaped like JHE."""
    for name, content in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return tmp_path


@pytest.fixture
def reading(checkout: Path) -> Reading:
    """Return what the script reads from it."""
    return read(checkout, packages=checkout / "site-packages")


def test_a_variable_is_read_where_something_comes_of_it(reading: Reading) -> None:
    """Not what is assigned and forgotten, nor what the seed, a test or Django's own reloader reads."""
    assert reading.env == {"SITE_URL", "DEBUG", "LOG_LEVEL", "DB_HOST"}
    assert [v.name for v in reading.variables if not v.used] == ["LEFT_OVER"]
    assert [v.default for v in reading.variables if v.name == "SITE_URL"] == ["'http://localhost:8000'"]


def test_a_setting_is_one_that_the_code_reads(reading: Reading) -> None:
    """Through a function of its own, too; what is only listed has no effect, what JHE writes at run time is its own."""
    assert reading.settings == {"ow.api_url": "string", "site.title": "string"}
    assert reading.unread == ["page.size"]


def test_parts_are_found_by_their_files(reading: Reading) -> None:
    """The MCP server, polling, images and the last migrations of every app."""
    assert reading.version == "v9.9.9"
    assert reading.features == {"mcp", "wearables", "wearables-settings"}
    assert reading.mcp_env == ["MCP_BROKER_KEY"]
    assert reading.images == {"": ("amd64", "arm64"), "-mcp": ("amd64", "arm64")}
    assert reading.migrations == {"core": "0002_more", "oauth2_provider": "0014_alter"}
    assert reading.commands == ["ow_poll", "seed"]
    assert reading.image == ["WORKDIR /code", "EXPOSE 8000", "USER 1000", 'CMD ["gunicorn"]']
    assert reading.packages == {"django": "9.1", "python": ">=3.12"}


def test_a_dangerous_operation_is_marked_with_its_danger(reading: Reading) -> None:
    """What deletes, what breaks the pods before, what stops the Job, what sticks on the way back."""
    before = RELEASES[0]._replace(migrations={"core": "0001_initial"})
    said = [line.removeprefix("0002_more: ").replace("   << ", " << ") for line in steps(reading, before)]
    assert said == [
        "RemoveField patient.number << deletes, breaks",
        "RenameField patient.size << breaks",
        "AddField patient.since (not null) << breaks",
        "AddField patient.note",
        "AddField patient.kind",
        "AlterField patient.name (null) << sticks",
        "AlterField patient.height (not null) << breaks, stops",
        "AddConstraint patient: UniqueConstraint(fields=('name',), name='one') << stops",
        "RunPython fill << one_way",
        "RunPython fill",
        "RunSQL 'DROP TABLE old' << deletes, breaks",
    ]


def test_the_entry_and_the_difference_say_the_same(reading: Reading) -> None:
    """What the script prints for a new release differs in nothing from what it read."""
    kept = {"env": frozenset(reading.env), "features": frozenset(reading.features), "settings": reading.settings}
    same = RELEASES[0]._replace(
        **kept, images=reading.images, mcp_env=frozenset(reading.mcp_env), migrations=reading.migrations
    )
    assert differences(reading, same) == []
    assert differences(reading, same._replace(env=frozenset({"SITE_URL", "DEBUG", "LOG_LEVEL", "OLD"}))) == [
        "env: + DB_HOST",
        "env: - OLD",
    ]
    assert "env=['DB_HOST', 'DEBUG', 'LOG_LEVEL', 'SITE_URL']" in entry(reading)


def test_the_script_runs(checkout: Path) -> None:
    """As a command, from anywhere, without importing the checkout."""
    (checkout / "core/views.py").write_text(FILES["core/views.py"] + 'raise SystemExit("imported")\n')
    command = [sys.executable, str(ROOT / "tools/read_release.py"), str(checkout), "--against", "v0.0.13"]
    result = subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True)
    assert "version='v9.9.9'" in result.stdout
    assert "since v0.0.13:" in result.stdout


@pytest.mark.parametrize("release", RELEASES, ids=[release.version for release in RELEASES])
def test_what_jhecfg_knows_of_a_release_is_what_its_code_says(release: Release) -> None:
    """JHE's own checkouts, one folder a version, where JHECFG_JHE_CHECKOUTS points to them."""
    folder = Path(os.environ.get("JHECFG_JHE_CHECKOUTS", "")) / release.version
    if not os.environ.get("JHECFG_JHE_CHECKOUTS") or not folder.is_dir():
        pytest.skip(f"no checkout of JHE {release.version}: set JHECFG_JHE_CHECKOUTS to a folder with one a version")
    reading = read(folder, release.version)
    assert differences(reading, release) == []
