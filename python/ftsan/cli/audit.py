"""``ftsan audit``: what to expect of installed distributions without the GIL, one row each.

Facts that the files of extension modules show are taken from there; others, from an import in a process of its own.
"""

import os
import re
import sys
from collections.abc import Callable
from typing import Any

from .. import _native
from . import audit_native, audit_table, complain, show
from .audit_python import shared_state
from .audit_sarif import sarif
from .progress import over

#: Exit statuses: something switches the GIL on or is known to crash; of something it is not known.
FOUND, NOT_KNOWN = 66, 67

#: The roles of distributions that a server's threads meet in.
ROLES = {
    "event loop": "uvloop rloop gevent eventlet greenlet twisted trio anyio tornado curio pyzmq autobahn",
    "TLS": "cryptography pyopenssl service-identity oscrypto",
    "HTTP": "httptools h11 h2 aiohttp httpx requests urllib3 uvicorn hypercorn granian websockets starlette mod-wsgi hawkapi",
    "DB driver": "asyncpg psycopg psycopg2 psycopg-c pymongo redis mysqlclient pymysql aiosqlite oracledb sqlalchemy",
}
_ROLE_OF = {name: role for role, names in ROLES.items() for name in names.split()}

#: Of an interpreter, its rows, and what is required and not installed.
FORMATS: dict[str, Callable[[dict[str, str], audit_table.Rows, list[str]], str]] = {
    "text": audit_table.text,
    "markdown": audit_table.markdown,
    "json": audit_table.as_json,
    "sarif": sarif,
}


def audit(format: str, how: str, venv: str, *words: str) -> int:
    """Print the rows; returns 0, 66 or 67, or 2 for what cannot be looked at."""
    python = _interpreter(venv)
    try:
        listed = audit_native.ask(python, "list")
    except OSError as error:
        return complain(f"{python} cannot be asked: {error}")
    try:
        required = {name: place for word in words if word.startswith("-r") for name, place in _required(word[2:])}
    except OSError as error:
        return complain(f"cannot read {error.filename}: {error.strerror}")
    named = [*required, *(word for word in words if not word.startswith("-r"))]
    places = {_plain(name): place for name, place in required.items()}
    installed = {_plain(one["name"]): one for one in listed["distributions"]}
    missing = [name for name in named if _plain(name) not in installed]
    if missing and not any(word.startswith("-r") for word in words):
        return complain(f"not installed for {python}: {', '.join(missing)}")
    chosen = sorted({_plain(name) for name in named if name not in missing} if words else installed)
    bad = _native.bad_versions()
    rows = [
        _row(python, listed["interpreter"], installed[name], how == "import", bad) | {"required": places.get(name)}
        for name in over(chosen, "ftsan audit")
    ]
    status = max((row["status"] for row in rows), key=(0, NOT_KNOWN, FOUND).index, default=0)
    trouble = show(FORMATS[format](listed["interpreter"], rows, missing))
    return trouble or status


def _interpreter(venv: str) -> str:
    """The path of the interpreter of a virtual environment, or of one that is named itself."""
    python = (os.path.join(venv, "bin", "python") if os.path.isdir(venv) else venv) or sys.executable
    # It is asked in another folder.  The name of a command stays one.
    return os.path.abspath(python) if os.sep in python else python


