"""``ftsan top``: what a process does, once and on a terminal, and how it is left."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ftsan.cli import top as module
from ftsan.cli.entering import Process
from ftsan.cli.picture import NO_LOCKS

from tests.conftest import PLAIN
from tests.python.attaching import FTSAN, SERVING, Start, left_overs, look, pointers_into, programs, without_size
from tests.python.test_hangs import hanging

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")

#: Two loops, tasks on each, and two threads that wait for each other's lock, for which a third one waits.
CIRCLE = """
import asyncio, threading

a, b, meeting = threading.Lock(), threading.Lock(), threading.Barrier(2)
ready = threading.Barrier(6)

def one():
    with a:
        meeting.wait()
        ready.wait()
        with b:
            pass

def two():
    with b:
        meeting.wait()
        ready.wait()
        with a:
            pass

def three():
    ready.wait()
    with a:
        pass

async def waits():
    await asyncio.Event().wait()

async def serve(count):
    tasks = [asyncio.create_task(waits(), name=f"task {number}") for number in range(count)]
    await asyncio.sleep(0)
    ready.wait()
    await asyncio.gather(*tasks)

for target in (one, two, three):
    threading.Thread(target=target, name=target.__name__, daemon=True).start()
threading.Thread(target=lambda: asyncio.run(serve(3)), name="other loop", daemon=True).start()
threading.Thread(target=ready.wait, daemon=True).start()
asyncio.run(serve(7))
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with programs(tmp_path) as begin:
        yield begin


