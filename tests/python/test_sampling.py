"""``--sample``: data races are looked for in slices of time, and what is found is as true as without."""

from __future__ import annotations

import opcode
from pathlib import Path

import pytest

from tests.conftest import Ftsan

#: The beginning of the programs: `slices(n)` returns once so many slices have begun since it was called.  They are counted, as the
#: thread that waits may sleep through one.
BEGINNING = f"""
import ctypes, json, os, queue, sys, threading, warnings
from ftsan import _native
from ftsan.testing import wait_until

class Stats:
    updates = 0

def update(stats):
    stats.updates += 1

def is_off():
    "Whether probes are jumped over in what the main thread runs of `update`."
    code = update.__code__
    count = ctypes.c_ssize_t.from_address(id(code) + object.__basicsize__).value
    units = ctypes.string_at(id(code) + type(code).__basicsize__, 2 * count)
    return {opcode.opmap["JUMP_FORWARD"]} in units[::2]

def begun():
    return json.loads(_native.report())["watched"]["slices"]

def slices(count):
    enough = begun() + count
    wait_until(lambda: begun() >= enough)

def wait_until_found(what):
    "On a busy machine few slices see two threads run."
    wait_until(lambda: what in _native.report())

def in_threads(*functions):
    threads = [threading.Thread(target=function) for function in functions]
    for thread in threads:
        thread.start()
    return threads
"""

#: Programs in which nothing is wrong, and which would be reported if half of what orders them were missing.
RIGHT = {
    "a lock": """
lock, stats, done = threading.Lock(), Stats(), []
def work():
    while not done:
        with lock:
            update(stats)
threads = in_threads(work, work)
slices(20)
done.append(True)
""",
    "a list that serves as a queue": """
handed, done = [], []
def make():
    while not done:
        stats = Stats()
        update(stats)
        if len(handed) < 100:
            handed.append(stats)
def take():
    while not done:
        try:
            stats = handed.pop()
        except IndexError:
            continue
        update(stats)
threads = in_threads(make, take, take)
slices(20)
done.append(True)
""",
    "a flag": """
class Box(Stats):
    is_ready = False
boxes, done = queue.SimpleQueue(), []
def make():
    while not done:
        box = Box()
        boxes.put(box)
        update(box)
        box.is_ready = True
        while boxes.qsize() and not done:
            pass
    boxes.put(None)
def take():
    while box := boxes.get():
        while not box.is_ready:
            pass
        update(box)
threads = in_threads(make, take)
slices(20)
done.append(True)
""",
    "iterations under a lock": """
lock, all_stats, done = threading.Lock(), [Stats() for _ in range(50)], []
def look():
    while not done:
        with lock:
            for stats in all_stats:
                update(stats)
def change():
    while not done:
        with lock:
            all_stats.append(all_stats.pop(0))
threads = in_threads(look, change)
slices(20)
done.append(True)
""",
    "threads that come and go": """
lock, stats = threading.Lock(), Stats()
def work():
    with lock:
        update(stats)
for _ in range(300):
    for thread in in_threads(work, work):
        thread.join()
    update(stats)
threads = in_threads(lambda: slices(2))
""",
}

RACE = """
stats, done = Stats(), threading.Event()
def work():
    while not done.is_set():
        update(stats)
threads = in_threads(work, work)
slices(3)
wait_until_found("FT401")
done.set()
"""

END = """
for thread in threads:
    thread.join()
"""


def written(folder: Path, text: str) -> Path:
    """A program with this in its middle."""
    path = folder / "program.py"
    path.write_text(BEGINNING + text + END)
    return path


