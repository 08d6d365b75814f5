"""``--perturb``: the same seed decides the same, in a program, its children and a test; the program notices nothing but time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN, ROOT, Ftsan, Run
from tests.interop.conftest import needs
from tests.python.host import run as run_plainly
from tests.python.test_pytest_plugin import run_pytest

#: Steps of every kind, the same ones in whatever order the threads come to them; "slowly" keeps them apart.
STEPS = """
import asyncio, os, queue, sys, threading, time
class Box: pass
box = Box(); box.all = dict.fromkeys(range(4), 0); box.got = 0
handed = queue.Queue()
def take():
    for _ in range(400):
        box.got += handed.get()
taker = threading.Thread(target=take); taker.start()
lock = threading.Lock()
def work(number):
    for turn in range(100):
        with lock:
            box.all[number] += turn
        handed.put(turn)
        reader, writer = os.pipe()
        os.write(writer, b"x"); os.read(reader, 1)
        os.close(reader); os.close(writer)
        if sys.argv[1:] == ["slowly"] and turn % 10 == number:
            time.sleep(0.003)
def start(number):
    inner = threading.Thread(target=work, args=(number + 1,))
    inner.start(); work(number); inner.join()
threads = [threading.Thread(target=start, args=(number,)) for number in (0, 2)]
[thread.start() for thread in threads]; [thread.join() for thread in threads]; taker.join()
async def main():
    loop = asyncio.get_running_loop()
    for turn in range(200):
        loop.call_soon(box.all.get, turn)
        await asyncio.sleep(0)
asyncio.run(main())
print(box.all, box.got)
"""


def perturbed(run: Run) -> dict[str, Any]:
    found: dict[str, Any] = run.report["watched"]["perturbed"]
    return found


@pytest.fixture
def steps(tmp_path: Path) -> Path:
    path = tmp_path / "steps.py"
    path.write_text(STEPS)
    return path


def test_the_same_seed_decides_the_same_however_fast_threads_run(steps: Path, ftsan: Ftsan) -> None:
    first, again = ftsan("--perturb=7", steps), ftsan("--perturb=7", steps, "slowly")
    other = ftsan("--perturb=8", steps)
    assert [run.status for run in (first, again, other)] == [0, 0, 0], first.stderr + again.stderr + other.stderr
    assert perturbed(first) == perturbed(again)
    assert perturbed(first)["seed"] == 7 and perturbed(first)["delays"] > 100
    assert perturbed(other)["decisions"] != perturbed(first)["decisions"]


@pytest.mark.parametrize("races", ["none", "all"])
def test_it_does_not_hang_on_what_is_watched_for_races(races: str, steps: Path, ftsan: Ftsan) -> None:
    run = ftsan("--perturb=7", f"--races={races}", steps)
    assert (run.status, run.stdout) == (0, ftsan(steps).stdout), run.stderr
    assert perturbed(run)["delays"] > 20


def test_nothing_is_said_where_nothing_is_held_up(steps: Path, ftsan: Ftsan) -> None:
    run = ftsan(steps)
    assert (run.status, run.stderr) == (0, "")
    assert "perturbed" not in run.report["watched"]


def test_seed_and_command_are_told_with_what_was_found(race: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    words = [sys.executable, "-m", "ftsan", "run", "--report-json", report, "--perturb", "41", race]
    done = run_plainly(*map(str, words))
    assert done.returncode == 66
    assert re.search(r"^ftsan: perturbed by seed 41: [0-9]+ delays? \(decisions [0-9a-f]{12}\)$", done.stderr, re.MULTILINE)
    assert f"ftsan: again: ftsan run --perturb=41 --report-json={report} {race}\n" in done.stderr
    issue = run_plainly(sys.executable, "-m", "ftsan", "issue", str(report), "--command", "race.py")
    assert "ftsan run --races all --perturb=41 race.py" in issue.stdout, issue.stderr


def test_a_seed_is_a_number() -> None:
    done = run_plainly(sys.executable, "-m", "ftsan", "run", "--perturb", "often", "-c", "")
    assert (done.returncode, done.stderr) == (2, 'ftsan: perturb: "often" is not SEED\n')


#: What a program can see of its calls: results, exceptions, errno, its own signal handlers.
SEEN = """
import ctypes, os, signal, threading
libc = ctypes.CDLL(None, use_errno=True)
ticks = []
signal.signal(signal.SIGALRM, lambda *_: ticks.append(1))
waker = os.pipe()[1]
os.set_blocking(waker, False)
signal.set_wakeup_fd(waker, warn_on_full_buffer=False)  # the handler of C code writes to it
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
seen = {}
def look(name):
    found = seen[name] = []
    for turn in range(200):
        ctypes.set_errno(77)
        found.append((libc.getpid() == os.getpid(), ctypes.get_errno(), libc.close(-1), ctypes.get_errno()))
        for call in (lambda: os.close(-1), lambda: os.stat("/nowhere"), lambda: {}[turn], lock.release):
            try:
                found.append(call())
            except Exception as error:
                found.append(repr(error))