def top(pid: int, *options: str, env: dict[str, str] | None = None, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [*FTSAN, "top", str(pid), *options]
    return subprocess.run(command, env=PLAIN | (env or {}), cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


def pictured(pid: int, cwd: Path | None = None) -> dict[str, Any]:
    done = top(pid, "--json", cwd=cwd)
    assert (done.returncode, done.stderr) == (0, "")
    picture: dict[str, Any] = json.loads(done.stdout)
    return picture


def test_loops_tasks_locks_and_the_circle_of_a_watched_process(tmp_path: Path) -> None:
    path = tmp_path / "circle.py"
    path.write_text(CIRCLE)
    with hanging(path, 5, tmp_path / "crashes") as (_, pid):
        picture = pictured(pid, tmp_path)
        text = top(pid, "--once", cwd=tmp_path)
    threads = {thread["name"]: thread for thread in picture["threads"]}
    assert {name: len(thread["tasks"]) for name, thread in threads.items() if thread["loop"]} == {"MainThread": 8, "other loop": 4}
    assert {thread["loop"] for thread in threads.values()} == {None, "_UnixSelectorEventLoop"}
    of = {name: thread["native_id"] for name, thread in threads.items()}
    assert sorted(picture["circle"]) == sorted([of["one"], of["two"]])
    assert {name: (threads[name]["waits for"], threads[name]["held by"]) for name in ("one", "two", "three")} == {
        "one": ("the lock b", of["two"]),
        "two": ("the lock a", of["one"]),
        "three": ("the lock a", of["one"]),
    }
    [of_a] = [lock for lock in picture["locks"] if lock["what"] == "the lock a"]
    assert (of_a["holder"], sorted(of_a["waiting"])) == (of["one"], sorted([of["two"], of["three"]]))
    assert [one["rule"] for one in picture["findings"]] == ["FT501"]
    assert picture["descriptors"]["eventpoll"] == 2 and picture["unseen"] == []
    assert (text.returncode, text.stderr) == (0, "")
    assert "deadlock: thread 'one' and thread 'two' wait for each other" in text.stdout
    assert re.search(r"^one +\d+ +waits for the lock b, which two holds +- +circle\.py:11 in one$", text.stdout, re.M)
    assert re.search(r"^MainThread +\d+ +idle +_UnixSelectorEventLoop, 8 tasks +circle\.py:\d+ in <module>$", text.stdout, re.M)
    assert re.search(r"^MainThread +7: task \d, \.\.\. +circle\.py:27 in waits$", text.stdout, re.M)
    assert re.search(r"^the lock a +one +circle\.py:8 in one +t\w+, t\w+$", text.stdout, re.M)


def test_a_process_that_nobody_watches_is_seen_from_outside(start: Start) -> None:
    child = start(SERVING.format(misuse=True))
    before = look(child)
    picture = pictured(child.pid)
    assert without_size(look(child)) == without_size(before), "nothing of it is touched"
    threads = {thread["name"]: thread for thread in picture["threads"]}
    assert threads.keys() == {"MainThread", "look", "other"}
    assert threads["MainThread"]["loop"] == "_UnixSelectorEventLoop" and threads["other"]["loop"] is None
    assert threads["MainThread"]["tasks"]
    assert "in main" in str([task["at"] for task in threads["MainThread"]["tasks"]])
    assert picture["findings"] == [] and not picture["watched"]
    assert picture["unseen"] == ["findings: the process is not watched", NO_LOCKS]


def expect_refusal(pid: int, why: str) -> None:
    """The process is refused in one line, which says why."""
    refuses = top(pid, "--once")
    assert (refuses.returncode, refuses.stderr.count("\n")) == (2, 1)
    assert why in refuses.stderr


def test_what_cannot_be_looked_at_is_refused_in_a_line(start: Start) -> None:
    other = subprocess.Popen(["sleep", "60"])
    try:
        expect_refusal(other.pid, "it is no process of Python")
    finally:
        other.kill()
        other.wait()
    gone = top(other.pid, "--once")
    assert (gone.returncode, gone.stderr) == (2, f"ftsan: {other.pid}: there is no such process\n")
    child = start(SERVING.format(misuse=False))
    piped = top(child.pid)
    assert (piped.returncode, piped.stderr) == (2, "ftsan: top needs a terminal; --once prints one picture, --json its data\n")


def test_a_process_of_another_python_is_refused() -> None:
    others = [path for path in map(shutil.which, ("python3", "python3.13", "python3.12", "python3.11")) if path]
    version = "import sys; print(sys.version_info >= (3, 14))"
    said = {
        path: subprocess.run([path, "-I", "-c", version], capture_output=True, text=True, check=False).stdout for path in others
    }
    older = [path for path in others if said[path] == "False\n"]
    if not older:
        pytest.skip("there is no older python3 here")
    other = subprocess.Popen([older[0], "-I", "-c", "print(1, flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert other.stdout is not None
    other.stdout.readline()
    try:
        expect_refusal(other.pid, "it is no process of Python 3.1")
    finally:
        other.communicate()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to be somebody else")
def test_another_users_process_is_refused() -> None:
    other = subprocess.Popen(["sleep", "60"], user=65534)
    try:
        expect_refusal(other.pid, "it belongs to nobody")
    finally:
        other.kill()
        other.wait()


def test_a_process_without_a_recording_is_told_by_its_report(start: Start, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    env = {"FTSAN": "1", "FTSAN_OPTIONS": f"races=none:report_json={report}:text=none"}
    child = start(SERVING.format(misuse=True), interpreter=[sys.executable], env=env)
    picture: dict[str, Any] = {"findings": []}
    end = time.monotonic() + 60
    while not picture["findings"] and time.monotonic() < end:
        picture = pictured(child.pid)
    assert [one["rule"] for one in picture["findings"]] == ["FT101"] and picture["watched"]
    assert picture["unseen"] == [NO_LOCKS]


class Terminal:
    """``ftsan top`` on a pseudo-terminal."""

    def __init__(self, pid: int, *options: str, env: dict[str, str] | None = None) -> None:
        self.ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 400, 0, 0))  # for paths of any length
        variables = PLAIN | {"TERM": "xterm-256color"} | (env or {})
        command = [*FTSAN, "top", str(pid), "--every=100ms", *options]
        self.running = subprocess.Popen(command, env=variables, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
        os.close(theirs)
        self.written = b""

    @property
    def shown(self) -> str:
        """What was shown, without what moves the cursor and colours, of which a read may have got a part."""
        return re.sub(r"\x1b(\[[0-9;?<>=]*[ -/]*[@-~]|[^\[])", "", self.written.decode(errors="replace"))

    def read(self) -> bool:
        """Read what was shown; whether there may be more."""
        ready, _, _ = select.select([self.ours], [], [], 20)
        assert ready, self.shown
        try:
            part = os.read(self.ours, 65536)
        except OSError:  # the other end is closed
            return False
        self.written += part
        return bool(part)

    def until(self, pattern: str) -> None:
        """Read until something was shown."""
        while not re.search(pattern, self.shown):
            assert self.read(), self.shown

    def type(self, keys: bytes) -> None:
        os.write(self.ours, keys)

    def end(self) -> tuple[int, str]:
        """Status, and the line of ftsan at the end."""
        while self.read():
            pass
        os.close(self.ours)
        return self.running.wait(60), "".join(re.findall(r"ftsan: .*\n", self.shown.replace("\r", "")))


def quits(terminal: Terminal) -> None:
    terminal.type(b"q")


def interrupts(terminal: Terminal) -> None:
    terminal.type(b"\x03")


def terminates(terminal: Terminal) -> None:
    terminal.running.send_signal(signal.SIGTERM)


@pytest.mark.parametrize("end", [quits, interrupts, terminates])
def test_on_a_terminal_findings_come_and_the_process_is_left_as_it_was(start: Start, end: Callable[[Terminal], None]) -> None:
    pytest.importorskip("textual")
    child = start(SERVING.format(misuse=True))
    top(child.pid, "--once")
    look(child)
    terminal = Terminal(child.pid)
    terminal.until("FT101")
    end(terminal)
    assert terminal.end() == (0, "")
    assert pointers_into(child.pid, "libftsan_hooks.so", "_native.") == 0
    assert child.poll() is None
    assert left_overs() == []
    before = look(child)
    again = Terminal(child.pid)
    again.until("FT101")
    end(again)
    assert again.end() == (0, "")
    assert without_size(look(child)) == without_size(before)


def is_entered(child: subprocess.Popen[str]) -> bool:
    """Whether our hooks are called in it, as far as can be told: what is listed may be gone while libraries are being loaded."""
    try:
        return pointers_into(child.pid, "libftsan_hooks.so") > 0
    except OSError:
        return False


def test_a_signal_at_the_very_beginning_leaves_it_as_it_was(start: Start) -> None:
    pytest.importorskip("textual")
    child = start(SERVING.format(misuse=False))
    terminal = Terminal(child.pid)
    while not is_entered(child):
        assert terminal.running.poll() is None
    terminates(terminal)
    assert terminal.end() == (0, "")
    assert pointers_into(child.pid, "libftsan_hooks.so", "_native.") == 0
    assert left_overs() == []


def test_the_end_of_the_process_is_said(start: Start) -> None:
    pytest.importorskip("textual")
    child = start(SERVING.format(misuse=False))
    terminal = Terminal(child.pid)
    terminal.until("MainThread")
    child.kill()
    child.wait()
    status, said = terminal.end()
    assert (status, said) == (0, f"ftsan: {child.pid}: the process has ended\n")
    assert left_overs() == []


#: A loop, and a thread that misuses it once there is a file.
LATER = """
async def main():
    loop = asyncio.get_running_loop()
    def other():
        while not os.path.exists({path!r}):
            time.sleep(0.01)
        while True:
            loop.call_soon(int)
            time.sleep(0.01)
    threading.Thread(target=other, name="other", daemon=True).start()
    print("ready", flush=True)
    while True:
        await asyncio.sleep(0.001)
asyncio.run(main())
"""


def test_findings_are_made_as_long_as_somebody_looks(start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE", 0.5)
    path = tmp_path / "misuse"
    child = start(LATER.format(path=str(path)))
    found: list[dict[str, Any]] = []
    with module.Watching(Process(child.pid), attach=True) as watching:
        began = time.monotonic()
        while time.monotonic() < began + 3 * module.LEASE:
            assert watching.look()["findings"] == []
        path.touch()
        while not found and time.monotonic() < began + 60:
            found = watching.look()["findings"]
        assert len(os.listdir(watching.process.folder)) < 10, "what was asked leaves nothing behind"
    assert [one["rule"] for one in found] == ["FT101"]


def test_what_lets_no_debugger_in_is_refused_on_a_terminal(start: Start) -> None:
    pytest.importorskip("textual")
    child = start(SERVING.format(misuse=False), "-X", "disable-remote-debug")
    status, said = Terminal(child.pid).end()
    assert (status, said.count("\n")) == (2, 1) and "it lets no debugger in" in said
    assert top(child.pid, "--once").returncode == 0, "it can be looked at"
    outside = Terminal(child.pid, "--outside")
    outside.until("MainThread")
    outside.type(b"q")
    assert outside.end() == (0, "")


def test_without_textual_it_is_said_what_is_missing(start: Start, tmp_path: Path) -> None:
    without = tmp_path / "without"
    without.mkdir()
    (without / "sitecustomize.py").write_text("import sys; sys.modules['textual'] = None\n")
    child = start(SERVING.format(misuse=False))
    status, said = Terminal(child.pid, env={"PYTHONPATH": str(without)}).end()
    assert (status, said) == (2, "ftsan: top needs textual: pip install 'ftsan[top]'; --once does without\n")


PICTURE = {
    "schema": 1,
    "pid": 7,
    "command": ["python", "app.py"],
    "at": 0.0,
    "watched": True,
    "threads": [
        {"name": name, "native_id": number, "state": "S", "cpu": 0.0, "at": "app.py:3 in [red]f", "loop": None, "tasks": [],
         "waits for": "the lock a", "held by": other, "held since": "app.py:1 in f", "holds": []}
        for name, number, other in (("one", 7, 8), ("two", 8, 7))
    ],
    "circle": [7, 8],
    "locks": [{"what": "the lock a", "holder": 8, "since": "app.py:1 in f", "waiting": [7]}],
    "descriptors": {"socket": 2},
    "findings": [{"rule": "FT101", "name": "x", "severity": "error", "title": "a title", "count": 3, "at": "app.py:9 in f"}],
    "unseen": ["something: a reason"],
}  # fmt: skip


class Looked:
    """Pictures that are looked at."""

    def __init__(self) -> None:
        self.count = 0

    def look(self) -> dict[str, Any]:
        self.count += 1
        return PICTURE | {"descriptors": {"socket": self.count}}


def test_the_screen_shows_the_tables_and_obeys_keys() -> None:
    pytest.importorskip("textual")
    from ftsan.cli.top_screen import Screen
    from textual.widgets import DataTable, Static

    looked = Looked()
    screen = Screen(looked, 3600.0)  # type: ignore[arg-type]

    def shown(name: str) -> str:
        return str(screen.query_one(name, Static).render())

    async def pilot() -> None:
        async with screen.run_test(size=(140, 40)) as pilot:
            while "1 socket" not in shown("#summary"):
                await pilot.pause()
            assert shown("#deadlock") == "deadlock: thread 'one' and thread 'two' wait for each other"
            threads = screen.query_one("#threads", DataTable)
            assert [str(cell) for cell in threads.get_row_at(0)] == [
                "one",
                "7",
                "waits for the lock a, which two holds",
                "-",
                "app.py:3 in [red]f",
            ]
            assert [str(cell) for cell in screen.query_one("#findings", DataTable).get_row_at(0)] == [
                "error",
                "3x",
                "app.py:9 in f",
                "FT101 a title",
            ]
            assert not screen.query_one("#tasks").display
            assert shown("#unseen") == "not seen: something: a reason"
            await pilot.press("r")
            while "2 socket" not in shown("#summary"):
                await pilot.pause()
            await pilot.press("space", "r")
            while looked.count < 3:
                await pilot.pause()
            assert "2 socket" in shown("#summary"), "it is paused"
            await pilot.press("q")
        screen.is_over.set()
        screen.wanted.set()
        screen.looker.join()

    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        asyncio.run(pilot())
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    assert screen.return_value is None
