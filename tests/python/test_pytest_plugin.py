"""``pytest --ftsan``: the test during which the misuse happened fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PLAIN

MISUSE = """
import asyncio, threading, pytest, subprocess, sys

async def bad():
    loop = asyncio.get_running_loop()
    thread = threading.Thread(target=lambda: loop.call_soon(int))
    thread.start()
    thread.join()

"""

SUITE = f"""{MISUSE}def test_bad():
    asyncio.run(bad())

def test_bad_at_the_same_line_again():
    asyncio.run(bad())

def test_good():
    asyncio.run(asyncio.sleep(0))

@pytest.mark.asyncio
async def test_bad_in_pytest_asyncio():
    await bad()

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_bad_in_anyio():
    await bad()

@pytest.mark.anyio
async def test_good_in_anyio():
    await asyncio.sleep(0)

@pytest.fixture
def bad_teardown():
    yield
    asyncio.run(bad())

def test_bad_in_teardown(bad_teardown):
    pass

@pytest.mark.xfail
def test_bad_and_expected_to_fail():
    asyncio.run(bad())
    assert False

def test_good_at_last():
    pass
"""

BAD = {"test_bad", "test_bad_at_the_same_line_again", "test_bad_in_pytest_asyncio", "test_bad_in_anyio", "test_bad_in_teardown",
       "test_bad_and_expected_to_fail"}  # fmt: skip


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    return tmp_path


def run_pytest(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rfEp", *arguments]
    return subprocess.run(command, cwd=folder, env=PLAIN, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_the_test_that_misuses_a_loop_fails(suite: Path, arguments: tuple[str, ...]) -> None:
    done = run_pytest(suite, "--ftsan", *arguments)
    assert done.returncode == 1, done.stdout
    assert set(re.findall(r"^(?:FAILED|ERROR) test_suite.py::(\w+) - FT101", done.stdout, re.M)) == BAD
    assert "the loop is being run by thread 'MainThread'" in done.stdout
    assert re.search(r"^ftsan: 1 finding; watched \d+ hooks, \d+ checks, \d+ threads, \d+ loops", done.stdout, re.M)
    assert "(6 times)" in done.stdout
    assert "warning" not in done.stdout.lower()
    assert done.stderr == ""


def test_without_the_option_nothing_is_watched(suite: Path) -> None:
    done = run_pytest(suite)
    assert (done.returncode, "ftsan" in done.stdout.splitlines()[-1]) == (0, False)


#: pytest's loader knows the session: whoever keeps a module of its keeps all tests.
LOADED_BY_PYTEST = """
import asyncio, sys

def test_it():
    asyncio.run(asyncio.sleep(0))
    loaded = [name for name, module in sys.modules.items() if type(module.__loader__).__name__ == "AssertionRewritingHook"]
    assert "test_it" in loaded
    assert "ftsan.watch.asyncio_table" in sys.modules
    assert [name for name in loaded if name.startswith("ftsan.")] == ["ftsan.pytest_plugin"]
"""


def test_pytest_loads_no_module_of_ours_but_the_plugin(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(LOADED_BY_PYTEST)
    done = run_pytest(tmp_path, "--ftsan", "--ftsan-races=none")
    assert done.returncode == 0, done.stdout


def test_what_no_test_can_be_blamed_for_fails_the_run(suite: Path) -> None:
    (suite / "test_suite.py").write_text(MISUSE + "asyncio.run(bad())\ndef test_good():\n    pass\n")
    done = run_pytest(suite, "--ftsan")
    assert done.returncode == 1
    assert "1 passed" in done.stdout and "ftsan: outside of any test" in done.stdout


AFTER_THE_LAST = """
import asyncio, threading, test_suite

def pytest_sessionfinish(session):
    asyncio.run(test_suite.bad())
"""


def test_what_comes_after_the_last_test_is_not_its_doing(suite: Path) -> None:
    (suite / "test_suite.py").write_text(MISUSE + "def test_good():\n    pass\n")
    (suite / "conftest.py").write_text(AFTER_THE_LAST)
    done = run_pytest(suite, "--ftsan")
    assert done.returncode == 1
    assert "1 passed" in done.stdout and "ftsan: outside of any test" in done.stdout
    assert "after its end" not in done.stdout and "1 error" not in done.stdout


OF_SEVERAL_TESTS = f"""{MISUSE}
import unittest

go, left = threading.Event(), []

def work():
    go.wait()
    asyncio.run(bad())

def start():
    left.append(threading.Thread(target=work))
    left[0].start()

def go_on():
    go.set()
    left[0].join()

FIXTURE
def test_first():
    pass

def test_second():
    go_on()
"""

FIXTURES_OF_SEVERAL_TESTS = {
    "a fixture": """
@pytest.fixture(scope="module", autouse=True)
def started():
    start()
""",
    "a fixture that another one asks for": """
@pytest.fixture(scope="module")
def started():
    start()

@pytest.fixture(autouse=True)
def asks(request):
    request.getfixturevalue("started")
""",
    "a fixture that a test asks for": """
