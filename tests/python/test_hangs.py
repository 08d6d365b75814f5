"""Programs that hang: which thread waits for which, by ``--on-hang``, SIGQUIT, a watchdog's abort, and from outside."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN, Ftsan
from tests.interop.conftest import missing

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")

DEADLOCK = """
import os, sys, threading
a, b = threading.Lock(), threading.Lock()
meeting = threading.Barrier(2)

def one():
    with a:
        meeting.wait()
        with b:
            pass

def two():
    with b:
        meeting.wait()
        with a:
            pass

threads = [threading.Thread(target=target, name=target.__name__, daemon=True) for target in (one, two)]
for thread in threads:
    thread.start()
{then}
"""

#: The last thing that it does before it hangs is to join.
JOIN = "threads[0].join()"

JOINED_UNDER_ITS_LOCK = """
import threading
lock = threading.RLock()
began = threading.Event()

def work():
    began.set()
    with lock:
        pass

with lock:
    thread = threading.Thread(target=work, name="worker")
    thread.start()
    began.wait()
    thread.join()
"""

WAITING_TASKS = """
import asyncio

async def consume(queue):
    await queue.get()

async def main():
    consumer = asyncio.create_task(consume(asyncio.Queue()), name="consumer")
    await consumer

asyncio.run(main())
"""


def blocked(pid: int, count: int) -> None:
    """Wait until so many threads of a process are, and all of them sleep: as often as it takes, for a state that lasts."""
    seen = 0
    while seen < 5:
        states = [
            stat.rpartition(")")[2].split()[0]
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for stat in [(thread / "stat").read_text()]
        ]
        seen = seen + 1 if len(states) >= count and set(states) == {"S"} else 0
        time.sleep(0.02)


@contextmanager
def hanging(program: Path, threads: int, folder: Path, *options: str, plain: bool = False) -> Iterator[tuple[Any, int]]:
    """A program that hangs, under ``ftsan run`` unless it is to be plain, and its process id."""
    words = [] if plain else ["-m", "ftsan", "run", "--crash-dir", str(folder), *options]
    command = [sys.executable, *words, str(program)]
    running = subprocess.Popen(command, env=PLAIN, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        child = running.pid
        while not plain and child == running.pid:
            children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
            child = int(children[0]) if children else child
        blocked(child, threads)
        yield running, child
    finally:
        if running.poll() is None:
            os.kill(child, signal.SIGKILL)
            running.communicate()


@pytest.fixture
def deadlock(tmp_path: Path) -> Path:
    path = tmp_path / "deadlock.py"
    path.write_text(DEADLOCK.format(then=JOIN))
    return path


def triaged(*words: str | Path) -> dict[str, Any]:
    """What ``ftsan triage --json`` says."""
    done = subprocess.run([sys.executable, "-m", "ftsan", "triage", "--json", *words], env=PLAIN, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict


def plainly(text: str) -> str:
    """Without the kernel's ids of threads."""
    return re.sub(r" \(native id \d+\)", "", text)


def is_told(evidence: str) -> None:
    """The circle, and every wait with the place where the lock was acquired."""
    told = plainly(evidence)
    assert "deadlock: thread 'one' and thread 'two' wait for each other" in told
    wait = (
        r"thread '{}' waits for the lock {} at \S+deadlock.py:{} in {}: thread '{}' holds it, acquired at \S+deadlock.py:{} in {}"
    )
    assert re.search(wait.format("one", "b", 9, "one", "two", 13, "two"), told), told
    assert re.search(wait.format("two", "a", 15, "two", "one", 7, "one"), told), told


def test_a_hang_is_told_while_the_program_goes_on(ftsan: Ftsan, tmp_path: Path) -> None:
    path = tmp_path / "deadlock.py"
    path.write_text(DEADLOCK.format(then="threads[0].join(12); print('went on', flush=True); os._exit(3)"))
    run = ftsan("--on-hang", "1", path, timeout=60)
    assert (run.status, run.stdout) == (3, "went on\n")
    assert "has done nothing for 1 s" in run.stderr and "HANG: ftsan: cross-thread-misuse (high confidence)" in run.stderr
    assert run.stderr.count("HANG: ftsan:") == 1
    is_told(run.stderr)
    assert "thread 'MainThread' waits for the end of thread 'one'" in plainly(run.stderr)
    assert "found before the crash: FT501" in run.stderr


