"""A heap that is emptied by several threads, each of which handles that there is nothing left.

ALSO: FT407
"""

import heapq
import threading

heap = list(range(100))
done: list[int] = []


def worker() -> None:
    while heap:
        try:
            done.append(heapq.heappop(heap))
        except IndexError:
            break


threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert len(done) == 100
