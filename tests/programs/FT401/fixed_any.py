"""Reading and writing are under one lock."""

import itertools
import threading


class Stats:
    def __init__(self) -> None:
        self.hits = 0
        self.lock = threading.Lock()


stats = Stats()
numbers = itertools.count()


def work() -> None:
    for _ in range(100):
        next(numbers)
        with stats.lock:
            stats.hits += 1


threads = [threading.Thread(target=work) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
