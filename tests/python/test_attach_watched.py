"""``ftsan attach``: what is watched in a process that runs already, and what is said not to be."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.python.attaching import FTSAN, SERVING, Start, attach, end_when_found, look, programs, wait_until_attached

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="another process's memory is read from /proc")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a program that says that it is ready, and end it after the test."""
    with programs(tmp_path) as begin:
        yield begin


def test_what_a_correct_process_does_is_not_reported_and_what_is_not_watched_is_said(start: Start, tmp_path: Path) -> None:
    child = start(SERVING.format(misuse=False))
    report = tmp_path / "report.json"
    for options, status in (((), 67), (("--races=none",), 0)):
        done = attach(child, "--for=0.3s", "--report-json", str(report), *options)
        assert done.returncode == status, done.stderr
        watched = json.loads(report.read_text())["watched"]
        assert watched["loops"] == 1
        assert watched["checks"] > 0
        assert watched["hooks"] > 200
        assert [what.partition(":")[0] for what in watched["off"]] == (["races and locks"] if status else [])


def test_the_loops_of_all_threads_are_known_each_time(start: Start) -> None:
    child = start(
        """
        loops = []
        async def main():
            loops.append(asyncio.get_running_loop())
            while True:
                await asyncio.sleep(0.01)
        for _ in range(2):
            threading.Thread(target=asyncio.run, args=(main(),)).start()
        def other():
            while True:
                time.sleep(0.02)
                for loop in loops:
                    loop.call_soon(int)
        threading.Thread(target=other, name="other").start()
        while len(loops) < 2:
            time.sleep(0.01)
        print("ready", flush=True)
        while True:
            time.sleep(0.001)
        """
    )
    for _ in range(2):
        done = attach(child, "--for=0.3s")
        assert done.returncode == 66, done.stderr
        assert re.search(r"watched \d+ hooks, \d+ checks, \d threads, 2 loops, 1 process", done.stderr), done.stderr


