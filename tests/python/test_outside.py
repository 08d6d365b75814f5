"""Locks of a process that nobody watches, read from outside: which thread waits for which, and what is not known is not said."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import PLAIN
from tests.python.attaching import FTSAN, Start, programs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="read from /proc")

#: Each thread is told apart by its name.
BEGIN = """
import threading
def begin(*functions):
    for function in functions:
        threading.Thread(target=function, name=function.__name__, daemon=True).start()
    print("ready", flush=True)
    threading.Event().wait()
"""

#: One lock by a `with` statement around others, one reentrant one without.
CIRCLE = """
plain, reentrant, meeting = threading.Lock(), threading.RLock(), threading.Barrier(2)

def one():
    with plain:  # one
        for _ in [0]:
            try:
                with open("/dev/null"):
                    meeting.wait()
                    with reentrant:
                        pass
            except ValueError:
                pass

def two():
    reentrant.acquire()
    meeting.wait()
    plain.acquire()

def three():
    with (
        threading.Lock() as _,
        plain,
    ):
        pass

begin(one, two, three)
"""

#: `waits` has released the lock in whose `with` statement it is, and `unknown` has it without one.
RELEASED = """
lock = threading.Lock()
condition, other = threading.Condition(lock), threading.Event()

def waits():
    with lock:
        other.set()
        condition.wait()

def unknown():
    other.wait()
    lock.acquire()
    begun.set()
    threading.Event().wait()

def third():
    begun.wait()
    with lock:
        pass

begun = threading.Event()
begin(waits, unknown, third)
"""

#: It waits for itself, and for the end of a thread that waits for it.
ITSELF = """
lock = threading.Lock()

def itself():
    with lock:
        with lock:
            pass

def joins():
    thread = threading.Thread(target=lambda: begun.wait() and lock.acquire(), name="joined", daemon=True)
    thread.start()
    begun.set()
    thread.join()

begun = threading.Event()
begin(itself, joins)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with programs(tmp_path) as begin:
        yield begin


def pictured(child: subprocess.Popen[str], *names: str) -> dict[str, Any]:
    """What ``ftsan top`` shows, as soon as these threads wait for a lock that is named or the end of a thread."""
    end = time.monotonic() + 60
    while True:
        done = subprocess.run([*FTSAN, "top", str(child.pid), "--json"], env=PLAIN, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        picture: dict[str, Any] = json.loads(done.stdout)
        waiting = {
            thread["name"] for thread in picture["threads"] if str(thread["waits for"]).startswith(("the lock ", "the end of "))
        }
        if waiting >= {*names}:
            return picture
        assert time.monotonic() < end, picture


def threads_of(picture: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The threads by their names, and which of them has what each waits for."""
    named = {thread["native_id"]: thread["name"] for thread in picture["threads"]}
    return {thread["name"]: thread | {"held by": named.get(thread["held by"])} for thread in picture["threads"]}


def line_of(child: subprocess.Popen[str], mark: str) -> str:
    path = Path(str(child.args[-1]))  # type: ignore[index]
    [line] = [number for number, line in enumerate(path.read_text().splitlines(), 1) if line.endswith(mark)]
    return f"{path}:{line}"


def test_a_circle_of_a_plain_and_a_reentrant_lock(start: Start) -> None:
    child = start(BEGIN + CIRCLE)
    picture = pictured(child, "one", "two", "three")
    threads = threads_of(picture)
    assert {name: (threads[name]["waits for"], threads[name]["held by"]) for name in ("one", "two", "three")} == {
        "one": ("the lock reentrant", "two"),
        "two": ("the lock plain", "one"),
        "three": ("the lock plain", "one"),
    }
    assert sorted(picture["circle"]) == sorted([threads["one"]["native_id"], threads["two"]["native_id"]])
    assert threads["two"]["held since"] == f"{line_of(child, '# one')} in one"
    assert threads["one"]["held since"] == "", "that is not known of a lock that was acquired without a with statement"


def test_who_has_a_lock_without_a_with_statement_is_not_guessed(start: Start) -> None:
    picture = pictured(start(BEGIN + RELEASED), "third")
    threads = threads_of(picture)
    assert (threads["third"]["waits for"], threads["third"]["held by"]) == ("the lock lock", None)
    assert threads["waits"]["waits for"] == "a condition to be notified"
    assert threads["waits"]["holds"] == threads["unknown"]["holds"] == []
    assert picture["circle"] == []


def test_a_thread_that_waits_for_itself_and_one_that_is_joined(start: Start) -> None:
    picture = pictured(start(BEGIN + ITSELF), "itself", "joins", "joined")
    threads = threads_of(picture)
    assert (threads["itself"]["waits for"], threads["itself"]["held by"]) == ("the lock lock", "itself")
    assert threads["joins"]["held by"] == "joined" and threads["joined"]["held by"] == "itself"
    assert picture["circle"] == [threads["itself"]["native_id"]]
