"""What the tests share: running a program under ftsan, and reading its report."""

from __future__ import annotations

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
PLAIN = {name: value for name, value in os.environ.items() if not name.startswith(("FTSAN", "PYTHONASYNCIO"))}

# A shell ignores them for what it runs in the background, and the programs of the tests would inherit that.
for number in (signal.SIGINT, signal.SIGQUIT):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

#: For what is about modes of the GIL: a build with it has one, and an import of a module does not show what it declares.
needs_free_threading = pytest.mark.skipif(
    not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="a build with the GIL cannot be without it"
)

#: For what has to be off in this run, where ``PYTHON_GIL`` may say otherwise.
needs_gil_off = pytest.mark.skipif(sys._is_gil_enabled(), reason="the GIL is on")

#: What switches the GIL off, whatever a module asks for: fatal to a build with the GIL.
WITHOUT_GIL = {"PYTHON_GIL": "0"} if sysconfig.get_config_var("Py_GIL_DISABLED") else {}


@dataclass
class Run:
    """How a run ended, and what it reported."""

    status: int
    stdout: str
    stderr: str
    report: dict[str, Any]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found."""
        return self.report.get("findings", [])

    @property
    def by_location(self) -> list[dict[str, Any]]:
        """What was found, with each location of a mistake by itself."""
        return [part for finding in self.findings for part in locations(finding)]

    @property
    def rules(self) -> list[str]:
        """Ids of the rules of what was found."""
        return [finding["rule"] for finding in self.findings]


def locations(finding: dict[str, Any]) -> list[dict[str, Any]]:
    """The finding at each of its locations, as if it were a finding of its own."""
    accesses = iter(finding["accesses"])
    return [
        finding | location | {"accesses": list(itertools.islice(accesses, location["accesses"])), "locations": [location]}
        for location in finding.get("locations", [])
    ] or [finding]


def pytest_addoption(parser: pytest.Parser) -> None:
    """How hard tests/python/test_preload.py and tests/python/test_pytest_plugins.py try."""
    parser.addoption(
        "--storms", type=int, default=1, help="how many times as many forks, threads and dlopens (10: what is promised)"
    )
    parser.addoption("--every-combination", action="store_true", help="of pytest's plug-ins, not only every pair (an hour)")


#: Reasons to skip a test that hold in CI, too: facts about interpreter and machine, which nothing that is installed changes.
FACTS = re.compile(
    r"CPython .* (does not crash of it|brings what it is about)|one thread at a time|about (builds|processes)|the GIL is (on|off)"
    r"|a build with the GIL cannot"
    r"|there (are no|is no such) wheels?|the frames of the standard library|the other Python is as new|empty parameter set"
    r"|the limit of open files"
)
#: And of a package that is missing, where the requirements leave it out: it has no wheels for every interpreter.
MISSING = "{} (PyPI) is missing"


def left_out(interpreter: dict[str, str] | None = None) -> set[str]:
    """Distributions that the requirements of the tests leave out: for this interpreter, or for another as markers name it."""
    files = (ROOT / "tests" / "requirements.txt", ROOT / "docs" / "requirements.txt")
    lines = [line for file in files for line in file.read_text().splitlines() if not line.startswith("-r")]
    wanted = [Requirement(line) for line in lines]
    return {one.name for one in wanted if one.marker and not one.marker.evaluate(interpreter)}


def is_fact(reason: str, interpreter: dict[str, str] | None = None) -> bool:
    """May a test be skipped in CI for this reason?"""
    return bool(FACTS.search(reason)) or reason in map(MISSING.format, left_out(interpreter))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test in CI that is skipped because something is missing."""
    report = yield
    reason = report.longrepr[2].removeprefix("Skipped: ") if isinstance(report.longrepr, tuple) else ""
    if report.skipped and reason and os.environ.get("CI") and not is_fact(reason):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} is skipped in CI, where nothing may be missing: {reason}"
    return report


Ftsan = Callable[..., Run]


def runner(folder: Path) -> Ftsan:
    """A function that runs ``ftsan run`` with its arguments and a JSON report, in this folder."""

    def run(*arguments: str | Path, env: dict[str, str] | None = None, timeout: float = 60, cwd: Path = folder) -> Run:
        report = folder / "report.json"
        command = [sys.executable, "-m", "ftsan", "run", "--report-json", report, *arguments]
        done = subprocess.run(
            list(map(str, command)), env=PLAIN | (env or {}), capture_output=True, text=True, timeout=timeout, cwd=cwd, check=False
        )
        return Run(done.returncode, done.stdout, done.stderr, json.loads(report.read_text()) if report.exists() else {})

    return run


@pytest.fixture
def ftsan(tmp_path: Path) -> Ftsan:
    """Run ``ftsan run`` with these arguments and a JSON report."""
    return runner(tmp_path)


@pytest.fixture
def race(tmp_path: Path) -> Path:
    """A program with one lost update."""
    from tests.python.host import RACE

    path = tmp_path / "race.py"
    path.write_text(RACE)
    return path
