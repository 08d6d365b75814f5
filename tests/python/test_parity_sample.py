"""A sample of ``make parity``: a few of CPython's own tests give the same results with and without ftsan."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN
from tests.parity import SUITES, list_findings

#: Those of descriptors mostly wait.  Those of the library are all instrumented, as everything that they use is.
SAMPLES = {
    "descriptors": (100, "test_selectors test_epoll test_fork1"),
    "stdlib": (
        1000,
        "test_functools test_dataclasses test_queue test_collections test_contextlib test_generators test_patma test_code",
    ),
}


@pytest.mark.parametrize("name", SUITES)
def test_what_is_explained_is_named_by_file_and_function(name: str) -> None:
    # As `list_findings` compares it: what is written in another form explains nothing, on the rare day on which it happens.
    written = re.compile(r"FT[\d?]{3} (\*/\S+\.py:\S+|\*/\S+/\*|<string>:\S+)")
    assert [pattern for pattern in SUITES[name].explained if not written.fullmatch(pattern)] == []


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.skipif(not importlib.util.find_spec("test.test_selectors"), reason="this interpreter comes without its tests")
def test_a_sample_gives_the_same_results(name: str, tmp_path: Path) -> None:
    suite = SUITES[name]
    at_least, sample = SAMPLES[name]
    report = tmp_path / "report.json"
    watch = ["-m", "ftsan", "run", *suite.options, "--report-json", str(report)]
    running = {}
    for side, prefix in (("plain", []), ("ftsan", watch)):
        (tmp_path / side).mkdir()
        command = [sys.executable, *prefix, *suite.command(tmp_path / f"{side}.xml", sample.split())]
        with (tmp_path / f"{side}.log").open("w") as log:
            running[side] = subprocess.Popen(
                command, cwd=tmp_path / side, env=PLAIN, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
    try:
        statuses = {side: process.wait(120) for side, process in running.items()}
    finally:
        for process in running.values():
            process.kill()
    results = {side: suite.read(tmp_path / f"{side}.xml") for side in running}
    kinds = {side: {test: outcome.kind for test, outcome in results[side].items()} for side in running}
    assert len(kinds["plain"]) > at_least
    assert kinds["ftsan"] == kinds["plain"]
    facts = json.loads(report.read_text())
    # The finding that the suite explains is a race, and happens in some runs only.
    assert list_findings(suite, facts) == 0
    serious = any(finding["severity"] != "info" for finding in facts["findings"])
    assert statuses["ftsan"] == (66 if serious else statuses["plain"]), (tmp_path / "ftsan.log").read_text()
    assert facts["watched"]["off"] == []
