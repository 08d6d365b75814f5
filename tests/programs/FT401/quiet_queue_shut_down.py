"""Queue.shutdown tells the consumer, who gets ShutDown, that the producer is done."""

import queue
import threading
from types import SimpleNamespace

shared = SimpleNamespace(n=0)
jobs: queue.Queue[int] = queue.Queue()


def consumer() -> None:
    while True:
        try:
            jobs.get()
        except queue.ShutDown:
            break
    shared.n += 1


def producer() -> None:
    jobs.put(1)
    shared.n += 1
    jobs.shutdown()


threads = [threading.Thread(target=target) for target in (consumer, producer)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert shared.n == 2