def test_the_hanging_child_of_a_fork_is_told(ftsan: Ftsan, tmp_path: Path) -> None:
    path = tmp_path / "fork.py"
    path.write_text(
        "import os, threading\nchild = os.fork()\nif not child:\n    threading.Event().wait(8)\n    os._exit(0)\n"
        "print(child, flush=True)\nos.waitpid(child, 0)\n"
    )
    run = ftsan("--on-hang", "1", path, timeout=60)
    _, found, of_child = run.stderr.partition(f"ftsan: process {run.stdout.strip()} has done nothing for 1 s\n")
    assert found and "waits for a condition to be notified at" in of_child and "fork.py:4 in <module>" in of_child, run.stderr


def test_a_program_that_works_does_not_hang(ftsan: Ftsan, tmp_path: Path) -> None:
    path = tmp_path / "works.py"
    path.write_text("import time\nend = time.monotonic() + 3\nwhile time.monotonic() < end: pass\n")
    run = ftsan("--on-hang", "1", path, timeout=60)
    assert (run.status, run.stderr) == (0, "")


def test_a_thread_that_is_joined_under_the_lock_that_it_needs(ftsan: Ftsan, tmp_path: Path) -> None:
    path = tmp_path / "joined.py"
    path.write_text(JOINED_UNDER_ITS_LOCK)
    with hanging(path, 2, tmp_path / "crashes") as (_, pid):
        verdict = triaged(str(pid))
    assert plainly(verdict["evidence"][0]) == "deadlock: thread 'MainThread' and thread 'worker' wait for each other"
    assert "thread 'worker' waits for the lock lock" in plainly("\n".join(verdict["evidence"]))


@pytest.mark.parametrize("value", ["0", "-1", "soon"])
def test_a_wrong_number_of_seconds_is_refused(ftsan: Ftsan, value: str) -> None:
    run = ftsan(f"--on-hang={value}", "-c", "")
    assert (run.status, run.stderr) == (2, f'ftsan: on_hang: "{value}" is not a number of seconds\n')


def test_a_process_that_is_told_to_quit_says_what_it_waited_for(deadlock: Path, tmp_path: Path) -> None:
    with hanging(deadlock, 3, tmp_path / "crashes") as (running, pid):
        os.kill(pid, signal.SIGQUIT)
        _, errors = running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGQUIT
    assert "died of SIGQUIT" in errors
    is_told(errors)


def test_a_program_keeps_its_own_handler_of_sigquit(ftsan: Ftsan) -> None:
    script = (
        "import faulthandler, signal, sys; faulthandler.register(signal.SIGQUIT, file=sys.stdout)\n"
        "signal.raise_signal(signal.SIGQUIT); print('went on')"
    )
    run = ftsan("-c", script)
    assert (run.status, run.stderr) == (0, "")
    assert "<module>" in run.stdout and run.stdout.endswith("went on\n")


def test_a_watchdog_that_aborts_is_triaged_as_the_hang(ftsan: Ftsan, tmp_path: Path) -> None:
    path = tmp_path / "deadlock.py"
    watchdog = "threading.Timer(1, os.abort).start(); threads[0].join()"
    path.write_text(DEADLOCK.format(then=watchdog))
    run = ftsan("--crash-dir", tmp_path / "crashes", path, timeout=60)
    assert run.status == 128 + signal.SIGABRT
    is_told(run.stderr)


def test_an_abort_of_a_program_that_does_not_hang_is_none(ftsan: Ftsan, tmp_path: Path) -> None:
    run = ftsan("--crash-dir", tmp_path / "crashes", "-c", "import os; os.abort()")
    assert "hang" not in run.stderr and "deadlock" not in run.stderr


