"""``--ftsan-concurrent`` and ``ftsan_concurrent``: bugs that one-threaded tests cannot show, and nothing where there are none."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.python.test_pytest_plugin import run_pytest

#: Of the classes in ``tests/concurrent/*/shop.py``.
TESTS = {"account", "cache", "connection", "counter", "ids", "point", "pool", "registry", "statistics", "tickets"}


def shop(folder: Path, side: str) -> Path:
    shutil.copy(ROOT / "tests" / "concurrent" / side / "shop.py", folder)
    shutil.copy(ROOT / "tests" / "concurrent" / "suite.py", folder / "test_shop.py")
    return folder


@pytest.mark.parametrize("seed", range(5))
def test_ten_planted_bugs_are_found_by_tests_of_one_thread(seed: int, tmp_path: Path) -> None:
    done = run_pytest(shop(tmp_path, "planted"), "--ftsan", "--ftsan-concurrent=4", f"--ftsan-seed={seed}")
    failed = re.findall(
        r"^FAILED test_shop\.py::test_(\w+)\[4-threads.*?\] - (?:FT40|ValueError: generator already)", done.stdout, re.MULTILINE
    )
    assert set(failed) == TESTS, done.stdout
    assert "11 passed" in done.stdout, "by one thread alone nothing is wrong"
    assert f"ftsan: 11 tests run by 4 threads at once (--ftsan-seed={seed})" in done.stdout


@pytest.mark.parametrize("seed", range(5))
def test_nothing_is_found_in_their_corrected_twins(seed: int, tmp_path: Path) -> None:
    done = run_pytest(shop(tmp_path, "corrected"), "--ftsan", "--ftsan-concurrent=4", f"--ftsan-seed={seed}")
    assert done.returncode == 0, done.stdout
    assert "ftsan: 0 findings" in done.stdout
    assert "11 tests run by 4 threads at once" in done.stdout
    # Others assert something of the kind, too, and may come to it while no other thread is there.
    left_out = re.search(r"not run by several threads: (.*) \(what it asserts holds for one thread alone\)", done.stdout)
    assert left_out and "test_shop.py::test_counter[4-threads]" in left_out[1], done.stdout


SHORT = """
import itertools, time
import pytest

class Cache:
    def __init__(self, make):
        self.entries, self.make, self.first = {}, make, None
    def get(self, key):
        if key not in self.entries:
            self.entries[key] = self.make()
        return self.entries[key]
    def fill(self, key):
        if key not in self.entries:
            self.entries[key] = self.make()
    def only(self):
        if self.first is None:
            self.first = self.make()

@pytest.fixture(autouse=True)
def setting(monkeypatch):
    monkeypatch.setenv("SETTING", "1")

@pytest.fixture(params=[list, object])
def cache(request):
    return Cache(request.param)

@pytest.fixture
def turns():
    return itertools.count()

@pytest.mark.parametrize("method", ["get", "fill", "only"])
def test_meets(cache, method):
    getattr(cache, method)(*["key"][: method != "only"])

@pytest.mark.parametrize("method", ["get", "fill", "only"])
def test_one_after_the_other(cache, method, turns):
    time.sleep(next(turns) / 20)
    getattr(cache, method)(*["key"][: method != "only"])
"""


def test_a_short_check_then_act_is_found_whether_the_threads_meet_or_not(tmp_path: Path) -> None:
    (tmp_path / "test_short.py").write_text(SHORT)
    done = run_pytest(tmp_path, "--ftsan", "--ftsan-concurrent=2")
    failed = re.findall(r"^FAILED test_short\.py::(\w+)\[2-threads-(\w+-\w+)\] - FT402", done.stdout, re.MULTILINE)
    kinds = [f"{maker}-{method}" for maker in ("list", "object") for method in ("get", "fill", "only")]
    assert sorted(failed) == [(test, kind) for test in ("test_meets", "test_one_after_the_other") for kind in sorted(kinds)], (
        done.stdout
    )
    assert "12 failed, 12 passed" in done.stdout
    assert "not run by several threads" not in done.stdout, "its fixtures are made and undone by one thread"


MARKED = """
import pytest

