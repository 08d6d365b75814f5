"""Of accesses of one object that soon follow each other, one probe stands for the others as long as the object is private."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Ftsan
from tests.python.test_probe_switch import BEGINNINGS, BY_ADDRESS, counting

PROGRAM = """
import sys, threading

class Pair:
    def __init__(self):
        self.one = self.other = 1

def total(pair):
    return pair.one + pair.other

def begin():
    {begin}

made = []
has_made, is_over = threading.Event(), threading.Event()

def make():
    made.append(Pair())
    has_made.set()
    made[0].other = 2
    is_over.wait()

thread = threading.Thread(target=make)
thread.start()
has_made.wait()
total(Pair())
print(off(total))
begin()
total(Pair())
print(off(total))
total(made[0])
print(off(total))
is_over.set()
thread.join()
{end}
"""


def written(folder: Path, begin: str = "pass", end: str = "") -> Path:
    """The program, with what begins while probes are folded."""
    return counting(folder, PROGRAM, begin, end)


def test_what_is_folded_is_put_back_before_the_first_object_that_is_shared(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan(written(tmp_path))
    assert run.stdout.split() == ["1", "1", "0"], run.stderr
    [finding] = run.report["findings"]
    assert "other" in finding["title"], finding
    assert run.report["watched"]["off"] == []


@pytest.mark.parametrize("begin", [begin for begin, (switches, _) in BEGINNINGS.items() if switches])
def test_nothing_is_folded_where_instructions_are_looked_at(begin: str, tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan(written(tmp_path, begin, BEGINNINGS[begin][1]))
    assert run.stdout.split() == ["1", "0", "0"], run.stderr
    assert (len(run.report["findings"]), run.report["watched"]["off"]) == (1, [])


@pytest.mark.parametrize("option", ["--strict", "--confirm", "--inventory=inventory.json", "--perturb=1"])
def test_what_counts_accesses_folds_nothing(option: str, tmp_path: Path, ftsan: Ftsan) -> None:
    assert set(ftsan(option, written(tmp_path)).stdout.split()) == {"0"}


def test_a_tracer_that_was_not_noticed_is_said(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan(written(tmp_path, BY_ADDRESS, "set_trace(None, None)"))
    assert any("a tracer that is written in C came unnoticed" in off for off in run.report["watched"]["off"]), run.stderr


def test_another_version_of_patched_code_folds_nothing_of_the_first(tmp_path: Path, ftsan: Ftsan) -> None:
    """The program makes a code object of one that has folded probes, and both run."""
    begin = "global total; before = total; total = type(total)(total.__code__.replace(co_name='sum'), globals())"
    run = ftsan(written(tmp_path, begin))
    assert run.stdout.split()[-1] == "0" and len(run.report["findings"]) == 1, run.stderr
