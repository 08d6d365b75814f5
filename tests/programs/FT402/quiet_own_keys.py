"""Threads that take away keys of their own as long as there is anything, and some that handle what is not there.

ALSO: FT407
"""

import queue

from ftsan.testing import in_turns

jobs = dict.fromkeys(range(40))
tasks = dict.fromkeys(range(40))
done: queue.SimpleQueue[int] = queue.SimpleQueue()
for number in range(40):
    done.put(number)


def own(first: int) -> None:
    mine = set(range(first, 40, 2))
    while jobs and mine:
        for key in list(jobs):
            if key in mine:
                mine.remove(key)
                del jobs[key]


def handled() -> None:
    while tasks:
        try:
            del tasks[next(iter(tasks))]
        except KeyError, StopIteration, RuntimeError:
            continue


def given() -> None:
    finished: dict[int, None] = open_ones
    while finished:
        try:
            key = done.get_nowait()
        except queue.Empty:
            return
        del finished[key]


open_ones: dict[int, None] = dict.fromkeys(range(40))
in_turns(lambda: own(0), lambda: own(1))
in_turns(handled, handled)
in_turns(given, given)
