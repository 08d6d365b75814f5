"""Two threads may be in a semaphore made with 2 at once: it is no lock."""

import threading

from ftsan.testing import in_turns


class Pool:
    def __init__(self) -> None:
        self.slots = threading.BoundedSemaphore(value=3)
        self.used = 0

    def use(self) -> None:
        self.slots.acquire()
        try:
            self.used += 1  # race: bounded
        finally:
            self.slots.release()


semaphore = threading.Semaphore(2)
count = 0


def work() -> None:
    global count
    for _ in range(3):
        with semaphore:
            count += 1  # race: semaphore


pool = Pool()
in_turns(work, work)
in_turns(pool.use, pool.use)
