"""Iterators that are made for several threads: `iter(queue.get, END)`, and a generator wrapped in one whose class holds a lock."""

import queue
import threading
from collections.abc import Iterator

jobs: queue.SimpleQueue[int] = queue.SimpleQueue()
for job in [*range(1, 50), 0, 0]:
    jobs.put(job)


class Locked:
    def __init__(self, iterator: Iterator[int]) -> None:
        self.iterator = iterator
        self.lock = threading.Lock()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        with self.lock:
            return next(self.iterator)


shared = Locked(number for number in range(100))


def worker() -> None:
    for job in iter(jobs.get, 0):
        assert job
    for number in shared:
        assert number >= 0
    assert next(shared, None) is None


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
