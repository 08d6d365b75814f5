"""`+=` on a list and `|=`, `-=` on a dict or set change the object that the name keeps: atomic (threadsafety.rst), nothing is lost.

The attribute is read and written, too, but every thread writes the object that it has read, and nobody writes another one.
"""

import threading
from collections import deque


class Registry:
    def __init__(self) -> None:
        self.rows: list[int] = []
        self.tags: set[int] = set()
        self.table: dict[int, int] = {}
        self.history: deque[int] = deque()


registry = Registry()
everything: list[int] = []


def worker(start: int) -> None:
    global everything
    for number in range(start, start + 100):
        registry.rows += [number]
        registry.tags |= {number}
        registry.table |= {number: number}
        registry.history += [number]
        everything += [number]


threads = [threading.Thread(target=worker, args=(start,)) for start in (0, 100)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert sorted(registry.rows) == sorted(registry.history) == sorted(everything) == list(range(200))
assert registry.tags == set(registry.table) == set(range(200))
