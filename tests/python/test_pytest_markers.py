"""The words of a test on misuse in it: markers, ``ftsan.expect``, ``xfail``, and comments on a line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Ftsan
from tests.python.test_pytest_plugin import run_pytest

HEAD = """
import asyncio, threading
import ftsan, pytest

class Counter:
    n = 0
    def add(self):
        self.n += 1

def race():
    counter = Counter()
    threads = [threading.Thread(target=counter.add) for _ in range(2)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def misuse():
    async def main():
        loop = asyncio.get_running_loop()
        thread = threading.Thread(target=lambda: loop.call_soon(int))
        thread.start()
        thread.join()
    asyncio.run(main())
"""

SUITE = (
    HEAD
    + """
@pytest.mark.ftsan_allow("FT401", reason="a statistic, #12")
def test_allowed():
    race()

@pytest.mark.ftsan_allow("lost-update", "FT402", reason="a statistic, #12")
def test_another_rule_is_not_allowed():
    race()
    misuse()

@pytest.mark.ftsan_off(reason="tests the checker itself")
def test_off():
    race()
    misuse()

@pytest.mark.xfail(raises=ftsan.Misuse, reason="#13")
def test_expected_to_fail():
    race()

@pytest.mark.xfail
def test_expected_to_fail_otherwise():
    race()
    assert False

def test_expects():
    with ftsan.expect("FT101"):
        misuse()
    with ftsan.expect("lost-update", "FT105"):
        race()

def test_expects_something_else():
    with ftsan.expect("FT105"):
        race()

def test_expects_no_rule():
    with pytest.raises(ValueError, match='no rule "FT1O5"; did you mean FT105'):
        ftsan.expect("FT1O5")

def test_at_last():
    race()
"""
)


@pytest.mark.parametrize("arguments", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_what_a_test_accepts_does_not_fail_it(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE)
    done = run_pytest(tmp_path, "--ftsan", *arguments)
    failed = dict(re.findall(r"^(?:FAILED|ERROR) test_suite\.py::(\w+) - (.{6})", done.stdout, re.MULTILINE))
    assert failed == {
        "test_another_rule_is_not_allowed": "FT101:",
        "test_expected_to_fail_otherwise": "FT401:",
        "test_expects_something_else": "Assert",
        "test_at_last": "FT401:",
    }, done.stdout
    assert "4 failed, 4 passed, 1 xfailed" in done.stdout
    assert "ftsan: accepted: FT401 at test_suite.py::test_allowed: a statistic, #12" in done.stdout
    assert "ftsan: accepted: FT101 at test_suite.py::test_off: tests the checker itself" in done.stdout
    assert "expected FT105, which was not found" in done.stdout
    assert "outside of any test" not in done.stdout


def test_a_run_in_which_everything_is_accepted_passes(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(SUITE.split('@pytest.mark.ftsan_allow("lost')[0])
    assert run_pytest(tmp_path, "--ftsan").returncode == 0


def test_misuse_that_is_raised_is_expected_as_well(tmp_path: Path) -> None:
    suite = HEAD + "\ndef test_raises():\n    with ftsan.expect('FT108', 'FT101'):\n        direct()\n"
    suite += """
def direct():
    loop = asyncio.new_event_loop()
    running = threading.Event()
    loop.call_soon(running.set)
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    running.wait()
    try:
        loop.call_soon(int)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
"""
    (tmp_path / "test_suite.py").write_text(suite)
    done = run_pytest(tmp_path, "--ftsan", "--ftsan-on-finding=raise")
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("marker", "said"),
    [
        ("ftsan_allow('FT401')", "ftsan_allow takes rules and a reason"),
        ("ftsan_allow(reason='why')", "ftsan_allow takes rules and a reason"),
        ("ftsan_allow('FT4O1', reason='why')", 'ftsan_allow: no rule "FT4O1"; did you mean FT401'),
        ("ftsan_concurrent(threads=0)", "ftsan_concurrent takes a number from 1 to 256"),
        ("ftsan_concurrent(thread=2)", "ftsan_concurrent takes a number from 1 to 256"),
    ],
)
def test_a_wrong_marker_ends_the_run(marker: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(f"import pytest\n@pytest.mark.{marker}\ndef test_it():\n    pass\n")
    done = run_pytest(tmp_path, "--ftsan")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR, done.stdout
    assert f"test_suite.py::test_it: {said}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_comment_accepts_what_it_names_on_its_line(tmp_path: Path, ftsan: Ftsan) -> None:
    program = HEAD.replace(", pytest", "").replace("+= 1", "+= 1  # ftsan: ignore[FT401] a statistic") + "\nrace()\n"
    (tmp_path / "program.py").write_text(program)
    run = ftsan("program.py")
    assert (run.status, run.findings) == (0, [])
    accepted = run.report["suppressions"]
    assert [(one["rule"], one["reason"], one["used"] > 0) for one in accepted] == [("FT401", "a statistic", True)]
    assert accepted[0]["file"].endswith("program.py:8")
    for comment in ("ignore[FT402] a statistic", "ignore[FT401]", "ignore"):
        (tmp_path / "program.py").write_text(program.replace("ignore[FT401] a statistic", comment))
        assert ftsan("program.py").rules == ["FT401"], comment


FROM_A_MODULE = HEAD + "\ndef test_it():\n    race()\n\n@pytest.mark.parametrize('k', range(20))\ndef test_again(k):\n    race()\n"


def test_a_finding_is_shown_once(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(FROM_A_MODULE)
    for arguments in ((), ("-n", "2")):
        done = run_pytest(tmp_path, "--ftsan", *arguments)
        assert "21 failed" in done.stdout
        assert done.stdout.count("ERROR: ftsan: FT401") == 1
        assert "(shown at test_suite.py::test_" in done.stdout
        failures = done.stdout.partition("= FAILURES =")[2].partition("= short test summary")[0]
        assert failures.count("\n") <= 45, failures
        assert done.stdout.count("\n") <= 75, done.stdout


def test_every_frame_is_shown_if_asked_for(tmp_path: Path) -> None:
    (tmp_path / "test_suite.py").write_text(FROM_A_MODULE)
    done = run_pytest(tmp_path, "--ftsan", "--ftsan-report-style=full", "-k", "test_it")
    assert "further out" not in done.stdout and "frames of" not in done.stdout
    assert done.stdout.count("that thread was started at:") == 4
