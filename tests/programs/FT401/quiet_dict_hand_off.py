"""A thread that takes an object out of a dict comes after the one that put it in: one atomic operation each (threadsafety.rst)."""

import threading
import time
from types import SimpleNamespace
from typing import Any


def take(box: dict[str, Any], number: int) -> Any:
    while True:
        try:
            return box.pop("item") if number % 2 else box.popitem()[1]
        except KeyError:
            time.sleep(0.0001)


def worker(mine: dict[str, Any], theirs: dict[str, Any]) -> None:
    for number in range(20):
        taken = take(mine, number)
        taken.n += 1
        if number % 3:
            theirs["item"] = taken
        else:
            theirs.setdefault("item", taken)


item = SimpleNamespace(n=0)
ping, pong = {"item": item}, dict[str, Any]()
threads = [threading.Thread(target=worker, args=pair) for pair in ((ping, pong), (pong, ping))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert item.n == 40
