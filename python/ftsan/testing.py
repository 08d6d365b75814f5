"""Threads, meetings and waits that add no order, for tests of programs whose threads are not ordered.

A test of a race must not synchronise the threads that race: a lock, an event, a queue or a barrier between them is an order,
and with it there is no race to find. Sleeping instead hopes that the other thread is there in time. The functions here poll plain
values and the kernel, which neither ftsan nor the interpreter takes for an order, and go on as soon as the other thread is where it
should be::

    from ftsan.testing import run, wait_until_blocked

    reader = threading.Thread(target=connection.recv, args=(1,))
    reader.start()
    wait_until_blocked(reader)  # it is inside recv() now
    connection.close()          # and this is the misuse that the test is about
"""

from __future__ import annotations

import functools
import platform
import threading
import time
from collections.abc import Callable

__all__ = ["Meeting", "in_turns", "run", "wait_until", "wait_until_blocked"]

#: Seconds between two looks.
_STEP = 0.0005

#: Seconds after which a wait for a lock, or a sleep, is one of the program.
_LASTING = 0.02

#: The numbers of ``futex``, by which threads wait for locks, and of ``nanosleep`` and ``clock_nanosleep``, by which they give
#: others time (``asm/unistd_64.h``, ``asm-generic/unistd.h``).
_MOMENTARY = {"x86_64": (202, 35, 230), "aarch64": (98, 101, 115)}


def wait_until(condition: Callable[[], object], timeout: float = 30.0) -> None:
    """Poll until ``condition()`` is true.

    ``timeout`` is in seconds.  Raises TimeoutError when it is over; an exception of ``condition`` is passed on.
    """
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not so after {timeout:g} s")
        time.sleep(_STEP)


def wait_until_blocked(*threads: threading.Thread, timeout: float = 30.0) -> None:
    """Wait until each of these threads sleeps in a system call such as ``recv``, ``epoll_wait`` or ``accept``.

    A wait for a lock, or a sleep, counts only if it lasts: the interpreter waits for a moment, too. The kernel says which
    threads sleep (``/proc/self/task/*/syscall``, Linux). ``timeout`` is in seconds. Raises TimeoutError when it is over, also
    if a thread ends instead.
    """
    momentary = [str(number) for number in _MOMENTARY.get(platform.machine(), ())]

    def is_blocked(thread: threading.Thread) -> bool:
        call = _call_of(thread)
        if call is None or call.split()[0] not in momentary:
            return call is not None
        time.sleep(_LASTING)
        return _call_of(thread) == call

    for thread in threads:
        wait_until(functools.partial(is_blocked, thread), timeout)


def _call_of(thread: threading.Thread) -> str | None:
    """The system call that a thread sleeps in, with its arguments, stack and how often it has slept; None if it does not sleep."""
    if thread.native_id is None:
        return None
    task = f"/proc/self/task/{thread.native_id}"
    try:
        with open(f"{task}/stat") as stat, open(f"{task}/syscall") as call, open(f"{task}/status") as status:
            state, number, rest = stat.read().rpartition(") ")[2][:1], call.read(), status.read()
    except FileNotFoundError:
        return None
    slept = rest.partition("\nvoluntary_ctxt_switches:")[2].split("\n")[0]
    return None if state != "S" or number.startswith(("running", "-1")) else number + slept


class Meeting:
    """Where a number of threads wait for each other, without an order between them."""

    def __init__(self, threads: int = 2) -> None:
        self._here = [False] * threads

    def join(self, place: int) -> None:
        """Be there, as number ``place`` from 0, and return once all are."""
        self._here[place] = True
        wait_until(lambda: all(self._here))


def run(*functions: Callable[[], object]) -> None:
    """Run each function in a thread of its own, all at once as nearly as can be, and wait for their ends.

    An exception that one of them raises is raised here, the first one's first.
    """
    meeting, errors = Meeting(len(functions)), [None] * len(functions)  # type: Meeting, list[BaseException | None]

    def body(place: int) -> None:
        meeting.join(place)
        try:
            functions[place]()
        except BaseException as error:
            errors[place] = error

    _run_all([threading.Thread(target=body, args=(place,)) for place in range(len(functions))])
    _raise(errors)


def in_turns(*functions: Callable[[], object]) -> None:
    """Run each function in a thread of its own, one after the other, without an order between them.

    A race stays a race, and yet every run is the same.  An exception that one of them raises is raised here.
    """
    done, errors = [False] * (len(functions) + 1), [None] * len(functions)  # type: list[bool], list[BaseException | None]
    done[0] = True

    def body(place: int) -> None:
        wait_until(lambda: done[place])
        try:
            functions[place]()
        except BaseException as error:
            errors[place] = error
        done[place + 1] = True

    _run_all([threading.Thread(target=body, args=(place,)) for place in range(len(functions))])
    _raise(errors)


def _run_all(threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _raise(errors: list[BaseException | None]) -> None:
    for error in errors:
        if error is not None:
            raise error
