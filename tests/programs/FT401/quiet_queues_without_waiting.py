"""put_nowait, and get_nowait until there is something."""

import queue
import threading
import time
from types import SimpleNamespace
from typing import Any

shared = SimpleNamespace(n=0)


def worker(mine: Any, theirs: Any) -> None:
    for _ in range(20):
        while True:
            try:
                item = mine.get_nowait()
                break
            except queue.Empty:
                time.sleep(0.0001)
        item.n += 1
        theirs.put_nowait(item)


for kind in (queue.Queue, queue.SimpleQueue):
    ping, pong = kind(), kind()
    threads = [threading.Thread(target=worker, args=pair) for pair in ((ping, pong), (pong, ping))]
    for thread in threads:
        thread.start()
    ping.put(shared)
    for thread in threads:
        thread.join()
assert shared.n == 80