@pytest.fixture(scope="module")
def started():
    start()

def test_asks(request):
    request.getfixturevalue("started")
""",
    "setup_module()": """
def setup_module():
    start()
""",
    "setUpClass()": """
class TestIt(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        start()
    def test_it(self):
        pass
""",
}


@pytest.mark.parametrize("fixture", FIXTURES_OF_SEVERAL_TESTS.values(), ids=FIXTURES_OF_SEVERAL_TESTS.keys())
def test_the_thread_of_a_fixture_of_several_tests_belongs_to_none_of_them(fixture: str, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(OF_SEVERAL_TESTS.replace("FIXTURE", fixture))
    done = run_pytest(tmp_path, "--ftsan", "-rf", "-p", "no:asyncio", "-p", "no:anyio")
    assert re.findall(r"^FAILED test_suite\.py::(\S+)", done.stdout, re.MULTILINE) == ["test_second"], done.stdout
    assert "after its end" not in done.stdout


CONFTEST_THAT_LOOKS = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    item.made = report = yield
    return report

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    print("logged:", report.when, report.outcome)

@pytest.fixture(autouse=True)
def looks(request):
    yield
    print("torn down:", request.node.made.outcome)
"""


SEEN = ["made: passed failed passed", "logged: setup passed", "logged: call failed", "torn down: failed"]

CONFTEST_THAT_RUNS_TESTS = """
from _pytest.runner import runtestprotocol

def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    print("made:", *(report.outcome for report in reports))
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


@pytest.mark.parametrize("runs", ["", CONFTEST_THAT_RUNS_TESTS], ids=["pytest", "a plug-in"])
def test_a_test_has_failed_for_whoever_looks_at_its_report(suite: Path, runs: str) -> None:
    """For hooks and fixtures of a folder of tests, for ``-x``, and for a plug-in that runs the tests."""
    folder = suite / "tests"
    folder.mkdir()
    (suite / "test_suite.py").rename(folder / "test_suite.py")
    (folder / "conftest.py").write_text(CONFTEST_THAT_LOOKS + runs)
    done = run_pytest(suite, "--ftsan", "-x", "-s")
    assert re.search(r"= 1 failed in [^,]*$", done.stdout), done.stdout
    seen = [line for line in SEEN if line in done.stdout]
    assert seen == [line for line in SEEN if runs or not line.startswith("made")], done.stdout


def test_a_wrong_option_is_a_usage_error(suite: Path) -> None:
    done = run_pytest(suite, "--ftsan", "--ftsan-on-finding", "stop")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert '--ftsan: on_finding: "stop" is not log|raise|abort' in done.stderr


OPTIONS_OF_PROCESS = """
import os

def test_it():
    print("\\n" + os.environ["FTSAN_OPTIONS"])
"""


def test_files_and_folders_are_those_of_where_pytest_was_called(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(OPTIONS_OF_PROCESS)
    paths = {"crash_dir": "crashes", "report_json": "r.json", "inventory": "sub/shared.json"}
    given = [f"--ftsan-{key.replace('_', '-')}={value}" for key, value in paths.items()]
    done = run_pytest(tmp_path, "--ftsan", "--ftsan-config=none", "--ftsan-races=none", "-s", *given)
    [line] = re.findall(r"^.*crash_dir=.*$", done.stdout, re.M)
    assert {f"{key}={tmp_path / value}" for key, value in paths.items()} <= set(line.split(":"))
    assert "config=" not in line and "races=none" in line


#: Three races, in threads of an executor, which have many frames of the standard library.
THREE_RACES = """
import concurrent.futures, threading
import pytest

class Store:
    count, latest = 0, None
    def __init__(self):
        self.items = {}
    def add(self):
        self.count += 1
    def get(self, key):
        if key not in self.items:
            self.items[key] = object()
        return self.items[key]
    def first(self):
        if self.latest is None:
            self.latest = object()
        return self.latest

def by_two(method, *arguments):
    together = threading.Barrier(2)
    def work():
        together.wait()
        method(*arguments)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(work) for _ in range(2)]:
            future.result()

def test_add():
    by_two(Store().add)
def test_get():
    by_two(Store().get, "key")
def test_first():
    by_two(Store().first)
def test_add_again():
    by_two(Store().add)
def test_good():
    by_two(len, "key")
"""

TWENTY_TIMES = THREE_RACES.partition("def test_add():")[0] + (
    '@pytest.mark.parametrize("case", range(20))\ndef test_add(case):\n    by_two(Store().add)\n'
)


@pytest.mark.parametrize(("suite", "failed", "lines"), [(THREE_RACES, 4, 110), (TWENTY_TIMES, 20, 70)])
def test_findings_take_a_screen_and_not_a_book(suite: str, failed: int, lines: int, tmp_path: Path) -> None:
    (tmp_path / "test_store.py").write_text(suite)
    done = run_pytest(tmp_path, "--ftsan", "-rfE")  # which is what pytest does by itself
    assert f"{failed} failed" in done.stdout, done.stdout
    assert len(done.stdout.splitlines()) <= lines, done.stdout