lock = threading.Lock()
threads = [threading.Thread(target=look, args=(name,)) for name in "ab"]
[thread.start() for thread in threads]; look("main"); [thread.join() for thread in threads]
signal.setitimer(signal.ITIMER_REAL, 0)
print(seen["a"] == seen["b"] == seen["main"], seen["main"], bool(ticks))
"""


@pytest.mark.parametrize("seed", range(3))
def test_results_exceptions_errno_and_signals_are_as_ever(seed: int, tmp_path: Path, ftsan: Ftsan) -> None:
    (tmp_path / "seen.py").write_text(SEEN)
    plain = run_plainly(sys.executable, str(tmp_path / "seen.py"))
    run = ftsan(f"--perturb={seed}", "--races=none", tmp_path / "seen.py")
    assert (run.status, run.stdout) == (0, plain.stdout), run.stderr
    assert run.stdout.startswith("True ") and run.stdout.endswith(" True\n")


FORKS = """
import os, threading
class Box: pass
box = Box(); box.n = 0
def work():
    for _ in range(300):
        box.n += 1
def child_handler():
    work()
os.register_at_fork(after_in_child=child_handler)
thread = threading.Thread(target=int); thread.start(); thread.join()
for _ in range(3):
    pid = os.fork()
    if not pid:
        work()
        raise SystemExit
    os.waitpid(pid, 0)
print(box.n)
"""


def test_children_of_a_fork_decide_for_themselves(tmp_path: Path, ftsan: Ftsan) -> None:
    (tmp_path / "forks.py").write_text(FORKS)
    runs = [ftsan("--perturb=3", tmp_path / "forks.py") for _ in range(2)]
    assert [(run.status, run.stdout) for run in runs] == [(0, "0\n")] * 2, runs[0].stderr
    assert perturbed(runs[0]) == perturbed(runs[1])
    assert perturbed(runs[0])["delays"] > 60 and runs[0].report["watched"]["processes"] == 4


TESTS = """
import threading
class Box: pass
def work(box):
    for _ in range(200):
        with box.lock:
            box.n += 1
def both():
    box = Box(); box.n = 0; box.lock = threading.Lock()
    threads = [threading.Thread(target=work, args=(box,)) for _ in range(2)]
    [thread.start() for thread in threads]; [thread.join() for thread in threads]
    assert box.n == 400
def test_first(): pass
def test_a(): both()
def test_b(): both()
def test_last(): pass
"""


def test_a_test_is_held_up_as_ever_whatever_ran_before_it(tmp_path: Path) -> None:
    (tmp_path / "test_both.py").write_text(TESTS)

    def decisions(*tests: str) -> int:
        report = tmp_path / "report.json"
        # The module is set up by the first test, and torn down by the last one.
        names = [f"test_both.py::test_{test}" for test in ("first", *tests, "last")]
        done = run_pytest(tmp_path, "--ftsan", "--ftsan-perturb=5", f"--ftsan-report-json={report}", *names)
        assert done.returncode == 0, done.stdout
        assert "ftsan: perturbed by seed 5: " in done.stdout
        return int(json.loads(report.read_text())["watched"]["perturbed"]["decisions"])

    neither, first, second, both = decisions(), decisions("a"), decisions("b"), decisions("b", "a")
    assert len({neither, first, second, both}) == 4
    assert (first + second - neither - both) % 2**48 == 0


def test_clean_examples_stay_quiet(ftsan: Ftsan) -> None:
    for seed, name in enumerate(("loop_per_thread.py", "producer_consumer.py")):
        run = ftsan(f"--perturb={seed}", ROOT / "examples" / name)
        assert (run.status, run.stderr, run.findings) == (0, "", []), name


def test_a_thread_that_c_code_has_started_is_held_up_as_well(tmp_path: Path, ftsan: Ftsan) -> None:
    (tmp_path / "foreign.py").write_text("""
import ctypes
class Box: pass
box = Box(); box.all = {}
@ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
def work(_):
    for turn in range(500): box.all[turn] = turn
libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(thread), None, work, None)
libc.pthread_join(thread, None)
print(len(box.all))
""")
    run = ftsan("--perturb=1", tmp_path / "foreign.py")
    assert (run.status, run.stdout) == (0, "500\n"), run.stderr
    assert perturbed(run)["delays"] > 20


def test_the_file_names_of_waiting_libraries_are_of_this_interpreter() -> None:
    source = (ROOT / "src" / "perturb.rs").read_text()
    names = re.findall(r'^    "([\w/.]+)",$', source.partition("const WAITING")[2].partition("];")[0], re.MULTILINE)
    folder = Path(subprocess.check_output([sys.executable, "-c", "import os; print(os.__file__)"], text=True, env=PLAIN)).parent
    assert len(names) == 8
    assert [name for name in names if not (folder / name).exists()] == []


@pytest.mark.parametrize("seed", [25, 26, 27])
def test_greenlets_are_held_up_on_stacks_that_end_anywhere(seed: int, ftsan: Ftsan) -> None:
    needs("eventlet")
    run = ftsan(f"--perturb={seed}", ROOT / "tests" / "programs" / "FT305" / "quiet_each_thread_its_hub.py")
    assert (run.status, run.findings) == (0, []), run.stderr
