"""A thread that pops an object from a set comes after the one that put it there: one atomic operation each (threadsafety.rst)."""

import threading
import time
from types import SimpleNamespace
from typing import Any


class Item(SimpleNamespace):
    __hash__ = object.__hash__


def by_set(mine: set[Any], theirs: set[Any]) -> None:
    for _ in range(20):
        while True:
            try:
                taken = mine.pop()
                break
            except KeyError:
                time.sleep(0.0001)
        taken.n += 1
        theirs.add(taken)


item = Item(n=0)
ping, pong = {item}, set[Any]()
threads = [threading.Thread(target=by_set, args=pair) for pair in ((ping, pong), (pong, ping))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert item.n == 40
