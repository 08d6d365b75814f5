"""One iterator given to list, sum and a comprehension by two threads.

The threads take turns by a file, so that no interpreter crashes of it; nobody takes a file for order between threads.
"""

import os
import tempfile
import threading
import time

rows = list(range(10))
one, two, three = iter(rows), iter(rows), iter(rows)


def consume() -> None:
    list(one)  # race: list
    sum(two)  # race: sum
    [row for row in three]  # race: comprehension


def worker(waits_for: str, then: str) -> None:
    while not os.path.exists(waits_for):
        time.sleep(0.001)
    consume()
    os.mkdir(then)


with tempfile.TemporaryDirectory() as folder:
    first, second, done = folder, os.path.join(folder, "second"), os.path.join(folder, "done")
    threads = [threading.Thread(target=worker, args=args) for args in ((first, second), (second, done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
