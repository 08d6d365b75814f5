"""Bad weather: what the surroundings deny, each with one clear line and nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.conftest import PLAIN
from tests.python.host import RACE, ftsan_run, needs_root, run, watched

#: Names of files are ASCII and bytes that are none, as in an old locale.
ASCII_NAMES = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def rules_of(report: Path) -> list[str]:
    return [finding["rule"] for finding in json.loads(report.read_text())["findings"]]


@pytest.fixture
def full_pipe() -> tuple[int, int]:
    """Both ends of a pipe that has no room; its reader is there and does not read."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)
    return reading, writing


def test_a_stderr_that_nobody_reads_holds_up_neither_report_nor_program(full_pipe: tuple[int, int], race: Path) -> None:
    reading, writing = full_pipe
    report = race.with_name("report.json")
    race.write_text(RACE + "print('ran')")
    command = [sys.executable, str(race)]
    with subprocess.Popen(command, env=watched(f"report_json={report}"), stdout=subprocess.PIPE, stderr=writing) as running:
        os.close(writing)
        for _ in range(1000):
            if report.exists() and "FT401" in report.read_text():
                break
            time.sleep(0.02)
        # The thread that found it still waits for somebody to read.
        assert running.poll() is None
        assert running.communicate(timeout=50)[0] == b"ran\n"
    assert running.returncode == 66
    assert rules_of(report) == ["FT401"]
    os.close(reading)


def test_a_stderr_that_is_read_late_gets_all_of_it(full_pipe: tuple[int, int], race: Path) -> None:
    reading, writing = full_pipe
    got: list[bytes] = []

    def read() -> None:
        time.sleep(1)
        while part := os.read(reading, 4096):
            got.append(part)

    with subprocess.Popen([sys.executable, str(race)], env=watched(), stderr=writing) as running:
        os.close(writing)
        reader = threading.Thread(target=read)
        reader.start()
        assert running.wait(50) == 66
        reader.join()
    os.close(reading)
    text = b"".join(got).decode().lstrip("x")
    assert text.startswith("==================\nERROR: ftsan: FT401") and "missing here" not in text
    assert "ftsan: 1 finding; watched" in text


def test_a_stderr_that_is_non_blocking_gets_all_of_it(race: Path) -> None:
    race.write_text("import os; os.set_blocking(2, False)\n" + RACE)
    assert "Help: ftsan explain FT401" in run(sys.executable, race, env=watched()).stderr


def test_names_that_the_encoding_of_the_interpreter_does_not_have_arrive(tmp_path: Path) -> None:
    script = tmp_path / "größe.py"
    script.write_text(RACE)
    report = tmp_path / "geprüft.json"
    done = ftsan_run("--report-json", report, script, env=PLAIN | ASCII_NAMES)
    assert done.returncode == 66, done.stderr
    assert rules_of(report) == ["FT401"]
    refused = ftsan_run(tmp_path / "größer.py", env=PLAIN | ASCII_NAMES)
    assert refused.returncode == 2 and refused.stderr.startswith("ftsan: no such script: ")
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize("option", ["sarif", "junit", "html"])
def test_a_report_that_cannot_be_written_is_refused_before_the_program_runs(option: str, tmp_path: Path) -> None:
    for path, why in (
        (tmp_path, "it is a folder, not a regular file"),
        (tmp_path / "no" / "r", "No such file or directory (os error 2)"),
    ):
        done = ftsan_run(f"--report-{option}", path, "-c", "print('ran')")
        assert (done.returncode, done.stdout, done.stderr) == (2, "", f"ftsan: cannot write the report {path}: {why}\n")
    (tmp_path / "test_one.py").write_text("def test_one(): pass\n")
    words = [sys.executable, "-m", "pytest", "--ftsan", f"--ftsan-report-{option}", tmp_path / "no" / "r"]
    tested = run(*words, cwd=tmp_path, env=PLAIN)
    assert tested.returncode == 4 and f"--ftsan: cannot write the report {tmp_path}/no/r: No such file" in tested.stderr
    hosted = run(sys.executable, "-c", "print('ran')", env=watched(f"report_{option}={tmp_path}"))
    assert f"ftsan: cannot write the report {tmp_path}: it is a folder" in hosted.stderr


