"""``pytest --ftsan`` among other plugins: misuse that is planted in one test of twenty fails that test and no other."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests import obtained
from tests.conftest import PLAIN, ROOT

#: Twenty tests of each kind; one of each misuses something.
SUITE = """
import asyncio, threading, time, unittest
import hypothesis, pytest
from hypothesis import strategies

PLANTED = 7

class Counter:
    n = 0
    def add(self):
        self.n += 1

def misuse(k):
    counter = Counter()
    def work():
        for _ in range(50):
            if k == PLANTED:
                counter.add()
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

async def misuse_of_the_loop(k):
    loop = asyncio.get_running_loop()
    def work():
        (loop.call_soon if k == PLANTED else loop.call_soon_threadsafe)(int)
    await asyncio.to_thread(work)

@pytest.mark.parametrize("k", range(20))
def test_plain(k):
    misuse(k)

@pytest.mark.asyncio
@pytest.mark.parametrize("k", range(20))
async def test_asyncio(k):
    await misuse_of_the_loop(k)

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
@pytest.mark.parametrize("k", range(20))
async def test_anyio(k):
    await misuse_of_the_loop(k)

class TestUnittest(unittest.TestCase):
    pass

for k in range(20):
    setattr(TestUnittest, f"test_{k}", lambda self, k=k: misuse(k))

@hypothesis.settings(max_examples=3, deadline=None, database=None)
@hypothesis.given(strategies.integers())
@pytest.mark.parametrize("k", range(20))
def test_hypothesis(k, number):
    misuse(k)

__test__ = {f"example_{k}": f">>> misuse({k})" for k in range(20)}
"""

BAD = {
    "test_plain[7]",
    "test_asyncio[7]",
    "test_anyio[7]",
    "TestUnittest::test_7",
    "test_hypothesis[7]",
    "test_suite.__test__.example_7",
}

#: Of ``tests/plugins_requirements.txt``, as they are switched off.
INSTALLED = {"run-parallel", "randomly", "rerunfailures", "timeout", "hypothesispytest", "pytest_cov"}

#: The ways in which each plugin is on: its name, and options.  asyncio, anyio, unittest and doctest have tests in the suite.
WAYS = {
    "xdist": ["", "-n 2"],
    "run-parallel": ["", "--parallel-threads=2"],
    "timeout": ["", "--timeout=60", "--timeout=60 --timeout-method=thread"],
    "pytest_cov": ["", "--cov=."],
    "rerunfailures": ["", "--reruns=1"],
    "randomly": ["", "-p randomly"],
    "hypothesispytest": ["", "-p hypothesispytest"],
}

Combination = tuple[str, ...]


def every_pair() -> list[Combination]:
    """Few combinations in which any two ways of any two plugins meet."""
    rest = list(itertools.product(*WAYS.values()))
    missing = {pair for one in rest for pair in pairs(one)}
    chosen = []
    while missing:
        best = max(rest, key=lambda one: len(missing & pairs(one)))
        chosen.append(best)
        missing -= pairs(best)
    return chosen


def pairs(combination: Combination) -> set[Combination]:
    return set(itertools.combinations(map(str, enumerate(combination)), 2))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "combination" in metafunc.fixturenames:
        is_every = metafunc.config.getoption("every_combination")
        chosen = list(itertools.product(*WAYS.values())) if is_every else every_pair()
        metafunc.parametrize("combination", chosen, ids=[" ".join(filter(None, one)) or "alone" for one in chosen])


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """Where the plugins are."""
    installed = obtained.packages(ROOT / "tests" / "plugins_requirements.txt", obtained.CACHE / "plugins" / "site-packages")
    return PLAIN | {"PYTHONPATH": str(installed)}


def run_pytest(
    folder: Path, environment: dict[str, str], *arguments: str, plugins: set[str] | None = None
) -> subprocess.CompletedProcess[str]:
    off = [word for name in sorted(INSTALLED - (plugins or set())) for word in ("-p", f"no:{name}")]
    command = [sys.executable, "-m", "pytest", "--ftsan", *off, "-rfE", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def failed(done: subprocess.CompletedProcess[str]) -> set[str]:
    how = r"^(?:PARALLEL )?(?:FAILED|ERROR)(?: \(\[thread-unsafe\].*\))?"
    return set(re.findall(rf"{how} test_suite\.py::(\S+)", done.stdout, re.MULTILINE))


def test_the_planted_misuse_fails_its_test_and_no_other(
    combination: Combination, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    on = {name for name, way in zip(WAYS, combination, strict=True) if way}
    is_parallel = "run-parallel" in on
    # It runs coroutine functions without a loop, with ftsan or without.
    options = [*" ".join(combination).split(), *(["-k", "not test_asyncio and not test_anyio"] if is_parallel else [])]
    done = run_pytest(tmp_path, environment, "--doctest-modules", *options, plugins=on)
    bad = {test for test in BAD if not is_parallel or not test.startswith(("test_asyncio", "test_anyio"))}
    assert failed(done) == bad, done.stdout + done.stderr
    assert done.returncode == 1
    assert "outside of any test" not in done.stdout
    assert "ftsan: watched for data races: nothing but the tests themselves; no installed package" in done.stdout
    assert ("with --ftsan-concurrent=4 each test runs in four at once" in done.stdout) == (not is_parallel)


OUTLIVING = """
import asyncio, threading, time
import pytest

