"""A thread that pops an object from a list comes after the one that put it there: one atomic operation each (threadsafety.rst)."""

import threading
import time
from types import SimpleNamespace
from typing import Any


def take(box: list[Any]) -> Any:
    while True:
        try:
            return box.pop()
        except IndexError:
            time.sleep(0.0001)


def worker(mine: list[Any], theirs: list[Any]) -> None:
    for number in range(20):
        taken = take(mine)
        taken.n += 1
        if number % 2:
            theirs.append(taken)
        else:
            theirs.insert(0, taken)


item = SimpleNamespace(n=0)
ping, pong = [item], list[Any]()
threads = [threading.Thread(target=worker, args=pair) for pair in ((ping, pong), (pong, ping))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert item.n == 40
