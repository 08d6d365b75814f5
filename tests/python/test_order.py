"""The order of threads: one test for each edge, which fails when the edge is taken out.

The cases are in ``tests/order``; each runs with all edges, and again without the one that it is about.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections import defaultdict
from typing import Any

import pytest

from tests.conftest import PLAIN, ROOT
from tests.order import harness

FILES = ("primitives", "channels", "loops", "containers", "outside")


def run(file: str, without: str, *cases: str) -> dict[str, bool]:
    command = [sys.executable, "-W", "ignore", "-m", f"tests.order.{file}", without, *cases]
    done = subprocess.run(command, env=PLAIN, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    printed: dict[str, Any] = json.loads(done.stdout)
    assert printed["off"] == []
    return printed["results"]


def groups() -> list[tuple[str, str, tuple[str, ...]]]:
    """Cases of a file that are about the same edge."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    for file in FILES:
        before = set(harness.CASES)
        importlib.import_module(f"tests.order.{file}")
        for case in harness.CASES.keys() - before:
            if harness.WITHOUT[case]:
                found[file, harness.WITHOUT[case]].append(case)
    return [(file, without, tuple(sorted(cases))) for (file, without), cases in sorted(found.items())]


@pytest.mark.parametrize("file", FILES)
def test_with_all_edges(file: str) -> None:
    results = run(file, "")
    assert results == {case: harness.EXPECTED[case] for case in results}


@pytest.mark.parametrize(("file", "without", "cases"), groups())
def test_without_an_edge(file: str, without: str, cases: tuple[str, ...]) -> None:
    results = run(file, without, *cases)
    assert results == {case: not harness.EXPECTED[case] for case in cases}