def test_tasks_of_a_loop_are_told(tmp_path: Path) -> None:
    path = tmp_path / "tasks.py"
    path.write_text(WAITING_TASKS)
    with hanging(path, 1, tmp_path / "crashes") as (_, pid):
        verdict = triaged(str(pid))
    assert verdict["verdict"] == "unknown"
    text = plainly("\n".join(verdict["evidence"]))
    assert "thread 'MainThread' waits for something for its event loop to do" in text
    assert re.search(r"task 'consumer' waits in Queue.get at \S+tasks.py:5 in consume", text), text


#: The C function of a lock that waits: before 3.15, and since.
ACQUIRES = r"(lock_PyThread_acquire_lock|_thread_lock_(acquire|__enter_)_?\w*) in libpython"

needs_pystack = pytest.mark.skipif(importlib.util.find_spec("pystack") is None, reason="pystack is not installed")


@needs_pystack
def test_a_process_that_nobody_watches_shows_its_stacks(deadlock: Path, tmp_path: Path) -> None:
    with hanging(deadlock, 3, tmp_path, plain=True) as (_, pid):
        done = subprocess.run([sys.executable, "-m", "ftsan", "triage", str(pid)], env=PLAIN, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "HANG: ftsan: cross-thread-misuse (high confidence)" in done.stdout
    assert re.search(
        r"thread 'one' \(native id \d+\) waits for the lock b at .*: thread 'two' .* holds it, acquired at .* in two\n", done.stdout
    )
    assert done.stdout.count("in one\n") >= 1 and done.stdout.count("in two\n") >= 1
    assert re.search(ACQUIRES, done.stdout), done.stdout
    assert "waits for the end of thread 'one'" in done.stdout


def test_gdb_shows_native_stacks_where_there_is_no_pystack(deadlock: Path, tmp_path: Path) -> None:
    if not shutil.which("gdb"):
        missing("gdb")
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text("import sys; sys.modules['pystack'] = None\n")
    with hanging(deadlock, 3, tmp_path, plain=True) as (_, pid):
        command = [sys.executable, "-m", "ftsan", "triage", str(pid)]
        done = subprocess.run(command, env=PLAIN | {"PYTHONPATH": str(without)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("HANG: ftsan:") == 1 and "crashing" not in done.stdout
    assert done.stdout.count("_PySemaphore_Wait in") == 3, done.stdout


@needs_pystack
def test_a_core_file_is_triaged_and_joined_with_the_recording(ftsan: Ftsan, tmp_path: Path) -> None:
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith("|") or "/" in pattern:
        missing("core files in the working directory")
    path = tmp_path / "dies.py"
    path.write_text(
        "import ctypes, os, resource, threading\n"
        "import ftsan.testing\n"
        "os.chdir(os.path.dirname(__file__))\n"
        "resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)\n"
        "waiting = threading.Thread(target=threading.Event().wait, name='waiting', daemon=True)\n"
        "waiting.start()\n"
        "ftsan.testing.wait_until_blocked(waiting)\n"
        "ctypes.string_at(8)\n"
    )
    run = ftsan(path, env={"XDG_STATE_HOME": str(tmp_path / "state")}, timeout=120)
    assert run.status == 128 + signal.SIGSEGV
    [core] = tmp_path.glob("core*")
    bare = triaged(str(core))
    command = [sys.executable, "-m", "ftsan", "triage", str(core)]
    done = subprocess.run(command, env=PLAIN | {"XDG_STATE_HOME": str(tmp_path / "state")}, capture_output=True, text=True)
    shutil.rmtree(tmp_path / "state")
    core.unlink()
    assert bare["signature"].startswith("SIGSEGV | ") and "string_at" in bare["signature"]
    assert (done.returncode, done.stderr) == (0, "")
    # The name is the recording's, the native stack of a thread that did not crash is the core's.
    _, found, of_waiting = done.stdout.partition("thread 'waiting'")
    assert found and re.search(ACQUIRES, of_waiting), done.stdout


def test_what_is_no_process_is_said(ftsan: Ftsan) -> None:
    done = subprocess.run([sys.executable, "-m", "ftsan", "triage", "4194305"], env=PLAIN, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "ftsan: 4194305: neither a file nor a process\n")
