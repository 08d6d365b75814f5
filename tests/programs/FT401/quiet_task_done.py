"""Queue.join returns when all that was done before task_done is over; a full queue makes room only once something is taken."""

import queue
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)
jobs: queue.Queue[int | None] = queue.Queue(1)


def consumer() -> None:
    while jobs.get() is not None:
        shared.n += 1
        jobs.task_done()


def producer() -> None:
    for number in range(20):
        shared.n += 1
        jobs.put(number)
        jobs.join()
        shared.n += 1
    jobs.put(None)


threads = [threading.Thread(target=target) for target in (consumer, producer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 60
