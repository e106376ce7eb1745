"""Lock: every Python package that CI, the Action and README.md install, with the SHA-256 of each of its files.

`make lock` writes again what grew old: `tools/action/requirements.txt` (what jhecfg itself needs, as wheels, for the
Action and for whoever wants it pinned), `tools/locked/dev.txt` (that, and the group `dev` of pyproject.toml), and a
`.txt` beside each `.in` of `tools/locked/` and `tests/requirements/`. `make lock UPGRADE=1` takes the newest
versions that fit. A lock begins with the digest of what it was made of, by which a test sees, offline, that it is old.
It names no index, so any mirror will do.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
LOCKED = ROOT / "tools" / "locked"
RUNTIME = ROOT / "tools" / "action" / "requirements.txt"
REQUIREMENTS = ROOT / "tests" / "requirements"
LEAST = "3.11.5"
"""The oldest Python that the tools of the tests are locked for: some of them do not run on an older one."""
UV = ROOT / ".tools" / "uv" / "bin" / "uv"
_PIN = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[a-z,]+\])?==([^\s;\\]+)", re.MULTILINE)


class Lock(NamedTuple):
    """A lock: its file, what it is made of as uv takes it, and the text of that."""

    file: Path
    words: tuple[str, ...]
    made_of: str

    @property
    def head(self) -> str:
        """Return the lines that a lock begins with."""
        digest = hashlib.sha256(self.made_of.encode()).hexdigest()
        return f"# Made by `make lock`, to be installed with --require-hashes.\n# of {digest}\n"


def locks() -> Iterator[Lock]:
    """Yield every lock that there should be."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    runtime = {key: project["project"][key] for key in ("requires-python", "dependencies")}
    dev = {**runtime, "dev": project["dependency-groups"]["dev"]}
    yield Lock(RUNTIME, ("pyproject.toml", "--only-binary", ":all:"), json.dumps(runtime))
    yield Lock(LOCKED / "dev.txt", ("pyproject.toml", "--group", "dev"), json.dumps(dev))
    for folder in (LOCKED, REQUIREMENTS, REQUIREMENTS / "opt-in"):
        for path in sorted(folder.glob("*.in")):
            relative = path.relative_to(ROOT).as_posix()
            python = ("--python-version", LEAST)
            yield Lock(path.with_suffix(".txt"), (relative, *python), path.read_text(encoding="utf-8"))


def pins(text: str) -> Mapping[str, str]:
    """Return the versions of a lock, by name as PyPI compares them."""
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in _PIN.findall(text)}


def is_old(lock: Lock) -> bool:
    """Say whether a lock is missing, or was made of something else."""
    return not lock.file.exists() or not lock.file.read_text(encoding="utf-8").startswith(lock.head)


def adopt() -> None:
    """Take a list of requirements that has no hashes for what it is: the `.in` of a lock that is not made yet."""
    for path in sorted(REQUIREMENTS.glob("*.txt")):
        if not path.with_suffix(".in").exists() and "--hash=" not in path.read_text(encoding="utf-8"):
            path.rename(path.with_suffix(".in"))


def write(lock: Lock, *, upgrade: bool) -> None:
    """Make a lock anew; versions that it has already stay, unless they no longer fit or are to be upgraded."""
    words = [str(UV), "pip", "compile", *lock.words, "--universal", "--generate-hashes", "--no-header", "--quiet"]
    words += ["--annotation-style", "line", "--output-file", str(lock.file), *(["--upgrade"] if upgrade else [])]
    subprocess.run(words, cwd=ROOT, check=True)
    text = "".join(
        f"{line}\n" for line in lock.file.read_text(encoding="utf-8").splitlines() if line.strip()[:1] != "#"
    )
    lock.file.write_text(lock.head + text, encoding="utf-8")


def main(upgrade: bool) -> None:
    """Write every lock that is old; all of them for an upgrade."""
    adopt()
    for lock in locks():
        if upgrade or is_old(lock):
            write(lock, upgrade=upgrade)
            print(f"{lock.file.relative_to(ROOT)}: {len(pins(lock.file.read_text(encoding='utf-8')))} packages")


if __name__ == "__main__":
    main("--upgrade" in sys.argv[1:])
