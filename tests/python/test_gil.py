"""Interpreters with the GIL: what is found another way there, and what a report says of it.

All else of them is tested by running the other tests on one (``make test-gil``).
"""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

import pytest

from tests.conftest import Ftsan
from tests.python.host import RACE

on_gil_build = pytest.mark.skipif(bool(sysconfig.get_config_var("Py_GIL_DISABLED")), reason="about builds with the GIL")

#: Objects that two threads touch, one after the other and unordered, so that all kinds of bits are set.
TOUCHED = """
import ctypes, threading, weakref
class S: pass
def touch(kept):
    for one in kept:
        one.n = getattr(one, 'n', 0) + 1
        with one.lock: one.items.append(one.n)
kept = [S() for _ in range(200)]
for one in kept: one.lock, one.items = threading.Lock(), []
threads = [threading.Thread(target=touch, args=(kept,)) for _ in range(2)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]
"""


def program(folder: Path, text: str) -> Path:
    path = folder / "program.py"
    path.write_text(text)
    return path


@on_gil_build
def test_no_bit_of_ours_is_in_a_reference_count(ftsan: Ftsan, tmp_path: Path) -> None:
    text = TOUCHED + (
        "objects = [part for one in kept for part in (one, one.lock, one.items)]\n"
        "print({ctypes.c_uint64.from_address(id(part)).value >> 32 for part in objects})\n"
    )
    run = ftsan(program(tmp_path, text))
    assert (run.stdout, run.report["watched"]["off"]) == ("{0}\n", [])
    assert "FT401" in run.rules


@on_gil_build
@pytest.mark.parametrize("arguments", ["", "-X tracemalloc"])
def test_tracemalloc_hears_of_births_as_well(arguments: str, ftsan: Ftsan, tmp_path: Path) -> None:
    # Objects that come from a free list are known to tracemalloc by their births alone.
    text = (
        "import tracemalloc\n"
        "tracemalloc.start()\n"
        "floats = [float(i) for i in range(5000)]\n"
        "floats = None\n"
        "one = float('1.5')  # HERE\n"
        "line = tracemalloc.get_object_traceback(one)[0].lineno\n"
        f"{RACE}\n"
        "print(line, tracemalloc.is_tracing(), tracemalloc.stop())\n"
        "tracemalloc.start(); tracemalloc.stop()\n"
    )
    run = ftsan(program(tmp_path, text), env={"PYTHONTRACEMALLOC": "1"} if arguments else {})
    here = text.splitlines().index("one = float('1.5')  # HERE") + 1
    assert (run.stdout, run.report["watched"]["off"]) == (f"{here} True None\n", [])
    assert (run.status, run.rules) == (66, ["FT401"])


@on_gil_build
def test_without_births_races_are_off_and_the_status_says_so(ftsan: Ftsan, tmp_path: Path) -> None:
    run = ftsan(program(tmp_path, f"import ctypes; ctypes.pythonapi.PyRefTracer_SetTracer(None, None)\n{RACE}"))
    assert (run.status, run.rules) == (67, [])
    assert [reason[:39] for reason in run.report["watched"]["off"]] == ["races: births of objects are not heard "]


def test_a_race_says_that_the_gil_is_on(ftsan: Ftsan, race: Path) -> None:
    run = ftsan(race, env={"PYTHON_GIL": "1"})
    [finding] = run.findings
    assert run.report["gil"] == "enabled"
    assert finding["witnessed"] or finding["title"].endswith(
        "; with the GIL, which is on here, it does harm less often than without"
    )


def test_a_race_says_nothing_of_a_gil_that_is_off(ftsan: Ftsan, race: Path) -> None:
    if sys._is_gil_enabled():
        pytest.skip("the GIL is on")
    [finding] = ftsan(race).findings
    assert "GIL" not in finding["title"]