def test_a_process_that_ends_meanwhile_has_the_last_word(start: Start) -> None:
    child = start(
        """
        async def main():
            print("ready", flush=True)
            while not os.path.exists(sys.argv[0] + ".end"):
                await asyncio.sleep(0.01)
            loop = asyncio.get_running_loop()
            await asyncio.to_thread(loop.call_soon, int)
        asyncio.run(main())
        """
    )
    command = [*FTSAN, "attach", str(child.pid), "--for=1h"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as attached:
        while "_native" not in Path(f"/proc/{child.pid}/maps").read_text():
            pass
        Path(f"{child.args[-1]}.end").touch()  # type: ignore[index]
        said = attached.communicate(timeout=60)[1]
    assert attached.returncode == 66, said
    assert "the process has ended" in said
    child.wait()
    assert child.returncode == 0, "its status is its own"


def test_children_that_are_forked_meanwhile_are_not_watched_and_that_is_said(start: Start) -> None:
    child = start(
        """
        from asyncio import base_events
        print("ready", flush=True)
        before = base_events.BaseEventLoop.call_soon.__code__
        while True:
            time.sleep(0.01)
            if (process := os.fork()) == 0:
                os._exit(base_events.BaseEventLoop.call_soon.__code__ is not before)
            assert os.waitpid(process, 0)[1] == 0, "the child is hooked"
        """,
        "-Wignore",
    )
    done = attach(child, "--for=0.5s", "--races=none")
    assert done.returncode == 67
    assert "not watched: children that were forked meanwhile" in done.stderr
    assert child.poll() is None, child.communicate()[1]


TWISTED = """
import twisted.internet.reactor as module
from twisted.internet import reactor
def other():
    while True:
        time.sleep(0.01)
        reactor.callLater(0, int)  # misuse
reactor.callWhenRunning(threading.Thread(target=other, daemon=True).start)
reactor.callWhenRunning(print, "ready", flush=True)
def tick():
    reactor.callLater(0.01, tick)
reactor.callWhenRunning(tick)
reactor.run()
"""

TRIO = """
import trio
async def main():
    event = trio.Event()
    def other():
        while True:
            time.sleep(0.01)
            event.set()  # misuse
    threading.Thread(target=other, daemon=True).start()
    print("ready", flush=True)
    while True:
        await trio.sleep(0.01)
        if event.is_set():
            await event.wait()
trio.run(main)
"""


@pytest.mark.parametrize(("program", "rule"), [(TWISTED, "FT301"), (TRIO, "FT306")])
def test_loops_of_other_frameworks_that_run_already_are_known(start: Start, program: str, rule: str) -> None:
    done = attach(start(program, interpreter=[sys.executable]), "--for=0.5s")
    assert done.returncode == 66, done.stderr
    assert f"ERROR: ftsan: {rule}" in done.stderr


def test_what_is_imported_between_two_times_is_watched_the_second_time(start: Start) -> None:
    child = start(
        """
        print("ready", flush=True)
        loops = []
        while not os.path.exists(sys.argv[0] + ".go"):
            time.sleep(0.01)
        import trio
        async def main():
            event = trio.Event()
            def other():
                while True:
                    time.sleep(0.01)
                    event.set()
            threading.Thread(target=other, daemon=True).start()
            print("imported", flush=True)
            while True:
                await trio.sleep(0.01)
                if event.is_set():
                    await event.wait()
        trio.run(main)
        """,
        interpreter=[sys.executable],
    )
    assert attach(child, "--for=0.1s", "--races=none").returncode == 0
    Path(f"{child.args[-1]}.go").touch()  # type: ignore[index]
    assert child.stdout is not None
    assert child.stdout.readline() == "imported\n"
    done = attach(child, "--for=0.5s", "--races=none")
    assert done.returncode == 66, done.stderr


CLOSED = """
import selectors, socket
ours, theirs = socket.socketpair()
selector = selectors.EpollSelector()
selector.register(ours, selectors.EVENT_READ)

rounds = 0

def poll():
    global rounds
    while True:
        selector.select(0.3)
        rounds += 1

def close():
    while not os.path.exists(sys.argv[0] + ".go"):
        time.sleep(0.01)
    seen = rounds
    while rounds < seen + 2:  # what it waits in now began after somebody attached
        time.sleep(0.01)
    os.close(ours.fileno())  # misuse

threading.Thread(target=poll, name="poll").start()
threading.Thread(target=close, name="close").start()
print("ready", flush=True)
while True:
    time.sleep(0.01)
"""


def test_a_descriptor_that_was_open_already_is_watched(start: Start, tmp_path: Path) -> None:
    child = start(CLOSED)
    report = tmp_path / "report.json"
    before = look(child)["descriptors"]
    assert attach(child, "--for=50ms", "--races=none").returncode == 0
    command = [*FTSAN, "attach", str(child.pid), "--for=1h", "--races=none", "--report-json", str(report)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as attached:
        wait_until_attached(attached, report)
        Path(f"{child.args[-1]}.go").touch()  # type: ignore[index]
        end_when_found(attached, "FT201")
    assert attached.returncode == 66
    [finding] = json.loads(report.read_text())["findings"]
    assert finding["rule"] == "FT201"
    assert [access["thread"]["name"] for access in finding["accesses"][:2]] == ["close", "poll"]
    after = look(child)["descriptors"]
    assert len(after) == len(before) - 1  # type: ignore[arg-type]


def test_a_guest_run_of_trio_is_named_as_not_watched(start: Start) -> None:
    child = start(
        """
        import trio
        async def guest():
            print("ready", flush=True)
            while True:
                await trio.sleep(0.01)
        async def main():
            threadsafe = asyncio.get_running_loop().call_soon_threadsafe
            trio.lowlevel.start_guest_run(guest, run_sync_soon_threadsafe=threadsafe, done_callback=print)
            await asyncio.Event().wait()
        asyncio.run(main())
        """,
        interpreter=[sys.executable],
    )
    done = attach(child, "--for=0.1s", "--races=none")
    assert done.returncode == 67, done.stderr
    assert "not watched: guest runs of trio" in done.stderr