@pytest.mark.parametrize("limit", ["-n 20", "-n 10", "-v 400000", "-s 256"])
def test_a_limit_hides_neither_finding_nor_crash(limit: str, race: Path, tmp_path: Path) -> None:
    done = run("bash", "-c", f"ulimit {limit}; exec {sys.executable} -m ftsan run {race}")
    assert done.returncode == 66 and "ftsan: 1 finding; watched" in done.stderr, done.stderr
    crashes = tmp_path / "crashes"
    words = f"--crash-dir {crashes} -c 'import ctypes; ctypes.string_at(8)'"
    done = run("bash", "-c", f"ulimit {limit}; exec {sys.executable} -m ftsan run {words}")
    assert done.returncode == 139 and f"crash folder: {crashes}/" in done.stderr, done.stderr


@needs_root
def test_without_proc_findings_and_crashes_are_told(race: Path) -> None:
    for words, status, told in ((str(race), 66, "ftsan: 1 finding"), ("-c 'import ctypes; ctypes.string_at(8)'", 139, "SIGSEGV")):
        command = f"mount -t tmpfs none /proc && exec {sys.executable} -m ftsan run --crash-dir {race.parent}/crashes {words}"
        done = run("unshare", "-m", "bash", "-c", command)
        if "unshare" in done.stderr or "mount:" in done.stderr:
            pytest.skip("cannot mount")
        assert done.returncode == status and told in done.stderr, done.stderr


def test_of_a_tree_in_which_processes_are_killed_nothing_is_lost(race: Path) -> None:
    tree = race.with_name("tree.py")
    tree.write_text(
        "import os, signal\n"
        f"code = compile({RACE!r}, {str(race)!r}, 'exec')\n"
        "children = []\n"
        "for number in range(40):\n"
        "    if not (child := os.fork()):\n"
        "        exec(code, {'__name__': '__main__'})\n"
        "        os._exit(0) if number % 4 else os.kill(os.getpid(), signal.SIGKILL)\n"
        "    children.append(child)\n"
        "    if len(children) == 4: os.waitpid(children.pop(0), 0)\n"
        "for child in children: os.waitpid(child, 0)\n"
    )
    report = race.with_name("report.json")
    done = ftsan_run("--report-json", report, tree)
    read = json.loads(report.read_text())
    assert (done.returncode, read["watched"]["processes"]) == (66, 41)
    [finding] = read["findings"]
    assert (finding["rule"], finding["count"] >= 40) == ("FT401", True)


def test_a_child_that_a_thread_forks_and_that_never_execs_is_watched(race: Path) -> None:
    forks = race.with_name("forks.py")
    forks.write_text(
        "import os, threading\n"
        "def work():\n"
        "    if child := os.fork():\n"
        "        os.waitpid(child, 0)\n"
        "    else:\n"
        f"        exec(compile({RACE!r}, {str(race)!r}, 'exec'), {{'__name__': '__main__'}})\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()\n"
        "print('ended')\n"
    )
    report = race.with_name("report.json")
    done = ftsan_run("--report-json", report, "-W", "ignore", forks)
    assert (done.returncode, done.stdout, rules_of(report)) == (66, "ended\n", ["FT401"])


DOUBLE_CLOSE = """
import contextlib, os, threading
number = os.open(os.devnull, os.O_RDONLY)
def close():
    with contextlib.suppress(OSError): os.close(number)
for _ in range(2):
    t = threading.Thread(target=close); t.start(); t.join()
"""


@pytest.mark.parametrize(("rule", "program"), [("FT401", RACE), ("FT206", DOUBLE_CLOSE)])
def test_sitecustomize_of_the_program_runs_and_is_watched(tmp_path: Path, rule: str, program: str) -> None:
    (tmp_path / "sitecustomize.py").write_text(program)
    environment = PLAIN | {"PYTHONPATH": str(tmp_path), "PYTHONSAFEPATH": "1"}
    done = ftsan_run("--report-json", tmp_path / "report.json", "-c", "print('ran')", env=environment)
    assert (done.returncode, done.stdout, rules_of(tmp_path / "report.json")) == (66, "ran\n", [rule])
    assert f"{tmp_path}/sitecustomize.py" in done.stderr


def test_a_zipapp_is_watched(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "__main__.py").write_text(RACE)
    run(sys.executable, "-m", "zipapp", tmp_path / "app", "-p", sys.executable, "-o", tmp_path / "app.pyz")
    for words in (["app.pyz"], ["./app.pyz"]):
        done = ftsan_run(*words, cwd=tmp_path)
        assert done.returncode == 66 and "app.pyz/__main__.py" in done.stderr
