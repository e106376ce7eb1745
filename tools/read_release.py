#!/usr/bin/env python3
"""Read one JHE release from a checkout: its entry for `jhecfg/releases/exchange.py`, and what is new since another.

    python tools/read_release.py CHECKOUT                     # the entry, and how it differs from the one jhecfg has
    python tools/read_release.py CHECKOUT --version main      # a branch: settings.py has the version of the last tag
    python tools/read_release.py CHECKOUT --against v0.0.13   # what an upgrade from there brings
    python tools/read_release.py CHECKOUT --packages DIR      # DIR is site-packages of its image: their migrations too

Files are parsed, none is run. What no file says (whether an older app survives the new schema, what a migration's own
code deletes) is to be run with data and written down by hand; the operations to look at are listed.

Exits 1 when jhecfg has an entry of that version and it says something else.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator, Set
from pathlib import Path
from typing import NamedTuple, get_args

from django_checkout import Operation, Variable, migrations, operations, python_files, setting_rows, text, variables

from jhecfg.releases import RELEASES, Feature, Release, SettingType

SEED = "management/commands/seed.py"
RUN_TIME = frozenset({"ow.sync_in_progress"})  # rows that JHE writes while it runs, and nobody else
APPS = {"core": "core", "oauth2_provider": "oauth2_provider", "socialaccount": "allauth/socialaccount"}
"""The Django apps whose migrations move between releases, and where they are."""


class Reading(NamedTuple):
    """What a checkout says; a release's entry, and what is only worth printing."""

    version: str
    variables: list[Variable]
    settings: dict[str, str]
    unread: list[str]
    features: set[str]
    images: dict[str, tuple[str, ...]]
    migrations: dict[str, str]
    operations: list[Operation]
    mcp_env: list[str]
    commands: list[str]
    image: list[str]
    packages: dict[str, str]

    @property
    def env(self) -> set[str]:
        """The names that the running application reads and uses."""
        return {v.name for v in self.variables if v.used and not v.place.split(":")[0].endswith(SEED)}


def read(checkout: Path, version: str | None = None, packages: Path | None = None) -> Reading:
    """Read a checkout."""
    code = python_files(checkout)
    listed, used = setting_rows(code, "get_setting", get_args(SettingType))
    settings = {key: listed.get(key, "string") for key in sorted(used - RUN_TIME)}
    commands = sorted(path.stem for path in (checkout / "core/management/commands").glob("[!_]*.py"))
    mcp = python_files(checkout / "mcp_server", ("tests",)) if (checkout / "mcp_server").is_dir() else []
    return Reading(
        version=version or _constant(checkout / "jhe/settings.py", "JHE_VERSION"),
        variables=variables(code),
        settings=settings,
        unread=sorted(listed.keys() - used - RUN_TIME),
        features=set(_features(checkout, commands, used)),
        images=_images(checkout),
        migrations=_migrations(checkout, packages),
        operations=operations(checkout / "core/migrations"),
        mcp_env=sorted({variable.name for variable in variables(mcp)}),
        commands=commands,
        image=_lines(checkout / "Dockerfile", r"(EXPOSE|USER|WORKDIR|ENTRYPOINT|CMD)\b.*"),
        packages=_locked(checkout),
    )


def _constant(path: Path, name: str) -> str:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == name for t in node.targets):
            return text(node.value) or ""
    return ""


def _features(checkout: Path, commands: list[str], used: set[str]) -> Iterator[Feature]:
    if (checkout / "mcp_server").is_dir():
        yield "mcp"
    if "ow_poll" in commands:
        yield "wearables"
    if (checkout / "core/models/jhe_client.py").is_file() or _mentions(checkout / "core", "class JheClient("):
        yield "jhe-client"
    if "ow.api_url" in used:
        yield "wearables-settings"
    if _mentions(checkout / "core/management", "--with-rich-demo"):
        yield "rich-demo"


def _mentions(folder: Path, words: str) -> bool:
    return any(words in path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))


def _images(checkout: Path) -> dict[str, tuple[str, ...]]:
    """Return what the workflow publishes: by the end of an image's name, its platforms."""
    workflow = "\n".join(_lines(checkout / ".github/workflows/image.yaml", r".*"))
    named = re.search(r"platforms: *(\S+)", workflow)
    platforms = tuple(re.findall(r"linux/(\w+)", named[1])) if named else ("amd64",)
    platforms = tuple("arm64" if platform == "aarch64" else platform for platform in platforms)
    return {"": platforms} | ({"-mcp": platforms} if "github.repository }}-mcp" in workflow else {})


