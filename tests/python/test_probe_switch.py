"""Probes are off until there is about to be a second thread, or something else that looks at instructions."""

from __future__ import annotations

import opcode
from pathlib import Path

import pytest

from tests.conftest import Ftsan

#: A program that counts the probes that are off in what the main thread runs of a function begins so.
COUNTS = """
import ctypes

JUMP = {jump}

def off(function):
    "How many probes are jumped over in what runs of it."
    code = function.__code__
    count = ctypes.c_ssize_t.from_address(id(code) + object.__basicsize__).value
    units = ctypes.string_at(id(code) + type(code).__basicsize__, 2 * count)
    return sum(units[at] == JUMP for at in range(0, len(units), 2))
"""

PROGRAM = """
import os, sys, threading
from ftsan.testing import wait_until

class Stats:
    updates = 0

stats = Stats()

def worker():
    stats.updates += 1

def update():
    stats.updates += 1

def begin():
    {begin}

print(off(update), off(worker))
for turn in range(4):
    if turn == 1:
        begin()
    if turn == 2:
        thread = threading.Thread(target=worker)
        thread.start()
        wait_until(lambda: not os.path.exists(f"/proc/self/task/{{thread.native_id}}"))
    if turn != 3:
        print(off(update), off(worker))
    update()
{end}
"""

#: Code that begins before the thread does -> whether that switches the probes on; code that ends it.
BEGINNINGS = {
    "pass": (False, ""),
    "os.waitpid(os.fork() or os._exit(0), 0)": (False, ""),
    "sys.settrace(None), sys.setprofile(None)": (False, ""),
    "sys.settrace(lambda *_: None)": (True, "sys.settrace(None)"),
    "sys.setprofile(lambda *_: None)": (True, "sys.setprofile(None)"),
    "threading.settrace_all_threads(lambda *_: None)": (True, "threading.settrace_all_threads(None)"),
    "threading.setprofile_all_threads(lambda *_: None)": (True, "threading.setprofile_all_threads(None)"),
    "sys.monitoring.use_tool_id(3, 'tool'); sys.monitoring.set_events(3, sys.monitoring.events.LINE)": (
        True,
        "sys.monitoring.set_events(3, 0)",
    ),
    "import cProfile; cProfile.Profile().enable()": (True, ""),
    "import coverage.tracer": (True, ""),
}


def counting(folder: Path, program: str, begin: str, end: str) -> Path:
    """A program that counts, with what begins, and ends, where it has places for that."""
    path = folder / "program.py"
    path.write_text((COUNTS + program).format(begin=begin, end=end, jump=opcode.opmap["JUMP_FORWARD"]))
    return path


def written(folder: Path, begin: str, end: str = "") -> Path:
    """The program, with what begins before the thread does."""
    return counting(folder, PROGRAM, begin, end)


#: No library imports by name what starts this one.
BY_ADDRESS = """global set_trace, traced
    traced = ctypes.PYFUNCTYPE(ctypes.c_int, *[ctypes.c_void_p] * 2, ctypes.c_int, ctypes.c_void_p)(lambda *_: 0)
    set_trace = ctypes.pythonapi.PyEval_SetTrace
    set_trace.argtypes = ctypes.c_void_p, ctypes.py_object
    set_trace(ctypes.cast(traced, ctypes.c_void_p), None)"""


@pytest.mark.parametrize("option", ["--strict", "--confirm", "--inventory=inventory.json"])
def test_what_counts_accesses_of_one_thread_keeps_them_on(option: str, tmp_path: Path, ftsan: Ftsan) -> None:
    assert set(ftsan(option, written(tmp_path, "pass")).stdout.split()) == {"0"}


def test_a_tracer_that_was_not_noticed_is_said(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan(written(tmp_path, BY_ADDRESS, "set_trace(None, None)"))
    [off] = run.report["watched"]["off"]
    assert "a tracer that is written in C keeps" in off, run.stderr


@pytest.mark.parametrize("begin", BEGINNINGS)
def test_probes_are_on_before_they_are_needed(begin: str, tmp_path: Path, ftsan: Ftsan) -> None:
    switches, end = BEGINNINGS[begin]
    run = ftsan(written(tmp_path, begin, end))
    assert run.rules == ["FT401"], run.stderr
    assert (run.status, run.report["watched"]["off"]) == (66, [])
    before, there, begun, threaded = run.stdout.splitlines()
    assert before == there != "0 0"
    assert (begun, threaded) == ("0 0" if switches else before, "0 0")
