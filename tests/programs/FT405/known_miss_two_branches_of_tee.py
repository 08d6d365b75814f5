"""Two iterators of one `itertools.tee`, a thread each: the documentation of tee says that they are not thread-safe.

The threads take turns by a file, so that no interpreter crashes of it; nobody takes a file for order between threads.
"""

import itertools
import os
import tempfile
import threading
import time
from collections.abc import Iterator

one, two = itertools.tee(iter(range(10)))


def worker(branch: Iterator[int], waits_for: str, then: str) -> None:
    while not os.path.exists(waits_for):
        time.sleep(0.001)
    next(branch)  # race
    os.mkdir(then)


with tempfile.TemporaryDirectory() as folder:
    first, second, done = folder, os.path.join(folder, "second"), os.path.join(folder, "done")
    threads = [threading.Thread(target=worker, args=args) for args in ((one, first, second), (two, second, done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
