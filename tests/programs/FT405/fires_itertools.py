"""One iterator of itertools advanced by two threads.

The threads take turns by a file, so that no interpreter crashes of it; nobody takes a file for order between threads.
"""

import itertools
import os
import tempfile
import threading
import time

part, joined, around = itertools.islice(range(10), 8), itertools.chain("abc", "def"), itertools.cycle("abc")
groups, (branch, _) = itertools.groupby("aabbcc"), itertools.tee("abcdef")
pairs, batches = itertools.product("ab", "cd"), itertools.batched("abcdef", 2, strict=False)


def advance() -> None:
    next(part)  # race: islice
    next(joined)  # race: chain
    next(around)  # race: cycle
    next(groups)  # race: groupby
    next(branch)  # race: tee
    next(pairs)  # race: product
    next(batches)  # race: batched


def worker(waits_for: str, then: str) -> None:
    while not os.path.exists(waits_for):
        time.sleep(0.001)
    advance()
    os.mkdir(then)


with tempfile.TemporaryDirectory() as folder:
    first, second, done = folder, os.path.join(folder, "second"), os.path.join(folder, "done")
    threads = [threading.Thread(target=worker, args=args) for args in ((first, second), (second, done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
