"""Test programs whose names are verdicts.

``fires_*``: each line marked ``# offending: OPERATION`` is reported, by the rule of its folder and as that operation, and nothing
else is.  A report shows the owner passing through a line marked ``# owner``, and the creation at a line marked ``# created``, if
the program marks any.  ``quiet_*``: runs to its end and nothing is reported.  ``known_miss_*``: marked like ``fires_*``, not found
yet; the day it is found, this test fails and the program is renamed.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT, Ftsan, Run

PROGRAMS = sorted((ROOT / "tests" / "programs").glob("FT*/*.py"))


def named(prefix: str) -> list[Path]:
    """The programs whose names begin so."""
    return [path for path in PROGRAMS if path.name.startswith(prefix)]


def marked(path: Path, mark: str) -> list[tuple[int, str]]:
    """(line, text) of each mark."""
    lines = enumerate(path.read_text().splitlines(), 1)
    return [(number, found[1].strip()) for number, line in lines if (found := re.search(rf"# {mark}:?([^#]*)", line))]


def reported(run: Run, path: Path) -> set[tuple[int, str]]:
    """(line, operation) of each finding."""
    found = set()
    for finding in run.findings:
        access = finding["accesses"][0]
        assert access["role"] == "offending"
        assert access["stack"][0]["file"] == str(path), finding["title"]
        found.add((access["stack"][0]["line"], access["operation"]))
    return found


def frames(run: Run, role: str, path: Path) -> list[list[int]]:
    """For each access of this role the lines of the program that it passes through, its thread's start included."""
    accesses = [access for finding in run.findings for access in finding["accesses"] if access["role"] == role]
    stacks = [access["stack"] + ((access["thread"] or {}).get("started_at") or []) for access in accesses]
    return [[frame["line"] for frame in stack if frame["file"] == str(path)] for stack in stacks]


def test_every_program_has_a_verdict() -> None:
    assert PROGRAMS
    assert all(re.match(r"(fires|quiet|known_miss)_", path.name) for path in PROGRAMS)


@pytest.mark.parametrize("path", named("fires_"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_fires(path: Path, ftsan: Ftsan) -> None:
    run = ftsan(path)
    assert run.status == 66, run.stderr
    assert reported(run, path) == set(marked(path, "offending"))
    assert set(run.rules) == {path.parent.name}
    for finding in run.findings:
        assert {"owner", "earlier"}.intersection(access["role"] for access in finding["accesses"]), finding["title"]
        assert finding["title"].count("thread '") == 2
    owner_lines = {line for line, _ in marked(path, "owner")}
    assert all(owner_lines.intersection(lines) for lines in frames(run, "owner", path)) or not owner_lines
    created_lines = {line for line, _ in marked(path, "created")}
    if created_lines:
        assert all("created" in [access["role"] for access in finding["accesses"]] for finding in run.findings)
        assert all(lines[:1] and lines[0] in created_lines for lines in frames(run, "created", path))


@pytest.mark.parametrize("path", named("quiet_"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_quiet(path: Path, ftsan: Ftsan) -> None:
    run = ftsan(path)
    assert (run.status, run.stdout, run.stderr) == (0, "", "")
    assert run.findings == []
    assert run.report["watched"]["checks"] > 0


@pytest.mark.parametrize("path", named("known_miss_"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_known_miss(path: Path, ftsan: Ftsan) -> None:
    run = ftsan(path)
    assert reported(run, path) != set(marked(path, "offending")), f"{path.name} works now: rename it to fires_"
