"""A sample of ``make parity``: a few of CPython's own tests, which mostly wait, give the same results with and without ftsan."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN
from tests.parity import SUITES

SAMPLE = ["test_selectors", "test_epoll", "test_fork1"]


@pytest.mark.skipif(not importlib.util.find_spec("test.test_selectors"), reason="this interpreter comes without its tests")
def test_a_sample_gives_the_same_results(tmp_path: Path) -> None:
    suite = SUITES["descriptors"]
    report = tmp_path / "report.json"
    watch = ["-m", "ftsan", "run", "--report-json", str(report)]
    running = {}
    for side, prefix in (("plain", []), ("ftsan", watch)):
        (tmp_path / side).mkdir()
        command = [sys.executable, *prefix, *suite.command(tmp_path / f"{side}.xml", SAMPLE)]
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
    assert len(kinds["plain"]) > 100
    assert kinds["ftsan"] == kinds["plain"]
    assert statuses["ftsan"] == statuses["plain"], (tmp_path / "ftsan.log").read_text()
    facts = json.loads(report.read_text())
    assert facts["findings"] == []
    assert facts["watched"]["off"] == []
