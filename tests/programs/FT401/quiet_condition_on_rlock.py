"""Condition.wait gives up an RLock that is held twice, and takes it back: all that these two threads ever do to it."""

import threading
from types import SimpleNamespace

lock = threading.RLock()
condition = threading.Condition(lock)
shared = SimpleNamespace(n=0, turn=0)


def worker(me: int) -> None:
    with lock, condition:
        for _ in range(50):
            while shared.turn != me:
                condition.wait()
            shared.turn = 1 - me
            condition.notify()
            shared.n += 1


threads = [threading.Thread(target=worker, args=(me,)) for me in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 100
