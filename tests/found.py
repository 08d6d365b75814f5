"""``make found``: the bugs of packages in ``examples/found``, on a plain interpreter and under ftsan.

``python -m tests.found [NAME ...]`` runs each program in ``RUNS`` processes without ftsan, two at a time, and prints in how many it
went wrong (status 1) beside what its header says; then once as its header says under ``ftsan run``, and fails unless a finding of
weight passes through the function that the header names.  Packages are kept in ``$FTSAN_CACHE/found``.

The docstring of a program: a title that begins with the package and its version, ``pip install ...``, ``ftsan run ...``, how it
comes about, and the lines ``WRONG: N of M`` (on plain 3.14.7t and two busy cores), ``AT: FILE:FUNCTION`` and ``KNOWN: ...`` (to
its maintainers); ``NEEDS: PostgreSQL`` if it talks to one, which is started then.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests import obtained
from tests.conftest import PLAIN, ROOT
from tests.interop.conftest import postgresql_in

FOLDER = ROOT / "examples" / "found"
PAGE = FOLDER / "README.md"
CACHE = obtained.CACHE / "found"
RUNS = 20
INTRODUCTION = """# Bugs of packages that ftsan has found

Each program shows its harm on a plain free-threaded interpreter, without ftsan, and ends with status 1 if it does.  The third
column says in how many processes that was, on CPython 3.14.7t and two busy cores; the last one, whether the maintainers
know of it, as far as their trackers could be searched in November 2026.  `make found` counts again, and checks that ftsan names
the line in each of them.

| package | what goes wrong | how often | known |
|---|---|---|---|
"""


@dataclass
class Found:
    """A program, and what its header says."""

    path: Path
    package: str
    what: str
    install: list[str]
    run: list[str]
    wrong: str
    at: str
    known: str
    needs_postgresql: bool


def read(path: Path) -> Found:
    """The program of this path; an error if its header is not complete."""
    text = ast.get_docstring(ast.parse(path.read_text())) or ""

    def line(pattern: str) -> str:
        found = re.search(pattern, text, re.MULTILINE)
        assert found, f"{path.name}: no line {pattern}"
        return found[1]

    title = re.match(r"(\S+ \d[\w.]*):? (.*)\.$", text, re.MULTILINE)
    assert title, f"{path.name}: its title begins with no package and version"
    package, what = title.groups()
    return Found(
        path=path,
        package=package,
        what=what,
        install=shlex.split(line(r"^    pip install (.*)$")),
        run=shlex.split(line(r"^    ftsan run (.*) \S+$")),
        wrong=line(r"^WRONG: (\d+ of \d+)$"),
        at=line(r"^AT: (\S+:\S+)$"),
        known=line(r"^KNOWN: (.*)$"),
        needs_postgresql="\nNEEDS: PostgreSQL\n" in text,
    )


def programs() -> list[Found]:
    """All of them, by name."""
    return [read(path) for path in sorted(FOLDER.glob("*.py"))]


def page() -> str:
    """What ``examples/found/README.md`` says."""
    rows = [
        f"| [{found.package}]({found.path.name}) | {found.what} | {found.wrong} | {found.known} |".replace("``", "`")
        for found in programs()
    ]
    return INTRODUCTION + "\n".join([*rows, ""])


@contextmanager
def environment(found: Found) -> Iterator[dict[str, str]]:
    """The environment in which its package is there, and the server that it needs."""
    target = CACHE / re.sub(r"[^\w.=-]", "_", " ".join(found.install))
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--target", f"{scratch}/packages"]
            subprocess.run([*pip, *found.install], env=PLAIN, check=True)
            shutil.move(f"{scratch}/packages", target)
    env = PLAIN | {"PYTHONPATH": str(target)}
    if found.needs_postgresql:
        with tempfile.TemporaryDirectory() as folder, postgresql_in(Path(folder)) as server:
            yield env | server
    else:
        yield env


def times_wrong(found: Found, env: dict[str, str]) -> int:
    """In how many processes it goes wrong; an error if one of them breaks."""

    def status(_: int) -> int:
        done = subprocess.run([sys.executable, found.path], env=env, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode in (0, 1) and not done.stderr, f"{found.path.name}: {done.returncode}\n{done.stderr}"
        return done.returncode

    with ThreadPoolExecutor(2) as pool:
        return sum(pool.map(status, range(RUNS)))


def is_named(found: Found, env: dict[str, str]) -> bool:
    """Whether ftsan reports a race of weight in the function."""
    file, _, function = found.at.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder, "report.json")
        command = [sys.executable, "-m", "ftsan", "run", "--report-json", str(report), *found.run, str(found.path)]
        subprocess.run(command, env=env, capture_output=True, timeout=600, check=False)
        findings = [finding for finding in json.loads(report.read_text())["findings"] if finding["severity"] != "info"]
    frames = [frame for finding in findings for access in finding["accesses"] for frame in access["stack"]]
    return any(frame["file"].endswith(os.sep + file) and frame["function"] == function for frame in frames)


def main() -> None:
    chosen = [found for found in programs() if not sys.argv[1:] or found.path.stem in sys.argv[1:]]
    unnamed = 0
    for found in chosen:
        with environment(found) as env:
            named, wrong = is_named(found, env), times_wrong(found, env)
        unnamed += not named
        told = "named" if named else "NOT NAMED"
        print(f"{found.path.stem}: wrong in {wrong} of {RUNS} (its header: {found.wrong}), {found.at} {told}", flush=True)
    sys.exit(unnamed > 0)


if __name__ == "__main__":
    main()
