"""A flag orders what comes before it is set, nothing that is done later; and a lock made of a flag is none.

ALSO: FT402 FT407
"""

import threading
import time


class Counter:
    def __init__(self) -> None:
        self.is_open = self.is_locked = False
        self.late = self.guarded = 0


counter = Counter()
barrier = threading.Barrier(2)


def opener() -> None:
    counter.is_open = True
    counter.late += 1  # race: late
    barrier.wait()
    barrier.wait()


def user() -> None:
    while not counter.is_open:
        time.sleep(0.001)
    counter.late += 1  # race: late
    barrier.wait()
    barrier.wait()


threads = [threading.Thread(target=target) for target in (opener, user)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()


def locker() -> None:
    while counter.is_locked:
        time.sleep(0.001)
    counter.is_locked = True
    counter.guarded += 1  # race: guarded
    counter.is_locked = False


threads = [threading.Thread(target=locker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
