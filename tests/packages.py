"""``make packages``: the test suites of packages from PyPI, each test by several threads at once, watched for data races.

``python -m tests.packages [PACKAGE ...]`` runs each suite under pytest-run-parallel twice: plainly, which shows what fails in
threads anyway, and under ``ftsan run --races PACKAGE``.  Printed: how many tests ran, which differ, and every finding with the
innermost lines of both sides, those of severity info last.  What a finding means is judged by hand: the threads share the test's
fixtures and ``self``, too, and not every object was made to be shared.

Packages and tests are kept in ``$FTSAN_CACHE/packages``, where ``work/`` has the logs and reports of the last run.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import obtained, parity
from tests.conftest import PLAIN, ROOT

CACHE = obtained.CACHE / "packages"
REQUIREMENTS = ROOT / "tests" / "packages_requirements.txt"
VERSIONS = dict(re.findall(r"^(\S+)==(\S+)$", REQUIREMENTS.read_text(), re.MULTILINE))
THREADS = 4


@dataclass
class Threaded(parity.Pytest):
    """The tests of a package, each by several threads at once."""

    files: str = "tests/.*"
    """Of the source distribution, as a regular expression; without its configuration, which asks for coverage and the like.  Empty
    if the tests are part of the installed package."""
    ignore: list[str] = field(default_factory=list)
    """What needs packages that are not here, or is there to fail."""

    def prepare(self) -> tuple[Path, dict[str, str]]:
        installed = obtained.packages(REQUIREMENTS, CACHE)
        folder = obtained.sources(self.package, VERSIONS[self.package], CACHE, self.files) if self.files else installed
        return folder, PLAIN | {"PYTHONPATH": os.pathsep.join([str(installed), str(folder)])}

    def command(self, results: Path, tests: list[str]) -> list[str]:
        options = [f"--parallel-threads={THREADS}", "--rootdir=.", *(f"--ignore={each}" for each in self.ignore)]
        return super().command(results, [*options, *tests])


def watched(package: str, at_least: int, tests: str = "tests", *, module: str = "", **more: Any) -> Threaded:
    """A suite whose package is watched and nothing else."""
    return Threaded(at_least, [tests], package=package, options=["--races", module or package], patience=3600, **more)


#: Chosen for what they share between threads: caches and registries of modules and classes, objects that are made to be shared.
PACKAGES: dict[str, Threaded] = {
    "babel": watched("babel", 1000, files=r"conftest\.py|tests/.*", ignore=["tests/messages/data"]),
    "docutils": watched("docutils", 100, "test", files=".*"),
    "humanize": watched("humanize", 500, ignore=["tests/test_benchmarks.py"]),
    "inflect": watched("inflect", 100),
    "jinja2": watched("jinja2", 500),
    "mako": watched("mako", 200, "test", files=r"setup\.cfg|test/.*"),
    "marshmallow": watched("marshmallow", 800, ignore=["tests/mypy_test_cases"]),
    "num2words": watched("num2words", 500, ignore=["tests/test_cli.py"]),
    "pint": watched("pint", 500, "pint/testsuite", files="", ignore=["pint/testsuite/benchmarks"]),
    "pygments": watched("pygments", 1000, ignore=["tests/contrast"]),
    "pyparsing": watched("pyparsing", 100, files="(examples|tests)/.*", ignore=["tests/test_diagram.py"]),
    "python-dateutil": watched("python-dateutil", 1000, module="dateutil"),
    "sqlparse": watched("sqlparse", 300),
}


def innermost(access: dict[str, Any]) -> str:
    """Where an access was made."""
    frame = next(iter(access["stack"]), {"file": "?", "line": 0, "function": "?"})
    return f"{frame['file']}:{frame['line']} in {frame['function']} ({access['operation']})"


def survey(name: str, suite: Threaded) -> None:
    """Run a suite both ways and print what happened."""
    plain, watched = (parity.run(name, suite, label, suite.tests, CACHE) for label in ("plain", "ftsan"))
    kinds = Counter(outcome.kind for outcome in plain.outcomes.values())
    print(
        f"{name} {VERSIONS[suite.package]}: {len(plain.outcomes)} tests by {THREADS} threads ({kinds['ok']} pass), "
        f"{plain.seconds:.0f} s; {len(watched.outcomes)} watched, {watched.seconds:.0f} s"
    )
    for one in (plain, watched):
        if one.ended_early(suite.at_least):
            print(f"  ended with status {one.status}: {one.log}")
    for test in sorted(plain.outcomes.keys() | watched.outcomes.keys()):
        if plain.kind(test) != watched.kind(test):
            print(f"  {test}: {plain.kind(test)} without, {watched.kind(test)} with ftsan")
    findings = watched.report.get("findings", [])
    for finding in sorted(findings, key=lambda each: ("error", "warning", "info").index(each["severity"])):
        print(f"  {finding['severity']} {finding['rule']} {finding['title']} ({finding['count']} times)")
        for access in finding["accesses"]:
            print(f"    {access['role']}: {innermost(access)}")
    for reason in watched.report.get("watched", {}).get("off", []):
        print(f"  off: {reason}")


def main() -> int:
    """Run the suites."""
    parser = argparse.ArgumentParser(prog="python -m tests.packages", description=__doc__.split("\n\n")[0])
    parser.add_argument("package", nargs="*", help=f"of: {', '.join(PACKAGES)}; all if none is named")
    chosen = parser.parse_args().package or list(PACKAGES)
    if unknown := set(chosen) - set(PACKAGES):
        parser.error(f"no such package: {', '.join(unknown)}")
    (CACHE / "work").mkdir(parents=True, exist_ok=True)
    for name in chosen:
        survey(name, PACKAGES[name])
    return 0


if __name__ == "__main__":
    sys.exit(main())