class Counter:
    n = 0
    def add(self):
        self.n += 1

counter, go, left = Counter(), [], []

def work():
    while not go:
        time.sleep(0.001)
    for _ in range(50):
        counter.add()

def test_leaves_threads():
    left.extend(threading.Thread(target=work) for _ in range(2))
    for thread in left: thread.start()

@pytest.mark.asyncio(loop_scope="module")
async def test_leaves_a_task():
    loop = asyncio.get_running_loop()
    async def later():
        while not go:
            await asyncio.sleep(0.001)
        thread = threading.Thread(target=lambda: loop.call_soon(int))
        thread.start()
        thread.join()
    left.append(asyncio.create_task(later()))

def test_good():
    go.append(True)
    for thread in left[:2]: thread.join()

@pytest.mark.asyncio(loop_scope="module")
async def test_good_while_the_task_ends():
    await left[2]
"""


@pytest.mark.parametrize("inherits", ["0", "1"])
@pytest.mark.parametrize("plugin", ["alone", "xdist"])
def test_what_outlives_a_test_fails_the_test_that_started_it(
    plugin: str, inherits: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    (tmp_path / "test_suite.py").write_text(OUTLIVING)
    options = ["-n", "1"] if plugin == "xdist" else []
    context = {"PYTHON_THREAD_INHERIT_CONTEXT": inherits}
    done = run_pytest(tmp_path, environment | context, "--junit-xml=junit.xml", *options)
    assert failed(done) == {"test_leaves_threads", "test_leaves_a_task"}, done.stdout + done.stderr
    assert "4 passed, 2 errors" in done.stdout, done.stdout
    assert "test_leaves_threads (after its end)" in done.stdout
    assert "ERROR: ftsan: FT401" in Path(tmp_path, "junit.xml").read_text(), "JUnit has the stacks"


DYING = """
import os, signal, threading

class Counter:
    n = m = 0
    def add(self):
        self.n += 1
    def add_other(self):
        self.m += 1

def race(method):
    counter = Counter()
    threads = [threading.Thread(target=method, args=(counter,)) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def test_races():
    race(Counter.add)

def test_races_and_dies():
    race(Counter.add_other)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_worker_found_before_it_died_is_not_lost(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "test_suite.py").write_text(DYING)
    done = run_pytest(tmp_path, environment, "-n", "1", "--max-worker-restart=0", "--ftsan-crash-dir=crashes")
    assert failed(done) == {"test_races", "test_races_and_dies"}, done.stdout + done.stderr
    assert done.stdout.count("ERROR: ftsan: FT401") == 2, done.stdout
    outside = done.stdout.partition("ftsan: outside of any test")[2].partition("= ftsan =")[0]
    assert "Counter.m: update" in outside and "Counter.n: update" not in outside
    [kept] = (tmp_path / "crashes").iterdir()
    assert [one["rule"] for one in json.loads((kept / "crash.json").read_text())["findings"]] == ["FT401", "FT401"]


CRASHING = """
import ctypes

def test_good():
    pass

def test_crashes():
    ctypes.string_at(8)

def test_goes_on():
    pass
"""


def test_a_test_whose_worker_crashes_says_why(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "test_suite.py").write_text(CRASHING)
    done = run_pytest(tmp_path, environment, "-n", "1", "--ftsan-crash-dir=crashes", "--junit-xml=junit.xml")
    assert re.search(r"^FAILED test_suite\.py::test_crashes - process \d+ died of SIGSEGV", done.stdout, re.MULTILINE), done.stdout
    assert "1 failed, 2 passed" in done.stdout, done.stdout
    [kept] = (tmp_path / "crashes").iterdir()
    for text in (done.stdout, Path(tmp_path, "junit.xml").read_text()):
        assert f"crash folder: {kept}" in text and "CRASH: ftsan:" in text
        assert re.search(r"test_suite\.py:8 in test_crashes$", text, re.MULTILINE), text


DYING_IN_THE_END = """
import os, signal

def pytest_sessionfinish(session):
    if hasattr(session.config, "workerinput"):
        os.kill(os.getpid(), signal.SIGABRT)
"""


def test_a_worker_that_dies_outside_of_any_test_is_told_at_the_end(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "test_suite.py").write_text("def test_good(): pass\n")
    (tmp_path / "conftest.py").write_text(DYING_IN_THE_END)
    done = run_pytest(tmp_path, environment, "-n", "1", "--max-worker-restart=0", "--ftsan-crash-dir=crashes")
    assert re.search(r"ftsan: worker gw0: process \d+ died of SIGABRT =", done.stdout), done.stdout + done.stderr
    assert "conftest.py:6 in pytest_sessionfinish" in done.stdout


HYPOTHESIS = """
import hypothesis
from hypothesis import strategies

@hypothesis.given(strategies.integers())
@hypothesis.settings(max_examples=5, deadline=None)
def test_given(number):
    assert number == number
"""


def test_hypothesis_runs_its_tests_itself(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "test_suite.py").write_text(HYPOTHESIS)
    done = run_pytest(tmp_path, environment, "--ftsan-concurrent=2", plugins={"hypothesispytest"})
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "not run by several threads: test_suite.py::test_given (hypothesis runs it, many times)" in done.stdout
