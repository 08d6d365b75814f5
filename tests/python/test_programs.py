"""Test programs whose names are verdicts.

``fires_*``: each line marked ``# offending: OPERATION`` is reported, by the rule of its folder and as that operation, and nothing
else is.  A report shows the owner passing through a line marked ``# owner``, and the creation at a line marked ``# created``, if
the program marks any, and each line marked ``# owner: always``.  Of what no line of the program does, but the start of the process
or a thread without Python, only the operation is compared.  ``quiet_*``: runs to its end and nothing is reported.
``fixed_NAME``: follows the rule's fix of that name, and is quiet.
``known_miss_*``: marked like ``fires_*``, not found yet; the day it is found, this test fails and the program is renamed.
``known_false_*``: a ``quiet_*`` program that is reported all the same, until it is not any more.

In a data race either access may be the later one.  The lines of the two are marked ``# race: NAME`` (one line, if both pass
through it), each race of a program with a name of its own; lines marked ``# maybe: NAME`` are where an access of it may be seen as
well, such as the reading half of an update.

The docstring may have a line ``OPTIONS:`` with more words for ``ftsan run``, a line ``ALSO:`` with rules that may be reported
besides, a line ``SINCE:`` with the CPython that brings what the program is about, and in a quiet program a line ``UNSEEN:`` with
what is not there to be counted, as no two threads share anything or no loop runs.
"""

from __future__ import annotations

import ast
import re
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Ftsan, Run

#: Rules of the interpreter as a whole: there is no other thread, and of FT604 not even a line of the program.
OF_ONE_THREAD = ("FT601", "FT602", "FT604")

#: By the beginning of a rule's id, what there must be some of in a program that is quiet: without it nothing was looked at.
LOOKED_AT = {"FT1": "loops", "FT4": "accesses"}

ABOUT_A_GIL_THAT_IS_OFF = ("FT601", "FT602", "FT604")
PROGRAMS = sorted((ROOT / "tests" / "programs").glob("FT*/*.py"))


def named(prefix: str) -> list[Path]:
    """The programs whose names begin so."""
    return [path for path in PROGRAMS if path.name.startswith(prefix)]


def header(path: Path, name: str) -> list[str]:
    """The words of that line of the docstring."""
    found = re.search(rf"^{name}: (.*)$", ast.get_docstring(ast.parse(path.read_text())) or "", re.MULTILINE)
    return shlex.split(found[1]) if found else []


def marked(path: Path, mark: str) -> list[tuple[int, str]]:
    """(line, text) of each mark."""
    lines = enumerate(path.read_text().splitlines(), 1)
    return [(number, text.strip()) for number, line in lines for text in re.findall(rf"# {mark}\b:?([^#]*)", line)]


def races(path: Path) -> dict[str, tuple[set[int], set[int]]]:
    """For each race of the program, by name, the lines that are its own and those where it may be seen as well."""
    names = {name for _, name in marked(path, "race")}
    return {
        name: (
            {line for line, text in marked(path, "race") if text == name},
            {line for line, text in marked(path, "maybe") if text == name},
        )
        for name in names
    }


def ends(finding: dict[str, Any], path: Path) -> set[int]:
    """The lines of the program where the two threads of a race met, by the innermost frames there."""
    offending = finding["accesses"][0]
    others = [access for access in finding["accesses"] if access["thread"]["name"] != offending["thread"]["name"]]
    assert (offending["role"], {access["role"] for access in others} - {"created"}) == ("offending", {"earlier"}), finding["title"]
    stacks = [[frame["line"] for frame in access["stack"] if frame["file"] == str(path)] for access in (offending, others[0])]
    return {lines[0] for lines in stacks if lines}


def race_names(finding: dict[str, Any], path: Path) -> list[str]:
    """The names of the races that this finding may be about."""
    found = ends(finding, path)
    return [name for name, (own, maybe) in races(path).items() if found and found <= own | maybe and (maybe or found == own)]


def missed_races(run: Run, path: Path) -> dict[str, set[int]]:
    """The races of the program that were not found, each with those of its lines that no finding of it passes through."""
    findings = [finding for finding in run.by_location if finding["rule"] == path.parent.name]
    seen = {name: set[int]().union(*(ends(f, path) for f in findings if name in race_names(f, path))) for name in races(path)}
    return {name: own - seen[name] for name, (own, _) in races(path).items() if own - seen[name]}


def reported(run: Run, path: Path) -> set[tuple[int, str]]:
    """(line, operation) of each finding."""
    found = set()
    for finding in run.findings:
        access = finding["accesses"][0]
        assert access["role"] == "offending"
        if not access["stack"]:
            found |= {mark for mark in marked(path, "offending") if mark[1] == access["operation"]}
            continue
        assert access["stack"][0]["file"] == str(path), finding["title"]
        found.add((access["stack"][0]["line"], access["operation"]))
    return found


