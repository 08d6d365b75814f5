"""Tasks of a ThreadPoolExecutor, which run at the same time."""

import threading
from concurrent.futures import ThreadPoolExecutor

totals = {"done": 0}
together = threading.Barrier(2)


def task(number: int) -> int:
    together.wait()
    totals["done"] += 1  # race
    return number


with ThreadPoolExecutor(2) as pool:
    assert sorted(pool.map(task, range(2))) == [0, 1]