def _plain(name: str) -> str:
    """The name of a distribution as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _required(path: str) -> list[tuple[str, tuple[str, int]]]:
    """The distributions that a file of requirements names, and those that it leads to, each with file and line.

    Options and addresses are passed over.

    :raises OSError: it cannot be read.
    """
    names = []
    with open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            line = line.partition(" #")[0].strip()
            other = re.match(r"(?:-r|--requirement)[ =]?\s*(\S+)", line)
            if other:
                names += _required(os.path.join(os.path.dirname(path), other[1]))
            elif name := re.match(r"[A-Za-z0-9][\w.-]*", line):
                names.append((name[0].rstrip(".-"), (path, number)))
    return names


def _number(version: str) -> tuple[int, ...]:
    """The release of a version, to be compared; a pre-release counts as what comes before it."""
    release = re.match(r"v?(?:\d+!)?(\d+(?:\.\d+)*)(.*)", version)
    if release is None:
        return (0,)
    numbers = [int(part) for part in release[1].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return (*numbers, -1) if re.match(r"[._-]?(a|b|c|rc|dev|alpha|beta|pre)", release[2]) else tuple(numbers)


def _known(distribution: dict[str, Any], bad: list[tuple[str, str | None, str, str, str]]) -> list[dict[str, str]]:
    """The crashes that this version is known for."""
    version = _number(distribution["version"])
    return [
        {"issue": issue, "name": name, "fixed_in": below}
        for of, first, below, issue, name in bad
        if _plain(of) == _plain(distribution["name"]) and _number(first or "0") <= version < _number(below)
    ]


def _wheel(distribution: dict[str, Any], abi: str) -> str:
    """The kind of wheel that was installed: for this interpreter, built here because there is none, or for any."""
    tags: list[str] = distribution["tags"]
    if not tags:
        return "not known"
    if all(tag.endswith("-none-any") for tag in tags):
        return "any"
    tag = next((tag for tag in tags if f"-{abi}-" in tag), tags[0])
    # An index takes no wheels that are for one machine only.
    return f"{tag} (built here)" if re.search(r"-linux_\w+$", tag) else tag


def _row(
    python: str,
    interpreter: dict[str, str],
    distribution: dict[str, Any],
    may_import: bool,
    bad: list[tuple[str, str | None, str, str, str]],
) -> dict[str, Any]:
    modules = audit_native.look(python, distribution, may_import)
    extensions = _loaded_by_users(modules)
    undeclared = [module["module"] for module in extensions if module["declares"] is False]
    unknown = [module["module"] for module in extensions if module["declares"] is None]
    known = _known(distribution, bad)
    row: dict[str, Any] = {
        "name": distribution["name"],
        "version": distribution["version"],
        "root": distribution["root"],
        "role": _ROLE_OF.get(_plain(distribution["name"]), ""),
        "wheel": _wheel(distribution, interpreter["abi"]),
        "classifier": (distribution["classifiers"] or [""])[-1].rpartition("::")[2].strip(),
        "modules": modules,
        "generators": sorted({module["generator"] for module in modules} - {""}),
        "undeclared": undeclared,
        "unknown": unknown,
        "known": known,
        "state": [] if modules else _state(distribution),
    }
    row["risk"] = _risk(row)
    row["status"] = FOUND if undeclared or known else NOT_KNOWN if unknown else 0
    return row


def _state(distribution: dict[str, Any]) -> list[dict[str, Any]]:
    """State of modules that functions change."""
    found = []
    for file in distribution["files"]:
        inside = os.path.relpath(file, distribution["root"])
        if not file.endswith(".py") or re.search(r"(^|/)(tests?|testing)/|^\.\./", inside):
            continue
        try:
            with open(file, encoding="utf-8") as source:
                found += [{"file": inside, **one} for one in shared_state(source.read())]
        except OSError, SyntaxError, ValueError:
            continue
    return found


def _loaded_by_users(modules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The extension modules of Python among them, without those of the distribution's own tests."""
    return [module for module in modules if module["module"] and not {"test", "tests"}.intersection(module["module"].split("."))]


def _risk(row: dict[str, Any]) -> str:
    """What to expect, in words."""
    said = [f"known to crash: {one['name']} ({one['issue']}, fixed in {one['fixed_in']})" for one in row["known"]]
    extensions = _loaded_by_users(row["modules"])
    if row["undeclared"]:
        said.append(f"switches the GIL on: {_some(row['undeclared'])}")
    if row["unknown"]:
        errors = {module["error"] for module in extensions if module.get("error")}
        said.append(f"not known of {_some(row['unknown'])}{': ' + _some(sorted(errors)) if errors else ''}")
    if not row["modules"]:
        count = len(row["state"])
        said.append("no native code" + (f"; functions change {count} of its global variables" if count else ""))
    elif not extensions:
        said.append("its native code is loaded by another program, and declares nothing")
    elif not (row["undeclared"] or row["unknown"]):
        level = row["classifier"]
        said.append("declares that it can do without the GIL" + (f"; its authors: {level}" if level else ""))
    return "; ".join(said)


def _some(names: list[str]) -> str:
    """Names, or the first few of many."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
