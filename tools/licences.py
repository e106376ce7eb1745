"""Licences: write docs/licences.md: what jhecfg needs, what that needs, and under which licence each comes.

    python tools/licences.py            # write
    python tools/licences.py --check    # write nothing; exit 1 where it would change

Names and versions are those of the locks (tools/lock.py); a licence is what the package itself says, where installed.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tools.lock import LOCKED, RUNTIME, pins  # noqa: E402 - found through the line above

PAGE = ROOT / "docs" / "licences.md"
ACCEPTABLE = frozenset({"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0"})
"""Permissive: they ask for their text to be kept, and for nothing of a hospital's own programs or data."""

# Installed on Windows alone, so that it cannot be asked here.
_ELSEWHERE = {"colorama": "BSD-3-Clause"}
# Words of older metadata, for what SPDX calls otherwise.
_SPDX = {
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: BSD License": "BSD-3-Clause",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "ISC License": "ISC",
    "MIT License": "MIT",
    "MIT license": "MIT",
    "BSD-3-Clause License": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
}


def licence_of(name: str) -> str:
    """Return the SPDX expression of a package's licence. Raises LookupError where it says none that is known."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return _ELSEWHERE[name]
    said = about["License-Expression"] or about["License"]
    if said and (said in _SPDX or re.fullmatch(r"[A-Za-z0-9.-]+( (OR|AND) [A-Za-z0-9.-]+)*", said)):
        return _SPDX.get(said, said)
    known = [_SPDX[each] for each in about.get_all("Classifier") or () if each in _SPDX]
    if not known:
        raise LookupError(f"{name}: {said!r} is no licence that is known here")
    return " AND ".join(known)


def runtime() -> Iterator[tuple[str, str, str, str]]:
    """Yield what an installed jhecfg has with it: name, what is asked for, the locked version, the licence."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = {re.split(r"[<>=]", each)[0].lower(): each for each in project["dependencies"]}
    for name, version in pins(RUNTIME.read_text(encoding="utf-8")).items():
        wanted = asked[name][len(name) :] if name in asked else ""
        yield name, wanted.replace(",", ", ") or "(of another)", version, licence_of(name)


def page() -> str:
    """Return the page."""
    rows = [f"| {name} | {wanted} | {version} | {licence} |" for name, wanted, version, licence in runtime()]
    dev = pins((LOCKED / "dev.txt").read_text(encoding="utf-8"))
    ours = {name for name, *_ in runtime()}
    tests = ", ".join(f"{name} ({licence_of(name)})" for name in dev if name not in ours)
    return f"{_HEAD}{chr(10).join(rows)}\n\n{_TESTS}{_wrapped(_OWN + tests + '.')}\n\n{_wrapped(_npm())}\n{_OTHERS}"


def _npm() -> str:
    listed = json.loads((ROOT / "tests/js/package-lock.json").read_bytes())["packages"]
    found = sorted({str(each.get("license", "")) for path, each in listed.items() if path})
    return f"From npm, {len(listed) - 1} packages (tests/js/package-lock.json), under {', '.join(found)}."


def _wrapped(text: str) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, 118, break_long_words=False, break_on_hyphens=False))


_HEAD = """\
# Licences

<!-- Made by tools/licences.py. -->

jhecfg is under the Apache License 2.0 ([LICENSE](../LICENSE)); [NOTICE](../NOTICE) names the parts of other works in
its package. `pip install jhecfg` brings what follows, and nothing else. Each licence is permissive: it asks that its
text be kept, and for nothing of a hospital's own programs or data. A test refuses another kind.

| package | asked for | locked | licence |
| --- | --- | --- | --- |
"""
_TESTS = """\
## What only tests and CI run

"""
_OWN = "None of it is in the package, or is needed by who uses it. In the tests' own environment: "
_OTHERS = """
In environments of their own (tests/requirements/): JupyterHub, OAuthenticator and Django (BSD-3-Clause),
django-oauth-toolkit (BSD-2-Clause), psycopg2 (LGPL-3.0-or-later), cfn-lint (MIT-0), sops (MPL-2.0),
atheris (Apache-2.0). As programs:
kubeconform and kubeseal (Apache-2.0), PostgreSQL (PostgreSQL), Helm and kubectl (Apache-2.0). For the site of these
pages: Material for MkDocs, Mermaid and iframe-worker (MIT), MkDocs (BSD-2-Clause).
"""


def main(check: bool) -> int:
    """Write the page, or say whether it is as it should be."""
    text = page()
    if check:
        return int(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
