"""A heap that is looked at before its first element is taken."""

import contextlib
import heapq
import threading

heap = [1, 2, 3]
timers = [1, 2, 3]


def take() -> None:
    if heap:  # maybe: taken
        heapq.heappop(heap)  # race: taken


def due(now: int) -> None:
    while timers and timers[0] <= now:  # maybe: due
        heapq.heappop(timers)  # race: due


def worker() -> None:
    with contextlib.suppress(IndexError):
        take()
        due(2)


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