@pytest.fixture
def box():
    return {"n": 0}

@pytest.mark.ftsan_concurrent(threads=3)
def test_races_with_itself(box):
    box["n"] += 1

@pytest.mark.ftsan_concurrent(threads=3)
def test_raises(box):
    if box.setdefault("first", object()) is not None:
        raise KeyError("in a thread")

@pytest.mark.ftsan_concurrent(threads=3)
def test_folders(tmp_path):
    (tmp_path / "file").mkdir()

@pytest.mark.ftsan_concurrent(threads=1)
def test_alone(box):
    box["n"] += 1

@pytest.mark.ftsan_concurrent(threads=3)
def test_captures(capsys, box):
    box["n"] += 1
"""


def test_a_marked_test_is_run_by_several_threads(tmp_path: Path) -> None:
    (tmp_path / "test_marked.py").write_text(MARKED)
    done = run_pytest(tmp_path, "--ftsan")
    failed = dict(re.findall(r"^FAILED test_marked\.py::(\w+) - (.{6})", done.stdout, re.MULTILINE))
    assert failed == {"test_races_with_itself": "FT401:", "test_raises": "KeyErr"}, done.stdout
    assert "ftsan: raised in 3 of 3 threads (seed 0)" in done.stdout
    assert "3 passed" in done.stdout
    assert "not run by several threads: test_marked.py::test_captures (uses capsys, which is for one thread)" in done.stdout


def test_without_the_option_the_marker_does_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_marked.py").write_text(MARKED)
    done = run_pytest(tmp_path)
    assert "1 failed, 4 passed" in done.stdout, done.stdout


LEFT_OUT = """
import asyncio, doctest, unittest
import pytest

@pytest.fixture
def box():
    return {"n": 0}

async def test_async():
    pass

@pytest.mark.xfail
def test_expected():
    assert False

@pytest.mark.thread_unsafe(reason="global state")
def test_unsafe():
    pass

def test_patches(monkeypatch):
    pass

@pytest.fixture
def printed(capsys):
    return capsys

def test_prints(printed):
    pass

class TestCase(unittest.TestCase):
    def test_method(self):
        pass

def test_changes_what_it_shares(box):
    box["n"] += 1
"""


def test_what_is_left_out_is_said_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "test_left.py").write_text(LEFT_OUT)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\n")
    done = run_pytest(tmp_path, "--ftsan", "--ftsan-concurrent=2")
    reasons = dict(re.findall(r"not run by several threads: test_left\.py::(\S+) \((.*)\)$", done.stdout, re.MULTILINE))
    assert reasons == {
        "test_async": "asynchronous: a loop is one thread's",
        "test_expected": "expected to fail",
        "test_unsafe": "marked thread_unsafe",
        "test_patches": "uses monkeypatch, which is for one thread",
        "test_prints": "uses capsys, which is for one thread",
        "TestCase::test_method": "unittest: setUp and self are for one thread",
        "test_changes_what_it_shares[2-threads]": "its body changes what it shares with itself",
    }, done.stdout
    assert "6 passed, 1 skipped, 1 xfailed" in done.stdout


def test_repetitions_say_how_often_it_was_found(tmp_path: Path) -> None:
    done = run_pytest(shop(tmp_path, "planted"), "--ftsan", "--ftsan-concurrent=2", "--ftsan-repeat=3", "-k", "tickets or ids")
    assert "6 failed, 6 passed" in done.stdout, done.stdout
    assert "ftsan: FT405 in 3 of 3 runs of test_shop.py::test_tickets[2-threads]" in done.stdout
    assert "ftsan: FT401 in 3 of 3 runs of test_shop.py::test_ids[2-threads]" in done.stdout


@pytest.mark.parametrize("wrong", ["--ftsan-concurrent=0", "--ftsan-concurrent=many", "--ftsan-repeat=-1"])
def test_a_wrong_number_is_a_usage_error(wrong: str, tmp_path: Path) -> None:
    done = run_pytest(tmp_path, "--ftsan", wrong)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "is not a number from 1 to" in done.stderr
