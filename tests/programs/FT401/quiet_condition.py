"""Two threads in turns, by a Condition: the update is made outside the lock, by the one whose turn it is."""

import threading
from types import SimpleNamespace

condition = threading.Condition()
shared = SimpleNamespace(n=0)
turn = 0


def worker(me: int) -> None:
    global turn
    for _ in range(50):
        with condition:
            condition.wait_for(lambda: turn == me)  # noqa: B023
        shared.n += 1
        with condition:
            turn = 1 - me
            condition.notify_all()


threads = [threading.Thread(target=worker, args=(me,)) for me in (0, 1)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 100
