"""``ftsan attach``: a process that runs already is entered, left as it was, and can be entered again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from ftsan import _native

from tests.python.attaching import (
    FTSAN,
    SERVING,
    Start,
    attach,
    end_when_found,
    left_overs,
    look,
    pointers_into,
    programs,
    without_size,
)

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="another process's memory is read from /proc")

#: How often a process is attached to.
CYCLES = int(os.environ.get("FTSAN_ATTACH_CYCLES", "12"))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program that says that it is ready, and end it after the test."""
    with programs(tmp_path) as begin:
        yield begin


def test_a_misuse_of_a_loop_that_runs_already_is_found_and_the_process_is_left_as_it_was(start: Start, tmp_path: Path) -> None:
    child = start(SERVING.format(misuse=True))
    look(child)  # imports what it needs
    before = look(child)
    report = tmp_path / "report.json"
    done = attach(child, "--for=500ms", "--report-json", str(report))
    assert done.returncode == 66, done.stderr
    assert without_size(look(child)) == without_size(before)
    assert child.poll() is None
    [finding] = json.loads(report.read_text())["findings"]
    assert (finding["rule"], finding["accesses"][0]["operation"]) == ("FT101", "call_soon")
    assert finding["accesses"][0]["stack"][0]["file"] == child.args[-1].__fspath__()  # type: ignore[index]
    assert finding["accesses"][0]["thread"]["name"] == "other"
    assert [access["thread"]["name"] for access in finding["accesses"] if access["role"] == "owner"] == ["MainThread"]
    assert done.stderr.count("ERROR: ftsan: FT101") == 1, "told once, by the one who attached"
    assert re.search(r"^ftsan: not watched: races and locks: ", done.stderr, re.M)
    child.kill()
    assert child.communicate()[1] == "", "the process itself says nothing"


