"""Objects that come and go: what is known of one is not said of the next at its address."""

import threading
from typing import Any

lock = threading.Lock()
current: list[Any] = [None]


class Item:
    def __init__(self) -> None:
        self.n = 0
        self.rows = [0]


def worker() -> None:
    for number in range(10000):
        mine = Item()
        mine.n += 1
        mine.rows[0] += 1
        with lock:
            item = current[0]
            if item is None or number % 3 == 0:
                current[0] = mine
            else:
                item.n += 1
                item.rows.append(number)
                item = None


threads = [threading.Thread(target=worker) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
