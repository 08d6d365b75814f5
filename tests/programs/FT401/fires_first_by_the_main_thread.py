"""The main thread is done before the thread that it has started touches the same: a variable, a class, an object."""

import os
import tempfile
import threading

from ftsan.testing import wait_until

total = 0
folder = tempfile.mkdtemp()


class Stats:
    n = 0


box = {"n": 0}


class Worker(threading.Thread):
    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    def run(self) -> None:
        # A folder, which nobody takes for order between threads.
        wait_until(lambda: not os.path.exists(folder))
        self.steps += 1  # race: steps
        work()


def work() -> None:
    global total
    total += 1  # race: total
    Stats.n += 1  # race: stats
    box["n"] += 1  # race: box


worker = Worker()
worker.start()
total += 1  # race: total
Stats.n += 1  # race: stats
box["n"] += 1  # race: box
worker.steps += 1  # race: steps
os.rmdir(folder)
worker.join()