def test_no_function_of_ours_is_called_any_more(start: Start, tmp_path: Path) -> None:
    child = start(SERVING.format(misuse=False))
    report = tmp_path / "report.json"
    ours = ("libftsan_hooks.so", "_native.")
    assert attach(child, "--for=20ms", "--races=none").returncode == 0
    assert pointers_into(child.pid, *ours) == 0
    command = [*FTSAN, "attach", str(child.pid), "--for=1h", "--races=none", "--report-json", str(report)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as attached:
        while not report.exists() or not json.loads(_native.read_report(str(report)))["watched"]["processes"]:
            pass
        assert pointers_into(child.pid, ours[0]) > 50
        assert pointers_into(child.pid, ours[1]) > 20
        attached.send_signal(signal.SIGINT)
        attached.communicate(timeout=60)
    assert attached.returncode == 0
    assert pointers_into(child.pid, *ours) == 0


def test_a_process_may_be_attached_to_again_and_again(start: Start) -> None:
    child = start(
        """
        async def work():
            lock, queue = asyncio.Lock(), asyncio.Queue(2)
            async def give():
                while True:
                    async with lock:
                        await queue.put(asyncio.get_running_loop().create_future())
                    await asyncio.sleep(0)
            async def take():
                while True:
                    future = await queue.get()
                    future.set_result(None)
                    async with asyncio.timeout(5):
                        await future
            await asyncio.wait_for(asyncio.gather(give(), take()), 0.1)

        def again():
            while True:
                try:
                    asyncio.run(work())
                except TimeoutError:
                    pass

        for _ in range(3):
            threading.Thread(target=again, daemon=True).start()
        print("ready", flush=True)
        while True:
            time.sleep(0.01)
        """
    )
    look(child)
    before = look(child)
    for _ in range(CYCLES):
        done = attach(child, "--for=20ms", "--races=none")
        assert done.returncode == 0, done.stderr
        assert "0 findings" in done.stderr
    after = look(child)
    assert (after["codes"], after["pointers"]) == (before["codes"], before["pointers"])
    assert after["finders"] == before["finders"]
    assert child.poll() is None


def test_each_time_leaves_no_more_memory_behind_than_its_options(start: Start) -> None:
    child = start(SERVING.format(misuse=True))
    sizes = []
    for _ in range(max(CYCLES, 20)):
        assert attach(child, "--for=50ms", "--races=none").returncode == 66
        sizes.append(look(child))
    [first, last] = [int(looked["kilobytes"]) for looked in (sizes[len(sizes) // 2], sizes[-1])]  # type: ignore[call-overload]
    assert last - first < 256 + 10 * len(sizes), sizes
    assert sizes[0]["descriptors"] == sizes[-1]["descriptors"]


def test_another_thread_answers_if_the_main_one_waits(start: Start) -> None:
    child = start(
        """
        def run():
            async def main():
                loop = asyncio.get_running_loop()
                def other():
                    while True:
                        time.sleep(0.02)
                        loop.create_task(asyncio.sleep(0))
                threading.Thread(target=other).start()
                print("ready", flush=True)
                while True:
                    await asyncio.sleep(0.01)
            asyncio.run(main())
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
        """
    )
    done = attach(child, "--for=0.3s")
    assert done.returncode == 66, done.stderr
    assert "create_task() called in thread" in done.stderr


def test_a_loop_that_has_nothing_to_do_is_woken(start: Start) -> None:
    child = start(
        """
        async def main():
            print("ready", flush=True)
            await asyncio.Event().wait()
        asyncio.run(main())
        """
    )
    done = attach(child, "--for=0.1s", "--races=none")
    assert "watched" in done.stderr, done.stderr
    assert "1 loop" in done.stderr
    assert child.poll() is None


DEADLOCK = """
a, b, meeting = threading.Lock(), threading.Lock(), threading.Barrier(3)
def one():
    with a:
        meeting.wait()
        b.acquire()
def two():
    with b:
        meeting.wait()
        a.acquire()
for target in (one, two):
    threading.Thread(target=target).start()
meeting.wait()
print("ready", flush=True)
with a:
    pass
"""


def test_a_process_that_runs_no_code_is_given_up_and_left_alone(start: Start) -> None:
    child = start(DEADLOCK)
    done = attach(child, "--for=0.1s", env={"PATH": "/nonexistent"})  # no frida
    assert done.returncode == 67
    said = done.stderr.splitlines()
    assert said[0] == f"ftsan: {child.pid}: it came to run no Python code within 5 s: it hangs, or is in a long call of C code"
    assert re.fullmatch(
        r"ftsan: deadlock: thread 'Thread-\d \(\w+\)' .* and thread 'Thread-\d \(\w+\)' .* wait for each other", said[1]
    )
    assert len([line for line in said[2:-1] if re.search(r"waits for the lock [ab] at .* holds it, acquired at ", line)]) == 3
    assert said[-1].startswith(f"ftsan: {child.pid}: frida could bring a thread into it") and said[-1].endswith(
        "nothing was watched"
    )
    assert child.poll() is None
    assert left_overs() == []


def test_what_cannot_be_entered_is_refused_in_a_line(start: Start) -> None:
    serving = SERVING.format(misuse=False)
    for options, env in ((("-X", "disable-remote-debug"), {}), ((), {"PYTHON_DISABLE_REMOTE_DEBUG": "1"})):
        refuses = attach(start(serving, *options, env=env))
        assert (refuses.returncode, refuses.stderr.count("\n")) == (2, 1)
        assert "it lets no debugger in" in refuses.stderr
    refuses = attach(start(serving), env={"PYTHON_DISABLE_REMOTE_DEBUG": "1"})
    assert (refuses.returncode, refuses.stderr.count("\n")) == (2, 1)
    assert "is set here" in refuses.stderr
    other = subprocess.Popen(["sleep", "60"])
    try:
        refuses = subprocess.run([*FTSAN, "attach", str(other.pid)], capture_output=True, text=True, check=False)
        assert (refuses.returncode, refuses.stderr.count("\n")) == (2, 1)
        assert "it is no process of Python" in refuses.stderr
    finally:
        other.kill()
        other.wait()
    gone = subprocess.run([*FTSAN, "attach", str(other.pid)], capture_output=True, text=True, check=False)
    assert (gone.returncode, gone.stderr) == (2, f"ftsan: {other.pid}: there is no such process\n")


def test_a_process_that_is_watched_already_is_refused(start: Start) -> None:
    child = start(SERVING.format(misuse=False), interpreter=[sys.executable], env={"FTSAN": "1", "FTSAN_OPTIONS": "races=none"})
    refuses = attach(child)
    assert (refuses.returncode, refuses.stderr) == (2, f"ftsan: {child.pid}: it is watched already\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_another_users_process_is_refused() -> None:
    other = subprocess.Popen(["sleep", "60"], user=65534)
    try:
        refuses = subprocess.run([*FTSAN, "attach", str(other.pid)], capture_output=True, text=True, check=False)
        assert (refuses.returncode, refuses.stderr.count("\n")) == (2, 1)
        assert "it belongs to nobody" in refuses.stderr
    finally:
        other.kill()
        other.wait()


def test_wrong_words_are_refused() -> None:
    for words in (
        ["attach"],
        ["attach", "x"],
        ["attach", "1", "--for=soon"],
        ["attach", "1", "--for=-1s"],
        ["attach", "1", "--strict"],
    ):
        done = subprocess.run([*FTSAN, *words], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr


def test_ctrl_c_ends_the_time_and_the_report_is_complete(start: Start, tmp_path: Path) -> None:
    child = start(SERVING.format(misuse=True))
    report = tmp_path / "report.json"
    command = [*FTSAN, "attach", str(child.pid), "--for=1h", "--report-json", str(report)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as attached:
        end_when_found(attached, "FT101")
    assert attached.returncode == 66
    assert json.loads(report.read_text())["watched"]["processes"] == 1
    assert left_overs() == []