def test_a_race_is_found_and_the_report_says_for_how_long_it_was_looked_for(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan("--sample=50%", written(tmp_path, RACE))
    assert (run.status, run.rules) == (66, ["FT401"]), run.stderr
    assert run.report["watched"]["slices"] >= 3
    assert "ftsan: data races were looked for in " in run.stderr


@pytest.mark.parametrize("case", RIGHT)
def test_nothing_is_found_where_nothing_is_wrong(case: str, tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan("--sample=50%", written(tmp_path, RIGHT[case]))
    wrong = [finding for finding in run.report["findings"] if finding["severity"] != "info"]
    assert (run.status, wrong, run.report["watched"]["off"]) == (0, [], []), run.stderr
    assert run.report["watched"]["slices"] > 2


BETWEEN = """
stats, done = Stats(), []
def work():
    while not done:
        pass
threads = in_threads(work)
wait_until(begun)  # the pause after it is a thousand times as long as what it took, which on a busy machine is minutes
for _ in range(3):
    wait_until(is_off)
    def racing():
        update(stats)
    threads += in_threads(racing, racing)
    wait_until(lambda: not any(thread.is_alive() for thread in threads[1:]))
    assert is_off(), "the pause was too short for it"
done.append(True)
"""


def test_between_slices_nothing_is_noted(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan("--sample=0.1%", written(tmp_path, BETWEEN))
    assert (run.status, run.rules) == (0, []), run.stderr + run.stdout


MADE_LATER = """
stats, done = Stats(), threading.Event()
def work():
    while not done.is_set():
        for function in list(made):
            function(stats)
made = []
threads = in_threads(work, work)
slices(1)
wait_until(is_off)
exec("def later(stats): stats.late = getattr(stats, 'late', 0) + 1")
made.append(later)
wait_until_found('"function":"later"')
done.set()
"""


def test_functions_that_are_made_between_slices_are_watched_in_the_next(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan("--sample=50%", written(tmp_path, MADE_LATER))
    assert "later" in {access["stack"][0]["function"] for finding in run.report["findings"] for access in finding["accesses"]}


FORKS = """
warnings.simplefilter("error")
stats = Stats()
for thread in in_threads(lambda: update(stats), lambda: slices(1)):
    thread.join()
child = os.fork()
if child == 0:
    assert is_off(), "one thread"
    done = threading.Event()
    def work():
        while not done.is_set():
            update(stats)
    threads = in_threads(work, work)
    slices(2)
    wait_until_found("FT401")
    done.set()
else:
    threads = in_threads(lambda: slices(2))
    assert os.waitpid(child, 0)[1] in (0, 66 << 8)
"""


def test_a_fork_sees_no_thread_of_ours_and_slices_go_on_on_both_sides(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan("--sample=50%", written(tmp_path, FORKS))
    assert run.rules == ["FT401"] and "Traceback" not in run.stderr, run.stderr
    assert run.report["watched"]["processes"] == 2 and run.report["watched"]["slices"] >= 4


WAITS_FOR_A_SIGNAL = """
import signal
for thread in in_threads(lambda: update(Stats()), lambda: slices(1)):
    thread.join()
signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
os.kill(os.getpid(), signal.SIGUSR1)
print(signal.sigwait({signal.SIGUSR1}).name)
threads = []
"""


def test_a_signal_is_for_a_thread_of_the_program(tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan("--sample=50%", written(tmp_path, WAITS_FOR_A_SIGNAL))
    assert (run.status, run.stdout) == (0, "SIGUSR1\n"), run.stderr


TRACED = """
stats, done = Stats(), threading.Event()
def work():
    while not done.is_set():
        lock.acquire()
        update(stats)
        lock.release()
lock = threading.Lock()
threads = in_threads(work, work)
slices(1)
wait_until(is_off)
BEGIN
assert not is_off()
done.set()
for thread in threads:
    thread.join()
threads = in_threads(lambda: update(stats), lambda: update(stats))
"""


@pytest.mark.parametrize("begin", ["sys.settrace(lambda *_: None)", "sys.monitoring.use_tool_id(3, 'tool')"])
def test_a_tracer_switches_the_probes_on_for_good(begin: str, tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan("--sample=10%", written(tmp_path, TRACED.replace("BEGIN", begin)))
    assert (run.rules, run.report["watched"]["off"]) == (["FT401"], []), run.stderr
    assert "looked for in" not in run.stderr


@pytest.mark.parametrize("share", ["0", "101", "some"])
def test_a_share_that_is_none_is_refused(share: str, tmp_path: Path, ftsan: Ftsan) -> None:
    run = ftsan(f"--sample={share}", written(tmp_path, RACE))
    assert run.status == 2 and f'sample: "{share}" is not a percentage from 0.1 to 100' in run.stderr
