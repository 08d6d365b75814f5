"""`if lst: lst.pop()` is not atomic (threadsafety.rst), neither are its relatives of deque, set and dict."""

import contextlib
import threading
from collections import deque

stack, queue, pending, jobs = list(range(10)), deque(range(10)), set(range(10)), dict.fromkeys(range(10))


def from_list() -> None:
    if stack:  # maybe: list
        stack.pop()  # race: list


def from_deque() -> None:
    while len(queue) > 0:  # maybe: deque
        queue.popleft()  # race: deque


def from_set() -> None:
    while pending:  # maybe: set
        pending.pop()  # race: set


def from_dict() -> None:
    if jobs:  # maybe: dict
        jobs.popitem()  # race: dict


def worker() -> None:
    for function in (from_list, from_deque, from_set, from_dict):
        with contextlib.suppress(LookupError):
            function()


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
