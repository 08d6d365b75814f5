"""Packages from PyPI and npm for the tests beyond ``tests/requirements.txt``: kept in ``$FTSAN_CACHE``, not here or in the venv."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tests.conftest import PLAIN

CACHE = Path(os.environ.get("FTSAN_CACHE") or Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ftsan").absolute()


def _pip(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *map(str, words)], env=PLAIN, check=True)


def _keep(obtained: str | Path, target: Path) -> None:
    """Give a folder its name for good, unless another process, a worker of pytest-xdist, has obtained the same meanwhile."""
    try:
        os.rename(obtained, target)
    except OSError:
        if not target.exists():
            raise


def packages(requirements: Path, folder: Path) -> Path:
    """Folder, inside the given one, of the packages in a file of requirements, without what these depend on."""
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    target = folder / f"packages-{key}"
    if not target.exists():
        print(f"installing what is in {requirements.name}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _pip("install", "-q", "--no-deps", "--target", f"{scratch}/packages", "-r", requirements)
            _keep(f"{scratch}/packages", target)
    return target


def sources(package: str, version: str, folder: Path, wanted: str) -> Path:
    """Folder, inside the given one, of the files of a source distribution whose path in it matches a regular expression."""
    target = folder / f"{package}-{version}"
    if not target.exists():
        print(f"downloading the tests of {target.name}", file=sys.stderr)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            _pip("download", "-q", "--no-deps", "--no-binary", package, "-d", scratch, f"{package}=={version}")
            with tarfile.open(next(Path(scratch).glob("*.tar.gz"))) as archive:
                members = [each for each in archive if re.fullmatch(f"[^/]+/({wanted})", each.name)]
                archive.extractall(f"{scratch}/unpacked", members, filter="data")
            _keep(next(Path(scratch, "unpacked").iterdir()), target)
    return target


def from_npm(package: str, version: str, folder: Path, wanted: str) -> Path:
    """A file of a package of npm, by its path in it; kept in the given folder."""
    target = folder / f"{package.rpartition('/')[2]}-{version}" / Path(wanted).name
    if not target.exists():
        print(f"downloading {package} {version}", file=sys.stderr)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            subprocess.run(
                ["npm", "pack", "--silent", f"{package}@{version}"], cwd=scratch, env=PLAIN, check=True, stdout=sys.stderr
            )
            with tarfile.open(next(Path(scratch).glob("*.tgz"))) as archive:
                member = archive.extractfile(f"package/{wanted}")
                assert member is not None
                Path(scratch, "file").write_bytes(member.read())
            os.rename(f"{scratch}/file", target)
    return target
