"""Condition.wait releases an RLock that is held twice, and takes it again."""

import threading
from types import SimpleNamespace

lock = threading.RLock()
condition = threading.Condition(lock)
shared = SimpleNamespace(n=0, turn=0)


def worker(me: int) -> None:
    for _ in range(50):
        with lock, condition:
            while shared.turn != me:
                condition.wait()
            shared.n += 1
            shared.turn = 1 - me
            condition.notify()


threads = [threading.Thread(target=worker, args=(me,)) for me in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 100
