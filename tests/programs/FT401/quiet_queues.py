"""An object passed to and fro through queue.Queue, LifoQueue, PriorityQueue and SimpleQueue."""

import queue
import threading
from typing import Any


class Item:
    n = 0

    def __lt__(self, other: object) -> bool:
        return False


def worker(mine: Any, theirs: Any) -> None:
    for _ in range(50):
        item = mine.get()
        item.n += 1
        theirs.put(item)


for kind in (queue.Queue, queue.LifoQueue, queue.PriorityQueue, queue.SimpleQueue):
    item, ping, pong = Item(), kind(), kind()
    threads = [threading.Thread(target=worker, args=pair) for pair in ((ping, pong), (pong, ping))]
    for thread in threads:
        thread.start()
    ping.put(item)
    for thread in threads:
        thread.join()
    assert item.n == 100
