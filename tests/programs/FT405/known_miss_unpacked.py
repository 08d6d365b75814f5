"""One iterator unpacked into a list by two threads, who take turns by a file."""

import os
import tempfile
import threading
import time

shared = iter(list(range(10)))


def worker(waits_for: str, then: str) -> None:
    while not os.path.exists(waits_for):
        time.sleep(0.001)
    assert len([*shared]) in (0, 10)  # race
    os.mkdir(then)


with tempfile.TemporaryDirectory() as folder:
    first, second, done = folder, os.path.join(folder, "second"), os.path.join(folder, "done")
    threads = [threading.Thread(target=worker, args=args) for args in ((first, second), (second, done))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
