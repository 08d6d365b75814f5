"""The matrices: every kind of foreign call that a library knows, each reported once, as what it is, and nothing else.

With the versions that are installed, and with the oldest ones that ftsan knows (which a fixture installs beside them).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ftsan
from tests.interop.conftest import needs

MATRIX = ROOT / "tests" / "matrix"
#: Extension modules are for one version of the interpreter.
# Builds with the GIL and without have the same tag, and wheels of their own.
BUILD = f"{sys.implementation.cache_tag}{'' if sysconfig.get_config_var('Py_GIL_DISABLED') else '-gil'}"
CACHE = Path(os.environ.get("FTSAN_CACHE") or Path.home() / ".cache" / "ftsan") / "packages" / BUILD

#: The oldest one whose wheel fits the interpreter: earlier ones were built for a beta of 3.15.
OLDEST_GREENLET = "greenlet==3.5.2" if sys.version_info < (3, 15) else "greenlet==3.5.4"

ZUVLOOP = "zuvloop==0.0.17 opentelemetry-api==1.45.2 typing-extensions==4.16.0"

#: rloop ends the process at some of these calls, unless they are not made.
OPTIONS = {"rloop": ["--on-finding", "raise"]}

#: Packages that are only for others.
WITHOUT_TABLE = ("opentelemetry-api", "typing-extensions")

#: program, its arguments, other versions to install
RUNS = [
    ("asyncio_calls.py", ["asyncio"], ""),
    ("asyncio_calls.py", ["uvloop"], ""),
    ("asyncio_calls.py", ["uvloop"], "uvloop==0.22.1"),
    # No table knows these.
    ("asyncio_calls.py", ["zuvloop"], ZUVLOOP),
    ("asyncio_calls.py", ["rloop"], "rloop==0.5.0"),
    *[("twisted_calls.py", [reactor], "") for reactor in ("select", "poll", "epoll", "asyncio")],
    ("twisted_calls.py", ["epoll"], "twisted==24.11.0"),
    ("tornado_calls.py", [], ""),
    ("trio_calls.py", [], ""),
    ("trio_calls.py", [], "trio==0.30.0"),
    ("anyio_calls.py", ["asyncio"], ""),
    ("anyio_calls.py", ["trio"], ""),
    ("anyio_calls.py", ["asyncio"], "anyio==4.11.0"),
    ("greenlet_calls.py", [], ""),
    ("greenlet_calls.py", [], f"{OLDEST_GREENLET} eventlet==0.40.3"),
    ("gevent_calls.py", [], ""),
]


def installed(packages: str) -> str:
    """A folder with other versions of packages, for PYTHONPATH."""
    folder = CACHE / packages.replace(" ", "+")
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        scratch = folder.with_name(f"{folder.name}.{os.getpid()}")
        command = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--disable-pip-version-check",
            "--no-deps",
            "--target",
            str(scratch),
        ]
        subprocess.run([*command, *packages.split()], check=True)
        scratch.rename(folder)
    return str(folder)


def marked(path: Path) -> set[tuple[int, str, str]]:
    """(line, rule, operation) of each mark."""
    found = (
        (number, re.search(r"# offending: (FT\d+) (\w+)", line)) for number, line in enumerate(path.read_text().splitlines(), 1)
    )
    return {(number, mark[1], mark[2]) for number, mark in found if mark}


@pytest.mark.parametrize(
    ("name", "arguments", "packages"), RUNS, ids=lambda value: "-".join(value) if isinstance(value, list) else value
)
def test_every_foreign_call_is_reported_as_what_it_is(name: str, arguments: list[str], packages: str, ftsan: Ftsan) -> None:
    path = MATRIX / name
    needs(name.removesuffix("_calls.py"))
    if {"zuvloop", "rloop"} & {*arguments} and sys.version_info >= (3, 15):
        pytest.skip("there are no wheels for this version")
    options = [option for argument in arguments for option in OPTIONS.get(argument, [])]
    run = ftsan(*options, path, *arguments, env={"PYTHONPATH": installed(packages)} if packages else {})
    assert run.status == 66, run.stderr
    assert run.report["watched"]["off"] == []
    for package in packages.split():
        if package.startswith(WITHOUT_TABLE):
            continue
        assert package.replace("==", " ") in [name.lower() for name in run.report["watched"]["packages"]]
    # A finding about the GIL and a library's own extensions is no call.
    calls = [finding for finding in run.findings if not finding["rule"].startswith("FT6")]
    first = [(finding, finding["accesses"][0]) for finding in calls]
    assert {(access["stack"][0]["line"], finding["rule"], access["operation"]) for finding, access in first} == marked(path)
    assert {access["stack"][0]["file"] for _, access in first} == {str(path)}
    assert len(marked(path)) >= 4
