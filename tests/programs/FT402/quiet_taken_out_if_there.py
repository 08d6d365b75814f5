"""An act that cannot fail needs no check before it: `discard`, and `heappop` whose IndexError is handled.

ALSO: FT407
"""

import heapq
import threading

marked = set(range(50))
waiting = list(range(50))


def worker() -> None:
    for number in range(50):
        if number in marked:
            marked.discard(number)
    while waiting:
        try:
            heapq.heappop(waiting)
        except IndexError:
            break


threads = [threading.Thread(target=worker) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