def _migrations(checkout: Path, packages: Path | None) -> dict[str, str]:
    places = {
        app: (packages / place if packages and app != "core" else checkout / place) for app, place in APPS.items()
    }
    installed = (checkout / "jhe/settings.py").read_text(encoding="utf-8")
    names = {
        app: migrations(place / "migrations") for app, place in places.items() if app == "core" or app in installed
    }
    return {app: found[-1] for app, found in names.items() if found}


def _locked(checkout: Path) -> dict[str, str]:
    """Return the versions of the packages that bring migrations, from uv.lock or Pipfile.lock, and of Python."""
    wanted = ("django", "django-allauth", "django-oauth-toolkit", "gunicorn")
    lock = "\n".join(line for name in ("uv.lock", "Pipfile.lock") for line in _lines(checkout / name, r".*"))
    found = {}
    for name in wanted:
        match = re.search(rf'name = "{name}"\nversion = "([^"]+)"|"{name}": {{[^}}]*?"version": "==([^"]+)"', lock)
        if match:
            found[name] = match[1] or match[2]
    python = "\n".join(line for name in ("pyproject.toml", "Pipfile") for line in _lines(checkout / name, r".*"))
    match = re.search(r'^(?:requires-python|python_version) = "([^"]+)"', python, re.MULTILINE)
    return found | ({"python": match[1]} if match else {})


def _lines(path: Path, pattern: str) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    return [line for line in lines if re.match(pattern, line)]


# --- compared and printed ---------------------------------------------------------------------------------------------


def differences(reading: Reading, release: Release) -> list[str]:
    """Say how a checkout differs from a release's entry: `+` the checkout has it, `-` the entry has it."""
    pairs: list[tuple[str, Set[object], Set[object]]] = [
        ("env", reading.env, set(release.env)),
        ("settings", {*reading.settings.items()}, {*release.settings.items()}),
        ("features", reading.features, set(release.features)),
        ("images", {*reading.images.items()}, {*release.images.items()}),
        ("mcp_env", {*reading.mcp_env}, set(release.mcp_env)),
        (
            "migrations",
            {*reading.migrations.items()},
            {(a, n) for a, n in release.migrations.items() if a in reading.migrations},
        ),
    ]
    return [line for name, read_, kept in pairs for line in _difference(name, read_, kept)]


def _difference(name: str, read_: Set[object], kept: Set[object]) -> Iterator[str]:
    yield from (f"{name}: + {item}" for item in sorted(read_ - kept, key=str))
    yield from (f"{name}: - {item}" for item in sorted(kept - read_, key=str))


def entry(reading: Reading) -> str:
    """Return the entry as Python, to be pasted and formatted; what has to be run is left to be filled in."""
    fields = {
        "version": reading.version,
        "date": "",
        "env": sorted(reading.env),
        "settings": reading.settings,
        "features": sorted(reading.features),
        "images": reading.images,
        "mcp_env": reading.mcp_env,
        "migrations": reading.migrations,
    }
    return "Release(\n" + "".join(f"    {name}={value!r},\n" for name, value in fields.items()) + ")"


def steps(reading: Reading, against: Release) -> Iterator[str]:
    """Yield the migrations that an upgrade from a release runs, with what is dangerous in each operation."""
    last = against.migrations["core"]
    for operation in reading.operations:
        if operation.migration > last:
            marks = [word for word in ("deletes", "breaks", "stops", "sticks", "one_way") if getattr(operation, word)]
            yield f"{operation.migration}: {operation.text}" + (f"   << {', '.join(marks)}" if marks else "")


def main() -> int:
    """Print what a checkout says; 1 when jhecfg says otherwise."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--version", help="the entry's version, if it is not the one in settings.py")
    parser.add_argument("--against", choices=[r.version for r in RELEASES], help="the release to upgrade from")
    parser.add_argument("--packages", type=Path, help="site-packages of its image")
    options = parser.parse_args()
    reading = read(options.checkout, options.version, options.packages)
    print(entry(reading))
    dead = sorted({v.name for v in reading.variables if not v.used})
    seed = sorted({v.name for v in reading.variables} - reading.env - {*dead})
    print(f"\nread and not used: {dead}\nread by the seed alone: {seed}\nsettings that nothing reads: {reading.unread}")
    print(f"commands: {reading.commands}\nimage: {reading.image}\npackages: {reading.packages}")
    for variable in reading.variables:
        print(f"  {variable.place}: {variable.name} {variable.default and '= ' + variable.default}")
    known = {release.version: release for release in RELEASES}
    if options.against:
        print(f"\nsince {options.against}:")
        lines = [*differences(reading, known[options.against]), *steps(reading, known[options.against])]
        print("\n".join(f"  {line}" for line in lines))
    wrong = differences(reading, known[reading.version]) if reading.version in known else []
    print("\n" + "\n".join([f"{reading.version} in jhecfg differs:", *wrong] if wrong else ["as jhecfg has it"]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