def frames(run: Run, role: str, path: Path) -> list[list[int]]:
    """For each access of this role the lines of the program that it passes through, its thread's start included."""
    accesses = [access for finding in run.findings for access in finding["accesses"] if access["role"] == role]
    stacks = [access["stack"] + ((access["thread"] or {}).get("started_at") or []) for access in accesses]
    return [[frame["line"] for frame in stack if frame["file"] == str(path)] for stack in stacks]


def skip_before(path: Path) -> None:
    """Skip the test where the interpreter does not have what the program is about."""
    for since in header(path, "SINCE"):
        if sys.version_info < tuple(map(int, since.split("."))):
            pytest.skip(f"CPython {since} brings what it is about")
    if path.parent.name in ABOUT_A_GIL_THAT_IS_OFF and sys._is_gil_enabled():
        pytest.skip("about processes that begin without the GIL")


def test_every_program_has_a_verdict() -> None:
    assert PROGRAMS
    assert all(re.match(r"(fires|quiet|fixed|known_miss|known_false)_", path.name) for path in PROGRAMS)


def expect_races(run: Run, path: Path) -> None:
    """Each marked race is reported, and nothing else."""
    others = [
        finding for finding in run.by_location if finding["rule"] not in header(path, "ALSO") and not race_names(finding, path)
    ]
    wrong = (missed_races(run, path), [finding["title"] for finding in others])
    assert wrong == ({}, []), f"{wrong}\n{run.stderr}"


def expect_misuse(run: Run, path: Path) -> None:
    """Each line marked as offending is reported, and nothing else; with owner and creation, where they are marked."""
    assert reported(run, path) == set(marked(path, "offending"))
    owner_lines, owners = dict(marked(path, "owner")), frames(run, "owner", path)
    assert all(owner_lines.keys() & set(lines) for lines in owners) or not owner_lines
    assert {line for line, how in owner_lines.items() if how == "always"} <= {line for lines in owners for line in lines}
    created_lines = {line for line, _ in marked(path, "created")}
    if created_lines:
        assert all("created" in [access["role"] for access in finding["accesses"]] for finding in run.findings)
        assert all(lines[:1] and lines[0] in created_lines for lines in frames(run, "created", path))


@pytest.mark.parametrize("path", named("fires_"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_fires(path: Path, ftsan: Ftsan) -> None:
    skip_before(path)
    run = ftsan(*header(path, "OPTIONS"), path)
    severities = {finding["severity"] for finding in run.findings}
    assert run.status == (66 if severities - {"info"} else 0), run.stderr
    (expect_races if races(path) else expect_misuse)(run, path)
    assert set(run.rules) - set(header(path, "ALSO")) == {path.parent.name}
    for finding in run.by_location:
        if finding["rule"] in OF_ONE_THREAD:
            continue
        assert {"owner", "earlier"}.intersection(access["role"] for access in finding["accesses"]), finding["title"]
        assert (finding["title"].count("thread '"), "thread '?'" in finding["title"]) == (2, False)


@pytest.mark.parametrize("path", named("quiet_") + named("fixed_"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_quiet(path: Path, ftsan: Ftsan) -> None:
    skip_before(path)
    run = ftsan(*header(path, "OPTIONS"), path)
    assert [finding["title"] for finding in run.findings if finding["rule"] not in header(path, "ALSO")] == []
    assert (run.status, run.stdout) == (0, "")
    assert run.stderr == "" or run.findings
    watched = run.report["watched"]
    assert watched["checks"] > 0
    assert watched["off"] == []
    looked_at = LOOKED_AT.get(path.parent.name[:3], "checks")
    assert (watched.get(looked_at, 0) > 0) is (looked_at not in header(path, "UNSEEN"))


@pytest.mark.parametrize("path", named("known_miss_"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_known_miss(path: Path, ftsan: Ftsan) -> None:
    run = ftsan(*header(path, "OPTIONS"), path)
    # A program that dies at once, or is not watched, misses everything.
    assert (run.status, run.report["watched"]["off"]) == (0, []), run.stderr
    assert races(path) or marked(path, "offending")
    missed = missed_races(run, path) if races(path) else reported(run, path) != set(marked(path, "offending"))
    assert missed, f"{path.name} works now: rename it to fires_"


@pytest.mark.parametrize("path", named("known_false_"), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_known_false(path: Path, ftsan: Ftsan) -> None:
    run = ftsan(*header(path, "OPTIONS"), path)
    assert run.findings, f"{path.name} is quiet now: rename it to quiet_"
