"""Acquired here, released there, by one thread; many threads take turns."""

import concurrent.futures
import threading
from collections.abc import Iterator

lock = threading.Lock()
turns = 0


def begin() -> None:
    lock.acquire()


def end() -> None:
    lock.release()


def critical() -> Iterator[int]:
    with lock:
        yield turns


def work(number: int) -> None:
    global turns
    begin()
    turns += 1
    end()
    for turn in critical():
        turns = turn + 1
    if number % 2 and lock.acquire(blocking=False):
        lock.release()


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(work, range(100)))
assert turns == 200
