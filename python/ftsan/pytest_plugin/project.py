"""Which installed packages are the project under test: what is to be watched although it lies in site-packages."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution
from pathlib import Path, PurePath


def packages_of(root: Path) -> set[str]:
    """Import names of what is installed of the project that ``root`` belongs to, ``ftsan`` aside.

    A distribution is the project's if it has the name that pyproject.toml or setup.cfg gives, there or in a folder above up to the
    top of the repository, or was installed from a path in the project (``direct_url.json``, PEP 610).
    """
    folders = list(_folders(root))
    names = {name for folder in folders for name in _declared_names(folder)}
    top = folders[-1]
    found: set[str] = set()
    for name, metadata in _installed():
        if name != "ftsan" and (name in names or _is_from(metadata, root, top)):
            found |= import_names(Distribution.at(metadata))
    return found


def _installed() -> Iterator[tuple[str, str]]:
    """Names of what is installed, as the folders of metadata have them, and these folders: to read in all would take longer."""
    for folder in dict.fromkeys(sys.path):
        try:
            entries = os.listdir(folder or os.curdir)
        except OSError:
            continue  # an archive, or nothing
        for entry in entries:
            if entry.endswith((".dist-info", ".egg-info")):
                yield _plain(os.path.splitext(entry)[0].partition("-")[0]), os.path.join(folder, entry)


def _folders(root: Path) -> Iterator[Path]:
    """``root`` and the folders above it up to the repository's; ``root`` alone if it is in none."""
    above = [root, *root.parents]
    top = next((at for at, folder in enumerate(above) if (folder / ".git").exists() or (folder / ".hg").exists()), 0)
    yield from above[: top + 1]


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def _declared_names(folder: Path) -> Iterator[str]:
    if (folder / "pyproject.toml").is_file():
        yield from _names_in_pyproject(folder / "pyproject.toml")
    if (folder / "setup.cfg").is_file():
        yield from _names_in_setup(folder / "setup.cfg")


def _names_in_pyproject(path: Path) -> Iterator[str]:
    import tomllib

    try:
        project = tomllib.loads(path.read_text())
    except OSError, ValueError:
        return
    tables = [project.get("project"), project.get("tool", {}).get("poetry") if isinstance(project.get("tool"), dict) else None]
    yield from (_plain(table["name"]) for table in tables if isinstance(table, dict) and isinstance(table.get("name"), str))


def _names_in_setup(path: Path) -> Iterator[str]:
    import configparser

    setup = configparser.ConfigParser(interpolation=None)
    try:
        setup.read(path)
    except configparser.Error, UnicodeDecodeError:
        return
    if name := setup.get("metadata", "name", fallback=""):
        yield _plain(name)


def _is_from(metadata: str, root: Path, top: Path) -> bool:
    """Whether this was installed from a path in the project, or from a folder that the tests lie in."""
    path = os.path.join(metadata, "direct_url.json")
    if not os.access(path, os.R_OK):  # most have none, and an exception for each would take three times as long
        return False
    try:
        with open(path, "rb") as file:
            address = json.load(file).get("url", "")
        from urllib.parse import unquote, urlsplit  # with ipaddress and all: few have the file

        url = urlsplit(address)
    except OSError, ValueError, AttributeError:
        return False
    if url.scheme != "file" or not url.path:
        return False
    origin = Path(unquote(url.path))
    return origin.is_relative_to(top) or (root.is_relative_to(origin) and len(origin.parts) > 1)


def import_names(distribution: Distribution) -> set[str]:
    """The names that a distribution is imported by; of a namespace package those of the packages in it."""
    files = [PurePath(file) for file in distribution.files or ()]
    modules = [
        file for file in files if file.suffix in (".py", ".so", ".pyd") and not file.parts[0].endswith((".dist-info", ".data"))
    ]
    names = {_module(file, modules) for file in modules if file.parts[0] != ".."}
    listed = set((distribution.read_text("top_level.txt") or "").split())
    # An editable installation has nothing but a finder here.
    return {name for name in names or listed if name.replace(".", "").isidentifier() and not name.startswith("__editable__")}


def _module(file: PurePath, modules: Iterable[PurePath]) -> str:
    """The shallowest package that a file is in."""
    for depth in range(1, len(file.parts)):
        folder = file.parts[:depth]
        if any(other.parts[:-1] == folder and other.stem.partition(".")[0] == "__init__" for other in modules):
            return ".".join(folder)
    # A module, or a file of a namespace package without one.
    return ".".join((*file.parts[:-1], file.name.partition(".")[0]))
